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
    r'(?:set )?text_encoding = "(?P<encoding>[\w-]+)"|set (?:its |another )?(?P<any>text_encoding)'
    r"|(?<!\w)(?P<named>text_encoding|query|format|names|columns_at|delimiter|size|X|Y) = "
    r'|(?P<missing>missing) = "empty"|(?P<columns>columns) = \[\.\.\.\] does|@readers = "(?P<format>\w+)\.v1"'
    r"|set (?P<header>header) = false|(?<!\w)skip = (?P<skip>\d+)"
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
            kind, value = str(found.lastgroup), found[found.lastgroup or 0]
            words = {"encoding": f"text_encoding={value}", "format": f"format={value}", "skip": f"skip={value}"}
            word = words.get(kind, f"{value}={'false' if kind == 'header' else 'VALUE'}")
            err.args = (f"{err}\nOn the command line: --read {word}",)
        raise
