"""Columns that give the target away: copies of it, the same under other names, what is filled in after the fact."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from trainer_cli.data.encoders.floats import number
from trainer_cli.data.encoders.notation import Notation
from trainer_cli.data.faults import Faults
from trainer_cli.data.reader import Reader
from trainer_cli.profile.profile import MAX_READ, MAX_VALUES, Profile, weight
from trainer_cli.profile.spelling import spelling
from trainer_cli.profile.words import has_word, parts_of

MAX_ROWS = 20_000
# With fewer rows beside the commonest class, chance alone may look like a rule.
MIN_ROWS = 10
MIN_NUMBERS = 20
# Numbers of more different values than this measure something; of fewer they may be codes.
MAX_CODES = 10
# What is opined, predicted or concluded about a row is hardly known before its class: a rating, a score.
AFTER_THE_FACT = frozenset(
    (
        *("rating", "ratings", "score", "scores", "stars", "grade", "result", "results", "outcome", "quality"),
        *("label", "labels", "target", "prediction", "predicted", "probability", "prob", "proba", "sentiment"),
    )
)
# Ranges of a number with so much more room between them than between its values were not cut out of it.
WIDE = 5.0
SUSPECT = "each class has its own range: --drop it if it is known only with the class"


@dataclass(frozen=True)
class Leaks:
    """Columns with what makes them suspect: `certain` ones give the target away, `possible` ones may be good inputs."""

    certain: Mapping[str, str] = field(default_factory=dict)
    possible: Mapping[str, str] = field(default_factory=dict)


def leaks(reader: Reader, profile: Profile, target: str, *, of_numbers: bool) -> Leaks:
    """The columns that determine the column `target`, each with the reason; rows are taken evenly from all of them.

    `of_numbers` says that the target is a number to predict, not classes.
    """
    names = [facts.name for facts in profile.columns if facts.name != target and facts.kind not in ("image", "array")]
    rows = sample(reader, profile, [target, *names])
    truths = rows.pop(target)
    if of_numbers:
        return Leaks({name: why for name, values in rows.items() if (why := number_leak(values, truths))})
    certain = {name: class_leak(values, truths, is_told=tells(name, target)) for name, values in rows.items()}
    possible = [name for name, values in rows.items() if not certain[name] and separates(values, truths)]
    return Leaks({name: why for name, why in certain.items() if why}, dict.fromkeys(possible, SUSPECT))


def plainly(texts: Sequence[str], notation: Notation | None) -> Sequence[str]:
    """Texts with their numbers written as anybody reads them."""
    return texts if notation is None else [notation.translated(text) or text for text in texts]


def tells(name: str, target: str) -> bool:
    """Whether a column is named after the target, or as what is known of a row with its target.

    >>> tells("churn_code", "churn"), tells("rating", "label"), tells("petal length", "species")
    (True, True, False)
    """
    own = frozenset(word for word in parts_of(target) if len(word) > 2)
    return has_word(name, own | AFTER_THE_FACT)


def sample(reader: Reader, profile: Profile, names: Sequence[str]) -> dict[str, list[str]]:
    """Some columns as texts, every n-th row of them, lists left out."""
    most = min(MAX_ROWS, MAX_VALUES // max(1, len(names)))
    stride = max(1, math.ceil(profile.n_rows / most))
    found: dict[str, list[str]] = {name: [] for name in names}
    n_read = 0
    for block in Faults().watch(reader.blocks()):
        for name in list(found):
            values: Any = block.columns[name][::stride]
            texts = values if isinstance(values, list) else list(map(str, values.tolist()))
            if texts and isinstance(texts[0], list):
                del found[name]
            else:
                found[name] += plainly(texts, profile.column(name).notation)
        n_read += weight(block)
        if n_read > MAX_READ:
            break
    return found


def class_leak(values: Sequence[str], truths: Sequence[str], *, is_told: bool = False) -> str:
    """Why a column determines a target of classes, or an empty text.

    A measure of which each class has a range of its own is a good feature, unless its name tells the target
    (`is_told`).

    >>> class_leak(["A", "B"] * 20, ["yes", "no"] * 20), class_leak(["A", "B", "A"] * 20, ["yes", "no"] * 30)
    ('each of its values comes with one target alone', '')
    """
    if is_told and separates(values, truths):
        return "its ranges tell the target"
    if determines(values, truths) and not is_measure(values, truths):
        same = all(value == truth for value, truth in zip(values, truths, strict=True))
        return "a copy of the target" if same else "each of its values comes with one target alone"
    is_filled = {text: spelling(text)[0] != "missing" for text in set(values)}
    presence = [str(is_filled[text]) for text in values]
    return "whether it is filled in tells the target" if determines(presence, truths) else ""


def is_measure(values: Sequence[str], truths: Sequence[str]) -> bool:
    """Whether a column has many different numbers, and those of a class lie side by side; codes lie anyhow.

    >>> ten = [str(i // 4) for i in range(80)]
    >>> is_measure(ten, ["low"] * 40 + ["high"] * 40), is_measure(ten, [str(i // 4 % 2) for i in range(80)])
    (True, False)
    """
    target_of = {value: truth for value, truth in zip(values, truths, strict=True) if spelling(value)[0] != "missing"}
    numbers = [(found, truth) for value, truth in target_of.items() if (found := number(value)) is not None]
    if len(numbers) < len(target_of) or len(numbers) <= MAX_CODES:
        return False
    n_changes = sum(one != other for (_, one), (_, other) in pairwise(sorted(numbers)))
    return n_changes * 2 < len(numbers)


def determines(values: Sequence[str], truths: Sequence[str]) -> bool:
    """Whether each value comes with one target alone, often enough for that to be no chance."""
    target_of: dict[str, str] = {}
    if any(target_of.setdefault(value, truth) != truth for value, truth in zip(values, truths, strict=True)):
        return False
    counts = Counter(truths)
    usual = counts.most_common(1)[0][0] if counts else ""
    n_rare = len(truths) - counts[usual]
    holders = Counter(target_of.values())
    n_holders = len(target_of) - holders[usual]
    return n_rare >= MIN_ROWS and n_holders * 3 <= n_rare and holders[usual] * 2 <= counts[usual]


def separates(values: Sequence[str], truths: Sequence[str]) -> bool:
    """Whether the classes lie one above the other in a column of numbers, each in a range of its own.

    >>> separates(list(map(str, range(60))), ["low"] * 30 + ["high"] * 30)
    True
    """
    numbers = [
        (value, truth) for text, truth in zip(values, truths, strict=True) if (value := number(text)) is not None
    ]
    counts = Counter(truth for _, truth in numbers)
    if len(numbers) < len(values) / 2 or len(counts) < 2 or min(counts.values()) < MIN_ROWS:
        return False
    ordered = [truth for _, truth in sorted(numbers)]
    return sum(one != other for one, other in pairwise(ordered)) == len(counts) - 1


def number_leak(values: Sequence[str], truths: Sequence[str]) -> str:
    """Why a column determines a number to predict, or tells its range; or an empty text.

    >>> number_leak(list(map(str, range(30))), [str(2 * i + 1) for i in range(30)])
    'it rises and falls with the target, always'
    """
    if separates(truths, values) and meets(truths, values):
        return "each of its values is a range of the target"
    pairs = [(number(value), number(truth)) for value, truth in zip(values, truths, strict=True)]
    both = np.array([pair for pair in pairs if None not in pair], np.float64)
    if len(both) < max(MIN_NUMBERS, len(pairs) / 2) or not np.isfinite(both).all():
        return ""
    if (both[:, 0] == both[:, 1]).all():
        return "a copy of the target"
    return "it rises and falls with the target, always" if is_monotone(both) or is_monotone(both * (1, -1)) else ""


def meets(values: Sequence[str], truths: Sequence[str]) -> bool:
    """Whether the ranges that the classes have in a column of numbers go on from one another: it was cut into them.

    >>> meets(list(map(str, range(60))), ["low"] * 30 + ["high"] * 30)
    True
    >>> meets([*map(str, range(30)), *map(str, range(90, 120))], ["low"] * 30 + ["high"] * 30)
    False
    """
    pairs = [(found, truth) for text, truth in zip(values, truths, strict=True) if (found := number(text)) is not None]
    ordered = sorted(pairs)
    usual = (ordered[-1][0] - ordered[0][0]) / max(1, len({value for value, _ in ordered}) - 1)
    return all(high - low <= WIDE * usual for (low, one), (high, other) in pairwise(ordered) if one != other)


def is_monotone(pairs: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    """Whether y rises wherever x does, and equal x have equal y: rounding in the ninth digit does not count."""
    x, y = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
    slack = 1e-9 * max(np.abs(y).max(), 1e-300)
    rises, steps = np.diff(x) > 0, np.diff(y)
    same = np.abs(steps[~rises]) <= slack
    return bool(rises.sum() >= MIN_NUMBERS // 2 and same.all() and (steps[rises] > 0).all())
