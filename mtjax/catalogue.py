"""The devices that are ready to use, each value with its unit and its source."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from mtjax import presets
from mtjax.device import Device
from mtjax.grains import Grains
from mtjax.types import Scalar


class Entry(NamedTuple):
    """A device that is ready to use.

    - `make`: makes it.
    - `source`: of every value that is not named in `others`.
    - `others`: sources by the name of a value ("Device.start") or of the part that holds it ("AnomalousHall").
    """

    make: Callable[[], Device | Grains]
    source: str
    others: Mapping[str, str]

    @property
    def title(self) -> str:
        """What it is, in one line."""
        return (self.make.__doc__ or "").splitlines()[0]


class Value(NamedTuple):
    """One value of a device: its name, the number or vector in SI units, the unit, and where it is from."""

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
        presets.sengupta2016,
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
        presets.perpendicular_stt, _STT, {"SpinTransferTorque.sigma": _SIGN, "Device.start": _SIGN, **_FIELD, **_PLAIN}
    ),
    "perpendicular_sot": Entry(
        presets.perpendicular_sot, _SOT, {"SpinOrbitTorque.sigma": _SIGN, "Device.start": _SIGN, **_FIELD, **_PLAIN}
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
CATALOGUE |= {
    make.__name__: Entry(make, _KURENKOV, _OF_FILMS) for make in (presets.kurenkov2019_neuron, presets.kurenkov2019_synapse)
}


def values_of(entry: Entry, device: Device | Grains) -> list[Value]:
    """Every value of `device`, which is `entry`'s, in the order of its printout, each with its source."""
    rows = list(_rows(device))
    short = [name for _, name, _, _ in rows]
    found = []
    for owner, name, value, unit in rows:
        full = f"{owner}.{name}"
        source = entry.others.get(full) or entry.others.get(owner, entry.source)
        found.append(Value(name if short.count(name) == 1 else full, value, unit, source))
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
    """Thermal stability, critical current (A) and relaxation time (s), with their units; of the median cell of a film."""
    cell = device.cell if isinstance(device, Grains) else device
    cells = {"cells": (float(device.number), "")} if isinstance(device, Grains) else {}
    delta, current, time = _derived(cell)
    return cells | {
        "delta": (float(delta), ""),
        "critical current": (float(current), "A"),
        "relaxation time": (float(time), "s"),
    }


@eqx.filter_jit
def _derived(device: Device) -> tuple[Scalar, Scalar, Scalar]:
    return device.delta, device.critical_current, device.relaxation_time
