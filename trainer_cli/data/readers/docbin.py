"""Texts with categories, and tokens with tags or entities, as spaCy's DocBin files have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trainer_cli.data.block import BLOCK_ROWS, Block, Places
from trainer_cli.data.faults import printable, refused
from trainer_cli.data.readers.docbin_message import parsed, unpacked
from trainer_cli.data.readers.documents import Docs, UnfitError
from trainer_cli.data.readers.files import opened_raw
from trainer_cli.data.readers.fileset import FileSet, Names, first_rows
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.extras import required
from trainer_cli.registry import registry

WHAT = "docbin.v1"


@registry.readers("docbin.v1")
class DocBinReader(FileSet):
    """Rows of a `.spacy` file, a document each: its text, its tokens, and what it is annotated with.

    `text` is the document's text, and `token` its tokens. `label` is its category whose value is at least 0.5; of
    several the names with "; " between them, as `multilabel.v1` takes them. Where the name of a category of the file
    has a ";" itself, it is a list of names instead. `tag` and `pos` are the tags of its tokens (an empty text where one
    has none), and `ner` the entities as BILUO tags, "O" also where nothing is annotated or no entity may be. A column
    is there where a document of the file has such an annotation.

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
            yield Block(columns, Places(str(path)), start, categories=docs.categories[start:stop])


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
