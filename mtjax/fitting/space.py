"""The numbers that a search moves: logarithms of quantities, or the quantities themselves, within bounds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import checked
from mtjax.numerics import softplus_inverse
from mtjax.printing import Shown, with_unit
from mtjax.quantities import Scalar, as_scalar, is_known, quantity, require

REACH = float(np.log(1e3))
"""How far a quantity may move from its start without bounds: a factor of 1000 (or, if it is not fitted by its logarithm, 7)."""
_EDGE = 1e-3
_BEND = 0.1
"""Of a coordinate, or a twentieth of its range where that is less."""
Bounds = Mapping[str, tuple[float, float]]


class Coordinates(Shown):
    """k quantities and their coordinates c: the logarithm of |value|, or the value where `logarithmic` is false.

    - `names`, `units`: SI.
    - `start`: values where a search starts, shape (k,); a logarithmic one keeps its sign.
    - `lower`, `upper`: bounds of c, shape (k,).
    - `priors`: one each, or `None`.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> space = mtj.coordinates(["delta", "shift"], ["", "T"], [40.0, 0.0])
    >>> space.logarithmic  # a start of 0 may take either sign
    (True, False)
    >>> [f"{x:.2f}" for x in space.value(np.array([np.log(50.0), 0.01]))]
    ['50.00', '0.01']
    """

    names: tuple[str, ...] = eqx.field(static=True)
    units: tuple[str, ...] = eqx.field(static=True)
    logarithmic: tuple[bool, ...] = eqx.field(static=True)
    start: Float[np.ndarray, " k"]
    lower: Float[np.ndarray, " k"]
    upper: Float[np.ndarray, " k"]
    priors: tuple[AbstractPrior | None, ...]

    def __len__(self) -> int:
        """How many."""
        return len(self.names)

    @property
    def mask(self) -> np.ndarray:
        """Which are logarithmic, shape (k,)."""
        return np.array(self.logarithmic, bool)

    def value(self, c: Any) -> Any:
        """The quantities at c."""
        sign = jnp.where(self.start < 0, -1.0, 1.0)
        return jnp.where(self.mask, sign * jnp.exp(jnp.where(self.mask, c, 0.0)), c)

    def at(self, value: Any) -> Any:
        """The coordinates of the quantities."""
        return np.where(self.mask, np.log(np.abs(np.where(self.mask, value, 1.0))), value)

    def scale(self, value: Any) -> Any:
        """Derivative of the quantities in their coordinates."""
        return np.where(self.mask, value, 1.0)

    def free(self, c: Any) -> Any:
        """Unbounded numbers x of the coordinates c: 0 at the start, and as far apart as the c where no bound is near."""
        return np.asarray(self._unbent(jnp.asarray(c)) - self._unbent(self._start))

    def bound(self, x: Float[Array, " k"]) -> Any:
        """The coordinates of unbounded numbers: bent near a bound, so that they never pass it."""
        w = self._bend
        y = self.upper - w * jax.nn.softplus((self.upper - x - self._unbent(self._start)) / w)
        return jnp.clip(self.lower + w * jax.nn.softplus((y - self.lower) / w), self.lower, self.upper)

    def _unbent(self, c: Array) -> Array:
        w = self._bend
        y = self.lower + w * softplus_inverse((c - self.lower) / w)
        return jnp.asarray(self.upper - w * softplus_inverse((self.upper - y) / w))

    @property
    def _bend(self) -> Array:
        """How near to a bound the numbers crowd."""
        return jnp.minimum(_BEND, 0.05 * (self.upper - self.lower))

    @property
    def _start(self) -> Array:
        c = jnp.where(self.mask, jnp.log(jnp.abs(jnp.where(self.mask, self.start, 1.0))), self.start)
        room = 0.2 * self._bend
        return jnp.clip(c, self.lower + room, self.upper - room)

    def edge_remarks(self, c: Float[np.ndarray, " k"]) -> list[str]:
        """A sentence for each quantity that sits on one of its bounds."""
        room = np.minimum(c - self.lower, self.upper - c) / (self.upper - self.lower)
        return [
            f"{name} ran to the end of its range, {with_unit(value, unit)}: "
            "the data do not determine it, or ask for more than the model allows."
            for name, unit, value, r in zip(self.names, self.units, np.asarray(self.value(jnp.asarray(c))), room, strict=True)
            if r < _EDGE
        ]

    def prior_residuals(self, c: Float[Array, " k"]) -> Float[Array, " priors"]:
        """How far the quantities with a prior lie from its middle, in standard deviations."""
        value = self.value(c)
        found = [prior.residual(value[i]) for i, prior in enumerate(self.priors) if prior is not None]
        return jnp.stack(found) if found else jnp.zeros(0, value.dtype)

    def log_prior(self, c: Float[Array, " k"]) -> Array:
        """Logarithm of the prior density of c: constant within the bounds where no prior is given."""
        value = self.value(c)
        total = jnp.zeros((), value.dtype)
        for i, prior in enumerate(self.priors):
            if prior is not None:
                total = total + prior.log_density(value[i]) + (c[i] if self.logarithmic[i] else 0.0)
        return total


@checked
def coordinates(
    names: Sequence[str],
    units: Sequence[str],
    start: Iterable[float],
    *,
    bounds: Bounds | None = None,
    priors: Mapping[str, AbstractPrior] | None = None,
    ends: Sequence[tuple[float, float]] | None = None,
) -> Coordinates:
    """Coordinates of named quantities: logarithmic unless the start is 0 or the bounds hold 0.

    `names`, `units` (SI), `start`: one for each quantity; `ends`: the least and the largest value that each may have.
    `bounds`, `priors`: by name; a name without its label in brackets ("Bk" for "Bk[A]") stands for all of them. Raises
    `ValueError` where one belongs to no quantity, bounds go beyond `ends`, or the start is not finite or lies outside them.

    >>> import mtjax as mtj
    >>> space = mtj.coordinates(["delta"], [""], [40.0], bounds={"delta": (10.0, 100.0)})
    >>> space.names, space.logarithmic, [round(float(c), 2) for c in (space.lower[0], space.upper[0])]  # ln 10, ln 100
    (('delta',), (True,), [2.3, 4.61])
    """
    start = np.array([float(v) for v in start])
    require({"start": start}, "start")
    bounds, priors = dict(bounds or {}), dict(priors or {})
    _require_known(names, [*bounds, *priors])
    given = [bounds.get(name, bounds.get(_plain(name))) for name in names]
    logarithmic = tuple(bool(v != 0 and (b is None or b[0] * b[1] > 0)) for v, b in zip(start, given, strict=True))
    possible = ends or [(-np.inf, np.inf)] * len(start)
    found = [_ends(*row) for row in zip(names, start, given, possible, logarithmic, strict=True)]
    return Coordinates(
        names=tuple(names),
        units=tuple(units),
        logarithmic=logarithmic,
        start=start,
        lower=np.array([low for low, _ in found]),
        upper=np.array([high for _, high in found]),
        priors=tuple(priors.get(name, priors.get(_plain(name))) for name in names),
    )


def _plain(name: str) -> str:
    return name.partition("[")[0]


def _require_known(names: Sequence[str], given: Iterable[str]) -> None:
    known = {*names, *map(_plain, names)}
    for name in given:
        if name not in known:
            raise ValueError(f"Bounds and priors must be those of fitted quantities ({', '.join(names)}), but not of {name!r}.")


def _ends(
    name: str,
    start: float,
    bounds: tuple[float, float] | None,
    possible: tuple[float, float],
    logarithmic: bool,  # noqa: FBT001
) -> tuple[float, float]:
    """The bounds of the coordinate: those given, else how far a search may go, but not beyond what is possible."""
    if bounds is not None:
        _require_bounds(name, start, bounds, possible)
        return _coordinates_of(bounds, logarithmic=logarithmic)
    _require_start(name, start, possible)
    reach = np.clip(_reach(start, logarithmic=logarithmic), *possible)
    return _coordinates_of(reach, logarithmic=logarithmic)


def _reach(start: float, *, logarithmic: bool) -> tuple[float, float]:
    """How far a search may go without bounds."""
    return (start / np.exp(REACH), start * np.exp(REACH)) if logarithmic else (start - REACH, start + REACH)


def _coordinates_of(values: Iterable[float], *, logarithmic: bool) -> tuple[float, float]:
    low, high = sorted(float(np.log(abs(value))) if logarithmic else float(value) for value in values)
    return low, high


def _require_bounds(name: str, start: float, bounds: tuple[float, float], possible: tuple[float, float]) -> None:
    low, high = bounds
    if not low < high:
        raise ValueError(f"The bounds of {name} must be a lower and a higher value, but are {low:g} and {high:g}.")
    if low < possible[0] or high > possible[1]:
        raise ValueError(
            f"The bounds of {name} must lie within {possible[0]:g} ... {possible[1]:g}, but are {low:g} and {high:g}."
        )
    _require_start(name, start, bounds)


def _require_start(name: str, start: float, bounds: tuple[float, float]) -> None:
    if not bounds[0] <= start <= bounds[1]:
        raise ValueError(f"The start of {name} must lie within its bounds {bounds[0]:g} ... {bounds[1]:g}, but is {start:g}.")


class AbstractPrior(Shown):
    """A distribution of one quantity.

    >>> import mtjax as mtj
    >>> class Uniform(mtj.AbstractPrior):  # in the quantity itself, not in its logarithm
    ...     def residual(self, value): return 0.0 * value
    ...     def log_density(self, value): return 0.0 * value
    >>> space = mtj.coordinates(["delta"], [""], [40.0], priors={"delta": Uniform()})
    >>> space.priors[0].residual(50.0)
    0.0
    """

    @abstractmethod
    def residual(self, value: ArrayLike) -> Scalar:
        """How many standard deviations `value` lies from the middle."""

    @abstractmethod
    def log_density(self, value: ArrayLike) -> Scalar:
        """Logarithm of the density of `value`, up to a constant."""


class Normal(AbstractPrior):
    """Normal distribution.

    - `mean`, `deviation`: in the unit of the quantity.

    >>> import mtjax as mtj
    >>> prior = mtj.Normal(0.5, 0.1)
    >>> print(f"{prior.residual(0.7):.1f} standard deviations, log density {prior.log_density(0.7):.2f}")
    2.0 standard deviations, log density -2.00
    """

    mean: Scalar = quantity("")
    deviation: Scalar = quantity("", positive=True)

    def residual(self, value: ArrayLike) -> Scalar:
        """(value - mean) / deviation."""
        return (as_scalar(value) - self.mean) / self.deviation

    def log_density(self, value: ArrayLike) -> Scalar:
        """Minus half the squared residual."""
        return -(self.residual(value) ** 2) / 2


class LogNormal(AbstractPrior):
    """Normal distribution of the logarithm: the quantity lies within `factor` of `median` with probability 68 %.

    - `median`: in the unit of the quantity, with its sign; `factor`: above 1.

    >>> import mtjax as mtj
    >>> prior = mtj.LogNormal(40.0, 1.1)
    >>> print(f"{prior.residual(44.0):.1f} standard deviations at 44, {prior.residual(40.0 / 1.1):.1f} at 36.4")
    1.0 standard deviations at 44, -1.0 at 36.4
    """

    median: Scalar = quantity("")
    factor: Scalar = quantity("")

    def __check_init__(self):
        if (is_known(self.factor) and not self.factor > 1) or (is_known(self.median) and self.median == 0):
            raise ValueError(
                f"LogNormal needs a factor above 1 and a median that is not 0, but has {self.factor} and {self.median}."
            )

    def residual(self, value: ArrayLike) -> Scalar:
        """log(value / median) / log(factor)."""
        ratio = as_scalar(value) / self.median
        positive = ratio > 0
        return jnp.where(positive, jnp.log(jnp.where(positive, ratio, 1.0)) / jnp.log(self.factor), jnp.inf)

    def log_density(self, value: ArrayLike) -> Scalar:
        """Minus half the squared residual, minus log |value|."""
        return -(self.residual(value) ** 2) / 2 - jnp.log(jnp.abs(value))
