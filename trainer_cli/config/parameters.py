"""What a registered function takes and returns."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Parameter:
    """One argument. `default` is REQUIRED where there is none; `annotation` is Any where there is none to be had."""

    name: str
    annotation: Any = Any
    default: Any = REQUIRED


@dataclass(frozen=True)
class Signature:
    """The arguments that have names, in order; `positional` tells which of them can be given by position.

    `rest` is the annotation of `*args`, `keywords` that of `**kwargs`, None where the function has none.
    """

    named: dict[str, Parameter]
    positional: tuple[str, ...] = ()
    only_positional: tuple[str, ...] = ()
    rest: Parameter | None = None
    keywords: Parameter | None = None
    returns: Any = Any


def signature_of(function: Callable[..., Any]) -> Signature:
    """Read a function's or a class's signature, annotations evaluated; one without a signature takes anything."""
    try:
        found = inspect.signature(function)
    except (TypeError, ValueError):
        anything = Parameter("anything")
        return Signature({}, rest=anything, keywords=anything)
    hints = annotations_of(function)
    defaults = {} if not dataclasses.is_dataclass(function) else made_defaults(function)
    kinds = {name: parameter.kind for name, parameter in found.parameters.items()}
    named = {
        name: Parameter(name, hints.get(name, Any), defaults.get(name, parameter.default))
        for name, parameter in found.parameters.items()
    }
    by_kind = {kind: tuple(name for name in named if kinds[name] == kind) for kind in inspect._ParameterKind}
    only_positional = by_kind[inspect.Parameter.POSITIONAL_ONLY]
    return Signature(
        named={name: each for name, each in named.items() if kinds[name] not in VARIADIC},
        positional=only_positional + by_kind[inspect.Parameter.POSITIONAL_OR_KEYWORD],
        only_positional=only_positional,
        rest=next((named[name] for name in by_kind[inspect.Parameter.VAR_POSITIONAL]), None),
        keywords=next((named[name] for name in by_kind[inspect.Parameter.VAR_KEYWORD]), None),
        returns=function if isinstance(function, type) else hints.get("return", Any),
    )


def made_defaults(function: Any) -> dict[str, Any]:
    """The defaults that a dataclass makes anew for each instance."""
    fields = dataclasses.fields(function)
    return {each.name: each.default_factory() for each in fields if each.default_factory is not dataclasses.MISSING}


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def annotations_of(function: Any) -> dict[str, Any]:
    """The evaluated annotations; one that names something unknown at run time becomes Any."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        owner = function
        made_by_init = "__init__" in {name for base in owner.__mro__[:-1] for name in vars(base)}
        function = vars(owner).get("__init__", owner.__init__) if made_by_init else owner.__new__  # type: ignore[misc]
        # A dataclass's own constructor has its fields' annotations, which may come from a parent in another module.
        if dataclasses.is_dataclass(owner):
            function = owner
    elif not inspect.isroutine(function):
        function = type(function).__call__
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # whatever evaluating a stranger's annotation raises
        return {name: evaluate(text, function) for name, text in inspect.get_annotations(function).items()}


def evaluate(annotation: Any, function: Any) -> Any:
    space = getattr(inspect.unwrap(function), "__globals__", vars(sys.modules.get(function.__module__, typing)))
    carrier = type("Carrier", (), {"__annotations__": {"one": annotation}})
    try:
        return typing.get_type_hints(carrier, space, include_extras=True)["one"]
    except Exception:  # as above
        return Any
