"""How long a device is integrated, and in how many steps."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import checked
from mtjax.constants import NS
from mtjax.devices import Device, Stack, lowest_near, total_field
from mtjax.dynamics.solvers import AbstractSpinSolver
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, extremes
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known
from mtjax.vector import Layered, Vector, points

_DIRECTIONS = 256
"""Sets of directions of the layers of a stack."""


class TimeGrid(Shown):
    """Equal steps over a duration.

    - `dt`: one step, s.
    - `number`: of steps, a whole number held as a float.
    - `saved`: the times to keep, counted in steps, shape (times,).
    - `limit`: a bound of `number` known while compiling (reverse-mode differentiation needs one), or `None`.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> grid = mtj.dynamics.make_grid(device, pulse, 5e-9, 2e-11, 6, mtj.SplitStep())
    >>> f"{grid.number:.0f} steps of {grid.dt * 1e12:.0f} ps", [f"{t * 1e9:.0f} ns" for t in grid.ts]
    ('250 steps of 20 ps', ['0 ns', '1 ns', '2 ns', '3 ns', '4 ns', '5 ns'])
    """

    dt: Scalar
    number: Scalar
    saved: Float[Array, " times"]
    limit: int | None = eqx.field(static=True)

    @property
    def ts(self) -> Float[Array, " times"]:
        """The times to keep, s."""
        return self.saved * self.dt


def make_grid(
    device: Device | Stack,
    pulse: AbstractPulse,
    duration: ArrayLike | None,
    dt: ArrayLike | None,
    save: int | Numbers,
    solver: AbstractSpinSolver,
) -> TimeGrid:
    """The grid of a run; `None` stands for the defaults of `simulate`.

    With an integer `save` the number of steps is a multiple of the intervals between the evenly spaced saved times.
    Raises `ValueError` where a number is not positive, a saved time lies outside the run, or steps are too many.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 5e-9)
    >>> grid = mtj.dynamics.make_grid(device, pulse, 5e-9, 3e-11, 6, mtj.SplitStep())  # five intervals of whole steps
    >>> f"{grid.number:.0f} steps of {grid.dt * 1e12:.1f} ps"
    '170 steps of 29.4 ps'
    """
    total: Any = _positive("duration", default_duration(device, pulse) if duration is None else duration)
    step: Any = _positive("dt", default_step(device, pulse, solver) if dt is None else dt)
    save = _count_or_times(save)
    intervals = max(save - 1, 1) if isinstance(save, int) else 1
    known = is_known(total) and is_known(step)
    number = intervals * (np if known else jnp).ceil(total / step / intervals * (1 - 1e-6))
    limit = _limit(float(number)) if known else None
    if not isinstance(save, int):
        return TimeGrid(as_scalar(total / number), as_scalar(number), _within(save, total) / total * number, limit)
    if save < 1:
        raise ValueError(f"`save` must be at least 1, but is {save}.")
    fractions = jnp.linspace(0.0, 1.0, save) if save > 1 else jnp.ones(1)
    return TimeGrid(as_scalar(total / number), as_scalar(number), fractions * number, limit)


def _count_or_times(save: int | Numbers) -> Any:
    """A known whole number of numpy's or jax's as a plain one; anything else as it is."""
    one = np.ndim(save) == 0 and jnp.issubdtype(jnp.result_type(save), jnp.integer)
    return int(save) if one and is_known(save) else save


@eqx.filter_jit
def default_step(device: Device | Stack, pulse: AbstractPulse, solver: AbstractSpinSolver) -> Scalar:
    """Longest step that `solver` takes by default, s.

    dt = 1 / (gamma' B / angle + 50 D), with `angle` the solver's `longest`, B twice the largest effective field across m,
    over directions and between the pulse's peaks of either sign, and D the diffusion constant, at the lowest and highest
    temperature. Of a stack, the shortest that suits one of its layers in the fields of the others.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> steps = [mtj.dynamics.default_step(device, mtj.off(), solver) for solver in (mtj.SplitStep(), mtj.Heun())]
    >>> [f"{dt * 1e12:.1f} ps" for dt in steps]
    ['13.4 ps', '1.3 ps']
    """
    if isinstance(device, Stack):
        return jax.lax.stop_gradient(NS / _stack_per_ns(device, pulse, solver))
    peak, history = pulse.peak, device.history(pulse)
    extremes = [device.temperature] if history is None else [device.temperature, history.hottest]
    return jax.lax.stop_gradient(NS / jnp.max(jnp.stack([_per_ns(device, peak, solver, T) for T in extremes])))


def _per_ns(device: Device, peak: Any, solver: AbstractSpinSolver, temperature: Scalar) -> Scalar:
    """Steps per nanosecond that suit currents (A), or `Applied`, up to `peak` at a `temperature` (K)."""
    magnet = device.layer.magnet(temperature)

    def across(m, current):
        m = Vector.of(m)
        side = m.cross(total_field(device.terms, m, magnet, device.drive(current, temperature)))
        return side @ side

    squares = jax.vmap(lambda m: jax.vmap(lambda current: across(m, current))(extremes(peak)))(points(64))
    angular = magnet.gamma * 2 * jnp.sqrt(jax.lax.stop_gradient(jnp.max(squares)))
    return angular / solver.longest(magnet.alpha) + 50 * magnet.diffusion(temperature)


def _stack_per_ns(stack: Stack, pulse: AbstractPulse, solver: AbstractSpinSolver) -> Scalar:
    """Steps per nanosecond that suit a stack: every layer's fields are tried with the others in many directions."""
    histories = [layer.history(pulse) for layer in stack.layers]
    pairs = zip(stack.layers, histories, strict=True)
    hottest = [layer.temperature if history is None else history.hottest for layer, history in pairs]
    # Directions of layers that are as good as independent: every layer's own order of the same points
    orders = [np.random.default_rng(number).permutation(_DIRECTIONS) for number in range(len(stack.layers))]
    places = jnp.stack([points(_DIRECTIONS)[order] for order in orders], axis=1)

    def across(ms, current):
        ms = Layered.of(ms)
        side = ms.cross(stack.field(ms, stack.drive(current)))
        return jnp.stack((side @ side).each)

    squares = jax.vmap(lambda ms: jax.vmap(lambda current: across(ms, current))(extremes(pulse.peak)))(places)
    rates = [
        magnet.gamma * 2 * jnp.sqrt(square) / solver.longest(magnet.alpha) + 50 * magnet.diffusion(T)
        for magnet, square, T in zip(stack.magnets.each, jnp.max(squares, axis=(0, 1)), hottest, strict=True)
    ]
    return jnp.max(jnp.stack(rates))


def _limit(number: float) -> int:
    """A coarse bound of the number of steps, so that similar runs share one compilation."""
    most = 2 ** (32 if jax.config.read("jax_enable_x64") else 21)
    if number > most:
        raise ValueError(
            f"The run must take at most {most} steps (2^21 in float32, 2^32 with `jax_enable_x64`), but would take "
            f"{number:.3g}: shorten `duration`, enlarge `dt`, or use Fokker-Planck for long times."
        )
    return max(4096, 8 ** math.ceil(math.log(number, 8)))


def _positive(name: str, x: Any) -> Any:
    """`x` itself while it is traced, else as a checked number of numpy's."""
    if not is_known(x):
        return x
    x = np.asarray(x, jnp.result_type(float))
    if not np.all(np.isfinite(x) & (x > 0)):
        raise ValueError(f"`{name}` must be finite and positive, but is {x} s.")
    return x


def _within(times: Numbers, duration: Any) -> Array:
    times = jnp.atleast_1d(as_scalar(times))
    if is_known(times) and is_known(duration):
        here = np.asarray(times)
        if not np.all((here >= 0) & (here <= duration * (1 + 1e-6))):
            raise ValueError(f"The times of `save` must lie between 0 and {duration} s, but are {here}.")
    return jnp.minimum(times, duration)


@checked
@eqx.filter_jit
def settling_time(device: Device) -> Scalar:
    """How long a `device` is left alone after a pulse before it is read, s.

    Three relaxation times; none for a device with an axis of symmetry, in which the side of m does not change without
    a current but by noise, and for which published write error rates are read at the end of the pulse. Heated devices
    need four of their longest cooling time more, during which they may still switch.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_sot(40.0)
    >>> print(f"{mtj.settling_time(device) * 1e9:.2f} ns")
    2.02 ns
    """
    cooling = 0.0 if device.heating is None else device.heating.settling
    return jax.lax.stop_gradient(jnp.where(device.is_axisymmetric, 0.0, 3 * device.relaxation_time) + cooling)


def default_duration(device: Device | Stack, pulse: AbstractPulse) -> Scalar:
    """End of the pulse plus the settling time, s; at least one relaxation time."""
    if isinstance(device, Stack):
        return jax.lax.stop_gradient(pulse.end + _stack_settling(device))
    end = jax.lax.stop_gradient(pulse.end + settling_time(device))
    return jnp.where(end > 0, end, jax.lax.stop_gradient(device.relaxation_time))


@eqx.filter_jit
def _stack_settling(stack: Stack) -> Scalar:
    """Three relaxation times of the slowest layer in the field of the others at rest, and the longest cooling, s."""
    bottom = lowest_near(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array())
    curvatures = jnp.diagonal(bottom.hessian).reshape(-1, 2).mean(axis=1)
    shares = jnp.stack([magnet.moment / stack.moment for magnet in stack.magnets.each])
    rates = jnp.stack([magnet.alpha * magnet.gamma for magnet in stack.magnets.each]) * curvatures / shares
    cooling = [0.0 * layer.temperature if layer.heating is None else layer.heating.settling for layer in stack.layers]
    return 3 * NS / jnp.min(rates) + jnp.max(jnp.stack(cooling))


def read_time(device: Device, pulse: AbstractPulse, relax: ArrayLike) -> Scalar:
    """`relax` (s) after the end of the pulse, s; a thousandth of a relaxation time where that is time 0.

    >>> import mtjax as mtj
    >>> time = mtj.dynamics.read_time(mtj.presets.perpendicular_stt(40.0), mtj.Pulse(20e-6, 5e-9), 1e-9)
    >>> print(f"{time * 1e9:.0f} ns")
    6 ns
    """
    end = pulse.end + relax
    return jnp.where(end > 0, end, 1e-3 * device.relaxation_time)
