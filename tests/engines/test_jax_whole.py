"""A module of JAX that is the whole model: outputs, loss and gradient by one program, with the numbers of three."""

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

from trainer_cli.api import ArgumentError, CategoricalCrossentropyV4, DivergedError, Ragged, ShapeError, chain
from trainer_cli.arrays import Batch
from trainer_cli.gradient import BatchGradient, MicroBatch, add_gradient
from trainer_cli.layers.relu_activation import relu_activation
from trainer_cli.losses.cosine_distance import CosineDistance
from trainer_cli.losses.l2_distance import L2Distance
from trainer_cli.losses.mean_squared_error import MeanSquaredError
from trainer_cli.randomness import Moment
from trainer_cli.schedules.schedule import as_schedule
from trainer_cli.wrappers import jax_losses
from trainer_cli.wrappers.engine import ModuleError, RowCounts, expect_rows
from trainer_cli.wrappers.jax import JAXWrapper

RNG = np.random.default_rng(0)
X = RNG.normal(size=(16, 3)).astype(np.float32)
CLASSES = RNG.integers(0, 4, 16)
NUMBERS = RNG.normal(size=(16, 4)).astype(np.float32)
WEIGHTS = RNG.uniform(0.0, 2.0, 16).astype(np.float32)
UNKNOWN = np.where(np.arange(16) % 5 == 1, -1, CLASSES)


def init(rng, X):
    keys = jax.random.split(rng)
    params = {"one": jax.random.normal(keys[0], (3, 8)), "two": jax.random.normal(keys[1], (8, 4))}
    return params, {"mean": jnp.zeros(8), "n": jnp.zeros((), int)}


def apply(params, state, X, is_train, rng, mask):
    H = X @ params["one"]
    mean = (H * mask[:, None]).sum(axis=0) / mask.sum()
    H = jnp.tanh(H - mean)
    if is_train:
        H = H * jax.random.bernoulli(rng, 0.7, H.shape) / 0.7
    return H @ params["two"], {"mean": 0.9 * state["mean"] + 0.1 * mean, "n": state["n"] + 1}


def weights(rng, X):
    return {"w": jax.random.normal(rng, (3, 4))}


def linear(params, X, is_train, rng):
    return X @ params["w"]


def made(pair=(init, apply), X=X, training=16, **more):
    model = JAXWrapper(pair).initialize(X, **more)
    expect_rows(model, RowCounts(training, 16))
    return model


def logits(**settings):
    return CategoricalCrossentropyV4(from_logits=True, **settings)


CASES = {
    "classes": (logits(), CLASSES, None),
    "weights": (logits(), CLASSES, WEIGHTS),
    "no weight at all": (logits(), CLASSES, np.zeros(16)),
    "class weights": (logits(class_weights=[1.0, 0.0, 2.0, 0.5]), CLASSES, WEIGHTS),
    "unknown": (logits(), UNKNOWN, None),
    "smoothing": (logits(label_smoothing=0.2), UNKNOWN, WEIGHTS),
    "squares": (MeanSquaredError(), NUMBERS, None),
    "squares with weights": (MeanSquaredError(), NUMBERS.astype(float), WEIGHTS),
    "distance": (L2Distance(), NUMBERS, None),
    "distance with weights": (L2Distance(), NUMBERS, WEIGHTS),
    "sum of distances": (L2Distance(normalize=False), NUMBERS, WEIGHTS),
}


def first(n, truths, weights):
    return Batch(X[:n], truths[:n], None if weights is None else weights[:n], np.arange(n))


def left(model, loss, batch, n_parts=1):
    """The loss, the gradients and the buffers that a batch leaves, and the kinds of programs that it took."""
    model.store.moment = Moment(0, 3)
    value = BatchGradient(model, loss, as_schedule(n_parts))(batch, 3)
    return value, model.store.gradients.copy(), model.store.buffers.fresh.copy(), set(model.attrs["engine"].compiled)


def both(case, sizes=(16,), parts=(1,)):
    """The same by one program and by two, of so many rows in so many parts."""
    loss, truths, weights = CASES[case]
    whole, apart = made(), made()
    apart.attrs["whole"] = lambda *given: None
    for n in sizes:
        for n_parts in parts:
            batch = first(n, truths, weights)
            one, two = left(whole, loss, batch, n_parts), left(apart, loss, batch, n_parts)
            assert (one[3], two[3]) == ({"gradients"}, {"forward passes", "pullbacks"})
            assert whole.store.moment == apart.store.moment
            yield one, two
            for model in (whole, apart):
                model.store.clear_gradients()
                model.store.buffers.restart()


