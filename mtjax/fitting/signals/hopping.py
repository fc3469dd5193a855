"""Likelihood of a sampled signal that hops between two levels: a hidden Markov chain behind a low pass, noise and drift."""

from __future__ import annotations

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Bool, Float

NUMBERS = ("level_down", "gap", "noise_down", "noise_up", "rate_down", "rate_up", "speed", "creep")
"""What the likelihood depends on, in this order: the level as it is, the others by their logarithms."""
_BLOCK = 64
_LANES, _LENGTH, _WARM = 256, 2000, 256
_TINY = 1e-290


class Kind(NamedTuple):
    """Which parts the model has.

    - `lowpass`: "none"; or a first-order one with the noise added "after" it, or "before" it.
    - `drift`: whether both levels creep together, as a random walk.
    """

    lowpass: Literal["none", "after", "before"] = "none"
    drift: bool = False

    @property
    def free(self) -> np.ndarray:
        """Which of `NUMBERS` it has, shape (k,)."""
        return np.flatnonzero([*[True] * 6, self.lowpass != "none", self.drift])


class Lanes(eqx.Module):
    """A trace in pieces that are worked on side by side; each begins with the end of the one before, which counts there only.

    - `signal`, `live` (a sample, not padding), `counted`: shape (steps, lanes).
    - `offset`, `doubt`: drift where each piece begins, and its variance, shape (lanes,).
    - `floor`: variance that the reading has in any case, for its finite resolution.
    """

    signal: Float[Array, "steps lanes"]
    live: Bool[Array, "steps lanes"]
    counted: Bool[Array, "steps lanes"]
    offset: Float[Array, " lanes"]
    doubt: Float[Array, " lanes"]
    floor: Float[Array, ""]


class Seen(NamedTuple):
    """What is known of every sample from those up to it, shape (steps, lanes), and (steps, lanes, 2) by state.

    - `log_likelihood`: of the sample; `up`: the probability that the state is up; `offset`, `doubt`: mean and variance of the
      drift; `rank`: the share of the predicted distribution below the sample.
    """

    log_likelihood: Array
    up: Array
    offset: Array
    doubt: Array
    rank: Array


