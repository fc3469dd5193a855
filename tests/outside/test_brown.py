"""The slowest relaxation of a uniaxial particle: Brown, Phys. Rev. 130, 1677 (1963).

In units of the diffusion constant D the smallest eigenvalue is 2 (1 - 2 s/5 + 48 s^2/875) at low barriers s, and
4 s^(3/2) exp(-s) (1 - 1/s) / sqrt(pi) at high ones (the term 1/s: Coffey et al., Phys. Rev. E 51, 3947, 1995, recalled). Between
them numbers of an independent solution by finite volumes. An easy cone has the barrier (K1 + 2 K2)^2 V / (4 K2) over its equator
where K1 < 0, -K1 < 2 K2; its saddle lies there.
"""

import numpy as np
import pytest

import mtjax as mtj


def slowest(delta):
    device = mtj.presets.perpendicular_stt(delta)
    return float(mtj.rates(device).slowest) / (1e9 * float(device.magnet.diffusion(device.temperature)))


@pytest.mark.parametrize(("delta", "printed"), [(0.5, 1.62703), (2.0, 0.80768), (5.0, 0.13541), (10.0, 0.0028822)])
def test_between(delta, printed):
    assert slowest(delta) == pytest.approx(printed, rel=3e-5)


def test_the_series_of_low_barriers():
    assert slowest(0.5) == pytest.approx(2 * (1 - 2 * 0.5 / 5 + 48 * 0.5**2 / 875), rel=5e-4)


@pytest.mark.parametrize("delta", [30.0, 60.0])
def test_high_barriers(delta):
    asymptote = 4 * delta**1.5 * np.exp(-delta) * (1 - 1 / delta) / np.sqrt(np.pi)
    assert slowest(delta) == pytest.approx(asymptote, rel=2 / delta**2)


def test_an_easy_cone():
    Ms, K1, K2 = 1e6, -0.1e6, 0.2e6
    layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.5e-9), Ms=Ms, alpha=0.01)
    device = mtj.Device(layer, (mtj.UniaxialAnisotropy(2 * K1 / Ms), mtj.SecondOrderAnisotropy(4 * K2 / Ms)))
    barrier = (K1 + 2 * K2) ** 2 * float(layer.shape.volume) / (4 * K2)
    assert float(device.delta) == pytest.approx(barrier / (mtj.constants.KB * 300.0), rel=1e-6)
    assert float(device.delta) == pytest.approx(51.2, abs=0.05)
