"""Training: losses, one optimisation loop, accuracy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key

from mtjax.checks import Count, CountFromZero, Positive, check_fields, checked
from mtjax.nn._oracles import DisARM, Reinforce
from mtjax.nn.datasets import Dataset
from mtjax.nn.estimators import AbstractEstimator, StraightThrough
from mtjax.nn.learning.epochs import Update, require_labels, run_epochs
from mtjax.nn.network import Activity, Network
from mtjax.parallel import over_rows
from mtjax.printing import Shown

Penalty = Callable[[Network, Activity], Array]
"""From a network and its activity for one sample to something to be paid, in units of the loss (lambda times joules)."""


def sample_loss(
    network: Network,
    x: Array,
    label: Array,
    uniforms: Any,
    estimator: AbstractEstimator,
    *,
    key: Key[Array, ""] | None = None,
    penalty: Penalty | None = None,
    noisy: bool = True,
) -> tuple[Array, Any]:
    """Cross-entropy of the readout summed over the time-steps, plus `penalty`; and the logits of all spikes."""
    activity = network(x, uniforms=uniforms, estimator=estimator, key=key, noisy=noisy)

    def loss(spikes):
        return optax.losses.softmax_cross_entropy_with_integer_labels(network.scores(spikes), label)

    total = estimator.final(loss, activity.fired[-1].spikes)
    return total + (0.0 if penalty is None else penalty(network, activity)), activity.logits


def batch_gradient(
    network: Network, xs: Array, labels: Array, key: Key[Array, ""], *, steps: int, estimator: AbstractEstimator,
    penalty: Penalty | None = None, noisy: bool = False,
) -> tuple[Array, Any]:  # fmt: skip
    """Mean loss and estimated gradient over a batch, every sample with uniforms of its own."""
    keys = jax.random.split(key, xs.shape[0])
    us = jax.vmap(lambda k: _draw(network, estimator, k, steps))(keys)

    def program(network, us, estimator):
        def one(x, label, u, k):
            return sample_loss(network, x, label, u, estimator, key=jax.random.fold_in(k, 1), penalty=penalty, noisy=noisy)

        losses, logits = jax.vmap(one)(xs, labels, us, keys)
        return jnp.mean(losses), logits

    if not isinstance(estimator, Reinforce | DisARM):
        return estimator.value_and_grad(program, network, us)

    def single(x, label, u, k):
        how = {"key": jax.random.fold_in(k, 1), "penalty": penalty, "noisy": noisy}
        return estimator.value_and_grad(lambda n, u, e: sample_loss(n, x, label, u, e, **how), network, u)

    losses, gradients = jax.vmap(single)(xs, labels, us, keys)
    return jnp.mean(losses), jax.tree.map(lambda g: jnp.mean(g, axis=0), gradients)


def _draw(network: Network, estimator: AbstractEstimator, key: Key[Array, ""], steps: int) -> Any:
    if not isinstance(estimator, Reinforce):
        return network.draw(key, steps)
    return jax.vmap(lambda k: network.draw(k, steps))(jax.random.split(key, estimator.samples))


@dataclasses.dataclass(frozen=True)
class Training:
    """How a network is trained.

    - `epochs`, `batch`, `rate` (Adam's, falling as a cosine), `steps` (time-steps per sample).
    - `estimator`: of gradients. `shift`: random shifts of images by up to so many pixels.
    - `penalty`: added to the loss. `trainable`: `network -> PyTree of bool`; by default weights and biases of synapses.
    - `perturb`: `(network, key) -> network`, applied before every batch: another chip.
    - `noisy`: draw read noise while training.

    Raises `ValueError` where `epochs`, `batch` or `steps` are below 1.

    >>> import mtjax as mtj
    >>> training = mtj.nn.Training(epochs=5, rate=1e-2, steps=8, estimator=mtj.nn.Concrete(temperature=0.5))
    >>> print(f"{training.epochs} epochs at a rate of {training.rate}, {training.steps} time-steps, {training.estimator}")
    5 epochs at a rate of 0.01, 8 time-steps, Concrete(temperature=0.5, hard=False)
    """

    epochs: Count = 10
    batch: Count = 128
    rate: Positive = 3e-3
    steps: Count = 4
    estimator: AbstractEstimator = dataclasses.field(default_factory=StraightThrough)
    shift: CountFromZero = 0
    penalty: Penalty | None = None
    trainable: Callable[[Network], Any] | None = None
    perturb: Callable[[Network, Key[Array, ""]], Network] | None = None
    noisy: bool = False

    def __post_init__(self):
        check_fields(self)


def synapses_only(network: Network) -> Any:
    """`True` at the weights and biases of all synapses, `False` elsewhere: devices and crossbars stay as they are."""
    frozen = jax.tree.map(lambda _: False, network)

    def leaves(n):
        synapses = [layer.synapse for layer in n.layers] + ([] if n.readout is None else [n.readout])
        bare = [getattr(s, "synapse", s) for s in synapses]
        return [x for s in bare for x in (s.weight, s.bias)]

    return eqx.tree_at(leaves, frozen, [True] * len(leaves(network)))


class Trained(Shown):
    """A trained `network` with its `history`: one row per epoch of (loss, seconds).

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> data, key = mtj.nn.Dataset(np.eye(4), np.array([0, 0, 1, 1])), jax.random.key(0)
    >>> trained = mtj.nn.train(network, data, mtj.nn.Training(epochs=2, batch=4, rate=0.1), key=key, progress=False)
    >>> print([f"loss {loss:.2f}" for loss, seconds in trained.history])
    ['loss 0.70', 'loss 0.60']
    """

    network: Network
    history: tuple[tuple[float, float], ...]


@checked
def train(
    network: Network,
    data: Dataset,
    training: Training | None = None,
    *,
    key: Key[Array, ""],
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> Trained:
    """Train `network` on `data`.

    - `training`: how; `key`: of everything random; `progress`: whether a bar is shown.
    - `checkpoint`: file that is written after every epoch (whole or not at all) and from which training goes on where it
      exists; the result is the same as without the interruption.

    Raises `ValueError` where the checkpoint belongs to another network, or images or labels do not fit this one.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> data, training = mtj.nn.Dataset(np.eye(4), np.array([0, 0, 1, 1])), mtj.nn.Training(epochs=60, batch=4, rate=0.1)
    >>> trained = mtj.nn.train(network, data, training, key=jax.random.key(0), progress=False)
    >>> print(f"loss {trained.history[0][0]:.1f}, after 60 epochs {trained.history[-1][0]:.1f}")
    loss 0.7, after 60 epochs 0.0
    """
    training = Training() if training is None else training
    _fits(network, data)
    arrays = (jnp.asarray(data.images, jnp.float32), jnp.asarray(data.labels))
    how: Any = {"trainable": synapses_only, "key": key, "progress": progress, "checkpoint": checkpoint}
    return Trained(*run_epochs(network, training, make_update, arrays, **how))


def make_update(optimiser: optax.GradientTransformation, training: Training) -> Update:
    """One compiled step of `train`; its arrays are images and labels."""

    @eqx.filter_jit(donate="none")
    def update(moving, fixed, state, arrays, rows, key):
        xs, labels = arrays
        k1, k2, k3 = jax.random.split(key, 3)
        images = shifted(xs[rows], training.shift, k3) if training.shift else xs[rows]

        def program(moving):
            network = eqx.combine(moving, fixed)
            return network if training.perturb is None else training.perturb(network, k2)

        network, pull_back = eqx.filter_vjp(program, moving)
        loss, gradient = batch_gradient(
            network, images, labels[rows], k1, steps=training.steps, estimator=training.estimator,
            penalty=training.penalty, noisy=training.noisy,
        )  # fmt: skip
        (gradient,) = pull_back(gradient)
        changes, state = optimiser.update(gradient, state)
        return eqx.apply_updates(moving, changes), state, loss

    return update


def shifted(images: Float[Array, "batch h w *c"], pixels: int, key: Key[Array, ""]) -> Float[Array, "batch h w *c"]:
    """Every image moved by up to `pixels` in both directions, zeros moving in."""
    pad = [(0, 0), (pixels, pixels), (pixels, pixels)] + [(0, 0)] * (images.ndim - 3)
    padded = jnp.pad(images, pad)
    offsets = jax.random.randint(key, (images.shape[0], 2), 0, 2 * pixels + 1)

    def cut(image, offset):
        return jax.lax.dynamic_slice(image, (offset[0], offset[1], *([0] * (image.ndim - 2))), images.shape[1:])

    return jax.vmap(cut)(padded, offsets)


class Accuracy(Shown):
    """Accuracy against time-steps.

    - `correct`: shape (samples, steps): whether the readout summed up to each time-step names the class.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> correct = np.array([[True, True], [False, True], [True, True], [False, False]])
    >>> print(mtj.nn.Accuracy(correct))
    50.00 +- 25.00 % at 1, 75.00 +- 21.65 % at 2
    """

    correct: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """Share of right answers after 1, 2, ... time-steps."""
        return self.correct.mean(axis=0)

    @property
    def stderr(self) -> np.ndarray:
        """Binomial standard error of `value`."""
        p = self.value
        return np.sqrt(np.maximum(p * (1 - p), 1e-12) / len(self.correct))

    def __str__(self) -> str:
        """At powers of two."""
        marks = [2**i for i in range(12) if 2**i <= self.correct.shape[1]]
        return ", ".join(f"{100 * self.value[t - 1]:.2f} +- {100 * self.stderr[t - 1]:.2f} % at {t}" for t in marks)


@checked
def evaluate(
    network: Network, data: Dataset, *, steps: Count, key: Key[Array, ""], batch: Count | None = None, noisy: bool = False
) -> Accuracy:
    """Accuracy of `network` on `data` after every number of time-steps up to `steps`.

    - `key`: of spikes and noise; `noisy`: whether crossbars are read with their noise.
    - `batch`: samples side by side; `None` for as many as some 16 MB of spikes allow.

    Raises `ValueError` where images or labels do not fit the network.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.from_sigmoid([np.ones((3, 4)), np.eye(2, 3)], [np.zeros(3), np.zeros(2)], mtj.nn.perpendicular_law())
    >>> data = mtj.nn.Dataset(np.eye(4), np.array([0, 0, 0, 0]))
    >>> print(mtj.nn.evaluate(network, data, steps=4, key=jax.random.key(0)))
    75.00 +- 21.65 % at 1, 50.00 +- 25.00 % at 2, 100.00 +- 0.00 % at 4
    """
    _fits(network, data)
    if batch is None:
        neurons = sum(math.prod(shape) for shape in network.neuron_shapes())
        batch = min(max(2**22 // (neurons * steps), 1), 500)
    correct = []
    for start in range(0, len(data), batch):
        part = slice(start, start + batch)
        images, labels = np.asarray(data.images[part], np.float32), np.asarray(data.labels[part])
        keys = jax.random.split(jax.random.fold_in(key, start), len(labels))
        correct.append(np.asarray(over_rows(_right, (network, steps, noisy), (images, labels, keys))))
    return Accuracy(np.concatenate(correct))


def _right(shared: tuple[Network, int, bool], rows: tuple[Array, Int[Array, " batch"], Key[Array, " batch"]]):
    network, steps, noisy = shared

    def one(x, label, key):
        activity = network(x, uniforms=network.draw(key, steps), key=jax.random.fold_in(key, 1), noisy=noisy)
        scores = jnp.cumsum(network.read(activity.fired[-1].spikes).reshape(steps, -1), axis=0)
        return jnp.argmax(scores, axis=1) == label

    return jax.vmap(one)(*rows)


def _fits(network: Network, data: Dataset) -> None:
    if data.images.shape[1:] != network.shape:
        raise ValueError(f"The network takes inputs of shape {network.shape}, but the data have {data.images.shape[1:]}.")
    require_labels(data.labels, network.classes)
