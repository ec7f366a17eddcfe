"""How importances look: as JSON, and as a table."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from trainer_cli.importance import Importances


def as_json(found: Importances) -> dict[str, Any]:
    """All that was found; a deviation of a single shuffle is null."""
    columns = [asdict(each) for each in found.columns]
    for each in columns:
        each["deviation"] = each["deviation"] if math.isfinite(each["deviation"]) else None
    return {"score": found.score, "value": found.value, "n": found.n_rows, "columns": columns}


def show(found: Importances, console: Console) -> None:
    """A line a column, the most important first."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from trainer_cli.data.faults import printable
    from trainer_cli.table import score_text

    title = f"importance: how much {found.score} ({score_text(found.value)}) is worse with a column shuffled"
    table = Table(title=title, box=box.SIMPLE, title_justify="left", title_style="bold")
    table.add_column("column", overflow="fold")
    table.add_column("worse by", justify="right")
    table.add_column("deviation", justify="right")
    for each in found.columns:
        table.add_row(Text(printable(each.column)), score_text(each.fall), score_text(each.deviation))
    console.print(table)
