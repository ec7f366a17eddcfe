"""A block of a config, checked and ready to be called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """A registered function with its arguments, which may hold Calls themselves.

    `where` is the block's dotted name, `kind` its registry, `called` the name that its place in the config gives it,
    `returns` the function's return annotation, `expects` the annotation of where the result goes.
    """

    function: Callable[..., Any]
    name: str
    where: str
    kind: str = ""
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    called: str = ""
    returns: Any = Any
    expects: Any = Any
