"""A proposed config as text: sections with a comment above them that says why."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainer_cli.config.writer import RESERVED, dump_variables
from trainer_cli.data.faults import printable
from trainer_cli.errors import DataError

WIDTH = 100
MAX_LINES = 60


@dataclass(frozen=True)
class Reference:
    """A value that stands elsewhere in the config: `${training.max_steps}`."""

    name: str


@dataclass(frozen=True)
class Section:
    """One `[name]` and its values. `comment` stands above it; a `joined` one follows without an empty line."""

    name: str
    values: Mapping[str, Any]
    comment: str = ""
    joined: bool = False


def write(heading: Sequence[str], sections: Sequence[Section]) -> str:
    """The config's text, `heading` as comments at the top of it: fewer than 60 lines; comments go where they must.

    >>> sections = [Section("a", {"x": "$1"}), Section("b", {"y": Reference("a.x")}, joined=True)]
    >>> print(write(["Why."], sections), end="")
    # Why.
    <BLANKLINE>
    [a]
    x = "$$1"
    [b]
    y = ${a.x}
    """
    lines = composed(cut(heading, 5), sections)
    if len(lines) >= MAX_LINES:
        lines = composed(cut(heading, 5), [replace(section, comment="") for section in sections])
    if len(lines) >= MAX_LINES:
        lines = composed(cut(heading, 2), [replace(section, comment="", joined=True) for section in sections])
    text = "\n".join(lines) + "\n"
    if RESERVED in text:
        raise DataError(f"a column or file whose name holds {RESERVED} cannot be named in a config")
    return text


def cut(heading: Sequence[str], most: int) -> list[str]:
    """Comments in so many lines at most."""
    lines = [line for text in heading for line in comment(text)]
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][: WIDTH - 4]} ..."]


def composed(heading: Sequence[str], sections: Sequence[Section]) -> list[str]:
    """The lines of a config."""
    lines = list(heading)
    for section in sections:
        lines += [] if section.joined else [""]
        lines += comment(section.comment) if section.comment else []
        lines += [f"[{section.name}]", *(f"{key} = {value_text(value)}" for key, value in section.values.items())]
    return lines


def comment(text: str) -> list[str]:
    return textwrap.wrap(
        printable(text, 10_000), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def value_text(value: Any) -> str:
    return f"${{{value.name}}}" if isinstance(value, Reference) else dump_variables(value).replace("$", "$$")
