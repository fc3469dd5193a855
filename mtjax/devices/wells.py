"""Wells of an energy on the sphere and the lowest way from one to the other: for any sum of terms, wherever its wells lie.

A bottom is found downhill. The barrier to the opposite well is that of the path whose highest point is lowest. Both are
sought on a grid, where every cell comes to know the lowest such path that leads to it, and then by Newton's method. No
gradient passes through the searches; the last Newton step brings back how bottom and saddle move with the device's numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mtjax.quantities import Scalar
from mtjax.vector import Vector, frame, points

Energy = Callable[[Vector], Scalar]
_ROWS = 63
"""Rows of the grid from pole to pole; an odd number has one on the equator."""
_STEPS, _REACH = 40, 0.1
"""Newton steps to a bottom or a saddle, and the longest one, rad."""
_KICK = 0.05
"""Least step away from a place where the energy curves down, rad."""


class EnergyMinimum(NamedTuple):
    """A minimum of an energy, `m`, shape (3,).

    - `value`: the energy there; `stiffness`: its curvatures, ascending, shape (2,).
    - `near`: whether the energy curves up at the start, too, from which it was found.
    """

    m: Float[Array, " 3"]
    value: Scalar
    stiffness: Float[Array, " 2"]
    near: Bool[Array, ""]


class Expansion(NamedTuple):
    """An energy at the unit vector `m`, shape (3,): `value`, `gradient` (2,), `hessian` (2, 2), along the rows of `across`."""

    m: Float[Array, " 3"]
    across: Float[Array, "2 3"]
    value: Scalar
    gradient: Float[Array, " 2"]
    hessian: Float[Array, "2 2"]

    def moved(self, step: Float[Array, " 2"]) -> Float[Array, " 3"]:
        """The unit vector a `step` (rad) away."""
        there = self.m + step @ self.across
        return (there / jnp.linalg.norm(there)).astype(self.m.dtype)


def expanded(energy: Energy, m: Float[Array, " 3"]) -> Expansion:
    """`energy` at `m` on the sphere, from its derivatives in space, where it need not be constant along `m`.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> found = mtj.devices.expanded(lambda m: device.energy(m, device.drive(0.0)), device.start)
    >>> [f"{curvature:.3f}" for curvature in found.hessian.diagonal()]  # T
    ['0.220', '0.220']
    """

    def at(v):
        return energy(Vector.of(v))

    across, (value, slope) = jnp.stack(frame(m)), jax.value_and_grad(at)(m)
    hessian = across @ jax.hessian(at)(m) @ across.T - (slope @ m) * jnp.eye(2, dtype=m.dtype)
    return Expansion(m, across, value, across @ slope, hessian)


def downhill(energy: Energy, start: Float[Array, " 3"]) -> EnergyMinimum:
    """The minimum of `energy` that is reached downhill from `start`, which moves with its numbers as it should.

    From a maximum or a saddle it leaves along the steepest curvature down.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot()
    >>> m = mtj.devices.downhill(lambda m: device.energy(m, device.drive(0.0)), device.start).m
    >>> print(f"a field of 20 mT along x tilts the well by {jnp.degrees(jnp.arcsin(m[0])):.1f} degrees")
    a field of 20 mT along x tilts the well by 6.8 degrees
    """
    places = jnp.stack([jax.lax.stop_gradient(start)] * 2)
    low, here = _stationary(energy, places, jnp.array([_REACH, 0.0], start.dtype), down=True)
    return EnergyMinimum(low.m, low.value, jnp.linalg.eigvalsh(low.hessian), jnp.trace(here.hessian) > 0)


def lowest_barrier(energy: Energy, frozen: Energy, bottom: EnergyMinimum) -> Scalar:
    """From the `bottom` of an `energy` that is even up to the lowest saddle on the way to its mirror image.

    `nan` where there is none. `frozen`: the same energy, its numbers without derivatives, for the search.
    """
    highest = _highest_cell(frozen, jax.lax.stop_gradient(bottom.m))
    (top,) = _stationary(energy, highest[None], jnp.full(1, _REACH, highest.dtype), down=False)
    coarse, fine = energy(Vector.of(highest)) - bottom.value, top.value - bottom.value
    near = (top.m @ highest > np.cos(0.4)) & (jnp.abs(fine - coarse) <= 0.1 * coarse)
    found = jnp.where(near, fine, coarse)
    least = (1e-7 if highest.dtype == jnp.float64 else 1e-5) * span_of(frozen, highest.dtype)
    return jnp.where(found > least, found, jnp.nan)


def span_of(energy: Energy, dtype: Any) -> Scalar:
    """Highest less lowest of an energy, roughly."""
    return jnp.ptp(jax.vmap(energy)(Vector.of(points(64).astype(dtype))))


def _principal(hessian: Float[Array, "2 2"]) -> tuple[Float[Array, " 2"], Float[Array, "2 2"]]:
    """Eigenvalues, ascending, and eigenvectors as rows; no gradient passes through."""
    (a, b), (_, d) = jax.lax.stop_gradient(hessian)
    angle = jnp.arctan2(2 * b, a - d) / 2
    c, s = jnp.cos(angle), jnp.sin(angle)
    middle, half = (a + d) / 2, jnp.hypot((a - d) / 2, b)
    return jnp.stack([middle - half, middle + half]), jnp.stack([jnp.stack([-s, c]), jnp.stack([c, s])])


def _step(here: Expansion, span: Scalar, *, down: bool) -> Float[Array, " 2"]:
    """Newton's step to where the gradient vanishes; if it must lead `down`, as if the energy curved up everywhere.

    Only the gradient is differentiated. No saddle is sought along a direction in which the energy is flat.
    """
    curvatures, axes = _principal(here.hessian)
    c, flat = curvatures / span, jnp.sqrt(jnp.finfo(span.dtype).eps)
    inverse = 1 / jnp.maximum(jnp.abs(c), flat) if down else c / (c**2 + (flat / 10) ** 2)
    steps = -inverse * (axes @ here.gradient / span)
    if down:
        hill = (c < -flat) & (jnp.abs(steps) < _KICK)
        steps = jnp.where(hill, jnp.where(steps < 0, -_KICK, _KICK), steps)
    return steps @ axes


def _stationary(energy: Energy, places: Float[Array, "n 3"], reach: Float[Array, " n"], *, down: bool) -> list[Expansion]:
    """The energy at stationary points next to `places`, which move with its numbers as they should.

    `reach`: the longest step, rad; of 0, the place stays what it is. `down`: no step leads up.
    """
    span = jax.lax.stop_gradient(span_of(energy, places.dtype))
    size, rounding = span + jnp.finfo(span.dtype).tiny, 4 * jnp.finfo(span.dtype).eps * span

    def of(arguments):
        place, most = arguments

        def onward(state, last):
            m, reach = state
            here = expanded(energy, jnp.where(last, m, jax.lax.stop_gradient(m)))
            step = _step(here, size, down=down)
            length = jax.lax.stop_gradient(jnp.linalg.norm(step))
            moved = here.moved(step * jnp.where(length > reach, reach / length, 1.0))
            if down:
                taken = energy(Vector.of(moved)) <= here.value + rounding
                moved, reach = jnp.where(taken, moved, m), jnp.where(taken, jnp.minimum(2 * reach, most), reach / 4)
            return (moved, reach), here

        _, found = jax.lax.scan(onward, (place, most), jnp.arange(_STEPS + 1) == _STEPS)
        return jax.tree.map(lambda a: a[-1], found)

    found = jax.lax.map(of, (places, reach))
    return [Expansion(*(a[i] for a in found)) for i in range(reach.size)]


def _highest_cell(energy: Energy, bottom: Float[Array, " 3"]) -> Float[Array, " 3"]:
    """Of the path from `bottom` to -`bottom` whose highest point is lowest that point, to within a cell of a grid."""
    cells = jnp.asarray(_cells(), bottom.dtype) @ _axes_of(energy, bottom.dtype)
    energies = jax.vmap(energy)(Vector.of(cells.reshape(-1, 3))).reshape(cells.shape[:2])
    begin, end = (jnp.argmax(cells @ m) for m in (bottom, -bottom))
    height = _lowest_heights(energies, begin).ravel()[end]
    return cells.reshape(-1, 3)[jnp.argmin(jnp.abs(energies - height))]


def _lowest_heights(energies: Float[Array, "rows columns"], begin: Array) -> Float[Array, "rows columns"]:
    """Height of the lowest path from cell `begin` to every cell; a height is the highest energy on a path."""
    beyond = jnp.full_like(energies[:1], jnp.inf)

    def spread(state):
        heights, _ = state
        beside = jnp.minimum(heights, jnp.minimum(jnp.roll(heights, 1, axis=1), jnp.roll(heights, -1, axis=1)))
        above, below = jnp.concatenate([beyond, beside[:-1]]), jnp.concatenate([beside[1:], beyond])
        nearest = jnp.minimum(beside, jnp.minimum(above, below))
        after = jnp.minimum(heights, jnp.maximum(energies, nearest))
        return after, jnp.any(after < heights)

    known = jnp.arange(energies.size).reshape(energies.shape) == begin
    first = jnp.where(known, energies, jnp.inf)
    return jax.lax.while_loop(lambda state: state[1], spread, (first, jnp.array(True)))[0]  # noqa: FBT003


def _axes_of(energy: Energy, dtype: Any) -> Float[Array, "3 3"]:
    """Principal axes of the quadratic part of an even energy, as rows, the most distinct one last.

    The wells and saddles of most devices lie on them, and hence on cells of the grid, or between cells at its poles. (The six
    diagonals of an icosahedron take all means up to degree 5 exactly.)
    """
    corners = jnp.asarray(_diagonals(), dtype)
    values = jax.vmap(energy)(Vector.of(corners))
    curvatures, axes = jnp.linalg.eigh(jnp.einsum("n,ni,nj->ij", values - jnp.mean(values), corners, corners))
    low, middle, high = curvatures
    return jnp.where(middle - low > high - middle, jnp.roll(axes.T, -1, axis=0), axes.T)


@cache
def _diagonals() -> np.ndarray:
    golden = (1 + 5**0.5) / 2
    corners = np.array([[0, 1, golden], [0, 1, -golden], [1, golden, 0], [1, -golden, 0], [golden, 0, 1], [-golden, 0, 1]])
    return corners / np.linalg.norm(corners[0])


@cache
def _cells() -> np.ndarray:
    """Directions from pole to pole and round, the poles left out, shape (rows, 2 rows + 2, 3)."""
    theta, phi = (np.arange(_ROWS)[:, None] + 0.5) * (np.pi / _ROWS), np.arange(2 * _ROWS + 2) * (np.pi / (_ROWS + 1))
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], axis=-1)
