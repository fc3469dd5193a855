"""Pictures of telegraph traces, of loops, and of fits to them."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtjax.fitting import AbstractFit, BiasedDwell, Loop, OneBarrier, TraceFit
from mtjax.plot.fits import COLOURS, MARKERS, draw
from mtjax.printing import with_unit

_SHOWN = 40
"""How many stays of a trace are shown."""
_POINTS, _PANELS, _LINES = 300, 12, 30
_KINDS = {"A": "current", "V": "voltage", "T": "field"}


def plot_traces(traces: Sequence[tuple[str, np.ndarray, np.ndarray, TraceFit]]) -> Figure:
    """A row for each trace (the first twelve): a stretch of it with the state that was found; the stays beside the fitted law.

    - `traces`: name, time (s), signal and fit of each.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import mtjax as mtj
    >>> time, signal = mtj.fitting.synthetic_trace(tau_up=1e-3, tau_down=3e-3, duration=1.0, step=1e-4, noise=0.2)
    >>> figure = mtj.plot.plot_traces([("trace", time, signal, mtj.fit_trace(time, signal))])
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['time (ms)', 'stay (s)']
    """
    traces = traces[:_PANELS]
    figure = Figure(figsize=(11, 2.6 * len(traces)), layout="constrained", dpi=110)
    for row, (name, time, signal, fit) in zip(
        figure.subplots(len(traces), 2, squeeze=False, width_ratios=(2, 1)), traces, strict=True
    ):
        _stretch(row[0], time, signal, fit)
        _stays(row[1], fit)
        row[0].set_title(name, fontsize="medium")
    return figure


def _stretch(axes: Axes, time: np.ndarray, signal: np.ndarray, fit: TraceFit) -> None:
    """Around the first stays: the signal, and the levels and the drift of the state that was found."""
    changes = np.flatnonzero(np.diff(fit.up > 0.5))
    end = int(min(len(time), changes[min(_SHOWN, len(changes)) - 1] + 20)) if len(changes) else len(time)
    begin = max(int(changes[0]) - 100, 0) if len(changes) else 0
    rows = slice(begin, end)
    low, high = fit.estimates["level_down"].value, fit.estimates["level_up"].value
    level = np.where(fit.up > 0.5, high, low) + fit.drift
    axes.plot(time[rows] * 1e3, signal[rows], color=COLOURS[5], lw=0.6, label="signal")
    axes.plot(time[rows] * 1e3, level[rows], color=COLOURS[1], lw=1.2, label="state", drawstyle="steps-mid")
    axes.set(xlabel="time (ms)", ylabel=f"signal ({fit.unit})" if fit.unit else "signal")
    axes.legend(frameon=False, fontsize="small", loc="upper right")


def _stays(axes: Axes, fit: TraceFit) -> None:
    """Shares of stays that last longer, and those by the fitted means."""
    found = fit.stays
    for i, (name, stays, mean) in enumerate(zip(("up", "down"), (found.up, found.down), fit.dwell_times, strict=True)):
        x = np.sort(stays)
        axes.plot(x, 1 - np.arange(len(x)) / len(x), ".", ms=4, color=COLOURS[i], label=f"{name}: seen")
        line = np.linspace(0, 5 * mean, 50)
        axes.plot(line, np.exp(-line / mean), color=COLOURS[i], lw=1.2, label=f"{name}: {with_unit(mean, 's', 3)}")
    axes.set(
        xscale="log", yscale="log", xlabel="stay (s)", ylabel="share that is longer", ylim=(0.5 / max(len(found.up), 2), 1.5)
    )
    axes.legend(frameon=False, fontsize="small")


def plot_loops(loops: Sequence[Loop]) -> Figure:
    """Up to thirty loops over one another, with the intervals in which they switch.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> loop = mtj.Loop(1e-4 * np.arange(7), np.array([1e3, 1e3, 1e3, 1e3, 2e3, 2e3, 2e3]), width=1e-6)
    >>> mtj.plot.plot_loops([loop]).axes[0].get_xlabel()
    'current (A)'
    """
    figure = Figure(figsize=(6, 4.2), layout="constrained", dpi=150)
    axes = figure.subplots()
    shown = loops[:: max(-(-len(loops) // _LINES), 1)]
    for i, loop in enumerate(shown):
        colour = COLOURS[i % len(COLOURS)]
        label = loop.name if len(shown) <= 5 else None
        axes.plot(loop.swept, loop.resistance, color=colour, marker=".", ms=2, lw=0.7, alpha=0.7, label=label)
        for sign in (1, -1):
            found = loop.bracket(sign)
            if found is not None and np.isfinite(found[1]):
                axes.axvspan(*sorted(sign * np.array(found)), color=colour, alpha=0.15, lw=0)
    axes.set(xlabel=f"{_KINDS[loops[0].unit]} ({loops[0].unit})", ylabel="resistance (ohm)")
    if len(shown) <= 5:
        axes.legend(frameon=False, fontsize="x-small")
    return figure


@draw.register
def _distribution(law: OneBarrier, axes: Axes, fit: AbstractFit) -> None:
    """Shares of cycles that have switched, for the most frequent time of each polarity, and the fitted law."""
    values = jnp.asarray(fit.estimates.value)
    unit = fit.estimates.units[0]
    for i, sign in enumerate(("+", "-")):
        rows = np.flatnonzero(np.asarray(law.negative) == bool(i))
        for j, dose in enumerate(np.unique(law.dose[rows])[:3]):
            own = rows[law.dose[rows] == dose]
            top = np.sort(np.where(np.isfinite(law.upper[own]), law.upper[own], np.inf))
            style = {"color": COLOURS[i], "ls": ("-", "--", ":")[j]}
            axes.plot(top, (np.arange(len(top)) + 1) / len(top), MARKERS[j], ms=3, color=COLOURS[i], label=f"{sign}: cycles")
            finite = np.append(top[np.isfinite(top)], law.lower[own])
            x = np.linspace(finite.min() - 0.1 * np.ptp(finite), finite.max(), _POINTS)
            one = OneBarrier(x, x, np.full(_POINTS, bool(i)), np.full(_POINTS, dose), np.full(_POINTS, law.step[own[0]]),
                             law.exponent, law.one_delta)  # fmt: skip
            axes.plot(x, -np.expm1(-np.asarray(one.expected(values, jnp.asarray(x)))), lw=1.4, label=f"{sign}: fitted", **style)
    axes.set(xlabel=f"switching {_KINDS.get(unit, 'amplitude')} ({unit})", ylabel="share that has switched", ylim=(-0.04, 1.04))


@draw.register
def _dwell(law: BiasedDwell, axes: Axes, fit: AbstractFit) -> None:
    """Dwell times with their standard errors, and the law."""
    x = np.linspace(law.bias.min(), law.bias.max(), _POINTS)
    line = BiasedDwell(x, np.zeros((_POINTS, 2)), np.zeros((_POINTS, 2, 2))).stays(jnp.asarray(fit.estimates.value))
    spread = np.sqrt(np.array([np.diag(np.linalg.inv(p)) for p in law.precision]))
    for i, name in enumerate(("up", "down")):
        mean = np.exp(law.log_mean[:, i])
        axes.errorbar(
            law.bias, mean, mean * spread[:, i], ls="", ms=5, marker=MARKERS[i], color=COLOURS[i], label=f"{name}: measured"
        )
        axes.plot(x, np.asarray(line[i]), color=COLOURS[i], lw=1.6, label=f"{name}: fitted")
    axes.set(yscale="log", xlabel=f"bias ({fit.estimates.units[1]})", ylabel="dwell time (s)")
