"""Fits to switching loops and to telegraph noise."""

from mtjax.fitting.signals.intervals import ActivatedThresholds, ShiftedLoops, fit_loop_shift, fit_thresholds, log_interval
from mtjax.fitting.signals.loop_files import read_loops
from mtjax.fitting.signals.loops import Loop, cycles
from mtjax.fitting.signals.one_barrier import OneBarrier
from mtjax.fitting.signals.stays import Dwell, Stays
from mtjax.fitting.signals.switching_loops import LoopFigures, Thresholds, characterise, thresholds
from mtjax.fitting.signals.synthetic_traces import synthetic_trace
from mtjax.fitting.signals.telegraph import BiasedDwell, Telegraph, fit_telegraph
from mtjax.fitting.signals.trace_files import Trace, read_traces
from mtjax.fitting.signals.traces import TraceFit, fit_trace, read_stays

__all__ = [
    "ActivatedThresholds",
    "BiasedDwell",
    "Dwell",
    "Loop",
    "LoopFigures",
    "OneBarrier",
    "ShiftedLoops",
    "Stays",
    "Telegraph",
    "Thresholds",
    "Trace",
    "TraceFit",
    "characterise",
    "cycles",
    "fit_loop_shift",
    "fit_telegraph",
    "fit_thresholds",
    "fit_trace",
    "log_interval",
    "read_loops",
    "read_stays",
    "read_traces",
    "synthetic_trace",
    "thresholds",
]
