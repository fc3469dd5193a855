"""Pictures; needs matplotlib (the extra `plot`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtjax.fitting import (
    AbstractFit,
    ActivatedThresholds,
    Fit,
    LikelihoodFit,
    Posterior,
    Prediction,
    ShiftedLoops,
    SwitchingData,
    Telegraph,
)
from mtjax.printing import with_unit
from mtjax.switching import MonteCarlo

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, told apart by colour-blind readers too."""
MARKERS = "osD^vPX"
_POINTS = 36
_DRAWS = 4000
_SCALES = {"u": 1e-6, "m": 1e-3, "": 1.0}


def plot_fits(fits: Mapping[str, AbstractFit]) -> Figure:
    """Data and fit, one panel for every fit, under its label.

    Switching probabilities: points are measured fractions with the 68 % interval of Wilson, the line is the fitted device, the
    band holds 95 % of repeated measurements, by the uncertainty of the parameters and the binomial scatter of as many trials (a
    fit by Monte Carlo has none, since its slopes are noisy).
    Thresholds and loops: bars are the intervals, lines the law. Telegraph signals: mean stays.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, law = mtj.presets.perpendicular_stt(40.0), mtj.ThermalActivation()
    >>> currents = np.array([0.6, 0.7, 0.8, 0.9]) * float(device.critical_current)
    >>> data = mtj.measured(device, currents, 1e-7, trials=100, seed=0, method=law)
    >>> fit = mtj.fit(device, data, where=("Bk",), method=law, relax=0.0)
    >>> [axes.get_xlabel() for axes in mtj.plot.plot_fits({"100 ns": fit}).axes]
    ['pulse current (uA)']
    """
    figure = Figure(figsize=(5.6 * len(fits), 4.2), layout="constrained", dpi=150)
    for axes, (label, fit) in zip(figure.subplots(1, len(fits), squeeze=False)[0], fits.items(), strict=True):
        plot_fit(axes, fit)
        axes.set_title(f"{label}\n{_summary(fit)}".strip(), fontsize="medium")
    return figure


def plot_fit(axes: Axes, fit: AbstractFit) -> None:
    """One fit into `axes`: a colour and marker for every series of settings.

    Raises `ValueError` where there is no picture for such a fit; `mtjax.plot.draw.register` adds one for a likelihood of
    your own.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from matplotlib.figure import Figure
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([mtj.fitting.Stays(up, down, 1e-5), mtj.fitting.Stays(down, up, -1e-5)])
    >>> axes = Figure().subplots()
    >>> mtj.plot.plot_fit(axes, fit)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('bias (A)', 'mean stay (s)')
    """
    draw(fit.law if isinstance(fit, LikelihoodFit) else fit, axes, fit)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small")


@singledispatch
def draw(law: Any, axes: Axes, fit: AbstractFit) -> None:
    """Draw a `fit` into `axes`, by the class of its `law` (for fits of devices: of the fit itself).

    >>> from mtjax.fitting import AbstractLikelihood
    >>> from mtjax.plot import draw
    >>> class Decay(AbstractLikelihood):  # a likelihood of your own
    ...     ...
    >>> @draw.register
    ... def line(law: Decay, axes, fit):
    ...     axes.plot([0, 1], [1, 0])
    >>> draw.dispatch(Decay) is line
    True
    """
    raise ValueError(f"There is no picture for a fit of {fit.kind}.")


@draw.register
def _switching(fit: Fit, axes: Axes, _: AbstractFit) -> None:
    prefix, scale = _prefix(fit.data.amplitude)
    for i, (label, rows) in enumerate(_series(fit.data).items()):
        colour = COLOURS[i % len(COLOURS)]
        _measured(axes, fit.data, rows, scale, color=colour, marker=MARKERS[i % len(MARKERS)], label=label)
        _fitted(axes, fit, rows, scale, colour, named=i == 0)
    name, unit = ("current", "A") if fit.data.voltage is None else ("voltage", "V")
    axes.set(xlabel=f"pulse {name} ({prefix}{unit})", ylabel="switching probability", ylim=(-0.04, 1.04))


@draw.register
def _thresholds(law: ActivatedThresholds, axes: Axes, fit: AbstractFit) -> None:
    middle = np.asarray(law.middle(jnp.asarray(fit.estimates.value)))
    for i, sign in enumerate(("+", "-")):
        rows = np.flatnonzero(np.asarray(law.negative) == i)
        if len(rows) == 0:
            continue
        rows = rows[np.argsort(law.width[rows])]
        top = np.where(np.isfinite(law.upper), law.upper, law.lower)
        _bars(axes, law.width[rows], law.lower[rows] * 1e3, top[rows] * 1e3, COLOURS[i], f"{sign}: interval")
        axes.plot(law.width[rows], middle[rows] * 1e3, color=COLOURS[i], lw=1.6, label=f"{sign}: fitted")
    axes.set(xscale="log", xlabel="pulse width (s)", ylabel="switching current (mA)")


