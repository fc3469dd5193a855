"""Fitted quantities with their uncertainty, and what all fits have in common."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from mtjax.files import decode, encode, write_whole
from mtjax.fitting.space import Coordinates
from mtjax.printing import Shown, with_unit
from mtjax.quantities import in_double

FORMAT = "mtjax fit 3"
_READABLE = ("mtjax fit 2", FORMAT)
_LEAST = 1e-30
_UNKNOWN = 1e7
"""Variance of what the data say nothing about."""


class Estimate(NamedTuple):
    """One fitted quantity: `value` and its standard error `stderr`, in `unit`.

    >>> import numpy as np
    >>> from mtjax.fitting import Estimates
    >>> found = Estimates(("Bk", "alpha"), ("T", ""), np.array([0.22, 0.01]), np.array([0.003, 0.002]), (True, True))
    >>> found["Bk"]
    Estimate(value=0.22, stderr=0.003, unit='T')
    """

    value: float
    stderr: float
    unit: str


class Estimates(Shown):
    """Fitted quantities, k of them; `estimates["Bk"]` is an `Estimate`, and so are the items of a loop.

    - `names`; `units`: SI.
    - `value`, `stderr`: shape (k,).
    - `logarithmic`: whether the quantity was fitted by its logarithm (if not, it may change its sign).

    >>> import numpy as np
    >>> from mtjax.fitting import Estimates
    >>> found = Estimates(("Bk", "alpha"), ("T", ""), np.array([0.22, 0.01]), np.array([0.003, 0.002]), (True, True))
    >>> found
    Estimates(Bk=220 mT +- 3 mT, alpha=0.01 +- 0.002)
    >>> [f"{low:.4f} to {high:.4f}" for low, high in found.interval(0.95)]
    ['0.2142 to 0.2260', '0.0068 to 0.0148']
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    value: Float[np.ndarray, " k"]
    stderr: Float[np.ndarray, " k"]
    logarithmic: tuple[bool, ...]

    def __getitem__(self, name: str | int) -> Estimate:
        """The estimate of that name or number; raises `KeyError` where there is none."""
        if name not in self.names and not isinstance(name, int):
            raise KeyError(f"The fitted quantities are {', '.join(self.names)}, but not {name}.")
        i = name if isinstance(name, int) else self.names.index(name)
        return Estimate(float(self.value[i]), float(self.stderr[i]), self.units[i])

    def __len__(self) -> int:
        """How many."""
        return len(self.names)

    def __iter__(self) -> Iterator[Estimate]:
        """One `Estimate` after the other."""
        return (self[i] for i in range(len(self)))

    def interval(self, level: float = 0.95) -> Float[np.ndarray, "k 2"]:
        """Confidence intervals, shape (k, 2): symmetric in the logarithm where that was fitted."""
        z = float(jax.scipy.special.ndtri(0.5 + level / 2))
        return np.stack([self._moved(-z), self._moved(z)], axis=1)

    def _moved(self, z: float) -> np.ndarray:
        safe = np.where(self.value == 0, 1.0, np.abs(self.value))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(self.logarithmic, self.value * np.exp(z * self.stderr / safe), self.value + z * self.stderr)

    def __repr__(self) -> str:
        """`Estimates(Bk=220 mT +- 3 mT, ...)`."""
        return f"Estimates({self.summary})"

    @property
    def summary(self) -> str:
        """All in one line, with standard errors."""
        one = (
            f"{n}={with_unit(e.value, e.unit)} +- {with_unit(e.stderr, e.unit, 2)}"
            for n, e in zip(self.names, self, strict=True)
        )
        return ", ".join(one)

    def __str__(self) -> str:
        """A table with units."""
        rows = [("", "estimate", "std. error", "95 % interval")]
        for name, one, (low, high) in zip(self.names, self, self.interval(), strict=True):
            shown = [with_unit(x, one.unit) for x in (one.value, one.stderr, low, high)]
            rows.append((name, shown[0], shown[1], f"{shown[2]} ... {shown[3]}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(f"{x:<{w}}" for x, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def estimates_of(space: Coordinates, c: np.ndarray, covariance: np.ndarray) -> tuple[Estimates, np.ndarray]:
    """Estimates at the coordinates c with their `covariance`, and the covariance of the values."""
    value = np.asarray(space.value(c), float)
    scale = space.scale(value)
    stderr = np.abs(scale) * np.sqrt(np.diag(covariance))
    found = Estimates(space.names, space.units, value, stderr, space.logarithmic)
    return found, scale[:, None] * covariance * scale


class AbstractFit(Shown):
    """What all fits have: estimates, and a likelihood to look at again.

    - `estimates`, `covariance`: of the fitted quantities, shape (k, k).
    - `deviance`, `dof`, `p_value`: of the model against a perfect description of the data.
    - `warnings`: what is wrong, one sentence each.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, law = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
    >>> currents = np.array([0.6, 0.7, 0.8, 0.9]) * float(device.critical_current)
    >>> data = mtj.measured(device, currents, 1e-7, trials=100, seed=0, method=law)
    >>> found = mtj.fit(device, data, where=("Bk",), method=law, relax=0.0)
    >>> isinstance(found, mtj.fitting.AbstractFit), found.dof, found.warnings
    (True, 3, ())
    """

    estimates: eqx.AbstractVar[Estimates]
    covariance: eqx.AbstractVar[Float[np.ndarray, "k k"]]
    deviance: eqx.AbstractVar[float]
    dof: eqx.AbstractVar[int]
    p_value: eqx.AbstractVar[float | None]
    warnings: eqx.AbstractVar[tuple[str, ...]]

    @property
    @abstractmethod
    def space(self) -> Coordinates:
        """The coordinates of the fitted quantities, with their bounds and priors."""

    @property
    @abstractmethod
    def likelihood(self) -> Any:
        """A module that gives the log-likelihood of coordinates, shape (k,)."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What was fitted, in a few words."""

    @property
    def at(self) -> Float[np.ndarray, " k"]:
        """The coordinates of the estimates."""
        return self.space.at(self.estimates.value)

    @property
    def spread(self) -> Float[np.ndarray, "k k"]:
        """Covariance of the coordinates."""
        scale = np.where(self.space.mask, self.estimates.value, 1.0)
        return self.covariance / scale[:, None] / scale

    @property
    def aic(self) -> float:
        """Akaike's criterion but for a constant of the data: the deviance plus twice the number of fitted quantities."""
        return self.deviance + 2 * len(self.estimates)

    def __repr__(self) -> str:
        """The estimates in one line, with standard errors."""
        return f"{type(self).__name__}({self.estimates.summary}, deviance={self.deviance:.4g}, dof={self.dof})"

    def __str__(self) -> str:
        """A table of the estimates with units, the deviance, and the warnings."""
        p = "" if self.p_value is None else f" (p = {self.p_value:.2g})"
        summary = f"deviance {self.deviance:.4g} on {self.dof} degrees of freedom{p}, {self.kind}"
        return "\n".join([str(self.estimates), summary, *(f"warning: {sentence}" for sentence in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """What `save` writes."""
        plain = {name: one._asdict() for name, one in zip(self.estimates.names, self.estimates, strict=True)}
        summary = {name: getattr(self, name) for name in ("deviance", "dof", "p_value")}
        plainer = {"covariance": self.covariance.tolist(), "warnings": list(self.warnings), "kind": self.kind}
        return {"format": FORMAT, "estimates": plain, **summary, **plainer, "all": encode(self)}

    def save(self, path: str | PathLike[str]) -> None:
        """Write all of it to a JSON file, with the estimates in plain sight."""
        write_whole(path, json.dumps(self.to_dict(), indent=1))

    @classmethod
    @in_double
    def load(cls, path: str | PathLike[str], classes: tuple[type, ...] = ()) -> Any:
        """The fit that `save` wrote; raises `ValueError` where the file is missing, or holds none of this class.

        `classes`: of your own that are in the fit, where they are not registered by `mtjax.files.register`.
        """
        if not Path(path).is_file():
            raise ValueError(f"The file of a fit must exist, but {str(path)!r} does not.")
        try:
            found = json.loads(Path(path).read_text())
        except ValueError as error:
            raise ValueError(f"{str(path)!r} must be a JSON file, but is not: {error}.") from None
        if not isinstance(found, dict) or found.get("format") not in _READABLE:
            raise ValueError(f"{str(path)!r} must be a fit that mtjax saved ({FORMAT!r}), but is not.")
        fit = decode(found["all"], classes)
        if not isinstance(fit, cls):
            raise ValueError(f"{str(path)!r} must hold a {cls.__name__}, but holds a {type(fit).__name__}.")
        return fit


def covariance_of(information: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    """Its inverse; directions whose information is no more than rounding get an enormous, but finite, variance."""
    scales, axes = np.linalg.eigh(information)
    floor = max(1e-13 * scales[-1], _LEAST)
    known = scales > floor
    return (axes * np.where(known, 1 / np.where(known, scales, 1.0), max(1 / floor, _UNKNOWN))) @ axes.T
