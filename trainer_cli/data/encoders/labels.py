"""Class labels as numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ints
from trainer_cli.data.block import Block, is_tokens
from trainer_cli.data.encoders.classes import Classes, Unknown, stated_unknown, stranger
from trainer_cli.data.encoders.floats import number
from trainer_cli.data.encoders.gaps import REMEDY, SKIP, Gaps, stated_gaps
from trainer_cli.data.encoders.state import stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem, ShapeError
from trainer_cli.losses.loss import Truths
from trainer_cli.losses.unknown import UNKNOWN
from trainer_cli.registry import registry

# More different labels than this, where hardly any comes twice, are no classes; of numbers with fractions fewer.
MANY_CLASSES = 1000
MANY_NUMBERS = 20
SEVERAL = "multilabel.v1 takes several, tags.v1 one for each token"


@registry.encoders("labels.v1")
class Labels(Classes):
    """Labels as class numbers, (B,) int64: the place of each among the labels of the training rows.

    The order: where every label writes a number, by number; else by code points. `column` may be left out for one
    called `label` or `Y`. Labels are compared as they stand, spaces and letter case included, but for truth values
    (`true`, `True` and `TRUE` are one where training had but one of them); a list in a row holds the one label. An
    empty one is a DataError; with `missing = "skip"` rows without a label, or with a word for that such as NA, are left
    out of training and scoring. One that training never had is a DataError; with `unknown = "miss"` it is number -1,
    wrong whatever is predicted, and has no part in losses. `counts` tells how many training rows have each label.
    """

    truths: Truths = "classes"

    def __init__(self, column: str | None = None, *, unknown: Unknown = "error", missing: Gaps = "error"):
        super().__init__(column, unknown)
        self.missing: Gaps = missing
        self.threshold: float | None = None

    @property
    def n_classes(self) -> int:
        return len(self.names)

    def fit(self, block: Block) -> None:
        labels, where = self._labels(block)
        if where is None:
            self._seen.update(labels)
        else:
            self._seen.update(dict(zip(labels, np.bincount(where).tolist(), strict=True)))

    def finish_fit(self) -> None:
        n_labels, n_rows = len(self._seen), self._seen.total()
        if n_labels > (MANY_NUMBERS if have_fractions(self._seen) else MANY_CLASSES) and n_labels * 2 > n_rows:
            raise refused("column", f"{n_labels} different labels in {n_rows} rows; numbers.v1 predicts a number")
        if pair := alike(self._seen):
            message = f"the labels {pair[0]!r} and {pair[1]!r} differ by spaces alone: make them one in the data"
            raise refused("column", message)
        names = in_order(self._seen)
        self._name(names, tuple(self._seen[name] for name in names))

    def encode(self, block: Block) -> Ints:
        labels, where = self._labels(block)
        if self.unknown == "miss":
            numbers = np.fromiter((self._numbers.get(label, UNKNOWN) for label in labels), np.int64, len(labels))
            return numbers if where is None else numbers[where]
        try:
            numbers = np.fromiter(map(self._numbers.__getitem__, labels), np.int64, len(labels))
        except KeyError:
            raise self._strangers(block, labels, where) from None
        return numbers if where is None else numbers[where]

    def decide_from(self, threshold: float) -> None:
        """From now on, take the second of two classes where its probability is at least `threshold`."""
        self.threshold = threshold

    def taken(self, outputs: Array) -> Ints:
        """The class number of each row of probabilities (B, n_classes): the most probable one, of equal ones the first;
        with a threshold, the one it says."""
        if outputs.ndim != 2 or outputs.shape[1] != self.n_classes:
            raise ShapeError(f"{self.n_classes} labels take outputs (B, {self.n_classes}), got {outputs.shape}")
        if self.threshold is not None and self.n_classes == 2:
            return (outputs[:, 1].astype(np.float64) >= self.threshold).astype(np.int64)
        numbers: Ints = outputs.argmax(axis=1)
        return numbers

    def decode(self, outputs: Array) -> list[str]:
        """The label of each row of (B, n_classes), as `taken` says."""
        return [self.names[i] for i in self.taken(outputs)]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {**self._state(), "missing": self.missing}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Labels:
        column = stated_text(state, "column")
        encoder = cls(column, unknown=stated_unknown(state), missing=stated_gaps(state))
        encoder._restore(column, state)
        return encoder

    def _labels(self, block: Block) -> tuple[list[str], Ints | None]:
        """The labels as texts; of an array, the different ones and where in them each row's is."""
        (name,) = self.reads
        found = block.column(name)
        values = self._single(block, found) if is_tokens(found) else block.values(name)
        if isinstance(values, list):
            if not all(map(str.strip, values)):
                empty = [row for row, label in enumerate(values) if not label.strip()]
                raise block.faulty(name, empty, lambda row: f"the label is empty; {REMEDY}")
            return values, None
        if self.missing == SKIP and values.dtype.kind == "f" and values.ndim == 1 and np.all(values == values.round()):
            values = values.astype(np.int64)  # whole numbers, which became floats beside gaps
        if values.dtype.kind not in "biu" or values.ndim != 1:
            message = f"labels are text or whole numbers, one a row; got {values.dtype} {values.shape}"
            raise DataError(problems=[Problem(message, block.places.path, 0, printable(name))])
        different, where = np.unique(values, return_inverse=True)
        return [str(value) for value in different.tolist()], where.reshape(-1)

    def _single(self, block: Block, rows: list[list[str]]) -> list[str]:
        """The one label of each row's list; an empty text where there is none."""
        if several := [row for row, labels in enumerate(rows) if len(labels) > 1]:
            raise block.faulty(
                self.reads[0], several, lambda row: f"{len(rows[row])} labels, where one is wanted: {SEVERAL}"
            )
        return [labels[0] if labels else "" for labels in rows]

    def _strangers(self, block: Block, labels: list[str], where: Ints | None) -> DataError:
        each = labels if where is None else [labels[i] for i in where]
        counts = Counter(label for label in each if label not in self._numbers)
        rows = [each.index(label) for label in counts]
        return block.faulty(self.reads[0], rows, lambda row: self._stranger(each[row], counts[each[row]]))

    def _stranger(self, label: str, n_rows: int) -> str:
        rows = {1: "", 2: " (and in 1 row that follows)"}.get(n_rows, f" (and in {n_rows - 1} rows that follow)")
        return stranger(label, self.names, rows)


def have_fractions(labels: Iterable[str]) -> bool:
    """Whether every label writes a number, and some of them one that is not whole."""
    values = [number(label) for label in labels]
    return None not in values and not all(value is None or value.is_integer() for value in values)


def alike(labels: Iterable[str]) -> tuple[str, str] | None:
    """Two labels that differ by the spaces around them alone; None where there are none."""
    stripped: dict[str, str] = {}
    for label in labels:
        if (other := stripped.setdefault(label.strip(), label)) != label:
            return other, label
    return None


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels by number where all of them write numbers, else by code points; equal numbers by code points.

    >>> in_order({"10", "9", "1"}), in_order({"b", "10", "a"})
    (('1', '9', '10'), ('10', 'a', 'b'))
    """
    values = {label: number(label) for label in labels}
    if all(value is not None and math.isfinite(value) for value in values.values()):
        return tuple(sorted(values, key=lambda label: (values[label], label)))
    return tuple(sorted(values))
