"""The minimum of an energy of several spins, by Newton's method on the product of their spheres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mtjax.quantities import Scalar
from mtjax.vector import Layered, frame

_STEPS, _REACH, _KICK = 80, 0.3, 0.02
"""Newton steps, the longest of them, and the least one away from where the energy curves down, rad."""


class JointMinimum(NamedTuple):
    """A minimum: `ms`, shape (spins, 3), and the second derivatives there along `across`, shape (spins, 2, 3).

    - `hessian`: shape (2 spins, 2 spins); `value`: the energy.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_stt(40.0)
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerExchange(1e-4),))
    >>> found = mtj.devices.lowest_near(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array())
    >>> [f"{curvature:.2f} T" for curvature in found.curvatures]  # per moment of both
    ['0.11 T', '0.11 T', '0.19 T', '0.19 T']
    """

    ms: Float[Array, "spins 3"]
    across: Float[Array, "spins 2 3"]
    value: Scalar
    hessian: Float[Array, "n n"]

    @property
    def curvatures(self) -> Float[Array, " n"]:
        """Principal curvatures, ascending."""
        return jnp.linalg.eigvalsh(self.hessian)


def moved(ms: Float[Array, "spins 3"], across: Float[Array, "spins 2 3"], x: Float[Array, " n"]) -> Float[Array, "spins 3"]:
    """The unit vectors along m + x.across: the gnomonic projection of the plane that touches each sphere at m.

    >>> import jax.numpy as jnp
    >>> from mtjax.devices import moved, tangents
    >>> m = jnp.array([[0.0, 0.0, 1.0]])
    >>> print(f"{jnp.linalg.norm(moved(m, tangents(m), jnp.array([1.0, 0.0])) - m):.3f}")  # 45 degrees away
    0.765
    """
    there = ms + jnp.einsum("si,sic->sc", x.reshape(-1, 2), across)
    return there / jnp.linalg.norm(there, axis=-1, keepdims=True)


def tangents(ms: Float[Array, "spins 3"]) -> Float[Array, "spins 2 3"]:
    """Two unit vectors across each spin.

    >>> import jax.numpy as jnp
    >>> from mtjax.devices import tangents
    >>> tangents(jnp.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).shape
    (2, 2, 3)
    """
    return jnp.stack(jax.vmap(frame)(ms), axis=1)


def downhill_from(energy: Callable[[Any, Layered], Scalar], of: Any, start: Float[Array, "spins 3"]) -> Float[Array, "spins 3"]:
    """The minimum of `energy(of, ms)` that is reached downhill from `start`; no gradient passes through.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_sot()
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerExchange(1e-4),))
    >>> ms = mtj.devices.downhill_from(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array())
    >>> [f"{m[0]:.3f}" for m in ms]  # tilted by the applied field
    ['0.119', '0.119']
    """
    held = jax.tree.map(jax.lax.stop_gradient, of)
    near = jnp.finfo(start.dtype).eps ** 0.75

    def onward(state):
        ms, reach, _, number = state
        across, value, slope, hessian = _expanded(energy, held, ms)
        step = _step(slope, hessian)
        length = jnp.linalg.norm(step)
        there = moved(ms, across, step * jnp.where(length > reach, reach / length, 1.0))
        taken = energy(held, Layered.of(there)) <= value + 4 * jnp.finfo(ms.dtype).eps * jnp.abs(value)
        reach = jnp.where(taken, jnp.minimum(2 * reach, _REACH), reach / 4)
        return jnp.where(taken, there, ms), reach, length, number + 1

    def goes_on(state):
        _, reach, length, number = state
        return (jnp.minimum(length, reach) > near) & (number < _STEPS)

    most = jnp.asarray(_REACH, start.dtype)
    ms, *_ = jax.lax.while_loop(goes_on, onward, (jax.lax.stop_gradient(start), most, most, 0))
    return jax.lax.stop_gradient(ms)


def lowest_near(energy: Callable[[Any, Layered], Scalar], of: Any, start: Float[Array, "spins 3"]) -> JointMinimum:
    """The minimum of `energy(of, ms)` that is reached downhill from `start`; it moves with the numbers in `of` as it should.

    >>> import mtjax as mtj
    >>> layer = mtj.presets.perpendicular_sot()
    >>> stack = mtj.Stack((layer, layer), (mtj.InterlayerExchange(1e-4),))
    >>> found = mtj.devices.lowest_near(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array())
    >>> [f"{m[0]:.3f}" for m in found.ms]  # tilted by the applied field
    ['0.119', '0.119']
    """

    ms = downhill_from(energy, of, start)
    across, _, slope, hessian = _expanded(energy, of, ms)
    last = moved(ms, across, -jax.lax.stop_gradient(_inverse(hessian)) @ slope)
    across, value, _, hessian = _expanded(energy, of, last)
    return JointMinimum(last, across, value, hessian)


def _expanded(energy: Callable[[Any, Layered], Scalar], of: Any, ms: Float[Array, "spins 3"]) -> tuple[Array, ...]:
    """Directions across the spins, the energy, and its first and second derivatives along them."""
    across = tangents(ms)

    def at(x):
        return energy(of, Layered.of(moved(ms, across, x)))

    x = jnp.zeros(2 * ms.shape[0], ms.dtype)
    value, slope = jax.value_and_grad(at)(x)
    return across, value, slope, jax.hessian(at)(x)


def _inverse(hessian: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Of the absolute curvatures; flat directions are left alone."""
    curvatures, axes = jnp.linalg.eigh(hessian)
    flat = jnp.sqrt(jnp.finfo(hessian.dtype).eps) * jnp.max(jnp.abs(curvatures)) + jnp.finfo(hessian.dtype).tiny
    return (axes * jnp.where(jnp.abs(curvatures) > flat, 1 / jnp.maximum(jnp.abs(curvatures), flat), 0.0)) @ axes.T


def _step(slope: Float[Array, " n"], hessian: Float[Array, "n n"]) -> Float[Array, " n"]:
    """Newton's step as if the energy curved up everywhere, and away from a saddle or maximum."""
    curvatures, axes = jnp.linalg.eigh(hessian)
    size = jnp.max(jnp.abs(curvatures)) + jnp.finfo(hessian.dtype).tiny
    c, flat = curvatures / size, jnp.sqrt(jnp.finfo(hessian.dtype).eps)
    steps = -(axes.T @ slope) / size / jnp.maximum(jnp.abs(c), flat)
    hill = (c < -flat) & (jnp.abs(steps) < _KICK)
    return axes @ jnp.where(hill, jnp.where(steps < 0, -_KICK, _KICK), steps)
