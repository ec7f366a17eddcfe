"""The data of a run: its readers and encoders, every mistake with its place in the config."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from trainer_cli.arrays import Array
from trainer_cli.config.document import together
from trainer_cli.config.run_config import RunConfig
from trainer_cli.data.block import listing
from trainer_cli.data.defaults import default_features, default_target, first_block
from trainer_cli.data.division import divide
from trainer_cli.data.encoder import Encoder, Part, Target
from trainer_cli.data.faults import refused, shown
from trainer_cli.data.labelled import labelled, told
from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.doubts import encoding_doubt
from trainer_cli.data.row_weights import RowWeights
from trainer_cli.data.splits.split import Split
from trainer_cli.errors import ConfigError, DataError, TrainerError
from trainer_cli.placing import gathered, placed
from trainer_cli.registry import QUOTED, nearest, registry
from trainer_cli.signals import StopFlag
from trainer_cli.watched import WatchedReader, check_names

TARGETS = 'labels.v1 is for classes, multilabel.v1 for several, numbers.v1 with column = "..." for a number'


@dataclass(frozen=True)
class Sources:
    """The readers of a run, and its encoders by registered name; `added` has the sections left out, as chosen.

    `dev` are those of dev data by their names below [data], which are `dev` or, of several, `dev.NAME`.
    With a `split` there is one reader at first, `train`; `divided` gives those of its parts, and `held_out` tells how
    many rows the others have.
    """

    train: Reader
    dev: Mapping[str, Reader]
    features: tuple[str, Encoder]
    target: tuple[str, Target]
    added: Mapping[str, Mapping[str, Any]]
    weights: RowWeights
    split: Split | None = None
    held_out: Mapping[str, int] = field(default_factory=dict)

    def left_out(self) -> list[str]:
        """How many rows of each data set have been left out since they have no target, a line a set that has such."""
        found = told(self.train, "data.train")
        return found + [line for name, reader in self.dev.items() for line in told(reader, f"data.{name}")]

    def doubts(self) -> list[str]:
        """Which data probably have another encoding than they are read by, a line a set."""
        return list(dict.fromkeys(filter(None, map(encoding_doubt, (self.train, *self.dev.values())))))

    def divided(self, config: RunConfig, flag: StopFlag, max_rows: int | None = None) -> Sources:
        """The readers of training and dev rows, of the first `max_rows` (or a few more) where that is given."""
        if self.split is None:
            return self
        whole = WatchedReader(self.train, flag)
        with placed(config, "data.split"):
            parts = divide(whole, self.split, config.system.seed, max_rows)
        held_out = {name: part.n for name, part in parts.items() if name != "train" and part.n}
        return replace(self, train=parts["train"], dev={"dev": parts["dev"]}, split=None, held_out=held_out)


def sources(config: RunConfig) -> Sources:
    """Make the readers and encoders; encoders that the config leaves out are chosen where the data leave no doubt.

    All missing files, or all names of columns that the data have not, are told at once.
    """
    data = config.build("data")
    train, split, weights = data["train"], data.get("split"), RowWeights(config.training.weight_column)
    dev = {
        name: data["dev"] if name == "dev" else data["dev"][set_name(name)]
        for name in config.readers
        if name != "train"
    }
    check_split(config, split)
    check_readable(config, {"train": train, **dev})
    added: dict[str, Mapping[str, Any]] = {}
    if not config.has("target"):
        with placed(config, "data.train"):
            block = first_block(WatchedReader(train, StopFlag()))
        with placed(config, ""):
            added["target"] = default_target(block.without(weights.reads))
    target = config.build("target") if config.has("target") else made(added["target"])
    if not config.has("features"):
        with placed(config, "data.train"):
            block = first_block(WatchedReader(train, StopFlag()))
        with placed(config, "target"):
            target.choose(train.columns())
        with placed(config, ""):
            added["features"] = default_features(block, (*target.reads, *weights.reads))
    features = config.build("features") if config.has("features") else made(added["features"])
    check_columns(config, train, dev, (features, target, weights), split)
    if split is None or registry.splits.is_built_in(config.config["data"]["split"]["@splits"]):
        for_split = [getattr(split, name, None) for name in ("column", "group")]
        convert_only((train, *dev.values()), (*features.reads, *target.reads, *weights.reads, *filter(None, for_split)))
    names = {section: str((config.config | added)[section]["@encoders"]) for section in ("features", "target")}
    train, dev = labelled(train, target), {name: labelled(reader, target) for name, reader in dev.items()}
    return Sources(train, dev, (names["features"], features), (names["target"], target), added, weights, split)


def convert_only(readers: Iterable[Reader], uses: Collection[str]) -> None:
    """Let readers of typed columns convert those alone that are used: others may hold what no column does."""
    for reader in readers:
        if hasattr(reader, "convert_only"):
            reader.convert_only(uses)


def set_name(section: str) -> str:
    """The name of a dev set, by its section below [data].

    >>> set_name("dev"), set_name("dev.hard")
    ('dev', 'hard')
    """
    return section.removeprefix("dev.")


def check_split(config: RunConfig, split: object) -> None:
    """ConfigError: a user's split is none."""
    missing = [name for name in ("choose", "divide") if not hasattr(split, name)]
    if split is not None and missing:
        rule = "a split has the methods choose(columns, target) and divide(blocks, seed)"
        message = f"{rule}, {type(split).__name__} has no {' and no '.join(missing)}"
        raise ConfigError(problems=[config.problem("data.split", message)])


