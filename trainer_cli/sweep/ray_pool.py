"""Trials on the machines of a Ray cluster (Moritz et al., OSDI 2018), each a process as without Ray."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from trainer_cli.cluster.failure import reason
from trainer_cli.cluster.waiting import Waiting
from trainer_cli.errors import ClusterError
from trainer_cli.sweep.executor import Ended, Report, Task, report_of
from trainer_cli.sweep.keeper import THREADS, Keeper, Where

# So long a keeper waits for its trial to tell something, in seconds; what is asked of it meanwhile waits as well.
WAIT = 0.1
# After so many seconds without an answer a keeper counts as lost.
SILENCE = 60.0
# So many seconds a trial that has not begun may take to hear that it need not, and all of them to hear the end.
FAREWELL = 5.0
# So many keepers in a row may be lost before one has begun a trial.
MOST_LOST = 3
# After so many seconds without a place for a trial the user is told; a keeper that is free takes it earlier.
PATIENCE = 30.0
HANDOVER = 5.0


@dataclass
class Seat:
    """A keeper, where it is, and the trial that it keeps.

    reference: to the answer that is waited for. has_begun: whether the trial has. deadline: when the keeper counts as
    lost.
    """

    actor: Any
    task: Task
    reference: Any = None
    where: Where | None = None
    start_time: float = 0.0
    has_begun: bool = False
    was_asked: bool = False
    deadline: float = inf


class RayPool:
    """An `Executor`: `n_workers` trials at once, for each of which Ray finds a machine with `n_cores` free ones.

    `folder` has to be one that all machines share; what a trial prints goes to `folder/trial-N.log`. A trial whose
    machine is lost is killed. `note` tells the user a line, `check` raises ClusterError if the cluster is lost.
    ClusterError: it is, or no trial can be started.
    """

    def __init__(
        self,
        ray: Any,
        n_workers: int,
        folder: Path,
        n_cores: int,
        note: Callable[[str], None],
        check: Callable[[], None] = lambda: None,
    ):
        self.n_workers = n_workers
        self._ray = ray
        self._n_cores = n_cores
        self._note = note
        self._check = check
        self._order = os.getcwd(), str(folder), os.environ.get(THREADS)
        self._seats: dict[int, Seat] = {}
        self._idle: deque[Seat] = deque()
        self._n_lost = 0
        self._was_told = False

    def submit(self, task: Task) -> None:
        assert len(self._seats) < self.n_workers, "no worker is free"
        now = time.monotonic()
        if self._idle:
            free = self._idle.popleft()
            seat = Seat(free.actor, task, where=free.where, start_time=now, deadline=now + SILENCE)
        else:
            seat = Seat(self._hired(), task, start_time=now)
        self._seats[task.trial] = seat
        seat.reference = seat.actor.submit.remote(task.message())

    def wait(self, seconds: float) -> list[Report]:
        self._check()
        for seat in self._seats.values():
            # Only now: what the last reports have made the sweep ask comes before.
            seat.reference = seat.reference or seat.actor.wait.remote(WAIT)
        numbers = {seat.reference: number for number, seat in self._seats.items()}
        try:
            if not numbers or not self._ray.wait(list(numbers), num_returns=1, timeout=seconds)[0]:
                return self._silent()
            ready, _ = self._ray.wait(list(numbers), num_returns=len(numbers), timeout=0)
        except self._ray.exceptions.RayError as err:
            raise ClusterError(f"Ray cannot go on: {reason(err)}") from err
        return [report for each in ready for report in self._heard(numbers[each])] + self._silent()

    def answer(self, trial: int, *, go_on: bool) -> None:
        self._seats[trial].actor.answer.remote(trial, go_on)

    def stop(self, trial: int) -> None:
        self._ask(trial, FAREWELL).stop.remote(trial)

    def kill(self, trial: int) -> None:
        self._ask(trial, 0.0).kill.remote(trial)

    def close(self) -> None:
        """Leave no trial behind; their keepers end with the connection."""
        seats = [*self._seats.values(), *self._idle]
        asked = [seat.actor.close.remote() for seat in seats if seat.where is not None]
        if asked:
            Waiting(lambda: self._ray.wait(asked, num_returns=len(asked), timeout=FAREWELL)).has_ended(2 * FAREWELL)
        self._seats.clear()
        self._idle.clear()

    def abandon(self) -> None:
        """End all trials; wait for none, but until that is said."""
        # In a thread of its own: a signal may have come in the middle of a call of Ray.
        Waiting(self.close).has_ended(1.0)

    def _hired(self) -> Any:
        """A new keeper. ClusterError: whoever starts it for the cluster does not answer."""
        made: list[Any] = []

        def make() -> None:
            made.append(self._ray.remote(Keeper).options(num_cpus=self._n_cores).remote(*self._order))

        if not Waiting(make).has_ended(SILENCE, self._check):
            raise ClusterError(f"the head of the cluster has not answered for {SILENCE:g} s")
        return made[0]

    def _ask(self, trial: int, seconds: float) -> Any:
        """The keeper of a trial that is to end; one that has not begun so many seconds later will not."""
        seat = self._seats[trial]
        seat.was_asked = True
        if not seat.has_begun:
            seat.deadline = min(seat.deadline, time.monotonic() + seconds)
        return seat.actor

    def _heard(self, number: int) -> list[Report]:
        """What a keeper has answered. ClusterError: that its machine is no place for trials."""
        seat = self._seats[number]
        try:
            found = self._ray.get(seat.reference)
        except self._ray.exceptions.RayError as err:
            return self._lost(number, f"is lost: {reason(err)}")
        seat.reference, seat.deadline = None, time.monotonic() + SILENCE
        if not seat.has_begun:
            seat.where, seat.has_begun, self._n_lost = Where(*found), True, 0
            if seat.where.problem:
                raise ClusterError(f"no trial can be trained on {seat.where.host}: {seat.where.problem}")
            return []
        reports = [report_of(message) for message in found]
        if any(isinstance(report, Ended) for report in reports):
            self._idle.append(self._seats.pop(number))
        return reports

    def _silent(self) -> list[Report]:
        """The ends of trials whose keepers have not answered for too long."""
        now, found = time.monotonic(), list[Report]()
        for number, seat in list(self._seats.items()):
            if seat.deadline < now:
                found += self._lost(number, f"has not answered for {SILENCE:g} s")
            elif seat.where is None and not seat.was_asked and self._idle and now - seat.start_time > HANDOVER:
                # It waits for cores that those who are free may hold.
                self._dismissed(number)
                self.submit(seat.task)
            elif seat.where is None and now - seat.start_time > PATIENCE and not self._was_told:
                self._was_told = True
                n = f"{self._n_cores} free core{'s' if self._n_cores > 1 else ''}"
                self._note(f"trial {number} has not begun after {PATIENCE:g} s: it waits for a machine with {n}")
        return found

    def _dismissed(self, number: int) -> Seat:
        """The seat of a trial, whose keeper is ended."""
        seat = self._seats.pop(number)
        Waiting(lambda: self._ray.kill(seat.actor))
        return seat

    def _lost(self, number: int, why: str) -> list[Report]:
        """The end of a trial without its keeper; one that has not begun is given to another."""
        seat = self._dismissed(number)
        if seat.was_asked:
            return [Ended(number, "stopped", "SIGTERM", 143)]
        if seat.has_begun and seat.where is not None:
            return [Ended(number, "killed", f"its process of Ray on {seat.where.host} {why}", ClusterError.exit_code)]
        self._n_lost += seat.where is None
        if self._n_lost > MOST_LOST:
            raise ClusterError(f"no trial can be started in the cluster: who was to keep one {why}")
        self.submit(seat.task)
        return []
