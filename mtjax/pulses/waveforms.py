"""Current waveforms: functions of time that add, scale and shift, differentiable in every number.

A solver step sees the mean of the waveform over the step, `pulse.mean(t, dt)`, worked out exactly. An edge may therefore
fall anywhere inside a step: the step is exact to second order in its length and smooth in the position of the edge.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.constants import TAU
from mtjax.files import as_number, read_rows
from mtjax.pulses.waveform import AbstractPulse, require_single
from mtjax.quantities import Scalar, is_known, quantity

_STRETCHES = 251
"""Of a sine burst, for quadratures; a prime, so that they meet whole numbers of periods at changing phases."""


class Pulse(AbstractPulse):
    """One rectangular or trapezoidal pulse.

    - `amplitude`: A (negative currents are allowed).
    - `width`: between the half-height points of the edges, s, so that the charge is amplitude times width.
    - `delay`: start of the rising edge, s.
    - `rise`, `fall`: durations of the edges, s.

    Raises `ValueError` where a number is not finite, a time is negative, or the width is shorter than half the edges.

    >>> import mtjax as mtj
    >>> pulse = mtj.Pulse(100e-6, 1e-9, rise=0.2e-9, fall=0.4e-9)
    >>> print(f"{pulse(0.1e-9) * 1e6:.0f} uA half-way up; it ends after {pulse.end * 1e9:.1f} ns")
    50 uA half-way up; it ends after 1.3 ns
    """

    amplitude: Scalar = quantity("A")
    width: Scalar = quantity("s", least=0.0)
    delay: Scalar = quantity("s", least=0.0, default=0.0)
    rise: Scalar = quantity("s", least=0.0, default=0.0)
    fall: Scalar = quantity("s", least=0.0, default=0.0)

    def __check_init__(self):
        edges = (self.rise + self.fall) / 2
        if is_known(edges) and is_known(self.width) and np.any(np.asarray(edges) > 1.000001 * np.asarray(self.width)):
            raise ValueError(f"`width` of Pulse must be at least (rise + fall)/2 = {edges} s, but is {self.width} s.")

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        up, down = self._edges
        return self.amplitude * (_ramp(t - up, self.rise) - _ramp(t - down, self.fall))

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A."""
        up, down = self._edges
        return self.amplitude * (_mean_ramp(t - up, self.rise, dt) - _mean_ramp(t - down, self.fall, dt))

    @property
    def _edges(self) -> tuple[Scalar, Scalar]:
        return self.delay, self.delay + self.width + (self.rise - self.fall) / 2

    @property
    def breakpoints(self) -> Float[Array, " 4"]:
        """Start and end of both edges, s."""
        up, down = self._edges
        return jnp.stack([up, up + self.rise, down, down + self.fall])

    @property
    def peak(self) -> Scalar:
        """|amplitude|, A."""
        return jnp.abs(self.amplitude)


class Train(AbstractPulse):
    """The same waveform several times.

    - `pulse`: the waveform; it must end before the next one starts.
    - `number`: how often (a plain integer).
    - `period`: from start to start, s.

    Raises `ValueError` where the number is below 1, or the period is not positive or shorter than the waveform.

    >>> import mtjax as mtj
    >>> train = mtj.Train(mtj.Pulse(100e-6, 1e-9), number=5, period=4e-9)
    >>> print(f"{train(16.5e-9) * 1e6:.0f} uA in the fifth pulse, {train.mean(0.0, 4e-9) * 1e6:.0f} uA on average")
    100 uA in the fifth pulse, 25 uA on average
    """

    pulse: AbstractPulse
    number: int = eqx.field(static=True)
    period: Scalar = quantity("s", positive=True)

    def __check_init__(self):
        require_single(self, self.pulse)
        if self.number < 1:
            raise ValueError(f"`number` of Train must be at least 1, but is {self.number}.")
        end = self.pulse.end
        if is_known(end) and is_known(self.period) and np.any(np.asarray(end) > 1.000001 * np.asarray(self.period)):
            raise ValueError(f"`period` of Train must be at least the pulse's end {end} s, but is {self.period} s.")

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        return self.pulse(t - self.period * self._turn(t))

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A; exact for steps shorter than the period."""
        turn = self._turn(t)
        local = t - self.period * turn
        following = jnp.where(turn + 1 < self.number, self.pulse.mean(local - self.period, dt), 0.0)
        return self.pulse.mean(local, dt) + following

    def _turn(self, t: ArrayLike) -> Array:
        return jnp.clip(jnp.floor(jax.lax.stop_gradient(t / self.period)), 0, self.number - 1)

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Those of every repetition, s."""
        starts = self.period * jnp.arange(self.number)
        return (starts[:, None] + self.pulse.breakpoints).ravel()

    @property
    def knots(self) -> Float[Array, " n"]:
        """Those of every repetition, s."""
        return (self.period * jnp.arange(self.number)[:, None] + self.pulse.knots).ravel()

    @property
    def peak(self) -> Scalar:
        """That of the single waveform, A."""
        return self.pulse.peak


