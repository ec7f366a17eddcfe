"""What every registered layer must do, in one table; a new layer needs a row in CASES.

Those that run a module of another library are tested in `tests/engines`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array, Ragged
from trainer_cli.config.config import Config
from trainer_cli.config.registry import registry
from trainer_cli.extras import ENGINES
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.model import Backprop, Model
from trainer_cli.ops import Ops, activations
from trainer_cli.ops.numba_ops import NumbaOps

Block = dict[str, Any]
B = 7
RNG = np.random.default_rng(11)
ROWS = RNG.normal(size=(B, 5))
IMAGES = RNG.normal(size=(B, 2, 3, 1))
PICTURES = RNG.normal(size=(B, 5, 6, 2))
SEQUENCES = RNG.normal(size=(B, 5, 2))
IDS = np.array([[0, 2], [1, 4], [1, 0], [0, 1], [2, 1], [2, 2], [0, 3]])
CLASSES = np.array([0, 2, 1, 1, 0, 2, 2])
LENGTHS = np.array([3, 0, 4])
RAGGED = Ragged(ROWS, LENGTHS)
WORD_IDS = np.array([0, 2, 5, 2, 2, 1, 5])
RAGGED_IDS, WEIGHTS = Ragged(WORD_IDS, LENGTHS), Ragged(RNG.uniform(size=B), LENGTHS)
RAGGED_IDS_OF_7 = Ragged(np.array([0, 2, 5, 2, 2, 1, 5, 3]), np.array([1, 0, 2, 1, 3, 0, 1]))
WEIGHTS_OF_7 = RAGGED_IDS_OF_7.like(np.linspace(0.2, 1.5, 8))
KEYS = RNG.integers(0, 1 << 40, size=(5, 4))
RAGGED_KEYS = Ragged(KEYS[[0, 1, 2, 1, 3, 4, 1]], LENGTHS)


@dataclass(frozen=True)
class Case:
    """A layer as a config block, and inputs for it."""

    layer: Block
    X: Any

    @property
    def is_random(self) -> bool:
        return any(word in repr(self.layer).lower() for word in ("dropout", "augment", "batchnorm"))

    @property
    def is_softmax(self) -> bool:
        models = ("image_cnn.v1", "mlp.v1", "tabular.v1", "text_bow.v1", "text_cnn.v1", "tagger.v1")
        ready_made = any(name in repr(self.layer) for name in models)
        return "Softmax.v" in repr(self.layer) or (ready_made and self.layer.get("output", "softmax") == "softmax")


# Inputs and outputs may be arrays, Ragged, lists, tuples and dicts of arrays.


def mapped(function: Callable[[Array], Array], x: Any) -> Any:
    """The same with a function of each array."""
    if isinstance(x, Ragged):
        return Ragged(function(x.data), x.lengths)
    if isinstance(x, list | tuple):
        return type(x)(mapped(function, part) for part in x)
    if isinstance(x, dict):
        return {name: mapped(function, part) for name, part in x.items()}
    return function(x)


def leaves(x: Any) -> list[Array]:
    """All arrays in it."""
    found: list[Array] = []
    mapped(lambda array: found.append(array) or array, x)  # type: ignore[func-returns-value]
    return found


def cast(x: Any, dtype: Any) -> Any:
    return mapped(lambda array: array.astype(dtype) if array.dtype.kind == "f" else array.copy(), x)


def floats(x: Any) -> list[Array]:
    return [array for array in leaves(x) if array.dtype.kind == "f"]


def no_rows(x: Any) -> Any:
    if isinstance(x, Ragged):
        return Ragged(x.data[:0], x.lengths[:0])
    if isinstance(x, tuple):
        return tuple(no_rows(part) for part in x)
    if isinstance(x, dict):
        return {name: no_rows(part) for name, part in x.items()}
    return x[:0]


def assert_same(found: Any, wanted: Any, message: str = "", **tolerance: float) -> None:
    """Equal, or near, array by array."""
    assert type(found) is type(wanted)
    for one, other in zip(leaves(found), leaves(wanted), strict=True):
        if tolerance:
            np.testing.assert_allclose(one, other, err_msg=message, **tolerance)  # type: ignore[arg-type]
        else:
            np.testing.assert_array_equal(one, other, err_msg=message)


def block(name: str, *layers: Block, **arguments: Any) -> Block:
    inner = {"*": {f"part{index}": layer for index, layer in enumerate(layers)}} if layers else {}
    return {"@layers": name if "." in name else f"{name}.v1", **inner, **arguments}


def activation(name: str, **arguments: Any) -> list[Case]:
    """The layer alone, and with everything that belongs to activations."""
    plain = block(name, nO=4, **arguments)
    return [Case(plain, ROWS), *(Case({**plain, "dropout": 0.3, "normalize": True}, X) for X in (ROWS, RAGGED))]


CASES: dict[str, list[Case]] = {
    "Linear.v1": [Case(block("Linear", nO=4), ROWS)],
    "Relu.v1": activation("Relu"),
    "Gelu.v1": activation("Gelu"),
    "Swish.v1": activation("Swish"),
    "Tanh.v1": activation("Tanh"),
    "Mish.v1": activation("Mish"),
    "Dish.v1": activation("Dish"),
    "HardSwish.v1": activation("HardSwish"),
    "HardSwishMobilenet.v1": activation("HardSwishMobilenet"),
    "HardSigmoid.v1": activation("HardSigmoid"),
    "HardTanh.v1": activation("HardTanh"),
    "ReluK.v1": [*activation("ReluK"), Case(block("ReluK", nO=4, k=0.5), ROWS)],
    "ClippedLinear.v1": [
        *activation("ClippedLinear"),
        Case(block("ClippedLinear", nO=4, slope=-0.6, offset=0.2, min_val=-0.4, max_val=0.9), ROWS),
    ],
    "Maxout.v1": [
        *activation("Maxout"),
        Case(block("Maxout", nO=3, nP=2), ROWS),
        Case(block("Maxout", nO=3, nP=1), ROWS),
    ],
    "Sigmoid.v1": [Case(block("Sigmoid", nO=4), ROWS)],
    "Softmax.v1": [Case(block("Softmax", nO=3), ROWS), Case(block("Softmax", nO=3), RAGGED)],
    "Softmax.v2": [
        Case(block("Softmax.v2", nO=3), ROWS),
        Case(block("Softmax.v2", nO=3, temperature=2.5), ROWS),
    ],
    "softmax_activation.v1": [Case(block("softmax_activation"), X) for X in (ROWS, RAGGED)],
    "sigmoid_activation.v1": [
        Case(block("sigmoid_activation"), ROWS),
        Case(block("sigmoid_activation"), IMAGES),
        Case(block("sigmoid_activation"), RAGGED),
    ],
    "Logistic.v1": [Case(block("Logistic"), ROWS)],
    "LayerNorm.v1": [Case(block("LayerNorm"), X) for X in (ROWS, RAGGED)],
    "Dropout.v1": [Case(block("Dropout", rate=0.4), X) for X in (ROWS, IMAGES, RAGGED)],
    "Flatten.v1": [Case(block("Flatten"), IMAGES), Case(block("Flatten"), ROWS)],
    "Conv2D.v1": [
        Case(block("Conv2D", nO=3), PICTURES),
        Case(block("Conv2D", nO=3, activation="relu"), PICTURES),
        Case(block("Conv2D", nO=2, kernel_size=2, stride=2), PICTURES),
        Case(block("Conv2D", nO=2, kernel_size=4, padding="valid", activation="relu"), PICTURES),
        Case(block("Conv2D", nO=2, kernel_size=2, stride=3, padding="valid"), PICTURES),
        Case(block("Conv2D", nO=3, kernel_size=5), IMAGES),
    ],
    "Conv1D.v1": [
        Case(block("Conv1D", nO=3), SEQUENCES),
        Case(block("Conv1D", nO=3, kernel_size=2, stride=2, activation="relu"), SEQUENCES),
        Case(block("Conv1D", nO=3, kernel_size=4, padding="valid"), SEQUENCES),
        Case(block("Conv1D", nO=3), RAGGED),
        Case(block("Conv1D", nO=3, kernel_size=2, stride=2, activation="relu"), RAGGED),
    ],
    "BatchNorm.v1": [
        Case(block("BatchNorm"), ROWS),
        Case(block("BatchNorm", momentum=0.5, eps=0.1), PICTURES),
        Case(block("BatchNorm"), RAGGED),
    ],
    "MaxPool2D.v1": [
        Case(block("MaxPool2D"), PICTURES),
        Case(block("MaxPool2D", size=3, stride=1), PICTURES),
        Case(block("MaxPool2D", size=1, stride=3), PICTURES),
    ],
    "AvgPool2D.v1": [
        Case(block("AvgPool2D"), PICTURES),
        Case(block("AvgPool2D", size=3, stride=1), PICTURES),
    ],
    "GlobalAvgPool.v1": [Case(block("GlobalAvgPool"), PICTURES), Case(block("GlobalAvgPool"), SEQUENCES)],
    "relu_activation.v1": [
        Case(block("relu_activation"), ROWS),
        Case(block("relu_activation"), PICTURES),
        Case(block("relu_activation"), RAGGED),
    ],
    "augment.v1": [Case(block("augment", flip=True, shift=2), PICTURES), Case(block("augment", shift=9), IMAGES)],
    "image_cnn.v1": [
        Case(block("image_cnn", width=2, depth=1, hidden=4, nO=3), PICTURES),
        Case(block("image_cnn", width=2, depth=2, hidden=4, nO=3, dropout=0.3), PICTURES),
    ],
    "EmbedColumns.v1": [
        Case(block("EmbedColumns"), IDS),
        Case(block("EmbedColumns", width=3), {"numbers": ROWS, "kinds": IDS, "more": IDS[:, :1]}),
        Case(block("EmbedColumns"), ROWS),
        Case(block("EmbedColumns"), RAGGED_IDS_OF_7),
        Case(block("EmbedColumns", width=2), {"numbers": ROWS, "text": (RAGGED_IDS_OF_7, WEIGHTS_OF_7), "kinds": IDS}),
    ],
    "mlp.v1": [
        Case(block("mlp", hidden=[4, 3], output="linear", nO=2), ROWS),
        Case(block("mlp", hidden=[4], dropout=0.3, normalize=True, nO=3), ROWS),
        Case(block("mlp", hidden=[], nO=3), ROWS),
    ],
    "tabular.v1": [
        Case(block("tabular", hidden=[4], nO=3), {"kinds": IDS, "numbers": ROWS}),
        Case(block("tabular", hidden=[4], output="linear", nO=3, dropout=0.3), {"kinds": IDS, "numbers": ROWS}),
        Case(block("tabular", hidden=[4], embedding_width=2, output="linear", nO=1), IDS),
        Case(block("tabular", output="linear", nO=1), ROWS),
    ],
    "chain.v1": [
        Case(block("chain", block("Tanh", nO=4), block("Linear", nO=2)), ROWS),
        Case(block("chain", block("Flatten"), block("Dropout", rate=0.2), block("Softmax", nO=3)), IMAGES),
    ],
    "concatenate.v1": [
        *(
            Case(block("concatenate", block("Relu", nO=3), block("Tanh", nO=2), block("LayerNorm")), X)
            for X in (ROWS, RAGGED)
        ),
        Case(
            block("concatenate", block("Relu", nO=3), block("Flatten")),
            {"part1": IMAGES, "part0": ROWS},
        ),
    ],
    "add.v1": [
        Case(block("add", block("Relu", nO=3), block("Swish", nO=3), block("Gelu", nO=3)), ROWS),
        *(Case(block("add", block("Dropout"), block("Dropout")), X) for X in (ROWS, RAGGED)),
    ],
    "residual.v1": [Case({**block("residual"), "layer": block("Relu", nO=5)}, X) for X in (ROWS, RAGGED)],
    "Embed.v1": [
        Case(block("Embed", nO=3), WORD_IDS),
        Case(block("Embed", nO=3, nV=9, dropout=0.3), RAGGED_IDS),
        Case(block("Embed", nO=3, column=1), np.stack([CLASSES, WORD_IDS], axis=1)),
    ],
    "HashEmbed.v1": [
        Case(block("HashEmbed", nO=3, nV=10), WORD_IDS),
        Case(block("HashEmbed", nO=3, nV=10, column=2, dropout=0.3, seed=3), RAGGED_KEYS),
    ],
    "EmbedBag.v1": [
        Case(block("EmbedBag", nO=3), RAGGED_IDS),
        Case(block("EmbedBag", nO=3, mode="sum", dropout=0.3), RAGGED_IDS),
        *(Case(block("EmbedBag", nO=3, mode=mode), (RAGGED_IDS, WEIGHTS)) for mode in ("sum", "mean")),
    ],
    "MultiHashEmbed.v1": [
        Case(block("MultiHashEmbed", width=4, rows=[7, 3, 5, 5]), X) for X in (RAGGED_KEYS, RAGGED_KEYS.data)
    ],
    "uniqued.v1": [
        Case({**block("uniqued"), "layer": block("Embed", nO=3)}, WORD_IDS),
        Case({**block("uniqued"), "layer": block("Embed", nO=3)}, RAGGED_IDS),
        Case({**block("uniqued"), "layer": block("HashEmbed", nO=3, nV=10, column=1)}, RAGGED_KEYS),
    ],
    "expand_window.v1": [Case(block("expand_window"), RAGGED), Case(block("expand_window", window_size=3), RAGGED)],
    "list2ragged.v1": [Case(block("list2ragged"), [ROWS[:3], ROWS[:0], ROWS[3:]])],
    "ragged2list.v1": [Case(block("ragged2list"), RAGGED)],
    "with_padded.v1": [
        Case({**block("with_padded"), "layer": block("sigmoid_activation")}, RAGGED),
        Case({**block("with_padded"), "layer": block("Conv1D", nO=3)}, RAGGED),
    ],
    "reduce_sum.v1": [Case(block("reduce_sum"), RAGGED)],
    "reduce_mean.v1": [Case(block("reduce_mean"), RAGGED)],
    "reduce_max.v1": [Case(block("reduce_max"), RAGGED)],
    "reduce_first.v1": [Case(block("reduce_first"), RAGGED)],
    "reduce_last.v1": [Case(block("reduce_last"), RAGGED)],
    "ParametricAttention.v1": [Case(block("ParametricAttention"), RAGGED)],
    "LSTM.v1": [
        Case(block("LSTM", nO=3), RAGGED),
        Case(block("LSTM", nO=4, bi=True, depth=2, dropout=0.3), RAGGED),
    ],
    "GRU.v1": [
        Case(block("GRU", nO=3), RAGGED),
        Case(block("GRU", nO=4, bi=True, depth=2, dropout=0.3), RAGGED),
    ],
    "text_bow.v1": [
        Case(block("text_bow", nO=3), RAGGED_IDS_OF_7),
        Case(block("text_bow", nO=3, output="linear"), (RAGGED_IDS, WEIGHTS)),
        Case(block("text_bow", nO=2, output="linear", hidden=4, mode="mean", dropout=0.2), RAGGED_IDS),
    ],
    "text_cnn.v1": [
        Case(block("text_cnn", nO=3, width=4, filters=3, dropout=0.5), RAGGED_IDS_OF_7),
        Case(block("text_cnn", nO=2, output="linear", width=4, filters=3, windows=[2], dropout=0.0), RAGGED_IDS),
    ],
    "tagger.v1": [Case(block("tagger", nO=3, width=4, depth=2, rows=[7, 3, 5, 5], dropout=0.2), RAGGED_KEYS)],
    "clone.v1": [Case({**block("clone", n=3), "orig": block("Tanh", nO=5)}, ROWS)],
}

ALL = [pytest.param(case, id=f"{name}-{index}") for name, cases in CASES.items() for index, case in enumerate(cases)]
STEADY = [param for param in ALL if not param.values[0].is_random]  # type: ignore[union-attr]
each_case = pytest.mark.parametrize("case", ALL)
each_steady_case = pytest.mark.parametrize("case", STEADY)


def build(case: Case, *, dtype: type[np.floating[Any]] = np.float32, ops: Ops | None = None, seed: int = 0) -> Model:
    """The case's model with numbers in every parameter, so that none hides behind a zero."""
    model: Model = registry.resolve({"model": case.layer})["model"]
    model.use_ops(ops or Ops()).initialize(cast(case.X, dtype), seed=seed, dtype=dtype)
    values = model.store.values
    values[...] = np.random.default_rng(seed).normal(scale=0.7, size=values.size)
    return model


