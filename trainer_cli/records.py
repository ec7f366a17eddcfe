"""Records and their predictions as lines of text: JSON, an object a line, CSV or TSV, or CoNLL, a token a line."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Literal

from trainer_cli.data.block import Block, SentenceLines, is_tokens
from trainer_cli.data.readers.objects import flat
from trainer_cli.data.readers.unpack import plain
from trainer_cli.errors import ArgumentError
from trainer_cli.predictions import Account, Predicted

Format = Literal["jsonl", "csv", "tsv", "conll"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv", "tsv", "conll")
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".conll": "conll",
    ".conllu": "conll",
    ".iob": "conll",
    ".bio": "conll",
}
# Digits of a probability that are worth reading; float32 has no more than seven.
DIGITS = 6
# So many different keys without a column are told by name.
MOST_DROPPED = 100
TAKEN = (
    "a prediction has this name, as the first records had it not; the record is left out: rename the key in the data"
)


def comma() -> str:
    return ","


def lines(
    found: Iterator[Predicted],
    file_format: Format,
    titles: Titles | None = None,
    delimiter: Callable[[], str] = comma,
) -> Iterator[str]:
    """The lines of a file of predictions: each record as it was read, with `prediction` and `score` after it; both are
    lists where a row may have several labels, in CSV joined by the target's separator, or as JSON where a label holds
    it. Tags are a list without scores.

    A record of arrays, such as an image, is told by its `row`, from 0. In CoNLL each token has the columns of its
    line, apart by tabs, and its tag as the last; comments stay as they are, the beginning of a document has the tag O,
    and other lines without a token have an underscore. Where the data have a column of one of these names, `titles`
    settle others; they also count what cannot be written. The `delimiter` of CSV, which the data may have, is asked for
    when the first records are read. ArgumentError: the predictions cannot be written so.
    """
    titles = Titles() if titles is None else titles
    if file_format in ("csv", "tsv"):
        return csv_lines(found, titles, delimiter if file_format == "csv" else lambda: "\t")
    return json_lines(found, titles) if file_format == "jsonl" else conll_lines(found)


class Titles:
    """The names under which predictions stand beside a record's columns; `others` has those that were taken, each with
    the one in its place: `prediction_2` for `prediction`. The first batch of records settles them: a later one that has
    such a name all the same is left out, which `account` is told.

    `dropped` counts by name the values of keys that a table has no column for, `n_cut` the records that had some."""

    def __init__(self, account: Account | None = None) -> None:
        self.account = account or Account()
        self.others: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()
        self.n_cut = 0
        self._is_settled = False

    def settle(self, block: Block, written: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> None:
        """Choose names that are free in the first batch; later ones change nothing."""
        if not self._is_settled:
            self._is_settled = True
            taken = {*block.columns, *(name for record in written for name in record)}
            self.others = {name: free(name, taken) for name in answer if name in taken}

    def named(self, part: Predicted, written: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The records of a batch with their predictions, without those that have a name that one goes by."""
        for row, (record, answer) in enumerate(zip(written, answers(part), strict=True)):
            self.settle(part.block, written, answer)
            named = {self.others.get(name, name): value for name, value in answer.items()}
            if taken := named.keys() & record.keys():
                self.account.leave_out(part.block.problem(row, min(taken), TAKEN))
            else:
                yield {**record, **named}

    def cut(self, record: Mapping[str, Any], columns: Collection[str]) -> None:
        """Count the values of a record for which there is no column."""
        dropped = [name for name, value in record.items() if name not in columns and value is not None]
        self.n_cut += bool(dropped)
        self.dropped.update(name for name in dropped if name in self.dropped or len(self.dropped) < MOST_DROPPED)


def free(name: str, taken: Collection[str]) -> str:
    """A name that no column has.

    >>> free("score", {"score", "score_2"})
    'score_3'
    """
    return next(other for n in itertools.count(2) if (other := f"{name}_{n}") not in taken)


def json_lines(found: Iterator[Predicted], titles: Titles) -> Iterator[str]:
    for part in found:
        yield from map(json_line, titles.named(part, list(records(part.block))))


def json_line(record: Mapping[str, Any]) -> str:
    """A record as JSON, its letters as they are; halves of UTF-16 pairs, which no file can hold, are escaped, and
    numbers that are not finite, which JSON has not, are null.

    >>> json_line({"a": [1.5, float("nan")]})
    '{"a": [1.5, null]}\\n'
    """
    try:
        line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json_line({key: finite(value) for key, value in record.items()})
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(record)
    return f"{line}\n"


