"""Units as they are written in headings and behind numbers, converted by pint."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
from jaxtyping import Float

from mtjax.constants import MU0

_DEFINITIONS = """
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = µ- = μ-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
second = [time] = s = sec = seconds
minute = 60 second = min
meter = [length] = m = metre = metres = meters
ampere = [current] = A = amp = amps = amperes = Ampere
volt = [voltage] = V = volts = Volt = Volts
ohm = volt / ampere = Ω = Ohm = ohms = Ohms
tesla = [induction] = T = Tesla
gauss = 1e-4 tesla = G = Gs = Gauss
oersted = 1e-4 tesla = Oe = Oersted
kelvin = [temperature]; offset: 0 = K = Kelvin
celsius = kelvin; offset: 273.15 = degC = Celsius = C
percent = 0.01 = pct
permille = 0.001
""".strip().splitlines()
_SPELLINGS = {
    "°C": "degC", "℃": "degC", "deg C": "degC", "%": "percent", "‰": "permille", "\u2126": "Ω", "**": "^", "\u2212": "-",
    "·": " ", "×": "*",
}  # fmt: skip
_POWERS = str.maketrans("²³⁻¹", "23-1")
_TERM = r"[^\W\d_]{1,12}(?:\^?\(?-?\d\)?)?"
_UNIT = re.compile(rf"(?:(?:1e|10\^?)(\d{{1,2}})[ *]?)?({_TERM}(?:\s?[/*]\s?{_TERM}|\s{_TERM})*)")
_ANY_CASE = {
    prefix + unit.lower(): symbol + unit
    for unit in ("s", "A", "V", "T", "Oe")
    for prefix, symbol in (("", ""), ("p", "p"), ("n", "n"), ("u", "u"), ("µ", "u"), ("μ", "u"), ("m", "m"), ("k", "k"))
}
_NO_UNIT = {"", "1", "-", "a.u.", "arb. units", "share", "fraction", "counts", "count", "#"}


@functools.cache
def _registry() -> Any:
    import pint

    registry = pint.UnitRegistry(None)
    registry.load_definitions(_DEFINITIONS)
    return registry


@functools.cache
def _parsed(unit: str) -> tuple[float, Any] | None:
    """A power of ten and a unit of pint; `None` where `unit` is none."""
    text = unit.strip("()[]{} ").translate(_POWERS)
    for spelling, meant in _SPELLINGS.items():
        text = text.replace(spelling, meant)
    found = _UNIT.fullmatch(text)
    for spelling in (found[2], _ANY_CASE.get(found[2].lower())) if found else ():
        try:
            power = re.sub(r"(?<=[^\W\d_])\^?\(?(-?\d)\)?", r"**\1", spelling or "-")
            return float(f"1e{found[1] or 0}"), _registry().parse_units(power)  # pyright: ignore[reportOptionalSubscript]
        except Exception:  # noqa: BLE001, PERF203 - for what is no unit pint raises errors of its own, of Python and of the tokenizer
            continue
    return None


def is_unit(text: str, si: str | None = None) -> bool:
    """Whether `text` is a unit; of the same kind as the unit `si`, if that is given. Fields in A/m and in T are of one kind.

    >>> import mtjax as mtj
    >>> [mtj.files.is_unit(text) for text in ("mV", "µA", "MA/cm²", "kOe", "%", "sw")]
    [True, True, True, True, True, False]
    >>> mtj.files.is_unit("mV", "A")
    False
    """
    found = _parsed(text)
    if found is None or si is None:
        return found is not None
    return any(found[1].dimensionality == _unit(kind).dimensionality for kind in _kinds(si))


def in_si(values: Any, unit: str, si: str) -> Float[np.ndarray, "*shape"]:
    """`values` in `unit` as numbers in the SI unit `si` ("" for shares); a field in A/m as mu_0 H in T.

    Raises `ValueError` where `unit` is no unit of that kind.

    >>> import mtjax as mtj
    >>> print(mtj.files.in_si([450.0, 500.0], "mV", "V"), mtj.files.in_si(25.0, "°C", "K"))
    [0.45 0.5 ] 298.15
    """
    values = np.asarray(values, float)
    if unit.strip() in _NO_UNIT or unit == si:
        return values
    found = _parsed(unit)
    for kind in _kinds(si):
        if found and found[1].dimensionality == _unit(kind).dimensionality:
            return np.asarray(_registry().convert(found[0] * values, found[1], _unit(kind)) * (1.0 if kind == si else MU0))
    raise ValueError(f"The unit must be one like {si or '%'}, but is {unit!r}.")


def _kinds(si: str) -> tuple[str, ...]:
    return (si, "A/m") if si == "T" else (si,)


def _unit(si: str) -> Any:
    return _registry().Unit("dimensionless" if not si else si.replace("^", "**"))
