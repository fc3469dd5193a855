"""Learning without labels: multi-grain spin-orbit-torque synapses that change by pulses alone."""

from __future__ import annotations

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, Key

from mtjax.checks import Count, Within, checked
from mtjax.devices import Grains
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, Pulse, pair
from mtjax.quantities import Numbers, as_scalar
from mtjax.switching import HazardLaw

_COOLING = 60e-9
"""From the end of a pulse to the next event, s: everything is cold again."""
_BATCH = 256


class Response(Shown):
    """What one train of pulses does to cells: probability of m.start > 0 after it, from either side.

    - `from_up`, `from_down`: shape (..., cells).
    """

    from_up: Float[Array, "*cells"]
    from_down: Float[Array, "*cells"]

    def __call__(self, up: Float[Array, "*cells"], key: Key[Array, ""]) -> Float[Array, "*cells"]:
        """The sides (1 up, 0 down) after the pulses, drawn by `key`."""
        p = jnp.where(up > 0.5, self.from_up, self.from_down)
        return (jax.random.uniform(key, p.shape) < p).astype(up.dtype)


def response(law: HazardLaw, grains: Grains, pulse: AbstractPulse) -> Response:
    """What `pulse` does to every cell of `grains`, by `law`; read when all is cold again."""
    return _response(law, grains, pulse)


@eqx.filter_jit
def _response(law: HazardLaw, grains: Grains, pulse: AbstractPulse) -> Response:
    time = (pulse.end + _COOLING)[None]

    def one(values):
        *cell, fixed = values
        up = [law.populations(grains.one(*cell), pulse, time, start=start)[0] for start in (1.0, 0.0)]
        return jnp.where(fixed, jnp.array([1.0, 0.0]), jnp.stack(up))

    up, down = jax.lax.map(one, (grains.Bk, grains.volume, grains.bias, grains.fixed), batch_size=_BATCH).T
    return Response(up, down)


class PlasticSynapses(Shown):
    """A matrix of multi-grain synapses and what the pulses of a learning rule do to their cells.

    An input line fires a pulse of one sign, a neuron one of the other sign. Where the neuron's comes second, on a cell still
    warm from the first, it decides; where it comes first, the input's does: spike-timing-dependent plasticity by heat. Each
    event begins cold. The inputs' pulses also reach the synapses of neurons that did not fire.

    - `up`: sides of the cells, 1 or 0, shape (neurons, inputs, cells).
    - `size`: areas of the cells over that of their synapse, of the same shape.
    - `before`: input `delay` before the neuron; `after`: as long after it; `alone`: input without the neuron.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> from mtjax.nn.elements.plastic import Response
    >>> none = jnp.zeros((1, 2, 4))  # one neuron, two inputs, four cells each, all down
    >>> up, down, same = (Response(none + a, none + b) for a, b in ((1, 1), (0, 0), (1, 0)))
    >>> synapses = mtj.nn.PlasticSynapses(none, none + 0.25, before=up, after=down, alone=same)
    >>> print(synapses.weights[0], synapses.learnt(jnp.array([1.0, 0.0]), jnp.array(0), jax.random.key(0)).weights[0])
    [-1. -1.] [ 1. -1.]
    """

    up: Float[Array, "neurons inputs cells"]
    size: Float[Array, "neurons inputs cells"]
    before: Response
    after: Response
    alone: Response

    @staticmethod
    def of(
        law: HazardLaw,
        grains: Grains,
        shape: tuple[int, int],
        *,
        density: ArrayLike,
        width: ArrayLike,
        delay: ArrayLike,
        key: Key[Array, ""],
    ) -> PlasticSynapses:
        """Synapses in a random state, half their cells up.

        - `law`: of the cells; `grains`: a film whose cells are dealt out to the synapses, the first few to the first one;
          its `cell` has the write path and the heat of one synapse.
        - `shape`: (neurons, inputs).
        - `density`: of the pulses, A/m^2; `width`: s; `delay`: from start to start, s.
        - `key`: of the first state.

        Raises `ValueError` where there are fewer cells than synapses.
        """
        each = grains.number // (shape[0] * shape[1])
        if each < 1:
            raise ValueError(
                f"`grains` must have a cell for each of {shape[0]} x {shape[1]} synapses, but has {grains.number}."
            )
        pre = Pulse(grains.current(density), width)
        pulses = (pair(pre, pre * -1.0, delay), pair(pre, pre * -1.0, -as_scalar(delay)), pair(pre, pre * 0.0, delay))
        number, dealt = shape[0] * shape[1] * each, (*shape, each)
        found = [response(law, grains, pulse) for pulse in pulses]
        before, after, alone = (jax.tree.map(lambda p: p[:number].reshape(dealt), r) for r in found)
        size = grains.size[:number].reshape(dealt)
        up = jax.random.bernoulli(key, 0.5, dealt).astype(size.dtype)
        return PlasticSynapses(up, size / jnp.sum(size, axis=-1, keepdims=True), before, after, alone)

    @property
    def weights(self) -> Float[Array, "neurons inputs"]:
        """Hall resistance over its largest, -1 to 1, by a slow read-out."""
        return jnp.sum(self.size * (2 * self.up - 1), axis=-1)

    def learnt(self, x: Float[Array, " inputs"], winner: Int[Array, ""], key: Key[Array, ""]) -> PlasticSynapses:
        """After one event: inputs of 1 in `x` fire before the `winner`, the others after it."""
        keys = jax.random.split(key, 3)
        early, late, rest = (r(self.up, k) for r, k in zip((self.before, self.after, self.alone), keys, strict=True))
        paired = jnp.where((x > 0.5)[None, :, None], early, late)
        fires = jnp.arange(self.up.shape[0]) == winner
        return eqx.tree_at(lambda s: s.up, self, jnp.where(fires[:, None, None], paired, rest))


