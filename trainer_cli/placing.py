"""Mistakes of the data and of parts, each with its place in the config, and several of them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.sections import KNOWN
from trainer_cli.errors import ArgumentError, ConfigError, DataError, TrainerError


@contextmanager
def placed(config: RunConfig, section: str) -> Iterator[None]:
    """Give mistakes without a file their place in the config: at the key they name, a bare one being of `section`."""
    try:
        yield
    except TrainerError as err:
        if not err.problems or all(problem.path for problem in err.problems):
            raise
        found = [p if p.path else config.problem(dotted(section, p.where), p.message) for p in err.problems]
        raise ConfigError(problems=found) from err


def dotted(section: str, where: str) -> str:
    """The whole name of a key in `section`; a column's name may have dots of its own."""
    is_whole = where.partition(".")[0] in KNOWN and "." in where
    return where if is_whole or not section else f"{section}.{where}" if where else section


@contextmanager
def gathered(errors: list[TrainerError]) -> Iterator[None]:
    """Add what is wrong with the config or its data to `errors`, so that more can be looked at."""
    try:
        yield
    except (ConfigError, DataError, ArgumentError) as err:
        errors.append(err)