def run(model: Model, X: Any, *, input_gradient: bool = True) -> tuple[Any, Backprop]:
    """A forward pass in training, at the same moment each time."""
    store = model.store
    store.draws.clear()
    return model(X, True, input_gradient)


def gradients(model: Model, X: Any, dY: Any, *, input_gradient: bool = True) -> tuple[Any, Any, Array]:
    """Outputs, the inputs' gradient and the parameters' gradient."""
    model.store.gradients.fill(0)
    Y, backprop = run(model, X, input_gradient=input_gradient)
    dX = backprop(dY)
    return Y, dX, model.store.gradients.copy()


def like(Y: Any) -> Any:
    stream = np.random.default_rng(5)
    return mapped(lambda array: stream.normal(size=array.shape).astype(array.dtype), Y)


def test_every_registered_layer_has_a_row() -> None:
    assert set(registry.layers.names()) - set(ENGINES) == set(CASES)


# Gradients


def differences(value: Callable[[], float], at: Array, eps: float = 1e-6) -> Array:
    """The central finite differences of `value` as each number of `at` is moved in place."""
    slopes = np.zeros(at.shape)
    for index in np.ndindex(at.shape) if at.dtype.kind == "f" else ():  # ids have no slope
        kept = at[index]
        at[index] = kept + eps
        above = value()
        at[index] = kept - eps
        slopes[index] = (above - value()) / (2 * eps)
        at[index] = kept
    return slopes


