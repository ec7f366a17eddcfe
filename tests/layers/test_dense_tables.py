"""Tables with `sparse = false`: an update is the reference's, of every row."""

import numpy as np
import pytest

from trainer_cli.arrays import Ragged
from trainer_cli.layers.embed import Embed
from trainer_cli.layers.embed_bag import EmbedBag
from trainer_cli.layers.embed_columns import EmbedColumns
from trainer_cli.layers.hash_embed import HashEmbed
from trainer_cli.layers.multi_hash_embed import MultiHashEmbed
from trainer_cli.optimizers.adam import Adam

RATE, BETA1, BETA2, EPS, L2 = 0.05, 0.9, 0.99, 1e-8, 0.01
WIDTH = 3
# The ids of each update: rows come, stay away, and come again; row 5 never comes.
BATCHES = [np.array([0, 1, 1]), np.array([2, 3, 0]), np.array([4, 1, 4])]


def bags(ids):
    return Ragged(ids, np.array([2, 1]))


def columns(ids):
    return ids[:, None]


LAYERS = {
    "Embed.v1": (lambda sparse: Embed(WIDTH, 6, sparse=sparse), lambda ids: ids),
    "HashEmbed.v1": (lambda sparse: HashEmbed(WIDTH, 6, sparse=sparse), lambda ids: ids),
    "EmbedBag.v1": (lambda sparse: EmbedBag(WIDTH, 6, sparse=sparse), bags),
    "EmbedColumns.v1": (lambda sparse: EmbedColumns(WIDTH, sparse=sparse), columns),
}


def trained(name, sparse):
    """The table after an update for each batch, and what Adam's formula makes of its first values and gradients."""
    make, as_input = LAYERS[name]
    model = make(sparse).initialize(as_input(np.array([0, 1, 5])), seed=4)
    table = "E1" if name == "EmbedColumns.v1" else "E"
    optimizer = Adam(RATE, beta1=BETA1, beta2=BETA2, eps=EPS, L2=L2, grad_clip=0.0)
    W = model.get_param(table).astype(np.float64)
    m, v = np.zeros_like(W), np.zeros_like(W)
    for t, ids in enumerate(BATCHES, 1):
        Y, backprop = model.begin_update(as_input(ids))
        backprop(np.random.default_rng(t).normal(size=Y.shape).astype(np.float32))
        g = model.get_grad(table).astype(np.float64)
        m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g**2
        step = RATE * np.sqrt(1 - BETA2**t) / (1 - BETA1**t) * m / (np.sqrt(v) + EPS)
        W = (W - step) * (1 - RATE * L2)
        model.finish_update(optimizer)
    return model.get_param(table), W


@pytest.mark.parametrize("name", LAYERS)
def test_a_dense_table_follows_adams_formula_in_every_row(name):
    found, expected = trained(name, sparse=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_a_sparse_table_does_not(name):
    found, expected = trained(name, sparse=True)
    assert abs(found - expected).max() > 1e-3


def test_a_dense_table_moves_rows_that_are_not_used_and_a_sparse_one_does_not():
    start = Embed(WIDTH, 6).initialize(BATCHES[0], seed=4).get_param("E")[5]
    assert (trained("Embed.v1", sparse=True)[0][5] == start).all()
    assert (trained("Embed.v1", sparse=False)[0][5] != start).all()  # its weights decay


@pytest.mark.parametrize("sparse", [True, False])
def test_tables_inside_are_as_they_are_told(sparse):
    keys = np.arange(8).reshape(2, 4)
    model = MultiHashEmbed(8, sparse=sparse).initialize(keys, seed=1)
    assert len(model.store.tables) == (4 if sparse else 0)
