"""One call of `trainer train`: take the output directory, match it with the config, and run to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from trainer_cli import changes, checkpoint, json_text, output, pointers, provenance, storage, weights, word_vectors
from trainer_cli.assembly import assemble
from trainer_cli.backend import Backend, Cluster, InProcess, Work
from trainer_cli.checkpoint import Checkpoint, Found
from trainer_cli.config.engines import engines
from trainer_cli.config.loaded import load, load_text
from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.sections import CACHE, FREE
from trainer_cli.data.cache import Cache
from trainer_cli.data.fingerprint import Contents, contents
from trainer_cli.errors import (
    ArgumentError,
    ClusterError,
    ConfigError,
    DivergedError,
    ModelFileError,
    Stopped,
    StorageError,
)
from trainer_cli.job import Job
from trainer_cli.lock import Lock
from trainer_cli.loggers.logger import Logger
from trainer_cli.ops import resolve_ops
from trainer_cli.progress import Progress
from trainer_cli.provenance import Conditions
from trainer_cli.refusal import refusal
from trainer_cli.run import Run
from trainer_cli.saver import Saver
from trainer_cli.signals import StopFlag
from trainer_cli.state import RunState
from trainer_cli.threads import computing, cores, fix_threads, resolve_threads
from trainer_cli.watched import WatchedReader
from trainer_cli.wrappers.engine import engines_of

CONFIG, LOG = "config.cfg", "metrics.jsonl"


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    `state` is where the run stands, `best` its best in words (`accuracy 0.9867 at step 700`, or empty), `was_over`
    whether it was finished before, `has_dev` whether it has dev data. `cause` is what cut it short; then `saved` is
    the newest whole checkpoint.
    """

    state: RunState
    best: str = ""
    was_over: bool = False
    cause: Stopped | DivergedError | StorageError | ClusterError | None = None
    saved: Path | None = None
    has_dev: bool = False


@dataclass(frozen=True)
class Ready:
    """A run that can begin: its config, its job, and the facts that its bits depend on; what was read of each data
    set."""

    config: RunConfig
    job: Job
    facts: dict[str, Any]
    contents: Mapping[str, Contents]


