"""Free-running p-bits in continuous time, exact by their rates (Gillespie's algorithm), synapses delayed or not."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from mtjax.checks import Count, checked
from mtjax.pbits.network import PbitNetwork
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Numbers, as_numpy

_MOST_UNDERWAY = 16
"""Flips on their way through the synapses, per bit, that can be kept."""


class Flips(Shown):
    """What free-running p-bits did: which flipped when.

    - `start`: their states at first, shape (samples, n).
    - `held`: how long every state was held, s, and `which`: the bit that flipped then (-1: none, a synapse answered), both
      of shape (samples, events).
    - `energy`: spent by the write paths meanwhile, J, shape (samples, events); 0 where the law knows of none.

    >>> import jax
    >>> import mtjax as mtj
    >>> pair = mtj.pbits.Network([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0], mtj.pbits.TanhLaw(1e-9))
    >>> record = mtj.pbits.sample(pair, events=20_000, key=jax.random.key(0))
    >>> print(record)
    Flips: 2 bits, 20000 flips in 24.2 us; 825 MHz
    >>> print([f"{c:.2f}" for c in record.autocorrelation([0.0, 1e-9, 10e-9])])
    ['1.00', '0.56', '-0.01']
    """

    start: Float[Array, "samples n"]
    held: Float[Array, "samples events"]
    which: Int[Array, "samples events"]
    energy: Float[Array, "samples events"]

    @property
    def duration(self) -> float:
        """Of all samples together, s."""
        return float(np.sum(np.asarray(self.held, float)))

    @property
    def flips(self) -> int:
        """Their number, of all bits."""
        return int(np.sum(np.asarray(self.which) >= 0))

    @property
    def flips_per_second(self) -> float:
        """Of the whole network, 1/s."""
        return self.flips / self.duration

    @property
    def joules_per_flip(self) -> float:
        """Energy of the write paths over the number of flips, J."""
        return float(np.sum(np.asarray(self.energy, float))) / self.flips

    def codes(self) -> Int[np.ndarray, "samples events"]:
        """Numbers of the states that were held: bit i says whether m_i = 1; at most 62 bits."""
        which = np.asarray(self.which)
        turned = np.where(which >= 0, np.left_shift(np.int64(1), np.maximum(which, 0).astype(np.int64)), 0)
        first = (np.asarray(self.start) > 0) @ (np.int64(1) << np.arange(self.start.shape[1], dtype=np.int64))
        before = np.concatenate([first[:, None], turned[:, :-1]], axis=1)
        return np.bitwise_xor.accumulate(before, axis=1)

    def distribution(self, skip: float = 0.05) -> Float[np.ndarray, " states"]:
        """Shares of the time that were spent in all 2^n states, without the first share `skip` of the events; to 24 bits."""
        number = self.start.shape[1]
        if number > 24:
            raise ValueError(f"A distribution over states must be of at most 24 bits, but there are {number}.")
        later = slice(int(skip * self.held.shape[1]), None)
        codes, held = self.codes()[:, later].ravel(), np.asarray(self.held, float)[:, later].ravel()
        return np.bincount(codes, weights=held, minlength=2**number) / np.sum(held)

    def autocorrelation(self, lags: Numbers) -> Float[np.ndarray, " lags"]:
        """Covariance of a bit with itself a time `lags` (s) later over its variance, mean over bits; first sample."""
        lags, held = as_numpy(lags), np.asarray(self.held[0], float)
        ends = np.cumsum(held)
        places = np.linspace(0.0, ends[-1] - np.max(lags), min(4 * len(held), 200_000), endpoint=False)
        bits = 2.0 * ((self.codes()[0][:, None] >> np.arange(self.start.shape[1])) & 1) - 1
        mean = held @ bits / ends[-1]

        def at(times):
            return bits[np.minimum(np.searchsorted(ends, times), len(ends) - 1)] - mean

        now = at(places)
        return np.array([np.sum(now * at(places + lag)) / np.sum(now**2) for lag in np.atleast_1d(lags)])

    def __str__(self) -> str:
        """Bits, flips, time and rate."""
        rate = with_unit(self.flips_per_second, "Hz", 3)
        return f"Flips: {self.start.shape[1]} bits, {self.flips} flips in {with_unit(self.duration, 's', 3)}; {rate}"


@checked
def sample(
    network: PbitNetwork, *, events: Count, samples: Count = 1, key: Key[Array, ""], start: Numbers | None = None
) -> Flips:
    """Let `network` run freely for a number of `events`, `samples` times: exact in continuous time, by the rates of its law.

    The next flip comes after an exponential time, of a bit in proportion to its rate (Gillespie, J. Phys. Chem. 81, 2340,
    1977).
    With a delay each flip reaches the others when it is through the synapse: what is on its way is kept, and each arrival is an
    event too.

    - `key`: a `jax.random` key.
    - `start`: states of -1 and 1, shape (n,); `None` draws them.

    Raises an error where more than 16 flips per bit are on their way at once: the delay is too long for the dwell time.

    >>> import jax
    >>> import mtjax as mtj
    >>> pair = mtj.pbits.Network([[0.0, 1.0], [1.0, 0.0]], [0.0, 0.0], mtj.pbits.TanhLaw(1e-9), delay=3e-9)
    >>> record = mtj.pbits.sample(pair, events=20_000, key=jax.random.key(0))
    >>> print(f"{mtj.pbits.total_variation(record.distribution(), pair.boltzmann()):.2f} apart by slow synapses")
    0.36 apart by slow synapses
    """
    given = None if start is None else jnp.asarray(start, float)
    if given is not None and given.shape != (network.number,):
        raise ValueError(f"`start` must have shape ({network.number},), but has {given.shape}.")
    late = float(network.delay) > 0
    return _run(network, events, samples, key, given, late)


class _Underway(NamedTuple):
    """Bits `m` as they are, `seen` through the synapses, inputs `x`; what is on its way: `left` (s) and `who`, in order."""

    m: Array
    seen: Array
    x: Array
    left: Array
    who: Array


@eqx.filter_jit
def _run(network: PbitNetwork, events: int, samples: int, key: Array, start: Any, late: bool) -> Flips:  # noqa: FBT001
    J, h = network.wires
    times, size = network.times, max(64, _MOST_UNDERWAY * network.number) if late else 1

    def step(state: _Underway, draw):
        wait, share = draw
        up, down = network.law.log_rates(state.x)
        ends = jnp.cumsum(jnp.exp(jnp.where(state.m < 0, up, down)) / times)
        wait = wait / ends[-1]
        arrives = late & (state.left[0] <= wait)
        dt = jnp.where(arrives, state.left[0], wait) if late else wait
        bit = jnp.minimum(jnp.searchsorted(ends, share * ends[-1], side="right"), network.number - 1)
        joule = dt * jnp.sum(network.law.power(state.x))
        new = _arrived(state, J, network.delay, bit, dt, arrives) if late else _at_once(state, J, bit)
        return new, (dt, jnp.where(arrives, -1, bit), joule, new.left[-1] < jnp.inf if late else False)

    def one(key):
        keys = jax.random.split(key, 3)
        m = 2.0 * jax.random.bernoulli(keys[0], shape=(network.number,)) - 1 if start is None else start
        draws = jax.random.exponential(keys[1], (events,)), jax.random.uniform(keys[2], (events,))
        first = _Underway(m, m, J @ m + h, jnp.full(size, jnp.inf), jnp.zeros(size, int))
        _, (held, which, energy, full) = jax.lax.scan(step, first, draws)
        return m, eqx.error_if(held, jnp.any(full), _TOO_LATE), which, energy

    return Flips(*jax.vmap(one)(jax.random.split(key, samples)))


_TOO_LATE = f"More than {_MOST_UNDERWAY} flips per bit are on their way through the synapses: `delay` must be shorter."


def _at_once(state: _Underway, J: Array, bit: Array) -> _Underway:
    m = state.m.at[bit].multiply(-1)
    return state._replace(m=m, seen=m, x=state.x + 2 * m[bit] * J[:, bit])


def _arrived(state: _Underway, J: Array, delay: Array, bit: Array, dt: Array, arrives: Array) -> _Underway:
    """Either a synapse answers, or `bit` flips and its flip is sent on its way behind the others."""
    left, first = state.left - dt, state.who[0]
    seen = jnp.where(arrives, state.seen.at[first].multiply(-1), state.seen)
    x = state.x + jnp.where(arrives, 2 * seen[first], 0.0) * J[:, first]
    m = jnp.where(arrives, state.m, state.m.at[bit].multiply(-1))
    place = jnp.minimum(jnp.sum(left < jnp.inf), left.shape[0] - 1)
    shifted = jnp.append(left[1:], jnp.inf), jnp.append(state.who[1:], 0)
    sent = left.at[place].set(delay), state.who.at[place].set(bit)
    left, who = (jnp.where(arrives, a, b) for a, b in zip(shifted, sent, strict=True))
    return _Underway(m, seen, x, left, who)
