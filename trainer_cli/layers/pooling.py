"""What the pooling layers share."""

from __future__ import annotations

from typing import Any

from trainer_cli.errors import ShapeError
from trainer_cli.layers.images import as_images
from trainer_cli.layers.inputs import describe, kind, sizes
from trainer_cli.model import Forward, Model
from trainer_cli.ops import convolution
from trainer_cli.ops.convolution import Windows


def pool(layer: str, forward: Forward, size: int, stride: int | None) -> Model:
    """A layer of windows `size` wide, `stride` apart (None: side by side); those that would overlap the edge are left
    out."""
    sizes(layer, size=size, stride=stride)
    attrs = {"layer": layer, "size": size, "stride": stride or size}
    return Model(layer.partition(".")[0].lower(), forward, init=init, attrs=attrs)


def windows_in(model: Model, X: Any) -> Windows:
    size = model.attrs["size"]
    windows = convolution.fitted(X.shape[1:3], (size, size), model.attrs["stride"], "valid")
    if windows.n == 0:
        raise ShapeError(f"{model.where}: {kind(model)} has windows of {size} x {size}, too large for {describe(X)}")
    return windows


def init(model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        windows_in(model, as_images(model, X))
