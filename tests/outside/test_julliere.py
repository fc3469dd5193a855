"""TMR of two polarisations: Julliere, Phys. Lett. A 54, 225 (1975), Fe 44 % and Co 34 %.

His change of conductance over that of the parallel state is 2 P P' / (1 + P P') = 26 %; TMR is the change over R_P.
"""

import jax.numpy as jnp
import pytest

import mtjax as mtj


def test_iron_and_cobalt():
    junction = mtj.TunnelMagnetoresistance.julliere(1e3, 0.44, 0.34, half_voltage=0.4)
    low, high = (float(junction(jnp.array([0.0, 0.0, z]))) for z in (1.0, -1.0))
    assert low == pytest.approx(1e3)
    assert (high - low) / high == pytest.approx(2 * 0.44 * 0.34 / (1 + 0.44 * 0.34), rel=1e-9)
    assert (high - low) / high == pytest.approx(0.26, abs=0.001)
    assert float(junction.half_voltage) == pytest.approx(0.4)


def test_polarisations_out_of_range():
    with pytest.raises(ValueError, match="`second` must be positive and at most 1, but is 1.2"):
        mtj.TunnelMagnetoresistance.julliere(1e3, 0.5, 1.2)
