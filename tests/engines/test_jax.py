"""Functions of JAX as a layer: parameters in the store, gradients, padding, state, and what is refused."""

from functools import partial

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp
from jax.experimental import sparse

from trainer_cli.api import (
    ArgumentError,
    DivergedError,
    Embed,
    Linear,
    Ragged,
    Relu,
    Softmax,
    chain,
    concatenate,
    equinox_pair,
    flax_pair,
    relu_activation,
)
from trainer_cli.randomness import Moment
from trainer_cli.wrappers import jax as wrapper
from trainer_cli.wrappers import padding
from trainer_cli.wrappers.engine import ModuleError, RowCounts, expect_rows, scored
from trainer_cli.wrappers.jax import JAXWrapper
from trainer_cli.wrappers.padding import bucket

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 3)).astype(np.float32)
LENGTHS = np.array([2, 0, 3, 1], np.int64)
RAGGED = Ragged(RNG.normal(size=(6, 3)).astype(np.float32), LENGTHS)


def init(rng, X):
    keys = jax.random.split(rng)
    return {
        "one": {"w": jax.random.normal(keys[0], (3, 4)), "b": jnp.ones(4)},
        "two": jax.random.normal(keys[1], (4, 2)),
    }


def apply(params, X, is_train, rng):
    return jnp.tanh(X @ params["one"]["w"] + params["one"]["b"]) @ params["two"]


def made(pair=(init, apply), X=ROWS, rows=None, **more):
    model = JAXWrapper(pair).initialize(X, **more)
    expect_rows(model, rows or RowCounts(8, 16))
    return model


def gradients(model, X, dY=None, input_gradient=True):
    model.store.gradients.fill(0)
    Y, backprop = model.begin_update(X, input_gradient)
    R = np.random.default_rng(1).normal(size=(Y.data if isinstance(Y, Ragged) else Y).shape).astype(np.float32)
    dX = backprop(Y.like(R) if isinstance(Y, Ragged) else R)
    return Y, R, dX, model.store.gradients.copy()


def test_leaves_are_parameters_under_their_path():
    model = made()
    names = [segment.name for segment in model.store.segments]
    assert names == ["module.one.b", "module.one.w", "module.two"]
    assert model.get_param("module.one.w").shape == (3, 4)
    assert np.shares_memory(model.get_param("module.two"), model.store.values)
    assert [segment.name for segment in model.store.segments if segment.no_decay] == ["module.one.b"]


def test_outputs_and_gradients_are_those_of_jax():
    model = made()
    Y, R, dX, gradient = gradients(model, ROWS)
    params = {"one": {"w": model.get_param("module.one.w"), "b": model.get_param("module.one.b")}}
    params["two"] = model.get_param("module.two")
    params = jax.tree_util.tree_map(jnp.array, params)
    expected, back = jax.vjp(lambda params, X: apply(params, X, True, None), params, ROWS)
    np.testing.assert_allclose(Y, expected, rtol=1e-5)
    own, of_input = back(R)
    np.testing.assert_allclose(dX, of_input, rtol=1e-4, atol=1e-6)
    flat = [own["one"]["b"], own["one"]["w"], own["two"]]
    np.testing.assert_allclose(gradient, np.concatenate([np.ravel(x) for x in flat]), rtol=1e-4, atol=1e-6)


