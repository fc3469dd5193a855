"""Thermal ensembles of macrospin trajectories: the one place that calls `diffrax.diffeqsolve`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import diffrax as dfx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Key

from mtjax.checks import Count, Duration, Within, checked
from mtjax.constants import NS
from mtjax.devices import Device, Stack
from mtjax.dynamics.llg import prepare, thermal
from mtjax.dynamics.solvers import AbstractSpinSolver, Adaptive, SplitStep
from mtjax.dynamics.stack_start import well_of
from mtjax.dynamics.steps import TimeGrid, make_grid
from mtjax.parallel import over_blocks
from mtjax.printing import Shown, with_unit
from mtjax.pulses import AbstractPulse, off
from mtjax.quantities import Numbers, Scalar, as_direction, as_scalar, is_known, require
from mtjax.vector import Vector

CHUNK = 512
"""Trajectories that are integrated side by side: few enough for the cache, many enough for the vector units."""
_FEW = 16
"""So many or fewer trajectories have a program of their own."""


class Trajectories(Shown):
    """An ensemble of trajectories.

    - `ts`: saved times, shape (times,), s.
    - `ms`: unit vectors, shape (samples, times, 3); of a stack (samples, times, layers, 3).
    - `dt`: the step that was taken, s (`nan` for adaptive steps).
    - `solver`: what took it.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.simulate(device, pulse, samples=16, key=jax.random.key(0), save=6, dt=2e-11)
    >>> found.ms.shape, f"{found.ts[-1] * 1e9:.1f} ns in steps of {found.dt * 1e12:.0f} ps"
    ((16, 6, 3), '5.0 ns in steps of 20 ps')
    """

    ts: Float[Array, " times"]
    ms: Float[Array, "samples times *layers 3"]
    dt: Scalar
    solver: AbstractSpinSolver | Adaptive

    def __str__(self) -> str:
        """Sizes, time span, step and final mean magnetisation."""
        samples, times = self.ms.shape[:2]
        means = np.asarray(jnp.mean(self.ms[:, -1], axis=0)).reshape(-1, 3)
        mean = ", ".join(f"({x:.4f}, {y:.4f}, {z:.4f})" for x, y, z in means)
        step = "adaptive steps" if isinstance(self.solver, Adaptive) else f"steps of {with_unit(self.dt, 's')}"
        return (
            f"Trajectories: {samples} samples, {times} times up to {with_unit(self.ts[-1], 's')}, "
            f"{type(self.solver).__name__} with {step}; final mean m = {mean}"
        )


class Passages(Shown):
    """First-passage times of an ensemble.

    - `times`: shape (samples,), s; infinite where the level was not reached.
    - `duration`: how long was watched, s.
    - `dt`: the step, and with it the resolution of the times, s.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.first_passage(device, pulse, samples=16, key=jax.random.key(0), dt=2e-11)
    >>> found.times.shape, f"watched for {found.duration * 1e9:.1f} ns"
    ((16,), 'watched for 5.0 ns')
    """

    times: Float[Array, " samples"]
    duration: Scalar
    dt: Scalar

    def __str__(self) -> str:
        """How many passed, and the median time."""
        times = np.asarray(self.times)
        median = with_unit(np.median(times), "s") if np.isfinite(np.median(times)) else "not reached"
        share = np.mean(np.isfinite(times))
        return f"Passages: {share:.1%} of {times.size} samples within {with_unit(self.duration, 's')}; median {median}"


@checked
def simulate(
    device: Device | Stack,
    pulse: AbstractPulse | None = None,
    duration: Duration | None = None,
    *,
    samples: Count = 1,
    key: Key[Array, ""] | None = None,
    save: int | Annotated[Numbers, Within(least=0.0, unit="s")] = 101,
    start: Numbers | None = None,
    solver: AbstractSpinSolver | Adaptive | None = None,
    dt: Duration | None = None,
    chunk: Count = CHUNK,
    adjoint: dfx.AbstractAdjoint | None = None,
    progress_meter: dfx.AbstractProgressMeter | None = None,
) -> Trajectories:
    """Integrate the stochastic LLG equation for `samples` independent copies of `device`, or a stack, under `pulse`.

    - `pulse`: current waveform; `None` for no current.
    - `duration`: s; `None` for the pulse and the time the device needs to settle (`settling_time`).
    - `key`: a `jax.random` key; may be left out at temperature 0. Sample number n has the same trajectory whatever
      the number of samples and the `chunk`.
    - `save`: how many evenly spaced times to save, both ends included (1: the final state only), or the times, s.
      The step is shortened so that evenly spaced times fall on steps; other times are interpolated.
    - `start`: unit vectors, shape (3,) or (samples, 3), of a stack (layers, 3) or (samples, layers, 3);
      `None` draws from Boltzmann's distribution in the starting well
      (`mtjax.dynamics.start`), its bottom at temperature 0. No gradient passes through a drawn start.
    - `solver`: `SplitStep()` by default; `Heun()`; `Adaptive()` at temperature 0.
    - `dt`: longest step, s; by default `default_step(device, pulse, solver)`. The step taken is in the result.
    - `chunk`: trajectories side by side; bounds the memory of the integration, not of the result. Fewer are filled up to
      512 (up to 16, if there are no more), so that another number of `samples` needs no new compilation.
    - `adjoint`, `progress_meter`: diffrax's. Gradients through trajectories (`jax.grad` of a smooth read-out) are exact
      for the discretised path; for switching probabilities they are useless (a step has no slope): use
      `switching_probability`.

    Raises `ValueError` where the key is missing, a number is out of range, or `Adaptive` meets a temperature.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.simulate(device, pulse, samples=16, key=jax.random.key(0), save=6, dt=2e-11)
    >>> along = found.ms @ device.start  # of every sample at every saved time
    >>> f"{along[:, 0].mean():.2f} at the start, {(along[:, -1] < 0).sum()} of 16 switched"
    '0.99 at the start, 10 of 16 switched'
    """
    pulse = off() if pulse is None else pulse
    solver = SplitStep() if solver is None else solver
    key, start = _checked(device, samples, chunk, key, start)
    if isinstance(solver, Adaptive):
        if not _is_cold(device):
            raise ValueError(f"`Adaptive` needs temperature 0, but the temperature is {_heat(device)}.")
        grid = make_grid(device, pulse, duration, dt, save, SplitStep())
        ms = _ensemble(device, pulse, grid, key, start, samples, chunk, _adaptive_path, (solver,))
        return Trajectories(grid.ts, ms, jnp.asarray(jnp.nan), solver)
    grid = make_grid(device, pulse, duration, dt, save, solver)
    options = (solver, adjoint or dfx.RecursiveCheckpointAdjoint(), progress_meter or dfx.NoProgressMeter())
    ms = _ensemble(device, pulse, grid, key, start, samples, chunk, _thermal_path, options)
    return Trajectories(grid.ts, ms, grid.dt, solver)


@checked
def first_passage(
    device: Device,
    pulse: AbstractPulse | None = None,
    duration: Duration | None = None,
    *,
    samples: Count,
    key: Key[Array, ""] | None = None,
    level: Annotated[ArrayLike, Within(least=-1.0, most=1.0, single=True)] = 0.0,
    start: Numbers | None = None,
    solver: AbstractSpinSolver | None = None,
    dt: Duration | None = None,
    chunk: Count = CHUNK,
) -> Passages:
    """When each of `samples` copies of `device` first has m.start <= `level`.

    `pulse`, `duration`, `key`, `start`, `solver`, `dt` and `chunk` are those of `simulate`. A chunk stops when its last
    trajectory has passed. The times are resolved to one step.
    Raises `ValueError` as `simulate` does, and for a `level` beyond -1 and 1.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> found = mtj.first_passage(device, pulse, samples=16, key=jax.random.key(0), dt=2e-11)
    >>> f"{(found.times < 5e-9).sum()} of 16 over the equator, the first after {found.times.min() * 1e9:.1f} ns"
    '10 of 16 over the equator, the first after 3.1 ns'
    """
    require({"level": level}, "level", least=-1.0, most=1.0)
    pulse = off() if pulse is None else pulse
    solver = SplitStep() if solver is None else solver
    key, start = _checked(device, samples, chunk, key, start)
    grid = make_grid(device, pulse, duration, dt, 1, solver)
    times = _ensemble(device, pulse, grid, key, start, samples, chunk, _passage_path, (solver, as_scalar(level)))
    return Passages(times, grid.dt * grid.number, grid.dt)


def _ensemble(device, pulse, grid: TimeGrid, key, start, samples: int, chunk: int, path: Callable[..., Any], options):
    """`path` for every sample, at most `chunk` side by side; compiled once for all devices and pulses of a kind."""
    several = start is not None and start.ndim > len(_single(device))
    shared = (device, pulse, grid, key, None if several else start, chunk, path, options)
    size = min(chunk, _FEW if samples <= _FEW else max(CHUNK, samples))
    return over_blocks(_some_paths, shared, (np.arange(samples), start if several else None), size)


def _some_paths(shared, rows):
    """The paths of some samples, by their numbers, and starts where each has its own."""
    device, pulse, grid, key, start, chunk, path, options = shared
    for_start, for_path = jax.random.split(key)
    dynamics = prepare(device, pulse, grid.dt)
    well = well_of(device) if start is None and rows[1] is None else None

    def one(row):
        sample, own = row
        m0 = dynamics.state(start if own is None else own) if well is None else well.drawn(for_start, sample)
        return path(dynamics, grid, (for_path, sample), m0, *options)

    return in_chunks(one, rows, chunk)


def _thermal_path(dynamics, grid: TimeGrid, stream, m0, solver: AbstractSpinSolver, adjoint, meter):
    """The magnetisation at the saved times, shape (times, 3)."""
    saveat = dfx.SaveAt(ts=grid.saved)
    solution = _solve(dynamics, grid, stream, m0, solver, saveat, adjoint=adjoint, progress_meter=meter)
    # `leave` by `SaveAt(fn=...)` would be worked out in every step, saved or not
    return jax.vmap(lambda t, y: solver.leave(dynamics, t, y))(grid.saved, solution.ys).array()


def _passage_path(dynamics, grid: TimeGrid, stream, m0, solver: AbstractSpinSolver, level: Scalar):
    """The time at which m.start first falls to `level`, s."""
    axis = Vector.of(dynamics.device.start)

    def passed(t, y, args, **kwargs):
        return solver.leave(args, t, y) @ axis <= level

    solution = _solve(dynamics, grid, stream, m0, solver, dfx.SaveAt(t1=True), event=dfx.Event(passed))
    reached = solution.result == dfx.RESULTS.event_occurred
    return jnp.where(reached, solution.ts[-1] * grid.dt, jnp.inf)


def _solve(dynamics, grid: TimeGrid, stream, m0, solver: AbstractSpinSolver, saveat, **kwargs: Any):
    """One trajectory, its noise from the `stream` (key, sample); time is counted in steps: exact in float32 too."""
    dtype = grid.dt.dtype
    y0 = jax.tree.map(lambda x: jnp.asarray(x, dtype), solver.enter(dynamics, m0))
    zero, one = jnp.zeros((), dtype), jnp.ones((), dtype)
    noise = dynamics.path(stream[0], stream[1], solver.normal)
    return dfx.diffeqsolve(
        dfx.ControlTerm(thermal, noise), solver, zero, grid.number, one, y0, args=dynamics, saveat=saveat,
        max_steps=grid.limit, throw=False, **kwargs,
    )  # fmt: skip


def _adaptive_path(dynamics, grid: TimeGrid, stream, m0, solver: Adaptive):
    """The magnetisation at the saved times without noise, shape (times, 3); time is counted in nanoseconds."""
    del stream
    in_ns = prepare(dynamics.device, dynamics.pulse, NS)
    tolerance = 1e-9 if grid.dt.dtype == jnp.float64 else 1e-5
    controller = dfx.ClipStepSizeController(
        dfx.PIDController(solver.rtol or tolerance, solver.atol or tolerance),
        jump_ts=jnp.sort(dynamics.pulse.breakpoints) / NS,
    )
    return dfx.diffeqsolve(
        dfx.ODETerm(in_ns.precession), solver.solver, 0.0, grid.dt * grid.number / NS, None, m0,
        saveat=dfx.SaveAt(ts=grid.ts / NS), stepsize_controller=controller, max_steps=1_000_000,
    ).ys.array()  # fmt: skip


def in_chunks(one: Callable[[Any], Any], rows: Any, chunk: int) -> Any:
    """`one` for every row (first axis of the leaves), at most `chunk` side by side."""
    number = jax.tree.leaves(rows)[0].shape[0]
    chunks = -(-number // chunk)
    size = -(-number // chunks)
    places = np.minimum(np.arange(chunks * size), number - 1).reshape(chunks, size)
    out = jax.lax.map(jax.vmap(one), jax.tree.map(lambda x: jnp.asarray(x)[places], rows))
    return jax.tree.map(lambda x: x.reshape(chunks * size, *x.shape[2:])[:number], out)


def _checked(device: Device | Stack, samples: int, chunk: int, key, start):
    if samples < 1 or chunk < 1:
        raise ValueError(f"`samples` and `chunk` must be at least 1, but are {samples} and {chunk}.")
    if key is None and not _is_cold(device):
        raise ValueError(f"`key` must be given (for example `jax.random.key(0)`), because the temperature is {_heat(device)}.")
    start = None if start is None else as_direction(start)
    one = _single(device)
    if start is not None and start.shape not in {one, (samples, *one)}:
        raise ValueError(f"`start` must have shape {one} or {(samples, *one)}, but has {start.shape}.")
    return jax.random.key(0) if key is None else key, start


def _single(device: Device | Stack) -> tuple[int, ...]:
    """Shape of one state."""
    return (len(device.layers), 3) if isinstance(device, Stack) else (3,)


def _is_cold(device: Device | Stack) -> bool:
    return is_known(device.temperature) and bool(np.all(np.asarray(device.temperature) == 0))


def _heat(device: Device | Stack) -> str:
    """The temperature of a device that is not known to be cold, for messages."""
    return f"{device.temperature} K" if is_known(device.temperature) else "not known while it is traced, as under `jit`"
