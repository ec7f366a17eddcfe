"""Sentences as the shared tasks of CoNLL write them: a token a line, its columns beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trainer_cli.data.block import Block, Places, listing
from trainer_cli.data.faults import FaultsError
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import Lines, compact, stretches
from trainer_cli.data.readers.sentences import Table
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import Problem, bad_argument
from trainer_cli.registry import registry


@registry.readers("conll.v1")
class ConllReader(FileSet):
    """Rows of a file with a token a line, its columns apart by tabs or spaces, as columns of tokens, a sentence a row.

    A blank line ends a sentence. Where the first token's line has a tab, tabs part the columns, else spaces. `names`
    are the columns', in their order; left out, one column is `token`, two are `token` and `tag`, and ten those of
    CoNLL-U. `columns_at` names some columns by their places instead, from 0, or from -1 for the last:
    `{"token": 0, "tag": -1}`. A file with fewer columns, such as one of bare tokens, lacks the names that go beyond;
    where it has fewer than `width`, those counted from the last as well. A saved model knows the `width` of its
    training data.

    A line that begins with `comment` is none of the data, unless a word follows at once and then other columns (as in
    a line of a hashtag); `comment = ""` is for files without comments. With `conllu`, which ten columns without
    names mean, lines of words written as one (ids as `1-2`) and of empty nodes (`1.1`) are no tokens. Nor is a line
    that begins a document, whose first column is `-DOCSTART-`.

    The file is UTF-8 or has another `text_encoding`; packed files are unpacked. `path` may be a pattern; `columns` and
    `limit` choose columns and the first sentences.
    """

    suffixes = with_packed(".conll", ".conllu", ".iob", ".bio")
    takes_stdin = True

    def __init__(
        self,
        path: Path,
        names: list[str] | None = None,
        *,
        columns_at: dict[str, int] | None = None,
        width: int | None = None,
        comment: str = "#",
        conllu: bool | None = None,
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str = UTF_8,
    ):
        self.places = checked_places(names, columns_at)
        self.in_order = names is not None
        self.width = checked_width(width, self.places)
        self.seen = 0
        if not isinstance(comment, str):
            raise bad_argument("comment", f"comment is a text, got {comment!r}")
        if conllu is not None and not isinstance(conllu, bool):
            raise bad_argument("conllu", f"conllu is true, false or left out, got {conllu!r}")
        self.comment = comment
        self.conllu = conllu
        self.encoding = checked_encoding(text_encoding)
        settings: dict[str, Any] = {
            "names": names,
            "columns_at": columns_at,
            "width": width,
            "comment": comment,
            "conllu": conllu,
        }
        super().__init__(path, columns, limit, **settings, text_encoding=self.encoding)

    def names_in(self, path: Path) -> Names:
        with opened(path) as file:
            lines = self._lines(file, path)
            table = self._table(lines)
            next(table.sentences(), None)
            lines.faults.check()
            self.seen = table.width
            if not table.at:
                raise no_tokens(path)
            return tuple(table.at)

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 sentences, or 4 MiB of text; sentences with a wrong line are reported at the end."""
        with opened(path) as file:
            lines, start = self._lines(file, path), 0
            table = self._table(lines)
            for rows, numbers in stretches(table.sentences(), lines, room, self.block_rows):
                columns = {name: [[token[at] for token in row.tokens] for row in rows] for name, at in table.at.items()}
                yield Block(columns, Places(str(path), compact(numbers)), start, lines=rows)
                start += len(numbers)
            lines.faults.check()
            if start == 0:
                raise no_tokens(path)

    def settings(self) -> dict[str, Any]:
        """Its arguments, with the width of the data that were read where places are counted from the last column."""
        if self.width is None and self.seen and min(self.places.values(), default=0) < 0:
            return super().settings() | {"width": self.seen}
        return super().settings()

    def _lines(self, file: IO[bytes], path: Path) -> Lines:
        return Lines(file, str(path), self.encoding, "a blank line ends a sentence")

    def _table(self, lines: Lines) -> Table:
        return Table(self.places, self.in_order, self.width, self.comment, self.conllu, lines)


def checked_places(names: object, columns_at: object) -> dict[str, int]:
    """The places of columns by name, none where neither is given; ArgumentError: they are not what they should be."""
    if names is not None and columns_at is not None:
        raise bad_argument("columns_at", "names and columns_at say the same thing twice; give one of them")
    if names is not None:
        if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
            raise bad_argument("names", f'names are those of the columns, such as ["token", "tag"], got {names!r}')
        if len(set(names)) < len(names):
            raise bad_argument("names", f"each column needs a name of its own, got {listing(names)}")
        return {name: at for at, name in enumerate(names)}
    if columns_at is None:
        return {}
    if not isinstance(columns_at, dict) or not columns_at or not all(type(at) is int for at in columns_at.values()):
        raise bad_argument("columns_at", f'columns_at are places by name, such as {{"token": 0}}, got {columns_at!r}')
    return dict(columns_at)


def checked_width(width: object, places: Mapping[str, int]) -> int | None:
    """A number of columns as it was given; ArgumentError: it is none, or no place is counted from the last."""
    if width is None:
        return None
    if type(width) is not int or width < 1:
        raise bad_argument(
            "width", f"width is how many columns a line has, a whole number of at least 1, got {width!r}"
        )
    if min(places.values(), default=0) >= 0:
        raise bad_argument("width", "width is for columns_at that count from the last column, such as -1: leave it out")
    return width


def no_tokens(path: Path) -> FaultsError:
    return FaultsError([Problem("the file has no tokens; it must have one a line", str(path))], 1)
