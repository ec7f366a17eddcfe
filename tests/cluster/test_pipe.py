"""What joins a driver with a worker of its machine: nobody waits for the other to read, and a death is heard."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest

from trainer_cli.cluster import actor
from trainer_cli.cluster.calls import Bell
from trainer_cli.cluster.end import Descriptor
from trainer_cli.cluster.line import LostError, ready
from trainer_cli.cluster.memory import can_share
from trainer_cli.cluster.pipe import Address, Pipe

pytestmark = pytest.mark.skipif(not can_share(), reason="this system has no such memory")

# A worker that does what it is asked until the driver's end is closed; at `fork` it leaves a process that lives on.
WORKER = """
import os, signal, sys, time
from trainer_cli.cluster.end import Descriptor, packed, unpacked
from trainer_cli.cluster.pipe import Address

{bug}
places = [Descriptor(*map(int, word.split(","))) for word in sys.argv[1:]]
end = Address("here", *places).end()
print("open", flush=True)
while True:
    try:
        work, given = unpacked(end.receive())
    except EOFError:
        sys.exit(7)
    if work == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if work == "fork":
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
        end.send(packed(pid))
    if work == "double":
        end.send(packed([2 * each for each in given]))
"""


@dataclass
class Worker:
    pipe: Pipe
    process: subprocess.Popen


@pytest.fixture
def begun():
    """Starts workers, which are gone with the test."""
    workers = []

    def begin(bug="", hands_over=True):
        pipe = Pipe("here")
        words = [",".join(map(str, place)) for place in pipe.address[1:]]
        line = [sys.executable, "-c", WORKER.format(bug=bug), *words]
        workers.append(Worker(pipe, subprocess.Popen(line, stdout=subprocess.PIPE)))
        assert workers[-1].process.stdout.readline() == b"open\n"
        if hands_over:
            pipe.hand_over()
        return workers[-1]

    yield begin
    for worker in workers:
        worker.process.kill()
        worker.process.wait()
        worker.process.stdout.close()


def answered(pipe, seconds=60):
    assert ready([pipe], seconds) == [pipe]
    return pipe.answer()


def is_heard(worker, *, seconds):
    """Whether the driver hears of the worker's end."""
    worker.process.wait()
    if not ready([worker.pipe], seconds):
        return False
    with pytest.raises(LostError, match="its process has ended"):
        worker.pipe.answer()
    return True


def test_questions_are_answered_one_after_the_other(begun):
    pipe = begun().pipe
    for n in range(3):
        pipe.ask("double", n, f"{n}")
        assert answered(pipe) == [2 * n, f"{n}{n}"]


def test_what_is_longer_than_a_pipe_is_asked_while_nobody_reads(begun):
    """And what is short after it is not mixed with what is left of it."""
    worker = begun()
    numbers = np.arange(500_000)
    os.kill(worker.process.pid, signal.SIGSTOP)
    worker.pipe.ask("double", numbers)
    assert ready([worker.pipe], 0.05) == []
    os.kill(worker.process.pid, signal.SIGCONT)
    assert (answered(worker.pipe)[0] == 2 * numbers).all()
    worker.pipe.ask("double", 1)
    assert answered(worker.pipe) == [2]


def test_what_only_ray_can_pack_is_asked_too(begun):
    class Local:
        def __rmul__(self, n):
            return n * 21

    pytest.importorskip("ray")
    pipe = begun().pipe
    pipe.ask("double", Local())
    assert answered(pipe) == [42]


def test_a_worker_that_dies_is_heard_at_once_and_can_be_asked_in_vain(begun):
    worker = begun()
    worker.pipe.ask("die")
    assert is_heard(worker, seconds=60)
    worker.pipe.ask("double", 1)
    assert is_heard(worker, seconds=60)


def test_a_driver_that_kept_the_ends_of_a_worker_would_not_hear_of_its_death(begun):
    worker = begun(hands_over=False)
    worker.pipe.ask("die")
    assert not is_heard(worker, seconds=0.05)
    worker.pipe.hand_over()
    assert is_heard(worker, seconds=60)


@pytest.mark.parametrize("closes", [True, False])
def test_a_worker_is_heard_to_die_though_a_process_that_it_forked_lives_on(begun, closes):
    """If that one did not close what it has of the pipes, it would not be."""
    worker = begun("" if closes else "os.register_at_fork = lambda **given: None")
    worker.pipe.ask("fork")
    pid = answered(worker.pipe)
    worker.pipe.ask("die")
    assert is_heard(worker, seconds=60 if closes else 0.05) == closes
    os.kill(pid, signal.SIGKILL)
    assert is_heard(worker, seconds=60)


class Answers:
    """What a worker computes, in order; an exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def gradient(self):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def serving(monkeypatch, tmp_path):
    """Starts an actor that serves in a thread; the driver's end."""
    monkeypatch.setattr(actor, "COMM", tmp_path / "comm")
    threads, ends = [], []

    def serve(*answers):
        pipe, served = Pipe("here"), actor.Actor()
        ends.append(pipe.end)
        served.end, served.worker = pipe.address.end(), Answers(*answers)
        pipe.hand_over()

        def run():
            with suppress(KeyboardInterrupt):
                served.serve()

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return pipe

    yield serve
    for end in ends:
        end.close()
    for thread in threads:
        thread.join()


def test_an_error_and_an_answer_that_nobody_can_pack_are_told_and_the_next_question_is_answered(serving):
    pytest.importorskip("ray")  # it packs what pickle cannot
    pipe = serving(KeyError("none"), threading.Lock(), 3)
    for name in ("KeyError", "TypeError"):
        pipe.ask("gradient")
        assert answered(pipe).name == name
    pipe.ask("gradient")
    assert answered(pipe) == 3
    pipe.end.close()


def test_a_worker_that_stops_to_serve_is_lost_though_its_process_lives_on(serving):
    pipe = serving(KeyboardInterrupt())
    pipe.ask("gradient")
    with pytest.raises(LostError):
        answered(pipe)


def test_a_worker_ends_with_its_driver(begun):
    worker = begun()
    worker.pipe.end.close()
    assert worker.process.wait() == 7


def test_an_end_that_was_closed_or_is_another_file_by_now_is_not_opened():
    pipe = Pipe("here")
    address = pipe.address
    del pipe
    with pytest.raises(FileNotFoundError):
        address.end()
    other = Pipe("here")
    assert [place.descriptor for place in other.address[1:]] == [place.descriptor for place in address[1:]]
    with pytest.raises(OSError, match="another file"):
        address.end()
    assert isinstance(other.address, Address)


def test_no_descriptor_is_left():
    before = os.listdir("/proc/self/fd")
    pipe = Pipe("here")
    end = pipe.address.end()
    pipe.hand_over()
    end.close()
    del pipe
    bell = Bell()
    del bell
    assert os.listdir("/proc/self/fd") == before


def test_a_place_tells_one_file_from_another():
    reader, writer = os.pipe()
    assert Descriptor.of(reader) != Descriptor.of(writer)
    assert Descriptor.of(reader) == Descriptor.of(reader)
    os.close(reader)
    os.close(writer)


def test_a_bell_is_heard_until_it_is_hushed():
    bell = Bell()
    assert ready([bell], 0) == []
    bell.ring()
    assert ready([bell], 0) == [bell]
    bell.hush()
    assert ready([bell], 0) == []
