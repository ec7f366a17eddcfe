"""The workers that a driver has: who is ready, who is lost, and who does a lost one's work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trainer_cli.cluster.actor import Actor, Report, Site
from trainer_cli.cluster.calls import Calls
from trainer_cli.cluster.failure import Failure, reason
from trainer_cli.cluster.line import Line, LostError, ready
from trainer_cli.cluster.member import Member
from trainer_cli.cluster.pipe import Pipe
from trainer_cli.cluster.room import Room, counted
from trainer_cli.cluster.waiting import PATIENCE, Waiting
from trainer_cli.errors import ClusterError, ConfigError, TrainerError

T = TypeVar("T")

# So many seconds workers have to be told that they are not needed any more.
FAREWELL = 5.0
# What ends a worker may be about to end more, of which the user is told instead: so many seconds it may take.
SETTLE = 0.2
# After so many seconds in which a worker has found no place the others begin, or go on, without it.
MOST_HOMELESS = 30.0


@dataclass
class Call:
    """What a worker was asked: where it is and then to make ready (`job` is None), or for the `job`-th of the jobs at
    hand. The next one is asked instead after `deadline`."""

    member: Member
    job: int | None
    deadline: float


@dataclass
class Crew:
    """`n` workers, each replaced when it dies or has not answered for `timeout` seconds, `max_restarts` times in all.

    One for which there is no place is waited for while the others work. `order` is what each is told first, or Ray's
    reference to it, `node` Ray's name of this one if its workers can share memory with this process. `say` tells the
    user a line, `check` is called while nobody answers, and may raise.
    """

    ray: Any
    order: Any
    node: str | None
    room: Room
    timeout: float
    max_restarts: int
    say: Callable[[str], None]
    check: Callable[[], None]
    idle: deque[Member] = field(default_factory=deque)
    calls: dict[Line, Call] = field(default_factory=dict)
    n_restarts: int = 0
    has_started: bool = False
    is_short: bool = False  # whether a worker has had no place for long
    heard: float = 0.0  # when somebody has answered last

    def start(self) -> None:
        """Start all workers and wait until each is ready that finds a place."""
        self.heard = time.monotonic()
        for _ in range(self.n):
            self.hire()
        while len(self.idle) < self.n and not (self.is_short and self.idle):
            for _ in self.answers(deque()):
                pass
        self.has_started = True

    @property
    def n(self) -> int:
        return self.room.n

    @property
    def n_ready(self) -> int:
        return len(self.idle) + sum(call.job is not None for call in self.calls.values())

    @property
    def has_begun(self) -> bool:
        """Whether there is a worker that has found a place."""
        return bool(self.idle) or any(call.member.where is not None for call in self.calls.values())

    def hire(self) -> None:
        """Start a worker. ClusterError: whoever starts it for the cluster has not answered for `timeout` seconds."""
        pipe, made = None if self.node is None else Pipe(self.node), list[Member]()

        def make() -> None:
            actor = self.ray.remote(Actor).options(num_cpus=self.room.n_threads).remote()
            line = Calls(self.ray, actor, self.timeout)
            line.ask("arrive")
            made.append(Member(actor, line, pipe))

        with self.reached():
            if not Waiting(make).has_ended(self.timeout, self.check):
                raise ClusterError(f"the head of the cluster has not answered for {self.timeout:g} s")
        self.await_answer(made[0], None)

    def await_answer(self, member: Member, job: int | None) -> None:
        self.calls[member.line] = Call(member, job, time.monotonic() + self.timeout)

    def run(
        self, jobs: Sequence[T], question: Callable[[Member, T], Sequence[Any]]
    ) -> Iterator[tuple[int, Member, Any]]:
        """Have each job done by somebody; `question(member, job)` is what a worker is asked: the name of the work, and
        what is given. Yields the answers as they come: the job's number, the worker, and what it says, which is a
        Failure where the job has failed.

        Of jobs that fail the first one counts, by number: those after it may be left undone, those before it are not.
        ClusterError: too many workers were lost.
        """
        todo, n = deque(range(len(jobs))), len(jobs)
        done: set[int] = set()
        self.heard = time.monotonic()
        while len(done) < n:
            while todo and self.idle:
                self.give(todo.popleft(), jobs, question)
            for call, found in self.answers(todo):
                if call.job is None or call.job >= n:
                    continue
                done.add(call.job)
                if isinstance(found, Failure):
                    n = call.job + 1
                    done = {job for job in done if job < n}
                    todo = deque(job for job in todo if job < n)
                yield call.job, call.member, found

    def give(self, index: int, jobs: Sequence[T], question: Callable[[Member, T], Sequence[Any]]) -> None:
        """Have one who is free do a job."""
        member = self.idle.popleft()
        with self.reached():
            member.line.ask(*question(member, jobs[index]))
        self.await_answer(member, index)

    def answers(self, todo: deque[int]) -> Iterator[tuple[Call, Any]]:
        """Wait a while for answers. The jobs of workers that are lost go back to those to do."""
        self.check()
        for line in ready(self.calls, PATIENCE):
            call = self.calls.pop(line)
            try:
                found = line.answer()
            except self.ray.exceptions.RayTaskError as err:
                self.check()
                raise ClusterError(f"{call.member.called} cannot be told what to do: {reason(err)}") from err
            except LostError as err:
                self.lose(call, f"is lost ({err})", todo)
                continue
            self.heard = time.monotonic()
            if call.member.where is None:
                self.instruct(call.member, found)
                continue
            if call.job is None:
                self.greet(call.member, found)
            self.idle.append(call.member)
            self.is_short = self.is_short and self.n_ready < self.n
            yield call, found
        self.give_up(time.monotonic(), todo)

    def give_up(self, now: float, todo: deque[int]) -> None:
        """Replace those who have not answered in time; tell of one that has found no place."""
        for line, call in list(self.calls.items()):
            seconds, is_late = now - call.deadline + self.timeout, call.deadline < now
            if call.member.where is None and not self.is_short and seconds > min(MOST_HOMELESS, self.timeout):
                self.tell_short(seconds)
            if is_late and call.member.where is None and self.has_begun:
                self.end(self.calls.pop(line).member)
                self.hire()
            elif is_late:
                self.lose(self.calls.pop(line), f"has not answered for {self.timeout:g} s", todo)

    def tell_short(self, seconds: float) -> None:
        """Tell, once until all are there, that workers wait for a place."""
        self.is_short = True
        cpus = f"{self.room.n_threads} free CPU{'s on one machine' if self.room.n_threads > 1 else ''}"
        rest = f"; {counted(self.n_ready, 'worker')} of {self.n} work until there is a place" if self.n_ready else ""
        self.say(f"a worker has not begun after {seconds:.0f} s: it needs {cpus}, and {self.room.free()}{rest}")

    def instruct(self, member: Member, site: Site) -> None:
        """Tell a worker that has found a place what the run is."""
        member.where = site
        with self.reached():
            member.line.ask("prepare", self.order, None if member.pipe is None else member.pipe.address)
        self.await_answer(member, None)

    def greet(self, member: Member, report: Report) -> None:
        """Take in a worker that was started, which says that it is ready or why it cannot be."""
        if member.pipe is not None:
            self.connect(member, member.pipe, report.is_near)
        if report.failure is None:
            return
        err = report.failure.error()
        message = f"{member.called}: {err}"
        if self.has_started:
            raise ClusterError(f"no other worker can be started; {message}") from err
        if isinstance(err, TrainerError):
            raise ConfigError(message) from err
        raise err

    def connect(self, member: Member, pipe: Pipe, is_near: bool) -> None:
        """Talk through the pipe from now on with a worker that has opened its end of it."""
        pipe.hand_over()
        if is_near:
            with self.reached():
                member.line.ask("serve")
            member.line = pipe
        else:
            member.pipe = None

    def lose(self, call: Call, why: str, todo: deque[int]) -> None:
        """Take a worker away and start another one, which is asked when it is ready.

        ClusterError: that were too many, or nobody has answered for long enough for work and for a new start.
        """
        time.sleep(SETTLE)
        self.check()  # a signal to all of a terminal's processes may have been its end, or that of Ray's server here
        self.end(call.member)
        if call.job is not None:
            todo.appendleft(call.job)
        if call.job is None and self.n_ready == 0 and time.monotonic() - self.heard >= self.timeout:
            silence = f"no worker has answered for {self.timeout:g} s, and none can be started"
            raise ClusterError(f"{silence}: {self.room.needs}, and {self.room.free()}")
        self.n_restarts += 1
        if self.n_restarts > self.max_restarts:
            raise ClusterError(
                f"{call.member.called} {why}; {self.max_restarts} were replaced before it, as max_restarts says"
            )
        again = "" if call.job is None else ", and its part is computed again"
        self.say(f"{call.member.called} {why}: another one is started{again}")
        self.hire()

    def end(self, member: Member) -> None:
        Waiting(lambda: self.ray.kill(member.actor))

    @contextmanager
    def reached(self) -> Iterator[None]:
        """What Ray says when it cannot do what it is asked within the block is a ClusterError."""
        try:
            yield
        except self.ray.exceptions.RayError as err:
            raise ClusterError(f"Ray cannot go on: {reason(err)}") from err

    def dismiss(self) -> None:
        """End all workers."""
        members = [*self.idle, *(call.member for call in self.calls.values())]
        Waiting(lambda: [self.ray.kill(member.actor) for member in members]).has_ended(FAREWELL)
        self.idle.clear()
        self.calls.clear()
