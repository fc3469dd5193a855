"""Splitting against the density where that reaches, and against rates of any size with an axis of symmetry."""

import dataclasses

import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.switching.fokker_planck.axial_tail import tail


def split(device, pulse, samples, seed=0, **options):
    return mtj.switching_probability(device, pulse, method=mtj.Splitting(samples=samples, key=jax.random.key(seed), **options))


@pytest.mark.parametrize("tau", [5, pytest.param(8, marks=pytest.mark.slow)])
def test_rare_write_errors_agree_with_the_walk_along_the_angle(tau):
    device = mtj.presets.perpendicular_stt(40.0)
    pulse = mtj.Pulse(2.0 * device.critical_current, tau * device.relaxation_time)
    expected = np.exp(float(tail(device, pulse).log_complement))
    found = split(device, pulse, 2000, dt=2e-11)
    # ten repeats of a relative scatter of 0.4: a torque 5 % off changes the answer by a factor of 2, some 8 standard errors
    assert abs(found.complement - expected) < 4 * found.stderr
    assert 0.03 < found.stderr / expected < 0.25
    assert found.value == pytest.approx(1.0 - float(found.complement), abs=1e-12)


def test_an_event_that_is_not_rare_is_sampled_plainly():
    device = mtj.presets.perpendicular_stt(40.0)
    pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    expected = np.exp(float(tail(device, pulse).log_value))
    for switches in (True, False):
        found = split(device, pulse, 2000, switches=switches, dt=2e-11)
        assert abs(found.value - expected) < 4 * found.stderr
        assert found.stderr < 0.02


def test_what_cannot_be_done_is_refused():
    device = mtj.presets.perpendicular_stt(40.0)
    with pytest.raises(ValueError, match="at least 100"):
        mtj.Splitting(samples=20, key=jax.random.key(0))
    with pytest.raises(TypeError, match="no gradient"):
        jax.grad(lambda i: split(device, mtj.Pulse(i, 1e-9), 100).value)(1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("current", [50e-6, 30e-6])
def test_a_spin_orbit_device_agrees_with_harmonics(current):
    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(current, 1e-9)
    expected = mtj.switching_probability(device, pulse, method=mtj.FokkerPlanck(tolerance=1e-2)).value
    found = split(device, pulse, 8000)
    assert abs(found.value - expected) < 4 * found.stderr
    assert found.stderr < 0.2 * expected


@pytest.mark.slow
def test_an_in_plane_device_agrees_with_harmonics():
    found = split(mtj.presets.sengupta2016(), mtj.Pulse(10e-6, 0.5e-9), 8000)
    expected = 1.8082e-6  # FokkerPlanck(tolerance=2e-2), l_max 256: 72 CPU seconds
    assert abs(found.value - expected) < 4 * found.stderr
    assert found.stderr < 0.2 * expected


@pytest.mark.slow
def test_heated_devices_agree_with_the_walk_along_the_angle():
    device = dataclasses.replace(mtj.presets.perpendicular_stt(40.0), heating=mtj.JouleHeating(1e8, 0.5e-9))
    pulse = mtj.Pulse(0.4 * device.critical_current, 10e-9)
    relax = mtj.settling_time(device)
    expected = np.exp(float(tail(device, pulse, relax).log_value))
    cold = np.exp(float(tail(dataclasses.replace(device, heating=None), pulse, relax).log_value))
    found = split(device, pulse, 2000, dt=2e-11)
    assert abs(found.value - expected) < 4 * found.stderr
    assert abs(found.value - cold) > 5 * found.stderr
