"""Fits by Monte Carlo: Fisher scoring on sampled probabilities and their score gradients, averaged over many small steps."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from mtjax.coordinates import Coordinates
from mtjax.likelihood import Prediction, fisher_information
from mtjax.model import BinomialLikelihood, linearised, with_method
from mtjax.monte_carlo import MonteCarlo
from mtjax.search import Minimum

_STEPS = 40
_BURN = 12
_LONGEST = 0.4


def wander(
    likelihood: BinomialLikelihood, space: Coordinates, c: Float[np.ndarray, " k"], *, progress: bool = False
) -> tuple[Minimum, Float[np.ndarray, "k k"], Float[np.ndarray, "k k"]]:
    """Stochastic approximation with averaging (Robbins and Monro, 1951; Polyak and Juditsky, 1992).

    Every step draws new trajectories and moves by (score) / (running mean of the Fisher information), damped as
    1 / step^0.6; the mean of the places after the first steps is the estimate. Returns it, the mean Fisher information, and
    the covariance of the mean: what is left of the noise of sampling, from batches of steps.
    """
    places, informations, information = [], [], np.zeros((len(c), len(c)))
    with tqdm(total=_STEPS, desc="fit by sampling", unit=" steps", disable=not progress) as bar:
        for step in range(_STEPS):
            at = _sampled(likelihood, c, step)
            inner, outer = _prior(space, c)
            informations.append(np.asarray(fisher_information(likelihood.trials, at)))
            information = np.mean(informations[-_BURN:], axis=0) + outer
            gain = likelihood.switched / at.p - (likelihood.trials - likelihood.switched) / at.q
            move = np.linalg.lstsq(information, at.dp.T @ gain - inner, rcond=1e-10)[0] / max(step - 3, 1) ** 0.6
            c = c + move * min(1.0, _LONGEST / np.max(np.abs(move), initial=1e-30))
            c = np.clip(c, space.lower, space.upper)
            places.append(c)
            bar.update()
    kept = np.array(places[_BURN:])
    batches = kept[: len(kept) // 4 * 4].reshape(4, -1, len(c)).mean(axis=1)
    noise = np.atleast_2d(np.cov(batches.T)) / 4
    middle = kept.mean(axis=0)
    return Minimum(middle, np.nan, converged=True), np.mean(informations[_BURN:], axis=0), noise


def _sampled(likelihood: BinomialLikelihood, c: np.ndarray, step: int) -> Prediction:
    """Probabilities by fresh random numbers, kept away from 0 and 1 by half a sample."""
    method = likelihood.model.method
    assert isinstance(method, MonteCarlo)
    fresh = dataclasses.replace(method, key=jax.random.fold_in(method.key, step))
    at = linearised(with_method(likelihood.model, fresh), jnp.asarray(c), likelihood.rows)
    return half_a_sample_inside(at, method)


def half_a_sample_inside(at: Prediction, method: MonteCarlo) -> Prediction:
    """Sampled probabilities kept away from 0 and 1 by half a sample, as `MonteCarlo` does for its standard error."""
    p = (np.asarray(at.p, float) * method.samples + 0.5) / (method.samples + 1)
    return Prediction(p, 1 - p, np.asarray(at.dp, float), np.asarray(at.dq, float))


def _prior(space: Coordinates, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and curvature of the squared prior residuals, halved."""
    r, slope = space.prior_residuals(jnp.asarray(c)), jax.jacfwd(space.prior_residuals)(jnp.asarray(c))
    return np.asarray(slope.T @ r), np.asarray(slope.T @ slope)
