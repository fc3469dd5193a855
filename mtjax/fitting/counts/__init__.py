"""Fits of a device to switching counts, and which settings to measure next."""

from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.designs import Design, candidates, design, measured_with
from mtjax.fitting.counts.device_fit import Fit, fit, refuse_noise
from mtjax.fitting.counts.lapses import AbstractLapse, BackHopping, Misread
from mtjax.fitting.counts.least_deviance import Problem, minimise
from mtjax.fitting.counts.synthetic import measured

__all__ = [
    "AbstractLapse",
    "BackHopping",
    "Design",
    "Fit",
    "Misread",
    "Problem",
    "SwitchingData",
    "candidates",
    "design",
    "fit",
    "measured",
    "measured_with",
    "minimise",
    "refuse_noise",
]
