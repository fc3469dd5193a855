"""The loop of a training: epochs of shuffled batches, which a checkpoint carries over an interruption."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key
from tqdm import tqdm

from mtjax.files import load_checkpoint, save_checkpoint

History = tuple[tuple[float, float], ...]
"""One row per epoch: loss, seconds."""
Update = Callable[..., tuple[Any, Any, Array]]
"""One step: (moving, fixed, state, arrays, rows, key) -> (moving, state, loss)."""


def run_epochs(
    network: Any,
    training: Any,
    make_update: Callable[[optax.GradientTransformation, Any], Update],
    arrays: tuple[Array, ...],
    *,
    trainable: Callable[[Any], Any],
    key: Key[Array, ""],
    progress: bool,
    checkpoint: str | Path | None,
) -> tuple[Any, History]:
    """The `network` after the epochs of `training`, and its history.

    - `arrays`: the data, the first axis their number; `trainable`: what moves, where `training` does not say.
    """
    number = len(arrays[0])
    batches = max(number // training.batch, 1)
    optimiser = optax.adam(optax.cosine_decay_schedule(training.rate, training.epochs * batches))
    chosen = (trainable if training.trainable is None else training.trainable)(network)
    moving, fixed = eqx.partition(network, chosen)
    state = optimiser.init(eqx.filter(moving, eqx.is_inexact_array))
    history: History = ()
    if checkpoint is not None and Path(checkpoint).exists():
        (moving, state), history = load_checkpoint(checkpoint, (moving, state))
    update = make_update(optimiser, training)
    for epoch in range(len(history), training.epochs):
        start, for_order, for_steps = time.perf_counter(), *jax.random.split(jax.random.fold_in(key, epoch))
        order = np.asarray(jax.random.permutation(for_order, number))[: batches * training.batch].reshape(batches, -1)
        bar = tqdm(order, desc=f"epoch {epoch + 1}/{training.epochs}", disable=not progress, leave=False)
        losses = []
        for i, rows in enumerate(bar):
            moving, state, loss = update(moving, fixed, state, arrays, jnp.asarray(rows), jax.random.fold_in(for_steps, i))
            losses.append(loss)
            if progress and i % 50 == 0:
                bar.set_postfix(loss=f"{float(loss):.3f}")
        history = (*history, (float(jnp.mean(jnp.stack(losses))), time.perf_counter() - start))
        if progress:
            tqdm.write(f"epoch {epoch + 1}: loss {history[-1][0]:.4f}, {history[-1][1]:.1f} s")
        if checkpoint is not None:
            save_checkpoint(checkpoint, (moving, state), history)
    return eqx.combine(moving, fixed), history


def require_labels(labels: np.ndarray, classes: int) -> None:
    """Raise `ValueError` where a network tells fewer classes apart than the data have."""
    if len(labels) and labels.max() >= classes:
        raise ValueError(f"The network tells {classes} classes apart, but the data have labels up to {labels.max()}.")
