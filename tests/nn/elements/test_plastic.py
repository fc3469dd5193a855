"""Synapses that learn by pulses: their cells' response against the dynamics of grains and against bookkeeping by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax import nn
from mtjax.nn.elements.plastic import Response, response
from mtjax.switching import HazardLaw, mean_mz

LAW = HazardLaw.stored()


def by_hand(up=0.0):
    """Two neurons, three inputs, four cells: certain responses."""
    ones = jnp.ones((2, 3, 4))
    same = Response(ones, 0 * ones)
    return nn.PlasticSynapses(up * ones, ones / 4, Response(ones, ones), Response(0 * ones, 0 * ones), same)


def test_an_event_by_hand():
    synapses = by_hand()
    learnt = synapses.learnt(jnp.array([1.0, 0.0, 1.0]), jnp.array(1), jax.random.key(0))
    np.testing.assert_array_equal(learnt.weights, [[-1, -1, -1], [1, -1, 1]])
    again = learnt.learnt(jnp.array([0.0, 0.0, 1.0]), jnp.array(0), jax.random.key(1))
    np.testing.assert_array_equal(again.weights, [[-1, -1, 1], [1, -1, 1]])


def test_responses_are_drawn_cell_by_cell():
    p = jnp.linspace(0.1, 0.9, 5)[:, None] * jnp.ones((5, 4000))
    start = jnp.tile(jnp.array([1.0, 0.0]), (5, 2000))
    end = Response(p, p / 2)(start, jax.random.key(0))
    for row, side, expected in ((end[:, ::2], "up", p[:, 0]), (end[:, 1::2], "down", p[:, 0] / 2)):
        z = (row.mean(axis=1) - expected) / np.sqrt(expected * (1 - expected) / 2000)
        assert np.all(np.abs(z) < 4), side


def test_neurons_divide_patterns_among_themselves():
    """With responses of 0.3, without heat or grains: the rule alone."""
    ones = jnp.ones((2, 8, 20))
    before, after = Response(ones, 0.3 * ones), Response(0.7 * ones, 0 * ones)
    up = jax.random.bernoulli(jax.random.key(0), 0.5, ones.shape).astype(float)
    synapses = nn.PlasticSynapses(up, ones / 20, before, after, Response(ones, 0 * ones))
    patterns = np.array([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]], float)
    found = nn.learn(synapses, patterns, events=200, key=jax.random.key(1))
    assert found.purity(50) == 1.0
    assert sorted(np.argmax(found.synapses.weights @ (2 * patterns.T - 1), axis=1)) == [0, 1]


@pytest.mark.slow
def test_the_response_to_a_pair_is_that_of_the_dynamics():
    """Stochastic LLG of every cell with heat, 8 ns apart: STDP of both signs. The fast law is good to 0.02 per cell."""
    grains = mtj.presets.kurenkov2019(1e-6)
    current = grains.current(3.5e11)
    for sign in (1, -1):
        pulse, start = mtj.opposite_pair(current, 5e-9, sign * 8e-9), jnp.full(grains.number, -1.0 * sign)
        found = response(LAW, grains, pulse)
        end = float(pulse.end) + 50e-9
        sol = mtj.simulate_grains(grains, pulse, end, key=jax.random.key(3 + sign), samples=24, save=2, start=start, dt=10e-12)
        measured = np.asarray((jnp.sign(sol.mz[:, -1]) - start) @ grains.size)
        change = float((2 * jnp.where(start > 0, found.from_up, found.from_down) - 1 - start) @ grains.size)
        assert abs(change - measured.mean()) < 4 * measured.std(ddof=1) / 24**0.5 + 2 * 0.02
        assert sign * change > 0.5


@pytest.mark.slow
def test_the_response_is_that_of_the_fast_law():
    grains = mtj.presets.kurenkov2019(4e-7)
    pulse = mtj.opposite_pair(grains.current(3.4e11), 5e-9, -8e-9)
    found = response(LAW, grains, pulse)
    time = jnp.array([float(pulse.end) + 60e-9])
    for side, p in ((1.0, found.from_up), (-1.0, found.from_down)):
        mz = mean_mz(LAW, grains, pulse, time, start=jnp.full(grains.number, side))[0]
        rest = mean_mz(LAW, grains, 0.0 * pulse, time)[0]  # what m.start is in a well
        np.testing.assert_allclose((2 * p - 1)[~grains.fixed], (mz / rest)[~grains.fixed], atol=1e-3)


def test_what_is_refused():
    film = mtj.presets.kurenkov2019(4e-7)
    with pytest.raises(ValueError, match="`grains` must have a cell for each of 8 x 64 synapses, but has 5"):
        nn.PlasticSynapses.of(LAW, film, (8, 64), density=3e11, width=5e-9, delay=8e-9, key=jax.random.key(0))
