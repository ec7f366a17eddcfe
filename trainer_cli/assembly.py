"""From a checked config to a job: encoders fitted, data encoded, the model's sizes inferred, everything matched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer_cli.arrays import Rows, slice_rows
from trainer_cli.config.filled import fill, write_filled
from trainer_cli.config.run_config import RunConfig
from trainer_cli.config.writer import write
from trainer_cli.data import dataset
from trainer_cli.data.block import Block
from trainer_cli.data.defaults import default_features, default_target, first_block
from trainer_cli.data.encoder import Encoder, Target
from trainer_cli.data.reader import Reader
from trainer_cli.errors import ArgumentError, ConfigError, DataError, Problem, TrainerError
from trainer_cli.job import Job, Monitor
from trainer_cli.losses.loss import Loss
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Model
from trainer_cli.ops import get_ops
from trainer_cli.registry import nearest, registry
from trainer_cli.rehearsal import check_kinds, layer_problem, rehearse, watched_layers
from trainer_cli.schedules.schedule import Schedule, as_schedule
from trainer_cli.signals import StopFlag
from trainer_cli.state import Limits
from trainer_cli.trained import SECTIONS, Trained, shapes_of, tell_classes
from trainer_cli.user_code import definition, shown

SAMPLE_ROWS = 16


@dataclass(frozen=True)
class Sources:
    """The readers of a run, and its encoders by registered name; `added` has the sections left out, as chosen."""

    train: Reader
    dev: Reader | None
    features: tuple[str, Encoder]
    target: tuple[str, Target]
    added: Mapping[str, Mapping[str, Any]]


@contextmanager
def placed(config: RunConfig, section: str) -> Iterator[None]:
    """Give mistakes without a file their place in the config: at the key they name, a bare one being of `section`."""
    try:
        yield
    except TrainerError as err:
        if not err.problems or all(problem.path for problem in err.problems):
            raise
        found = [p if p.path else config.problem(dotted(section, p.where), p.message) for p in err.problems]
        raise ConfigError(problems=found) from err


def dotted(section: str, where: str) -> str:
    return where if "." in where else ".".join(part for part in (section, where) if part)


def sources(config: RunConfig) -> Sources:
    """Make the readers and encoders; encoders that the config leaves out are chosen where the data leave no doubt."""
    train, dev = config.build("data.train"), config.build("data.dev")
    check_readable(config, {"data.train": train, "data.dev": dev})
    added: dict[str, Mapping[str, Any]] = {}
    if not config.has("target"):
        with placed(config, "data.train"):
            block = first_block(WatchedReader(train, StopFlag()))
        with placed(config, ""):
            added["target"] = default_target(block)
    target = config.build("target") if config.has("target") else made(added["target"])
    if not config.has("features"):
        with placed(config, "data.train"):
            block = first_block(WatchedReader(train, StopFlag()))
        with placed(config, "target"):
            target.choose(train.columns())
        with placed(config, ""):
            added["features"] = default_features(block, target.reads)
    features = config.build("features") if config.has("features") else made(added["features"])
    names = {section: str((config.config | added)[section]["@encoders"]) for section in ("features", "target")}
    return Sources(train, dev, (names["features"], features), (names["target"], target), added)


def check_readable(config: RunConfig, readers: Mapping[str, Reader | None]) -> None:
    """Open each data set, so that all that are missing are told at once."""
    problems: list[Problem] = []
    for section, reader in readers.items():
        try:
            if reader is not None:
                with placed(config, section):
                    reader.columns()
        except TrainerError as err:
            problems += err.problems or (Problem(str(err)),)
    if problems:
        raise ConfigError(problems=tuple(dict.fromkeys(problems)))  # one file may serve twice


def made(section: Mapping[str, Any]) -> Any:
    """The encoder that an added section describes."""
    arguments = {key: value for key, value in section.items() if key != "@encoders"}
    return registry.encoders.get(str(section["@encoders"]))(**arguments)


def set_up(config: RunConfig, X: Rows, n_outputs: int, loss: Loss) -> Model:
    """Make the model and infer its sizes from rows of data; it must fit the loss."""
    model: Model = config.build("model")
    model.use_ops(get_ops(config.system.ops, seed=config.system.seed))
    if message := mismatch(model, loss):
        raise ConfigError(problems=[config.problem("loss", message)])
    try:
        Y = np.zeros((1, n_outputs), np.float32)
        with watched_layers(config, model):
            model.initialize(slice_rows(X, 0, SAMPLE_ROWS), Y, seed=config.system.seed)
    except ConfigError:
        raise
    except ArgumentError as err:
        raise ConfigError(problems=[layer_problem(config, str(err))]) from err
    return model


def mismatch(model: Model, loss: Loss) -> str:
    """Why the loss cannot take what the model gives, or take it there and then send its gradient back; "" if it can.

    A softmax layer passes on the gradient of its logits, which cross-entropies of probabilities alone give.
    """
    end = ending(model)
    gives, last = end.attrs.get("output"), end.attrs.get("layer", end.name)
    if gives == "unnormalized":
        return f"has no probabilities to score: {last} without normalize_outputs gives none when it predicts"
    if loss.takes == "probabilities" and gives == "softmax_activation":
        return f"gives the gradient of logits, but {last} takes that of its probabilities: end the model in Softmax.v1"
    if loss.takes == "probabilities" and gives != "softmax":
        or_logits = ", or set from_logits = true" if hasattr(loss, "from_logits") else ""
        return f"takes probabilities, but the model ends in {last}: end it in Softmax.v1{or_logits}"
    if loss.takes != "probabilities" and gives == "softmax":
        return f"cannot follow {last}, whose gradient only a cross-entropy of probabilities gives: end in Linear.v1"
    if loss.takes == "logits" and gives == "sigmoid":
        return f"takes logits, but the model ends in {last}: end it in Linear.v1"
    return ""


def fit_loss(config: RunConfig, loss: Loss, target: Target) -> None:
    """Tell the loss the classes of the training rows; what it refuses of them stands at its section."""
    try:
        tell_classes(loss, target)
    except ArgumentError as err:
        raise ConfigError(problems=[config.problem("loss", str(err))]) from err


def ending(model: Model) -> Model:
    """The layer whose outputs are the model's: the last one, or the one before if that leaves them as they are."""
    for layer in reversed(model.layers):
        if layer.layers and not layer.param_names:
            return ending(layer)
        if "output" in layer.attrs or layer.param_names:
            return layer
    return model


