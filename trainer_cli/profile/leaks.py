"""Columns that give the target away: copies of it, the same under other names, what is filled in after the fact."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from trainer_cli.data.encoders.floats import number
from trainer_cli.data.faults import Faults
from trainer_cli.data.reader import Reader
from trainer_cli.profile.profile import MAX_READ, MAX_VALUES, Profile, weight
from trainer_cli.profile.spelling import spelling

MAX_ROWS = 20_000
# With fewer rows beside the commonest class, chance alone may look like a rule.
MIN_ROWS = 10
MIN_NUMBERS = 20


def leaks(reader: Reader, profile: Profile, target: str, *, of_numbers: bool) -> dict[str, str]:
    """The columns that determine the column `target`, each with the reason; rows are taken evenly from all of them.

    `of_numbers` says that the target is a number to predict, not classes.
    """
    names = [facts.name for facts in profile.columns if facts.name != target and facts.kind not in ("image", "array")]
    rows = sample(reader, profile, [target, *names])
    truths = rows.pop(target)
    find = number_leak if of_numbers else class_leak
    found = {name: find(values, truths) for name, values in rows.items()}
    return {name: why for name, why in found.items() if why}


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
                found[name] += texts
        n_read += weight(block)
        if n_read > MAX_READ:
            break
    return found


def class_leak(values: Sequence[str], truths: Sequence[str]) -> str:
    """Why a column determines a target of classes, or an empty text.

    >>> class_leak(["A", "B"] * 20, ["yes", "no"] * 20), class_leak(["A", "B", "A"] * 20, ["yes", "no"] * 30)
    ('each of its values comes with one target alone', '')
    """
    if determines(values, truths):
        same = all(value == truth for value, truth in zip(values, truths, strict=True))
        return "a copy of the target" if same else "each of its values comes with one target alone"
    if separates(values, truths):
        return "its ranges tell the target"
    is_filled = {text: spelling(text)[0] != "missing" for text in set(values)}
    presence = [str(is_filled[text]) for text in values]
    return "whether it is filled in tells the target" if determines(presence, truths) else ""


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
    if separates(truths, values):
        return "each of its values is a range of the target"
    pairs = [(number(value), number(truth)) for value, truth in zip(values, truths, strict=True)]
    both = np.array([pair for pair in pairs if None not in pair], np.float64)
    if len(both) < max(MIN_NUMBERS, len(pairs) / 2) or not np.isfinite(both).all():
        return ""
    if (both[:, 0] == both[:, 1]).all():
        return "a copy of the target"
    return "it rises and falls with the target, always" if is_monotone(both) or is_monotone(both * (1, -1)) else ""


def is_monotone(pairs: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bool:
    """Whether y rises wherever x does, and equal x have equal y: rounding in the ninth digit does not count."""
    x, y = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].T
    slack = 1e-9 * max(np.abs(y).max(), 1e-300)
    rises, steps = np.diff(x) > 0, np.diff(y)
    same = np.abs(steps[~rises]) <= slack
    return bool(rises.sum() >= MIN_NUMBERS // 2 and same.all() and (steps[rises] > 0).all())
