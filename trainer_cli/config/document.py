"""A config as the lines it was written in: what stands where, before any of it means something."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trainer_cli.errors import ConfigError, Problem, TrainerError
from trainer_cli.registry import nearest

# A config longer than this, or with more sections, was not written by a person; parsing it would cost seconds.
MAX_BYTES = 1 << 18
MAX_SECTIONS = 2000
MAX_DEPTH = 64
SHOWN_PROBLEMS = 19
# With more mistakes than this, most of them are not shown, and looking for what each name meant would take minutes.
MAX_SUGGESTIONS = 50

INDEX = re.compile(r"\[\d+\]")


class Broken:
    """Stands for a value that is already reported as wrong, so that nothing is reported because of it."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name

    def __deepcopy__(self, memo: dict[int, Any]) -> Broken:
        return self


BROKEN: Final = Broken("BROKEN")
# The value of a key whose name is guessed as well.
GUESSED: Final = Broken("GUESSED")


@dataclass(frozen=True)
class Origin:
    """Where a value came from: `kind` is file, environment or command line; `path` and `where` go into messages."""

    kind: str
    path: str
    where: str = ""


@dataclass
class Entry:
    """One `key = value`. `raw` is the value's text, its lines joined by newlines; `lines` has the number of each.

    `bare` marks an override without a value, `--section.flag`, which stands for true.
    """

    key: str
    raw: str
    lines: list[int]
    origin: Origin
    value: Any = BROKEN
    comments: list[str] = field(default_factory=list)
    bare: bool = False

    def line_at(self, offset: int) -> int:
        return self.lines[min(self.raw.count("\n", 0, offset), len(self.lines) - 1)]


@dataclass
class Section:
    """One `[name]`. `written` is False for a parent that is only understood, as `[data]` is above `[data.train]`."""

    name: str
    line: int
    origin: Origin
    written: bool = True
    entries: dict[str, Entry] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


@dataclass
class Document:
    """All sections by dotted name in the order of the file, and the mistakes found so far.

    `copies` says which keys are copies of which sections or keys, `inline` which keys inside a `{...}` an override set,
    `guessed` holds the names of sections whose header is wrong ("" for one that nobody can guess).
    """

    path: str = ""
    text: str = ""
    sections: dict[str, Section] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)
    inline: dict[str, Entry] = field(default_factory=dict)
    guessed: set[str] = field(default_factory=set)

    @property
    def last_line(self) -> int:
        return len(self.text.removesuffix("\n").split("\n")) if self.text else 0

    def entries(self) -> Iterator[tuple[Section, Entry]]:
        for section in self.sections.values():
            for entry in section.entries.values():
                yield section, entry

    def entry(self, dotted: str) -> Entry | None:
        section, _, key = dotted.rpartition(".")
        return self.sections[section].entries.get(key) if section in self.sections else None

    def nearest(self, name: str, names: Iterable[str], say: str = "{}") -> str:
        """The sentence with the name that was probably meant, or an empty text."""
        return nearest(name, list(names), say) if len(self.problems) < MAX_SUGGESTIONS else ""

    def complain(self, message: str, line: int, where: str = "") -> None:
        self.problems.append(Problem(message, self.path, line, where))

    def overridden(self, names: Iterable[str]) -> dict[str, Entry]:
        """The entries that overrides of these names made."""
        found = {name: self.find(name) for name in names}
        return {name: entry for name, entry in found.items() if isinstance(entry, Entry)}

    def find(self, dotted: str) -> Entry | Section | None:
        """The entry or section that `dotted` stands in: itself, or the nearest one around it.

        Below a `${section}` this is the section that was copied, since that is where a mistake has to be mended.
        """
        parts = INDEX.sub("", dotted).split(".")
        for cut in range(len(parts), 0, -1):
            head, rest = ".".join(parts[:cut]), parts[cut:]
            if rest and head in self.copies:
                return self.find(".".join([self.copies[head], *rest]))
            found = self.inline.get(head) or self.sections.get(head) or self.entry(head)
            if found is not None:
                return found
        return None

    def place(self, dotted: str) -> tuple[str, int]:
        """File and line of a key or section; of a missing one its section's header, or the last line of the file."""
        found = self.find(dotted)
        if found is None:
            return self.path, self.last_line
        if found.origin.kind != "file":
            return found.origin.path, 0
        return self.path, found.lines[0] if isinstance(found, Entry) else found.line

    def problem(self, dotted: str, message: str, offset: int = 0) -> Problem:
        """A mistake at a key or section, `offset` characters into its value. An override's is named as it was typed."""
        found = self.find(dotted)
        path, line = self.place(dotted)
        if line and isinstance(found, Entry):
            line = found.line_at(offset)
        return Problem(message, path, line, found.origin.where if found and found.origin.where else dotted)

    def add_parents(self) -> None:
        """Put in the sections above the written ones, each before its first child."""
        written, self.sections = self.sections, {}
        for name, section in written.items():
            parts = name.split(".")
            for cut in range(1, len(parts)):
                parent = ".".join(parts[:cut])
                if parent not in self.sections:
                    implied = Section(parent, section.line, section.origin, written=False)
                    self.sections[parent] = written.get(parent, implied)
            self.sections[name] = section
        if len(self.sections) > MAX_SECTIONS:
            message = f"a config may have {MAX_SECTIONS} sections, this one has {len(self.sections)}"
            raise ConfigError(problems=[Problem(message, self.path)])


def together(errors: Sequence[TrainerError]) -> TrainerError:
    """Several errors as one with the mistakes of all; a single one as it is."""
    if len(errors) == 1:
        return errors[0]
    return config_error([problem for err in errors for problem in err.problems or [Problem(str(err))]])


def config_error(problems: list[Problem], heading: str = "", most: int = SHOWN_PROBLEMS) -> ConfigError:
    """All mistakes as one error: each once, the file's by line, then those of the environment and command line.

    `heading` is a line above them; no more than `most` are shown.
    """
    first = {(problem.path, problem.line, problem.message): problem for problem in reversed(problems)}
    ordered = sorted(first.values(), key=lambda problem: (problem.line == 0, problem.line, problem.path, problem.where))
    lines = [heading] * bool(heading) + [str(problem) for problem in ordered[:most]]
    if len(ordered) > most:
        lines.append(f"and {len(ordered) - most} more mistakes")
    return ConfigError("\n".join(lines), problems=ordered)