def finite(value: Any) -> Any:
    """A value of JSON with None in the place of the numbers that are not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(each) for each in value]
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    return value


def csv_lines(found: Iterator[Predicted], titles: Titles, delimiter: Callable[[], str]) -> Iterator[str]:
    names: list[str] | None = None
    for part in found:
        part = replace(part, ranked=None)
        rows = [
            {name: joined(value, part.separator) for name, value in row.items()}
            for row in titles.named(part, list(cells(part.block, titles)))
        ]
        if names is None and rows:
            names = list(rows[0])
            yield csv_text([names], delimiter())
        yield csv_text([list(row.values()) for row in rows], delimiter())


def conll_lines(found: Iterator[Predicted]) -> Iterator[str]:
    for part in found:
        columns = [values for values in part.block.columns.values() if is_tokens(values)]
        if not columns or not part.are_tags:
            what = "tags the words of a text, which have no lines" if part.are_tags else "gives each record one value"
            raise ArgumentError(f"--format conll has a token and its tag a line, but the model {what}: take jsonl")
        if part.block.lines is not None:
            for sentence_lines, tags in zip(part.block.lines, part.values, strict=True):
                yield conll_text(sentence_lines, tags)
            continue
        for *sentence, tags in zip(*columns, part.values, strict=True):
            yield "".join("\t".join(token) + "\n" for token in zip(*sentence, tags, strict=True)) + "\n"


def conll_text(sentence: SentenceLines, tags: Sequence[str]) -> str:
    """The lines of a sentence, a tag behind each token.

    >>> conll_text(SentenceLines([["a", "X"]], [(0, ["# one"])]), ["Y"])
    '# one\\na\\tX\\tY\\n\\n'
    """
    written = [[*token, tag] for token, tag in zip(sentence.tokens, tags, strict=True)]
    for at, columns in reversed(sentence.others):
        written.insert(at, columns)
    return "".join("\t".join(columns) + "\n" for columns in written) + "\n"


def csv_text(rows: Sequence[Sequence[Any]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def records(block: Block) -> Iterator[dict[str, Any]]:
    """Each row of a block as it was read."""
    if block.records is not None:
        yield from map(dict, block.records)
        return
    columns = {name: values for name, values in block.columns.items() if getattr(values, "ndim", 1) == 1}
    if len(columns) < len(block.columns):
        columns = {"row": block.numbers, **columns}  # type: ignore[dict-item]
    listed = [values if isinstance(values, list | range) else values.tolist() for values in columns.values()]
    for row in zip(*listed, strict=True):
        yield dict(zip(columns, row, strict=True))


def cells(block: Block, titles: Titles) -> Iterator[dict[str, Any]]:
    """Each row of a block as it was read, with a value for every column: nothing for a key that an object lacks. Keys
    that are no columns are counted in `titles`."""
    if block.records is None:
        yield from records(block)
        return
    for record in map(flat, block.records):
        titles.cut(record, block.columns)
        yield {name: record.get(name) for name in block.columns}


def answers(part: Predicted) -> Iterator[dict[str, Any]]:
    """What is predicted of each row, as it stands in a record."""
    for index, value in enumerate(part.values):
        found = {"prediction": value}
        if part.scores is not None:
            score = part.scores[index]
            found["score"] = (
                [round(each, DIGITS) for each in score] if isinstance(score, list) else round(score, DIGITS)
            )
        if part.ranked is not None:
            found["top"] = [{"label": label, "score": round(score, DIGITS)} for label, score in part.ranked[index]]
        yield found


def joined(value: Any, separator: str) -> Any:
    """What a cell of CSV holds: of a list its items as one text, or as JSON where one of them holds the separator; of a
    number that is not finite nothing.

    >>> joined(["a", 1, None], ";"), joined(True, ";"), joined(math.nan, ";"), joined([{"a": 1}], ";")
    ('a;1;', 'true', None, '{"a": 1}')
    >>> joined(["a; b", "c"], ";")
    '["a; b", "c"]'
    """
    value = finite(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        texts = ["" if each is None else str(joined(each, separator)) for each in value]
        is_clear = not any(separator in text for text in texts)
        return separator.join(texts) if is_clear else json.dumps(value, ensure_ascii=False)
    return value


def format_of(name: str) -> Format | None:
    """The format that a file's name tells, packed or not; None where it is none of these.

    >>> format_of("a.TSV.gz"), format_of("a.parquet")
    ('tsv', None)
    """
    return SUFFIXES.get(PurePath(plain(name)).suffix)
