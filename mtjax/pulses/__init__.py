"""Currents as functions of time: waveforms that add, scale and shift, and sequences of them. Differentiable in every number."""

from mtjax.pulses.sequences import loop, opposite_pair, pair
from mtjax.pulses.waveform import AbstractPulse, Scaled, Shifted, Sum, integral, joule
from mtjax.pulses.waveforms import PiecewiseLinear, Pulse, Sine, Steps, Train, off

__all__ = [
    "AbstractPulse",
    "PiecewiseLinear",
    "Pulse",
    "Scaled",
    "Shifted",
    "Sine",
    "Steps",
    "Sum",
    "Train",
    "integral",
    "joule",
    "loop",
    "off",
    "opposite_pair",
    "pair",
]
