"""The softmax layers."""

from __future__ import annotations

from functools import partial
from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, zero_init
from trainer_cli.layers.dense import affine, dense
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number, require_flags


@registry.layers("Softmax.v1")
def Softmax(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = zero_init,
    init_b: Initializer = zero_init,
) -> Model:
    """Probabilities of classes from an affine layer: `Y = exp(Z) / sum(exp(Z))` over each row, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data.
    Backprop takes the gradient of the *logits* Z, which is what the cross-entropies give (p - y), and passes it on:
    the layer belongs before a cross-entropy and before nothing else. Bridle, "Training Stochastic Model Recognition
    Algorithms as Networks can Lead to Maximum Mutual Information Estimation of Parameters" (NIPS 1989).
    """
    return dense("Softmax.v1", forward, init_W, init_b, {"nO": nO, "nI": nI}, output="softmax")


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return affine(model, X, is_train, model.ops.softmax, model.ops.backprop_bias)


@registry.layers("Softmax.v2")
def Softmax_v2(
    nO: int | None = None,
    nI: int | None = None,
    *,
    init_W: Initializer = zero_init,
    init_b: Initializer = zero_init,
    normalize_outputs: bool = True,
    temperature: float = 1.0,
) -> Model:
    """Probabilities of classes, sharper or flatter: `Y = exp(Z / T) / sum(exp(Z / T))`, `Z = X @ W.T + b`.

    X is (B, nI), Y is (B, nO); W is (nO, nI), b is (nO,). Sizes left out are inferred from data. Below 1 the
    `temperature` T makes the largest probability larger, above 1 smaller; it is an ArgumentError unless above 0.
    Backprop takes the gradient of the logits Z / T, which is what the cross-entropies give (p - y).
    Without `normalize_outputs` the layer predicts Z, whose largest is as good where only the best class is wanted; in
    training it gives probabilities all the same. Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural
    Network" (2015), arXiv:1503.02531.
    """
    require_flags("Softmax.v2", normalize_outputs=normalize_outputs)
    if not is_number(temperature) or temperature <= 0:
        raise ArgumentError(f"Softmax.v2: temperature must be above 0, got {temperature!r}")
    return dense(
        "Softmax.v2",
        forward_v2,
        init_W,
        init_b,
        {"nO": nO, "nI": nI},
        output="softmax" if normalize_outputs else "unnormalized",
        temperature=temperature,
    )


def forward_v2(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    if model.attrs["output"] == "unnormalized" and not is_train:
        return affine(model, X, is_train, model.ops.bias, model.ops.backprop_bias)[0], refuse
    return affine(model, X, is_train, partial(heated, model), partial(backprop_heated, model))


def heated(model: Model, Z: Array, b: Array) -> tuple[Array, Any]:
    Z /= model.attrs["temperature"]
    return model.ops.softmax(Z, b / model.attrs["temperature"])


def backprop_heated(model: Model, dY: Array, kept: Any, db: Array) -> Array:
    return model.ops.backprop_bias(dY / model.attrs["temperature"], kept, db)


def refuse(dY: Any) -> Any:
    raise ArgumentError("Softmax.v2 without normalize_outputs has no gradient when it predicts: call it with is_train")
