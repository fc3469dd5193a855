"""Pulses and sines of field and voltage: against static fields, linear response, currents, the other equation, differences."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import mtjax as mtj
from mtjax.constants import GAMMA, NS, TAU
from mtjax.dynamics import prepare
from mtjax.switching.fokker_planck.drift import flow_of
from mtjax.switching.fokker_planck.resolution import symmetric_at

SHAPE = mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9)


def easy_axis(delta, alpha, *terms, **options):
    layer = mtj.FreeLayer(SHAPE, Ms=1e6, alpha=alpha)
    Bk = mtj.presets.anisotropy_field(layer, delta, 300.0)
    return mtj.Device(layer, (mtj.UniaxialAnisotropy(Bk), *terms), **options)


def with_field(device, B):
    return dataclasses.replace(device, terms=(*device.terms, mtj.AppliedField(B)))


SMALL = easy_axis(12.0, 0.1, write_resistance=5e3)
KICK = mtj.Excitation(field=mtj.Pulse(0.1, 1e-9).along((0.0, 0.0, -1.0)))
TILTED = mtj.Excitation(field=mtj.Pulse(0.07, 1e-9).along((3.0, 0.0, -4.0)))
PLACES = np.array([[0.0, 0.6, 0.8], [0.3, -0.5, -(0.66**0.5)], [1.0, 0.0, 0.0]])


def velocity(device, pulse):
    """The derivative of m in 1/ns, as the solvers have it; `t` in ns."""
    dynamics = prepare(device, pulse, NS)

    @jax.jit
    def at(t, m):
        return dynamics.precession(t, mtj.Vector.of(m), None).array()

    return at


def test_a_field_pulse_moves_the_magnetisation_as_the_same_static_field():
    """At any moment of it, with a current beside it, and averaged over a step; and not after it."""
    device, B = mtj.presets.perpendicular_sot(), np.array([0.03, -0.05, -0.1])
    current = mtj.Pulse(80e-6, 2e-9)
    pulse = current + mtj.Excitation(field=mtj.Pulse(float(np.linalg.norm(B)), 1e-9).along(B))
    driven, static, without = velocity(device, pulse), velocity(with_field(device, B), current), velocity(device, current)
    for m in PLACES:
        np.testing.assert_allclose(driven(0.4, m), static(0.4, m), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(driven(1.4, m), without(1.4, m), rtol=1e-12, atol=1e-12)
    half = prepare(device, pulse, 0.1e-9).drive(9.5)  # half of the step is after the field
    np.testing.assert_allclose(half.field.array(), B / 2)
    assert half.current == 80e-6


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.0, 300.0])
def test_a_field_pulse_is_the_same_field_given_statically_for_that_time(temperature):
    device = dataclasses.replace(mtj.presets.perpendicular_sot(), temperature=temperature)
    current, B = mtj.Pulse(80e-6, 2e-9), np.array([0.03, -0.05, -0.1])
    pulse = current + mtj.Excitation(field=mtj.Pulse(float(np.linalg.norm(B)), 2e-9).along(B))
    how = dict(duration=1e-9, samples=4, key=jax.random.key(0), save=6, dt=5e-12, start=(0.3, 0.1, 1.0))
    driven = mtj.simulate(device, pulse, **how)
    np.testing.assert_allclose(driven.ms, mtj.simulate(with_field(device, B), current, **how).ms, atol=1e-9)
    still = mtj.simulate(with_field(device, 0 * B), current, **how)
    assert np.max(np.abs(driven.ms - still.ms)) > 0.1


def test_the_energy_in_the_field_of_a_drive_has_its_slope():
    """A torque apart, the field is minus the gradient of the energy."""
    drive = SMALL.drive(TILTED(0.5e-9))
    for place in PLACES:
        m = mtj.Vector.of(place)
        slope = jax.grad(lambda m: SMALL.energy(m, drive))(m)
        np.testing.assert_allclose(SMALL.field(m, drive).array(), -slope.array(), rtol=1e-12, atol=1e-12)


def test_the_drift_of_fokker_planck_is_that_in_the_static_field():
    B = jnp.array([0.042, 0.0, -0.056])
    one, fast = eqx.filter_jit(flow_of)(SMALL, TILTED(0.5e-9), 300.0, 4)
    other, as_fast = eqx.filter_jit(flow_of)(with_field(SMALL, B), jnp.zeros(()), 300.0, 4)
    assert np.abs(one.phi).max() > 1
    np.testing.assert_allclose(one.phi, other.phi, atol=1e-12)
    np.testing.assert_allclose(one.psi, other.psi, atol=1e-12)
    assert fast == pytest.approx(float(as_fast))


def test_symmetry_is_asked_of_device_and_field_together():
    assert symmetric_at(SMALL, KICK.peak)
    assert not symmetric_at(SMALL, TILTED.peak)
    assert not symmetric_at(SMALL, (0.0 * TILTED).peak)  # a plan must serve other strengths
    assert not symmetric_at(mtj.presets.perpendicular_sot(), KICK.peak)


def test_resonance_in_a_small_sine_field_is_the_linear_answer():
    """Gilbert's equation about z: amplitude and phase at, below and above resonance, of a device and a rotating field."""
    device = dataclasses.replace(easy_axis(60.0, 0.05), temperature=0.0)
    B0, b, alpha = float(device.Bk), 1e-5, 0.05
    for share, field in [(0.6, (1, 0)), (1.0, (1, 0)), (1.0, (1, -1j))]:
        omega = share * GAMMA * B0
        frequency, width = omega / TAU, 6e-9
        waves = [mtj.Sine(b * abs(part), frequency, width, phase=float(np.angle(part))) for part in field]
        times = width - np.linspace(0.9, 0.01, 7) / frequency
        at = velocity(device, mtj.Excitation(field=(*waves, None)))
        found = solve_ivp(at, (0, width / NS), [0, 0, 1], "DOP853", times / NS, rtol=1e-9, atol=1e-12)
        left = 1j * omega * np.array([[1, alpha], [-alpha, 1]]) - GAMMA * B0 * np.array([[0, -1], [1, 0]])
        m = np.linalg.solve(left, GAMMA * b * np.array([field[1], -field[0]]))
        expected = np.imag(m[None] * np.exp(1j * omega * times)[:, None])
        np.testing.assert_allclose(found.y[:2].T, expected, atol=3e-3 * np.abs(m).max())


