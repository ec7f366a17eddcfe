"""Filling in `${section.key}` and `${section}`.

confection's own filling is not used: it breaks a text that is built from another built text (`"${paths.set}/x"`, with
`set = "${paths.root}/y"`, becomes `""root"/y"/x"`), a list of texts (`[${paths.a}]`), texts with a quote, a backslash
or a literal `${`, gives up after ten steps, and follows a section that copies itself for ever. What it gets right comes
out the same here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from trainer_cli.config.document import MAX_DEPTH, Broken, Document, Entry, Section
from trainer_cli.config.scalars import Template, Variable
from trainer_cli.config.sections import FREE
from trainer_cli.config.words import say, shorten

# Deeper chains are mistakes, and each step costs several frames of Python's stack.
MAX_CHAIN = 32
# The characters of all values together, once variables are filled in; whatever is no text counts as four.
MAX_SIZE = 1 << 20


@dataclass(frozen=True)
class Filled:
    """A value without variables. `size` counts its characters, `depth` its nesting: copies of copies could explode."""

    value: Any
    size: int
    depth: int = 0


class VariableError(Exception):
    """A variable that cannot be filled in, with its offset in the entry's text."""

    def __init__(self, message: str, offset: int = 0):
        super().__init__(message)
        self.offset = offset


class BrokenReferenceError(Exception):
    """A variable whose target is already reported as wrong."""


