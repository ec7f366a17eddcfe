"""Losses, one file each; importing this registers the built-in ones."""

from trainer_cli.losses.binary_crossentropy import BinaryCrossentropy
from trainer_cli.losses.categorical_crossentropy import CategoricalCrossentropy
from trainer_cli.losses.categorical_crossentropy_v4 import CategoricalCrossentropyV4
from trainer_cli.losses.cosine_distance import CosineDistance
from trainer_cli.losses.focal import Focal
from trainer_cli.losses.huber import Huber
from trainer_cli.losses.l2_distance import L2Distance
from trainer_cli.losses.loss import Loss
from trainer_cli.losses.mean_squared_error import MeanSquaredError
from trainer_cli.losses.quantile_loss import QuantileLoss
from trainer_cli.losses.sequence_categorical_crossentropy import SequenceCategoricalCrossentropy
from trainer_cli.losses.torch_loss import TorchLoss

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalCrossentropyV4",
    "CosineDistance",
    "Focal",
    "Huber",
    "L2Distance",
    "Loss",
    "MeanSquaredError",
    "QuantileLoss",
    "SequenceCategoricalCrossentropy",
    "TorchLoss",
]