def test_a_voltage_pulse_acts_as_vcma_and_nothing_else():
    device = easy_axis(40.0, 0.02, mtj.VCMA(100e-15, 1e-9), temperature=0.0, write_resistance=5e3)
    torque = mtj.SpinTransferTorque(polarisation=0.6, sigma=(0.0, 0.0, -1.0))
    heated = dataclasses.replace(device, terms=(*device.terms, torque), heating=mtj.JouleHeating(1e6, 1e-9))
    pulse = mtj.Excitation(voltage=mtj.Pulse(1.2, 2e-9))
    by_voltage, by_current = velocity(heated, pulse), velocity(device, mtj.Pulse(1.2 / 5e3, 2e-9))
    for m in PLACES[:2]:
        np.testing.assert_allclose(by_voltage(1.0, m), by_current(1.0, m), rtol=1e-12, atol=1e-12)
        assert np.abs(by_voltage(1.0, m) - by_voltage(3.0, m)).max() > 1
    assert heated.history(pulse).hottest == 0.0


@pytest.mark.slow
def test_a_gradient_through_a_field_against_differences():
    """Of a trajectory without noise, through amplitude and frequency."""
    device = dataclasses.replace(SMALL, temperature=0.0)

    @jax.jit
    def end(amplitude, frequency):
        pulse = mtj.Excitation(field=(mtj.Sine(amplitude, frequency, 0.4e-9), None, None))
        return mtj.simulate(device, pulse, 0.4e-9, save=1, dt=5e-12, start=(0.1, 0.0, 1.0)).ms[0, -1, 1]

    point = jnp.array(0.02), jnp.array(3e9)
    for i, slope in enumerate(jax.grad(end, argnums=(0, 1))(*point)):
        step = 1e-4 * point[i]
        up, down = (end(*(x + side * step if j == i else x for j, x in enumerate(point))) for side in (1, -1))
        assert float(slope) == pytest.approx(float((up - down) / (2 * step)), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("device", "pulse"),
    [
        (SMALL, KICK),
        (SMALL, TILTED),
        (SMALL, mtj.Excitation(field=(mtj.Sine(0.04, 1.6e9, 2e-9), None, mtj.Pulse(-0.05, 2e-9)))),
        (
            easy_axis(12.0, 0.1, mtj.VCMA(100e-15, 1e-9), mtj.AppliedField((0.01, 0.0, 0.0))),
            mtj.Excitation(voltage=mtj.Pulse(0.6, 1e-9), field=mtj.Pulse(0.03, 1e-9).along((0.0, 0.0, -1.0))),
        ),
    ],
    ids=["along the axis", "tilted", "microwave", "voltage"],
)
def test_fokker_planck_monte_carlo_and_the_automatic_engine_agree(device, pulse):
    """20,000 samples: 5 % of p = 0.3 would be 5 standard errors; with the gradient by the density against differences."""
    exact = mtj.FokkerPlanck(relative=False).planned(device, pulse, 2e-9)
    density = mtj.switching_probability(device, pulse, method=exact, relax=2e-9)
    sampled = mtj.switching_probability(device, pulse, method=mtj.MonteCarlo(20_000, jax.random.key(5)), relax=2e-9)
    chosen = mtj.switching_probability(device, pulse, relax=2e-9)
    assert 0.05 < density.value < 0.95
    assert abs(sampled.value - density.value) < 4 * sampled.stderr
    assert abs(chosen.value - density.value) < 4 * float(chosen.error) + 1e-3

    def value(factor):
        return mtj.switching_probability(device, factor * pulse, method=exact, relax=2e-9).value

    difference = (value(1.001) - value(0.999)) / 0.002
    assert float(jax.grad(value)(1.0)) == pytest.approx(float(difference), rel=1e-3)


@pytest.mark.slow
def test_passages_under_a_field_against_the_survival():
    found = mtj.first_passage(SMALL, KICK, 1e-9, samples=4000, key=jax.random.key(2))
    for t in (0.4e-9, 0.7e-9, 1e-9):
        p = float(mtj.survival(SMALL, KICK, t).survived)
        assert abs(np.mean(np.asarray(found.times) > t) - p) < 4 * np.sqrt(p * (1 - p) / 4000) + 0.01
    with pytest.raises(RuntimeError, match="fields along it"):
        mtj.survival(SMALL, TILTED, 1e-9)
