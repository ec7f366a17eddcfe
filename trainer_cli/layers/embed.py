"""A table of vectors."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from trainer_cli.errors import ArgumentError
from trainer_cli.initializers import Initializer, uniform_init
from trainer_cli.layers.dropout import checked, drop
from trainer_cli.layers.ids import as_ids, check_range, checked_column, no_slope, rows_of, set_table_size, with_rows
from trainer_cli.layers.inputs import sizes
from trainer_cli.model import Backprop, Model, width
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("Embed.v1")
def Embed(
    nO: int | None = None,
    nV: int | None = None,
    *,
    column: int | None = None,
    init_E: Initializer = uniform_init,
    dropout: float | Schedule | None = None,
    sparse: bool = True,
    vectors: Path | None = None,
) -> Model:
    """The row of a table for each id: `Y[i] = E[X[i]]`.

    X is ids (B,), of several columns (B, k) that of `column`, and Y is (B, nO); or X is Ragged (sum,) or (sum, k), and
    Y too, (sum, nO). E is (nV, nO); nV is inferred from the data. An update costs what the rows that were used cost;
    with `sparse = false` it is that of any other weights, and moves the other rows as well. `dropout` drops outputs in
    training. In a run, `vectors` names a file that the rows of words start from (text as word2vec, GloVe and fastText
    write it, also packed, or safetensors) of `nO` numbers each: the others start as `init_E` says. ShapeError: an id is
    none of the rows. Bengio et al., "A Neural Probabilistic Language Model" (JMLR 2003).
    """
    if vectors is not None and nO is None:
        raise ArgumentError(f"Embed.v1: with vectors = {str(vectors)!r} say how wide they are, nO = ...")
    return Model(
        "embed",
        forward,
        init=partial(init, init_E),
        dims=sizes("Embed.v1", nO=nO, nV=nV),
        params=("E",),
        sparse=("E",) if sparse else (),
        attrs={"layer": "Embed.v1", "column": checked_column("Embed.v1", column), "dropout": checked(dropout)}
        | ({} if vectors is None else {"vectors": str(vectors)}),
    )


def forward(model: Model, X: Any, is_train: bool) -> tuple[Any, Backprop]:
    ids = as_ids(model, X)
    check_range(model, ids)
    Y, backprop_drop = drop(model, model.get_param("E").take(ids, axis=0), is_train)
    input_gradient = model.input_gradient

    def backprop(dY: Any) -> Any:
        model.add_rows("E", ids, backprop_drop(rows_of(model, X, dY)))
        return no_slope(model, X) if input_gradient else None

    return with_rows(X, Y), backprop


def init(init_E: Initializer, model: Model, X: Any, Y: Any) -> None:
    if X is not None:
        set_table_size(model, as_ids(model, X))
    if Y is not None:
        model.set_dim("nO", width(Y))
    model.draw("E", init_E, (model.get_dim("nV"), model.get_dim("nO")))
