"""One call of `trainer train`: take the output directory, match it with the config, and run to the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from trainer_cli import checkpoint, json_text, output, provenance, storage
from trainer_cli.assembly import assemble
from trainer_cli.config.loaded import load, load_text
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError
from trainer_cli.job import Job
from trainer_cli.lock import Lock
from trainer_cli.ops import resolve_ops
from trainer_cli.progress import Progress
from trainer_cli.run import Run
from trainer_cli.saver import Saver
from trainer_cli.signals import StopFlag
from trainer_cli.state import RunState
from trainer_cli.threads import cores, resolve_threads

CONFIG, LOG = "config.cfg", "metrics.jsonl"


@dataclass(frozen=True)
class Ending:
    """How a call ended: the run's state, and whether it was over before."""

    state: RunState
    run_dir: Path
    was_over: bool


def train(
    config: RunConfig,
    folder: Path,
    *,
    resume: bool,
    overwrite: bool,
    code: Sequence[Path],
    progress: Progress,
    flag: StopFlag,
) -> Ending:
    """Train in `folder`, or go on with the run that it holds, or see that it is over."""
    lock = output.claim(folder, resume=resume, overwrite=overwrite)
    try:
        job = assemble(config, flag)
        threads = resolve_threads(config.system.threads, job.largest_product, cores())
        facts = provenance.provenance(
            seed=job.seed, ops=resolve_ops(config.system.ops), threads=threads, data=data_facts(config), code=code
        )
        with threadpool_limits(threads):
            return go_on(config, job, facts, lock, progress, flag)
    finally:
        lock.release()


def go_on(
    config: RunConfig, job: Job, facts: Mapping[str, Any], lock: Lock, progress: Progress, flag: StopFlag
) -> Ending:
    run_dir = lock.folder
    saver = Saver(
        run_dir,
        run_dir / LOG,
        keep=config.checkpoints.keep,
        max_seconds=config.checkpoints.max_seconds,
        clock=time.monotonic,
        tell=progress.warn,
    )
    driver = Run(job, saver, progress, flag, time.monotonic)
    found = checkpoint.newest(run_dir, lock)
    for line in found.skipped:
        progress.warn(line)
    if found.checkpoint is not None:
        compare(run_dir, facts, job.config_text)
        driver.resume(found.checkpoint)
    was_over = driver.is_over
    if not was_over:
        storage.replace_file(run_dir / provenance.NAME, json_text.dumps(facts))
        storage.replace_file(run_dir / CONFIG, job.config_text.encode())
        driver.go()
    return Ending(driver.state, run_dir, was_over)


def data_facts(config: RunConfig) -> dict[str, Any]:
    names = [name for name in ("train", "dev") if config.has(f"data.{name}")]
    return {name: provenance.data_facts(config.config["data"][name], config.build(f"data.{name}")) for name in names}


def compare(run_dir: Path, facts: Mapping[str, Any], config_text: str) -> None:
    """Refuse to go on with a run under conditions that would change its bits. ConfigError names each of them."""
    before = provenance.read(run_dir)
    found = provenance.config_differences(load(run_dir / CONFIG).config, load_text(config_text).config)
    found += provenance.differences(before, facts)
    if found:
        remedy = "--overwrite sets that run aside and starts anew"
        lines = "\n".join(f"  {line}" for line in found)
        raise ConfigError(f"{run_dir}: this run began under other conditions; {remedy}.\n{lines}")
