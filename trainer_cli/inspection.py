"""What a config comes to, found without training: one batch through the model, forward and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer_cli import assembly
from trainer_cli.arrays import Array, Ragged, Rows
from trainer_cli.config.filled import write_filled
from trainer_cli.config.run_config import RunConfig
from trainer_cli.data import dataset
from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.csv import CSVReader
from trainer_cli.data.readers.doubts import fileset
from trainer_cli.errors import ConfigError
from trainer_cli.losses.loss import Loss
from trainer_cli.model import Model
from trainer_cli.pairing import fit_loss, set_up
from trainer_cli.placing import placed
from trainer_cli.rehearsal import N_ROWS, at, rehearse
from trainer_cli.run_schedules import (
    batch_size_of,
    check_followers,
    check_parameters,
    check_values,
    check_workers,
    size_key,
    steps_of,
    varying,
)
from trainer_cli.schedules.schedule import Schedule
from trainer_cli.short_batches import check_one_row
from trainer_cli.signals import StopFlag
from trainer_cli.sources import Sources, check_classes, set_name, split_labels
from trainer_cli.trace import trace
from trainer_cli.trained import tell_metrics
from trainer_cli.watched import WatchedReader

# Training files up to this size are read whole, larger ones as far as the first rows.
WHOLE_BYTES = 100_000_000
FIRST_ROWS = 10_000


@dataclass(frozen=True)
class LayerFacts:
    """One layer of the model: its path, its registered name, the shape of its output and its parameters."""

    path: str
    kind: str
    output: str
    params: dict[str, tuple[int, ...]]

    @property
    def n_params(self) -> int:
        return sum(math.prod(shape) for shape in self.params.values())


@dataclass(frozen=True)
class Sample:
    """The first rows of a data set, encoded. `read` is the text, or the words, of the first one where the inputs are
    ragged and made of one such column."""

    name: str
    X: Rows
    Y: Rows
    weights: Array | None
    target: Any
    read: str | list[str] | None = None


@dataclass(frozen=True)
class Inspection:
    """`n_fitted` training rows were looked at; `is_whole` if these are all. `held_out` says how many rows the split
    keeps from them, by part; `notes` are lines about the rows. `config` is the whole of it, filled, and `text` that as
    it is written, without what readers are not told."""

    config: dict[str, Any]
    text: str
    n_fitted: int
    held_out: Mapping[str, int]
    is_whole: bool
    samples: tuple[Sample, ...]
    layers: tuple[LayerFacts, ...]
    schedules: dict[str, Schedule]
    n_steps: int
    loss: float
    notes: Sequence[str] = ()


def inspect(config: RunConfig) -> Inspection:
    """Do all that a run does before its first update, and that update but for the change of weights."""
    found, loss, metrics = assembly.parts(config)
    is_whole = n_bytes(found.train) <= WHOLE_BYTES
    max_rows = None if is_whole else FIRST_ROWS
    whole, found = found, found.divided(config, StopFlag(), max_rows)
    features, target = found.features[1], found.target[1]
    with placed(config, "data.train"):
        n = dataset.fit(WatchedReader(found.train, StopFlag()), features, target, max_rows, found.weights)
    samples = samples_of(config, found)
    if is_whole:
        check_classes(config, target)
    fit_loss(config, loss, target)
    tell_metrics(metrics, target)
    model = set_up(config, samples[0].X, target.width, features)
    loss.use_ops(model.ops)
    scores = rehearse(config, model, loss, metrics, [(sample.X, sample.Y, sample.weights) for sample in samples])
    assembly.monitor_of(config, metrics, scores, [set_name(name) for name in found.dev])
    schedules, n_steps = planned(config, model, samples[0], n, is_whole=is_whole)
    value = one_update(config, model, loss, samples[0])
    filled = assembly.filled(config, found)
    return Inspection(
        config=filled,
        text=write_filled(told(filled, config), config.loaded.document),
        n_fitted=n,
        held_out=found.held_out,
        is_whole=is_whole,
        samples=tuple(samples),
        layers=layer_facts(model, samples[0].X),
        schedules=schedules,
        n_steps=n_steps,
        loss=value,
        notes=[*delimiters(whole), *whole.doubts(), *(whole.left_out() if is_whole else ())],
    )


def told(node: Mapping[str, Any], config: RunConfig, where: str = "") -> dict[str, Any]:
    """A filled config without the arguments of readers that nobody gave and that are null: auto.v1 has those of all."""
    is_reader = "@readers" in node
    found: dict[str, Any] = {}
    for key, value in node.items():
        at_key = f"{where}.{key}" if where else key
        if isinstance(value, dict):
            found[key] = told(value, config, at_key)
        elif not (is_reader and value is None and config.origin(at_key) == "default"):
            found[key] = value
    return found


def delimiters(found: Sources) -> list[str]:
    """Which delimiter the rows that were read had, other than a comma, where nobody had told it; a line a set."""
    sets = {name: fileset(reader) for name, reader in {"train": found.train, **found.dev}.items()}
    marks = {name: each.used for name, each in sets.items() if isinstance(each, CSVReader) and each.delimiter is None}
    return [
        f"data.{name}: the delimiter is {json.dumps(mark)}" for name, mark in marks.items() if mark not in (None, ",")
    ]


def samples_of(config: RunConfig, found: Sources) -> list[Sample]:
    """The first rows of the training data, as many as the first batch has, and of each dev set."""
    n_first = N_ROWS if size_key(config) != "batch_size" else int(batch_size_of(config)(0))
    samples = [first_rows(config, found, "train", found.train, n_first)]
    with split_labels(found):
        samples += [first_rows(config, found, *dev, config.training.eval_batch_size) for dev in found.dev.items()]
    return samples


def planned(
    config: RunConfig, model: Model, sample: Sample, n: int, *, is_whole: bool
) -> tuple[dict[str, Schedule], int]:
    """The schedules of a run on `n` training rows and how many steps it has; what does not fit them is refused."""
    optimizer, batch_size = config.build("optimizer"), batch_size_of(config)
    check_parameters(config, optimizer, model)
    schedules = varying(config, optimizer, batch_size, model)
    check_followers(config, schedules)
    batcher, _ = assembly.batching(config, sample.X, sample.Y)
    n_steps = steps_of(config, assembly.n_units(batcher, sample.X, n), batch_size)
    check_values(config, optimizer, schedules, n_steps)
    check_workers(config, n_steps)
    if is_whole and not config.training.balance:
        check_one_row(config, model, sample.X, n, batch_size, batcher)
    return schedules, n_steps


def n_bytes(reader: Reader) -> int:
    files: tuple[Path, ...] = getattr(reader, "files", tuple)()
    return sum(Path(path).stat().st_size for path in files)


def first_rows(config: RunConfig, found: Sources, name: str, reader: Reader, n: int) -> Sample:
    with placed(config, f"data.{name}"):
        watched = WatchedReader(reader, StopFlag())
        batch = next(dataset.stream(watched, found.features[1], found.target[1], n, found.weights))
        read = first_read(watched, found.features[1].reads) if is_ragged(batch.X) else None
    return Sample(name, batch.X, batch.Y, batch.weights, found.target[1], read)


def is_ragged(X: Rows) -> bool:
    return isinstance(X, Ragged) or (isinstance(X, tuple) and all(isinstance(part, Ragged) for part in X))


def first_read(reader: Reader, columns: Sequence[str]) -> str | list[str] | None:
    """The first row's text or words in the one column that is read, or None."""
    block = next((block for block in reader.blocks() if len(block)), None)
    if block is None or len(columns) != 1:
        return None
    value = block.columns[columns[0]][0] if columns[0] in block.columns else None
    return value if isinstance(value, str | list) else None


