"""The config of a sweep as it was when the sweep began, and those of its trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer_cli.config.loaded import read_text
from trainer_cli.config.overrides import read_arguments, read_environment
from trainer_cli.config.registry import registry
from trainer_cli.config.run_config import RunConfig, check_run


def read(name: str, text: str, words: Sequence[str], environment: str) -> RunConfig:
    """The config of a run from a text in hand, called `name` in messages. ConfigError: all that is wrong with it."""
    below, wrong_below = read_environment(environment)
    above, wrong_above = read_arguments(words)
    loaded = read_text(text, name, [*below, *above])
    loaded.document.problems += [*wrong_below, *wrong_above]
    return check_run(loaded, registry)


@dataclass(frozen=True)
class Source:
    """A config's text with the overrides of the command line and the environment."""

    name: str
    text: str
    words: tuple[str, ...] = ()
    environment: str = ""

    def words_with(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The overrides with those of a trial, which outrank them.

        >>> Source("a.cfg", "", ("--a.b", "1")).words_with({"a.c": "x", "a.d": [1]})
        ('--a.b', '1', '--a.c="x"', '--a.d=[1]')
        """
        return (*self.words, *(f"--{name}={json.dumps(value, ensure_ascii=False)}" for name, value in params.items()))

    def config(self, params: Mapping[str, Any] | None = None) -> RunConfig:
        """The config of the trial with these values, checked."""
        return read(self.name, self.text, self.words_with(params or {}), self.environment)
