"""Least deviance: optimistix's dogleg on deviance residuals, one step at a time, so that it can be watched and resumed."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np
import optimistix as optx
from jaxtyping import Array, Float
from tqdm import tqdm

from mtjax.files import fingerprint, read_notes, write_notes
from mtjax.fitting.binomial import Prediction, Rows, residual_slopes, residuals
from mtjax.fitting.counts.model import BinomialLikelihood, linearised
from mtjax.fitting.space import Coordinates
from mtjax.printing import Shown

_STEPS = 80
_PATIENCE, _LITTLE_PATIENCE = 12, 2
"""Steps without a gain before the search is given up; where hardly anything is left to gain."""
_CLOSE, _NEARLY = 1e-6, 1e-2
"""Stop where the deviance could fall by less than this (1e-3 standard errors); where little patience is left, and what passes,
since the precision of probabilities and slopes may be in the way (a tenth of a standard error)."""
_HUGE = 1e4
_SOLVER = optx.Dogleg(rtol=1e-9, atol=1e-9, linear_solver=lx.AutoLinearSolver(well_posed=False))
"""Its trust region begins with a radius of one: a factor of e."""
_OPTIONS = {"jac": "bwd"}


class Minimum(NamedTuple):
    """Where the search ended: coordinates c, what was minimised there, and whether it converged."""

    c: Float[np.ndarray, " k"]
    deviance: float
    converged: bool


class Problem(Shown):
    """Residuals of data and priors as functions of unbounded numbers x; the sum of their squares is what is minimised.

    - `likelihood`: of the data; `space`: of the fitted quantities, with bounds and priors.
    """

    likelihood: BinomialLikelihood
    space: Coordinates

    def local(self, x: Float[Array, " k"]) -> Local:
        """Residuals, shape (n + priors,), and their slopes at x; a large constant where the model has no answer."""
        counts = self.likelihood
        return _local(self.space, counts.switched, counts.trials, x, self._prediction(x))

    def _prediction(self, x: Float[Array, " k"]) -> Prediction:
        """NaN where the engine refuses: a step may go farther than its truncation does, and is taken back then."""
        counts = self.likelihood
        try:
            return jax.block_until_ready(linearised(counts.model, self.space.bound(x), counts.rows))
        except RuntimeError:
            p, slopes = jnp.full(len(counts.trials), jnp.nan), jnp.full((len(counts.trials), len(self.space)), jnp.nan)
            return Prediction(p, p, slopes, slopes)


class Local(NamedTuple):
    """Residuals at x, and their slopes."""

    x: Array
    residuals: Array
    slopes: Array


@eqx.filter_jit
def _local(space: Coordinates, switched: Rows, trials: Rows, x: Array, at: Prediction) -> Local:
    data = jnp.asarray(residuals(switched, trials, at.p, at.q))
    stretch = jax.jvp(space.bound, (x,), (jnp.ones_like(x),))[1]
    slopes = residual_slopes(switched, trials, at) * stretch
    fine = jnp.all(jnp.isfinite(data)) & jnp.all(jnp.isfinite(slopes))

    def prior(x):
        return space.prior_residuals(space.bound(x))

    data = jnp.append(jnp.where(fine, data, _HUGE), prior(x))
    return Local(x, data, jnp.concatenate([jnp.where(fine, slopes, 0.0), jax.jacfwd(prior)(x)]))


def minimise(
    problem: Problem,
    starts: Iterable[Float[np.ndarray, " k"]],
    *,
    progress: bool = False,
    checkpoint: str | PathLike[str] | None = None,
) -> Minimum:
    """The lowest of the minima reached from `starts`, coordinates.

    `checkpoint`: a file that keeps what is done; the same problem goes on from there.
    """
    notes = _Notes(checkpoint, problem)
    with tqdm(desc="fit", unit=" steps", disable=not progress) as bar:
        found = [notes.done(i) or _descend(problem, c, bar, notes, i) for i, c in enumerate(starts)]
    return min(found, key=lambda m: m.deviance)


def around(c: Float[np.ndarray, " k"], number: int, space: Coordinates) -> list[Float[np.ndarray, " k"]]:
    """`c`, then further points spread evenly over factors from 1/2 to 2 about it (golden-ratio sequence), within bounds."""
    ratio = float(np.max(np.roots([1, *[0] * (len(c) - 1), -1, -1]).real))
    shares = [(0.5 + n * ratio ** -np.arange(1, len(c) + 1)) % 1 for n in range(1, number)]
    room = 0.01 * (space.upper - space.lower)
    return [c, *(np.clip(c + np.log(2) * (2 * s - 1), space.lower + room, space.upper - room) for s in shares)]


class _Stage(NamedTuple):
    """How far a search is: place x and state of the solver, where it was last accepted, steps without gain, steps in all."""

    x: Array
    state: Any
    base: Local
    idle: int
    steps: int

    def record(self) -> dict[str, Any]:
        """All of it as plain numbers, every digit kept."""
        leaves = jax.tree.leaves(eqx.filter(self.state, eqx.is_array))
        kept = {"x": self.x, "base": list(self.base), "state": leaves}
        return {"idle": self.idle, "steps": self.steps, **jax.tree.map(lambda a: np.asarray(a).tolist(), kept)}

    @staticmethod
    def of(record: dict[str, Any]) -> _Stage:
        """The stage that was recorded."""
        base = Local(*(jnp.asarray(a, float) for a in record["base"]))
        arrays, rest = eqx.partition(_first(base), eqx.is_array)
        old, structure = jax.tree.flatten(arrays)
        leaves = [jnp.asarray(new, a.dtype).reshape(a.shape) for new, a in zip(record["state"], old, strict=True)]
        state = eqx.combine(jax.tree.unflatten(structure, leaves), rest)
        return _Stage(jnp.asarray(record["x"], float), state, base, record["idle"], record["steps"])


def _descend(problem: Problem, c: np.ndarray, bar: tqdm, notes: _Notes, number: int) -> Minimum:
    stage = notes.stage(number) or _begun(problem, c)
    while True:
        deviance, promised = float(jnp.sum(stage.base.residuals**2)), _promised(stage.base)
        bar.set_postfix(deviance=f"{deviance:.5g}")
        patience = _LITTLE_PATIENCE if promised < _NEARLY else _PATIENCE
        if stage.steps == _STEPS or (stage.steps and (promised < _CLOSE or stage.idle > patience)):
            break
        stage = _after_step(problem, stage)
        bar.update()
        notes.keep(number, stage.record())
    converged = promised < _NEARLY and deviance < _HUGE**2
    ended = Minimum(np.asarray(problem.space.bound(stage.x), float), deviance, converged)
    notes.keep(number, {"c": ended.c.tolist(), "deviance": deviance, "converged": converged})
    return ended


def _begun(problem: Problem, c: np.ndarray) -> _Stage:
    here = problem.local(jnp.asarray(problem.space.free(c)))
    return _Stage(here.x, _first(here), here, 0, 0)


def _after_step(problem: Problem, stage: _Stage) -> _Stage:
    """The place that the solver proposed is tried, and accepted or not."""
    here = problem.local(stage.state.y_eval) if stage.steps else stage.base
    x, state = _onward(here, stage.x, stage.state)
    accepted = int(state.num_steps_since_acceptance) == 0
    gain = float(jnp.sum(stage.base.residuals**2) - jnp.sum(here.residuals**2)) if accepted else 0.0
    idle = 0 if gain > _CLOSE or not stage.steps else stage.idle + 1
    return _Stage(x, state, here if accepted else stage.base, idle, stage.steps + 1)


def _promised(here: Local) -> float:
    """By how much the deviance would still fall if the residuals were straight lines."""
    J, r = np.asarray(here.slopes), np.asarray(here.residuals)
    step = np.linalg.lstsq(J, r, rcond=1e-9)[0]
    return float(np.sum((J @ step) ** 2))


def _line(x: Array, here: Local) -> tuple[Array, None]:
    """The residuals, which optimistix asks for only where they and their slopes are known already."""
    return here.residuals + here.slopes @ (x - here.x), None


@eqx.filter_jit
def _first(here: Local) -> Any:
    out = jax.eval_shape(lambda: here.residuals)
    return _SOLVER.init(_line, here.x, here, _OPTIONS, out, None, frozenset())


@eqx.filter_jit
def _onward(here: Local, x: Array, state: Any) -> tuple[Array, Any]:
    x, state, _ = _SOLVER.step(_line, x, here, _OPTIONS, state, frozenset())
    return x, state


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
        return _Stage.of(found) if "state" in found else None

    def done(self, number: int) -> Minimum | None:
        """The minimum that was found already."""
        found = self.kept["starts"].get(str(number), {})
        return Minimum(np.array(found["c"]), found["deviance"], found["converged"]) if "converged" in found else None

    def keep(self, number: int, record: dict[str, Any]) -> None:
        """Write it down."""
        if self.path is not None:
            self.kept["starts"][str(number)] = record
            write_notes(self.path, self.kept)