def test_the_way_back_of_a_prediction_is_that_of_its_own_rows():
    """Also after another one, and after an update's pass."""
    model, others = made(), ROWS[::-1] * 2
    Y, R, dX, gradient = gradients(model, ROWS)
    found, backprop = model(ROWS, False)
    model.predict(others)
    model.begin_update(others)[1](R)
    model.store.gradients.fill(0)
    np.testing.assert_allclose(found, Y, rtol=1e-6)
    np.testing.assert_allclose(backprop(R), dX, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(model.store.gradients, gradient, rtol=1e-5, atol=1e-6)


def test_a_way_back_of_the_latest_rows_would_be_seen(monkeypatch):
    """The planted bug: a prediction goes back through the rows of the last pass."""
    latest, late, predicted = {}, wrapper.late, wrapper.predicted

    def noted(model, X):
        latest["X"] = X
        return predicted(model, X)

    monkeypatch.setattr(wrapper, "predicted", noted)
    monkeypatch.setattr(wrapper, "late", lambda model, X, dY: late(model, latest["X"], dY))
    with pytest.raises(AssertionError):
        test_the_way_back_of_a_prediction_is_that_of_its_own_rows()


def test_gradients_are_added_and_follow_the_finite_differences():
    model = made()
    _, R, _, gradient = gradients(model, ROWS)
    model.begin_update(ROWS)[1](R)
    np.testing.assert_allclose(model.store.gradients, 2 * gradient, rtol=1e-5)
    values = model.store.values
    for at in range(0, values.size, 5):
        kept, eps = values[at], 1e-2
        values[at] = kept + eps
        above = (model.predict(ROWS) * R).sum()
        values[at] = kept - eps
        slope = (above - (model.predict(ROWS) * R).sum()) / (2 * eps)
        values[at] = kept
        assert slope == pytest.approx(gradient[at], rel=2e-2, abs=2e-3)


def test_a_change_of_the_store_is_seen_by_the_next_pass():
    model = made()
    before = model.predict(ROWS)
    model.store.values[...] *= 2
    after = model.predict(ROWS)
    fresh = made()
    fresh.store.values[...] *= 2
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, fresh.predict(ROWS))


def test_the_initial_numbers_are_the_seeds():
    values = made(seed=3).store.values
    np.testing.assert_array_equal(values, made(seed=3).store.values)
    assert not np.array_equal(values, made(seed=4).store.values)


def test_a_copy_has_numbers_of_its_own():
    model = made()
    Y = model.predict(ROWS)
    twin = model.copy()
    model.store.values.fill(0)
    np.testing.assert_array_equal(twin.predict(ROWS), Y)
    twin.begin_update(ROWS)[1](np.ones((6, 2), np.float32))
    assert twin.store.gradients.any()
    assert not model.store.gradients.any()


def test_nesting_a_trained_model_moves_its_numbers():
    inner = made()
    Y = inner.predict(ROWS)
    outer = chain(inner, relu_activation())
    assert outer.store is inner.store_or_none  # packed anew
    np.testing.assert_array_equal(inner.predict(ROWS), Y)
    Y, backprop = outer(ROWS, True)
    backprop(np.ones_like(Y))
    assert outer.layers[0].get_grad("module.two").any()


# Composition


def check_against_numbers(model, X, at=7):
    model.store.gradients.fill(0)
    _, R, _, gradient = gradients(model, X, input_gradient=False)
    values, data = model.store.values, lambda Y: Y.data if isinstance(Y, Ragged) else Y
    for index in range(0, values.size, at):
        kept, eps = values[index], 1e-2
        values[index] = kept + eps
        above = (data(model.predict(X)) * R).sum(dtype=float)
        values[index] = kept - eps
        slope = (above - (data(model.predict(X)) * R).sum(dtype=float)) / (2 * eps)
        values[index] = kept
        assert slope == pytest.approx(gradient[index], rel=5e-2, abs=5e-3)


def smooth(nO):
    from trainer_cli.api import Tanh

    return Tanh(nO)


def test_it_stands_between_built_in_layers():
    check_against_numbers(chain(smooth(3), JAXWrapper((init, apply)), Linear(3)).initialize(ROWS), ROWS)


def test_it_stands_beside_built_in_layers():
    model = chain(concatenate(JAXWrapper((init, apply)), smooth(3)), Linear(3)).initialize(ROWS)
    check_against_numbers(model, ROWS)


def test_the_targets_width_is_its_own_at_the_end():
    targets = np.zeros((1, 2), np.float32)
    assert chain(smooth(3), JAXWrapper((init, apply))).initialize(ROWS, targets).predict(ROWS).shape == (6, 2)
    with pytest.raises(ModuleError, match=r"returned \(6, 2\), the targets need a width of 3"):
        chain(smooth(3), JAXWrapper((init, apply))).initialize(ROWS, np.zeros((1, 3), np.float32))


