"""All cells of a film integrated side by side, with their coupling."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, Duration, checked
from mtjax.devices import AppliedField, Grains, Magnet, ThermalHistory
from mtjax.dynamics.ensemble import in_chunks
from mtjax.dynamics.llg import Dynamics
from mtjax.dynamics.noise import StepPath
from mtjax.dynamics.solvers import AbstractSpinSolver, SplitStep
from mtjax.dynamics.start import StartWell
from mtjax.dynamics.steps import TimeGrid, default_duration, default_step, make_grid
from mtjax.printing import Shown, with_unit
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Numbers, Scalar, as_scalar
from mtjax.vector import Vector

_CELLS = 4096
"""Cells that are integrated side by side."""


class GrainTrajectories(Shown):
    """What many cells did.

    - `ts`: saved times, shape (times,), s.
    - `mz`: m.start of every cell, shape (samples, times, cells).
    - `hall`: Hall resistance of the device, shape (samples, times), ohm.
    - `final`: m of every cell at the end, shape (samples, cells, 3).
    - `dt`: the step, s.

    >>> import jax
    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> pulse = mtj.Pulse(film.current(5e11), 2e-9)
    >>> found = mtj.simulate_grains(film, pulse, 2e-9, key=jax.random.key(0), save=3)
    >>> found.mz.shape, found.hall.shape, found.final.shape  # samples, then times, then cells
    ((1, 3, 1), (1, 3), (1, 1, 3))
    """

    ts: Float[Array, " times"]
    mz: Float[Array, "samples times cells"]
    hall: Float[Array, "samples times"]
    final: Float[Array, "samples cells 3"]
    dt: Scalar

    def __str__(self) -> str:
        """Sizes, and the final Hall resistance with its standard error."""
        samples, times, cells = self.mz.shape
        last = np.asarray(self.hall[:, -1])
        error = f" +- {np.std(last, ddof=1) / samples**0.5:.2g}" if samples > 1 else ""
        return (
            f"GrainTrajectories: {samples} samples of {cells} cells, {times} times up to {with_unit(self.ts[-1], 's')}, "
            f"steps of {with_unit(self.dt, 's')}; final Hall resistance {np.mean(last):.5g}{error} ohm"
        )


@checked
def simulate_grains(
    grains: Grains,
    pulse: AbstractPulse,
    duration: Duration | None = None,
    *,
    key: Key[Array, ""],
    samples: Count = 1,
    save: Count = 101,
    start: Numbers | None = None,
    solver: AbstractSpinSolver | None = None,
    dt: Duration | None = None,
) -> GrainTrajectories:
    """Integrate the stochastic LLG equation of all cells of `grains` under one `pulse`.

    - `samples`: how many times, with independent noise; `key`: of that noise.
    - `duration`: s; `None` for the pulse and the time the device needs to cool and settle.
    - `save`: number of evenly spaced times to save, both ends included (1: the end only).
    - `start`: the state of every cell, +1 (along `cell.start`) or -1, shape (cells,), each drawn from its well's
      equilibrium; or unit vectors to go on from, shape (samples, cells, 3). `None`: all +1.
    - `solver`, `dt`: as for `simulate`; the default step suits the fastest cell.

    The coupling field of the neighbours is held constant over a step. No gradient passes through starts.
    Raises `ValueError` where a number is out of range or `start` has another shape.

    >>> import jax
    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> pulse = mtj.Pulse(film.current(5e11), 2e-9)
    >>> found = mtj.simulate_grains(film, pulse, 2e-9, key=jax.random.key(0), save=3)
    >>> [f"{t * 1e9:.0f} ns" for t in found.ts], f"{found.hall[0, 0]:.1f} ohm at the start"
    (['0 ns', '1 ns', '2 ns'], '1.0 ohm at the start')
    """
    solver = SplitStep() if solver is None else solver
    if samples < 1:
        raise ValueError(f"`samples` must be at least 1, but is {samples}.")
    start = jnp.ones(grains.number) if start is None else as_scalar(start)
    if start.shape not in {(grains.number,), (samples, grains.number, 3)}:
        raise ValueError(f"`start` must have shape ({grains.number},) or ({samples}, {grains.number}, 3), not {start.shape}.")
    cell = grains.cell
    duration = default_duration(cell, pulse) if duration is None else duration
    dt = _fastest(grains, pulse, solver) if dt is None else dt
    grid = replace(make_grid(cell, pulse, duration, dt, save, solver), limit=None)  # one compilation for every duration
    for_start, for_path = jax.random.split(key)
    start = start if start.ndim == 3 else _drawn(grains, start, for_start, samples)
    mz, final = _run(grains, pulse, grid, for_path, start, solver, save)
    return GrainTrajectories(grid.ts, mz, grains.hall(mz), final, grid.dt)


@eqx.filter_jit
def _fastest(grains: Grains, pulse: AbstractPulse, solver: AbstractSpinSolver) -> Scalar:
    steps = jax.vmap(lambda *values: default_step(grains.one(*values), pulse, solver))(grains.Bk, grains.volume, grains.bias)
    return jnp.min(steps)


@eqx.filter_jit
def _drawn(grains: Grains, signs: Array, key, samples: int) -> Array:
    """Every cell's m drawn from its well, shape (samples, cells, 3)."""
    wells = jax.vmap(partial(_well, grains))(signs, grains.Bk, grains.volume, grains.bias)

    def one(sample):
        return jax.vmap(lambda well, n: well.draw(StepPath(key, n)))(wells, _streams(grains, sample)).array()

    return in_chunks(one, jnp.arange(samples), _chunk(grains))


