"""The option --read: arguments of the reader, for commands that name data and no config."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read", metavar="KEY=VALUE", help="An argument of the reader, such as format=csv; may be given again."
    ),
]
# What a message says of an argument of readers. Encoders have some of the same name.
ARGUMENT = re.compile(
    r"set (?:its |another )?(text_encoding)|(?<!\w)(text_encoding|query|format|names|columns_at|delimiter|size) = "
    r'|(missing) = "empty"|(columns) = \[\.\.\.\] does|@readers = "(\w+)\.v1"|set (header) = false'
)


def arguments(words: Sequence[str] | None) -> dict[str, Any]:
    """The arguments that are given, parsed as those of `--section.key VALUE` are. ArgumentError: a word is none."""
    from trainer_cli.config.scalars import BadValueError, Template, Variable
    from trainer_cli.config.values import parse_argument
    from trainer_cli.errors import ArgumentError

    found: dict[str, Any] = {}
    for word in words or ():
        key, equals, raw = word.partition("=")
        if not (key and equals):
            raise ArgumentError(f"--read {word}: expected KEY=VALUE, such as --read format=csv")
        if key in found:
            raise ArgumentError(f"--read {word}: {key} is given twice")
        try:
            found[key] = parse_argument(raw)
        except BadValueError as err:
            raise ArgumentError(f"--read {word}: {err}") from err
        if isinstance(found[key], Variable | Template):
            raise ArgumentError(f"--read {word}: there are no variables here; a dollar sign is written $$")
    return found


@contextmanager
def advised() -> Iterator[None]:
    """Add to an error that names an argument of the reader how it is given on the command line."""
    from trainer_cli.errors import TrainerError

    try:
        yield
    except TrainerError as err:
        found = ARGUMENT.search(str(err))
        if found is not None:
            at = found.lastindex or 0
            word = {5: f"format={found[at]}", 6: f"{found[at]}=false"}.get(at, f"{found[at]}=VALUE")
            err.args = (f"{err}\nOn the command line: --read {word}",)
        raise
