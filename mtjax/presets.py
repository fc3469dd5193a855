"""Devices from the literature, each value with its source."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Key

from mtjax.constants import KB, MU0
from mtjax.device import Device
from mtjax.fields import AppliedField, Demagnetisation, ExchangeBias, UniaxialAnisotropy
from mtjax.grains import Grains, Spread
from mtjax.heating import film_on_oxide
from mtjax.layer import FreeLayer
from mtjax.resistance import AnomalousHall, TunnelMagnetoresistance
from mtjax.saturation import BlochLaw
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


def kurenkov2019_neuron(*, key: Key[Array, ""] | None = None) -> Grains:
    """`kurenkov2019` at a diameter of 200 nm: one cell."""
    return kurenkov2019(200e-9, key=key)


def kurenkov2019_synapse(*, key: Key[Array, ""] | None = None) -> Grains:
    """`kurenkov2019` at a diameter of 5 um: 877 cells."""
    return kurenkov2019(5e-6, key=key)


def kurenkov2019(diameter: ArrayLike, *, spread: Spread | None = None, key: Key[Array, ""] | None = None) -> Grains:
    """An antiferromagnet/ferromagnet spin-orbit-torque dot after Kurenkov et al., Adv. Mater. 31, 1900636 (2019).

    PtMn/[Co/Ni] without an applied field. The article's numbers could not be read: only its trends are claimed (small
    dots integrate pulses, leak and fire; large ones are analog and show spike-timing-dependent plasticity; cells of 150 to
    200 nm; binary below about 200 nm). Every value is assumed:

    - median cell: Ms 7e5 A/m, Bk 0.30 T, alpha 0.05, 1.5 nm, barrier 45 kT at 300 K (which sets its activation volume, 39
      nm across), exchange bias 30 mT along the current; Tc 650 K, Ms ~ 1 - (T/Tc)^1.5, Bk ~ Ms^1.2;
    - metal as wide as the dot, 8 nm thick, 200 uOhm cm, on 100 nm of SiO2: at 3.6e11 A/m^2 a steady rise of 150 K, which
      cools in 9 ns (`film_on_oxide`, 20 nm of metal in all);
    - spin-torque efficiency 0.53, so that this current gives 60 mT: about five times what PtMn has. Coherent rotation
      overestimates thresholds about tenfold; the large efficiency and the small Bk stand for reversal by nucleation;
    - cells on a square lattice of 150 nm; `spread`: Bk 8 %, volume 8 %, size 20 %, B_x and B_y 6 mT, 5 % of cells fixed;
      no coupling; R_AHE 1 ohm.

    `key`: of the draw of the cells, `jax.random.key(0)` by default. A positive current takes cells from +z to -z;
    `device.current(density)` converts from A/m^2.
    """
    Ms, Bk, thickness = 7e5, 0.30, 1.5e-9
    across = jnp.sqrt(4 / jnp.pi * (2 * 45.0 * (KB / Ms) * 300.0 / Bk) / thickness)
    metal, resistivity = 8e-9, 2e-6
    torque = SpinOrbitTorque(theta_sh=0.53, width=diameter, thickness=metal, sigma=(0.0, -1.0, 0.0))
    cell = Device(
        layer=FreeLayer(EllipticCylinder(across, across, thickness), Ms=Ms, alpha=0.05, saturation=BlochLaw(Tc=650.0)),
        terms=(UniaxialAnisotropy(Bk), ExchangeBias((0.03, 0.0, 0.0)), torque),
        write_resistance=resistivity / metal,
        readout=AnomalousHall(R_AHE=1.0),
        heating=film_on_oxide(length=diameter, width=diameter, oxide=100e-9, film=20e-9),
    )
    spread = Spread(Bk=0.08, volume=0.08, size=0.2, bias=(6e-3, 6e-3, 0.0), fixed=0.05) if spread is None else spread
    key = jax.random.key(0) if key is None else key
    return Grains.draw(cell, diameter, pitch=150e-9, key=key, spread=spread)


def anisotropy_field(layer: FreeLayer, delta: ArrayLike, temperature: ArrayLike) -> Scalar:
    """Bk = 2 delta kB T / (Ms V), T: the uniaxial field that gives `layer` a barrier of `delta` kT at `temperature` (K)."""
    return 2 * as_scalar(delta) * as_scalar(temperature) / (layer.Ms * layer.shape.volume / KB)
