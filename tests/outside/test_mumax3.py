"""Energies that mumax3 prints for one cell, J/m^3.

mumax/3, test/cubic_full.mx3: cubic anisotropy at theta = 23, phi = 11 degrees; the uniaxial ones, at 17 degrees from the axis,
are those of the same kind of test (Vansteenkiste et al., AIP Advances 4, 107133, 2014). Single precision there.
mumax3 writes -Ku1 cos^2 - Ku2 cos^4: see `SecondOrderAnisotropy`.
"""

import jax
import numpy as np
import pytest

import mtjax as mtj

MS = 1e6
MAGNET = mtj.FreeLayer(mtj.Prism(1e-9, 1e-9, 1e-9), Ms=MS, alpha=0.1).magnet()
DRIVE = mtj.devices.Drive(0.0, 0.0, 300.0)


class Cubic(mtj.AbstractEnergy):
    """Kc1 (s1 s2 + s2 s3 + s3 s1) + Kc2 s1 s2 s3 + Kc3 (s1^2 s2^2 + ...), s the squares of the components."""

    K: jax.Array = mtj.quantity("J/m^3")

    def energy(self, m, magnet, drive):
        a, b, c = m.x**2, m.y**2, m.z**2
        parts = (a * b + b * c + c * a, a * b * c, (a * b) ** 2 + (b * c) ** 2 + (c * a) ** 2)
        return sum(K * part for K, part in zip(self.K, parts, strict=True)) / magnet.Ms


def density(terms, m):
    """Energy density at `m`, J/m^3."""
    return float(mtj.devices.total_energy(terms, mtj.Vector.of(np.asarray(m)), MAGNET, DRIVE)) * MS


def uniaxial(Ku1, Ku2):
    """The terms of -Ku1 cos^2 - Ku2 cos^4, apart from a constant."""
    return mtj.UniaxialAnisotropy(2 * (Ku1 + 2 * Ku2) / MS), mtj.SecondOrderAnisotropy(-4 * Ku2 / MS)


@pytest.mark.parametrize(("Ku1", "Ku2", "printed"), [(1e6, 0.0, -914519.0), (0.0, 1e6, -836344.9)])
def test_uniaxial(Ku1, Ku2, printed):
    angle = np.deg2rad(17.0)
    m, across = (np.sin(angle), 0.0, np.cos(angle)), (1.0, 0.0, 0.0)
    terms = uniaxial(Ku1, Ku2)
    assert density(terms, m) - density(terms, across) == pytest.approx(printed, rel=1e-6)


@pytest.mark.parametrize(("place", "printed"), [(0, 35254.015625), (1, 165.23309326171875), (2, 912.3794555664062)])
def test_cubic(place, printed):
    theta, phi = np.deg2rad(23.0), np.deg2rad(11.0)
    m = (np.sin(phi) * np.cos(theta), np.sin(phi) * np.sin(theta), np.cos(phi))
    assert density((Cubic(1e6 * np.eye(3)[place]),), m) == pytest.approx(printed, rel=1e-6)


def test_the_second_torque_coefficient():
    """dm/dt = -gamma m x beta epsilon' p, beta = (hbar / e) J / (Ms d): J = 1e12 A/m^2, d = 1 nm, epsilon' = 0.02."""
    J, d = 1e12, 1e-9
    beta = mtj.constants.HBAR / mtj.constants.CHARGE * J / (MS * d)
    drive = mtj.devices.Drive(J * 1e-18, 0.0, 300.0)
    m = mtj.Vector.of(np.array([0.6, 0.0, 0.8]))
    torque = mtj.SpinTransferTorque(0.5, sigma=(0.0, 1.0, 0.0), asymmetry=1.5, epsilon_prime=0.02)
    plain = mtj.SpinTransferTorque(0.5, sigma=(0.0, 1.0, 0.0), asymmetry=1.5)
    epsilon = 0.5 * 1.5**2 / (1.5**2 + 1)  # at m.p = 0
    assert float(plain.damping_like(m, MAGNET, drive)) == pytest.approx(beta * epsilon, rel=1e-9)
    more = torque.field(m, MAGNET, drive).array() - plain.field(m, MAGNET, drive).array()
    np.testing.assert_allclose(more, [0.0, beta * 0.02, 0.0], rtol=1e-9, atol=1e-15)
