"""Fits by Monte Carlo: probabilities and their score gradients, sampled near the best place, and what they say together."""

from __future__ import annotations

import dataclasses
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from mtjax.files import fingerprint, read_notes, write_notes
from mtjax.fitting.binomial import Prediction, deviances
from mtjax.fitting.counts.least_deviance import Minimum
from mtjax.fitting.counts.logit_surface import Probes, Surface, regress
from mtjax.fitting.counts.model import BinomialLikelihood, linearised, with_method
from mtjax.fitting.result import covariance_of
from mtjax.fitting.space import Coordinates
from mtjax.switching import MonteCarlo

_MOST = 96
"""Largest number of probes."""
_WIDEST, _ERRORS = 0.25, 1.5
"""How far from the best place probes are: at most this, and this many standard errors."""
_FAR = 2.5
"""Probes further away than this, in units of that radius and the root of k, are forgotten."""
_ENOUGH, _UNEASY = 0.1, 0.5
"""Share of the variance that sampling may add before the search ends, and before it is said."""
_STEPS, _STILL = 50, 1e-4


class SampledMinimum(NamedTuple):
    """The end of a search by sampling.

    - `best`: where it ended; `at`: probabilities there, from all probes.
    - `information`: Fisher's, shape (k, k); `noise`: covariance that sampling adds to that of the coordinates.
    - `told`: of every setting's deviance, what is left when the noise of its sampled probability is allowed for, shape (n,).
    - `share`: of the variance that sampling adds, in the worst direction.
    """

    best: Minimum
    at: Prediction
    information: Float[np.ndarray, "k k"]
    noise: Float[np.ndarray, "k k"]
    told: Float[np.ndarray, " n"]
    share: float


def sampling_remarks(found: SampledMinimum) -> tuple[str, ...]:
    """A sentence where sampling adds much to the errors."""
    if found.share < _UNEASY:
        return ()
    more = float(np.sqrt(1 + found.share))
    return (
        f"Sampling makes standard errors up to {more:.2g} times larger than the data would: give `MonteCarlo` more samples.",
    )


def wander(
    likelihood: BinomialLikelihood,
    space: Coordinates,
    c: Float[np.ndarray, " k"],
    *,
    progress: bool = False,
    checkpoint: str | PathLike[str] | None = None,
) -> SampledMinimum:
    """Maximum likelihood on a response surface that follows the search.

    Probabilities and score gradients are sampled at places around the best one known; a logistic regression joins them
    (`mtjax.fitting.counts.logit_surface`); the best place on it is the next middle, and the radius shrinks with the standard
    errors. The gradients' noise takes no part in the information, which would come out too large otherwise; what the noise of
    sampling does to the estimate is worked out from how the probes scatter. Ends where that adds less than a tenth to the
    variance.
    """
    probe = _Prober(likelihood, checkpoint)
    k = len(c)
    root, settled = np.eye(k) * _WIDEST, False
    with tqdm(total=_MOST, desc="fit by sampling", unit=" probes", disable=not progress) as bar:
        while True:
            number = k + 4 if len(probe) else 2 * k + 4
            bar.update(sum(probe(place) for place in _around(space, c, root, number, len(probe))))
            surface = regress(probe.near(c, root), c, root)
            probe.by_score = surface.by_score > _ENOUGH
            at, moved = _climb(likelihood, space, surface, c)
            ended = _ended(likelihood, space, surface, at)
            bar.set_postfix(deviance=f"{ended.best.deviance:.5g}", sampling=f"{ended.share:.2g}")
            if settled and moved < 1 and ended.share < _ENOUGH:
                return ended
            if len(probe) + k + 4 > _MOST:
                return ended._replace(best=ended.best._replace(converged=settled and moved < 1))
            c, before = at, root
            root = _radius(likelihood, space, surface, at) if moved < 1 else root
            settled = moved < 1 and abs(np.linalg.slogdet(before)[1] - np.linalg.slogdet(root)[1]) < k / 2


