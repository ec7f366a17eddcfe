"""What each column is used as, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainer_cli.data.block import listing
from trainer_cli.data.faults import shown
from trainer_cli.errors import ArgumentError
from trainer_cli.profile.facts import ColumnFacts
from trainer_cli.proposal.identifiers import comes_once, identity, is_axis, is_id, is_wordless
from trainer_cli.proposal.target import Target, tokens_of
from trainer_cli.registry import QUOTED, nearest

TARGET, LEFT_OUT = "target", "-"
LEAK = "gives the target away"
DROPPED = "--drop"

# More different values than this, or than half the rows have, are no categories.
MANY_CATEGORIES = 1000
# Texts with so many words on average are read, not told apart.
TEXT_WORDS = 3.0
# So many columns of texts are read.
MAX_TEXTS = 3
# So few different values are categories, whatever they are.
FEW = 20
MIN_COUNT = 4
# A column with fewer values, the others missing, says nothing.
MIN_PRESENT = 5
# So many lines of values that are no numbers are named.
MAX_LINES = 3
TOO_LARGE = "numbers too large to standardise"


@dataclass(frozen=True)
class Use:
    """A column's facts, what it is used as (`target`, `number`, `category`, `date`, `text`, `tokens`, `image`, `array`,
    or `-`: left out), and why, where that is not plain."""

    facts: ColumnFacts
    role: str
    why: str = ""

    @property
    def is_input(self) -> bool:
        return self.role not in (TARGET, LEFT_OUT)

    @property
    def is_leak(self) -> bool:
        return self.why.startswith(LEAK)


@dataclass(frozen=True)
class Choice:
    """The columns that are to be used, and those that are not, whatever they look like."""

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def check(self, names: Sequence[str]) -> None:
        """ArgumentError: a column is not there, or is to be both."""
        for option, given in (("--keep", self.keep), ("--drop", self.drop)):
            for name in given:
                if name not in names:
                    near = nearest(name, list(names), QUOTED)
                    message = f"{option}: no column is called {shown(name)}.{near} The columns are {listing(names)}"
                    raise ArgumentError(message)
        for name in self.keep:
            if name in self.drop:
                raise ArgumentError(f"--keep and --drop both name the column {shown(name)}")


ALL = Choice()


def uses(
    columns: tuple[ColumnFacts, ...], target: Target | None, leaks: Mapping[str, str], choice: Choice = ALL
) -> tuple[Use, ...]:
    """A use for each column. The only one that could be an input stays one though it gives the target away.

    ArgumentError: a column that is to be kept is one that no model reads.
    """
    found = [Use(facts, TARGET) if target and facts is target.facts else use(facts) for facts in columns]
    found = [kept(one) if one.facts.name in choice.keep else one for one in found]
    found = without(found, dict.fromkeys(choice.drop, DROPPED))
    leaks = {name: why for name, why in leaks.items() if name not in choice.keep}
    if {one.facts.name for one in found if one.is_input} - leaks.keys():
        found = without(found, {name: f"{LEAK}: {why}" for name, why in leaks.items()})
    elif not leaks:
        found = with_axis(found)
    found.sort(key=lambda one: one.facts.name not in choice.keep)
    found = without(found, unread(found, columns, target))
    for one in found:
        if one.facts.name in choice.keep and not one.is_input:
            raise ArgumentError(f"--keep {shown(one.facts.name)}: {one.why or 'it is the target'}")
    places = {facts.name: place for place, facts in enumerate(columns)}
    return tuple(sorted(found, key=lambda one: places[one.facts.name]))


def kept(one: Use) -> Use:
    """A column that was left out as an identifier, or since some values are no numbers, used all the same."""
    if one.is_input or one.role == TARGET:
        return one
    if identity(one.facts):
        return Use(one.facts, "number")
    if one.facts.kind == "mixed" and not one.facts.is_too_large:
        return Use(one.facts, "number")
    if one.facts.kind in ("text", "code") and one.facts.present >= MIN_PRESENT:
        return Use(one.facts, "text")
    return one


def with_axis(found: list[Use]) -> list[Use]:
    """The uses; where there is no input, with what goes up evenly as one: an axis that something was measured along."""
    if any(one.is_input for one in found):
        return found
    return [
        Use(one.facts, "number", "nothing else is there")
        if one.role == LEFT_OUT and one.why != DROPPED and is_axis(one.facts)
        else one
        for one in found
    ]


def unread(found: Sequence[Use], columns: tuple[ColumnFacts, ...], target: Target | None) -> dict[str, str]:
    """The columns that no model reads beside the others, and why: tokens, images and arrays are read alone."""
    inputs = [one for one in found if one.is_input]
    if target and target.task == "tagging":
        tokens = tokens_of(target.facts, columns)
        return {one.facts.name: "a tagger reads tokens alone" for one in inputs if one.facts is not tokens}
    for role in ("image", "array"):
        if first := next((one for one in inputs if one.role == role), None):
            why = f"{'images' if role == 'image' else 'arrays'} are read alone"
            return {one.facts.name: why for one in inputs if one is not first}
    texts = [one for one in inputs if one.role == "text"]
    unread = {one.facts.name: "lists are read for tagging alone" for one in inputs if one.role == "tokens"}
    return unread | {one.facts.name: f"{MAX_TEXTS} other columns of texts are read" for one in texts[MAX_TEXTS:]}


def without(found: Sequence[Use], reasons: Mapping[str, str]) -> list[Use]:
    """The uses, the inputs among them that have a reason left out for it."""
    return [
        Use(one.facts, LEFT_OUT, reasons[one.facts.name]) if one.is_input and one.facts.name in reasons else one
        for one in found
    ]


def use(facts: ColumnFacts) -> Use:
    """What a column is used as that is not the target."""
    if facts.kind == "empty":
        return Use(facts, LEFT_OUT, "no row has a value")
    if facts.present < MIN_PRESENT and facts.missing:
        return Use(facts, LEFT_OUT, "hardly any row has a value")
    if facts.is_constant:
        return Use(facts, LEFT_OUT, "the same value in every row")
    if facts.kind == "array":
        return array_use(facts)
    if facts.kind in ("image", "date"):
        return Use(facts, facts.kind, facts.order or "")
    if facts.kind == "list":
        return Use(facts, "tokens")
    if facts.is_numeric:
        return number_use(facts)
    if facts.kind == "mixed":
        return mixed_use(facts)
    if facts.kind in ("amount", "date?"):
        return badly_written(facts)
    return text_use(facts)


def array_use(facts: ColumnFacts) -> Use:
    """A row of numbers is so many numbers; arrays with more sides are read as they are."""
    if facts.low is None:
        return Use(facts, LEFT_OUT, "arrays of other things than numbers")
    if facts.is_too_large:
        return Use(facts, LEFT_OUT, TOO_LARGE)
    if len(facts.shape) == 1:
        return Use(facts, "number")
    if facts.holes:
        return Use(facts, LEFT_OUT, f"numbers are missing in {facts.holes:,} rows: fill them in to use it")
    return Use(facts, "array")


def number_use(facts: ColumnFacts) -> Use:
    if why := TOO_LARGE if facts.is_too_large else identity(facts):
        return Use(facts, LEFT_OUT, why)
    if facts.notation is not None:
        return Use(facts, "number", f'written as "{facts.odd[0]}": {facts.notation.said()}')
    return Use(facts, "number")


def mixed_use(facts: ColumnFacts) -> Use:
    odd = ", ".join(f'"{text}"' for text in facts.odd[:2])
    if is_category(facts):
        return Use(facts, "category", f"numbers and {odd}")
    if facts.is_nearly_numeric and not facts.is_too_large:
        return Use(facts, "number", f"but for {odd}{lines_of(facts)}, which counts as missing")
    return Use(facts, LEFT_OUT, f"numbers, but for {odd}{lines_of(facts)}: mend these to use it")


def lines_of(facts: ColumnFacts) -> str:
    """` (line 17)` of the first values that are no numbers; an empty text where the file has no lines."""
    lines = [str(line) for _, line in facts.odd_at[:MAX_LINES] if line]
    more = ", ..." if facts.n_odd > len(lines) else ""
    return f" (line{'s' if len(lines) > 1 else ''} {', '.join(lines)}{more})" if lines else ""


def badly_written(facts: ColumnFacts) -> Use:
    example = facts.odd[0] if facts.odd else ""
    if is_category(facts):
        return Use(facts, "category", f'as it is written, "{example}"')
    return Use(facts, LEFT_OUT, facts.doubt or f'written as "{example}": write plain numbers to use it')


def text_use(facts: ColumnFacts) -> Use:
    """Texts that few rows share are read where they have words, else they name the rows."""
    why = "leading zeros: a code, no number" if facts.kind == "code" else ""
    is_few = facts.distinct <= min(MANY_CATEGORIES, facts.present // 2) and comes_again(facts)
    if (is_few or is_category(facts)) and not is_prose(facts):
        return Use(facts, "category", why)
    is_label = is_id(facts) or (comes_once(facts) and is_wordless(facts))
    if facts.words >= 2 and not is_label:
        return Use(facts, "text")
    if comes_once(facts) or not comes_again(facts):
        return Use(facts, LEFT_OUT, "an identifier: hardly any value comes twice")
    return Use(facts, "category", why or "many values: the rare ones are one category")


def is_category(facts: ColumnFacts) -> bool:
    """Whether the values are few, and one at least comes often enough to be known after some rows are held out."""
    return facts.distinct <= FEW and comes_again(facts)


def comes_again(facts: ColumnFacts) -> bool:
    return max(facts.counts.values(), default=0) >= MIN_COUNT


def is_prose(facts: ColumnFacts) -> bool:
    """Whether a column of texts is read: sentences that hardly ever come twice."""
    return facts.words >= TEXT_WORDS and facts.distinct * 2 > facts.present
