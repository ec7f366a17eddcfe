"""The table of a data set's columns: one line each where there is room, else two."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

from trainer_cli.data.faults import printable
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.proposal.survey import Survey
from trainer_cli.proposal.uses import LEFT_OUT, TARGET, Use

# Of more columns than this only those that are left out, and the target, are shown beside the first ones.
MAX_SHOWN = 50
TITLES = ("COLUMN", "TYPE", "MISSING", "DISTINCT", "USED AS", "VALUES")
MOST_NAME, MOST_VALUES = 24, 40
STYLES = {TARGET: "green", LEFT_OUT: "yellow"}


def heading(found: Survey) -> str:
    """`train.csv: 50,000 rows, 11 columns (csv)`"""
    profile = found.profile
    n_rows = f"{'' if profile.is_whole else 'more than '}{profile.n_rows:,} row{'s' if profile.n_rows > 1 else ''}"
    looked = f", {profile.n_seen:,} of them looked at" if profile.n_seen < profile.n_rows else ""
    n_columns = f"{len(profile.columns):,} column{'s' if len(profile.columns) > 1 else ''}"
    return f"{printable(str(found.source.path), 200)}: {n_rows}, {n_columns} ({found.source.format}){looked}"


def lines(found: Sequence[Use], width: int | None) -> Iterator[tuple[str, str]]:
    """The table's lines, each with its style; `width` is the room there is, None without a limit."""
    shown = [use for index, use in enumerate(found) if index < MAX_SHOWN or use.role in STYLES]
    rows = [cells(use) for use in shown]
    widths = [min(MOST_NAME, longest(rows, 0)), *(longest(rows, i) for i in range(1, 5)), longest(rows, 5)]
    whole = [padded(row, widths) for row in [TITLES, *rows]]
    one_line = width is None or max(map(cell_len, whole)) + longest_why(shown) <= width
    if not one_line and width is not None:
        widths[0] = max(8, min(widths[0], width - sum(widths[1:5]) - 2 * 4))
    yield padded(TITLES if one_line else TITLES[:5], widths), "bold"
    for use, row in zip(shown, rows, strict=True):
        style = STYLES.get(use.role, "")
        if one_line:
            yield f"{padded(row, widths)}  {printable(use.why, 200)}".rstrip(), style
            continue
        yield padded(row[:5], widths), style
        below = "; ".join(part for part in (row[5], printable(use.why, 200)) if part)
        for line in textwrap.wrap(below, max(20, (width or 0) - 4)):
            yield f"    {line}", "dim"
    if len(shown) < len(found):
        rest = Counter(use.role for use in found[MAX_SHOWN:] if use.role not in STYLES)
        yield "and " + ", ".join(f"{n:,} more used as {role}" for role, n in rest.items()), ""


def longest(rows: Sequence[Sequence[str]], index: int) -> int:
    return max(cell_len(row[index]) for row in [TITLES, *rows])


def longest_why(found: Sequence[Use]) -> int:
    return max(cell_len(printable(use.why, 200)) for use in found) + 2


def padded(row: Sequence[str], widths: Sequence[int]) -> str:
    """Cells side by side, the counts to the right; a name that is too long is cut."""
    fitted = []
    for index, (cell, width) in enumerate(zip(row, widths, strict=False)):
        if cell_len(cell) > width:
            fitted.append(set_cell_size(cell, width - 3) + "...")
        else:
            room = " " * (width - cell_len(cell))
            fitted.append(room + cell if index in (2, 3) else cell + room)
    return "  ".join(fitted).rstrip()


def cells(use: Use) -> tuple[str, ...]:
    facts = use.facts
    distinct = f"{'' if facts.is_exact else '~'}{facts.distinct:,}" if facts.distinct else "-"
    return printable(facts.name), facts.kind, missing_text(facts), distinct, use.role, values_text(facts)


def missing_text(facts: ColumnFacts) -> str:
    """The share of rows without a value: `-` for none, `<1 %` for few."""
    missing = max(facts.missing, facts.holes)
    if not missing:
        return "-"
    share = 100 * missing / facts.n
    return "<1 %" if share < 1 else f"{share:.0f} %" if share < 99.5 or missing == facts.n else ">99 %"


def values_text(facts: ColumnFacts) -> str:
    """`17 to 90`, or the commonest values, or how texts begin."""
    if facts.kind in ("image", "array"):
        low, high = number_text(facts.low), number_text(facts.high)
        return f"{' x '.join(map(str, facts.shape))}, {low} to {high}"
    if facts.kind == "list":
        return f"{number_text(facts.low)} to {number_text(facts.high)} items"
    if facts.low is not None and facts.kind != "mixed":
        return f"{number_text(facts.low)} to {number_text(facts.high)}"
    shown = ""
    for text in facts.examples if facts.kind != "mixed" else (*facts.odd[:1], *facts.examples):
        more = f"{shown}, {printable(text, 34)}" if shown else printable(text, 34)
        if len(more) > MOST_VALUES:
            break
        shown = more
    return shown


def number_text(value: float | str | None) -> str:
    """A number in four digits, whole ones up to a billion, large ones with commas.

    >>> number_text(2024.0), number_text(50000.0), number_text(0.123456789), number_text(1e12)
    ('2024', '50,000', '0.1235', '1e+12')
    """
    if value is None or isinstance(value, str):
        return printable(value or "-")
    if not float(value).is_integer() or abs(value) >= 1e9:
        return f"{value:.4g}"
    return f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}"