def one_update(config: RunConfig, model: Model, loss: Loss, sample: Sample) -> float:
    """The loss of one batch; its gradient goes back through the model, and must be finite."""
    with np.errstate(all="ignore"):  # what is not finite is told below
        with at(config, "model"):
            Yh, backprop = model.begin_update(sample.X, input_gradient=False)
        with at(config, "loss"):
            dYh, value = loss(Yh, sample.Y, sample.weights)
        with at(config, "model"):
            backprop(dYh)
    name = model.store.first_not_finite(model.store.gradients)
    if name or not math.isfinite(value):
        gradient = f" and a gradient of {name} that is not finite" if name else ""
        raise ConfigError(problems=[config.problem("loss", f"the first batch gives a loss of {value}{gradient}")])
    model.store.clear_gradients()
    return value


def layer_facts(model: Model, X: Rows) -> tuple[LayerFacts, ...]:
    """Every layer, parents first."""
    outputs = trace(model, X)
    return tuple(
        LayerFacts(
            node.path or "(whole)",
            str(node.attrs.get("layer", node.name)),
            shape_text(outputs.get(id(node))),
            {name: node.get_param(name).shape for name in node.param_names if node.has_param(name)},
        )
        for node in model.walk(order="dfs_pre")
    )


def shape_text(x: Any) -> str:
    """The shape of rows, the number of them written B: `(B, 10)`."""
    if x is None:
        return "-"
    if isinstance(x, Ragged):
        return f"ragged {shape_text(x.data)}"
    if isinstance(x, tuple):
        return ", ".join(shape_text(part) for part in x)
    if isinstance(x, dict):
        return ", ".join(f"{name} {shape_text(part)}" for name, part in x.items())
    return f"({', '.join(['B', *map(str, x.shape[1:])])})"