@dataclass(frozen=True)
class Session:
    """What every part of a call needs: who is told, who may stop it, what time it is, which changes are allowed.

    `n_cores` is how many cores a rule for threads may give out; all that there are where it is None.
    """

    progress: Progress
    flag: StopFlag
    code: Sequence[Path] = ()
    allow_changed: Collection[str] = ()
    clock: Callable[[], float] = time.monotonic
    n_cores: int | None = None

    def train(self, config: RunConfig, folder: Path, *, resume: bool, overwrite: bool) -> Ending:
        """Train in `folder`, or go on with the run that it holds, or see that it is over."""
        for kind in self.allow_changed:
            if kind not in changes.KINDS:
                raise ArgumentError(f"--allow-changed takes one of {', '.join(changes.KINDS)}, not {kind!r}")
        lock = output.claim(folder, resume=resume, overwrite=overwrite)
        try:
            return self.train_in(lock, config, overwrite)
        finally:
            lock.release()

    def train_in(self, lock: Lock, config: RunConfig, overwrite: bool) -> Ending:
        found = Found(None, ()) if overwrite else checkpoint.newest(lock.folder, lock)
        for line in found.skipped:
            self.progress.warn(line)
        if found.checkpoint is None and (lock.folder / LOG).exists() and not overwrite:
            self.progress.warn(f"{lock.folder}: no checkpoint is left of an earlier run; this one begins at step 0")
        try:
            ready = self.prepare(lock.folder, config, found.checkpoint)
            # A run that goes on may be over, then nobody needs them.
            loggers = loggers_of(ready.config) if found.checkpoint is None else None
            if overwrite and (old := output.set_aside(lock)):
                self.progress.warn(f"the earlier run is set aside in {old}")
        except (Stopped, StorageError) as err:
            saved = None if overwrite else next(checkpoint.whole(lock.folder), None)
            return Ending(RunState(), cause=err, saved=saved)
        try:
            return self.go_on(ready, loggers, found.checkpoint, lock.folder)
        except (Stopped, DivergedError, StorageError, ClusterError) as err:
            return Ending(RunState(), cause=err, saved=next(checkpoint.whole(lock.folder), None))

    def prepare(self, run_dir: Path, config: RunConfig, found: Checkpoint | None) -> Ready:
        """All that can be wrong is found here; nothing is written."""
        with remedied(run_dir):
            before = None if found is None else provenance.read(run_dir)
        config = config if before is None else as_recorded(config, before)
        n_cores = self.n_cores or cores()
        wanted = fix_threads(config.system.threads, engines(config.config.get("model", {})), n_cores)
        # What is drawn and fitted before the number of threads is known shall not depend on the machine's.
        with threadpool_limits(1):
            job = assemble(config, self.flag, cache_of(config, run_dir), begins=found is None)
        threads = resolve_threads(wanted, job.largest_product, n_cores)
        conditions = Conditions(resolve_ops(config.system.ops), threads, job.eval_batch_size)
        read = self.contents(config)
        data = data_facts(config, job, read)
        facts = provenance.provenance(conditions, seed=job.seed, data=data, code=self.code)
        facts |= begun_from(config, before)
        if found is not None and before is not None:
            facts["changes"] = self.accepted(run_dir, before, facts, config, job.config_text, found.step)
        return Ready(config, job, facts, read)

    def driver(self, config: RunConfig, job: Job, run_dir: Path) -> Run:
        saver = Saver(
            run_dir,
            run_dir / LOG,
            keep=config.checkpoints.keep,
            max_seconds=config.checkpoints.max_seconds,
            clock=self.clock,
            tell=self.progress.warn,
            detail=self.progress.detail,
        )
        return Run(job, saver, self.progress, self.flag, self.clock)

    def go_on(
        self, ready: Ready, loggers: Mapping[str, Logger] | None, found: Checkpoint | None, run_dir: Path
    ) -> Ending:
        with computing(ready.facts["threads"], ready.job.model):
            driver = self.driver(ready.config, ready.job, run_dir)
            if found is not None:
                with in_folder(checkpoint.step_folder(run_dir, found.step)):
                    driver.resume(found)
                pointers.refresh(run_dir, found.state)  # a kill may have come between a checkpoint and its pointers
            was_over = driver.is_over
            if not was_over:
                if found is not None:
                    self.progress.say(f"going on from step {found.step}")
                loggers = loggers_of(ready.config) if loggers is None else loggers
                with self.backend(ready, run_dir) as driver.backend:
                    self.begin(driver, ready, loggers, run_dir)
        for line in (line for engine in engines_of(ready.job.model) for line in engine.notes()):
            self.progress.detail(line)
        best = driver.state.best
        words = f"{ready.job.monitor.text(best.score)} at step {best.step}" if best else ""
        return Ending(driver.state, words, was_over, has_dev=bool(ready.job.dev))

    def backend(self, ready: Ready, run_dir: Path) -> AbstractContextManager[Backend]:
        """Who computes for a run: this process, or the workers of its cluster."""
        cluster: Cluster | None = ready.config.build("cluster")
        if cluster is None:
            return nullcontext(InProcess(ready.job))
        cache = cache_of(ready.config, run_dir).folder
        return cluster.open(
            Work(ready.job, ready.facts, ready.contents, cache.resolve(), self.progress.warn, self.flag.check)
        )

    def begin(self, driver: Run, ready: Ready, loggers: Mapping[str, Logger], run_dir: Path) -> None:
        self.progress.detail(summary(ready.job, ready.facts))
        for line in (*ready.job.notes, *word_vectors.told(ready.job.model)):
            self.progress.say(line)
        storage.replace_file(run_dir / provenance.NAME, json_text.dumps(ready.facts))
        storage.replace_file(run_dir / CONFIG, ready.job.config_text.encode())
        driver.go(loggers)

    def contents(self, config: RunConfig) -> dict[str, Contents]:
        """What there is to read of each data set."""
        found = {}
        for name in config.readers:
            reader = config.build(f"data.{name}")
            # Values are hashed where there are no files, which takes as long as reading them.
            found[name] = contents(reader if hasattr(reader, "files") else WatchedReader(reader, self.flag))
        return found

    def accepted(
        self,
        run_dir: Path,
        before: Mapping[str, Any],
        now: Mapping[str, Any],
        config: RunConfig,
        config_text: str,
        step: int,
    ) -> list[dict[str, Any]]:
        """The run's changes of conditions, with those of now; ConfigError if there are any that are not allowed."""
        found = changes.of_facts(before, now)
        with remedied(run_dir):
            began = load(run_dir / CONFIG).config
        current = load_text(config_text).config
        changed = changes.of_config(began, current)
        found = ({"config": changed} if changed else {}) | found
        refused = [kind for kind in found if kind in changes.KINDS and kind not in self.allow_changed]
        if refused:
            raise refusal(run_dir, {kind: found[kind] for kind in refused}, config, began, current)
        for line in (line for lines in found.values() for line in lines):
            self.progress.warn(f"other bits may follow: {line}")
        return [*before["changes"], *([{"step": step, **found}] if found else [])]


