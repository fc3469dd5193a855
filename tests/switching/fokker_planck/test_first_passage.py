"""First passage: against sampled trajectories, the mean first-passage time as a double integral, and hopping rates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.switching import rates, survival


def test_dwell_times_decay_at_the_hopping_rate():
    device = mtj.presets.perpendicular_stt(delta=12.0)
    expected = rates(device).out
    times = np.array([0.3, 0.6]) / expected
    found = survival(device, mtj.Pulse(0.0, 0.0), times, level=-0.9)
    decay = jnp.log(found.survived[0] / found.survived[1]) / (times[1] - times[0])
    assert decay == pytest.approx(float(expected), rel=2e-3)
    np.testing.assert_allclose(found.survived + found.passed, 1.0, atol=1e-12)
    np.testing.assert_allclose(found.rate / found.survived, expected, rtol=2e-3)


@pytest.mark.slow
def test_driven_passage_agrees_with_sampling():
    device = mtj.presets.perpendicular_stt(delta=20.0)
    pulse = mtj.Pulse(1.5 * device.critical_current, 1.0)
    times = np.array([2.0, 3.0, 5.0]) * float(device.relaxation_time)
    found = survival(device, pulse, times, level=-0.3)
    passed = mtj.first_passage(
        device, pulse, times[-1], samples=4000, level=-0.3, dt=2e-4 * float(times[0]), key=jax.random.key(1)
    ).times
    sampled = np.mean(np.asarray(passed)[:, None] <= times, axis=0)
    # 4000 samples: a 5 % error of the torque moves the middle one by about 0.05, six standard errors
    z = (sampled - np.asarray(found.passed)) / np.sqrt(found.passed * found.survived / 4000)
    assert np.all(np.abs(z) < 4), z
    assert 0.1 < found.passed[1] < 0.9


def test_small_probabilities_of_passing_keep_their_relative_accuracy():
    device = mtj.presets.perpendicular_stt(delta=40.0)
    time = 30 * float(device.relaxation_time)
    coarse, fine = (survival(device, mtj.Pulse(0.0, 0.0), time, level=-0.9, cells=n).rate for n in (200, 400))
    assert coarse == pytest.approx(float(rates(device).out), rel=5e-3)
    assert (coarse - rates(device).out) / (fine - rates(device).out) == pytest.approx(4.0, rel=0.2)


@pytest.mark.slow
def test_gradient_equals_central_difference():
    device = mtj.presets.perpendicular_stt(delta=20.0)
    time = 3 * float(device.relaxation_time)

    def passed(x):
        return survival(device, mtj.Pulse(1.5 * x * device.critical_current, 0.7 * time), time, cells=60).passed

    expected = (passed(1 + 1e-4) - passed(1 - 1e-4)) / 2e-4
    assert jax.grad(passed)(1.0) == pytest.approx(float(expected), rel=1e-5)


def test_asymmetric_devices_and_bad_levels_are_refused():
    with pytest.raises(ValueError, match="between -1 and 1"):
        survival(mtj.presets.perpendicular_stt(), mtj.Pulse(0.0, 0.0), 1e-9, level=-1.0)
    with pytest.raises(Exception, match="axis of symmetry"):
        survival(mtj.presets.perpendicular_sot(), mtj.Pulse(0.0, 0.0), 1e-9, cells=20)
