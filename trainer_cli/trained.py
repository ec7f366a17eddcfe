"""A trained model with all it takes to use it: read raw data, predict, and be scored. A model folder holds one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from trainer_cli import __version__, json_text, manifest, tensors
from trainer_cli.arrays import Array, Ragged, Rows
from trainer_cli.config.loaded import load_text
from trainer_cli.config.registry import registry
from trainer_cli.data import encoder
from trainer_cli.data.encoder import Encoder, Target
from trainer_cli.errors import ModelFileError
from trainer_cli.losses.loss import Loss
from trainer_cli.metrics.tally import Tally
from trainer_cli.model import Model, n_params

FORMAT = 1
LARGEST_SAMPLE = 1 << 28  # numbers in one row of input that a model folder may declare

# What a model folder's config may name: nothing that opens files or runs a user's code on the side.
KINDS = frozenset({"layers", "initializers", "schedules", "losses", "metrics"})
SECTIONS = ("model", "loss", "metrics")


@dataclass(frozen=True)
class Trained:
    """`config` is the text of the sections that make the parts; `reader` the training reader's name and arguments."""

    config: str
    model: Model
    loss: Loss
    metrics: Mapping[str, Tally]
    features: tuple[str, Encoder]
    target: tuple[str, Target]
    reader: tuple[str, Mapping[str, Any]]
    shapes: Any
    scores: Mapping[str, float] = field(default_factory=dict)
    weight_column: str | None = None
    dev_sets: tuple[str, ...] = ()


def to_files(trained: Trained, params: Mapping[str, Array], scores: Mapping[str, float]) -> dict[str, bytes]:
    """The files of a model folder by name; `params` are the parameters and buffers that predict."""
    states, arrays = encoder.pack({"features": trained.features, "target": trained.target})
    name, settings = trained.reader
    meta = {
        "format": FORMAT,
        "trainer_version": __version__,
        "reader": {"name": name, "settings": dict(settings)},
        "input": trained.shapes,
        "n_outputs": trained.target[1].width,
        "labels": list(getattr(trained.target[1], "names", ())),
        "n_params": n_params(trained.model.walk()),
        "weight_column": trained.weight_column,
        "dev_sets": list(trained.dev_sets),
        "scores": {key: value if np.isfinite(value) else str(value) for key, value in scores.items()},
    }
    files = {
        "config.cfg": trained.config.encode(),
        "params.safetensors": tensors.to_bytes(params),
        "encoders.json": json_text.dumps(json_text.encode(states)),
        "meta.json": json_text.dumps(meta),
    }
    return files | ({"encoders.safetensors": tensors.to_bytes(arrays)} if arrays else {})


def from_files(files: Mapping[str, bytes], where: Path) -> Trained:
    """The model in a model folder's files; only parts of the allowed kinds can be named there.

    ModelFileError: files are missing, damaged or contradict each other. ConfigError: its config.cfg has mistakes.
    """
    for name in ("config.cfg", "params.safetensors", "encoders.json", "meta.json"):
        if name not in files:
            raise ModelFileError(f"{where}: has no {name}: this is no model folder")
    meta = read_meta(files["meta.json"], where / "meta.json")
    arrays = tensors.from_bytes(files["encoders.safetensors"]) if "encoders.safetensors" in files else {}
    states = read_json(files["encoders.json"], where / "encoders.json")
    encoders = encoder.unpack(json_text.decode(states), arrays)
    if encoders.keys() != {"features", "target"}:
        raise ModelFileError(f"{where / 'encoders.json'}: must have features and target, has {sorted(encoders)}")
    names = {section: entry["name"] for section, entry in states.items()}
    config = files["config.cfg"].decode("utf-8", "replace")
    parts = registry.resolve(load_text(config, str(where / "config.cfg")), kinds=KINDS)
    model = parts["model"]
    tell_classes(parts["loss"], encoders["target"])
    tell_metrics(parts.get("metrics", {}), encoders["target"])
    tell_thresholds(parts.get("metrics", {}), encoders["target"], in_order(meta["scores"], meta.get("dev_sets", [])))
    restore(model, meta, tensors.from_bytes(files["params.safetensors"], where / "params.safetensors"))
    return Trained(
        config,
        model,
        parts["loss"],
        parts.get("metrics", {}),
        (names["features"], encoders["features"]),
        (names["target"], cast(Target, encoders["target"])),
        (meta["reader"]["name"], meta["reader"]["settings"]),
        meta["input"],
        meta["scores"],
        meta.get("weight_column"),
        tuple(meta.get("dev_sets", ())),
    )


def tell_classes(loss: Loss, target: Encoder) -> None:
    """Tell the loss the classes of the training rows, where the fitted target has any."""
    names, counts = getattr(target, "names", ()), getattr(target, "counts", ())
    if names and counts:
        loss.fit(names, counts)


def tell_metrics(metrics: Mapping[str, Tally], target: Encoder) -> None:
    """Tell metrics that want to know the names of the fitted target's classes and which it takes, and those of numbers
    what one of its is in the column's own unit."""
    names, scale = getattr(target, "names", ()), np.asarray(getattr(target, "scale", ()))
    for metric in metrics.values():
        if names and hasattr(metric, "names"):
            metric.names = tuple(names)
        # Tags are taken a sentence at a time, which metrics of single tokens do not see.
        fits = getattr(target, "ragged", False) == getattr(metric, "ragged", False)
        if hasattr(target, "taken") and hasattr(metric, "taken_by") and fits:
            metric.taken_by = target.taken
        if scale.size == 1 and hasattr(metric, "unit"):
            metric.unit = float(scale.reshape(-1)[0])