def in_lanes(signal: Float[np.ndarray, " n"], *, floor: float = 0.0, lanes: int | None = None) -> Lanes:
    """A trace in pieces; in one with `lanes=1`."""
    n = len(signal)
    lanes = int(np.clip(n // _LENGTH, 1, _LANES)) if lanes is None else lanes
    length, warm = -(-n // lanes), _WARM if lanes > 1 else 0
    steps = _rounded(length + warm)
    index = np.arange(steps)[:, None] - warm + length * np.arange(lanes)
    within = np.arange(steps)[:, None] < length + warm
    live = (index >= 0) & (index < n) & within
    counted = live & (np.arange(steps)[:, None] >= warm)
    zero = np.zeros(lanes)
    return Lanes(*map(jnp.asarray, (signal[np.clip(index, 0, n - 1)], live, counted, zero, zero, np.asarray(floor))))


def begins(lanes: Lanes) -> np.ndarray:
    """The number of the sample with which each piece begins, shape (lanes,)."""
    length = int(np.asarray(lanes.counted)[:, 0].sum())
    warm = np.argmax(np.asarray(lanes.counted), axis=0)
    return length * np.arange(len(warm)) - warm


def joined(values: Array, lanes: Lanes) -> np.ndarray:
    """One number for each sample, in the order of the trace."""
    return np.asarray(values).T[np.asarray(lanes.counted).T]


def _rounded(steps: int) -> int:
    """At least `steps`, in whole blocks, of few different sizes: every size is compiled anew."""
    blocks = -(-steps // _BLOCK)
    grain = 2 ** max(blocks.bit_length() - 4, 0)
    return -(-blocks // grain) * grain * _BLOCK


def log_likelihood(numbers: Float[Array, " 8"], lanes: Lanes, kind: Kind) -> Array:
    """Of the whole trace, for `NUMBERS`."""
    return jnp.sum(seen(numbers, lanes, kind).log_likelihood * lanes.counted)


@eqx.filter_jit
def value_and_slope(numbers: Float[Array, " 8"], lanes: Lanes, kind: Kind) -> tuple[Array, Array]:
    """The log-likelihood, and its derivatives in `NUMBERS` (0 for those that the kind does not have)."""
    towards = jnp.eye(len(NUMBERS))[kind.free]
    value, slope = jax.vmap(lambda e: jax.jvp(lambda n: log_likelihood(n, lanes, kind), (numbers,), (e,)), out_axes=(None, 0))(
        towards
    )
    return value, slope @ towards


@eqx.filter_jit
def looked_at(numbers: Float[Array, " 8"], lanes: Lanes, kind: Kind) -> Seen:
    """`seen`, compiled."""
    return seen(numbers, lanes, kind)


@jax.jit
def smoothed(up: Float[Array, " n"], move: Float[Array, "2 2"]) -> Float[Array, " n"]:
    """The probability to be up from the whole trace, from that `up` from the samples up to each (backward recursion)."""
    filtered = jnp.stack([1 - up, up], axis=1)

    def step(later, now):
        ahead = now @ move
        found = now * (move @ (later / jnp.maximum(ahead, _TINY)))
        return found, found[1]

    rest = jax.lax.scan(step, filtered[-1], filtered[:-1], reverse=True)[1]
    return jnp.append(rest, up[-1])


def seen(numbers: Float[Array, " 8"], lanes: Lanes, kind: Kind) -> Seen:
    """Forward through all samples: exact without low pass and drift, by Kim's filter with them.

    With a low pass or drift the signal depends on all earlier states; after each sample their mixture is replaced by one normal
    distribution for each state (C.-J. Kim, J. Econometrics 60, 1, 1994; recalled).
    """
    step, start = (_exact if kind == Kind() else _collapsed)(numbers, lanes, kind)
    return jax.lax.scan(step, start, (lanes.signal, lanes.live))[1]


def transition(rate_down: Array, rate_up: Array) -> Array:
    """Probability to go from a state to a state (down, up) from one sample to the next, for rates per sample, shape (2, 2)."""
    both = rate_down + rate_up
    share = -jnp.expm1(-both) / both
    return jnp.array([[1 - rate_down * share, rate_down * share], [rate_up * share, 1 - rate_up * share]])


def _parts(numbers: Array, floor: Array) -> tuple[Array, Array, Array, Array]:
    """Levels, variances, transition matrix and share of time in either state."""
    levels = numbers[0] + jnp.array([0.0, 1.0]) * jnp.exp(numbers[1])
    rates = jnp.exp(numbers[4:6])
    return levels, jnp.exp(2 * numbers[2:4]) + floor, transition(*rates), rates[::-1] / jnp.sum(rates)


def _exact(numbers: Array, lanes: Lanes, kind: Kind):
    levels, variances, move, share = (x[..., None] for x in _parts(numbers, lanes.floor))
    nothing = jnp.zeros_like(lanes.signal[0])

    def step(state, row):
        y, live = row
        before = state[0] * move[0] + state[1] * move[1]
        off = (y - levels) / jnp.sqrt(variances)
        height = -(off**2) / 2 - jnp.log(2 * jnp.pi * variances) / 2
        top = jnp.max(height, axis=0)
        after = before * jnp.exp(height - top) + _TINY
        total = jnp.sum(after, axis=0)
        state = jnp.where(live, after / total, state)
        rank = jnp.sum(before * ndtr(off), axis=0)
        return state, Seen(top + jnp.log(total), state[1], nothing, nothing, rank)

    return step, jnp.broadcast_to(share, (2, lanes.signal.shape[1]))


def _collapsed(numbers: Array, lanes: Lanes, kind: Kind):
    levels, variances, move, share = _parts(numbers, lanes.floor)
    lag, drive, process, reading = _lowpass(numbers, levels, variances, kind)
    creep = jnp.exp(2 * numbers[7]) if kind.drift else 0.0
    own = jnp.ones_like(lanes.signal[0])

    def step(carry, row):
        state, x, d, xx, xd, dd = carry  # of the low pass x and the drift d: means, variances, covariance; (2, lanes)
        y, live = row
        # from every state (first axis) to every state (second axis)
        to_x, to_d = lag * x[:, None] + drive[..., None], d[:, None]
        p_xx, p_xd, p_dd = lag**2 * xx[:, None] + process[..., None], lag * xd[:, None], dd[:, None] + creep
        g_x, g_d = p_xx + p_xd, p_xd + p_dd
        variance = g_x + g_d + reading[None, :, None]
        off = y - to_x - to_d
        height = -(off**2) / variance / 2 - jnp.log(2 * jnp.pi * variance) / 2
        top = jnp.max(height, axis=(0, 1))
        before = state[:, None] * move[..., None]
        weight = before * jnp.exp(height - top) + _TINY
        total = jnp.sum(weight, axis=(0, 1))
        x2, d2 = to_x + g_x / variance * off, to_d + g_d / variance * off
        xx2, xd2, dd2 = p_xx - g_x**2 / variance, p_xd - g_x * g_d / variance, p_dd - g_d**2 / variance
        new = jnp.sum(weight, axis=0)
        share = weight / new
        mean_x, mean_d = jnp.sum(share * x2, axis=0), jnp.sum(share * d2, axis=0)
        dx, dd_ = x2 - mean_x, d2 - mean_d
        spread = [jnp.sum(share * v, axis=0) for v in (xx2 + dx**2, xd2 + dx * dd_, dd2 + dd_**2)]
        after = (new / total, mean_x, mean_d, *spread)
        carry = jax.tree.map(lambda a, b: jnp.where(live, a, b), after, carry)
        state, x, d, xx, xd, dd = carry
        middle = jnp.sum(state * d, axis=0)
        doubt = jnp.sum(state * (dd + (d - middle) ** 2), axis=0)
        rank = jnp.sum(before * ndtr(off / jnp.sqrt(variance)), axis=(0, 1))
        return carry, Seen(top + jnp.log(total), state[1], middle, doubt, rank)

    flat = own[None] * jnp.ones((2, 1))
    rest = 0.0 if kind.lowpass != "before" else variances[:, None]
    first = (share[:, None] * own, levels[:, None] * own, lanes.offset * flat, rest * flat, 0 * flat, lanes.doubt * flat)
    return step, first


def _lowpass(numbers: Array, levels: Array, variances: Array, kind: Kind):
    """x_k = lag x_{k-1} + drive + noise of variance `process`; what is read has noise of variance `reading` beside.

    Where the state changes between two samples it does so at any time: the drive is then the mean over that time, and its
    variance counts as noise.
    """
    if kind.lowpass == "none":
        return 0.0, jnp.stack([levels, levels]), jnp.zeros((2, 2)), variances
    speed = jnp.exp(numbers[6])
    lag = jnp.exp(-speed)
    passed = -jnp.expm1(-speed) / speed
    old, new = levels[:, None], levels[None, :]
    drive = new * (1 - passed) + old * (passed - lag)
    scatter = jnp.maximum(-jnp.expm1(-2 * speed) / (2 * speed) - passed**2, 0.0) * (new - old) ** 2
    if kind.lowpass == "after":
        return lag, drive, scatter, variances
    return lag, drive, scatter + variances * -jnp.expm1(-2 * speed), jnp.zeros(2)
