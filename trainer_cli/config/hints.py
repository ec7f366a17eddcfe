"""What a word of the command line that sets nothing was probably meant to set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from inspect import signature

from trainer_cli.config.sections import SETTINGS
from trainer_cli.optimizers.adam import Adam
from trainer_cli.registry import closest


def meant(word: str, options: Sequence[str] = ()) -> str:
    """The override that `word` was probably meant to be, or one of `options`; an empty text where none is near.

    >>> meant("--batch-size"), meant("--lr=0.1"), meant("training.max_epochs=2"), meant("--nonsense")
    ('--training.batch_size', '--optimizer.learn_rate=0.1', '--training.max_epochs=2', '')
    >>> meant("--ouput", ["--output"]), meant("word")
    ('--output', '')
    """
    name, equals, raw = word.removeprefix("--").partition("=")
    if "." in name:
        return f"--{name}={raw}" if equals else ""
    if not equals and not word.startswith("--"):
        return ""
    known = {option.removeprefix("--"): option for option in options} | settings()
    found = closest(name, list(known))
    return f"{known[found]}{equals}{raw}" if found else ""


def settings() -> dict[str, str]:
    """What sets the keys that every run has, Adam's of the optimizers': `max_steps` is `--training.max_steps`."""
    known = {field.name: f"--{section}.{field.name}" for section, kind in SETTINGS.items() for field in fields(kind)}
    return known | {name: f"--optimizer.{name}" for name in signature(Adam).parameters}


def sentence(override: str) -> str:
    """What to type instead, for the end of a message."""
    return f"Did you mean {override}?" if override else "A setting of the config is written --section.key VALUE"
