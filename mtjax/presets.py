"""Devices from the literature, each value with its source."""

import jax.numpy as jnp
from jaxtyping import ArrayLike

from mtjax.constants import KB, MU0
from mtjax.device import Device
from mtjax.fields import AppliedField, Demagnetisation, UniaxialAnisotropy
from mtjax.layer import FreeLayer
from mtjax.resistance import AnomalousHall, TunnelMagnetoresistance
from mtjax.shapes import EllipticCylinder
from mtjax.torques import SpinOrbitTorque, SpinTransferTorque
from mtjax.types import Scalar, as_scalar


def sengupta2016() -> Device:
    """The spin-Hall-driven in-plane junction of Sengupta et al., IEEE TED 63, 2963 (2016), arXiv:1605.04494.

    Values as recalled from the paper, not read: elliptic free layer pi/4 x 100 x 40 nm^2, 1.2 nm, Ms 1e6 A/m, alpha
    0.0122; heavy metal 2 nm thick, 100 nm wide, 400 ohm, spin-Hall angle 0.3; barrier 20 kT at 300 K. The exact shape
    factors give 21.2 kT, so the in-plane one is trimmed: N_y = N_x + 2 x 20 kT / (mu0 Ms^2 V), N_z = 1 - N_x - N_y.
    The easy axis is x, the film normal z. It starts along +x and a positive current switches it (sigma = -x).
    Assumed, not from the paper: read-out R_P 10 kohm and TMR 100 %.
    """
    layer = FreeLayer(EllipticCylinder(100e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.0122)
    nx = layer.shape.demagnetisation_factors()[0]
    ny = nx + 2 * 20 * (KB * 300 / (MU0 * 1e6**2)) / layer.shape.volume
    return Device(
        layer=layer,
        terms=(
            Demagnetisation(jnp.stack([nx, ny, 1 - nx - ny])),
            SpinOrbitTorque(theta_sh=0.3, width=100e-9, thickness=2e-9, sigma=(-1.0, 0.0, 0.0)),
        ),
        start=(1.0, 0.0, 0.0),
        temperature=300.0,
        write_resistance=400.0,
        readout=TunnelMagnetoresistance(R_P=10e3, tmr=1.0, reference=(1.0, 0.0, 0.0)),
    )


def perpendicular_stt(delta: ArrayLike = 60.0) -> Device:
    """A perpendicular junction written by spin-transfer torque, thermal stability `delta` at 300 K.

    All values assumed, typical of published 40 nm CoFeB junctions: diameter 40 nm, 1.2 nm, Ms 1.0e6 A/m, alpha 0.01,
    polarisation 0.6, R_P 5 kohm, TMR 150 %. The effective anisotropy field (demagnetisation included, hence no term for
    it) follows from `delta`: Bk = 2 delta kT / (Ms V). The reference layer points along -z: it starts antiparallel, along
    +z, and a positive current switches it.
    """
    layer = FreeLayer(EllipticCylinder(40e-9, 40e-9, 1.2e-9), Ms=1.0e6, alpha=0.01)
    return Device(
        layer=layer,
        terms=(
            UniaxialAnisotropy(anisotropy_field(layer, delta, 300.0)),
            SpinTransferTorque(polarisation=0.6, sigma=(0.0, 0.0, -1.0)),
        ),
        start=(0.0, 0.0, 1.0),
        temperature=300.0,
        write_resistance=5e3,
        readout=TunnelMagnetoresistance(R_P=5e3, tmr=1.5, reference=(0.0, 0.0, -1.0)),
    )


def perpendicular_sot(delta: ArrayLike = 40.0) -> Device:
    """A perpendicular dot on a heavy metal, written by spin-orbit torque with the help of an in-plane field.

    All values assumed, typical of published W/CoFeB/MgO dots: diameter 50 nm, 1.0 nm, Ms 1.0e6 A/m, alpha 0.05, spin-Hall
    angle 0.3, heavy metal 3 nm thick and 50 nm wide, 800 ohm, in-plane field 20 mT along +x (the current's direction),
    R_AHE 1 ohm. The effective anisotropy field follows from `delta` at 300 K: Bk = 2 delta kT / (Ms V). It starts along
    +z; with the spins along -y and the field along +x a positive current switches it.
    """
    layer = FreeLayer(EllipticCylinder(50e-9, 50e-9, 1.0e-9), Ms=1.0e6, alpha=0.05)
    return Device(
        layer=layer,
        terms=(
            UniaxialAnisotropy(anisotropy_field(layer, delta, 300.0)),
            AppliedField((0.02, 0.0, 0.0)),
            SpinOrbitTorque(theta_sh=0.3, width=50e-9, thickness=3e-9, sigma=(0.0, -1.0, 0.0)),
        ),
        start=(0.0, 0.0, 1.0),
        temperature=300.0,
        write_resistance=800.0,
        readout=AnomalousHall(R_AHE=1.0),
    )


def anisotropy_field(layer: FreeLayer, delta: ArrayLike, temperature: ArrayLike) -> Scalar:
    """Bk = 2 delta kB T / (Ms V), T: the uniaxial field that gives `layer` a barrier of `delta` kT at `temperature` (K)."""
    return 2 * as_scalar(delta) * as_scalar(temperature) / (layer.Ms * layer.shape.volume / KB)
