"""A ready-made model of images."""

from __future__ import annotations

from typing import Any

from trainer_cli.initializers import Initializer, zero_init
from trainer_cli.layers.chain import chain
from trainer_cli.layers.conv2d import Conv2D
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.flatten import Flatten
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.max_pool2d import MaxPool2D
from trainer_cli.layers.relu import Relu
from trainer_cli.layers.softmax import Softmax
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("image_cnn.v1")
def image_cnn(
    width: int = 32,
    depth: int = 2,
    hidden: int = 128,
    dropout: float | Schedule | None = None,
    nO: int | None = None,
    *,
    init_W: Initializer | None = None,
    init_b: Initializer = zero_init,
) -> Model:
    """A classifier of images (B, H, W, C): `depth` blocks of convolution and pooling, a hidden layer, a softmax.

    Block i is a `Conv2D.v1` of 3 x 3 windows with `width * 2^(i - 1)` outputs and the positive part, and a
    `MaxPool2D.v1` that halves the sides. `dropout` drops outputs of the hidden layer; nO is inferred from the targets.
    The parameters are called `conv1.W`, `hidden.W`, `output.W` and so on. `init_W` draws all weights; without it each
    layer has the rule of its own, He's for convolutions, Glorot's for the hidden layer and zeros for the last.
    `init_b` draws all biases.
    """
    sizes("image_cnn.v1", width=width, depth=depth, hidden=hidden, nO=nO)
    inits: dict[str, Any] = {"init_b": init_b} | ({} if init_W is None else {"init_W": init_W})
    layers: list[Model] = []
    for block in range(1, depth + 1):
        layers.append(Conv2D(width * 2 ** (block - 1), activation="relu", **inits).named(f"conv{block}"))
        layers.append(MaxPool2D().named(f"pool{block}"))
    layers.append(Flatten())
    layers.append(Relu(hidden, dropout=checked(dropout), **inits).named("hidden"))
    layers.append(Softmax(nO, **inits).named("output"))
    return chain(*layers)
