"""Which combinations of quantities the data determine, in words."""

from __future__ import annotations

import itertools

import numpy as np

from mtjax.checks import checked
from mtjax.fitting.result import AbstractFit

_KNOWN, _UNKNOWN = 0.1, 0.3
_GAIN = 4.0
"""A combination is worth a sentence if it is known this many times better than either quantity alone."""
_POWERS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)


@checked
def identifiability(fit: AbstractFit) -> tuple[str, ...]:
    """Sentences: how well each quantity is known alone, and which products of powers of two are known much better.

    - `fit`: any, of counts or of a likelihood.

    Relative standard errors of quantities that are fitted by their logarithm; of others nothing is said.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, law = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
    >>> currents = np.array([0.6, 0.7, 0.8, 0.9]) * float(device.critical_current)
    >>> data = mtj.measured(device, currents, 1e-7, trials=100, seed=0, method=law)
    >>> found = mtj.fit(device, data, where=("Bk",), method=law, relax=0.0)
    >>> mtj.identifiability(found)
    ('Bk is known to 0.67 %.',)
    """
    names, spread = fit.estimates.names, fit.spread
    chosen = [i for i in range(len(names)) if fit.space.logarithmic[i]]
    pairs = [_pair(names, spread, i, j) for i, j in itertools.combinations(chosen, 2)]
    return (*(_alone(names[i], float(np.sqrt(spread[i, i]))) for i in chosen), *(s for s in pairs if s))


def _alone(name: str, error: float) -> str:
    if error < _KNOWN:
        return f"{name} is known to {percent(error)}."
    if error < _UNKNOWN:
        return f"{name} is known roughly, to {percent(error)}."
    return f"{name} alone is not known ({factor(error)})."


def _pair(names: tuple[str, ...], spread: np.ndarray, i: int, j: int) -> str | None:
    """The best simple combination of two quantities, where it is known much better than both."""
    both = spread[np.ix_([i, j], [i, j])]
    errors = {power: float(np.sqrt(np.array([1, power]) @ both @ np.array([1, power]))) for power in _POWERS}
    power = min(errors, key=lambda p: errors[p])
    alone = np.sqrt(np.diag(both))
    if errors[power] * _GAIN > alone.min() or alone.min() < 1e-12:
        return None
    exponent = "" if abs(power) == 1 else f"^{abs(power):g}"
    product = f"{names[i]} {'*' if power > 0 else '/'} {names[j]}{exponent}"
    worst = i if alone[0] > alone[1] else j
    return f"{product} is known to {percent(errors[power])}, {names[worst]} alone only to {_loosely(float(alone.max()))}."


def percent(error: float) -> str:
    """A relative error as text."""
    return f"{100 * error:.2g} %"


def factor(error: float) -> str:
    """A large relative error as text."""
    return "it could be anything" if error > 5 else f"only to a factor of {np.exp(error):.2g}"


def _loosely(error: float) -> str:
    return percent(error) if error < _UNKNOWN else f"a factor of {np.exp(min(error, 50)):.2g}"


def flat_directions(information: np.ndarray, names: tuple[str, ...], logarithmic: np.ndarray) -> list[str]:
    """Directions in which the parameters are known to no better than a factor of e (or one unit)."""
    strengths, axes = np.linalg.eigh(information)
    return [_named(axis, names, logarithmic) for s, axis in zip(strengths, axes.T, strict=True) if s < 1]


def _named(axis: np.ndarray, names: tuple[str, ...], logarithmic: np.ndarray) -> str:
    axis = axis / axis[np.argmax(np.abs(axis))]
    taking = [i for i in range(len(names)) if abs(axis[i]) > 0.02]
    if len(taking) == 1:
        return f"The data do not determine {names[taking[0]]}."
    together = " and ".join(
        f"{names[i]} times {2 ** axis[i]:.3g}" if logarithmic[i] else f"{names[i]} plus {axis[i]:.2g}" for i in taking
    )
    said = f"The data do not determine {' and '.join(names[i] for i in taking)} apart: {together} change next to nothing"
    if len(taking) == 2 and all(logarithmic[i] for i in taking):
        i, j = taking
        said += f"; only {_product({names[i]: axis[j], names[j]: -axis[i]})} is determined"
    return said + "."


def _product(powers: dict[str, float]) -> str:
    """Names to powers as text, the first power scaled to 1: "theta_sh / width^0.5"."""
    first = next(iter(powers.values()))
    text = ""
    for name, power in ((n, round(p / first, 2)) for n, p in powers.items()):
        exponent = "" if abs(power) == 1 else f"^{abs(power):g}"
        text += (" / " if power < 0 else " * " if text else "") + name + exponent
    return text
