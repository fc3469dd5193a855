"""Stays and bias dependence of telegraph signals, all synthetic: dead time by brute force, known rates found again."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from mtjax.fitting import Stays, fit_telegraph, read_stays, synthetic_trace
from mtjax.fitting.signals import Dwell
from mtjax.fitting.signals.stays import dead_time
from mtjax.fitting.signals.telegraph import observed_excess

TRUTH = np.array([1e-6, 10e-6, 2e-6, 3e-6])


def between_crossings(time, signal, bias=0.0, dead=0.0):
    """Complete stays between crossings of the middle, with a tenth of hysteresis."""
    clear = np.flatnonzero(np.abs(signal - 0.5) > 0.05)
    up, time = signal[clear] > 0.5, time[clear]
    changes = np.flatnonzero(np.diff(up)) + 1
    lengths, state = np.diff(time[changes]), up[changes[:-1]]
    return Stays(lengths[state], lengths[~state], bias, dead)


def at_bias(bias, seed, **options):
    tau, equal, w_up, w_down = TRUTH
    up, down = tau * np.exp((bias - equal) / w_up), tau * np.exp(-(bias - equal) / w_down)
    return synthetic_trace(tau_up=up, tau_down=down, step=20e-9, bandwidth=1e6, seed=seed, **options)


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


def test_known_rates_from_stays_of_your_own_through_a_finite_bandwidth():
    """With the dead time; taking every stay for complete puts the time scale many standard errors off."""
    dead = dead_time(1e6, 20e-9)
    stays = [
        between_crossings(*at_bias(bias, seed, duration=1e-3), bias, dead)
        for seed, bias in enumerate(np.linspace(7e-6, 13e-6, 7))
    ]
    found = fit_telegraph(stays)
    off = (found.estimates.value - TRUTH) / found.estimates.stderr
    assert np.all(np.abs(off) < 4), found
    assert found.warnings == ()
    naive = fit_telegraph([dataclasses.replace(s, dead_time=1e-15) for s in stays])
    assert (naive.estimates["tau"].value - TRUTH[0]) / naive.estimates["tau"].stderr > 8


def test_known_rates_from_dwell_times():
    """Logarithms that scatter normally by a tenth: errors as stated, deviance by chi-square."""
    random, tau, equal, w_up, w_down = np.random.default_rng(0), *TRUTH
    bias = np.linspace(7e-6, 13e-6, 7)
    logs = np.log(tau) + np.stack([(bias - equal) / w_up, -(bias - equal) / w_down], axis=1)
    stays = [
        Stays([1.0], [1.0], b, dwell=Dwell(x + 0.1 * random.standard_normal(2), 0.01 * np.eye(2)))
        for b, x in zip(bias, logs, strict=True)
    ]
    found = fit_telegraph(stays)
    assert np.all(np.abs(found.estimates.value - TRUTH) < 4 * found.estimates.stderr)
    np.testing.assert_allclose(found.estimates["tau"].stderr / found.estimates["tau"].value, 0.1 / np.sqrt(14), rtol=0.05)
    assert found.dof == 10
    assert 0.001 < found.p_value < 0.999


@pytest.mark.slow
def test_known_rates_are_found_through_a_finite_bandwidth():
    """From traces, without being told the bandwidth."""
    biases = np.linspace(8e-6, 12e-6, 4)
    stays = [read_stays(*at_bias(b, i, duration=1e-3, noise=0.05), bias=b) for i, b in enumerate(biases)]
    found = fit_telegraph(stays)
    assert np.all(np.abs((found.estimates.value - TRUTH) / found.estimates.stderr) < 4), found


@pytest.mark.parametrize(("up", "step", "bandwidth"), [(3.0, 0.1, None), (3.0, 0.3, None), (1.0, 0.2, 1.0)])
def test_dwell_times_of_sampled_traces(up, step, bandwidth):
    """Samples a tenth to a third of a stay apart, and a low pass: the means are 7 to 39 % long, the dwell times right."""
    down = 1.0
    trace = synthetic_trace(tau_up=up, tau_down=down, duration=4e4, step=step, bandwidth=bandwidth, seed=1)
    stays = between_crossings(*trace, dead=dead_time(bandwidth, step))
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


def test_one_bias_and_no_stays_are_refused():
    one = Stays([1.0], [1.0], 1.0)
    with pytest.raises(ValueError, match="two biases at least are needed, but there is one"):
        fit_telegraph([one, one])
    with pytest.raises(ValueError, match="At least one complete stay in either state is needed, but at bias 2 there is none"):
        Stays([], [1.0], 2.0)
