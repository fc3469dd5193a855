"""Networks: layers of synapses and neurons over several time-steps, layer by layer (nothing feeds back)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, Positive, Within, checked
from mtjax.dynamics import uniforms
from mtjax.nn.elements import AbstractNeuron, AbstractSynapse, ClockedNeuron, Conv, Dense, Fired, Pooled
from mtjax.nn.estimators import AbstractEstimator, AbstractLookahead, AbstractSurrogate, StraightThrough, with_slope
from mtjax.nn.laws import AbstractLaw
from mtjax.printing import Shown
from mtjax.quantities import Numbers, as_scalar

Uniforms = tuple[Float[Array, "steps ..."], ...]


class Layer(Shown):
    """A `synapse` and the layer of `neuron`s that it drives: one module for all of them.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> weight, neuron = jnp.array([[1.0, -1.0], [0.5, 2.0]]), mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> layer = mtj.nn.Layer(mtj.nn.Dense(weight, bias=jnp.zeros(2)), neuron)
    >>> current = layer.neuron.current(layer.synapse(jnp.array([1.0, 0.5])))
    >>> print(", ".join(f"{1e6 * i:.1f} uA" for i in current))
    77.1 uA, 89.7 uA
    """

    synapse: AbstractSynapse
    neuron: AbstractNeuron


class Activity(Shown):
    """What a network did with one sample.

    - `inputs`: what the first synapse saw, shape (steps, *input).
    - `fired`: of every layer, arrays of shape (steps, *neurons).
    """

    inputs: Array
    fired: tuple[Fired, ...]

    @property
    def logits(self) -> Uniforms:
        """Of all spikes."""
        return tuple(f.logit for f in self.fired)


class Network(Shown):
    """Layers of neurons, and a readout that sums column currents over the time-steps (one comparator per class).

    - `layers`: from the input on.
    - `readout`: synapse from the last layer's spikes to the classes; `None` counts the last layer's spikes instead.
    - `shape`: of the input.
    - `coding`: "direct" gives the first synapse the input as it is at every time-step; "bernoulli" gives it spikes with the
      input as probability (rate coding).

    Raises `ValueError` for another coding, and where the synapses do not fit each other or the input.

    >>> import jax
    >>> import mtjax as mtj
    >>> weights, biases = [jax.numpy.ones((3, 4)), jax.numpy.eye(2, 3)], [jax.numpy.zeros(3), jax.numpy.zeros(2)]
    >>> network = mtj.nn.from_sigmoid(weights, biases, mtj.nn.sengupta2016_law())
    >>> print(network)
    Network 4 -> 3 -> readout, direct coding, 23 weights and biases
    >>> activity = network(jax.numpy.ones(4), uniforms=network.draw(jax.random.key(0), 8))
    >>> print(f"{activity.fired[0].spikes.sum():.0f} spikes of 3 neurons in 8 time-steps")
    21 spikes of 3 neurons in 8 time-steps
    """

    layers: tuple[Layer, ...]
    readout: AbstractSynapse | None
    shape: tuple[Count, ...] = eqx.field(static=True)
    coding: str = eqx.field(static=True, default="direct")

    def __check_init__(self):
        if self.coding not in {"direct", "bernoulli"}:
            raise ValueError(f"`coding` must be 'direct' or 'bernoulli', but is {self.coding!r}.")
        try:
            last = (self.shape, *self.neuron_shapes())[-1]
            if self.readout is not None:
                eqx.filter_eval_shape(self.readout, jax.ShapeDtypeStruct(last, jnp.float32))
        except (TypeError, ValueError, IndexError):
            raise ValueError(
                f"The synapses of a network must fit each other and the input of shape {self.shape}, but do not."
            ) from None

    def __str__(self) -> str:
        """Sizes of the layers, and the number of weights and biases, those of the readout included."""
        sizes = [self.shape, *self.neuron_shapes()]
        text = " -> ".join("x".join(map(str, s)) for s in sizes)
        synapses = [*(layer.synapse for layer in self.layers), self.readout]
        numbers = sum(x.size for x in jax.tree.leaves(eqx.filter(synapses, eqx.is_array)))
        readout = "" if self.readout is None else " -> readout"
        return f"Network {text}{readout}, {self.coding} coding, {numbers} weights and biases"

    def neuron_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shape of every layer of neurons. Raises `ValueError` where layers do not fit together."""
        shapes, shape = [], self.shape
        for layer in self.layers:
            shape = eqx.filter_eval_shape(layer.synapse, jax.ShapeDtypeStruct(shape, jnp.float32)).shape
            shapes.append(shape)
        return tuple(shapes)

    @property
    def classes(self) -> int:
        """How many outputs the readout has. Raises `ValueError` where it does not fit the last layer."""
        last = self.neuron_shapes()[-1]
        if self.readout is None:
            return math.prod(last)
        return eqx.filter_eval_shape(self.readout, jax.ShapeDtypeStruct(last, jnp.float32)).shape[0]

    def draw(self, key: Key[Array, ""], steps: int) -> Uniforms:
        """Uniform numbers for one sample and `steps` time-steps."""
        shapes = self.neuron_shapes()
        return tuple(uniforms(k, (steps, *s)) for k, s in zip(jax.random.split(key, len(shapes)), shapes, strict=True))

    def __call__(
        self,
        x: Numbers,
        *,
        uniforms: Uniforms,
        estimator: AbstractEstimator | None = None,
        key: Key[Array, ""] | None = None,
        noisy: bool = True,
    ) -> Activity:
        """Run one sample `x` for as many time-steps as the uniforms are drawn for.

        `key` is of Bernoulli coding, which needs it, and, if `noisy`, of read noise; without one there is none. Raises
        `ValueError` where shapes do not fit or the key is missing.
        """
        x = as_scalar(x)
        if x.shape != self.shape:
            raise ValueError(f"The input must have shape {self.shape}, but has {x.shape}.")
        if key is None and self.coding == "bernoulli":
            raise ValueError("`key` must be given where inputs are coded as Bernoulli spikes, but is None.")
        estimator = StraightThrough() if estimator is None else estimator
        keys = jax.random.split(jax.random.key(0) if key is None else key, uniforms[0].shape[0])
        inputs = jax.vmap(lambda k: _coded(x, self.coding, jax.random.fold_in(k, 0)))(keys)
        for_noise = keys if noisy and key is not None else None
        fired, spikes, slope = [], inputs, None
        for i, (layer, u) in enumerate(zip(self.layers, uniforms, strict=True)):
            if i == 0 and self.coding == "direct" and for_noise is None:
                y = layer.synapse(x)  # the same at every time-step
            else:
                y = _inputs(layer.synapse, spikes, slope, for_noise, i + 1)
            done = _over_time(layer.neuron, y, u, estimator)
            if i > 0 and isinstance(estimator, AbstractLookahead):
                done = eqx.tree_at(lambda f: f.spikes, done, _ahead(layer, estimator, spikes, u))
            spikes, slope = done.spikes, _slope(layer.neuron, y, u, estimator)
            fired.append(done)
        return Activity(inputs, tuple(fired))

    def read(self, spikes: Float[Array, " steps *neurons"]) -> Float[Array, "steps classes"]:
        """The readout's column currents at every time-step (or the spikes themselves), in units of the weights."""
        return spikes if self.readout is None else jax.vmap(self.readout)(spikes)

    def scores(self, spikes: Float[Array, " steps *neurons"]) -> Float[Array, " classes"]:
        """The mean of `read` over the time-steps, which takes one reading of the mean spikes since the readout is affine."""
        return self.read(jnp.mean(spikes, axis=0, keepdims=True))[0]


