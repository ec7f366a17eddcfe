"""The built-in optimizers, one file each; importing this registers them."""

from trainer_cli.optimizers.adam import Adam
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.radam import RAdam
from trainer_cli.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "RAdam"]
