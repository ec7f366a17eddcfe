"""Settings from the command line and the environment, put over those of the file."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer_cli.config.document import BROKEN, Broken, Document, Entry, Origin, Section, config_error
from trainer_cli.config.hints import meant, sentence
from trainer_cli.config.scalars import BadValueError, Template, Variable
from trainer_cli.config.text import KEY, SECTION
from trainer_cli.config.values import parse, parse_argument
from trainer_cli.config.words import say, shorten
from trainer_cli.errors import Problem

VARIABLE = "TRAINER_CONFIG_OVERRIDES"
LONG_DASHES = ("\u2014", "\u2013")


@dataclass(frozen=True)
class Override:
    """`--name value`, the value parsed (BROKEN where that failed)."""

    name: str
    value: Any
    origin: Origin
    bare: bool = False


def read_arguments(tokens: Sequence[str], kind: str = "command line") -> tuple[list[Override], list[Problem]]:
    """`--section.key VALUE`, `--section.key=VALUE` and a bare `--section.flag`, which is true; and what is wrong.

    A value is JSON, else text.

    >>> overrides, problems = read_arguments(["--a.b", "-1", "--a.c=x y", "--a.flag"])
    >>> [(override.name, override.value) for override in overrides]
    [('a.b', -1), ('a.c', 'x y'), ('a.flag', True)]
    """
    path = VARIABLE if kind == "environment" else kind
    overrides: list[Override] = []
    problems: list[Problem] = []
    for word, raw in pairs(tokens):
        wrong = explain_word(word, raw)
        if wrong is not None:
            problems.append(Problem(wrong, path, 0, shorten(word)))
            continue
        value: Any = BROKEN
        try:
            value = True if raw is None else parse_argument(raw)
        except BadValueError as err:
            problems.append(Problem(str(err), path, 0, word))
        overrides.append(Override(word.removeprefix("--"), value, Origin(kind, path, word), bare=raw is None))
    return overrides, problems


def read_environment(text: str) -> tuple[list[Override], list[Problem]]:
    """The same words in one text, quoted as in a shell: what TRAINER_CONFIG_OVERRIDES holds."""
    try:
        tokens = shlex.split(text)
    except ValueError as err:
        return [], [Problem(f"{err}, in {shorten(text)}", VARIABLE)]
    return read_arguments(tokens, "environment")


def from_mapping(overrides: Mapping[str, Any]) -> list[Override]:
    """Overrides as Python code gives them: values that JSON can hold, `${...}` in texts included."""
    found = []
    for name, value in overrides.items():
        origin = Origin("override", "override", name)
        try:
            wrong = None if SECTION.fullmatch(name) and "." in name else "an override is named section.key"
            found.append(Override(name, parse(json.dumps(value)), origin))
        except (BadValueError, TypeError, ValueError, RecursionError) as err:
            wrong = str(err)
        if wrong is not None:
            raise config_error([Problem(wrong, origin.path, 0, name)])
    return found


def pairs(tokens: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each word with its value; None where it has none."""
    at = 0
    while at < len(tokens):
        word, equals, raw = tokens[at].partition("=")
        at += 1
        if not equals and at < len(tokens) and word.startswith("--") and not tokens[at].startswith("--"):
            raw, equals = tokens[at], "="
            at += 1
        yield word, raw if equals else None


def explain_word(word: str, raw: str | None) -> str | None:
    """What is wrong with the name of an override, or None."""
    if word.startswith(LONG_DASHES):
        return "begins with a long dash; write two hyphens: --"
    override = meant(word if raw is None else f"{word}={raw}")
    if not word.startswith("--"):
        return f"expected {override or '--section.key VALUE'}"
    name = word.removeprefix("--")
    if "." not in name:
        return f"no such option. {sentence(override)}"
    section, _, key = name.rpartition(".")
    return None if SECTION.fullmatch(section) and KEY.fullmatch(key) else "is no name of the form --section.key"


