"""Everything one training run works with, made from its config: data, model, loss, optimizer, metrics."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

from trainer_cli.balance import Balance
from trainer_cli.batchers.batcher import Batcher
from trainer_cli.data.dataset import Dataset
from trainer_cli.epochs import consecutive
from trainer_cli.errors import ArgumentError, ModelFileError
from trainer_cli.evaluate import Scores, evaluate
from trainer_cli.model import Model
from trainer_cli.optimizers.updater import Updater
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.state import Limits
from trainer_cli.table import score_text
from trainer_cli.trained import Trained

T = TypeVar("T")


class Watch(Protocol):
    """Shows how many of `n_items` pieces of work are done, and may leave them with an exception."""

    def __call__(self, items: Iterable[T], n_items: int, /) -> Iterator[T]: ...


# What a row of metrics.jsonl, and the result of an evaluation, say beside the scores: no score can be called so.
RESERVED = frozenset(
    {"step", "epoch", "samples", "train_loss", "loss", "learn_rate", "batch_size", "seconds", "final", "n"}
    | {"per_class", "confusion", "errors", "importance"}
)

# A step by which a batch-size schedule has grown as far as it will, for the choice of threads.
LATE_STEP = 10_000


@dataclass(frozen=True)
class Job:
    """What `Run` drives.

    `trained` is the model with what goes into its folder beside the weights, `config_text` the whole config, filled.
    `dev` are the dev sets by name: none, one, or several. `notes` are lines about the data that whoever
    trains on them should know.
    """

    trained: Trained
    config_text: str
    optimizer: Updater
    train: Dataset
    dev: Mapping[str, Dataset]
    batch_size: Schedule
    accumulate: Schedule
    batcher: Batcher
    balance: Balance | None
    limits: Limits
    seed: int
    eval_frequency: int
    eval_batch_size: int
    monitor: Monitor
    notes: Sequence[str] = ()

    @property
    def model(self) -> Model:
        return self.trained.model

    @property
    def rows_per_epoch(self) -> int:
        """The rows of one pass, one that is used twice counted twice."""
        return self.train.n if self.balance is None else self.balance.n_rows

    @property
    def largest_product(self) -> int:
        """Multiplications of the largest product in a forward pass over a batch."""
        products = (node.attrs.get("largest_product", largest_product(node)) for node in self.model.walk())
        return largest_batch(self.batch_size) * max(products, default=0)

    @cached_property
    def followers(self) -> dict[str, Schedule]:
        """The schedules that follow the dev score, by what they set."""
        rates = {f"optimizer.{name}": schedule for name, schedule in self.optimizer.schedules.items()}
        rates |= {"batch_size": self.batch_size, "training.accumulate_gradient": self.accumulate}
        return {name: schedule for name, schedule in rates.items() if schedule.reads_scores} | followers_in(self.model)

    def observe(self, score: float, step: int) -> dict[str, Any]:
        """Tell the followers the score found after `step` updates; what they remember from now on."""
        for schedule in self.followers.values():
            schedule.observe(score, step)
        return {name: schedule.to_state() for name, schedule in self.followers.items()}

    def remember(self, memories: Mapping[str, Any]) -> None:
        """Give the followers back what they remembered. ModelFileError: it belongs to other schedules."""
        for name, memory in memories.items():
            if name not in self.followers:
                raise ModelFileError(f"the state of the run has a memory of {name}, which follows no score now")
            self.followers[name].load_state(memory)

    def evaluate(self, data: Dataset, watch: Watch) -> Scores:
        """Score the model with its averages, where the optimizer keeps them, on rows of data."""
        n_batches = -(-data.n // self.eval_batch_size)
        batches = watch(consecutive(data, self.eval_batch_size), n_batches)
        with self.model.use_params(self.optimizer.averages):
            return evaluate(self.model, self.trained.loss, self.trained.metrics, batches)


def followers_in(model: Model) -> dict[str, Schedule]:
    """The schedules in a model's layers that follow the dev score, by what they set."""
    return {
        f"{node.path}.{name}": value
        for node in model.walk()
        for name, value in node.attrs.items()
        if isinstance(value, Schedule) and value.reads_scores
    }


def largest_batch(batch_size: Schedule) -> int:
    """The rows of the largest batch, as far as two steps tell."""
    return max(1, int(max(batch_size(step) for step in (0, LATE_STEP))))


def largest_micro_batch(batch_size: Schedule, accumulate: Schedule) -> int:
    """The most rows that a pass of training has, as far as the steps to LATE_STEP tell. Limits of the run do not count,
    for they may be raised."""
    sizes = (batch_size(step) / max(1, int(accumulate(step))) for step in range(LATE_STEP + 1))
    return max(1, math.ceil(max(sizes)))


def largest_product(node: Model) -> int:
    """Multiplications of a layer's largest product for one row."""
    sizes = (node.get_param(name).size for name in node.param_names if node.has_param(name))
    positions: int = node.attrs.get("positions", 1)
    return positions * max(sizes, default=0)


def score_name(name: str, of: str, sets: Collection[str]) -> str:
    """What a score of a dev set is called: by its own name where there is one set, else `<set>.<score>`."""
    return name if len(sets) < 2 else f"{of}.{name}"


def named(found: Mapping[str, Scores]) -> dict[str, float]:
    """The losses and scores of all dev sets, flat, by name."""
    return {
        score_name(name, of, found): value
        for of, scores in found.items()
        for name, value in {"loss": scores.loss, **scores.metrics}.items()
    }


@dataclass(frozen=True)
class Monitor:
    """What makes one evaluation better than another: a weighted sum of scores, each turned so that higher is better.

    `weights` by the score's name ("loss" is the dev loss); `names` are all scores there are beside it.
    """

    weights: Mapping[str, float]
    names: tuple[str, ...]
    higher_is_better: Mapping[str, bool]

    def names_of(self, name: str, sets: Collection[str]) -> list[str]:
        """What the scores of a dev set, one of these, are called by themselves, the loss aside."""
        before = score_name("", name, sets)
        own = (each.removeprefix(before) for each in self.names if each.startswith(before))
        return [each for each in own if each != "loss"]

    def score(self, values: Mapping[str, float]) -> float:
        if missing := self.weights.keys() - values.keys():
            given = ", ".join(values)
            raise ArgumentError(f"no metric gave the score {min(missing)!r} this time, only {given}: give it always")
        return sum(w * (values[n] if self.higher_is_better[n] else -values[n]) for n, w in self.weights.items())

    def text(self, score: float) -> str:
        """A score in words: one that is watched alone by its name and as it is, a sum of several as `score`."""
        if list(self.weights.values()) != [1.0]:
            return f"score {score_text(score)}"
        name = next(iter(self.weights))
        return f"{name} {score_text(score if self.higher_is_better[name] else -score)}"
