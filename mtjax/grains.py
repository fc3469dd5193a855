"""A film of many cells: one current and one temperature, but every cell with its own barrier, fields and size.

A cell is a macrospin of the size that reverses at once (its activation volume). Nothing here is a rule for a neuron or a
synapse: one cell has two states, many cells have many, and heat left by earlier pulses helps later ones.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key

from mtjax.device import Device
from mtjax.equilibrium import Well
from mtjax.fields import AppliedField, ExchangeBias, UniaxialAnisotropy
from mtjax.grid import Grid, default_step, make_grid
from mtjax.llg import Dynamics, ThermalTerm
from mtjax.noise import StepPath
from mtjax.pulses import AbstractPulse
from mtjax.settling import default_duration
from mtjax.simulate import in_chunks
from mtjax.solvers import AbstractSpinSolver, SplitStep
from mtjax.torques import SpinOrbitTorque
from mtjax.types import Numbers, Scalar, Vector, as_scalar, describe, quantity, require, with_unit

CHUNK = 4096
"""Cells that are integrated side by side."""


class Spread(eqx.Module):
    """How cells differ; all distributions are assumptions of whoever uses them.

    - `Bk`: relative standard deviation of the anisotropy field, which sets a cell's threshold (lognormal).
    - `volume`: that of the activation volume, which sets its barrier together with Bk (lognormal).
    - `size`: that of the area with which it counts in the read-out (lognormal).
    - `bias`: standard deviation of the exchange bias along x, y and z, shape (3,), T (normal).
    - `fixed`: share of cells that never switch.
    """

    Bk: Scalar = quantity("", default=0.0)
    volume: Scalar = quantity("", default=0.0)
    size: Scalar = quantity("", default=0.0)
    bias: Float[Array, 3] = quantity("T", default=(0.0, 0.0, 0.0))
    fixed: Scalar = quantity("", default=0.0)

    def __check_init__(self):
        require(self, "Bk volume size bias fixed", least=0.0)
        if jnp.shape(self.bias) != (3,):
            raise ValueError(f"`bias` of Spread must have shape (3,), but has {jnp.shape(self.bias)}.")


class Grains(eqx.Module):
    """A device of many cells.

    - `cell`: the median cell, with the heating, the write path and the read-out of the whole device.
    - `Bk`: anisotropy fields, shape (cells,), T; `volume`: activation volumes over that of `cell`, shape (cells,).
    - `bias`: exchange-bias fields, shape (cells, 3), T; `size`: areas over their sum, shape (cells,).
    - `fixed`: cells that never switch, shape (cells,).
    - `neighbours`: their numbers, -1 for none, shape (cells, 4).
    - `coupling`: field of one neighbour on another, along `cell.start` and times its m.start, T; positive lets domains expand.
    """

    cell: Device
    fixed: Bool[Array, " cells"]
    neighbours: Int[Array, "cells 4"]
    Bk: Float[Array, " cells"] = quantity("T")
    volume: Float[Array, " cells"] = quantity("")
    bias: Float[Array, "cells 3"] = quantity("T")
    size: Float[Array, " cells"] = quantity("")
    coupling: Scalar = quantity("T")

    @staticmethod
    def draw(
        cell: Device,
        diameter: ArrayLike,
        *,
        pitch: ArrayLike,
        key: Key[Array, ""],
        spread: Spread | None = None,
        coupling: ArrayLike = 0.0,
    ) -> Grains:
        """A disc of `diameter` (m) with the centres of cells on a square lattice of `pitch` (m): at least one cell.

        - `cell`: the median cell; it must have one `UniaxialAnisotropy` and one `ExchangeBias`.
        - `spread`: how the others differ from it; `None` for not at all.
        - `coupling`: T.

        Raises `ValueError` where `diameter` or `pitch` is not positive, `KeyError` where `cell` lacks a term.
        """
        spread = Spread() if spread is None else spread
        neighbours = jnp.asarray(disc(float(diameter), float(pitch)))
        number = neighbours.shape[0]
        keys = jax.random.split(key, 5)

        def lognormal(key, width):
            return jnp.exp(width * jax.random.normal(key, (number,)))

        size = lognormal(keys[2], spread.size)
        return Grains(
            cell=cell,
            Bk=cell[UniaxialAnisotropy].Bk * lognormal(keys[0], spread.Bk),
            volume=lognormal(keys[1], spread.volume),
            bias=cell[ExchangeBias].B + spread.bias * jax.random.normal(keys[3], (number, 3)),
            size=size / jnp.sum(size),
            fixed=jax.random.uniform(keys[4], (number,)) < spread.fixed,
            neighbours=neighbours,
            coupling=coupling,
        )

    @property
    def number(self) -> int:
        """How many cells."""
        return self.Bk.shape[0]

    @property
    def cells(self) -> Device:
        """Every cell as a device: one whose numbers have a leading axis (cells,)."""
        return eqx.filter_vmap(self.one)(self.Bk, self.volume, self.bias)

    def one(self, Bk: Scalar, volume: Scalar, bias: Float[Array, 3]) -> Device:
        """A cell with these values."""
        shape = self.cell.layer.shape
        lengths = (shape.length * jnp.sqrt(volume), shape.width * jnp.sqrt(volume))
        cell = eqx.tree_at(lambda d: (d[UniaxialAnisotropy].Bk, d[ExchangeBias].B), self.cell, (Bk, bias))
        return eqx.tree_at(lambda d: (d.layer.shape.length, d.layer.shape.width), cell, lengths)

    def hall(self, mz: Float[Array, "*batch cells"]) -> Float[Array, "*batch"]:
        """Hall resistance of the whole device, ohm, from m along the film's normal.

        Raises `ValueError` where the cell has no read-out.
        """
        if self.cell.readout is None:
            raise ValueError("The cell must have a read-out (AnomalousHall), but has none.")
        up = jnp.asarray([0.0, 0.0, 1.0])
        return jnp.sum(self.size * self.cell.readout(mz[..., None] * up), axis=-1)

    def current(self, density: ArrayLike) -> Scalar:
        """The current (A) that gives a `density` (A/m^2) in the heavy metal."""
        torque = self.cell[SpinOrbitTorque]
        return as_scalar(density) * torque.width * torque.thickness

    def __str__(self) -> str:
        """The number of cells, medians and ranges, then the median cell."""
        lines = [
            f"Grains: {self.number} cells, {int(jnp.sum(self.fixed))} of them fixed, coupling {with_unit(self.coupling, 'T')}"
        ]
        for name, values, unit in (
            ("Bk", self.Bk, "T"),
            ("volume", self.volume, ""),
            ("B_x of the bias", self.bias[:, 0], "T"),
        ):
            low, middle, high = (with_unit(v, unit) for v in np.quantile(np.asarray(values), [0.05, 0.5, 0.95]))
            lines.append(f"  {name}: median {middle}, 90 % of cells from {low} to {high}")
        return "\n".join(lines) + "\n" + describe(self.cell, "  ")


class GrainTrajectories(eqx.Module):
    """What many cells did.

    - `ts`: saved times, shape (times,), s.
    - `mz`: m.start of every cell, shape (samples, times, cells).
    - `hall`: Hall resistance of the device, shape (samples, times), ohm.
    - `final`: m of every cell at the end, shape (samples, cells, 3).
    - `dt`: the step, s.
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


