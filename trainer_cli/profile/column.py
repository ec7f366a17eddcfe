"""What one column holds, found block by block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.encoders.datetimes import moment
from trainer_cli.data.encoders.floats import UNKNOWN
from trainer_cli.profile.amounts import Amounts
from trainer_cli.profile.counting import Counting, step_in_any_order
from trainer_cli.profile.distinct import Distinct
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.profile.orders import Orders
from trainer_cli.profile.spelling import spelling

# A column of numbers in which so few of a hundred values are something else was meant to be numbers.
ODD_SHARE = 0.1
N_EXAMPLES = 3
# Fewer rows that count on may be a measure.
MIN_COUNTING = 10


class Rows(NamedTuple):
    """Those of some rows that have no value, and those whose value is no finite number."""

    missing: list[int]
    odd: list[int]


class ColumnProfile:
    """Takes in a column's values block by block; `facts` says what they come to."""

    def __init__(self, name: str, limit: int = 10_000):
        self.name = name
        self.n = self.n_words = self.longest = 0
        self.distinct = Distinct(limit)
        self.spelt: Counter[str] = Counter()
        self.odd: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.amounts = Amounts()
        self.orders = Orders()
        self.examples: list[str] = []
        self.numbers = (math.inf, -math.inf)
        self.dates: tuple[tuple[datetime, str], tuple[datetime, str]] | None = None
        self.array: tuple[tuple[int, ...], str] | None = None
        self.holes = 0
        self.counting = Counting()

    def add(self, values: Sequence[Any] | Array) -> Rows:
        """Take in more rows; which of them have no value, or none that is a number."""
        self.n += len(values)
        if isinstance(values, np.ndarray):
            return self._add_array(values)
        if any(isinstance(value, list) for value in values[:1]):
            return Rows(self._add_lists(values), [])
        return self._add_texts(values)

    def facts(self, missing_at: Sequence[tuple[str, int]] = (), odd_at: Sequence[tuple[str, int]] = ()) -> ColumnFacts:
        """What the values so far come to."""
        kind = self._kind()
        low, high = self._range(kind)
        gaps = self.unknown if self._n_missing() > self.spelt["missing"] else {}
        present, distinct = self.n - self._n_missing(), self.distinct.n - len(gaps)
        counts = {text: count for text, count in self.distinct.counts.most_common() if text not in gaps}
        seen = [text for text in self.examples if text not in gaps]
        examples = tuple(counts)[:N_EXAMPLES] if distinct <= max(20, present // 2) else tuple(seen)
        return ColumnFacts(
            name=self.name,
            kind=kind,
            n=self.n,
            missing=self._n_missing(),
            distinct=distinct,
            is_exact=self.distinct.is_exact,
            low=low,
            high=high,
            words=self.n_words / max(1, present),
            longest=self.longest,
            examples=examples,
            counts=counts,
            odd=tuple(text for text, _ in self.odd.most_common(10) if text not in gaps),
            missing_at=tuple(missing_at),
            n_odd=present - self.spelt["whole"] - self.spelt["number"] if kind == "mixed" else 0,
            odd_at=tuple(odd_at) if kind == "mixed" else (),
            shape=self.array[0] if self.array else (),
            holes=self.holes,
            step=self._step(kind),
            order=self.orders.order if kind == "date" else None,
            doubt=self.orders.doubt() if kind == "date?" else "",
            notation=self.amounts.notation if kind == "amount" else None,
        )

    def _add_texts(self, texts: Sequence[str]) -> Rows:
        counts = Counter(texts)
        missing, odd = set(), set()
        for text, count in counts.items():
            kind, value = spelling(text)
            self.spelt[kind] += count
            if kind == "missing":
                missing.add(text)
            elif value is not None:
                low, high = self.numbers
                self.numbers = min(low, value), max(high, value)
                self.amounts.add_number(text, value)
            else:
                odd.add(text)
                self._add_text(text, kind, count)
        self.distinct.add({text: count for text, count in counts.items() if text not in missing})
        if len(self.examples) < N_EXAMPLES:
            self.examples += [text for text in counts if text not in missing and text not in self.examples]
            del self.examples[N_EXAMPLES:]
        self.counting.add(texts)
        return Rows(rows_of(texts, missing), rows_of(texts, odd))

    def _add_text(self, text: str, kind: str, count: int) -> None:
        self.n_words += len(text.split()) * count
        self.longest = max(self.longest, len(text))
        if kind == "date" and (when := moment(text.strip())):
            least, greatest = self.dates or ((when, text), (when, text))
            self.dates = min(least, (when, text)), max(greatest, (when, text))
        if text.strip().lower() in UNKNOWN:
            self.unknown[text] += count
        if kind == "amount":
            self.amounts.add(text)
        if kind == "date?":
            self.orders.add(text)
        if len(self.odd) < 1000 or text in self.odd:
            self.odd[text] += count

    def _step(self, kind: str) -> int | None:
        """How far apart the values are, where each row has one of its own: row by row, or put in order."""
        if kind != "whole" or self._n_missing() or self.n < MIN_COUNTING:
            return None
        if self.counting.step is None and self.distinct.is_exact and self.distinct.n == self.n:
            return step_in_any_order(self.distinct.counts)
        return self.counting.step

    def _add_lists(self, lists: Sequence[Sequence[str]]) -> list[int]:
        self.spelt["list"] += sum(map(bool, lists))
        self.spelt["missing"] += sum(not items for items in lists)
        self.distinct.add(Counter(item for items in lists for item in items))
        lengths = [len(items) for items in lists]
        self.n_words += sum(lengths)
        self.numbers = min(self.numbers[0], *lengths), max(self.numbers[1], *lengths)
        if len(self.examples) < N_EXAMPLES:
            self.examples += [" ".join(items[:12]) for items in lists[:N_EXAMPLES]]
            del self.examples[N_EXAMPLES:]
        return [row for row, items in enumerate(lists) if not items]

    def _add_array(self, values: Array) -> Rows:
        if values.dtype.kind == "M" and values.ndim == 1:
            texts = np.datetime_as_string(values, unit="s").tolist()
            return self._add_texts(["" if text == "NaT" else text for text in texts])
        if values.ndim > 1 or values.dtype.kind not in "biuf":
            self.array = values.shape[1:], str(values.dtype)
            kind = "image" if values.dtype == np.uint8 and values.ndim > 2 else "array"
            gaps = np.isnan(values.reshape(len(values), -1)) if values.dtype.kind == "f" else np.zeros((len(values), 1))
            missing = gaps.all(axis=1)
            self.holes += int(gaps.any(axis=1).sum())
            self.spelt[kind] += len(values) - int(missing.sum())
            odd = np.zeros(len(values), bool)
        else:
            is_float = values.dtype.kind == "f"
            missing = np.isnan(values) if is_float else np.zeros(len(values), bool)
            odd = np.isinf(values) if is_float else missing
            self._add_infinite(values[odd])
            different, counts = np.unique(values[~missing & ~odd], return_counts=True)
            whole = bool(np.all(different == np.floor(different))) if different.dtype.kind != "b" else True
            self.spelt["whole" if whole else "number"] += int(counts.sum())
            self.distinct.add(dict(zip(map(str, different.tolist()), counts.tolist(), strict=True)))
            self.counting.add(values.tolist())
        self.spelt["missing"] += int(missing.sum())
        kept = values[~missing & ~odd]
        if kept.size and kept.dtype.kind in "biuf":
            self.numbers = min(self.numbers[0], float(np.nanmin(kept))), max(self.numbers[1], float(np.nanmax(kept)))
        return Rows(np.flatnonzero(missing).tolist(), np.flatnonzero(odd).tolist())

    def _add_infinite(self, values: Array) -> None:
        for text, count in Counter(map(str, values.tolist())).items():
            self.spelt["text"] += count
            self.odd[text] += count

    def _n_missing(self) -> int:
        """Rows without a value; beside numbers, and nothing else, `unknown` is none either."""
        n_unknown = self.unknown.total()
        numbers = sum(self.spelt[kind] for kind in ("whole", "number", "code", "amount"))
        is_gap = n_unknown and numbers and numbers + n_unknown + self.spelt["missing"] == self.n
        return self.spelt["missing"] + (n_unknown if is_gap else 0)

    def _kind(self) -> str:
        present = self.n - self._n_missing()
        numbers = self.spelt["whole"] + self.spelt["number"]
        if present == 0:
            return "empty"
        for kind in ("image", "array", "list", "whole", "date", "truth"):
            if self.spelt[kind] == present and (kind != "truth" or self.distinct.n <= 4):
                return kind
        if numbers + self.spelt["code"] == present:
            return "number" if self.spelt["number"] else "code"
        if self.spelt["date?"] and self.spelt["date?"] + self.spelt["date"] == present:
            return "date" if self.orders.order else "date?"
        if self.spelt["amount"] and self.spelt["amount"] + numbers == present:
            return "amount"
        return "mixed" if numbers >= present * (1 - ODD_SHARE) else "text"

    def _range(self, kind: str) -> tuple[float | str | None, float | str | None]:
        if kind == "amount":
            return self.amounts.range()
        if kind == "date" and (found := [each for each in (self.dates, self.orders.range()) if each]):
            return min(low for low, _ in found)[1], max(high for _, high in found)[1]
        if kind in ("whole", "number", "mixed", "list", "image", "array") and self.numbers[0] <= self.numbers[1]:
            return self.numbers
        return None, None


def rows_of(texts: Sequence[str], some: set[str]) -> list[int]:
    """The rows with one of some texts."""
    return [row for row, text in enumerate(texts) if text in some] if some else []
