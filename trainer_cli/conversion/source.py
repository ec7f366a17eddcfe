"""A config of spaCy's as it is read: what was used of it, and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainer_cli.config.loaded import Loaded
from trainer_cli.errors import ConfigError, Problem

NOTHING = object()


class Source:
    """Values by dotted name. `take` marks what it gives as used; `say` notes what becomes of a key."""

    def __init__(self, loaded: Loaded):
        self.loaded = loaded
        self.used: set[str] = set()
        self.said: dict[str, str] = {}

    @property
    def name(self) -> str:
        return self.loaded.path

    def take(self, dotted: str, default: Any = None) -> Any:
        """The value of a key, or the default where it is not there; a section with all that is in it."""
        found = self.look(dotted, NOTHING)
        if found is NOTHING:
            return default
        self.used.update(leaves(found, dotted))
        return found

    def look(self, dotted: str, default: Any = None) -> Any:
        """The same, without marking it."""
        node: Any = self.loaded.config
        for part in dotted.split("."):
            if not isinstance(node, Mapping) or part not in node:
                return default
            node = node[part]
        return node

    def section(self, dotted: str) -> Mapping[str, Any]:
        """A section without marking it, empty where it is not there or none."""
        found = self.look(dotted)
        return found if isinstance(found, Mapping) else {}

    def say(self, dotted: str, sentence: str) -> None:
        """Note what takes the place of a key or section."""
        self.said[dotted] = sentence

    def unused(self) -> list[str]:
        """The keys that nothing has taken, in the order of the file."""
        return [key for key in leaves(self.loaded.config) if key not in self.used]

    def sentence(self, dotted: str) -> str:
        """What was said of a key, or of the nearest section around it; an empty text where nothing was."""
        parts = dotted.split(".")
        names = [".".join(parts[:cut]) for cut in range(len(parts), 0, -1)]
        return next((self.said[name] for name in names if name in self.said), "")

    def error(self, dotted: str, message: str) -> ConfigError:
        return ConfigError(problems=[self.problem(dotted, message)])

    def problem(self, dotted: str, message: str) -> Problem:
        return self.loaded.problem(dotted, message)


def leaves(value: Any, dotted: str = "") -> Iterator[str]:
    """The names of all values in a section; a section without any is one itself.

    >>> list(leaves({"a": {"b": 1, "c": {}}, "d": [1]}))
    ['a.b', 'a.c', 'd']
    """
    if not isinstance(value, Mapping) or (not value and dotted):
        yield dotted
        return
    for key, item in value.items():
        yield from leaves(item, f"{dotted}.{key}" if dotted else key)
