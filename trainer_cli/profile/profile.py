"""What a data set holds: every column's facts, from all rows or from a sample of them."""

from __future__ import annotations

from dataclasses import dataclass

from trainer_cli.data.block import Block
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.faults import Faults, FaultsError
from trainer_cli.data.reader import Reader
from trainer_cli.profile.column import ColumnProfile
from trainer_cli.profile.facts import ColumnFacts

# All rows are looked at up to so many, or so many values; from there on every eighth block is.
MAX_ROWS = 50_000
MAX_VALUES = 4_000_000
THINNED = 8
# Reading ends at so many values, or characters of text.
MAX_READ = 20_000_000
MAX_TEXT = 200_000_000
# So many different values are counted, of all columns together.
MAX_COUNTED = 1_000_000
# So many rows without a value, or with one that is no number, are named.
N_PLACES = 10


@dataclass(frozen=True)
class Profile:
    """`n_rows` were read, which is all if `is_whole`; `n_seen` of them were looked at. `error` has the rows that could
    not be read."""

    columns: tuple[ColumnFacts, ...]
    n_rows: int
    n_seen: int
    is_whole: bool
    error: FaultsError | None = None

    def column(self, name: str) -> ColumnFacts:
        return next(facts for facts in self.columns if facts.name == name)


def profile(reader: Reader) -> Profile:
    """Look at a reader's rows in one pass; memory does not grow with the data. Without rows it is a DataError."""
    found: dict[str, ColumnProfile] = {}
    missing: dict[str, list[tuple[str, int]]] = {}
    odd: dict[str, list[tuple[str, int]]] = {}
    n_rows = n_seen = n_read = 0
    is_whole, faults = True, Faults()
    for index, block in enumerate(faults.watch(reader.blocks())):
        if n_read > MAX_READ:
            is_whole = False
            break
        limit = max(1000, MAX_COUNTED // max(1, len(block.columns)))
        if n_seen < min(MAX_ROWS, MAX_VALUES // max(1, len(block.columns))) or index % THINNED == 0:
            for name, values in block.columns.items():
                one = found.setdefault(name, ColumnProfile(name, limit))
                for rows, found_at in zip(one.add(values), (missing, odd), strict=True):
                    places = found_at.setdefault(name, [])
                    places += [block.place(row) for row in rows[: N_PLACES - len(places)]]
            n_seen += len(block)
        n_rows += len(block)
        n_read += weight(block)
    if n_rows == 0:
        faults.check()
        raise no_rows()
    columns = tuple(one.facts(missing[name], odd[name]) for name, one in found.items())
    return Profile(columns, n_rows, n_seen, is_whole, faults.error() if faults else None)


def weight(block: Block) -> int:
    """What a block counts of what is read at most: its values, or its text where that is long."""
    n_values = len(block) * len(block.columns)
    first = [len(values[0]) for values in block.columns.values() if isinstance(values, list) and values]
    return max(n_values, len(block) * sum(first) * MAX_READ // MAX_TEXT)
