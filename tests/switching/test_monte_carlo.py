"""Switching probability by sampling: values, score gradients, reproducibility."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import KB
from mtjax.dynamics import Trajectories

POINTS = {
    40: (0.021, 0.026),
    50: (0.106, 0.107),
    60: (0.281, 0.279),
    70: (0.482, 0.485),
    80: (0.678, 0.669),
    100: (0.885, 0.880),
    120: (0.965, 0.964),
}


def small_device():
    """A low barrier, so that few steps suffice."""
    layer = mtj.FreeLayer(mtj.EllipticCylinder(30e-9, 30e-9, 1e-9), Ms=8e5, alpha=0.2)
    Bk = 2 * 8 * KB * 300 / float(layer.Ms * layer.shape.volume)
    return mtj.Device(
        layer,
        (
            mtj.UniaxialAnisotropy(Bk),
            mtj.AppliedField((0.0, 0.0, -0.1 * Bk)),
            mtj.SpinOrbitTorque(0.3, width=3e-8, thickness=3e-9, sigma=(0, 0, -1)),
        ),
    )


def test_sengupta_transfer_curve_of_two_other_sketches():
    """10,000 samples a point; the sketches had 2,000 (1 ps Heun) and 10,000 (1 ps split step)."""
    with jax.enable_x64(False):
        device = mtj.presets.sengupta2016()

        @jax.jit
        def p_sw(current):
            method = mtj.MonteCarlo(samples=10_000, key=jax.random.key(0))
            return mtj.switching_probability(device, mtj.Pulse(current, 0.5e-9), relax=1.5e-9, method=method).value

        for microamperes, (heun, split) in POINTS.items():
            p = float(p_sw(microamperes * 1e-6))
            error = (p * (1 - p)) ** 0.5
            assert abs(p - split) < 4 * error * (2 / 10_000) ** 0.5 + 5e-4
            assert abs(p - heun) < 4 * error * (1 / 2000 + 1 / 10_000) ** 0.5 + 5e-4


@pytest.mark.slow
def test_score_gradient_against_differences_of_a_large_run():
    """Three parameters, |z| < 4; the differences use common random numbers."""
    device = small_device()
    relax = jnp.asarray(1.5e-9)
    base = 1.2 * device.critical_current

    @eqx.filter_jit
    def p_sw(x, samples, seed):
        theta, Bk, current = x
        changed = eqx.tree_at(lambda d: (d[mtj.SpinOrbitTorque].theta_sh, d[mtj.UniaxialAnisotropy].Bk), device, (theta, Bk))
        method = mtj.MonteCarlo(samples=samples, key=jax.random.key(seed))
        return mtj.switching_probability(changed, mtj.Pulse(current, 1e-9), relax=relax, method=method).value

    at = jnp.stack([jnp.asarray(0.3), device[mtj.UniaxialAnisotropy].Bk, base])
    slopes = jax.grad(lambda x: p_sw(x, 60_000, 0))(at) * at
    found = eqx.filter_jit(mtj.score_gradient)(
        device, mtj.Pulse(base, 1e-9), mtj.MonteCarlo(60_000, jax.random.key(0)), relax=relax
    )
    errors = jnp.stack([
        found.gradient_stderr[0][mtj.SpinOrbitTorque].theta_sh, found.gradient_stderr[0][mtj.UniaxialAnisotropy].Bk,
        found.gradient_stderr[1].amplitude,
    ]) * at  # fmt: skip
    np.testing.assert_allclose(slopes[2], found.gradient[1].amplitude * base, rtol=1e-6)
    for i in range(3):
        change = 0.05 * at * jnp.eye(3)[i]
        up, down = p_sw(at + change, 200_000, 1), p_sw(at - change, 200_000, 1)
        difference = (up - down) / 0.1
        error = np.hypot(errors[i], (2 * 0.02 / 200_000) ** 0.5 / 0.1)  # fewer than 2 % of the samples differ
        assert abs(slopes[i]) > 5 * errors[i]
        assert abs(slopes[i] - difference) < 4 * error


@pytest.mark.slow
def test_default_step_keeps_a_low_damping():
    """A step of 0.5/(gamma' Bk) would add to alpha 0.01 by its own damping: 0.220, six standard errors off."""
    device = mtj.presets.perpendicular_stt(delta=40.0)
    pulse = mtj.Pulse(1.5 * device.critical_current, 4 * device.relaxation_time)
    method = mtj.MonteCarlo(samples=40_000, key=jax.random.key(3))
    found = mtj.switching_probability(device, pulse, method=method)
    assert abs(found.complement - 2.0856e-1) < 4 * found.stderr  # published, see test_fokker_planck.py


@pytest.mark.slow
def test_same_numbers_for_any_chunk_and_number_of_samples():
    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 0.2e-9)
    options = {"duration": 0.3e-9, "save": 3, "key": jax.random.key(3)}
    whole = mtj.simulate(device, pulse, samples=100, **options).ms
    for samples, chunk in ((100, 32), (40, 40)):
        part = mtj.simulate(device, pulse, samples=samples, chunk=chunk, **options).ms
        np.testing.assert_array_equal(part, whole[:samples])


