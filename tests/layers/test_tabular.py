"""Tables of numbers and categories: vectors for ids, and the models that are ready made for them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer_cli.api import Adam, Config, EmbedColumns, mlp, registry, tabular
from trainer_cli.arrays import Ragged
from trainer_cli.layers import embed_columns
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.model import Model

NUMBERS = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 1.0]], np.float32)
KINDS = np.array([[1, 0], [0, 2], [1, 2]])


def test_vectors_stand_between_the_numbers_in_the_order_of_the_inputs():
    model = EmbedColumns(2).initialize({"a": NUMBERS, "k": KINDS, "b": NUMBERS[:, :1]})
    assert [(s.name, s.shape, s.sparse) for s in model.store.segments] == [("E1", (2, 2), True), ("E2", (3, 2), True)]
    model.E1[...], model.E2[...] = [[1, 2], [3, 4]], [[5, 6], [7, 8], [9, 10]]
    Y = model.predict({"a": NUMBERS, "k": KINDS, "b": NUMBERS[:, :1]})
    assert Y.tolist() == [[0.5, -1, 3, 4, 5, 6, 0.5], [2, 0, 1, 2, 9, 10, 2], [1, 1, 3, 4, 9, 10, 1]]


def test_a_bag_of_ids_is_the_mean_of_its_vectors_and_with_weights_their_sum():
    bags = Ragged(np.array([0, 2, 2]), np.array([2, 0, 1]))
    weights = Ragged(np.array([0.5, 1.0, 2.0], np.float32), bags.lengths)
    for X, means in ((bags, [[3.0], [0], [5]]), ((bags, weights), [[5.5], [0], [10]])):
        model = EmbedColumns(1).initialize({"a": NUMBERS[:, :1], "text": X})
        model.E1[...] = [[1], [3], [5]]
        assert model.predict({"a": NUMBERS[:, :1], "text": X})[:, 1:].tolist() == means


def test_the_gradient_of_a_vector_is_the_sum_over_its_rows():
    model = EmbedColumns(1).initialize(KINDS)
    backprop = model.begin_update(KINDS)[1]
    assert backprop(np.array([[1, 10], [2, 20], [4, 40]], np.float32)).tolist() == [[0, 0]] * 3
    assert (model.grad.E1.tolist(), model.grad.E2.tolist()) == ([[2], [5]], [[10], [0], [60]])


def test_one_array_under_two_names_gets_the_gradient_of_each():
    X = {"a": NUMBERS, "b": NUMBERS}
    backprop = EmbedColumns().initialize(X).begin_update(X)[1]
    dX = backprop(np.array([[1, 2, 3, 4]] * 3, np.float32))
    assert (dX["a"][0].tolist(), dX["b"][0].tolist()) == ([1, 2], [3, 4])


def test_rows_that_come_twice_and_count_once_would_be_noticed(monkeypatch):
    def without_sums(model, name, rows, gradient):
        model.get_grad(name)[rows] += gradient

    monkeypatch.setattr(Model, "add_rows", without_sums)
    with pytest.raises(AssertionError):
        test_the_gradient_of_a_vector_is_the_sum_over_its_rows()


@pytest.mark.parametrize(("n", "width"), [(1, 2), (2, 2), (3, 3), (10, 6), (33, 11), (1000, 50), (10**6, 50)])
def test_the_usual_width_grows_with_the_ids(n, width):
    assert embed_columns.usual_width(n) == width


def shapes(model: Model) -> dict[str, tuple[int, ...]]:
    return {segment.name: segment.shape for segment in model.store.segments}


def test_an_mlp_has_the_layers_that_it_says():
    made = mlp([5, 4], normalize=True).initialize(NUMBERS, np.array([0, 2, 1]))
    assert shapes(made) == {
        **{"hidden1.W": (5, 2), "hidden1.b": (5,), "hidden1.norm.G": (5,), "hidden1.norm.b": (5,)},
        **{"hidden2.W": (4, 5), "hidden2.b": (4,), "hidden2.norm.G": (4,), "hidden2.norm.b": (4,)},
        **{"output.W": (3, 4), "output.b": (3,)},
    }
    linear = mlp([], output="linear", nO=1).initialize(NUMBERS)
    assert shapes(linear) == {"output.W": (1, 2), "output.b": (1,)}
    assert (made.layers[-1].attrs["layer"], linear.layers[-1].attrs["layer"]) == ("Softmax.v1", "Linear.v1")


def test_a_table_model_learns_what_the_categories_alone_tell():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 20, (500, 1))
    X, Y = {"numbers": rng.normal(size=(500, 2)).astype(np.float32), "kinds": kinds}, kinds[:, 0] % 2
    model, loss, optimizer = tabular([8]).initialize(X, Y), CategoricalCrossentropyV4(), Adam(0.05)
    for _ in range(60):
        Yh, backprop = model.begin_update(X, input_gradient=False)
        backprop(loss.get_grad(Yh, Y))
        model.finish_update(optimizer)
    assert (model.predict(X).argmax(axis=1) == Y).mean() == 1.0
    again = tabular([8]).initialize(X, Y).from_bytes(model.to_bytes())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(model.copy().predict(X), model.predict(X))


def test_a_config_makes_them():
    text = '[model]\n@layers = "tabular.v1"\nhidden = [3]\noutput = "linear"\nembedding_width = 2\n'
    model = registry.resolve(Config().from_str(text))["model"].initialize(KINDS, np.zeros((1, 1)))
    assert shapes(model)["hidden1.W"] == (3, 4)
