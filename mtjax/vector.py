"""Vectors of three scalars, and small geometry of the unit sphere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from mtjax.quantities import Numbers


class Vector(eqx.Module):
    """Three components `x`, `y`, `z` held apart, so that `vmap` turns them into three contiguous arrays.

    `a @ b` is the scalar product, `a.cross(b)` the vector product; sums, and products with a scalar, as usual.

    >>> import mtjax as mtj
    >>> m, B = mtj.vector.Vector.of([0.6, 0.0, 0.8]), mtj.vector.Vector.of([0.0, 0.0, 0.2])
    >>> print(f"m.B = {m @ B:.2f} T, (m x B)_y = {m.cross(B).y:.2f} T")
    m.B = 0.16 T, (m x B)_y = -0.12 T
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


class Layered(eqx.Module):
    """One value for each of several spins: numbers, or a `Vector`. Arithmetic goes spin by spin, as do `@` and `cross`.

    A plain number, or anything else that is not `Layered`, counts for every spin.

    - `each`: the values, a tuple.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> ms = mtj.vector.Layered.of(jnp.eye(3)[:2])  # the first spin along x, the second along y
    >>> up = mtj.Vector(0.0, 0.0, 1.0)
    >>> [f"{x:.0f}" for x in (2.0 * ms.cross(mtj.vector.Layered((up, up)))).array().ravel() + 0.0]
    ['0', '-2', '0', '2', '0', '0']
    """

    each: tuple[Any, ...]

    @staticmethod
    def of(array: Numbers) -> Layered:
        """Vectors: `array` has the shape (..., spins, 3)."""
        array = jnp.asarray(array)
        return Layered(tuple(Vector.of(array[..., i, :]) for i in range(array.shape[-2])))

    def array(self) -> Float[Array, "*batch spins 3"]:
        """Vectors as one array."""
        return jnp.stack([v.array() for v in self.each], axis=-2)

    def _with(self, other: Any, operation: Callable[[Any, Any], Any]) -> Layered:
        others = other.each if isinstance(other, Layered) else (other,) * len(self.each)
        return Layered(tuple(operation(a, b) for a, b in zip(self.each, others, strict=True)))

    def __add__(self, other: Any) -> Layered:
        """Sum."""
        return self._with(other, lambda a, b: a + b)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Layered:
        """Difference."""
        return self._with(other, lambda a, b: a - b)

    def __neg__(self) -> Layered:
        """Negative."""
        return Layered(tuple(-a for a in self.each))

    def __mul__(self, other: Any) -> Layered:
        """Product with scalars."""
        return self._with(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Layered:
        """Quotient."""
        return self._with(other, lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Layered:
        """Quotient."""
        return self._with(other, lambda a, b: b / a)

    def __pow__(self, power: Any) -> Any:
        """Power."""
        if not isinstance(power, int | float):
            return NotImplemented
        return Layered(tuple(a**power for a in self.each))

    def __matmul__(self, other: Layered) -> Layered:
        """Scalar products."""
        return self._with(other, lambda a, b: a @ b)

    def cross(self, other: Layered) -> Layered:
        """Vector products."""
        return self._with(other, lambda a, b: a.cross(b))

    def normalised(self) -> Layered:
        """Unit vectors."""
        return Layered(tuple(a.normalised() for a in self.each))


def frame(axis: Float[Array, " 3"]) -> tuple[Float[Array, " 3"], Float[Array, " 3"]]:
    """Two unit vectors, shape (3,), that form a right-handed frame with the unit vector `axis`.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> axis = jnp.array([0.0, 0.6, 0.8])
    >>> e1, e2 = mtj.vector.frame(axis)
    >>> print(f"(e1 x e2).axis = {jnp.cross(e1, e2) @ axis:.3f}")
    (e1 x e2).axis = 1.000
    """
    helper = jnp.eye(3, dtype=axis.dtype)[jnp.argmin(jnp.abs(axis))]
    e1 = jnp.cross(helper, axis)
    e1 = e1 / jnp.linalg.norm(e1)
    return e1, jnp.cross(axis, e1)


def points(number: int) -> Float[Array, "n 3"]:
    """`number` unit vectors spread evenly over the sphere (Fibonacci lattice), shape (number, 3).

    >>> import mtjax as mtj
    >>> m = mtj.vector.points(64)
    >>> print(m.shape, f"<mz^2> = {(m[:, 2] ** 2).mean():.4f}, 1/3 on the sphere")
    (64, 3) <mz^2> = 0.3333, 1/3 on the sphere
    """
    i = jnp.arange(number) + 0.5
    z, phi = 1 - 2 * i / number, jnp.pi * (1 + 5**0.5) * i
    r = jnp.sqrt(1 - z**2)
    return jnp.stack([r * jnp.cos(phi), r * jnp.sin(phi), z], axis=-1)


def turn(v: Float[Array, " 3"], axis: Float[Array, " 3"], angle: ArrayLike) -> Float[Array, " 3"]:
    """`v` turned about the unit vector `axis` by `angle` (rad).

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> x, _, z = jnp.eye(3)
    >>> print([round(float(component), 3) for component in mtj.vector.turn(x, z, jnp.pi / 6)])
    [0.866, 0.5, 0.0]
    """
    along = (v @ axis) * axis
    return along + jnp.cos(angle) * (v - along) + jnp.sin(angle) * jnp.cross(axis, v)
