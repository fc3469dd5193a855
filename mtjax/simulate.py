"""Thermal ensembles of macrospin trajectories: the one place that calls `diffrax.diffeqsolve`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import diffrax as dfx
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Key

from mtjax.constants import NS
from mtjax.device import Device
from mtjax.equilibrium import Well
from mtjax.fields import total_field
from mtjax.llg import Dynamics, ThermalTerm, prepare
from mtjax.noise import StepPath
from mtjax.pulses import AbstractPulse, off
from mtjax.settling import default_duration
from mtjax.solvers import AbstractSpinSolver, Adaptive, SplitStep
from mtjax.sphere import points
from mtjax.types import Scalar, Vector, as_direction, as_scalar, is_known, with_unit

CHUNK = 4096
"""Trajectories that are integrated side by side: few enough for the cache, many enough for the vector units."""


class Trajectories(eqx.Module):
    """An ensemble of trajectories.

    - `ts`: saved times, shape (times,), s.
    - `ms`: unit vectors, shape (samples, times, 3).
    - `dt`: the step that was taken, s (`nan` for adaptive steps).
    - `solver`: what took it.
    """

    ts: Float[Array, " times"]
    ms: Float[Array, "samples times 3"]
    dt: Scalar
    solver: AbstractSpinSolver | Adaptive

    def __str__(self) -> str:
        """Sizes, time span, step and final mean magnetisation."""
        samples, times, _ = self.ms.shape
        mean = np.asarray(jnp.mean(self.ms[:, -1], axis=0))
        step = (
            "adaptive steps" if isinstance(self.solver, Adaptive) else f"steps of {with_unit(self.dt, 's')}"
        )
        return (
            f"Trajectories: {samples} samples, {times} times up to {with_unit(self.ts[-1], 's')}, "
            f"{type(self.solver).__name__} with {step}; final mean m = "
            f"({mean[0]:.4f}, {mean[1]:.4f}, {mean[2]:.4f})"
        )


class Passages(eqx.Module):
    """First-passage times of an ensemble.

    - `times`: shape (samples,), s; infinite where the level was not reached.
    - `duration`: how long was watched, s.
    - `dt`: the step, and with it the resolution of the times, s.
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


def simulate(
    device: Device,
    pulse: AbstractPulse | None = None,
    duration: ArrayLike | None = None,
    *,
    samples: int = 1,
    key: Key[Array, ""] | None = None,
    save: int | Float[ArrayLike, " times"] = 101,
    start: Float[ArrayLike, "*samples 3"] | None = None,
    solver: AbstractSpinSolver | Adaptive | None = None,
    dt: ArrayLike | None = None,
    chunk: int = CHUNK,
    adjoint: dfx.AbstractAdjoint | None = None,
    progress_meter: dfx.AbstractProgressMeter | None = None,
) -> Trajectories:
    """Integrate the stochastic LLG equation for `samples` independent copies of `device` under `pulse`.

    - `pulse`: current waveform; `None` for no current.
    - `duration`: s; `None` for the pulse and the time the device needs to settle (`settling_time`).
    - `key`: a `jax.random` key; may be left out at temperature 0. Sample number n has the same trajectory whatever
      the number of samples and the `chunk`.
    - `save`: how many evenly spaced times to save, both ends included (1: the final state only), or the times, s.
      The step is shortened so that evenly spaced times fall on steps; other times are interpolated.
    - `start`: unit vectors, shape (3,) or (samples, 3); `None` draws from Boltzmann's distribution in the starting well
      (`mtjax.equilibrium`), its bottom at temperature 0. No gradient passes through a drawn start.
    - `solver`: `SplitStep()` by default; `Heun()`; `Adaptive()` at temperature 0.
    - `dt`: longest step, s; by default `default_step(device, pulse, solver)`. The step taken is in the result.
    - `chunk`: trajectories side by side; bounds the memory of the integration, not of the result.
    - `adjoint`, `progress_meter`: diffrax's. Gradients through trajectories (`jax.grad` of a smooth read-out) are exact
      for the discretised path; for switching probabilities they are useless (a step has no slope): use
      `switching_probability`.

    Raises `ValueError` where the key is missing, a number is out of range, or `Adaptive` meets a temperature.
    """
    pulse = off() if pulse is None else pulse
    solver = SplitStep() if solver is None else solver
    duration = _checked_duration(default_duration(device, pulse) if duration is None else duration)
    if samples < 1 or chunk < 1:
        raise ValueError(f"`samples` and `chunk` must be at least 1, but are {samples} and {chunk}.")
    key = _checked_key(device, key)
    for_start, for_path = jax.random.split(key)
    starts = _starts(device, start, samples, for_start)
    if isinstance(solver, Adaptive):
        return _simulate_adaptive(device, pulse, duration, save, starts, samples, solver)
    dt = default_step(device, pulse, solver) if dt is None else _checked_step(dt)
    number = number_of_steps(duration, dt, save)
    dynamics = prepare(device, pulse, duration / number)
    steps = _saved_steps(number, save, dynamics.dt)
    ms = _integrate(
        dynamics, for_path, starts, samples, steps, number, solver, chunk, adjoint, progress_meter
    )
    return Trajectories(steps * dynamics.dt, ms, dynamics.dt, solver)


