"""Resonances of one cell, and the demagnetisation of a prism, as MicroMagnetic.jl has them.

MagneticSimulation/MicroMagnetic.jl, test/eigen/test_demag.jl (edges 5:1:1) and test/eigen/test_cubic.jl (E = -Kc sum m_i^4 with
Kc = 2e4 J/m^3, Ms = 8e5 A/m, H = 1e5 A/m): gamma = 2.21e5 m/(A s) there.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj

GAMMA = 2.21e5 / mtj.constants.MU0
MS, H = 8e5, 1e5


class Cubic(mtj.AbstractEnergy):
    Kc: jax.Array = mtj.quantity("J/m^3")

    def energy(self, m, magnet, drive):
        return -self.Kc * (m.x**4 + m.y**4 + m.z**4) / magnet.Ms


def frequency(terms, direction, shape=None):
    """Of the ferromagnetic resonance without damping, from the linearised LLG equation, GHz."""
    shape = mtj.Prism(5e-9, 5e-9, 2e-9) if shape is None else shape
    layer = mtj.FreeLayer(shape, Ms=MS, alpha=1e-9, gyromagnetic_ratio=GAMMA)
    device = mtj.Device(layer, terms, start=direction)
    dynamics = mtj.dynamics.prepare(device, mtj.off(), 1e-9)

    def motion(m):
        return (dynamics.angle() * dynamics.rate(mtj.Vector.of(m), device.drive(0.0))).array()

    assert np.abs(motion(device.start)).max() < 1e-9  # an equilibrium
    rates = np.linalg.eigvals(np.asarray(jax.jacfwd(motion)(device.start)))
    return np.abs(rates.imag).max() / mtj.constants.TAU


def test_demagnetisation_of_a_prism():
    factors = mtj.Prism(5e-9, 1e-9, 1e-9).demagnetisation_factors()
    assert float(factors[0]) == pytest.approx(0.08831574004542228, rel=1e-12)
    K = (1 - 3 * float(factors[0])) / 2 * MS
    terms = (mtj.Demagnetisation(), mtj.AppliedField((mtj.constants.MU0 * 1.23e4, 0.0, 0.0)))
    found = frequency(terms, (1.0, 0.0, 0.0), mtj.Prism(5e-9, 1e-9, 1e-9))
    assert found == pytest.approx(2.21e5 * (1.23e4 + K) / 1e9 / mtj.constants.TAU, rel=1e-9)


@pytest.mark.parametrize(("direction", "printed"), [((1.0, 0.0, 0.0), 6.316322), ((1.0, 1.0, 0.0), 1.879331)])
def test_cubic_resonance(direction, printed):
    axis = jnp.asarray(direction) / np.linalg.norm(direction)
    terms = (Cubic(2e4), mtj.AppliedField(mtj.constants.MU0 * H * axis))
    assert frequency(terms, direction) == pytest.approx(printed, rel=2e-6)
