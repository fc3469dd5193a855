"""Magnetisation against temperature: m = (1 - (T/Tc)^a)^b, as Evans et al. fit it, Phys. Rev. B 91, 144425 (2015), recalled.

Cobalt: Tc 1395 K, a = 2.369, b = 0.34; at half of Tc the formula is (1 - 0.5^2.369)^0.34.
"""

import jax
import pytest

import mtjax as mtj

COBALT = mtj.BlochLaw(Tc=1395.0, exponent=2.369, outer_exponent=0.34, reference=0.0)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9])
def test_cobalt(t):
    assert float(COBALT.magnetisation(t * 1395.0)) == pytest.approx((1 - t**2.369) ** 0.34, rel=1e-12)


def test_the_reference_and_the_slope():
    law = mtj.BlochLaw(Tc=1395.0, exponent=2.369, outer_exponent=0.34)
    assert float(law.magnetisation(300.0)) == pytest.approx(1.0)
    assert float(law.anisotropy(600.0)) == pytest.approx(float(law.magnetisation(600.0)) ** 1.2)
    slope = (law.magnetisation(601.0) - law.magnetisation(599.0)) / 2
    assert float(jax.grad(law.magnetisation)(600.0)) == pytest.approx(float(slope), rel=1e-5)
    with pytest.raises(ValueError, match="`outer_exponent` of BlochLaw must be finite and positive"):
        mtj.BlochLaw(Tc=1395.0, outer_exponent=0.0)