@pytest.mark.parametrize("wrong", [{"dt": -1e-12}, {"dt": float("nan")}, {"chunk": 0}])
def test_numbers_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"`{name}` of MonteCarlo must be finite"):
        mtj.MonteCarlo(samples=10, key=jax.random.key(0), **wrong)


@pytest.mark.parametrize(
    "ask",
    [
        lambda device, pulse, method: mtj.switching_probability(device, pulse, relax=-1.0),
        lambda device, pulse, method: mtj.switching_probability(device, pulse, relax=float("inf")),
        lambda device, pulse, method: mtj.switching_probability(device, pulse, method=method, relax=-1.0),
        lambda device, pulse, method: mtj.score_gradient(device, pulse, method, relax=jnp.asarray(-1.0)),
        lambda device, pulse, method: mtj.FokkerPlanck().planned(device, pulse, -1.0),
    ],
)
def test_a_negative_wait_is_refused(ask):
    method = mtj.MonteCarlo(samples=10, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`relax` must be finite and at least 0, but is .* s"):
        ask(mtj.presets.perpendicular_stt(), mtj.Pulse(1e-4, 1e-9), method)


@pytest.mark.slow
def test_standard_error_is_never_zero():
    p = mtj.switching_probability(
        mtj.presets.perpendicular_stt(), mtj.Pulse(0.0, 1e-10), relax=0.0, method=mtj.MonteCarlo(64, jax.random.key(0))
    )
    assert p.value == 0
    assert p.complement == 1
    assert p.stderr > 0


def test_first_passage_of_a_free_spin_in_a_field():
    """Without noise tanh(alpha b) = -level fixes the time of passage."""
    layer = mtj.FreeLayer(mtj.EllipticCylinder(50e-9, 50e-9, 1e-9), Ms=8e5, alpha=0.1)
    device = mtj.Device(layer, (mtj.AppliedField((0, 0, -0.5)),), temperature=0.0)
    found = mtj.first_passage(device, duration=1e-9, samples=1, start=(1.0, 0.0, 0.0), level=-0.5, dt=1e-13)
    expected = np.arctanh(0.5) / 0.1 * 1.01 / (1.76085963e11 * 0.5)
    assert float(found.times[0]) == pytest.approx(expected, abs=2e-13)


def test_dwell_times_of_a_made_up_telegraph_signal():
    mz = np.array([1, 1, -1, -1, -1, 1, 0.2, 1, -1, -1, 1, 1.0])
    ms = jnp.stack([jnp.zeros(12), jnp.zeros(12), jnp.asarray(mz)], -1)[None]
    sol = Trajectories(jnp.arange(12.0), ms, jnp.asarray(1.0), mtj.SplitStep())
    found = mtj.dwell_times(mtj.presets.perpendicular_stt(), sol)
    assert found.up.tolist() == [3.0]
    assert found.down.tolist() == [3.0, 2.0]


def test_resistance_of_both_states():
    device = mtj.presets.perpendicular_stt()
    up, down = device.readout(jnp.array([0.0, 0.0, 1.0])), device.readout(jnp.array([0.0, 0.0, -1.0]))
    assert float(down) == pytest.approx(5e3)  # along the reference: P
    assert float(up) == pytest.approx(12.5e3)
    middle = device.readout(jnp.array([1.0, 0.0, 0.0]))
    assert 1 / float(middle) == pytest.approx((1 / 5e3 + 1 / 12.5e3) / 2)  # linear in conductance


def test_magnetoresistance_halves_at_its_voltage():
    junction = mtj.TunnelMagnetoresistance(R_P=5e3, tmr=1.5, half_voltage=0.4)
    states = jnp.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    parallel, antiparallel = junction(states, 0.4)
    assert float(parallel) == pytest.approx(5e3)
    assert float(antiparallel) == pytest.approx(5e3 * (1 + 1.5 / 2))
    np.testing.assert_allclose(junction(states, -0.4), [parallel, antiparallel])