def test_two_of_one_pair_have_numbers_of_their_own():
    pair = (init, apply)
    model = concatenate(JAXWrapper(pair), JAXWrapper(pair)).initialize(ROWS)
    Y = model.predict(ROWS)
    assert Y.shape == (6, 4)
    assert not np.array_equal(Y[:, :2], Y[:, 2:])
    check_against_numbers(model, ROWS)


def sums(params, X, is_train, rng):
    data, lengths = X
    rows = jnp.repeat(jnp.arange(len(lengths)), lengths, total_repeat_length=len(data))
    return jax.ops.segment_sum(jnp.tanh(data @ params["w"]), rows, len(lengths))


def of_tokens(params, X, is_train, rng):
    return jnp.tanh(X.data @ params["w"])


def weights(rng, X):
    return {"w": jax.random.normal(rng, (3, 2))}


def test_ragged_rows_give_rows():
    model = made((weights, sums), RAGGED, RowCounts(16, 16))
    expected = [np.tanh(part @ model.get_param("module.w")).sum(axis=0) for part in np.split(RAGGED.data, [2, 2, 5])]
    np.testing.assert_allclose(model.predict(RAGGED), expected, rtol=1e-4, atol=1e-6)
    Y, _, dX, _ = gradients(model, RAGGED)
    np.testing.assert_allclose(Y, expected, rtol=1e-4, atol=1e-6)
    assert dX.data.shape == RAGGED.data.shape
    check_against_numbers(model, RAGGED, 1)


def test_ragged_rows_give_ragged_rows():
    model = made((weights, of_tokens), RAGGED, RowCounts(4, 4))
    Y = model.predict(RAGGED)
    assert isinstance(Y, Ragged)
    np.testing.assert_allclose(Y.data, np.tanh(RAGGED.data @ model.get_param("module.w")), rtol=1e-5)
    check_against_numbers(model, RAGGED, 1)
    one_each = Ragged(RAGGED.data, np.ones(6, np.int64))
    assert isinstance(model.predict(one_each), Ragged)


def test_ids_come_from_an_embedding_below_it():
    ids = Ragged(np.array([1, 2, 3, 1, 0, 2]), LENGTHS)
    model = chain(Embed(3, 5), JAXWrapper((weights, of_tokens)), Linear(2)).initialize(ids)
    Y, backprop = model.begin_update(ids)
    backprop(Y.like(np.ones_like(Y.data)))
    assert model.layers[0].get_grad("E").any()


def test_several_inputs_come_as_a_dict_with_gradients_by_name():
    X = {"numbers": ROWS, "kinds": np.arange(6).reshape(6, 1) % 2}

    def both(params, X, is_train, rng):
        return X["numbers"] @ params["w"] + params["table"][X["kinds"][:, 0]]

    def start(rng, X):
        return {"w": jnp.ones((3, 2)), "table": jnp.ones((2, 2))}

    model = made((start, both), X)
    _, R, dX, _ = gradients(model, X)
    np.testing.assert_allclose(dX["numbers"], R @ np.ones((2, 3)), rtol=1e-5)
    assert dX["kinds"].shape == (6, 1)
    assert not dX["kinds"].any()
    assert model.get_grad("module.table").sum() == pytest.approx(R.sum(), rel=1e-4)


# Padding


def test_buckets_are_few_and_a_function_of_the_size_alone():
    assert {bucket(n, 100) for n in range(1, 101)} == {25, 100}
    assert [bucket(n, 100) for n in (101, 400, 401)] == [400, 400, 1600]
    assert [padding.piece(n) for n in (1, 16, 100, 1000)] == [1, 16, 16, 125]


def test_padding_changes_no_sum():
    exact, padded = made(rows=RowCounts(6, 6)), made(rows=RowCounts(128, 128))
    one, other = gradients(exact, ROWS), gradients(padded, ROWS)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