def check_gradients(case: Case) -> None:
    model, X = build(case, dtype=np.float64), cast(case.X, np.float64)
    loss = CategoricalCrossentropyV4()
    R = like(run(model, X)[0])

    def value() -> float:
        Y = run(model, X)[0]
        if case.is_softmax:
            return loss.get_loss(leaves(Y)[0], CLASSES)
        return sum(float((y * r).sum()) for y, r in zip(leaves(Y), leaves(R), strict=True))

    Y = run(model, X)[0]
    dY = mapped(lambda P: loss.get_grad(P, CLASSES), Y) if case.is_softmax else cast(R, np.float64)
    _, dX, gradient = gradients(model, X, dY)
    for found, x in zip(leaves(dX), leaves(X), strict=True):
        assert found.dtype.kind == "f"
        np.testing.assert_allclose(found, differences(value, x), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gradient, differences(value, model.store.values), rtol=1e-6, atol=1e-8)


@each_case
def test_gradients_are_the_finite_differences(case: Case) -> None:
    check_gradients(case)


def relu_without_bias(dY: Array, Y: Array, db: Array) -> Array:
    return np.asarray(dY * (Y > 0))


def relu_in_place(dY: Array, Y: Array, db: Array) -> Array:
    dY *= Y > 0
    db += dY.sum(axis=0)
    return dY


