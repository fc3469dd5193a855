"""Least deviance: damped Fisher scoring from one or several starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from mtjax.likelihood import Prediction, Rows, residual_slopes, residuals

REACH = float(np.log(1e3))
"""How far a parameter may move from its start: a factor of 1000 (or, if it may change its sign, about 7 units)."""
_STEP = 0.7
"""Longest step in any one parameter: a factor of two."""
_STEPS = 60
_STUCK = 1e4
_CLOSE = 1e-8
"""Stop where a step promises to lower the deviance by less than this (1e-4 standard errors)."""


class Problem(NamedTuple):
    """Counts, and the model as a function of the parameters x, shape (k,)."""

    switched: Rows
    trials: Rows
    linearise: Callable[[np.ndarray], Prediction]


class Minimum(NamedTuple):
    """Where the search ended: parameters x, the deviance there, and whether it converged."""

    x: np.ndarray
    deviance: float
    converged: bool


def minimise(problem: Problem, starts: Iterable[np.ndarray], *, progress: bool = False) -> Minimum:
    """The lowest of the minima reached from `starts`."""
    with tqdm(desc="fit", unit=" steps", disable=not progress) as bar:
        return min((_descend(problem, x, bar) for x in starts), key=lambda m: m.deviance)


def around(x: np.ndarray, number: int) -> list[np.ndarray]:
    """`x`, then further points spread evenly over factors from 1/2 to 2 about it (golden-ratio sequence)."""
    ratio = float(np.max(np.roots([1, *[0] * (len(x) - 1), -1, -1]).real))
    shares = [(0.5 + n * ratio ** -np.arange(1, len(x) + 1)) % 1 for n in range(1, number)]
    return [x, *(x + np.log(2) * (2 * share - 1) for share in shares)]


def _descend(problem: Problem, x: np.ndarray, bar: tqdm) -> Minimum:
    """Levenberg-Marquardt on the deviance residuals, every step at most a factor of two."""
    here, d, J = _look(problem, x, bar)
    damping = 1e-3
    for _ in range(_STEPS):
        moved = np.clip(x + _step(J, d, damping), -REACH, REACH)
        promised = float(np.sum(d**2) - np.sum((d + J @ (moved - x)) ** 2))
        if promised < _CLOSE:
            return Minimum(x, here, converged=bool(np.isfinite(here)))
        there, *slopes = _look(problem, moved, bar)
        if there < here:
            x, here, (d, J), damping = moved, there, slopes, damping / 10
        elif damping > _STUCK:
            return Minimum(x, here, converged=promised < 1e-4)
        else:
            damping = max(10 * damping, 1e-6)
    return Minimum(x, here, converged=False)


def _look(problem: Problem, x: np.ndarray, bar: tqdm) -> tuple[float, np.ndarray, np.ndarray]:
    """Deviance (infinite where the model is no number), residuals and their slopes at x."""
    at = problem.linearise(x)
    d = residuals(problem.switched, problem.trials, at.p, at.q)
    J = residual_slopes(problem.switched, problem.trials, at)
    bar.update()
    bar.set_postfix(deviance=f"{np.sum(d**2):.5g}")
    if not (np.all(np.isfinite(d)) and np.all(np.isfinite(J))):
        return np.inf, np.zeros_like(d), np.zeros_like(J)
    return float(np.sum(d**2)), d, J


def _step(J: np.ndarray, d: np.ndarray, damping: float) -> np.ndarray:
    H = J.T @ J
    scale = np.maximum(np.diag(H), 1e-12 * max(H.max(), 1e-30))
    step = -np.linalg.lstsq(H + damping * np.diag(scale), J.T @ d, rcond=None)[0]
    return step * min(1.0, _STEP / max(np.max(np.abs(step)), 1e-30))
