"""Switching probabilities of rare events by splitting trajectories that come near them.

Adaptive multilevel splitting (Cerou and Guyader, Stoch. Anal. Appl. 25, 417, 2007), in the unbiased form of Brehier, Gazeau,
Goudenege, Lelievre and Rousset (Ann. Appl. Probab. 26, 3559, 2016), for an outcome at a fixed time: those trajectories that
come least near it are taken away, and those that came nearer are split where they first did. The product of the shares that are
left is an unbiased estimate of the probability, whatever says how near a trajectory is; its scatter is least if that is the
probability of the outcome itself, of which `mtjax.switching.stages` has a guess.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from mtjax.checks import Seconds, Within
from mtjax.devices import Device
from mtjax.dynamics import StepPath
from mtjax.progress import LOG
from mtjax.pulses import AbstractPulse
from mtjax.quantities import Scalar, is_known
from mtjax.switching.method import AbstractMethod, Probability
from mtjax.switching.stages import Guess, Stages, guessed, nothing_guessed, staged
from mtjax.vector import Vector

_REPEATS = 10
_LOST = 0.25
"""Share of the trajectories of a repeat that each level takes away."""
_BLOCK = 512
"""Trajectories that are followed side by side."""


class Splitting(AbstractMethod):
    """Switching probability of a rare event, 1e-3 to 1e-15 and beyond, by adaptive multilevel splitting of trajectories.

    For any device and pulse, heated ones included (not for the coupled cells of a film). The standard error is that of the mean
    of 10 independent repeats, each without bias but for the time step. Relative to P it is about sqrt(1.5 |ln P| / samples)
    where the guess is good (measured with perpendicular devices: 10 % of 1e-9 with 3,000), and up to four times that for
    in-plane devices of low damping. The cost grows as the logarithm of the probability. No gradient.

    - `samples`: number of trajectories, of all repeats.
    - `key`: a `jax.random` key.
    - `dt`: longest step, s; `None` for the default of `simulate`.
    - `switches`: whether the rare event is to be switched (`True`) or not (`False`); `None` finds out.

    >>> import jax
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(2.0 * device.critical_current, 12e-9)
    >>> method = mtj.Splitting(samples=200, key=jax.random.key(0), dt=2e-11)
    >>> found = mtj.switching_probability(device, pulse, method=method)
    >>> bool(1e-3 < found.complement < 1e-2)
    True
    """

    samples: Annotated[int, Within(least=10 * _REPEATS)] = eqx.field(static=True)
    key: Key[Array, ""]
    dt: Seconds | None = None
    switches: bool | None = eqx.field(static=True, default=None)

    @property
    def name(self) -> str:
        """Splitting and the number of samples."""
        return f"splitting with {self.samples} samples"

    def probability(self, device: Device, pulse: AbstractPulse, relax: Scalar) -> Probability:
        """The probability of the rarer outcome and its standard error, from independent repeats; the other is 1 minus it.

        Raises `TypeError` under `jit`, `vmap` and `grad`.
        """
        if not all(map(is_known, jax.tree.leaves((jnp.zeros(()), device, pulse, relax)))):
            raise TypeError("Splitting has no gradient and cannot run under `jit` or `vmap`: use MonteCarlo or FokkerPlanck.")
        LOG.info("%s", self.name)
        rarer, switches = estimates(device, pulse, relax, self)
        p = jnp.asarray(np.mean(rarer))
        stderr = jnp.asarray(np.std(rarer, ddof=1) / _REPEATS**0.5)
        return Probability(*((p, 1 - p) if switches else (1 - p, p)), stderr, self)


class Herd(NamedTuple):
    """Trajectories at the ends of slices: `states`, shape (slices + 1, samples, 3), and `scores`, shape (slices + 1, samples).

    A score is the guessed logarithm of the probability of the rare event; at the end infinite where it took place.
    """

    states: Any
    scores: Any


def estimates(device: Device, pulse: AbstractPulse, relax: Scalar, method: Splitting) -> tuple[np.ndarray, bool]:
    """Independent estimates of the probability of the rarer outcome, shape (repeats,), and whether that is to be switched."""
    stages = staged(device, pulse, relax, method.dt)
    for_pilot, for_paths, for_parents = jax.random.split(method.key, 3)
    switches = _rarer(stages, for_pilot) if method.switches is None else method.switches
    guess = guessed(stages, jnp.asarray(-1.0 if switches else 1.0, jnp.float32))
    size = -(-method.samples // _REPEATS)
    herd = _first(stages, guess, for_paths, _REPEATS * size)
    random = np.random.default_rng(np.asarray(jax.random.key_data(for_parents)))
    shares, going, level = np.ones(_REPEATS), np.ones(_REPEATS, bool), 1
    while True:
        best = herd.scores.max(axis=0).reshape(_REPEATS, size)
        limits = np.sort(best, axis=1)[:, int(_LOST * size) - 1]
        going &= np.isfinite(limits)
        lost = (best <= limits[:, None]) & going[:, None]
        left = size - lost.sum(axis=1)
        shares *= left / size
        going &= left > 0
        if not going.any():
            return shares * np.mean(best == np.inf, axis=1), switches
        rows, columns = np.nonzero(lost & going[:, None])
        order = np.argsort(best, axis=1)
        parents = order[rows, size - 1 - (random.random(rows.size) * left[rows]).astype(int)] + size * rows
        begins = np.argmax(herd.scores[:, parents] > limits[rows], axis=0)
        _branch(stages, guess, for_paths, herd, columns + size * rows, parents, begins, level)
        level += 1


def _rarer(stages: Stages, key: Key[Array, ""]) -> bool:
    """Whether fewer of some plain trajectories switch than not."""
    herd = _first(stages, nothing_guessed(stages), key, _BLOCK)
    return bool(np.mean(herd.scores[-1] == np.inf) <= 0.5)


def _first(stages: Stages, guess: Guess, key: Key[Array, ""], number: int) -> Herd:
    """Trajectories from the begin."""
    for_start, for_path = jax.random.split(key)
    slices = stages.number + 1
    herd = Herd(np.empty((slices, number, 3), np.float32), np.empty((slices, number), np.float32))
    for first in range(0, number, _BLOCK):
        numbers = np.arange(first, first + _BLOCK)
        starts = _drawn(stages, for_start, numbers)
        found = _followed(stages, guess, for_path, starts, np.zeros(_BLOCK, int), numbers)
        width = min(_BLOCK, number - first)
        for whole, part in zip(herd, found, strict=True):
            whole[:, first : first + width] = np.asarray(part)[:, :width]
    return herd


def _branch(stages: Stages, guess: Guess, key, herd: Herd, lost, parents, begins, level: int) -> None:
    """Replace the trajectories `lost` by branches of their `parents` from the slices `begins` on, late ones together."""
    _, for_path = jax.random.split(key)
    order = np.argsort(begins)
    number = herd.states.shape[1]
    herd.states[:, lost], herd.scores[:, lost] = herd.states[:, parents], herd.scores[:, parents]
    for first in range(0, order.size, _BLOCK):
        some = order[first : first + _BLOCK]
        lanes = np.pad(lost[some], (0, _BLOCK - some.size), mode="edge")
        from_slice = np.pad(begins[some], (0, _BLOCK - some.size), constant_values=stages.number)
        starts = herd.states[np.minimum(from_slice, stages.number), lanes]
        found = _followed(stages, guess, for_path, starts, from_slice, lanes + level * number)
        new = np.arange(stages.number + 1)[:, None] > begins[some]
        for whole, part in zip(herd, found, strict=True):
            part = np.asarray(part)[:, : some.size]
            keep = new[..., None] if part.ndim == 3 else new
            whole[:, lost[some]] = np.where(keep, part, whole[:, lost[some]])


@eqx.filter_jit
def _drawn(stages: Stages, key: Key[Array, ""], numbers: Array) -> Array:
    """States at the begin of the rest, shape (block, 3)."""
    return jax.vmap(lambda n: stages.entered(stages.well.draw(StepPath(key, n))).array())(numbers).astype(jnp.float32)


@eqx.filter_jit
def _followed(stages: Stages, guess: Guess, key: Key[Array, ""], starts: Array, begins: Array, streams: Array) -> Herd:
    """Trajectories that begin in the states `starts`, shape (block, 3), at the slices `begins`, with noise of these numbers."""
    paths = jax.vmap(lambda n: StepPath(key, n))(streams)

    def seen(n, y):
        return jax.vmap(lambda y: guess(n, Vector.of(y)))(y)

    def onward(n, carry):
        y, herd = carry
        later = jax.vmap(lambda y, path: stages.onward(n, Vector.of(y), path.evaluate).array())(y, paths)
        y = jnp.where((n >= begins)[:, None], later, y)
        return y, Herd(herd.states.at[n + 1].set(y), herd.scores.at[n + 1].set(seen(n + 1, y)))

    first = jnp.min(begins)
    states = jnp.zeros((stages.number + 1, *starts.shape), starts.dtype).at[first].set(starts)
    scores = jnp.zeros((stages.number + 1, len(starts)), starts.dtype).at[first].set(seen(first, starts))
    y, herd = jax.lax.fori_loop(first, stages.number, onward, (starts, Herd(states, scores)))
    happened = guess.side * jax.vmap(lambda y: stages.outcome(Vector.of(y)))(y) > 0
    return Herd(herd.states, herd.scores.at[-1].set(jnp.where(happened, jnp.inf, -jnp.inf)))
