"""Frequencies, widths and shapes of modes against closed forms, printed numbers, and the ring-down of `simulate`."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import GAMMA, MU0, TAU
from mtjax.resonance import at_rest, modes

MS, ALPHA = 1.2e6, 0.05
M = MU0 * MS
SHAPE = mtj.EllipticCylinder(60e-9, 60e-9, 2e-9)
EASY_PLANE = (mtj.Demagnetisation((0.0, 0.0, 1.0)),)


def film(alpha=ALPHA, start=(1.0, 0.0, 0.0), terms=EASY_PLANE, Ms=MS, shape=SHAPE):
    return mtj.Device(mtj.FreeLayer(shape, Ms=Ms, alpha=alpha), terms, start=start)


def damped(Bx, By, alpha=ALPHA):
    """Frequency and full width (Hz) of a spin with stiffnesses Bx and By, exact in alpha: from the 2 x 2 matrix by hand."""
    g = GAMMA / (1 + alpha**2)
    decay = g * alpha * (Bx + By) / 2
    return np.sqrt(g**2 * (1 + alpha**2) * Bx * By - decay**2) / TAU, decay / np.pi


@pytest.fixture(scope="module")
def swept():
    return modes(film(), field=np.array([[0.05, 0, 0], [0.3, 0, 0], [0, 0, M + 0.4]]))


@pytest.mark.parametrize(("row", "stiffnesses"), [(0, (0.05, 0.05 + M)), (1, (0.3, 0.3 + M)), (2, (0.4, 0.4))])
def test_kittel_in_and_out_of_the_plane(swept, row, stiffnesses):
    frequency, width = damped(*stiffnesses)
    assert float(swept.frequencies[row, 0]) == pytest.approx(frequency, rel=1e-9)
    assert float(swept.linewidths[row, 0]) == pytest.approx(width, rel=1e-9)


def test_ellipticity_is_the_root_of_the_ratio_of_stiffnesses(swept):
    assert float(modes(film(1e-6), field=(0.3, 0, 0)).ellipticities[0, 0]) == pytest.approx(np.sqrt(0.3 / (0.3 + M)), rel=1e-6)
    assert float(swept.ellipticities[2, 0, 0]) == pytest.approx(1.0, rel=1e-6)
    assert float(jnp.sum(jnp.abs(swept.shapes[0]) ** 2)) == pytest.approx(1.0)


class CubicField(mtj.AbstractEnergy):
    Kc: jax.Array = mtj.quantity("J/m^3")

    def energy(self, m, magnet, drive):
        return -self.Kc * (m.x**4 + m.y**4 + m.z**4) / magnet.Ms


def test_cubic_resonances_that_micromagnetic_jl_prints():
    """E = -Kc sum m_i^4, Kc = 2e4 J/m^3, Ms = 8e5 A/m, H = 1e5 A/m along 100 and 110: MicroMagnetic.jl, test/eigen/test_cubic.jl."""
    layer = mtj.FreeLayer(SHAPE, Ms=8e5, alpha=1e-9, gyromagnetic_ratio=2.21e5 / MU0)
    axes = np.array([[1.0, 0.0, 0.0], [0.5**0.5, 0.5**0.5, 0.0]])
    for axis, printed in zip(axes, (6.316322e9, 1.879331e9), strict=True):
        found = modes(mtj.Device(layer, (CubicField(2e4),), start=axis), field=MU0 * 1e5 * axis)
        assert float(found.frequencies[0]) == pytest.approx(printed, rel=2e-6)


def pair(J=-3e-4, alpha=1e-7, second=None):
    up = film(alpha, start=(1.0, 0.1, 0.0))
    down = film(alpha, start=(-1.0, 0.1, 0.0)) if second is None else second
    return mtj.Stack((up, down), (mtj.InterlayerExchange(J),))


def test_acoustic_and_optic_branches_of_a_synthetic_antiferromagnet():
    """Layers scissored by a field B across: gamma B / (2 B_J) sqrt(2 B_J (2 B_J + M)) and gamma sqrt(2 B_J M (1 - B^2 / 4 B_J^2))."""
    B_J, fields = 3e-4 / (MS * 2e-9), np.array([0.02, 0.1, 0.2])
    found = modes(pair(), field=fields[:, None] * np.eye(3)[1])
    acoustic = GAMMA / TAU * fields / (2 * B_J) * np.sqrt(2 * B_J * (2 * B_J + M))
    optic = GAMMA / TAU * np.sqrt(2 * B_J * M * (1 - (fields / (2 * B_J)) ** 2))
    np.testing.assert_allclose(found.frequencies, np.sort(np.stack([acoustic, optic], 1), axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.ms[:, :, 1], np.stack([fields, fields], 1) / (2 * B_J), rtol=1e-9)


UNLIKE = film(0.02, start=(-1.0, 0.1, 0.0), Ms=8e5, shape=mtj.EllipticCylinder(60e-9, 60e-9, 3e-9))


def test_ring_down_of_simulate_is_that_of_the_modes():
    """Unlike layers, pushed off along the optic mode: the rest of the motion to 1e-4 of its size."""
    stack = pair(alpha=0.01, second=UNLIKE)
    field = np.array([0.05, 0.1, 0.02])
    found = modes(stack, field=field)
    f, width, shape, ms = found.frequencies[1], found.linewidths[1], found.shapes[1], found.ms
    cold = without_noise(stack)
    begin = ms + 1e-5 * shape.real
    pulse = mtj.Excitation(field=tuple(mtj.Pulse(float(B), 1e-9) for B in field))
    sol = mtj.simulate(cold, pulse, duration=0.5e-9, start=begin, solver=mtj.Adaptive(rtol=1e-12, atol=1e-13), save=51)
    wave = jnp.exp((2j * jnp.pi * f - jnp.pi * width) * sol.ts)[:, None, None]
    expected = 1e-5 * jnp.real(shape * wave)
    assert float(jnp.max(jnp.abs(sol.ms[0] - ms - expected))) < 1e-4 * 1e-5
    assert float(jnp.max(jnp.abs(expected[-10:]))) > 1e-6


def without_noise(stack):
    return dataclasses.replace(stack, layers=tuple(dataclasses.replace(layer, temperature=0.0) for layer in stack.layers))


def test_derivatives_against_differences():
    def values(J):
        found = modes(pair(J, 0.01, UNLIKE), field=(0.05, 0.1, 0.02))
        return found.frequencies, found.linewidths

    _, slopes = jax.jvp(values, (-3e-4,), (1.0,))
    for slope, high, low in zip(slopes, values(-2.999e-4), values(-3.001e-4), strict=True):
        np.testing.assert_allclose(slope, (high - low) / 2e-7, rtol=1e-5)


def test_a_constant_current_changes_the_damping():
    """Spins along m: the width is that of a damping-like field, 2 gamma' (alpha B - B_DL) / 2 pi, exact for an isotropic well."""
    device = mtj.presets.perpendicular_stt(40.0)
    still, driven = (modes(device, current=I) for I in (0.0, 10e-6))
    Bk, alpha = 0.22, float(device.layer.alpha)
    B_DL = alpha * float(device.Bk) * 10e-6 / float(device.critical_current)
    g = GAMMA / (1 + alpha**2)
    assert float(still.linewidths[0]) == pytest.approx(g * alpha * float(device.Bk) / np.pi, rel=1e-9)
    assert float(still.linewidths[0] - driven.linewidths[0]) == pytest.approx(g * B_DL / np.pi, rel=1e-6)
    assert abs(float(device.Bk) - Bk) < 0.01


def test_an_unstable_equilibrium_is_told():
    device = mtj.presets.perpendicular_stt(40.0)
    with pytest.raises(ValueError, match="The equilibrium must be stable, but from the given start") as error:
        modes(device, field=[[0, 0, 0.1], [0, 0, 0]], current=1.2 * device.critical_current)
    assert "in 1 of 2 fields (first in the field [0. 0. 0.] T)" in str(error.value)
    assert np.isnan(jax.jit(lambda I: modes(device, current=I).frequencies)(2 * device.critical_current)).all()


def test_the_equilibrium_moves_with_the_current():
    """Field-like and damping-like torques of a spin-orbit device, against a long run of `simulate`."""
    device = dataclasses.replace(mtj.presets.perpendicular_sot(), temperature=0.0)
    rest = at_rest(device, current=40e-6)
    sol = mtj.simulate(device, mtj.Pulse(40e-6, 50e-9), duration=40e-9, save=1)
    np.testing.assert_allclose(rest.ms, sol.ms[:, 0], atol=1e-7)
