"""Texts with categories, and tokens with tags or entities, as spaCy's DocBin files have them."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.data.block import BLOCK_ROWS, Block, Column, Places
from trainer_cli.data.faults import printable, refused
from trainer_cli.data.readers.files import opened_raw
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.extras import required
from trainer_cli.registry import registry

WHAT = "docbin.v1"
# The attributes of tokens that are read, by column.
ATTRIBUTES = {"tag": "TAG", "pos": "POS"}
# The codes of ENT_IOB: 0 is no annotation.
INSIDE, BEGIN = 1, 3
# A category belongs to a document from this value on.
THRESHOLD = 0.5
SEPARATOR = ";"


class UnfitError(Exception):
    """The bytes are not those of a DocBin."""


@registry.readers("docbin.v1")
class DocBinReader(FileSet):
    """Rows of a `.spacy` file, a document each: its text, its tokens, and what it is annotated with.

    `text` is the document's text, and `token` its tokens. `label` is its category whose value is at least 0.5; of
    several the names with "; " between them, as `multilabel.v1` takes them. `tag` and `pos` are the tags of its tokens
    (an empty text where one has none), and `ner` the entities as BILUO tags, "O" also where nothing is annotated. A
    column is there where a document of the file has such an annotation.

    Of the file, numbers and strings alone are read: user data and span groups are left where they are, and nothing is
    run. `path` may be a pattern; `columns` and `limit` choose columns and the first documents.
    """

    suffixes = (".spacy",)

    def __init__(self, path: Path, *, columns: list[str] | None = None, limit: int | None = None):
        super().__init__(path, columns, limit)

    def names_in(self, path: Path) -> Names:
        return load(path).names

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 documents; a damaged file is a DataError."""
        return first_rows(self._blocks(path), room)

    def _blocks(self, path: Path) -> Iterator[Block]:
        docs = load(path)
        names = self._chosen(docs.names)
        for start in range(0, len(docs), BLOCK_ROWS):
            stop = min(start + BLOCK_ROWS, len(docs))
            try:
                columns = {name: docs.column(name, start, stop) for name in names}
            except UnfitError as err:
                raise damaged(path, err) from err
            yield Block(columns, Places(str(path)), start)


@dataclass(frozen=True)
class Docs:
    """The documents of a file. `tokens` is (sum, attributes) uint64; those of document i are `starts[i]` to
    `starts[i + 1]`. `places` are the columns of attributes by their number."""

    tokens: Array
    starts: Array
    spaces: Array
    unknown_spaces: Sequence[bool]
    categories: Sequence[Mapping[str, float]]
    places: Mapping[int, int]
    strings: Any

    def __len__(self) -> int:
        return len(self.categories)

    @property
    def names(self) -> Names:
        found = ["text", "token"] + (["label"] if any(self.categories) else [])
        found += [name for name, attribute in ATTRIBUTES.items() if self.has(attribute)]
        return (*found, "ner") if self.has("ENT_IOB") else tuple(found)

    def has(self, attribute: str) -> bool:
        place = self.places.get(numbers()[attribute])
        return place is not None and bool(self.tokens[:, place].any())

    def column(self, name: str, start: int, stop: int) -> Column:
        """A column for documents `start` to `stop`."""
        if name == "label":
            return [label(self.categories[row]) for row in range(start, stop)]
        cuts = self.starts[start : stop + 1].tolist()
        if name == "ner":
            flat = biluo(self.values("ENT_IOB", cuts), self.texts("ENT_TYPE", cuts), np.array(cuts) - cuts[0])
        else:
            flat = self.texts(ATTRIBUTES.get(name, "ORTH"), cuts)
        rows = [flat[a - cuts[0] : b - cuts[0]] for a, b in pairwise(cuts)]
        return [self.text(start + row, tokens) for row, tokens in enumerate(rows)] if name == "text" else rows

    def text(self, row: int, tokens: Sequence[str]) -> str:
        if self.unknown_spaces[row]:
            return " ".join(tokens)
        spaces = self.spaces[self.starts[row] : self.starts[row + 1]].tolist()
        return "".join(f"{token} " if space else token for token, space in zip(tokens, spaces, strict=True))

    def values(self, attribute: str, cuts: Sequence[int]) -> Array:
        place = self.places.get(numbers()[attribute])
        n = cuts[-1] - cuts[0]
        return np.zeros(n, np.uint64) if place is None else self.tokens[cuts[0] : cuts[-1], place]

    def texts(self, attribute: str, cuts: Sequence[int]) -> list[str]:
        """What the numbers of an attribute stand for. UnfitError: one stands for nothing."""
        different, places = np.unique(self.values(attribute, cuts), return_inverse=True)
        try:
            known = [self.strings[int(number)] for number in different]
        except (KeyError, IndexError, OverflowError) as err:
            raise UnfitError(f"a token's {attribute} is none of its strings") from err
        return [known[place] for place in places.tolist()]


