"""What a reader is, and how a saved model's reader is made again for other data."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from trainer_cli.data.block import Block
from trainer_cli.errors import ArgumentError, ModelFileError, Problem
from trainer_cli.registry import nearest, registry

# The reader that finds the format of a file.
AUTO = "auto.v1"


class Reader(Protocol):
    """Gives the rows of data as blocks, in order, as often as asked.

    A reader that a user registers needs these two methods. The built-in ones have `files`, `paths`, `settings` and the
    class method `at` as well, by which data is fingerprinted and a saved model reads other data as its training data
    was; those of records have `narrow`, and those of typed columns `convert_only` beside it, for training data as well.
    """

    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""

    def blocks(self) -> Iterator[Block]:
        """The rows from the first on; mistakes are reported at the end of the data as one DataError."""


class FileReader(Reader, Protocol):
    """A reader of files, as the built-in ones are."""

    def files(self) -> tuple[Path, ...]:
        """The files it reads."""

    def paths(self) -> tuple[Path, ...]:
        """Its arguments that say where the data lie: files, folders, or patterns of names."""

    def settings(self) -> dict[str, Any]:
        """Its arguments without those that say where the data lie or how much of it is read, as JSON takes them."""

    @classmethod
    def at(cls, data: Path, **settings: Any) -> FileReader:
        """The same reader for `data`: a file, or a directory that holds exactly one that fits."""


def check_given(name: str, takes: Collection[str], given: Collection[str]) -> None:
    """ArgumentError: a reader is given an argument that it does not take."""
    known = sorted(set(takes) - {"path", "images"})
    for key in given:
        if key not in known:
            message = f"{name} takes no such argument.{nearest(key, known)} It takes {', '.join(known)}"
            raise ArgumentError(problems=[Problem(message, where=key)])


def rebuild(
    name: str,
    settings: object,
    data: Path,
    uses: Collection[str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Reader:
    """The reader `name` with the arguments that a model directory holds, reading `data`.

    `uses` are the columns that matter; what others hold need not fit, where the reader can tell them apart. `given`
    are arguments in the place of the model's; a wrong one is an ArgumentError. Where the reader is one of files that
    are no text, such as DocBin files, or these are, data in another format are read as their name or `format` says.

    It is a built-in one, or a user's own whose file was given with --code: such a one has a class method `at`, or
    takes an argument `path`. Anything else, or arguments it does not take, is a ModelFileError.
    """
    if not registry.has("readers", name):
        message = f"the model was trained on data read by {name!r}: give the file that registers it with --code"
        raise ModelFileError(message)
    kind = registry.readers.get(name)
    takes = set(inspect.signature(kind).parameters)
    if not isinstance(settings, dict) or not takes.issuperset(settings):
        raise ModelFileError(f"{name} takes the arguments {sorted(takes)}, the model has {settings!r}")
    auto: Any = registry.readers.get(AUTO)
    if auto.stands_in(name, data, given or {}):
        return rebuild(AUTO, {**settings, "format": name.removesuffix(".v1")}, data, uses, given)
    if not hasattr(kind, "at") and "path" not in takes:
        raise ModelFileError(f"{name} cannot read {data}: it has neither an argument path nor a class method at")
    check_given(name, takes, given or {})
    reader = made(kind, name, settings, data, given or {})
    if uses is not None and hasattr(reader, "narrow"):
        reader.narrow(uses)
    if hasattr(reader, "in_small_blocks"):
        reader.in_small_blocks()
    return reader


def made(kind: Any, name: str, settings: Mapping[str, Any], data: Path, given: Mapping[str, Any]) -> Reader:
    """A reader of the kind that is registered as `name`, at other data. ModelFileError: the model's arguments do not
    make one."""
    try:
        if given and hasattr(kind, "given_at"):
            reader: Reader = kind.given_at(data, settings, given)
        else:
            arguments = {**settings, **given}
            reader = kind.at(data, **arguments) if hasattr(kind, "at") else kind(path=data, **arguments)
    except (ArgumentError, TypeError) as err:
        if given and isinstance(err, ArgumentError):
            raise
        raise ModelFileError(f"{name} cannot be made with the model's arguments {settings!r}: {err}") from err
    return reader
