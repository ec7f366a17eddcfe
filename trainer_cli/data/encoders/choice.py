"""Which column an argument means."""

from __future__ import annotations

from trainer_cli.data.block import listing
from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import refused, shown
from trainer_cli.registry import nearest

# What a target's column is called where the reader names it (idx.v1, npz.v1), or a user plainly did.
USUAL_TARGETS = ("label", "Y")


def chosen(name: str, columns: tuple[str, ...], argument: str) -> str:
    """`name` if it is a column; else a DataError that names the nearest one."""
    if name not in columns:
        known = list(columns)
        message = f"no column is called {shown(name)}.{nearest(name, known)} The columns are {listing(known)}"
        if argument == "exclude":
            message += ", the target's left out"
        if known and all(number(column) is not None for column in known):
            message += "; the first row of the file must name them"
        raise refused(argument, message)
    return name


def target_column(name: str | None, columns: tuple[str, ...]) -> str:
    """The column to predict: the one named, else the one called `label` or `Y`."""
    if name is not None:
        return chosen(name, columns, "column")
    usual = [column for column in USUAL_TARGETS if column in columns]
    if len(usual) != 1:
        raise refused("column", f'name the column to predict, as column = "..."; the columns are {listing(columns)}')
    return usual[0]
