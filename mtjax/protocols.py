"""Pulse sequences of neuron and synapse experiments: pairs, amplitude sequences, loops."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.pulses import AbstractPulse, Pulse, Sum
from mtjax.types import Scalar, as_scalar, is_known, quantity, require


class Steps(AbstractPulse):
    """Rectangular pulses of one width at equal intervals, each with its own amplitude: loops, ramps, random spikes.

    - `amplitudes`: shape (n,), A.
    - `width`: s.
    - `period`: from start to start, at least the width, s.
    """

    amplitudes: Float[Array, " n"] = quantity("A")
    width: Scalar = quantity("s")
    period: Scalar = quantity("s")

    def __check_init__(self):
        require(self, "amplitudes")
        require(self, "width", least=0.0)
        require(self, "period", positive=True)
        if self.amplitudes.ndim < 1:
            raise ValueError(f"`amplitudes` of Steps must have shape (n,), but is {self.amplitudes}.")
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


def pair(pre: AbstractPulse, post: AbstractPulse, delay: ArrayLike) -> Sum:
    """`pre` and `post`, the latter `delay` seconds after the former, start to start; a negative delay puts it first."""
    delay = as_scalar(delay)
    return Sum((pre.shifted(jnp.maximum(-delay, 0.0)), post.shifted(jnp.maximum(delay, 0.0))))


def opposite_pair(amplitude: ArrayLike, width: ArrayLike, delay: ArrayLike) -> Sum:
    """A `pair` of rectangular pulses `delay` (s) apart: `pre` of `amplitude` (A), `post` opposite, both of `width` (s)."""
    pre = Pulse(amplitude, width)
    return pair(pre, -pre, delay)


def loop(peak: ArrayLike, number: int, *, lowest: ArrayLike | None = None) -> Float[Array, " n"]:
    """Amplitudes of a loop, A: from 0 up to `peak`, down to `lowest` and back up to `peak`, `number` steps per leg.

    - `lowest`: A; `None` for minus `peak`. A minor loop has a `lowest` of smaller size.

    Raises `ValueError` where `number` is not positive.
    """
    if number < 1:
        raise ValueError(f"`number` must be at least 1, but is {number}.")
    peak = as_scalar(peak)
    lowest = -peak if lowest is None else as_scalar(lowest)
    up, down, back = (jnp.linspace(a, b, number + 1) for a, b in ((0.0, peak), (peak, lowest), (lowest, peak)))
    return jnp.concatenate([up, down[1:], back[1:]])
