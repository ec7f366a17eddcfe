"""A few rows through the model, the loss and every metric before the first update, so that what does not fit shows."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from typing import Any, TypeGuard

import numpy as np

from trainer_cli.arrays import Array, Rows, slice_rows
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ArgumentError, ConfigError, TrainerError
from trainer_cli.evaluate import count, named_results, probabilities
from trainer_cli.job import RESERVED
from trainer_cli.layer_watch import (
    check_gradient,
    kind_of,
    layer_problem,
    module_problem,
    refusal,
    watched_layers,
)
from trainer_cli.losses.loss import Loss
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Model
from trainer_cli.pairing import check_pair, ending
from trainer_cli.user_code import defined_at
from trainer_cli.wrappers.engine import engines_of, module_error, scored
from trainer_cli.wrappers.outputs import are_probabilities, data_of

N_ROWS = 16

Sample = tuple[Rows, Rows, Array | None]


@contextmanager
def unchanged(model: Model) -> Iterator[None]:
    """Whatever the block does, the model has its numbers, moment and attributes as before, and no gradient."""
    store = model.store
    values, buffers, moment = store.values.copy(), store.buffers.named(), store.moment
    buffers = {name: array.copy() for name, array in buffers.items()}
    attrs = {id(node): {key: kept(value) for key, value in node.attrs.items()} for node in model.walk()}
    try:
        yield
    finally:
        store.values[...] = values
        store.buffers.load(buffers)
        store.clear_gradients()
        store.moment = moment
        store.draws.clear()
        for node in model.walk():
            node.attrs = attrs[id(node)]


def kept(value: Any) -> Any:
    """A copy of a value that can be changed in place; others are what they are."""
    return copy.deepcopy(value) if isinstance(value, np.ndarray | list | dict | set) else value


def rehearse(
    config: RunConfig, model: Model, loss: Loss, metrics: Mapping[str, Tally], samples: Sequence[Sample]
) -> dict[str, list[str]]:
    """Train and score on the first rows of each sample (inputs, targets, weights), and leave everything as it was.

    Where there is a module of another library they are no more than a batch may have: it may depend on that number, or
    compile for each. Returns the names of each metric's scores. ConfigError: a part fails, at its section, or what the
    model has shown to end in does not fit the loss.
    """
    check_pair(config, model, loss)
    names: dict[str, list[str]] = {}
    n = min([N_ROWS, *(engine.rows.training for engine in engines_of(model))])
    with unchanged(model), of_one_size(model, n), watched_layers(config, model), np.errstate(all="ignore"):
        for X, Y, weights in samples:
            first = (slice_rows(X, 0, n), slice_rows(Y, 0, n), None if weights is None else weights[:n])
            names = rehearse_rows(config, model, copy.deepcopy(loss), metrics, first)
    if not model.store.segments:
        raise ConfigError(problems=[config.problem("model", "no layer has any parameters: nothing would be trained")])
    return names


@contextmanager
def of_one_size(model: Model, n: int) -> Iterator[None]:
    """Within the block, modules for which rows are padded get at most `n` rows padded to the same size each time."""
    kept = [(engine, engine.rows) for engine in engines_of(model)]
    try:
        for engine, rows in kept:
            engine.rows = replace(rows, least=n)
        yield
    finally:
        for engine, rows in kept:
            engine.rows = rows


def rehearse_rows(
    config: RunConfig, model: Model, loss: Loss, metrics: Mapping[str, Tally], sample: Sample
) -> dict[str, list[str]]:
    X, Y, weights = sample
    with at(config, "model"):
        Yh, backprop = model.begin_update(X, input_gradient=False)
        look_at_end(model, Yh)
        check_pair(config, model, loss)
    with at(config, "loss"):
        if message := refusal(loss, "guesses", "truths", "weights"):
            raise ArgumentError(message)
        found = loss(Yh, Y, weights)
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentError(f"a loss returns (gradient, value), not {kind_of(found)} ({defined_at(type(loss))})")
        check_value(found[1])
        check_gradient("its gradient", found[0], Yh)
    with at(config, "model"):
        backprop(found[0])
        model.store.buffers.keep()  # what predicts may need what a first pass has counted
        with scored(model):
            outputs = model.predict(X)
    with at(config, "loss"):
        check_value(loss.get_loss(outputs, Y, weights))
        mass = loss.mass(Y, weights)
        if mass is not None and not (is_real(mass) and 0 <= mass < math.inf):
            raise ArgumentError(f"the mass of a loss must be None or a number of at least 0, not {kind_of(mass)}")
        outputs = probabilities(outputs, loss.link)
    names = {}
    for name, metric in metrics.items():
        with at(config, f"metrics.{name}"):
            names[name] = score_names(name, metric, outputs, Y, weights)
    return names


def look_at_end(model: Model, outputs: Any) -> None:
    """Note that a module of another library ends in a softmax, where the numbers of some rows tell."""
    end = ending(model)
    if "engine" in end.attrs and "output" not in end.attrs and are_probabilities(data_of(outputs)):
        end.attrs["output"] = "softmax_activation"


def check_value(value: object) -> None:
    if not is_real(value):
        rule = "a loss returns (gradient, value), and the value must be a number"
        raise ArgumentError(f"{rule}, not {kind_of(value)}")


def is_real(value: object) -> TypeGuard[float]:
    """Whether something counts as one real number, finite or not: an array without axes does."""
    return isinstance(value, Real) or (isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "fiu")


def score_names(name: str, metric: Tally, outputs: Any, truths: Rows, weights: Array | None) -> list[str]:
    """The names of the scores that a metric gives of some rows, tallied in two parts."""
    tally, other = copy.deepcopy(metric), copy.deepcopy(metric)
    for each in (tally, other):
        count(name, each, outputs, truths, weights)
    tally.merge(other)
    scores = list(named_results({name: tally}))
    if taken := RESERVED.intersection(scores):
        where = "in metrics.jsonl or of trainer evaluate"
        raise ArgumentError(f"its score would be called {min(taken)}, as something else {where} is: rename it")
    return scores


@contextmanager
def at(config: RunConfig, section: str) -> Iterator[None]:
    """Give every mistake inside its place: one without a file that of the section, or of the layer it names."""
    try:
        yield
    except TrainerError as err:
        if err.problems and all(problem.path for problem in err.problems):
            raise
        if failure := module_error(err):
            raise ConfigError(problems=[module_problem(config, failure)]) from err
        messages = [problem.message for problem in err.problems] or [str(err)]
        if section == "model":
            raise ConfigError(problems=[layer_problem(config, message) for message in messages]) from err
        raise ConfigError(problems=[config.problem_in(section, message) for message in messages]) from err
    except Exception as err:
        raise ConfigError(problems=[config.problem(section, f"{type(err).__name__}: {err}")]) from err
