"""How likely a device switches: by Monte Carlo, by the Fokker-Planck equation, by closed laws of thermal activation."""

from mtjax.switching.automatic import Automatic, engine_for_many
from mtjax.switching.fokker_planck import (
    Density,
    FokkerPlanck,
    Plan,
    Rates,
    Solution,
    Survival,
    evolve,
    least_resolved,
    rates,
    resolving,
    solve,
    survival,
)
from mtjax.switching.hazard import HazardLaw, mean_mz
from mtjax.switching.method import AbstractMethod, Probability
from mtjax.switching.monte_carlo import MonteCarlo, score_gradient
from mtjax.switching.probability import switching_probability
from mtjax.switching.splitting import Splitting
from mtjax.switching.thermal_activation import ThermalActivation

__all__ = [
    "AbstractMethod",
    "Automatic",
    "Density",
    "FokkerPlanck",
    "HazardLaw",
    "MonteCarlo",
    "Plan",
    "Probability",
    "Rates",
    "Solution",
    "Splitting",
    "Survival",
    "ThermalActivation",
    "evolve",
    "engine_for_many",
    "least_resolved",
    "mean_mz",
    "rates",
    "resolving",
    "score_gradient",
    "solve",
    "survival",
    "switching_probability",
]
