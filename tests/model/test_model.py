import numpy as np
import pytest

from trainer_cli.api import SGD, Adam, Linear, Model, Ops, Relu, chain, glorot_uniform_init
from trainer_cli.errors import ArgumentError, ModelFileError, ShapeError
from trainer_cli.randomness import Moment, generator

X = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
ONE_HOT = np.eye(4, 2, dtype=np.float32)


def small(seed=0):
    return chain(Relu(5).named("hidden"), Linear().named("output")).initialize(X, ONE_HOT, seed=seed)


def test_parameters_lie_end_to_end_in_walk_order_under_their_paths():
    store = small().store
    names = [(segment.name, segment.start, segment.shape) for segment in store.segments]
    assert names == [("hidden.W", 0, (5, 3)), ("hidden.b", 15, (5,)), ("output.W", 20, (2, 5)), ("output.b", 30, (2,))]
    assert store.values.shape == store.gradients.shape == (32,)
    assert store.values.dtype == np.float32


def test_layers_hold_views_of_the_store():
    model = small()
    model.store.values[...] = np.arange(32)
    assert model.layers[1].b.tolist() == [30, 31]
    model.layers[0].grad.b += 2.0
    assert model.store.gradients[15:20].tolist() == [2.0] * 5


def test_initial_weights_depend_on_seed_and_name_alone():
    model = small(seed=7)
    expected = glorot_uniform_init(model.ops, (2, 5), generator=generator(7, "init", "output.W"))
    assert model.layers[1].W.tobytes() == expected.astype(np.float32).tobytes()
    wider = chain(Relu(5).named("hidden"), Relu(5).named("more"), Linear().named("output")).initialize(
        X, ONE_HOT, seed=7
    )
    assert wider.layers[0].W.tobytes() == model.layers[0].W.tobytes()
    assert small(seed=8).layers[0].W.tobytes() != model.layers[0].W.tobytes()


def test_sizes_come_from_the_data():
    model = small()
    assert (model.layers[0].get_dim("nI"), model.layers[1].get_dim("nI"), model.layers[1].get_dim("nO")) == (3, 5, 2)
    assert Linear().initialize(X, np.array([0, 4, 2])).get_dim("nO") == 5  # integer labels: max + 1


def test_a_size_that_contradicts_the_data_names_both():
    with pytest.raises(ShapeError, match=r"output: nO = 3 contradicts the data, which need nO = 2"):
        chain(Relu(5), Linear(3).named("output")).initialize(X, ONE_HOT)
    with pytest.raises(ArgumentError, match=r"hidden: nO is not given and cannot be inferred here"):
        chain(Relu().named("hidden"), Linear(2)).initialize(X)


def test_more_than_the_memory_of_the_machine_is_refused_before_it_is_taken():
    with pytest.raises(
        ShapeError, match=r"big: W of shape \(10000000000, 3\) would take 600.0 GB to train, this machine"
    ):
        Linear(10**10).named("big").initialize(X)


def test_a_layer_used_twice_is_stored_once_under_its_first_path():
    shared = Linear(3, 3).named("shared")
    model = chain(shared, Relu(3).named("middle"), shared).initialize(X, None)
    assert [segment.name for segment in model.store.segments] == ["shared.W", "shared.b", "middle.W", "middle.b"]
    _, backprop = model.begin_update(X)
    backprop(np.ones_like(X))
    assert model.store.gradients[:9].any()


def test_siblings_of_one_name_are_told_apart_by_position():
    model = chain(Linear(4), Linear(4), Linear(4)).initialize(X)
    assert model.store.segments[2].name == "linear1.W"


def test_nesting_packs_again_with_the_same_numbers():
    inner = small()
    before = inner.store.values.copy()
    outer = chain(inner.named("inner"), Linear(2).named("last"))
    outer.layers[1].initialize(ONE_HOT)
    store = outer.store
    assert store.values[:32].tobytes() == before.tobytes()
    assert [segment.name for segment in store.segments][:2] == ["inner.hidden.W", "inner.hidden.b"]
    store.values[0] = 5.0
    assert inner.layers[0].W[0, 0] == 5.0


def test_a_copy_has_numbers_of_its_own():
    model = small()
    twin = model.copy()
    twin.store.values.fill(0)
    assert model.store.values.any()
    assert twin.layers[1].b.tolist() == [0, 0]
    assert model.predict(X).tobytes() == model.copy().predict(X).tobytes()


