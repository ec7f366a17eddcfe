"""The gradient of a batch from those of its parts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from trainer_cli.arrays import Batch, Ragged, Rows
from trainer_cli.epochs import micro_batches
from trainer_cli.errors import DivergedError
from trainer_cli.gradient_sum import GradientSum
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Model
from trainer_cli.schedules.schedule import Schedule


@dataclass(frozen=True)
class MicroBatch:
    """One of the `n` parts of a batch: the `index`-th, from 0.

    `share` is its mass over the batch's, by which its gradient and its loss count, `row_share` its rows over the
    batch's, by which the buffers that it leaves count.
    """

    batch: Batch
    index: int
    n: int
    share: float = 1.0
    row_share: float = 1.0


def cut(loss: Loss, batch: Batch, n: float) -> Iterator[MicroBatch]:
    """The parts of a batch: at most `n`, of at least one row each."""
    parts = list(micro_batches(batch, n))
    if len(parts) == 1:
        yield MicroBatch(batch, 0, 1)
        return
    for index, part in enumerate(parts):
        yield MicroBatch(part, index, len(parts), loss_share(loss, part, batch), len(part.rows) / len(batch.rows))


def add_gradient(model: Model, loss: Loss, part: MicroBatch) -> float:
    """Add a part's gradient to that in the model's store; what it adds to the loss of the batch.

    From a loss that is not finite nothing goes back: whoever asked ends the run. A model may have an attribute "whole",
    a function that does all of this by itself where it can, and else gives None.
    """
    batch = part.batch
    whole = model.attrs.get("whole")
    if whole is not None and (found := whole(model, loss, batch, part.share)) is not None:
        return float(found)
    Yh, backprop = model.begin_update(batch.X, input_gradient=False)
    dYh, value = loss(Yh, batch.Y, batch.weights)
    if part.n > 1:
        dYh, value = scale(dYh, part.share), loss.portion(value, part.share)
    if math.isfinite(value):
        backprop(dYh)
    return float(value)


class BatchGradient:
    """Leave the gradient of a batch, and the buffers that it makes, in the model's store: its parts one after the
    other, added along the fixed tree. The store's moment is that of the step."""

    def __init__(self, model: Model, loss: Loss, accumulate: Schedule):
        self.model = model
        self.loss = loss
        self.accumulate = accumulate
        self._total = GradientSum()

    def __call__(self, batch: Batch, step: int) -> float:
        """The loss of the batch. DivergedError: it is not finite."""
        value, n = 0.0, 0
        for part in cut(self.loss, batch, self.accumulate(step)):
            value, n = plus(value, add_gradient(self.model, self.loss, part)), part.n
            if n > 1:
                self._total.add(self.model.store, part.row_share)
        if n > 1:
            self._total.finish(self.model.store)
        return value


def plus(value: float, part: float) -> float:
    """The loss of the parts so far and of one more. DivergedError: it is not finite."""
    value += part
    if not math.isfinite(value):
        raise DivergedError(f"the loss is {value}")
    return value


def loss_share(loss: Loss, part: Batch, batch: Batch) -> float:
    """How much of the batch's mean a part of it is: its mass over the batch's. Parts of a sum count in full."""
    whole = loss.mass(batch.Y, batch.weights)
    if whole is None:
        return 1.0
    return (loss.mass(part.Y, part.weights) or 0.0) / whole if whole else 0.0


def scale(gradient: Rows, share: float) -> Rows:
    """`gradient * share`, in place where it is an array that may be written to."""
    if isinstance(gradient, Ragged):
        return Ragged(gradient.data * share, gradient.lengths)
    if isinstance(gradient, tuple):
        return tuple(scale(part, share) for part in gradient)
    if isinstance(gradient, dict):
        return {name: scale(part, share) for name, part in gradient.items()}
    if not gradient.flags.writeable:
        return gradient * share
    gradient *= share
    return gradient
