"""Training and accuracy of networks that use time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, checked
from mtjax.nn.estimators import AbstractEstimator, AbstractSurrogate, Concrete
from mtjax.nn.learning.epochs import Update, require_labels, run_epochs
from mtjax.nn.learning.training import Accuracy, Training
from mtjax.nn.sequences import SequenceNetwork, Sequences
from mtjax.nn.sequences.network import weights_of
from mtjax.printing import Shown


class TrainedOnSequences(Shown):
    """A trained `network` with its `history`: one row per epoch of (loss, seconds).

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> network = mtj.nn.recurrent((1, 4, 2), mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law()), key=jax.random.key(0))
    >>> data = mtj.nn.Sequences.of([np.ones((3, 1))] * 2, [0, 1])
    >>> trained = mtj.nn.train_sequences(network, data, mtj.nn.Training(epochs=1), key=jax.random.key(1), progress=False)
    >>> print(trained.network, len(trained.history))
    SequenceNetwork 1 -> 4 (recurrent) -> 2, 38 weights and biases 1
    """

    network: SequenceNetwork
    history: tuple[tuple[float, float], ...]


def weights_only(network: SequenceNetwork) -> Any:
    """`True` at the weights and biases of all synapses, `False` elsewhere: devices stay as they are."""
    frozen = jax.tree.map(lambda _: False, network)
    return eqx.tree_at(weights_of, frozen, [True] * len(weights_of(network)))


def mean_loss(
    network: SequenceNetwork, xs: Array, lengths: Array, labels: Array, key: Key[Array, ""], estimator: AbstractEstimator
) -> Array:
    """Mean cross-entropy of the scores over a batch, every sequence with random numbers of its own."""
    scores = network.batch(xs, lengths, jax.random.split(key, xs.shape[0]), estimator).scores
    return jnp.mean(optax.losses.softmax_cross_entropy_with_integer_labels(scores, labels))


@checked
def train_sequences(
    network: SequenceNetwork,
    data: Sequences,
    training: Training | None = None,
    *,
    key: Key[Array, ""],
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> TrainedOnSequences:
    """Train `network` on sequences: `data` are dealt out in batches, all of the same padded length.

    - `training`: how; of it count `epochs`, `batch`, `rate`, `estimator`, `trainable` and `perturb`.
    - `key`: of everything random; `progress`: whether a bar is shown.
    - `checkpoint`: as for `train`: the result is the same as without an interruption.

    Raises `ValueError` where the data do not fit the network, the checkpoint is another network's, or the estimator is none
    that differentiates through the scan.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> network = mtj.nn.recurrent((1, 8, 2), neuron, key=jax.random.key(0))
    >>> data = mtj.nn.Sequences(np.array([[[2.0], [0.0]], [[0.0], [2.0]]]), np.array([2, 2]), np.array([0, 1]))
    >>> training = mtj.nn.Training(epochs=2, batch=2)
    >>> trained = mtj.nn.train_sequences(network, data, training, key=jax.random.key(1), progress=False)
    >>> print(len(trained.history), "epochs")
    2 epochs
    """
    training = Training() if training is None else training
    _fits(network, data)
    if not isinstance(training.estimator, AbstractSurrogate | Concrete):
        raise ValueError(
            f"Networks that use time need an estimator like StraightThrough, but have {type(training.estimator).__name__}."
        )
    arrays = (jnp.asarray(data.values, jnp.float32), jnp.asarray(data.lengths), jnp.asarray(data.labels))
    how: Any = {"trainable": weights_only, "key": key, "progress": progress, "checkpoint": checkpoint}
    return TrainedOnSequences(*run_epochs(network, training, make_update, arrays, **how))


def make_update(optimiser: optax.GradientTransformation, training: Training) -> Update:
    """One compiled step of `train_sequences`; its arrays are values, lengths and labels."""

    @eqx.filter_jit
    def update(moving, fixed, state, arrays, rows, key):
        for_spikes, for_chip = jax.random.split(key)

        def loss(moving):
            network = eqx.combine(moving, fixed)
            network = network if training.perturb is None else training.perturb(network, for_chip)
            xs, lengths, labels = (a[rows] for a in arrays)
            return mean_loss(network, xs, lengths, labels, for_spikes, training.estimator)

        value, gradient = eqx.filter_value_and_grad(loss)(moving)
        changes, state = optimiser.update(gradient, state)
        return eqx.apply_updates(moving, changes), state, value

    return update


@checked
def evaluate_sequences(
    network: SequenceNetwork, data: Sequences, *, key: Key[Array, ""], presentations: Count = 1, batch: Count = 100
) -> Accuracy:
    """Accuracy of `network` on `data` when the scores of 1, 2, ... `presentations` of a sequence are summed.

    - `key`: of spikes; `batch`: sequences side by side.

    >>> import jax
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> neuron = mtj.nn.ClockedNeuron.of(mtj.nn.sengupta2016_law())
    >>> network = mtj.nn.recurrent((1, 4, 2), neuron, key=jax.random.key(0))
    >>> data = mtj.nn.Sequences.of([np.ones((3, 1))] * 2, [1, 1])
    >>> print(mtj.nn.evaluate_sequences(network, data, key=jax.random.key(1)).correct.shape)
    (2, 1)
    """
    _fits(network, data)
    right = []
    for start in range(0, len(data), batch):
        part = slice(start, start + batch)
        arrays = (jnp.asarray(data.values[part], jnp.float32), jnp.asarray(data.lengths[part]))
        keys = jax.random.split(jax.random.fold_in(key, start), (presentations, len(arrays[1])))
        scores = np.asarray(jnp.cumsum(jnp.stack([scores_of(network, *arrays, k) for k in keys]), axis=0))
        right.append(data.labels[part][:, None] == scores.argmax(axis=2).T)
    return Accuracy(np.concatenate(right))


@eqx.filter_jit
def scores_of(network: SequenceNetwork, xs: Array, lengths: Array, keys: Key[Array, " batch"]) -> Float[Array, "batch classes"]:
    """Scores of a batch of sequences, each with a key of its own."""
    return network.batch(xs, lengths, keys).scores


def _fits(network: SequenceNetwork, data: Sequences) -> None:
    if data.values.shape[2] != network.channels:
        raise ValueError(f"The network takes {network.channels} channels, but the data have {data.values.shape[2]}.")
    require_labels(data.labels, network.classes)
