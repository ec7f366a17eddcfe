"""A config as it was read: its values with variables filled in, and where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer_cli.config.document import Document, config_error
from trainer_cli.config.overrides import Override, apply, from_mapping
from trainer_cli.config.text import decode, scan
from trainer_cli.config.tree import parse_tree
from trainer_cli.config.variables import Filler
from trainer_cli.errors import ConfigError, Problem
from trainer_cli.registry import nearest


@dataclass(frozen=True)
class Loaded:
    """`config` is the nested dict, overrides and variables filled in; `variables` has what `${...}` pointed at."""

    config: dict[str, Any]
    document: Document = field(default_factory=Document)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def text(self) -> str:
        """The file as it is, byte order mark and carriage returns aside."""
        return self.document.text

    def place(self, dotted: str) -> tuple[str, int]:
        """File and line of a key or section; what is missing stands at its section, else at the end of the file."""
        return self.document.place(dotted)

    def problem(self, dotted: str, message: str) -> Problem:
        """A mistake at a key or section, for an error of whoever finds it."""
        return self.document.problem(dotted, message)

    def origin(self, dotted: str) -> str:
        """Where a value came from: file, environment, command line, or default."""
        node: Any = self.config
        for part in dotted.split("."):
            if not isinstance(node, dict) or part not in node:
                return "default"
            node = node[part]
        found = self.document.find(dotted)
        return found.origin.kind if found is not None else "default"

    def check(self) -> None:
        """Raise all mistakes found so far as one ConfigError."""
        if self.document.problems:
            raise config_error(self.document.problems)


def load(path: str | Path, overrides: Sequence[Override] | Mapping[str, Any] = ()) -> Loaded:
    """Read a config file of any content; every mistake in its text is in one ConfigError."""
    return load_text(read_file(path), str(path), overrides)


def load_text(
    data: str | bytes, path: str = "config", overrides: Sequence[Override] | Mapping[str, Any] = ()
) -> Loaded:
    """The same for a text in hand, called `path` in messages."""
    loaded = read_text(data, path, overrides)
    loaded.check()
    return loaded


def read_text(data: str | bytes, path: str, overrides: Sequence[Override] | Mapping[str, Any] = ()) -> Loaded:
    """The same, with its mistakes left in the document, so that later checks can add theirs."""
    document = scan(decode(data, path), path)
    for override in from_mapping(overrides) if isinstance(overrides, Mapping) else overrides:
        if isinstance(overrides, Mapping):
            refuse_new_section(document, override)
        apply(document, override)
    filler = Filler(document)
    filler.fill()
    return Loaded(parse_tree(document, filler), document, filler.used)


def refuse_new_section(document: Document, override: Override) -> None:
    """An override in Python sets something of a section or value that is there: one of another name is a slip."""
    parent = override.name.rpartition(".")[0]
    if document.find(parent) is None and document.sections:
        first, known = parent.split(".")[0], [name for name in document.sections if name]
        message = f"there is no section [{parent}] to set a key of.{nearest(parent, known) or nearest(first, known)}"
        raise ConfigError(problems=[Problem(message, override.origin.path, 0, override.name)])


def read_file(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        meant = nearest(Path(path).name, beside(Path(path)), ". Did you mean {}?")
        raise ConfigError(problems=[Problem(f"cannot be read: {reason}{meant}", str(path))]) from err


def beside(path: Path) -> list[str]:
    """The names of the config files in the folder of one that is not there."""
    try:
        return [other.name for other in path.parent.iterdir() if other.suffix == ".cfg" and not path.exists()]
    except (OSError, ValueError):
        return []
