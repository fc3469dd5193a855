"""Demagnetisation factors of spheroids: Osborn, Phys. Rev. 67, 351 (1945), equations for prolate and oblate ones.

A sphere has 1/3. The usual tables (recalled) have for prolate spheroids of 2, 5, 10 and 100 to 1 along the axis the values here, and
for oblate ones those across the disc; Stoner, Phil. Mag. 36, 803 (1945), has the same formulas.
"""

import numpy as np
import pytest

import mtjax as mtj

PROLATE = {2.0: 0.1736, 5.0: 0.0558, 10.0: 0.0203, 100.0: 0.00043}
OBLATE = {2.0: 0.5272, 5.0: 0.7505, 10.0: 0.8608}


def prolate(r):
    root = np.sqrt(r**2 - 1)
    return (r / root * np.log(r + root) - 1) / (r**2 - 1)


def oblate(r):
    root = np.sqrt(r**2 - 1)
    return r**2 / (r**2 - 1) * (1 - np.arcsin(root / r) / root)


@pytest.mark.parametrize("r", PROLATE)
def test_prolate(r):
    N = np.asarray(mtj.Ellipsoid(r * 1e-8, 1e-8, 1e-8).demagnetisation_factors())
    assert N[0] == pytest.approx(prolate(r), rel=1e-10)
    assert N[0] == pytest.approx(PROLATE[r], abs=6e-5)
    assert N[1] == pytest.approx((1 - N[0]) / 2, rel=1e-12)


@pytest.mark.parametrize("r", OBLATE)
def test_oblate(r):
    N = np.asarray(mtj.Ellipsoid(r * 1e-8, r * 1e-8, 1e-8).demagnetisation_factors())
    assert N[2] == pytest.approx(oblate(r), rel=1e-10)
    assert N[2] == pytest.approx(OBLATE[r], abs=6e-5)
