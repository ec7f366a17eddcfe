"""Sentences as the shared tasks of CoNLL write them: a token a line, its columns beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from trainer_cli.data.block import BLOCK_ROWS, Block, Places, SentenceLines, listing
from trainer_cli.data.faults import FaultsError, shown
from trainer_cli.data.readers.csv import OTHER_FORMATS
from trainer_cli.data.readers.encoding import UTF_8, checked_encoding
from trainer_cli.data.readers.files import opened
from trainer_cli.data.readers.fileset import FileSet, Names
from trainer_cli.data.readers.lines import Lines, LongLineError, compact, stretches
from trainer_cli.data.readers.unpack import with_packed
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import registry

# CoNLL-U (Nivre and others, *Universal Dependencies v2*, 2020).
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
# What columns are called where no names are given, by their number.
USUAL = {1: ("token",), 2: ("token", "tag"), len(CONLLU): CONLLU}

# An id of CoNLL-U is a word's; a range of words that are written as one, and an empty node, are no tokens.
WORD = re.compile(r"[1-9][0-9]*")
NO_TOKEN = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")

# What CoNLL-2003 (Tjong Kim Sang and De Meulder, 2003) has in the place of a token where a document begins.
DOCUMENT = re.compile(r"-DOCSTART-(?=[ \t]|$)")
OBJECT = re.compile(r'\s*\{\s*"[^"]*"\s*:')


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
            raise refused("comment", f"comment is a text, got {comment!r}")
        if conllu is not None and not isinstance(conllu, bool):
            raise refused("conllu", f"conllu is true, false or left out, got {conllu!r}")
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
            return tuple(table.at) or refuse_empty(path)

    def blocks_in(self, path: Path, room: int | None) -> Iterator[Block]:
        """Blocks of up to 4,096 sentences, or 4 MiB of text; sentences with a wrong line are reported at the end."""
        with opened(path) as file:
            lines, start = self._lines(file, path), 0
            table = self._table(lines)
            for rows, numbers in stretches(table.sentences(), lines, room):
                columns = {name: [[token[at] for token in row.tokens] for row in rows] for name, at in table.at.items()}
                yield Block(columns, Places(str(path), compact(numbers)), start, lines=rows)
                start += len(numbers)
            lines.faults.check()
            if start == 0:
                refuse_empty(path)

    def settings(self) -> dict[str, Any]:
        """Its arguments, with the width of the data that were read where places are counted from the last column."""
        if self.width is None and self.seen and min(self.places.values(), default=0) < 0:
            return super().settings() | {"width": self.seen}
        return super().settings()

    def _lines(self, file: IO[bytes], path: Path) -> Lines:
        return Lines(file, str(path), self.encoding, "a blank line ends a sentence")

    def _table(self, lines: Lines) -> Table:
        return Table(self.places, self.in_order, self.width, self.comment, self.conllu, lines)


class Table:
    """The sentences of one file. `at` are the places of its columns by name, known from its first token on."""

    def __init__(
        self,
        places: Mapping[str, int],
        in_order: bool,
        full_width: int | None,
        comment: str,
        conllu: bool | None,
        lines: Lines,
    ):
        self.places = places
        self.full_width = full_width
        self.in_order = in_order
        self.comment = comment
        self.conllu = conllu
        self.lines = lines
        self.at: dict[str, int] = {}
        self.width = 0
        self.by_tabs = False

    def sentences(self) -> Iterator[tuple[int, SentenceLines]]:
        """Each sentence with its first token's line; one with a mistake is left out, which becomes a fault."""
        number, start, is_whole = 0, 0, True
        tokens: list[list[str]] = []
        others: list[tuple[int, list[str]]] = []
        try:
            for number, line in enumerate(self.lines, 1):
                text = line.rstrip("\r\n")
                if text.strip():
                    token = self._token(text, number)
                    is_whole = is_whole and token is not None and number not in self.lines.bad
                    if token:
                        start = start or number
                        tokens.append(token)
                    elif token is not None and len(others) < BLOCK_ROWS:
                        others.append((len(tokens), self._other(text)))
                    continue
                if tokens and is_whole:
                    yield start, SentenceLines(tokens, others or ())
                self.lines.end_record()
                # What stands alone, as the beginning of a document does, goes with the sentence after it.
                others = [] if tokens or not is_whole else apart(others)
                tokens, start, is_whole = [], 0, True
            if tokens and is_whole:
                yield start, SentenceLines(tokens, others or ())
        except LongLineError as err:
            self.lines.fault(str(err), start or number + 1)

    def _token(self, line: str, number: int) -> list[str] | None:
        """A token's columns, none for a line that has no token, or None for a mistake, which becomes a fault."""
        if self._is_comment(line) or DOCUMENT.match(line):
            return []
        if not self.at:
            self._begin(line, number)
        values = parted(line, self.by_tabs)
        if len(values) != self.width:
            message = f"expected {self.width} columns as in the first token's line, got {len(values)}"
        elif not self.conllu or WORD.fullmatch(values[0]):
            return values
        elif NO_TOKEN.fullmatch(values[0]):
            return []
        else:
            message = f"expected the number of a word, as CoNLL-U has it first, got {shown(values[0])}"
        self.lines.fault(message, number)
        return None

    def _other(self, line: str) -> list[str]:
        """The columns of a line without a token, with what stands for the tag that it has not."""
        if self._is_comment(line):
            return [line]
        return [*parted(line, "\t" in line), "O" if DOCUMENT.match(line) else "_"]

    def _is_comment(self, line: str) -> bool:
        if not self.comment or not line.startswith(self.comment):
            return False
        return self.conllu is True or line[len(self.comment) :][:1] == " " or len(line.split()) < 2

    def _begin(self, line: str, number: int) -> None:
        """Learn from the first token's line how columns are parted and which there are."""
        for beginning, message in OTHER_FORMATS.items():
            if line.startswith(beginning) and (beginning != "{" or OBJECT.match(line)):
                raise FaultsError([Problem(message, self.lines.path, number)], 1)
        self.by_tabs = "\t" in line
        self.width = len(parted(line, self.by_tabs))
        if self.conllu is None:
            self.conllu = not self.places and self.width == len(CONLLU)
        try:
            self.at = self._places()
        except ValueError as err:
            raise DataError(problems=[Problem(str(err), self.lines.path, number)]) from None

    def _places(self) -> dict[str, int]:
        columns = f"the line has {self.width} column{'s' if self.width > 1 else ''}"
        if self.conllu and self.width != len(CONLLU):
            raise ValueError(f"{columns}, CoNLL-U has {len(CONLLU)}, parted by tabs")
        places = self.places or {name: at for at, name in enumerate(USUAL.get(self.width, ()))}
        if not places:
            raise ValueError(f'{columns}: say what they are, as names = ["token", "...", "tag"] does')
        if self.in_order and self.width > len(places):
            raise ValueError(f"{columns}, names has {len(places)}: name all of them, or say where some are: columns_at")
        least = -self.width if self.width >= (self.full_width or 0) else 0
        found = {name: at for name, at in places.items() if least <= at < self.width}
        if found:
            taken = {at for at in found.values() if at >= 0}
            return {name: at for name, at in found.items() if at >= 0 or at + self.width not in taken}
        raise ValueError(f"{columns}, so that none is at the places {list(places.values())}")


