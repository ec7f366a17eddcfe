"""A model of texts as bags of words."""

from __future__ import annotations

from typing import Any, Literal

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import uniform_init, zero_init
from trainer_cli.layers.chain import chain
from trainer_cli.layers.chain import forward as forward_chain
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.embed_bag import EmbedBag
from trainer_cli.layers.inputs import as_gradient, as_rows, sizes
from trainer_cli.layers.linear import Linear
from trainer_cli.layers.softmax import Softmax
from trainer_cli.model import Backprop, Model, width
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule

Output = Literal["softmax", "linear"]


@registry.layers("text_bow.v1")
def text_bow(
    output: Output = "softmax",
    hidden: int = 0,
    mode: Literal["sum", "mean"] = "sum",
    dropout: float | Schedule | None = None,
    nO: int | None = None,
) -> Model:
    """A text by its words and n-grams: X is what `text.v1` gives, Y is (B, nO), probabilities or numbers.

    Each id has a number for each output, `EmbedBag.v1` adds them up, and a bias comes on top: a linear model, as
    logistic regression (or with `output = "linear"` linear regression) on the bag. With `hidden` each id has a vector
    of that size instead, and the output is an affine layer of the sum, as in fastText. `mode = "mean"` divides by the
    number of ids; with `weights = "tfidf"` the sum is right. `dropout` drops ids in training. nO is inferred.
    """
    sizes("text_bow.v1", hidden=hidden or None, nO=nO)
    if output not in ("softmax", "linear"):
        raise ArgumentError(f'text_bow.v1: output must be "softmax" or "linear", got {output!r}')
    rate = checked(dropout)
    if hidden:
        last = Softmax(nO) if output == "softmax" else Linear(nO)
        bag = EmbedBag(hidden, mode=mode, init_E=uniform_init(lo=-1 / hidden, hi=1 / hidden), dropout=rate)
        model = chain(bag.named("words"), last.named("output"))
    else:
        words = EmbedBag(nO, mode=mode, init_E=zero_init, dropout=rate).named("words")
        both = (words, bias(output).named("output"))
        model = Model("chain", forward_chain, init=init, layers=both, attrs={})
    model.attrs["layer"] = "text_bow.v1"
    return model


def bias(output: Output) -> Model:
    """A bias, and for classes the softmax: X and Y are (B, n). Backprop takes the gradient of the logits."""
    attrs = {"layer": "bias"} | ({"output": "softmax"} if output == "softmax" else {})
    return Model("bias", forward_bias, init=init_bias, dims={"nI": None}, params=("b",), no_decay=("b",), attrs=attrs)


def forward_bias(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    rows = as_rows(model, X)
    activation = model.ops.softmax if "output" in model.attrs else model.ops.bias
    Y, kept = activation(rows.copy(), model.b)

    def backprop(dY: Any) -> Array:
        return model.ops.backprop_bias(as_gradient(model, dY, Y), kept, model.grad.b)

    return Y, backprop


def init(model: Model, X: Any, Y: Any) -> None:
    words, last = model.layers
    words.init(X, Y)
    last.init(None if X is None else words.predict(X), None)


def init_bias(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        model.set_dim("nI", width(X))
    model.draw("b", zero_init, (model.get_dim("nI"),))
