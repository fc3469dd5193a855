"""How a device moves: the stochastic LLG equation, its solvers and noise, and what is read from trajectories."""

from mtjax.dynamics.ensemble import CHUNK, Passages, Trajectories, final_states, first_passage, simulate
from mtjax.dynamics.film import GrainTrajectories, simulate_grains
from mtjax.dynamics.llg import Dynamics, prepare, rate, thermal
from mtjax.dynamics.noise import StepPath, gaussian, three_point, threefry, uniforms
from mtjax.dynamics.signals import DwellTimes, Sampled, dwell_times, resistance, switched_fraction, write_energy
from mtjax.dynamics.solvers import AbstractSpinSolver, Adaptive, Heun, SplitStep
from mtjax.dynamics.start import StartWell, inverse_temperature
from mtjax.dynamics.steps import TimeGrid, make_grid, settling_time

__all__ = [
    "AbstractSpinSolver",
    "Adaptive",
    "CHUNK",
    "DwellTimes",
    "Dynamics",
    "GrainTrajectories",
    "Heun",
    "Passages",
    "Sampled",
    "SplitStep",
    "StartWell",
    "StepPath",
    "TimeGrid",
    "Trajectories",
    "dwell_times",
    "final_states",
    "first_passage",
    "gaussian",
    "inverse_temperature",
    "make_grid",
    "prepare",
    "rate",
    "resistance",
    "settling_time",
    "simulate",
    "simulate_grains",
    "switched_fraction",
    "thermal",
    "three_point",
    "threefry",
    "uniforms",
    "write_energy",
]