def _coded(x: Array, coding: str, key: Key[Array, ""]) -> Array:
    return x if coding == "direct" else (uniforms(key, x.shape) < x).astype(x.dtype)


def _inputs(synapse: AbstractSynapse, spikes: Array, slope: Array | None, keys: Any, number: int) -> Array:
    """The synapse's output at every time-step, with its read noise where there are keys and a crossbar.

    `slope` is what `_slope` gave for these spikes; as the synapse is affine, it goes through it in place of all of them.
    """
    if slope is not None:
        fixed = jax.lax.stop_gradient(synapse)
        return with_slope(jax.vmap(synapse)(jax.lax.stop_gradient(spikes)), fixed(slope))
    if keys is None:
        return jax.vmap(synapse)(spikes)

    def noisy(x, key):
        y, variance = synapse(x), synapse.noise(x)
        if variance is None:
            return y
        normals = jax.random.normal(jax.random.fold_in(key, number), y.shape, y.dtype)
        return y + normals * jnp.sqrt(jnp.maximum(variance, 1e-20))

    return jax.vmap(noisy)(spikes, keys)


def _over_time(neuron: AbstractNeuron, y: Array, u: Array, estimator: AbstractEstimator) -> Fired:
    """What neurons do at every time-step: by a scan, or all at once where they have no memory.

    `y` has no axis of time where it is the same always: then probabilities without memory are computed once.
    """
    still = y.ndim < u.ndim
    rest = neuron.init(u.shape[1:])
    if rest is None:
        return jax.vmap(lambda y, u: neuron(y, None, uniforms=u, estimator=estimator)[0], (None if still else 0, 0))(y, u)

    def step(state, now):
        y_now, u_now = now
        fired, state = neuron(y if still else y_now, state, uniforms=u_now, estimator=estimator)
        return state, fired

    return jax.lax.scan(step, rest, (None if still else y, u))[1]