class Sine(AbstractPulse):
    """A sine burst: amplitude sin(2 pi frequency (t - delay) + phase).

    - `amplitude`: A; `frequency`: Hz; `width`: length of the burst, s; `phase`: rad; `delay`: start, s.

    Raises `ValueError` where a number is not finite, the frequency is not positive, or a time is negative.

    >>> import mtjax as mtj
    >>> burst = mtj.Sine(100e-6, frequency=1e9, width=10e-9)
    >>> print(f"{burst(0.25e-9) * 1e6:.0f} uA at 0.25 ns, {burst(0.75e-9) * 1e6:.0f} uA at 0.75 ns")
    100 uA at 0.25 ns, -100 uA at 0.75 ns
    """

    amplitude: Scalar = quantity("A")
    frequency: Scalar = quantity("Hz", positive=True)
    width: Scalar = quantity("s", least=0.0)
    phase: Scalar = quantity("rad", default=0.0)
    delay: Scalar = quantity("s", least=0.0, default=0.0)

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        x = t - self.delay
        inside = (x >= 0) & (x < self.width)
        return jnp.where(inside, self.amplitude * jnp.sin(TAU * self.frequency * x + self.phase), 0.0)

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A: the value at the middle times a sinc, exactly."""
        before, after = _outside(t - self.delay, self.width, dt)
        inside = dt - before - after
        middle = (t - self.delay) + before + inside / 2
        wave = jnp.sin(TAU * self.frequency * middle + self.phase) * jnp.sinc(self.frequency * inside)
        return self.amplitude * wave * (inside / dt)

    @property
    def breakpoints(self) -> Float[Array, " 2"]:
        """Start and end, s."""
        return jnp.stack([self.delay, self.delay + self.width])

    @property
    def knots(self) -> Float[Array, " n"]:
        """Start, end, and equal stretches between, s."""
        return self.delay + self.width * jnp.linspace(0.0, 1.0, _STRETCHES + 1)

    @property
    def peak(self) -> Scalar:
        """|amplitude|, A."""
        return jnp.abs(self.amplitude)


class PiecewiseLinear(AbstractPulse):
    """A measured or designed waveform: straight lines between points, zero outside them.

    - `times`: increasing, from 0 or later on, shape (n,), s.
    - `currents`: shape (n,), A.

    Raises `ValueError` where a number is not finite, the shapes differ, or the times are negative or do not increase.

    >>> import mtjax as mtj
    >>> measured = mtj.PiecewiseLinear([0.0, 0.2e-9, 1.0e-9, 1.5e-9], [0.0, 110e-6, 100e-6, 0.0])
    >>> print(f"{measured(0.6e-9) * 1e6:.0f} uA at 0.6 ns, {measured.peak * 1e6:.0f} uA at most")
    105 uA at 0.6 ns, 110 uA at most
    """

    times: Float[Array, " n"] = quantity("s", least=0.0)
    currents: Float[Array, " n"] = quantity("A")

    def __check_init__(self):
        if self.times.shape != self.currents.shape or self.times.shape[-1] < 2:
            raise ValueError(
                "`times` and `currents` of PiecewiseLinear must have the same length, at least 2, but have shapes "
                f"{self.times.shape} and {self.currents.shape}."
            )
        if is_known(self.times) and not np.all(np.diff(np.asarray(self.times)) > 0):
            raise ValueError("`times` of PiecewiseLinear must increase strictly, but do not.")

    @staticmethod
    def read_csv(path: str | PathLike[str], time: str = "t", current: str = "I") -> PiecewiseLinear:
        """The waveform in the columns `time` (s) and `current` (A) of a CSV file; raises `ValueError` otherwise."""
        rows = read_rows(Path(path))
        missing = {time, current} - set(rows[0])
        if missing:
            raise ValueError(
                f"{str(path)!r} must have rows with the columns {time!r} and {current!r}, but lacks {sorted(missing)}."
            )
        times, currents = (
            np.array([as_number(row[name], name, i + 1, path) for i, row in enumerate(rows)]) for name in (time, current)
        )
        return PiecewiseLinear(times, currents)

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        return jnp.interp(t, self.times, self.currents, left=0.0, right=0.0)

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A."""
        starts, rises, jumps = self._ramps
        return jnp.sum(jumps * _mean_ramp(t - starts, rises, dt))

    @property
    def _ramps(self) -> tuple[Array, Array, Array]:
        t, I = self.times, self.currents
        zero = jnp.zeros_like(t[:1])
        starts = jnp.concatenate([t[:1], t[:-1], t[-1:]])
        rises = jnp.concatenate([zero, jnp.diff(t), zero])
        return starts, rises, jnp.concatenate([I[:1], jnp.diff(I), -I[-1:]])

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """The points' times, s."""
        return self.times

    @property
    def peak(self) -> Scalar:
        """Largest absolute current, A."""
        return jnp.max(jnp.abs(self.currents))


