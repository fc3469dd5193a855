"""Clocked p-bits: blocks of bits that do not drive each other are drawn anew, block after block (Gibbs sampling)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Key

from mtjax.checks import Count, Seconds, checked
from mtjax.dynamics import uniforms
from mtjax.pbits.network import PbitNetwork
from mtjax.quantities import Numbers, as_scalar


@checked
def clocked(
    network: PbitNetwork,
    sweeps: Count,
    *,
    key: Key[Array, ""],
    samples: Count = 1,
    start: Numbers | None = None,
    beta: Numbers = 1.0,
    period: Seconds | None = None,
    blocks: Sequence[Numbers] | None = None,
) -> Bool[Array, "samples sweeps n"]:
    """Update all bits of `network` once a sweep, block after block; whether m_i = 1 after every sweep.

    The blocks are the colours of a greedy colouring of the couplings: two for a bipartite graph, one bit each where all are
    coupled to all. Within a block, bits do not see each other, and so may change together: the stationary distribution is
    Boltzmann's, whatever the delay of the synapses, as long as the clock waits for it.

    - `key`: a `jax.random` key; `samples`: chains side by side.
    - `start`: states of -1 and 1, shape (n,) or (samples, n); `None` draws them.
    - `beta`: inverse temperature that multiplies all inputs, one number, or one for every sweep: annealing.
    - `period`: of the clock, s: how long a block's junctions are free to flip at their rates; `None`: until they are at rest.

    - `blocks`: numbers of the bits of every block, as for the two layers of a restricted Boltzmann machine; `None` finds them,
      which takes couplings that are known (not traced).

    >>> import jax
    >>> import mtjax as mtj
    >>> pair = mtj.pbits.Network([[0.0, 1.0], [1.0, 0.0]], [0.5, 0.0], mtj.pbits.TanhLaw(1e-9))
    >>> found = mtj.pbits.clocked(pair, 4000, samples=8, key=jax.random.key(0))
    >>> print(f"{found[..., 0].mean():.2f} of the time up, exactly {pair.boltzmann()[1::2].sum():.2f}")
    0.73 of the time up, exactly 0.73
    """
    number = network.number
    given = None if start is None else jnp.asarray(start, float)
    if given is not None and given.shape not in {(number,), (samples, number)}:
        raise ValueError(f"`start` must have shape ({number},) or ({samples}, {number}), but has {given.shape}.")
    schedule = as_scalar(beta)
    if schedule.shape not in {(), (sweeps,)}:
        raise ValueError(f"`beta` must be one number or have shape ({sweeps},), but has shape {schedule.shape}.")
    if blocks is not None and sorted(np.concatenate([np.asarray(block) for block in blocks]).tolist()) != list(range(number)):
        raise ValueError(
            f"`blocks` must hold each of the {number} bits once, but hold {[np.asarray(b).tolist() for b in blocks]}."
        )
    wired = _wired(network) if blocks is None else [_alone(np.asarray(block), number) for block in blocks]
    return _swept(network, wired, jnp.broadcast_to(schedule, (sweeps,)), samples, key, given, period)


def blocks_of(network: PbitNetwork) -> list[np.ndarray]:
    """Numbers of the bits of every colour: neighbours have different ones (greedy, bits of many neighbours first).

    >>> import mtjax as mtj
    >>> ring = mtj.pbits.Network([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]], [0.0] * 4, mtj.pbits.TanhLaw(1e-9))
    >>> [block.tolist() for block in mtj.pbits.blocks_of(ring)]
    [[0, 2], [1, 3]]
    """
    linked = np.asarray(network.couplings) != 0
    colours = np.full(network.number, -1)
    for bit in np.argsort(-linked.sum(axis=1), kind="stable"):
        taken = set(colours[linked[bit]].tolist())
        colours[bit] = next(colour for colour in range(network.number) if colour not in taken)
    return [np.flatnonzero(colours == colour) for colour in range(colours.max() + 1)]


def _wired(network: PbitNetwork) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The blocks, with the bits that each of their bits sees."""
    J = np.asarray(network.couplings)
    return [(block, *_neighbours(J[block])) for block in blocks_of(network)]


def _alone(block: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A given block, whose bits see all bits outside it."""
    others = np.setdiff1d(np.arange(number), block)
    return block, others, np.ones(len(others), bool)


def _neighbours(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every row, the places that are not zero, filled up to the same number, and whether they count."""
    linked = rows != 0
    most = max(int(linked.sum(axis=1).max(initial=0)), 1)
    places = np.argsort(~linked, axis=1, kind="stable")[:, :most]
    return places, np.take_along_axis(linked, places, axis=1)


@eqx.filter_jit
def _swept(network: PbitNetwork, wired: Any, schedule: Array, samples: int, key: Array, start: Any, period: Any):
    """All sweeps, the bits kept in the order of the blocks, so that a block is one piece of memory."""
    J, h = network.wires
    order = jnp.concatenate([block for block, _, _ in wired])
    places = jnp.argsort(order)
    ends = np.cumsum([len(block) for block, _, _ in wired]).tolist()
    weights = [jnp.where(counts, J[block[:, None], near], 0.0) for block, near, counts in wired]

    def sweep(m, draw):
        key, beta = draw
        fresh = uniforms(key, m.shape)
        for (block, near, _), weight, end in zip(wired, weights, ends, strict=True):
            one, seen = slice(end - len(block), end), m[places[near]]
            x = beta * ((weight @ seen if near.ndim == 1 else jnp.sum(weight[:, :, None] * seen, axis=1)) + h[block, None])
            up = _share_up(network, x, m[one], network.times[block, None], period)
            m = m.at[one].set(jnp.where(fresh[one] < up, 1.0, -1.0))
        return m, m > 0

    first, then = jax.random.split(key)
    shape = (network.number, samples)
    drawn = 2.0 * jax.random.bernoulli(first, shape=shape) - 1
    m = drawn if start is None else jnp.broadcast_to(start.T.reshape(network.number, -1), shape)
    keys = jax.random.split(then, len(schedule))
    _, found = jax.lax.scan(sweep, m[order].astype(h.dtype), (keys, schedule))
    return jnp.transpose(found, (2, 0, 1))[..., places]


def _share_up(network: PbitNetwork, x: Array, m: Array, times: Array, period: Any) -> Array:
    """Probability to be found in m = 1 a `period` (s) later."""
    if period is None:
        return network.law.share_up(x)
    up, down = network.law.log_rates(x)
    rest, left = jax.nn.sigmoid(up - down), jnp.exp(-(jnp.exp(up) + jnp.exp(down)) * period / times)
    return rest + ((m > 0) - rest) * left
