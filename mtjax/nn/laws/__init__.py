"""Switching laws as transfer curves of neurons: distilled, measured, of thermal activation, and of a family of junctions."""

from mtjax.nn.laws.distilled import distil
from mtjax.nn.laws.family import PerpendicularLaw, perpendicular_law, sengupta2016_law
from mtjax.nn.laws.heated import HeatedLaw, distil_heated, kurenkov2019_law
from mtjax.nn.laws.law import AbstractLaw, ChebyshevLaw, MeasuredLaw, NeelBrownLaw

__all__ = [
    "AbstractLaw",
    "ChebyshevLaw",
    "HeatedLaw",
    "MeasuredLaw",
    "NeelBrownLaw",
    "PerpendicularLaw",
    "distil",
    "distil_heated",
    "kurenkov2019_law",
    "perpendicular_law",
    "sengupta2016_law",
]
