"""The losses of PyTorch by name: values and gradients as PyTorch has them, weights and shares as ours."""

import re

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from engine_runs import call

from trainer_cli.api import BinaryCrossentropy, CategoricalCrossentropyV4, Huber, MeanSquaredError
from trainer_cli.arrays import Batch, Ragged, slice_rows
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.gradient import loss_share
from trainer_cli.losses import TorchLoss
from trainer_cli.losses.torch_loss import OF_CLASSES, OF_LOGITS


@pytest.fixture
def folder(torch_folder):
    return torch_folder


RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(7, 4)).astype(np.float32)
CLASSES = np.array([0, 3, 1, 2, 2, 0, 3])
NUMBERS = RNG.normal(size=(7, 4)).astype(np.float32)
FLAGS = (NUMBERS > 0).astype(np.float32)
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0, 1.0])
P = 1 / (1 + np.exp(-LOGITS))
LOG_P = np.log(P / P.sum(1, keepdims=True))

# Guesses and truths for each.
CASES = {
    "CrossEntropyLoss": (LOGITS, CLASSES),
    "NLLLoss": (LOG_P, CLASSES),
    "MultiMarginLoss": (LOGITS, CLASSES),
    "BCEWithLogitsLoss": (LOGITS, FLAGS),
    "MultiLabelSoftMarginLoss": (LOGITS, FLAGS),
    "BCELoss": (P, FLAGS),
    "MSELoss": (LOGITS, NUMBERS),
    "L1Loss": (LOGITS, NUMBERS),
    "SmoothL1Loss": (LOGITS, NUMBERS),
    "HuberLoss": (LOGITS, NUMBERS),
    "PoissonNLLLoss": (LOGITS, FLAGS),
    "KLDivLoss": (LOG_P, P / P.sum(1, keepdims=True)),
    "SoftMarginLoss": (LOGITS, 2 * FLAGS - 1),
    "HingeEmbeddingLoss": (LOGITS, 2 * FLAGS - 1),
}
EACH = pytest.mark.parametrize("name", CASES)
REDUCTION = pytest.mark.parametrize("reduction", ["mean", "sum"])


def reduction_of(name, reduction):
    return "batchmean" if (name, reduction) == ("KLDivLoss", "mean") else reduction


def plain(name, guesses, truths, **settings):
    leaf = torch.tensor(guesses, requires_grad=True)
    value = getattr(torch.nn, name)(**settings)(leaf, torch.tensor(truths))
    value.backward()
    return leaf.grad.numpy(), float(value.detach())


@EACH
@REDUCTION
def test_value_and_gradient_are_pytorchs_to_the_bit(name, reduction):
    (guesses, truths), reduction = CASES[name], reduction_of(name, reduction)
    grad, value = TorchLoss(name, reduction=reduction)(guesses, truths)
    expected, expected_value = plain(name, guesses, truths, reduction=reduction)
    np.testing.assert_array_equal(grad, expected)
    assert value == expected_value
    assert grad.dtype == guesses.dtype


def test_a_small_case_by_hand():
    """Squares below 1, straight lines beyond: (0.125 + 2.5) / 2."""
    grad, value = TorchLoss("SmoothL1Loss")(np.array([[0.5], [3.0]]), np.array([[0.0], [0.0]]))
    assert (grad.tolist(), value) == ([[0.25], [0.5]], 1.3125)


@EACH
@REDUCTION
def test_a_weight_counts_as_so_many_rows(name, reduction):
    guesses, truths = CASES[name]
    twice = np.repeat(np.arange(7), 1 + (np.arange(7) % 3))
    loss = TorchLoss(name, reduction=reduction_of(name, reduction))
    grad, value = loss(guesses, truths, np.bincount(twice).astype(float))
    expected, expected_value = loss(guesses[twice], truths[twice])
    assert value == pytest.approx(expected_value, rel=1e-5)
    summed = np.zeros_like(guesses)
    np.add.at(summed, twice, expected)
    np.testing.assert_allclose(grad, summed, rtol=1e-4, atol=1e-7)


SETTINGS = {"CrossEntropyLoss": {"weight": [1.0, 2.0, 0.5, 3.0], "label_smoothing": 0.1, "ignore_index": 2}}


