"""A job's model and optimizer as a checkpoint, and back."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from trainer_cli import state, tensors, trained
from trainer_cli.arrays import Array
from trainer_cli.checkpoint import MODEL, OPTIMIZER, STATE, Checkpoint
from trainer_cli.errors import DivergedError, ModelFileError
from trainer_cli.job import Job
from trainer_cli.state import RunState

PARAMS = "params.safetensors"


def take(job: Job, at: RunState) -> Checkpoint:
    """The run in the state `at`, copied. DivergedError: a number is not finite, and must not be saved.

    The model folder gets the parameters that predict, the buffers, and their scores if they were evaluated. These
    parameters are the averages, where the optimizer keeps them; the weights that training goes on with are then beside
    the moments, as `weights.<name>`.
    """
    store = job.model.store
    arrays = {name: array.copy() for name, array in job.optimizer.to_arrays(store).items()}
    weights = {name: array.copy() for name, array in store.named(store.values).items()}
    buffers = {name: array.copy() for name, array in store.buffers.named().items()}
    for name, array in (*weights.items(), *buffers.items(), *arrays.items()):
        if not np.isfinite(array).all():
            raise DivergedError(f"diverged: {name} is not finite after update {at.position.step}")
    params = {name: arrays.pop(f"averages.{name}") for name in weights if f"averages.{name}" in arrays}
    # Of a table the averages as they stand go along: when they are caught up is part of the run's bits.
    averages: Mapping[Hashable, Array] = job.optimizer.averages or {}
    for table in store.tables:
        if table.name in params:
            arrays[f"averages.{table.name}"], params[table.name] = params[table.name], averages[table.key].copy()
    if at.position.step > 0 and params:
        arrays |= {f"weights.{name}": array for name, array in weights.items()}
    else:
        # Before the first update the averages are zeros, which predict nothing.
        params = weights
    scores = at.scores if at.evaluated == at.position.step else {}
    return Checkpoint(
        at.position.step, trained.to_files(job.trained, params | buffers, scores), arrays, state.to_json(at)
    )


def restore(job: Job, found: Checkpoint) -> RunState:
    """Give a job's model and optimizer the weights, buffers, averages and moments of a checkpoint; the run's state.

    ModelFileError: a file of the checkpoint, which it names, does not fit them.
    """
    store, optimizer, arrays = job.model.store, job.optimizer, dict(found.optimizer)
    weights = {name.removeprefix("weights."): arrays.pop(name) for name in list(arrays) if name.startswith("weights.")}
    with of_file(STATE):
        at = state.from_json(found.state)
    with of_file(f"{MODEL}/{PARAMS}"):
        params = tensors.from_bytes(found.model[PARAMS])
        store.buffers.load({name: params.pop(name) for name in store.buffers.named() if name in params})
        if not weights:
            store.load(params, store.values)
    with of_file(OPTIMIZER):
        if weights:
            store.load(weights, store.values)
        if optimizer.use_averages:
            averages = {f"averages.{name}": array if found.step > 0 else array * 0 for name, array in params.items()}
            arrays = averages | arrays
        optimizer.from_arrays(store, arrays, n_updates=found.step)
    optimizer.position = found.step
    return at


@contextmanager
def of_file(name: str) -> Iterator[None]:
    """Within the block, a ModelFileError says which file of the checkpoint is meant."""
    try:
        yield
    except ModelFileError as err:
        raise ModelFileError(f"{name}: {err}") from err
