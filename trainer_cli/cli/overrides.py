"""Options such as `--training.max_steps 100`, which set a key of the config."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from trainer_cli.config.run_config import RunConfig

OVERRIDES, WORDS = "trainer_cli.overrides", "trainer_cli.words"

OPTION = re.compile(r"--[^=]*\.")
# What comes after an override and is an option of its own, not its value: -1 and -.5 are values, -o is not.
NO_VALUE = re.compile(r"--|-[A-Za-z]")
# A word that is no option but may have been meant to set a key: with one dash, a long one or none.
SETTING = re.compile(r"[-\u2013\u2014]?([A-Za-z_]\w*)((?:\.[\w*-]+)*)((?:=.*)?)")


class ConfigCommand(TyperCommand):
    """A command that takes `--section.key VALUE`, `--section.key=VALUE` and `--section.flag` anywhere on its line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = [str(ctx.info_name), *args]
        ctx.meta[OVERRIDES], rest = split(args)
        try:
            parsed: list[str] = super().parse_args(ctx, list(rest))
        except Exception as err:  # typer exports no name for its usage errors
            options = [option for param in self.params for option in param.opts if option.startswith("--")]
            if hint := remedy(err, rest, options):
                vars(err).update(message=f"{err}. {hint}", possibilities=None)
            raise
        return parsed


def remedy(err: Exception, words: list[str], options: list[str]) -> str:
    """What to type where a usage error names a word that was probably meant to set a key of the config."""
    unknown = getattr(err, "option_name", None) or ""
    if unknown.startswith("--"):
        named = [word for word in words if word.partition("=")[0] == unknown]
        return sentence_of(named[0], options) if named else ""
    # -t of -training.max_steps, or words too many: training.max_steps=4, or with a dash that is too long
    named = [setting for word in words if (word in str(err) or word[:1] == "-") and (setting := setting_of(word))]
    return sentence_of(named[0], []) if named else ""


def sentence_of(word: str, options: list[str]) -> str:
    from trainer_cli.config.hints import meant, sentence

    return sentence(word if OPTION.match(word) else meant(word, options))


def setting_of(word: str) -> str:
    """A word as an override: `--section.key` of a section that there is, or `key=value`; empty where it is neither.

    >>> setting_of("-training.max_steps"), setting_of("a.b=1"), setting_of("lr=0.1"), setting_of("run.cfg")
    ('--training.max_steps', '--a.b=1', 'lr=0.1', '')
    """
    found = SETTING.fullmatch(word)
    if found is None or not (found[2] or found[3]):
        return ""
    from trainer_cli.config.sections import KNOWN

    if not found[3] and found[1] not in KNOWN:
        return ""
    return ("--" if found[2] else "") + "".join(found.groups())


def words_of(ctx: typer.Context) -> list[str]:
    """The command's name and all that was given after it."""
    found: list[str] = ctx.meta[WORDS]
    return found


def cluster_words(workers: int | None, address: str | None) -> list[str]:
    """The overrides that `--workers` and `--address` stand for.

    >>> cluster_words(4, None)
    ['--cluster.@clusters=ray.v1', '--cluster.workers=4']
    """
    given = {"workers": workers, "address": address}
    words = [f"--cluster.{name}={value}" for name, value in given.items() if value is not None]
    return ["--cluster.@clusters=ray.v1", *words] if words else []


def read_config(ctx: typer.Context, config: str, code: Sequence[Path] | None, more: Sequence[str] = ()) -> RunConfig:
    """Read the config that a command names (`-`: standard input), with the overrides of its line and environment and
    `more` of them, after the files of the user's own parts.
    """
    import os

    from trainer_cli import streams
    from trainer_cli.config.run_config import read_run_config

    stdin = streams.read_stdin() if config == "-" else b""
    import_code(config, stdin, code or [])
    return read_run_config(
        config,
        overrides=[*ctx.meta[OVERRIDES], *more],
        environment=os.environ.get("TRAINER_CONFIG_OVERRIDES", ""),
        stdin=stdin,
    )


def import_code(config: str, stdin: bytes, code: Sequence[Path]) -> None:
    """Run the files of the user's own parts. ConfigError: a mistake in one, or a library that the config names and that
    is missing."""
    from trainer_cli import user_code
    from trainer_cli.config.engines import told_by
    from trainer_cli.errors import MissingModuleError

    try:
        user_code.import_files(code)
    except MissingModuleError as err:
        # The same error may come back, and one that is its own cause would have no end.
        raise told_by(config, stdin, err) from err.__cause__


def split(args: list[str]) -> tuple[list[str], list[str]]:
    """Tell overrides from other arguments: an option with a dot in its name, and a value unless `=` has given one.

    >>> split(["run.cfg", "--training.max_steps", "-1", "--a.flag", "-o", "out.dir", "--b.x=2"])
    (['--training.max_steps', '-1', '--a.flag', '--b.x=2'], ['run.cfg', '-o', 'out.dir'])
    """
    overrides: list[str] = []
    rest: list[str] = []
    words = list(args)
    while words:
        word = words.pop(0)
        if word == "--":
            return overrides, [*rest, word, *words]
        if not OPTION.match(word):
            rest.append(word)
            continue
        overrides.append(word)
        if "=" not in word and words and not NO_VALUE.match(words[0]):
            overrides.append(words.pop(0))
    return overrides, rest