@eqx.filter_jit
def _run(grains: Grains, pulse, grid: TimeGrid, key, start: Array, solver, save: int):
    """m.start at the saved times, shape (samples, times, cells), and m at the end, shape (samples, cells, 3)."""
    film, axis = _Film.of(grains, pulse, grid, solver, key), Vector.of(grains.cell.start)
    intervals = max(save - 1, 1)
    stride = (grid.number / intervals).round().astype(int)

    def one(sample):
        streams, m0 = _streams(grains, sample), Vector.of(start[sample])

        def interval(state, number):
            y = jax.lax.fori_loop(number * stride, (number + 1) * stride, partial(film.step, streams), state[0])
            m = film.seen(m0, y, (number + 1) * stride)
            return (y, m), m @ axis

        y = film.enter(m0)
        (_, m), mz = jax.lax.scan(interval, (y, y), jnp.arange(intervals))
        first = [(m0 @ axis)[None].astype(mz.dtype)] if save > 1 else []
        return jnp.concatenate([*first, mz]), m.array()

    return in_chunks(one, jnp.arange(len(start)), _chunk(grains))


def _streams(grains: Grains, sample: Array) -> Array:
    """Numbers of the cells' noise in a sample."""
    return sample * grains.number + jnp.arange(grains.number)


def _chunk(grains: Grains) -> int:
    """Samples that are integrated side by side."""
    return max(_CELLS // grains.number, 1)


class _Film(Shown):
    """What a solver does to one spin, done to every cell in the field of its neighbours; fixed cells are held.

    - `values`: what tells cells apart, each with a leading axis (cells,); `magnets`: of the cells, alike.
    - `path`: key of the noise.
    """

    grains: Grains
    pulse: AbstractPulse
    grid: TimeGrid
    solver: AbstractSpinSolver
    path: Key[Array, ""]
    values: tuple[Array, ...]
    magnets: Magnet
    history: ThermalHistory | None

    @staticmethod
    def of(grains: Grains, pulse: AbstractPulse, grid: TimeGrid, solver: AbstractSpinSolver, path: Key[Array, ""]) -> _Film:
        values = (grains.Bk, grains.volume, grains.bias)
        magnets = jax.vmap(lambda *v: grains.one(*v).magnet)(*values)
        return _Film(grains, pulse, grid, solver, path, values, magnets, grains.cell.history(pulse))

    def enter(self, m: Vector) -> Vector:
        """The solver's state that starts from m."""
        y = self._held(m, self._each(self.solver.enter, m))
        return jax.tree.map(lambda x: jnp.asarray(x, self.grid.dt.dtype), y)

    def step(self, streams: Array, i: Array, y: Vector) -> Vector:
        """The state after step number `i`; `streams` number the noise of the cells."""
        count = self._count(i)
        normals = jax.vmap(lambda n: StepPath(self.path, n, self.solver.normal).evaluate(count))(streams)
        return self._held(y, self._each(lambda dynamics, y, w: self.solver.advance(dynamics, count, y, w), y, normals))

    def seen(self, m0: Vector, y: Vector, i: Array) -> Vector:
        """m after `i` steps from `m0`, of the state y."""
        return self._held(m0, self._each(lambda dynamics, y: self.solver.leave(dynamics, self._count(i), y), y))

    def _each(self, function, state: Vector, *others) -> Vector:
        field = _neighbours_field(self.grains, state)
        return jax.vmap(lambda m, magnet, B, v, *o: function(self._dynamics(magnet, B, v), m, *o))(
            state, self.magnets, field, self.values, *others
        )

    def _dynamics(self, magnet: Magnet, neighbours_field: Vector, values: tuple[Array, ...]) -> Dynamics:
        device = self.grains.one(*values)
        device = eqx.tree_at(lambda d: d.terms, device, (*device.terms, AppliedField(neighbours_field.array())))
        return Dynamics(device, magnet, self.pulse, self.grid.dt, self.history)

    def _held(self, before: Vector, after: Vector) -> Vector:
        return jax.tree.map(lambda a, b: jnp.where(self.grains.fixed, a, b), before, after)

    def _count(self, i: Array) -> Array:
        return jnp.asarray(i, self.grid.dt.dtype)


def _well(grains: Grains, sign: Scalar, *values: Array) -> StartWell:
    cell = grains.one(*values)
    return StartWell.of(eqx.tree_at(lambda d: d.start, cell, sign * cell.start))


def _neighbours_field(grains: Grains, m: Vector) -> Vector:
    """Coupling times the sum of the neighbours' m.start, along the start direction, T.

    Without the parts across it: taken from the step before, they would lag behind the precession and feed it.
    """
    axis = Vector.of(grains.cell.start)
    padded = jnp.append(m @ axis, 0.0)
    strength = grains.coupling * jnp.sum(padded[grains.neighbours], axis=-1)
    return Vector(strength * axis.x, strength * axis.y, strength * axis.z)
