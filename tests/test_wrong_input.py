"""What every public constructor and call says to a wrong input: at least one a name, the message matched."""

import re

import numpy as np
import pytest

from trainer_cli import api
from trainer_cli.api import (
    GRU,
    LSTM,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AvgPool2D,
    Batch,
    BatchNorm,
    BinaryCrossentropy,
    Block,
    CategoricalCrossentropy,
    CategoricalCrossentropyV4,
    ClippedLinear,
    Config,
    Conv1D,
    Conv2D,
    CosineDistance,
    Dish,
    Dropout,
    Embed,
    EmbedBag,
    EmbedColumns,
    Flatten,
    Focal,
    Gelu,
    GlobalAvgPool,
    HardSigmoid,
    HardSwish,
    HardSwishMobilenet,
    HardTanh,
    HashEmbed,
    Huber,
    L2Distance,
    LayerNorm,
    Linear,
    Lion,
    Logistic,
    Maxout,
    MaxPool2D,
    MeanSquaredError,
    Mish,
    Model,
    MultiHashEmbed,
    Muon,
    Optimizer,
    ParametricAttention,
    QuantileLoss,
    RAdam,
    Ragged,
    Relu,
    ReluK,
    RMSprop,
    Schedule,
    SequenceCategoricalCrossentropy,
    Sigmoid,
    Softmax,
    Softmax_v2,
    Swish,
    Tanh,
    TrainerError,
    add,
    augment,
    chain,
    clone,
    compounding,
    concatenate,
    constant,
    constant_then,
    cosine,
    cyclic_triangular,
    decaying,
    equinox_pair,
    expand_window,
    fan_in_uniform_init,
    flax_pair,
    get_ops,
    glorot_normal_init,
    glorot_uniform_init,
    he_normal_init,
    he_uniform_init,
    image_cnn,
    lecun_normal_init,
    lecun_uniform_init,
    list2ragged,
    mlp,
    normal_init,
    one_cycle,
    piecewise,
    plateau,
    polynomial,
    ragged2list,
    reduce_first,
    reduce_last,
    reduce_max,
    reduce_mean,
    reduce_sum,
    registry,
    relu_activation,
    residual,
    sigmoid_activation,
    slanted_triangular,
    softmax_activation,
    tabular,
    tagger,
    text_bow,
    text_cnn,
    uniform_init,
    uniqued,
    warmup_linear,
    warmup_stable_decay,
    with_padded,
    zero_init,
)

NAN = float("nan")
X = np.ones((4, 3), np.float32)
Y = np.array([0, 1, 2, 1])
IDS = np.array([0, 3, 1, 3])
KEYS = np.stack([IDS, IDS], axis=1)
BAGS, SEQUENCES = Ragged(IDS, np.array([1, 3])), Ragged(X, np.array([1, 3]))
THIRDS = np.full((4, 3), 1 / 3, np.float32)
ops = get_ops("numpy")


def linear():
    return Linear(3, 3).initialize(X)


def one(rate="rate"):
    """A parameter of three numbers, for an optimizer of its own."""
    return (1, "W"), np.ones(3, np.float32), np.ones(3, np.float32)


def run_generator():
    """A user's generator that goes wrong at its third value."""

    def falling():
        yield 1.0
        yield 0.5
        yield "fast"

    rates = SGD(falling())
    rates.step_schedules()
    rates.step_schedules()
    return rates.learn_rate


def batches(size, *sequences, **settings):
    return list(ops.multibatch(size, *sequences, **settings))


