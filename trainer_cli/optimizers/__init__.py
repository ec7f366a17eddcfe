"""The built-in optimizers, one file each; importing this registers them."""

from trainer_cli.optimizers.adagrad import Adagrad
from trainer_cli.optimizers.adam import Adam
from trainer_cli.optimizers.adamw import AdamW
from trainer_cli.optimizers.lion import Lion
from trainer_cli.optimizers.muon import Muon
from trainer_cli.optimizers.optax_optimizer import OptaxOptimizer
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.optimizers.radam import RAdam
from trainer_cli.optimizers.rmsprop import RMSprop
from trainer_cli.optimizers.sgd import SGD
from trainer_cli.optimizers.torch_optimizer import TorchOptimizer

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "Muon",
    "OptaxOptimizer",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "TorchOptimizer",
]
