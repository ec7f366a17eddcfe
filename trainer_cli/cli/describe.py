"""trainer describe"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer_cli.cli.outcome import delivered, outcome

if TYPE_CHECKING:
    from trainer_cli.proposal.survey import Survey
    from trainer_cli.streams import QuietStream

GUESS = "The target is a guess; another one: --target COLUMN"


def describe(
    data: Annotated[Path, typer.Argument(help="A data file, or a directory that holds one.", metavar="DATA")],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="The column to predict; if not given, the plain one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was found as JSON.")] = False,
) -> None:
    """Say what a data file holds.

    Each column's type, missing and distinct values, its range, and what a model would use it as.
    """
    with outcome(), delivered():
        from trainer_cli import streams
        from trainer_cli.cli.evaluate import unnamed
        from trainer_cli.proposal import survey

        with unnamed():
            found = survey.survey(data, target)
        if as_json:
            streams.stdout().write(survey.as_json(found))
        else:
            show(found, streams.stdout())
        if found.profile.error is not None:
            raise found.profile.error


def show(found: Survey, stream: QuietStream) -> None:
    """The facts of the data and the table of its columns."""
    from rich.text import Text

    from trainer_cli.cli.fact_table import MAX_SHOWN, heading, lines
    from trainer_cli.progress import console
    from trainer_cli.proposal.header import header_doubt

    out = console(stream)
    out.print(Text(heading(found)), style="bold")
    if doubt := header_doubt(found):
        out.print(Text(doubt), style="yellow")
    for line, style in lines(found.uses, out.width if out.is_terminal else None):
        out.print(Text(line), style=style)
    if len(found.uses) > MAX_SHOWN:
        out.print(Text("--json names every column."), style="dim")
    if found.target is not None and found.target.is_guess:
        out.print(Text(GUESS), style="yellow")