def _slope(neuron: AbstractNeuron, y: Array, u: Array, estimator: AbstractEstimator) -> Array | None:
    """What has the slope of the spikes of all time-steps, without an axis of time; `None` where there is no such thing."""
    still = y.ndim < u.ndim and neuron.init(y.shape) is None
    if not (still and isinstance(estimator, AbstractSurrogate)):
        return None
    return estimator.surrogate(neuron(y, None, uniforms=u[0], estimator=estimator)[0].logit)


def _ahead(layer: Layer, estimator: AbstractLookahead, spikes: Array, u: Array) -> Array:
    if not isinstance(layer.neuron, ClockedNeuron):
        raise ValueError(
            f"{type(estimator).__name__} needs neurons without memory, but a layer has {type(layer.neuron).__name__}."
        )
    logit = layer.neuron.logit
    return jax.vmap(lambda x, u: estimator.layer(layer.synapse, logit, x, u))(spikes, u)


@checked
def mlp(
    sizes: Sequence[Count],
    law: AbstractLaw,
    *,
    key: Key[Array, ""],
    p: Annotated[float, Within(least=0.001, most=0.999)] = 0.5,
    gain: Positive = 2.0,
    shape: tuple[Count, ...] | None = None,
) -> Network:
    """Multilayer perceptron: dense layers of clocked neurons, `sizes` from the input to the classes; the last is the readout.

    - `law`: of the neurons; `key`: of the first weights, random with this `gain`.
    - `p`: firing probability at input 0; `shape`: of the input, (sizes[0],) by default.

    >>> import jax
    >>> import mtjax as mtj
    >>> network = mtj.nn.mlp([16, 8, 4], mtj.nn.sengupta2016_law(), key=jax.random.key(0))
    >>> print(network)
    Network 16 -> 8 -> readout, direct coding, 172 weights and biases
    >>> print(network.layers[0].neuron)
    ClockedNeuron: bias 70.78 uA, 12.61 uA per unit of input
    """
    if len(sizes) < 2:
        raise ValueError(f"`sizes` must be those of the input, of hidden layers and of the classes, but are {tuple(sizes)}.")
    keys = jax.random.split(key, len(sizes) - 1)
    synapses = [Dense.make(a, b, key=k, gain=gain) for a, b, k in zip(sizes[:-1], sizes[1:], keys, strict=True)]
    layers = tuple(Layer(s, ClockedNeuron.of(law, p=p)) for s in synapses[:-1])
    return Network(layers, synapses[-1], (sizes[0],) if shape is None else shape)


@checked
def convnet(
    law: AbstractLaw,
    *,
    key: Key[Array, ""],
    channels: tuple[Count, Count] = (6, 12),
    p: Annotated[float, Within(least=0.001, most=0.999)] = 0.5,
    gain: Positive = 2.0,
) -> Network:
    """Convolutional network 28x28-6c5-2s-12c5-2s-10o, the network of Sengupta et al. as recalled; `channels` widens it.

    - `law`, `key`, `p`, `gain`: as for `mlp`.

    >>> import jax
    >>> import mtjax as mtj
    >>> print(mtj.nn.convnet(mtj.nn.sengupta2016_law(), key=jax.random.key(0)))
    Network 28x28x1 -> 2x2x12x72 -> 2x2x4x48 -> readout, direct coding, 3898 weights and biases
    """
    k1, k2, k3 = jax.random.split(key, 3)
    a, b = channels
    layers = (
        Layer(Conv.make(5, 1, a, key=k1, gain=gain, squares=2), ClockedNeuron.of(law, p=p)),
        Layer(Pooled(Conv.make(5, a, b, key=k2, gain=gain, squares=2)), ClockedNeuron.of(law, p=p)),
    )
    return Network(layers, Pooled(Dense.make(16 * b, 10, key=k3, gain=gain)), (28, 28, 1))
