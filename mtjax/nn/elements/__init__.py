"""Neurons and synapses made of devices, and crossbars of them."""

from mtjax.nn.elements.convolution import convolve
from mtjax.nn.elements.crossbar import Crossbar, through_wires
from mtjax.nn.elements.heated import HeatedNeuron, OnOxide, Warmth
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
    "HeatedNeuron",
    "IntegratingNeuron",
    "Learnt",
    "OnOxide",
    "PlasticSynapses",
    "Pooled",
    "TrajectorySampler",
    "Values",
    "Warmth",
    "convolve",
    "learn",
    "through_wires",
]
