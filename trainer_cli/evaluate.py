"""Scores of a model on rows it was not trained on."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Ragged, Rows, rows_not_finite
from trainer_cli.errors import ArgumentError, DivergedError
from trainer_cli.losses.loss import Link, Loss
from trainer_cli.losses.tokens import of_tokens
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Model
from trainer_cli.store import is_finite
from trainer_cli.wrappers.engine import rows_told


@dataclass(frozen=True)
class Scores:
    """What an evaluation found. `loss` is the mean over the rows (the sum, for a loss that is one)."""

    n: int
    loss: float
    metrics: dict[str, float]


def evaluate(model: Model, loss: Loss, metrics: Mapping[str, Tally], batches: Iterable[Batch]) -> Scores:
    """Predict batch by batch and tally: nothing is kept of a batch but its counts, and a short last one is exact."""
    return scored(loss, metrics, outputs(model, loss, batches))


@dataclass(frozen=True)
class Outputs:
    """What a model says of a batch: `Yh` as the loss takes it, `Ph` as metrics and decoding do."""

    batch: Batch
    Yh: Any
    Ph: Any


def outputs(model: Model, loss: Loss, batches: Iterable[Batch]) -> Iterator[Outputs]:
    """Predict batch by batch. DivergedError: what the model gives of some rows, which it has, is not finite."""
    for batch in batches:
        yield Outputs(batch, *said_of(model, loss, batch.X, batch.rows))


def said_of(model: Model, loss: Loss, X: Rows, rows: Ints) -> tuple[Any, Any]:
    """What a model says of these rows of the data, as the loss takes it and as metrics and decoding do.

    ModuleError: a module of another library failed. DivergedError: it says NaN or infinity of some rows.
    """
    with rows_told(model, rows):
        Yh = model.predict(X)
        Ph = probabilities(Yh, loss.link)
        check_finite(Ph)
        return Yh, Ph


def check_finite(Ph: Any) -> None:
    """DivergedError, with the places of the rows: some of what a model says is NaN or infinite."""
    found = Ph.data if isinstance(Ph, Ragged) else Ph
    if isinstance(found, np.ndarray) and found.dtype.kind == "f" and not is_finite(found.reshape(-1)):
        raise DivergedError("the model gives NaN or infinite numbers", rows=rows_not_finite(Ph).tolist())


def scored(loss: Loss, metrics: Mapping[str, Tally], found: Iterable[Outputs]) -> Scores:
    """Tally what a model says."""
    return counted(loss, metrics, found).scores(loss)


@dataclass
class Counts:
    """What an evaluation has counted so far: rows, the loss and the mass of each batch, and the metrics' tallies."""

    n: int
    losses: list[tuple[float, float | None]]
    tallies: dict[str, Tally]

    def merge(self, other: Counts) -> None:
        """Add the counts of the batches that come next."""
        self.n += other.n
        self.losses += other.losses
        for name, tally in self.tallies.items():
            tally.merge(other.tallies[name])

    def scores(self, loss: Loss) -> Scores:
        return Scores(self.n, whole_loss(loss, self.losses), named_results(self.tallies))


def counted(loss: Loss, metrics: Mapping[str, Tally], found: Iterable[Outputs]) -> Counts:
    """Count what a model says, in tallies of its own."""
    counts = Counts(0, [], {name: copy.deepcopy(metric) for name, metric in metrics.items()})
    for batch, Yh, Ph in ((each.batch, each.Yh, each.Ph) for each in found):
        value = float(loss.get_loss(Yh, batch.Y, batch.weights))
        counts.losses.append((value, loss.mass(batch.Y, batch.weights)))
        counts.n += len(batch.rows)
        for name, tally in counts.tallies.items():
            count(name, tally, Ph, batch.Y, batch.weights)
    return counts


def count(name: str, tally: Tally, outputs: Any, truths: Rows, weights: Array | None) -> None:
    """Let a metric count the rows of a batch; of ragged ones the tokens, unless it says `ragged = True`."""
    if isinstance(outputs, Ragged) and not getattr(tally, "ragged", False):
        Ph, Y, token_weights = of_tokens(name, outputs, truths, weights)
        if len(Ph):  # sentences may be empty
            tally.update(Ph, Y, token_weights)
    else:
        tally.update(outputs, truths, weights)


def whole_loss(loss: Loss, parts: Sequence[tuple[float, float | None]]) -> float:
    """The loss of all rows from the loss and mass of each batch; NaN where nothing counts."""
    total = sum(mass for _, mass in parts if mass is not None)
    if not parts or (total == 0 and parts[0][1] is not None):
        return math.nan
    return sum(value if mass is None else loss.portion(value, mass / total) for value, mass in parts)


def probabilities(outputs: Any, link: Link) -> Any:
    """What metrics and decoding take: the outputs, an array or Ragged, passed through the loss's link."""
    if isinstance(outputs, Ragged):
        return outputs.like(probabilities(outputs.data, link))
    if link == "softmax":
        exponentials = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)
    if link == "sigmoid":
        return 0.5 * (1 + np.tanh(0.5 * outputs))  # 1 / (1 + exp(-x)) without overflow
    return outputs


def named_results(tallies: Mapping[str, Tally]) -> dict[str, float]:
    """One flat entry a score: a metric with several gives `<metric>_<score>`. ArgumentError: one is no number."""
    found: dict[str, float] = {}
    for name, tally in tallies.items():
        result = tally.result()
        if isinstance(result, Mapping):
            found |= {f"{name}_{key}": number(name, value) for key, value in result.items()}
        else:
            found[name] = number(name, result)
    return found


def number(name: str, value: object) -> float:
    if isinstance(value, str | bytes):
        raise ArgumentError(f"the metric {name} must give a number, or several by name, not {value!r}")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as err:
        raise ArgumentError(f"the metric {name} must give a number, or several by name, not {value!r}") from err