def apart(others: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Lines before a sentence and the blank one behind them, if there are any."""
    return [*others, (0, [])] if others and others[-1][1] else others


def parted(line: str, by_tabs: bool) -> list[str]:
    """The columns of a line.

    >>> parted("a\\t\\tb c", True), parted("a  b ", False)
    (['a', '', 'b c'], ['a', 'b'])
    """
    return line.split("\t") if by_tabs else [part for part in line.split(" ") if part]


def checked_places(names: object, columns_at: object) -> dict[str, int]:
    """The places of columns by name, none where neither is given; ArgumentError: they are not what they should be."""
    if names is not None and columns_at is not None:
        raise refused("columns_at", "names and columns_at say the same thing twice; give one of them")
    if names is not None:
        if not isinstance(names, list | tuple) or not names or not all(isinstance(name, str) for name in names):
            raise refused("names", f'names are those of the columns, such as ["token", "tag"], got {names!r}')
        if len(set(names)) < len(names):
            raise refused("names", f"each column needs a name of its own, got {listing(names)}")
        return {name: at for at, name in enumerate(names)}
    if columns_at is None:
        return {}
    if not isinstance(columns_at, dict) or not columns_at or not all(type(at) is int for at in columns_at.values()):
        raise refused("columns_at", f'columns_at are places by name, such as {{"token": 0}}, got {columns_at!r}')
    return dict(columns_at)


def checked_width(width: object, places: Mapping[str, int]) -> int | None:
    """A number of columns as it was given; ArgumentError: it is none, or no place is counted from the last."""
    if width is None:
        return None
    if type(width) is not int or width < 1:
        raise refused("width", f"width is how many columns a line has, a whole number of at least 1, got {width!r}")
    if min(places.values(), default=0) >= 0:
        raise refused("width", "width is for columns_at that count from the last column, such as -1: leave it out")
    return width


def refused(argument: str, message: str) -> ArgumentError:
    return ArgumentError(problems=[Problem(message, where=argument)])


def refuse_empty(path: Path) -> Names:
    raise FaultsError([Problem("the file has no tokens; it must have one a line", str(path))], 1)
