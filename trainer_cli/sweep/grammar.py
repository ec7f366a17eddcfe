"""How a space is written: `optimizer.learn_rate=1e-4..1e-1:log model.h1.nO=64,128`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from trainer_cli.config.scalars import BadValueError
from trainer_cli.config.text import KEY, SECTION
from trainer_cli.config.values import parse_argument
from trainer_cli.config.words import shorten
from trainer_cli.errors import ConfigError, Problem
from trainer_cli.sweep.space import Choice, Dimension, Range

NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})((?::\w*)*)")
# What was meant to be a range: no path, such as ../data, and no list.
LIKE_RANGE = re.compile(r"[^,/\\\"\[{]*[^,/\\\"\[{.]\.\.[^,/\\\"\[{]*")
FORMS = "write LOW..HIGH, LOW..HIGH:log, LOW..HIGH:int, or values with commas between them"
# The place of mistakes.
PATH = "command line"


def read_space(words: Sequence[str], fixed: Sequence[str] = ()) -> list[Dimension]:
    """The space that the words of a command line describe, in their order; `fixed` are the keys that are set already.

    ConfigError: all that is wrong with them.

    >>> read_space(["a.b=1..8:int", "a.c=x,y"])
    [Range(name='a.b', low=1, high=8, log=False, whole=True), Choice(name='a.c', values=('x', 'y'))]
    """
    problems: list[Problem] = []
    found: list[Dimension] = []
    taken = {plain(name): f"--{name} sets it as well: a key is swept or set" for name in fixed}
    for word in words:
        name, equals, text = word.partition("=")
        try:
            if not equals or not is_key(name):
                raise BadValueError(f"a key to sweep is written section.key=VALUES: {FORMS}")
            if plain(name) in taken:
                raise BadValueError(taken[plain(name)])
            taken[plain(name)] = "is there twice: name a key once, with all its values"
            found.append(dimension(name, text))
        except BadValueError as err:
            problems.append(Problem(str(err), PATH, 0, shorten(word)))
    if problems:
        raise ConfigError(problems=problems)
    return found


def is_key(name: str) -> bool:
    section, dot, key = name.rpartition(".")
    return bool(dot and SECTION.fullmatch(section) and KEY.fullmatch(key))


def plain(name: str) -> str:
    """A key without the stars that may be left out: `model.h1.nO` is `model.*.h1.nO`."""
    return ".".join(part for part in name.split(".") if part != "*")


def dimension(name: str, text: str) -> Dimension:
    """What is behind the = of a word. BadValueError: the rule that it breaks, and the remedy."""
    if (found := RANGE.fullmatch(text)) is not None:
        return range_of(name, found[1], found[2], found[3].split(":")[1:])
    if LIKE_RANGE.fullmatch(text):
        raise BadValueError(f"a range has a number on each side of its two dots, got {shorten(text)}: {FORMS}")
    values = [value_of(part) for part in parts(text)]
    if len(values) == 1:
        raise BadValueError(f"a sweep needs two values of a key or more: {FORMS}, or set the one by --{name}={text}")
    written = [json.dumps(value) for value in values]
    if again := next((part for n, part in enumerate(written) if part in written[:n]), None):
        raise BadValueError(f"has {shorten(again)} twice: name each value once")
    return Choice(name, tuple(values))


def value_of(text: str) -> Any:
    if not text:
        raise BadValueError('nothing stands before or after a comma: an empty text is written ""')
    value = parse_argument(text)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise BadValueError(f"a value is a number, a text, or true, false or null, got {shorten(text)}") from None
    return value


def range_of(name: str, low_text: str, high_text: str, flags: Sequence[str]) -> Dimension:
    low, high = number(low_text), number(high_text)
    counts = [int(flag) for flag in flags if flag.isdigit()]
    if unknown := [flag for flag in flags if flag not in ("log", "int") and not flag.isdigit()]:
        raise BadValueError(f"after a range comes :log, :int or how many values, not :{unknown[0]}")
    if len(set(flags)) < len(flags) or len(counts) > 1:
        raise BadValueError("says the same of a range twice")
    if not low < high:
        raise BadValueError(
            f"a range goes from less to more, got {low_text}..{high_text}: write {high_text}..{low_text}"
        )
    if "log" in flags and low <= 0:
        raise BadValueError(f"a :log range begins above 0, got {low_text}: leave :log out, or begin at a small number")
    whole = "int" in flags
    if whole and (low != int(low) or high != int(high)):
        raise BadValueError(f"a range of whole numbers has whole ends, got {low_text}..{high_text}: leave :int out")
    found = Range(name, int(low) if whole else low, int(high) if whole else high, log="log" in flags, whole=whole)
    return Choice(name, points(found, counts[0])) if counts else found


def number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise BadValueError(f"{text} is more than a number can be")
    return value


def points(found: Range, n: int) -> tuple[Any, ...]:
    """So many values at equal distances from end to end, with `log` at equal ratios; of whole numbers no one twice.

    >>> points(Range("x", 1, 1000, log=True, whole=True), 4)
    (1, 10, 100, 1000)
    """
    if n < 2:
        raise BadValueError(f"of a range two values or more are tried, got {n}")
    low, high = found.low, found.high
    shares = [i / (n - 1) for i in range(n)]
    values = [low * (high / low) ** share if found.log else low + share * (high - low) for share in shares]
    # The products are a little off: what is written down is what was meant.
    values = [low, *(float(f"{value:.12g}") for value in values[1:-1]), high]
    return tuple(dict.fromkeys(round(value) for value in values) if found.whole else values)


def parts(text: str) -> Iterator[str]:
    """The text between commas that stand in no brackets and no quotes.

    >>> list(parts('[1,2],[3],"a,b",c'))
    ['[1,2]', '[3]', '"a,b"', 'c']
    """
    start, depth, quoted, escaped = 0, 0, False, False
    for at, letter in enumerate(text):
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter == "," and not depth:
            yield text[start:at].strip()
            start = at + 1
        else:
            depth += (letter in "[{") - (letter in "]}")
    yield text[start:].strip()