@contextmanager
def split_labels(found: Sources) -> Iterator[None]:
    """Tell what to do about labels all of whose rows a split has held out."""
    try:
        yield
    except DataError as err:
        if not found.held_out or not any("is not in the training data" in problem.message for problem in err.problems):
            raise
        remedy = "The split held out all rows of a label; stratified.v1 always leaves one of each for training"
        raise DataError(f"{err}\n{remedy}", problems=err.problems) from err


def check_readable(config: RunConfig, readers: Mapping[str, Reader]) -> None:
    """Open each data set, so that all that are missing are told at once."""
    errors: list[TrainerError] = []
    for name, reader in readers.items():
        with gathered(errors), placed(config, f"data.{name}"):
            check_names(reader)
    if errors:
        raise together(errors)


def check_columns(
    config: RunConfig,
    train: Reader,
    dev: Mapping[str, Reader],
    encoders: tuple[Encoder, Target, RowWeights],
    split: Split | None,
) -> None:
    """Let encoders and split choose among the columns of the data, so that wrong names are told before a row is read.

    A column that dev data lack is a mistake of the key that names it, or else of the dev data.
    """
    errors: list[TrainerError] = []
    columns, (features, target, weights) = train.columns(), encoders
    with gathered(errors), placed(config, "target"):
        check_target(target)
        target.choose(columns)
    with gathered(errors), placed(config, "training"):
        weights.choose(columns, target.reads)
    with gathered(errors), placed(config, "features"):
        check_inputs(features, target.reads)
        features.choose(tuple(name for name in columns if name not in (*target.reads, *weights.reads)))
    is_for_target = split is not None and not target.reads and getattr(split, "column", "") is None
    if split is not None and not is_for_target:  # else the target's own mistake says it all
        with gathered(errors), placed(config, "data.split"):
            split.choose(columns, target.reads)
    for section, reader in dev.items():
        there = reader.columns()
        for key, encoder in (("target.column", target), *by_key(features)):
            for name in [name for name in encoder.reads if name not in there]:
                where = key if config.origin(key) != "default" and len(dev) == 1 else f"data.{section}"
                near = nearest(name, list(set(there) - set(encoder.reads)), QUOTED)
                message = f"the dev data have no column {shown(name)}.{near} Their columns are {listing(there)}"
                errors.append(ConfigError(problems=[config.problem(where, message)]))
    if errors:
        raise together(errors)


def by_key(features: Encoder) -> list[tuple[str, Encoder]]:
    """The encoders of features, each with the key that names its columns."""
    parts = [(f"features.*.{part.name}.columns", part) for part in getattr(features, "parts", ())]
    return parts or [("features.columns", features)]


def check_inputs(features: Encoder, target: Collection[str]) -> None:
    """DataError: what is to be predicted is named among what it is predicted from."""
    for key, each in by_key(features):
        encoder = getattr(each, "encoder", each)
        named = [*(getattr(encoder, "columns", None) or ()), getattr(encoder, "column", None)]
        if found := [name for name in named if name in target]:
            argument = "columns" if getattr(encoder, "columns", None) else "column"
            where = key.removeprefix("features.").replace("columns", argument)
            raise refused(where, f"{shown(found[0])} is the target, from which nothing is predicted: take it out here")


def check_target(target: Encoder) -> None:
    """DataError: an encoder of features stands in [target]."""
    if not getattr(target, "predicts", hasattr(target, "decode")):
        rule = "this encoder gives features, no target to predict"
        raise refused("columns" if hasattr(target, "predicts") else "@encoders", f"{rule}: {TARGETS}")


def check_classes(config: RunConfig, target: Target) -> None:
    """Refuse training rows that are all of one class: a model with one output has nothing to choose from."""
    names = getattr(target, "names", None) if getattr(target, "truths", "classes") == "classes" else None
    if names is not None and len(names) == 1:
        message = f"every training row has the label {names[0]!r}: there is nothing to tell apart"
        raise ConfigError(problems=[config.problem("target.column", message)])


def check_weights(config: RunConfig, weights: Array | None) -> None:
    """Refuse training rows none of which counts."""
    if weights is not None and not weights.any():
        message = "every training row has the weight 0: there is nothing to learn"
        raise ConfigError(problems=[config.problem("training.weight_column", message)])


def made(section: Mapping[str, Any]) -> Any:
    """The encoder that an added section describes."""
    given = {key: value for key, value in section.items() if key not in ("@encoders", "*")}
    parts = [Part(name, part["@encoders"], made(part)) for name, part in section.get("*", {}).items()]
    return registry.encoders.get(str(section["@encoders"]))(*parts, **given)


def reader_facts(config: RunConfig, reader: Reader) -> tuple[str, Mapping[str, Any]]:
    """The training reader's name, and its arguments but for those that say where the data lies."""
    section = config.config["data"]["train"]
    settings = getattr(reader, "settings", None)
    return str(section["@readers"]), arguments(section) if settings is None else settings()


def arguments(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if not key.startswith("@") and key != "path"}