def tanh_of_the_wrong_sign(dY: Array, Y: Array, db: Array) -> Array:
    db += (dY * (1 + Y * Y)).sum(axis=0)
    return np.asarray(dY * (1 + Y * Y))


def swish_for_dish(dY: Array, X: Array, db: Array) -> Array:
    return activations.backprop_swish(dY, X, db)


def softmax_that_passes_on(dY: Array, Y: Array) -> Array:
    return dY


def half_a_hard_swish(dY: Array, X: Array, db: Array, *, slope: float) -> Array:
    dZ = dY * np.clip(slope * X + 0.5, 0, 1)
    db += dZ.sum(axis=0)
    return np.asarray(dZ)


def layernorm_without_the_mean(dY: Array, kept: tuple[Array, Array], G: Array, dG: Array, db: Array) -> Array:
    db += dY.sum(axis=0)
    dG += (dY * kept[0]).sum(axis=0)
    return np.asarray(dY * G * kept[1])


@pytest.mark.parametrize(
    ("name", "planted", "layer"),
    [
        ("backprop_relu", relu_without_bias, "Relu.v1"),
        ("backprop_tanh", tanh_of_the_wrong_sign, "Tanh.v1"),
        ("backprop_layernorm", layernorm_without_the_mean, "LayerNorm.v1"),
        ("backprop_dish", swish_for_dish, "Dish.v1"),
        ("backprop_hard_swish", half_a_hard_swish, "HardSwish.v1"),
        ("backprop_softmax", softmax_that_passes_on, "softmax_activation.v1"),
        ("backprop_bias", lambda dY, kept, db: dY, "Softmax.v1"),
    ],
)
def test_a_wrong_backprop_is_found(name: str, planted: Any, layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ops, name, staticmethod(planted))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_gradients(CASES[layer][0])


