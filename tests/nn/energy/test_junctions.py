"""Joules and seconds against sums by hand in numpy; gradients against differences."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn
from mtjax.nn import Conv, Dense, Pooled

LAW = nn.sengupta2016_law()
DEVICE = mtj.presets.sengupta2016()
HARDWARE = nn.Hardware.of(DEVICE, 0.5e-9, reset_current=120e-6)
STEPS = 3


def sample(network, key=0, steps=STEPS):
    x = jnp.asarray(np.random.default_rng(0).random(network.shape))
    k = jax.random.key(key)
    return ran(network, x, k, steps)


@eqx.filter_jit
def ran(network, x, key, steps):
    return network(x, uniforms=network.draw(key, steps), key=jax.random.fold_in(key, 1), noisy=False)


@eqx.filter_jit
def counted(counter, network, activity):
    return counter.energy(network, activity)


def small(coding="direct"):
    network = nn.mlp((4, 6, 5, 2), LAW, key=jax.random.key(0))
    return nn.Network(network.layers, network.readout, network.shape, coding)


def convolutional():
    keys = jax.random.split(jax.random.key(1), 3)
    neuron = nn.ClockedNeuron.of(LAW)
    layers = (
        nn.Layer(Conv.make(3, 1, 2, key=keys[0]), neuron),
        nn.Layer(Pooled(Conv.make(2, 2, 3, key=keys[1])), neuron),
    )
    return nn.Network(layers, Dense.make(12, 4, key=keys[2]), (8, 8, 1))


def test_the_order_of_neurons_makes_no_difference():
    image = convolutional()
    squares = eqx.tree_at(lambda n: n.layers[0].synapse, image, dataclasses.replace(image.layers[0].synapse, squares=2))
    first, second = image.draw(jax.random.key(2), STEPS)
    reordered = first.reshape(STEPS, 3, 2, 3, 2, 2).transpose(0, 2, 4, 1, 3, 5).reshape(STEPS, 2, 2, 3, 6)
    x = jax.random.uniform(jax.random.key(3), image.shape)
    activities = image(x, uniforms=(first, second)), squares(x, uniforms=(reordered, second))
    for counter in (HARDWARE, nn.Cmos()):
        wanted, found = (jax.tree.leaves(counted(counter, n, a)) for n, a in zip((image, squares), activities, strict=True))
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def power(weight, x, on_off=10.0, G_on=1e-5):
    """Of all cells of a matrix, each pair drawn by its input: V^2 G summed, in units of V_read^2."""
    off = G_on / on_off
    return sum(
        ((off + (G_on - off) * abs(w) / np.abs(weight).max()) + off) * x[j] ** 2 for row in weight for j, w in enumerate(row)
    )


@pytest.mark.parametrize("coding", ["direct", "bernoulli"])
def test_joules_by_hand(coding):
    network = small(coding)
    activity = sample(network)
    found = counted(HARDWARE, network, activity)
    R, width, supply, reading = 400.0, 0.5e-9, 0.9, 0.1**2 * 1e-9
    write = read = reset = drivers = cross = 0.0
    for fired in activity.fired:
        for current, spike in zip(
            np.broadcast_to(fired.current, fired.spikes.shape).ravel(), np.asarray(fired.spikes).ravel(), strict=True
        ):
            write += current**2 * R * width
            drivers += supply * current * width - current**2 * R * width
            read += reading / ((20e3 if spike else 10e3) + 1e4 * 2**0.5)
            if spike:
                reset += (120e-6) ** 2 * R * 1e-9
                drivers += supply * 120e-6 * 1e-9 - (120e-6) ** 2 * R * 1e-9
    trains = [activity.inputs, activity.fired[0].spikes, activity.fired[1].spikes]
    weights = [network.layers[0].synapse.weight, network.layers[1].synapse.weight, network.readout.weight]
    for w, xs in zip(weights, trains, strict=True):
        cross += sum(power(np.asarray(w), np.asarray(x)) for x in xs) * 0.1**2 * width
    cycle = 0.5e-9 + 3 * float(DEVICE.relaxation_time) + 1e-9 + 1e-9
    latency = (STEPS + 1) * cycle + width
    by_hand = {
        "write": write, "read": read, "reset": reset, "crossbar": cross, "drivers": drivers, "comparators": 11 * STEPS * 5e-15,
        "converters": 4 * STEPS * 50e-15, "readout": 2 * STEPS * 100e-15, "leak": 13 * 10e-9 * latency, "latency": latency,
    }  # fmt: skip
    for name, value in by_hand.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(found.total, sum(by_hand.values()) - latency, rtol=1e-5)
    assert 0 < float(np.sum(activity.fired[0].spikes)) < 18


def test_cmos_by_hand():
    network = small("bernoulli")
    activity = sample(network)
    found = counted(nn.Cmos(), network, activity)
    counts = [
        int(np.sum(activity.inputs)) * 6,
        int(np.sum(activity.fired[0].spikes)) * 5,
        int(np.sum(activity.fired[1].spikes)) * 2,
    ]
    pairs = sum(counts)
    np.testing.assert_allclose(found.weights, pairs / 8 * 10e-12, rtol=1e-6)
    np.testing.assert_allclose(found.arithmetic, pairs * 0.1e-12, rtol=1e-6)
    np.testing.assert_allclose(found.random, 11 * STEPS * 80e-15, rtol=1e-6)
    np.testing.assert_allclose(found.table, 11 * STEPS * 0.5e-12, rtol=1e-6)
    np.testing.assert_allclose(found.latency, sum(max(c / 8, 1) for c in counts) * 2e-9, rtol=1e-6)
    np.testing.assert_allclose(found.leak, (24 + 30 + 10) / 8192 * 10e-6 * found.latency, rtol=1e-6)


@pytest.mark.slow
def test_cmos_does_constant_inputs_once():
    found = nn.Cmos().energy(small(), sample(small()))
    spikes = [np.asarray(f.spikes) for f in sample(small()).fired]
    np.testing.assert_allclose(found.weights, (4 * 6 + spikes[0].sum() * 5 + spikes[1].sum() * 2) / 8 * 10e-12, rtol=1e-6)
    np.testing.assert_allclose(found.table, (6 + 5 * STEPS) * 0.5e-12, rtol=1e-6)
    products = 4 * 6 * 0.2e-12
    np.testing.assert_allclose(
        found.arithmetic, (24 + spikes[0].sum() * 5 + spikes[1].sum() * 2) * 0.1e-12 + products, rtol=1e-6
    )


@pytest.mark.slow
def test_cmos_counts_a_convolution_pair_by_pair():
    network = convolutional()
    activity = sample(network)
    found = counted(nn.Cmos(), network, activity)
    first, second = (np.asarray(f.spikes) for f in activity.fired)
    pairs, pooling, x = 0, int(np.sum(first != 0)), np.asarray(activity.inputs[0])
    direct = sum(2 * np.sum(x[i : i + 3, j : j + 3] != 0) for i in range(6) for j in range(6))
    for step in first:
        pooled = step.reshape(3, 2, 3, 2, 2).sum(axis=(1, 3))
        pairs += sum(3 * np.sum(pooled[i : i + 2, j : j + 2] != 0) for i in range(2) for j in range(2))
    last = int(second.sum()) * 4
    np.testing.assert_allclose(found.weights, (18 + 24 * STEPS + last) / 8 * 10e-12, rtol=1e-6)
    additions = direct + pairs + pooling + last
    products = direct + pairs + pooling
    np.testing.assert_allclose(found.arithmetic, additions * 0.1e-12 + products * 0.2e-12, rtol=1e-6)


@pytest.mark.slow
def test_the_mean_is_over_images_and_needs_a_key_for_coding():
    network, images = small("bernoulli"), np.random.default_rng(1).random((7, 4)).astype(np.float32)
    found = nn.mean_over(network, images, HARDWARE, steps=2, key=jax.random.key(3), batch=3)
    keys = jax.random.split(jax.random.key(3), 7)
    each = []
    for x, k in zip(images, keys, strict=True):
        activity = ran(network, jnp.asarray(x), k, 2)
        each.append(float(counted(HARDWARE, network, activity).total))
    np.testing.assert_allclose(found.total, np.mean(each), rtol=1e-6)
    assert "write" in str(found)
    assert f"{100 * float(found.write / found.total):5.1f} %" in str(found)
    baseline = nn.mean_over(network, images, nn.Cmos(), steps=2, key=jax.random.key(3))
    assert float(baseline.total) > float(baseline.neurons) > 0


@pytest.mark.slow
def test_gradients_in_pulse_and_device():
    network, activity = small(), sample(small())

    def joules(values):
        width, resistance, supply, reset = values
        h = nn.Hardware.of(DEVICE, width * 1e-9, reset_current=reset * 1e-4, resistance=resistance * 1e3, supply=supply)
        spent = h.energy(network, activity)
        return (spent.total + spent.write) * 1e12  # what the supply gives in all does not depend on the resistance

    at = jnp.array([0.5, 0.4, 0.9, 1.2])
    slope, h = jax.grad(joules)(at), 1e-4
    for i in range(4):
        step = h * jnp.eye(4)[i]
        np.testing.assert_allclose(slope[i], (joules(at + step) - joules(at - step)) / (2 * h), rtol=1e-6, err_msg=str(i))


@pytest.mark.slow
def test_a_penalty_saves_joules():
    data = nn.Dataset(np.random.default_rng(0).random((64, 4)).astype(np.float32), np.arange(64) % 2)
    found = []
    for price in (0.0, 1e12):
        how = nn.Training(epochs=10, batch=16, rate=0.03, steps=2, penalty=nn.penalty(HARDWARE, price))
        trained = nn.train(small(), data, how, key=jax.random.key(1), progress=False).network
        found.append(float(nn.mean_over(trained, data.images, HARDWARE, steps=2, key=jax.random.key(2)).total))
    assert found[1] < 0.95 * found[0]


def test_what_is_refused():
    with pytest.raises(ValueError, match="must be read by a TunnelMagnetoresistance, but its read-out is AnomalousHall"):
        nn.Hardware.of(mtj.presets.perpendicular_sot(), 1e-9, reset_current=1e-4)
    with pytest.raises(ValueError, match="`width` of Hardware must be finite and positive"):
        nn.Hardware.of(DEVICE, -1e-9, reset_current=1e-4)
    with pytest.raises(ValueError, match="`weight_bits` must lie between 1 and `word_bits`, 64, but is 65"):
        nn.Cmos(weight_bits=65)
    network = small("bernoulli")
    with pytest.raises(ValueError, match="`key` must be given"):
        network(jnp.zeros(4), uniforms=network.draw(jax.random.key(0), 1))
