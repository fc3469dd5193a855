"""The heated neuron: its trains of pulses against the device's hazard law, its temperature against closed forms, its gradients."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import mtjax as mtj
from mtjax import nn
from mtjax.nn.laws.heated import surface

FILM = mtj.presets.kurenkov2019_neuron()
INTERVAL = 12e-9


@pytest.fixture(scope="module")
def neuron():
    return nn.HeatedNeuron.of(FILM.cell, nn.kurenkov2019_law(), interval=INTERVAL)


def run(neuron, x, u):
    """Fired and states of slots, by the neuron itself."""
    state, found = neuron.init(x.shape[1:]), []
    for now, uniforms in zip(x, u, strict=True):
        fired, state = neuron(now, state, uniforms=uniforms, estimator=nn.StraightThrough())
        found.append((fired, state))
    return found


def test_trains_of_pulses_switch_as_the_hazard_law_says(neuron):
    """Up to six pulses at three currents: the law that averages over a pulse is within 0.06 of the one that does not."""
    law, amplitudes = mtj.HazardLaw.stored(), np.array([0.45e-3, 0.55e-3, 0.6e-3])
    rises, none, found = jnp.zeros((3, 3)), np.ones(3), []
    for _ in range(6):
        logit, rises = neuron.pulsed(jnp.asarray(amplitudes), rises)
        none = none * (1 - np.asarray(jax.nn.sigmoid(logit)))
        found.append(1 - none)
    for n in (1, 2, 6):
        for i, current in enumerate(amplitudes):
            pulses = mtj.Steps(np.where(np.arange(6) < n, current, 0.0), 5e-9, INTERVAL)
            p = mtj.switching_probability(FILM.cell, pulses, method=law, relax=30e-9).value
            assert found[n - 1][i] == pytest.approx(float(p), abs=0.06)
    assert found[5][1] > 3 * (1 - (1 - found[0][1]) ** 6)  # heat is what makes them integrate


def test_the_rise_is_that_of_the_device(neuron):
    amplitudes = np.array([0.5e-3, 0.3e-3, 0.4e-3])
    history = FILM.cell.history(mtj.Steps(amplitudes, 5e-9, INTERVAL))
    x = ((amplitudes - neuron.bias) / neuron.scale)[:, None]
    for n, (_, state) in enumerate(run(neuron, x, jnp.ones((3, 1)))):
        assert float(state.rises.sum()) == pytest.approx(float(history((n + 1) * INTERVAL)) - 300.0, rel=1e-6)


def test_a_spike_is_followed_by_a_reset_that_warms_and_by_rest(neuron):
    tired = dataclasses.replace(neuron, refractory=2)
    found = run(tired, jnp.full((4, 1), 1.0), jnp.array([[0.0], [0.0], [0.0], [0.0]]))
    spikes, currents = (np.array([float(getattr(f, name)[0]) for f, _ in found]) for name in ("spikes", "current"))
    assert spikes.tolist() == [1, 0, 0, 1]
    assert (currents > 0).tolist() == [True, False, False, True]
    pulses = mtj.Steps([float(currents[0]), -0.5e-3, 0.0], 5e-9, INTERVAL)
    history = FILM.cell.history(pulses)
    for n, (_, state) in enumerate(found[:3]):
        assert float(state.rises.sum()) == pytest.approx(float(history((n + 1) * INTERVAL)) - 300.0, rel=1e-6)


def test_bias_and_slope_are_as_asked(neuron):
    logit, rises = neuron.steady(neuron.bias)
    assert float(jax.nn.sigmoid(logit)) == pytest.approx(0.05, rel=1e-3)
    h = 1e-3 * neuron.scale
    slope = (neuron.pulsed(neuron.bias + h, rises)[0] - neuron.pulsed(neuron.bias - h, rises)[0]) / 2e-3
    assert float(slope) == pytest.approx(1.0, rel=1e-3)


def probability(oxide, neuron):
    """Of a spike after three pulses of which the first two are too weak to switch: its expectation is its probability."""
    on = nn.OnOxide(oxide, film=20e-9, length=200e-9, width=200e-9)
    there = eqx.tree_at(lambda n: n.heating, neuron, on).ready()
    rises = jnp.zeros((3,))
    for current in (0.45e-3, 0.45e-3, 0.55e-3):
        logit, rises = there.pulsed(jnp.asarray(current), rises)
    return jax.nn.sigmoid(logit)


def test_the_gradient_passes_through_the_cooling_time(neuron):
    value = eqx.filter_jit(probability)
    for oxide in (80e-9, 120e-9):
        h = 0.5e-9
        difference = (value(oxide + h, neuron) - value(oxide - h, neuron)) / (2 * h)
        slope = jax.grad(probability)(jnp.asarray(oxide), neuron)
        assert float(slope) == pytest.approx(float(difference), rel=2e-3)
        assert float(slope) * 1e-7 > 0.1  # a thicker oxide keeps the heat


def test_the_series_has_the_slopes_of_its_values():
    c = jax.random.normal(jax.random.key(0), (4, 3))
    x, y = jnp.array([-0.3, 0.7]), jnp.array([0.2, -0.9])
    expected = np.polynomial.chebyshev.chebval2d(x, y, c)
    np.testing.assert_allclose(surface(c, x, y), expected, rtol=1e-12)
    check_grads(lambda *a: surface(*map(jnp.asarray, a)), (c, x, y), order=1, rtol=1e-6, modes=["rev"])


def test_what_does_not_fit_is_refused(neuron):
    with pytest.raises(ValueError, match="`interval` must be at least the pulse"):
        nn.HeatedNeuron.of(FILM.cell, neuron.law, interval=4e-9)
    with pytest.raises(ValueError, match="device with `heating`"):
        nn.HeatedNeuron.of(mtj.presets.perpendicular_sot(), neuron.law, interval=10e-9)
    with pytest.raises(ValueError, match="parameter `temperature`"):
        nn.HeatedLaw(nn.sengupta2016_law(), 5e-9)
    with pytest.raises(ValueError, match="`temperatures` must be a lowest"):
        nn.distil_heated(FILM.cell, 5e-9, domain=(0.4e-3, 0.5e-3), temperatures=(380.0, 340.0))
