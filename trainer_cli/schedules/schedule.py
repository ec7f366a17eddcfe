"""A hyper-parameter as a function of the step, and an iterator over its values at once."""

from __future__ import annotations

import copy
import operator
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.schedules.arguments import is_number


class Schedule:
    """A number for every step: `schedule(step)` computes it anywhere, `next(schedule)` draws one after the other.

    `value_at(step)` must be pure and defined for every step from 0 on. The only thing that changes is `position`,
    the step that the next draw belongs to; whoever uses this object shares it. A copy has a position of its own.
    A negative or fractional step and a value that is no finite number are an ArgumentError.

    >>> halving = Schedule(lambda step: 0.5**step, "halving()")
    >>> next(halving), next(halving), halving.position
    (1.0, 0.5, 2)
    >>> halving(0)
    1.0
    """

    def __init__(self, value_at: Callable[[int], float], text: str):
        self._value_at = value_at
        self._text = text
        self.position = 0

    def __call__(self, step: int) -> float:
        value = self._value_at(_checked(step))
        if not is_number(value):
            raise ArgumentError(f"schedule {self} must give finite numbers, got {value!r} at step {step}")
        return float(value)

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        value = self(self.position)
        self.position += 1
        return value

    def __repr__(self) -> str:
        return self._text

    def __deepcopy__(self, memo: dict[int, Any]) -> Schedule:
        # What computes the values is pure (or remembers what it drew), and an iterator cannot be copied anyway.
        return copy.copy(self)


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
    if is_number(value):
        number = float(value)
        return Schedule(lambda step: number, f"{value}")
    if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping | Set):
        raise ArgumentError(
            f"expected a finite number, a list of numbers or a schedule, got {value!r}{_call_hint(value)}"
        )
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

    def __call__(self, step: int) -> float:
        while step >= len(self._values) and self._draw():
            pass
        return self._values[min(step, len(self._values) - 1)]

    def draw_all(self) -> None:
        """Draw everything there is: a wrong value in a list is found at once."""
        while self._draw():
            pass

    def _draw(self) -> bool:
        """Remember the next value; False at the end."""
        if self._failure is not None:
            raise self._failure
        if self._source is None:
            return False
        step = len(self._values)
        try:
            value = next(self._source)
        except StopIteration:
            self._source = None
            if step == 0:
                raise self._fail(f"schedule {self.text} has no values; it must give one number at least") from None
            return False
        except Exception as err:
            raise self._fail(f"schedule {self.text} failed at step {step}: {type(err).__name__}: {err}") from err
        if not is_number(value):
            raise self._fail(f"schedule {self.text} must give finite numbers, got {value!r} at step {step}")
        self._values.append(value)
        return True

    def _fail(self, message: str) -> ArgumentError:
        # The iterator has moved past the wrong value: to ask again must fail again, not slip by one step.
        self._failure = ArgumentError(message)
        return self._failure


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
    return ". Call the function to get its generator" if callable(value) else ""
