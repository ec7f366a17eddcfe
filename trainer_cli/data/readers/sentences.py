"""The sentences of one file with a token a line, and the columns that its first token has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trainer_cli.data.block import BLOCK_ROWS, SentenceLines
from trainer_cli.data.faults import FaultsError, shown
from trainer_cli.data.readers.csv import OTHER_FORMATS
from trainer_cli.data.readers.lines import Lines, LongLineError
from trainer_cli.errors import DataError, Problem

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
                    token = None if number in self.lines.bad else self._token(text, number)
                    is_whole = is_whole and token is not None
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