COMPILED = []


def listening():
    """The names of what JAX compiles from now on, by its own monitoring."""
    if not COMPILED:
        COMPILED.append("")

        def note(event, seconds, fun_name="", **more):
            if event == "/jax/core/compile/backend_compile_duration":
                COMPILED.append(fun_name)

        jax.monitoring.register_event_duration_secs_listener(note)
    COMPILED[1:] = []
    return COMPILED


def grown(model, n=64):
    X = np.random.default_rng(2).normal(size=(100, 3)).astype(np.float32)
    listening()
    for size in range(1, n + 1):
        Y, backprop = model.begin_update(X[:size], False)
        backprop(Y)
    for size in (100, 37, 7):
        model.predict(X[:size])
    return model.attrs["engine"], COMPILED[1:]


def test_a_growing_batch_compiles_five_times_as_jax_itself_counts():
    engine, found = grown(made(rows=RowCounts(64, 100)))
    forward, pullback, predict = (f"jit(apply {kind})" for kind in ("forward", "pullback", "predict"))
    assert sorted(found) == [forward, forward, predict, pullback, pullback]
    assert engine.notes() == ["JAX compiled apply 5 times (forward passes 2, pullbacks 2, predictions 1)"]


def test_without_buckets_it_would_compile_for_each_size(monkeypatch):
    monkeypatch.setattr(padding, "bucket", lambda n, full, parts: n)
    engine, found = grown(made(rows=RowCounts(64, 100)), n=4)
    assert len(found) == 9 == engine.compiled.total()


def test_copies_share_what_is_compiled_and_each_counts_its_own():
    model = made()
    engine, found = grown(model, n=1)
    twin = model.copy().attrs["engine"]
    _, more = grown(model.copy(), n=1)
    assert (len(found), more) == (3, [])
    assert (engine.compiled.total(), twin.compiled.total()) == (3, 0)
    other, found = grown(made().copy(), n=1)
    assert other.compiled.total() == len(found) == 3


@pytest.mark.parametrize("pair", [(init, apply), "sums", "of_tokens"])
def test_what_is_predicted_in_pieces_is_what_one_pass_gives(pair):
    if isinstance(pair, str):
        pair, X = (weights, globals()[pair]), Ragged(np.tile(RAGGED.data, (10, 1)), np.tile(LENGTHS, 10))
    else:
        X = np.random.default_rng(3).normal(size=(40, 3)).astype(np.float32)
    whole, pieces = made(pair, X, RowCounts(40, 640)).predict(X), made(pair, X, RowCounts(40, 20)).predict(X)
    if isinstance(whole, Ragged):
        np.testing.assert_array_equal(pieces.lengths, whole.lengths)
        whole, pieces = whole.data, pieces.data
    np.testing.assert_allclose(pieces, whole, rtol=1e-5, atol=1e-6)


def normalised(params, X, is_train, rng):
    return X / jnp.linalg.norm(X, axis=1, keepdims=True) @ params["w"]


def test_padding_makes_no_nan_where_a_row_of_zeros_would(monkeypatch):
    model = made((weights, normalised), rows=RowCounts(128, 128))
    assert np.isfinite(gradients(model, ROWS)[3]).all()
    monkeypatch.setattr(wrapper, "pad", partial(padding.pad, filler=lambda X, n: np.zeros_like(X[:1])))
    assert np.isnan(gradients(model, ROWS)[3]).any()


def centred(params, X, is_train, rng, mask):
    n = mask.sum()
    return (X - (X * mask[:, None]).sum(axis=0) / n) @ params["w"]


def test_a_mask_tells_the_rows_of_the_batch():
    Y = made((weights, centred), rows=RowCounts(64, 64)).predict(ROWS)
    np.testing.assert_allclose(Y.sum(axis=0), 0, atol=1e-5)

    def unmasked(params, X, is_train, rng):
        return (X - X.mean(axis=0)) @ params["w"]

    assert abs(made((weights, unmasked), rows=RowCounts(64, 64)).predict(ROWS).sum()) > 1e-2


