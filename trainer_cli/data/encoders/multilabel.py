"""Labels of which a row may have any number."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block, is_tokens
from trainer_cli.data.encoders.classes import Classes, Unknown, stated_unknown, stranger
from trainer_cli.data.encoders.labels import MANY_CLASSES
from trainer_cli.data.encoders.state import damaged, stated_floats, stated_text
from trainer_cli.data.faults import printable, refused
from trainer_cli.errors import DataError, Problem, ShapeError
from trainer_cli.losses.loss import Truths
from trainer_cli.registry import registry

SEPARATOR = ";"
THRESHOLD = 0.5
# What to do about a label that training never had: flags have no place for it.
LEFT_OUT = 'unknown = "miss" in [target] takes the row without it'


@registry.encoders("multilabel.v1")
class Multilabel(Classes):
    """Several labels a row as flags, (B, n) float32: 1 for each label that the row has, which may be none.

    The labels stand in one text with `separator` between them (";" if it is left out), or are a list of texts, as in
    JSON. Their order is that of code points, spaces around them and empty ones do not count. A label that training
    never had is a DataError; with `unknown = "miss"` it has no flag: the row's other labels count, and losses and
    scores do not know of it. `column` may be left out for one called `label` or `Y`. `counts` tells how many training
    rows have each label. `decode` gives the labels whose probability is at least 0.5, or at least the label's own of
    `thresholds` once these are set.
    """

    truths: Truths = "flags"

    def __init__(self, column: str | None = None, *, separator: str | None = None, unknown: Unknown = "error"):
        if separator is not None and not separator.strip():
            raise refused("separator", f"separator must be a text such as {SEPARATOR!r} or ',', got {separator!r}")
        super().__init__(column, unknown)
        self.given = separator
        self.separator = separator or SEPARATOR
        self.thresholds: Array | None = None

    def fit(self, block: Block) -> None:
        for labels in self._labels(block):
            self._seen.update(set(labels))

    def finish_fit(self) -> None:
        n_labels, n_rows = len(self._seen), self._seen.total()
        if n_labels == 0:
            raise refused("column", "no training row has a label")
        if n_labels > MANY_CLASSES and n_labels * 2 > n_rows:
            rule = f"{n_labels} different labels, {n_rows} in all: hardly any comes twice"
            raise refused("column", f"{rule}. Is {self.separator!r} what stands between them?")
        names = tuple(sorted(self._seen))
        self._name(names, tuple(self._seen[name] for name in names))

    def encode(self, block: Block) -> Array:
        rows = self._labels(block)
        if self.unknown == "miss":
            return self._flags([[label for label in labels if label in self._numbers] for labels in rows])
        if strange := [row for row, labels in enumerate(rows) if not self._numbers.keys() >= set(labels)]:
            raise block.faulty(self.reads[0], strange, lambda row: self._stranger(rows[row]))
        return self._flags(rows)

    def _flags(self, rows: list[list[str]]) -> Array:
        flags = np.zeros((len(rows), self.width), np.float32)
        places = np.repeat(np.arange(len(rows)), [len(labels) for labels in rows])
        flags[places, [self._numbers[label] for label in chain.from_iterable(rows)]] = 1.0
        return flags

    def decide_from(self, threshold: float) -> None:
        """From now on, take each label where its probability is at least `threshold`."""
        self.thresholds = np.full(self.width, threshold)

    def decode(self, outputs: Array) -> list[list[str]]:
        """The labels of each row of probabilities (B, n) from their threshold on, in the labels' order."""
        if outputs.ndim != 2 or outputs.shape[1] != self.width:
            raise ShapeError(f"{self.width} labels take outputs (B, {self.width}), got {outputs.shape}")
        given = outputs >= self.limits
        return [[self.names[i] for i in np.flatnonzero(row)] for row in given]

    @property
    def limits(self) -> Array:
        """The probability from which on each label is given, (n,)."""
        return np.full(self.width, THRESHOLD) if self.thresholds is None else np.asarray(self.thresholds, np.float64)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        arrays = {} if self.thresholds is None else {"thresholds": np.asarray(self.thresholds, np.float64)}
        return {**self._state(), "separator": self.given or ""}, arrays

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: Mapping[str, Array]) -> Multilabel:
        column, separator = stated_text(state, "column"), state.get("separator")
        if not isinstance(separator, str) or separator.isspace():
            raise damaged("separator", "a text", separator)
        encoder = cls(column, separator=separator or None, unknown=stated_unknown(state))
        encoder._restore(column, state)
        if "thresholds" in arrays:
            encoder.thresholds = stated_floats(arrays, "thresholds", encoder.width)
        return encoder

    def _labels(self, block: Block) -> list[list[str]]:
        """The labels of each row."""
        values = block.column(self.reads[0])
        if isinstance(values, np.ndarray):
            raise self._refusal(block, f"labels are texts or lists of texts, got {values.dtype} {values.shape}")
        if is_tokens(values) and self.given is not None:
            raise self._refusal(block, "the column has a list of labels in each row: take separator away")
        rows = values if is_tokens(values) else [str(text).split(self.separator) for text in values]
        return [[label for text in row if (label := text.strip())] for row in rows]

    def _refusal(self, block: Block, message: str) -> DataError:
        return DataError(problems=[Problem(message, block.places.path, block.header_line, printable(self.reads[0]))])

    def _stranger(self, labels: list[str]) -> str:
        return stranger(next(label for label in labels if label not in self._numbers), self.names, remedy=LEFT_OUT)
