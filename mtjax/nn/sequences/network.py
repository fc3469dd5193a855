"""Recurrent networks over many time-slots: a scan that keeps few states for the gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from mtjax.checks import Count, Positive, Within, checked
from mtjax.dynamics import uniforms
from mtjax.nn.elements import AbstractNeuron, AbstractSynapse, Dense, Fired, HeatedNeuron
from mtjax.nn.estimators import AbstractEstimator, StraightThrough
from mtjax.nn.sequences.readout import SequenceReadout
from mtjax.printing import Shown
from mtjax.quantities import Numbers, as_scalar


class RecurrentLayer(Shown):
    """Neurons that are driven from below by `synapse` and by their own spikes of the slot before through `back`.

    - `synapse`: from the spikes (or values) below; `neuron`: one module for all neurons.
    - `back`: from the layer's own spikes; `None` for a layer that only feeds forward.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> synapse, back = (mtj.nn.Dense(jnp.eye(2), jnp.zeros(2)) for _ in range(2))
    >>> print(mtj.nn.RecurrentLayer(synapse, neuron, back).back.weight.shape)
    (2, 2)
    """

    synapse: AbstractSynapse
    neuron: AbstractNeuron
    back: AbstractSynapse | None = None


class SequenceActivity(Shown):
    """What a network did with one sequence, or with many, which then have an axis in front.

    - `inputs`: what the first synapse saw, shape (slots, channels).
    - `fired`: of every layer, arrays of shape (slots, neurons); no spikes and no current beyond the sequence's end.
    - `scores`: of the classes; `slots`: of the sequence itself.
    - `interval`: from slot to slot, s; not a number where the neurons have none.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> network = mtj.nn.recurrent((1, 4, 2), neuron, key=jax.random.key(0))
    >>> activity = network(np.ones((5, 1)), key=jax.random.key(1))
    >>> print(activity.inputs.shape, activity.fired[0].spikes.shape, int(activity.slots))
    (5, 1) (5, 4) 5
    """

    inputs: Array
    fired: tuple[Fired, ...]
    scores: Float[Array, "*samples classes"]
    slots: Int[Array, "*samples"]
    interval: Array

    def events(self, layer: int = 0) -> list[tuple[float, int]]:
        """Spikes of a layer as pairs of time (s; the end of the slot, when neurons are read) and neuron, in order of time."""
        slots, neurons = np.nonzero(np.asarray(self.fired[layer].spikes) > 0.5)
        return [(float(self.interval) * (int(t) + 1), int(n)) for t, n in zip(slots, neurons, strict=True)]


class SequenceNetwork(Shown):
    """Layers of neurons with memory that see a sequence slot by slot, and a readout.

    All layers run in one scan; a layer sees the spikes that the one below made in the same slot. Reverse mode works chunks of
    slots out again: memory for states grows with the root of their number, that for the currents into the first layer with it.

    - `layers`: from the input on; `readout`: of the last layer's spikes.
    - `channels`: of the input; `hold`: slots for which each frame of the input stays.
    - `chunk`: slots between what is kept for the gradient; `None` for the root of their number.

    Raises `ValueError` where the synapses do not fit each other or the input.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019_neuron()
    >>> neuron = mtj.nn.HeatedNeuron.of(film.cell, mtj.nn.kurenkov2019_law(), interval=10e-9)
    >>> network = mtj.nn.recurrent((3, 8, 2), neuron, key=jax.random.key(0))
    >>> print(network)
    SequenceNetwork 3 -> 8 (recurrent) -> 2, 122 weights and biases
    >>> activity = network(np.ones((20, 3)), key=jax.random.key(1))
    >>> print(activity.fired[0].spikes.shape, activity.scores.shape)
    (20, 8) (2,)
    >>> print(f"neurons are read every {1e9 * activity.interval:.0f} ns")
    neurons are read every 10 ns
    """

    layers: tuple[RecurrentLayer, ...]
    readout: SequenceReadout
    channels: Count = eqx.field(static=True)
    hold: Count = eqx.field(static=True, default=1)
    chunk: Annotated[int, Within(least=1)] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        try:
            shape = (self.channels,)
            for layer in self.layers:
                shape = _shape(layer.synapse, shape)
                fits = layer.back is None or _shape(layer.back, shape) == shape
                if not fits:
                    raise ValueError
            _shape(self.readout.synapse, shape)
        except (TypeError, ValueError, IndexError):
            raise ValueError(
                f"The synapses of a network must fit each other and an input of {self.channels} channels, but do not."
            ) from None

    def __str__(self) -> str:
        """Sizes, and the number of weights and biases."""
        parts = [str(self.channels)]
        for layer, size in zip(self.layers, self.sizes, strict=True):
            parts.append(str(size) if layer.back is None else f"{size} (recurrent)")
        numbers = sum(x.size for x in weights_of(self))
        return f"SequenceNetwork {' -> '.join([*parts, str(self.classes)])}, {numbers} weights and biases"

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of every layer."""
        found, shape = [], (self.channels,)
        for layer in self.layers:
            shape = _shape(layer.synapse, shape)
            found.append(math.prod(shape))
        return tuple(found)

    @property
    def classes(self) -> int:
        """How many scores there are."""
        return _shape(self.readout.synapse, (self.sizes[-1],))[0]

    def ready(self) -> SequenceNetwork:
        """With everything worked out that does not change from slot to slot."""
        prepared = tuple(
            layer.neuron.ready() if isinstance(layer.neuron, HeatedNeuron) else layer.neuron for layer in self.layers
        )
        return eqx.tree_at(lambda n: [layer.neuron for layer in n.layers], self, list(prepared))

    def __call__(
        self,
        x: Numbers,
        *,
        key: Key[Array, ""],
        length: int | Int[Array, ""] | None = None,
        estimator: AbstractEstimator | None = None,
    ) -> SequenceActivity:
        """Run one sequence `x` of shape (frames, channels); after `length` frames (all by default) nothing happens any more.

        - `key`: of all spikes; `estimator`: of their gradient, `StraightThrough` by default.

        Raises `ValueError` where the shape does not fit.
        """
        x = as_scalar(x)
        if x.ndim != 2 or x.shape[1] != self.channels:
            raise ValueError(f"The input must have shape (frames, {self.channels}), but has {x.shape}.")
        lengths = jnp.asarray(x.shape[0] if length is None else length)[None]
        return jax.tree.map(lambda a: a[0], self.batch(x[None], lengths, key[None], estimator))

    def batch(
        self,
        xs: Float[Array, "samples frames channels"],
        lengths: Int[Array, " samples"],
        keys: Key[Array, " samples"],
        estimator: AbstractEstimator | None = None,
    ) -> SequenceActivity:
        """Many sequences side by side, each as by itself; what comes back has an axis of samples in front.

        The gradient in the weights is one product of matrices a slot, which `vmap` of a single one would not make it.
        """
        estimator = StraightThrough() if estimator is None else estimator
        slots, last = xs.shape[1] * self.hold, lengths * self.hold
        chunk = min(self.chunk or math.ceil(slots**0.5), slots)
        chunks = -(-slots // chunk)
        below = jnp.repeat(jnp.moveaxis(jax.vmap(jax.vmap(self.layers[0].synapse))(xs), 1, 0), self.hold, axis=0)
        padded = jnp.pad(below, [(0, chunks * chunk - slots)] + [(0, 0)] * (below.ndim - 1))
        whole = padded.reshape(chunks, chunk, *below.shape[1:])
        network, count = self.ready(), xs.shape[0]
        rest = _at_rest(network, below.dtype)
        start = jax.tree.map(lambda a: jnp.broadcast_to(a, (count, *a.shape)), rest)
        run = jax.checkpoint(partial(_chunk, estimator=estimator), prevent_cse=False)

        def onward(running, now):
            return run(network, running, *now, last, keys)

        end, fired = jax.lax.scan(onward, start, (jnp.arange(chunks), whole))
        fired = jax.tree.map(lambda a: jnp.moveaxis(a.reshape(chunks * chunk, *a.shape[2:])[:slots], 0, 1), fired)
        interval = jnp.asarray(getattr(network.layers[0].neuron, "interval", jnp.nan))
        scores = jax.vmap(network.readout.found)(end.reading)
        return SequenceActivity(jnp.repeat(xs, self.hold, axis=1), fired, scores, last, jnp.broadcast_to(interval, count))


class _Running(eqx.Module):
    """Between slots: states of the neurons, their last spikes, and the readout."""

    states: tuple[Any, ...]
    spikes: tuple[Array, ...]
    reading: Any


def _at_rest(network: SequenceNetwork, dtype: Any) -> _Running:
    rest = tuple(layer.neuron.init((n,)) for layer, n in zip(network.layers, network.sizes, strict=True))
    silent = tuple(jnp.zeros(n, dtype) for n in network.sizes)
    return _Running(jax.tree.map(lambda a: a.astype(dtype), rest), silent, network.readout.start(silent[-1]))


def _chunk(network, running, number, below, last, keys, *, estimator):
    """Several slots of all samples: one scan, with random numbers of their own."""
    slots = below.shape[0]

    def drawn(key):
        own = jax.random.split(jax.random.fold_in(key, number), len(network.layers))
        return tuple(uniforms(k, (slots, n)) for k, n in zip(own, network.sizes, strict=True))

    def step(running, now):
        slot, ys, us = now
        return jax.vmap(partial(_slot, network, estimator=estimator))(running, ys, us, slot < last)

    us = jax.tree.map(lambda u: jnp.moveaxis(u, 1, 0), jax.vmap(drawn)(keys))
    return jax.lax.scan(step, running, (number * slots + jnp.arange(slots), below, us))


def _slot(network, running, y, us, alive, *, estimator):
    """All layers once; where the sequence is over everything stays and nothing fires."""
    states, trains, done = [], [], []
    for i, (layer, state, before, u) in enumerate(zip(network.layers, running.states, running.spikes, us, strict=True)):
        x = y if i == 0 else layer.synapse(trains[-1])
        x = x if layer.back is None else x + layer.back(before)
        fired, state = layer.neuron(x, state, uniforms=u, estimator=estimator)
        states.append(state)
        trains.append(jnp.where(alive, fired.spikes, 0.0).astype(before.dtype))
        done.append(Fired(trains[-1], fired.logit, jnp.where(alive, fired.current, 0.0)))
    after = _Running(tuple(states), tuple(trains), network.readout.onward(running.reading, trains[-1]))
    return jax.tree.map(lambda a, b: jnp.where(alive, a, b), after, running), tuple(done)


def weights_of(network: SequenceNetwork) -> list[Any]:
    """Weights and biases of all synapses."""
    synapses = [s for layer in network.layers for s in (layer.synapse, layer.back) if s is not None]
    bare: list[Any] = [getattr(s, "synapse", s) for s in (*synapses, network.readout.synapse)]
    return [x for s in bare for x in (s.weight, s.bias)]


def _shape(synapse: AbstractSynapse, shape: tuple[int, ...]) -> tuple[int, ...]:
    return eqx.filter_eval_shape(synapse, jax.ShapeDtypeStruct(shape, jnp.float32)).shape


@checked
def recurrent(
    sizes: Sequence[Count],
    neuron: AbstractNeuron,
    *,
    key: Key[Array, ""],
    gain: Positive = 1.0,
    back: Annotated[float, Within(least=0.0)] = 0.3,
    hold: Count = 1,
    memory: Annotated[float, Within(least=0.0, most=1.0)] = 0.0,
    take: str = "mean",
) -> SequenceNetwork:
    """Dense layers of one kind of neuron, each feeding back on itself, and a readout; `sizes` from the channels to the classes.

    - `neuron`: of all layers; `key`: of the first weights.
    - `gain`: of the weights between layers; `back`: of those within; 0 for none.
    - `hold`: slots for each frame; `memory`, `take`: of the `SequenceReadout`.

    Raises `ValueError` for fewer than three sizes.

    >>> import jax
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> print(mtj.nn.recurrent((12, 64, 32, 9), neuron, key=jax.random.key(0)))
    SequenceNetwork 12 -> 64 (recurrent) -> 32 (recurrent) -> 9, 8425 weights and biases
    """
    if len(sizes) < 3:
        raise ValueError(f"`sizes` must be channels, neurons of one or more layers, and classes, but are {tuple(sizes)}.")
    layers = []
    for i, (a, b) in enumerate(zip(sizes[:-2], sizes[1:-1], strict=True)):
        up, own = jax.random.split(jax.random.fold_in(key, i))
        feedback = Dense.make(b, b, key=own, gain=back) if back > 0 else None
        layers.append(RecurrentLayer(Dense.make(a, b, key=up, gain=gain), neuron, feedback))
    out = Dense.make(sizes[-2], sizes[-1], key=jax.random.fold_in(key, len(sizes)))
    return SequenceNetwork(tuple(layers), SequenceReadout(out, memory, take), sizes[0], hold)
