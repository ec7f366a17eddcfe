"""trainer describe"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainer_cli.cli.outcome import delivered, outcome
from trainer_cli.cli.reading import Read, advised, arguments

if TYPE_CHECKING:
    from trainer_cli.proposal.survey import Survey
    from trainer_cli.streams import QuietStream

GUESS = "The target is a guess; another one: --target COLUMN"


def describe(
    data: Annotated[
        Path, typer.Argument(help="A data file, a directory that holds one, or - (standard input).", metavar="DATA")
    ],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column to predict; if not given, the plain one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was found as JSON.")] = False,
    read: Read = None,
) -> None:
    """Say what a data file holds.

    Each column's type, missing and distinct values, its range, and what a model would use it as.
    """
    with outcome(), delivered(), advised():
        from trainer_cli import streams
        from trainer_cli.cli.evaluate import unnamed
        from trainer_cli.proposal import survey

        with unnamed():
            given = arguments(read)
            found = of_stdin(target, given) if str(data) == "-" else survey.survey(data, target, given=given)
        if as_json:
            streams.stdout().write(survey.as_json(found))
        else:
            show(found, streams.stdout())
        if found.profile.error is not None:
            raise found.profile.error


def of_stdin(target: str | None, given: dict[str, Any]) -> Survey:
    """Look at standard input, which is kept in a file meanwhile since it is read twice.

    Its format, unless it is given, is told by its first character: that of an array, of an object, or of a table.
    """
    import shutil
    import sys
    import tempfile

    from trainer_cli.data.readers.files import opened
    from trainer_cli.data.readers.unpack import packing_of
    from trainer_cli.errors import ArgumentError, TrainerError
    from trainer_cli.proposal import survey

    if sys.stdin is None:
        raise ArgumentError("standard input is closed; name a file")
    with tempfile.TemporaryDirectory(prefix="trainer-") as folder:
        path = Path(folder) / "stdin"
        with open(path, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        with open(path, "rb") as file:
            suffix = packing_of(file.read(8))
        path = path.rename(f"{path}{suffix}")
        with opened(path) as file:
            first = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        form = {b"[": "json", b"{": "jsonl"}.get(first, "csv")
        try:
            found = survey.survey(path, target, given={"format": form, **given})
        except TrainerError as err:
            err.args = (str(err).replace(str(path), "-"),)
            raise
    if (wrong := found.profile.error) is not None:
        wrong.args = (str(wrong).replace(str(path), "-"),)
    return replace(found, source=found.source.at(Path("-")))


def show(found: Survey, stream: QuietStream) -> None:
    """The facts of the data and the table of its columns."""
    from rich.text import Text

    from trainer_cli.cli.fact_table import MAX_SHOWN, heading, lines
    from trainer_cli.progress import console
    from trainer_cli.proposal.header import header_doubt

    out = console(stream)
    out.print(Text(heading(found)), style="bold", soft_wrap=False)
    if doubt := header_doubt(found):
        out.print(Text(doubt), style="yellow", soft_wrap=False)
    for note in found.notes:
        out.print(Text(note), style="yellow", soft_wrap=False)
    for line, style in lines(found.uses, out.width if out.is_terminal else None):
        out.print(Text(line), style=style)
    if len(found.uses) > MAX_SHOWN:
        out.print(Text("--json names every column."), style="dim")
    for line in hints(found):
        out.print(Text(line), style="yellow", soft_wrap=False)


def hints(found: Survey) -> Iterator[str]:
    """What was decided and may be decided otherwise, and how."""
    if found.target is not None and found.target.is_guess:
        yield GUESS
    if found.target is not None and found.target.other:
        ways = {"classification": "classes", "regression": "numbers"}
        way, other, n = ways[found.target.task], ways[found.target.other], found.target.facts.distinct
        yield f"Its {n} whole numbers are predicted as {way}; as {other}: init-config --task {found.target.other}"
