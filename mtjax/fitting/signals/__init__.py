"""Fits to switching loops and to telegraph noise."""

from mtjax.fitting.signals.intervals import ActivatedThresholds, ShiftedLoops, fit_loop_shift, fit_thresholds, log_interval
from mtjax.fitting.signals.loops import Loop, Thresholds, read_loops, thresholds
from mtjax.fitting.signals.telegraph import Stays, Telegraph, fit_telegraph, read_stays, synthetic_trace

__all__ = [
    "ActivatedThresholds",
    "Loop",
    "ShiftedLoops",
    "Stays",
    "Telegraph",
    "Thresholds",
    "fit_loop_shift",
    "fit_telegraph",
    "fit_thresholds",
    "log_interval",
    "read_loops",
    "read_stays",
    "synthetic_trace",
    "thresholds",
]
