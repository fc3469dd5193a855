"""The grid of time: how long, in how many steps, and which of them are kept."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import NS
from mtjax.device import Device
from mtjax.fields import total_field
from mtjax.pulses import AbstractPulse
from mtjax.settling import default_duration
from mtjax.solvers import AbstractSpinSolver
from mtjax.sphere import points
from mtjax.types import Numbers, Scalar, Vector, as_scalar, is_known


class Grid(eqx.Module):
    """Equal steps over a duration.

    - `dt`: one step, s.
    - `number`: of steps, a whole number held as a float.
    - `saved`: the times to keep, counted in steps, shape (times,).
    - `limit`: a bound of `number` known while compiling (reverse-mode differentiation needs one), or `None`.
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
    device: Device,
    pulse: AbstractPulse,
    duration: ArrayLike | None,
    dt: ArrayLike | None,
    save: int | Numbers,
    solver: AbstractSpinSolver,
) -> Grid:
    """The grid of a run; `None` stands for the defaults of `simulate`.

    With an integer `save` the number of steps is a multiple of the intervals between the evenly spaced saved times.
    Raises `ValueError` where a number is not positive, a saved time lies outside the run, or steps are too many.
    """
    duration = _positive("duration", default_duration(device, pulse) if duration is None else duration)
    dt = _positive("dt", default_step(device, pulse, solver) if dt is None else dt)
    intervals = max(save - 1, 1) if isinstance(save, int) else 1
    number = intervals * jnp.ceil(duration / dt / intervals * (1 - 1e-6))
    limit = _limit(number)
    if not isinstance(save, int):
        return Grid(duration / number, number, _within(save, duration) / duration * number, limit)
    if save < 1:
        raise ValueError(f"`save` must be at least 1, but is {save}.")
    fractions = jnp.linspace(0.0, 1.0, save) if save > 1 else jnp.ones(1)
    return Grid(duration / number, number, fractions * number, limit)


@eqx.filter_jit
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
    angular = magnet.gamma * 2 * jnp.sqrt(jax.lax.stop_gradient(jnp.max(squares)))
    per_ns = angular / solver.max_angle + 50 * magnet.diffusion(device.temperature)
    return jax.lax.stop_gradient(NS / per_ns)


def _limit(number: Any) -> int | None:
    if not is_known(number):
        return None
    most = 2 ** (21 if number.dtype == jnp.float32 else 32)
    if float(number) > most:
        raise ValueError(
            f"The run must take at most {most} steps (2^21 in float32, 2^32 with `jax_enable_x64`), but would take "
            f"{float(number):.3g}: shorten `duration`, enlarge `dt`, or use Fokker-Planck for long times."
        )
    return 2 ** math.ceil(math.log2(float(number)))


def _positive(name: str, x: ArrayLike) -> Scalar:
    x = as_scalar(x)
    if is_known(x) and not bool(jnp.isfinite(x) & (x > 0)):
        raise ValueError(f"`{name}` must be finite and positive, but is {x} s.")
    return x


def _within(times: Numbers, duration: Scalar) -> Array:
    times = as_scalar(times)
    known = is_known(times) and is_known(duration)
    if known and not bool(jnp.all((times >= 0) & (times <= duration * (1 + 1e-6)))):
        raise ValueError(f"The times of `save` must lie between 0 and {duration} s, but are {times}.")
    return jnp.minimum(times, duration)
