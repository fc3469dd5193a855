"""Devices from the literature, each value with its source."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Key

from mtjax.constants import KB, MU0
from mtjax.devices import (
    AnomalousHall,
    AppliedField,
    BlochLaw,
    Demagnetisation,
    Device,
    EllipticCylinder,
    ExchangeBias,
    FreeLayer,
    Grains,
    SpinOrbitTorque,
    SpinTransferTorque,
    Spread,
    TunnelMagnetoresistance,
    UniaxialAnisotropy,
    figures,
    metal_on_oxide,
    source_in,
)
from mtjax.quantities import Scalar, as_scalar, require


def sengupta2016() -> Device:
    """The spin-Hall-driven in-plane junction of Sengupta et al., IEEE TED 63, 2963 (2016), arXiv:1605.04494.

    Values as recalled from the paper, not read: elliptic free layer pi/4 x 100 x 40 nm^2, 1.2 nm, Ms 1e6 A/m, alpha
    0.0122; heavy metal 2 nm thick, 100 nm wide, 400 ohm, spin-Hall angle 0.3; barrier 20 kT at 300 K. The exact shape
    factors give 21.2 kT, so the in-plane one is trimmed: N_y = N_x + 2 x 20 kT / (mu0 Ms^2 V), N_z = 1 - N_x - N_y.
    The easy axis is x, the film normal z. It starts along +x and a positive current switches it (sigma = -x).
    Assumed, not from the paper: read-out R_P 10 kohm and TMR 100 %.

    >>> import mtjax as mtj
    >>> device = mtj.presets.sengupta2016()
    >>> print(f"{device.delta:.1f} kT, critical current {device.critical_current * 1e6:.1f} uA")
    20.0 kT, critical current 17.8 uA
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

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> print(f"{device.delta:.1f} kT, critical current {device.critical_current * 1e6:.1f} uA")
    40.0 kT, critical current 16.8 uA
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

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> print(f"{device.delta:.1f} kT, critical current {device.critical_current * 1e6:.0f} uA")
    40.0 kT, critical current 107 uA
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
    """`kurenkov2019` at a diameter of 200 nm: one cell.

    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> print(f"{film.number} cell, {film.current(3.6e11) * 1e3:.3f} mA at 3.6e11 A/m^2")
    1 cell, 0.576 mA at 3.6e11 A/m^2
    """
    return kurenkov2019(200e-9, key=key)


def kurenkov2019_synapse(*, key: Key[Array, ""] | None = None) -> Grains:
    """`kurenkov2019` at a diameter of 5 um: 877 cells.

    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_synapse()
    >>> print(f"{film.number} cells, {film.current(3.6e11) * 1e3:.1f} mA at 3.6e11 A/m^2")
    877 cells, 14.4 mA at 3.6e11 A/m^2
    """
    return kurenkov2019(5e-6, key=key)


