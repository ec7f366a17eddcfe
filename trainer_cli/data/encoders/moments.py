"""Means and standard deviations of columns that stream by."""

from __future__ import annotations

import numpy as np

from trainer_cli.arrays import Ints
from trainer_cli.data.encoders.floats import Floats


class Moments:
    """Mean and standard deviation of each column of (B, n) blocks, in float64; a NaN is missing and does not count.

    Blocks are combined as in Chan, Golub and LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances* (1979). Values are taken relative to the column's first one, so a constant column has the deviation 0
    exactly and large offsets (years, timestamps) cost no digits.

    `n_rows` are all rows, `n` how many of them have a value, by column.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self.n: Ints = np.zeros(0, np.int64)
        self.shift: Floats = np.zeros(0)
        self.mean_shifted: Floats = np.zeros(0)
        self.squares: Floats = np.zeros(0)

    def add(self, values: Floats) -> None:
        """Take in more rows, (B, n)."""
        if len(values) == 0:
            return
        if self.n_rows == 0:
            width = values.shape[1]
            self.n = np.zeros(width, np.int64)
            self.shift, self.mean_shifted, self.squares = np.zeros(width), np.zeros(width), np.zeros(width)
        self.n_rows += len(values)
        there = ~np.isnan(values)
        n_new = there.sum(axis=0)
        first = values[there.argmax(axis=0), np.arange(values.shape[1])]
        self.shift = np.where((self.n == 0) & (n_new > 0), first, self.shift)
        n_all = self.n + n_new
        share = n_new / np.maximum(n_all, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # told by `finish_fit` of the encoders, by name
            relative = np.ascontiguousarray(np.where(there, values - self.shift, 0.0).T)  # (n, B): numpy sums pairwise
            means = relative.sum(axis=1) / np.maximum(n_new, 1)
            squares = np.where(there.T, np.square(relative - means[:, None]), 0.0).sum(axis=1)
            apart = means - self.mean_shifted
            self.squares = self.squares + squares + np.square(apart) * (self.n * n_new / np.maximum(n_all, 1))
            self.mean_shifted = self.mean_shifted + apart * share
        self.n = n_all

    @property
    def mean(self) -> Floats:
        """The mean of each column; 0 for one without values."""
        return self.shift + self.mean_shifted

    @property
    def scale(self) -> Floats:
        """The standard deviation (of the rows, not estimated: divided by n), or 1 for a constant column."""
        deviation: Floats = np.sqrt(self.squares / np.maximum(self.n, 1))
        return np.where(deviation == 0, 1.0, deviation)
