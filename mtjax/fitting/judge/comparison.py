"""Candidate laws side by side, by Akaike's criterion."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mtjax.checks import checked
from mtjax.fitting.binomial import deviances
from mtjax.fitting.counts import SwitchingData
from mtjax.fitting.likelihood_fit import AbstractLikelihood, LikelihoodFit, maximise
from mtjax.fitting.result import AbstractFit
from mtjax.fitting.space import coordinates
from mtjax.printing import Shown

_AS_GOOD, _MUCH_WORSE = 2.0, 10.0
_LEVEL = 0.01


class Logistic(AbstractLikelihood):
    """P = 1 / (1 + exp(-(A - A_50) / w)) in the pulse amplitude A, with its own A_50 and w for every series of settings.

    Quantities: the A_50 of all series, then the w.

    - `amplitude` (A or V), `switched`, `trials`, number of the `series`: shape (n,).
    """

    amplitude: Float[np.ndarray, " n"]
    switched: Float[np.ndarray, " n"]
    trials: Float[np.ndarray, " n"]
    series: np.ndarray

    @property
    def kind(self) -> str:
        """Number of settings and curves."""
        return f"{self.rows} settings, by logistic curves"

    @property
    def rows(self) -> int:
        """Number of settings."""
        return len(self.amplitude)

    @property
    def calibrated(self) -> bool:
        """The likelihood is relative to that of the measured fractions."""
        return True

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Minus half the deviance."""
        middle, width = values.reshape(2, -1)[:, jnp.asarray(self.series, int)]
        u = (self.amplitude - middle) / width
        return -jnp.sum(deviances(self.switched, self.trials, jax.nn.sigmoid(u), jax.nn.sigmoid(-u))) / 2


@checked
def fit_logistic(data: SwitchingData) -> LikelihoodFit:
    """A logistic (sigmoid) curve for every width, field, temperature, direction and device: what a spreadsheet would do.

    - `data`: switched counts.

    Quantities: the midpoints (probability 1/2) of all curves, then their widths, in A or V.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> print(mtj.fitting.fit_logistic(data).estimates)
              estimate  std. error  95 % interval
    midpoint  10.63 uA  63.48 nA    10.51 uA ... 10.76 uA
    width     395.3 nA  36.82 nA    329.3 nA ... 474.5 nA
    """
    labels = data.series()
    kinds = list(dict.fromkeys(labels))
    series = np.array([kinds.index(label) for label in labels])
    sign = np.sign(np.sum(data.amplitude))
    amplitude = sign * data.amplitude
    middles, widths = zip(
        *(_start(amplitude[series == s], data.probability[series == s]) for s in range(len(kinds))), strict=True
    )
    unit = "A" if data.voltage is None else "V"
    names = [f"{q}[{label}]" if len(kinds) > 1 else q for q in ("midpoint", "width") for label in kinds]
    space = coordinates(names, [unit] * len(names), [*middles, *widths])
    return maximise(Logistic(amplitude, data.switched, data.trials, series), space)


def _start(amplitude: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    order = np.argsort(amplitude)
    rising = np.maximum.accumulate(p[order])
    at = [float(np.interp(level, rising + 1e-9 * np.arange(len(p)), amplitude[order])) for level in (0.27, 0.5, 0.73)]
    span = float(np.ptp(amplitude)) or abs(at[1])
    return at[1], max((at[2] - at[0]) / 2, 0.02 * span)


class Comparison(Shown):
    """Laws in the order of their AIC, best first.

    - `names`; `quantities`: numbers of fitted ones; `deviance`, `aic` (Akaike's criterion), `p_value`: one each.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> both = mtj.fitting.compare({"macrospin": found, "logistic": mtj.fitting.fit_logistic(data)})
    >>> print(f"AIC {both.aic[0]:.1f} and {both.aic[1]:.1f}")
    AIC 2.6 and 7.3
    >>> print(both.verdict)
    The data favour macrospin; logistic is less likely.
    """

    names: tuple[str, ...]
    quantities: tuple[int, ...]
    deviance: tuple[float, ...]
    aic: tuple[float, ...]
    p_value: tuple[float | None, ...]

    @property
    def verdict(self) -> str:
        """A plain sentence."""
        best, p = self.names[0], self.p_value[0]
        above = [a - self.aic[0] for a in self.aic]
        groups = {
            "about as good": [n for n, d in zip(self.names[1:], above[1:], strict=True) if d <= _AS_GOOD],
            "less likely": [n for n, d in zip(self.names[1:], above[1:], strict=True) if _AS_GOOD < d <= _MUCH_WORSE],
            "not supported at all": [n for n, d in zip(self.names[1:], above[1:], strict=True) if d > _MUCH_WORSE],
        }
        parts = [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {how}" for how, names in groups.items() if names]
        found = f"The data favour {best}" + ("; " + "; ".join(parts) if parts else "")
        poor = f", but even that does not describe them (p = {p:.1g})" if p is not None and p < _LEVEL else ""
        return found + poor + "."

    def __str__(self) -> str:
        """A table and the verdict."""
        wide = max(map(len, self.names)) + 2
        lines = [f"{'':<{wide}}{'quantities':<12}{'deviance':<10}{'AIC':<10}{'above best':<12}p"]
        rows = zip(self.names, self.quantities, self.deviance, self.aic, self.p_value, strict=True)
        for name, k, deviance, aic, p in rows:
            shown = "" if p is None else f"{p:.2g}"
            lines.append(f"{name:<{wide}}{k:<12}{deviance:<10.4g}{aic:<10.4g}{aic - self.aic[0]:<12.3g}{shown}")
        return "\n".join([*lines, self.verdict])


@checked
def compare(fits: Mapping[str, AbstractFit]) -> Comparison:
    """`fits` of the same data side by side, by Akaike's information criterion (AIC); raises `ValueError` for fewer than two.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> print(mtj.fitting.compare({"macrospin": found, "logistic": mtj.fitting.fit_logistic(data)}))
               quantities  deviance  AIC       above best  p
    macrospin  1           0.572     2.572     0           0.9
    logistic   2           3.332     7.332     4.76        0.19
    The data favour macrospin; logistic is less likely.
    """
    if len(fits) < 2:
        raise ValueError(f"A comparison needs at least two fits, but there {'is one' if fits else 'are none'}.")
    ordered = sorted(fits.items(), key=lambda item: item[1].aic)
    return Comparison(
        names=tuple(name for name, _ in ordered),
        quantities=tuple(len(f.estimates) for _, f in ordered),
        deviance=tuple(f.deviance for _, f in ordered),
        aic=tuple(f.aic for _, f in ordered),
        p_value=tuple(f.p_value for _, f in ordered),
    )
