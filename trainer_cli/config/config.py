"""The config as a dict that can be read, written, merged and filled in."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import confection

from trainer_cli.config.document import Document
from trainer_cli.config.loaded import Loaded, read_file, read_text
from trainer_cli.config.tree import canonical_raw
from trainer_cli.config.writer import dump_variables, write
from trainer_cli.errors import ConfigError, Problem
from trainer_cli.registry import nearest

NO_OVERRIDES: dict[str, Any] = {}


class Config(confection.Config):
    """confection's Config behind the strict reading of the text: a nested dict of sections.

    Where confection would raise one of several exceptions, or take a mistake for a text, every mistake is in one
    ConfigError with its line. `merge` and `copy` are confection's.

    >>> config = Config().from_str("[optimizer]\\nlearn_rate = 0.1\\n")
    >>> config["optimizer"]["learn_rate"]
    0.1
    """

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        *,
        is_interpolated: bool | None = None,
        section_order: list[str] | None = None,
    ):
        if not isinstance(data, dict | None):
            way = ": Config().from_str reads text, from_disk a file" if isinstance(data, str | bytes | Path) else ""
            raise ConfigError(f"a config is made of a dict of sections, got {type(data).__name__}{way}")
        super().__init__(data, is_interpolated=is_interpolated, section_order=section_order)
        self.document: Document = data.document if isinstance(data, Config) else Document()

    def from_str(  # type: ignore[override]  # schemas are the annotations of registered functions here
        self,
        text: str | bytes,
        *,
        interpolate: bool = True,
        overrides: dict[str, Any] = NO_OVERRIDES,
        path: str = "config",
    ) -> Self:
        """Read a config's text, called `path` in messages; without `interpolate`, variables stay as they are."""
        if not isinstance(text, str | bytes):
            raise ConfigError(f"a config is read from text, got {type(text).__name__}")
        if isinstance(text, str) and text.strip().endswith(".cfg") and "\n" not in text:
            raise ConfigError(f"{text.strip()} is the name of a file, and no config: from_disk reads it")
        loaded = read_text(text, path, overrides)
        loaded.check()
        self.clear()
        if interpolate:
            self.update(loaded.config)
        else:
            self.update(confection.Config().from_str(canonical_raw(loaded.document), interpolate=False))
        self.is_interpolated = interpolate
        self.document = loaded.document
        return self

    def from_bytes(
        self, bytes_data: bytes, *, interpolate: bool = True, overrides: dict[str, Any] = NO_OVERRIDES
    ) -> Self:
        return self.from_str(bytes_data, interpolate=interpolate, overrides=overrides)

    def from_disk(
        self, path: str | Path, *, interpolate: bool = True, overrides: dict[str, Any] = NO_OVERRIDES
    ) -> Self:
        return self.from_str(read_file(path), interpolate=interpolate, overrides=overrides, path=str(path))

    def interpolate(self) -> Self:
        """A copy with its variables filled in."""
        filled = type(self)().from_str(self.to_str(interpolate=False))
        if self.document.sections:
            filled.document = self.document
        return filled

    def to_str(self, *, interpolate: bool = True) -> str:
        """The config as text; without `interpolate`, variables that are not filled in yet are written as they are."""
        if self.is_interpolated:
            return write(self)
        return write(self.interpolate()) if interpolate else write(self, leaf=dump_uninterpolated)

    def to_bytes(self, *, interpolate: bool = True) -> bytes:
        return self.to_str(interpolate=interpolate).encode()

    def to_disk(self, path: str | Path, *, interpolate: bool = True) -> None:
        Path(path).write_bytes(self.to_bytes(interpolate=interpolate))

    def merge(self, updates: dict[str, Any], remove_extra: bool = False) -> Self:
        if not isinstance(updates, dict):
            raise ConfigError(f"what is merged is a Config or a dict of sections, got {type(updates).__name__}")
        merged: Self = super().merge(updates, remove_extra=remove_extra)
        # Its keys come from two texts, so no line is right for all of them.
        merged.document = Document()
        return merged

    def loaded(self, overrides: dict[str, Any] = NO_OVERRIDES) -> Loaded:
        """The values as they are now, copied, with overrides put in and variables filled in."""
        whole = self if self.is_interpolated else self.interpolate()
        document = copy.copy(self.document)
        document.problems = []
        for name in overrides:
            refuse_new_key(whole, name)
        if overrides:
            whole = type(self)().from_str(whole.to_str(), overrides=overrides)
            document.inline = self.document.inline | whole.document.overridden(overrides)
        return Loaded(copy_containers(whole), document)


def refuse_new_key(config: dict[str, Any], name: str) -> None:
    """ConfigError: an override names a key that its section has not; a block of a function may have any argument."""
    node: Any = config
    for index, part in enumerate(parts := name.split(".")):
        if not isinstance(node, dict):
            return
        starred = node.get("*")
        if part not in node and isinstance(starred, dict) and part in starred:
            node = starred
        if part not in node:
            if any(str(key).startswith("@") for key in node):
                return
            where = ".".join(parts[:index]) or "the config"
            raise ConfigError(
                problems=[Problem(f"{where} has no {part}.{nearest(part, list(node))}", "override", 0, name)]
            )
        node = node[part]


def dump_uninterpolated(where: str, value: Any) -> str:
    """confection keeps a value with variables as the text it was; in other values $ is still doubled."""
    return value if isinstance(value, str) and "${" in value else dump_variables(value, where)


def copy_containers(value: Any) -> Any:
    """Copy dicts and lists, and leave the objects in them alone: an iterator cannot be copied."""
    if isinstance(value, dict):
        return {key: copy_containers(item) for key, item in value.items()}
    return [copy_containers(item) for item in value] if isinstance(value, list) else value
