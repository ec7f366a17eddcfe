"""How much worse a model's score gets when one column is shuffled: which columns it leans on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from trainer_cli.arrays import Batch, Ints, n_rows, slice_rows
from trainer_cli.data.block import Block, Column, is_tokens, pick
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.faults import Faults
from trainer_cli.data.reader import Reader
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.evaluate import evaluate
from trainer_cli.metrics.tally import Tally
from trainer_cli.randomness import generator
from trainer_cli.trained import Trained

MAX_ROWS = 10_000
N_SHUFFLES = 5


@dataclass(frozen=True)
class Importance:
    """What shuffling one column costs: the mean fall of the score, and its deviation over the shuffles (n - 1)."""

    column: str
    fall: float
    deviation: float


@dataclass(frozen=True)
class Importances:
    """The columns, the most important first; `score` is the one that falls, `value` what it is, of `n_rows` rows."""

    score: str
    value: float
    n_rows: int
    columns: tuple[Importance, ...]


def importances(
    trained: Trained, reader: Reader, *, batch_size: int, max_rows: int = MAX_ROWS, n_shuffles: int = N_SHUFFLES
) -> Importances:
    """Shuffle each column of the features among `max_rows` rows, and score the model on them.

    Of more rows they are taken evenly. Of lists, such as tokens, the items change places among those of all rows, as
    targets may depend on how many a row has.

    The score is that of the first metric, or the loss where there is none; one of which less is better rises, and that
    counts as its fall. Columns that say the same cover for each other: neither seems to matter. Breiman, "Random
    Forests" (2001); Fisher, Rudin and Dominici (2019), arXiv:1801.01489.
    """
    block = some_rows(reader, max_rows)
    name, value = score_of(trained, block, batch_size)
    sign = 1.0 if name != "loss" and is_higher_better(trained, name) else -1.0
    found = []
    for column in trained.features[1].reads:
        falls = []
        for shuffle in range(n_shuffles):
            values = shuffled_values(block.columns[column], generator(0, "importance", column, shuffle))
            other = replace(block, columns={**block.columns, column: values})
            shuffled = score_of(trained, other, batch_size)[1]
            falls.append(sign * (value - shuffled))
        deviation = statistics.stdev(falls) if n_shuffles > 1 else math.nan
        found.append(Importance(column, statistics.fmean(falls), deviation))
    ranked = sorted(found, key=lambda each: -each.fall)  # stable: equal ones as the encoder reads them
    return Importances(name, value, len(block), tuple(ranked))


def shuffled_values(values: Column, stream: np.random.Generator) -> Column:
    """The values in another order; each row with a list keeps its length."""
    if not is_tokens(values):
        return pick(values, stream.permutation(len(values)))
    items = [item for row in values for item in row]
    order, ends = stream.permutation(len(items)).tolist(), np.cumsum([0, *map(len, values)]).tolist()
    return [[items[at] for at in order[start:stop]] for start, stop in pairwise(ends)]


def some_rows(reader: Reader, max_rows: int) -> Block:
    """At most `max_rows` rows of a reader as one block: every n-th, in their order, for the smallest n that will do."""
    faults, n = Faults(), 0
    for block in faults.watch(reader.blocks()):
        n += len(block)
    faults.check()
    if not n:
        raise no_rows()
    stride = -(-n // max_rows)
    blocks = [block.take(rows) for block, rows in strided(reader, stride) if len(rows)]
    columns = {name: end_to_end([block.columns[name] for block in blocks]) for name in blocks[0].columns}
    return Block(columns, blocks[0].places)


def strided(reader: Reader, stride: int) -> Iterator[tuple[Block, Ints]]:
    """Each block with those of its rows whose number is divided by `stride`."""
    start = 0
    for block in reader.blocks():
        yield block, np.arange(-start % stride, len(block), stride)
        start += len(block)


def end_to_end(parts: list[Column]) -> Column:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    found: list[str] | list[list[str]] = [value for part in parts for value in part]  # type: ignore[assignment]
    return found


def score_of(trained: Trained, block: Block, batch_size: int) -> tuple[str, float]:
    """The name and value of the score of some rows."""
    X, Y = trained.features[1].encode(block), trained.target[1].encode(block)
    W = RowWeights(trained.weight_column).of(block)

    def batches() -> Iterator[Batch]:
        for start in range(0, n_rows(X), batch_size):
            stop = min(start + batch_size, n_rows(X))
            weights = None if W is None else W[start:stop]
            yield Batch(slice_rows(X, start, stop), slice_rows(Y, start, stop), weights, np.arange(start, stop))

    scores = evaluate(trained.model, trained.loss, first_metric(trained), batches())
    return next(iter(scores.metrics.items()), ("loss", scores.loss))


def first_metric(trained: Trained) -> dict[str, Tally]:
    return dict(list(trained.metrics.items())[:1])


def is_higher_better(trained: Trained, name: str) -> bool:
    return next(iter(trained.metrics.values())).higher_is_better
