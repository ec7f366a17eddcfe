"""Small parts under names of their own, so that these tests stand alone; and a config that uses them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import catalogue
import pytest

from trainer_cli.config import RunConfig, read_run_config
from trainer_cli.errors import ArgumentError, ConfigError, DataError, Problem
from trainer_cli.registry import KINDS, registry
from trainer_cli.schedules.schedule import Schedule

TEXT = """\
# A run of test parts.
[paths]
train = "data/train.csv"
dev = data/dev.csv

[data.train]
@readers = "test_reader.v1"
path = ${paths.train}

[data.dev]
@readers = "test_reader.v1"
path = "${paths.dev}"

[model]
@layers = "test_chain.v1"

[model.*.hidden]
@layers = "test_dense.v1"
nO = 64

[model.*.output]
@layers = "test_dense.v1"
dropout = 0.0

[loss]
@losses = "test_loss.v1"

# The steps.
[optimizer]
@optimizers = "test_adam.v1"
beta1 = 0.8

[optimizer.learn_rate]
@schedules = "test_rise.v1"
initial_rate = 0.01
warmup_steps = 100

[metrics.accuracy]
@metrics = "test_accuracy.v1"

[training]
# Enough.
max_epochs = 20
patience = 1600
"""


@dataclass
class Layer:
    nO: int | None = None  # noqa: N815  # the field's name
    dropout: float | Schedule = 0.0
    layers: tuple[Layer, ...] = ()
    name: str = ""

    def named(self, name: str) -> Layer:
        self.name = name
        return self


@dataclass
class Optimizer:
    learn_rate: float | Schedule
    beta1: float
    use_averages: bool


@dataclass
class Reader:
    path: Path


@dataclass
class Made:
    """Whatever `test_everything.v1` was given."""

    given: dict[str, Any]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Window:
    width: int
    stride: int = 1


def chain(*layers: Layer) -> Layer:
    return Layer(layers=layers)


def residual(layer: Layer) -> Layer:
    return Layer(layers=(layer,))


def dense(nO: int | None = None, *, dropout: float | Schedule = 0.0) -> Layer:
    return Layer(nO, dropout)


def adam(learn_rate: float | Schedule = 0.001, *, beta1: float = 0.9, use_averages: bool = True) -> Optimizer:
    if beta1 >= 1:
        raise ArgumentError(f"beta1 must be below 1, got {beta1}")
    return Optimizer(learn_rate, beta1, use_averages)


def rise(initial_rate: float, warmup_steps: int) -> Schedule:
    return Schedule(lambda step: initial_rate * min(1.0, step / warmup_steps), "rise")


def user_schedule(values):  # type: ignore[no-untyped-def]  # as a user writes it
    while True:
        yield from values


def reader(path: Path, limit: int | None = None) -> Reader:
    if path.name == "gone.csv":
        raise DataError(problems=[Problem(f"no file is there: {path}", where="path")])
    return Reader(path)


def split(dev: float = 0.1) -> Made:
    return Made({"dev": dev})


def loss(smoothing: float = 0.0) -> Made:
    return Made({"smoothing": smoothing})


def accuracy(kind: Literal["top", "mean"] = "top") -> Made:
    return Made({"kind": kind})


def fails(value: Any = None) -> Made:
    raise KeyError("inside")


def everything(
    whole: int = 1,
    real: float = 1e-8,
    flag: bool = False,
    word: str = "x",
    path: Path = Path("a/b"),
    pair: tuple[int, float] = (1, 0.5),
    words: set[str] | None = None,
    table: dict[str, float] | None = None,
    rate: float | Schedule = 0.1,
    colour: Colour = Colour.RED,
    window: Window | None = None,
    windows: list[Window] | None = None,
    activation: Literal["relu", "tanh"] = "relu",
    layers: list[Layer] | None = None,
    function: Callable[[int], int] = abs,
    **more: int,
) -> Made:
    return Made({name: value for name, value in locals().items() if name != "more"} | more)


PARTS: dict[tuple[str, str], Any] = {
    ("layers", "test_chain.v1"): chain,
    ("layers", "test_residual.v1"): residual,
    ("layers", "test_dense.v1"): dense,
    ("optimizers", "test_adam.v1"): adam,
    ("schedules", "test_rise.v1"): rise,
    ("schedules", "test_user.v1"): user_schedule,
    ("readers", "test_reader.v1"): reader,
    ("splits", "test_split.v1"): split,
    ("losses", "test_loss.v1"): loss,
    ("losses", "test_fails.v1"): fails,
    ("metrics", "test_accuracy.v1"): accuracy,
    ("encoders", "test_everything.v1"): everything,
    ("encoders", "test_loss.v1"): loss,
    ("loggers", "test_logger.v1"): loss,
}


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test parts alone: built-in ones that are already imported are out of sight."""
    monkeypatch.setattr(catalogue, "REGISTRY", {("trainer_cli", *key): part for key, part in PARTS.items()})
    for kind in KINDS:
        monkeypatch.setattr(registry.kinds[kind], "home", None)


@pytest.fixture
def run_of() -> Callable[..., RunConfig]:
    """Read a run's config from text, called run.cfg in messages."""

    def read(text: str = TEXT, *overrides: str, environment: str = "") -> RunConfig:
        return read_run_config("-", stdin=text, overrides=overrides, environment=environment)

    return read


@pytest.fixture
def mistakes_of(run_of: Callable[..., RunConfig]) -> Callable[..., list[str]]:
    """The lines of the error that a config gives, its path left out; none for a good one."""

    def read(text: str, *overrides: str, environment: str = "") -> list[str]:
        try:
            run_of(text, *overrides, environment=environment)
        except ConfigError as err:
            return [line.removeprefix("stdin:") for line in str(err).split("\n")]
        return []

    return read


@pytest.fixture(autouse=True)
def _data_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that TEXT names, so that they are no mistakes of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("train.csv", "dev.csv", "set.csv"):
        (tmp_path / "data" / name).touch()
