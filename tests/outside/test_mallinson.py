"""Time of a damped reversal against a field along the easy axis.

Mallinson, IEEE Trans. Magn. 36, 1976 (2000): from the angle a to b from the axis, in the field H > Hk,
t = (1 + alpha^2) / (alpha gamma (H^2 - Hk^2))
    [H ln(tan(b/2) / tan(a/2)) + Hk ln(sin b / sin a) + Hk ln((H - Hk cos a) / (H - Hk cos b))].
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj

GAMMA = mtj.constants.GAMMA


def reversal(a, b, H, Hk, alpha):
    turned = H * np.log(np.tan(b / 2) / np.tan(a / 2)) + Hk * np.log(np.sin(b) / np.sin(a))
    return (
        (1 + alpha**2) / (alpha * GAMMA * (H**2 - Hk**2)) * (turned + Hk * np.log((H - Hk * np.cos(a)) / (H - Hk * np.cos(b))))
    )


@pytest.mark.parametrize(("H", "alpha"), [(0.3, 0.1), (0.21, 0.8)])
def test_the_angle_at_mallinsons_times(H, alpha):
    Hk, begin, angles = 0.2, np.deg2rad(2.0), np.deg2rad([10.0, 60.0, 90.0, 150.0])
    plain = mtj.presets.perpendicular_stt(40.0)
    device = dataclasses.replace(
        plain,
        layer=dataclasses.replace(plain.layer, alpha=alpha),
        terms=(mtj.UniaxialAnisotropy(Hk), mtj.AppliedField((0.0, 0.0, -H))),
        temperature=jnp.asarray(0.0),
    )
    times = np.append(0.0, reversal(begin, angles, H, Hk, alpha))
    ms = mtj.simulate(
        device, duration=times[-1], start=(np.sin(begin), 0.0, np.cos(begin)), save=times, solver=mtj.Adaptive()
    ).ms[0]
    np.testing.assert_allclose(np.arccos(np.asarray(ms[1:, 2])), angles, atol=1e-5)
