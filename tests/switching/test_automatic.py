"""The choice of an engine: which one answers, that its answer is that of the others, and what it says of its error."""

import dataclasses
import runpy
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import mtjax as mtj

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "random_devices"
SCRIPT = Path(__file__).parents[2] / "scripts" / "random_devices.py"


def axial(multiple, **options):
    device = mtj.presets.perpendicular_stt(40.0)
    return mtj.switching_probability(device, mtj.Pulse(multiple * device.critical_current, 12e-9), **options)


@pytest.mark.parametrize(
    ("device", "pulse", "engine"),
    [
        (mtj.presets.perpendicular_stt(40.0), mtj.Pulse(30e-6, 5e-9), mtj.FokkerPlanck),
        (mtj.presets.sengupta2016(), mtj.Pulse(70e-6, 0.5e-9), mtj.MonteCarlo),
    ],
)
def test_the_cheaper_engine_answers(device, pulse, engine):
    found = mtj.switching_probability(device, pulse)
    assert isinstance(found.method, engine)
    assert 0 < float(found.error) <= 3e-3


@pytest.mark.slow
def test_sampling_says_what_the_density_says():
    """On both sides of the join: a device that either engine can answer."""
    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(90e-6, 1e-9)
    exact = mtj.switching_probability(device, pulse, method=mtj.FokkerPlanck())
    sampled = mtj.switching_probability(device, pulse, method=mtj.MonteCarlo(40_000, jax.random.key(1)))
    assert abs(sampled.value - exact.value) < 4 * sampled.stderr + exact.error


def test_no_probability_is_too_small_with_an_axis_of_symmetry():
    """Legendre polynomials down to rounding, then positive numbers on a grid: no jump, no negative number, no end."""
    with jax.enable_x64(True):
        multiples = np.linspace(4.4, 6.0, 9)
        logs = np.log([float(axial(x).complement) for x in multiples])
    assert logs[-1] < np.log(1e-18)
    assert np.all(np.diff(logs) < 0)
    assert np.max(np.abs(np.diff(logs, 2))) < 0.15 * np.max(np.abs(np.diff(logs)))


def test_what_is_not_resolved_is_an_upper_limit_in_words():
    found = mtj.switching_probability(mtj.presets.sengupta2016(), mtj.Pulse(1e-6, 0.5e-9))
    assert str(found).startswith("P(switched) below 0.0003")
    assert float(found.value) <= float(found.error)


def test_a_cold_device_is_right_by_default():
    """Fokker-Planck with l_max 512 and 1024 agree on 0.140901; a step that damps by itself gives 0.130."""
    device = dataclasses.replace(mtj.presets.perpendicular_stt(), temperature=4.0)
    pulse = mtj.Pulse(40e-6, 10e-9)
    with jax.enable_x64(True):
        assert abs(float(mtj.switching_probability(device, pulse).value) - 0.140901) < 1e-5


@pytest.mark.slow
def test_a_cold_device_is_right_by_sampling():
    device = dataclasses.replace(mtj.presets.perpendicular_stt(), temperature=4.0)
    method = mtj.MonteCarlo(50_000, jax.random.key(0))
    found = mtj.switching_probability(device, mtj.Pulse(40e-6, 10e-9), method=method)
    assert abs(float(found.value) - 0.140901) < 2 * float(found.stderr)


def test_without_noise_it_is_0_or_1():
    device = dataclasses.replace(mtj.presets.perpendicular_stt(), temperature=0.0)
    assert float(mtj.switching_probability(device, mtj.Pulse(5e-6, 1e-9)).value) == 0.0


def test_under_jit_it_asks_for_a_method():
    device = mtj.presets.perpendicular_stt()
    with pytest.raises(ValueError, match="under `jit` they are not known: give `method="):
        jax.jit(lambda i: mtj.switching_probability(device, mtj.Pulse(i, 1e-9)).value)(1e-5)


def test_gradients_need_nothing():
    device = mtj.presets.perpendicular_stt(40.0)
    current = 2 * float(device.critical_current)
    exact = [axial_like(device, current * x, method=mtj.FokkerPlanck()) for x in (0.99, 1.01)]
    slope = jax.grad(lambda i: axial_like(device, i))(current)
    np.testing.assert_allclose(slope * current, (exact[1] - exact[0]) / 0.02, rtol=2e-2)


def axial_like(device, current, **options):
    return mtj.switching_probability(device, mtj.Pulse(current, 5e-9), **options).value


@pytest.mark.slow
@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared/reference/random_devices")
@pytest.mark.parametrize("seed", [2, 5, 8, 10, 14, 17, 21, 22])
def test_random_devices(seed, monkeypatch):
    """Against an independent sampler: in-plane, several torques, heated, smooth pulses, low damping."""
    case, device, pulse, waveform, relax, reference = random_case(seed, monkeypatch)
    with jax.enable_x64(True):
        found = mtj.switching_probability(device, pulse)
    other, _ = reference.psw(case, waveform, relax, 20_000, seed + 1000)
    error = np.hypot(float(found.error), np.sqrt(max(other * (1 - other), 1e-4) / 20_000))
    assert abs(float(found.value) - other) < 4.5 * error


def random_case(seed, monkeypatch):
    """A case of the fuzz, prepared by its own worker as the script does it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mtjax.settling", raising=False)
    worker = runpy.run_path(str(SCRIPT))["worker"]
    with jax.enable_x64(True):
        names = worker()
        case, device, waveform, relax, _ = names["prepare"](seed)
        return case, device, names["build"].pulse(waveform), waveform, relax, names["ref"]