class Learnt(Shown):
    """What unsupervised learning left.

    - `synapses`: as they are now; `threshold`: of the neurons, in units of the score.
    - `shown`, `winners`: which pattern was shown and which neuron fired, shape (events,).

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> from mtjax.nn.elements.plastic import Response
    >>> none = jnp.zeros((2, 4, 1))  # two neurons, four inputs, one cell each
    >>> up, down, same = (Response(none + a, none + b) for a, b in ((1, 1), (0, 0), (1, 0)))
    >>> synapses = mtj.nn.PlasticSynapses(jnp.eye(2, 4)[..., None], none + 1, before=up, after=down, alone=same)
    >>> patterns = jnp.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    >>> learnt = mtj.nn.learn(synapses, patterns, events=20, key=jax.random.key(0))
    >>> print(f"{100 * learnt.purity(10):.0f} % of the last events by the neuron of their pattern")
    100 % of the last events by the neuron of their pattern
    >>> print(learnt.synapses.weights)
    [[-1. -1.  1.  1.]
     [ 1.  1. -1. -1.]]
    """

    synapses: PlasticSynapses
    threshold: Float[Array, " neurons"]
    shown: Int[Array, " events"]
    winners: Int[Array, " events"]

    def purity(self, last: int) -> float:
        """Of the `last` events, the share in which a neuron fired for the pattern that it fired for most often."""
        counts = np.zeros((len(self.threshold), int(self.shown.max()) + 1))
        np.add.at(counts, (np.asarray(self.winners[-last:]), np.asarray(self.shown[-last:])), 1)
        return float(counts.max(axis=1).sum() / last)


@checked
def learn(
    synapses: PlasticSynapses,
    patterns: Numbers,
    *,
    events: Count,
    key: Key[Array, ""],
    flips: Annotated[float, Within(least=0.0, most=1.0)] = 0.0,
    homeostasis: Annotated[float, Within(least=0.0)] = 0.02,
) -> Learnt:
    """Unsupervised learning by pulses: random patterns are shown, the neuron that matches best fires, alone (winner takes all).

    The score is the mean over inputs of weight times (2 x - 1), less a threshold that rises for neurons that fire often.

    - `synapses`: at the outset; `patterns`: of 0 and 1, shape (patterns, inputs).
    - `events`: how many are shown; `key`: of all draws.
    - `flips`: share of inputs inverted at random in each event.
    - `homeostasis`: step of the threshold in each event; 0 for none.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> from mtjax.nn.elements.plastic import Response
    >>> none = jnp.zeros((2, 4, 1))  # two neurons, four inputs, one cell each
    >>> up, down, same = (Response(none + a, none + b) for a, b in ((1, 1), (0, 0), (1, 0)))
    >>> synapses = mtj.nn.PlasticSynapses(jnp.eye(2, 4)[..., None], none + 1, before=up, after=down, alone=same)
    >>> patterns = jnp.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    >>> learnt = mtj.nn.learn(synapses, patterns, events=20, key=jax.random.key(0))
    >>> print(f"{100 * learnt.purity(10):.0f} % of the last events by the neuron of their pattern")
    100 % of the last events by the neuron of their pattern
    """
    return _learn(synapses, as_scalar(patterns), events, key, flips, homeostasis)


@eqx.filter_jit
def _learn(synapses, patterns, events, key, flips, homeostasis) -> Learnt:
    neurons = synapses.up.shape[0]

    def event(state, key):
        synapses, threshold = state
        k1, k2, k3 = jax.random.split(key, 3)
        shown = jax.random.randint(k1, (), 0, patterns.shape[0])
        x = jnp.abs(patterns[shown] - jax.random.bernoulli(k2, flips, patterns.shape[1:]))
        winner = jnp.argmax(synapses.weights @ (2 * x - 1) / x.size - threshold)
        threshold += homeostasis * (jax.nn.one_hot(winner, neurons) - 1 / neurons)
        return (synapses.learnt(x, winner, k3), threshold), (shown, winner)

    start = (synapses, jnp.zeros(neurons, synapses.size.dtype))
    (synapses, threshold), (shown, winners) = jax.lax.scan(event, start, jax.random.split(key, events))
    return Learnt(synapses, threshold, shown, winners)