# Buffers and randomness


def counting_init(rng, X):
    return {"w": jnp.ones((3, 2)), "order": jnp.arange(2)}, {"mean": jnp.zeros(3), "n": jnp.zeros((), int)}


def counting(params, state, X, is_train, rng):
    mean = X.mean(axis=0) if is_train else state["mean"]
    new = {"mean": 0.5 * state["mean"] + 0.5 * mean, "n": state["n"] + 1}
    return ((X - mean) @ params["w"])[:, params["order"]], new


def test_state_lies_in_buffers_and_whole_numbers_are_exact():
    model = made((counting_init, counting), rows=RowCounts(6, 6))
    assert [segment.name for segment in model.store.segments] == ["module.w"]
    assert set(model.store.buffers.named()) == {"module.order", "module.state.mean", "module.state.n"}
    model.begin_update(ROWS)
    assert model.get_buffer("module.state.n") == 0  # until the update
    model.store.buffers.keep()
    assert model.get_buffer("module.state.n") == 1
    np.testing.assert_allclose(model.get_buffer("module.state.mean"), 0.5 * ROWS.mean(axis=0), rtol=1e-5, atol=1e-7)
    model.predict(ROWS)
    model.store.buffers.keep()
    assert model.get_buffer("module.state.n") == 1


def test_a_model_is_read_back_with_its_state():
    model = made((counting_init, counting), rows=RowCounts(6, 6))
    model.begin_update(ROWS)
    model.store.buffers.keep()
    other = made((counting_init, counting), rows=RowCounts(6, 6)).from_bytes(model.to_bytes())
    np.testing.assert_array_equal(other.predict(ROWS), model.predict(ROWS))


def noisy(params, X, is_train, rng):
    Y = X @ params["w"]
    return Y * jax.random.bernoulli(rng, 0.5, Y.shape) if is_train else Y


def test_draws_are_of_the_step_and_the_micro_batch():
    model = made((weights, noisy))

    def at(step):
        model.store.moment = Moment(0, step)
        return [model.begin_update(ROWS)[0] for _ in range(2)]

    first, again, other = at(5), at(5), at(6)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(model.predict(ROWS), model.predict(ROWS))


# What is refused


@pytest.mark.parametrize("module", [apply, (init,), (init, 3), None])
def test_what_is_no_pair_is_refused(module):
    with pytest.raises(ArgumentError, match=r"module must be a pair of functions \(init\(rng, X\), apply"):
        JAXWrapper(module)


def test_a_module_of_flax_is_told_its_adapter():
    linen = pytest.importorskip("flax.linen")
    with pytest.raises(ArgumentError, match=r"got a Dense: return flax_pair\(module\), from trainer_cli.api$"):
        JAXWrapper(linen.Dense(3))


def scaled(params, X, is_train, rng, factor=2.0):
    return X @ params["w"] * factor


@pytest.mark.parametrize("function", [scaled, partial(scaled, factor=2.0)], ids=["default", "bound"])
def test_what_has_a_default_is_no_state(function):
    model = made((weights, function))
    np.testing.assert_allclose(model.predict(ROWS), ROWS @ model.get_param("module.w") * 2, rtol=1e-5)


def raising(params, X, is_train, rng):
    raise KeyError("no such thing")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (raising, r"jax: JAX module raising raised KeyError: 'no such thing'; its input was float32 \(6, 3\)"),
        (lambda p, X, is_train, rng: (X, X), r"must return one array of floats, not a tuple"),
        (lambda p, X, is_train, rng: X.argmax(axis=1), r"must return one array of floats, not int32 \(6,\)"),
        (lambda p, X, is_train, rng: (X @ p["w"])[1:], r"one output for each of 8 rows, not float32 \(7, 2\)"),
        (lambda p, X, is_train, rng: X.sum(), "must return one output for each row, not a single number"),
        (lambda p, X, is_train, rng: X @ X, r"raised TypeError: dot_general requires contracting dimensions"),
        (lambda p, s, X, is_train, rng: (X, {}), r"must make \(params, state\) in init, not a dict"),
    ],
)
def test_a_module_that_fails_is_named_with_its_input(function, message):
    with pytest.raises(ModuleError, match=message):
        made((weights, function)).begin_update(ROWS)


