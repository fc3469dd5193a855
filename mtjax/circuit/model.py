"""A device as a circuit element: its terminals, parameters and equations, in no language yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np

from mtjax.circuit.terms import Constant, Field, Line, fields_of, number, saturation_of, weighted
from mtjax.constants import KB
from mtjax.devices import AnomalousHall, Device, TunnelMagnetoresistance, downhill, source_in
from mtjax.quantities import is_known

_HOLD = 0.05
"""By how much of its error the length of m is drawn back to 1 in one time step, against the circuit's errors."""
_ANGLE = 0.1
"""rad: precession at the bottom of the well during one time step of the noise."""


class Model(NamedTuple):
    """All that a language needs.

    - `device`; `start`: the bottom of its starting well.
    - `constants`: parameters by group; `lines`: what follows from them, in order.
    - `fields`: the effective fields.
    - `spin_orbit`: whether the write path is a heavy metal under the junction; `top`: whether there is a third terminal.
    - `tmr`: conductance of the junction as an expression of `junction_voltage`, or `None`; `hall`: Hall resistance, or `None`.
    - `magnetisation`, `softening`: Ms and Bk over those stated, as expressions of `temp_now`.
    - `heat`: names of the thermal resistances and times; empty where nothing heats.
    """

    device: Device
    start: tuple[float, float, float]
    constants: Mapping[str, tuple[Constant, ...]]
    lines: tuple[Line, ...]
    fields: tuple[Field, ...]
    spin_orbit: bool
    top: bool
    tmr: str | None
    hall: str | None
    magnetisation: str
    softening: str
    heat: tuple[tuple[str, str], ...]

    @property
    def terminals(self) -> tuple[tuple[str, str], ...]:
        """Names of the pins in order, each with what it is."""
        path = "of the heavy metal" if self.spin_orbit else "of the junction"
        pins = [("t1", f"a current into it {path} is positive"), ("t2", f"the other end {path}")]
        if self.top:
            pins.append(("t3", "top of the junction, which stands on the middle of the metal"))
        pins += [(f"m{i}", f"magnetisation along {i}, a unit vector, as volts") for i in "xyz"]
        pins += [(f"n{i}", f"noise: a standard normal, another one every tstep, about {i}, as volts") for i in "xyz"]
        if self.hall is not None:
            pins.append(("vh", "Hall voltage"))
        return (*pins, *([("tr", "rise of the temperature above the surroundings, K as volts")] if self.heat else []))

    @property
    def step(self) -> float:
        """The time step, s."""
        return next(one.value for one in self.constants["the simulation"] if one.name == "tstep")

    @property
    def is_like_simulate(self) -> bool:
        """Whether its voltage and currents are those that `mtjax.simulate` takes, so that the answers are to be the same.

        There the voltage is the current times the write resistance, here that of the junction as it is; there one current
        drives both torques, here each flows where it does.
        """
        needs_voltage = bool(self.heat) or any(type(term).__name__ == "VCMA" for term in self.device.terms)
        if not self.spin_orbit:
            return self.tmr is None or not needs_voltage
        return not any(type(term).__name__ in {"VCMA", "SpinTransferTorque"} for term in self.device.terms)

    @property
    def all_constants(self) -> tuple[Constant, ...]:
        """The parameters of all groups."""
        return tuple(one for group in self.constants.values() for one in group)


def model_of(device: Device, language: str, step: float | None = None) -> Model:
    """The circuit element of `device`.

    Raises `ValueError` where a term, a law or a read-out cannot be said in `language`, or a number is being traced.
    """
    if not all(map(is_known, jax.tree.leaves(device))):
        raise ValueError(f"Every number of the device must be known to be written in {language}, but one is being traced.")
    fields, (bloch, magnetisation, softening) = fields_of(device, language), saturation_of(device, language)
    kinds = [type(term).__name__ for term in device.terms]
    spin_orbit = "SpinOrbitTorque" in kinds
    readout, tmr, hall, read = device.readout, None, None, ()
    if isinstance(readout, TunnelMagnetoresistance):
        read, tmr = _junction(readout)
    elif isinstance(readout, AnomalousHall):
        read = (Constant("R_AHE", float(readout.R_AHE), "ohm", "half of the Hall resistance's span", "AnomalousHall", "R_AHE"),)
        hall = f"R_AHE*({weighted(np.asarray(readout.axis))})"
    elif readout is not None:
        raise ValueError(
            f"The read-out must be TunnelMagnetoresistance or AnomalousHall to be said in {language}, but is "
            f"{type(readout).__name__}."
        )
    if spin_orbit and tmr is None and "SpinTransferTorque" in kinds:
        raise ValueError(
            f"A device with spin-orbit and spin-transfer torque must have a TunnelMagnetoresistance to be said in {language}: "
            "it carries the current of the latter."
        )
    top = spin_orbit and (tmr is not None or "VCMA" in kinds or "SpinTransferTorque" in kinds)
    if not spin_orbit and tmr is not None:
        path = ()
    else:
        path = (Constant("R_write", float(device.write_resistance), "ohm", "of the write path", "Device", "write_resistance"),)
    heat, thermal = _heat(device)
    start = _bottom(device)
    constants = {
        "the free layer": (*_layer(device), *bloch),
        "the surroundings": (_temperature(device),),
        "what acts on it": tuple(one for field in fields for one in field.constants),
        "its resistances": (*path, *read),
        "its heating": thermal,
        "the simulation": _numerical(device, start, noise_step(device) if step is None else step),
    }
    return Model(
        device, start, {title: group for title, group in constants.items() if group}, _lines(), fields, spin_orbit, top,
        tmr, hall, magnetisation, softening, heat,
    )  # fmt: skip