def test_parameters_survive_bytes():
    model, other = small(seed=1), small(seed=2)
    other.from_bytes(model.to_bytes())
    assert other.store.values.tobytes() == model.store.values.tobytes()
    with pytest.raises(ModelFileError, match=r"belongs to no layer of this model|is missing"):
        Linear(2, 3).initialize().from_bytes(model.to_bytes())


def test_use_params_lends_and_gives_back():
    model = small()
    before = model.store.values.copy()
    with model.use_params({"output.b": np.float32([9, 9])}):
        assert model.layers[1].b.tolist() == [9, 9]
    assert model.store.values.tobytes() == before.tobytes()


def test_a_hand_written_loop_advances_the_moment():
    model, optimizer = small(), Adam(0.01)
    for step in range(2):
        for micro in range(3):
            assert model.store.moment == Moment(0, step, micro)
            Yh, backprop = model.begin_update(X)
            backprop(Yh)
        model.finish_update(optimizer)
    model.predict(X)
    assert model.store.moment == Moment(0, 2, 0)


def test_gradients_add_up_until_finish_update():
    model = small()
    for times in (1, 2):
        Yh, backprop = model.begin_update(X)
        backprop(np.ones_like(Yh))
        assert model.layers[1].grad.b.tolist() == [4.0 * times] * 2
    backprop(np.ones_like(Yh))
    assert model.layers[1].grad.b.tolist() == [12.0] * 2
    model.layers[1].grad.b = np.float32([1.0, -1.0])  # changed by hand
    model.finish_update(Adam(0.1))
    assert model.layers[1].b == pytest.approx([-0.1, 0.1], rel=1e-4)
    assert not model.store.gradients.any()


def test_names_that_do_not_exist_are_told():
    model = Linear(2, 3)
    with pytest.raises(ArgumentError, match="the parameter 'W' is not set yet: call initialize first"):
        model.get_param("W")
    with pytest.raises(ArgumentError, match="the parameter 'V' does not exist"):
        model.get_param("V")
    with pytest.raises(AttributeError, match="linear has no attribute or parameter 'V'"):
        _ = model.V
    with pytest.raises(AttributeError, match=r"no gradient is called 'V'; there are \['W', 'b'\]"):
        _ = model.initialize().grad.V
    with pytest.raises(ArgumentError, match=r"linear: has no size 'nQ'; its sizes are \['nI', 'nO'\]"):
        model.get_dim("nQ")


def test_float64_is_kept_for_gradient_checks():
    model = chain(Relu(5), Linear(2)).initialize(X.astype(np.float64), dtype=np.float64)
    assert model.predict(X.astype(np.float64)).dtype == np.float64
    assert model.store.gradients.dtype == np.float64


def test_a_layer_draws_from_the_moment_its_path_and_its_count():
    def forward(model: Model, X, is_train):
        noise = model.random("noise").random(3)
        return (X + noise if is_train else X), lambda dY: dY

    layer = Model("noisy", forward)
    twice = chain(layer, layer).initialize(X)
    first = twice.begin_update(X)[0]
    again = twice.begin_update(X)[0]
    assert not np.array_equal(first, again)  # another micro-batch
    twice.store.moment = Moment(0, 0, 0)
    assert np.array_equal(first, twice.begin_update(X)[0])
    draws = [generator(0, "noise", 0, 0, "noisy", count).random(3) for count in (0, 1)]
    assert first == pytest.approx(X + draws[0] + draws[1])


# The page's promises about a loop written by hand


def gradient_of(model, *batches):
    for rows in batches:
        Yh, backprop = model.begin_update(rows)
        backprop(Yh - 1)
    return model.store.gradients.copy()


def test_gradients_of_several_batches_add_up_to_that_of_them_all():
    model = small()
    assert gradient_of(model, X[:1], X[1:]) == pytest.approx(gradient_of(small(), X), abs=1e-6)


def test_backprop_may_be_called_late_again_or_not_at_all():
    model = small()
    before = model.store.values.copy()
    Yh, backprop = model.begin_update(X)
    model.begin_update(X * 100)
    model.predict(X + 5)
    assert not model.store.gradients.any()
    backprop(Yh - 1)
    once = model.store.gradients.copy()
    backprop(Yh - 1)
    assert model.store.gradients == pytest.approx(2 * once, abs=1e-6)
    model.store.gradients.fill(0)
    model.finish_update(SGD(0.1))
    assert model.store.values.tobytes() == before.tobytes()