def in_parts(loss, guesses, truths, weights):
    """The gradient and value of a batch from those of its micro-batches, as the loop has them."""
    whole, grads, value = Batch(guesses, truths, weights, np.arange(7)), [], 0.0
    for start, stop in ((0, 3), (3, 4), (4, 7)):
        rows = [slice_rows(x, start, stop) for x in (guesses, truths)]
        part = Batch(*rows, None if weights is None else weights[start:stop], np.arange(start, stop))
        share = loss_share(loss, part, whole)
        grad, part_value = loss(*rows, part.weights)
        grads.append(grad * share)
        value += loss.portion(part_value, share)
    return np.concatenate(grads), value


@EACH
@REDUCTION
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
def test_parts_of_a_batch_add_up_to_it(name, reduction, weights):
    guesses, truths = CASES[name]
    loss = TorchLoss(name, reduction=reduction_of(name, reduction), **SETTINGS.get(name, {}))
    grad, value = loss(guesses, truths, weights)
    parts, parts_value = in_parts(loss, guesses, truths, weights)
    np.testing.assert_allclose(parts, grad, rtol=1e-5, atol=1e-7)
    assert parts_value == pytest.approx(value, rel=1e-5)


def test_the_check_sees_shares_without_the_weights_of_classes(monkeypatch):
    loss = TorchLoss("CrossEntropyLoss", **SETTINGS["CrossEntropyLoss"])
    value = loss(LOGITS, CLASSES)[1]
    monkeypatch.setattr(loss, "mass", lambda truths, weights=None: float(len(truths)))
    assert in_parts(loss, LOGITS, CLASSES, None)[1] != pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "settings", "ours"),
    [
        ("CrossEntropyLoss", {}, CategoricalCrossentropyV4(from_logits=True)),
        ("CrossEntropyLoss", {"weight": [1, 2, 0.5, 3]},
         CategoricalCrossentropyV4(from_logits=True, class_weights=[1, 2, 0.5, 3])),
        ("BCEWithLogitsLoss", {}, BinaryCrossentropy()),
        ("MSELoss", {}, MeanSquaredError()),
        ("HuberLoss", {"delta": 0.7}, Huber(delta=0.7)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["even", "weighted"])
def test_what_we_have_too_is_the_same(name, settings, ours, weights):
    guesses, truths = CASES[name]
    grad, value = TorchLoss(name, **settings)(guesses, truths, weights)
    expected, expected_value = ours(guesses, truths, weights)
    np.testing.assert_allclose(grad, expected, rtol=1e-4, atol=1e-7)
    assert value == pytest.approx(expected_value, rel=1e-5)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_rows_of_unknown_classes_do_not_count(name):
    loss, (guesses, truths) = TorchLoss(name), CASES[name]
    known = np.array([0, 2, 3, 6])
    partly = np.where(np.isin(np.arange(7), known), truths, -1)
    grad, value = loss(guesses, partly)
    expected, expected_value = loss(guesses[known], truths[known])
    np.testing.assert_allclose(grad[known], expected, rtol=1e-5, atol=1e-8)
    assert not np.delete(grad, known, axis=0).any()
    assert value == pytest.approx(expected_value, rel=1e-5)
    assert loss.mass(partly) == 4
    grad, value = loss(guesses, np.full(7, -1))
    assert value == 0
    assert not grad.any()


def test_tokens_count_as_rows():
    lengths = np.array([3, 0, 4])
    loss, weights = TorchLoss("CrossEntropyLoss"), np.array([1.0, 5.0, 2.0])
    grad, value = loss(Ragged(LOGITS, lengths), Ragged(CLASSES, lengths), weights)
    expected, expected_value = loss(LOGITS, CLASSES, np.repeat(weights, lengths))
    np.testing.assert_array_equal(grad.data, expected)
    assert value == expected_value
    assert loss.mass(Ragged(CLASSES, lengths), weights) == 11


def test_links_turn_outputs_into_probabilities():
    links = {name: (TorchLoss(name).link, TorchLoss(name).truths) for name in CASES}
    assert {name for name, (link, _) in links.items() if link == "softmax"} == set(OF_CLASSES)
    assert {name for name, (link, _) in links.items() if link == "sigmoid"} == set(OF_LOGITS)
    assert {name for name, (_, truths) in links.items() if truths == "flags"} == {*OF_LOGITS, "BCELoss"}


def test_float64_and_distributions_go_through():
    grad, value = TorchLoss("CrossEntropyLoss", weight=[1, 2, 3, 4])(LOGITS.astype(np.float64), P / P.sum(1)[:, None])
    assert grad.dtype == np.float64
    assert value > 0


WRONG = {
    "torch.nn has no loss of the name 'CrossEntropy'. Did you mean CrossEntropyLoss?": ("CrossEntropy", {}),
    "the name CTCLoss cannot be used: it takes more than guesses and truths": ("CTCLoss", {}),
    "CrossEntropyLoss takes no label_smoothin. Did you mean label_smoothing?": (
        "CrossEntropyLoss",
        {"label_smoothin": 0.1},
    ),
    "reduction of MSELoss must be one of mean, sum, got 'none'": ("MSELoss", {"reduction": "none"}),
    "HuberLoss takes no beta. Did you mean": ("HuberLoss", {"beta": -1.0}),
    "MultiMarginLoss refuses this: only p == 1 and p == 2 supported": ("MultiMarginLoss", {"p": 3}),
    "a list must be one of numbers": ("CrossEntropyLoss", {"weight": ["a"]}),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_settings_are_told(message):
    name, settings = WRONG[message]
    with pytest.raises(ArgumentError) as caught:
        TorchLoss(name, **settings)
    assert message.removesuffix(" Did you mean") in str(caught.value)


def test_shapes_that_do_not_fit_are_told():
    with pytest.raises(ShapeError, match="truths must be 7 class numbers"):
        TorchLoss("CrossEntropyLoss")(LOGITS, CLASSES[:3])
    with pytest.raises(ShapeError, match="truths must have the guesses' shape"):
        TorchLoss("MSELoss")(LOGITS, NUMBERS[:, :2])
    with pytest.raises(ShapeError, match=r"^TorchLoss.v1: weight of NLLLoss must have one number a class, 4, got 3$"):
        TorchLoss("NLLLoss", weight=[1, 2, 3])(LOG_P, CLASSES)
    with pytest.raises(ArgumentError, match=r"^TorchLoss.v1: BCEWithLogitsLoss raised \w+Error: .* size of tensor"):
        TorchLoss("BCEWithLogitsLoss", weight=[1, 2, 3])(LOGITS, FLAGS)


def test_guesses_out_of_range_are_told_with_the_remedy():
    with pytest.raises(
        ArgumentError, match=r"BCELoss takes probabilities in \[0, 1\], got values from -.*sigmoid, or use"
    ):
        TorchLoss("BCELoss")(LOGITS, FLAGS)
    with pytest.raises(
        ArgumentError, match=r"NLLLoss takes log-probabilities, none above 0, got .* or use CrossEntropy"
    ):
        TorchLoss("NLLLoss")(LOGITS, CLASSES)


@pytest.mark.parametrize("name", ["BCELoss", "NLLLoss"])
def test_nan_goes_through_for_the_caller_to_stop_at(name):
    guesses, truths = CASES[name]
    guesses = guesses.copy()
    guesses[2] = np.nan
    grad, value = TorchLoss(name)(guesses, truths)
    assert np.isnan(value)
    assert grad.shape == guesses.shape


def test_a_loss_that_does_not_fit_is_told_at_its_place(folder):
    text = (folder / "run.cfg").read_text()
    before = '@losses = "CategoricalCrossentropy.v4"\nfrom_logits = true'
    for settings, key, rule in (
        ('name = "CrossEntropyLoss"\nweight = [1.0, 2.0, 3.0]', "loss.weight", "weight of CrossEntropyLoss must have"),
        ('name = "NLLLoss"', "loss", "NLLLoss takes log-probabilities, none above 0, got values from"),
    ):
        (folder / "run.cfg").write_text(text.replace(before, f'@losses = "TorchLoss.v1"\n{settings}'))
        said = call("debug-config", "run.cfg", "--code", "parts.py", code=2)
        assert re.match(rf"run\.cfg:\d+: {key}: TorchLoss\.v1: {rule}", said), said
        assert said.count("\n") == 1
    (folder / "run.cfg").write_text(text.replace(before, '@losses = "TorchLoss.v1"\nname = "MSELoss"'))
    said = call("debug-config", "run.cfg", "--code", "parts.py", code=2)
    remedy = 'name = "CrossEntropyLoss" with a model that ends in logits, or [target] @encoders = "numbers.v1"'
    assert re.fullmatch(
        rf"run\.cfg:\d+: loss\.name: takes numbers, the target is labels\.v1: use {re.escape(remedy)}\n", said
    ), said