def load(path: Path) -> Docs:
    """The documents of a file. DataError: it has none, or is damaged, or spaCy is not installed."""
    with opened_raw(path) as file:
        try:
            required("spacy", WHAT)
        except ArgumentError as err:
            raise refused("path", str(err)) from err
        data = file.read()
    try:
        docs = parsed(unpacked(data))
    except UnfitError as err:
        raise damaged(path, err) from err
    if not len(docs):
        raise DataError(problems=[Problem("the file has no documents", str(path))])
    return docs


def damaged(path: Path, err: UnfitError) -> DataError:
    return DataError(problems=[Problem(f"the file is damaged or no DocBin: {printable(str(err), 200)}", str(path))])


def unpacked(data: bytes) -> Any:
    """The message in a file: dicts, lists, texts, numbers and bytes. Nothing in it can become another object."""
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
    kinds = {"attrs": list, "strings": list, "tokens": bytes, "spaces": bytes, "lengths": bytes, "cats": list}
    if not isinstance(message, dict):
        raise UnfitError("it is no table of arrays")
    for name, kind in kinds.items():
        if not isinstance(message.get(name), kind):
            raise UnfitError(f"{name} is missing or of the wrong kind")
    attributes, strings, categories = message["attrs"], message["strings"], message["cats"]
    if not all(type(number) is int for number in attributes) or numbers()["ORTH"] not in attributes:
        raise UnfitError("attrs are not the numbers of attributes")
    if not all(isinstance(string, str) for string in strings):
        raise UnfitError("strings has what is no text")
    lengths = array(message, "lengths", np.int32).astype(np.int64)
    tokens, spaces = array(message, "tokens", np.uint64), array(message, "spaces", np.uint8)
    n = int(lengths.sum())
    if lengths.min(initial=0) < 0 or len(tokens) != n * len(attributes) or len(spaces) != n:
        raise UnfitError(f"lengths tell of {n} tokens, which tokens and spaces have not")
    flags = message.get("flags") or [{}] * len(lengths)
    if not len(lengths) == len(categories) == len(flags) or not are_categories(categories):
        raise UnfitError("cats and flags are not those of the documents")
    store = importlib.import_module("spacy.strings").StringStore(strings)
    return Docs(
        tokens.reshape(n, len(attributes)),
        np.append(0, lengths.cumsum()),
        spaces,
        [isinstance(flag, dict) and bool(flag.get("has_unknown_spaces")) for flag in flags],
        categories,
        {number: place for place, number in enumerate(attributes)},
        store,
    )


def array(message: Mapping[str, Any], name: str, dtype: type[np.generic]) -> Array:
    try:
        return np.frombuffer(message[name], dtype)
    except ValueError as err:
        raise UnfitError(f"{name}: {err}") from err


def are_categories(values: Sequence[Any]) -> bool:
    """Whether each value is the categories of a document: numbers by name."""
    return all(
        isinstance(value, dict)
        and all(isinstance(name, str) and isinstance(number, int | float) for name, number in value.items())
        for value in values
    )


def label(categories: Mapping[str, float]) -> str:
    """The categories that a document has, as one text.

    >>> label({"a": 1.0, "b": 0.0}), label({"a": 0.9, "b": 0.7}), label({})
    ('a', 'a; b', '')
    """
    return f"{SEPARATOR} ".join(name for name, value in categories.items() if value >= THRESHOLD)


def biluo(codes: Array, types: Sequence[str], starts: Array) -> list[str]:
    """Entities as BILUO tags, from the codes (n,) and types of tokens; `starts` are where documents begin, and n.

    >>> biluo(np.array([3, 1, 2, 3, 1, 3]), ["A", "A", "", "B", "B", "A"], np.array([0, 4, 6]))
    ['B-A', 'L-A', 'O', 'U-B', 'U-B', 'U-A']
    """
    is_first = np.zeros(len(codes) + 1, np.bool_)
    is_first[starts] = True
    inside = (codes == INSIDE) | (codes == BEGIN)
    before = np.append(False, inside[:-1])
    begins = inside & ((codes == BEGIN) | is_first[:-1] | ~before)
    goes_on = np.append((codes == INSIDE)[1:], False) & ~is_first[1:]
    marks = np.where(begins, np.where(goes_on, "B", "U"), np.where(goes_on, "I", "L"))
    return [
        f"{mark}-{kind}" if is_in else "O"
        for mark, kind, is_in in zip(marks.tolist(), types, inside.tolist(), strict=True)
    ]


def numbers() -> Mapping[str, int]:
    """The numbers of attributes by name."""
    found: Mapping[str, int] = importlib.import_module("spacy.attrs").IDS
    return found
