"""From a config to objects."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trainer_cli.config.build import build_all
from trainer_cli.config.config import Config
from trainer_cli.config.filled import fill
from trainer_cli.config.loaded import Loaded
from trainer_cli.config.plan import Planner, is_block
from trainer_cli.errors import ConfigError
from trainer_cli.registry import Registry


def resolve(
    config: Loaded | dict[str, Any],
    registry: Registry,
    *,
    overrides: dict[str, Any] | None = None,
    kinds: Collection[str] | None = None,
) -> dict[str, Any]:
    """Check every block of a config of any content, then call them all: a dict of objects as the config is nested.

    With `kinds` only functions of these kinds can be named. All mistakes are in one ConfigError;
    what a constructor refuses keeps its class. The config stays as it is.
    """
    loaded = as_loaded(config, overrides or {})
    return build_all(plan(loaded, registry, kinds), loaded.document)


def filled(config: dict[str, Any], registry: Registry, overrides: dict[str, Any] | None = None) -> Config:
    """A copy of a config with its variables filled in and every default written out, checked but not called."""
    loaded = as_loaded(config, overrides or {})
    plan(loaded, registry, None)
    return Config({name: fill(value, registry, {}) for name, value in loaded.config.items()})


def as_loaded(config: Loaded | dict[str, Any], overrides: dict[str, Any]) -> Loaded:
    if isinstance(config, Loaded):
        assert not overrides, "overrides belong to the loading"
        return config
    if not isinstance(config, dict):
        raise ConfigError(f"a config is a Config or a dict of sections, got {type(config).__name__}")
    return (config if isinstance(config, Config) else Config(config)).loaded(overrides)


def plan(loaded: Loaded, registry: Registry, kinds: Collection[str] | None) -> dict[str, Any]:
    if is_block(loaded.config):
        raise ConfigError("the top of a config holds sections, not a function: put it in a section")
    planner = Planner(registry, loaded.document, kinds)
    plans = {name: planner.value(value, Any, name) for name, value in loaded.config.items()}
    loaded.check()
    return plans
