"""Quantities as text: values with SI prefixes and units."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import wadler_lindig as wl

from mtjax.checks import check_fields
from mtjax.quantities import is_known

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_FEW = 4
"""Numbers of an array that are shown one by one."""


class Shown(eqx.Module):
    """An equinox module that checks its fields when it is made, and prints itself as it is called, its numbers with units.

    Every field must fit its annotation, and the range of its `quantity`; then comes the `__check_init__` of the class itself.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Fields are looked at before the class's own check of how they go together."""
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("__check_init__")

        def check(module: Any) -> None:
            if type(module) is cls:
                check_fields(module)
            if own is not None:
                own(module)

        cls.__check_init__ = check

    def __repr__(self) -> str:
        """The call that makes it, numbers with four digits, long arrays by their shape."""
        return shown(self)


def shown(module: Any, width: int = 100, units: Mapping[str, str] | None = None) -> str:
    """`module` as the call that makes it, in lines of at most `width` characters.

    `units`: that stand in place of those of its fields.
    """
    return wl.pformat(module, width=width, custom=partial(_doc, units=units or {}))


def _doc(thing: Any, units: Mapping[str, str]) -> wl.AbstractDoc | None:
    """What wadler_lindig is to print for a module or an array; None leaves it to print the rest its own way."""
    if isinstance(thing, jax.Array) and jnp.issubdtype(thing.dtype, jax.dtypes.prng_key):
        return wl.TextDoc(f"key{jax.random.key_data(thing).tolist()}" if is_known(thing) else "traced key")
    if isinstance(thing, (jax.Array, np.ndarray, np.generic)):
        return wl.TextDoc(_numbers(thing, ""))
    if not isinstance(thing, eqx.Module):
        return None
    if type(thing).__repr__ not in (Shown.__repr__, eqx.Module.__repr__):
        return wl.TextDoc(repr(thing))
    fields = [wl.TextDoc(f"{f.name}=") + _field(getattr(thing, f.name, None), f, units) for f in _asked(thing)]
    return wl.bracketed(begin=wl.TextDoc(f"{type(thing).__name__}("), docs=fields, sep=wl.comma, end=wl.TextDoc(")"), indent=2)


def _asked(module: Any) -> list[dataclasses.Field[Any]]:
    """The fields that a person sets."""
    return [f for f in dataclasses.fields(module) if f.init and f.repr and not f.name.startswith("_")]


def _field(value: Any, field: dataclasses.Field[Any], units: Mapping[str, str]) -> wl.AbstractDoc:
    if "unit" in field.metadata and isinstance(value, (jax.Array, np.ndarray, np.generic, float)):
        unit = field.metadata["unit"]
        return wl.TextDoc(_numbers(value, units.get(unit, unit)))
    return wl.pdoc(value, custom=partial(_doc, units=units))


def _numbers(value: Any, unit: str) -> str:
    """A few numbers in full, more by their shape, unknown ones as traced."""
    if not is_known(value):
        return f"traced {unit}".rstrip()
    value = np.asarray(value)
    if value.size > _FEW:
        return f"{value.dtype.name}{list(value.shape)} {unit}".rstrip()
    if value.dtype.kind != "f":
        return str(value.tolist())
    if value.ndim == 0:
        return with_unit(value, unit)
    return f"[{', '.join(f'{x:.4g}' for x in value.ravel())}] {unit}".rstrip()


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
    if unit in {"s", "m", "A", "V", "T", "J", "ohm", "W", "Hz"} and value != 0 and math.isfinite(value):
        exponent = min(max(3 * math.floor(math.log10(abs(value) * (1 + 1e-7)) / 3), -18), 12)
        return f"{value / 10.0**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"
    return f"{value:.{digits}g} {unit}".rstrip()


def describe(module: Any, indent: str = "", units: Mapping[str, str] | None = None) -> str:
    """One line per quantity of `module`, with value and unit; parts that are modules themselves are indented.

    `units`: that stand in place of those of its fields.
    """
    lines = [f"{indent}{type(module).__name__}"]
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        parts = value if isinstance(value, tuple) else (value,)
        if "unit" in field.metadata and value is not None:
            unit = field.metadata["unit"]
            shown = with_unit(value, (units or {}).get(unit, unit)) if is_known(value) else "traced"
            lines.append(f"{indent}  {field.name} = {shown}")
        else:
            lines += [describe(p, indent + "  ", units) for p in parts if isinstance(p, eqx.Module)]
    return "\n".join(lines)
