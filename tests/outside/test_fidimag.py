"""A spin in an easy plane under a torque across it settles where torque and damping cancel: mz = u / (2 alpha K).

computationalmodelling/fidimag, tests/test_stt_slonczewski.py: K = 0.05, u = 0.0052, alpha = 0.1, from (0.8, 0, -1), for 1200 periods
of gamma = 1. Here fields are in tesla: 0.1 T of hard axis and 5.2 mT of torque.
"""

import jax
import jax.numpy as jnp
import pytest

import mtjax as mtj


class Constant(mtj.AbstractTorque):
    B: jax.Array = mtj.quantity("T")
    sigma: jax.Array = mtj.direction(default=(0.0, 0.0, 1.0))
    field_like_ratio: jax.Array = mtj.quantity("", default=0.0)

    def damping_like(self, m, magnet, drive):
        return self.B


def test_the_height_above_the_easy_plane():
    layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1e-9), Ms=1e6, alpha=0.1)
    device = mtj.Device(layer, (mtj.UniaxialAnisotropy(-0.1), Constant(0.0052)), temperature=jnp.asarray(0.0))
    ms = mtj.simulate(device, duration=1200 / mtj.constants.GAMMA, start=(0.8, 0.0, -1.0), save=1, solver=mtj.Adaptive()).ms
    assert float(ms[0, 0, 2]) == pytest.approx(0.0052 / (2 * 0.1 * 0.05), rel=5e-4)
