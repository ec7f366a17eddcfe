"""Means and standard deviations of columns that stream by."""

from __future__ import annotations

import numpy as np

from trainer_cli.data.encoders.floats import Floats


class Moments:
    """Mean and standard deviation of each column of (B, n) blocks, in float64.

    Blocks are combined as in Chan, Golub and LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances* (1979). Values are taken relative to the first row, so a constant column has the deviation 0 exactly and
    large offsets (years, timestamps) cost no digits.
    """

    def __init__(self) -> None:
        self.n = 0
        self.shift: Floats = np.zeros(0)
        self.mean_shifted: Floats = np.zeros(0)
        self.squares: Floats = np.zeros(0)

    def add(self, values: Floats) -> None:
        """Take in more rows, (B, n)."""
        if len(values) == 0:
            return
        if self.n == 0:
            self.shift = values[0].copy()
            self.mean_shifted = np.zeros_like(self.shift)
            self.squares = np.zeros_like(self.shift)
        with np.errstate(over="ignore", invalid="ignore"):  # told by `finish_fit` of the encoders, by name
            relative = np.ascontiguousarray((values - self.shift).T)  # (n, B), so that numpy sums pairwise
            means = relative.mean(axis=1)
            squares = np.square(relative - means[:, None]).sum(axis=1)
            n_all = self.n + len(values)
            apart = means - self.mean_shifted
            self.squares = self.squares + squares + np.square(apart) * (self.n * len(values) / n_all)
            self.mean_shifted = self.mean_shifted + apart * (len(values) / n_all)
        self.n = n_all

    @property
    def mean(self) -> Floats:
        return self.shift + self.mean_shifted

    @property
    def scale(self) -> Floats:
        """The standard deviation (of the rows, not estimated: divided by n), or 1 for a constant column."""
        deviation: Floats = np.sqrt(self.squares / self.n)
        return np.where(deviation == 0, 1.0, deviation)
