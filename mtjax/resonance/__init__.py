"""Small motions around rest: modes, ferromagnetic resonance, spin diode, harmonic Hall, thermal noise, by linear response."""

from mtjax.resonance.diode import SpinDiode, spin_diode
from mtjax.resonance.eigenmodes import Resonances, modes
from mtjax.resonance.hall import HarmonicHall, harmonic_hall
from mtjax.resonance.linear import AtRest, at_rest
from mtjax.resonance.spectra import absorption, noise_spectrum

__all__ = [
    "AtRest",
    "HarmonicHall",
    "Resonances",
    "SpinDiode",
    "absorption",
    "at_rest",
    "harmonic_hall",
    "modes",
    "noise_spectrum",
    "spin_diode",
]
