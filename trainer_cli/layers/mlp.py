"""A ready-made model of rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from trainer_cli.errors import ArgumentError
from trainer_cli.layers.chain import chain
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.inputs import sizes
from trainer_cli.layers.linear import Linear
from trainer_cli.layers.relu import Relu
from trainer_cli.layers.softmax import Softmax
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule

Output = Literal["softmax", "linear"]
OUTPUTS = {"softmax": Softmax, "linear": Linear}


@registry.layers("mlp.v1")
def mlp(
    hidden: Sequence[int] = (64,),
    *,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
    output: Output = "softmax",
    nO: int | None = None,
) -> Model:
    """Hidden layers of the positive part, one for each size in `hidden`, then the output layer; X is rows (B, nI).

    `output` is "softmax", probabilities of classes, or "linear", for numbers, or for logits that a loss takes. With no
    hidden layer this is a linear model. `dropout` drops outputs of the hidden layers in training, `normalize` puts a
    LayerNorm behind each. The layers are called hidden1, hidden2, ... and output; nO is inferred from the targets.
    """
    return chain(*stack("mlp.v1", hidden, dropout, normalize, output, nO))


def stack(
    layer: str,
    hidden: Sequence[int],
    dropout: float | Schedule | None,
    normalize: bool,
    output: Output,
    nO: int | None,
) -> list[Model]:
    """The hidden layers and the output layer, named."""
    if isinstance(hidden, str) or not isinstance(hidden, Sequence):
        raise ArgumentError(f"{layer}: hidden must be a list of sizes such as [64, 64], got {hidden!r}")
    if output not in OUTPUTS:
        raise ArgumentError(f'{layer}: output must be "softmax" or "linear", got {output!r}')
    sizes(layer, nO=nO, **{f"hidden[{index}]": size for index, size in enumerate(hidden)})
    for name, given in (("normalize", normalize), ("dropout", dropout is not None)):
        if given and not hidden:
            raise ArgumentError(f"{layer}: {name} does nothing without hidden layers")
    rate = checked(dropout)
    layers = [
        Relu(size, dropout=rate, normalize=normalize).named(f"hidden{number}") for number, size in enumerate(hidden, 1)
    ]
    return [*layers, OUTPUTS[output](nO).named("output")]