def noise_step(device: Device) -> float:
    """The time step of the noise, s, two digits: m precesses by 0.1 rad during it at the bottom of its well.

    >>> import mtjax as mtj
    >>> from mtjax.circuit.model import noise_step
    >>> f"{noise_step(mtj.presets.perpendicular_stt()) * 1e12:.1f} ps"
    '1.7 ps'
    """
    stiff = np.maximum(np.asarray(device.stiffness, float), 0.0)
    field = max(np.sqrt(stiff[0] * stiff[1]), 0.1 * stiff[1], 1e-3)
    return float(f"{_ANGLE / (float(device.layer.gamma) * field):.1e}")


def source_of(constant: Constant, sources: Mapping[str, str]) -> str:
    """Where a parameter is from, or an empty text."""
    return source_in(sources, constant.owner, constant.field) if constant.owner else ""


def _layer(device: Device) -> tuple[Constant, ...]:
    layer, shape = device.layer, type(device.layer.shape).__name__
    return (
        Constant("Ms", float(layer.Ms), "A/m", "saturation magnetisation", "FreeLayer", "Ms"),
        Constant("alpha", float(layer.alpha), "", "Gilbert damping", "FreeLayer", "alpha"),
        Constant("gyro", float(layer.gamma), "rad/(s T)", "gyromagnetic ratio", "FreeLayer", "gyromagnetic_ratio"),
        Constant("volume", float(layer.shape.volume), "m^3", f"of the {shape}", shape, "length"),
        Constant("area", float(layer.shape.area), "m^2", "in the plane of the film", shape, "length"),
        Constant("thickness", float(layer.shape.thickness), "m", "of the free layer", shape, "thickness"),
    )


def _temperature(device: Device) -> Constant:
    return Constant("temperature", float(device.temperature), "K", "of the surroundings", "Device", "temperature")


def _numerical(device: Device, start: tuple[float, float, float], step: float) -> tuple[Constant, ...]:
    places = (Constant(f"m{i}0", x, "", f"start along {i}: the bottom of the well") for i, x in zip("xyz", start, strict=True))
    return (
        Constant("tstep", step, "s", "time step of the noise, and the largest one of the circuit"),
        Constant("noise", 1.0, "", "1: thermal noise; 0: none"),
        Constant(
            "hold",
            float(f"{_HOLD / step * 1e-9:.2g}"),
            "1/ns",
            "draws the length of m back to 1, against the integrator's errors",
        ),
        *places,
    )


def _junction(readout: TunnelMagnetoresistance) -> tuple[tuple[Constant, ...], str]:
    """Parameters and the conductance of a tunnel junction."""
    kind = "TunnelMagnetoresistance"
    constants = [
        Constant("R_P", float(readout.R_P), "ohm", "resistance of the parallel state", kind, "R_P"),
        Constant("tmr0", float(readout.tmr), "", "(R_AP - R_P) / R_P at low voltage", kind, "tmr"),
    ]
    tmr = "tmr0"
    if np.isfinite(float(readout.half_voltage)):
        half = Constant("v_half", float(readout.half_voltage), "V", "voltage at which the TMR has halved", kind, "half_voltage")
        constants.append(half)
        tmr = "tmr0/(1+junction_voltage*junction_voltage/(v_half*v_half))"
    cosine = weighted(np.asarray(readout.reference))
    return tuple(constants), f"0.5/R_P*((1+1/(1+{tmr}))+(1-1/(1+{tmr}))*({cosine}))"


def _heat(device: Device) -> tuple[tuple[tuple[str, str], ...], tuple[Constant, ...]]:
    if device.heating is None:
        return (), ()
    resistances, times = (np.atleast_1d(np.asarray(x, float)) for x in (device.heating.resistance, device.heating.time))
    modes = [(R, tau) for R, tau in zip(resistances, times, strict=True) if R > 0]
    names, constants = [], []
    for n, (R, tau) in enumerate(modes, 1):
        names.append((f"R_th{n}", f"t_th{n}"))
        constants.append(Constant(f"R_th{n}", R, "K/W", f"thermal resistance of mode {n}", "JouleHeating", "resistance"))
        constants.append(Constant(f"t_th{n}", tau, "s", f"cooling time of mode {n}", "JouleHeating", "time"))
    return tuple(names), tuple(constants)


def _lines() -> tuple[Line, ...]:
    return (
        Line("gamma_ns", "gyro*1e-9/(1+alpha*alpha)", "rad/(ns T): gamma / (1 + alpha^2)"),
        Line(
            "noise_per_root",
            f"noise*2*alpha*gamma_ns*{number(KB)}/(volume*tstep*1e9)",
            "of 2 D / tstep = this T / Ms, D = alpha gamma kB T / ((1 + alpha^2) Ms V) (Brown 1963)",
        ),
    )


def _bottom(device: Device) -> tuple[float, float, float]:
    """Where the energy without current is least, fields included, downhill from the start direction."""
    drive = device.drive(0.0)
    found = np.asarray(downhill(lambda m: device.energy(m, drive), device.start).m, float)
    start = np.asarray(device.start, float)
    x, y, z = (float(v) for v in (found if found @ start > 0 else start))
    return x, y, z
