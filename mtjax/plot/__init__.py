"""Pictures of fits, simulations and networks; needs matplotlib (the extra `plot`)."""

# ruff: noqa: E402
from mtjax.quantities import need

need("matplotlib", "A picture")

from mtjax.plot.fits import COLOURS, MARKERS, draw, plot_fit, plot_fits, plot_marginal, plot_posterior
from mtjax.plot.networks import plot_energies, plot_training
from mtjax.plot.signals import plot_loops, plot_traces
from mtjax.plot.simulations import plot_sweep, plot_trajectories

__all__ = [
    "COLOURS",
    "MARKERS",
    "draw",
    "plot_energies",
    "plot_fit",
    "plot_fits",
    "plot_loops",
    "plot_marginal",
    "plot_posterior",
    "plot_sweep",
    "plot_training",
    "plot_traces",
    "plot_trajectories",
]
