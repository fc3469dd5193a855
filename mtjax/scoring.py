"""Least deviance: a scan of every parameter, then damped Fisher scoring from the best points found."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from mtjax.likelihood import Prediction, Rows, deviances, residual_slopes, residuals

REACH = float(np.log(1e3))
"""How far a parameter may move from its start: a factor of 1000 (or, if it may change its sign, about 7 units)."""
_SCAN = np.log(10.0) * np.linspace(-1, 1, 13)
_STEP = 0.7
"""Longest step in any one parameter: a factor of two."""
_STEPS = 60
_CLOSE = 1e-8
"""Stop where a step promises to lower the deviance by less than this (1e-4 standard errors)."""


class Problem(NamedTuple):
    """Counts, and the model as two functions of the parameters x, shape (k,)."""

    switched: Rows
    trials: Rows
    probabilities: Callable[[np.ndarray], tuple[Rows, ...]]
    linearise: Callable[[np.ndarray], Prediction]

    def deviance(self, x: np.ndarray) -> float:
        """Deviance at x; infinite where the model is no number."""
        total = np.sum(deviances(self.switched, self.trials, *self.probabilities(x)))
        return float(total) if np.isfinite(total) else np.inf


class Minimum(NamedTuple):
    """Where the search ended: parameters x, the deviance there, and whether it converged."""

    x: np.ndarray
    deviance: float
    converged: bool


def minimise(problem: Problem, k: int, *, starts: int, progress: bool = False) -> Minimum:
    """The lowest of the minima reached from the `starts` best points of the scan."""
    with tqdm(desc="fit", unit=" solves", disable=not progress) as bar:
        counted = problem._replace(
            probabilities=_counting(problem.probabilities, bar), linearise=_counting(problem.linearise, bar)
        )
        points = _scan(counted, k)[: max(starts, 1)]
        minima = [_descend(counted, x, bar) for x in points]
    return min(minima, key=lambda m: m.deviance)


def _counting(function, bar):
    def counted(x):
        bar.update()
        return function(x)

    return counted


def _scan(problem: Problem, k: int) -> list[np.ndarray]:
    """Points tried along one parameter after the other, from the best so far, twice round; the best first."""
    tried = {tuple(np.zeros(k)): problem.deviance(np.zeros(k))}
    for i in (*range(k), *range(k)) if k > 1 else (0,):
        best = min(tried, key=tried.__getitem__)
        for move in _SCAN:
            x = tuple(move if j == i else best[j] for j in range(k))
            if x not in tried:
                tried[x] = problem.deviance(np.array(x))
    return [np.array(x) for x in sorted(tried, key=tried.__getitem__)]


def _descend(problem: Problem, x: np.ndarray, bar: tqdm) -> Minimum:
    """Levenberg-Marquardt on the deviance residuals, every step at most a factor of two."""
    here, damping = problem.deviance(x), 1e-3
    for _ in range(_STEPS):
        at = problem.linearise(x)
        d, J = (
            residuals(problem.switched, problem.trials, at.p, at.q),
            residual_slopes(problem.switched, problem.trials, at),
        )
        if not np.all(np.isfinite(J)):
            return Minimum(x, here, converged=False)
        while True:
            step = _step(J, d, damping)
            moved = np.clip(x + step, -REACH, REACH)
            there = problem.deviance(moved)
            if there < here or damping > 1e8:
                break
            damping = max(10 * damping, 1e-6)
        promised = float(np.sum(d**2) - np.sum((d + J @ (moved - x)) ** 2))
        if not there < here:
            return Minimum(x, here, converged=promised < 1e-4)
        gained = here - there
        x, here, damping = moved, there, damping / 10
        bar.set_postfix(deviance=f"{here:.4g}")
        if max(promised, gained) < _CLOSE:
            return Minimum(x, here, converged=True)
    return Minimum(x, here, converged=False)


def _step(J: np.ndarray, d: np.ndarray, damping: float) -> np.ndarray:
    H = J.T @ J
    scale = np.maximum(np.diag(H), 1e-12 * max(H.max(), 1e-30))
    step = -np.linalg.lstsq(H + damping * np.diag(scale), J.T @ d, rcond=None)[0]
    return step * min(1.0, _STEP / max(np.max(np.abs(step)), 1e-30))