def test_a_gradient_changed_by_hand_is_the_one_that_counts():
    model, other = small(), small()
    gradient_of(model, X)
    layer = model.layers[1]
    layer.set_grad("W", 2 * layer.get_grad("W"))
    layer.grad.b = np.zeros(2)
    before, gradient = other.store.named(other.store.values), other.store.named(gradient_of(other, X))
    model.finish_update(SGD(0.1, grad_clip=0.0))
    assert pytest.approx(before["output.W"] - 0.2 * gradient["output.W"], abs=1e-6) == layer.W
    assert layer.b.tolist() == before["output.b"].tolist()


def test_a_call_without_training_predicts():
    model = chain(Relu(50, dropout=0.5), Linear(2)).initialize(X)
    Yh, backprop = model(X, is_train=False)
    assert Yh.tobytes() == model.predict(X).tobytes()
    assert backprop(np.ones_like(Yh)).shape == X.shape
    assert model(X, is_train=True)[0].tobytes() != Yh.tobytes()


def in_place(key, weights, gradient):
    weights -= 0.1 * gradient
    gradient *= 0
    return weights, gradient


def as_new_arrays(key, weights, gradient):
    return weights - 0.1 * gradient, np.zeros_like(gradient)


@pytest.mark.parametrize("optimizer", [in_place, as_new_arrays])
def test_an_optimizer_may_be_a_function(optimizer):
    model, other = small(), small()
    for step in range(3):
        for each, change in ((model, optimizer), (other, SGD(0.1, grad_clip=0.0))):
            gradient_of(each, X)
            each.finish_update(change)
        assert model.store.moment == Moment(0, step + 1, 0)
        assert not model.store.gradients.any()
    assert model.store.values == pytest.approx(other.store.values, abs=1e-6)


def test_an_optimizer_function_gets_each_parameter_under_its_key():
    model, met = small(), []
    model.finish_update(lambda key, weights, gradient: (met.append((key, weights.shape)) or weights, gradient))
    hidden, output = (layer.id for layer in model.layers)
    assert met == [((hidden, "W"), (5, 3)), ((hidden, "b"), (5,)), ((output, "W"), (2, 5)), ((output, "b"), (2,))]


@pytest.mark.parametrize("answer", [None, 1.0, (1, 2, 3)], ids=repr)
def test_an_optimizer_function_returns_weights_and_gradient(answer):
    with pytest.raises(ArgumentError, match=r"an optimizer function returns \(weights, gradient\), got"):
        small().finish_update(lambda key, weights, gradient: answer)


def test_averages_predict_under_keys_and_under_names():
    model, optimizer = small(), Adam(0.1)
    for _ in range(3):
        gradient_of(model, X)
        model.finish_update(optimizer)
    averages, before = optimizer.averages, model.predict(X)
    expected = small().from_bytes(model.to_bytes())
    expected.store.load(
        {segment.name: averages[segment.key] for segment in model.store.segments}, expected.store.values
    )
    by_name = {segment.name: averages[segment.key] for segment in model.store.segments}
    for params in (averages, by_name, averages | {(-1, "W"): np.zeros(3)}):
        with model.use_params(params):
            assert model.predict(X).tobytes() == expected.predict(X).tobytes()
        assert model.predict(X).tobytes() == before.tobytes()
    with model.use_params(None):
        assert model.predict(X).tobytes() == before.tobytes()


def test_params_of_another_shape_are_refused_and_nothing_is_changed():
    model = small()
    before = model.store.values.copy()
    params = {"hidden.W": np.zeros((5, 3)), "output.b": np.zeros(3)}
    with pytest.raises(ShapeError, match=r"output.b: has shape \(2,\), got \(3,\)"), model.use_params(params):
        pass
    assert model.store.values.tobytes() == before.tobytes()


def test_gradient_checks_see_a_gradient_that_is_overwritten(monkeypatch):
    """What the tests above would miss if `backprop` set gradients instead of adding to them."""
    right = Ops.gemm

    def overwriting(self, A, B, *, add_to=None, **kwargs):
        found = right(self, A, B, **kwargs)
        if add_to is None:
            return found
        add_to[...] = found
        return add_to

    expected = gradient_of(small(), X)
    monkeypatch.setattr(Ops, "gemm", overwriting)
    assert gradient_of(small(), X) == pytest.approx(expected, abs=1e-6)
    assert gradient_of(small(), X[:1], X[1:]) != pytest.approx(expected, abs=1e-6)
