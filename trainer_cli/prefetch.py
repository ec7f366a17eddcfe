"""Work ahead in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


# A thread that waits for its source is not waited for much longer than this when its consumer leaves.
PATIENCE_SECONDS = 1.0


def prefetch(
    items: Iterator[T], n_ahead: int, leave: Callable[[Callable[[], Iterator[T]]], object] | None = None
) -> Iterator[T]:
    """The items in their order, drawn by a thread that is at most `n_ahead` of them ahead.

    What `items` raises is raised here in its place. The thread ends with the items, or when this iterator is closed
    and the source lets go. `leave` then gets a function that waits for that end and gives what was drawn and never
    given out, and raises what the source raised after it.
    """
    # An item, or how the items ended: with an exception or without.
    ready: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
    room = threading.Semaphore(n_ahead)
    stopped = threading.Event()

    def fill() -> None:
        end: BaseException | None = None
        try:
            while room.acquire() and not stopped.is_set():
                ready.put((next(items),))
        except StopIteration:
            pass
        except BaseException as err:
            end = err
        ready.put(end)

    def rest() -> Iterator[T]:
        thread.join()
        while not ready.empty():
            got = ready.get()
            if isinstance(got, BaseException):
                raise got
            yield from got or ()

    thread = threading.Thread(target=fill, name="prefetch", daemon=True)
    thread.start()
    try:
        while isinstance(got := ready.get(), tuple):
            room.release()
            yield got[0]
        if got is not None:
            raise got
    finally:
        stopped.set()
        room.release()
        # An iterator left behind may be closed by the garbage collector, which runs in any thread.
        if thread is not threading.current_thread():
            thread.join(PATIENCE_SECONDS)
        if leave is not None:
            leave(rest)
