"""Critical current of a perpendicular free layer: Ic = (4 e / hbar) (alpha / eta) E_b.

Sun, Phys. Rev. B 62, 570 (2000), with the whole anisotropy perpendicular; E_b the barrier, eta the efficiency, P where the torque
is the same in either direction. In these terms Ic / delta at 300 K is 0.42 uA per kT at alpha / eta = 1/60.
"""

import pytest

import mtjax as mtj
from mtjax.constants import CHARGE, HBAR, KB


@pytest.mark.parametrize("delta", [20.0, 60.0])
def test_the_critical_current(delta):
    device = mtj.presets.perpendicular_stt(delta)
    share = float(device.layer.alpha / device[mtj.SpinTransferTorque].polarisation)
    assert abs(float(device.critical_current)) == pytest.approx(4 * CHARGE / HBAR * share * delta * KB * 300.0, rel=1e-6)
    assert share == pytest.approx(1 / 60)
    assert abs(float(device.critical_current)) / delta == pytest.approx(0.42e-6, rel=0.01)