def off() -> Pulse:
    """No current at all: for equilibrium, retention and telegraph noise.

    >>> import mtjax as mtj
    >>> print(f"{mtj.off().peak:.0f} A for {mtj.off().end:.0f} s")
    0 A for 0 s
    """
    return Pulse(0.0, 0.0)


def _ramp(x: Array, rise: Array) -> Array:
    """0 before x = 0, 1 from x = `rise` on, straight between."""
    safe = jnp.where(rise > 0, rise, 1.0)
    return jnp.where(rise > 0, jnp.clip(x / safe, 0.0, 1.0), jnp.where(x >= 0, 1.0, 0.0))


def _mean_ramp(x: Array, rise: Array, dt: ArrayLike) -> Array:
    """Mean of `_ramp` from x to x + dt, without cancellation when x is much longer than dt."""
    low, high = jnp.clip(x, 0.0, rise), jnp.clip(x + dt, 0.0, rise)
    safe = jnp.where(rise > 0, rise, 1.0)
    on_edge = jnp.where(rise > 0, (high - low) * (high + low) / (2 * safe), 0.0)
    return (on_edge + jnp.clip(x - rise + dt, 0.0, dt)) / dt


def _outside(x: Array, width: Array, dt: ArrayLike) -> tuple[Array, Array]:
    """How much of x ... x + dt lies before 0 and after `width`."""
    before = jnp.clip(-x, 0.0, dt)
    return before, jnp.clip(x - width + dt, 0.0, dt - before)


class Steps(AbstractPulse):
    """Rectangular pulses of one width at equal intervals, each with its own amplitude: loops, ramps, random spikes.

    - `amplitudes`: shape (n,), A.
    - `width`: s.
    - `period`: from start to start, at least the width, s.

    Raises `ValueError` where a number is not finite or out of its range, or `amplitudes` is a single number.

    >>> import mtjax as mtj
    >>> ramp = mtj.Steps([20e-6, 40e-6, 60e-6], width=1e-9, period=10e-9)
    >>> print(f"{ramp(20.5e-9) * 1e6:.0f} uA in the third pulse, {ramp.end * 1e9:.0f} ns in all")
    60 uA in the third pulse, 30 ns in all
    """

    amplitudes: Float[Array, " n"] = quantity("A")
    width: Scalar = quantity("s", least=0.0)
    period: Scalar = quantity("s", positive=True)

    def __check_init__(self):
        if self.amplitudes.size < 1:
            raise ValueError("`amplitudes` of Steps must be one number or more, but are none.")
        if is_known(self.width) and is_known(self.period) and np.any(np.asarray(self.width) > np.asarray(self.period)):
            raise ValueError(f"`period` of Steps must be at least the width {self.width} s, but is {self.period} s.")

    def __call__(self, t: ArrayLike) -> Array:
        """Current at time `t` (s), A."""
        turn = self._turn(t)
        local = t - self.period * turn
        return jnp.where((local >= 0) & (local < self.width), self.amplitudes[turn], 0.0)

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Array:
        """Mean current from `t` to `t + dt` (s), A; exact for steps shorter than the period."""
        turn = self._turn(t)
        last = self.amplitudes.shape[0] - 1
        following = jnp.where(turn < last, self.amplitudes[jnp.minimum(turn + 1, last)], 0.0)
        local = t - self.period * turn
        return (self.amplitudes[turn] * self._covered(local, dt) + following * self._covered(local - self.period, dt)) / dt

    def _turn(self, t: ArrayLike) -> Array:
        last = self.amplitudes.shape[0] - 1
        return jnp.clip(jnp.floor(jax.lax.stop_gradient(t / self.period)), 0, last).astype(int)

    def _covered(self, local: Array, dt: ArrayLike) -> Array:
        return jnp.clip(jnp.minimum(local + dt, self.width) - jnp.maximum(local, 0.0), 0.0)

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Start and end of every pulse, s."""
        starts = self.period * jnp.arange(self.amplitudes.shape[0])
        return jnp.stack([starts, starts + self.width], axis=1).ravel()

    @property
    def peak(self) -> Scalar:
        """Largest absolute amplitude, A."""
        return jnp.max(jnp.abs(self.amplitudes))

    @property
    def end(self) -> Scalar:
        """End of the last period, s: each pulse is followed by its interval."""
        return self.period * self.amplitudes.shape[0]
