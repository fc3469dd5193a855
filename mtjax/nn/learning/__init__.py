"""Training on spikes, conversion, chips with spread, and weights trained together with device parameters."""

from mtjax.nn.learning import joint
from mtjax.nn.learning.chips import ChipAccuracy, Variation, evaluate_chips, over_chips
from mtjax.nn.learning.conversion import Analog, from_sigmoid
from mtjax.nn.learning.joint import FreeDevice
from mtjax.nn.learning.sequences import TrainedOnSequences, evaluate_sequences, train_sequences
from mtjax.nn.learning.training import Accuracy, Trained, Training, evaluate, train

__all__ = [
    "Accuracy",
    "Analog",
    "ChipAccuracy",
    "FreeDevice",
    "Trained",
    "TrainedOnSequences",
    "Training",
    "Variation",
    "evaluate",
    "evaluate_chips",
    "evaluate_sequences",
    "from_sigmoid",
    "joint",
    "over_chips",
    "train",
    "train_sequences",
]
