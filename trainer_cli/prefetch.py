"""Work ahead in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T], n_ahead: int) -> Iterator[T]:
    """The items in their order, drawn by a thread that is at most `n_ahead` of them ahead.

    What `items` raises is raised here in its place. The thread ends with the items, or when this iterator is closed.
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
            thread.join()
