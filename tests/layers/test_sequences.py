"""Layers of ids and of sequences: their numbers by hand, by a formula or by a plain loop."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from trainer_cli.arrays import Array, Ragged
from trainer_cli.layers import (
    GRU,
    LSTM,
    Conv1D,
    Embed,
    EmbedBag,
    HashEmbed,
    MultiHashEmbed,
    ParametricAttention,
    expand_window,
    reduce_first,
    reduce_last,
    reduce_max,
    reduce_mean,
    reduce_sum,
    text_bow,
    uniqued,
    with_padded,
)
from trainer_cli.layers.with_padded import pad
from trainer_cli.model import Model
from trainer_cli.ops import Ops, get_ops, ragged
from trainer_cli.ops.hashing import buckets, fingerprints

LENGTHS = np.array([2, 0, 3])
X = Ragged(np.arange(10.0, dtype=np.float32).reshape(5, 2), LENGTHS)
IDS = Ragged(np.array([1, 1, 0, 2, 1]), LENGTHS)


def sequences(x: Ragged) -> list[Array]:
    return np.split(x.data, x.starts()[1:-1])


def check_window(ops: Ops) -> None:
    model = expand_window().use_ops(ops).initialize(X)
    Y, backprop = model(X, True)
    assert Y.data.tolist() == [
        [0, 0, 0, 1, 2, 3],
        [0, 1, 2, 3, 0, 0],
        [0, 0, 4, 5, 6, 7],
        [4, 5, 6, 7, 8, 9],
        [6, 7, 8, 9, 0, 0],
    ]
    assert backprop(Y.like(np.ones_like(Y.data))).data[:, 0].tolist() == [2, 2, 2, 3, 2]


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_a_window_has_the_neighbours_of_its_own_sequence(name: Any) -> None:
    check_window(get_ops(name))


def test_a_window_that_looks_into_the_next_sequence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ragged.neighbours
    monkeypatch.setattr(ragged, "neighbours", lambda lengths, d: whole(np.array([lengths.sum()]), d))
    with pytest.raises(AssertionError):
        check_window(Ops())


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (reduce_sum(), [[2, 4], [0, 0], [18, 21]]),
        (reduce_mean(), [[1, 2], [0, 0], [6, 7]]),
        (reduce_max(), [[2, 3], [0, 0], [8, 9]]),
        (reduce_first(), [[0, 1], [0, 0], [4, 5]]),
        (reduce_last(), [[2, 3], [0, 0], [8, 9]]),
    ],
)
def test_what_is_left_of_a_sequence(layer: Model, expected: list[list[float]]) -> None:
    assert layer.initialize(X).predict(X).tolist() == expected


def test_of_equal_numbers_the_first_gets_the_gradient() -> None:
    rows = Ragged(np.array([[1.0], [3.0], [3.0]], np.float32), np.array([3]))
    _, backprop = reduce_max().initialize(rows)(rows, True)
    assert backprop(np.ones((1, 1))).data.tolist() == [[0], [1], [0]]


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_a_nan_is_larger_than_any_number(name: Any) -> None:
    rows = Ragged(np.array([[1.0, 5.0], [np.nan, 3.0], [np.nan, 4.0], [7.0, 7.0]], np.float32), np.array([3, 1]))
    Y, backprop = reduce_max().use_ops(get_ops(name)).initialize(rows)(rows, True)
    np.testing.assert_array_equal(Y, [[np.nan, 5.0], [7.0, 7.0]])
    assert backprop(np.ones((2, 2), np.float32)).data.tolist() == [[0, 1], [1, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_a_bag_is_the_weighted_sum_of_its_rows(name: Any) -> None:
    weights = IDS.like(np.array([1, 2, 3, 4, 5], np.float32))
    E = np.array([[1, 0], [0, 1], [10, 10]], np.float32)
    for mode, expected in (("sum", [[0, 3], [0, 0], [43, 45]]), ("mean", [[0, 1.5], [0, 0], [43 / 3, 15]])):
        model = EmbedBag(2, mode=mode).use_ops(get_ops(name)).initialize((IDS, weights))  # type: ignore[arg-type]
        model.set_param("E", E)
        np.testing.assert_allclose(model.predict((IDS, weights)), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict(IDS), [[0, 1], [0, 0], [11 / 3, 11 / 3]], rtol=1e-6)


def test_only_rows_that_were_used_have_a_gradient() -> None:
    for model, used in ((EmbedBag(2, 9), [0, 1, 2]), (Embed(2, 9), [0, 1, 2])):
        model.initialize(IDS)
        Y, backprop = model.begin_update(IDS)
        backprop(Y.like(np.ones_like(Y.data)) if isinstance(Y, Ragged) else np.ones_like(Y))
        assert model.store.touched("E").tolist() == used
        assert np.flatnonzero(model.get_grad("E").any(axis=1)).tolist() == used


def test_a_key_is_the_sum_of_four_rows() -> None:
    model = HashEmbed(3, 50, seed=2).initialize(IDS)
    rows = buckets(IDS.data, 50, 2, 4)
    np.testing.assert_allclose(model.predict(IDS).data, model.get_param("E")[rows].sum(axis=1), rtol=1e-5)


def test_keys_share_rows_as_chance_has_it() -> None:
    rows = buckets(np.arange(20_000), 100, 0, 4)
    assert np.bincount(rows.reshape(-1)).min() > 650
    assert len({tuple(row) for row in rows.tolist()}) > 19_990
    assert (rows[:, 0] == rows[:, 1]).mean() < 0.02
    assert (buckets(np.arange(20_000), 100, 1, 4) == rows).mean() < 0.02


def shared_functions(seed: int, other: int, k: int = 4) -> list[tuple[int, int]]:
    """Which of the k columns of two seeds are drawn alike."""
    ours, theirs = (buckets(np.arange(500), 1000, each, k) for each in (seed, other))
    return [(i, j) for i in range(k) for j in range(k) if (ours[:, i] == theirs[:, j]).mean() > 0.5]


def test_no_two_seeds_share_a_way_to_draw_rows() -> None:
    assert [shared_functions(seed, other) for seed in range(6) for other in range(seed)] == [[]] * 15


def test_columns_that_two_draws_share_would_be_found() -> None:
    assert shared_functions(3, 3) == [(i, i) for i in range(4)]


def test_fingerprints_know_the_order_of_columns() -> None:
    rows = np.array([[1, 2], [2, 1], [1, 2], [0, 0], [0, 1]])
    assert len(set(fingerprints(rows).tolist())) == 4


def test_computed_once_is_what_is_computed_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Ragged(np.array([[3, 1], [4, 1], [3, 1], [3, 2], [4, 1]]), LENGTHS)
    plain, once = HashEmbed(3, 20, column=1), uniqued(HashEmbed(3, 20, column=1).named("inner"))
    plain.initialize(keys)
    once.initialize(keys)
    once.layers[0].set_param("E", plain.get_param("E"))
    np.testing.assert_array_equal(once.predict(keys).data, plain.predict(keys).data)
    dY = keys.like(np.arange(15, dtype=np.float32).reshape(5, 3))
    for model in (plain, once):
        model(keys, True)[1](dY)
    np.testing.assert_allclose(once.layers[0].get_grad("E"), plain.get_grad("E"), rtol=1e-6)
    seen = []
    kept = once.layers[0]._forward
    monkeypatch.setattr(once.layers[0], "_forward", lambda m, x, t: seen.append(len(x)) or kept(m, x, t))
    once.predict(keys)
    assert seen == [3]


def test_the_parameters_of_words_by_their_features() -> None:
    keys = Ragged(np.arange(20).reshape(5, 4), LENGTHS)
    model = MultiHashEmbed(8).initialize(keys)
    shapes = {segment.name: segment.shape for segment in model.store.segments}
    assert shapes["words.tables.column0.E"] == (5000, 8)
    assert [shapes[f"words.tables.column{i}.E"][0] for i in range(4)] == [5000, 1000, 2500, 2500]
    assert shapes["words.mix.W"] == (8, 3, 32)
    assert model.predict(keys).data.shape == (5, 8)


def test_attention_by_its_formula() -> None:
    model = ParametricAttention().initialize(X)
    model.set_param("Q", np.array([0.3, -0.2]))
    for rows, found in zip(sequences(X), sequences(model.predict(X)), strict=True):
        scores = np.exp(rows @ [0.3, -0.2])
        np.testing.assert_allclose(found, rows * (scores / scores.sum())[:, None], rtol=1e-5)


# Recurrent layers against plain loops


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def slow_lstm(rows: Array, W: Array, U: Array, b: Array) -> Array:
    n = U.shape[1]
    h, c, found = np.zeros(n), np.zeros(n), []
    for x in rows:
        i, f, g, o = np.split(W @ x + U @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        found.append(h)
    return np.array(found).reshape(-1, n)


def slow_gru(rows: Array, W: Array, U: Array, b: Array) -> Array:
    n = U.shape[1]
    h, found = np.zeros(n), []
    for x in rows:
        (r, z, m), (r_h, z_h, m_h) = np.split(W @ x + b, 3), np.split(U @ h, 3)
        r, z = sigmoid(r + r_h), sigmoid(z + z_h)
        h = (1 - z) * np.tanh(m + r * m_h) + z * h
        found.append(h)
    return np.array(found).reshape(-1, n)


@pytest.mark.parametrize(("layer", "slow"), [(LSTM, slow_lstm), (GRU, slow_gru)])
def test_a_recurrent_layer_is_the_plain_loop_in_both_directions(layer: Any, slow: Any) -> None:
    rows = Ragged(np.random.default_rng(0).normal(size=(9, 2)), np.array([2, 0, 4, 3]))
    model = layer(6, bi=True).initialize(rows, dtype=np.float64)
    model.store.values[...] = np.random.default_rng(1).normal(size=model.store.values.size)
    (both,) = model.layers
    for one, found in zip(sequences(rows), sequences(model.predict(rows)), strict=True):
        ahead, back = ([part.get_param(name) for name in "WUb"] for part in both.layers)
        np.testing.assert_allclose(found[:, :3], slow(one, *ahead), rtol=1e-10)
        np.testing.assert_allclose(found[:, 3:], slow(one[::-1], *back)[::-1], rtol=1e-10)


# Ready-made models


def test_a_linear_bag_starts_even_and_learns_a_word() -> None:
    from trainer_cli.losses import CategoricalCrossentropyV4
    from trainer_cli.optimizers import Adam

    model = text_bow().initialize(IDS, np.zeros((3, 2), np.float32))
    np.testing.assert_array_equal(model.predict(IDS), np.full((3, 2), 0.5))
    loss, optimizer = CategoricalCrossentropyV4(), Adam(0.1)
    for _ in range(50):
        Y, backprop = model.begin_update(IDS)
        backprop(loss(Y, np.array([0, 1, 1]))[0])
        model.finish_update(optimizer)
    assert model.predict(IDS).argmax(axis=1).tolist() == [0, 1, 1]
    assert model.layers[1].attrs["output"] == "softmax"


def test_sequences_are_filled_up_once_in_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model, n_calls = with_padded(Conv1D(3)).initialize(X), 0

    def counted(rows: Ragged) -> Array:
        nonlocal n_calls
        n_calls += 1
        return pad(rows)

    monkeypatch.setattr(importlib.import_module("trainer_cli.layers.with_padded"), "pad", counted)
    model.begin_update(X)[1](model.predict(X))
    assert n_calls == 2  # one of begin_update and one of predict
