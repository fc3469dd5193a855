"""Trajectories against closed forms and published thresholds (design answers nobody here wrote)."""

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import GAMMA, MU0, NS, SPIN_FIELD
from mtjax.dynamics import prepare


def free_spin(*terms, alpha=0.1, temperature=0.0, start=(0.0, 0.0, 1.0), Ms=8e5, shape=None):
    layer = mtj.FreeLayer(shape or mtj.EllipticCylinder(50e-9, 50e-9, 1e-9), Ms=Ms, alpha=alpha)
    return mtj.Device(layer, terms, start=start, temperature=temperature)


def unit_torque(sigma):
    """A spin-orbit torque whose damping-like field is 1 T at 1 A, on a layer with Ms 8e5, 1 nm thick."""
    theta = 8e5 * 1e-9 * 1e-7 * 1e-9 / SPIN_FIELD
    return mtj.SpinOrbitTorque(theta_sh=theta, width=1e-7, thickness=1e-9, sigma=sigma)


@pytest.mark.parametrize(
    ("solver", "dt", "tolerance"),
    [(mtj.Adaptive(), None, 1e-6), (mtj.SplitStep(), 2e-13, 1e-6), (mtj.Heun(), 8e-15, 1e-6)],
)
def test_precession_in_a_field(solver, dt, tolerance):
    field, alpha = 0.5, 0.1
    device = free_spin(mtj.AppliedField((0, 0, field)), alpha=alpha)
    sol = mtj.simulate(device, duration=2e-10, start=(1, 0, 0), solver=solver, dt=dt, save=21)
    b = GAMMA * field * sol.ts / (1 + alpha**2)
    m = sol.ms[0]
    assert jnp.max(jnp.abs(m[:, 2] - jnp.tanh(alpha * b))) < tolerance
    assert jnp.max(jnp.abs(m[:, 0] - jnp.cos(b) / jnp.cosh(alpha * b))) < tolerance
    assert jnp.max(jnp.abs(m[:, 1] - jnp.sin(b) / jnp.cosh(alpha * b))) < tolerance  # counter-clockwise about B


def test_slonczewski_steady_state():
    device = free_spin(mtj.UniaxialAnisotropy(-0.1), unit_torque((0, 0, 1)), alpha=0.1)
    sol = mtj.simulate(device, mtj.Pulse(0.0052, 1e-7), duration=2e-8, start=(1, 0, 0.1), solver=mtj.Adaptive(), save=2)
    assert sol.ms[0, -1, 2] == pytest.approx(0.52, abs=5e-4)


@pytest.mark.parametrize(("bx", "expected"), [(0.02, 0.236), (0.05, 0.216), (0.10, 0.182), (0.15, 0.152)])
def test_critical_spin_orbit_field_of_a_slow_ramp(bx, expected):
    device = free_spin(mtj.UniaxialAnisotropy(0.5), mtj.AppliedField((bx, 0, 0)), unit_torque((0, -1, 0)), alpha=0.05)
    ramp = mtj.PiecewiseLinear([0.0, 1e-7], [0.0, 0.3])
    crossing = mtj.first_passage(device, ramp, 1e-7, samples=1, dt=2e-12).times[0]
    assert float(ramp(crossing)) == pytest.approx(expected, abs=0.003)
    assert device.critical_current == pytest.approx(0.25 - bx / 2**0.5, rel=1e-6)


@pytest.mark.parametrize(("factor", "grows"), [(0.97, False), (1.03, True)])
def test_antidamping_threshold_of_an_in_plane_device(factor, grows):
    device = free_spin(
        mtj.UniaxialAnisotropy(0.03, axis=(1, 0, 0)), mtj.UniaxialAnisotropy(-0.9), unit_torque((-1, 0, 0)),
        alpha=0.02, start=(1, 0, 0),
    )  # fmt: skip
    assert device.critical_current == pytest.approx(0.02 * (0.03 + 0.9 / 2), rel=1e-6)
    pulse = mtj.Pulse(factor * device.critical_current, 1e-7)
    sol = mtj.simulate(device, pulse, duration=4e-8, start=(1, 1e-3, 0), save=401, dt=1e-12)
    amplitude = jnp.abs(sol.ms[0, :, 1])
    assert (jnp.max(amplitude[300:]) > jnp.max(amplitude[:100])) == grows


def test_coherent_switching_of_the_standard_problem_2_prism():
    """muMAG standard problem 2, small-particle limit: Hc / Ms = 0.05707 with the field along [1, 1, 1]."""
    Ms, prism = 8e5, mtj.Prism(500e-9, 100e-9, 10e-9)

    def switched(h):
        field = -MU0 * Ms * h / 3**0.5 * jnp.ones(3)
        device = free_spin(mtj.Demagnetisation(), mtj.AppliedField(field), alpha=1.0, start=(1, 0, 0), Ms=Ms, shape=prism)
        start = jnp.array([0.99, 0.05, -0.01])
        return mtj.simulate(device, duration=2e-8, start=start, save=1, dt=5e-12).ms[0, 0, 0] < 0

    fields = jnp.linspace(0.055, 0.059, 41)
    flips = jax.vmap(switched)(fields)
    assert fields[jnp.argmax(flips)] == pytest.approx(0.05707, abs=3e-4)


@pytest.mark.parametrize(
    ("preset", "factor"),
    [("perpendicular_stt", 3.0), *(pytest.param(*x, marks=pytest.mark.slow) for x in (("sengupta2016", 3.0), ("damped", 1.3)))],
)
def test_positive_current_switches_every_preset_and_negative_does_not(preset, factor):
    damped = eqx.tree_at(lambda d: d.layer.alpha, mtj.presets.perpendicular_sot(), jnp.asarray(0.3))
    device = damped if preset == "damped" else getattr(mtj.presets, preset)()
    pulse = mtj.Pulse(factor * device.critical_current, 10 * device.relaxation_time)
    positive, negative = [
        mtj.simulate(device, sign * pulse, samples=32, save=1, key=jax.random.key(0)).ms[:, 0] @ device.start
        for sign in (1.0, -1.0)
    ]
    assert bool(jnp.all(positive < 0))
    assert bool(jnp.all(negative > 0))


def test_spin_transfer_current_favours_parallel():
    """A positive current pulls the layer to the reference's direction (P), a negative one away from it."""
    device = free_spin(mtj.SpinTransferTorque(polarisation=0.5, sigma=(0, 0, 1)))
    for sign in (1, -1):
        sol = mtj.simulate(device, mtj.Pulse(sign * 1e-4, 1e-7), duration=5e-8, start=(1, 0, 0), save=1, dt=1e-12)
        assert sol.ms[0, 0, 2] * sign > 0.99


def test_field_like_torque_acts_as_a_field():
    torque = eqx.tree_at(lambda t: t.field_like_ratio, unit_torque((0, 1, 0)), jnp.asarray(0.7))
    with_torque = free_spin(mtj.UniaxialAnisotropy(0.2), torque)
    plain = free_spin(mtj.UniaxialAnisotropy(0.2), unit_torque((0, 1, 0)), mtj.AppliedField((0, 0.7 * 0.05, 0)))
    one, two = (prepare(device, mtj.Pulse(0.05, 1e-8), NS) for device in (with_torque, plain))
    for place in ((0.0, 0.6, 0.8), (0.6, 0.0, -0.8), (0.48, -0.64, 0.6)):
        m = mtj.Vector.of(np.array(place))
        moved = one.precession(1.0, m, None).array()
        np.testing.assert_allclose(moved, two.precession(1.0, m, None).array(), rtol=1e-12, atol=1e-12)
        assert jnp.max(jnp.abs(moved)) > 1


@pytest.mark.parametrize("solver", [mtj.SplitStep(), mtj.Heun()])
def test_second_order_in_the_step_with_an_edge_inside_a_step(solver):
    device = free_spin(mtj.UniaxialAnisotropy(0.3), unit_torque((0, 1, 0)), alpha=0.05)
    pulse = mtj.Pulse(0.1, 0.3137e-9, delay=0.0511e-9, rise=0.02e-9)

    def end(solver, dt):
        return mtj.simulate(device, pulse, 0.6e-9, start=(0.1, 0, 1), solver=solver, dt=dt, save=1).ms[0, 0]

    exact = end(mtj.Adaptive(rtol=1e-12, atol=1e-12), None)
    errors = [float(jnp.linalg.norm(end(solver, dt) - exact)) for dt in (2e-12, 5e-13)]
    assert errors[0] < 2e-3
    assert errors[1] < errors[0] / 8


def test_gradient_of_a_trajectory_against_differences():
    device = free_spin(mtj.UniaxialAnisotropy(0.3), unit_torque((0, 1, 0)), alpha=0.05)

    @jax.jit
    def mz(at):
        width, alpha = at
        tilted = eqx.tree_at(lambda d: d.layer.alpha, device, alpha)
        pulse = mtj.Pulse(0.1, width)
        return mtj.simulate(tilted, pulse, 0.6e-9, start=(0.1, 0, 1), dt=4e-12, save=1, adjoint=dfx.ForwardMode()).ms[0, 0, 2]

    at = jnp.array([0.3137e-9, 0.05])
    slopes = jax.jacfwd(mz)(at)
    for i, step in enumerate((1e-14, 1e-5)):
        change = step * jnp.eye(2)[i]
        difference = (mz(at + change) - mz(at - change)) / (2 * step)
        assert float(slopes[i]) == pytest.approx(float(difference), rel=1e-4)