def first_passage(
    device: Device,
    pulse: AbstractPulse | None = None,
    duration: ArrayLike | None = None,
    *,
    samples: int,
    key: Key[Array, ""],
    level: ArrayLike = 0.0,
    solver: AbstractSpinSolver | None = None,
    dt: ArrayLike | None = None,
    chunk: int = CHUNK,
) -> Passages:
    """When each of `samples` copies of `device` first has m.start <= `level`.

    Arguments as for `simulate`. A chunk stops when its last trajectory has passed. The times are resolved to one step.
    Raises `ValueError` as `simulate` does.
    """
    pulse = off() if pulse is None else pulse
    solver = SplitStep() if solver is None else solver
    duration = _checked_duration(default_duration(device, pulse) if duration is None else duration)
    for_start, for_path = jax.random.split(_checked_key(device, key))
    starts = _starts(device, None, samples, for_start)
    dt = default_step(device, pulse, solver) if dt is None else _checked_step(dt)
    number = number_of_steps(duration, dt, 1)
    dynamics = prepare(device, pulse, duration / number)
    axis = Vector.of(device.start)

    def passed(t, y, args, **kwargs):
        return y @ axis <= level

    def one(sample):
        solution = _solve(
            dynamics, StepPath(for_path, sample), starts(sample), solver, number,
            dfx.SaveAt(t1=True), event=dfx.Event(passed),
        )  # fmt: skip
        reached = solution.result == dfx.RESULTS.event_occurred
        return jnp.where(reached, solution.ts[-1] * dynamics.dt, jnp.inf)

    return Passages(_in_chunks(one, samples, chunk), as_scalar(duration), dynamics.dt)


def default_step(device: Device, pulse: AbstractPulse, solver: AbstractSpinSolver) -> Scalar:
    """Longest step that `solver` takes by default, s.

    dt = 1 / (gamma' B / max_angle + 50 D), with B twice the largest effective field across m, over directions and
    between the pulse's peaks of either sign, and D the diffusion constant.
    """
    magnet, peak = device.layer.magnet(), pulse.peak

    def across(m, current):
        m = Vector.of(m)
        side = m.cross(total_field(device.terms, m, magnet, device.drive(current)))
        return side @ side

    currents = jnp.stack([jnp.zeros_like(peak), peak, -peak])
    squares = jax.vmap(lambda m: jax.vmap(lambda current: across(m, current))(currents))(points(64))
    angular = magnet.gamma * 2 * jnp.sqrt(jnp.max(squares))
    per_ns = angular / solver.max_angle + 50 * magnet.diffusion(device.temperature)
    return jax.lax.stop_gradient(NS / per_ns)


def _integrate(dynamics, key, starts, samples, steps, number, solver, chunk, adjoint, progress_meter):
    saveat = dfx.SaveAt(ts=steps, fn=lambda t, y, args: solver.leave(dynamics, t, y))

    def one(sample):
        path = StepPath(key, sample)
        solution = _solve(
            dynamics, path, starts(sample), solver, number, saveat,
            adjoint=adjoint or dfx.RecursiveCheckpointAdjoint(),
            progress_meter=progress_meter or dfx.NoProgressMeter(),
        )  # fmt: skip
        return solution.ys.array()

    return _in_chunks(one, samples, chunk)


def _solve(
    dynamics: Dynamics, path: StepPath, m0: Vector, solver: AbstractSpinSolver, number, saveat, **kwargs: Any
):
    """One trajectory; time is counted in steps, so that it is exact in float32 too."""
    dtype = dynamics.dt.dtype
    y0 = jax.tree.map(lambda x: jnp.asarray(x, dtype), solver.enter(dynamics, m0))
    limit = number if isinstance(number, int) else None
    return dfx.diffeqsolve(
        ThermalTerm(path), solver, jnp.zeros((), dtype), jnp.asarray(number, dtype),
        jnp.ones((), dtype), y0, args=dynamics, saveat=saveat, max_steps=limit, throw=False, **kwargs,
    )  # fmt: skip


