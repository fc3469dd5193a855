"""Small geometry of the unit sphere."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float


def frame(axis: Float[Array, "3"]) -> tuple[Float[Array, "3"], Float[Array, "3"]]:
    """Two unit vectors, shape (3,), that form a right-handed frame with the unit vector `axis`."""
    helper = jnp.eye(3, dtype=axis.dtype)[jnp.argmin(jnp.abs(axis))]
    e1 = jnp.cross(helper, axis)
    e1 = e1 / jnp.linalg.norm(e1)
    return e1, jnp.cross(axis, e1)


def points(number: int) -> Float[Array, "n 3"]:
    """`number` unit vectors spread evenly over the sphere (Fibonacci lattice), shape (number, 3)."""
    i = jnp.arange(number) + 0.5
    z, phi = 1 - 2 * i / number, jnp.pi * (1 + 5**0.5) * i
    r = jnp.sqrt(1 - z**2)
    return jnp.stack([r * jnp.cos(phi), r * jnp.sin(phi), z], axis=-1)


def turn(v: Float[Array, "3"], axis: Float[Array, "3"], angle: ArrayLike) -> Float[Array, "3"]:
    """`v` turned about the unit vector `axis` by `angle` (rad)."""
    along = (v @ axis) * axis
    return along + jnp.cos(angle) * (v - along) + jnp.sin(angle) * jnp.cross(axis, v)
