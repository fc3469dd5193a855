"""Energies, torques and laws of a device as lines of a circuit language.

An expression is text that ngspice, Verilog-A and Python read alike: + - * /, `cosh`, `max`, `pow`, names of parameters, and
the quantities `mx`, `my`, `mz` (components of m), `torque_current` and `junction_current` (A), `gate_voltage` (V), `temp_now`
(K), `ms_now` (A/m) and `soft_now` (Bk over the stated Bk).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtjax.constants import MU0, SPIN_FIELD
from mtjax.devices import (
    VCMA,
    AppliedField,
    BlochLaw,
    Demagnetisation,
    Device,
    ExchangeBias,
    SecondOrderAnisotropy,
    SpinOrbitTorque,
    SpinTransferTorque,
    UniaxialAnisotropy,
)
from mtjax.quantities import Numbers

M = ("mx", "my", "mz")


class Constant(NamedTuple):
    """A parameter: its name in the text, the number (SI), unit and meaning, and the value of the device that it is."""

    name: str
    value: float
    unit: str
    meaning: str
    owner: str = ""
    field: str = ""


class Line(NamedTuple):
    """A named quantity that follows from others: an expression, and what it is."""

    name: str
    expression: str
    meaning: str


class Field(NamedTuple):
    """One effective field: what it is, its parameters, what is worked out first, and its components (T)."""

    title: str
    constants: tuple[Constant, ...]
    lines: tuple[Line, ...]
    components: tuple[str, str, str]


def fields_of(device: Device, language: str) -> tuple[Field, ...]:
    """The effective fields of all terms; raises `ValueError` where one cannot be said in `language`."""
    magnet = device.layer.magnet()
    counts: dict[str, int] = {}
    found = []
    for term in device.terms:
        kind = type(term).__name__
        if kind not in _WRITERS:
            raise ValueError(
                f"Every term must be one that {language} can say ({', '.join(_WRITERS)}), but the device has {kind}."
            )
        counts[kind] = counts.get(kind, 0) + 1
        tail = "" if counts[kind] == 1 else f"_{counts[kind]}"
        found.append(_WRITERS[kind](term, magnet, tail))
    return tuple(found)


def weighted(weights: Numbers, names: Sequence[str] = M) -> str:
    """The sum of weight times name without what is zero: "-0.6*mx + mz".

    >>> from mtjax.circuit.terms import weighted
    >>> weighted([0.0, 0.0, -1.0]), weighted([0.6, 0.0, 0.8])
    ('-mz', '0.6*mx+0.8*mz')
    """
    parts = [_times(float(w), name) for w, name in zip(np.asarray(weights).tolist(), names, strict=True) if w != 0]
    return "+".join(parts).replace("+-", "-") or "0"


def _times(weight: float, name: str) -> str:
    if abs(weight) == 1:
        return name if weight > 0 else f"-{name}"
    return f"{number(weight)}*{name}"


def number(x: float) -> str:
    """A number to the last bit.

    >>> from mtjax.circuit.terms import number
    >>> number(0.22), number(1e-9)
    ('0.22', '1e-09')
    """
    return repr(float(x))


def _along(scale: str, direction) -> tuple[str, str, str]:
    """`scale` times a unit vector."""
    x, y, z = ("0" if d == 0 else scale if d == 1 else f"{number(d)}*{scale}" for d in np.asarray(direction, float))
    return x, y, z


def _added(*several: tuple[str, str, str]) -> tuple[str, str, str]:
    x, y, z = ("+".join(p for p in parts if p != "0").replace("+-", "-") or "0" for parts in zip(*several, strict=True))
    return x, y, z


def _crossed(scale: str, sigma) -> tuple[str, str, str]:
    """`scale` times m x sigma."""
    x, y, z = np.asarray(sigma, float)
    rows = ((0.0, z, -y), (-z, 0.0, x), (y, -x, 0.0))
    a, b, c = ("0" if not any(row) else f"{scale}*({weighted(row)})" for row in rows)
    return a, b, c


def _uniaxial(term: UniaxialAnisotropy, magnet, tail: str) -> Field:
    Bk = Constant(f"Bk{tail}", float(term.Bk), "T", "anisotropy field mu0 Hk = 2 K1 / Ms", "UniaxialAnisotropy", "Bk")
    axis = np.asarray(term.axis)
    scale = f"{Bk.name}*soft_now*({weighted(axis)})"
    return Field(f"uniaxial anisotropy: Bk (m.a) a, a = {_shown(axis)}", (Bk,), (), _along(scale, axis))


def _second_order(term: SecondOrderAnisotropy, magnet, tail: str) -> Field:
    Bk2 = Constant(
        f"Bk2{tail}", float(term.Bk2), "T", "second-order anisotropy field 4 K2 / Ms", "SecondOrderAnisotropy", "Bk2"
    )
    axis = np.asarray(term.axis)
    c = f"({weighted(axis)})"
    title = f"second-order anisotropy: Bk2 (1 - (m.a)^2) (m.a) a, a = {_shown(axis)}"
    return Field(title, (Bk2,), (), _along(f"{Bk2.name}*soft_now*(1-{c}*{c})*{c}", axis))


def _demagnetisation(term: Demagnetisation, magnet, tail: str) -> Field:
    factors = np.asarray(magnet.factors if term.factors is None else term.factors, float)
    source = ("", "") if term.factors is None else ("Demagnetisation", "factors")
    constants = tuple(
        Constant(f"demag_{i}{tail}", float(N), "", f"demagnetisation factor along {i}", *source)
        for i, N in zip("xyz", factors, strict=True)
    )
    x, y, z = (f"-{number(MU0)}*ms_now*{N.name}*{m}" for N, m in zip(constants, M, strict=True))
    return Field("demagnetisation, shape anisotropy: -mu0 Ms N_i m_i", constants, (), (x, y, z))


def _fixed_field(term: AppliedField | ExchangeBias, magnet, tail: str) -> Field:
    kind = type(term).__name__
    short, what = ("Bapp", "applied field") if isinstance(term, AppliedField) else ("Bex", "exchange bias")
    constants = tuple(
        Constant(f"{short}{i}{tail}", float(B), "T", f"{what} along {i}", kind, "B")
        for i, B in zip("xyz", np.asarray(term.B), strict=True)
    )
    x, y, z = (one.name for one in constants)
    return Field(what, constants, (), (x, y, z))


def _vcma(term: VCMA, magnet, tail: str) -> Field:
    xi = Constant(f"xi{tail}", float(term.xi), "J/(V m)", "VCMA coefficient", "VCMA", "xi")
    oxide = Constant(f"t_ox{tail}", float(term.oxide_thickness), "m", "thickness of the barrier", "VCMA", "oxide_thickness")
    axis = np.asarray(term.axis)
    scale = f"-2*{xi.name}*gate_voltage/(ms_now*thickness*{oxide.name})*({weighted(axis)})"
    title = f"voltage-controlled anisotropy: -2 xi V / (Ms t t_ox) (m.a) a, a = {_shown(axis)}"
    return Field(title, (xi, oxide), (), _along(scale, axis))


def _spin_orbit(term: SpinOrbitTorque, magnet, tail: str) -> Field:
    kind = "SpinOrbitTorque"
    theta = Constant(f"theta_sh{tail}", float(term.theta_sh), "", "spin-Hall angle", kind, "theta_sh")
    width = Constant(f"hm_width{tail}", float(term.width), "m", "width of the heavy metal", kind, "width")
    deep = Constant(f"hm_thickness{tail}", float(term.thickness), "m", "thickness d of the heavy metal", kind, "thickness")
    ratio = Constant(f"sot_fl{tail}", float(term.field_like_ratio), "", "B_FL / B_DL", kind, "field_like_ratio")
    constants = (theta, width, deep, ratio)
    share = ""
    if term.spin_diffusion_length is not None:
        length = Constant(
            f"l_sf{tail}", float(term.spin_diffusion_length), "m", "spin diffusion length", kind, "spin_diffusion_length"
        )
        constants = (*constants, length)
        share = f"*(1-1/cosh({deep.name}/{length.name}))"
    B = f"{number(SPIN_FIELD)}*{theta.name}*torque_current/({width.name}*{deep.name}*ms_now*thickness){share}"
    line = Line(f"sot_dl{tail}", B, "T: B_DL = (hbar / 2e) theta_sh J / (Ms t)")
    title = f"spin-orbit torque: B_DL (m x s) + B_FL s, s = {_shown(term.sigma)}"
    scaled = _along(f"{ratio.name}*{line.name}", term.sigma)
    return Field(title, constants, (line,), _added(_crossed(line.name, term.sigma), scaled))


def _spin_transfer(term: SpinTransferTorque, magnet, tail: str) -> Field:
    kind = "SpinTransferTorque"
    P = Constant(f"polarisation{tail}", float(term.polarisation), "", "spin polarisation P", kind, "polarisation")
    L = Constant(f"asymmetry{tail}", float(term.asymmetry), "", "Slonczewski's Lambda", kind, "asymmetry")
    ratio = Constant(f"stt_fl{tail}", float(term.field_like_ratio), "", "B_FL / B_DL", kind, "field_like_ratio")
    constants, L2 = (P, L, ratio), f"{L.name}*{L.name}"
    per_eta = f"{number(SPIN_FIELD)}*junction_current/(area*ms_now*thickness)"
    eta = f"2*{P.name}*{L2}/({L2}+1+({L2}-1)*({weighted(np.asarray(term.sigma))}))"
    line = Line(f"stt_dl{tail}", f"{per_eta}*{eta}", "T: B_DL = (hbar / 2e) eta(m.s) J / (Ms t)")
    along = f"{ratio.name}*{line.name}"
    if term.epsilon_prime is not None:
        epsilon = Constant(f"epsilon_prime{tail}", float(term.epsilon_prime), "", "second coefficient", kind, "epsilon_prime")
        constants, along = (*constants, epsilon), f"({along}+2*{epsilon.name}*{per_eta})"
    title = f"spin-transfer torque: B_DL (m x s) + B_FL s, s = {_shown(term.sigma)}"
    return Field(title, constants, (line,), _added(_crossed(line.name, term.sigma), _along(along, term.sigma)))


_WRITERS = {
    "UniaxialAnisotropy": _uniaxial,
    "SecondOrderAnisotropy": _second_order,
    "Demagnetisation": _demagnetisation,
    "AppliedField": _fixed_field,
    "ExchangeBias": _fixed_field,
    "VCMA": _vcma,
    "SpinOrbitTorque": _spin_orbit,
    "SpinTransferTorque": _spin_transfer,
}


def saturation_of(device: Device, language: str) -> tuple[tuple[Constant, ...], str, str]:
    """Parameters and expressions of Ms(T) and of Bk(T) over those stated; raises `ValueError` for a law of one's own."""
    law = device.layer.saturation
    if law is None:
        return (), "1", "1"
    if not isinstance(law, BlochLaw):
        raise ValueError(f"The law of saturation must be BlochLaw to be said in {language}, but is {type(law).__name__}.")
    meanings = {
        "Tc": "Curie temperature",
        "exponent": "of T/Tc",
        "anisotropy_exponent": "Bk ~ Ms to this power",
        "reference": "temperature of the stated Ms and Bk",
        "least": "lower bound of 1 - (T/Tc)^exponent",
    }
    units = {"Tc": "K", "reference": "K"}
    constants = tuple(
        Constant(f"bloch_{name}", float(getattr(law, name)), units.get(name, ""), meaning, "BlochLaw", name)
        for name, meaning in meanings.items()
    )
    share = "max(1-pow(temp_now/bloch_Tc,bloch_exponent),bloch_least)/(1-pow(bloch_reference/bloch_Tc,bloch_exponent))"
    if law.outer_exponent is not None:
        outer = Constant("bloch_outer", float(law.outer_exponent), "", "outer exponent", "BlochLaw", "outer_exponent")
        constants, share = (*constants, outer), f"pow({share},bloch_outer)"
    return constants, share, f"pow({share},bloch_anisotropy_exponent)"


def _shown(direction) -> str:
    return "(" + ", ".join(f"{float(x):.6g}" for x in np.asarray(direction)) + ")"
