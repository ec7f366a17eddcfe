"""Whether what names the columns of a table is its first row of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import shown
from trainer_cli.profile.spelling import spelling

if TYPE_CHECKING:
    from trainer_cli.proposal.survey import Survey

QUESTION = "does the file have a header row?"
VALUES = frozenset(("whole", "number", "code", "date", "date?", "amount"))


def header_doubt(found: Survey) -> str:
    """Why the names of the columns are probably values, and what to do then; or an empty text."""
    columns = found.profile.columns
    names = [facts.name for facts in columns]
    if all(number(name) is not None for name in names):
        return f"every column is named by a number: {QUESTION}"
    if found.source.format != "csv":
        return ""
    why = ""
    alike = [name for name in names if spelling(name)[0] in VALUES]
    if len(alike) * 2 > len(names) and not is_counting(alike):
        why = f"most columns are named by numbers or dates, {shown(alike[0])} for one"
    elif itself := next((facts.name for facts in columns if facts.distinct > 1 and facts.name in facts.counts), None):
        why = f"the column {shown(itself)} has its name among its values"
    return why and f"{why}: {QUESTION} If it has none, write a line with the columns' names on top of it"


def is_counting(names: Sequence[str]) -> bool:
    """Whether names number the columns, as pixels are: such are names.

    >>> is_counting(["1", "2", "3"]), is_counting(["5.1", "3.5"])
    (True, False)
    """
    return list(names) in ([str(n) for n in range(len(names))], [str(n) for n in range(1, len(names) + 1)])