def simulate_grains(
    grains: Grains,
    pulse: AbstractPulse,
    duration: ArrayLike | None = None,
    *,
    key: Key[Array, ""],
    samples: int = 1,
    save: int = 101,
    start: Numbers | None = None,
    solver: AbstractSpinSolver | None = None,
    dt: ArrayLike | None = None,
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
    grid = make_grid(cell, pulse, duration, dt, save, solver)
    mz, final = _run(grains, pulse, grid, key, start, samples, solver, save)
    return GrainTrajectories(grid.ts, mz, grains.hall(mz), final, grid.dt)


@eqx.filter_jit
def _fastest(grains: Grains, pulse: AbstractPulse, solver: AbstractSpinSolver) -> Scalar:
    steps = jax.vmap(lambda *values: default_step(grains.one(*values), pulse, solver))(grains.Bk, grains.volume, grains.bias)
    return jnp.min(steps)


@eqx.filter_jit
def _run(grains: Grains, pulse, grid: Grid, key, start, samples: int, solver, save: int):
    """m.start at the saved times, shape (samples, times, cells), and m at the end, shape (samples, cells, 3)."""
    for_start, for_path = jax.random.split(key)
    values = (grains.Bk, grains.volume, grains.bias)
    magnets = jax.vmap(lambda *v: grains.one(*v).magnet)(*values)
    history, axis = grains.cell.history(pulse), Vector.of(grains.cell.start)
    wells = None if start.ndim == 3 else jax.vmap(lambda sign, *v: _well(grains, sign, v))(start, *values)
    intervals = max(save - 1, 1)
    stride = (grid.number / intervals).round().astype(int)

    def dynamics(magnet, neighbours_field, v):
        device = grains.one(*v)
        device = eqx.tree_at(lambda d: d.terms, device, (*device.terms, AppliedField(neighbours_field.array())))
        return Dynamics(device, magnet, pulse, grid.dt, history)

    def one(sample):
        streams = sample * grains.number + jnp.arange(grains.number)
        if wells is not None:
            m0 = jax.vmap(lambda well, n: well.draw(StepPath(for_start, n)))(wells, streams)
        else:
            m0 = Vector.of(start[jnp.minimum(sample, samples - 1)])

        def each(function, state, *others):
            field = _neighbours_field(grains, state)
            return jax.vmap(lambda m, magnet, B, v, *o: function(dynamics(magnet, B, v), m, *o))(
                state, magnets, field, values, *others
            )

        def step(i, y):
            count = jnp.asarray(i, grid.dt.dtype)
            normals = jax.vmap(lambda n: ThermalTerm(StepPath(for_path, n), solver.normal).contr(count, count + 1))(streams)
            moved = each(lambda dynamics, y, w: solver.advance(dynamics, count, y, w), y, normals)
            return jax.tree.map(lambda a, b: jnp.where(grains.fixed, a, b), y, moved)

        def seen(y, count):
            m = each(lambda dynamics, y: solver.leave(dynamics, jnp.asarray(count, grid.dt.dtype), y), y)
            return jax.tree.map(lambda a, b: jnp.where(grains.fixed, a, b), m0, m)

        def interval(y, number):
            y = jax.lax.fori_loop(number * stride, (number + 1) * stride, step, y)
            return y, seen(y, (number + 1) * stride) @ axis

        y0 = jax.tree.map(lambda x: jnp.asarray(x, grid.dt.dtype), each(solver.enter, m0))
        y, mz = jax.lax.scan(interval, y0, jnp.arange(intervals))
        first = [(m0 @ axis)[None].astype(mz.dtype)] if save > 1 else []
        return jnp.concatenate([*first, mz]), seen(y, stride * intervals).array()

    return in_chunks(one, jnp.arange(samples), max(CHUNK // grains.number, 1))


def _well(grains: Grains, sign: Scalar, values) -> Well:
    cell = grains.one(*values)
    return Well.of(eqx.tree_at(lambda d: d.start, cell, sign * cell.start))


def _neighbours_field(grains: Grains, m: Vector) -> Vector:
    """Coupling times the sum of the neighbours' m.start, along the start direction, T.

    Without the parts across it: taken from the step before, they would lag behind the precession and feed it.
    """
    axis = Vector.of(grains.cell.start)
    padded = jnp.append(m @ axis, 0.0)
    strength = grains.coupling * jnp.sum(padded[grains.neighbours], axis=-1)
    return Vector(strength * axis.x, strength * axis.y, strength * axis.z)


def disc(diameter: float, pitch: float) -> Int[np.ndarray, "cells 4"]:
    """Neighbours (-1: none) of the points of a square lattice within a disc, one of them at its centre.

    Raises `ValueError` where `diameter` or `pitch` is not positive.
    """
    if not (diameter > 0 and pitch > 0):
        raise ValueError(f"`diameter` and `pitch` must be positive, but are {diameter} and {pitch} m.")
    reach = int(diameter / 2 / pitch)
    places = np.stack(np.meshgrid(*2 * [np.arange(-reach, reach + 1)]), -1).reshape(-1, 2)
    places = places[np.hypot(*places.T) * pitch <= diameter / 2 * (1 + 1e-9)]
    index = {tuple(place): i for i, place in enumerate(places)}
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
    return np.array([[index.get((x + dx, y + dy), -1) for dx, dy in steps] for x, y in places])
