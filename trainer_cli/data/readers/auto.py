"""The reader that a file's name asks for."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer_cli.data.block import Block
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.readers.conll import ConllReader
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.docbin import DocBinReader
from trainer_cli.data.readers.files import STDIN, found, is_pattern, only_file, reason
from trainer_cli.data.readers.fileset import FileSet
from trainer_cli.data.readers.idx import IdxReader
from trainer_cli.data.readers.images import ImagesReader
from trainer_cli.data.readers.json import JSONReader
from trainer_cli.data.readers.jsonl import JSONLReader
from trainer_cli.data.readers.npy import NpyReader
from trainer_cli.data.readers.npz import NpzReader
from trainer_cli.data.readers.objects import Missing
from trainer_cli.data.readers.parquet import ParquetReader
from trainer_cli.data.readers.pixels import Mode
from trainer_cli.data.readers.sqlite import SQLiteReader
from trainer_cli.data.readers.unpack import plain
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.registry import nearest, registry

FORMATS: dict[str, type[FileSet]] = {
    "csv": CSVReader,
    "jsonl": JSONLReader,
    "json": JSONReader,
    "conll": ConllReader,
    "parquet": ParquetReader,
    "sqlite": SQLiteReader,
    "npy": NpyReader,
    "npz": NpzReader,
    "docbin": DocBinReader,
    "images": ImagesReader,
    "idx": IdxReader,
}


# Formats whose files are no text: a reader of one has no use for a file of another.
BINARY = {"docbin", "parquet", "sqlite", "npy", "npz"}
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
SUFFIXES = tuple(suffix for reader in FORMATS.values() for suffix in reader.suffixes)


@registry.readers("auto.v1")
class AutoReader:
    """Rows read as the name of the file asks: csv.v1 for .csv, parquet.v1 for .parquet, and so on.

    A folder is one of images, or has one file whose name tells its format.

    `format` says what the name does not tell: a reader's name without its version, such as "csv". All other arguments
    are those of the reader; one that it does not take is an ArgumentError. A model trained with it reads files of other
    formats as well, with those of the arguments that the other reader takes.
    """

    def __init__(
        self,
        path: Path,
        format: str | None = None,
        *,
        columns: list[str] | None = None,
        limit: int | None = None,
        text_encoding: str | None = None,
        delimiter: str | None = None,
        header: bool | None = None,
        skip: int | None = None,
        missing: Missing | None = None,
        names: list[str] | None = None,
        columns_at: dict[str, int] | None = None,
        width: int | None = None,
        comment: str | None = None,
        conllu: bool | None = None,
        query: str | None = None,
        labels: Path | None = None,
        X: str | None = None,
        Y: str | None = None,
        size: list[int] | None = None,
        mode: Mode | None = None,
    ):
        given: dict[str, Any] = {"columns": columns, "limit": limit, "text_encoding": text_encoding}
        given |= {
            "delimiter": delimiter,
            "header": header,
            "skip": skip,
            "missing": missing,
            "names": names,
            "columns_at": columns_at,
        }
        given |= {"comment": comment, "conllu": conllu, "query": query, "labels": labels, "X": X, "Y": Y}
        given |= {"size": size, "mode": mode, "width": width}
        self.format, at = resolved(Path(path), checked_format(format))
        self.reader = made(self.format, at, {name: value for name, value in given.items() if value is not None})

    def columns(self) -> tuple[str, ...]:
        return self.reader.columns()

    def blocks(self) -> Iterator[Block]:
        return self.reader.blocks()

    def files(self) -> tuple[Path, ...]:
        return self.reader.files()

    def paths(self) -> tuple[Path, ...]:
        return self.reader.paths()

    def narrow(self, uses: Collection[str]) -> None:
        """Let only some columns matter, where the reader of the format can."""
        if hasattr(self.reader, "narrow"):
            self.reader.narrow(uses)

    def in_small_blocks(self) -> None:
        """Let blocks of text have fewer rows."""
        self.reader.in_small_blocks()

    def convert_only(self, uses: Collection[str]) -> None:
        """Let only some columns be converted, where their types are not those of JSON."""
        if hasattr(self.reader, "convert_only"):
            self.reader.convert_only(uses)

    @property
    def folder(self) -> Path | None:
        """The folder whose files' names are part of the data, as images' are."""
        return getattr(self.reader, "folder", None)

    def settings(self) -> dict[str, Any]:
        return {"format": self.format, **self.reader.settings()}

    @classmethod
    def at(cls, data: Path, **settings: Any) -> AutoReader:
        """`data` in its own format where its name tells it, else in the format of the training data."""
        return cls.given_at(data, settings, {})

    @classmethod
    def given_at(cls, data: Path, settings: Mapping[str, Any], given: Mapping[str, Any]) -> AutoReader:
        """The same, with `given` arguments, which all must fit, in the place of settings."""
        told = checked_format(given.get("format")) or format_of(data)
        format = told or checked_format(settings.get("format"))
        if format is None:
            raise unknown(data)
        # A model folder says how data are read, never which.
        takes = parameters(format) - {"labels"}
        arguments = {name: value for name, value in settings.items() if name in takes} | dict(given)
        return cls(data, **{**arguments, "format": format})

    @staticmethod
    def stands_in(name: str, data: Path, given: Mapping[str, Any]) -> bool:
        """Whether data are for this reader, though a model has the reader `name` of one format: a format is given, or
        the data's name tells another one and one of both is no text."""
        own = name.removesuffix(".v1")
        if own not in FORMATS or registry.readers.get(name) is not FORMATS[own]:
            return False
        told = format_of(data) if data.is_file() or (is_pattern(data) and str(data) != STDIN) else None
        return "format" in given or (told not in (None, "idx", "images", own) and bool({own, told} & BINARY))


