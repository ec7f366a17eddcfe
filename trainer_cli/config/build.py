"""Calling what was planned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trainer_cli.config.call import Call
from trainer_cli.config.convert import convert
from trainer_cli.config.document import Document, config_error, together
from trainer_cli.config.mismatch import MismatchError
from trainer_cli.config.words import shorten
from trainer_cli.data.encoder import Part
from trainer_cli.errors import Problem, TrainerError
from trainer_cli.extras import EXTRAS, bare, remedy
from trainer_cli.schedules.schedule import Schedule, as_schedule


def build(planned: Any, document: Document) -> Any:
    """Call every Call in `planned`, inner ones first, and return the objects; each call makes new ones.

    What a function raises gets the place of its block: our own errors keep their class, any other is a ConfigError.
    """
    if isinstance(planned, Call):
        return call(planned, document)
    if isinstance(planned, dict):
        return build_all(planned, document)
    if isinstance(planned, list | tuple | set | frozenset):
        return type(planned)(build_all(dict(enumerate(planned)), document).values())
    return planned


def build_all(plans: Mapping[Any, Any], document: Document) -> dict[Any, Any]:
    """Build every part; what several of them raise is raised together."""
    built = {}
    errors: list[TrainerError] = []
    for name, planned in plans.items():
        try:
            built[name] = build(planned, document)
        except TrainerError as err:
            errors.append(err)
    if errors:
        raise together(errors)
    return built


def call(planned: Call, document: Document) -> Any:
    built = build_all({**dict(enumerate(planned.positional)), **planned.keywords}, document)
    positional = [built[index] for index in range(len(planned.positional))]
    keywords = {name: built[name] for name in planned.keywords}
    try:
        made = planned.function(*positional, **keywords)
    except TrainerError as err:
        raise placed(err, planned, document) from err
    except Exception as err:
        if isinstance(err, ModuleNotFoundError) and err.name in EXTRAS:
            message = f"{planned.name} needs {EXTRAS[err.name][0]}: {remedy(err.name)}"
            raise config_error([problem(message, planned, document)]) from None  # no cause, to be told in its place
        message = f"{planned.name} raised {type(err).__name__}: {shorten(str(err), 200)}"
        raise config_error([problem(message, planned, document)]) from err
    if planned.kind == "schedules" and isinstance(made, Iterator) and not isinstance(made, Schedule):
        made = as_schedule(made).called(written(planned))
    if planned.kind == "layers" and planned.called and hasattr(made, "named"):
        made = made.named(planned.called)
    made = fitted(made, planned, document)
    # A section [features.*.NAME]; an encoder that is an argument has no name of its own.
    is_part = planned.kind == "encoders" and planned.called and planned.where.endswith(f".*.{planned.called}")
    return Part(planned.called, planned.name, made) if is_part else made


def written(planned: Call) -> str:
    """A call as one would write it: `stairs(start=0.1, every=3)`."""
    name = getattr(planned.function, "__name__", planned.name)
    keywords = [f"{key}={value!r:.40}" for key, value in planned.keywords.items()]
    return f"{name}({', '.join([*(f'{value!r:.40}' for value in planned.positional), *keywords])})"


def fitted(made: Any, planned: Call, document: Document) -> Any:
    """What a function returned, as its place wants it: a plain generator becomes a Schedule, say."""
    try:
        found = convert(made, planned.expects)
    except MismatchError as err:
        told = bare(made, planned.name, planned.where) if planned.kind == "layers" else ""
        message = f"{planned.name} {told or f'returned what does not fit: {err}'}"
        raise config_error([problem(message, planned, document)]) from None
    return build(found, document) if found is not made else made


def placed(err: TrainerError, planned: Call, document: Document) -> TrainerError:
    """The same error with file and line: those of the argument that it is about, else of the block."""
    if err.problems and all(each.path for each in err.problems):
        return err
    problems = [
        each if each.path else problem(each.message, planned, document, each.where)
        for each in err.problems or [Problem(str(err))]
    ]
    # A class of someone else's may be made differently.
    ours: type[TrainerError] = next(kind for kind in type(err).__mro__ if kind.__module__ == TrainerError.__module__)
    return ours(problems=problems)


def problem(message: str, planned: Call, document: Document, argument: str = "") -> Problem:
    """A mistake in a block: at `argument`, or at the argument that the message names, or at the block itself."""
    words = [argument] if argument else re.findall(r"\w+", message)
    about = next((word for word in words if word in planned.keywords), None)
    return document.problem(f"{planned.where}.{about}" if about else planned.where, message)
