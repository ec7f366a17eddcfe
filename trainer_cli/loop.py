"""The training loop. It reads and writes no file, prints nothing and knows no clock: whoever iterates does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trainer_cli.arrays import Batch
from trainer_cli.epochs import Epochs, Position
from trainer_cli.errors import DivergedError
from trainer_cli.model import Model
from trainer_cli.optimizers.updater import Updater
from trainer_cli.randomness import Moment
from trainer_cli.store import Store
from trainer_cli.wrappers.engine import batch_told

Gradient = Callable[[Batch, int], float]


@dataclass(frozen=True)
class Step:
    """What one update did. `loss` is that of the whole batch before the update; `position` is that after it."""

    position: Position
    loss: float
    learn_rate: float
    batch_size: int


def train(model: Model, optimizer: Updater, epochs: Epochs, gradient: Gradient) -> Iterator[Step]:
    """Update the model batch by batch, without end; the caller stops iterating.

    `gradient(batch, step)` leaves that of the batch in the model's store and returns the loss. DivergedError: the loss
    or a gradient is not finite, and the update is not made; or the update would be the end of a parameter, and the run
    must go back to a checkpoint. ModuleError: a module of another library failed.
    """
    for batch in epochs:
        step = epochs.position.step - 1
        store = model.store
        store.moment = Moment(epochs.seed, step)
        with placed(batch, step):
            loss = gradient(batch, step)
        learn_rate = optimizer.learn_rate
        update(model, optimizer, store, batch, step)
        yield Step(epochs.position, loss, learn_rate, len(batch.rows))


def update(model: Model, optimizer: Updater, store: Store, batch: Batch, step: int) -> None:
    """Change the weights, or raise DivergedError with the step and the rows if a number is not finite."""
    try:
        model.finish_update(optimizer)
        if name := store.first_changed_to_not_finite():
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