def _around(space: Coordinates, c: np.ndarray, root: np.ndarray, number: int, seed: int) -> np.ndarray:
    """Places about c, in pairs of opposite sides where bounds allow."""
    half = np.random.default_rng(seed).standard_normal(((number + 1) // 2, len(c)))
    half *= np.minimum(1.0, 2.0 / np.linalg.norm(half, axis=1, keepdims=True))
    z = np.concatenate([half, -half])[:number]
    return np.clip(c + z @ root.T, space.lower, space.upper)


def _climb(likelihood: BinomialLikelihood, space: Coordinates, surface: Surface, c: np.ndarray) -> tuple[np.ndarray, float]:
    """The most likely place on the surface within one and a half times its radius, and how many radii away it is."""
    for _ in range(_STEPS):
        at, (inner, outer) = surface.at(c), _prior(space, c)
        gain = likelihood.switched / at.p - (likelihood.trials - likelihood.switched) / at.q
        weight = likelihood.trials / (at.p * at.q)
        curvature = np.einsum("n,ni,nj->ij", weight, at.dp, at.dp) + outer
        inside = surface.root.T @ curvature @ surface.root
        step = np.linalg.lstsq(inside, surface.root.T @ (at.dp.T @ gain - inner), rcond=1e-12)[0]
        x = surface.inward(c) + step * min(1.0, 0.5 / np.max(np.abs(step), initial=1e-30))
        x = x * min(1.0, 1.5 / np.max(np.abs(x), initial=1e-30))
        before, c = c, np.clip(surface.middle + surface.root @ x, space.lower, space.upper)
        if np.max(np.abs(surface.inward(c) - surface.inward(before)), initial=0.0) < _STILL:
            break
    return c, float(np.max(np.abs(surface.inward(c)), initial=0.0))


def _ended(likelihood: BinomialLikelihood, space: Coordinates, surface: Surface, c: np.ndarray) -> SampledMinimum:
    at = surface.at(c)
    information = _positive(surface.information(likelihood.trials, c))
    spread = covariance_of(information + _prior(space, c)[1])
    pull = surface.noise(likelihood.switched, likelihood.trials, c)
    share = float(np.max(np.linalg.eigvals(spread @ pull).real))
    told = 1 / (1 + likelihood.trials * at.p * at.q * surface.variance(c))
    deviance = float(told @ np.asarray(deviances(likelihood.switched, likelihood.trials, at.p, at.q)))
    return SampledMinimum(Minimum(c, deviance, converged=True), at, information, spread @ pull @ spread, told, share)


def _radius(likelihood: BinomialLikelihood, space: Coordinates, surface: Surface, c: np.ndarray) -> np.ndarray:
    """Root of the covariance of the next probes: by the standard errors, but such that no logit changes by much.

    Where probes tell less than the data, the errors are those that the probes could give: a radius that follows the data's
    would shrink to where slopes are nothing but noise.
    """
    at = surface.at(c)
    samples = likelihood.model.method.samples * len(surface.parts)  # pyright: ignore[reportAttributeAccessIssue]
    trials = 1 / (1 / likelihood.trials + len(likelihood.trials) / samples)
    information = _positive(surface.information(trials, c)) + _prior(space, c)[1]
    weight = 4 / (at.p * at.q) / max(float(np.sum(4 * at.p * at.q)), 1.0)
    bends = np.einsum("n,ni,nj->ij", weight, at.dp, at.dp)
    return np.linalg.cholesky(np.linalg.inv(information / _ERRORS**2 + bends + np.eye(len(c)) / _WIDEST**2))


def _positive(information: np.ndarray) -> np.ndarray:
    """The same without negative directions, which are noise."""
    scales, axes = np.linalg.eigh(information)
    return (axes * np.maximum(scales, 0.0)) @ axes.T


def _prior(space: Coordinates, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and curvature of the squared prior residuals, halved."""
    r, slope = (np.asarray(x) for x in _known(space, jnp.asarray(c)))
    return slope.T @ r, slope.T @ slope


@eqx.filter_jit
def _known(space, c):
    return space.prior_residuals(c), jax.jacfwd(space.prior_residuals)(c)


@eqx.filter_jit
def _values(model, c, rows):
    return model(c, rows)[0]


class _Prober:
    """Samples all settings at one place after the other, by fresh random numbers, and keeps what it found."""

    def __init__(self, likelihood: BinomialLikelihood, checkpoint: str | PathLike[str] | None):
        assert isinstance(likelihood.model.method, MonteCarlo)
        self.likelihood, self.method, self.by_score = likelihood, likelihood.model.method, True
        self.path = None if checkpoint is None else Path(checkpoint)
        self.problem = fingerprint(likelihood)
        self.kept = [] if self.path is None else read_notes(self.path, self.problem).get("probes", [])
        self.found: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []

    def __len__(self) -> int:
        return len(self.found)

    def __call__(self, c: np.ndarray) -> int:
        """Sample at c, or read from the checkpoint what was sampled there; returns 1, the number of places."""
        number = len(self.found)
        if number == len(self.kept):
            self.kept.append(self._sampled(number, c))
            if self.path is not None:
                write_notes(self.path, {"problem": self.problem, "probes": self.kept})
        p, slopes = (None if x is None else np.array(x, float) for x in self.kept[number])
        empty = np.zeros((len(self.likelihood.trials), len(c)))
        self.found.append((c, np.asarray(p), empty if slopes is None else slopes, float(slopes is not None)))
        return 1

    def _sampled(self, number: int, c: np.ndarray) -> list[list | None]:
        fresh = dataclasses.replace(self.method, key=jax.random.fold_in(self.method.key, number))
        model, rows = with_method(self.likelihood.model, fresh), self.likelihood.rows
        if not self.by_score:
            return [np.asarray(_values(model, jnp.asarray(c), rows), float).tolist(), None]
        at = linearised(model, jnp.asarray(c), rows)
        return [np.asarray(at.p, float).tolist(), np.asarray(at.dp, float).tolist()]

    def near(self, c: np.ndarray, root: np.ndarray) -> Probes:
        """The probes within the radius."""
        places, p, slopes, scored = (np.array(column) for column in zip(*self.found, strict=True))
        distance = np.linalg.norm(np.linalg.solve(root, (places - c).T), axis=0) / np.sqrt(len(c))
        near = distance < _FAR
        return Probes(places[near], p[near], slopes[near], scored[near], self.method.samples)
