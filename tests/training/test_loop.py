from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest

from trainer_cli import gradient, gradient_sum, loop
from trainer_cli.api import Adam, BatchNorm, DivergedError, L2Distance, Linear, Relu, Softmax, chain
from trainer_cli.buffers import Buffers
from trainer_cli.epochs import Epochs
from trainer_cli.errors import ArgumentError
from trainer_cli.gradient import BatchGradient
from trainer_cli.losses import CategoricalCrossentropyV4
from trainer_cli.randomness import Moment, generator
from trainer_cli.schedules.schedule import as_schedule
from trainer_cli.store import Store

N, WIDTH = 22, 3


@dataclass
class Data:
    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None = None


def data(weights=None):
    numbers = np.random.default_rng(0)
    return Data(numbers.normal(size=(N, WIDTH)).astype(np.float32), numbers.integers(0, 2, N), weights)


def model_for(rows, dropout=0.0):
    model = chain(Relu(4, dropout=dropout).named("hidden"), Softmax().named("output"))
    model.initialize(rows.X, np.eye(2, dtype=np.float32))
    model.store.values[...] = np.random.default_rng(2).normal(size=len(model.store.values))
    return model


class Recorder:
    """An optimizer that keeps the gradients and changes nothing."""

    learn_rate = 0.5

    def __init__(self):
        self.gradients, self.n_steps = [], 0

    def update(self, store, ops):
        self.gradients.append(store.gradients.copy())
        store.gradients.fill(0)

    def step_schedules(self):
        self.n_steps += 1


def train(model, loss, optimizer, epochs, accumulate):
    return loop.train(model, optimizer, epochs, BatchGradient(model, loss, accumulate))


def steps(rows, n_parts, n=1, *, loss=None, batch_size=N, dropout=0.0, model=None):
    """The gradients and the steps of n updates with a batch cut into so many parts."""
    recorder, model = Recorder(), model or model_for(rows, dropout)
    epochs = Epochs(rows, as_schedule(batch_size), seed=3)
    found = list(islice(train(model, loss or CategoricalCrossentropyV4(), recorder, epochs, as_schedule(n_parts)), n))
    return recorder.gradients, found


WEIGHTS = np.linspace(0, 2, N).astype(np.float32)
L2 = pytest.param(L2Distance(), id="L2Distance")
SUM = pytest.param(L2Distance(normalize=False), id="a sum")
ENTROPY = pytest.param(CategoricalCrossentropyV4(), id="entropy")


@pytest.mark.parametrize("n_parts", [2, 3, 4, 7, 22, 100])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["rows", "weights"])
@pytest.mark.parametrize("loss", [ENTROPY, L2, SUM])
def test_the_gradient_of_a_batch_is_the_same_however_it_is_cut(n_parts, weights, loss):
    rows = data(weights)
    if isinstance(loss, L2Distance):
        rows.Y = np.random.default_rng(1).normal(size=(N, 2)).astype(np.float32)
    model = chain(Relu(4).named("hidden"), Linear(2).named("output")).initialize(rows.X, np.eye(2, dtype=np.float32))
    model = None if isinstance(loss, CategoricalCrossentropyV4) else model
    [whole], [in_one] = steps(rows, 1, loss=loss, model=model)
    [summed], [in_parts] = steps(rows, n_parts, loss=loss, model=model)
    np.testing.assert_allclose(summed, whole, rtol=2e-5, atol=2e-7)
    assert in_parts.loss == pytest.approx(in_one.loss, rel=1e-6)
    assert (in_parts.batch_size, in_parts.position) == (in_one.batch_size, in_one.position)


def halves(parts):
    """The promised tree, written as its definition: split at the largest power of two below n."""
    if len(parts) == 1:
        return parts[0]
    split = 1 << (len(parts) - 1).bit_length() - 1
    return halves(parts[:split]) + halves(parts[split:])


