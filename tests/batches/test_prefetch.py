import gc
import subprocess
import sys
import threading
from itertools import count, islice

import numpy as np
import pytest

from trainer_cli import prefetch as module
from trainer_cli.ops import Ops
from trainer_cli.prefetch import prefetch


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def check_no_thread_is_left(make):
    """After a pass to the end, one left early, one that fails in the consumer and one in the source."""
    list(make(range(50)))
    for _ in make(count()):
        break

    def failing():
        yield 1
        raise OSError("no more")

    def consume(source):
        for number in make(source):
            if number == 3:
                raise KeyError("in the loop")

    for source, error in ((count(), KeyError), (failing(), OSError)):
        with pytest.raises(error):
            consume(source)
    gc.collect()
    assert threads() == []


def test_no_thread_is_left():
    check_no_thread_is_left(lambda items: prefetch(iter(items), 4))
    check_no_thread_is_left(lambda items: (row for (row,) in Ops().minibatch(1, iter(items), buffer=4)))


def test_thread_check_sees_a_consumer_that_tells_nobody(monkeypatch):
    def forgetful(items, n_ahead):
        stop = threading.Event()
        threading.Thread(target=stop.wait, name="prefetch", daemon=True).start()
        stops.append(stop)
        yield from items

    stops = []
    monkeypatch.setattr(module, "prefetch", forgetful)
    try:
        with pytest.raises(AssertionError):
            check_no_thread_is_left(lambda items: module.prefetch(iter(items), 4))
    finally:
        for stop in stops:
            stop.set()


@pytest.mark.parametrize("n_ahead", [1, 2, 100, 5000])
def test_order_is_kept(n_ahead):
    assert list(prefetch(iter(range(2000)), n_ahead)) == list(range(2000))


def test_no_more_is_drawn_than_may_be_ahead():
    drawn = []
    reached = threading.Event()

    def source():
        for number in count():
            drawn.append(number)
            if len(drawn) == 5:
                reached.set()
            yield number

    items = prefetch(source(), 3)
    assert [next(items), next(items)] == [0, 1]
    assert reached.wait(10)  # two are out, three are ahead
    items.close()
    assert len(drawn) == 5


def test_an_exception_comes_in_its_place_with_its_traceback():
    def source():
        yield from (1, 2)
        raise OSError("the disk is gone")

    items = prefetch(source(), 5)
    assert list(islice(items, 2)) == [1, 2]
    with pytest.raises(OSError, match="the disk is gone") as caught:
        next(items)
    assert caught.traceback[-1].name == "source"


def test_a_consumer_that_leaves_does_not_wait_for_a_source_that_waits(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    waits, goes_on = threading.Event(), threading.Event()

    def source():
        yield 1
        waits.set()
        goes_on.wait(60)
        yield 2

    rests = []
    items = prefetch(source(), 5, rests.append)
    assert next(items) == 1
    assert waits.wait(10)
    items.close()  # would take a minute
    assert not goes_on.is_set()
    goes_on.set()
    assert list(rests[0]()) == [2]
    assert threads() == []


def test_nothing_starts_before_the_first_item_is_asked_for():
    items = prefetch(iter([1]), 2)
    assert threads() == []
    items.close()


def test_buffered_batches_equal_unbuffered_ones():
    def run(buffer):
        found = Ops(seed=2).multibatch([2.5, 3, 7], np.arange(100), list(range(100)), shuffle=True, buffer=buffer)
        return [(X.tolist(), Y) for _ in range(3) for X, Y in found]

    assert run(1) == run(2) == run(500)


def test_even_an_interrupt_in_the_source_reaches_the_consumer():
    def interrupted():
        yield 1
        raise KeyboardInterrupt

    items = prefetch(interrupted(), 3)
    assert next(items) == 1
    with pytest.raises(KeyboardInterrupt):
        next(items)


def test_a_thread_that_waits_does_not_keep_the_process_alive():
    code = (
        "import threading\nfrom trainer_cli.prefetch import prefetch\n"
        "def source():\n    yield 1\n    threading.Event().wait()\n"
        "print(next(prefetch(source(), 3)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True).stdout == b"1\n"
