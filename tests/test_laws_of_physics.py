"""Laws of physics for any numbers: rotation of the whole device, scaling of units, bounds of probabilities."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings, strategies as st

import mtjax as mtj
from mtjax.devices import total_energy, total_field
from mtjax.quantities import as_scalar
from mtjax.vector import turn

some = settings(deadline=None, max_examples=25, derandomize=True)
ANGLES = st.floats(-3.0, 3.0)
COMPONENTS = st.tuples(*[st.floats(-1.0, 1.0)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)
LAYER = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.02)
EASY, SPINS, BIAS = jnp.array([0.0, 0.0, 1.0]), jnp.array([0.6, 0.8, 0.0]), jnp.array([0.03, -0.01, 0.02])
HAZARD, CELL = mtj.HazardLaw.stored(), mtj.presets.kurenkov2019_neuron().cell


def device(axis, sigma, bias, *, Bk=0.3, Ms=1e6):
    """A layer with an easy axis, a torque, a field and a voltage-controlled anisotropy, in any orientation."""
    layer = mtj.FreeLayer(LAYER.shape, Ms, LAYER.alpha)
    terms = (
        mtj.UniaxialAnisotropy(Bk, axis),
        mtj.AppliedField(bias),
        mtj.SpinTransferTorque(0.6, sigma=sigma, asymmetry=1.5, field_like_ratio=0.3),
        mtj.VCMA(xi=1e-13, oxide_thickness=1e-9, axis=axis),
    )
    return mtj.Device(layer, terms, start=axis)


@jax.jit
def seen(axis, sigma, bias, m):
    """Field and energy under a current, and the damped motion that they cause."""
    it = device(axis, sigma, bias)
    spin, drive = mtj.Vector.of(m), it.drive(2e-4)
    B = total_field(it.terms, spin, it.magnet, drive)
    return B.array(), total_energy(it.terms, spin, it.magnet, drive), spin.cross(B).array()


@jax.jit
def figures(axis, sigma, bias, Bk, Ms):
    it = device(axis, sigma, bias, Bk=Bk, Ms=Ms)
    return jnp.stack([it.delta, it.critical_current, it.relaxation_time])


def unit(v):
    v = jnp.asarray(v)
    return v / jnp.linalg.norm(v)


@some
@given(COMPONENTS, ANGLES, COMPONENTS)
def test_fields_turn_with_the_device_and_energies_stay(axis, angle, m):
    k, m = unit(axis), unit(m)
    turned = [turn(v, k, as_scalar(angle)) for v in (EASY, SPINS, BIAS, m)]
    B, energy, motion = seen(EASY, SPINS, BIAS, m)
    B_turned, energy_turned, motion_turned = seen(*turned)
    np.testing.assert_allclose(B_turned, turn(B, k, as_scalar(angle)), atol=1e-12)
    np.testing.assert_allclose(motion_turned, turn(motion, k, as_scalar(angle)), atol=1e-12)
    np.testing.assert_allclose(energy_turned, energy, atol=1e-12)


@some
@given(COMPONENTS, ANGLES)
def test_derived_figures_do_not_depend_on_the_orientation(axis, angle):
    k = unit(axis)
    turned = [turn(v, k, as_scalar(angle)) for v in (EASY, -EASY, 0 * BIAS)]
    found, there = figures(EASY, -EASY, 0 * BIAS, 0.3, 1e6), figures(*turned, 0.3, 1e6)
    np.testing.assert_allclose(there, found, rtol=1e-9)


@some
@given(st.floats(0.05, 0.5), st.floats(2e5, 2e6), st.floats(0.2, 5.0), st.floats(0.2, 5.0))
def test_barrier_and_critical_current_scale_with_the_anisotropy_energy(Bk, Ms, more_field, more_moment):
    """delta and Ic go with Bk Ms V, the relaxation time with 1/Bk."""
    before = figures(EASY, -EASY, 0 * BIAS, Bk, Ms)
    after = figures(EASY, -EASY, 0 * BIAS, Bk * more_field, Ms * more_moment)
    energy = more_field * more_moment
    np.testing.assert_allclose(after / before, [energy, energy, 1 / more_field], rtol=1e-9)


@jax.jit
def activated(delta, share, width):
    junction = mtj.presets.perpendicular_stt(delta)
    pulse = mtj.Pulse(share * junction.critical_current, width)
    answer = mtj.ThermalActivation().probability(junction, pulse, as_scalar(0.0))
    return answer.value, answer.complement


@some
@given(st.floats(10.0, 80.0), st.floats(-1.0, 1.5), st.floats(-9.0, -3.0), st.floats(1.01, 3.0))
def test_thermal_activation_is_a_probability_that_grows_with_time(delta, share, decades, longer):
    value, complement = activated(delta, share, 10.0**decades)
    later, _ = activated(delta, share, longer * 10.0**decades)
    assert 0 <= value <= later <= 1
    assert 0 <= complement <= 1
    np.testing.assert_allclose(value + complement, 1.0, rtol=1e-12)


@jax.jit
def hazardous(current, width, later):
    return HAZARD.populations(CELL, mtj.Pulse(current, width), jnp.stack([width, width + later]))


@some
@given(st.floats(0.0, 1.0), st.floats(-10.0, -7.0), st.floats(-9.0, -6.0))
def test_hazards_keep_populations_between_0_and_1(share, decades, later):
    up = hazardous(share * 2e-3, 10.0**decades, 10.0**later)
    assert jnp.all((up >= 0) & (up <= 1))


@jax.jit
def brown(t, delta, h):
    return tuple(mtj.analytic.neel_brown_probability(t, delta, 0.3, 0.02, sign * h) for sign in (1, -1))


@some
@given(st.floats(-9.0, 9.0), st.floats(5.0, 80.0), st.floats(-0.9, 0.9))
def test_both_wells_together_hold_everything_in_the_end(decades, delta, h):
    """Out of one well and out of the other: together at most 1, and 1 at long times; more left along the field."""
    out, back = brown(10.0**decades, delta, h)
    assert 0 <= out <= 1
    assert 0 <= back <= 1
    assert out + back <= 1 + 1e-12
    assert (out <= back) == (h >= 0)
    np.testing.assert_allclose(sum(brown(jnp.inf, delta, h)), 1.0, rtol=1e-12)
