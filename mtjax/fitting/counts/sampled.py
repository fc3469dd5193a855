"""Sampled probabilities of all settings, with slopes from differences by common random numbers."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.dynamics import Ensemble
from mtjax.fitting.binomial import Prediction, Rows
from mtjax.fitting.counts.model import Settings, SwitchingModel
from mtjax.parallel import over_blocks
from mtjax.switching import MonteCarlo

FEW = 256
"""Samples of a first search; numbers of samples are rounded up to multiples of it."""
_FOR_SLOPES = 2048
"""Most samples behind a slope; more would hardly improve a fit."""
_AT_ONCE = 8
"""Groups of samples handed to every device at a time."""
_FIRST, _LEAST, _MOST = 0.03, 0.005, 0.3
"""Distances to both sides over which slopes are taken, in coordinates (logarithms): the first, the shortest, the longest."""
_LOGITS = 0.4
"""By how much the logits that tell most change over that distance."""


def sampled_prediction(model: SwitchingModel, c: Float[np.ndarray, " k"], rows: Settings) -> Prediction:
    """Sampled probabilities of all settings at the coordinates c, with their derivatives, shape (n, k).

    Derivatives are central differences by the same random numbers on both sides: far less noise a second than the score
    estimator has, at the price of a bias of a few per cent. They are taken along the axes of the Fisher information, as a few
    samples know it, over distances that change logits by about 0.4: two quantities of which the data tell only the ratio well
    have slopes that tell them apart all the same. Every setting has random numbers of its own, the same at every place: the
    surface on which a fit searches stands still.
    """
    method = model.method
    assert isinstance(method, MonteCarlo)
    c = np.asarray(c, float)
    moved = np.flatnonzero([not t.of_lapse for t in model.targets])
    steps, slopes = _FIRST * np.eye(len(c))[moved], np.zeros((len(rows), len(c)))
    for samples in (FEW, _FOR_SLOPES) if len(moved) else ():
        p, slopes = _differences(model, c, rows, steps, min(samples, method.samples))
        steps = _along_axes(p, slopes[:, moved]) @ np.eye(len(c))[moved]
    return _seen(model, c, rows, _at(model, c, rows), slopes)


def sampled_values(model: SwitchingModel, c: Float[np.ndarray, " k"], rows: Settings) -> tuple[Rows, Rows]:
    """The same probabilities alone, of being seen switched and not, shape (n,)."""
    p, lapse = _at(model, c, rows), model.lapse_of(c)
    return (p, 1 - p) if lapse is None else lapse.observed(p, 1 - p, jnp.asarray(rows.amplitude))


def _at(model: SwitchingModel, c: np.ndarray, rows: Settings) -> Float[np.ndarray, " n"]:
    return _fractions(model, np.asarray(c)[None], rows, model.method.samples)[0]  # pyright: ignore[reportAttributeAccessIssue]


def _differences(
    model: SwitchingModel, c: np.ndarray, rows: Settings, steps: Float[np.ndarray, "m k"], samples: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n k"]]:
    """Probabilities about c, means over the places c +- steps, and their derivatives."""
    sides = np.clip(np.stack([c + steps, c - steps]), model.space.lower, model.space.upper)
    found = _fractions(model, sides.reshape(-1, len(c)), rows, samples).reshape(2, len(steps), -1)
    slopes = np.linalg.lstsq(sides[0] - sides[1], found[0] - found[1], rcond=1e-9)[0]
    return found.mean(axis=(0, 1)), slopes.T


def _along_axes(p: np.ndarray, slopes: Float[np.ndarray, "n m"]) -> Float[np.ndarray, "m m"]:
    """Steps along the axes of the information, so long that logits change by about 0.4 in the mean."""
    weight = p * (1 - p)
    scales, axes = np.linalg.eigh(slopes.T @ (slopes / weight[:, None]) / np.sum(weight))
    lengths = np.clip(_LOGITS / np.sqrt(np.maximum(scales, 1e-9)), _LEAST, _MOST)
    return lengths[:, None] * axes.T


def _fractions(model: SwitchingModel, places: np.ndarray, rows: Settings, samples: int) -> Float[np.ndarray, "S n"]:
    """Switched fractions, (k + 1/2) / (N + 1), of every row at every place."""
    groups = -(-samples // FEW)
    at, row, group = (x.ravel() for x in np.indices((len(places), len(rows), groups)))
    work = jax.tree.map(jnp.asarray, _Work(places[at], rows.rows(row), row, group))
    found = np.asarray(over_blocks(_switched, model, work, _AT_ONCE), float).reshape(len(places), len(rows), groups)
    return (found.sum(axis=2) + 0.5) / (groups * FEW + 1)


class _Work(NamedTuple):
    """Groups of samples: the coordinates, the row with its number, and the number of the group in its row."""

    c: Any
    row: Settings
    number: Any
    group: Any


def _switched(model: SwitchingModel, work: _Work) -> Array:
    """How many of each group switch."""
    method: Any = model.method

    def one(work: _Work) -> Array:
        device, pulse = model.situation(work.c, work.row)
        key = jax.random.fold_in(method.key, work.number)
        ensemble = Ensemble.of(device, pulse, model.wait(device), method.dt, key)
        return jnp.sum(ensemble.outcomes(work.group * FEW + jnp.arange(FEW)).switched)

    return jax.lax.map(one, work)


def _seen(model: SwitchingModel, c: np.ndarray, rows: Settings, p: np.ndarray, slopes: np.ndarray) -> Prediction:
    """What is seen of devices that switch with probability p at c."""
    lapse = model.lapse_of(c)
    if lapse is None:
        return Prediction(p, 1 - p, slopes, -slopes)

    def seen(at):
        straight = p + slopes @ (at - c)
        return model.lapse_of(at).observed(straight, 1 - straight, jnp.asarray(rows.amplitude))

    values, derivatives = seen(jnp.asarray(c)), jax.jacfwd(seen)(jnp.asarray(c))
    return Prediction(*(np.asarray(x, float) for x in (*values, *derivatives)))


def with_samples(model: SwitchingModel, samples: int) -> SwitchingModel:
    """The same model by fewer samples, or more."""
    return dataclasses.replace(model, method=dataclasses.replace(model.method, samples=samples))
