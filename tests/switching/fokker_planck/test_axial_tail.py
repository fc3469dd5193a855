"""Probabilities of any size: against 70 decimal digits, published write error rates, harmonics, rates, and differences."""

import dataclasses
from math import log

import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.switching.fokker_planck.axial_tail import tail

DELTA = 40.0
ONE = 1 << 240


def device_and_pulse(i, tau, delta=DELTA):
    device = mtj.presets.perpendicular_stt(delta)
    return device, mtj.Pulse(i * device.critical_current, tau * device.relaxation_time)


def fixed(x):
    """A number as a multiple of 2^-240."""
    return round(x * 2**60) * (ONE >> 60)


def boltzmann_factor(delta, u):
    """exp(delta (u^2 - 1)) for a rational u = (numerator, denominator), in units of 2^-240."""
    n, d = u
    x = delta * (n * n - d * d) * ONE // (d * d)
    steps = 128
    small, term, total = x // steps, ONE, ONE
    for k in range(1, 60):
        term = term * small // ONE // k
        total += term
    for _ in range(7):
        total = total * total // ONE
    return total


def not_switched_in_many_digits(i, tau, delta, lmax=120):
    """Legendre polynomials and a Taylor series in integers of 240 bits: the write error rate, of P_0 ~ exp(-delta sin^2) above."""
    l = np.arange(lmax + 1)
    # dP/dt = -d/du [(1 - u^2) ((u - i) P - P' / (2 delta))], tested with every polynomial P_k; (1 - u^2) P_k' = s_k (P_k-1 - P_k+1).
    size = lmax + 3
    norm = [ONE * 2 // (2 * k + 1) for k in range(size + 1)]
    product = np.zeros((size, size), object)  # of u P_j P_k over (-1, 1)
    for k in range(size - 1):
        product[k, k + 1] = product[k + 1, k] = 2 * ONE * (k + 1) // ((2 * k + 1) * (2 * k + 3))
    weighted = product.copy()
    for k in range(size):
        weighted[k, k] -= fixed(i) * norm[k] // ONE
    matrix = np.zeros((lmax + 1, lmax + 1), object)
    for k in range(1, lmax + 1):
        row = (weighted[k - 1] - weighted[k + 1]) * (k * (k + 1)) // (2 * k + 1)
        matrix[k] = row[: lmax + 1] * (2 * k + 1) // 2
        matrix[k, k] -= ONE * k * (k + 1) // (2 * int(delta))
    bands = {o: np.array([matrix[k, k + o] if 0 <= k + o <= lmax else 0 for k in l], object) for o in range(-2, 3)}

    # The start: Simpson's rule in 1024 pieces of u from 0 to 1.
    pieces = 1024
    column, total = np.zeros(lmax + 1, object), 0
    for j in range(pieces + 1):
        weight = (1 if j in (0, pieces) else 4 if j % 2 else 2) * boltzmann_factor(int(delta), (j, pieces))
        before, now = ONE, ONE * j // pieces
        values = [before, now]
        for k in range(1, lmax):
            before, now = now, ((2 * k + 1) * j * now // pieces - k * before) // (k + 1)
            values.append(now)
        column += np.array(values, object) * weight // ONE
        total += weight
    column = column * (2 * l + 1) // 2 * ONE // total

    steps = 64
    while max(abs(v) for v in bands[0]) * tau / ONE / steps > 32:
        steps *= 2
    for _ in range(steps):
        term = column
        for n in range(1, 180):
            padded = np.concatenate([[0, 0], term, [0, 0]])
            moved = sum(bands[o] * padded[2 + o : 2 + o + lmax + 1] for o in bands)
            term = moved * int(tau * 2**20) // (ONE * steps * n << 20)
            column = column + term
    at_zero = [ONE, 0]
    for k in range(1, lmax + 2):
        at_zero.append(-k * at_zero[k - 1] // (k + 1))
    above = [ONE] + [(at_zero[k - 1] - at_zero[k + 1]) // (2 * k + 1) for k in range(1, lmax + 1)]
    return sum(c * a for c, a in zip(column, above, strict=True)) // ONE / ONE


@pytest.mark.slow
def test_an_error_rate_of_1e_minus_26_agrees_with_an_expansion_in_many_digits():
    found = tail(*device_and_pulse(2.0, 30.0, 15.0))
    expected = log(not_switched_in_many_digits(2.0, 30.0, 15.0))
    assert expected < -59
    assert abs(found.log_complement - expected) < max(2 * found.error, 1e-5)


@pytest.mark.parametrize(("tau", "published", "rel"), [(4.0, 1.0015e-2, 1e-4), (8.0, 3.0722e-6, 1e-4), (15.0, 2.155e-12, 1e-2)])
def test_write_error_rates_are_the_published_ones(tau, published, rel):
    found = tail(*device_and_pulse(2.0, tau))
    assert np.exp(found.log_complement) == pytest.approx(published, rel=rel)
    assert found.error < 1e-4


def test_write_errors_fall_with_butlers_slope_whatever_their_size():
    times = np.array([40.0, 60.0, 80.0])
    logs = np.array([tail(*device_and_pulse(2.0, tau)).log_complement for tau in times])
    assert logs[2] < log(1e-60)
    np.testing.assert_allclose(np.diff(logs) / np.diff(times), -2.0, rtol=0.03)


def test_rare_switching_agrees_with_harmonics():
    device, pulse = device_and_pulse(0.3, 23.0)
    found = tail(device, pulse)
    expected = mtj.switching_probability(device, pulse, method=mtj.FokkerPlanck(tolerance=1e-6)).value
    assert np.exp(found.log_value) == pytest.approx(float(expected), rel=2e-5)
    assert found.log_complement == pytest.approx(-float(expected), rel=1e-4)


@pytest.mark.parametrize("seconds", [1e-3, 1.0])
def test_long_waits_follow_the_hopping_rate(seconds):
    device = mtj.presets.perpendicular_stt(DELTA)
    expected = log(mtj.rates(device).out * seconds)
    assert tail(device, mtj.Pulse(0.0, seconds)).log_value == pytest.approx(expected, abs=1e-4)


def test_no_number_is_too_small():
    device, pulse = device_and_pulse(0.0, 0.01, 1500.0)
    found = tail(device, pulse)
    assert -3000 < found.log_value < -800
    assert found.error > 0.1  # the grid is too coarse, and says so
    nothing = tail(device, mtj.Pulse(0.0, 0.0))
    assert nothing.log_value == -np.inf
    assert nothing.log_complement == pytest.approx(0.0, abs=1e-12)


def test_gradients_are_differences():
    device, pulse = device_and_pulse(2.0, 15.0)

    def logarithm(x):
        return tail(device, x * pulse).log_complement

    expected = (logarithm(1 + 1e-4) - logarithm(1 - 1e-4)) / 2e-4
    assert jax.grad(logarithm)(1.0) == pytest.approx(float(expected), rel=1e-5)
    assert jax.jvp(logarithm, (1.0,), (1.0,))[1] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.slow
def test_matrices_and_steps_agree_with_their_gradients():
    device, pulse = device_and_pulse(2.0, 15.0)

    def logarithm(x, pieces):
        return tail(device, x * pulse, pieces=pieces).log_complement

    (by_matrix, slope), (by_steps, other) = (jax.value_and_grad(logarithm)(1.0, pieces) for pieces in (1, 128))
    assert by_matrix == pytest.approx(float(by_steps), rel=1e-10)
    assert slope == pytest.approx(float(other), rel=1e-8)


@pytest.mark.slow
def test_smooth_pulses_and_heated_devices_agree_with_harmonics():
    device, _ = device_and_pulse(2.0, 1.0)
    sine = mtj.Sine(3 * device.critical_current, 1 / (20 * device.relaxation_time), 10 * device.relaxation_time)
    expected = mtj.switching_probability(device, sine, method=mtj.FokkerPlanck(lmax=128)).complement
    assert np.exp(tail(device, sine).log_complement) == pytest.approx(float(expected), rel=1e-4)

    heated = dataclasses.replace(device, heating=mtj.JouleHeating(1e7, 2e-9))
    pulse = mtj.Pulse(1.6 * device.critical_current, 7 * device.relaxation_time)
    expected = mtj.switching_probability(heated, pulse, relax=1e-9, method=mtj.FokkerPlanck(tolerance=1e-5)).complement
    assert np.exp(tail(heated, pulse, 1e-9).log_complement) == pytest.approx(float(expected), rel=1e-4)
    assert abs(tail(device, pulse, 1e-9).log_complement - log(expected)) > 0.05  # the heat counts


def test_what_cannot_be_done_is_refused():
    device, pulse = device_and_pulse(2.0, 15.0)
    with pytest.raises(ValueError, match="multiple of 120"):
        tail(device, pulse, cells=100, pieces=1)
    with pytest.raises(ValueError, match="under `jit`"):
        jax.jit(lambda x: tail(device, x * pulse).log_value)(1.0)
    with pytest.raises(Exception, match="more `pieces`"):
        tail(device, pulse, pieces=8)
    with pytest.raises(Exception, match="axis of symmetry"):
        tail(mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 1e-9))
