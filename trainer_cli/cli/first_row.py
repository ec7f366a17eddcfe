"""The first row of encoded data in a few words, for a cell of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainer_cli.arrays import Ragged, slice_rows
from trainer_cli.data.faults import printable

if TYPE_CHECKING:
    from trainer_cli.inspection import Sample

# With these a table of two sets is no wider than 100 columns.
INPUT_WIDTH = 34
TARGET_WIDTH = 24


def first_input(sample: Sample) -> str:
    """The first words of a text or sentence and how long it is, or the first numbers."""
    if isinstance(sample.read, list):
        return begun(sample.read, len(sample.read), "word", INPUT_WIDTH)
    if sample.read is not None:
        ids = sample.X[0] if isinstance(sample.X, tuple) else sample.X
        return begun(sample.read.split(), len(slice_rows(ids, 0, 1).data), "id", INPUT_WIDTH)  # type: ignore[union-attr]
    return first_numbers(sample.X, INPUT_WIDTH)


def first_target(sample: Sample) -> str:
    """The first tags and how many there are, or the first numbers."""
    names = getattr(sample.target, "names", ())
    if isinstance(sample.Y, Ragged) and names:
        numbers = slice_rows(sample.Y, 0, 1).data  # type: ignore[union-attr]
        tags = [names[number] if number >= 0 else "?" for number in numbers]
        return begun(tags, len(tags), "tag", TARGET_WIDTH)
    return first_numbers(sample.Y, TARGET_WIDTH)


def begun(words: Sequence[str], n: int, unit: str, width: int) -> str:
    """As many of the words as fit, and that they are, or become, `n` of a unit.

    >>> begun(["the", "cat", "sleeps"], 3, "word", 34), begun(["the", "cat", "sleeps"], 9, "id", 20)
    ('the cat sleeps (3 words)', 'the cat ... (9 ids)')
    """
    count = f"({n:,} {unit}{'' if n == 1 else 's'})"
    text = printable(" ".join(words[:width]), width)
    if len(text) + 1 + len(count) <= width and len(words) <= width:
        return f"{text} {count}".lstrip()
    text = text[: width - len(count) - 5]
    return f"{text.rpartition(' ')[0] or text} ... {count}"


def first_numbers(x: Any, width: int, n: int = 4) -> str:
    """The first numbers of the first row; of several parts those of each.

    >>> import numpy as np
    >>> first_numbers(Ragged(np.arange(9), np.array([7, 2])), 34), first_numbers({"a": np.ones((2, 1))}, 34)
    ('0 1 2 3 ... (7 numbers)', 'a 1')
    """
    if isinstance(x, dict):
        parts = [f"{name} {first_numbers(part, width)}" for name, part in x.items()]
        return printable(", ".join(parts), width)
    if isinstance(x, tuple):
        return printable(", ".join(first_numbers(part, width) for part in x), width)
    if isinstance(x, Ragged):
        size = int(x.data[: x.lengths[0]].size)
        return f"{listed(x.data[: x.lengths[0]], n)} ({size:,} number{'' if size == 1 else 's'})".lstrip()
    return listed(x[0], n)


def listed(row: Any, n: int) -> str:
    flat = row.reshape(-1)
    return " ".join(f"{value:.4g}" for value in flat[:n]) + (" ..." if flat.size > n else "")
