"""The closed law for pulses of any shape: its rate, integrated over time."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

import mtjax as mtj
from mtjax.analytic import attempt_frequency

DEVICE = mtj.presets.perpendicular_stt(40.0)
IC = float(DEVICE.critical_current)
WIDTH = 1e-7
SHORT = mtj.Pulse(0.75 * IC, WIDTH)


@jax.jit
def expected_events(pulse):
    """-log(1 - P)."""
    return -jnp.log(mtj.ThermalActivation().probability(DEVICE, pulse, jnp.zeros(())).complement)


def rate(current):
    attempts = float(attempt_frequency(DEVICE.delta, DEVICE.Bk, DEVICE.layer.alpha))
    return attempts * np.exp(-float(DEVICE.delta) * np.clip(1 - current / IC, 0.0, None) ** 2)


@pytest.mark.parametrize("share", [-0.5, 0.3, 0.75, 1.2])
def test_rectangular_pulse(share):
    assert float(expected_events(mtj.Pulse(share * IC, WIDTH))) == pytest.approx(rate(share * IC) * WIDTH, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("pulse", "pulses"),
    [
        (SHORT.shifted(3 * WIDTH), 1),
        (mtj.Pulse(0.75 * IC, WIDTH, delay=9 * WIDTH), 1),
        (mtj.Train(SHORT, 3, 4 * WIDTH), 3),
        pytest.param(mtj.Steps([0.75 * IC, 0.0, 0.75 * IC], WIDTH, 5 * WIDTH), 2, marks=pytest.mark.slow),
        pytest.param(mtj.pair(SHORT, SHORT, 6 * WIDTH), 2, marks=pytest.mark.slow),
        (mtj.opposite_pair(0.75 * IC, WIDTH, 3 * WIDTH), 1),
        (mtj.opposite_pair(0.75 * IC, WIDTH, -3 * WIDTH), 1),
    ],
)
def test_delays_gaps_and_opposite_pulses_change_nothing_but_the_waiting(pulse, pulses):
    """At zero current 3e-12 of the events of the pulses."""
    assert float(expected_events(pulse)) == pytest.approx(pulses * float(expected_events(SHORT)), rel=1e-8)


@pytest.mark.parametrize(
    "pulse",
    [
        mtj.Pulse(0.9 * IC, WIDTH, rise=0.5 * WIDTH, fall=0.8 * WIDTH, delay=0.3 * WIDTH),
        mtj.Sine(0.9 * IC, 20.3 / WIDTH, WIDTH, phase=0.4),
        mtj.PiecewiseLinear(np.array([0.2, 0.5, 0.6, 1.0]) * WIDTH, np.array([0.1, 0.9, -0.5, 0.8]) * IC),
        mtj.Pulse(0.5 * IC, 1.2 * WIDTH) + mtj.Sine(0.3 * IC, 3 / WIDTH, WIDTH),
    ],
    ids=["trapezoid", "sine", "lines", "sum"],
)
def test_rate_is_integrated_over_any_waveform(pulse):
    times = np.linspace(0.0, float(pulse.end), 200_001)
    rates = rate(np.asarray(jax.vmap(pulse)(jnp.asarray(times))))
    assert float(expected_events(pulse)) == pytest.approx(integrate.trapezoid(rates, times), rel=1e-4)


def test_no_pulse_switches_nothing():
    found = mtj.ThermalActivation().probability(DEVICE, mtj.off(), jnp.zeros(()))
    assert (float(found.value), float(found.complement)) == (0.0, 1.0)


def test_slopes_at_no_current_are_finite():
    slope = jax.grad(lambda current: expected_events(mtj.Pulse(current, WIDTH)))(0.0)
    assert float(slope) == pytest.approx(rate(0.0) * WIDTH * 2 * float(DEVICE.delta) / IC, rel=1e-6)


@pytest.mark.parametrize(("spread", "error"), [(0.05, 1e-12), (0.3, 1e-5)])
def test_a_distribution_of_barriers_against_a_sum_over_it(spread, error):
    """With 2 and 12 kT; at currents and times where few, half and nearly all of the devices switch."""
    x = np.linspace(-12, 12, 100_001)
    deltas = float(DEVICE.delta) * np.exp(spread * x)
    attempts = float(attempt_frequency(1.0, DEVICE.Bk, DEVICE.layer.alpha)) * np.sqrt(deltas)
    law = eqx.filter_jit(mtj.ThermalActivation(spread=spread).probability)
    for share, width in [(0.0, 1e3), (0.5, 1e-8), (0.6, 1e-7), (0.7, 1e-6)]:
        events = attempts * width * np.exp(-deltas * (1 - share) ** 2)
        found = law(DEVICE, mtj.Pulse(share * IC, width), jnp.zeros(()))
        density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        assert float(found.value) == pytest.approx(integrate.trapezoid(density * -np.expm1(-events), x), abs=error)
        assert float(found.complement) == pytest.approx(integrate.trapezoid(density * np.exp(-events), x), abs=error)


@pytest.mark.slow
def test_a_fit_with_the_spread_that_the_data_have():
    """Counts of an array whose barriers spread by 0.15: with that spread Bk comes back, without it nothing fits."""
    currents = np.linspace(0.2, 0.9, 15) * IC
    law = mtj.ThermalActivation(spread=0.15)
    data = mtj.measured(DEVICE, currents, 1e-7, trials=2000, seed=3, method=law)
    with_spread, without = (mtj.fit(DEVICE, data, where=("Bk",), method=m) for m in (law, mtj.ThermalActivation()))
    (one,) = with_spread.estimates
    assert abs(one.value - float(DEVICE.Bk)) < 4 * one.stderr
    assert with_spread.deviance < 2 * with_spread.dof
    assert without.deviance > 5 * without.dof


def test_what_the_law_does_not_know_is_refused():
    with pytest.raises(ValueError, match="`spread` of ThermalActivation must be finite and at least 0, but is -0.1"):
        mtj.ThermalActivation(spread=-0.1)
    kick = mtj.Excitation(current=SHORT, field=mtj.Pulse(0.1, WIDTH).along((0, 0, 1)))
    with pytest.raises(ValueError, match="ThermalActivation holds for currents only"):
        mtj.switching_probability(DEVICE, kick, method=mtj.ThermalActivation())
