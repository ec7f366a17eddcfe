"""Which column is likely to be predicted, where none is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer_cli.data.block import listing
from trainer_cli.errors import DataError
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.profile.words import has_word
from trainer_cli.proposal.identifiers import identity
from trainer_cli.proposal.separators import MAX_CLASSES, separator_of

# What targets are called, the plainest first.
NAMES = (
    "target",
    "label",
    "class",
    "labels",
    "tags",
    "tag",
    "outcome",
    "species",
    "category",
    "sentiment",
    "digit",
    "diagnosis",
    "survived",
    "churn",
    "fraud",
    "is_fraud",
)
# Words in the name of a last column by which it was meant, and those by which it hardly was.
TELLING = frozenset(
    (
        "price",
        "cost",
        "costs",
        "sales",
        "value",
        "mpg",
        "score",
        "amount",
        "rating",
        "ratings",
        "income",
        "salary",
        "revenue",
        "profit",
        "demand",
        "consumption",
        "quality",
        "grade",
        "result",
        "output",
        "total",
        "churned",
    )
)
UNLIKELY = frozenset(("id", "index", "year", "month", "day", "date", "hour", "time", "timestamp"))
# A column of one of these names was meant, whatever it holds.
PLAIN_NAMES = NAMES[:3]
# Why a column that is called as targets are is taken.
BY_NAME = "by its name"
# More whole numbers than this were hardly meant as classes.
MAX_NUMBERS = 20


def without_predictions(columns: Sequence[ColumnFacts]) -> Sequence[ColumnFacts]:
    """The columns without those that a model has added: `prediction`, and `score` right after it.

    A `prediction` alone is one where the column before it is called as targets are; without it no column is left out.
    """
    names = [facts.name.lower() for facts in columns]
    if "prediction" not in names:
        return columns
    at = names.index("prediction")
    if names[at + 1 : at + 2] == ["score"]:
        return [*columns[:at], *columns[at + 2 :]]
    is_told = at > 0 and has_word(names[at - 1], TELLING | {*NAMES, "y"}) and is_possible(columns[at - 1])
    return [*columns[:at], *columns[at + 1 :]] if is_told else columns


def by_name(columns: Sequence[ColumnFacts], task: str) -> tuple[ColumnFacts, str] | None:
    """A column that is called as targets are. One called `y` is, unless it goes with an `x` or the last tells more."""
    lowered = {facts.name.lower(): facts for facts in reversed(columns)}
    for name in NAMES:
        facts = lowered.get(name)
        if facts is not None and (name in PLAIN_NAMES or (is_possible(facts) and fits(facts, task))):
            return facts, BY_NAME
    last = columns[-1]
    is_other = has_word(last.name, TELLING) and is_possible(last) and fits(last, task)
    if "y" in lowered and not is_other and not is_coordinate(lowered):
        return lowered["y"], BY_NAME
    return None


def is_coordinate(columns: Mapping[str, ColumnFacts]) -> bool:
    """Whether `y` is a place in a plane: there is a number `x`, and something else to predict."""
    return len(columns) > 2 and all(columns[name].is_numeric for name in "xy" if name in columns) and "x" in columns


def by_place(columns: Sequence[ColumnFacts], task: str) -> tuple[ColumnFacts, str]:
    """The last column, of classes or numbers, else a first one of classes that are texts. A DataError: neither is one.

    Numbers in a first column are hardly ever the target, however few there are: rooms, bedrooms, cylinders.
    """
    first, last = columns[0], columns[-1]
    ends = is_possible(last) and fits(last, task)
    if ends and not has_word(last.name, UNLIKELY):
        return last, "the last column"
    if first.kind in ("truth", "text", "list") and is_possible(first) and fits(first, task):
        return first, "the first column"
    if ends:
        return last, "the last column"
    names = [facts.name for facts in columns]
    raise DataError(f"which column is to be predicted is not plain: name it with --target; there are {listing(names)}")


def fits(facts: ColumnFacts, task: str) -> bool:
    """Whether a column holds what a task takes.

    >>> fits(ColumnFacts("rooms", "whole", 100, distinct=50), "classification")
    False
    """
    is_several = facts.kind == "list" or separator_of(facts) is not None
    if task == "classification":
        return not is_several and not (facts.is_numeric and facts.distinct > MAX_NUMBERS)
    if task == "regression":
        return facts.is_numeric
    return task == "auto" or is_several


def is_possible(facts: ColumnFacts) -> bool:
    """Whether a column can be a target at all."""
    if facts.kind in ("empty", "image", "array", "date", "code") or facts.distinct < 2:
        return False
    if facts.kind == "mixed":
        return facts.is_nearly_numeric
    if facts.kind == "amount" and facts.notation is None:
        return False
    if facts.kind == "text" and (facts.distinct > MAX_CLASSES or facts.distinct * 2 > facts.present):
        return separator_of(facts) is not None
    return not identity(facts)


def is_class(facts: ColumnFacts) -> bool:
    """Whether a column is called as classes are."""
    return has_word(facts.name, frozenset(NAMES))
