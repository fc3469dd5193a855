"""The time of a run in stages, and a guess of the probability of its outcome from every place at every stage.

A run is cut into slices of several steps. Before the pulse it rests in the starting well, with a damping of 1, in which the
distribution is the same and is explored in the least time. The guess is the backward Kolmogorov equation on a coarse grid of
directions, solved slice by slice with the solver's own steps and a quadrature over the noise of a slice, for the logarithm of
the probability, which is smooth however small it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.devices import Device
from mtjax.dynamics import Dynamics, SplitStep, StartWell, in_single, inverse_temperature, make_grid, prepare, read_time
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, off
from mtjax.quantities import Scalar
from mtjax.switching.fokker_planck.density import axes_of
from mtjax.vector import Vector, frame

_SLICES, _RESTS = 160, 48
_ROWS, _COLUMNS = 65, 64
_REST = 4.0
"""Relaxation times, at a damping of 1 and of the softer direction, of the rest before the pulse."""
_EDGE = 0.02
"""Width in m.start over which the outcome is taken to go from no to yes."""
_SQUEEZE = 3.0
"""Standard deviations of the angle to the easy plane within which half of the rows lie, roughly."""
_KICKS = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]) * 3**0.5
_LOG_WEIGHTS = np.log([1 / 3, 1 / 6, 1 / 6, 1 / 6, 1 / 6])
"""A quadrature over two standard normal numbers, exact to third order."""


class Stages(Shown):
    """A run in slices, in single precision: `rests` of rest, then `slices` of pulse and what follows.

    - `still`, `moving`: the dynamics of either, their steps counted from the begin of the pulse; before it no current flows.
    - `still_steps`, `steps`: number of steps in one slice of either.
    - `well`: from which it starts.
    - `rests`, `slices`: how many.

    The state is that of `SplitStep`, of `still` up to the last slice of rest, and of `moving` from its end on.
    """

    still: Dynamics
    moving: Dynamics
    still_steps: Scalar
    steps: Scalar
    well: StartWell
    rests: int = eqx.field(static=True)
    slices: int = eqx.field(static=True)

    @property
    def number(self) -> int:
        """Of all slices."""
        return self.rests + self.slices

    def entered(self, m: Vector) -> Vector:
        """The state at the begin of the rest."""
        return SplitStep().enter(self.still, m)

    def onward(self, n: Array, y: Vector, normals: Callable[[Array], Vector]) -> Vector:
        """The state at the end of slice `n`; `normals`: of a step, by its number from the begin of the rest."""
        resting, start = n < self.rests, Vector.of(self.still.device.start)
        dynamics = jax.tree.map(lambda a, b: jnp.where(resting, a, b), self.still, self.moving)
        steps = jnp.where(resting, self.still_steps, self.steps)
        first = (n - self.rests) * steps
        before = self.rests * self.still_steps

        def step(i, y):
            after = SplitStep().advance(dynamics, first + i, y, normals(before + first + i))
            inside = ~resting | (after @ start > 0)
            return jax.tree.map(lambda a, b: jnp.where(inside, a, b), after, y)

        y = jax.lax.fori_loop(0, steps.astype(int), step, y)
        return jax.lax.cond(n == self.rests - 1, lambda: self._set_off(y), lambda: y)

    def _set_off(self, y: Vector) -> Vector:
        return SplitStep().enter(self.moving, SplitStep().leave(self.still, jnp.zeros_like(self.steps), y))

    def outcome(self, y: Vector) -> Scalar:
        """The m.start of the last state."""
        m = SplitStep().leave(self.moving, self.steps * self.slices, y)
        return m @ Vector.of(self.moving.device.start)

    def spread(self, n: Array) -> Scalar:
        """Standard deviation of the random rotation about each axis in slice `n`, rad."""
        step = (n - self.rests + 0.5) * self.steps
        moving = self.moving.spread(self.moving.temperature(step)) * jnp.sqrt(self.steps)
        still = self.still.spread(self.still.device.temperature) * jnp.sqrt(self.still_steps)
        return jnp.where(n < self.rests, still, moving)


@eqx.filter_jit
def staged(device: Device, pulse: AbstractPulse, relax: Scalar, dt: Any) -> Stages:
    """The stages of `device` under `pulse` and `relax` (s) longer, with steps of at most `dt` (s; `None`: the default step)."""
    calm = eqx.tree_at(lambda d: d.layer.alpha, device, jnp.ones_like(device.layer.alpha))
    soft = jnp.maximum(device.stiffness[0], 1e-2 * device.stiffness[1])
    rest = _REST * calm.relaxation_time * calm.Bk / soft
    before = make_grid(calm, off(), rest, None, _RESTS + 1, SplitStep())
    after = make_grid(device, pulse, read_time(device, pulse, relax), dt, _SLICES + 1, SplitStep())
    still, moving = prepare(calm, pulse, before.dt), prepare(device, pulse, after.dt)
    counts = before.number / _RESTS, after.number / _SLICES
    return in_single(Stages(still, moving, *counts, StartWell.of(device), _RESTS, _SLICES))


class Guess(Shown):
    """The logarithm of the probability of an outcome, guessed from the state between slices.

    - `table`: shape (slices + 1, rows, columns); `axes`: the grid's, as rows, shape (3, 3).
    - `width`: of the angle to its equator around which the rows are dense, rad.
    - `side`: the outcome is `side` * m.start > 0.
    """

    table: Float[Array, "n rows columns"]
    axes: Float[Array, "3 3"]
    width: Scalar
    side: Scalar

    def __call__(self, n: Array, y: Vector) -> Scalar:
        """The logarithm at the begin of slice `n`."""
        return _between(self.table[n], *_place(self.axes, self.width, y))


def _place(axes: Array, width: Scalar, y: Vector) -> tuple[Array, Array]:
    """Row and column of a direction, not whole numbers."""
    a, b, c = (y @ Vector.of(axis) for axis in axes)
    angle = jnp.arcsin(jnp.clip(c, -1.0, 1.0))
    row = jnp.arcsinh(angle / width) / jnp.arcsinh(np.pi / 2 / width)
    return (row + 1) / 2 * (_ROWS - 1), jnp.arctan2(b, a) / (2 * np.pi) * _COLUMNS


def _nodes(axes: Array, width: Scalar) -> Vector:
    """The directions of the grid, rows by columns."""
    rows = jnp.linspace(-1.0, 1.0, _ROWS, dtype=axes.dtype)[:, None]
    angle = width * jnp.sinh(rows * jnp.arcsinh(np.pi / 2 / width))
    azimuth = jnp.arange(_COLUMNS, dtype=axes.dtype) * (2 * np.pi / _COLUMNS)
    flat = jnp.cos(angle)
    m = jnp.stack(jnp.broadcast_arrays(flat * jnp.cos(azimuth), flat * jnp.sin(azimuth), jnp.sin(angle)), axis=-1)
    return Vector.of(m @ axes)


def _between(values: Float[Array, "rows columns"], row: Array, column: Array) -> Array:
    """The value at a place, by cubic polynomials through four rows and four columns.

    (Linear ones lie above a function that is bent upwards, which adds up from slice to slice.)
    """
    top = jnp.clip(jnp.floor(row) - 1, 0, _ROWS - 4)
    left = jnp.floor(column) - 1
    across = _cubic(column - left)
    columns = [(left.astype(int) + k) % _COLUMNS for k in range(4)]
    rows = [sum(w * values[top.astype(int) + k, c] for w, c in zip(across, columns, strict=True)) for k in range(4)]
    return jnp.asarray(sum(w * v for w, v in zip(_cubic(row - top), rows, strict=True)))


def _cubic(t: Array) -> tuple[Array, Array, Array, Array]:
    """Weights of the values at 0, 1, 2 and 3 in that at t of the cubic polynomial through them."""
    a, b, c = t - 1, t - 2, t - 3
    return -a * b * c / 6, t * b * c / 2, -t * a * c / 2, t * a * b / 6


def nothing_guessed(stages: Stages) -> Guess:
    """The same number everywhere, for the outcome m.start < 0."""
    table = jnp.zeros((stages.number + 1, _ROWS, _COLUMNS), jnp.float32)
    return Guess(table, jnp.eye(3, dtype=jnp.float32), jnp.ones((), jnp.float32), -jnp.ones((), jnp.float32))


@eqx.filter_jit
def guessed(stages: Stages, side: Scalar) -> Guess:
    """The guess for the outcome `side` * m.start > 0."""
    device = stages.moving.device
    axes = axes_of(device)
    stiffest = jnp.max(jnp.abs(device.stiffness)) * inverse_temperature(device)
    easy_plane = jnp.abs(axes[2] @ device.start) < 0.5
    width = jnp.where(easy_plane, jnp.minimum(_SQUEEZE * jax.lax.rsqrt(stiffest), 1e3), 1e3)
    nodes = _nodes(axes, width)

    def through(function):
        return jax.vmap(jax.vmap(function))(nodes)

    last = through(lambda y: jax.nn.log_sigmoid(side * stages.outcome(y) / _EDGE))

    def before(later, n):
        def value(y):
            m = stages.onward(n, y, lambda step: Vector(0.0 * step, 0.0 * step, 0.0 * step)).array()
            e1, e2 = frame(m)
            kicks = stages.spread(n) * jnp.asarray(_KICKS, m.dtype)
            reached = Vector.of(m + kicks[:, :1] * e1 + kicks[:, 1:] * e2).normalised()
            return jax.nn.logsumexp(_between(later, *_place(axes, width, reached)) + jnp.asarray(_LOG_WEIGHTS, m.dtype))

        values = through(value)
        return values, values

    _, table = jax.lax.scan(before, last, jnp.arange(stages.number), reverse=True)
    return Guess(jnp.concatenate([table, last[None]]), axes, width, side)
