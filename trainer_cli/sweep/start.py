"""From what was typed to a sweep that can begin, or go on."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trainer_cli.config.overrides import Override, read_arguments
from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ArgumentError, ConfigError, Problem
from trainer_cli.lock import Lock
from trainer_cli.sweep import record as records
from trainer_cli.sweep.check import check_space
from trainer_cli.sweep.grammar import PATH, RANGE, read_space
from trainer_cli.sweep.record import Plan, Record
from trainer_cli.sweep.search import Search, grid_search, random_search
from trainer_cli.sweep.source import Source
from trainer_cli.sweep.space import Space, at, size
from trainer_cli.threads import cores

DEFAULT_TRIALS = 20
MONITOR = "--training.monitor"


@dataclass(frozen=True)
class Request:
    """The command line of a sweep; None is what was not given, `budget` in seconds, `address` of a Ray cluster."""

    source: Source
    output: Path
    space: tuple[str, ...] = ()
    search: str | None = None
    prune: str | None = None
    metric: str | None = None
    trials: int | None = None
    budget: float | None = None
    n_workers: int = 1
    address: str | None = None
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Ready:
    """A sweep of which all was checked; nothing is written yet. `before` is the one it goes on with."""

    request: Request
    plan: Plan
    source: Source
    config: RunConfig
    space: Space
    search: Search
    before: Record | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def n_cores(self) -> int:
        """The cores of this machine for each of the trials that are trained at once."""
        return max(1, cores() // self.request.n_workers)

    def claim(self) -> tuple[Lock, Record]:
        """Take the folder, and write down what is to be done there."""
        request = self.request
        lock = records.claim(request.output, resume=request.resume, overwrite=request.overwrite)
        try:
            if request.overwrite and (old := records.set_aside(lock.folder)):
                self.notes.append(f"the earlier sweep is set aside in {old}")
            if self.before is None:
                record = records.begin(lock.folder, self.plan, self.config)
            else:
                record = records.read(lock.folder)
            limit(record, request, self.space, self.plan)
            record.save()
        except BaseException:
            lock.release()
            raise
        return lock, record


def prepare(request: Request) -> Ready:
    """Check all that can be checked before a trial is trained."""
    records.check(request.output, resume=request.resume, overwrite=request.overwrite)
    before = records.read(request.output) if request.resume and records.is_sweep(request.output) else None
    plan = planned(request, before)
    fixed = read_arguments(request.source.words)[0]
    check_dashes(fixed)
    space = read_space(plan.space, [override.name for override in fixed])
    if not space:
        raise ArgumentError(
            "there is nothing to sweep: name a key with its values, optimizer.learn_rate=1e-4..1e-1:log"
        )
    source, config = watched(request.source, space, plan)
    plan = replace(plan, seed=config.system.seed)
    check_space(source, space, middle(space))
    if before is not None:
        records.check_same(before, plan, config)
    search = search_of(plan, space, request.n_workers)
    return Ready(request, plan, source, config, space, search, before, notes(request, config, space, plan))


def check_dashes(fixed: Sequence[Override]) -> None:
    """ConfigError: what sets a key to one value has a range for it."""
    for each in fixed:
        if isinstance(each.value, str) and RANGE.fullmatch(each.value):
            message = f"a key that is swept is written without dashes: {each.name}={each.value}"
            raise ConfigError(problems=[Problem(message, PATH, 0, f"--{each.name}")])


def planned(request: Request, before: Record | None) -> Plan:
    """What was asked for; a call that goes on may leave out what the first one said."""
    was = Plan((), "random") if before is None else before.plan
    search, prune = request.search or was.search, request.prune or was.prune
    if request.search == "asha":
        search, prune = "random", "asha"
    return Plan(request.space or was.space, search, prune, request.metric or was.metric)


def watched(source: Source, space: Space, plan: Plan) -> tuple[Source, RunConfig]:
    """The source of the trials, and a config of theirs. ConfigError: it is wrong, or nothing in it gives scores."""
    config = base(source, space)
    if not config.has_dev:
        message = "a sweep compares scores on dev data: add a section [data.dev] or [data.split]"
        raise ConfigError(problems=[config.problem("data", message)])
    if config.has("cluster"):
        raise ConfigError(problems=[config.problem("cluster", "a sweep shares out whole trials: take [cluster] away")])
    if plan.metric is None:
        return source, config
    words = [f"{MONITOR}={json.dumps(plan.metric)}"]
    if config.training.score_weights:
        words.append("--training.score_weights={}")
    source = replace(source, words=(*source.words, *words))
    try:
        return source, base(source, space)
    except ConfigError as err:
        found = [replace(each, where="--metric") if each.where == MONITOR else each for each in err.problems]
        raise ConfigError(problems=found) from err


def base(source: Source, space: Space) -> RunConfig:
    """The config without a trial's values, or, where it lacks one of these keys, with values of the space."""
    try:
        return source.config()
    except ConfigError as err:
        try:
            return source.config(middle(space))
        except ConfigError:
            raise err from None


