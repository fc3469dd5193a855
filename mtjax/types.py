"""Types and converters shared by the whole package: a vector of three scalars, and physical quantities with a unit."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

Scalar = Float[Array, ""]
Numbers = ArrayLike | Sequence[Any]
"""What converts to an array: numbers, arrays, and (nested) lists of them."""


class Vector(eqx.Module):
    """Three components `x`, `y`, `z` held apart, so that `vmap` turns them into three contiguous arrays.

    `a @ b` is the scalar product, `a.cross(b)` the vector product; sums, and products with a scalar, as usual.
    """

    x: Any
    y: Any
    z: Any

    @staticmethod
    def of(array: Numbers) -> Vector:
        """The vector whose components are the last axis of `array`."""
        array = jnp.asarray(array)
        return Vector(array[..., 0], array[..., 1], array[..., 2])

    def array(self) -> Float[Array, "*batch 3"]:
        """The components as one array, along a new last axis."""
        return jnp.stack(jnp.broadcast_arrays(self.x, self.y, self.z), axis=-1)

    def __add__(self, other: Vector) -> Vector:
        """Sum."""
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other: Vector) -> Vector:
        """Difference."""
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __neg__(self) -> Vector:
        """Negative."""
        return Vector(-self.x, -self.y, -self.z)

    def __mul__(self, factor: Any) -> Vector:
        """Product with a scalar."""
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    __rmul__ = __mul__

    def __matmul__(self, other: Vector) -> Any:
        """Scalar product."""
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other: Vector) -> Vector:
        """Vector product."""
        return Vector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def normalised(self) -> Vector:
        """The unit vector of the same direction."""
        return self * jax.lax.rsqrt(self @ self)


def as_scalar(x: Numbers) -> Array:
    """A floating-point array of the default precision (or of `x`'s own, if it is floating already)."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.result_type(float))


def as_direction(v: Numbers) -> Array:
    """A unit vector, shape (3,), along `v`; raises `ValueError` for a zero, infinite or differently shaped `v`."""
    v = as_scalar(v)
    if v.shape[-1:] != (3,):
        raise ValueError(f"A direction must have three components, but has shape {v.shape}.")
    if is_known(v) and not np.all(np.linalg.norm(np.asarray(v), axis=-1) * np.isfinite(v).all() > 0):
        raise ValueError(f"A direction must be finite and not zero, but is {np.asarray(v)}.")
    return v / jnp.linalg.norm(v, axis=-1, keepdims=True)


def quantity(unit: str, **kwargs: Any) -> Any:
    """A dataclass field for a scalar quantity: converts to an array and remembers its SI `unit` for printing."""
    return eqx.field(converter=as_scalar, metadata={"unit": unit}, **kwargs)


def direction(**kwargs: Any) -> Any:
    """A dataclass field for a unit vector, shape (3,): converts and normalises."""
    return eqx.field(converter=as_direction, metadata={"unit": ""}, **kwargs)


def is_known(x: Any) -> bool:
    """Whether the value of `x` is known now, that is, `x` is not being traced."""
    return not isinstance(x, jax.core.Tracer)


def require(module: Any, names: str, *, positive: bool = False, least: float = -math.inf) -> None:
    """Raise `ValueError` if a named (space-separated) quantity of `module` is not finite, or is out of range.

    Quantities that are being traced are not looked at: their values are not known yet.
    """
    for name in names.split():
        value = getattr(module, name)
        if value is None or not is_known(value):
            continue
        value = np.asarray(value)
        rule = "finite and positive" if positive else "finite" if least == -math.inf else f"finite and at least {least:g}"
        if not np.all(np.isfinite(value) & (value >= least) & ((value > 0) | (not positive))):
            raise ValueError(f"`{name}` of {type(module).__name__} must be {rule}, but is {value}.")


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


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `function` in double precision, whatever the session has."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        with jax.enable_x64(True):  # noqa: FBT003
            return function(*args, **kwargs)

    return run