@each_case
def test_a_second_backprop_doubles_the_gradients(case: Case) -> None:
    model, X = build(case), cast(case.X, np.float32)
    Y, backprop = run(model, X)
    dY = like(Y)
    dX = mapped(np.array, backprop(dY))
    once = model.store.gradients.copy()
    assert_same(backprop(dY), dX)
    np.testing.assert_allclose(model.store.gradients, 2 * once, rtol=1e-5, atol=1e-6)


# Whose arrays are whose


def check_nothing_given_is_changed(case: Case, ops: Ops) -> None:
    model, X = build(case, ops=ops), cast(case.X, np.float32)
    Y, backprop = run(model, X)
    dY = like(Y)
    kept_X, kept_dY = cast(X, np.float32), cast(dY, np.float32)
    backprop(dY)
    model.predict(X)
    assert_same(X, kept_X, "X was changed")
    assert_same(dY, kept_dY, "dY was changed")


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
@each_case
def test_inputs_and_gradients_are_left_alone(case: Case, ops: Ops) -> None:
    check_nothing_given_is_changed(case, ops)


def test_a_change_of_the_gradient_in_place_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ops, "backprop_relu", staticmethod(relu_in_place))
    with pytest.raises(AssertionError, match="dY was changed"):
        check_nothing_given_is_changed(CASES["Relu.v1"][0], Ops())
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check_gradients(CASES["add.v1"][0])