def stopped(params, X, is_train, rng):
    return apply(jax.lax.stop_gradient(params), X, is_train, rng)


def stopped_within(params, X, is_train, rng):
    return jax.jit(lambda params, X: jax.lax.stop_gradient(jnp.tanh(X @ params["one"]["w"])) @ params["two"] * 0 + X)(
        {**params, "two": jax.lax.stop_gradient(jnp.ones((4, 3)))}, X
    )


@pytest.mark.parametrize("function", [stopped, stopped_within, lambda params, X, is_train, rng: X])
def test_parameters_that_get_no_gradient_are_told_when_training_begins(function):
    model = made((init, function))
    model.predict(ROWS)
    with pytest.raises(ModuleError, match=r"output that depends on none of its parameters, so that none gets a grad"):
        model.begin_update(ROWS)


def test_an_input_that_gets_no_gradient_is_told_where_layers_before_it_are_trained():
    def deaf(params, X, is_train, rng):
        return apply(params, jax.lax.stop_gradient(X), is_train, rng)

    model = chain(smooth(3), JAXWrapper((init, deaf))).initialize(ROWS)
    with pytest.raises(ModuleError, match="does not depend on its input, so that nothing before it is trained"):
        model.begin_update(ROWS, input_gradient=False)
    made((init, deaf)).begin_update(ROWS)  # nothing is before it
    ids = Ragged(np.array([1, 2, 3, 1, 0, 2]), LENGTHS)
    table = (lambda rng, X: {"E": jnp.ones((4, 2))}, lambda params, X, is_train, rng: params["E"][X.data])
    concatenate(JAXWrapper(table), Embed(2, 5)).initialize(ids).begin_update(ids)  # ids get none


@pytest.mark.parametrize("lengths", [LENGTHS, np.ones(6, np.int64)])
def test_ragged_outputs_are_ragged_while_sizes_are_inferred(lengths):
    """Also beside others, and where there are as many numbers as rows."""
    rows = Ragged(RAGGED.data, lengths)
    model = chain(concatenate(JAXWrapper((weights, of_tokens)), smooth(2)), Linear(3)).initialize(rows)
    assert model.predict(rows).data.shape == (6, 3)
    check_against_numbers(model, rows)


def test_a_gradient_that_happens_to_be_zero_or_is_of_one_parameter_is_none_of_that():
    def partly(params, X, is_train, rng):
        return apply({"one": jax.lax.stop_gradient(params["one"]), "two": params["two"]}, X, is_train, rng)

    made((init, partly)).begin_update(ROWS)
    dead = made((weights, lambda p, X, is_train, rng: jax.nn.relu(X @ p["w"] - 1e6)))
    Y, backprop = dead.begin_update(ROWS)
    backprop(np.ones_like(Y))
    assert not dead.store.gradients.any()
    made((lambda rng, X: {}, lambda params, X, is_train, rng: X)).begin_update(ROWS)  # it has none


# What a trial pass finds


def of_the_batch(params, X, is_train, rng):
    H = X @ params["w"]
    return (H - H.mean(axis=0)) if is_train else H


def of_every_batch(params, X, is_train, rng):
    H = X @ params["w"]
    return H / jnp.linalg.norm(H)


def means_of_padding(params, state, X, is_train, rng):
    return (X - state["mean"]) @ params["w"], {"mean": X.mean(axis=0), "n": state["n"] + 1}


def means_with_a_mask(params, state, X, is_train, rng, mask):
    mean = (X * mask[:, None]).sum(axis=0) / mask.sum()
    return (X - mean) @ params["w"], {"mean": mean, "n": state["n"] + is_train}


