"""A ready-made model of tables: numbers, categories and texts."""

from __future__ import annotations

from collections.abc import Sequence

from trainer_cli.layers.chain import chain
from trainer_cli.layers.embed_columns import EmbedColumns
from trainer_cli.layers.mlp import Output, stack
from trainer_cli.model import Model
from trainer_cli.registry import registry
from trainer_cli.schedules.schedule import Schedule


@registry.layers("tabular.v1")
def tabular(
    hidden: Sequence[int] = (64,),
    *,
    embedding_width: int | None = None,
    dropout: float | Schedule | None = None,
    normalize: bool = False,
    output: Output = "softmax",
    nO: int | None = None,
) -> Model:
    """`EmbedColumns.v1`, called inputs, and on it the layers of `mlp.v1`: for what `columns.v1` and its parts give.

    X is rows of numbers (B, n), rows of ids (B, k), bags of ids (texts), or a dict of these: each column of ids and
    each text has a table of vectors `embedding_width` wide, by the number of ids where it is left out. The other
    arguments are those of `mlp.v1`. Guo and Berkhahn, "Entity Embeddings of Categorical Variables" (2016),
    arXiv:1604.06737.
    """
    layers = stack("tabular.v1", hidden, dropout, normalize, output, nO)
    return chain(EmbedColumns(embedding_width).named("inputs"), *layers)