def apply(document: Document, override: Override) -> None:
    """Put one override into the document: a key that is there is replaced, as is a section of that name."""
    parts = override.name.split(".")
    drop_other_batch_size(document, override)
    section = document.sections.get(parts[0]) or new_section(document, parts[0], override)
    for index, part in enumerate(parts[1:-1], 1):
        section = starred(document, section, part)
        if parts[-1].startswith("@") and index == len(parts) - 2 and is_plain(section.entries.get(part)):
            # A number gives way to the block of a function.
            del section.entries[part]
        if part in section.entries:
            set_inline(document, section, parts[index:], override)
            return
        name = f"{section.name}.{part}"
        section = document.sections.get(name) or new_section(document, name, override)
    set_key(document, starred(document, section, parts[-1]), parts[-1], override)


def is_plain(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.value, bool | int | float | str)


def drop_other_batch_size(document: Document, override: Override) -> None:
    """The size of a batch is a key of [training] or a section of its own; an override of one outranks the other."""
    training = document.entry("training.batch_size")
    if override.name == "training.batch_size":
        names = [name for name in document.sections if name.split(".")[0] == "batch_size"]
        entries = [entry for name in names for entry in document.sections[name].entries.values()]
        if all(entry.origin.kind != override.origin.kind for entry in entries):
            for name in names:
                del document.sections[name]
    elif override.name.startswith("batch_size.@") and training and training.origin.kind != override.origin.kind:
        del document.sections["training"].entries["batch_size"]


def new_section(document: Document, name: str, override: Override) -> Section:
    section = document.sections[name] = Section(name, 0, override.origin, written=False)
    return section


def starred(document: Document, section: Section, part: str) -> Section:
    """The positional blocks of a layer may be named without the star."""
    name = f"{section.name}.*"
    hidden = name in document.sections and f"{section.name}.{part}" not in document.sections
    among = hidden and (f"{name}.{part}" in document.sections or part in document.sections[name].entries)
    return document.sections[name] if among else section


def set_key(document: Document, section: Section, key: str, override: Override) -> None:
    name = f"{section.name}.{key}"
    for below in [below for below in document.sections if below.startswith(f"{name}.")]:
        del document.sections[below]
    known, value = section.entries.get(key), override.value
    if name in document.sections and isinstance(value, dict) and all(map(KEY.fullmatch, value)):
        # Positional blocks are told apart by their order, which a section keeps and a key would lose.
        entries = {inner: Entry(inner, "", [0], override.origin, value[inner]) for inner in value}
        document.sections[name] = Section(name, 0, override.origin, entries=entries)
        return
    document.sections.pop(name, None)
    comments = known.comments if known else []
    section.entries[key] = Entry(key, "", [0], override.origin, value, comments, override.bare)


def set_inline(document: Document, section: Section, parts: list[str], override: Override) -> None:
    """Set one key of a `{...}` that is written in one value."""
    entry = section.entries[parts[0]]
    name, value = f"{section.name}.{parts[0]}", override.value
    found = [entry.value]
    for part in parts[1:-1]:
        found.append(found[-1].get(part, {}) if isinstance(found[-1], dict) else None)
    if not all(isinstance(node, dict) for node in found):
        problem = Problem(explain_entry(name, entry.value), override.origin.path, 0, override.origin.where)
        document.problems.append(problem)
        return
    for node, part in zip(reversed(found), reversed(parts[1:]), strict=True):
        value = node | {part: value}
    entry.raw, entry.value = "", BROKEN if override.value is BROKEN else value
    document.inline[f"{section.name}.{'.'.join(parts)}"] = Entry(parts[-1], "", [0], override.origin, override.value)


def explain_entry(name: str, value: Any) -> str:
    if isinstance(value, Variable):
        return f"{name} is a copy of ${{{value.name}}}: set {value.name} instead"
    if isinstance(value, Broken):
        return f"{name} has a mistake of its own"
    got = "a text" if isinstance(value, Template) else say(value)
    return f"{name} is {got}, which has no keys to set. To make it a block, set {name}.@schedules or the like first"