def _simulate_adaptive(device, pulse, duration, save, starts, samples, solver: Adaptive) -> Trajectories:
    if not (is_known(device.temperature) and bool(jnp.all(device.temperature == 0))):
        raise ValueError(f"`Adaptive` needs temperature 0, but the device is at {device.temperature} K.")
    dynamics = prepare(device, pulse, NS)
    tolerance = 1e-9 if dynamics.dt.dtype == jnp.float64 else 1e-5
    controller = dfx.ClipStepSizeController(
        dfx.PIDController(solver.rtol or tolerance, solver.atol or tolerance),
        jump_ts=jnp.sort(pulse.breakpoints) / NS,
    )
    ts = _evenly(duration, save) if isinstance(save, int) else jnp.asarray(save)

    def one(sample):
        return dfx.diffeqsolve(
            dfx.ODETerm(dynamics.precession), solver.solver, 0.0, duration / NS, None, starts(sample),
            saveat=dfx.SaveAt(ts=ts / NS), stepsize_controller=controller, max_steps=1_000_000,
        ).ys.array()  # fmt: skip

    return Trajectories(ts, _in_chunks(one, samples, samples), jnp.asarray(jnp.nan), solver)


def _in_chunks(one: Callable[[Array], Any], samples: int, chunk: int) -> Any:
    """`one` for every sample number, at most `chunk` side by side."""
    chunks = -(-samples // chunk)
    size = -(-samples // chunks)
    numbers = jnp.arange(chunks * size).reshape(chunks, size)
    out = jax.lax.map(jax.vmap(one), numbers)
    return jax.tree.map(lambda x: x.reshape(chunks * size, *x.shape[2:])[:samples], out)


def _starts(device: Device, start, samples: int, key) -> Callable[[Array], Vector]:
    """The initial direction of each sample, as a function of its number."""
    if start is None:
        well = Well.of(device)
        return lambda sample: well.draw(jax.random.fold_in(key, sample))
    start = as_direction(start)
    if start.shape not in {(3,), (samples, 3)}:
        raise ValueError(f"`start` must have shape (3,) or ({samples}, 3), but has {start.shape}.")
    return lambda sample: Vector.of(start if start.ndim == 1 else start[sample % samples])


def number_of_steps(duration, dt, save) -> Any:
    """Steps of at most `dt` in `duration`, a multiple of the intervals between evenly saved times."""
    intervals = max(save - 1, 1) if isinstance(save, int) else 1
    ratio = duration / dt / intervals
    if not is_known(ratio):
        return intervals * jnp.ceil(ratio * (1 - 1e-6))
    number = intervals * max(1, math.ceil(float(ratio) * (1 - 1e-6)))
    if number > 2 ** (24 if jnp.asarray(duration).dtype == jnp.float32 else 32):
        raise ValueError(
            f"The run must take at most 2^24 steps in float32 (2^32 with `jax_enable_x64`), but would take {number}: "
            "shorten `duration`, enlarge `dt`, or use Fokker-Planck for long times."
        )
    return number


def _saved_steps(number, save, dt) -> Array:
    if not isinstance(save, int):
        return jnp.asarray(save) / dt
    return jnp.asarray(_evenly(1.0, save) * number, dt.dtype)


def _evenly(duration, save: int) -> Array:
    if save < 1:
        raise ValueError(f"`save` must be at least 1, but is {save}.")
    return jnp.linspace(0.0, 1.0, save) * duration if save > 1 else jnp.ones(1) * duration


def _checked_duration(duration) -> Array:
    duration = as_scalar(duration)
    if is_known(duration) and not bool(jnp.all(jnp.isfinite(duration) & (duration > 0))):
        raise ValueError(f"`duration` must be finite and positive, but is {duration} s.")
    return duration


def _checked_step(dt) -> Array:
    dt = as_scalar(dt)
    if is_known(dt) and not bool(jnp.all(jnp.isfinite(dt) & (dt > 0))):
        raise ValueError(f"`dt` must be finite and positive, but is {dt} s.")
    return dt


def _checked_key(device: Device, key):
    if key is not None:
        return key
    if is_known(device.temperature) and bool(jnp.all(device.temperature == 0)):
        return jax.random.key(0)
    raise ValueError(
        "`key` must be given (for example `jax.random.key(0)`), because the temperature is not 0."
    )