def tell_thresholds(metrics: Mapping[str, Tally], target: Encoder, scores: Mapping[str, object]) -> None:
    """Give a metric that looked for the best threshold, and the target, the one that was found on the dev data.

    Of several dev sets it is that of the first; of several metrics the target follows the last.
    """
    for name, metric in metrics.items():
        if getattr(metric, "threshold", None) != "best":
            continue
        ours = (value for key, value in scores.items() if f".{key}".endswith(f".{name}_threshold"))
        found = next((value for value in ours if isinstance(value, float | int)), None)
        if found is not None:
            metric.threshold = float(found)  # type: ignore[attr-defined]
            metric.was_best = True  # type: ignore[attr-defined]
            if hasattr(target, "decide_from"):
                target.decide_from(float(found))


def in_order(scores: Mapping[str, object], sets: Sequence[str]) -> dict[str, object]:
    """Scores in the order in which the config names their dev sets; JSON has them by the alphabet.

    >>> list(in_order({"a.f": 1, "b.f": 2}, ["b", "a"]))
    ['b.f', 'a.f']
    """
    places = {name: place for place, name in enumerate(sets)}
    return dict(sorted(scores.items(), key=lambda score: places.get(score[0].partition(".")[0], len(sets))))


def restore(model: Model, meta: Mapping[str, Any], params: dict[str, Array]) -> None:
    """Give the model the sizes it was trained with, and its parameters."""
    try:
        Y = np.zeros((1, meta["n_outputs"]), np.float32)
        model.initialize(sample(meta["input"]), Y, blank=True)
    except (MemoryError, ValueError, TypeError, OverflowError) as err:
        raise ModelFileError(f"the model cannot be set up with the sizes it declares: {err}") from err
    model.store.load_learnt(params)


def read_json(data: bytes, path: Path) -> Any:
    try:
        return json_text.loads(data)
    except ValueError as err:
        raise ModelFileError(f"{path}: {err}") from err


def read_meta(data: bytes, path: Path) -> dict[str, Any]:
    """meta.json with its fields checked; a newer format than this version knows is a ModelFileError."""
    meta = read_json(data, path)
    manifest.check_format(meta, path)
    kinds: dict[str, type | tuple[type, ...]] = {
        "reader": dict,
        "input": (dict, list),
        "n_outputs": int,
        "scores": dict,
    }
    for key, kind in kinds.items():
        if not isinstance(meta.get(key), kind):
            raise ModelFileError(f"{path}: {key} is missing or of the wrong kind")
    if not isinstance(meta.get("weight_column"), str | None):
        raise ModelFileError(f"{path}: weight_column must be a text")
    sets = meta.get("dev_sets", [])  # which folders of earlier versions do not have
    if not isinstance(sets, list) or not all(isinstance(name, str) for name in sets):
        raise ModelFileError(f"{path}: dev_sets must be a list of names")
    if not isinstance(meta["reader"].get("name"), str) or not isinstance(meta["reader"].get("settings"), dict):
        raise ModelFileError(f"{path}: reader must have a name and settings")
    assert isinstance(meta, dict)
    return meta


def shapes_of(x: Rows, n_ids: Any = None) -> Any:
    """The shape and type of one row, as JSON: enough to make the sizes of a model again.

    `n_ids` is how many different ids the whole numbers among them may be, as the encoder tells: one number, one for
    each column, or these by the part's name in a dict.
    """
    if isinstance(x, Ragged):
        return {"ragged": shapes_of(x.data, n_ids)}
    if isinstance(x, dict):
        by_name = n_ids if isinstance(n_ids, Mapping) else dict.fromkeys(x, n_ids)
        # A list, since JSON files of ours have their keys sorted, and the order of the parts counts.
        return {"dict": [[name, shapes_of(part, by_name.get(name))] for name, part in x.items()]}
    if isinstance(x, tuple):
        return [shapes_of(part, n_ids) for part in x]
    found = {"shape": list(x.shape[1:]), "dtype": x.dtype.str}
    if n_ids is not None and x.dtype.kind == "i":
        found["largest"] = (np.asarray(n_ids) - 1).tolist()
    return found


def sample(shapes: Any) -> Rows:
    """One row of the shape and type that `shapes_of` told: of zeros, or of the largest ids there are."""
    if isinstance(shapes, list):
        return tuple(sample(part) for part in shapes)
    if "ragged" in shapes:
        return Ragged(cast(Array, sample(shapes["ragged"])), np.ones(1, np.int64))
    if "dict" in shapes:
        return {str(name): sample(part) for name, part in shapes["dict"]}
    shape, dtype = shapes["shape"], np.dtype(shapes["dtype"])
    if (
        not all(type(n) is int and n >= 0 for n in shape)
        or math.prod(shape) > LARGEST_SAMPLE
        or dtype.kind not in "fiub"
    ):
        raise ValueError(f"a row of shape {shape} and type {dtype} is not one of ours")
    row = np.zeros((1, *shape), dtype)
    row[...] = shapes.get("largest", 0)
    return row
