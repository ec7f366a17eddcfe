"""What the tests of metrics share."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn import config_context

from trainer_cli.arrays import Array


def quick_peers() -> Iterator[None]:
    """A fixture: scikit-learn without the checks of what it is given, which take most of its time."""
    with config_context(assume_finite=True, skip_parameter_validation=True):
        yield


def tallied(kind: Callable[[], Any], *rows: Any) -> Any:
    """A new metric that has seen the rows: guesses, truths and weights."""
    tally = kind()
    tally.update(*rows)
    return tally


def check_merge(kind: Callable[[], Any], seed: int, guesses: Array, truths: Array, weights: Array | None) -> None:
    """Up to four parts of the rows, shuffled, merge to the bits of the whole in any order."""
    whole = tallied(kind, guesses, truths, weights).result()
    rng = np.random.default_rng(seed)
    cuts = np.split(rng.permutation(len(guesses)), np.sort(rng.integers(0, len(guesses), 3)))
    parts = [tallied(kind, guesses[i], truths[i], None if weights is None else weights[i]) for i in cuts if len(i)]
    for order in itertools.permutations(parts):
        merged = kind()
        for part in order:
            merged.merge(part)
        np.testing.assert_equal(merged.result(), whole)
