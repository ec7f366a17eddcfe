"""The public names: `from trainer_cli.api import Adam, Config, registry, ...`."""

from trainer_cli.arrays import Batch, Ragged
from trainer_cli.config.config import Config
from trainer_cli.config.registry import registry
from trainer_cli.data.block import Block
from trainer_cli.errors import ConfigError, DataError, DivergedError, TrainerError
from trainer_cli.initializers import (
    Initializer,
    glorot_normal_init,
    glorot_uniform_init,
    he_normal_init,
    he_uniform_init,
    lecun_normal_init,
    lecun_uniform_init,
    normal_init,
    uniform_init,
    zero_init,
)
from trainer_cli.layers import (
    Dropout,
    Flatten,
    Gelu,
    LayerNorm,
    Linear,
    Maxout,
    Relu,
    Sigmoid,
    Softmax,
    Swish,
    Tanh,
    add,
    chain,
    clone,
    concatenate,
    residual,
)
from trainer_cli.loggers import Logger
from trainer_cli.losses import L2Distance, Loss
from trainer_cli.metrics import Tally
from trainer_cli.model import Backprop, Model
from trainer_cli.ops import Ops, get_ops
from trainer_cli.optimizers import SGD, Adam, Optimizer, RAdam
from trainer_cli.schedules import (
    Schedule,
    compounding,
    constant,
    constant_then,
    cyclic_triangular,
    decaying,
    slanted_triangular,
    warmup_linear,
)

__all__ = [
    "SGD",
    "Adam",
    "Backprop",
    "Batch",
    "Block",
    "Config",
    "ConfigError",
    "DataError",
    "DivergedError",
    "Dropout",
    "Flatten",
    "Gelu",
    "Initializer",
    "L2Distance",
    "LayerNorm",
    "Linear",
    "Logger",
    "Loss",
    "Maxout",
    "Model",
    "Ops",
    "Optimizer",
    "RAdam",
    "Ragged",
    "Relu",
    "Schedule",
    "Sigmoid",
    "Softmax",
    "Swish",
    "Tally",
    "Tanh",
    "TrainerError",
    "add",
    "chain",
    "clone",
    "compounding",
    "concatenate",
    "constant",
    "constant_then",
    "cyclic_triangular",
    "decaying",
    "get_ops",
    "glorot_normal_init",
    "glorot_uniform_init",
    "he_normal_init",
    "he_uniform_init",
    "lecun_normal_init",
    "lecun_uniform_init",
    "normal_init",
    "registry",
    "residual",
    "slanted_triangular",
    "uniform_init",
    "warmup_linear",
    "zero_init",
]