def strided(array: Array) -> Array:
    """The same numbers, not contiguous."""
    if array.dtype.kind != "f":
        return np.repeat(array, 2, axis=0)[::2]
    wide = np.repeat(array, 2, axis=-1)
    wide[..., 1::2] = np.nan
    return wide[..., ::2]


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
@each_case
def test_strided_arrays_give_what_their_copies_give(case: Case, ops: Ops) -> None:
    model, X = build(case, ops=ops), cast(case.X, np.float32)
    dY = like(run(model, X)[0])
    expected = gradients(model, X, dY)
    for change in (strided, np.asfortranarray):
        for found, wanted in zip(gradients(model, mapped(change, X), mapped(change, dY)), expected, strict=True):
            assert_same(found, wanted, rtol=1e-6, atol=1e-6)


# Types of numbers


@pytest.mark.parametrize("ops", [Ops(), NumbaOps()], ids=lambda ops: ops.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_case
def test_outputs_and_gradients_keep_the_type(case: Case, dtype: type[np.floating[Any]], ops: Ops) -> None:
    model, X = build(case, dtype=dtype, ops=ops), cast(case.X, dtype)
    found = gradients(model, X, like(run(model, X)[0]))
    assert {array.dtype for array in leaves(found)} == {np.dtype(dtype)}


def test_inputs_and_gradients_of_another_type_are_taken_in_the_parameters_type() -> None:
    case = CASES["Relu.v1"][0]
    model = build(case)
    expected = gradients(model, case.X.astype(np.float32), like(ROWS[:, :4]).astype(np.float32))
    for found, wanted in zip(gradients(model, case.X, like(ROWS[:, :4])), expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted)


@each_case
def test_numba_agrees_with_numpy(case: Case) -> None:
    X = cast(case.X, np.float32)
    plain, compiled = build(case, ops=Ops()), build(case, ops=NumbaOps())
    dY = like(run(plain, X)[0])
    for wanted, found in zip(leaves(gradients(plain, X, dY)), leaves(gradients(compiled, X, dY)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6 * max(1, np.abs(wanted).max(initial=0)))


# Running and keeping


@each_steady_case
def test_predict_is_begin_update_without_dropout(case: Case) -> None:
    model, X = build(case), cast(case.X, np.float32)
    assert_same(model.predict(X), model.begin_update(X)[0])


@each_case
def test_predict_draws_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model, X = build(case), cast(case.X, np.float32)
    expected = model.predict(X)
    monkeypatch.setattr(Model, "random", lambda *_: pytest.fail("predict drew a random number"))
    assert_same(model.predict(X), expected)


@each_case
def test_without_the_input_gradient_the_parameters_get_the_same_gradient(case: Case) -> None:
    model, X = build(case), cast(case.X, np.float32)
    dY = like(run(model, X)[0])
    _, _, expected = gradients(model, X, dY)
    _, _, found = gradients(model, X, dY, input_gradient=False)
    np.testing.assert_array_equal(found, expected)


def n_products(case: Case, input_gradient: bool, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many matrix products a backprop takes."""
    model, X = build(case), cast(case.X, np.float32)
    Y, backprop = run(model, X, input_gradient=input_gradient)
    gemm, n_calls = Ops.gemm, 0

    def counting(*args: Any, **kwargs: Any) -> Array:
        nonlocal n_calls
        n_calls += 1
        return gemm(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Ops, "gemm", counting)
        backprop(like(Y))
    return n_calls


@pytest.mark.parametrize(
    ("name", "index", "n_first"),
    [
        ("Relu.v1", 0, 1),
        ("Maxout.v1", 1, 1),
        ("Softmax.v1", 0, 1),
        ("chain.v1", 0, 1),
        ("chain.v1", 1, 1),
        ("concatenate.v1", 0, 2),
        ("add.v1", 0, 3),
        ("residual.v1", 0, 1),
        ("clone.v1", 0, 1),
        ("Conv2D.v1", 0, B),
        ("Conv2D.v1", 2, B),
        ("Conv1D.v1", 0, B),
        ("image_cnn.v1", 0, B),
        ("mlp.v1", 0, 1),
        ("tabular.v1", 0, 0),
        ("tabular.v1", 3, 1),
    ],
)
def test_the_first_layers_input_gradient_is_not_computed(
    name: str, index: int, n_first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name][index]
    assert n_products(case, True, monkeypatch) - n_products(case, False, monkeypatch) == n_first


@each_case
def test_saved_parameters_come_back_to_the_bit(case: Case) -> None:
    model, other = build(case, seed=0), build(case, seed=1)
    X = cast(case.X, np.float32)
    other.from_bytes(model.to_bytes())
    np.testing.assert_array_equal(other.store.values, model.store.values)
    assert_same(other.predict(X), model.predict(X))


@each_case
def test_a_config_written_and_read_again_makes_the_same_model(case: Case) -> None:
    text = Config({"model": case.layer}).to_str()
    again = Case(Config().from_str(text)["model"], case.X)
    first, second = build(case), build(again)
    assert [segment.name for segment in first.store.segments] == [segment.name for segment in second.store.segments]
    assert_same(first.predict(case.X), second.predict(case.X))


@each_case
def test_a_filled_config_makes_the_same_model(case: Case) -> None:
    filled = Case(registry.fill({"model": case.layer})["model"], case.X)
    assert_same(build(case).predict(case.X), build(filled).predict(case.X))


@each_case
def test_a_batch_without_rows_goes_through(case: Case) -> None:
    model = build(case)
    nothing = no_rows(cast(case.X, np.float32))
    Y, dX, gradient = gradients(model, nothing, like(no_rows(model.predict(case.X))))
    assert {len(array) for array in leaves(Y)} <= {0}
    assert [array.shape for array in leaves(dX)] == [array.shape for array in leaves(nothing)]
    assert not gradient.any()


def test_biases_and_norms_do_not_decay() -> None:
    model = build(CASES["Maxout.v1"][1])
    decays = {segment.name: not segment.no_decay for segment in model.store.segments}
    assert decays == {"W": True, "b": False, "norm.G": False, "norm.b": False}


def test_a_layer_says_what_its_outputs_are_to_a_loss() -> None:
    outputs = {name: build(cases[0]).attrs.get("output") for name, cases in CASES.items()}
    assert {name: output for name, output in outputs.items() if output} == {
        "Softmax.v1": "softmax",
        "Softmax.v2": "softmax",
        "softmax_activation.v1": "softmax_activation",
        "Sigmoid.v1": "sigmoid",
        "sigmoid_activation.v1": "sigmoid",
        "Logistic.v1": "sigmoid",
    }


def test_the_layers_with_dropout_are_those_of_the_reference() -> None:
    takes = {name for name, cases in CASES.items() if "dropout" in build(cases[0]).attrs}
    swishes = {"Gelu.v1", "Swish.v1", "Mish.v1", "Dish.v1", "HardSwish.v1", "HardSwishMobilenet.v1"}
    clipped = {"ClippedLinear.v1", "HardSigmoid.v1", "HardTanh.v1", "ReluK.v1"}
    tables = {"Embed.v1", "HashEmbed.v1", "EmbedBag.v1"}
    assert takes == {"Relu.v1", "Tanh.v1", "Maxout.v1", "Dropout.v1"} | swishes | clipped | tables
