"""Neel-Brown rates of magpy: a particle with K = 1 J/m^3, V = 2e-21 m^3, Ms = 2.7 A/m at 10 K, alpha 0.1, h = 0.5.

owlas/magpy, test/tests.cpp, `dom, uniaxial_transition_matrix`: 278104386.1896516 and 0.00021827108536028533 1/s. Its constants are
CODATA's of 2014: relative differences of 1e-5 with a barrier of 14.5 to 32.6 kT.
"""

import pytest

import mtjax as mtj

K, V, T, MS, ALPHA, H = 1.0, 2e-21, 10.0, 2.7, 0.1, 0.5
DELTA = K * V / mtj.constants.KB / T


@pytest.mark.parametrize(("h", "printed"), [(-H, 278104386.1896516), (H, 0.00021827108536028533)])
def test_rates(h, printed):
    assert pytest.approx(14.486, abs=1e-3) == DELTA
    rate = mtj.analytic.neel_brown_rate(DELTA, 2 * K / MS, ALPHA, h)
    assert float(rate) == pytest.approx(printed, rel=5e-5)
