"""Which column is to be predicted, and as what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from trainer_cli.data.block import listing
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.proposal.likely import (
    BY_NAME,
    MAX_NUMBERS,
    by_name,
    by_place,
    fits,
    is_class,
    is_possible,
    without_predictions,
)
from trainer_cli.proposal.separators import separator_of
from trainer_cli.registry import QUOTED, nearest

# Whole numbers of more values than this are counts, if they are spread as counts are.
MIN_COUNTS = 10
# Whole numbers of at most so many values hardly are anything but classes.
FEW_NUMBERS = 3
# Of more whole numbers than this nobody takes each for a class.
MANY_NUMBERS = 50
MIN_ROWS = 10
TASKS = ("auto", "classification", "regression", "multilabel", "tagging")
PREDICTS = {
    "classification": "one class a row",
    "regression": "numbers",
    "multilabel": "several labels a row",
    "tagging": "a tag for each word",
}


@dataclass(frozen=True)
class Target:
    """The column to predict, the task, and why both were taken. `separator` parts several labels in one text;
    `is_guess` says that nobody named the column, `other` which task its whole numbers could be for as well; `scheme` is
    how tags must be read where they keep none."""

    facts: ColumnFacts
    task: str
    why: str
    separator: str | None = None
    is_guess: bool = False
    other: str = ""
    scheme: str = ""

    @property
    def has_gaps(self) -> bool:
        """Whether some rows have nothing to learn from; of several labels a row may have none."""
        return self.task in ("classification", "regression") and self.facts.missing > 0

    @property
    def share_present(self) -> float:
        """The share of the rows that are used."""
        return self.facts.present / max(1, self.facts.n) if self.has_gaps else 1.0


def choose(columns: Sequence[ColumnFacts], name: str | None, task: str, drop: Collection[str] = ()) -> Target:
    """The target that was named, or the one that is plain; none is a DataError, a wrong name an ArgumentError.

    No column of `drop` is taken.
    """
    if task not in TASKS:
        raise ArgumentError(f"--task is one of {', '.join(TASKS)}, not {task!r}.{nearest(task, list(TASKS))}")
    names = [facts.name for facts in columns]
    if name is not None and name not in names:
        near = nearest(name, names, QUOTED)
        raise ArgumentError(f"--target: no column is called {shown(name)}.{near} The columns are {listing(names)}")
    if name in drop:
        raise ArgumentError(f"--drop {shown(name or '')}: it is the target")
    if name is not None:
        return as_task(next(facts for facts in columns if facts.name == name), columns, task, "")
    rest = [facts for facts in columns if facts.name not in drop]
    if not rest:
        raise ArgumentError("--drop leaves no column")
    own = without_predictions(rest) or rest
    found, why = guess(own, task)
    if len(own) < len(rest) and why != BY_NAME:
        added = " and ".join(shown(facts.name) for facts in rest if facts not in own)
        why = f"{why} but for what a model has predicted, {added}"
    return replace(as_task(found, columns, task, why), is_guess=True)


def guess(columns: Sequence[ColumnFacts], task: str) -> tuple[ColumnFacts, str]:
    """The column that is likely to be predicted, and why; DataError: none is, or it is for no such task."""
    found = None
    try:
        found = by_name(columns, task) or by_place(columns, task)
    except DataError:
        if task == "auto":
            raise
    if found is not None and fits(found[0], task):
        return found
    facts, why = found or by_name(columns, "auto") or by_place(columns, "auto")
    fitting = [each.name for each in columns if each is not facts and is_possible(each) and fits(each, task)]
    others = f"{listing(fitting)} would do" if fitting else "no column would do"
    message = f"--task {task} predicts {PREDICTS[task]}, and the likely target, {shown(facts.name)} ({why}), is none"
    raise DataError(f"{message} for that: name another with --target; {others}")


def as_task(facts: ColumnFacts, columns: Sequence[ColumnFacts], task: str, why: str) -> Target:
    """What is to be predicted of a column, unless `task` says so."""
    if task != "auto":
        separator = separator_of(facts) if task == "multilabel" else None
        return Target(facts, task, said(task, why), separator)
    if facts.kind == "list" and tokens_of(facts, columns):
        return Target(facts, "tagging", said("tagging", why, f"{facts.distinct:,} tags"))
    if facts.kind == "list":
        return Target(facts, "multilabel", said("multilabel", why, f"{facts.distinct:,} labels"))
    if separator := separator_of(facts):
        parts = f"labels with {shown(separator)} between them"
        return Target(facts, "multilabel", said("multilabel", why, parts), separator)
    if facts.kind == "number":
        return Target(facts, "regression", said("regression", why, "numbers with fractions"))
    if facts.notation is not None and facts.distinct > MAX_NUMBERS:
        return Target(facts, "regression", said("regression", why, f"numbers written with {facts.notation.said()}"))
    is_whole = facts.kind == "whole"
    if is_whole and (facts.distinct > MAX_NUMBERS or facts.distinct * 2 > facts.present or is_count(facts)):
        other = "classification" if facts.distinct <= min(MANY_NUMBERS, facts.present // 2) else ""
        reason = f"{facts.distinct:,} different whole numbers"
        return Target(facts, "regression", said("regression", why, reason), other=other)
    other = "regression" if is_whole and facts.distinct > FEW_NUMBERS and not is_class(facts) else ""
    reason = f"{facts.distinct:,} class{'es' if facts.distinct > 1 else ''}"
    return Target(facts, "classification", said("classification", why, reason), other=other)


def is_count(facts: ColumnFacts) -> bool:
    """Whether whole numbers count something: hardly one is left out, and some are far more frequent than others.

    Class numbers have no gaps either, but most data have about as many rows of each. From 10 or 20 different numbers
    on other tools that choose a task take a number; to take 14 counts for classes gives up their order.
    """
    if not isinstance(facts.low, float) or not isinstance(facts.high, float) or facts.low < 0 or is_class(facts):
        return False
    is_dense = facts.distinct * 5 >= (facts.high - facts.low + 1) * 4
    counts = list(facts.counts.values())
    return facts.distinct > MIN_COUNTS and is_dense and max(counts) >= 4 * min(counts)


def tokens_of(tags: ColumnFacts, columns: Sequence[ColumnFacts]) -> ColumnFacts | None:
    """The column of tokens that tags belong to: lists of the same lengths, of more different words."""
    alike = [facts for facts in columns if facts.kind == "list" and facts is not tags and is_as_long(facts, tags)]
    return max(alike, key=lambda facts: facts.distinct, default=None)


def is_as_long(one: ColumnFacts, other: ColumnFacts) -> bool:
    return (one.low, one.high, one.words) == (other.low, other.high, other.words)


def said(task: str, *reasons: str) -> str:
    """
    >>> said("regression", "the last column", "numbers with fractions"), said("regression", "")
    ('regression: the last column, numbers with fractions', 'regression')
    """
    return ": ".join(part for part in (task, ", ".join(reason for reason in reasons if reason)) if part)


def check(target: Target) -> None:
    """Refuse what no model can be trained on: sentences without tags, one value alone, texts as numbers."""
    facts = target.facts
    if facts.missing and target.task != "multilabel" and (target.task == "tagging" or facts.distinct < 2):
        raise without_value(facts)
    if facts.distinct < 2:
        raise DataError(f"the target {shown(facts.name)} has the same value in every row: there is nothing to learn")
    if facts.is_nearly_numeric and facts.distinct > MAX_NUMBERS:
        raise not_all_numbers(facts)
    if target.task == "regression" and not facts.is_numeric:
        raise DataError(f"the target {shown(facts.name)} holds {facts.kind}, and regression takes numbers")
    if target.task == "regression" and facts.is_too_large:
        message = f"the target {shown(facts.name)} holds numbers too large to standardise: write them in a larger unit"
        raise DataError(message)
    if (target.task in ("tagging", "multilabel")) != (facts.kind == "list" or target.separator is not None):
        what = "a list of texts a row" if facts.kind == "list" else "one value a row"
        raise DataError(f"the target {shown(facts.name)} holds {what}, which {target.task} does not take")
    if target.task == "classification" and facts.distinct * 2 > facts.present:
        message = f"the target {shown(facts.name)} has {facts.distinct:,} different values in {facts.present:,} rows"
        remedy = "--task regression predicts them as numbers" if facts.is_numeric else "name another with --target"
        raise DataError(f"{message}: these are no classes; {remedy}")
    n = facts.present if target.has_gaps else facts.n
    if n < MIN_ROWS:
        which = " that have a target" if n < facts.n else ""
        rows = "1 row is" if n == 1 else f"{n} rows{which} are"
        raise DataError(f"{rows} too few to learn from and to score on: {MIN_ROWS} are the least")


def not_all_numbers(facts: ColumnFacts) -> DataError:
    """The error for a target of numbers in which a few values are none, with the lines of the first."""
    path, line = facts.odd_at[0] if facts.odd_at else ("", 0)
    lines = [str(at) for _, at in facts.odd_at if at]
    more = f" (lines {', '.join(lines)}{', ...' if facts.n_odd > len(lines) else ''})" if len(lines) > 1 else ""
    what = f"{facts.n_odd:,} of {facts.present:,} values {'is' if facts.n_odd == 1 else 'are'} no number{more}"
    remedy = f"{shown(facts.odd[0])} for one: write numbers there, or nothing, which leaves such rows out"
    return DataError(problems=[Problem(f"{what}, {remedy}", path, line, facts.name)])


def without_value(facts: ColumnFacts) -> DataError:
    """The error for rows that have no target, with the lines of the first."""
    path, line = facts.missing_at[0] if facts.missing_at else ("", 0)
    lines = [str(at) for _, at in facts.missing_at if at]
    named = f" (line{'s' if len(lines) > 1 else ''} {', '.join(lines)}{', ...' if facts.missing > len(lines) else ''})"
    what = f"{facts.missing:,} of {facts.n:,} rows have no value to learn from{named if lines else ''}"
    remedy = "train on a copy of the file without them (predict fills them in), or write there what a gap means"
    return DataError(problems=[Problem(f"{what}: {remedy}", path, line, facts.name)])
