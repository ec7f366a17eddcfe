"""The training loop. It reads and writes no file, prints nothing and knows no clock: whoever iterates does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trainer_cli.arrays import Batch, Ragged, Rows
from trainer_cli.epochs import Epochs, Position, micro_batches
from trainer_cli.errors import DivergedError
from trainer_cli.gradient_sum import GradientSum
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Model
from trainer_cli.optimizers.updater import Updater
from trainer_cli.randomness import Moment
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.wrappers.engine import batch_told


@dataclass(frozen=True)
class Step:
    """What one update did. `loss` is that of the whole batch before the update; `position` is that after it."""

    position: Position
    loss: float
    learn_rate: float
    batch_size: int


def train(model: Model, loss: Loss, optimizer: Updater, epochs: Epochs, accumulate: Schedule) -> Iterator[Step]:
    """Update the model batch by batch, without end; the caller stops iterating.

    The batch of step s is cut into `accumulate(s)` micro-batches; each one's gradient counts by its share of the
    batch's mass, and they are added along a fixed tree. DivergedError: the loss or a gradient is not finite, and the
    update is not made; or the update would be the end of a parameter, and the run must go back to a checkpoint.
    ModuleError: a module of another library failed.
    """
    store, total = model.store, GradientSum()
    for batch in epochs:
        step = epochs.position.step - 1
        store.moment = Moment(epochs.seed, step)
        parts = list(micro_batches(batch, accumulate(step)))
        value = 0.0
        for part in parts:
            with placed(batch, step):
                Yh, backprop = model.begin_update(part.X, input_gradient=False)
            dYh, part_value = loss(Yh, part.Y, part.weights)
            if len(parts) > 1:
                share = loss_share(loss, part, batch)
                dYh, part_value = scale(dYh, share), loss.portion(part_value, share)
            value += float(part_value)
            if not math.isfinite(value):
                raise diverged(f"the loss is {value}", batch, step)
            with placed(batch, step):
                backprop(dYh)
            if len(parts) > 1:
                total.add(store, len(part.rows) / len(batch.rows))
        if len(parts) > 1:
            total.finish(store)
        learn_rate = optimizer.learn_rate
        update(model, optimizer, batch, step)
        yield Step(epochs.position, value, learn_rate, len(batch.rows))


def update(model: Model, optimizer: Updater, batch: Batch, step: int) -> None:
    """Change the weights, or raise DivergedError with the step and the rows if a number is not finite."""
    try:
        model.finish_update(optimizer)
        if name := model.store.first_changed_to_not_finite():
            raise DivergedError(f"it made {name} infinite or NaN")
    except DivergedError as err:
        raise diverged(str(err), batch, step) from err
    optimizer.step_schedules()


@contextmanager
def placed(batch: Batch, step: int) -> Iterator[None]:
    """Within the block, what a module of another library does wrong is told with the step and the rows."""
    try:
        with batch_told(batch.rows, f"in update {step + 1}: "):
            yield
    except DivergedError as err:
        raise diverged(str(err), batch, step) from err


def diverged(reason: str, batch: Batch, step: int) -> DivergedError:
    return DivergedError(f"diverged in update {step + 1}: {reason}", rows=batch.rows.tolist())


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
