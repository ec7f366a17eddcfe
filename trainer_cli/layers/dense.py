"""What the affine layers share: products, bias and activation, then normalisation and dropout if asked for.

A layer's file has its constructor and names its activation; the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, for_inputs
from trainer_cli.layers.dropout import drop, unchanged
from trainer_cli.layers.inputs import as_gradient, as_rows, sizes
from trainer_cli.layers.layernorm import LayerNorm
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Forward, Model, width
from trainer_cli.schedules.arguments import require_flags

Activation = Callable[[Array, Array], tuple[Array, Any]]
BackpropActivation = Callable[[Array, Any, Array], Array]


def dense(
    layer: str,
    forward: Forward,
    init_W: Initializer,
    init_b: Initializer,
    dims: Mapping[str, int | None],
    *,
    normalize: bool = False,
    **attrs: Any,
) -> Model:
    """A model with a weight matrix W, a bias b and, with `normalize`, a LayerNorm called `norm`.

    `layer` is the name in the registry. Attributes: `dropout`, for layers that take one (None: not set), and `output`,
    what the outputs are to a loss: "softmax" (probabilities; backprop takes the gradient of the logits), "sigmoid" or
    "softmax_activation" (probabilities; backprop takes their own gradient), "unnormalized" (probabilities in training
    alone).
    """
    require_flags(layer, normalize=normalize)
    return Model(
        layer.partition(".")[0].lower(),
        rowwise(forward),
        init=rowwise_init(partial(init, init_W, init_b)),
        dims=sizes(layer, **dims),
        params=("W", "b"),
        no_decay=("b",),
        layers=[LayerNorm().named("norm")] if normalize else [],
        attrs={"layer": layer, **attrs},
    )


def affine(
    model: Model, X: Array, is_train: bool, activation: Activation, backprop_activation: BackpropActivation
) -> tuple[Array, Backprop]:
    """`activation(X @ W.T, b)`, normalised and dropped: outputs and their backprop."""
    X = as_rows(model, X)
    b = model.get_param("b")
    n_rows, flat = len(X), (b.size, X.shape[1])
    Z = model.ops.gemm(X, model.W.reshape(flat), trans2=True)
    Y, kept = activation(Z.reshape(n_rows, *b.shape), b)
    Y, backprop_norm = model.layers[0](Y, is_train) if model.layers else (Y, unchanged)
    Y, backprop_drop = drop(model, Y, is_train)
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Array | None:
        dY = backprop_norm(backprop_drop(as_gradient(model, dY, Y)))
        dZ = backprop_activation(dY, kept, model.grad.b).reshape(n_rows, b.size)
        model.ops.gemm(dZ, X, trans1=True, add_to=model.grad.W.reshape(flat))
        return model.ops.gemm(dZ, model.W.reshape(flat)) if input_gradient else None

    return Y, backprop


def init(init_W: Initializer, init_b: Initializer, model: Model, X: Any, Y: Any) -> None:
    """Sizes from the sample where they are left out; W is (nO, nI), or (nO, nP, nI) for a layer with pieces."""
    if X is not None:
        model.set_dim("nI", as_rows(model, X).shape[1])
    if Y is not None:
        model.set_dim("nO", width(Y))
    outputs = tuple(model.get_dim(name) for name in ("nO", "nP") if model.has_dim(name) is not False)
    nI = model.get_dim("nI")
    model.draw("W", for_inputs(init_W, nI), (*outputs, nI))
    model.draw("b", for_inputs(init_b, nI), outputs)
    for norm in model.layers:
        norm.set_dim("nI", outputs[0])
        norm.init()
