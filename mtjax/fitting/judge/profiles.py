"""Profile likelihood: how the deviance rises when one quantity is held, and all others follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mtjax.checks import checked
from mtjax.fitting.counts import Fit, Problem, minimise, refuse_noise
from mtjax.fitting.likelihood_fit import LikelihoodFit, maximise
from mtjax.fitting.result import AbstractFit
from mtjax.fitting.space import AbstractPrior, Coordinates, LogNormal, Normal
from mtjax.printing import Shown, with_unit
from mtjax.quantities import in_double

_STEP = 0.6
_MOST = 12
_TIGHT = 1e-3
"""A held quantity is held to this share of its standard error."""
_HIGHEST = 7.0
"""Where the walk ends: beyond the 99 % interval."""


class Profile(Shown):
    """Profile likelihood: the deviance above its minimum along one quantity.

    - `name`, `unit`; `value`, `rise`: shape (n,), values in ascending order.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> low, high = mtj.fitting.profile(found, "Bk").interval(0.95)
    >>> print(f"Bk {1e3 * low:.1f} to {1e3 * high:.1f} mT")
    Bk 218.4 to 222.4 mT
    """

    name: str
    unit: str
    value: Float[np.ndarray, " n"]
    rise: Float[np.ndarray, " n"]

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Values where the rise reaches the chi-square of `level`; infinite where it does not within the range searched."""
        limit = float(jax.scipy.special.ndtri(0.5 + level / 2)) ** 2
        best = int(np.argmin(self.rise))
        low = _crossing(self.rise[best::-1], self.value[best::-1], limit, -np.inf)
        return low, _crossing(self.rise[best:], self.value[best:], limit, np.inf)

    def __str__(self) -> str:
        """The 68 and 95 % intervals."""
        parts = (
            f"{level:.0%}: {' ... '.join(with_unit(x, self.unit) for x in self.interval(level))}" for level in (0.68, 0.95)
        )
        return f"{self.name} by profile likelihood, " + "; ".join(parts)


@checked
@in_double
def profile(fit: AbstractFit, name: str) -> Profile:
    """The profile of one fitted quantity, walked outwards from its estimate until beyond the 99 % interval.

    - `fit`: whose likelihood it is; `name`: of the quantity.

    Raises `ValueError` where there is no such quantity, and for fits by Monte Carlo.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> print(mtj.fitting.profile(found, "Bk"))
    Bk by profile likelihood, 68%: 219.3 mT ... 221.4 mT; 95%: 218.4 mT ... 222.4 mT
    """
    refuse_noise(fit, "A profile")
    if name not in fit.estimates.names:
        raise ValueError(f"`name` must be a fitted quantity, {' or '.join(fit.estimates.names)}, but is {name!r}.")
    estimate = fit.estimates[name]
    i = fit.estimates.names.index(name)
    step = _STEP * min(float(np.sqrt(fit.spread[i, i])), 1.0)
    down, up = (list(_walk(fit, i, sign * step)) for sign in (-1, 1))
    pairs = [*down[::-1], (float(fit.at[i]), 0.0), *up]
    places = np.tile(fit.at, (len(pairs), 1))
    places[:, i] = [place for place, _ in pairs]
    value = np.array([float(fit.space.value(jnp.asarray(c))[i]) for c in places])
    rise = np.array([r for _, r in pairs])
    order = np.argsort(value)
    return Profile(name, estimate.unit, value[order], np.maximum(rise - rise.min(), 0.0)[order])


def _walk(fit: AbstractFit, i: int, step: float) -> Iterator[tuple[float, float]]:
    base, c = _cost(fit, fit.at), fit.at
    for n in range(1, _MOST + 1):
        place = fit.at[i] + n * step
        if not fit.space.lower[i] < place < fit.space.upper[i]:
            return
        c = _held(fit, i, place, c)
        rise = _cost(fit, c) - base
        yield float(c[i]), rise
        if rise > _HIGHEST:
            return


def _cost(fit: AbstractFit, c: np.ndarray) -> float:
    """Deviance and squared prior residuals."""
    return -2 * float(_value(fit.likelihood, c)) + float(jnp.sum(fit.space.prior_residuals(jnp.asarray(c)) ** 2))


@eqx.filter_jit
def _value(likelihood, c):
    return likelihood(c)


def _held(fit: AbstractFit, i: int, place: float, c: np.ndarray) -> np.ndarray:
    """The best coordinates with the i-th held at `place`."""
    space = _pinned(fit, i, place)
    near = np.where(np.arange(len(c)) == i, place, c)
    if isinstance(fit, LikelihoodFit):
        start = dataclasses.replace(space, start=np.asarray(space.value(jnp.asarray(near))))
        return maximise(fit.law, start).at
    assert isinstance(fit, Fit)
    return minimise(Problem(fit.likelihood, space), [near]).c


def _pinned(fit: AbstractFit, i: int, place: float) -> Coordinates:
    """The space with a very narrow prior on one coordinate."""
    width = _TIGHT * min(float(np.sqrt(fit.spread[i, i])), 1.0)
    value = float(fit.space.value(jnp.asarray(np.where(np.arange(len(fit.at)) == i, place, fit.at)))[i])
    pin: AbstractPrior = LogNormal(value, np.exp(width)) if fit.space.logarithmic[i] else Normal(value, width)
    priors = tuple(pin if j == i else prior for j, prior in enumerate(fit.space.priors))
    return dataclasses.replace(fit.space, priors=priors)


def _crossing(rise: np.ndarray, value: np.ndarray, limit: float, beyond: float) -> float:
    """Where the root of the rise, taken to be linear between points, reaches that of the limit."""
    above = np.flatnonzero(rise >= limit)
    if len(above) == 0:
        return float(beyond)
    j = int(above[0])
    a, b, goal = np.sqrt(rise[j - 1]), np.sqrt(rise[j]), np.sqrt(limit)
    return float(value[j - 1] + (value[j] - value[j - 1]) * (goal - a) / (b - a))
