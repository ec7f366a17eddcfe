"""The encoders of a config that leaves [features] or [target] out, where the data leave no doubt."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np

from trainer_cli.data.block import Block, Column, is_texts, listing
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.encoders.choice import USUAL_TARGETS
from trainer_cli.data.encoders.floats import number
from trainer_cli.data.encoders.labels import MANY_CLASSES
from trainer_cli.data.faults import shown
from trainer_cli.data.reader import Reader
from trainer_cli.errors import DataError, Problem

# So many columns are named in a message.
MAX_NAMED = 6

Section = dict[str, object]


def first_block(reader: Reader) -> Block:
    """The first rows of a reader."""
    for block in reader.blocks():
        return block
    raise no_rows()


def default_target(block: Block) -> Section:
    """The section [target] for data whose first rows are `block`, as a config would write it.

    A column called `label` or `Y`: text and whole numbers are classes, other numbers a number to predict. In doubt, a
    DataError whose `where` is the section and which says what to write.
    """
    usual = [name for name in USUAL_TARGETS if name in block.columns]
    if len(usual) != 1:
        raise _doubt("target", f"the columns are {listing(block.columns)}", '@encoders = "labels.v1"', 'column = "..."')
    kind = _kind(block.columns[usual[0]])
    if kind in ("whole", "text") and _n_different(block.columns[usual[0]]) > MANY_CLASSES:
        why = f"{shown(usual[0])} has more than {MANY_CLASSES} different values"
        raise _doubt("target", why, '@encoders = "labels.v1" (classes) or "numbers.v1" (a number)')
    if kind not in ("whole", "text", "real"):
        raise _doubt("target", f"{shown(usual[0])} holds arrays", '@encoders = "labels.v1"', 'column = "..."')
    return {"@encoders": "numbers.v1" if kind == "real" else "labels.v1", "column": usual[0]}


def default_features(block: Block, taken: Iterable[str]) -> Section:
    """The section [features] for data whose first rows are `block`; `taken` are the target's columns.

    One array of bytes (images) or floating point numbers is used as it is; numeric columns alone are standardised. A
    column that says where the rows stand is none.
    """
    columns = dict(block.without((*taken, *path_columns(block))).columns)
    kinds = {name: _kind(values) for name, values in columns.items()}
    if len(columns) == 1 and list(kinds.values()) in (["image"], ["array"]):
        return {"@encoders": "arrays.v1", "column": next(iter(columns))}
    if kinds and set(kinds.values()) <= {"whole", "real"}:
        return {"@encoders": "columns.v1"}
    numeric = [name for name, kind in kinds.items() if kind in ("whole", "real")]
    others = [_oddity(block, name) for name in kinds if name not in numeric]
    why = ", ".join(others[:MAX_NAMED]) + (f" and {len(others) - MAX_NAMED} more" if len(others) > MAX_NAMED else "")
    names = json.dumps(numeric[:MAX_NAMED], ensure_ascii=False)
    listed = names if len(numeric) <= MAX_NAMED else f"{names[:-1]}, ...]"
    raise _doubt(
        "features",
        why or "no column is left beside the target",
        '@encoders = "columns.v1"',
        f"columns = {listed}" if numeric else 'columns = ["...", "..."], which takes numbers',
    )


def path_columns(block: Block) -> tuple[str, ...]:
    """The columns that have the path of each row's own file, as readers of images give it."""
    paths = block.places.paths
    return tuple(name for name, values in block.columns.items() if isinstance(values, list) and values == paths)


def _oddity(block: Block, name: str) -> str:
    """What keeps a column from being numbers: its first value that is none, and where it stands."""
    values = block.columns[name]
    if is_texts(values):
        for row, text in enumerate(values):
            if text.strip() and number(text) is None:
                path, line = block.place(row)
                return f"{shown(name)} holds {shown(text)} ({path}{f':{line}' if line else ''})"
        return f"{shown(name)} is empty"
    if isinstance(values, list):
        return f"{shown(name)} holds lists of texts"
    return (
        f"{shown(name)} holds arrays {values.shape[1:]} of {values.dtype}"
        if values.ndim > 1
        else f"{shown(name)} holds {values.dtype}"
    )


def _kind(values: Column) -> str:
    """`whole` or `real` numbers, `text`, `tokens`, an `image` (bytes), an `array` (floating point), or `unclear`."""
    if is_texts(values):
        numbers = [number(text) for text in values if text.strip()]
        if None in numbers or not numbers:
            return "text"
        return "whole" if all(value is not None and value.is_integer() for value in numbers) else "real"
    if isinstance(values, list):
        return "tokens"
    if values.ndim == 1:
        return {"b": "whole", "i": "whole", "u": "whole", "f": "real"}.get(values.dtype.kind, "unclear")
    if values.dtype.kind == "f":
        return "array"
    return "image" if values.dtype.itemsize == 1 and values.dtype.kind == "u" and values.ndim > 2 else "unclear"


def _n_different(values: Column) -> int:
    return len(set(values.tolist() if isinstance(values, np.ndarray) else map(str, values)))


def _doubt(section: str, why: str, *lines: str) -> DataError:
    message = f"[{section}] is left out and the data leave a doubt: {why}; write [{section}] with {', '.join(lines)}"
    return DataError(problems=[Problem(message, where=section)])
