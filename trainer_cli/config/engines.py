"""Where a config names parts of another library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trainer_cli.config.loaded import read_file, read_text
from trainer_cli.errors import ConfigError, MissingModuleError, TrainerError
from trainer_cli.extras import ENGINES, EXTRAS, remedy


def told_by(config: str, stdin: str | bytes, err: MissingModuleError) -> ConfigError:
    """The same at the line of the config that names the missing library's part, if there is one."""
    try:
        loaded = read_text(stdin, "stdin") if config == "-" else read_text(read_file(config), config)
    except TrainerError:
        return err
    for key, name in named(loaded.config):
        if ENGINES[name] == err.module:
            message = f"{name} needs {EXTRAS[err.module][0]}: {remedy(err.module)}"
            return ConfigError(problems=[loaded.problem(key, message)])
    return err


def engines(config: Mapping[str, Any]) -> set[str]:
    """The modules of the libraries whose parts a config names."""
    return {ENGINES[name] for _, name in named(config)}


def named(config: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """Each part of another library in a config: its key, `model.@layers`, and its name."""
    for key, value in config.items():
        dotted = f"{where}.{key}" if where else key
        if isinstance(value, Mapping):
            yield from named(value, dotted)
        elif key.startswith("@") and value in ENGINES:
            yield dotted, value
