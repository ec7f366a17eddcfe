"""The built-in layers and combinators, one file each; importing this registers them.

Whose arrays are whose: no forward changes X and no backprop changes dY, since they may be handed to several layers, and
a layer may keep its own outputs for its backprop. What a function made itself it may overwrite until it returns it.
An output may be its input, as in dropout at rate 0.
"""

from trainer_cli.layers.add import add
from trainer_cli.layers.augment import augment
from trainer_cli.layers.avg_pool2d import AvgPool2D
from trainer_cli.layers.batchnorm import BatchNorm
from trainer_cli.layers.chain import chain
from trainer_cli.layers.clipped_linear import ClippedLinear
from trainer_cli.layers.clone import clone
from trainer_cli.layers.concatenate import concatenate
from trainer_cli.layers.conv1d import Conv1D
from trainer_cli.layers.conv2d import Conv2D
from trainer_cli.layers.dish import Dish
from trainer_cli.layers.dropout import Dropout
from trainer_cli.layers.embed import Embed
from trainer_cli.layers.embed_bag import EmbedBag
from trainer_cli.layers.embed_columns import EmbedColumns
from trainer_cli.layers.expand_window import expand_window
from trainer_cli.layers.flatten import Flatten
from trainer_cli.layers.gelu import Gelu
from trainer_cli.layers.global_avg_pool import GlobalAvgPool
from trainer_cli.layers.gru import GRU
from trainer_cli.layers.hard_sigmoid import HardSigmoid
from trainer_cli.layers.hard_swish import HardSwish
from trainer_cli.layers.hard_swish_mobilenet import HardSwishMobilenet
from trainer_cli.layers.hard_tanh import HardTanh
from trainer_cli.layers.hash_embed import HashEmbed
from trainer_cli.layers.image_cnn import image_cnn
from trainer_cli.layers.layernorm import LayerNorm
from trainer_cli.layers.linear import Linear
from trainer_cli.layers.list2ragged import list2ragged, ragged2list
from trainer_cli.layers.lstm import LSTM
from trainer_cli.layers.max_pool2d import MaxPool2D
from trainer_cli.layers.maxout import Maxout
from trainer_cli.layers.mish import Mish
from trainer_cli.layers.mlp import mlp
from trainer_cli.layers.multi_hash_embed import MultiHashEmbed
from trainer_cli.layers.parametric_attention import ParametricAttention
from trainer_cli.layers.reduce_first import reduce_first, reduce_last
from trainer_cli.layers.reduce_max import reduce_max
from trainer_cli.layers.reduce_mean import reduce_mean
from trainer_cli.layers.reduce_sum import reduce_sum
from trainer_cli.layers.relu import Relu
from trainer_cli.layers.relu_activation import relu_activation
from trainer_cli.layers.relu_k import ReluK
from trainer_cli.layers.residual import residual
from trainer_cli.layers.sigmoid import Sigmoid
from trainer_cli.layers.sigmoid_activation import Logistic, sigmoid_activation
from trainer_cli.layers.softmax import Softmax, Softmax_v2
from trainer_cli.layers.softmax_activation import softmax_activation
from trainer_cli.layers.swish import Swish
from trainer_cli.layers.tabular import tabular
from trainer_cli.layers.tagger import tagger
from trainer_cli.layers.tanh import Tanh
from trainer_cli.layers.text_bow import text_bow
from trainer_cli.layers.text_cnn import text_cnn
from trainer_cli.layers.uniqued import uniqued
from trainer_cli.layers.with_padded import with_padded

__all__ = [
    "GRU",
    "LSTM",
    "AvgPool2D",
    "BatchNorm",
    "ClippedLinear",
    "Conv1D",
    "Conv2D",
    "Dish",
    "Dropout",
    "Embed",
    "EmbedBag",
    "EmbedColumns",
    "Flatten",
    "Gelu",
    "GlobalAvgPool",
    "HardSigmoid",
    "HardSwish",
    "HardSwishMobilenet",
    "HardTanh",
    "HashEmbed",
    "LayerNorm",
    "Linear",
    "Logistic",
    "MaxPool2D",
    "Maxout",
    "Mish",
    "MultiHashEmbed",
    "ParametricAttention",
    "Relu",
    "ReluK",
    "Sigmoid",
    "Softmax",
    "Softmax_v2",
    "Swish",
    "Tanh",
    "add",
    "augment",
    "chain",
    "clone",
    "concatenate",
    "expand_window",
    "image_cnn",
    "list2ragged",
    "mlp",
    "ragged2list",
    "reduce_first",
    "reduce_last",
    "reduce_max",
    "reduce_mean",
    "reduce_sum",
    "relu_activation",
    "residual",
    "sigmoid_activation",
    "softmax_activation",
    "tabular",
    "tagger",
    "text_bow",
    "text_cnn",
    "uniqued",
    "with_padded",
]
