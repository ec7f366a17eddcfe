"""Work ahead in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

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
    ahead = Ahead(items, n_ahead)
    try:
        while isinstance(got := ahead.ready.get(), tuple):
            ahead.room.release()
            yield got[0]
        if got is not None:
            raise got
    finally:
        ahead.stop()
        if leave is not None:
            leave(ahead.rest)


class Ahead(Generic[T]):
    """The thread that draws the items, and what it has drawn.

    `ready` has items, and at last how they ended: with an exception or without.
    """

    def __init__(self, items: Iterator[T], n_ahead: int):
        self.items = items
        self.ready: SimpleQueue[tuple[T] | BaseException | None] = SimpleQueue()
        self.room = threading.Semaphore(n_ahead)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.draw, name="prefetch", daemon=True)
        self.thread.start()

    def draw(self) -> None:
        end: BaseException | None = None
        try:
            while self.room.acquire() and not self.stopped.is_set():
                self.ready.put((next(self.items),))
        except StopIteration:
            pass
        except BaseException as err:
            end = err
        self.ready.put(end)

    def stop(self) -> None:
        self.stopped.set()
        self.room.release()
        # An iterator left behind may be closed by the garbage collector, which runs in any thread.
        if self.thread is not threading.current_thread():
            self.thread.join(PATIENCE_SECONDS)

    def rest(self) -> Iterator[T]:
        """What was drawn and never given out, once the thread has ended."""
        self.thread.join()
        while not self.ready.empty():
            got = self.ready.get()
            if isinstance(got, BaseException):
                raise got
            yield from got or ()
