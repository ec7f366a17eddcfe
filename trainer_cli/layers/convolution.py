"""What the convolutions share: their settings, parameters, and the product over windows with its backprop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.initializers import Generators, Initializer, for_inputs
from trainer_cli.layers.inputs import as_gradient, kind, sizes
from trainer_cli.model import Backprop, Forward, Model, width
from trainer_cli.ops import convolution
from trainer_cli.ops.convolution import Padding, Windows

Activation = Literal["linear", "relu"]
# From inputs to how many channels they have, and at how many places of one the window stands.
Measure = Callable[[Model, Any], tuple[int, int]]


def convolutional(
    layer: str,
    forward: Forward,
    measure: Measure,
    inits: tuple[Initializer, Initializer],
    dims: Mapping[str, int | None],
    kernel: tuple[int, ...],
    stride: int,
    padding: Padding,
    activation: Activation,
) -> Model:
    """A model with weights W (nO, *kernel, nI) and a bias b (nO,), `inits` theirs. ArgumentError: a setting makes no
    sense."""
    sizes(layer, kernel_size=kernel[0], stride=stride)
    for name, value, choices in (("padding", padding, ("same", "valid")), ("activation", activation, ACTIVATIONS)):
        if value not in choices:
            raise ArgumentError(f"{layer}: {name} is {' or '.join(map(repr, choices))}, got {value!r}")
    return Model(
        layer.partition(".")[0].lower(),
        forward,
        init=partial(init, measure, *inits),
        dims=sizes(layer, **dims),
        params=("W", "b"),
        no_decay=("b",),
        attrs={"layer": layer, "kernel": kernel, "stride": stride, "padding": padding, "activation": activation},
    )


ACTIVATIONS = ("linear", "relu")


def windows_in(model: Model, height: int, width: int) -> Windows:
    """The layer's windows in images of this size. ShapeError: not one has room."""
    kernel = (1, *model.attrs["kernel"])[-2:]
    windows = convolution.fitted((height, width), kernel, model.attrs["stride"], model.attrs["padding"])
    if windows.n == 0:
        size = f"{height} x {width}" if len(model.attrs["kernel"]) == 2 else str(width)
        raise ShapeError(f"{model.where}: {kind(model)} has a window of {kernel[1]}, too large for a size of {size}")
    return windows


def convolved(model: Model, X: Array, windows: Windows) -> tuple[Array, Backprop]:
    """The convolution of images (B, H, W, C), its bias and activation: outputs (B, Ho, Wo, nO) and their backprop."""
    ops, relu = model.ops, model.attrs["activation"] == "relu"
    b = model.get_param("b")
    W = model.W.reshape(len(b), *windows.kernel, X.shape[3])
    Y = convolution.convolve(ops, X, W, b, windows, relu)
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Array | None:
        dY = as_gradient(model, dY, Y)
        gradients = (model.grad.W, model.grad.b)
        W = model.W.reshape(len(b), *windows.kernel, X.shape[3])
        return convolution.backprop_convolve(ops, dY, (X, Y), W, windows, relu, gradients, input_gradient)

    return Y, backprop


def init(measure: Measure, init_W: Initializer, init_b: Initializer, model: Model, X: Any, Y: Any) -> None:
    """Sizes from the sample where they are left out; weights drawn as those of a matrix from all that a window has,
    (nO, kernel * nI)."""
    if X is not None:
        channels, model.attrs["positions"] = measure(model, X)
        model.set_dim("nI", channels)
    if Y is not None:
        model.set_dim("nO", width(Y))
    nO, kernel, nI = model.get_dim("nO"), model.attrs["kernel"], model.get_dim("nI")
    model.draw("W", partial(by_window, init_W), (nO, *kernel, nI))
    model.draw("b", for_inputs(init_b, math.prod(kernel) * nI), (nO,))


def by_window(
    init_W: Initializer, ops: Generators, shape: tuple[int, ...], *, generator: np.random.Generator | None = None
) -> Array:
    return init_W(ops, (shape[0], math.prod(shape[1:])), generator=generator).reshape(shape)
