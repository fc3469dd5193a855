"""Pictures of trajectories and of sweeps; needs matplotlib (the extra `plot`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mtjax.devices import Device
from mtjax.dynamics import Trajectories
from mtjax.plot.fits import COLOURS, MARKERS
from mtjax.printing import with_unit
from mtjax.pulses import AbstractPulse, Applied
from mtjax.switching import Probability

_CURVES = 7


def plot_trajectories(device: Device, pulse: AbstractPulse, trajectories: Trajectories, found: Probability) -> Figure:
    """The component of m along the starting well over time, trajectory by trajectory, and their mean; the pulse shaded.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> pulse = mtj.Pulse(0.6 * device.critical_current, 100e-9)
    >>> found = mtj.switching_probability(device, pulse, method=mtj.ThermalActivation())
    >>> path = mtj.Trajectories(jnp.array([0.0, 1e-7]), jnp.array([[[0.0, 0.0, 1.0]] * 2]), jnp.array(1e-9), mtj.SplitStep())
    >>> figure = mtj.plot.plot_trajectories(device, pulse, path, found)  # `path` by hand in place of `mtj.simulate`
    >>> figure.axes[0].get_title()
    'switching probability 0.205'
    """
    figure = Figure(figsize=(5.6, 4.2), layout="constrained", dpi=150)
    axes: Axes = figure.subplots()
    ns, along = np.asarray(trajectories.ts) * 1e9, np.asarray(trajectories.ms @ device.start)
    axes.axvspan(0, float(pulse.end) * 1e9, color=COLOURS[4], alpha=0.15, lw=0, label=f"pulse, {_peak(pulse)}")
    for i, one in enumerate(along[:50]):
        axes.plot(ns, one, color=COLOURS[5], lw=0.6, alpha=0.6, label="trajectories" if i == 0 else None)
    axes.plot(ns, along.mean(axis=0), color=COLOURS[1], lw=2, label=f"mean of {len(along)}")
    axes.axhline(0, color=COLOURS[6], lw=0.8, ls=":")
    axes.set(xlabel="time (ns)", ylabel="m along the starting well", ylim=(-1.05, 1.05), xlim=(0, ns[-1]))
    axes.set_title(f"switching probability {float(found.value):.4g}", fontsize="medium")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    return figure


def _peak(pulse: AbstractPulse) -> str:
    """What a pulse reaches, in words."""
    peak = pulse.peak
    if not isinstance(peak, Applied):
        return with_unit(peak, "A")
    B = [float(part) for part in peak.field if part is not None]
    there = ((peak.current, "A"), (peak.voltage, "V"), (np.linalg.norm(B) if B else None, "T"))
    return ", ".join(with_unit(value, unit) for value, unit in there if value is not None)


def plot_sweep(found: Any) -> Figure:
    """The switching probability of a sweep's data set with one or two axes: curves, or a map where they would be many.

    Raises `ValueError` where there are more axes.

    >>> import pathlib, tempfile
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device, folder = mtj.presets.perpendicular_stt(40.0), pathlib.Path(tempfile.mkdtemp())
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> path = mtj.sweeps.run(mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7), folder)
    >>> axes = mtj.plot.plot_sweep(mtj.sweeps.merged(folder)).axes[0]
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('current', 'switching probability')
    """
    names = list(found["probability"].dims)
    if len(names) > 2:
        raise ValueError(f"A picture can show one or two axes, but the sweep has {', '.join(names)}: select from it.")
    figure = Figure(figsize=(5.6, 4.2), layout="constrained", dpi=150)
    axes: Axes = figure.subplots()
    along = max(names, key=lambda name: found.sizes[name])
    others = [name for name in names if name != along]
    if others and found.sizes[others[0]] > _CURVES:
        _map(figure, axes, found, names)
    else:
        _curves(axes, found, along, others)
        _name(found, along, axes.xaxis)
        axes.set(ylabel="switching probability", ylim=(-0.03, 1.03))
        axes.grid(alpha=0.25)
    return figure


def _curves(axes: Axes, found: Any, along: str, others: list[str]) -> None:
    x = found[along].values
    for i in range(found.sizes[others[0]] if others else 1):
        one = found.isel({others[0]: i}) if others else found
        label = f"{others[0]} = {with_unit(one[others[0]], one[others[0]].attrs['units'])}" if others else None
        errors = np.nan_to_num(one["stderr"].values)
        axes.errorbar(
            x, one["probability"].values, errors, color=COLOURS[i], marker=MARKERS[i], ms=4, lw=1.4, capsize=2, label=label
        )
    if others:
        axes.legend(frameon=False, fontsize="small")


def _map(figure: Figure, axes: Axes, found: Any, names: list[str]) -> None:
    vertical, horizontal = names
    shown = [found[name].values for name in (horizontal, vertical, "probability")]
    mesh = axes.pcolormesh(*shown, cmap="cividis", vmin=0, vmax=1, shading="nearest")
    figure.colorbar(mesh, label="switching probability")
    _name(found, horizontal, axes.xaxis)
    _name(found, vertical, axes.yaxis)


def _name(found: Any, name: str, one: Axis) -> None:
    """Name and unit of a swept quantity along an axis, the numbers with SI prefixes (50 µA)."""
    unit = found[name].attrs["units"]
    one.set_label_text(name)
    if unit:
        one.set_major_formatter(EngFormatter(unit))
