"""The workers that a driver has: who is ready, who is lost, and who does a lost one's work."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trainer_cli.cluster.actor import Actor, Where
from trainer_cli.cluster.memory import SharedMemory
from trainer_cli.cluster.order import Failure
from trainer_cli.errors import ClusterError, TrainerError

T = TypeVar("T")

# Signals are looked for so often, in seconds, while nobody answers.
PATIENCE = 0.2


@dataclass
class Member:
    """A worker: Ray's handle of its process, where that runs, the memory in which its sums come, and the version of the
    weights for which it was given that."""

    actor: Any
    where: Where | None = None
    memory: SharedMemory | None = None
    version: int = -1


@dataclass
class Call:
    """What a worker was asked: to make ready (`job` is None), or for the `job`-th of the jobs at hand."""

    member: Member
    job: int | None
    deadline: float


@dataclass
class Crew:
    """`n` workers, each replaced when it dies or has not answered for `timeout` seconds, `max_restarts` times in all.

    `order` is Ray's reference to what each is told first. `check` is called while nobody answers, and may raise.
    """

    ray: Any
    order: Any
    n: int
    resources: Mapping[str, Any]
    timeout: float
    max_restarts: int
    say: Callable[[str], None]
    check: Callable[[], None]
    idle: deque[Member] = field(default_factory=deque)
    calls: dict[Any, Call] = field(default_factory=dict)
    n_restarts: int = 0

    def start(self) -> None:
        """Start all workers and wait until each is ready."""
        for _ in range(self.n):
            self.hire()
        while len(self.idle) < self.n:
            for _ in self.answers(deque()):
                pass

    @property
    def n_ready(self) -> int:
        return len(self.idle) + sum(call.job is not None for call in self.calls.values())

    def hire(self) -> None:
        member = Member(self.ray.remote(Actor).options(**self.resources).remote())
        self.ask(member, None, member.actor.prepare.remote(self.order))

    def ask(self, member: Member, job: int | None, reference: Any) -> None:
        self.calls[reference] = Call(member, job, time.monotonic() + self.timeout)

    def run(self, jobs: Sequence[T], ask: Callable[[Member, T], Any]) -> Iterator[tuple[int, Member, Any]]:
        """Have each job done by somebody; `ask(member, job)` calls a worker. Yields the answers as they come: the job's
        number, the worker, and what it says.

        TrainerError: what a worker has raised. ClusterError: too many were lost.
        """
        todo, n_done = deque(range(len(jobs))), 0
        while n_done < len(jobs):
            while todo and self.idle:
                member, index = self.idle.popleft(), todo.popleft()
                self.ask(member, index, ask(member, jobs[index]))
            for call, found in self.answers(todo):
                if call.job is not None:
                    n_done += 1
                    yield call.job, call.member, found

    def answers(self, todo: deque[int]) -> Iterator[tuple[Call, Any]]:
        """Wait a while for answers. The jobs of workers that are lost go back to those to do."""
        self.check()
        ready, _ = self.ray.wait(list(self.calls), num_returns=1, timeout=PATIENCE)
        for reference in ready:
            call = self.calls.pop(reference)
            try:
                found = self.ray.get(reference)
            except self.ray.exceptions.RayTaskError as err:
                raise err.cause from err
            except self.ray.exceptions.RayError as err:
                self.lose(call, f"is lost ({type(err).__name__})", todo)
                continue
            if isinstance(found, Failure):
                raise told(found)
            if call.job is None:
                call.member.where = found
            self.idle.append(call.member)
            yield call, found
        now = time.monotonic()
        for reference in [each for each, call in self.calls.items() if call.deadline < now]:
            self.lose(self.calls.pop(reference), f"has not answered for {self.timeout:g} s", todo)

    def lose(self, call: Call, why: str, todo: deque[int]) -> None:
        """Take a worker away and start another one, which is asked when it is ready."""
        self.ray.kill(call.member.actor)
        if call.job is not None:
            todo.appendleft(call.job)
        self.n_restarts += 1
        where = call.member.where
        name = f"the worker {where.pid} on {where.host}" if where else "a worker that was to start"
        if self.n_restarts > self.max_restarts:
            raise ClusterError(f"{name} {why}; {self.max_restarts} were replaced before it, as max_restarts says")
        self.say(f"{name} {why}: another one is started, and its part is computed again")
        self.hire()

    def dismiss(self) -> None:
        """End all workers."""
        for member in [*self.idle, *(call.member for call in self.calls.values())]:
            self.ray.kill(member.actor)
        self.idle.clear()
        self.calls.clear()


def told(failure: Failure) -> TrainerError:
    """What a worker raised, with its own traceback."""
    failure.error.add_note(failure.traceback)
    return failure.error
