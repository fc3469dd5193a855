"""How a device moves: the stochastic LLG equation, its solvers and noise, and what is read from trajectories."""

from mtjax.dynamics.ensemble import CHUNK, Passages, Trajectories, first_passage, simulate
from mtjax.dynamics.film import GrainTrajectories, simulate_grains
from mtjax.dynamics.llg import Dynamics, Instant, StackDynamics, prepare, rate, thermal, widened
from mtjax.dynamics.noise import LayeredPath, StepPath, gaussian, three_point, threefry, uniforms
from mtjax.dynamics.outcomes import BLOCK, SAMPLING, Ensemble, Outcomes, in_single, measured_step
from mtjax.dynamics.signals import DwellTimes, Sampled, dwell_times, resistance, switched_fraction, write_energy
from mtjax.dynamics.solvers import AbstractSpinSolver, Adaptive, Heun, SplitStep, cayley, merson, merson_in_turn, split_step
from mtjax.dynamics.stack_start import StackWell, well_of
from mtjax.dynamics.start import StartWell, inverse_temperature
from mtjax.dynamics.steps import TimeGrid, default_step, make_grid, read_time, settling_time

__all__ = [
    "AbstractSpinSolver",
    "Adaptive",
    "BLOCK",
    "CHUNK",
    "DwellTimes",
    "Dynamics",
    "Ensemble",
    "GrainTrajectories",
    "Heun",
    "Instant",
    "LayeredPath",
    "Outcomes",
    "Passages",
    "SAMPLING",
    "Sampled",
    "SplitStep",
    "StackDynamics",
    "StackWell",
    "StartWell",
    "StepPath",
    "TimeGrid",
    "Trajectories",
    "cayley",
    "default_step",
    "dwell_times",
    "first_passage",
    "gaussian",
    "in_single",
    "inverse_temperature",
    "make_grid",
    "measured_step",
    "merson",
    "merson_in_turn",
    "prepare",
    "rate",
    "read_time",
    "resistance",
    "settling_time",
    "simulate",
    "simulate_grains",
    "split_step",
    "switched_fraction",
    "thermal",
    "widened",
    "three_point",
    "threefry",
    "uniforms",
    "well_of",
    "write_energy",
]
