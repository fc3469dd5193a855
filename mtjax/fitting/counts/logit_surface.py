"""Response surfaces: what many noisy samples of probabilities, at places near each other, say together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mtjax.fitting.binomial import Prediction

_ROUNDS, _STEPS = 4, 12
_RIDGE = 1 / 9
"""Prior precision of a slope: a logit changes by about three over the radius of the probes."""
_NOISE, _LEAST = 1e4, 1e-2
"""Variance of the score before anything is known of it, and the smallest that is believed."""
_EVENTS = 50.0
"""Where fewer samples than this switched (or did not), the variance that is found is not believed."""


class Probes(NamedTuple):
    """Sampled probabilities of n settings at S places, and their sampled derivatives.

    - `places`: coordinates, shape (S, k); `p`: shape (S, n); `slopes`: shape (S, n, k), 0 where not `scored`, shape (S,).
    - `samples`: behind each probability.
    """

    places: Float[np.ndarray, "S k"]
    p: Float[np.ndarray, "S n"]
    slopes: Float[np.ndarray, "S n k"]
    scored: Float[np.ndarray, " S"]
    samples: int


class Surface(NamedTuple):
    """Logits a + b . x of n settings, where coordinates c = middle + root x.

    - `theta`: a and b of every setting, shape (n, 1 + k).
    - `parts`: what the noise of every probe contributes to them, shape (S, n, 1 + k): their covariance is the sum over probes
      of the products, whatever the distribution of that noise.
    - `by_score`: share of what is known of the slopes that comes from the score rather than from differences.
    """

    middle: Float[np.ndarray, " k"]
    root: Float[np.ndarray, "k k"]
    theta: Float[np.ndarray, "n 1+k"]
    parts: Float[np.ndarray, "S n 1+k"]
    by_score: float

    def inward(self, c: np.ndarray) -> np.ndarray:
        """x of coordinates."""
        return np.linalg.solve(self.root, (c - self.middle).T).T

    def at(self, c: Float[np.ndarray, " k"]) -> Prediction:
        """Probabilities at the coordinates c, with their derivatives."""
        u = self.theta @ np.append(1.0, self.inward(c))
        p, q = _logistic(u), _logistic(-u)
        slopes = (p * q)[:, None] * np.linalg.solve(self.root.T, self.theta[:, 1:].T).T
        return Prediction(p, q, slopes, -slopes)

    def variance(self, c: Float[np.ndarray, " k"]) -> Float[np.ndarray, " n"]:
        """Of the logits at c, by the noise of sampling."""
        return np.sum((self.parts @ np.append(1.0, self.inward(c))) ** 2, axis=0)

    def information(self, trials: np.ndarray, c: np.ndarray) -> Float[np.ndarray, "k k"]:
        """Fisher information of `trials` at c, without what the noise of the slopes would add to it."""
        at, b = self.at(c), self.theta[:, 1:]
        noise = np.einsum("sni,snj->nij", self.parts[..., 1:], self.parts[..., 1:])
        inside = np.einsum("n,nij->ij", trials * at.p * at.q, b[:, :, None] * b[:, None, :] - noise)
        outward = np.linalg.inv(self.root)
        return outward.T @ inside @ outward

    def noise(self, switched: np.ndarray, trials: np.ndarray, c: np.ndarray) -> Float[np.ndarray, "k k"]:
        """Covariance, by the noise of sampling, of the derivative of the data's log-likelihood at c."""
        at, b, x = self.at(c), self.theta[:, 1:], self.inward(c)
        level = np.einsum("sni,i->sn", self.parts, np.append(1.0, x)) * (trials * at.p * at.q)
        each = np.einsum("sn,snk->sk", np.broadcast_to(switched - trials * at.p, level.shape), self.parts[..., 1:]) - level @ b
        each = np.linalg.solve(self.root.T, each.T).T
        return each.T @ each


