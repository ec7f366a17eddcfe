"""Whether a run comes to batches of one row that its model cannot be trained on, as BatchNorm cannot."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Rows, slice_rows
from trainer_cli.batchers.batcher import Batcher
from trainer_cli.batches import whole_size
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError
from trainer_cli.model import Model
from trainer_cli.rehearsal import unchanged
from trainer_cli.run_schedules import EACH_STEP, size_key, steps_of
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.wrappers.engine import ModuleError, engines_of


def check_one_row(config: RunConfig, model: Model, X: Rows, n: int, batch_size: Schedule, batcher: Batcher) -> None:
    """ConfigError: a batch of `n` training rows, or a micro-batch of one, has one row, at which a module of another
    library fails. `X` are some of them."""
    known = type(batcher).cut is Batcher.cut and not batch_size.is_drawn
    if not known or not any(engine.library == "PyTorch" for engine in engines_of(model)):
        return
    n_steps = min(steps_of(config, n, batch_size), EACH_STEP)
    if least_rows(n, batch_size, as_schedule(config.training.accumulate_gradient), n_steps) > 1:
        return
    try:
        with unchanged(model), np.errstate(all="ignore"):
            model.begin_update(slice_rows(X, 0, 1), input_gradient=False)
    except ModuleError as err:
        key = "training.batch_size" if size_key(config) == "batch_size" else size_key(config)
        told = str(err).removeprefix(f"{err.where}: ")
        message = f"of {n} training rows a batch or micro-batch has one row, and there {told}"
        raise ConfigError(problems=[config.problem(key, message)]) from err


def least_rows(n: int, batch_size: Schedule, accumulate: Schedule, n_steps: int) -> int:
    """The fewest rows of a micro-batch in so many updates with `n` rows a pass.

    >>> least_rows(47, as_schedule(23), as_schedule(1), 10), least_rows(48, as_schedule(23), as_schedule(2), 10)
    (1, 1)
    >>> least_rows(47, as_schedule(7), as_schedule(2), 10)
    2
    """
    least, used, carry = n, 0, 0.0
    for step in range(n_steps):
        size, carry = whole_size(batch_size, step, carry)
        rows = min(size, n - used % n)
        least = min(least, rows // min(max(1, int(accumulate(step))), rows))
        used += rows
    return least
