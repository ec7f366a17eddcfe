"""trainer predict"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.evaluate import check_folder, unnamed
from trainer_cli.cli.outcome import complain, delivered, outcome

if TYPE_CHECKING:
    from trainer_cli.errors import DataError
    from trainer_cli.predictions import Account
    from trainer_cli.records import Format
    from trainer_cli.trained import Trained


def predict(
    model: Annotated[
        Path, typer.Argument(help="A run directory (its best), a checkpoint, or a model folder.", metavar="MODEL")
    ],
    data: Annotated[
        Path, typer.Argument(help="A data file, a directory that holds one, or - (standard input).", metavar="DATA")
    ],
    code: Annotated[
        list[Path] | None, typer.Option("--code", "-c", help="A Python file with parts of your own.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not standard out.")] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="jsonl, csv or conll; if not given, as the output or the data is."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="The so many most probable labels of each record.")] = 1,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Predict on raw records.

    Each comes out as it went in, with a prediction and, for classes, its probability as a score. Those that cannot be
    read are left out and told at the end; the exit code is then 2.
    """
    with outcome(), delivered():
        from trainer_cli import lookup, predictions, provenance, records, streams, trained, user_code
        from trainer_cli.data import reader
        from trainer_cli.ops import get_ops
        from trainer_cli.threads import computing

        user_code.import_files(code or [])
        asked = format_of(file_format, output)
        if output is not None:
            check_folder(output)
        saved = lookup.find(model)
        loaded = trained.from_files(saved.files, saved.folder)
        conditions = provenance.conditions(saved.run_dir)
        loaded.model.use_ops(get_ops(conditions.ops))
        with unnamed(), computing(conditions.threads, loaded.model):
            source = reader.rebuild(*loaded.reader, data)
            account, batch_size = predictions.Account(), conditions.eval_batch_size
            found = predictions.predictions(loaded, source, batch_size=batch_size, top=top, account=account)
            write(records.lines(found, asked or default_format(data, loaded)), output)
        if account.faults:
            streams.stdout().flush()
            raise incomplete(account, output)
        if output is not None and not quiet:
            complain(said(account, output))


def said(account: Account, output: Path | None) -> str:
    """What was written and what was not, in a line."""
    place = "" if output is None else f"{output}: "
    written = f"{place}{account.rows:,} row{'s' if account.rows > 1 else ''} with their predictions"
    if account.unread:
        return f"{written}; what could not be read ({account.faults.total:,} mistakes) is left out"
    return f"{written}, {account.left_out:,} left out" if account.left_out else written


def incomplete(account: Account, output: Path | None) -> DataError:
    """The mistakes of the rows that were left out, and how many the others are."""
    from trainer_cli.errors import DataError

    error = account.faults.error()
    return DataError(f"{error}\n{said(account, output)}", problems=error.problems)


def format_of(asked: str | None, output: Path | None) -> Format | None:
    """What was asked for, or else the format of the output's name."""
    from trainer_cli import records
    from trainer_cli.errors import ArgumentError
    from trainer_cli.registry import nearest

    if asked is not None:
        found = next((each for each in records.FORMATS if each == asked), None)
        if found is None:
            formats: list[str] = list(records.FORMATS)
            raise ArgumentError(f"--format is jsonl, csv or conll, not {asked!r}.{nearest(asked, formats)}")
        return found
    return records.format_of(output.name) if output else None


def default_format(data: Path, loaded: Trained) -> Format:
    """The format of the data, if predictions can stand in it; else jsonl."""
    from trainer_cli import records

    found = records.format_of(data.name)
    return found if found and (found == "conll") == (loaded.target[0] == "tags.v1") else "jsonl"


def write(lines: Iterator[str], output: Path | None) -> None:
    """Write the lines as they come; a file appears under its name when it is whole."""
    from trainer_cli import storage, streams

    if output is None:
        stream = streams.stdout()
        for line in lines:
            stream.write(line)
        return
    temporary = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with storage.reported(output):
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            os.replace(temporary, output)
    finally:
        temporary.unlink(missing_ok=True)
