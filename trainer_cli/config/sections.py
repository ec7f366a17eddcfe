"""The sections of a run's config: which there are, what each may hold, and the runner's own settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from trainer_cli.batchers.batcher import Batcher
from trainer_cli.schedules.schedule import Schedule

Rule = Callable[[Any], str | None]
NO_LIMIT = ". Write 0, or leave it out, for no limit"


def at_least(least: float, remedy: str = "") -> Rule:
    """Numbers may not be below `least`; schedules are left alone."""

    def rule(value: Any) -> str | None:
        wrong = isinstance(value, int | float) and value < least
        return f"must be {least} or more, got {value}{remedy}" if wrong else None

    return rule


def is_fraction(value: Any) -> str | None:
    wrong = isinstance(value, int | float) and not 0 <= value < 1
    return f"must be 0 or more and less than 1, got {value}" if wrong else None


def is_positive(value: Any) -> str | None:
    return None if value > 0 else f"must be above 0, got {value}"


Count = Annotated[int, at_least(1)]
Limit = Annotated[int, at_least(0, NO_LIMIT)]
Seconds = Annotated[float, at_least(0, NO_LIMIT)]


@dataclass(frozen=True)
class System:
    """`[system]`: what the bits of a run depend on beside its data.

    seed: all randomness is derived from it.
    threads: of matrix products; "auto" is a fixed rule on their sizes and the cores.
    ops: who computes; "auto" takes numba where it is installed.
    data_memory: MiB; encoded data that take more lie in a file, in the run's cache/ or the folder `[paths] cache`.
    """

    seed: int = 0
    threads: Annotated[int | Literal["auto"], at_least(1)] = "auto"
    ops: Literal["auto", "numpy", "numba"] = "auto"
    data_memory: Annotated[float, at_least(0)] = 256


@dataclass(frozen=True)
class InitFrom:
    """`[training.init_from]`: where the first numbers of parameters come from, and of which layers or parameters.

    path: a safetensors file, a run directory, a checkpoint or a model folder.
    only: names of layers or parameters, all others begin as they are drawn; left out, each is there.
    """

    path: Path
    only: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Training:
    """`[training]`: when to stop, when to evaluate, how large a batch is, which model is best. 0 is no limit.

    max_epochs, max_steps, max_time: passes over the data, updates, seconds; one of them is needed.
    patience: stop after so many updates without a better score.
    eval_frequency: updates between two evaluations.
    accumulate_gradient: micro-batches of one update.
    batch_size, eval_batch_size: rows of one update, and of one step of an evaluation.
    dropout: of all layers that take a dropout and set none of their own.
    score_weights: the best model has the highest sum of weighted scores.
    monitor: or the best value of this one score.
    weight_column: how much each row counts in losses and scores; it is no feature.
    balance: use rows of rare classes more often, so that classes come about equally often.
    batcher: how a pass is cut into batches; rows.v1 where there is none.
    init_from: the first numbers of the model, from a safetensors file, a run or a model folder.
    """

    max_epochs: Limit = 0
    max_steps: Limit = 0
    max_time: Seconds = 0
    patience: Limit = 0
    eval_frequency: Count = 200
    accumulate_gradient: Annotated[int | Schedule, at_least(1)] = 1
    batch_size: Count = 128
    eval_batch_size: Count = 1024
    dropout: Annotated[float | Schedule | None, is_fraction] = None
    score_weights: dict[str, float] = field(default_factory=dict)
    monitor: str | None = None
    weight_column: str | None = None
    balance: bool = False
    batcher: Batcher | None = None
    init_from: Path | InitFrom | None = None


@dataclass(frozen=True)
class Checkpoints:
    """`[checkpoints]`: how many are kept beside the best, and how many seconds of work a crash may cost."""

    keep: Count = 2
    max_seconds: Annotated[float, is_positive] = 300


@dataclass(frozen=True)
class Part:
    """A section that names functions of one registry: itself (`one`), sections of any name in it (`many`), or either.

    `inner` are the sections that it can have, where these are fixed.
    """

    kind: str
    one: bool = True
    many: bool = False
    inner: Mapping[str, Part] = field(default_factory=dict)
    annotation: Any = Any


SETTINGS: dict[str, type] = {"system": System, "training": Training, "checkpoints": Checkpoints}

DATA = {"train": Part("readers"), "dev": Part("readers", many=True), "split": Part("splits")}

PARTS = {
    "data": Part("readers", one=False, many=True, inner=DATA),
    "features": Part("encoders"),
    "target": Part("encoders"),
    "model": Part("layers"),
    "loss": Part("losses"),
    "optimizer": Part("optimizers"),
    "batch_size": Part("schedules", annotation=float | Schedule),
    "metrics": Part("metrics", one=False, many=True),
    "loggers": Part("loggers", one=False, many=True),
    "cluster": Part("clusters"),
}

FREE = "paths"
# The one path that the runner itself reads: where encoded data are kept.
CACHE = "cache"
KNOWN = (FREE, *SETTINGS, *PARTS)
REQUIRED = ("data.train", "model", "loss", "optimizer", "training")
