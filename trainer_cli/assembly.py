"""From a checked config to a job: encoders fitted, data encoded, the model's sizes inferred, everything matched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainer_cli.arrays import Rows, Stored, n_rows, slice_rows
from trainer_cli.balance import Balance
from trainer_cli.batchers.batcher import Batcher, row_lengths
from trainer_cli.config.document import together
from trainer_cli.config.filled import fill, write_filled
from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.writer import write
from trainer_cli.data import dataset
from trainer_cli.data.cache import Cache
from trainer_cli.data.dataset import Dataset
from trainer_cli.errors import ConfigError, TrainerError
from trainer_cli.extras import bare
from trainer_cli.job import Job, Monitor, largest_micro_batch, score_name
from trainer_cli.kinds import check_kinds, check_unknown
from trainer_cli.layer_watch import kind_of
from trainer_cli.loading import Loading
from trainer_cli.losses.loss import Loss
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Model
from trainer_cli.optimizers.updater import Updater
from trainer_cli.pairing import check_pair, fit_loss, set_up
from trainer_cli.placing import gathered, placed
from trainer_cli.registry import nearest
from trainer_cli.rehearsal import N_ROWS, rehearse
from trainer_cli.run_schedules import (
    batch_size_of,
    check_followers,
    check_parameters,
    check_values,
    check_workers,
    steps_of,
    varying,
)
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.short_batches import check_one_row
from trainer_cli.signals import StopFlag
from trainer_cli.sources import (
    Sources,
    check_classes,
    check_weights,
    reader_facts,
    set_name,
    sources,
    split_labels,
)
from trainer_cli.state import Limits
from trainer_cli.trained import SECTIONS, Trained, shapes_of, tell_metrics
from trainer_cli.watched import WatchedReader
from trainer_cli.wrappers.engine import RowCounts, engines_of, expect_rows


def assemble(config: RunConfig, flag: StopFlag, cache: Cache | None = None, *, begins: bool = True) -> Job:
    """Read and encode the data, make the model, and match everything with everything.

    All that can be wrong is found here, before the first update. Encoded data that take more than `[system]
    data_memory` lie in the cache, if there is one. Unless the run `begins`, its numbers are to come from a checkpoint.
    `Stopped` if a signal comes meanwhile.
    """
    whole, loss, metrics = parts(config)
    found = whole.divided(config, flag)
    train, dev = encoded(config, whole, found, flag, cache)
    fit_loss(config, loss, found.target[1])
    tell_metrics(metrics, found.target[1])
    samples = [(*data.first(N_ROWS), data.weights) for data in (train, *dev.values())]
    model = set_up(config, samples[0][0], found.target[1].width, found.features[1], begins=begins)
    if engines_of(model):
        expect_rows(model, row_counts(config))
    loss.use_ops(model.ops)
    scores = rehearse(config, model, loss, metrics, samples)
    optimizer, batch_size, batcher, balance = updates(config, model, train)
    n = train.n if balance is None else balance.n_rows
    check_one_row(config, model, samples[0][0], n, batch_size, batcher)
    training = config.training
    return Job(
        trained=Trained(
            config=model_config(config),
            model=model,
            loss=loss,
            metrics=metrics,
            features=found.features,
            target=found.target,
            reader=reader_facts(config, whole.train),
            shapes=shapes_of(samples[0][0], getattr(found.features[1], "n_ids", None)),
            weight_column=training.weight_column,
            dev_sets=tuple(dev),
        ),
        config_text=write_filled(filled(config, found), config.loaded.document),
        optimizer=optimizer,
        train=train,
        dev=dev,
        batch_size=batch_size,
        batcher=batcher,
        balance=balance,
        accumulate=as_schedule(training.accumulate_gradient),
        limits=Limits(training.max_steps, training.max_epochs, training.max_time, training.patience),
        seed=config.system.seed,
        eval_frequency=training.eval_frequency,
        eval_batch_size=training.eval_batch_size,
        monitor=monitor_of(config, metrics, scores, list(dev)),
        notes=[*whole.doubts(), *whole.left_out()],
    )


def encoded(
    config: RunConfig, whole: Sources, found: Sources, flag: StopFlag, cache: Cache | None
) -> tuple[Dataset, dict[str, Dataset]]:
    """The training rows and each dev set, after the encoders are fitted on the former."""
    features, target = found.features[1], found.target[1]
    loading = Loading(config, whole, found, flag, cache)
    with placed(config, "data.train"):
        n = dataset.fit(WatchedReader(found.train, flag), features, target, weights=found.weights)
    train = loading.load("train", found.train, n)
    with split_labels(found):
        dev = {name: loading.load(name, reader, found.held_out.get(name, 0)) for name, reader in found.dev.items()}
    check_classes(config, target)
    check_weights(config, train.weights)
    return train, {set_name(name): data for name, data in dev.items()}


def row_counts(config: RunConfig) -> RowCounts:
    """The most rows that a pass of the model gets."""
    training = config.training
    largest = largest_micro_batch(batch_size_of(config), as_schedule(training.accumulate_gradient))
    return RowCounts(largest, training.eval_batch_size)


def updates(config: RunConfig, model: Model, train: Dataset) -> tuple[Updater, Schedule, Batcher, Balance | None]:
    """What the updates are made with. ConfigError: settings, schedules and training rows do not fit each other."""
    optimizer: Updater = config.build("optimizer")
    check_parameters(config, optimizer, model)
    batch_size = batch_size_of(config)
    schedules = varying(config, optimizer, batch_size, model)
    check_followers(config, schedules)
    batcher, balance = batching(config, train.X, train.Y)
    n = n_units(batcher, train.X, train.n if balance is None else balance.n_rows)
    n_steps = steps_of(config, n, batch_size)
    check_values(config, optimizer, schedules, n_steps)
    check_workers(config, n_steps)
    return optimizer, batch_size, batcher, balance


def batching(config: RunConfig, X: Rows | Stored, Y: Rows | Stored) -> tuple[Batcher, Balance | None]:
    """How the rows of a pass are cut into batches, and how often each is used. ConfigError: the data do not fit."""
    batcher = config.training.batcher or Batcher()
    if batcher.by_lengths and row_lengths(X) is None:
        message = "goes by the number of words in a row, and no feature has words, as text.v1 or tokens.v1 give them"
        raise ConfigError(problems=[config.problem("training.batcher", message)])
    if not config.training.balance:
        return batcher, None
    Y = slice_rows(Y, 0, n_rows(Y))  # one that lies in a file is read
    if not isinstance(Y, np.ndarray) or Y.ndim != 1 or Y.dtype.kind not in "iu":
        message = "needs a target of one class a row, as labels.v1 gives: take the setting away"
        raise ConfigError(problems=[config.problem("training.balance", message)])
    return batcher, Balance(Y)


def n_units(batcher: Batcher, X: Rows | Stored, n: int) -> int:
    """About how much `n` rows like these are in the unit of batch sizes: rows, or words."""
    lengths = row_lengths(X) if batcher.size is not None else None
    return n if lengths is None else math.ceil(n * float(lengths.mean()))


def parts(config: RunConfig) -> tuple[Sources, Loss, dict[str, Tally]]:
    """The data, the loss and the metrics. All that can be wrong with them, with what else the config makes, and between
    the two, before a row is read, comes in one error."""
    errors: list[TrainerError] = []
    made: dict[str, Any] = {}
    for name in ("loss", "metrics", "model", "optimizer", "batch_size"):
        with gathered(errors):
            made[name] = config.build(name)
    found = None
    with gathered(errors):
        found = sources(config)
    loss: Any = made.get("loss")
    metrics = dict(made.get("metrics") or {})
    if "loss" in made:
        with gathered(errors):
            target = found.target[0] if found else config.config.get("target", {}).get("@encoders", "")
            check_kinds(config, loss, metrics, target)
        if found is not None:
            with gathered(errors):
                check_unknown(config, loss, found.target[1])
    for name, kind, words in (("model", Model, "a Model"), ("optimizer", Updater, "an Optimizer")):
        if name in made and not isinstance(made[name], kind):
            function = str(config.config[name].get("@layers"))
            told = bare(made[name], function, name) if name == "model" else ""
            message = f"{function} {told}" if told else f"its function must return {words}, not {kind_of(made[name])}"
            errors.append(ConfigError(problems=[config.problem(name, message)]))
    if isinstance(made.get("model"), Model) and isinstance(loss, Loss):
        with gathered(errors):
            check_pair(config, made["model"], loss)
    if errors or found is None:
        raise together(errors)
    return found, loss, metrics


def monitor_of(
    config: RunConfig, metrics: Mapping[str, Tally], scores: Mapping[str, Sequence[str]], sets: Sequence[str]
) -> Monitor:
    """What decides which model is best: `score_weights`, or the one score `monitor`; by default the first metric, or
    the dev loss where there is none, of the first dev set. `scores` are the names of each metric's."""
    each = {name: metric.higher_is_better for key, metric in metrics.items() for name in scores[key]} | {"loss": False}
    higher = {score_name(name, of, sets): up for of in sets or ("dev",) for name, up in each.items()}
    names = tuple(name for name in higher if name != "loss")
    training = config.training
    weights: dict[str, float] = {}
    for key, asked in (("score_weights", training.score_weights), ("monitor", {training.monitor: 1.0})):
        for name, weight in asked.items():
            if name is not None:
                found = known_score(config, f"training.{key}", name, list(higher), sets)
                weights[found] = weights.get(found, 0.0) + weight
    return Monitor(weights or {next(iter(higher)): 1.0}, names, higher)


def known_score(config: RunConfig, key: str, name: str, known: Sequence[str], sets: Sequence[str]) -> str:
    """A score as evaluations name it; a config may call it `dev.<set>.<score>` as well. ConfigError: there is none."""
    short = name.removeprefix("dev.")
    alone = short.removeprefix(f"{sets[0]}.") if len(sets) == 1 else short
    for found in (name, short, alone):
        if found in known:
            return found
    message = f"no metric gives a score called {name!r}; there are {', '.join(known)}.{nearest(short, list(known))}"
    raise ConfigError(problems=[config.problem(key, message)])


def model_config(config: RunConfig) -> str:
    """The sections that a model folder needs, every default written out."""
    filled = config.filled()
    return write({name: filled[name] for name in SECTIONS if name in filled})


def filled(config: RunConfig, found: Sources) -> dict[str, Any]:
    """The whole config with every default written out, the encoders chosen included."""
    return config.filled() | {name: fill(dict(section), config.registry, {}) for name, section in found.added.items()}