class Filler:
    """Fills the variables of a document; what was filled stays in `filled`, by dotted name.

    `used` holds what variables point at, by name. A mistake goes to the document's problems, its entry stays unfilled.
    """

    def __init__(self, document: Document):
        self.document = document
        self.filled: dict[str, Filled | None] = {}
        self.used: dict[str, Any] = {}
        self.open: list[str] = []
        self.level = 0
        self.size = 0

    def fill(self) -> None:
        """Fill every entry, and note in the document which of them are copies of sections."""
        for section, entry in self.document.entries():
            filled = self.entry(section, entry)
            if filled is not None and isinstance(filled.value, dict) and isinstance(entry.value, Variable):
                target, key = self.target(entry.value, section)
                self.document.copies[dotted(section, entry)] = dotted(target, key)

    def entry(self, section: Section, entry: Entry) -> Filled | None:
        """The entry's value, or None where it is broken."""
        name = dotted(section, entry)
        if name not in self.filled:
            with self.opened(name):
                self.filled[name] = self.attempt(name, section, entry)
        return self.filled[name]

    def attempt(self, name: str, section: Section, entry: Entry) -> Filled | None:
        if isinstance(entry.value, Broken) or self.size > MAX_SIZE:
            return None
        try:
            filled = self.value(entry.value, section)
            self.size += filled.size
            check_size(self.size, 0)
            return filled
        except BrokenReferenceError:
            return None
        except VariableError as err:
            self.document.problems.append(self.document.problem(name, str(err), err.offset))
            return None

    def value(self, value: Any, section: Section) -> Filled:
        if isinstance(value, Variable):
            return self.variable(value, section)
        if isinstance(value, Template):
            return self.template(value, section)
        if isinstance(value, list):
            with self.nesting():
                return join([self.value(item, section) for item in value], list)
        if isinstance(value, dict):
            with self.nesting():
                filled = [self.value(item, section) for item in value.values()]
            return join(filled, lambda items: dict(zip(value, items, strict=True)))
        return Filled(value, len(value) if isinstance(value, str) else 4)

    @contextmanager
    def opened(self, name: str) -> Iterator[None]:
        self.open.append(name)
        try:
            yield
        finally:
            self.open.pop()

    @contextmanager
    def nesting(self) -> Iterator[None]:
        """Refuse depth before Python's stack runs out."""
        check_size(0, self.level)
        self.level += 1
        try:
            yield
        finally:
            self.level -= 1

    def template(self, template: Template, section: Section) -> Filled:
        """A text with variables: each is a text, a number or a truth value, never a list or a section."""
        only = template.parts[0]
        if len(template.parts) == 1 and isinstance(only, Variable) and self.target(only, section)[1] is None:
            return self.variable(only, section)
        texts = [part if isinstance(part, str) else self.part(part, section) for part in template.parts]
        size = sum(map(len, texts))
        check_size(size, 0)
        return Filled("".join(texts), size)

    def part(self, variable: Variable, section: Section) -> str:
        value = self.variable(variable, section).value
        if isinstance(value, str):
            return value
        if isinstance(value, bool | int | float):
            return json.dumps(value)
        is_section = self.target(variable, section)[1] is None
        got = f"the section [{variable.name}]" if is_section else say(value)
        raise VariableError(f"only a text or a number can stand inside a text, got {got}", variable.offset)

    def variable(self, variable: Variable, section: Section) -> Filled:
        target, entry = self.target(variable, section)
        name = dotted(target, entry)
        if name in self.open:
            circle = " -> ".join([*self.open[self.open.index(name) :], name])
            raise VariableError(f"the variables go round in a circle: {shorten(circle, 200)}", variable.offset)
        if len(self.open) > MAX_CHAIN:
            raise VariableError(f"more than {MAX_CHAIN} variables point at one another", variable.offset)
        filled = self.entry(target, entry) if entry is not None else self.section(target)
        if filled is None:
            raise BrokenReferenceError(name)
        self.used[name] = filled.value
        return filled

    def section(self, section: Section) -> Filled | None:
        """A whole section as a dict, its sections in it."""
        if section.name not in self.filled:
            with self.opened(section.name), self.nesting():
                self.filled[section.name] = self.members(section)
        return self.filled[section.name]

    def members(self, section: Section) -> Filled | None:
        below = f"{section.name}."
        children = [child for name, child in self.document.sections.items() if name.rpartition(".")[0] == section.name]
        names = [*section.entries, *(child.name.removeprefix(below) for child in children)]
        found = [self.entry(section, entry) for entry in section.entries.values()]
        found += [self.section(child) for child in children]
        whole = [filled for filled in found if filled is not None]
        if len(whole) < len(found):
            return None
        return join(whole, lambda items: dict(zip(names, items, strict=True)))

    def target(self, variable: Variable, section: Section) -> tuple[Section, Entry | None]:
        """What a variable points at: a key of its own section if its name has no dot, a key, or a section."""
        sections = self.document.sections
        parent, _, key = variable.name.rpartition(".")
        for name in [parent] if parent else [section.name]:
            entry = sections[name].entries.get(key) if name in sections else None
            if entry is not None and (parent or f"{name}.{key}" != self.open[-1]):
                return sections[name], entry
        if variable.name in sections:
            return sections[variable.name], None
        if parent == FREE and FREE not in sections:
            remedy = f"the section [{FREE}] with {shorten(key)} = ... is missing"
            raise VariableError(f"nothing is called {shorten(variable.name)}: {remedy}", variable.offset)
        names = chain((dotted(owner, entry) for owner, entry in self.document.entries()), sections)
        suggestion = self.document.nearest(variable.name, names, ". Did you mean {}?")
        raise VariableError(f"nothing is called {shorten(variable.name)}{suggestion}", variable.offset)


def join(filled: list[Filled], make: Callable[[list[Any]], Any]) -> Filled:
    size = 4 + sum(part.size for part in filled)
    depth = 1 + max((part.depth for part in filled), default=0)
    check_size(size, depth)
    return Filled(make([part.value for part in filled]), size, depth)


def check_size(size: int, depth: int) -> None:
    if size > MAX_SIZE:
        raise VariableError(f"with its variables filled in, the config has more than {MAX_SIZE} characters")
    if depth > MAX_DEPTH:
        raise VariableError(f"with its variables filled in, the value is nested deeper than {MAX_DEPTH}")


def dotted(section: Section, entry: Entry | None) -> str:
    return f"{section.name}.{entry.key}" if entry is not None else section.name
