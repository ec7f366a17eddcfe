"""From a document to confection's nested dict."""

from __future__ import annotations

import configparser
import json
from typing import Any

import confection

from trainer_cli.config.document import BROKEN, GUESSED, Document, config_error
from trainer_cli.config.scalars import Template, Variable
from trainer_cli.config.variables import Filler
from trainer_cli.config.words import shorten
from trainer_cli.config.writer import RESERVED, dump
from trainer_cli.errors import Problem

# What confection 1.3 raises on a text it cannot read.
LEAKED = (confection.ConfigValidationError, configparser.Error, KeyError, ValueError, TypeError, RecursionError)


def parse_tree(document: Document, filler: Filler) -> dict[str, Any]:
    """The document as nested dicts in the order of the file, read by confection; BROKEN where a value is wrong."""
    text = canonical(document, filler)
    try:
        parsed = confection.Config().from_str(text)
    except LEAKED as err:
        raise config_error([*document.problems, Problem(shorten(str(err), 200), document.path)]) from err
    tree: dict[str, Any] = {}
    for section in document.sections.values():
        source, node = parsed, tree
        for part in section.name.split("."):
            source, node = source[part], node.setdefault(part, {})
        for key, entry in section.entries.items():
            node[key] = entry.value if entry.value is GUESSED else source.get(key, BROKEN)
    return tree


def canonical(document: Document, filler: Filler) -> str:
    """The document without what is broken: one line a value, variables filled in, all parents written."""
    lines = []
    for section in document.sections.values():
        lines.append(f"[{section.name}]")
        for entry in section.entries.values():
            filled = filler.entry(section, entry)
            if filled is None:
                continue
            dumped = dump(filled.value)
            if RESERVED in dumped:
                name = f"{section.name}.{entry.key}"
                document.problems.append(document.problem(name, f"a text may not hold {RESERVED}"))
            else:
                lines.append(f"{entry.key} = {dumped}")
    return "\n".join(lines)


def canonical_raw(document: Document) -> str:
    """The document with its variables as they were written, for a Config that is filled in later."""
    lines = []
    for section in document.sections.values():
        lines.append(f"[{section.name}]")
        lines += [f"{entry.key} = {source(entry.value)}" for entry in section.entries.values()]
    return "\n".join(lines)


def source(value: Any) -> str:
    """A parsed value as a config writes it, variables and all.

    >>> source([Variable("a.b", 0), Template(("5$ ", Variable("c", 0)), 0), None])
    '[${a.b}, "5$$ ${c}", null]'
    """
    if isinstance(value, Variable):
        return f"${{{value.name}}}"
    if isinstance(value, Template):
        return f'"{"".join(source(part)[1:-1] if isinstance(part, str) else source(part) for part in value.parts)}"'
    if isinstance(value, list):
        return f"[{', '.join(map(source, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{source(key)}: {source(item)}' for key, item in value.items())}}}"
    return json.dumps(value).replace("$", "$$")
