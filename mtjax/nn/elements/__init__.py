"""Neurons and synapses made of devices, and crossbars of them."""

from mtjax.nn.elements.convolution import convolve
from mtjax.nn.elements.crossbar import Crossbar, through_wires
from mtjax.nn.elements.neurons import (
    AbstractNeuron,
    ClockedNeuron,
    Fired,
    FreeRunningNeuron,
    IntegratingNeuron,
    TrajectorySampler,
)
from mtjax.nn.elements.plastic import Learnt, PlasticSynapses, learn
from mtjax.nn.elements.synapses import AbstractSynapse, Conv, Dense, Pooled, Values

__all__ = [
    "AbstractNeuron",
    "AbstractSynapse",
    "ClockedNeuron",
    "Conv",
    "Crossbar",
    "Dense",
    "Fired",
    "FreeRunningNeuron",
    "IntegratingNeuron",
    "Learnt",
    "PlasticSynapses",
    "Pooled",
    "TrajectorySampler",
    "Values",
    "convolve",
    "learn",
    "through_wires",
]
