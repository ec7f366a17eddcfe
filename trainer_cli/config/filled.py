"""The config with every default written out."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from trainer_cli.config.convert import convert
from trainer_cli.config.document import Document
from trainer_cli.config.mismatch import MismatchError
from trainer_cli.config.parameters import Parameter, Signature, signature_of
from trainer_cli.config.plan import is_block
from trainer_cli.config.values import parse
from trainer_cli.config.writer import dump, write
from trainer_cli.registry import Registry

NOTHING = object()


def fill(value: Any, registry: Registry, defaults: Mapping[tuple[str, str], Any]) -> Any:
    """A checked config's value with the defaults of every block in it written out.

    `defaults` are those that the config itself gives, by kind and argument. A default that a config cannot hold, such
    as a function, is left out.
    """
    if isinstance(value, list):
        return [fill(item, registry, defaults) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: fill(item, registry, defaults) for key, item in value.items()}
    if not is_block(value):
        return found
    key = next(key for key in value if key.startswith("@"))
    signature = signature_of(registry.get(key[1:], value[key]))
    own = {name: default for (kind, name), default in defaults.items() if kind == key[1:] and name in signature.named}
    return with_defaults(found, signature, own)


def with_defaults(given: dict[str, Any], signature: Signature, own: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are given, then the others that have a default."""
    free = [name for name in signature.positional if name not in given]
    taken = {*given, *free[: len(given.get("*", ()))]}
    missing = {name: parameter for name, parameter in signature.named.items() if name not in taken}
    found = {name: own.get(name, default_of(parameter)) for name, parameter in missing.items()}
    return given | {name: value for name, value in found.items() if value is not NOTHING}


def default_of(parameter: Parameter) -> Any:
    """The default as a config holds it, or NOTHING."""
    value = as_json(parameter.default)
    try:
        if value is not None:
            convert(value, parameter.annotation)
    except MismatchError:
        return NOTHING
    return value


def as_json(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return as_json(value.value)
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        items = [as_json(item) for item in value]
        return NOTHING if any(item is NOTHING for item in items) else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        found = {key: as_json(item) for key, item in value.items()}
        return NOTHING if any(item is NOTHING for item in found.values()) else found
    return NOTHING


def write_filled(tree: Mapping[str, Any], document: Document) -> str:
    """The text of a filled config: comments stay, and so does the spelling of a value that is as the file has it."""

    def leaf(where: str, value: Any) -> str:
        entry = document.entry(where)
        if entry is not None and entry.raw and same(entry.value, value) and same(parse(entry.raw), value):
            return entry.raw.replace("\n", "\n    ")
        return dump(value, where)

    return write(tree, document, leaf)


def same(one: Any, other: Any) -> bool:
    """Whether two values of a config are the same, 1 and 1.0 and true told apart."""
    return type(one) is type(other) and repr(one) == repr(other)
