"""Switching without sampling: the density of the magnetisation on the unit sphere, hopping rates, first passage."""

from mtjax.switching.fokker_planck.axial_tail import tail
from mtjax.switching.fokker_planck.chebyshev import ellipse, exponential
from mtjax.switching.fokker_planck.concrete import known
from mtjax.switching.fokker_planck.density import Density, start_density
from mtjax.switching.fokker_planck.drift import flow_of
from mtjax.switching.fokker_planck.first_passage import Survival, survival
from mtjax.switching.fokker_planck.generator import Flow, Stencil, stencil
from mtjax.switching.fokker_planck.hopping import Rates, rates
from mtjax.switching.fokker_planck.method import FokkerPlanck, Solution, evolve, seconds, solve
from mtjax.switching.fokker_planck.plan import Plan
from mtjax.switching.fokker_planck.shared_plan import least_resolved, resolving
from mtjax.switching.fokker_planck.slow_modes import exchange

__all__ = [
    "Density",
    "Flow",
    "FokkerPlanck",
    "Plan",
    "Rates",
    "Solution",
    "Stencil",
    "Survival",
    "ellipse",
    "evolve",
    "exchange",
    "exponential",
    "flow_of",
    "known",
    "least_resolved",
    "rates",
    "resolving",
    "seconds",
    "solve",
    "start_density",
    "stencil",
    "survival",
    "tail",
]