CASES = {
    # Optimizers
    "SGD": [(lambda: SGD(-0.1), "learn_rate must be a finite number of at least 0, got -0.1")],
    "Adagrad": [
        (lambda: Adagrad(NAN), "learn_rate: expected a finite number, a list of numbers or a schedule, got nan")
    ],
    "Adam": [
        (lambda: Adam(0.1, beta1=-0.1), "beta1 must be a finite number of at least 0, got -0.1"),
        (lambda: Adam(0.1, beta2=1.0), "beta2 must be below 1, got 1"),
        (lambda: Adam("fast"), "learn_rate: expected a finite number, a list of numbers or a schedule, got 'fast'"),
        (lambda: Adam([0.1, NAN]).step_schedules(), r"must give finite numbers, got nan at step 1"),
    ],
    "AdamW": [(lambda: AdamW(0.1, weight_decay=-1), "weight_decay must be a finite number of at least 0, got -1")],
    "Lion": [(lambda: Lion(0.1, beta1=-1), "beta1 must be a finite number of at least 0, got -1")],
    "Muon": [(lambda: Muon(-1), "learn_rate must be a finite number of at least 0, got -1")],
    "Optimizer": [
        (lambda: Optimizer(0.1, eps=-1), "eps must be a finite number of at least 0, got -1"),
        (lambda: Optimizer(0.1)((1, "W"), X[0], X), r"weights (3,) and gradient (4, 3) must have one shape"),
        (lambda: Optimizer(0.1)(*one()[:2], np.full(3, NAN, np.float32)), 'the gradient of [1, "W"] is not finite'),
        (lambda: Optimizer(0.1).from_bytes(b"no state"), "safetensors: a header of "),
    ],
    "RAdam": [(lambda: RAdam(0.1, grad_clip=-1), "grad_clip must be a finite number of at least 0, got -1")],
    "RMSprop": [(lambda: RMSprop(-0.1), "learn_rate must be a finite number of at least 0, got -0.1")],
    # Losses
    "BinaryCrossentropy": [
        (lambda: BinaryCrossentropy()(X, X[:2]), "truths must have the guesses' shape (4, 3), got shape (2, 3)"),
        (lambda: BinaryCrossentropy()(X, 2 * X), "truths must lie in [0, 1], got values from 2.0 to 2.0"),
    ],
    "CategoricalCrossentropy": [
        (lambda: CategoricalCrossentropy()(THIRDS, Y + 1), "class numbers go from 0 to 2, got 3 in row 2"),
        (
            lambda: CategoricalCrossentropy(names=["a", "b", "c"])(THIRDS, ["a", "b", "c", "d"]),
            "'d' is not among the names",
        ),
        (
            lambda: CategoricalCrossentropy()(THIRDS, Y[:2]),
            "truths must be 4 class numbers or have the guesses' shape (4, 3)",
        ),
        (lambda: CategoricalCrossentropy(label_smoothing=2), "label_smoothing must be at least 0 and below 1, got 2"),
        (lambda: CategoricalCrossentropy()(THIRDS, ["a"] * 4), "names"),
    ],
    "CategoricalCrossentropyV4": [
        (
            lambda: CategoricalCrossentropyV4()(THIRDS[:2], Y),
            "truths must be 2 class numbers or have the guesses' shape (2, 3)",
        ),
        (
            lambda: CategoricalCrossentropyV4()(THIRDS[:0], Y[:0]),
            "guesses must be (rows, columns) with at least one of each",
        ),
        (lambda: CategoricalCrossentropyV4(class_weights=[-1.0, 1, 1]), "class_weights"),
    ],
    "CosineDistance": [
        (lambda: CosineDistance()(X, X[:2]), "truths must have the guesses' shape (4, 3), got shape (2, 3)")
    ],
    "Focal": [(lambda: Focal(gamma=-1), "gamma must be a finite number of at least 0, got -1")],
    "Huber": [(lambda: Huber(delta=0), "delta must be a finite number above 0, got 0")],
    "L2Distance": [(lambda: L2Distance()(X, X[:, :2]), "truths must have the guesses' shape (4, 3), got shape (4, 2)")],
    "MeanSquaredError": [(lambda: MeanSquaredError()(X, X[:2]), "truths must have the guesses' shape (4, 3)")],
    "QuantileLoss": [(lambda: QuantileLoss(quantile=1.5), "quantile must lie between 0 and 1, got 1.5")],
    "SequenceCategoricalCrossentropy": [
        (lambda: SequenceCategoricalCrossentropy()([THIRDS], [Y[:2]]), "sequence 0: "),
        (lambda: SequenceCategoricalCrossentropy()([THIRDS] * 2, [Y]), "got 2 sequences of guesses and 1 of truths"),
        (lambda: SequenceCategoricalCrossentropy(neg_prefix=3), "neg_prefix"),
    ],
    # Schedules
    "Schedule": [
        (lambda: Schedule("x", "x"), "a schedule is a function of the step, got 'x'"),
        (lambda: constant(0.1)(-1), "a step is counted from 0, got -1"),
        (lambda: constant(0.1)(0.5), "a step is a whole number, got 0.5"),
        (run_generator, r"falling() must give finite numbers, got 'fast' at step 2"),
    ],
    "compounding": [(lambda: compounding(1, 16, 0.5), "compound 0.5 leads away from stop 16 when start is 1")],
    "constant": [(lambda: constant("x"), "rate must be a finite number, got 'x'")],
    "constant_then": [(lambda: constant_then(0.1, -1, [1]), "steps must be at least 0, got -1")],
    "cosine": [(lambda: cosine(0.1, -1), "total_steps must be at least 0, got -1")],
    "cyclic_triangular": [(lambda: cyclic_triangular(0.1, 0.2, 0), "period must be at least 1, got 0")],
    "decaying": [(lambda: decaying(0.1, NAN), "decay must be a finite number, got nan")],
    "one_cycle": [(lambda: one_cycle(0.1, -1), "total_steps must be at least 0, got -1")],
    "piecewise": [
        (lambda: piecewise([1], [1]), "there must be one rate more than boundaries, got 1 rates and 1 boundaries")
    ],
    "plateau": [(lambda: plateau(0.1, factor=2), "factor must lie between 0 and 1, got 2")],
    "polynomial": [(lambda: polynomial(0.1, 10, power=0), "power must be above 0, got 0")],
    "slanted_triangular": [(lambda: slanted_triangular(0.1, 0), "cut_frac must lie between 0 and 1 and num_steps")],
    "warmup_linear": [(lambda: warmup_linear(0.1, 20, 10), "warmup_steps must be at most total_steps, got 20 and 10")],
    "warmup_stable_decay": [
        (lambda: warmup_stable_decay(0.1, 20, 10, 3), "together must be at most total_steps, got 20 + 10")
    ],
    # Initializers
    "fan_in_uniform_init": [
        (lambda: fan_in_uniform_init(ops, (3,)), "a shape must be (nO, nI, ...), got (3,)"),
        (lambda: fan_in_uniform_init(ops, [3], n_inputs=3), "a shape is a tuple of sizes that are at least 0"),
    ],
    "glorot_normal_init": [(lambda: glorot_normal_init(ops, (3,)), "a shape must be (nO, nI, ...), got (3,)")],
    "glorot_uniform_init": [(lambda: glorot_uniform_init(ops, (3, -1)), "sizes that are at least 0, got (3, -1)")],
    "he_normal_init": [(lambda: he_normal_init(ops, ()), "a shape must be (nO, nI, ...), got ()")],
    "he_uniform_init": [
        (lambda: he_uniform_init(ops, "33"), "a shape is a tuple of sizes that are at least 0, got '33'")
    ],
    "lecun_normal_init": [
        (lambda: lecun_normal_init(ops, (3, 2.5)), "a shape is a tuple of sizes that are at least 0")
    ],
    "lecun_uniform_init": [
        (lambda: lecun_uniform_init(ops, [3, 3]), "a shape is a tuple of sizes that are at least 0")
    ],
    "normal_init": [
        (lambda: normal_init(ops, (3, -1)), "sizes that are at least 0, got (3, -1)"),
        (lambda: normal_init(mean=-1.0), "mean (the standard deviation) must be at least 0 and finite, got -1.0"),
        (lambda: normal_init(mean="wide"), "must be at least 0 and finite, got wide"),
    ],
    "uniform_init": [
        (lambda: uniform_init(lo=2, hi=1), "lo must be at most hi and both finite, got 2 and 1"),
        (lambda: uniform_init(ops, (-3,), hi=1), "sizes that are at least 0, got (-3,)"),
    ],
    "zero_init": [(lambda: zero_init(ops, 3), "a shape is a tuple of sizes that are at least 0, got 3")],
    # Batching
    "SizedGenerator": [
        (lambda: batches(0.5, [1, 2]), "a batch has at least one row, got a size of 0.5 at step 0"),
        (lambda: batches("x", [1, 2]), "expected a finite number, a list of numbers or a schedule, got 'x'"),
        (lambda: batches(2, 3), "batches are cut from a list, an array or another sequence of rows, got 3"),
        (lambda: batches(2, [1, 2], [1]), "must have as many rows each, got 2 and 1"),
        (lambda: batches(2, [1], buffer=-1), "buffer is a number of batches, at least 1, got -1"),
        (lambda: batches([2, "a"], [1, 2, 3]), "must give finite numbers, got 'a' at step 1"),
        (lambda: batches(1, iter("ab"), shuffle=True), "shuffle"),
        (
            lambda: batches(X, 8),
            "size, which comes first: expected a finite number, a list of numbers",
        ),
        (lambda: batches(2, [1, 2], shuffle="yes"), "shuffle must be True or False, got 'yes'"),
        (lambda: batches(2, {1: 2}), "batches are cut from sequences of rows, got int"),
    ],
    # Layers
    "ClippedLinear": [(lambda: ClippedLinear(slope=0), "slope must not be 0: every output would be the same")],
    "Dish": [(lambda: Dish(0), "nO must be a whole number of at least 1, got 0")],
    "Dropout": [(lambda: Dropout(1.5), "dropout must be at least 0 and below 1, got 1.5")],
    "BatchNorm": [(lambda: BatchNorm(momentum=1.0), "momentum must be at least 0 and below 1, got 1.0")],
    "AvgPool2D": [(lambda: AvgPool2D(0), "size must be a whole number of at least 1, got 0")],
    "Conv1D": [(lambda: Conv1D(3, kernel_size=0), "kernel_size must be a whole number of at least 1, got 0")],
    "Conv2D": [(lambda: Conv2D(3).initialize(X), "takes images (B, H, W, C), got rows (B, 3)")],
    "GlobalAvgPool": [(lambda: GlobalAvgPool().initialize(X), "takes images or sequences (B, ..., C), got rows")],
    "MaxPool2D": [(lambda: MaxPool2D(stride=0), "stride must be a whole number of at least 1, got 0")],
    "augment": [(lambda: augment(), "changes nothing")],
    "Embed": [
        (
            lambda: Embed(3).initialize(X),
            "embed: Embed.v1 takes ids (whole numbers), an array or ragged, got",
        ),
        (
            lambda: Embed(3).initialize(KEYS),
            "embed: Embed.v1 has no column, got rows (B, 2) of int64: set column",
        ),
        (lambda: Embed(3, 2).initialize(IDS), "embed: Embed.v1 has nV = 2 rows, got ids from 0 to 3"),
        (lambda: Embed(3, column=-1), "Embed.v1: column must be a whole number from 0 on, got -1"),
        (lambda: Embed().initialize(IDS), "embed: nO is not given and cannot be inferred here: set nO"),
    ],
    "HashEmbed": [
        (lambda: HashEmbed(3, 0), "HashEmbed.v1: nV must be a whole number of at least 1, got 0"),
        (lambda: HashEmbed(3, seed=-1), "HashEmbed.v1: seed must be a whole number of at least 0, got -1"),
        (
            lambda: HashEmbed(3, column=2).initialize(KEYS),
            "HashEmbed.v1 has column = 2, got rows (B, 2) of int64",
        ),
    ],
    "EmbedBag": [
        (lambda: EmbedBag(3, mode="max"), 'EmbedBag.v1: mode must be "sum" or "mean", got \'max\''),
        (
            lambda: EmbedBag(3).initialize(X),
            "EmbedBag.v1 takes ragged ids, or these and their weights, as text.v1",
        ),
        (lambda: EmbedBag(3, 2).initialize(BAGS), "EmbedBag.v1 has nV = 2 rows, got ids from 0 to 3"),
    ],
    "MultiHashEmbed": [
        (lambda: MultiHashEmbed(rows=[]), "MultiHashEmbed.v1: rows must be a list of table sizes, got []"),
        (
            lambda: MultiHashEmbed(4, [5] * 3).initialize(KEYS),
            "rows has a size for each column of ids, 3 of them, got rows (B, 2) of int64",
        ),
        (
            lambda: MultiHashEmbed(4, [5]).initialize(KEYS),
            "rows has a size for each column of ids, 1 of them, got rows (B, 2) of int64",
        ),
    ],
    "uniqued": [(lambda: uniqued(linear()).initialize(X), "uniqued.v1 takes ids (whole numbers), got rows (B, 3)")],
    "expand_window": [
        (lambda: expand_window(0), "expand_window.v1: window_size must be a whole number of at least 1, got 0"),
        (lambda: expand_window().initialize(X), "expand_window.v1 takes ragged rows (sum, n), got rows (B, 3)"),
        (lambda: expand_window().initialize(BAGS), "got ragged ids. Put Embed.v1 before it"),
    ],
    "list2ragged": [
        (lambda: list2ragged().initialize(X), "list2ragged.v1 takes a list of arrays (T, n), got rows (B, 3)"),
        (
            lambda: list2ragged().initialize([X, X[:, :2]]),
            "takes arrays of one width, got rows of [(2,), (3,)]",
        ),
    ],
    "ragged2list": [(lambda: ragged2list().initialize(X), "ragged2list.v1 takes ragged rows, got rows (B, 3)")],
    "with_padded": [
        (lambda: with_padded(3), "with_padded: takes layers, got int"),
        (
            lambda: with_padded(Flatten()).initialize(SEQUENCES).predict(SEQUENCES),
            "its layer must give (B, T, n), of the same B and T, it gives rows (B, 9)",
        ),
    ],
    "reduce_sum": [(lambda: reduce_sum().initialize(X), "reduce_sum.v1 takes ragged rows (sum, n), got rows (B, 3)")],
    "reduce_mean": [(lambda: reduce_mean().initialize(X), "reduce_mean.v1 takes ragged rows (sum, n), got rows")],
    "reduce_max": [(lambda: reduce_max().initialize(X), "reduce_max.v1 takes ragged rows (sum, n), got rows (B, 3)")],
    "reduce_first": [(lambda: reduce_first().initialize(X), "reduce_first.v1 takes ragged rows (sum, n), got")],
    "reduce_last": [(lambda: reduce_last().initialize(BAGS), "takes ragged rows (sum, n), got ragged ids")],
    "ParametricAttention": [
        (
            lambda: ParametricAttention(2).initialize(SEQUENCES),
            "ParametricAttention.v1 has nI = 2, got ragged",
        )
    ],
    "LSTM": [
        (lambda: LSTM(3, bi=True), "LSTM.v1: nO must be even for two directions, got 3"),
        (lambda: LSTM(2, depth=0), "LSTM.v1: depth must be a whole number of at least 1, got 0"),
        (lambda: LSTM(2, 4).initialize(SEQUENCES), "layer1: LSTM.v1 has nI = 4, got ragged rows (B, 3)"),
    ],
    "GRU": [
        (lambda: GRU(2, bi="yes"), "GRU.v1: bi must be true or false, got 'yes'"),
        (lambda: GRU(2).initialize(X), "layer1: GRU.v1 takes ragged rows (sum, n), got rows (B, 3)"),
    ],
    "text_bow": [
        (lambda: text_bow("logits"), 'text_bow.v1: output must be "softmax" or "linear", got \'logits\''),
        (lambda: text_bow(hidden=-1), "text_bow.v1: hidden must be a whole number of at least 1, got -1"),
        (lambda: text_bow().initialize(X, Y), "words: EmbedBag.v1 takes ragged ids"),
    ],
    "text_cnn": [
        (lambda: text_cnn(windows=[]), "text_cnn.v1: windows must be different numbers of words, got []"),
        (lambda: text_cnn("x"), 'text_cnn.v1: output must be "softmax" or "linear", got \'x\''),
    ],
    "tagger": [(lambda: tagger(depth=0), "tagger.v1: depth must be a whole number of at least 1, got 0")],
    "image_cnn": [(lambda: image_cnn(depth=0), "depth must be a whole number of at least 1, got 0")],
    "relu_activation": [(lambda: relu_activation().predict([1]), "takes an array of floats, got a list")],
    "EmbedColumns": [
        (lambda: EmbedColumns(0), "EmbedColumns.v1: width must be a whole number of at least 1, got 0"),
        (lambda: EmbedColumns().initialize(), "EmbedColumns.v1 needs a sample of its input"),
        (
            lambda: EmbedColumns().initialize({"text": "x"}),
            "takes rows of numbers (B, n) and of ids, and bags of ids, got a str for text",
        ),
        (
            lambda: EmbedColumns().initialize({"text": Ragged(X, np.array([4, 0]))}),
            "EmbedColumns.v1 takes ragged ids, or these and their weights, as text.v1 gives, got ragged rows (B, 3)",
        ),
        (
            lambda: EmbedColumns().initialize(Y[:, None]).predict(Y[:, None] + 2),
            "ids of column 1 go from 0 to 2, got 2 to 4",
        ),
        (
            lambda: EmbedColumns().initialize(X).predict({"a": X, "b": Y[:, None]}),
            "has 0 tables, but the input has more columns of ids",
        ),
    ],
    "Flatten": [(lambda: Flatten().initialize(X=X[0]), "takes an array (B, ...), got a 1-d array (B,)")],
    "Gelu": [(lambda: Gelu(3, dropout=-0.1), "dropout must be at least 0 and below 1, got -0.1")],
    "HardSigmoid": [(lambda: HardSigmoid(0), "nO must be a whole number of at least 1, got 0")],
    "HardSwish": [(lambda: HardSwish(3, 4).initialize(X), "has nI = 4, got rows (B, 3)")],
    "HardSwishMobilenet": [(lambda: HardSwishMobilenet(nI=-1), "nI must be a whole number of at least 1, got -1")],
    "HardTanh": [(lambda: HardTanh(0), "nO must be a whole number of at least 1, got 0")],
    "LayerNorm": [(lambda: LayerNorm(4).initialize(X), "has nI = 4, got rows (B, 3)")],
    "Linear": [
        (lambda: Linear(-1), "nO must be a whole number of at least 1, got -1"),
        (lambda: Linear(3, 4).initialize(X), "has nI = 4, got rows (B, 3)"),
        (lambda: linear().predict(np.ones((4, 5))), "has nI = 3, got rows (B, 5)"),
        (lambda: linear().begin_update(X)[1](X[:2]), "its outputs are (4, 3), their gradient must be too, got (2, 3)"),
        (lambda: Linear().initialize(X), "linear: nO is not given and cannot be inferred here: set nO"),
    ],
    "Logistic": [(lambda: Logistic().predict([1]), "takes")],
    "Maxout": [(lambda: Maxout(3, nP=0), "nP must be a whole number of at least 1, got 0")],
    "Mish": [(lambda: Mish(0), "nO must be a whole number of at least 1, got 0")],
    "Relu": [
        (lambda: Relu(3).initialize([X]), "takes rows"),
        (lambda: Relu(2.5), "Relu.v1: nO must be a whole number of at least 1, got 2.5"),
        (lambda: Relu("3"), "Relu.v1: nO must be a whole number of at least 1, got '3'"),
        (lambda: Relu(True), "Relu.v1: nO must be a whole number of at least 1, got True"),
        (
            lambda: Relu(3, init_W="he").initialize(X),
            "a function such as glorot_uniform_init, got 'he' for W",
        ),
        (
            lambda: Relu(3, dropout="0.1"),
            "dropout: expected a finite number, a list of numbers",
        ),
        (lambda: Relu(3, normalize="no"), "Relu.v1: normalize must be True or False, got 'no'"),
    ],
    "ReluK": [(lambda: ReluK(k=0), "k must be above 0, got 0")],
    "Sigmoid": [(lambda: Sigmoid(0), "nO must be a whole number of at least 1, got 0")],
    "Softmax": [(lambda: Softmax(2).initialize(X, THIRDS), "nO = 2 contradicts the data, which need nO = 3")],
    "Softmax_v2": [(lambda: Softmax_v2(temperature=0), "temperature must be above 0, got 0")],
    "Swish": [(lambda: Swish(0), "nO must be a whole number of at least 1, got 0")],
    "Tanh": [(lambda: Tanh(0), "nO must be a whole number of at least 1, got 0")],
    "mlp": [
        (lambda: mlp(64), "mlp.v1: hidden must be a list of sizes such as [64, 64], got 64"),
        (lambda: mlp([0]), "mlp.v1: hidden[0] must be a whole number of at least 1, got 0"),
        (lambda: mlp(output="sigmoid"), 'mlp.v1: output must be "softmax" or "linear", got \'sigmoid\''),
        (lambda: mlp([], normalize=True), "mlp.v1: normalize does nothing without hidden layers"),
        (lambda: mlp([], dropout=0.1), "mlp.v1: dropout does nothing without hidden layers"),
        (lambda: mlp(dropout=1), "dropout must be at least 0 and below 1, got 1"),
    ],
    "tabular": [
        (lambda: tabular("64"), "tabular.v1: hidden must be a list of sizes such as [64, 64], got '64'"),
        (lambda: tabular(embedding_width=-1), "width must be a whole number of at least 1, got -1"),
    ],
    "add": [(lambda: add(Linear(3), Linear(4)).initialize(X), "takes layers whose outputs have one shape")],
    "chain": [
        (lambda: chain(), "needs at least one layer, got none"),
        (lambda: chain(Linear(3), "x"), "chain: takes layers, got str"),
        (lambda: chain(Relu(3)).initialize(X[:0]), "a sample needs at least one row, got none"),
    ],
    "clone": [
        (lambda: clone(Linear(3), 0), "n must be a whole number of at least 1, got 0"),
        (lambda: clone("x", 2), "clone: takes layers, got str"),
    ],
    "concatenate": [(lambda: concatenate(None), "concatenate: takes layers, got NoneType")],
    "residual": [
        (lambda: residual(Linear(4)).initialize(X), "nO = 4 contradicts the data, which need nO = 3"),
        (lambda: residual(X), "residual: takes layers, got ndarray"),
    ],
    "sigmoid_activation": [(lambda: sigmoid_activation().predict("x"), "takes")],
    "softmax_activation": [(lambda: softmax_activation().predict(X[0]), "takes rows")],
    # The model
    "Model": [
        (lambda: Model("m", None), "m: forward must be a function (model, X, is_train), got None"),
        (lambda: linear().get_param("w"), "the parameter 'w' does not exist"),
        (lambda: linear().get_grad("w"), "the parameter 'w' does not exist"),
        (lambda: linear().set_param("W", X), "W: has shape (3, 3), got (4, 3)"),
        (lambda: setattr(linear().grad, "W", X), "the gradient of W has shape (3, 3), got (4, 3)"),
        (lambda: linear().from_bytes("abc"), "expected bytes, got str"),
        (lambda: linear().use_params([1]).__enter__(), "parameters come by key or by name, in a dict, got list"),
        (lambda: chain(Relu(3)).from_bytes(linear().to_bytes()), "has no parameters yet: call initialize first"),
        (lambda: linear().get_dim("n0"), "has no size 'n0'; its sizes are ['nI', 'nO']"),
        (lambda: linear().finish_update(3), "an update takes an optimizer or a function, got int"),
        (
            lambda: linear().finish_update(lambda key, W, dW: W),
            "an optimizer function returns (weights, gradient), got ndarray",
        ),
        (lambda: list(linear().walk(order="up")), "Invalid order 'up'"),
        (lambda: linear().from_bytes(b"no model"), "safetensors: a header of "),
        (lambda: linear().use_params({"W": X}).__enter__(), "W: has shape (3, 3), got (4, 3)"),
    ],
    "Batch": [(lambda: Batch(X, Y[:2], None, Y), "must be as many, got [4, 2, 4]")],
    "Ragged": [(lambda: Ragged(X, np.array([1, 1])), "must add up to their data, got 4 rows")],
    "Block": [(lambda: Block({"a": ["1"], "b": []}), "must have the same length, got {'a': 1, 'b': 0}")],
    "Ops": [(lambda: api.Ops(seed=0.5), "a seed is a whole number, got 0.5")],
    "get_ops": [(lambda: get_ops("cupy"), "ops are auto, numpy or numba, got 'cupy'")],
    # Config and registry
    "Config": [
        (lambda: Config().from_str("[a\nb = 1"), "config:1: expected a section like"),
        (lambda: Config().from_disk("/nowhere.cfg"), "/nowhere.cfg: cannot be read: No such file or directory"),
        (lambda: Config().from_bytes(b"\xff\xfe"), "UTF-8"),
        (
            lambda: Config().from_str("./config.cfg"),
            "is the name of a file, and no config: from_disk reads it",
        ),
        (lambda: Config("[a]"), "a config is made of a dict of sections, got str: Config().from_str reads text"),
        (lambda: Config({"a": {}}).merge("x"), "what is merged is a Config or a dict of sections, got str"),
        (lambda: Config().from_str("[a]\nb = 1", overrides={"c.d": 1}), "there is no section [c] to set a key of."),
    ],
    "flax_pair": [(lambda: flax_pair(3), "flax_pair takes a module of flax.linen, got an int")],
    "equinox_pair": [(lambda: equinox_pair(3), "takes a module of Equinox, or what makes one of a key, got an int")],
    "registry": [
        (lambda: registry.get("layers", "Relo.v1"), "no layers function is called 'Relo.v1'. Did you mean Relu.v1?"),
        (
            lambda: registry.resolve({"a": {"hidden": 1}}, overrides={"a.hiden": 2}),
            "a has no hiden. Did you mean hidden?",
        ),
        (lambda: registry.resolve("x"), "a config is a Config or a dict of sections, got str"),
        (lambda: registry.create("layers"), "the registry 'layers' already exists"),
        (lambda: registry.create("kinds"), "a registry is named by a word of its own in small letters, got 'kinds'"),
        (lambda: registry.create("a b"), "a registry is named by a word of its own in small letters, got 'a b'"),
        (lambda: registry.layers(linear), 'a part is registered by a name: write @registry.layers("my_part.v1")'),
        (lambda: registry.get("layer", "Relu.v1"), "no registry is called 'layer'. Did you mean layers?"),
        (
            lambda: registry.resolve(Config().from_str('[o]\n@optimizers = "Adm.v1"')),
            "config:2: o.@optimizers: no optimizers",
        ),
    ],
}

# What cannot be called, or takes anything.
NOT_CALLED = {"Backprop", "Batcher", "Initializer", "Logger", "Loss", "Tally"} | {
    name for name in api.__all__ if name.endswith("Error") and name != "MeanSquaredError"
}


def test_every_public_name_has_a_wrong_input():
    assert set(api.__all__) - NOT_CALLED == set(CASES)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        pytest.param(call, said, id=f"{name}-{index}")
        for name in CASES
        for index, (call, said) in enumerate(CASES[name])
    ],
)
def test_a_wrong_input_is_told_in_one_sentence(call, said):
    with pytest.raises(TrainerError, match=re.escape(said)) as caught:
        call()
    assert "\n" not in str(caught.value)
