"""The proof that what a worker reads is what the driver has read: the code and the data, file by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer_cli.config.run_config import RunConfig
from trainer_cli.data.fingerprint import Contents, contents, sha256
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ConfigError, DataError, Problem

# So many names of files are told, of the others how many there are.
MOST_NAMED = 3


def check_code(code: Contents) -> None:
    """ConfigError: a file of --code is another one than the driver's; one that is not there is for who imports it."""
    here = {path: sha256(path) for path, _ in code if Path(path).is_file()}
    differing = [path for path, digest in code if here.get(path, digest) != digest]
    if differing:
        remedy = "Every machine needs it as it was when the run began; to go on with another one begin a new run"
        raise ConfigError(problems=[Problem(f"{differ(differing)}. {remedy}", named(differing))])


def check_data(config: RunConfig, read: Mapping[str, Contents]) -> None:
    """DataError: a data set has other files, or other content, here than where the driver runs."""
    for name in config.readers:
        reader: Reader = config.build(f"data.{name}")
        here, there = dict(contents(reader)), dict(read[name])
        faults = {differ: [path for path in here if path in there and here[path] != there[path]]}
        faults[missing] = [path for path in there if path not in here]
        faults[added] = [path for path in here if path not in there]
        problems = [
            Problem(f'{rule(paths)}. Copy the driver\'s anew, or set data = "driver"', named(paths) or f"data.{name}")
            for rule, paths in faults.items()
            if paths
        ]
        if problems:
            raise DataError(problems=problems)


def differ(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return "is another file than the driver's: its sha256 differs"
    return "are other files than the driver's: their sha256 differ"


def missing(paths: Sequence[str]) -> str:
    return f"{are(paths)} there for the driver, and not here"


def added(paths: Sequence[str]) -> str:
    return f"{are(paths)} here, and not there for the driver"


def are(paths: Sequence[str]) -> str:
    return "is" if len(paths) == 1 else "are"


def named(paths: Sequence[str]) -> str:
    """The first files by name, and how many more there are."""
    n_more = len(paths) - MOST_NAMED
    return ", ".join([*paths[:MOST_NAMED], *([f"{n_more} more"] if n_more > 0 else [])])
