"""Least deviance: Levenberg-Marquardt on deviance residuals, one step at a time, so that it can be watched and resumed."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jaxtyping import Array, Float
from tqdm import tqdm

from mtjax.files import fingerprint, read_notes, write_notes
from mtjax.fitting.binomial import Prediction, Rows, residual_slopes, residuals
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import BinomialLikelihood
from mtjax.fitting.space import Coordinates
from mtjax.printing import Shown
from mtjax.progress import LOG

_STEPS = 80
_PATIENCE, _LITTLE_PATIENCE = 12, 2
"""Steps without a gain before the search is given up; where hardly anything is left to gain."""
_CLOSE, _NEARLY = 1e-6, 1e-2
"""Stop where the deviance could fall by less than this (1e-3 standard errors); where little patience is left, and what passes,
since the precision of probabilities and slopes may be in the way (a tenth of a standard error)."""
_ROUGH = 5.0
"""Times what is close enough, that may be left where no step gains any more: sampled surfaces are rough."""
_HUGE = 1e4
_RADIUS = 1.0
"""Longest first step: a factor of e."""
_SINGULAR = 1e-9
"""Singular values of the slopes below this share of the largest mark directions that the data do not determine."""


class Minimum(NamedTuple):
    """Where the search ended: coordinates c, what was minimised there, and whether it converged."""

    c: Float[np.ndarray, " k"]
    deviance: float
    converged: bool


class Problem(Shown):
    """Residuals of data and priors as functions of unbounded numbers x; the sum of their squares is what is minimised.

    - `likelihood`: of the data; `space`: of the fitted quantities, with bounds and priors.
    - `close`: a search stops where the deviance could fall by less than this, and has converged where it stops for want of
      gains within three times this.
    - `patience`: and after more steps without a gain than this.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> from mtjax.fitting.counts import Problem
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> problem = Problem(found.likelihood, found.space)
    >>> here = problem.local(jnp.asarray(found.at))
    >>> print(f"deviance {here.deviance:.2f} from {len(here.residuals)} residuals at the best Bk")
    deviance 0.57 from 4 residuals at the best Bk
    """

    likelihood: BinomialLikelihood
    space: Coordinates
    close: float = eqx.field(static=True, default=_CLOSE)
    patience: int = eqx.field(static=True, default=_PATIENCE)

    @property
    def engine(self) -> str:
        """What works out the probabilities."""
        return self.likelihood.model.method.name

    def local(self, x: Float[Array, " k"]) -> Local:
        """Residuals, shape (n + priors,), and their slopes at coordinates; a large constant where the model has no answer."""
        counts = self.likelihood
        return _local(self.space, counts.switched, counts.trials, x, self._prediction(x))

    def _prediction(self, x: Float[Array, " k"]) -> Prediction:
        """NaN where the engine refuses: a step may go farther than its truncation does, and is taken back then."""
        counts = self.likelihood
        try:
            return jax.block_until_ready(linearised(counts.model, x, counts.rows))
        except RuntimeError:
            p, slopes = jnp.full(len(counts.trials), jnp.nan), jnp.full((len(counts.trials), len(self.space)), jnp.nan)
            return Prediction(p, p, slopes, slopes)


class Local(NamedTuple):
    """Residuals at x, and their slopes: none in a coordinate that sits on its bound and would be pushed beyond."""

    x: Array
    residuals: Array
    slopes: Array

    @property
    def deviance(self) -> float:
        """The sum of their squares."""
        return float(np.sum(np.asarray(self.residuals) ** 2))


@eqx.filter_jit
def _local(space: Coordinates, switched: Rows, trials: Rows, x: Array, at: Prediction) -> Local:
    data = jnp.asarray(residuals(switched, trials, at.p, at.q))
    slopes = residual_slopes(switched, trials, at)
    fine = jnp.all(jnp.isfinite(data)) & jnp.all(jnp.isfinite(slopes))
    prior = space.prior_residuals
    data = jnp.append(jnp.where(fine, data, _HUGE), prior(x))
    slopes = jnp.concatenate([jnp.where(fine, slopes, 0.0), jax.jacfwd(prior)(x)])
    uphill = data @ slopes
    held = ((x <= space.lower) & (uphill > 0)) | ((x >= space.upper) & (uphill < 0))
    return Local(x, data, jnp.where(held, 0.0, slopes))


def minimise(
    problem: Problem,
    starts: Iterable[Float[np.ndarray, " k"]],
    *,
    bar: tqdm | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> Minimum:
    """The lowest of the minima reached from `starts`, coordinates.

    `bar`: that shows the steps; `checkpoint`: a file that keeps what is done; the same problem goes on from there.

    >>> import mtjax as mtj
    >>> from mtjax.fitting.counts import Problem, minimise
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> best = minimise(Problem(found.likelihood, found.space), [found.space.at(found.space.start)])
    >>> print(f"Bk = {1e3 * found.space.value(best.c)[0]:.1f} mT, deviance {best.deviance:.2f}, converged: {best.converged}")
    Bk = 220.4 mT, deviance 0.57, converged: True
    """
    notes, bar = _Notes(checkpoint, problem), tqdm(disable=True) if bar is None else bar
    found = [notes.done(i) or _descend(problem, c, bar, notes, i) for i, c in enumerate(starts)]
    return min(found, key=lambda m: m.deviance)


def around(c: Float[np.ndarray, " k"], number: int, space: Coordinates) -> list[Float[np.ndarray, " k"]]:
    """`c`, then further points spread evenly over factors from 1/2 to 2 about it (golden-ratio sequence), within bounds."""
    ratio = float(np.max(np.roots([1, *[0] * (len(c) - 1), -1, -1]).real))
    shares = [(0.5 + n * ratio ** -np.arange(1, len(c) + 1)) % 1 for n in range(1, number)]
    room = 0.01 * (space.upper - space.lower)
    return [c, *(np.clip(c + np.log(2) * (2 * s - 1), space.lower + room, space.upper - room) for s in shares)]


class _Stage(NamedTuple):
    """How far a search is: the best place, how far the next step may go, steps without gain, steps in all."""

    best: Local
    radius: float
    idle: int = 0
    steps: int = 0

    def record(self) -> dict[str, Any]:
        """All of it as plain numbers, every digit kept."""
        return {**self._asdict(), "best": [np.asarray(a).tolist() for a in self.best]}

    @staticmethod
    def of(record: dict[str, Any]) -> _Stage:
        """The stage that was recorded."""
        return _Stage(**record | {"best": Local(*(jnp.asarray(a, float) for a in record["best"]))})


def _descend(problem: Problem, c: np.ndarray, bar: tqdm, notes: _Notes, number: int) -> Minimum:
    LOG.info("compiling %s for %d settings", problem.engine, len(problem.likelihood.trials))
    stage = notes.stage(number) or _Stage(problem.local(jnp.asarray(c, float)), _RADIUS)
    LOG.info("%s", problem.engine)
    while True:
        promised = _promised(stage.best)
        bar.set_postfix(deviance=f"{stage.best.deviance:.5g}")
        patience = _LITTLE_PATIENCE if promised < _NEARLY else problem.patience
        if stage.steps == _STEPS or promised < problem.close or stage.idle > patience:
            break
        stage = _after_step(problem, stage)
        bar.update()
        notes.keep(number, stage.record())
    deviance = stage.best.deviance
    ended = Minimum(
        np.asarray(stage.best.x, float),
        deviance,
        promised <= max(_NEARLY, _ROUGH * problem.close) and deviance < _HUGE**2,
    )
    notes.keep(number, ended._asdict() | {"c": ended.c.tolist()})
    return ended


def _after_step(problem: Problem, stage: _Stage) -> _Stage:
    """A step is tried; the next may go twice as far where residuals were nearly straight lines, a quarter where not."""
    there = np.clip(stage.best.x + _bounded_step(stage.best, stage.radius), problem.space.lower, problem.space.upper)
    step, here = there - np.asarray(stage.best.x), problem.local(jnp.asarray(there))
    gain, length = stage.best.deviance - here.deviance, float(np.linalg.norm(step))
    promised = _fall(stage.best, step)
    share = gain / promised if promised > 0 else 0.0
    radius = length / 4 if not share > 0.25 else max(stage.radius, 2 * length) if share > 0.75 else stage.radius
    idle = 0 if gain > _CLOSE else stage.idle + 1
    return _Stage(here if gain > 0 else stage.best, max(radius, 1e-9), idle, stage.steps + 1)


def _bounded_step(here: Local, radius: float) -> Float[np.ndarray, " k"]:
    """Levenberg and Marquardt's step of at most that length: damped until it is no longer (More, 1978)."""
    U, s, Vt = np.linalg.svd(np.asarray(here.slopes), full_matrices=False)
    kept = s > _SINGULAR * s[0]
    s, wanted = s[kept], -(U.T @ np.asarray(here.residuals))[kept]

    def components(damping):
        return s * wanted / (s**2 + damping)

    def excess(log):
        return np.log(np.linalg.norm(components(np.exp(log))) / radius)

    if np.linalg.norm(components(0.0)) <= radius:
        return Vt[kept].T @ components(0.0)
    most = np.log(np.linalg.norm(s * wanted) / radius)
    least = 2 * np.log(s[-1]) - 40
    return Vt[kept].T @ components(np.exp(scipy.optimize.root_scalar(excess, bracket=(least, most), xtol=1e-6).root))


