"""How much a row counts by its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.losses.labels import class_number, listing, numbers_of, texts_in
from trainer_cli.losses.truths import as_classes
from trainer_cli.registry import nearest
from trainer_cli.schedules.arguments import is_number

Given = Sequence[float] | Mapping[str, float] | Literal["balanced"] | None


class ClassWeights:
    """The weight of each class: a list in the order of the classes, by name (1 where left out), or balanced.

    "balanced" weighs class k `N / (K * n_k)`, for N training rows in K classes with n_k rows each, so that all classes
    count alike (King & Zeng, "Logistic Regression in Rare Events Data", 2001). It needs `fit`, and so do weights by
    name if no names are given. `loss` is the name that errors begin with.

    >>> weights = ClassWeights("loss", "balanced")
    >>> weights.fit(["rare", "common"], [10, 30])
    >>> weights.of_rows(np.array([0, 1, 1]))
    array([2.        , 0.66666667, 0.66666667])
    """

    def __init__(self, loss: str, given: Given, names: Sequence[str] | None = None):
        self.loss = loss
        self.given = given
        self.numbers = numbers_of(loss, names)
        self._table: Array | None = None
        if given is None or (isinstance(given, str) and given == "balanced"):
            return
        if not isinstance(given, list | tuple | Mapping | np.ndarray):
            raise ArgumentError(f'{loss}: class_weights must be a list, weights by name or "balanced", got {given!r}')
        weights = list(given.values() if isinstance(given, Mapping) else given)
        if not all(is_number(weight) and weight >= 0.0 for weight in weights):
            raise ArgumentError(f"{loss}: class_weights must be finite numbers of at least 0, got {given!r}")
        if not isinstance(given, Mapping):
            self._table = np.array(weights, dtype=np.float64)
        elif self.numbers:
            self._table = self._by_name(given)

    def fit(self, names: Sequence[str], counts: Sequence[int]) -> None:
        """Take in the classes of the training rows, and how many rows each has."""
        found = numbers_of(self.loss, names)
        if self.numbers and found != self.numbers:
            raise ArgumentError(
                f"{self.loss}: names must be the classes of the data in their order, {listing(found)}, "
                f"got {listing(self.numbers)}"
            )
        self.numbers = found
        if isinstance(self.given, str):
            if len(counts) != len(names) or not all(count > 0 for count in counts):
                raise ArgumentError(f"{self.loss}: each of {len(names)} classes must have rows, got counts {counts}")
            self._table = sum(counts) / (len(counts) * np.asarray(counts, dtype=np.float64))
        elif isinstance(self.given, Mapping):
            self._table = self._by_name(self.given)
        self.check(len(names))

    def check(self, n_classes: int) -> None:
        """Refuse weights that are not known yet, and names or weights of another number of classes."""
        if self.numbers and len(self.numbers) != n_classes:
            raise ShapeError(f"{self.loss}: {len(self.numbers)} names do not fit {n_classes} classes")
        if self.given is None:
            return
        if self._table is None:
            what = '"balanced" class_weights need' if isinstance(self.given, str) else "class_weights by name need"
            raise ArgumentError(f"{self.loss}: {what} the training rows' classes: call fit(names, counts) first")
        if len(self._table) != n_classes:
            raise ShapeError(f"{self.loss}: {len(self._table)} class_weights do not fit {n_classes} classes")

    def of_rows(self, truths: Any, weights: Array | None = None) -> Array | None:
        """The weights of rows (B,), times those of their classes; None where there are neither.

        Truths are class numbers (B,) or distributions (B, n), which weigh what their classes do on average.
        """
        if self._table is None:
            return weights
        classes = as_classes(self.loss, truths, (len(truths), len(self._table)))
        by_class = self._table[classes] if classes.ndim == 1 else classes @ self._table
        return by_class if weights is None else by_class * weights

    def numbered(self, truths: Any) -> Any:
        """Truths that are texts as class numbers; others as they are."""
        if (texts := texts_in(truths)) is None:
            return truths
        return np.array([class_number(self.loss, text, self.numbers) for text in texts])

    def _by_name(self, given: Mapping[str, float]) -> Array:
        table = np.ones(len(self.numbers))
        for name, weight in given.items():
            if name not in self.numbers:
                rule = f"class_weights are for the classes {listing(self.numbers)}"
                raise ArgumentError(f"{self.loss}: {rule}, got {name!r}.{nearest(str(name), list(self.numbers))}")
            table[self.numbers[name]] = weight
        return table
