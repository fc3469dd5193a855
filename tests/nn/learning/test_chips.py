"""Chips: what a device's numbers do, against devices made anew and Fokker-Planck; draws, fluctuations, failures."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

import mtjax as mtj
from mtjax import nn
from mtjax.devices import UniaxialAnisotropy

FAMILY = nn.perpendicular_law()


def changed(Bk, Ms, thickness):
    device = mtj.presets.perpendicular_stt(20.0)
    numbers = (device[UniaxialAnisotropy].Bk * Bk, device.layer.Ms * Ms, device.layer.shape.thickness * thickness)
    return eqx.tree_at(lambda d: (d[UniaxialAnisotropy].Bk, d.layer.Ms, d.layer.shape.thickness), device, numbers)


def small():
    return nn.mlp((4, 6, 5, 2), FAMILY, key=jax.random.key(0))


@eqx.filter_jit
def sampled(variation, network, key):
    return variation.sample(network, key=key)


@eqx.filter_jit
def logits(network, x):
    return network(x, uniforms=network.draw(jax.random.key(2), 3)).logits


def test_scaling_a_law_is_the_law_of_the_changed_device():
    factors = {"Bk": 1.2, "Ms": 0.85, "thickness": 1.1}
    scaled, anew = FAMILY.varied(**factors), FAMILY.of(changed(**factors), 10e-9)
    drives = jnp.linspace(0, float(anew.domain[1]), 50)
    assert not np.allclose(FAMILY.logit(drives), anew.logit(drives), atol=0.3)
    np.testing.assert_allclose(scaled.logit(drives), anew.logit(drives), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_the_family_against_fokker_planck():
    for factors, current in (((1.2, 0.85, 1.1), 14e-6), ((0.8, 0.9, 0.8), 9e-6), ((1.5, 1.2, 1.1), 25e-6)):
        device = changed(*factors)
        p = mtj.switching_probability(device, mtj.Pulse(current, 10e-9), method=mtj.FokkerPlanck(relative=False))
        assert abs(float(FAMILY.of(device, 10e-9).psw(current)) - float(p.value)) < 1e-3
        assert 0.02 < float(p.value) < 0.98
    assert FAMILY.error < 1e-3


@pytest.mark.slow
def test_numbers_of_many_devices_are_those_of_each_and_have_slopes():
    many = FAMILY.varied(Bk=jnp.array([[0.9, 1.0, 1.3], [1.0, 1.1, 0.7]]), thickness=1.1)
    drives = jnp.full((2, 3), 12e-6)
    found, slopes = jax.vjp(many.logit, drives)
    slopes = slopes(jnp.ones((2, 3)))[0]
    for i in np.ndindex(2, 3):
        one = FAMILY.varied(Bk=many.delta[i] / FAMILY.delta / 1.1, thickness=1.1)
        np.testing.assert_allclose(found[i], one.logit(jnp.asarray(12e-6)), rtol=1e-9)
        difference = (one.logit(jnp.asarray(12.01e-6)) - one.logit(jnp.asarray(11.99e-6))) / 0.02e-6
        np.testing.assert_allclose(slopes[i], difference, rtol=1e-5)


@pytest.mark.slow
def test_a_chip_without_variation_is_the_design():
    network = small()
    chip = sampled(nn.Variation(), network, jax.random.key(1))
    one, other = (logits(n, jnp.array([0.1, 0.9, 0.4, 0.0])) for n in (network, chip))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(np.broadcast_to(a, b.shape), b, atol=1e-5)


def test_draws_have_the_spread_that_was_asked_for():
    network = nn.mlp((4, 3000, 2), FAMILY, key=jax.random.key(0))
    variation = nn.Variation(Bk=0.1, Ms=0.2, thickness=0.05, resistance=0.1, drift=0.05, decades=4.0, stuck_neurons=0.1)
    neuron = sampled(variation, network, jax.random.key(1)).layers[0].neuron
    within = norm.cdf(3) - norm.cdf(-3)
    kept = (1 - 2 * 3 * norm.pdf(3) / within) ** 0.5  # of a standard deviation, with the tails beyond three of them cut off
    for values, spread in (
        (neuron.law.delta, (0.1**2 + 0.2**2 + 0.05**2) ** 0.5),
        (neuron.law.relaxation_time, 0.1),
        (neuron.gain, (0.1**2 + 0.05**2 * 4) ** 0.5),
    ):
        found = np.std(np.log(np.asarray(values)))
        assert abs(found / (spread * kept) - 1) < 4 / (2 * 3000) ** 0.5
    share = np.mean(np.asarray(neuron.forced) != 0)
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / 3000) ** 0.5
    assert abs(np.mean(np.asarray(neuron.forced))) < 4 * (0.1 / 3000) ** 0.5
    current = neuron.neuron.bias * jnp.ones(3000)
    fired = jax.nn.sigmoid(neuron.logit(current))
    assert np.all(np.asarray(fired)[np.asarray(neuron.forced) == 1] > 0.999)
    assert np.all(np.asarray(fired)[np.asarray(neuron.forced) == -1] < 0.001)


@pytest.mark.slow
def test_a_fluctuating_drive_against_many_pulses():
    network = nn.mlp((4, 3, 2), FAMILY, key=jax.random.key(0))
    neuron = sampled(nn.Variation(cycle=0.1), network, jax.random.key(1)).layers[0].neuron
    current = neuron.neuron.bias * jnp.array([0.85, 1.0, 1.3])
    n = np.random.default_rng(0).standard_normal((40000, 3))
    each = jax.nn.sigmoid(jax.vmap(neuron.law.logit)(current * (1 + 0.1 * n)))
    np.testing.assert_allclose(jax.nn.sigmoid(neuron.logit(current)), each.mean(axis=0), atol=4e-3)
    assert np.all(np.abs(jax.nn.sigmoid(neuron.law.logit(current)) - each.mean(axis=0))[::2] > 8e-3)


@pytest.mark.slow
def test_cells_of_a_crossbar():
    network = nn.mlp((200, 200, 2), FAMILY, key=jax.random.key(0))
    weight = np.asarray(network.layers[0].synapse.weight)
    chip = sampled(nn.Variation(stuck_cells=0.1), network, jax.random.key(1))
    moved = np.mean(np.abs(np.asarray(chip.layers[0].synapse.weight) - weight) > 1e-5 * np.abs(weight).max())
    assert abs(moved - (1 - 0.9 * 0.95)) < 4 * (0.14 * 0.86 / weight.size) ** 0.5  # idle cells stuck at G_off stay right
    drawn = np.asarray(sampled(nn.Variation(resistance=0.1), network, jax.random.key(2)).layers[0].synapse.weight)
    off, size = 0.1, np.abs(weight).max()
    share = 0.1 + 0.9 * np.abs(weight) / size
    by_hand = 0.1 * np.sqrt(share**2 + off**2) * size / 0.9
    assert abs(np.sqrt(np.mean(((drawn - weight) / by_hand) ** 2)) - 1) < 0.05


@pytest.mark.slow
def test_training_over_chips_moves_weights_only_and_helps():
    x = np.random.default_rng(0).random((128, 4)).astype(np.float32)
    data = nn.Dataset(x, (x[:, :2].sum(axis=1) > x[:, 2:].sum(axis=1)).astype(int))
    network, variation = nn.mlp((4, 12, 2), FAMILY, key=jax.random.key(0)), nn.Variation.of(0.1)
    how = nn.over_chips(nn.Training(epochs=40, batch=32, rate=0.03, steps=4), variation)
    trained = nn.train(network, data, how, key=jax.random.key(1), progress=False)
    assert trained.history[-1][0] < 0.8 * trained.history[0][0]
    assert isinstance(trained.network.layers[0].neuron, nn.ClockedNeuron)
    np.testing.assert_array_equal(trained.network.layers[0].neuron.law.delta, FAMILY.delta)
    found = nn.evaluate_chips(trained.network, data, variation, chips=3, steps=2, key=jax.random.key(2), progress=False)
    assert found.values.shape == (3, 2)
    assert found.worst[-1] <= found.mean[-1]
    assert "3 chips: mean" in str(found)


def test_what_is_refused():
    network = nn.mlp((4, 3, 2), nn.sengupta2016_law(), key=jax.random.key(0))
    with pytest.raises(ValueError, match="on a PerpendicularLaw, but a layer has ClockedNeuron on ChebyshevLaw"):
        nn.Variation.of(0.1).sample(network, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`Bk` of Variation must be finite and at least 0, but is -0.1"):
        nn.Variation(Bk=-0.1)
    data = nn.Dataset(np.zeros((2, 4), np.float32), np.array([0, 1]))
    with pytest.raises(ValueError, match="`chips` must be finite and at least 2, but is 1"):
        nn.evaluate_chips(small(), data, nn.Variation(), chips=1, steps=1, key=jax.random.key(0))


def test_the_family_is_kept_on_disk(tmp_path):
    FAMILY.save(tmp_path / "a.npz")
    again = nn.PerpendicularLaw.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.coefficients, FAMILY.coefficients)
    assert {f.name: getattr(again, f.name) for f in dataclasses.fields(again) if f.metadata.get("static")} == {
        f.name: getattr(FAMILY, f.name) for f in dataclasses.fields(FAMILY) if f.metadata.get("static")
    }


def test_a_chip_of_a_convolutional_network_keeps_the_order_of_its_neurons():
    keys = jax.random.split(jax.random.key(0))
    first = nn.Conv.make(3, 1, 2, key=keys[0], squares=2)
    layers = (nn.Layer(first, nn.ClockedNeuron.of(FAMILY)),)
    design = nn.Network(layers, nn.Pooled(nn.Dense.make(18, 3, key=keys[1])), (8, 8, 1))
    x = jax.random.uniform(jax.random.key(1), design.shape)
    chip = sampled(nn.Variation(), design, jax.random.key(2))
    np.testing.assert_allclose(logits(chip, x), logits(design, x), rtol=1e-5, atol=1e-5)
