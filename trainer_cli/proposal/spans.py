"""Whether tags keep the scheme that they seem to be in, and in which one they can be read if not."""

from __future__ import annotations

from dataclasses import dataclass

from trainer_cli.data.encoders.schemes import Guess, Scheme, first_break
from trainer_cli.data.faults import Faults, shown
from trainer_cli.data.reader import Reader
from trainer_cli.profile.profile import MAX_READ, weight

CHECKED: tuple[Scheme, ...] = ("bio", "biluo")
# How tags are read that break a scheme, and what that does.
READ_AS: dict[Scheme, tuple[Scheme, str]] = {
    "bio": ("iob1", "an I that begins a span is read as a B"),
    "biluo": ("plain", "tags are taken as they are, and predictions may break it as well"),
}


@dataclass(frozen=True)
class Reading:
    """The scheme that [target] must name so that all tags can be read, and why; both empty where it need not."""

    scheme: str = ""
    why: str = ""


def reading(reader: Reader, column: str) -> Reading:
    """How the tags of a column can be read: as they are if they keep their scheme."""
    guess = Guess()
    breaks: dict[Scheme, list[str]] = {scheme: [] for scheme in CHECKED}
    counts = dict.fromkeys(CHECKED, 0)
    n_read = 0
    for block in Faults().watch(reader.blocks()):
        sentences = block.tokens(column)
        guess.look(sentences)
        for row, tags in enumerate(sentences):
            for scheme in CHECKED:
                if (at := first_break(tags, scheme)) is not None:
                    counts[scheme] += 1
                    breaks[scheme] = breaks[scheme] or [str(block.problem(row, column, breach(tags, at)))]
        n_read += weight(block)
        if guess.is_plain or n_read > MAX_READ:
            break
    scheme = guess.scheme
    if scheme not in READ_AS or not counts[scheme]:
        return Reading()
    other, what = READ_AS[scheme]
    n = counts[scheme]
    rows = f"{n:,} sentence{'s' if n > 1 else ''} break{'' if n > 1 else 's'} {scheme.upper()}"
    return Reading(other, f'{rows}, first {breaks[scheme][0]}. With scheme = "{other}" {what}')


def breach(tags: list[str], at: int) -> str:
    """What a scheme does not allow, in words: the tag at a place behind the one before it."""
    before = shown(tags[at - 1]) if at else "the beginning"
    return f"{'the end' if at == len(tags) else shown(tags[at])} after {before}"