def middle(space: Space) -> dict[str, object]:
    return at(space, [0.5] * len(space))


def search_of(plan: Plan, space: Space, n_workers: int) -> Search:
    """Who chooses the trials. ArgumentError: there is no end of a grid, or Optuna is missing."""
    inner = None
    if plan.search != "tpe":
        inner = grid_search(space) if plan.search == "grid" else random_search(space, plan.seed)
        if plan.prune is None:
            return inner
    from trainer_cli.sweep.study import StudySearch

    return StudySearch(space, plan.seed, inner=inner, prune=plan.prune, n_workers=n_workers)


def limit(record: Record, request: Request, space: Space, plan: Plan) -> None:
    """Set how many trials there are and how long they may take: what is given, else what was, else the default."""
    record.budget = request.budget or record.budget
    record.n_trials = request.trials or record.n_trials
    if record.n_trials is None and record.budget is None and plan.search != "grid":
        record.n_trials = DEFAULT_TRIALS
    n = size(space)
    if n < math.inf:
        record.n_trials = int(min(n, record.n_trials or n))


def notes(request: Request, config: RunConfig, space: Space, plan: Plan) -> list[str]:
    """What whoever has typed this should know."""
    found, n = [], size(space)
    if request.trials is not None and n < request.trials:
        found.append(f"these values make {n:.0f} trials, not {request.trials}")
    if plan.search == "grid" and request.trials is not None and request.trials < n:
        found.append(f"{request.trials} of the {n:.0f} trials of the grid are trained, in its order")
    threads = config.system.threads
    if request.address is None and isinstance(threads, int) and threads * request.n_workers > cores():
        found.append(
            f"{request.n_workers} trials at once with {threads} threads each (system.threads) share {cores()} cores"
        )
    return found


def summary(ready: Ready, record: Record, n_cores: int, place: str = "") -> str:
    """What begins, in one line: `n_cores` for each trial, at a `place` if that is not this machine alone."""
    n, W = record.n_trials, ready.request.n_workers
    n_over = sum(not trial.is_undone for trial in record.trials.values())
    trials = "trials" if n is None else "1 trial" if n == 1 else f"{n} trials"
    going_on = f"{n_over} are over; " if record.trials else ""
    threads = f"up to {n_cores} thread{'s' if n_cores > 1 else ''} each"
    at_once = f"{W} at once, {threads}" if W > 1 else "one at a time"
    more = f" (--workers {cores()} takes all cores)" if W == 1 < cores() and ready.request.address is None else ""
    return f"{going_on}{trials} ({chosen_by(ready.plan)}), {at_once}{f', on {place}' if place else ''}{more}"


def chosen_by(plan: Plan) -> str:
    return plan.search + (f", pruned by {plan.prune}" if plan.prune else "")
