import numpy as np
import pytest

from trainer_cli.api import Linear, Model, Relu, chain
from trainer_cli.errors import ArgumentError, MissingError, ShapeError

X = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def names(model, **kwargs):
    return [node.name for node in model.walk(**kwargs)]


def tree():
    shared = Linear().named("shared")
    left = chain(Relu(3).named("a"), shared).named("left")
    return chain(left, chain(shared, Relu(3).named("b")).named("right"), left).named("root")


def test_walk_takes_each_node_once_in_the_reference_s_orders():
    assert names(tree()) == names(tree(), order="bfs") == ["root", "left", "right", "a", "shared", "b"]
    assert names(tree(), order="dfs_pre") == ["root", "left", "a", "shared", "right", "b"]
    assert names(tree(), order="dfs_post") == ["a", "shared", "left", "b", "right", "root"]
    with pytest.raises(ArgumentError, match="Invalid order 'up': walk takes one of bfs, dfs_pre, dfs_post"):
        tree().walk(order="up")


def test_every_node_has_an_id_of_its_own():
    ids = [node.id for model in (tree(), tree(), tree().copy()) for node in model.walk()]
    assert len(set(ids)) == 18


def test_sizes_are_set_once():
    model = Linear(5)
    assert model.dim_names == ("nO", "nI")
    assert (model.has_dim("nO"), model.has_dim("nI"), model.has_dim("nX")) == (True, None, False)
    assert (model.maybe_get_dim("nO"), model.maybe_get_dim("nI"), model.maybe_get_dim("nX")) == (5, None, None)
    model.set_dim("nI", 3)
    assert model.get_dim("nI") == 3
    with pytest.raises(ShapeError, match="nI = 3 contradicts the data, which need nI = 4"):
        model.set_dim("nI", 4)
    model.set_dim("nI", 4, force=True)
    model.initialize()
    with pytest.raises(ShapeError, match="nI = 4 contradicts"):
        model.set_dim("nI", 3, force=True)


def test_parameters_are_declared_set_and_taken_away():
    model = Model("tmp", lambda model, X, is_train: (X, lambda dY: dY), params=("W",))
    assert (model.has_param("W"), model.has_param("V")) == (None, False)
    assert model.maybe_get_param("W") is None
    model.set_param("W", np.arange(3))
    assert model.get_param("W").dtype == np.float32
    assert (model.has_param("W"), model.maybe_get_param("W").tolist()) == (True, [0, 1, 2])
    model.set_param("V", None)
    assert (model.param_names, model.has_param("V")) == (("W", "V"), None)
    model.set_param("V", np.eye(2))
    assert [segment.name for segment in model.store.segments] == ["W", "V"]
    model.set_param("V", None)
    assert [segment.name for segment in model.store.segments] == ["W"]
    assert model.store.values.tolist() == [0, 1, 2]


def test_parameters_may_be_given_with_values():
    model = Model("tmp", lambda model, X, is_train: (X, lambda dY: dY), params={"W": np.ones(2), "b": None})
    assert (model.get_param("W").tolist(), model.has_param("b")) == ([1, 1], None)


def test_parameters_keep_their_place_and_shape():
    model = Linear(2, 3).initialize()
    model.set_param("W", np.arange(6, dtype=np.int64).reshape(2, 3))
    assert model.store.values[:6].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ShapeError, match=r"W: has shape \(2, 3\), got \(3, 2\)"):
        model.set_param("W", np.zeros((3, 2)))


def test_gradients_are_set_and_added_to():
    model = Linear(2, 3).initialize()
    assert (model.has_grad("W"), model.has_grad("V"), model.maybe_get_grad("W")) == (False, False, None)
    model.inc_grad("b", np.array([1, 2]))
    model.inc_grad("b", np.array([1.0, 0.5]))
    assert model.store.gradients.tolist() == [0] * 6 + [2.0, 2.5]
    assert model.grad_names == ("b",)
    model.set_grad("b", np.zeros(2))
    assert model.grad_names == ()
    for wrong in (np.zeros((5, 0)), np.zeros(6), 1.0):
        with pytest.raises(ShapeError, match=r"W: has shape \(2, 3\), got"):
            model.inc_grad("W", wrong)
        with pytest.raises(ShapeError, match=r"W: has shape \(2, 3\), got"):
            model.set_grad("W", wrong)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.get_param("V"),
        lambda model: model.get_grad("V"),
        lambda model: model.inc_grad("V", np.zeros(2)),
        lambda model: model.get_dim("nX"),
        lambda model: model.set_dim("nX", 2),
        lambda model: Linear(2).get_param("W"),
    ],
)
def test_a_name_that_does_not_exist_is_a_key_error_as_in_the_reference(call):
    model = Linear(2, 3).initialize()
    with pytest.raises(MissingError) as caught:
        call(model)
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).startswith("linear: ")  # a sentence, not the quoted text of a KeyError


def test_a_layer_of_a_user_s_own_sets_its_parameters_by_name():
    def forward(model, X, is_train):
        def backprop(dY):
            model.inc_grad("W", dY.T @ X)
            return dY @ model.get_param("W")

        return X @ model.get_param("W").T, backprop

    def init(model, X=None, Y=None):
        model.set_dim("nI", X.shape[1])
        model.set_param("W", np.full((model.get_dim("nO"), model.get_dim("nI")), 0.5))

    own = Model("own", forward, init=init, dims={"nO": 2, "nI": None}, params=("W",))
    model = chain(Relu(4), own).initialize(X)
    Yh, backprop = model.begin_update(X)
    backprop(np.ones_like(Yh))
    assert [segment.name for segment in model.store.segments] == ["relu.W", "relu.b", "own.W"]
    assert own.get_grad("W").shape == (2, 4)
    assert model.store.gradients[-8:].tolist() == own.get_grad("W").reshape(-1).tolist()