@draw.register
def _loop_shift(law: ShiftedLoops, axes: Axes, fit: AbstractFit) -> None:
    """The middles of the loops; bars where they can lie at all."""
    values, number = fit.estimates.value, len(np.unique(law.group))
    for g in range(number):
        name = fit.estimates.names[g].split("[")[1].rstrip("]")
        ends = [[law.lower[rows].mean(), law.upper[rows].mean()] for rows in _pairs(law, g)]
        currents = _currents(law, g)
        (up_low, up_high), (down_low, down_high) = np.array(ends).reshape(-1, 2, 2).transpose(1, 2, 0)
        _bars(axes, currents * 1e3, (up_low - down_high) * 500, (up_high - down_low) * 500, COLOURS[g], f"{name} in plane")
        middle = (values[g + number] + values[g] * currents) * 1e3
        axes.plot(currents * 1e3, middle, color=COLOURS[g], lw=1.6, label=f"fitted, {values[g]:+.2f} mT/mA")
    axes.set(xlabel="current (mA)", ylabel="middle of the loop (mT)")


def _currents(law: ShiftedLoops, group: int) -> np.ndarray:
    """Currents at which both directions were measured."""
    up, down = (law.current[(law.group == group) & (law.sign == sign)] for sign in (1, -1))
    return np.intersect1d(up, down)


def _pairs(law: ShiftedLoops, group: int) -> list[np.ndarray]:
    """Rows of either direction at every current, one after the other."""
    own = law.group == group
    return [own & (law.current == i) & (law.sign == sign) for i in _currents(law, group) for sign in (1, -1)]


@draw.register
def _stays(law: Telegraph, axes: Axes, fit: AbstractFit) -> None:
    up, down = (np.asarray(x) for x in law.stays(jnp.asarray(fit.estimates.value)))
    parts = (("up", up, law.excess_up, law.number_up), ("down", down, law.excess_down, law.number_down))
    for i, (name, true, excess, number) in enumerate(parts):
        style = {"color": COLOURS[i], "marker": MARKERS[i], "label": f"{name}: observed mean"}
        axes.plot(law.bias, true, color=COLOURS[i], lw=1.6, label=f"{name}: fitted, all stays")
        axes.errorbar(law.bias, excess / number + law.dead, excess / number**1.5, ls="", ms=5, **style)
    axes.set(yscale="log", xlabel=f"bias ({fit.estimates.units[1]})", ylabel="mean stay (s)")


def _bars(axes: Axes, x, low, high, colour: str, label: str | None) -> None:
    middle = (low + high) / 2
    axes.errorbar(x, middle, [middle - low, high - middle], ls="", capsize=2, lw=1.2, color=colour, alpha=0.7, label=label)


def plot_posterior(fit: AbstractFit, posterior: Posterior) -> Figure:
    """The posterior of every quantity beside the normal curve of the Fisher information.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([mtj.fitting.Stays(up, down, 1e-5), mtj.fitting.Stays(down, up, -1e-5)])
    >>> draws = fit.estimates.value * np.linspace(0.8, 1.2, 50)[:, None] + np.linspace(-1e-6, 1e-6, 50)[:, None]
    >>> found = mtj.fitting.Posterior(fit.estimates.names, fit.estimates.units, draws[None], np.ones(4), np.full(4, 50.0), 0)
    >>> [axes.get_xlabel() for axes in mtj.plot.plot_posterior(fit, found).axes]
    ['tau (s)', 'equal_bias (A)', 'scale_up (A)', 'scale_down (A)']
    """
    number = len(posterior.names)
    figure = Figure(figsize=(3.4 * number, 3.2), layout="constrained", dpi=110)
    flat = posterior.draws.reshape(-1, number)
    for i, axes in enumerate(figure.subplots(1, number, squeeze=False)[0]):
        plot_marginal(axes, fit, i, flat[:, i])
    return figure


