"""Joules of an inference: of junctions and crossbars, and of a 45 nm CMOS design beside them."""

from mtjax.nn.energy.cmos import Cmos, CmosEnergy
from mtjax.nn.energy.cost import AbstractCost
from mtjax.nn.energy.junctions import Energy, Hardware, mean_over, penalty
from mtjax.nn.energy.sequences import sequence_energy

__all__ = ["AbstractCost", "Cmos", "CmosEnergy", "Energy", "Hardware", "mean_over", "penalty", "sequence_energy"]
