"""The traceback of what a user's function raised, without what is not theirs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from traceback import StackSummary, TracebackException

from trainer_cli import user_code

# Where JAX itself lies, and by which words one knows what it says of the frames that it has left out.
JAX = f"{os.sep}jax{os.sep}_src{os.sep}"
LEFT_OUT = ("JAX has removed its internal frames", "excludes JAX-internal frames")


def own_traceback(err: BaseException) -> str:
    """The traceback of an exception from the first of the user's functions on; the whole where there is none.

    What JAX adds is left out: frames of its own, and what it says of those.
    """
    own, trace = user_code.imported(), err.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename not in own:
        trace = trace.tb_next
    whole = TracebackException(type(err), err, trace or err.__traceback__)
    for each in raised_one_from_another(whole):
        each.stack = StackSummary.from_list([frame for frame in each.stack if JAX not in frame.filename])
        each.__notes__ = [note for note in each.__notes__ or () if not is_left_out(note)]
        if each.__cause__ is not None and is_left_out(str(each.__cause__)):
            each.__cause__ = None
    return "".join(whole.format()).rstrip()


def raised_one_from_another(last: TracebackException) -> Iterator[TracebackException]:
    """An exception, that which it was raised from, and so on."""
    found: TracebackException | None = last
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def is_left_out(words: str) -> bool:
    return any(each in words for each in LEFT_OUT)
