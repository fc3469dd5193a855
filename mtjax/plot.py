"""Pictures; needs matplotlib (the extra `plot`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtjax.data import SwitchingData
from mtjax.fitting import Fit
from mtjax.likelihood import Prediction
from mtjax.types import with_unit

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart by colour-blind readers too."""
_MARKERS = "osD^vPX"
_POINTS = 36
_DRAWS = 4000
_SCALES = {"u": 1e-6, "m": 1e-3, "": 1.0}


def plot_fits(fits: Mapping[str, Fit]) -> Figure:
    """Measured and fitted switching probability, one panel for every fit, under its label.

    Points: measured fraction, with the 68 % interval of Wilson. Line: the fitted device. Band: where 95 % of repeated
    measurements would fall, by the uncertainty of the parameters and the binomial scatter of as many trials.
    """
    figure = Figure(figsize=(5.6 * len(fits), 4.2), layout="constrained", dpi=150)
    for axes, (label, fit) in zip(figure.subplots(1, len(fits), squeeze=False)[0], fits.items(), strict=True):
        plot_fit(axes, fit)
        axes.set_title(f"{label}\n{_summary(fit)}".strip(), fontsize="medium")
    return figure


def plot_fit(axes: Axes, fit: Fit) -> None:
    """One fit into `axes`: a colour and marker for every pulse width and field."""
    prefix, scale = _prefix(fit.data.amplitude)
    for i, (label, rows) in enumerate(_series(fit.data).items()):
        colour = COLOURS[i % len(COLOURS)]
        _measured(axes, fit.data, rows, scale, color=colour, marker=_MARKERS[i % len(_MARKERS)], label=label)
        _fitted(axes, fit, rows, scale, colour)
    name, unit = ("current", "A") if fit.data.voltage is None else ("voltage", "V")
    axes.set(xlabel=f"pulse {name} ({prefix}{unit})", ylabel="switching probability", ylim=(-0.04, 1.04))
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small")


def predictive_band(fit: Fit, at: Prediction, trials: float) -> Float[np.ndarray, "2 n"]:
    """2.5 and 97.5 % points of the switched fraction among `trials` new ones, shape (2, n)."""
    p, q = np.clip(at.p, 1e-12, 1.0), np.clip(at.q, 1e-12, 1.0)
    spread = np.sqrt(np.einsum("ni,ij,nj->n", at.dp, fit.covariance, at.dp)) / (p * q)
    random = np.random.default_rng(0)
    logits = np.log(p / q) + np.minimum(spread, 50.0) * random.standard_normal((_DRAWS, 1))
    fractions = random.binomial(max(round(trials), 1), 1 / (1 + np.exp(-np.clip(logits, -500, 500)))) / max(round(trials), 1)
    return np.quantile(fractions, [0.025, 0.975], axis=0)


def wilson(data: SwitchingData) -> Float[np.ndarray, "2 n"]:
    """The 68 % interval of Wilson for every measured fraction, shape (2, n)."""
    n, p = data.trials, data.probability
    middle, half = (p + 0.5 / n) / (1 + 1 / n), np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
    return np.stack([middle - half, middle + half])


def _series(data: SwitchingData) -> dict[str, np.ndarray]:
    """Rows of every pulse width and field, under a label."""
    field = np.zeros(len(data)) if data.field is None else data.field
    settings = sorted(set(zip(data.width, field, strict=True)))

    def label(width, B):
        return with_unit(width, "s") + ("" if data.field is None else f", {with_unit(B, 'T')}")

    return {label(w, B): np.flatnonzero((data.width == w) & (field == B)) for w, B in settings}


def _measured(axes: Axes, data: SwitchingData, rows: np.ndarray, scale: float, **style) -> None:
    p, (low, high) = data.probability[rows], wilson(data)[:, rows]
    errors = np.maximum([p - low, high - p], 0.0)
    axes.errorbar(data.amplitude[rows] / scale, p, errors, ls="", ms=5, lw=1.2, capsize=2, zorder=3, **style)


def _fitted(axes: Axes, fit: Fit, rows: np.ndarray, scale: float, colour: str) -> None:
    data = fit.data
    low, high = data.amplitude[rows].min(), data.amplitude[rows].max()
    x = np.linspace(low, high, _POINTS) + np.linspace(-0.03, 0.03, _POINTS) * (high - low)
    field = None if data.field is None else data.field[rows[0]]
    at = fit.predict(x, data.width[rows[0]], field)
    band = predictive_band(fit, at, float(np.median(data.trials[rows])))
    axes.plot(x / scale, np.clip(at.p, 0, 1), color=colour, lw=1.6, zorder=2, label="fitted device")
    axes.fill_between(x / scale, *band, color=colour, alpha=0.18, lw=0, zorder=1, label="95 % of repetitions")


def _prefix(x: np.ndarray) -> tuple[str, float]:
    largest = np.abs(x).max()
    return next((item for item in reversed(_SCALES.items()) if largest >= 0.5 * item[1]), ("u", 1e-6))


def _summary(fit: Fit) -> str:
    found = ", ".join(f"{n} = {with_unit(e.value, e.unit, 3)}" for n, e in zip(fit.estimates.names, fit.estimates, strict=True))
    return f"{found}; deviance {fit.deviance:.3g} on {fit.dof} dof"
