"""A layer and what went around it."""

from __future__ import annotations

from typing import Any

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.layers.inputs import describe
from trainer_cli.layers.parallel import alike, check_width, require_layers, total
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry


@registry.layers("residual.v1")
def residual(layer: Model) -> Model:
    """Add a layer's input to its output: `Y = X + f(X)`.

    X and Y, arrays or Ragged, have one shape, so an nO that `layer` leaves out is the width of X. He, Zhang, Ren and
    Sun, "Deep Residual Learning for Image Recognition" (CVPR 2016), arXiv:1512.03385.
    """
    require_layers("residual", [layer])
    return Model("residual", forward, init=init, layers=[layer], attrs={"layer": "residual.v1"})


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    input_gradient = model.input_gradient
    Y, backprop_layer = model.layers[0](X, is_train, input_gradient)

    def backprop(dY: Array | Ragged) -> Any:
        dX = backprop_layer(dY)
        return total([dX, dY]) if input_gradient else None

    return total([X, Y]), backprop


def init(model: Model, X: Any, Y: Any) -> None:
    layer = model.layers[0]
    layer.init(X, Y if X is None else X)
    if X is None:
        return
    output = layer.predict(X)
    if not alike([output, X]):
        raise ShapeError(
            f"{model.where}: residual adds its input, {describe(X)}, to the output of {layer.where}, "
            f"{describe(output)}: they must have one shape"
        )
    check_width(model, output, Y)
