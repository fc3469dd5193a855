"""Quantities as text: values with SI prefixes and units."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import equinox as eqx
import numpy as np

from mtjax.quantities import is_known

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def with_unit(value: Any, unit: str, digits: int = 4) -> str:
    """`value` (SI) as text with an SI prefix where the unit takes one: `with_unit(5e-10, "s") == "500 ps"`."""
    value = np.asarray(value)
    if value.ndim > 0:
        return (
            "("
            + ", ".join(f"{v:.{digits}g}" for v in value.ravel()[:3])
            + (", ...)" if value.size > 3 else ")")
            + f" {unit}".rstrip()
        )
    value = float(value)
    if unit in {"s", "m", "A", "V", "T", "J", "ohm", "W"} and value != 0 and math.isfinite(value):
        exponent = min(max(3 * math.floor(math.log10(abs(value) * (1 + 1e-7)) / 3), -18), 12)
        return f"{value / 10.0**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"
    return f"{value:.{digits}g} {unit}".rstrip()


def describe(module: Any, indent: str = "") -> str:
    """One line per quantity of `module`, with value and unit; parts that are modules themselves are indented."""
    lines = [f"{indent}{type(module).__name__}"]
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        parts = value if isinstance(value, tuple) else (value,)
        if "unit" in field.metadata and value is not None:
            shown = with_unit(value, field.metadata["unit"]) if is_known(value) else "traced"
            lines.append(f"{indent}  {field.name} = {shown}")
        else:
            lines += [describe(p, indent + "  ") for p in parts if isinstance(p, eqx.Module)]
    return "\n".join(lines)
