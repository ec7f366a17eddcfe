"""What the encoders of labels have in common: a column, and the numbers of the labels of its training rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from trainer_cli.data.block import listing
from trainer_cli.data.encoders.choice import target_column
from trainer_cli.data.encoders.state import stated_choice, stated_counts, stated_names
from trainer_cli.data.encoders.truths import numbered
from trainer_cli.data.faults import shown
from trainer_cli.registry import QUOTED, nearest

Unknown = Literal["error", "miss"]

# What to do about a label that training never had.
MISS = 'unknown = "miss" in [target] counts it as wrong'


class Classes:
    """Labels and their numbers; `counts` tells how many training rows have each."""

    def __init__(self, column: str | None, unknown: Unknown):
        self.column = column
        self.unknown: Unknown = unknown
        self.reads: tuple[str, ...] = ()
        self.names: tuple[str, ...] = ()
        self.counts: tuple[int, ...] = ()
        self._seen: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}

    @property
    def width(self) -> int:
        return len(self.names)

    def choose(self, columns: tuple[str, ...]) -> None:
        self.reads = (target_column(self.column, columns),)
        self._seen = Counter()

    def _name(self, names: tuple[str, ...], counts: tuple[int, ...]) -> None:
        self.names, self.counts = names, counts
        self._numbers = numbered(names)

    def _state(self) -> dict[str, Any]:
        state = {"column": self.reads[0], "names": list(self.names), "counts": list(self.counts)}
        return {**state, "unknown": self.unknown}

    def _restore(self, column: str, state: Mapping[str, Any]) -> None:
        """Take over what was fitted; a damaged state is a ModelFileError."""
        self.reads = (column,)
        names = stated_names(state, "names")
        self._name(names, stated_counts(state, "counts", len(names)))


def stated_unknown(state: Mapping[str, Any]) -> Unknown:
    """What becomes of unknown labels; a state that was written before there was the choice has none."""
    return "miss" if stated_choice({"unknown": "error", **state}, "unknown", ("error", "miss")) == "miss" else "error"


def stranger(label: str, names: tuple[str, ...], more: str = "", what: str = "label", remedy: str = MISS) -> str:
    """What is wrong with a label that training never had, and what to do; `more` says where else it stands."""
    hint = nearest(label, list(names), QUOTED) or f" It had {listing(names, 8)}."
    return f"the {what} {shown(label)} is not in the training data{more}.{hint} {remedy}"
