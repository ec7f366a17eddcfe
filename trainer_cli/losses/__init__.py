"""Losses, one file each; importing this registers the built-in ones."""

from trainer_cli.losses.categorical_crossentropy import CategoricalCrossentropyV4
from trainer_cli.losses.l2_distance import L2Distance
from trainer_cli.losses.loss import Loss

__all__ = ["CategoricalCrossentropyV4", "L2Distance", "Loss"]
