"""Pictures of fits, simulations and networks; needs matplotlib (the extra `plot`)."""

from mtjax.plot.fits import COLOURS, MARKERS, plot_fit, plot_fits, plot_marginal, plot_posterior
from mtjax.plot.networks import plot_energies, plot_training
from mtjax.plot.simulations import plot_sweep, plot_trajectories

__all__ = [
    "COLOURS",
    "MARKERS",
    "plot_energies",
    "plot_fit",
    "plot_fits",
    "plot_marginal",
    "plot_posterior",
    "plot_sweep",
    "plot_training",
    "plot_trajectories",
]