def regress(probes: Probes, middle: Float[np.ndarray, " k"], root: Float[np.ndarray, "k k"]) -> Surface:
    """Logistic regression of the probes' probabilities and slopes, weighted by what each is worth.

    A sampled slope has the mean p q b and a variance p q v / samples, where the variance v of the score is found from how the
    slopes scatter. Half a switched and half an unswitched sample stand in for a prior of the logit (Jeffreys), and slopes
    are held by a very weak one.
    """
    x = np.linalg.solve(root, (probes.places - middle).T).T
    X = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    slopes = probes.slopes @ root
    S, n = probes.p.shape
    theta = np.zeros((n, X.shape[1]))
    theta[:, 0] = _logit(probes.p.mean(axis=0) * (1 - 1e-4) + 5e-5)
    v = np.full((n, x.shape[1]), _NOISE)
    for _ in range(_ROUNDS):
        for _ in range(_STEPS):
            pulls, H, known = _equations(theta, X, slopes, probes, v)
            step = np.linalg.solve(H, _held(pulls.sum(axis=0), theta)[:, :, None])[:, :, 0]
            theta = theta + step * np.minimum(1.0, 2.0 / np.max(np.abs(step), axis=1, initial=1e-30, keepdims=True))
        v = _scatter(theta, X, slopes, probes)
    bent = H.copy()
    bent[:, 1:] += _bending(theta, X, probes, v)
    parts = np.einsum("nij,snj->sni", np.linalg.pinv(bent), pulls)
    lost = S / max(S - X.shape[1], 1)
    return Surface(middle, root, theta, parts * np.sqrt(lost), float(known[0] / max(sum(known), 1e-300)))


def _equations(theta, X, slopes, probes: Probes, v) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Pull of every probe on theta, the Hessian, and what is known of the slopes by the score and by values."""
    N, k = probes.samples, X.shape[1] - 1
    p = _logistic(X @ theta.T)
    weight = p * (1 - p)
    share = probes.scored[:, None, None] * N / v
    pulls = N * (probes.p - p)[:, :, None] * X[:, None, :]
    pulls[:, :, 1:] += share * (slopes - weight[:, :, None] * theta[:, 1:])
    H = N * np.einsum("sn,si,sj->nij", weight, X, X)
    score = np.sum(share * weight[:, :, None], axis=0)
    inner = np.arange(1, k + 1)
    known = float(np.sum(score)), float(np.sum(H[:, inner, inner]))
    middle = _logistic(theta[:, 0])
    H[:, 0, 0] += middle * (1 - middle)
    H[:, inner, inner] += score + _RIDGE
    return pulls, H, known


def _held(pull: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """The pull of all probes and of the priors."""
    pull[:, 0] += 0.5 - _logistic(theta[:, 0])
    pull[:, 1:] -= _RIDGE * theta[:, 1:]
    return pull


def _bending(theta, X, probes: Probes, v) -> np.ndarray:
    """How the slopes that the score asks for depend on the logits, which `_equations` leaves out of its Hessian."""
    p = _logistic(X @ theta.T)
    turn = np.einsum("s,sn,si->ni", probes.scored, p * (1 - p) * (1 - 2 * p), X)
    return (probes.samples / v * theta[:, 1:])[:, :, None] * turn[:, None, :]


def _scatter(theta, X, slopes, probes: Probes) -> np.ndarray:
    """Variance of the score of a path that switches or not, for every setting and coordinate."""
    N = probes.samples
    p = _logistic(X @ theta.T)
    weight = p * (1 - p)
    off = (slopes - weight[:, :, None] * theta[:, 1:]) * probes.scored[:, None, None]
    events = np.maximum(N * np.sum(weight * probes.scored[:, None], axis=0), 1e-3)[:, None]
    found = N**2 * np.sum(off**2, axis=0) / events
    return np.maximum(found, _LEAST) * (1 + (_EVENTS / events) ** 2)


def _logistic(u: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(u, -500.0, 500.0)))


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)