def test_reverse_mode_agrees_with_forward_mode():
    device = free_spin(mtj.UniaxialAnisotropy(0.3), unit_torque((0, 1, 0)), alpha=0.05)

    def mz(amplitude, adjoint):
        pulse = mtj.Pulse(amplitude, 1e-10)
        return mtj.simulate(device, pulse, 1e-10, start=(0.1, 0, 1), dt=1e-11, save=1, adjoint=adjoint).ms[0, 0, 2]

    forward = jax.jacfwd(lambda a: mz(a, dfx.ForwardMode()))(0.1)
    assert float(jax.grad(lambda a: mz(a, None))(0.1)) == pytest.approx(float(forward), rel=1e-9)


def test_saved_times_are_those_asked_for():
    device = free_spin(mtj.AppliedField((0, 0, 0.5)), alpha=0.1)
    times = np.array([0.0, 0.33e-10, 1e-10, 2e-10])
    sol = mtj.simulate(device, duration=2e-10, start=(1, 0, 0), save=times, dt=1e-13)
    np.testing.assert_allclose(sol.ts, times, rtol=1e-12)
    b = GAMMA * 0.5 * times / 1.01
    np.testing.assert_allclose(sol.ms[0, :, 2], np.tanh(0.1 * b), atol=1e-4)


@pytest.mark.parametrize("number", [5, np.int64(5), np.int32(5), np.asarray(5), jnp.asarray(5)])
def test_any_whole_number_of_saved_times_counts_them(number):
    found = mtj.simulate(free_spin(alpha=0.1), duration=1e-9, start=(1, 0, 0), dt=1e-10, save=number)
    np.testing.assert_allclose(found.ts, np.linspace(0, 1e-9, 5), rtol=1e-6)


def test_one_saved_time():
    found = mtj.simulate(free_spin(alpha=0.1), duration=1e-9, start=(1, 0, 0), dt=1e-10, save=5e-10)
    np.testing.assert_allclose(found.ts, [5e-10], rtol=1e-6)


def test_a_level_that_no_unit_vector_passes_is_refused():
    with pytest.raises(ValueError, match="`level` must be between -1 and 1, but is 5"):
        mtj.first_passage(free_spin(), samples=1, level=5.0, duration=1e-10)


def test_tolerances_of_adaptive_steps_are_positive():
    with pytest.raises(ValueError, match="`rtol` of Adaptive must be finite and positive, but is -1"):
        mtj.Adaptive(rtol=-1.0)


def test_other_numbers_of_samples_and_other_pulses_compile_nothing_big():
    device, times = mtj.presets.perpendicular_sot(), []

    def heard(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            times.append(duration)

    def run(current, width, samples):
        pulse = mtj.Pulse(current, width)
        return mtj.simulate(device, pulse, 2 * width, samples=samples, key=jax.random.key(0), save=3)

    first = run(1e-4, 1e-9, 20)
    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        run(-9e-5, 1.2e-9, 600)
        again = run(1e-4, 1e-9, 1000)
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    assert len(times) <= 2  # operations on single numbers
    np.testing.assert_array_equal(again.ms[:20], first.ms)


def test_starts_of_their_own_and_chunks_give_the_same_trajectories():
    device = mtj.presets.perpendicular_stt(20.0)
    starts = np.random.default_rng(0).standard_normal((40, 3))
    runs = [
        mtj.simulate(device, None, 1e-10, samples=40, key=jax.random.key(0), start=starts, save=2, chunk=chunk)
        for chunk in (512, 7)
    ]
    np.testing.assert_allclose(runs[1].ms, runs[0].ms, atol=1e-9)
    unit = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    np.testing.assert_allclose(runs[0].ms[:, 0], unit, atol=1e-6)  # half a step of drift there and back


@pytest.mark.parametrize("options", [{}, {"solver": mtj.Adaptive(), "key": jax.random.key(0)}], ids=["no key", "adaptive"])
def test_a_traced_temperature_is_called_unknown(options):
    def last(temperature):
        device = eqx.tree_at(lambda d: d.temperature, mtj.presets.perpendicular_stt(40.0), temperature)
        return mtj.simulate(device, duration=1e-9, save=1, **options).ms

    with pytest.raises(ValueError, match="the temperature is not known while it is traced"):
        jax.jit(last)(0.0)
    with pytest.raises(ValueError, match="the temperature is 300.0 K"):
        last(jnp.asarray(300.0))
