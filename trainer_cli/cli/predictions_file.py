"""The file that `trainer predict` writes: its format, where it may lie, and how it comes to be there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from gzip import GzipFile
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

import typer

from trainer_cli.cli.evaluate import check_folder

if TYPE_CHECKING:
    from trainer_cli.records import Format
    from trainer_cli.trained import Trained

    # Lines of text, or a file of bytes that spaCy reads.
    Written = Format | Literal["docbin"]

# Readers whose data are lines of text that predictions can stand in.
OF_READERS: dict[str, Format] = {"csv": "csv", "jsonl": "jsonl", "conll": "conll"}
# A shell gives it to a process that SIGPIPE ends, as it does other tools whose output nobody reads on.
CLOSED_PIPE = 128 + 13
# What is no text, whatever --format says.
NO_TEXT = (".parquet", ".db", ".sqlite", ".sqlite3", ".npy", ".npz", ".xls", ".xlsx", ".bz2", ".xz", ".zst", ".zip")


def asked_format(asked: str | None, output: Path | None) -> Written | None:
    """What was asked for, or else the format of the output's name; None where neither tells.

    ArgumentError: nothing can be written so.
    """
    from trainer_cli import records
    from trainer_cli.errors import ArgumentError
    from trainer_cli.registry import nearest
    from trainer_cli.spacy_documents import FORMAT, SUFFIX

    formats: tuple[Written, ...] = (*records.FORMATS, "docbin")
    found = next((each for each in formats if each == asked), None)
    if asked is not None and found is None:
        known: list[str] = list(formats)
        raise ArgumentError(f"--format is jsonl, csv, tsv, conll or docbin, not {asked!r}.{nearest(asked, known)}")
    if output is None:
        return found
    suffix = output.suffix.lower()
    if suffix == SUFFIX or (found == FORMAT and suffix in ("", ".gz", *records.SUFFIXES)):
        if found in (None, FORMAT) and suffix in (SUFFIX, ""):
            return "docbin"
        raise ArgumentError(f"--output {output}: a DocBin, and nothing else, is called {SUFFIX}: name the file so")
    if suffix in NO_TEXT or (suffix and found is None and records.format_of(unpacked(output)) is None):
        ends = ", ".join(records.SUFFIXES)
        raise ArgumentError(
            f"--output {output}: what can be written are {ends}, each also with .gz behind it, and {SUFFIX}"
        )
    return found or records.format_of(unpacked(output))


def unpacked(output: Path) -> str:
    return output.name.lower().removesuffix(".gz")


def default_format(data: Path, loaded: Trained) -> Format:
    """The format of the data, if predictions can stand in it; else jsonl.

    The data's name tells it, or else how the training data were read.
    """
    from trainer_cli import records

    name, settings = loaded.reader
    given = settings if isinstance(settings, dict) else {}
    reader = str(given.get("format")) if name == "auto.v1" else name.removesuffix(".v1")
    found = records.format_of(data.name) or OF_READERS.get(reader)
    if found == "csv" and records.format_of(data.name) is None and given.get("delimiter") == "\t":
        found = "tsv"
    return found if found and (found == "conll") == (loaded.target[0] == "tags.v1") else "jsonl"


def check_docbin(output: Path | None, loaded: Trained) -> int:
    """How many labels of each record a DocBin takes. ArgumentError: it cannot be written."""
    from trainer_cli.errors import ArgumentError
    from trainer_cli.spacy_documents import FORMAT, SUFFIX, checked, n_labels

    if output is None:
        raise ArgumentError(f"--format {FORMAT} is no text: name a file, as --output FILE{SUFFIX} does")
    checked(loaded)
    return n_labels(loaded)


def check_top(top: int, file_format: Written, loaded: Trained) -> None:
    """ArgumentError: --top has no effect on what is written."""
    from trainer_cli.errors import ArgumentError

    if top == 1:
        return
    target = loaded.target[1]
    if loaded.target[0] == "tags.v1":
        raise ArgumentError("--top ranks the labels of a record; this model gives each word a tag: leave it out")
    if not getattr(target, "names", ()):
        raise ArgumentError("--top ranks the labels of a record; this model gives each a number: leave it out")
    if file_format != "jsonl":
        raise ArgumentError(f"--top gives a list of labels, for which {file_format} has no place: add --format jsonl")


def check_place(output: Path) -> None:
    """ArgumentError: the output is a folder, or in a folder that is not there."""
    from trainer_cli.errors import ArgumentError

    check_folder(output)
    if output.is_dir():
        raise ArgumentError(f"--output {output}: a folder is there; name a file in it")


def check_free(output: Path, *, force: bool) -> None:
    """OutputError: a file is there, and nobody has said that it may be written over."""
    from trainer_cli.errors import OutputError

    if output.is_file() and not force:
        raise OutputError(f"{output}: is there already; --force writes over it, --output names another")


def write(lines: Iterator[str], output: Path | None) -> None:
    """Write the lines as they come, as long as somebody reads them.

    A file appears under its name when it is whole, packed if its name ends in .gz.
    """
    from trainer_cli import streams

    if output is None:
        stream = streams.stdout()
        for line in lines:
            stream.write(line)
            if stream.error is not None:
                break
        stream.flush()
        if isinstance(stream.error, BrokenPipeError):
            raise typer.Exit(CLOSED_PIPE)
        return
    with put_in_place(output) as raw, packed(raw, output) as file:
        file.writelines(lines)


def write_bytes(data: bytes, output: Path) -> None:
    """Write a file that appears under its name when it is whole."""
    with put_in_place(output) as raw:
        raw.write(data)


@contextmanager
def put_in_place(output: Path) -> Iterator[IO[bytes]]:
    """A file to write, which gets its name when the block has ended well."""
    from trainer_cli import storage

    # What is no file, such as /dev/null or a pipe, takes the bytes but can have no other put in its place.
    is_special = output.exists() and not output.is_file()
    temporary = output if is_special else output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with storage.reported(output):
            with open(temporary, "wb") as raw:
                yield raw
            if not is_special:
                os.replace(temporary, output)
    finally:
        if not is_special:
            temporary.unlink(missing_ok=True)


@contextmanager
def packed(raw: IO[bytes], output: Path) -> Iterator[IO[str]]:
    """A file of bytes to write text to, packed where the name says so; the same text gives the same bytes."""
    with ExitStack() as opened:
        binary = raw
        if output.suffix.lower() == ".gz":
            binary = cast(IO[bytes], opened.enter_context(GzipFile("", "wb", fileobj=raw, mtime=0)))
        yield opened.enter_context(TextIOWrapper(binary, encoding="utf-8", newline=""))
