"""The process that directs workers: it deals out each step and each evaluation, and adds up what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from trainer_cli.arrays import Array, Batch, Ints
from trainer_cli.backend import Work
from trainer_cli.cluster.blocks import dealt
from trainer_cli.cluster.connection import INLINE_BYTES
from trainer_cli.cluster.crew import Crew
from trainer_cli.cluster.failure import Failure
from trainer_cli.cluster.member import Member
from trainer_cli.cluster.memory import SharedMemory, aligned, can_share
from trainer_cli.cluster.numbered import Numbered, by_numbers
from trainer_cli.cluster.order import Answer, Order, Task, Weights, order_of
from trainer_cli.cluster.room import Room, counted
from trainer_cli.data.dataset import Dataset
from trainer_cli.epochs import Data, take_batch
from trainer_cli.evaluate import Counts, Scores
from trainer_cli.gradient import MicroBatch, cut, plus
from trainer_cli.gradient_sum import GradientSum
from trainer_cli.job import Watch, followers_in
from trainer_cli.store import Store, view

if TYPE_CHECKING:
    from trainer_cli.cluster.ray import RayCluster

T = TypeVar("T")

# Parts of an evaluation for each worker: the more, the less the slowest one is waited for.
PARTS_PER_WORKER = 4
# What is smaller goes along with a call, as Ray has it by default, in bytes.
LEAST_STORED = 100_000


class Driver:
    """The backend of a run with workers."""

    def __init__(self, ray: Any, cluster: RayCluster, work: Work, room: Room):
        self.ray, self.job, self.is_local = ray, work.job, cluster.data == "local"
        job = work.job
        self.store = store = job.model.store
        order = order_of(work, cluster.data)
        self.crew = Crew(
            ray,
            given(ray, order, INLINE_BYTES if cluster.address is None else LEAST_STORED),
            ray.get_runtime_context().get_node_id() if can_share() else None,
            room,
            cluster.worker_timeout,
            cluster.max_restarts,
            work.say,
            work.check,
        )
        self.n_sums = store.n_dense + store.buffers.values.size
        self.n_weights = store.values.size + store.buffers.values.size
        self.memory = SharedMemory.make(self.n_weights * store.dtype.itemsize) if can_share() else None
        self.version = 0
        self.is_trained_on = False  # whether the last numbers published are those before the last update
        self.is_idle_told = False
        self.followers = followers_in(job.model)
        self.total = GradientSum()

    @property
    def note(self) -> str:
        n, ready = self.crew.n, self.crew.n_ready
        return ("" if ready == n else f"{ready} of ") + counted(n, "worker")

    # Training

    @property
    def rows(self) -> Data:
        return Numbered.of(self.job.train) if self.is_local else self.job.train

    def gradient(self, batch: Batch, step: int) -> float:
        n_parts = self.job.accumulate(step)
        self.tell_idle(int(n_parts), step)
        parts = [self.addressed(part) for part in cut(self.job.trained.loss, batch, n_parts)]
        jobs = [[(block, parts[block.start : block.stop]) for block in each] for each in dealt(len(parts), self.crew.n)]
        give = self.published(self.store.changed if self.is_trained_on else None)
        self.is_trained_on = True

        def question(member: Member, blocks: Any) -> Sequence[Any]:
            memory = self.slots(member, len(blocks))
            return "gradient", Task(step, blocks, None if memory is None else memory.handle), *give(member)

        found = {index: self.brought(member, answers) for index, member, answers in self.crew.run(jobs, question)}
        return self.add_up(found[index] for index in range(len(jobs)))

    def tell_idle(self, n_parts: int, step: int) -> None:
        """Tell once that there is not something to do for each worker, where nobody could see it before the run."""
        if n_parts < self.crew.n and not self.is_idle_told:
            self.is_idle_told = True
            parts = f"{n_parts} micro-batch{'es' if n_parts > 1 else ''}"
            self.crew.say(f"training.accumulate_gradient gives {parts} at step {step} for {self.crew.n} workers")

    def addressed(self, part: MicroBatch) -> MicroBatch:
        """A micro-batch as a worker is told of it: where it has the data, by the numbers of its rows alone."""
        return replace(part, batch=by_numbers(part.batch.rows)) if self.is_local else part

    def slots(self, member: Member, n: int) -> SharedMemory | None:
        """The memory for the sums of `n` blocks of a worker on this machine."""
        if not self.is_near(member):
            return None
        n_bytes = n * aligned(self.n_sums * self.store.dtype.itemsize)
        # What a worker has brought in this step is read at its end: for more it gets other memory.
        if member.memory is None or member.memory.handle.n_bytes < n_bytes or member.version == self.version:
            member.memory = SharedMemory.make(n_bytes)
        member.version = self.version
        return member.memory

    def brought(self, member: Member, answers: Sequence[Answer] | Failure) -> Sequence[Answer] | Failure:
        """What a worker answered, with arrays of sums that may be overwritten."""
        if isinstance(answers, Failure):
            return answers
        return [self.own(member, index, answer) for index, answer in enumerate(answers)]

    def own(self, member: Member, index: int, answer: Answer) -> Answer:
        sums = answer.sums
        if sums is None:
            return answer
        if member.memory is None:
            dense, buffers = sums.dense.copy(), sums.buffers.copy()
        else:
            found = member.memory.array(self.store.dtype, self.n_sums, index)
            dense, buffers = found[: self.store.n_dense], found[self.store.n_dense :]
        return answer._replace(sums=sums._replace(dense=dense, buffers=buffers))

    def add_up(self, found: Iterable[Sequence[Answer] | Failure]) -> float:
        """Leave the sum of all blocks in the store; the loss of the batch. DivergedError: it is not finite.

        Of all that went wrong the first counts, in the order of the micro-batches.
        """
        value = 0.0
        for answer in (answer for answers in found for answer in succeeded(answers)):
            for loss in answer.losses:
                value = plus(value, loss)
            assert answer.sums is not None  # else a loss was not finite
            self.total.add_sums(answer.sums)
        self.total.finish(self.store)
        return value

    # The numbers that workers compute with

    def published(self, changed: Mapping[str, Ints] | None) -> Callable[[Member], tuple[Weights, Any]]:
        """Publish the model's parameters and buffers; returns what is to be told to a worker.

        `changed` are the rows of tables that have changed since the last time, None if any may have.
        """
        store = self.store
        self.version += 1
        if self.memory is not None:
            fill(self.memory.array(store.dtype, self.n_weights), store, changed)
        weights = Weights(
            self.version,
            changed,
            {name: value.copy() for name, (value, _) in store.buffers.changing.items()},
            {name: schedule.to_state() for name, schedule in self.followers.items()},
            None,
        )
        sent: list[Any] = []

        def told(member: Member) -> tuple[Weights, Any]:
            if self.memory is not None and self.is_near(member):
                return replace(weights, memory=self.memory.handle), None
            if not sent:
                sent.append(self.ray.put(np.concatenate([store.values, store.buffers.values])))
            return weights, sent[0]

        return told

    def is_near(self, member: Member) -> bool:
        """Whether a worker can share memory with this process."""
        return self.memory is not None and member.pipe is not None

    # Evaluation

    def scores(self, name: str, watch: Watch) -> Scores:
        job, data = self.job, self.job.dev[name]
        n_batches = -(-data.n // job.eval_batch_size)
        jobs = [range(each[0].start, each[-1].stop) for each in dealt(n_batches, PARTS_PER_WORKER * self.crew.n)]
        found: dict[int, Counts | Failure] = {}
        # The averages are there until the last worker has been told them.
        with job.model.use_params(job.optimizer.averages):
            give = self.published(None)
            self.is_trained_on = False

            def question(member: Member, indexes: range) -> Sequence[Any]:
                return "count", name, self.batches(data, indexes), *give(member)

            for index, _, counts in watch(self.crew.run(jobs, question), len(jobs)):
                found[index] = counts
        whole = succeeded(found[0])
        for index in range(1, len(jobs)):
            whole.merge(succeeded(found[index]))
        return whole.scores(job.trained.loss)

    def batches(self, data: Dataset, indexes: range) -> list[Batch]:
        """Batches of a dev set by their indexes, as a worker is told of them."""
        size = self.job.eval_batch_size
        starts = [index * size for index in indexes]
        if self.is_local:
            return [by_numbers(np.arange(start, min(start + size, data.n))) for start in starts]
        return [take_batch(data, np.arange(start, min(start + size, data.n))) for start in starts]


def given(ray: Any, order: Order, least_stored: int) -> Any:
    """An order as workers are given it: by itself, or Ray's reference to it if it has so many bytes."""
    return order if len(ray.cloudpickle.dumps(order)) < least_stored else ray.put(order)


def succeeded(found: T | Failure) -> T:
    """What was found, or else what has been raised instead."""
    if isinstance(found, Failure):
        raise found.error()
    return found


def fill(flat: Array, store: Store, changed: Mapping[str, Ints] | None) -> None:
    """Write a store's parameters and buffers end to end: of tables the rows that have changed."""
    n = store.n_dense if changed is not None else store.values.size
    flat[:n] = store.values[:n]
    flat[store.values.size :] = store.buffers.values
    for name, rows in (changed or {}).items():
        table = store.table(name)
        view(flat, table)[rows] = view(store.values, table)[rows]
