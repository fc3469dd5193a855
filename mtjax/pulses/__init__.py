"""Currents, voltages and fields as functions of time: waveforms that add, scale and shift, and sequences of them.

Differentiable in every number.
"""

from mtjax.pulses.excitation import Applied, Excitation, excited, extremes, is_nothing
from mtjax.pulses.sequences import loop, opposite_pair, pair
from mtjax.pulses.waveform import AbstractPulse, Scaled, Shifted, Sum, integral, joule, require_current, require_single
from mtjax.pulses.waveforms import PiecewiseLinear, Pulse, Sine, Steps, Train, off

__all__ = [
    "AbstractPulse",
    "Excitation",
    "Applied",
    "PiecewiseLinear",
    "Pulse",
    "Scaled",
    "Shifted",
    "Sine",
    "Steps",
    "Sum",
    "Train",
    "excited",
    "extremes",
    "integral",
    "is_nothing",
    "joule",
    "loop",
    "off",
    "opposite_pair",
    "pair",
    "require_current",
    "require_single",
]
