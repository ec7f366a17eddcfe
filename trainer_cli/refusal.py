"""What is said of a run that is to go on under other conditions: each of them, where it comes from, the ways out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer_cli.changes import FREE_TRAINING, bits, flat
from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.scalars import Variable
from trainer_cli.errors import ConfigError

TYPED = "command line"
# With more changes than this the config is another one, and nobody types what it was.
MAX_TYPED = 5
LIMITS = tuple(f"training.{key}" for key in FREE_TRAINING)


def refusal(
    run_dir: Path,
    found: Mapping[str, Sequence[str]],
    config: RunConfig,
    began: Mapping[str, Any],
    now: Mapping[str, Any],
) -> ConfigError:
    """The error for the changes `found`, by kind. `config` is what was asked for, `now` the same filled; `began` is the
    filled config that the run began with."""
    lines = [
        f"  {line}{follows(config, line.partition(': ')[0]) if kind == 'config' else ''}"
        for kind, sentences in found.items()
        for line in sentences
    ]
    ways = remedies(config, dict(flat(bits(began))), dict(flat(bits(now))), began.get("training", {}))
    flags = " ".join(f"--allow-changed {kind}" for kind in found)
    last = f"--overwrite sets that run aside and starts anew; {flags} goes on with it all the same."
    what = f"{run_dir}: this run began under other conditions, which would change its bits."
    return ConfigError("\n".join([what, *lines, *(ways if "config" in found else ()), last]))


def follows(config: RunConfig, key: str) -> str:
    """`, as it follows training.max_steps (train.cfg:31)` for a key whose value is `${training.max_steps}`."""
    name = followed(config, key)
    if name is None:
        return ""
    path, line = config.place(key)
    return f", as it follows {name} ({path}:{line})"


def followed(config: RunConfig, key: str) -> str | None:
    """The key that another one takes its value from; None for one that has a value of its own."""
    entry = config.loaded.document.entry(key)
    if entry is None or not isinstance(entry.value, Variable):
        return None
    name = entry.value.name
    return name if "." in name else f"{key.rpartition('.')[0]}.{name}"


def remedies(
    config: RunConfig, old: Mapping[str, Any], new: Mapping[str, Any], limits: Mapping[str, Any]
) -> Iterator[str]:
    """What to add to the command so that the run goes on as it began, a line a way; `limits` told its end."""
    changed = [key for key in old if key in new and old[key] != new[key] and config.origin(key) != TYPED]
    if not changed or len(changed) > MAX_TYPED:
        return
    follow = {key: name for key in changed if (name := followed(config, key)) in LIMITS}
    kept = {key: old[key] for key in changed if key not in follow}
    forgotten = {name: limits.get(name.partition(".")[2]) for name in follow.values() if config.origin(name) != TYPED}
    if forgotten or not follow:
        yield f"To go on as it began, add {typed({**forgotten, **kept})}"
    if follow:
        yield f"To change when it stops and nothing else, add {typed({key: old[key] for key in changed})}"


def typed(values: Mapping[str, Any]) -> str:
    """Values as overrides of a command line.

    >>> typed({"model.*.hidden.nO": 8, "training.monitor": None})
    '--model.hidden.nO 8 --training.monitor null'
    """
    words = [word for key, value in values.items() for word in (f"--{key.replace('.*.', '.')}", json.dumps(value))]
    return shlex.join(words)
