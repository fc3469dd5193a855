"""Pictures of networks; needs matplotlib (the extra `plot`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mtjax.nn import AbstractCost, Accuracy, CmosEnergy, Energy
from mtjax.plot.fits import COLOURS
from mtjax.printing import with_unit


def plot_training(losses: Sequence[float], accuracy: Accuracy, own: Energy, cmos: CmosEnergy) -> Figure:
    """Loss against epochs, accuracy against time-steps, and what an inference costs.

    - `losses`: of the epochs; `accuracy`: on test data.
    - `own`, `cmos`: of junctions and of the baseline, J.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> names = ("write", "read", "reset", "crossbar", "drivers", "comparators", "converters", "readout", "leak")
    >>> own = mtj.nn.Energy(**dict.fromkeys(names, 1e-15), latency=1e-8)  # 1 fJ each
    >>> names = ("weights", "arithmetic", "random", "table", "compare", "registers", "leak")
    >>> cmos = mtj.nn.CmosEnergy(**dict.fromkeys(names, 1e-12), latency=1e-8)  # 1 pJ each
    >>> accuracy = mtj.nn.Accuracy(np.array([[False, True], [True, True]]))
    >>> figure = mtj.plot.plot_training([1.2, 0.4, 0.2], accuracy, own, cmos)
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['epoch', 'time-steps', 'largest parts of an inference (J)']
    """
    figure = Figure(figsize=(13, 3.8), layout="constrained", dpi=130)
    left, middle, right = figure.subplots(1, 3)
    left.plot(np.arange(1, len(losses) + 1), losses, color=COLOURS[0])
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    n = np.arange(1, len(accuracy.value) + 1)
    middle.errorbar(n, 100 * accuracy.value, 100 * accuracy.stderr, marker="o", color=COLOURS[0], capsize=3)
    middle.set(xlabel="time-steps", ylabel="accuracy on test data (%)", xlim=(0.5, n[-1] + 0.5))
    middle.xaxis.set_major_locator(MaxNLocator(integer=True))
    plot_energies(right, {"junctions": own, "45 nm CMOS": cmos})
    for axes in (left, middle):
        axes.grid(alpha=0.25)
    return figure


def plot_energies(axes: Axes, energies: dict[str, AbstractCost], most: int = 4) -> None:
    """The largest parts of every one of `energies` as bars, `most` of each, into `axes`.

    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import mtjax as mtj
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> names = ("weights", "arithmetic", "random", "table", "compare", "registers", "leak")
    >>> cmos = mtj.nn.CmosEnergy(**dict.fromkeys(names, 1e-12), latency=1e-8)  # 1 pJ each
    >>> mtj.plot.plot_energies(axes, {"CMOS": cmos})
    >>> [label.get_text().split() for label in axes.get_yticklabels()]
    [['CMOS', '7', 'pJ']]
    """
    for at, energy in enumerate(energies.values()):
        known = sorted(((float(part), name) for name, part in energy.parts.items()), reverse=True)[:most]
        for i, (joules, part) in enumerate(known):
            place = at + 0.3 - 0.8 / most * i
            axes.barh(place, joules, height=0.68 / most, color=COLOURS[at % len(COLOURS)])
            axes.text(joules * 1.15, place, f"{part} {with_unit(joules, 'J', 3)}", va="center", fontsize="small")
    labels = [f"{name}\n{with_unit(energy.total, 'J', 3)}" for name, energy in energies.items()]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xscale="log", xlabel="largest parts of an inference (J)")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 30)
    axes.grid(alpha=0.25, axis="x")
