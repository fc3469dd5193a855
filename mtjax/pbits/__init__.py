"""Networks of p-bits: free-running junctions whose rates come from a device, coupled through currents."""

from mtjax.pbits.free import Flips, sample
from mtjax.pbits.gibbs import blocks_of, clocked
from mtjax.pbits.laws import AbstractFlipLaw, JunctionLaw, TanhLaw
from mtjax.pbits.logic import Gates, Wires, multiplier
from mtjax.pbits.network import PbitNetwork as Network, Spreads, states, total_variation

__all__ = [
    "AbstractFlipLaw",
    "Flips",
    "Gates",
    "JunctionLaw",
    "Network",
    "Spreads",
    "TanhLaw",
    "Wires",
    "blocks_of",
    "clocked",
    "multiplier",
    "sample",
    "states",
    "total_variation",
]
