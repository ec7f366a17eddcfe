"""Layers while they are tried out: what each takes and gives is checked, and a mistake stands at its section."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from trainer_cli.arrays import Ragged
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ArgumentError, ConfigError, Problem
from trainer_cli.model import Backprop, Forward, Model
from trainer_cli.trace import intercepted
from trainer_cli.user_code import defined_at
from trainer_cli.wrappers.engine import ModuleError


def refusal(function: Callable[..., Any], *arguments: str) -> str:
    """Why a function cannot be called with these positional arguments, and where it stands; "" if it can."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as err:
        name = getattr(function, "__name__", type(function).__name__)
        return f"{name} must take ({', '.join(arguments)}), but {err} ({defined_at(function)})"
    except ValueError:
        return ""  # what is not written in Python may have no signature to look at
    return ""


def section_of_layer(config: RunConfig, path: str) -> str:
    """The section of the layer with this path: that of `hidden` is `[model.*.hidden]`."""
    section, node = "model", config.config["model"]
    for name in path.split("."):
        node = node.get("*", {}).get(name)
        if not isinstance(node, dict):
            break
        section += f".*.{name}"
    return section


def layer_problem(config: RunConfig, message: str) -> Problem:
    """A mistake at the section of the layer whose path its sentence begins with, if it does; else at [model]."""
    path, _, rest = message.partition(": ")
    section = section_of_layer(config, path)
    return config.problem_in(section, message if section == "model" else rest)


def module_problem(config: RunConfig, err: ModuleError) -> Problem:
    """What a module of another library did wrong, at the section that makes it."""
    section = section_of_layer(config, err.where)
    message = str(err).removeprefix(f"{err.where}: ")
    node: Any = config.config
    for name in section.split("."):
        node = node[name]
    return config.problem(f"{section}.module" if isinstance(node.get("module"), dict) else section, message)


@contextmanager
def watched_layers(config: RunConfig, model: Model) -> Iterator[None]:
    """Within the block, what a layer's forward and backprop take and return is checked; ConfigError at its section."""

    def watched(node: Model, forward: Forward, X: Any, is_train: bool) -> tuple[Any, Backprop]:
        message = refusal(forward, "model", "X", "is_train")
        if not message:
            found = forward(node, X, is_train)
            if "engine" in node.attrs:
                node.attrs["engine"].examine(node, X, is_train)
            if isinstance(found, tuple) and len(found) == 2 and callable(found[1]):
                return found[0], watched_back(node, X, found[1])
            what = f"a backprop {found[1]!r}" if isinstance(found, tuple) and len(found) == 2 else type(found).__name__
            message = f"forward must return its outputs and a function for their gradient, not {what}"
            message += f" ({defined_at(forward)})"
        where = section_of_layer(config, node.path)
        raise ConfigError(problems=[config.problem(where, f"{node.name}: {message}" if where == "model" else message)])

    with intercepted(model, watched):
        yield


def watched_back(node: Model, X: Any, backprop: Backprop) -> Backprop:
    wanted = node.input_gradient

    def checked(dY: Any) -> Any:
        dX = backprop(dY)
        if wanted:
            check_gradient(f"{node.where}: the gradient of its input, which backprop returns,", dX, X)
        return dX

    return checked


def check_gradient(name: str, gradient: object, of: object) -> None:
    """ArgumentError: a gradient has not the shape of what it is the gradient of: an array, Ragged, or a dict of them.

    Other things, such as lists, are not looked at.
    """
    if isinstance(of, Ragged):
        if not isinstance(gradient, Ragged) or not np.array_equal(gradient.lengths, of.lengths):
            raise ArgumentError(f"{name} must be ragged, with the same lengths, got {kind_of(gradient)}")
        return check_gradient(name, gradient.data, of.data)
    if isinstance(of, dict):
        if not isinstance(gradient, dict) or gradient.keys() != of.keys():
            raise ArgumentError(f"{name} must be a dict of {', '.join(of)}, got {kind_of(gradient)}")
        for part in of:
            check_gradient(f"{name} at {part}", gradient[part], of[part])
    if not isinstance(of, np.ndarray):
        return None
    if getattr(gradient, "shape", None) != of.shape:
        raise ArgumentError(f"{name} must have the shape {of.shape}, got {kind_of(gradient)}")
    if isinstance(gradient, np.ndarray) and gradient.dtype.kind != "f":
        raise ArgumentError(f"{name} must be floats, got {gradient.dtype}")
    return None


def kind_of(value: object) -> str:
    """What something is, in one line: an array by its shape, others by their class."""
    if isinstance(value, np.ndarray):
        return f"an array {value.shape}"
    if isinstance(value, Ragged):
        return f"ragged rows of {kind_of(value.data)} with the lengths {value.lengths.tolist()!r:.60}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, tuple):
        return f"({', '.join(map(kind_of, value))})"
    return repr(value) if value is None or isinstance(value, int | float) else type(value).__name__
