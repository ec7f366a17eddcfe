"""Writing nested dicts as a config's text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trainer_cli.config.document import Document
from trainer_cli.config.text import CONTROL, KEY
from trainer_cli.config.words import shorten
from trainer_cli.errors import ConfigError, Problem

# confection marks the place of a copied section by this text, so no other text may hold it.
RESERVED = "__SECTION__:"


def write(
    tree: Mapping[str, Any], document: Document | None = None, leaf: Callable[[str, Any], str] | None = None
) -> str:
    """The text of a config: values first, then the sections below, with the comments of `document` where it has any.

    A dict becomes a section unless its keys cannot be (or are not, in `document`), then it is written in one value.
    `leaf(where, value)` gives a value's text, `dump` by default. A text that would not read back is a ConfigError.

    >>> print(write({"a": {"x": 0.1, "b": {"y": None}}}), end="")
    [a]
    x = 0.1
    <BLANKLINE>
    [a.b]
    y = null
    """
    document = document or Document()
    leaf = leaf or dump_at
    parts = []
    for name, values in sections(tree, "", document):
        lines = [f"[{name}]"]
        if name in document.sections:
            lines[:0] = document.sections[name].comments
        for key, value in values.items():
            entry = document.entry(f"{name}.{key}")
            text = leaf(f"{name}.{key}", value)
            if RESERVED in text:
                raise ConfigError(problems=[document.problem(f"{name}.{key}", f"a text may not hold {RESERVED}")])
            lines += [*(entry.comments if entry else []), f"{key} = {text}"]
        parts.append("\n".join(lines))
    if document.tail:
        parts.append("\n".join(document.tail))
    return "\n\n".join(parts) + "\n" if parts else ""


def sections(node: Mapping[str, Any], name: str, document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each section with the values that stand in it, parents first; `*` needs no header of its own."""
    below: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for key, value in node.items():
        where = f"{name}.{key}".removeprefix(".")
        (below if is_section(value, where, document) else values)[key] = value
    if name and (values or not name.endswith(".*")):
        yield name, values
    elif values:
        problems = [Problem(f"is not in a section: {shorten(repr(value))}", where=key) for key, value in values.items()]
        raise ConfigError(problems=problems)
    for key, value in below.items():
        yield from sections(value, f"{name}.{key}".removeprefix("."), document)


def is_section(value: Any, where: str, document: Document) -> bool:
    if not isinstance(value, dict) or not all(isinstance(key, str) and KEY.fullmatch(key) for key in value):
        return False
    if "." not in where:
        return True
    entry = document.entry(where)
    return bool(value) and (entry is None or where in document.copies)


def dump_at(where: str, value: Any) -> str:
    return dump(value, where)


def dump(value: Any, where: str = "") -> str:
    """A value as JSON in which a $ is no variable: confection would fill in `$${x}`, and lose quotes beside `$$`.

    >>> dump("${x}")
    '"\\\\u0024{x}"'
    """
    return dump_variables(value, where).replace("$", "\\u0024")


def dump_variables(value: Any, where: str = "") -> str:
    """A value as JSON, every $ as it is; what JSON cannot hold is a ConfigError."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as err:
        raise ConfigError(problems=[Problem(f"cannot be written in a config: {err}", where=where)]) from err
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