def plot_marginal(axes: Axes, fit: AbstractFit, i: int, draws: np.ndarray) -> None:
    """One quantity: a histogram of draws, and what the Fisher information says.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from matplotlib.figure import Figure
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([mtj.fitting.Stays(up, down, 1e-5), mtj.fitting.Stays(down, up, -1e-5)])
    >>> axes = Figure().subplots()
    >>> mtj.plot.plot_marginal(axes, fit, 0, np.linspace(1.2e-3, 2.4e-3, 100))  # in place of draws from the posterior
    >>> axes.get_xlabel(), [text.get_text() for text in axes.get_legend().get_texts()]
    ('tau (s)', ['posterior', 'Fisher information'])
    """
    one, logarithmic = fit.estimates[i], fit.estimates.logarithmic[i]
    low, high = np.quantile(draws, [0.002, 0.998])
    x = np.linspace(low, high, 200)
    spread = one.stderr / abs(one.value) if logarithmic else one.stderr
    u = np.log(np.abs(x / one.value)) / spread if logarithmic else (x - one.value) / spread
    density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi) / spread / (np.abs(x) if logarithmic else 1.0)
    axes.hist(draws, bins=np.linspace(low, high, 41).tolist(), density=True, color=COLOURS[5], alpha=0.6, label="posterior")
    axes.plot(x, density, color=COLOURS[1], lw=1.6, label="Fisher information")
    axes.set(xlabel=f"{fit.estimates.names[i]} ({one.unit})" if one.unit else fit.estimates.names[i], yticks=[])
    axes.legend(frameon=False, fontsize="small")


def predictive_band(fit: Fit, at: Prediction, trials: float) -> Float[np.ndarray, "2 n"]:
    """2.5 and 97.5 % points of the switched fraction among `trials` new ones, shape (2, n).

    Logits are drawn normal, with the width that gives p the relative variance which its derivatives say: the same as that of
    the derivatives of the logit while it is small, and not absurd where p is smaller than its own error.
    """
    p, q = np.clip(at.p, 1e-12, 1.0), np.clip(at.q, 1e-12, 1.0)
    spread = np.sqrt(np.log1p(np.einsum("ni,ij,nj->n", at.dp, fit.covariance, at.dp) / (p * q) ** 2))
    random = np.random.default_rng(0)
    logits = np.log(p / q) + spread * random.standard_normal((_DRAWS, 1))
    fractions = random.binomial(max(round(trials), 1), 1 / (1 + np.exp(-np.clip(logits, -500, 500)))) / max(round(trials), 1)
    return np.quantile(fractions, [0.025, 0.975], axis=0)


def wilson(data: SwitchingData) -> Float[np.ndarray, "2 n"]:
    """The 68 % interval of Wilson for every measured fraction, shape (2, n)."""
    n, p = data.trials, data.probability
    middle, half = (p + 0.5 / n) / (1 + 1 / n), np.sqrt(p * (1 - p) / n + 0.25 / n**2) / (1 + 1 / n)
    return np.stack([middle - half, middle + half])


def _series(data: SwitchingData) -> dict[str, np.ndarray]:
    """Rows of every curve, under its label."""
    labels = data.series()
    order = sorted(dict.fromkeys(labels), key=lambda label: (data.width[labels.index(label)], label))
    named = {label: label or with_unit(data.width[0], "s") for label in order}
    return {named[label]: np.flatnonzero([other == label for other in labels]) for label in order}


def _measured(axes: Axes, data: SwitchingData, rows: np.ndarray, scale: float, **style) -> None:
    p, (low, high) = data.probability[rows], wilson(data)[:, rows]
    errors = np.maximum([p - low, high - p], 0.0)
    axes.errorbar(data.amplitude[rows] / scale, p, errors, ls="", ms=5, lw=1.2, capsize=2, zorder=3, **style)


def _fitted(axes: Axes, fit: Fit, rows: np.ndarray, scale: float, colour: str, *, named: bool) -> None:
    data = fit.data
    low, high = data.amplitude[rows].min(), data.amplitude[rows].max()
    x = np.linspace(low, high, _POINTS) + np.linspace(-0.03, 0.03, _POINTS) * (high - low)
    field, warm = (None if column is None else column[rows[0]] for column in (data.field, data.temperature))
    group = getattr(data, fit.by)[rows[0]] if fit.model.groups else None
    at = fit.predict(x, data.width[rows[0]], field, temperature=warm, group=group)
    axes.plot(x / scale, np.clip(at.p, 0, 1), color=colour, lw=1.6, zorder=2, label="fitted device" if named else None)
    if isinstance(fit.method, MonteCarlo):  # sampled slopes are too noisy for a band
        return
    band = predictive_band(fit, at, float(np.median(data.trials[rows])))
    axes.fill_between(
        x / scale, *band, color=colour, alpha=0.18, lw=0, zorder=1, label="95 % of repetitions" if named else None
    )


def _prefix(x: np.ndarray) -> tuple[str, float]:
    largest = np.abs(x).max()
    return next((item for item in reversed(_SCALES.items()) if largest >= 0.5 * item[1]), ("u", 1e-6))


def _summary(fit: AbstractFit) -> str:
    shown = [f"{n} = {with_unit(e.value, e.unit, 3)}" for n, e in zip(fit.estimates.names, fit.estimates, strict=True)]
    found = ", ".join(shown) if len(shown) <= 3 else f"{len(shown)} quantities"
    return f"{found}; deviance {fit.deviance:.3g} on {fit.dof} dof"