def data_facts(config: RunConfig, job: Job, read: Mapping[str, Contents]) -> dict[str, Any]:
    """What run.json says of the data."""
    found = {
        name: provenance.data_facts(section, config.build(f"data.{name}"), read[name])
        for name, section in config.readers.items()
    }
    if config.has("data.split"):
        split = config.config["data"]["split"]
        found["split"] = provenance.split_facts(found["train"], split, job.trained.target[1].reads)
    return found


def loggers_of(config: RunConfig) -> dict[str, Logger]:
    """The loggers, made. ConfigError: one is none."""
    loggers: dict[str, Logger] = dict(config.build("loggers") or {})
    for name, logger in loggers.items():
        if not isinstance(logger, Logger):
            message = f"a logger has the methods log(row) and close(), which {type(logger).__name__} has not"
            raise ConfigError(problems=[config.problem(f"loggers.{name}", message)])
    return loggers


def begun_from(config: RunConfig, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What run.json says of `[training] init_from`. A run that goes on needs the file no more: if it is gone, what was
    recorded of it stays."""
    asked = weights.asked_of(config)
    recorded = None if before is None else before.get("init_from")
    if asked is None:
        return {}
    if isinstance(recorded, dict) and not asked.path.exists():
        return {"init_from": recorded}
    with weights.at_key(config, asked.path):
        return {"init_from": provenance.content_facts(asked.path, weights.content(asked.path))}


def cache_of(config: RunConfig, run_dir: Path) -> Cache:
    """Where data that do not fit in memory are kept: `[paths] cache`, shared by all who name it, or the run's own."""
    shared = config.config.get(FREE, {}).get(CACHE)
    return Cache(Path(shared) if isinstance(shared, str) and shared else run_dir / CACHE)


@contextmanager
def remedied(run_dir: Path) -> Iterator[None]:
    """Add the way out where a run's own files do not tell under which conditions it began."""
    try:
        yield
    except (ModelFileError, ConfigError) as err:
        way_out = f"Put the file back, or let --overwrite set the run in {run_dir} aside and start anew"
        raise ModelFileError(f"{err}\n{way_out}") from err


@contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """Put a folder before the name of a file in it that a ModelFileError begins with."""
    try:
        yield
    except ModelFileError as err:
        raise ModelFileError(f"{folder}/{err}") from err


def as_recorded(config: RunConfig, before: Mapping[str, Any]) -> RunConfig:
    """The config of a run that goes on: what it leaves to a rule stays as the rule decided when the run began."""
    system = config.system
    threads, ops = before.get("threads"), before.get("ops")
    if system.threads == "auto" and type(threads) is int and threads >= 1:
        system = replace(system, threads=threads)
    if system.ops == "auto" and (ops == "numpy" or (ops == "numba" and find_spec("numba"))):
        system = replace(system, ops=ops)
    return replace(config, system=system)


def summary(job: Job, facts: Mapping[str, Any]) -> str:
    """What is trained on what, in one line."""
    dev = f", {sum(data.n for data in job.dev.values()):,} dev rows" if job.dev else ""
    threads = f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    return f"{job.train.n:,} training rows{dev}; {job.model.store.values.size:,} parameters; {facts['ops']}, {threads}"
