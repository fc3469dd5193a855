"""Telegraph signals, all synthetic: dead time by brute force, known rates through a finite bandwidth."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from mtjax.fitting import Stays, fit_telegraph, read_stays, synthetic_trace
from mtjax.fitting.signals.telegraph import dead_time, observed_excess

TRUTH = np.array([1e-6, 10e-6, 2e-6, 3e-6])


@pytest.fixture(scope="module")
def stays():
    tau, equal, w_up, w_down = TRUTH
    found = []
    for seed, bias in enumerate(np.linspace(7e-6, 13e-6, 7)):
        up, down = tau * np.exp((bias - equal) / w_up), tau * np.exp(-(bias - equal) / w_down)
        time, signal = synthetic_trace(
            tau_up=up, tau_down=down, duration=1e-3, step=20e-9, bandwidth=1e6, noise=0.01, seed=seed
        )
        found.append(read_stays(time, signal, bias=bias, bandwidth=1e6))
    return found


def test_the_observed_mean_by_brute_force():
    """Stays shorter than the dead time are struck out, and their neighbours joined."""
    random, up, down, dead = np.random.default_rng(0), 2.0, 1.0, 0.4
    ups, downs = random.exponential(up, 200_000), random.exponential(down, 200_000)
    observed, current, inside = [], 0.0, False
    for a, b in zip(ups, downs, strict=True):
        current, inside = (current + a, True) if inside else (a, a > dead)
        if inside and b > dead:
            observed.append(current)
            inside = False
        elif inside:
            current += b
    observed = np.array(observed) - dead
    exact = float(observed_excess(jnp.array(up), jnp.array(down), jnp.array(dead)))
    assert abs(observed.mean() - exact) < 4 * observed.std() / np.sqrt(len(observed))
    np.testing.assert_allclose(observed_excess(jnp.array(up), jnp.array(down), jnp.array(0.0)), up)


def test_known_rates_are_found_through_a_finite_bandwidth(stays):
    """With the dead time; taking every stay for complete puts the time scale many standard errors off."""
    found = fit_telegraph(stays)
    off = (found.estimates.value - TRUTH) / found.estimates.stderr
    assert np.all(np.abs(off) < 4), found
    assert found.warnings == ()
    naive = fit_telegraph([dataclasses.replace(s, dead_time=1e-15) for s in stays])
    assert (naive.estimates["tau"].value - TRUTH[0]) / naive.estimates["tau"].stderr > 8


@pytest.mark.parametrize(("up", "step", "bandwidth"), [(3.0, 0.1, None), (3.0, 0.3, None), (1.0, 0.2, 1.0)])
def test_dwell_times_of_sampled_traces(up, step, bandwidth):
    """Samples a tenth to a third of a stay apart, and a low pass: the means are 7 to 39 % long, the dwell times right."""
    down = 1.0
    time, signal = synthetic_trace(tau_up=up, tau_down=down, duration=4e4, step=step, bandwidth=bandwidth or 1e4, seed=1)
    stays = read_stays(time, signal, bias=0.0, bandwidth=bandwidth)
    assert stays.up.mean() > 1.06 * up
    assert stays.down.mean() > 1.06 * down
    for found, true in zip(stays.dwell_times, (up, down), strict=True):
        assert found == pytest.approx(true, rel=0.03), "three standard errors"


def test_the_mean_of_a_sampled_trace_is_that_of_a_markov_chain():
    """Samples of two-state hopping: stays last step / (1 - P(stay)), exactly."""
    up, down, step = 3.0, 1.0, 0.05
    leave = up / (up + down) * -np.expm1(-step * (1 / up + 1 / down))
    seen = np.array([step / leave * up / down, step / leave])
    found = Stays(seen[:1], seen[1:], 0.0, dead_time(None, step)).dwell_times
    np.testing.assert_allclose(found, (up, down), rtol=1e-3)


def test_bad_traces_are_refused():
    time = np.linspace(0, 1, 100)
    with pytest.raises(ValueError, match="at least three times, but that at bias 1 does 0 times"):
        read_stays(time, np.zeros(100), bias=1.0)
    with pytest.raises(ValueError, match="increase evenly"):
        read_stays(time**2, np.sin(50 * time), bias=1.0)
    with pytest.raises(ValueError, match="At least one complete stay in either state"):
        Stays(np.array([1.0]), np.array([]), 1.0)
    with pytest.raises(ValueError, match="two biases"):
        fit_telegraph([Stays(np.ones(3), np.ones(3), 1.0)])
    assert dead_time(1e6) == pytest.approx(1.1e-7, rel=0.01)
    with pytest.raises(ValueError, match="`bandwidth` must be finite and positive, but is 0"):
        dead_time(0.0)
