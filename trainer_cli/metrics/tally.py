"""What every metric is: an empty count that rows are added to."""

from __future__ import annotations

from typing import Any, Protocol, Self, runtime_checkable

from trainer_cli.arrays import Array


@runtime_checkable
class Tally(Protocol):
    """A metric while it counts. A class with these members, registered under `registry.metrics`, is a metric.

    What `result` says must depend on the rows alone, not on how they were cut into batches, nor on which tallies were
    merged in which order: evaluation in parts is then exact. One that counts a kind of truths alone may say so as a
    loss does: `truths = "classes"`. Of ragged rows it gets the tokens end to end, each as a row; one with
    `ragged = True` gets them as they are. One with an attribute `names` (None at first) is told the target's classes.
    """

    higher_is_better: bool

    def update(self, probabilities: Array, truths: Any, weights: Array | None = None) -> None:
        """Count the rows of one batch: probabilities (B, n), truths of the loss's kind, weights (B,) or None."""

    def merge(self, other: Self) -> None:
        """Add all that `other` has counted, and leave `other` as it is."""

    def result(self) -> float | dict[str, float]:
        """The score of all rows counted so far, or several by name; NaN of none."""
        ...
