"""The convolution of images."""

from __future__ import annotations

from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.initializers import Initializer, he_normal_init, zero_init
from trainer_cli.layers.convolution import Activation, convolutional, convolved, windows_in
from trainer_cli.layers.images import as_images
from trainer_cli.model import Backprop, Model
from trainer_cli.ops.convolution import Padding
from trainer_cli.registry import registry


@registry.layers("Conv2D.v1")
def Conv2D(
    nO: int | None = None,
    nI: int | None = None,
    kernel_size: int = 3,
    *,
    stride: int = 1,
    padding: Padding = "same",
    activation: Activation = "linear",
    init_W: Initializer = he_normal_init,
    init_b: Initializer = zero_init,
) -> Model:
    """One affine map of each k x k window of an image: `Y[y, x] = W * X[y s : y s + k, x s : x s + k] + b`.

    X is (B, H, W, nI), Y is (B, Ho, Wo, nO); W is (nO, k, k, nI), b is (nO,). With `padding = "valid"` the windows
    lie within the image, `Ho = (H - k) // stride + 1`; with "same" zeros are put around it and `Ho = ceil(H / stride)`.
    `activation = "relu"` takes the positive part in the same pass. LeCun et al., "Gradient-Based Learning Applied to
    Document Recognition" (1998).
    """
    return convolutional(
        "Conv2D.v1",
        forward,
        measure,
        (init_W, init_b),
        {"nO": nO, "nI": nI},
        (kernel_size, kernel_size),
        stride,
        padding,
        activation,
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    X = as_images(model, X)
    return convolved(model, X, windows_in(model, X.shape[1], X.shape[2]))


def measure(model: Model, X: Any) -> tuple[int, int]:
    X = as_images(model, X)
    return X.shape[3], windows_in(model, X.shape[1], X.shape[2]).n
