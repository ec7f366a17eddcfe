"""The message that a DocBin packs: read without running anything of it, and checked."""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.readers.documents import Docs, UnfitError, numbers

# The types of numpy's numbers, as it writes them: <f4, |b1.
NUMBER = re.compile(r"[<>|=](?:[fiu][1248]|b1)")
# The parts of a message that are read.
KINDS = {"attrs": list, "strings": list, "tokens": bytes, "spaces": bytes, "lengths": bytes, "cats": list}
# How what zlib packed begins, and what is said of a file that does not.
PACKED = b"x"
UNPACKED = (
    'it is not packed. Texts are read from .jsonl and .csv, sentences from .conll; or say it, as format = "csv" does'
)


def unpacked(data: bytes) -> Any:
    """The message in a file: dicts, lists, texts, numbers and bytes. Nothing in it can become another object."""
    if data[:1] not in (b"", PACKED):
        raise UnfitError(UNPACKED)
    unpackb = importlib.import_module("srsly.msgpack").unpackb
    try:
        # Without pairs of its own to look at, arrays would be made of dicts that look like numpy's.
        return unpackb(zlib.decompress(data), raw=False, object_pairs_hook=dict)
    except (zlib.error, ValueError, TypeError, RecursionError, MemoryError, OverflowError) as err:
        raise UnfitError(str(err) or type(err).__name__) from err
    except Exception as err:
        if type(err).__module__.startswith("srsly."):
            raise UnfitError(str(err) or type(err).__name__) from err
        raise


def parsed(message: Any) -> Docs:
    """The documents that a message holds. UnfitError: it is not one of a DocBin."""
    check_parts(message)
    attributes, strings, categories = message["attrs"], message["strings"], message["cats"]
    lengths = array(message, "lengths", np.int32).astype(np.int64)
    tokens, spaces = array(message, "tokens", np.uint64), array(message, "spaces", np.uint8)
    n = int(lengths.sum())
    if lengths.min(initial=0) < 0 or len(tokens) != n * len(attributes) or len(spaces) != n:
        raise UnfitError(f"lengths tell of {n} tokens, which tokens and spaces have not")
    flags = message.get("flags") or [{}] * len(lengths)
    if not len(lengths) == len(categories) == len(flags):
        raise UnfitError("cats and flags are not those of the documents")
    store = importlib.import_module("spacy.strings").StringStore(strings)
    return Docs(
        tokens.reshape(n, len(attributes)),
        np.append(0, lengths.cumsum()),
        spaces,
        [isinstance(flag, dict) and bool(flag.get("has_unknown_spaces")) for flag in flags],
        [values_of(each) for each in categories],
        {number: place for place, number in enumerate(attributes)},
        store,
    )


def check_parts(message: Any) -> None:
    """UnfitError: a part of the message is missing, or of another kind than a DocBin's."""
    if not isinstance(message, dict):
        raise UnfitError("it is no table of arrays")
    for name, kind in KINDS.items():
        if not isinstance(message.get(name), kind):
            raise UnfitError(f"{name} is missing or of the wrong kind")
    if not all(type(number) is int for number in message["attrs"]) or numbers()["ORTH"] not in message["attrs"]:
        raise UnfitError("attrs are not the numbers of attributes")
    if not all(isinstance(string, str) for string in message["strings"]):
        raise UnfitError("strings has what is no text")


def array(message: Mapping[str, Any], name: str, dtype: type[np.generic]) -> Array:
    try:
        return np.frombuffer(message[name], dtype)
    except ValueError as err:
        raise UnfitError(f"{name}: {err}") from err


def values_of(categories: Any) -> dict[str, float]:
    """The categories of a document: numbers by name. UnfitError: they are none."""
    if not isinstance(categories, dict) or not all(isinstance(name, str) for name in categories):
        raise UnfitError("cats and flags are not those of the documents")
    return {name: value_of(number) for name, number in categories.items()}


def value_of(number: Any) -> float:
    """The value of a category. One of numpy's is a table of its type and bytes, as spaCy writes it."""
    if isinstance(number, dict) and number.get(b"nd") is False:
        kind, data = number.get(b"type"), number.get(b"data")
        if isinstance(kind, str) and NUMBER.fullmatch(kind) and isinstance(data, bytes):
            dtype = np.dtype(kind)
            number = np.frombuffer(data, dtype)[0].item() if len(data) == dtype.itemsize else None
    if not isinstance(number, int | float):
        raise UnfitError("cats and flags are not those of the documents")
    return float(number)
