"""A hyper-parameter as a function of the step, and an iterator over its values at once."""

from __future__ import annotations

import copy
import inspect
import math
import operator
import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import islice
from typing import Any, cast

import numpy as np

from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.arguments import is_number

# Of an iterator's values so many are drawn before they are looked at.
MOST_AT_ONCE = 100_000


class Schedule:
    """A number for every step: `schedule(step)` computes it anywhere, `next(schedule)` draws one after the other.

    `value_at(step)` must be pure and defined for every step from 0 on. The only thing that changes is `position`,
    the step that the next draw belongs to; whoever uses this object shares it. A copy has a position of its own.
    A negative or fractional step and a value that is no finite number are an ArgumentError.

    A schedule that follows the dev score `reads_scores`: it gets each one by `observe`, and what it remembers of them
    goes into checkpoints by `to_state` and comes back by `load_state`.

    >>> halving = Schedule(lambda step: 0.5**step, "halving()")
    >>> next(halving), next(halving), halving.position
    (1.0, 0.5, 2)
    >>> halving(0)
    1.0
    """

    reads_scores = False

    def __init__(self, value_at: Callable[[int], float], text: str):
        if not callable(value_at):
            raise ArgumentError(f"a schedule is a function of the step, got {value_at!r}")
        self._value_at = value_at
        self._text = text
        self.position = 0

    def __call__(self, step: int) -> float:
        value = self._value_at(_checked(step))
        if not is_number(value):
            raise ArgumentError(f"schedule {self} must give finite numbers, got {value!r} at step {step}")
        return float(value)

    def observe(self, score: float, step: int) -> None:
        """Take in the dev score after `step` updates, turned so that higher is better; most schedules ignore it."""

    def to_state(self) -> dict[str, Any]:
        """What was remembered of the scores, as JSON."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Remember what `to_state` gave; a ModelFileError if it is something else."""

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        value = self(self.position)
        self.position += 1
        return value

    def __repr__(self) -> str:
        return self._text

    @property
    def is_drawn(self) -> bool:
        """Whether there are values still to be drawn and kept, so that a step far ahead costs all those before it."""
        return isinstance(self._value_at, Drawn) and self._value_at.goes_on

    def called(self, text: str) -> Schedule:
        """The same schedule, written in another way."""
        twin = copy.copy(self)
        twin._text = text
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Schedule:
        # What computes the values is pure (or remembers what it drew), and an iterator cannot be copied anyway.
        return copy.copy(self)


def called(name: str, *arguments: object, **settings: tuple[object, object]) -> str:
    """How a schedule is written: the arguments, and of `settings`, each a value and its default, those that differ.

    >>> called("cosine", 0.1, 1000, warmup_steps=(50, 0), min_rate=(0.0, 0.0))
    'cosine(0.1, 1000, warmup_steps=50)'
    """
    changed = [f"{key}={value}" for key, (value, default) in settings.items() if value != default]
    return f"{name}({', '.join([*map(str, arguments), *changed])})"


def as_schedule(value: object) -> Schedule:
    """Make a schedule of whatever may stand for a hyper-parameter.

    A Schedule is returned as it is. A number is constant. A list or tuple gives its values in turn, then holds the
    last. An iterator (a generator, say) is drawn from when a step is first asked for; its values are remembered, so
    that any step can be asked for again, and the last one holds when it ends. Anything else, and a value that is no
    finite number, is an ArgumentError.

    >>> rate = as_schedule([0.1, 0.2])
    >>> [rate(step) for step in range(4)]
    [0.1, 0.2, 0.2, 0.2]
    """
    if isinstance(value, Schedule):
        return value
    if getattr(value, "ndim", None) == 0:
        value = cast(Any, value).item()
    if is_number(value):
        number = float(value)
        return Schedule(lambda step: number, f"{value}")
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | Set) or _n_axes(value) > 1:
        got = f"an array {np.shape(cast(Any, value))}" if _n_axes(value) > 1 else repr(value)
        raise ArgumentError(f"expected a finite number, a list of numbers or a schedule, got {got}{_call_hint(value)}")
    drawn = Drawn(value)
    if isinstance(value, list | tuple):
        drawn.draw_all()
    return Schedule(drawn, drawn.text)


class Drawn:
    """The values of an iterable by step: drawn when first asked for, remembered, the last one held for ever."""

    def __init__(self, values: Iterable[object]):
        self.text = _text(values)
        self._source: Iterator[object] | None = iter(values)
        self._values = array("d")
        self._failure: ArgumentError | None = None
        # Batches are cut by a thread of their own while somebody asks how many there will be.
        # It may ask for a value of its own, which fails at once.
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock())

    def __call__(self, step: int) -> float:
        while step >= len(self._values):
            with self._lock:
                if self._failure is not None:
                    raise self._failure
                if self._source is None:
                    return self._values[min(step, len(self._values) - 1)]
                self._draw(max(0, min(step + 1 - len(self._values), MOST_AT_ONCE)))
        return self._values[step]

    @property
    def goes_on(self) -> bool:
        """Whether the iterable may have more values than were drawn of it."""
        return self._source is not None

    def draw_all(self) -> None:
        """Draw everything there is: a wrong value in a list is found at once."""
        while self._source is not None and self._failure is None:
            self._draw(MOST_AT_ONCE)
        if self._failure is not None:
            raise self._failure

    def _draw(self, n: int) -> None:
        """Remember the next n values, or those before the end or the first one that is wrong.

        The iterator has moved past what is wrong: to ask again must fail again, not slip by one step.
        """
        assert self._source is not None
        drawn: list[object] = []
        try:
            for value in islice(self._source, n):
                drawn.append(value)  # kept, should an exception come next
            if len(drawn) < n:
                self._source = None
        except Exception as err:
            step = len(self._values) + len(drawn)
            self._fail(f"failed at step {step}: {type(err).__name__}: {err}", err)
        self._keep(drawn)
        if self._source is None and not self._values and self._failure is None:
            self._fail("has no values; it must give one number at least")

    def _keep(self, drawn: list[object]) -> None:
        # A resume draws a million values: nearly always all are floats, which is seen without a call for each.
        if not (set(map(type, drawn)) <= {float} and all(map(math.isfinite, cast(list[float], drawn)))):
            wrong = next((i for i, value in enumerate(drawn) if not is_number(value)), None)
            if wrong is not None:
                self._fail(f"must give finite numbers, got {drawn[wrong]!r} at step {len(self._values) + wrong}")
                del drawn[wrong:]
        self._values.extend(cast(list[float], drawn))

    def _fail(self, what: str, cause: Exception | None = None) -> None:
        self._failure = ArgumentError(f"schedule {self.text} {what}")
        self._failure.__cause__ = cause


def _text(values: Iterable[object]) -> str:
    """A list as it is written, cut after six values; an iterator by the name of its function."""
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(str, values[:6]))}{', ...' if len(values) > 6 else ''}]"
    return f"{getattr(values, '__name__', type(values).__name__)}()"


def _checked(step: int) -> int:
    try:
        index = operator.index(step)
    except TypeError:
        raise ArgumentError(f"a step is a whole number, got {step!r}") from None
    if index < 0:
        raise ArgumentError(f"a step is counted from 0, got {step}")
    return index


def _call_hint(value: object) -> str:
    return ". Call the function to get its generator" if inspect.isroutine(value) else ""


def _n_axes(value: object) -> int:
    return int(getattr(value, "ndim", 1))