def no_dropout_but(params, X, is_train, rng):
    return noisy(params, X, is_train, rng) + of_tokens(params, RaggedRow(X), is_train, rng)


class RaggedRow:
    def __init__(self, data):
        self.data = data


def examined(pair, X=ROWS, rows=None):
    model = made(pair, X, rows or RowCounts(8, 64))
    before = model.store.buffers.fresh.copy(), model.store.moment
    for is_train in (True, False):
        model.attrs["engine"].examine(model, X, is_train)
    assert np.array_equal(model.store.buffers.fresh, before[0])
    assert model.store.moment == before[1]
    return model


@pytest.mark.parametrize(
    "pair",
    [(weights, of_the_batch), (weights, of_every_batch), (counting_init, counting), (counting_init, means_of_padding)],
)
@pytest.mark.parametrize("rows", [RowCounts(6, 6), RowCounts(8, 64), RowCounts(64, 1024)])
def test_what_looks_at_rows_that_are_padding_is_told_to_take_the_mask(pair, rows):
    with pytest.raises(ModuleError, match=r"when the rows change that pad a batch: .* has to take `mask`"):
        examined(pair, rows=rows)


@pytest.mark.parametrize(
    ("pair", "X"),
    [
        ((init, apply), ROWS),
        ((weights, no_dropout_but), ROWS),
        ((weights, centred), ROWS),
        ((counting_init, means_with_a_mask), ROWS),
        ((weights, sums), RAGGED),
        ((weights, of_tokens), RAGGED),
    ],
)
@pytest.mark.parametrize("rows", [RowCounts(1, 1), RowCounts(6, 6), RowCounts(64, 1024)])
def test_what_looks_at_each_row_alone_is_left_in_peace(pair, X, rows):
    model = examined(pair, X, rows)
    assert model.attrs["engine"].compiled.total() <= 2  # no other programs than the run has


def test_ragged_rows_that_are_padding_are_looked_at_too():
    def mean(params, X, is_train, rng):
        return (X.data - X.data.mean(axis=0)) @ params["w"]

    with pytest.raises(ModuleError, match="has to take `mask`"):
        examined((weights, mean), RAGGED)


def test_what_it_raises_is_told_on_one_line():
    def at_length(params, X, is_train, rng):
        raise ValueError("one\n  two\n\n" + "three " * 100)

    with pytest.raises(
        ModuleError, match=r"raised ValueError: one two three (three )+.*\.\.\.; its input was"
    ) as found:
        made((weights, at_length)).begin_update(ROWS)
    assert "\n" not in str(found.value)


def test_outputs_that_are_not_finite_are_told_in_training_and_where_it_is_scored():
    model = made((weights, lambda p, X, is_train, rng: X @ p["w"] / 0))
    model.predict(ROWS)
    for run in (model.begin_update, model.predict):
        with (
            scored(model),
            pytest.raises(DivergedError, match=r"JAX module .* returned NaN or infinite numbers") as found,
        ):
            run(ROWS)
    assert found.value.rows == tuple(range(len(ROWS)))


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (
            lambda p, X, is_train, rng: jnp.tile(X @ p["w"], 1 + is_train),
            r"where it returned \(\d+, 2\) before: the width",
        ),
        (lambda p, X, is_train, rng: (X @ p["w"])[:, :0], r"returned \(\d+, 0\), which has no numbers"),
        (
            lambda p, X, is_train, rng: sparse.BCOO.fromdense(X @ p["w"], nse=3),
            r"must return one array of floats, not sparse float32 \(\d+, 2\)",
        ),
    ],
    ids=["wide in training", "empty", "sparse"],
)
def test_outputs_of_another_form_are_refused(apply, message):
    with pytest.raises(ModuleError, match=message):
        made((weights, apply)).begin_update(ROWS)


def test_a_gradient_of_another_shape_is_refused():
    Y, backprop = made().begin_update(ROWS)
    with pytest.raises(ArgumentError, match="their gradient must be too"):
        backprop(Y[:3])


