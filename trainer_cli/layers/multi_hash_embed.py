"""Words by several of their features."""

from __future__ import annotations

from typing import Any

from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.layers.chain import chain
from trainer_cli.layers.concatenate import concatenate
from trainer_cli.layers.dropout import checked
from trainer_cli.layers.hash_embed import HashEmbed
from trainer_cli.layers.inputs import describe, sizes
from trainer_cli.layers.maxout import Maxout
from trainer_cli.layers.uniqued import as_rows_of_ids, forward
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule

# spaCy's sizes for English words' NORM, PREFIX, SUFFIX and SHAPE.
ROWS = (5000, 1000, 2500, 2500)


@registry.layers("MultiHashEmbed.v1")
def MultiHashEmbed(
    width: int = 96,
    rows: list[int] | None = None,
    *,
    nP: int = 3,
    seed: int = 0,
    dropout: float | Schedule | None = None,
    sparse: bool = True,
) -> Model:
    """A vector for each word from the hashes of its features: a `HashEmbed.v1` each, mixed by a Maxout.

    X is keys (B, k) or Ragged (sum, k), as `tokens.v1` gives for k attributes, Y is (B, width) or Ragged (sum, width).
    `rows` are those of the k tables; left out, there are four, of 5000, 1000, 2500 and 2500. The vectors stand side by
    side and go through a `Maxout.v1` of `nP` pieces with a LayerNorm, whose outputs `dropout` drops; each different
    word is computed once. The tables are seeded by `seed`, `seed + 1`, ...; `sparse` is theirs. Miranda et al., "Multi
    hash embeddings in spaCy" (2022), arXiv:2212.09255.
    """
    rows = list(ROWS) if rows is None else rows
    if not isinstance(rows, list) or not rows:
        raise ArgumentError(f"MultiHashEmbed.v1: rows must be a list of table sizes, got {rows!r}")
    sizes("MultiHashEmbed.v1", width=width, nP=nP)
    tables = [HashEmbed(width, n, column=column, seed=seed + column, sparse=sparse) for column, n in enumerate(rows)]
    named = [table.named(f"column{column}") for column, table in enumerate(tables)]
    mix = Maxout(width, nP=nP, normalize=True, dropout=checked(dropout)).named("mix")
    words = chain(concatenate(*named).named("tables"), mix).named("words")
    attrs = {"layer": "MultiHashEmbed.v1", "rows": tuple(rows)}
    return Model("multihashembed", forward, init=init, layers=[words], attrs=attrs)


def init(model: Model, X: Any, Y: Any) -> None:
    """ShapeError: the inputs have not as many columns as there are tables."""
    if X is not None:
        data, n_tables = as_rows_of_ids(model, X), len(model.attrs["rows"])
        if data.ndim != 2 or data.shape[1] != n_tables:
            rule = f"rows has a size for each column of ids, {n_tables} of them"
            raise ShapeError(f"{model.where}: {rule}, got {describe(X)}")
        X = data
    model.layers[0].init(X, Y)
