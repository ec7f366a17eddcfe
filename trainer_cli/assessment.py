"""A trained model looked at closely: its scores, those of each class, what it confuses, and its worst mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints, Ragged, within
from trainer_cli.class_counts import ClassCounts, ClassScore, FlagCounts
from trainer_cli.data.faults import MAX_SHOWN, batch_at
from trainer_cli.data.reader import Reader
from trainer_cli.errors import DivergedError
from trainer_cli.evaluate import Outputs, Scores, outputs, scored
from trainer_cli.kinds import TARGETS
from trainer_cli.losses.loss import Truths
from trainer_cli.mistakes import Mistake, Passing, Worst
from trainer_cli.trained import Trained
from trainer_cli.wrappers.engine import ModuleError

DIGITS = 7  # of a number that was float32


@dataclass(frozen=True)
class Assessment:
    """What was found. `counts` are there for classes alone, `per_class` for labels as well."""

    scores: Scores
    per_class: list[ClassScore]
    counts: ClassCounts | None
    mistakes: list[Mistake]


class Watch:
    """Counts along while a model is scored. This one counts nothing: of a target of the user's own no more is known."""

    counts: ClassCounts | FlagCounts | None = None

    def __init__(self, trained: Trained, passing: Passing, worst: Worst):
        self.target: Any = trained.target[1]
        self.hidden = self.target.reads
        self.passing, self.worst = passing, worst

    def see(self, batch: Batch, Ph: Any) -> None:
        """Count a batch, of which the model says `Ph`."""


class ClassWatch(Watch):
    """Of classes, one a row or one a token: those that are taken as predictions."""

    def __init__(self, trained: Trained, passing: Passing, worst: Worst):
        super().__init__(trained, passing, worst)
        self.counts: ClassCounts = ClassCounts(self.target.names)

    def see(self, batch: Batch, Ph: Any) -> None:
        P, true, rows, tokens, weights = flat(batch, Ph)
        taken = self.target.taken(Ph) if hasattr(self.target, "taken") else P.argmax(axis=1)
        self.counts.add(true, taken, weights)
        wrong = np.flatnonzero(true != taken)
        sizes = P[wrong, taken[wrong]]

        def tell(i: int) -> Mistake:
            at = wrong[i]
            row, token = int(rows[at]), None if tokens is None else int(tokens[at])
            truth = self.target.names[true[at]] if true[at] >= 0 else self.label(row, token)
            told = {"truth": truth, "prediction": self.target.names[taken[at]], "size": float(sizes[i])}
            return self.passing.mistake(row, self.hidden, token, **told)

        self.worst.offer(sizes, tell)

    def label(self, row: int, token: int | None) -> str:
        """A label as the data have it."""
        block, index = self.passing.find(row)
        value: Any = block.column(self.hidden[0])[index]
        return str(value if token is None else value[token])


class FlagWatch(Watch):
    """Of labels that are each true or not: given from their threshold on."""

    def __init__(self, trained: Trained, passing: Passing, worst: Worst):
        super().__init__(trained, passing, worst)
        self.counts: FlagCounts = FlagCounts(self.target.names)

    def see(self, batch: Batch, Ph: Any) -> None:
        true, given = np.asarray(batch.Y) == 1, getattr(self.target, "limits", 0.5) <= Ph
        self.counts.add(true, given, batch.weights)
        rows, labels = np.nonzero(true != given)
        sizes = np.where(given[rows, labels], Ph[rows, labels], 1 - Ph[rows, labels])

        def tell(i: int) -> Mistake:
            at = rows[i], labels[i]
            told: dict[str, Any] = {
                "truth": bool(true[at]),
                "prediction": bool(given[at]),
                "label": self.target.names[labels[i]],
            }
            return self.passing.mistake(int(batch.rows[rows[i]]), self.hidden, size=float(sizes[i]), **told)

        self.worst.offer(sizes, tell)


class NumberWatch(Watch):
    """Of numbers, in the column's own unit."""

    def see(self, batch: Batch, Ph: Any) -> None:
        truths, guesses = (np.array(self.target.decode(values), np.float64) for values in (batch.Y, Ph))
        with np.errstate(invalid="ignore"):
            sizes = np.abs(guesses - truths)

        def tell(i: int) -> Mistake:
            told: dict[str, Any] = {
                "truth": rounded(truths[i]),
                "prediction": rounded(guesses[i]),
                "size": rounded(sizes[i]),
            }
            return self.passing.mistake(int(batch.rows[i]), self.hidden, **told)

        self.worst.offer(sizes, tell)


def kind_of(trained: Trained) -> Truths:
    """What the model's target is, "any" where that is not known, as of one of the user's own."""
    name, target = trained.target
    kind: Truths = TARGETS.get(name, getattr(target, "truths", "any"))
    return kind if kind == "numbers" or bool(getattr(target, "names", ())) else "any"


def watch_of(trained: Trained, reader: Reader, n_mistakes: int) -> Watch:
    """What counts along for the model's target; the rows are to be read through its `passing`."""
    watches: dict[Truths, type[Watch]] = {"classes": ClassWatch, "flags": FlagWatch, "numbers": NumberWatch}
    return watches.get(kind_of(trained), Watch)(trained, Passing(reader), Worst(n_mistakes))


def assess(trained: Trained, batches: Iterable[Batch], watch: Watch) -> Assessment:
    """Score a model and count along, in one pass over the batches; memory does not grow with them.

    ModuleError: a module of another library failed, told with the rows of its batch. DivergedError: what the model
    gives of some rows is not finite.
    """
    found = watched(outputs(trained.model, trained.loss, batches), watch)
    try:
        scores = scored(trained.loss, trained.metrics, found)
    except (ModuleError, DivergedError) as err:
        places = [block.at(at) for block, at in map(watch.passing.find, err.rows[:MAX_SHOWN])]
        raise err.within(after=batch_at(places, len(err.rows), err.rows_are)) from err.__cause__
    counts = watch.counts
    per_class = [] if counts is None else counts.by_class()
    return Assessment(scores, per_class, counts if isinstance(counts, ClassCounts) else None, watch.worst.found())


def watched(found: Iterable[Outputs], watch: Watch) -> Iterator[Outputs]:
    for each in found:
        watch.passing.forget(int(each.batch.rows[0]))
        watch.see(each.batch, each.Ph)
        yield each


def flat(batch: Batch, Ph: Any) -> tuple[Array, Ints, Ints, Ints | None, Array | None]:
    """Probabilities (B, n), classes, row numbers, token numbers and weights; of ragged rows each token is one."""
    if not isinstance(Ph, Ragged):
        return Ph, np.asarray(batch.Y), batch.rows, None, batch.weights
    assert isinstance(batch.Y, Ragged)
    lengths = Ph.lengths
    tokens = within(lengths)
    weights = None if batch.weights is None else np.repeat(batch.weights, lengths)
    return Ph.data, batch.Y.data, np.repeat(batch.rows, lengths), tokens, weights


def rounded(value: float) -> float:
    """A number without the digits that float32 made up.

    >>> rounded(21.70000076293945)
    21.7
    """
    return float(f"{value:.{DIGITS}g}")
