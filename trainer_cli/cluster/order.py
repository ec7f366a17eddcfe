"""What a driver tells its workers, and what they answer: nothing here computes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from trainer_cli.arrays import Array, Ints, Rows
from trainer_cli.backend import Work
from trainer_cli.cluster.blocks import Block
from trainer_cli.cluster.memory import Handle
from trainer_cli.data import encoder
from trainer_cli.data.fingerprint import Contents
from trainer_cli.gradient import MicroBatch
from trainer_cli.gradient_sum import Sums
from trainer_cli.rehearsal import N_ROWS

# Where workers get their rows: each reads the files itself, or the driver sends them.
From = Literal["local", "driver"]


@dataclass(frozen=True)
class Order:
    """All that a worker needs to compute as the driver would.

    `config` is the whole config, filled; `encoders` are the fitted ones, as files keep them; `sample` are the first
    rows, from which the model's sizes follow; `constants` are the buffers that no training changes; `code` are the
    files of --code, and `contents` those of each data set, with the sha256 of what the driver has read.
    """

    config: str
    code: Contents
    folder: str
    encoders: tuple[Any, Mapping[str, Array]]
    sample: Rows
    constants: Mapping[str, Array]
    ops: Literal["numpy", "numba"]
    threads: int
    data: From
    contents: Mapping[str, Contents]
    cache: str | None


def order_of(work: Work, data: From) -> Order:
    """The order for a run."""
    job, facts = work.job, work.facts
    return Order(
        config=job.config_text,
        code=[(part["path"], part["sha256"]) for part in facts["code"]],
        folder=os.getcwd(),
        encoders=encoder.pack({"features": job.trained.features, "target": job.trained.target}),
        sample=job.train.first(N_ROWS)[0],
        constants=job.model.store.buffers.constants,
        ops=facts["ops"],
        threads=facts["threads"],
        data=data,
        contents=work.contents,
        cache=None if work.cache is None else str(work.cache),
    )


@dataclass(frozen=True)
class Weights:
    """The numbers that a worker computes with: the `version`-th of the run.

    They lie in shared memory, parameters and buffers end to end, on the driver's machine; elsewhere they
    come along. `changed` are the rows of tables by which they differ from the version before, None if any may, `exact`
    the buffers that lie apart, `memories` those of the schedules in the model that follow the scores.
    """

    version: int
    changed: Mapping[str, Ints] | None
    exact: Mapping[str, Array]
    memories: Mapping[str, Any]
    memory: Handle | None


@dataclass(frozen=True)
class Task:
    """Micro-batches of one step for a worker, block by block, and where the sums of the blocks go.

    Where the worker has the data itself, the inputs in a batch are the numbers of its rows.
    """

    step: int
    blocks: Sequence[tuple[Block, Sequence[MicroBatch]]]
    memory: Handle | None = None


class Answer(NamedTuple):
    """The sum of a block, and the loss of each of its micro-batches; without a sum if one of these is not finite.
    `seconds` is how long that took the worker.

    Where there is shared memory, the dense gradients and the buffers lie there, and are empty here.
    """

    losses: Sequence[float]
    sums: Sums | None
    seconds: float
