"""What a trained model says of raw records, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints, Ragged, Rows, slice_rows
from trainer_cli.data.blank import BlankTexts
from trainer_cli.data.block import Block
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.faults import MAX_SHOWN, Faults, batch_at
from trainer_cli.data.known import KnownValues
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ArgumentError, DataError, DivergedError, Problem
from trainer_cli.evaluate import said_of
from trainer_cli.trained import Trained
from trainer_cli.wrappers.engine import ModuleError

# Significant digits that a float32 can tell.
DIGITS = 7

Encode = Callable[[Block], Rows]


@dataclass(frozen=True)
class Predicted:
    """Rows as they were read, and for each what is predicted: a label, a list of them where a row may have several, a
    number in the column's own unit, or a tag for each word.

    `scores` are the probabilities of the labels (of a list of them a list), None for numbers and tags; `ranked` has for
    each row the most probable labels with theirs, if more than the first were asked for. `separator` stands between the
    labels of a list where they are one text. `are_tags`: each word of a row has a value.
    """

    block: Block
    values: list[Any]
    scores: list[Any] | None
    ranked: list[list[tuple[str, float]]] | None
    separator: str = ";"
    are_tags: bool = False


@dataclass
class Account:
    """What became of the rows: how many have their prediction, how many were left out since they could not be encoded,
    and how many mistakes the reader told of, each of which may cost a row or more; `seen` counts known categories and
    `blank` rows without a text."""

    rows: int = 0
    left_out: int = 0
    unread: int = 0
    faults: Faults = field(default_factory=Faults)
    seen: KnownValues | None = None
    blank: BlankTexts | None = None

    def leave_out(self, problem: Problem) -> None:
        """Take back a row that has its prediction, since it cannot be written."""
        self.rows -= 1
        self.left_out += 1
        self.faults.add(problem)


def predictions(
    trained: Trained, reader: Reader, *, batch_size: int, top: int = 1, account: Account | None = None
) -> Iterator[Predicted]:
    """The predictions for the rows of a reader, in order; memory does not grow with the data.

    The target need not be there. Rows that cannot be read or encoded are left out; `account` has them with their places
    when all is done. DataError: without an account, there are such rows; with one, there is no other row. Errors of
    the model are those of `outputs_of`.
    """
    account, is_told, read = account or Account(), account is not None, Faults()
    for block in read.watch(reader.blocks()):
        found = fitting(trained.features[1].encode, block, account)
        if found is not None:
            block, X = found
            account.rows += len(block)
            if account.seen is not None:
                account.seen.add(X)
            if account.blank is not None:
                account.blank.add(block)
            for start in range(0, len(block), batch_size):
                part = block.take(np.arange(start, min(start + batch_size, len(block))))
                outputs = outputs_of(trained, part, slice_rows(X, start, start + batch_size))
                yield predicted(trained, part, outputs, top)
    if read:
        account.unread = read.total
        account.faults.add_error(read.error())
    if account.rows == 0 or not is_told:
        account.faults.check()
    if account.rows == 0:
        raise no_rows()


def outputs_of(trained: Trained, block: Block, X: Rows) -> Any:
    """What the model says of the rows of a batch. ModuleError: a module of another library failed, with the rows;
    DivergedError: it says NaN or infinity of some."""
    try:
        return said_of(trained.model, trained.loss, X, np.arange(len(block)))[1]
    except (ModuleError, DivergedError) as err:
        places = [block.at(row) for row in err.rows[:MAX_SHOWN]]
        raise err.within(after=batch_at(places, len(err.rows), err.rows_are)) from err.__cause__


def fitting(encode: Encode, block: Block, account: Account) -> tuple[Block, Rows] | None:
    """The rows of a block that can be encoded, with their features; None where there are none.

    DataError: the mistake is in the columns, not in a row, and no row came before.
    """
    try:
        return block, encode(block)
    except DataError as err:
        if is_of_columns(encode, block, err):
            if account.rows == 0:
                raise
            account.faults.add_error(err)
            rows: list[int] = []
        else:
            rows = encodable(encode, block, 0, err, account.faults)
    account.left_out += len(block) - len(rows)
    kept = block.take(np.array(rows, np.int64))
    return (kept, encode(kept)) if rows else None


def is_of_columns(encode: Encode, block: Block, error: DataError) -> bool:
    """Whether a mistake is that of every row, as that of a missing column is: the first and last alone have it too."""
    if len(block) == 1:
        return False
    for row in (0, len(block) - 1):
        try:
            encode(block.take(np.array([row])))
        except DataError as err:
            if str(err) == str(error):
                continue
        return False
    return True


def encodable(encode: Encode, block: Block, start: int, error: DataError, faults: Faults) -> list[int]:
    """The rows that can be encoded, counted from `start`, of a block with the mistake `error`; found by halving it."""
    if len(block) == 1:
        faults.add_error(error)
        return []
    found: list[int] = []
    for rows in halves(len(block)):
        half, first = block.take(rows), start + int(rows[0])
        try:
            encode(half)
            found += range(first, first + len(rows))
        except DataError as err:
            found += encodable(encode, half, first, err, faults)
    return found


def halves(n: int) -> tuple[Ints, Ints]:
    """The numbers below n, in two parts."""
    rows = np.arange(n)
    return rows[: n // 2], rows[n // 2 :]


def predicted(trained: Trained, block: Block, outputs: Array | Ragged, top: int) -> Predicted:
    """The predictions for one batch, from the model's probabilities or numbers (B, n), or ragged ones a token."""
    target = trained.target[1]
    names = getattr(target, "names", ())
    values = target.decode(outputs)
    if isinstance(outputs, Ragged):
        if top > 1:
            raise ArgumentError("--top ranks the labels of a record; this model gives each word a tag")
        return Predicted(block, values, None, None, " ", are_tags=True)
    if not names or outputs.shape[1] != len(names):
        scale = float(np.min(getattr(target, "scale", 0)))
        return Predicted(block, [told(value, scale) for value in values], None, None)
    is_list = getattr(target, "truths", "") == "flags"
    scores = of_lists(names, values, outputs) if is_list else of_labels(names, values, outputs)
    separator = getattr(target, "separator", ";")
    if top == 1:
        return Predicted(block, values, scores, None, separator)
    # Stable, so that of equally probable ones the first comes first, as in `decode`.
    order = np.argsort(-outputs, axis=1, kind="stable")[:, :top]
    ranked = [[(names[i], float(row[i])) for i in best] for row, best in zip(outputs, order.tolist(), strict=True)]
    return Predicted(block, values, scores, ranked, separator)


