"""What is odd about how data are read, though they can be read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from trainer_cli.data.block import listing
from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.encoding import CHUNK, doubt
from trainer_cli.data.readers.files import STDIN, begin_of, opened, opened_raw
from trainer_cli.data.readers.fileset import FileSet
from trainer_cli.data.readers.standard_input import is_kept
from trainer_cli.data.readers.unpack import packing_of
from trainer_cli.errors import DataError


def encoding_doubt(reader: Reader) -> str:
    """Why the first file of a reader probably has another encoding than it is read by; or an empty text."""
    files = fileset(reader)
    encoding = getattr(files, "encoding", None)
    if files is None or not isinstance(encoding, str):
        return ""
    with suppress(DataError):  # who reads the data tells of it
        path = files.tables()[0]
        found = doubt(beginning(path), encoding)
        return found and f"{path}: {found}"
    return ""


def beginning(path: Path) -> bytes:
    """How a file begins; of standard input that can be read but once, what lies ready and is not packed."""
    if str(path) != STDIN or is_kept():
        with opened(path) as file:
            return file.read(CHUNK)
    with opened_raw(path) as raw:
        data = begin_of(raw)
    return b"" if packing_of(data) else data


def unnamed_columns(reader: Reader) -> str:
    """Which columns have a number for a name, since the header of their table has none; or an empty text."""
    files = fileset(reader)
    names = files.unnamed() if isinstance(files, CSVReader) else ()
    return f"The header has no name for {listing(names)}: so it is called here, by its place" if names else ""


def fileset(reader: object) -> FileSet | None:
    """The reader of files in a reader that chooses it or leaves out some of its rows."""
    while not isinstance(reader, FileSet):
        reader = getattr(reader, "__dict__", {}).get("reader")
        if reader is None:
            return None
    return reader
