"""The names beside a file or folder under which storage keeps what is not finished, not needed or not trusted.

.tmp-<name>-<pid>-<random>    being written           .dead-<name>-<pid>-<random>   being deleted
.was-<name>-<n>               being replaced          .bad-<name>-<n>               damaged, kept for people
    .old-<name>-<n>               replaced, but with a foreign file in it
"""

from __future__ import annotations

import os
import re
import secrets
from itertools import count
from pathlib import Path

LEFTOVER = re.compile(r"\.(tmp|dead)-(?P<name>[a-z0-9_.-]{1,64})-[0-9]{1,10}-[0-9a-f]{8}")
WAS = re.compile(r"\.was-(?P<name>[a-z0-9_.-]{1,64})-(?P<n>[0-9]{1,6})")


def temporary(path: Path, word: str = "tmp") -> Path:
    """A new name beside `path` that LEFTOVER knows; `word` is tmp or dead."""
    return path.with_name(f".{word}-{path.name}-{os.getpid()}-{secrets.token_hex(4)}")


def unused(path: Path) -> Path:
    """The first of `path-1`, `path-2`, ... that does not exist."""
    numbered = (path.with_name(f"{path.name}-{n}") for n in count(1))
    return next(candidate for candidate in numbered if not os.path.lexists(candidate))


def superseded(path: Path) -> list[Path]:
    """The earlier folders of this name that wait while a new one takes its place, the latest first."""
    return [path.with_name(f".was-{path.name}-{n}") for n in sorted(_numbers(path), reverse=True)]


def next_superseded(path: Path) -> Path:
    """Where the folder `path` is to wait: later than all that wait there already."""
    return path.with_name(f".was-{path.name}-{max(_numbers(path), default=0) + 1}")


def _numbers(path: Path) -> set[int]:
    found = [WAS.fullmatch(name) for name in os.listdir(path.parent)]
    return {int(match["n"]) for match in found if match and match["name"] == path.name}
