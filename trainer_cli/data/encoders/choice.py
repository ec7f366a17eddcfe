"""Which column an argument means."""

from __future__ import annotations

from trainer_cli.data.block import listing
from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import refused, shown
from trainer_cli.registry import QUOTED, nearest

# What a target's column is called where the reader names it (idx.v1, npz.v1), or a user plainly did.
USUAL_TARGETS = ("label", "Y")


def chosen(name: str, columns: tuple[str, ...], argument: str) -> str:
    """`name` if it is a column; else a DataError that names the nearest one."""
    if name not in columns:
        known = list(columns)
        message = f"no column is called {shown(name)}.{nearest(name, known, QUOTED)} The columns are {listing(known)}"
        if argument == "exclude":
            message += ", the target's left out"
        if known and all(number(column) is not None for column in known):
            message += "; the first row of the file must name them, or set header = false"
        raise refused(argument, message)
    return name


def target_column(name: str | None, columns: tuple[str, ...], otherwise: str = "") -> str:
    """The column to predict: the one named, else the one called `label` or `Y`; `otherwise` is what else to write."""
    if name is not None:
        return chosen(name, columns, "column")
    usual = [column for column in USUAL_TARGETS if column in columns]
    if len(usual) != 1:
        rule = f'name the column to predict, as column = "..."{otherwise}'
        raise refused("column", f"{rule}; the columns are {listing(columns)}")
    return usual[0]


def chosen_columns(names: list[str] | None, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that an argument `columns` names, each once and at least one; else a DataError at `columns`."""
    wanted = [chosen(name, columns, "columns") for name in names or []]
    if len(set(wanted)) != len(wanted):
        raise refused("columns", f"each column can be used once, got {listing(wanted)}")
    if not wanted:
        raise refused("columns", "no columns are left to use as features")
    return tuple(wanted)