def test_a_wrong_gradient_would_be_seen(monkeypatch):
    monkeypatch.setattr(wrapper, "with_zeros", lambda dY, size: np.ones((size, *dY.shape[1:]), dY.dtype))
    with pytest.raises(AssertionError):
        test_outputs_and_gradients_are_those_of_jax()


# Flax and Equinox


def test_a_flax_module_with_running_means_and_dropout():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, x, train: bool, mask=None):
            x = nn.Dense(4)(x)
            x = nn.BatchNorm(use_running_average=not train, momentum=0.5)(x, mask=mask[:, None])
            return nn.Dense(2)(nn.Dropout(0.2, deterministic=not train)(x))

    model = made(flax_pair(Net()), rows=RowCounts(64, 64))
    assert model.get_param("module.Dense_0.kernel").shape == (3, 4)
    mean = "module.state.batch_stats.BatchNorm_0.mean"
    assert mean in model.store.buffers.named()
    Y, backprop = model.begin_update(ROWS)
    backprop(Y)
    model.store.buffers.keep()
    hidden = ROWS @ model.get_param("module.Dense_0.kernel") + model.get_param("module.Dense_0.bias")
    np.testing.assert_allclose(model.get_buffer(mean), 0.5 * hidden.mean(axis=0), rtol=1e-4, atol=1e-6)
    assert model.attrs["engine"].name.endswith("Net")


def test_a_flax_module_takes_several_inputs_by_name():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        @nn.compact
        def __call__(self, numbers, kinds):
            return nn.Dense(2)(numbers) + nn.Embed(2, 2)(kinds[:, 0])

    X = {"numbers": ROWS, "kinds": np.arange(6).reshape(6, 1) % 2}
    Y, _, dX, gradient = gradients(made(flax_pair(Net()), X), X)
    assert Y.shape == (6, 2)
    assert set(dX) == {"numbers", "kinds"}
    assert gradient.all()


def test_an_equinox_module_is_mapped_over_the_rows():
    eqx = pytest.importorskip("equinox")

    class Net(eqx.Module):
        first: eqx.nn.Linear
        drop: eqx.nn.Dropout

        def __init__(self, key):
            self.first, self.drop = eqx.nn.Linear(3, 2, key=key), eqx.nn.Dropout(0.5)

        def __call__(self, x, key):
            return self.drop(self.first(x), key=key)

    model = made(equinox_pair(Net), seed=2)
    assert {segment.name for segment in model.store.segments} == {"module.first.weight", "module.first.bias"}
    expected = ROWS @ model.get_param("module.first.weight").T + model.get_param("module.first.bias")
    np.testing.assert_allclose(model.predict(ROWS), expected, rtol=1e-5)
    Y, backprop = model.begin_update(ROWS)
    assert (Y == 0).any()
    backprop(Y)
    assert not np.array_equal(made(equinox_pair(Net), seed=3).store.values, model.store.values)
    ready = made(equinox_pair(Net(jax.random.key(0))))
    np.testing.assert_array_equal(ready.store.values, made(equinox_pair(Net(jax.random.key(0))), seed=5).store.values)


def test_an_equinox_module_of_whole_batches_takes_the_mask():
    eqx = pytest.importorskip("equinox")

    class Centred(eqx.Module):
        first: eqx.nn.Linear

        def __init__(self, key):
            self.first = eqx.nn.Linear(3, 2, key=key)

        def __call__(self, X, mask):
            return jax.vmap(self.first)(X - (X * mask[:, None]).sum(axis=0) / mask.sum())

    model = examined(equinox_pair(Centred, batched=True), rows=RowCounts(64, 64))
    expected = (ROWS - ROWS.mean(axis=0)) @ model.get_param("module.first.weight").T
    np.testing.assert_allclose(model.predict(ROWS), expected + model.get_param("module.first.bias"), atol=1e-5)


def test_relu_is_there():
    assert chain(JAXWrapper((init, apply)), Relu(2), Softmax(2)).initialize(ROWS).predict(ROWS).shape == (6, 2)
