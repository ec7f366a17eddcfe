"""The worst mistakes of a model, each with where its record stands."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import Block
from trainer_cli.data.faults import printable
from trainer_cli.data.reader import Reader

EXCERPT = 200  # characters
WORDS = 4  # on either side of a token


@dataclass(frozen=True)
class Mistake:
    """A record whose prediction is wrong. `size` is the probability of the wrong answer, or how far off a number is.

    `row` counts from 0, `line` from 1 (0: the file has no lines), `token` from 1 (0: the record is told as a whole).
    Where a record may have several labels, `label` is the one in question and truth and prediction say yes or no.
    """

    path: str
    line: int
    row: int
    truth: Any
    prediction: Any
    size: float
    excerpt: str
    token: int = 0
    label: str | None = None

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else f"{self.path} row {self.row}".strip()


class Worst:
    """The `n` mistakes of the largest size; of equal ones those that came first."""

    def __init__(self, n: int):
        self.n = n
        self._heap: list[tuple[float, int, Mistake]] = []
        self._n_seen = 0

    def offer(self, sizes: Array, tell: Callable[[int], Mistake]) -> None:
        """Take those of the mistakes that are among the worst; `tell(i)` makes the i-th one, when it is."""
        keys = np.where(np.isnan(sizes), np.inf, sizes)
        for i in np.argsort(-keys, kind="stable")[: self.n].tolist():
            key = (float(keys[i]), -(self._n_seen + i))
            if len(self._heap) < self.n:
                heapq.heappush(self._heap, (*key, tell(i)))
            elif key > self._heap[0][:2]:
                heapq.heapreplace(self._heap, (*key, tell(i)))
            else:
                break
        self._n_seen += len(keys)

    def found(self) -> list[Mistake]:
        """From the worst on."""
        return [mistake for *_, mistake in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


class Passing:
    """A reader whose blocks can be looked at while their rows go by."""

    def __init__(self, reader: Reader):
        self._reader = reader
        self._blocks: deque[tuple[int, Block]] = deque()

    def columns(self) -> tuple[str, ...]:
        return self._reader.columns()

    def blocks(self) -> Iterator[Block]:
        n = 0
        for block in self._reader.blocks():
            self._blocks.append((n, block))
            yield block
            n += len(block)

    def find(self, row: int) -> tuple[Block, int]:
        """The block of a row, counted from the first one that was read, and its place in it."""
        start, block = next(entry for entry in reversed(self._blocks) if entry[0] <= row)
        return block, row - start

    def forget(self, row: int) -> None:
        """Let go of the blocks before the one of `row`."""
        while len(self._blocks) > 1 and self._blocks[1][0] <= row:
            self._blocks.popleft()

    def mistake(self, row: int, hidden: Collection[str], token: int | None = None, **told: Any) -> Mistake:
        """A mistake with its place and an excerpt of its record, in which `hidden` columns do not show."""
        block, index = self.find(row)
        path, line = block.place(index)
        text = excerpt(block, index, hidden) if token is None else around(block, index, hidden, token)
        number = int(block.numbers[index])
        return Mistake(path, line, number, excerpt=text, token=0 if token is None else token + 1, **told)


def excerpt(block: Block, index: int, hidden: Collection[str]) -> str:
    """The beginning of a record: its only text or number, or all of them with their columns' names."""
    parts: dict[str, str] = {}
    for name, values in block.columns.items():
        value: Any = values[index]
        if name not in hidden and np.ndim(value) == 0:
            parts[name] = f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
        elif name not in hidden and isinstance(value, list):
            parts[name] = " ".join(value)
        if sum(map(len, parts.values())) > EXCERPT:
            break
    if len(block.columns) - len(set(hidden) & block.columns.keys()) == 1:
        return printable(" ".join(" ".join(parts.values()).split()), EXCERPT)
    return printable(" ".join(f"{name}={' '.join(text.split())}" for name, text in parts.items()), EXCERPT)


def around(block: Block, index: int, hidden: Collection[str], token: int) -> str:
    """The words around a token, which stands in brackets."""
    for name, values in block.columns.items():
        words: Any = values[index]
        if name not in hidden and isinstance(words, list) and len(words) > token:
            before, after = words[max(0, token - WORDS) : token], words[token + 1 : token + 1 + WORDS]
            return printable(" ".join([*before, f"[{words[token]}]", *after]), EXCERPT)
    return ""
