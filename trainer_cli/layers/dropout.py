"""Dropout."""

from __future__ import annotations

from trainer_cli.arrays import Array
from trainer_cli.errors import ArgumentError
from trainer_cli.layers.inputs import expect_floats
from trainer_cli.layers.rowwise import rowwise, rowwise_init
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry
from trainer_cli.schedules.arguments import is_number
from trainer_cli.schedules.schedule import Schedule, as_schedule


@registry.layers("Dropout.v1")
def Dropout(rate: float | Schedule = 0.0) -> Model:
    """Set each input to 0 with probability `rate` and divide the rest by `1 - rate`, in training alone.

    X and Y are arrays (B, ...) of one shape. A schedule gives the rate of each step. Srivastava et al., "Dropout: A
    Simple Way to Prevent Neural Networks from Overfitting" (JMLR 2014); scaled in training, so that predict is free.
    """
    return Model(
        "dropout",
        rowwise(forward),
        init=rowwise_init(expect_floats),
        attrs={"layer": "Dropout.v1", "dropout": checked(rate)},
    )


def forward(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    return drop(model, X, is_train)


def drop(model: Model, X: Array, is_train: bool) -> tuple[Array, Backprop]:
    """Dropout at the rate in `model.attrs["dropout"]`: the new array and its backprop. Rate 0 or None draws nothing."""
    rate = current_rate(model) if is_train else 0.0
    if rate == 0:
        return X, unchanged
    Y, mask = model.ops.dropout(X, rate, model.random("dropout"))

    def backprop(dY: Array) -> Array:
        dX: Array = dY * mask
        return dX

    return Y, backprop


def unchanged(dY: Array) -> Array:
    return dY


def current_rate(model: Model) -> float:
    """The rate at the step the run is at."""
    rate = model.attrs.get("dropout")
    if isinstance(rate, Schedule):
        store = model.store_or_none
        assert store is not None, "initialize comes before training"
        return in_range(rate(store.moment.step))
    return rate or 0.0


def checked(rate: float | Schedule | None) -> float | Schedule | None:
    """The rate as it was given, if it may be one."""
    if isinstance(rate, Schedule) or rate is None:
        return rate
    if is_number(rate):
        return in_range(rate)
    try:
        return as_schedule(rate)
    except ArgumentError as err:
        raise ArgumentError(f"dropout: {err}") from err


def in_range(rate: float) -> float:
    if not 0 <= rate < 1:
        raise ArgumentError(f"dropout must be at least 0 and below 1, got {rate}")
    return rate
