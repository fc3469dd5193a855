"""Sampled probabilities of all settings, with slopes from differences by common random numbers."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from mtjax.dynamics import Ensemble
from mtjax.fitting.binomial import Prediction
from mtjax.fitting.counts.model import Settings, SwitchingModel
from mtjax.parallel import over_blocks
from mtjax.switching import MonteCarlo

FEW = 256
"""Samples of a first search; numbers of samples are rounded up to multiples of it."""
_FOR_SLOPES = 2048
"""Most samples behind a slope; more would hardly improve a fit."""
_AT_ONCE = 8
"""Groups of samples handed to every device at a time."""
_FIRST, _LEAST, _MOST = 0.03, 0.005, 0.15
"""Distances over which slopes are taken, in coordinates (logarithms): the first, the shortest and the longest."""
_LOGITS = 0.4
"""By how much the logits that tell most change over that distance."""


def sampled_prediction(model: SwitchingModel, c: Float[np.ndarray, " k"], rows: Settings) -> Prediction:
    """Sampled probabilities of all settings at the coordinates c, with their derivatives, shape (n, k).

    Derivatives are central differences by the same random numbers on both sides: far less noise a second than the score
    estimator has, at the price of a bias of a few per cent (the distance is such that logits change by about 0.4). Every
    setting has random numbers of its own, the same at every place: the surface on which a fit searches stands still.
    """
    method = model.method
    assert isinstance(method, MonteCarlo)
    c, few = np.asarray(c, float), min(FEW, method.samples)
    p, slopes = _differences(model, c, rows, np.full(len(c), _FIRST), few)
    if method.samples > FEW:
        steps = _distances(p, slopes)
        slopes = _differences(model, c, rows, steps, min(_FOR_SLOPES, method.samples))[1]
    return _seen(model, c, rows, _at(model, c, rows), slopes)


def sampled_values(model: SwitchingModel, c: Float[np.ndarray, " k"], rows: Settings) -> tuple[np.ndarray, np.ndarray]:
    """The same probabilities alone, of being seen switched and not, shape (n,)."""
    found = _seen(model, c, rows, _at(model, c, rows), np.zeros((len(rows), len(c))))
    return np.asarray(found.p), np.asarray(found.q)


def _at(model: SwitchingModel, c: np.ndarray, rows: Settings) -> Float[np.ndarray, " n"]:
    return _fractions(model, c[None], np.ones((1, len(rows)), bool), rows, model.method.samples)[0]  # pyright: ignore[reportAttributeAccessIssue]


def _differences(
    model: SwitchingModel, c: np.ndarray, rows: Settings, steps: np.ndarray, samples: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n k"]]:
    """Probabilities about c, means over the places, and their derivatives."""
    sides = np.stack([c + np.diag(steps), c - np.diag(steps)])
    sides = np.clip(sides, model.space.lower, model.space.upper)
    matters = _matters(model, rows)
    places, wanted = sides.reshape(-1, len(c)), np.concatenate([matters, matters])
    found = _fractions(model, places, wanted, rows, samples).reshape(2, len(c), -1)
    apart = np.diagonal(sides[0] - sides[1])
    slopes = np.where(matters, found[0] - found[1], 0.0) / apart[:, None]
    number = np.maximum(matters.sum(axis=0), 1)
    return np.where(matters, found, 0.0).sum(axis=(0, 1)) / (2 * number), slopes.T


def _distances(p: np.ndarray, slopes: np.ndarray) -> Float[np.ndarray, " k"]:
    """How far apart the places of a difference are, half of it, in every coordinate."""
    weight = p * (1 - p)
    steepness = np.sqrt(np.sum(slopes**2 / weight[:, None], axis=0) / np.sum(weight))
    return np.clip(_LOGITS / np.maximum(steepness, 1e-9), _LEAST, _MOST)


def _matters(model: SwitchingModel, rows: Settings) -> Bool[np.ndarray, "k n"]:
    """Whether a coordinate changes what the device of a row does."""
    group = np.asarray(rows.group)
    return np.stack([np.zeros(len(rows), bool) if t.of_lapse else (t.group < 0) | (t.group == group) for t in model.targets])


def _fractions(
    model: SwitchingModel, places: np.ndarray, wanted: np.ndarray, rows: Settings, samples: int
) -> Float[np.ndarray, "S n"]:
    """Switched fractions, (k + 1/2) / (N + 1), of the wanted pairs of place and row; 1/2 elsewhere."""
    groups = -(-samples // FEW)
    at, row = np.nonzero(wanted)
    work = _Work(
        jnp.asarray(np.repeat(places[at], groups, axis=0)),
        jax.tree.map(jnp.asarray, rows.rows(np.repeat(row, groups))),
        jnp.asarray(np.repeat(row, groups)),
        jnp.asarray(np.tile(np.arange(groups), len(row))),
    )
    found = np.asarray(over_blocks(_switched, model, work, _AT_ONCE), float).reshape(-1, groups).sum(axis=1)
    fractions = np.full(wanted.shape, 0.5)
    fractions[at, row] = (found + 0.5) / (groups * FEW + 1)
    return fractions


class _Work(NamedTuple):
    """Groups of samples: the coordinates, the row with its number, and the number of the group in its row."""

    c: Array
    row: Settings
    number: Array
    group: Array


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

    (p, q), (dp, dq) = seen(jnp.asarray(c)), jax.jacfwd(seen)(jnp.asarray(c))
    return Prediction(*(np.asarray(x, float) for x in (p, q, dp, dq)))


def with_samples(model: SwitchingModel, samples: int) -> SwitchingModel:
    """The same model by fewer samples, or more."""
    return dataclasses.replace(model, method=dataclasses.replace(model.method, samples=samples))
