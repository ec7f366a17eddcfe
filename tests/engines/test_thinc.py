"""A model of thinc as a layer: shared memory, gradients, sequences, draws, weights from bytes, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("thinc")

import srsly
from thinc import api as thinc
from thinc.types import Padded

from trainer_cli.api import (
    Adam,
    ArgumentError,
    CategoricalCrossentropy,
    DivergedError,
    Linear,
    ModelFileError,
    Ragged,
    Tanh,
    chain,
    concatenate,
)
from trainer_cli.pairing import mismatch
from trainer_cli.randomness import Moment
from trainer_cli.wrappers.engine import ModuleError, scored
from trainer_cli.wrappers.thinc import ThincWrapper
from trainer_cli.wrappers.thinc_engine import ThincEngine

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(6, 3)).astype(np.float32)
TARGETS = np.zeros((1, 2), np.float32)
LENGTHS = np.array([2, 1, 3], np.int64)
RAGGED = Ragged(ROWS, LENGTHS)
IDS = Ragged(np.array([[1], [2], [3], [1], [0], [2]]), LENGTHS)


def net():
    return thinc.chain(thinc.Mish(4), thinc.Mish(4), thinc.Linear())


def made(module, X=ROWS, Y=TARGETS, **more):
    return ThincWrapper(module).initialize(X, Y, **more)


def passed(model, X):
    """Outputs, the gradient that was sent back, that of the input, and that of the parameters."""
    model.store.gradients.fill(0)
    Y, backprop = model.begin_update(X)
    R = np.random.default_rng(1).normal(size=data(Y).shape).astype(np.float32)
    dX = backprop(Y.like(R) if isinstance(Y, Ragged) else R)
    return Y, R, dX, model.store.gradients.copy()


def data(Y):
    return Y.data if isinstance(Y, Ragged) else Y


def check_against_differences(model, X, every=5):
    """Each number of the parameters moved, in single precision."""
    _, R, _, gradient = passed(model, X)
    values = model.store.values
    for at in range(0, values.size, every):
        kept, eps = values[at], 1e-2
        values[at] = kept + eps
        above = (data(model.predict(X)) * R).sum(dtype=float)
        values[at] = kept - eps
        slope = (above - (data(model.predict(X)) * R).sum(dtype=float)) / (2 * eps)
        values[at] = kept
        assert slope == pytest.approx(gradient[at], rel=3e-2, abs=3e-3)


# Memory


def test_parameters_are_named_by_their_place_and_share_memory():
    module = net()
    model = made(module)
    names = [
        "module.mish0.W",
        "module.mish0.b",
        "module.mish1.W",
        "module.mish1.b",
        "module.linear.W",
        "module.linear.b",
    ]
    assert [segment.name for segment in model.store.segments] == names
    model.predict(ROWS)
    for node in module.walk():
        for name in node.param_names:
            assert np.shares_memory(node.get_param(name), model.store.values)
            assert np.shares_memory(node.get_grad(name), model.store.gradients)


def test_memory_is_shared_after_steps_and_moves_with_the_store():
    module = net()
    model, optimizer = made(module), Adam(0.01)
    for _ in range(3):
        Y, backprop = model.begin_update(ROWS)
        backprop(Y)
        model.finish_update(optimizer)
    linear = module.layers[-1]
    assert linear.get_param("W") is model.get_param("module.linear.W")
    assert linear.get_grad("W") is model.get_grad("module.linear.W")
    outer = chain(model, Tanh(2, 2))
    before = linear.get_param("W")
    Tanh_W = outer.layers[1]
    Tanh_W.set_param("W", np.eye(2, dtype=np.float32))
    Tanh_W.set_param("b", np.zeros(2, np.float32))
    assert outer.store.values.size > 0
    outer.predict(ROWS)
    assert linear.get_param("W") is not before
    assert np.shares_memory(linear.get_param("W"), outer.store.values)


def test_outputs_and_gradients_are_those_of_thinc():
    model, alone = made(net(), seed=3), net()
    alone.initialize(ROWS, TARGETS)
    for ours, theirs in zip(model.param_names, [(n, p) for n in alone.walk() for p in n.param_names], strict=True):
        theirs[0].set_param(theirs[1], model.get_param(ours).copy())
    Y, R, dX, gradient = passed(model, ROWS)
    expected, back = alone.begin_update(ROWS)
    np.testing.assert_allclose(Y, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(dX, back(R), rtol=1e-4, atol=1e-6)
    theirs = np.concatenate([n.get_grad(p).ravel() for n in alone.walk() for p in n.param_names])
    np.testing.assert_allclose(gradient, theirs, rtol=1e-4, atol=1e-6)


def test_gradients_add_up_and_follow_the_finite_differences():
    model = made(net())
    check_against_differences(model, ROWS)
    _, R, _, gradient = passed(model, ROWS)
    model.begin_update(ROWS)[1](R)
    np.testing.assert_allclose(model.store.gradients, 2 * gradient, rtol=1e-5)


def replacing(model, X, is_train):
    W = model.get_param("W")

    def backprop(dY):
        model.set_grad("W", dY.T @ X)  # and not inc_grad
        return dY @ W

    return X @ W.T, backprop


def centring(model, X, is_train):
    W = model.get_param("W") - model.get_param("W").mean(axis=1, keepdims=True)
    model.set_param("W", W)  # the array is another one

    def backprop(dY):
        model.inc_grad("W", dY.T @ X)
        return dY @ W

    return X @ W.T, backprop


def test_parameters_that_a_layer_replaces_are_copied(monkeypatch):
    def made_and_stepped():
        module = thinc.Model("own", centring, params={"W": np.arange(6, dtype=np.float32).reshape(2, 3) ** 2})
        model = ThincWrapper(module).initialize(ROWS)
        Y, backprop = model.begin_update(ROWS)
        backprop(Y)
        return module, model

    module, model = made_and_stepped()
    W = model.get_param("module.W")
    assert module.get_param("W") is W
    assert np.shares_memory(W, model.store.values)
    np.testing.assert_allclose(W.mean(axis=1), 0, atol=1e-5)
    before = W.copy()
    model.finish_update(Adam(0.01))
    assert (before != W).all()
    assert module.get_param("W") is W
    # Planted bug: without the copy the store keeps the numbers that the layer has replaced.
    monkeypatch.setattr(ThincEngine, "collect", lambda self, model: None)
    _, model = made_and_stepped()
    assert (model.get_param("module.W").mean(axis=1) > 1).all()


def test_a_gradient_that_a_layer_replaces_is_copied(monkeypatch):
    module = thinc.Model("own", replacing, params={"W": np.ones((2, 3), np.float32)})
    model = ThincWrapper(module).initialize(ROWS)
    check_against_differences(model, ROWS, 1)
    assert module.get_grad("W") is model.get_grad("module.W")
    monkeypatch.setattr(ThincEngine, "collect", lambda self, model: None)
    with pytest.raises(AssertionError):
        check_against_differences(model, ROWS, 1)


def test_a_module_that_has_its_numbers_keeps_them():
    module = net()
    module.initialize(ROWS, TARGETS)
    W = module.layers[0].get_param("W").copy()
    np.testing.assert_array_equal(made(module).get_param("module.mish0.W"), W)


def test_the_first_numbers_are_the_seeds():
    values = made(net(), seed=3).store.values
    np.testing.assert_array_equal(values, made(net(), seed=3).store.values)
    assert not np.array_equal(values, made(net(), seed=4).store.values)


def test_a_copy_has_numbers_of_its_own():
    model = made(net())
    Y = model.predict(ROWS)
    twin = model.copy()
    model.store.values.fill(0)
    np.testing.assert_array_equal(twin.predict(ROWS), Y)
    assert not model.predict(ROWS).any()


# Composition and sequences


def test_it_stands_between_and_beside_built_in_layers():
    between = chain(Tanh(3), ThincWrapper(thinc.Mish(2)), Linear())
    check_against_differences(between.initialize(ROWS, np.zeros((1, 3))), ROWS)
    last = chain(Tanh(3), ThincWrapper(net())).initialize(ROWS, TARGETS)
    assert last.predict(ROWS).shape == (6, 2)
    check_against_differences(last, ROWS)
    beside = chain(concatenate(ThincWrapper(thinc.Mish(2)), Tanh(2)), Linear(2)).initialize(ROWS, TARGETS)
    check_against_differences(beside, ROWS, 1)


def twice():
    def forward(model, X, is_train):
        return padded(X), padded

    def padded(X):
        return Padded(X.data * 2, X.size_at_t, X.lengths, X.indices)

    return thinc.Model("twice", forward)


@pytest.mark.parametrize(
    ("module", "is_ragged"),
    [
        (lambda: thinc.with_array(thinc.Mish(2)), True),
        (lambda: thinc.chain(thinc.reduce_mean(), thinc.Mish(2)), False),
        (lambda: thinc.chain(thinc.list2ragged(), thinc.with_array(thinc.Mish(2)), thinc.ragged2list()), True),
        (lambda: thinc.chain(thinc.list2ragged(), thinc.reduce_sum(), thinc.Mish(2)), False),
        (lambda: thinc.chain(thinc.list2array(), thinc.Mish(2)), True),
        (lambda: thinc.chain(thinc.with_padded(twice()), thinc.with_array(thinc.Mish(2))), True),
    ],
)
def test_sequences_go_in_and_out_in_the_form_that_the_module_takes(module, is_ragged):
    model = made(module(), RAGGED)
    Y, _, dX, _ = passed(model, RAGGED)
    assert isinstance(Y, Ragged) is is_ragged
    assert dX.data.shape == ROWS.shape
    check_against_differences(model, RAGGED, 3)
    ones = Ragged(ROWS, np.ones(6, np.int64))
    assert isinstance(model.predict(ones), Ragged) is is_ragged


def test_words_are_hashed_by_a_seed_that_is_kept():
    def hashed():
        module = thinc.chain(thinc.with_array(thinc.HashEmbed(4, 20, column=0)), thinc.reduce_mean(), thinc.Linear(2))
        return ThincWrapper(module).initialize(IDS)

    model, other = hashed(), hashed()  # thinc gives each a seed of its own
    seed = next(name for name in model.store.buffers.named() if name.endswith("seed"))
    assert model.get_buffer(seed) != other.get_buffer(seed)
    assert not np.array_equal(other.predict(IDS), model.predict(IDS))  # and it has been used with its own
    other.from_bytes(model.to_bytes())
    np.testing.assert_array_equal(other.predict(IDS), model.predict(IDS))
    _, _, dX, gradient = passed(model, IDS)
    assert gradient.any()
    assert dX.data.dtype == np.float32


def test_several_inputs_are_a_dict():
    def forward(model, X, is_train):
        Y, back = model.layers[0](X["a"], is_train)
        return Y + X["b"], lambda dY: {"a": back(dY), "b": dY}

    def init(model, X, Y):
        model.layers[0].initialize(X["a"], Y)

    X = {"a": ROWS, "b": ROWS[:, :2]}
    model = made(thinc.Model("both", forward, init=init, layers=[thinc.Linear(2)]), X)
    _, R, dX, _ = passed(model, X)
    np.testing.assert_array_equal(dX["b"], R)
    check_against_differences(model, X, 1)


# Draws


def test_dropout_draws_by_the_step_and_leaves_the_global_generator():
    model = made(thinc.chain(thinc.Mish(8, dropout=0.5), thinc.Linear()))
    state = np.random.get_state()[1].copy()

    def at(step):
        model.store.moment = Moment(0, step)
        return [model.begin_update(ROWS)[0] for _ in range(2)]

    first, again, other = at(5), at(5), at(6)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    np.testing.assert_array_equal(model.predict(ROWS), model.predict(ROWS))


# Softmax and the loss


def test_a_softmax_at_the_end_is_known_to_the_loss():
    probabilities, logits = CategoricalCrossentropy(), thinc.chain(thinc.Mish(4), thinc.Linear())
    softmax = ThincWrapper(thinc.chain(thinc.Mish(4), thinc.Softmax()))
    assert softmax.attrs["output"] == "softmax"
    assert mismatch(softmax, probabilities) == ""
    assert "let it end in logits, which CategoricalCrossentropy.v4" in mismatch(ThincWrapper(logits), probabilities)
    raw = ThincWrapper(thinc.chain(thinc.Mish(4), thinc.Softmax_v2(normalize_outputs=False)))
    assert "has no probabilities to score" in mismatch(raw, probabilities)
    of_tokens = ThincWrapper(thinc.chain(thinc.with_array(thinc.Softmax()), thinc.ragged2list()))
    assert of_tokens.attrs["output"] == "softmax"


# Weights


def written(tmp_path, module, X=ROWS):
    module.initialize(X, TARGETS)
    (tmp_path / "weights.bin").write_bytes(module.to_bytes())
    return tmp_path / "weights.bin"


def test_bytes_of_thinc_are_read_and_trained_on(tmp_path):
    source = thinc.chain(thinc.Mish(4), thinc.Linear())
    path = written(tmp_path, source)
    model = ThincWrapper(thinc.chain(thinc.Mish(4), thinc.Linear()), path).initialize(ROWS, TARGETS)
    np.testing.assert_allclose(model.predict(ROWS), source.predict(ROWS), rtol=1e-5, atol=1e-6)
    Y, backprop = model.begin_update(ROWS)
    backprop(Y)
    model.finish_update(Adam(0.01))
    assert np.abs(model.predict(ROWS)).sum() < np.abs(Y).sum()


def test_the_seed_of_a_hash_is_read(tmp_path):
    source = thinc.chain(thinc.HashEmbed(4, 20, seed=77), thinc.Linear())
    path = written(tmp_path, source, IDS.data[:, 0])
    model = ThincWrapper(thinc.chain(thinc.HashEmbed(4, 20, seed=78), thinc.Linear()), path)
    model.initialize(IDS.data[:, 0], TARGETS)
    assert model.get_buffer("module.hashembed.seed") == 77
    np.testing.assert_allclose(model.predict(IDS.data[:, 0]), source.predict(IDS.data[:, 0]), rtol=1e-5, atol=1e-6)


def test_bytes_of_another_model_are_refused(tmp_path):
    path = written(tmp_path, thinc.chain(thinc.Mish(4), thinc.Linear()))
    for module, message in [
        (thinc.Linear(), "has 3 layers, the module has 1"),
        (thinc.chain(thinc.Mish(5), thinc.Linear()), r"mish.W has shape \(4, 3\), the module's \(5, 3\)"),
        (
            thinc.chain(thinc.Mish(4), thinc.LayerNorm()),
            "linear.* has the parameters|has the parameters W, b, not G, b",
        ),
    ]:
        with pytest.raises(ModelFileError, match=message):
            ThincWrapper(module, path).initialize(ROWS, TARGETS)
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        ThincWrapper(net(), tmp_path / "none").initialize(ROWS, TARGETS)


class Trap:
    sprung = False

    def __reduce__(self):
        return (setattr, (Trap, "sprung", True))


@pytest.mark.parametrize("key", ["shims", "params", "nodes", "attrs"])
def test_nothing_that_is_read_runs(tmp_path, key):
    import pickle

    path = written(tmp_path, thinc.Linear())
    message = srsly.msgpack_loads(path.read_bytes())
    trap = pickle.dumps(Trap())
    entry = {"shims": [trap], "params": {"W": trap, "b": trap}, "nodes": trap, "attrs": {"seed": trap}}[key]
    message[key] = [entry]
    path.write_bytes(srsly.msgpack_dumps(message))
    if key == "attrs":  # no layer of the module hashes, and nobody reads it
        ThincWrapper(thinc.Linear(), path).initialize(ROWS, TARGETS)
    else:
        with pytest.raises(ModelFileError, match=r"weights\.bin"):
            ThincWrapper(thinc.Linear(), path).initialize(ROWS, TARGETS)
    assert not Trap.sprung
    for cut in (0, 1, 10, 50):
        path.write_bytes(path.read_bytes()[:-cut] if cut else b"\xc1")
        with pytest.raises(ModelFileError):
            ThincWrapper(thinc.Linear(), path).initialize(ROWS, TARGETS)


# What is refused


def test_what_is_no_model_is_refused():
    for module in (3, thinc.Linear):
        with pytest.raises(ArgumentError, match=r"ThincWrapper.v1: module must be a thinc Model"):
            ThincWrapper(module)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (
            lambda model, X, is_train: 1 / 0,
            r"thinc module own raised ZeroDivisionError: .*; its input was float32 \(6, 3\)",
        ),
        (
            lambda model, X, is_train: ((X, X), None),
            r"returned a tuple of 2: float32 \(6, 3\), float32 \(6, 3\); a layer returns an array of floats",
        ),
        (lambda model, X, is_train: (X.argmax(1), None), r"returned int64 \(6,\); a layer returns"),
        (
            lambda model, X, is_train: (X[1:], None),
            r"returned float32 \(5, 3\); expected one output for each of 6 rows",
        ),
    ],
)
def test_a_module_that_fails_is_named_with_its_input(forward, message):
    with pytest.raises(ModuleError, match=message):
        made(thinc.Model("own", forward)).begin_update(ROWS)


def test_outputs_that_are_not_finite_are_told_in_training_and_where_it_is_scored():
    model = made(thinc.Model("own", lambda model, X, is_train: (np.where(X[2] == X, np.nan, X), lambda dY: dY)))
    model.predict(ROWS)
    for run in (model.begin_update, model.predict):
        with (
            scored(model),
            pytest.raises(DivergedError, match="thinc module own returned NaN or infinite numbers") as found,
        ):
            run(ROWS)
    assert found.value.rows == (2,)


def test_outputs_of_another_form_are_refused():
    model = made(thinc.Model("own", lambda model, X, is_train: (np.tile(X, 1 + is_train), lambda dY: dY)))
    model.predict(ROWS)
    with pytest.raises(ModuleError, match=r"returned \(6, 6\), where it returned \(6, 3\) before: the width"):
        model.begin_update(ROWS)
    with pytest.raises(ModuleError, match=r"returned \(6, 0\), which has no numbers"):
        made(thinc.Model("own", lambda model, X, is_train: (X[:, :0], lambda dY: dY))).predict(ROWS)
