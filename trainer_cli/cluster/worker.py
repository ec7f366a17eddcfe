"""What a worker does: a function of the weights, the step and the rows that it is given, and of nothing before them."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainer_cli import user_code
from trainer_cli.arrays import Array, Batch
from trainer_cli.assembly import row_counts
from trainer_cli.cluster.blocks import Block
from trainer_cli.cluster.copies import Copies
from trainer_cli.cluster.memory import Handle, SharedMemory
from trainer_cli.cluster.order import Answer, Order, Task, Weights
from trainer_cli.cluster.proof import check_code
from trainer_cli.config.engines import engines
from trainer_cli.config.loaded import read_text
from trainer_cli.config.registry import registry
from trainer_cli.config.run_config import RunConfig, check_run
from trainer_cli.data import encoder
from trainer_cli.epochs import take_batch
from trainer_cli.evaluate import Counts, counted, outputs
from trainer_cli.gradient import MicroBatch, add_gradient
from trainer_cli.gradient_sum import GradientSum, Sums, TableRows
from trainer_cli.job import followers_in
from trainer_cli.pairing import fit_loss, set_up
from trainer_cli.randomness import Moment
from trainer_cli.store import view
from trainer_cli.threads import computing, fix_threads
from trainer_cli.trained import tell_metrics
from trainer_cli.wrappers.engine import expect_rows

# The memory of the weights, that for sums, and what was before them.
MOST_MAPPED = 4


class Worker:
    """One process that computes gradients and counts for a driver, on data that it reads itself or is sent."""

    def __init__(self, order: Order):
        if os.path.isdir(order.folder):
            os.chdir(order.folder)  # the paths of a config begin there
        check_code(order.code)
        user_code.import_files([Path(path) for path, _ in order.code])
        self.config = config = config_of(order)
        encoders: Any = encoder.unpack(*order.encoders)
        self.loss, self.metrics = config.build("loss"), dict(config.build("metrics") or {})
        fit_loss(config, self.loss, encoders["target"])
        tell_metrics(self.metrics, encoders["target"])
        fix_threads(order.threads, engines(config.config["model"]))
        self.model = set_up(config, order.sample, encoders["target"].width, encoders["features"], begins=False)
        expect_rows(self.model, row_counts(config))
        self.loss.use_ops(self.model.ops)
        self.model.store.buffers.fix(order.constants)
        self.followers = followers_in(self.model)
        self.copies = Copies(config, order, encoders) if order.data == "local" else None
        self.total = GradientSum()
        self.version = -1
        self._memory: dict[Handle, SharedMemory] = {}
        self._conditions = ExitStack()
        self._conditions.enter_context(computing(order.threads, self.model))

    def gradient(self, task: Task, weights: Weights, flat: Array | None = None) -> list[Answer]:
        """The sum of each block, up to one whose loss is not finite. What the first micro-batch that fails raises."""
        self.take(weights, flat)
        answers: list[Answer] = []
        for index, (block, parts) in enumerate(task.blocks):
            answers.append(self.block(task, index, block, parts))
            if answers[-1].sums is None:
                break
        return answers

    def count(self, name: str, batches: Sequence[Batch], weights: Weights, flat: Array | None = None) -> Counts:
        """What there is to count in batches of a dev set."""
        self.take(weights, flat)
        data = None if self.copies is None else self.copies.dev[name]
        found = [batch if data is None else take_batch(data, batch.rows) for batch in batches]
        return counted(self.loss, self.metrics, outputs(self.model, self.loss, found))

    def take(self, weights: Weights, flat: Array | None) -> None:
        """Compute with these weights from now on."""
        if weights.version == self.version:
            return
        store = self.model.store
        n, kept = store.values.size, store.buffers.values
        if weights.memory is not None:
            flat = self.mapped(weights.memory).array(store.dtype, n + kept.size)
        assert flat is not None
        if weights.changed is not None and weights.version == self.version + 1:
            store.values[: store.n_dense] = flat[: store.n_dense]
            for name, rows in weights.changed.items():
                table = store.table(name)
                view(store.values, table)[rows] = view(flat, table)[rows]
        else:
            store.values[...] = flat[:n]
        kept[...] = flat[n:]
        for name, array in weights.exact.items():
            store.buffers.exact[name][0][...] = array
        store.buffers.restart()
        for name, memory in weights.memories.items():
            self.followers[name].load_state(memory)
        self.version = weights.version

    def block(self, task: Task, index: int, block: Block, parts: Sequence[MicroBatch]) -> Answer:
        start, store, losses = time.perf_counter(), self.model.store, list[float]()
        for part in parts:
            store.moment = Moment(self.config.system.seed, task.step, part.index)
            batch = part.batch if self.copies is None else take_batch(self.copies.train, part.batch.rows)
            losses.append(add_gradient(self.model, self.loss, replace(part, batch=batch)))
            if not math.isfinite(losses[-1]):
                return Answer(losses, None, time.perf_counter() - start)
            if block.level:
                self.total.add(store, part.row_share)
            else:
                store.buffers.fresh *= store.dtype.type(part.row_share)
        if block.level:
            self.total.finish(store)
        seconds = time.perf_counter() - start
        memory = None if task.memory is None else self.mapped(task.memory)
        return Answer(losses, self.sums(block, memory, index), seconds)

    def sums(self, block: Block, memory: SharedMemory | None, index: int) -> Sums:
        """The sum that the store holds, whose gradients are zero then."""
        store = self.model.store
        tables = {table.name: TableRows(*store.take_rows(table.name)) for table in store.tables}
        exact = {} if block.start else {name: store.buffers.exact[name][1].copy() for name in store.buffers.changing}
        dense, buffers = store.dense, store.buffers.fresh
        if memory is None:
            dense, buffers = dense.copy(), buffers.copy()
        else:
            slot = memory.array(store.dtype, dense.size + buffers.size, index)
            slot[: dense.size], slot[dense.size :] = dense, buffers
            dense, buffers = dense[:0], buffers[:0]
        store.dense.fill(0)
        store.buffers.restart()
        return Sums(block.start, block.level, dense, tables, buffers, exact)

    def mapped(self, handle: Handle) -> SharedMemory:
        if handle not in self._memory:
            if len(self._memory) > MOST_MAPPED:
                self._memory.clear()  # others than the driver's are of no use any more
            self._memory[handle] = SharedMemory.open(handle)
        return self._memory[handle]


def config_of(order: Order) -> RunConfig:
    """The config of the run, its conditions as they were resolved."""
    config = check_run(read_text(order.config.encode(), "config.cfg"), registry)
    return replace(config, system=replace(config.system, ops=order.ops, threads=order.threads))
