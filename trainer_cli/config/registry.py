"""The public registry: the tables of `trainer_cli.registry`, and what turns configs into objects."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trainer_cli import registry as ground
from trainer_cli.config import resolve as resolving
from trainer_cli.config.config import Config
from trainer_cli.config.loaded import Loaded


class Registry(ground.Registry):
    """All kinds of parts as attributes, with `resolve` and `fill`."""

    def __init__(self, tables: ground.Registry):
        self.kinds = tables.kinds

    def resolve(
        self,
        config: Loaded | dict[str, Any],
        *,
        overrides: dict[str, Any] | None = None,
        kinds: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Make the objects that a config describes: a dict nested as the config is.

        `overrides` are by dotted name; with `kinds` only functions of these kinds can be named. All mistakes are in one
        ConfigError, each with its line; the config itself stays as it is.
        """
        return resolving.resolve(config, self, overrides=overrides, kinds=kinds)

    def fill(self, config: dict[str, Any], *, overrides: dict[str, Any] | None = None) -> Config:
        """A copy of a config with every default of the functions it names written out."""
        return resolving.filled(config, self, overrides)


registry = Registry(ground.registry)