def format_of(path: Path) -> str | None:
    """The format that a path's name tells; that of a folder is told by what lies in it. None where it is not told.

    >>> format_of(Path("a.CSV.gz")), format_of(Path("a.txt"))
    ('csv', None)
    """
    if path.is_dir():
        return of_folder(path)
    if not is_pattern(path):
        return by_name(path.name)
    formats = {by_name(each.name) for each in found(path)}
    if len(formats) > 1:
        known = ", ".join(sorted(format or "others" for format in formats))
        raise refused("path", f"the files that fit {path} have several formats: {known}")
    return formats.pop()


def of_folder(path: Path) -> str | None:
    """The format of a folder's one file, or of its images."""
    try:
        names = [entry.name for entry in path.iterdir() if not entry.is_dir()]
    except OSError as err:
        raise refused("path", f"cannot read {path}: {reason(err)}") from err
    if {by_name(name) for name in names} <= {"images", None}:
        return "images"
    return "idx" if any(by_name(name) == "idx" for name in names) else by_name(only_file(path, SUFFIXES).name)


def by_name(name: str) -> str | None:
    """The format of a file's name; None where it is not told."""
    if "idx3" in name or "idx1" in name:
        return "idx"
    ending = (
        format for format, reader in FORMATS.items() if reader.suffixes and name.lower().endswith(reader.suffixes)
    )
    return next(ending, None)


def resolved(path: Path, format: str | None) -> tuple[str, Path]:
    """A path's format, the one that is given or else the one that it tells, and the file meant."""
    told = format or (None if str(path) == STDIN else format_of(path))
    if told is None:
        raise unknown(path)
    is_one = path.is_dir() and told not in ("images", "idx")
    return told, only_file(path, FORMATS[told].suffixes) if is_one else path


def made(format: str, path: Path, arguments: Mapping[str, Any]) -> FileSet:
    """The reader of a format; ArgumentError: it does not take one of the arguments."""
    takes = parameters(format)
    for name in arguments:
        if name not in takes:
            takers = [other for other in FORMATS if name in parameters(other)]
            message = f"data in the format {format} take no {name}, which is for {', '.join(takers)}"
            raise ArgumentError(problems=[Problem(message, where=name)])
    if format == "idx":
        return IdxReader.at(path, **arguments)
    return FORMATS[format](path, **arguments)


def parameters(format: str) -> set[str]:
    """The arguments of a format's reader, but for those that say where the data lie or that it finds by itself."""
    found_by_itself = {"labels"} if format == "idx" else set()
    return set(inspect.signature(FORMATS[format]).parameters) - {"path", "images"} - found_by_itself


def checked_format(format: object) -> str | None:
    """A format as it was given; ArgumentError: there is none of this name."""
    if format is None or format in FORMATS:
        return format
    message = f"no format is called {format!r}.{nearest(str(format), list(FORMATS))} There are {', '.join(FORMATS)}"
    raise ArgumentError(problems=[Problem(message, where="format")])


def unknown(path: Path) -> DataError:
    """The error for a name that does not tell its format."""
    if str(path) == STDIN:
        return refused("path", 'standard input has no name: say what comes, as format = "csv" does')
    if not path.exists():
        return refused("path", f"no file is there: {path}")
    if path.suffix.lower() in SPREADSHEETS:
        return refused("path", f"{path.name} is a spreadsheet, which is not read: save its table as CSV, and name that")
    known = ", ".join(suffix for suffix in SUFFIXES if plain(f"x{suffix}") == f"x{suffix}")
    rule = f"the name {shown(path.name)} does not tell the format"
    return refused("path", f'{rule}; known are {known} and folders of images. Or say it, as format = "csv" does')
