"""Training on spikes, conversion, chips with spread, and weights trained together with device parameters."""

from mtjax.nn.learning import joint
from mtjax.nn.learning.chips import ChipAccuracy, Variation, evaluate_chips, over_chips
from mtjax.nn.learning.conversion import Analog, from_sigmoid
from mtjax.nn.learning.joint import FreeDevice
from mtjax.nn.learning.training import Accuracy, Trained, Training, evaluate, train

__all__ = [
    "Accuracy",
    "Analog",
    "ChipAccuracy",
    "FreeDevice",
    "Trained",
    "Training",
    "Variation",
    "evaluate",
    "evaluate_chips",
    "from_sigmoid",
    "joint",
    "over_chips",
    "train",
]