def of_labels(names: Sequence[str], values: Sequence[str], outputs: Array) -> list[float]:
    """The probability (B, n) of the label that each row is given."""
    places = {name: i for i, name in enumerate(names)}
    given = np.fromiter(map(places.__getitem__, values), np.int64, len(values))
    found: list[float] = outputs[np.arange(len(outputs)), given].astype(float).tolist()
    return found


def of_lists(names: Sequence[str], values: Sequence[Sequence[str]], outputs: Array) -> list[list[float]]:
    """The probabilities (B, n) of the labels that each row is given."""
    places = {name: i for i, name in enumerate(names)}
    return [[float(row[places[name]]) for name in given] for row, given in zip(outputs, values, strict=True)]


def told(value: Any, scale: float) -> Any:
    """A number with the digits that float32 can tell: seven of its own, or of its column's deviation `scale`, which
    may be far smaller; anything else as it is.

    >>> told(0.12345678912, 0), told(1234567.8901234, 0), told(1234567.8901234, 0.5)
    (0.1234568, 1234568.0, 1234567.8901234)
    """
    if not isinstance(value, float) or not math.isfinite(value) or value == 0:
        return value
    sizes = [abs(size) for size in (value, scale) if size and math.isfinite(size)]
    return round(value, DIGITS - 1 - math.floor(math.log10(min(sizes))))
