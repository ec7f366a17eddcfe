"""A few rows through the model, the loss and every metric before the first update, so that what does not fit shows."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from trainer_cli.arrays import Rows, slice_rows
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ArgumentError, ConfigError, Problem, TrainerError
from trainer_cli.evaluate import named_results, probabilities
from trainer_cli.job import RESERVED
from trainer_cli.losses.loss import Loss, Truths
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Backprop, Model
from trainer_cli.user_code import defined_at

N_ROWS = 16


def check_kinds(config: RunConfig, loss: Loss, metrics: Mapping[str, Tally], target: str) -> None:
    """Refuse a loss or metric of numbers on classes, and of classes on numbers: some would go through by chance."""
    problems = []
    if not isinstance(loss, Loss):
        kind = type(loss)
        message = f"a loss inherits from trainer_cli.api.Loss, {kind.__name__} does not ({defined_at(kind)})"
        problems.append(config.problem("loss", message))
    elif message := mismatched(target, loss.truths):
        problems.append(config.problem("loss", message))
    for name, metric in metrics.items():
        if target == "numbers.v1" and getattr(metric, "truths", "any") == "classes":
            message = "counts classes, the target is numbers.v1: take this section away"
            problems.append(config.problem(f"metrics.{name}", message))
        elif message := lacking(metric):
            problems.append(config.problem(f"metrics.{name}", message))
    if problems:
        raise ConfigError(problems=problems)


def mismatched(target: str, truths: Truths) -> str:
    """Why a loss of such truths cannot be taken of this target; "" if it can."""
    if target == "labels.v1" and truths == "numbers":
        return (
            "takes numbers, the target is labels.v1: use CategoricalCrossentropy.v4 with Softmax.v1, "
            'or [target] @encoders = "numbers.v1"'
        )
    if target == "labels.v1" and truths == "flags":
        return (
            "takes flags that are each true or not, the target is labels.v1, one class a row: use "
            "CategoricalCrossentropy.v4 with Softmax.v1"
        )
    if target == "numbers.v1" and truths == "classes":
        return (
            "takes classes, the target is numbers.v1: use MeanSquaredError.v1 with Linear.v1 at the end, "
            'or [target] @encoders = "labels.v1"'
        )
    return ""


def lacking(metric: Tally) -> str:
    """What a metric must have and has not; "" if it has it all."""
    missing = [part for part in ("higher_is_better", "update", "merge", "result") if not hasattr(metric, part)]
    if missing:
        return f"a metric needs {', '.join(missing)}, which {type(metric).__name__} has not"
    return (
        refusal(metric.update, "probabilities", "truths", "weights")
        or refusal(metric.merge, "other")
        or refusal(metric.result)
    )


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


@contextmanager
def watched_layers(config: RunConfig, model: Model) -> Iterator[None]:
    """Within the block, what a layer's forward takes and returns is checked; ConfigError at its section."""
    forwards = {id(node): node._forward for node in model.walk()}

    def watched(node: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
        forward = forwards[id(node)]
        message = refusal(forward, "model", "X", "is_train")
        if not message:
            found = forward(node, X, is_train)
            if isinstance(found, tuple) and len(found) == 2 and callable(found[1]):
                return found[0], watched_back(node, X, found[1])
            what = f"a backprop {found[1]!r}" if isinstance(found, tuple) and len(found) == 2 else type(found).__name__
            message = f"forward must return its outputs and a function for their gradient, not {what}"
            message += f" ({defined_at(forward)})"
        where = section_of_layer(config, node.path)
        raise ConfigError(problems=[config.problem(where, f"{node.name}: {message}" if where == "model" else message)])

    def watched_back(node: Model, X: Any, backprop: Backprop) -> Backprop:
        wanted = node.input_gradient

        def checked(dY: Any) -> Any:
            dX = backprop(dY)
            if wanted:
                name = f"{node.where}: the gradient of its input, which backprop returns,"
                check_gradient(name, dX, X)
            return dX

        return checked

    nodes = list(model.walk())
    try:
        for node in nodes:
            node._forward = watched
        yield
    finally:
        for node in nodes:
            node._forward = forwards[id(node)]


@contextmanager
def unchanged(model: Model) -> Iterator[None]:
    """Whatever the block does, the model has its parameters, moment and attributes as before; gradients are zero."""
    store = model.store
    values, moment = store.values.copy(), store.moment
    attrs = {id(node): {key: kept(value) for key, value in node.attrs.items()} for node in model.walk()}
    try:
        yield
    finally:
        store.values[...] = values
        store.gradients.fill(0)
        store.moment = moment
        store.draws.clear()
        for node in model.walk():
            node.attrs = attrs[id(node)]


def kept(value: Any) -> Any:
    """A copy of a value that can be changed in place; others are what they are."""
    return copy.deepcopy(value) if isinstance(value, np.ndarray | list | dict | set) else value


def rehearse(
    config: RunConfig, model: Model, loss: Loss, metrics: Mapping[str, Tally], samples: Sequence[tuple[Rows, Rows]]
) -> dict[str, list[str]]:
    """Train and score on the first rows of each sample (inputs, targets), and leave everything as it was.

    Returns the names of each metric's scores. ConfigError: a part fails, at its section.
    """
    names: dict[str, list[str]] = {}
    with unchanged(model), watched_layers(config, model), np.errstate(all="ignore"):
        for X, Y in samples:
            names = rehearse_rows(
                config, model, copy.deepcopy(loss), metrics, slice_rows(X, 0, N_ROWS), slice_rows(Y, 0, N_ROWS)
            )
    return names


def rehearse_rows(
    config: RunConfig, model: Model, loss: Loss, metrics: Mapping[str, Tally], X: Rows, Y: Rows
) -> dict[str, list[str]]:
    with at(config, "model"):
        Yh, backprop = model.begin_update(X, input_gradient=False)
    with at(config, "loss"):
        if message := refusal(loss, "guesses", "truths", "weights"):
            raise ArgumentError(message)
        found = loss(Yh, Y, None)
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentError(f"a loss returns (gradient, value), not {kind_of(found)} ({defined_at(type(loss))})")
        check_value(found[1])
        check_gradient("its gradient", found[0], Yh)
    with at(config, "model"):
        backprop(found[0])
        outputs = model.predict(X)
    with at(config, "loss"):
        check_value(loss.get_loss(outputs, Y, None))
        loss.mass(Y, None)
        outputs = probabilities(outputs, loss.link)
    names = {}
    for name, metric in metrics.items():
        with at(config, f"metrics.{name}"):
            names[name] = score_names(name, metric, outputs, Y)
    return names


def check_value(value: object) -> None:
    if not isinstance(value, float | int | np.number):
        rule = "a loss returns (gradient, value), and the value must be a number"
        raise ArgumentError(f"{rule}, not {kind_of(value)}")


def check_gradient(name: str, gradient: object, of: object) -> None:
    """ArgumentError: a gradient has not the shape of the array that it is the gradient of."""
    if isinstance(of, np.ndarray) and getattr(gradient, "shape", None) != of.shape:
        raise ArgumentError(f"{name} must have the shape {of.shape}, got {kind_of(gradient)}")


def kind_of(value: object) -> str:
    """What something is, in one line: an array by its shape, others by their class."""
    if isinstance(value, np.ndarray):
        return f"an array {value.shape}"
    if isinstance(value, tuple):
        return f"({', '.join(map(kind_of, value))})"
    return repr(value) if value is None or isinstance(value, int | float) else type(value).__name__


def score_names(name: str, metric: Tally, outputs: Any, truths: Rows) -> list[str]:
    """The names of the scores that a metric gives of some rows, tallied in two parts."""
    tally, other = copy.deepcopy(metric), copy.deepcopy(metric)
    for each in (tally, other):
        each.update(outputs, truths, None)
    tally.merge(other)
    scores = list(named_results({name: tally}))
    if taken := RESERVED.intersection(scores):
        raise ArgumentError(f"its score would be called {min(taken)}, as something else in metrics.jsonl is: rename it")
    return scores


@contextmanager
def at(config: RunConfig, section: str) -> Iterator[None]:
    """Give every mistake inside its place: one without a file that of the section, or of the layer it names."""
    try:
        yield
    except TrainerError as err:
        if err.problems and all(problem.path for problem in err.problems):
            raise
        messages = [problem.message for problem in err.problems] or [str(err)]
        if section == "model":
            raise ConfigError(problems=[layer_problem(config, message) for message in messages]) from err
        raise ConfigError(problems=[config.problem_in(section, message) for message in messages]) from err
    except Exception as err:
        raise ConfigError(problems=[config.problem(section, f"{type(err).__name__}: {err}")]) from err
