"""What can be wrong with a sweep, found before a trial is trained."""

from __future__ import annotations

from dataclasses import replace

from trainer_cli.errors import ConfigError, Problem
from trainer_cli.sweep.grammar import PATH, plain
from trainer_cli.sweep.source import Source
from trainer_cli.sweep.space import Choice, Dimension, Params, Space

# Keys that no trial has of its own, and why: mostly since scores could not be compared then.
NEVER = {
    "training.monitor": "trials are compared by one score: name it with --metric",
    "training.score_weights": "trials are compared by one score: set the weights in the config",
    "cluster": "a sweep shares out whole trials: take [cluster] away",
}
# The parts that are made of their settings alone.
PARTS = frozenset({"loss", "optimizer"})
# Where in a range a value is tried beside its ends: at none that could be a whole number by chance.
WITHIN = 0.3141592653589793
# So many values of a key are tried out; of a list of more, the rest is found wrong when its turn comes.
MOST_VALUES = 50


def check_space(source: Source, space: Space, first: Params) -> None:
    """Put each value into the config. ConfigError: a key that there is not, or a value that it cannot have.

    A value that the config refuses may fit to other values of its trial: it is wrong if it is refused beside those of
    the `first` trial as well.
    """
    problems: list[Problem] = []
    for each in space:
        name = plain(each.name)
        if reason := NEVER.get(name) or NEVER.get(name.partition(".")[0]):
            problems.append(Problem(reason, PATH, 0, each.name))
            continue
        for value in values_of(each):
            found = refused(source, {each.name: value}) and refused(source, {**first, each.name: value})
            if found:
                problems += [told(each, problem) for problem in found]
                break
    if problems:
        raise ConfigError(problems=problems)


def values_of(each: Dimension) -> list[object]:
    return list(each.values[:MOST_VALUES]) if isinstance(each, Choice) else [each.low, each.high, each.at(WITHIN)]


def refused(source: Source, params: Params) -> tuple[Problem, ...]:
    """What is wrong with a trial's values, as far as the config and the parts show that are made without data."""
    try:
        config = source.config(params)
        for part in PARTS.intersection(name.partition(".")[0] for name in params):
            config.build(part)
    except ConfigError as err:
        return err.problems
    return ()


def told(each: Dimension, problem: Problem) -> Problem:
    """A mistake that a value makes, with the remedy where `:int` was forgotten."""
    ends = () if isinstance(each, Choice) else (each.low, each.high)
    if (
        ends
        and not getattr(each, "whole", True)
        and all(end == int(end) for end in ends)
        and "whole" in problem.message
    ):
        return replace(problem, message=f"{problem.message}. A range of whole numbers ends in :int")
    return problem