@pytest.mark.parametrize("n_parts", [2, 3, 4, 7, 22])
def test_the_parts_are_added_along_the_fixed_tree_to_the_bit(n_parts):
    """Each part alone, weighted by its share of the rows, and the sum made here."""
    rows, loss = data(), CategoricalCrossentropyV4()
    [summed], _ = steps(rows, n_parts)
    order = generator(3, "shuffle", 0).permutation(N)
    parts = []
    for index in range(n_parts):
        start, stop = -(-index * N // n_parts), -(-(index + 1) * N // n_parts)
        model = model_for(rows)
        Yh, backprop = model.begin_update(rows.X[order[start:stop]])
        dYh, _ = loss(Yh, rows.Y[order[start:stop]])
        backprop(dYh * np.float32((stop - start) / N))
        parts.append(model.store.gradients.copy())
    assert summed.tobytes() == halves(parts).tobytes()


def test_a_part_without_mass_counts_for_nothing():
    weights = np.ones(N, np.float32)
    weights[generator(3, "shuffle", 0).permutation(N)[:11]] = 0  # the first of two parts
    [summed], _ = steps(data(weights), 2)
    [whole], _ = steps(data(weights), 1)
    np.testing.assert_allclose(summed, whole, rtol=2e-5, atol=2e-7)
    [nothing], [step] = steps(data(np.zeros(N, np.float32)), 2)
    assert not nothing.any()
    assert step.loss == 0


def test_the_comparison_sees_parts_that_count_alike_whatever_their_size(monkeypatch):
    """22 rows in 4 parts are 6, 5, 6 and 5."""
    monkeypatch.setattr(gradient, "loss_share", lambda loss, part, batch: 0.25)
    with pytest.raises(AssertionError):
        test_the_gradient_of_a_batch_is_the_same_however_it_is_cut(4, None, CategoricalCrossentropyV4())


def test_the_comparison_sees_a_sum_from_left_to_right(monkeypatch):
    class InOrder:
        def __init__(self):
            self.total = 0

        def add(self, array, level=0):
            self.total = self.total + array.copy()

        def finish(self, out):
            out[...] = self.total

    monkeypatch.setattr(gradient_sum, "TreeSum", InOrder)
    with pytest.raises(AssertionError):
        test_the_parts_are_added_along_the_fixed_tree_to_the_bit(7)


def masks(n_parts, monkeypatch):
    """The moments in which the hidden layer draws its dropout, and the streams it gets."""
    drawn, draw = [], Store.generator

    def watched(self, path, *keys):
        stream = draw(self, path, *keys)
        drawn.append((self.moment.step, self.moment.micro, path, str(stream.bit_generator.state)))
        return stream

    with monkeypatch.context() as patch:
        patch.setattr(Store, "generator", watched)
        steps(data(), n_parts, 2, dropout=0.5)
    return drawn


def test_each_micro_batch_of_each_step_draws_its_own_dropout(monkeypatch):
    drawn = masks(3, monkeypatch)
    assert [draw[:3] for draw in drawn] == [(s, m, "hidden") for s in (0, 1) for m in (0, 1, 2)]
    assert len({draw[3] for draw in drawn}) == 6


def test_what_a_step_draws_depends_on_nothing_before_it(monkeypatch):
    assert masks(2, monkeypatch)[2] == masks(1, monkeypatch)[1]


def test_a_step_tells_the_loss_before_the_update_and_the_rate_it_used():
    rows = data()
    model = model_for(rows)
    before = CategoricalCrossentropyV4().get_loss(model.predict(rows.X), rows.Y)
    optimizer = Adam(as_schedule([0.5, 0.25]))
    epochs = Epochs(rows, as_schedule(N), seed=0)
    first, second = islice(train(model, CategoricalCrossentropyV4(), optimizer, epochs, as_schedule(1)), 2)
    assert first.loss == pytest.approx(before, rel=1e-6)
    assert (first.learn_rate, second.learn_rate, optimizer.position) == (0.5, 0.25, 2)
    assert (first.position.step, second.position.step) == (1, 2)


def test_accumulation_may_change_from_step_to_step():
    rows = data()
    gradients, _ = steps(rows, [1, 4, 2], 3)
    np.testing.assert_allclose(gradients[1:], np.stack([gradients[0]] * 2), rtol=2e-5, atol=2e-7)


def test_the_moment_of_a_draw_is_the_position_of_the_run_not_of_the_loop():
    rows = data()
    model = model_for(rows)
    epochs = Epochs(rows, as_schedule(5), seed=9)
    list(islice(epochs, 4))
    next(train(model, CategoricalCrossentropyV4(), Recorder(), epochs, as_schedule(1)))
    assert model.store.moment == Moment(9, 5, 0)


def test_a_loss_that_is_not_finite_leaves_the_weights_alone_and_names_its_rows():
    rows = data()
    rows.X[4] = np.nan
    model, optimizer = model_for(rows), Adam()
    before = model.store.values.copy()
    epochs = Epochs(rows, as_schedule(N), seed=0)
    with pytest.raises(DivergedError, match="diverged in update 1: the loss is nan") as caught:
        next(train(model, CategoricalCrossentropyV4(), optimizer, epochs, as_schedule(1)))
    assert sorted(caught.value.rows) == list(range(N))
    assert model.store.values.tobytes() == before.tobytes()
    assert optimizer.position == 0


@pytest.mark.parametrize("n_parts", [1, 3])
def test_nothing_goes_back_from_a_loss_that_is_not_finite(n_parts):
    """A layer need not have a gradient of NaN."""
    rows = data()
    rows.X[4] = np.nan
    model = model_for(rows)
    begin = model.begin_update

    def begin_update(X, **more):
        Y, backprop = begin(X, **more)
        return Y, refuse if np.isnan(Y).any() else backprop

    def refuse(dY):
        raise IndexError("nothing is equal to NaN")

    model.begin_update = begin_update
    epochs = Epochs(rows, as_schedule(N), seed=0)
    with pytest.raises(DivergedError, match="diverged in update 1: the loss is nan") as caught:
        next(train(model, CategoricalCrossentropyV4(), Adam(), epochs, as_schedule(n_parts)))
    assert sorted(caught.value.rows) == list(range(N))


def test_each_step_is_cut_as_the_schedule_says_at_that_step():
    rows, sizes = data(), []
    model = model_for(rows)
    real = model.begin_update
    model.begin_update = lambda X, **more: (sizes.append(len(X)), real(X, **more))[1]
    list(
        islice(
            train(
                model,
                CategoricalCrossentropyV4(),
                Recorder(),
                Epochs(rows, as_schedule(N), seed=3),
                as_schedule([1, 2, 3.9]),
            ),
            3,
        )
    )
    assert sizes == [22, 11, 11, 8, 7, 7]


def test_less_than_one_part_is_refused():
    with pytest.raises(ArgumentError, match=r"accumulate_gradient must be at least 1, got 0\.5"):
        steps(data(), 0.5)


def test_the_gradient_of_the_input_is_not_asked_for():
    asked = []
    rows = data()
    model = model_for(rows)
    real = model.begin_update
    model.begin_update = lambda X, input_gradient=True: (asked.append(input_gradient), real(X, input_gradient))[1]
    steps(rows, 2, 2, model=model)
    assert asked == [False] * 4


# Buffers


def normed(rows, n_parts):
    """The running means after one step, and what they would be from left to right over the parts."""
    model = chain(BatchNorm(momentum=0.5).named("norm"), Softmax().named("output"))
    model.initialize(rows.X, np.eye(2, dtype=np.float32))
    steps(rows, n_parts, model=model)
    return model.layers[0].get_buffer("mean")


@pytest.mark.parametrize("n_parts", [1, 2, 3, 5])
def test_micro_batches_begin_with_the_same_buffers_and_count_by_their_rows(n_parts):
    rows = data()
    # Half of the old mean, 0, and half of that of the part; by their rows the means of parts are that of the batch.
    np.testing.assert_allclose(normed(rows, n_parts), 0.5 * rows.X.mean(axis=0), rtol=1e-5, atol=1e-6)


def test_parts_that_begin_with_what_others_left_would_be_found(monkeypatch):
    monkeypatch.setattr(Buffers, "restart", lambda self: None)
    assert abs(normed(data(), 3) - 0.5 * data().X.mean(axis=0)).max() > 0.01
