"""Columns of ids and texts as vectors, next to columns of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from trainer_cli.arrays import Array, Ragged
from trainer_cli.errors import ShapeError
from trainer_cli.initializers import Initializer, uniform_init
from trainer_cli.layers.embed_bag import as_bags, means, sums
from trainer_cli.layers.ids import no_slope
from trainer_cli.layers.inputs import as_gradient, describe, in_type, kind, sizes
from trainer_cli.model import Backprop, Model
from trainer_cli.registry import registry

NAME = "EmbedColumns.v1"
MAX_WIDTH = 50


@registry.layers(NAME)
def EmbedColumns(width: int | None = None, *, init_E: Initializer = uniform_init, sparse: bool = True) -> Model:
    """A vector for each id of each column, side by side with the columns of numbers: Y = [X_1, E_1[i], X_2, ...].

    X is rows of numbers (B, n), rows of ids (B, k) with a table E1 to Ek for each column, bags of ids as `text.v1`
    gives, with one table, or a dict of these, taken in its order; Y is (B, all widths together). A bag becomes the mean
    of its ids' vectors, or where ids have weights the sum, as in `EmbedBag.v1`. Ids are whole numbers from 0 to below
    the number of rows of their table, which is the largest id of the sample and 1 more. A table of n ids is `width`
    wide; left out, that is `min(50, round(1.6 * n^0.56))`, the rule of fastai (Howard and Gugger, "fastai: A Layered
    API for Deep Learning", 2020) with a lower limit. An update costs what the rows of its batch cost; with `sparse =
    false` it is that of any other weights, and moves all rows.
    """
    return Model(
        "embed_columns",
        forward,
        init=partial(init, sizes(NAME, width=width)["width"], init_E, sparse),
        attrs={"layer": NAME},
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Array, Backprop]:
    parts, tables = parts_of(model, X), iter(model.param_names)
    # What each stretch of the output is of: an input, and of ids a column of it and its table.
    stretches = [(key, *each) for key, part in parts.items() for each in columns_of(part, tables)]
    outputs, backprops = zip(
        *(output_of(model, parts[key], column, table) for key, column, table in stretches), strict=True
    )
    Y = outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)
    stops = np.cumsum([output.shape[1] for output in outputs])[:-1]
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Any:
        gradients = np.split(as_gradient(model, dY, Y), stops, axis=1)
        found = {key: back(gradient) for (key, *_), back, gradient in zip(stretches, backprops, gradients, strict=True)}
        return (found if isinstance(X, dict) else found[""]) if input_gradient else None

    return Y, backprop


def init(width: int | None, init_E: Initializer, sparse: bool, model: Model, X: Any, Y: Any) -> None:
    """A table for each column of ids of the sample; which there are is known by the sample alone."""
    if X is None:
        raise ShapeError(f"{model.where}: {NAME} needs a sample of its input: which columns are ids is not known")
    ids: list[Array] = []
    for part in parts_of(model, X).values():
        if is_bag(part):
            ids.append(as_bags(model, part)[0].data)
        elif is_ids(part):
            ids += list(part.T)
    model.param_names = tuple(f"E{number}" for number in range(1, len(ids) + 1))
    model.sparse = frozenset(model.param_names if sparse else ())
    for name, column in zip(model.param_names, ids, strict=True):
        n = int(column.max(initial=0)) + 1
        model.draw(name, init_E, (n, width or usual_width(n)))


def usual_width(n: int) -> int:
    """How many numbers a vector for one of n ids has.

    >>> [usual_width(n) for n in (2, 10, 100, 1000, 10_000)]
    [2, 6, 21, 50, 50]
    """
    return min(MAX_WIDTH, round(1.6 * math.pow(n, 0.56)))


def parts_of(model: Model, X: Any) -> dict[str, Any]:
    """The inputs by name, each checked to be rows or bags."""
    parts = X if isinstance(X, dict) else {"": X}
    for name, part in parts.items():
        if not is_bag(part) and (not isinstance(part, np.ndarray) or part.ndim != 2 or part.dtype.kind not in "fi"):
            which = f" for {name}" if name else ""
            rule = "takes rows of numbers (B, n) and of ids, and bags of ids"
            raise ShapeError(f"{model.where}: {kind(model)} {rule}, got {describe(part)}{which}")
    return parts


def is_bag(part: Any) -> bool:
    """Whether an input is ragged, or a pair of such; `as_bags` finds out what it holds."""
    return isinstance(part, Ragged | tuple)


def is_ids(part: Array) -> bool:
    return part.dtype.kind == "i"


def columns_of(part: Any, tables: Iterator[str]) -> Iterator[tuple[int, str]]:
    """Numbers as a whole, without a table; ids column by column, each with the next table; a bag with one."""
    if not is_bag(part) and not is_ids(part):
        yield 0, ""
        return
    for column in range(1 if is_bag(part) else part.shape[1]):
        yield column, next(tables, "none")


def output_of(model: Model, part: Any, column: int, table: str) -> tuple[Array, Backprop]:
    """Numbers as they are, in the parameters' type, or the vectors of a column of ids or of bags.

    ShapeError: an id has no vector, or there are more columns of ids than tables.
    """
    if not table:
        return in_type(model, part), lambda dY: dY
    if table not in model.param_names:
        raise ShapeError(f"{model.where}: has {len(model.param_names)} tables, but the input has more columns of ids")
    if is_bag(part):
        return of_bags(model, part, table)
    ids = part[:, column]
    check_ids(model, ids, table)

    def backprop(dY: Array) -> Array:
        model.add_rows(table, ids, dY)
        return np.zeros(part.shape, model.dtype)  # ids have no slope

    return model.get_param(table).take(ids, axis=0), backprop


def of_bags(model: Model, part: Any, table: str) -> tuple[Array, Backprop]:
    """The mean of the vectors of each bag's ids, or their sum where these have weights."""
    bags, weights = as_bags(model, part)
    check_ids(model, bags.data, table)
    W = weights if isinstance(part, tuple) else means(bags.lengths, "mean").astype(model.dtype)
    Y, backprop_sum = sums(model, table, bags, W)

    def backprop(dY: Array) -> Any:
        slopes = backprop_sum(dY, isinstance(part, tuple))
        zeros = no_slope(model, bags)
        return zeros if slopes is None else (zeros, bags.like(slopes))

    return Y, backprop


def check_ids(model: Model, ids: Array, table: str) -> None:
    n = len(model.get_param(table))
    if ids.size and not 0 <= ids.min() <= ids.max() < n:
        rule = f"ids of column {table[1:]} go from 0 to {n - 1}"
        raise ShapeError(f"{model.where}: {rule}, got {ids.min()} to {ids.max()}")
