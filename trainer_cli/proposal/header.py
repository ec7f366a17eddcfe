"""Whether what names the columns of a table is its first row of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import shown
from trainer_cli.profile.spelling import spelling

if TYPE_CHECKING:
    from trainer_cli.profile.facts import ColumnFacts
    from trainer_cli.proposal.survey import Survey

QUESTION = "does the file have a header row?"
REMEDY = "If it has none, add --read header=false: the columns are column1, column2 and so on then"
VALUES = frozenset(("whole", "number", "code", "date", "date?", "amount"))


def header_doubt(found: Survey) -> str:
    """Why the names of the columns are probably values, and what to do then; or an empty text."""
    columns = found.profile.columns
    names = [facts.name for facts in columns]
    is_table, why = found.source.format == "csv", ""
    if not found.source.settings.get("header", True):
        return ""
    alike = [name for name in names if spelling(name)[0] in VALUES]
    if all(number(name) is not None for name in names):
        why = "every column is named by a number"
    elif is_table and len(alike) * 2 > len(names) and not is_counting(alike):
        why = f"most columns are named by numbers or dates, {shown(alike[0])} for one"
    elif is_table and (itself := own_value(columns)):
        why = f"the column {shown(itself)} has its name among its values"
    return why and f"{why}: {QUESTION}{f' {REMEDY}' if is_table else ''}"


def own_value(columns: Sequence[ColumnFacts]) -> str | None:
    """The first column that has its name among its values; None where none has."""
    return next((facts.name for facts in columns if facts.distinct > 1 and facts.name in facts.counts), None)


def is_counting(names: Sequence[str]) -> bool:
    """Whether names number the columns, as pixels are: such are names.

    >>> is_counting(["1", "2", "3"]), is_counting(["5.1", "3.5"])
    (True, False)
    """
    return list(names) in ([str(n) for n in range(len(names))], [str(n) for n in range(1, len(names) + 1)])