def assemble(config: RunConfig, flag: StopFlag) -> Job:
    """Read and encode the data, make the model, and match everything with everything.

    All that can be wrong is found here, before the first update. `Stopped` if a signal comes meanwhile.
    """
    found, loss, metrics = sources(config), config.build("loss"), dict(config.build("metrics") or {})
    check_kinds(config, loss, metrics, found.target[0])
    features, target = found.features[1], found.target[1]
    with placed(config, "data.train"):
        n = dataset.fit(WatchedReader(found.train, flag), features, target)
        train = dataset.load(WatchedReader(found.train, flag), features, target, n)
    dev = None
    if found.dev is not None:
        with placed(config, "data.dev"):
            dev = dataset.load(WatchedReader(found.dev, flag), features, target)
    fit_loss(config, loss, target)
    model = set_up(config, train.X, target.width, loss)
    samples = [(data.X, data.Y) for data in (train, dev) if data is not None]
    scores = rehearse(config, model, loss, metrics, samples)
    training = config.training
    return Job(
        trained=Trained(
            config=model_config(config),
            model=model,
            loss=loss,
            metrics=metrics,
            features=found.features,
            target=found.target,
            reader=reader_facts(config, found.train),
            shapes=shapes_of(train.X),
        ),
        config_text=filled_text(config, found),
        optimizer=config.build("optimizer"),
        train=train,
        dev=dev,
        batch_size=batch_size_of(config),
        accumulate=as_schedule(training.accumulate_gradient),
        limits=Limits(training.max_steps, training.max_epochs, training.max_time, training.patience),
        seed=config.system.seed,
        eval_frequency=training.eval_frequency,
        eval_batch_size=training.eval_batch_size,
        monitor=monitor_of(config, metrics, scores),
    )


def batch_size_of(config: RunConfig) -> Schedule:
    """The schedule of the section [batch_size], or the number in [training]."""
    return as_schedule(config.build("batch_size") if config.has("batch_size") else config.training.batch_size)


def monitor_of(config: RunConfig, metrics: Mapping[str, Tally], scores: Mapping[str, Sequence[str]]) -> Monitor:
    """What decides which model is best: `score_weights`, or the one score `monitor`; by default the first metric, or
    the dev loss where there is none. `scores` are the names of each metric's."""
    higher = {"loss": False}
    for name, metric in metrics.items():
        higher |= dict.fromkeys(scores[name], metric.higher_is_better)
    names = tuple(name for name in higher if name != "loss")
    training = config.training
    monitored = [training.monitor] if training.monitor else []
    for key, asked in (("score_weights", list(training.score_weights)), ("monitor", monitored)):
        for name in asked:
            if name not in higher:
                message = f"no metric gives a score called {name!r}; there are {', '.join(higher)}."
                message += nearest(name, list(higher))
                raise ConfigError(problems=[config.problem(f"training.{key}", message)])
    default = training.monitor or (names[0] if names else "loss")
    return Monitor(dict(training.score_weights) or {default: 1.0}, names, higher)


def reader_facts(config: RunConfig, reader: Reader) -> tuple[str, Mapping[str, Any]]:
    """The training reader's name, and its arguments but for those that say where the data lies."""
    section = config.config["data"]["train"]
    settings = getattr(reader, "settings", None)
    return str(section["@readers"]), arguments(section) if settings is None else settings()


def arguments(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if not key.startswith("@") and key != "path"}


def model_config(config: RunConfig) -> str:
    """The sections that a model folder needs, every default written out."""
    filled = config.filled()
    return write({name: filled[name] for name in SECTIONS if name in filled})


def filled_text(config: RunConfig, found: Sources) -> str:
    """The whole config with every default written out, the encoders chosen included."""
    added = {name: fill(dict(section), config.registry, {}) for name, section in found.added.items()}
    return write_filled(config.filled() | added, config.loaded.document)


class WatchedReader:
    """A reader that stops for a signal between blocks."""

    def __init__(self, reader: Reader, flag: StopFlag):
        self._reader = reader
        self._flag = flag

    def columns(self) -> tuple[str, ...]:
        return self._reader.columns()

    def blocks(self) -> Iterator[Block]:
        return self._flag.watch(checked_blocks(self._reader))


def checked_blocks(reader: Reader) -> Iterator[Block]:
    """The blocks of a reader. DataError at its definition if it gives anything else."""
    for block in reader.blocks():
        if not isinstance(block, Block):
            path, line = definition(type(reader).blocks)
            message = f"a reader's blocks() must yield Block objects, not {type(block).__name__}"
            raise DataError(problems=[Problem(message, shown(path), line)])
        yield block
