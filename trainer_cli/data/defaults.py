"""The encoders of a config that leaves [features] or [target] out, where the data leave no doubt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np

from trainer_cli.data.block import Block, Column, is_texts, listing
from trainer_cli.data.dataset import no_rows
from trainer_cli.data.encoders.categories import MAX_ONE_HOT
from trainer_cli.data.encoders.choice import USUAL_TARGETS
from trainer_cli.data.encoders.datetimes import moment
from trainer_cli.data.encoders.floats import is_missing, number
from trainer_cli.data.encoders.labels import MANY_CLASSES
from trainer_cli.data.faults import shown
from trainer_cli.data.reader import Reader
from trainer_cli.errors import DataError, Problem

# So many columns are named in a message.
MAX_NAMED = 6
# Texts are categories without a doubt where each of a few values has so many rows.
ROWS_A_VALUE = 10
# What takes a column that can be used in some way.
ENCODERS = {"number": "numbers.v1", "gaps": "numbers.v1", "category": "categories.v1", "date": "dates.v1"}

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

    One array of bytes (images) or floating point numbers is used as it is; numeric columns alone are standardised.
    Numbers some of which are missing, texts of a few values each, and dates have an encoder each, put together by
    `columns.v1` where there is more than one. A column that says where the rows stand is none.
    """
    columns = dict(block.without((*taken, *path_columns(block))).columns)
    if len(columns) == 1 and [_kind(values) for values in columns.values()] in (["image"], ["array"]):
        return {"@encoders": "arrays.v1", "column": next(iter(columns))}
    used = {name: use(values) for name, values in columns.items()}
    if used and set(used.values()) == {"number"}:
        return {"@encoders": "columns.v1"}
    if used and set(used.values()) <= ENCODERS.keys():
        return put_together(used)
    raise _doubt_of_features(block, used)


def put_together(used: Mapping[str, str]) -> Section:
    """The encoder of columns that are all used in one way, or the encoder of encoders for several."""
    parts: dict[str, Section] = {}
    for name in ("numbers", "categories", "dates"):
        encoder = f"{name}.v1"
        if columns := [column for column, way in used.items() if ENCODERS[way] == encoder]:
            parts[name] = {"@encoders": encoder, "columns": columns}
    return next(iter(parts.values())) if len(parts) == 1 else {"@encoders": "columns.v1", "*": parts}


def use(values: Column) -> str:
    """What a column can be used as: `number`, `gaps` (numbers, some missing), `category`, `date`, `empty`, or else
    what it is."""
    if isinstance(values, np.ndarray):
        kind = _kind(values)
        number_or_gaps = "gaps" if values.dtype.kind == "f" and np.isnan(values).any() else "number"
        return number_or_gaps if kind in ("whole", "real") else kind
    if not is_texts(values):
        return "tokens"
    there = [text for text in values if not is_missing(text)]
    if not there:
        return "empty"
    if all(number(text) is not None for text in there):
        return "number" if len(there) == len(values) else "gaps"
    if all(moment(text) is not None for text in there):
        return "date"
    different = len({text.strip() for text in values})
    return "category" if different <= min(MAX_ONE_HOT, len(values) // ROWS_A_VALUE) else "text"


def _doubt_of_features(block: Block, used: Mapping[str, str]) -> DataError:
    numeric = [name for name, way in used.items() if way in ("number", "gaps")]
    others = [_oddity(block, name) for name, way in used.items() if way not in ENCODERS]
    why = ", ".join(others[:MAX_NAMED]) + (f" and {len(others) - MAX_NAMED} more" if len(others) > MAX_NAMED else "")
    names = json.dumps(numeric[:MAX_NAMED], ensure_ascii=False)
    listed = names if len(numeric) <= MAX_NAMED else f"{names[:-1]}, ...]"
    return _doubt(
        "features",
        why or "no column is left beside the target",
        f'@encoders = "{"numbers" if "gaps" in used.values() else "columns"}.v1"',
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
            if not is_missing(text) and number(text) is None:
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