def kurenkov2019(diameter: ArrayLike, *, spread: Spread | None = None, key: Key[Array, ""] | None = None) -> Grains:
    """An antiferromagnet/ferromagnet spin-orbit-torque dot after Kurenkov et al., Adv. Mater. 31, 1900636 (2019).

    PtMn/[Co/Ni] without an applied field. The article's numbers could not be read: only its trends are claimed (small
    dots integrate pulses, leak and fire; large ones are analog and show spike-timing-dependent plasticity; cells of 150 to
    200 nm; binary below about 200 nm). Every value is assumed:

    - median cell: Ms 7e5 A/m, Bk 0.30 T, alpha 0.05, 1.5 nm, barrier 45 kT at 300 K (which sets its activation volume, 39
      nm across), exchange bias 30 mT along the current; Tc 650 K, Ms ~ 1 - (T/Tc)^1.5, Bk ~ Ms^1.2;
    - metal as wide as the dot, 8 nm thick, 200 uOhm cm, on 100 nm of SiO2: at 3.6e11 A/m^2 a steady rise of 150 K, which
      cools in 9 ns (`metal_on_oxide`, 20 nm of metal in all);
    - spin-torque efficiency 0.53, so that this current gives 60 mT: about five times what PtMn has. Coherent rotation
      overestimates thresholds about tenfold; the large efficiency and the small Bk stand for reversal by nucleation;
    - cells on a square lattice of 150 nm; `spread`: Bk 8 %, volume 8 %, size 20 %, B_x and B_y 6 mT, 5 % of cells fixed;
      no coupling; R_AHE 1 ohm.

    `key`: of the draw of the cells, `jax.random.key(0)` by default. A positive current takes cells from +z to -z;
    `device.current(density)` converts from A/m^2.

    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019(600e-9)
    >>> power = film.cell.write_resistance * film.current(3.6e11) ** 2
    >>> print(f"{film.number} cells; 3.6e11 A/m^2 heats them by {film.cell.heating.resistance.sum() * power:.0f} K")
    13 cells; 3.6e11 A/m^2 heats them by 148 K
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
        heating=metal_on_oxide(length=diameter, width=diameter, oxide=100e-9, film=20e-9, modes=3),
    )
    spread = Spread(Bk=0.08, volume=0.08, size=0.2, bias=(6e-3, 6e-3, 0.0), fixed=0.05) if spread is None else spread
    key = jax.random.key(0) if key is None else key
    return Grains.draw(cell, diameter, pitch=150e-9, key=key, spread=spread)


def anisotropy_field(layer: FreeLayer, delta: ArrayLike, temperature: ArrayLike) -> Scalar:
    """Bk = 2 delta kB T / (Ms V), T: the uniaxial field that gives `layer` a barrier of `delta` kT at `temperature` (K).

    Raises `ValueError` where `delta` is not positive, or `temperature` negative.

    >>> import mtjax as mtj
    >>> layer = mtj.FreeLayer(mtj.EllipticCylinder(40e-9, 40e-9, 1.2e-9), Ms=1e6, alpha=0.01)
    >>> print(f"60 kT at 300 K need {mtj.presets.anisotropy_field(layer, 60.0, 300.0):.3f} T")
    60 kT at 300 K need 0.330 T
    """
    require({"delta": delta}, "delta", positive=True)
    require({"temperature": temperature}, "temperature", least=0.0, unit="K")
    return 2 * as_scalar(delta) * as_scalar(temperature) / (layer.Ms * layer.shape.volume / KB)


class Entry(NamedTuple):
    """A device that is ready to use.

    - `make`: makes it.
    - `source`: of every value that is not named in `others`.
    - `others`: sources by the name of a value ("Device.start") or of the part that holds it ("AnomalousHall").

    >>> import mtjax as mtj
    >>> entry = mtj.presets.CATALOGUE["perpendicular_sot"]
    >>> print(f"{entry.make().temperature:.0f} K; {entry.source}")
    300 K; assumed, typical of published W/CoFeB/MgO dots
    """

    make: Callable[[], Device | Grains]
    source: str
    others: Mapping[str, str]

    @property
    def sources(self) -> Mapping[str, str]:
        """All sources, as `write_device` takes them."""
        return {**self.others, "": self.source}

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return (self.make.__doc__ or "").splitlines()[0]


class Value(NamedTuple):
    """One value of a device: its name, the number or vector in SI units, the unit, and where it is from.

    >>> import mtjax as mtj
    >>> entry = mtj.presets.CATALOGUE["sengupta2016"]
    >>> alpha = next(value for value in mtj.presets.values_of(entry, entry.make()) if value.name == "alpha")
    >>> print(f"{alpha.name} = {alpha.value:.4f}: {alpha.source}")
    alpha = 0.0122: Sengupta et al., IEEE TED 63, 2963 (2016), as recalled
    """

    name: str
    value: float | list[float]
    unit: str
    source: str


_SENGUPTA = "Sengupta et al., IEEE TED 63, 2963 (2016), as recalled"
_STT = "assumed, typical of published 40 nm CoFeB junctions"
_SOT = "assumed, typical of published W/CoFeB/MgO dots"
_KURENKOV = "assumed (Kurenkov et al., Adv. Mater. 31, 1900636, 2019: trends only)"
_SIGN = "sign convention: a positive current leaves the starting well"
_AXES = "z is the film's normal"
_FIELD = {"UniaxialAnisotropy": "2 delta kT / (Ms V), from the stated thermal stability at 300 K"}
_PLAIN = {
    "UniaxialAnisotropy.axis": _AXES,
    "AnomalousHall.axis": _AXES,
    "SpinOrbitTorque.field_like_ratio": "damping-like torque only",
    "SpinTransferTorque.field_like_ratio": "damping-like torque only",
    "SpinTransferTorque.asymmetry": "plain torque, the same in either direction",
    "TunnelMagnetoresistance.half_voltage": "resistance taken as independent of the voltage",
}
CATALOGUE: dict[str, Entry] = {
    "sengupta2016": Entry(
        sengupta2016,
        _SENGUPTA,
        {
            "Demagnetisation": "of the ellipse; the in-plane one trimmed to the barrier of 20 kT (paper, as recalled)",
            "TunnelMagnetoresistance": "assumed",
            "SpinOrbitTorque.sigma": _SIGN,
            "Device.start": _SIGN,
            **_PLAIN,
        },
    ),
    "perpendicular_stt": Entry(
        perpendicular_stt, _STT, {"SpinTransferTorque.sigma": _SIGN, "Device.start": _SIGN, **_FIELD, **_PLAIN}
    ),
    "perpendicular_sot": Entry(
        perpendicular_sot, _SOT, {"SpinOrbitTorque.sigma": _SIGN, "Device.start": _SIGN, **_FIELD, **_PLAIN}
    ),
}
_OF_FILMS = {
    "SpinOrbitTorque.sigma": _SIGN,
    "Device.start": _SIGN,
    "SpinOrbitTorque.theta_sh": "assumed: about five times that of PtMn, in place of reversal by nucleation",
    "EllipticCylinder.length": "from the assumed barrier of 45 kT at 300 K",
    "EllipticCylinder.width": "from the assumed barrier of 45 kT at 300 K",
    "JouleHeating": "film_on_oxide: 20 nm of metal on 100 nm of SiO2 (1.4 W/(m K), 1.6e6 J/(m^3 K), as recalled)",
    "Grains": "the draw of the cells with key 0; medians",
    **_PLAIN,
}
CATALOGUE |= {make.__name__: Entry(make, _KURENKOV, _OF_FILMS) for make in (kurenkov2019_neuron, kurenkov2019_synapse)}


def values_of(entry: Entry, device: Device | Grains) -> list[Value]:
    """Every value of `device`, which is `entry`'s, in the order of its printout, each with its source.

    >>> import mtjax as mtj
    >>> entry = mtj.presets.CATALOGUE["perpendicular_stt"]
    >>> for name, value, unit, source in mtj.presets.values_of(entry, entry.make())[4:6]:
    ...     print(f"{name} = {mtj.printing.with_unit(value, unit, 3)}: {source}")
    ...
    alpha = 0.01: assumed, typical of published 40 nm CoFeB junctions
    Bk = 330 mT: 2 delta kT / (Ms V), from the stated thermal stability at 300 K
    """
    rows = list(_rows(device))
    short = [name for _, name, _, _ in rows]
    found = []
    for owner, name, value, unit in rows:
        source = source_in(entry.sources, owner, name)
        found.append(Value(name if short.count(name) == 1 else f"{owner}.{name}", value, unit, source))
    return found


def _rows(module: Any) -> Iterator[tuple[str, str, float | list[float], str]]:
    """Owner, name, value and unit of every quantity of a module and its parts."""
    owner = type(module).__name__
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        if "unit" in field.metadata and value is not None:
            yield owner, field.name, _plain(value, cells=isinstance(module, Grains)), field.metadata["unit"]
        elif isinstance(value, eqx.Module | tuple):
            for part in value if isinstance(value, tuple) else (value,):
                yield from _rows(part)


def _plain(value: Any, *, cells: bool) -> float | list[float]:
    """A number or a list of numbers; the median over the cells of a film."""
    array = np.asarray(value, float)
    array = np.median(array, axis=0) if cells and array.ndim else array
    return array.tolist()


def derived(device: Device | Grains) -> dict[str, tuple[float, str]]:
    """Thermal stability, critical current (A) and relaxation time (s), with their units; of the median cell of a film.

    >>> import mtjax as mtj
    >>> found = mtj.presets.derived(mtj.presets.perpendicular_stt(40.0))
    >>> print(", ".join(f"{name} {mtj.printing.with_unit(value, unit, 2)}" for name, (value, unit) in found.items()))
    delta 40, critical current 17 uA, relaxation time 2.6 ns
    """
    cell = device.cell if isinstance(device, Grains) else device
    cells = {"cells": (float(device.number), "")} if isinstance(device, Grains) else {}
    units = {"delta": "", "critical_current": "A", "relaxation_time": "s"}
    return cells | {name.replace("_", " "): (float(figures(cell)[name]), unit) for name, unit in units.items()}
