"""Networks that use time: sequences and their spikes, recurrent layers that run by a scan, readouts."""

from mtjax.nn.sequences.data import Sequences, load_sequences
from mtjax.nn.sequences.encoders import delta_spikes, latency_spikes, rate_spikes
from mtjax.nn.sequences.network import RecurrentLayer, SequenceActivity, SequenceNetwork, recurrent
from mtjax.nn.sequences.readout import SequenceReadout

__all__ = [
    "RecurrentLayer",
    "SequenceActivity",
    "SequenceNetwork",
    "SequenceReadout",
    "Sequences",
    "delta_spikes",
    "latency_spikes",
    "load_sequences",
    "rate_spikes",
    "recurrent",
]
