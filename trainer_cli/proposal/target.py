"""Which column is to be predicted, and as what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainer_cli.data.block import listing
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError, DataError, Problem
from trainer_cli.profile.column import ColumnFacts
from trainer_cli.registry import nearest

# What targets are called, the plainest first.
NAMES = (
    "label",
    "y",
    "target",
    "class",
    "labels",
    "tags",
    "tag",
    "outcome",
    "species",
    "category",
    "sentiment",
    "digit",
)
# More classes than this were hardly meant as such; of whole numbers fewer.
MAX_CLASSES = 1000
MAX_NUMBERS = 20
# A column of one of these names was meant, whatever it holds.
PLAIN_NAMES = NAMES[:4]
# What may stand between labels, and how many words a label has at most.
SEPARATORS = ("|", ";", ",")
MAX_WORDS = 4
MIN_ROWS = 10
TASKS = ("auto", "classification", "regression", "multilabel", "tagging")


@dataclass(frozen=True)
class Target:
    """The column to predict, the task, and why both were taken. `separator` parts several labels in one text."""

    facts: ColumnFacts
    task: str
    why: str
    separator: str | None = None


def choose(columns: Sequence[ColumnFacts], name: str | None, task: str) -> Target:
    """The target that was named, or the one that is plain; none is a DataError, a wrong name an ArgumentError."""
    if task not in TASKS:
        raise ArgumentError(f"--task is one of {', '.join(TASKS)}, not {task!r}.{nearest(task, list(TASKS))}")
    names = [facts.name for facts in columns]
    if name is not None and name not in names:
        message = f"--target: no column is called {shown(name)}.{nearest(name, names)} The columns are {listing(names)}"
        raise ArgumentError(message)
    facts, why = named(columns, name) if name is not None else guessed(columns)
    return as_task(facts, columns, task, why)


def named(columns: Sequence[ColumnFacts], name: str) -> tuple[ColumnFacts, str]:
    return next(facts for facts in columns if facts.name == name), ""


def guessed(columns: Sequence[ColumnFacts]) -> tuple[ColumnFacts, str]:
    """A column with a target's name, else the last or the first one if it holds classes, else a last one of numbers."""
    by_name = {facts.name.lower(): facts for facts in reversed(columns)}
    for name in NAMES:
        if name in by_name and (name in PLAIN_NAMES or is_possible(by_name[name])):
            return by_name[name], "by its name"
    for facts, where in ((columns[-1], "the last column"), (columns[0], "the first column")):
        if is_possible(facts) and (facts.kind in ("truth", "text", "list") or 2 <= facts.distinct <= MAX_NUMBERS):
            return facts, where
    if columns[-1].is_numeric and is_possible(columns[-1]):
        return columns[-1], "the last column"
    names = [facts.name for facts in columns]
    raise DataError(f"which column is to be predicted is not plain: name it with --target; there are {listing(names)}")


def is_possible(facts: ColumnFacts) -> bool:
    """Whether a column can be a target at all."""
    if facts.kind in ("empty", "image", "array", "date", "code", "amount", "mixed") or facts.distinct < 2:
        return False
    if facts.kind == "text" and (facts.distinct > MAX_CLASSES or facts.distinct * 2 > facts.present):
        return separator_of(facts) is not None
    return not facts.is_counting


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
    if facts.kind == "whole" and (facts.distinct > MAX_NUMBERS or facts.distinct * 2 > facts.present):
        return Target(facts, "regression", said("regression", why, f"{facts.distinct:,} different whole numbers"))
    return Target(facts, "classification", said("classification", why, f"{facts.distinct:,} classes"))


def tokens_of(tags: ColumnFacts, columns: Sequence[ColumnFacts]) -> ColumnFacts | None:
    """The column of tokens that tags belong to: lists of the same lengths, of more different words."""
    alike = [facts for facts in columns if facts.kind == "list" and facts is not tags and is_as_long(facts, tags)]
    return max(alike, key=lambda facts: facts.distinct, default=None)


def is_as_long(one: ColumnFacts, other: ColumnFacts) -> bool:
    return (one.low, one.high, one.words) == (other.low, other.high, other.words)


def separator_of(facts: ColumnFacts) -> str | None:
    """What stands between the labels of one text: many texts are made of few labels. None where that is not so."""
    if facts.kind != "text" or not facts.is_exact:
        return None
    for separator in SEPARATORS:
        rows = {text: [part.strip() for part in text.split(separator)] for text in facts.counts}
        n_several = sum(facts.counts[text] for text, parts in rows.items() if len(parts) > 1)
        labels = {part for parts in rows.values() for part in parts if part}
        short = all(len(label.split()) <= MAX_WORDS for label in labels)
        if n_several * 10 >= facts.present and short and len(labels) < len(rows) and len(labels) <= MAX_CLASSES:
            return separator
    return None


def said(task: str, *reasons: str) -> str:
    """
    >>> said("regression", "the last column", "numbers with fractions"), said("regression", "")
    ('regression: the last column, numbers with fractions', 'regression')
    """
    return ": ".join(part for part in (task, ", ".join(reason for reason in reasons if reason)) if part)


def check(target: Target) -> None:
    """Refuse what no model can be trained on: rows without a target, one class alone, texts as numbers."""
    facts = target.facts
    if facts.missing and target.task != "multilabel":
        path, line = facts.first_missing or ("", 0)
        message = f"{facts.missing:,} of {facts.n:,} rows have no value to learn from, this one first: leave them out"
        raise DataError(problems=[Problem(message, path, line, facts.name)])
    if facts.distinct < 2:
        raise DataError(f"the target {shown(facts.name)} has the same value in every row: there is nothing to learn")
    if target.task == "regression" and not facts.is_numeric:
        raise DataError(f"the target {shown(facts.name)} holds {facts.kind}, and regression takes numbers")
    if (target.task in ("tagging", "multilabel")) != (facts.kind == "list" or target.separator is not None):
        what = "a list of texts a row" if facts.kind == "list" else "one value a row"
        raise DataError(f"the target {shown(facts.name)} holds {what}, which {target.task} does not take")
    if target.task == "classification" and facts.distinct * 2 > facts.n:
        message = f"the target {shown(facts.name)} has {facts.distinct:,} different values in {facts.n:,} rows"
        raise DataError(f"{message}: these are no classes; name another with --target")
    if facts.n < MIN_ROWS:
        raise DataError(f"{facts.n} rows are too few to learn from and to score on: {MIN_ROWS} are the least")