def _fall(here: Local, step: Float[np.ndarray, " k"]) -> float:
    """By how much the deviance would fall over a step if the residuals were straight lines."""
    along = np.asarray(here.slopes) @ step
    return float(-2 * along @ np.asarray(here.residuals) - along @ along)


def _promised(here: Local) -> float:
    """By how much it would fall at most."""
    return _fall(here, _bounded_step(here, np.inf)) if np.any(here.slopes) else 0.0


class _Notes:
    """What a checkpoint holds: for every start the stage of its search, or where it ended."""

    def __init__(self, path: str | PathLike[str] | None, problem: Problem):
        self.path = None if path is None else Path(path)
        self.kept: dict[str, Any] = {"problem": fingerprint(problem), "starts": {}}
        if self.path is not None:
            self.kept |= read_notes(self.path, self.kept["problem"])

    def stage(self, number: int) -> _Stage | None:
        """From where to go on."""
        found = self.kept["starts"].get(str(number), {})
        return _Stage.of(found) if "best" in found else None

    def done(self, number: int) -> Minimum | None:
        """The minimum that was found already."""
        found = self.kept["starts"].get(str(number), {})
        return Minimum(np.array(found["c"]), found["deviance"], found["converged"]) if "converged" in found else None

    def keep(self, number: int, record: dict[str, Any]) -> None:
        """Write it down."""
        if self.path is not None:
            self.kept["starts"][str(number)] = record
            write_notes(self.path, self.kept)
