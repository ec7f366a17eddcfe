"""Options such as `--training.max_steps 100`, which set a key of the config."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

KEY = "trainer_cli.overrides"


class ConfigCommand(TyperCommand):
    """A command that takes `--section.key VALUE`, `--section.key=VALUE` and `--section.flag` anywhere on its line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[KEY], rest = split(args)
        parsed: list[str] = super().parse_args(ctx, rest)
        return parsed


def overrides_of(ctx: typer.Context) -> list[str]:
    """The overrides of a command's line, each option followed by its value if it has one."""
    found: list[str] = ctx.meta.get(KEY, [])
    return found


def split(args: list[str]) -> tuple[list[str], list[str]]:
    """Tell overrides from other arguments: an option with a dot in its name, and a value unless `=` has given one.

    >>> split(["run.cfg", "--training.max_steps", "-1", "--output", "out", "--a.flag", "--b.x=2"])
    (['--training.max_steps', '-1', '--a.flag', '--b.x=2'], ['run.cfg', '--output', 'out'])
    """
    overrides, rest, index = [], [], 0
    while index < len(args):
        option = args[index]
        index += 1
        if not (option.startswith("--") and "." in option.partition("=")[0]):
            rest.append(option)
            continue
        overrides.append(option)
        if "=" not in option and index < len(args) and not args[index].startswith("--"):
            overrides.append(args[index])
            index += 1
    return overrides, rest