def agree(pairs):
    for one, two in pairs:
        for a, b in zip(one[:3], two[:3], strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    return one


@pytest.mark.parametrize("case", CASES)
def test_loss_gradient_and_state_are_those_of_two_programs(case):
    """Of whole batches and of short ones, whose rows are padded; with one state, and one mask for dropout."""
    value, gradient, *_ = agree(both(case, (6, 11, 16), (1, 3)))
    assert gradient.any() == (case != "no weight at all") == (value > 0)


PLANTED = {
    "padding counts": ("padded", lambda self, size: (np.resize(self.truths, size), np.resize(self.shares, size))),
    "all rows alike": ("padded", lambda self, size: (np.resize(self.truths, size), np.full(size, 1 / 16, "f"))),
}


@pytest.mark.parametrize("name", PLANTED)
def test_rows_that_count_otherwise_would_be_seen(name, monkeypatch):
    monkeypatch.setattr(jax_losses.Measure, *PLANTED[name])
    with pytest.raises(AssertionError):
        agree(both("classes", (11,)))


def test_a_part_that_counts_in_full_would_be_seen(monkeypatch):
    measure_of = jax_losses.crossentropy
    monkeypatch.setitem(jax_losses.MEASURES, CategoricalCrossentropyV4, lambda *given: measure_of(*given[:-1], 1.0))
    agree(both("classes"))
    with pytest.raises(AssertionError):
        agree(both("classes", parts=(3,)))


def test_truths_of_one_column_may_be_flat():
    def column(params, X, is_train, rng):
        return (X @ params["w"])[:, :1]

    model, other = made((weights, column)), made((weights, column))
    one = left(model, MeanSquaredError(), first(11, NUMBERS[:, 0], None))
    two = left(other, MeanSquaredError(), first(11, NUMBERS[:, :1], None))
    assert one[0] == two[0]
    np.testing.assert_array_equal(one[1], two[1])


def test_the_same_batch_gives_the_same_bits_and_another_moment_another_mask():
    loss, batch = logits(), first(16, CLASSES, None)
    one, again = left(made(), loss, batch), left(made(), loss, batch)
    assert one[0] == again[0]
    np.testing.assert_array_equal(one[1], again[1])
    model = made()
    values = [add_gradient(model, loss, MicroBatch(batch, 0, 1)) for _ in range(2)]
    assert model.store.moment == Moment(0, 0, 2)
    assert values[0] != values[1]


def test_gradients_are_added():
    model = made()
    for _ in range(2):
        value, gradient, *_ = left(model, logits(), first(16, CLASSES, None))
    assert value == left(made(), logits(), first(16, CLASSES, None))[0]
    np.testing.assert_allclose(gradient, 2 * left(made(), logits(), first(16, CLASSES, None))[1], rtol=1e-6)


def test_a_change_of_the_store_is_seen_by_the_next_program():
    model, fresh, batch = made(), made(), first(16, CLASSES, None)
    before = left(model, logits(), batch)
    for each in (model, fresh):
        each.store.values *= 2
        each.store.clear_gradients()
        each.store.buffers.restart()
    after, expected = left(model, logits(), batch), left(fresh, logits(), batch)
    assert before[0] != after[0] == expected[0]
    np.testing.assert_array_equal(after[1], expected[1])


def test_numbers_that_are_copied_once_would_be_seen(monkeypatch):
    monkeypatch.setattr("trainer_cli.wrappers.jax_places.shared", lambda values: jnp.array(values))
    with pytest.raises(AssertionError):
        test_a_change_of_the_store_is_seen_by_the_next_program()


def test_numbers_are_read_in_place_where_they_begin_as_xla_wants_it():
    model = made()
    one, two = model.attrs["engine"]._places(model).shared
    assert one.unsafe_buffer_pointer() == model.get_param("module.one").ctypes.data
    assert two is model.get_param("module.two")


class Own(CategoricalCrossentropyV4):
    """A user's, which computes what it will."""

    def __call__(self, guesses, truths, weights=None):
        gradient, value = super().__call__(guesses, truths, weights)
        return 2 * gradient, 2 * value


ONE_HOT = np.eye(4, dtype=np.float32)[CLASSES]
OTHERS = {
    "of a user": (Own(from_logits=True), CLASSES),
    "of distributions": (logits(), ONE_HOT),
    "of another kind": (CosineDistance(), NUMBERS),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_loss_that_jax_does_not_compute_is_its_own(case):
    loss, truths = OTHERS[case]
    value, _, _, kinds = left(made(), loss, first(16, truths, None))
    assert kinds == {"forward passes", "pullbacks"}
    if case != "of another kind":
        expected = left(made(), logits(), first(16, CLASSES, None))[0]
        assert value == pytest.approx(expected * (2 if case == "of a user" else 1), rel=1e-5)


def test_what_is_not_the_whole_model_goes_part_by_part():
    inner = made((weights, linear))
    outer = chain(inner, relu_activation()).initialize(X)
    add_gradient(outer, logits(), MicroBatch(first(16, CLASSES, None), 0, 1))
    assert set(inner.attrs["engine"].compiled) == {"forward passes", "pullbacks"}
    ragged = Ragged(X, np.full(4, 4))

    def sums(params, X, is_train, rng):
        rows = jnp.repeat(jnp.arange(len(X.lengths)), X.lengths, total_repeat_length=len(X.data))
        return jax.ops.segment_sum(X.data @ params["w"], rows, len(X.lengths))

    for model, rows in ((made((weights, sums), ragged), ragged), (made((weights, linear), dtype=np.float64), X)):
        truths = CLASSES[: len(CLASSES) if rows is X else 4]
        left(model, logits(), Batch(rows, truths, None, np.arange(len(truths))))
        assert set(model.attrs["engine"].compiled) == {"forward passes", "pullbacks"}


def test_a_copy_is_a_whole_model_too():
    model = made().copy()
    value = left(model, logits(), first(16, CLASSES, None))[0]
    assert value == left(made(), logits(), first(16, CLASSES, None))[0]


# What is refused


def test_truths_that_do_not_fit_are_the_errors_of_the_loss():
    batch, model = first(16, CLASSES + 2, None), made()
    with pytest.raises(ArgumentError, match="class numbers go from 0 to 3, got"):
        add_gradient(model, logits(), MicroBatch(batch, 0, 1))
    with pytest.raises(ShapeError, match=r"truths must have the guesses' shape \(16, 4\), got shape \(16, 3\)"):
        add_gradient(model, MeanSquaredError(), MicroBatch(first(16, NUMBERS[:, :3], None), 0, 1))
    assert not model.store.gradients.any()


def test_outputs_that_are_not_finite_end_the_training_and_leave_no_gradient():
    model = made((weights, lambda p, X, is_train, rng: X @ p["w"] / 0))
    with pytest.raises(DivergedError, match=r"JAX module .* returned NaN or infinite numbers; its input was float32"):
        add_gradient(model, logits(), MicroBatch(first(16, CLASSES, None), 0, 1))
    assert not model.store.gradients.any()


def test_padding_that_is_not_finite_is_no_part_of_it():
    def fair(params, X, is_train, rng, mask):
        return X @ params["w"] / mask[:, None]

    model, other = made((weights, fair)), made((weights, linear))
    one, two = (left(each, logits(), first(11, CLASSES, None)) for each in (model, other))
    assert one[0] == pytest.approx(two[0], rel=1e-6)


def test_nothing_goes_back_from_a_loss_that_is_not_finite():
    model = made((weights, linear))
    value = add_gradient(model, MeanSquaredError(), MicroBatch(first(16, NUMBERS + 1e30, None), 0, 1))
    assert value == np.inf
    assert not model.store.gradients.any()
    with pytest.raises(DivergedError, match="the loss is inf"):
        left(model, MeanSquaredError(), first(16, NUMBERS + 1e30, None))


def test_a_gradient_that_goes_back_all_the_same_would_be_seen(monkeypatch):
    monkeypatch.setattr("trainer_cli.wrappers.jax.math.isfinite", lambda value: True)
    with pytest.raises(AssertionError):
        test_nothing_goes_back_from_a_loss_that_is_not_finite()


def raising(params, X, is_train, rng):
    raise KeyError("no such thing")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (raising, r"jax: JAX module .*training raised KeyError: 'no such thing'; its input was float32 \(11, 3\)"),
        (lambda p, X, is_train, rng: (X, X), r"must return one array of floats, not a tuple"),
        (lambda p, X, is_train, rng: X @ jax.lax.stop_gradient(p["w"]), "depends on none of its parameters"),
        (lambda p, X, is_train, rng: (X @ p["w"])[1:], r"one output for each of 16 rows, not float32 \(15, 4\)"),
        (lambda p, X, is_train, rng: X @ X, r"raised TypeError: dot_general requires contracting dimensions"),
    ],
)
def test_a_module_that_fails_in_training_is_named_with_its_input(function, message):
    def training(params, X, is_train, rng):
        return (function if is_train else linear)(params, X, is_train, rng)

    with pytest.raises(ModuleError, match=message):
        add_gradient(made((weights, training)), logits(), MicroBatch(first(11, CLASSES, None), 0, 1))
