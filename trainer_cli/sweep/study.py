"""Searches of Optuna (Akiba et al., KDD 2019): values suggested by what was reached, trials ended for being behind.

TPE: Bergstra et al., NeurIPS 2011. ASHA: Li et al., MLSys 2020.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trainer_cli.extras import required
from trainer_cli.randomness import number as derived
from trainer_cli.sweep.search import Search, drawn, written
from trainer_cli.sweep.space import Choice, Dimension, Params, Space

PRUNERS = ("median", "asha")
# So many suggestions that were tried already are answered from memory; then a trial is drawn that was not.
MOST_REPEATS = 50
# What Optuna is told of each state; a trial that diverged is one to stay away from, not one to forget.
TOLD = {"finished": "COMPLETE", "pruned": "PRUNED", "diverged": "PRUNED"}
# What stands for a score that is no finite number: worse than any, and one that a median can be taken of.
WORST = -1e300


class StudySearch:
    """A `Search` by a study of Optuna.

    `inner` chooses the trials where TPE does not; `prune` says which of `PRUNERS` ends them, if any. What is suggested
    after the same reports is the same: each suggestion has a seed of its own. ArgumentError: Optuna is not installed.
    """

    def __init__(self, space: Space, seed: int, *, inner: Search | None, prune: str | None, n_workers: int):
        self._optuna: Any = required("optuna", "--search tpe and --prune")
        self._space = space
        self._seed = seed
        self._inner = inner
        self._is_parallel = n_workers > 1
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._distributions = {each.name: self._distribution(each) for each in space}
        self._study = self._optuna.create_study(direction="maximize", pruner=self._pruner(prune))
        self._trials: dict[int, Any] = {}
        # After how many updates a trial was heard of last, and how often it was.
        self._heard: dict[int, tuple[int, int]] = {}
        self._values: dict[str, float | None] = {}
        self._others = drawn(space, seed)

    def suggest(self, number: int) -> Params | None:
        if self._inner is not None:
            params = self._inner.suggest(number)
            if params is not None:
                self._enqueue(number, params)
            return params
        for attempt in range(MOST_REPEATS):
            self._study.sampler = self._sampler(number, attempt)
            with quietly(self._optuna):
                trial = self._study.ask(self._distributions)
            params = {each.name: read(each, trial.params[each.name]) for each in self._space}
            if written(params) not in self._values:
                self._know(number, params, trial)
                return params
            self._tell(trial, self._values[written(params)], "COMPLETE")
        params = next((each for each in self._others if written(each) not in self._values), None)
        if params is not None:
            self._enqueue(number, params)
        return params

    def adopt(self, number: int, params: Params) -> None:
        if self._inner is not None:
            self._inner.adopt(number, params)
        self._enqueue(number, params)

    def report(self, number: int, step: int, value: float | None) -> bool:
        last, n = self._heard.get(number, (0, 0))
        if step <= last:
            return False
        self._heard[number] = step, n + 1
        trial = self._trials[number]
        trial.report(WORST if value is None else value, n + 1)
        return bool(trial.should_prune())

    def close(self, number: int, value: float | None, state: str) -> None:
        trial = self._trials.pop(number)
        key = written({each.name: read(each, trial.params[each.name]) for each in self._space})
        self._values[key] = value
        self._tell(trial, value, TOLD.get(state, "FAIL"))

    def _enqueue(self, number: int, params: Mapping[str, Any]) -> None:
        self._study.enqueue_trial({each.name: coded(each, params[each.name]) for each in self._space})
        with quietly(self._optuna):
            self._know(number, params, self._study.ask(self._distributions))

    def _know(self, number: int, params: Mapping[str, Any], trial: Any) -> None:
        self._trials[number] = trial
        self._values[written(dict(params))] = None

    def _tell(self, trial: Any, value: float | None, state: str) -> None:
        is_known = value is not None and math.isfinite(value)
        if state == "COMPLETE" and not is_known:
            state = "FAIL"
        states = self._optuna.trial.TrialState
        self._study.tell(trial, value if state == "COMPLETE" else None, state=states[state])

    def _sampler(self, number: int, attempt: int) -> Any:
        seed = derived(self._seed, "sweep", "tpe", number, attempt, n_bytes=4)
        with quietly(self._optuna):
            return self._optuna.samplers.TPESampler(seed=seed, constant_liar=self._is_parallel)

    def _pruner(self, name: str | None) -> Any:
        pruners = self._optuna.pruners
        if name == "asha":
            return pruners.SuccessiveHalvingPruner(min_resource=1)
        return pruners.MedianPruner() if name == "median" else pruners.NopPruner()

    def _distribution(self, each: Dimension) -> Any:
        found = self._optuna.distributions
        if isinstance(each, Choice):
            return found.CategoricalDistribution(tuple(range(len(each.values))))
        kind = found.IntDistribution if each.whole else found.FloatDistribution
        return kind(each.low, each.high, log=each.log)


def coded(each: Dimension, value: Any) -> Any:
    """A value as Optuna knows it: those of a choice by their place, since they may be lists."""
    return (
        [written({"": other}) for other in each.values].index(written({"": value}))
        if isinstance(each, Choice)
        else value
    )


def read(each: Dimension, value: Any) -> Any:
    """The inverse of `coded`."""
    return each.values[value] if isinstance(each, Choice) else value


@contextmanager
def quietly(optuna: Any) -> Iterator[None]:
    """Without a word on parts of Optuna that it may still change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield
