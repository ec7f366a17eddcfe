"""Sparse tables: an update changes the rows that have a gradient, and costs what they cost."""

import numpy as np
import pytest

from trainer_cli.errors import DivergedError, ModelFileError
from trainer_cli.extras import ENGINES
from trainer_cli.gradient_sum import GradientSum, RowSum, TableRows
from trainer_cli.initializers import uniform_init
from trainer_cli.model import Model
from trainer_cli.ops import Ops, get_ops
from trainer_cli.optimizers.averages import average_decay, caught_up, decay_between
from trainer_cli.optimizers.optimizer import Optimizer
from trainer_cli.registry import registry
from trainer_cli.store import view

N_ROWS, WIDTH = 12, 3
EVERY = [name for name in registry.optimizers.names() if name not in ENGINES]
OPTIMIZERS = [name for name in EVERY if name != "Muon.v1"]


def table_layer(sparse=True):
    """Rows of a table by their numbers, plus a bias: one sparse and one dense parameter."""

    def forward(model, X, is_train):
        def backprop(dY):
            model.grad.b += dY.sum(axis=0)
            model.add_rows("E", X, dY)

        return model.E[X] + model.b, backprop

    def init(model, X, Y):
        model.draw("E", uniform_init, (N_ROWS, WIDTH))
        model.draw("b", uniform_init, (WIDTH,))

    layer = Model("table", forward, init=init, params=("E", "b"), sparse=("E",) if sparse else ())
    return layer.initialize(seed=3)


def update(model, optimizer, rows, seed):
    dY = np.random.default_rng(seed).normal(size=(len(rows), WIDTH)).astype(np.float32)
    model.begin_update(np.asarray(rows))[1](dY)
    model.finish_update(optimizer)
    optimizer.step_schedules()


def remembered(optimizer, model):
    return {name: np.array(array) for name, array in optimizer.to_arrays(model.store).items() if "last." not in name}


def test_tables_come_last_and_the_rest_is_dense():
    store = table_layer().store
    assert [segment.name for segment in store.segments] == ["b", "E"]
    assert (store.n_dense, store.dense.shape) == (WIDTH, (WIDTH,))


@pytest.mark.parametrize("ops", ["numpy", "numba"])
def test_a_row_named_twice_gets_the_sum_and_others_nothing(ops):
    model = table_layer().use_ops(get_ops(ops))
    model.add_rows("E", np.array([7, 2, 7]), np.array([[1, 1, 1], [2, 2, 2], [4, 4, 4]], np.float32))
    expected = np.zeros((N_ROWS, WIDTH), np.float32)
    expected[7], expected[2] = 5, 2
    np.testing.assert_array_equal(model.grad.E, expected)
    assert model.store.touched("E").tolist() == [2, 7]


def test_a_row_that_is_not_there_is_an_error_with_either_ops():
    for ops in (Ops(), get_ops("numba")):
        with pytest.raises(IndexError):
            table_layer().use_ops(ops).add_rows("E", np.array([N_ROWS]), np.ones((1, WIDTH), np.float32))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_of_all_rows_has_the_bits_of_a_dense_one(name):
    models, optimizers = (table_layer(True), table_layer(False)), [registry.optimizers.get(name)(0.01) for _ in "ab"]
    for step in range(5):
        for model, optimizer in zip(models, optimizers, strict=True):
            update(model, optimizer, [*range(N_ROWS), 4, 4], step)
    assert models[0].E.tobytes() == models[1].E.tobytes()
    sparse, dense = (remembered(o, m) for o, m in zip(optimizers, models, strict=True))
    assert {name: array.tobytes() for name, array in sparse.items()} == {n: a.tobytes() for n, a in dense.items()}


@pytest.mark.parametrize("name", EVERY)
def test_rows_without_a_gradient_stay_as_they_are_with_their_moments(name):
    model, optimizer = table_layer(), registry.optimizers.get(name)(0.01)
    update(model, optimizer, range(N_ROWS), 0)
    before = {"E": model.E.copy(), **remembered(optimizer, model)}
    update(model, optimizer, [3, 5, 3], 1)
    after = {"E": model.E.copy(), **remembered(optimizer, model)}
    others = [row for row in range(N_ROWS) if row not in (3, 5)]
    for key in (key for key in before if key.endswith("E")):
        np.testing.assert_array_equal(after[key][others], before[key][others], err_msg=key)
    assert (after["E"][[3, 5]] != before["E"][[3, 5]]).all()


def test_the_gradient_is_zero_after_an_update():
    model = table_layer()
    update(model, Optimizer(0.1), [1, 1, 9], 0)
    assert not model.store.gradients.any()
    assert model.store.touched("E").tolist() == []


def test_averages_of_rows_left_alone_are_those_of_an_update_in_each_step():
    model, optimizer = table_layer(), Optimizer(0.1)
    averages = np.zeros((N_ROWS, WIDTH))
    for step in range(40):
        update(model, optimizer, [step % 4], step)
        averages -= (1 - average_decay(step + 1)) * (averages - model.E)
        np.testing.assert_allclose(optimizer.averages["E"], averages, atol=2e-6)


@pytest.mark.parametrize("last", [0, 1, 17, 89_980, 89_990, 200_000])
@pytest.mark.parametrize("n", [0, 1, 30])
def test_the_product_of_decays_has_a_closed_form(last, n):
    expected = np.prod([average_decay(t) for t in range(last + 1, last + n + 1)])
    np.testing.assert_allclose(decay_between(np.array([last]), last + n), [expected], rtol=1e-12)


def test_averages_that_are_up_to_date_keep_their_bits():
    averages, weights = np.random.default_rng(0).normal(size=(2, 50, 3)).astype(np.float32)
    assert caught_up(averages, weights, np.full(50, 8), 8).tobytes() == averages.tobytes()


def test_clipping_takes_the_norm_of_the_rows_of_the_update():
    model = table_layer()
    before = model.E.copy()
    model.begin_update(np.array([2, 6]))[1](np.full((2, WIDTH), 10, np.float32))
    model.finish_update(Optimizer(1.0, beta1=0, beta2=0, grad_clip=1.0, use_averages=False))
    np.testing.assert_allclose(before[[2, 6]] - model.E[[2, 6]], 1 / np.sqrt(2 * WIDTH), rtol=1e-5)


def test_a_gradient_that_is_not_finite_changes_nothing():
    model, optimizer = table_layer(), Optimizer(0.1)
    before = model.store.values.copy()
    model.begin_update(np.array([2]))[1](np.full((1, WIDTH), np.inf, np.float32))
    with pytest.raises(DivergedError, match="the gradient of E is not finite"):
        model.finish_update(optimizer)
    assert model.store.values.tobytes() == before.tobytes()


def test_rows_that_become_infinite_are_found_among_those_that_changed():
    model = table_layer()
    model.add_rows("E", np.array([4]), np.full((1, WIDTH), 10, np.float32))
    with np.errstate(over="ignore"):
        model.finish_update(Optimizer(1e38, beta2=0, grad_clip=0, use_averages=False))
    assert model.store.first_changed_to_not_finite() == "E"


def test_an_update_by_a_function_sees_the_whole_table():
    model = table_layer()
    model.add_rows("E", np.array([5]), np.ones((1, WIDTH), np.float32))
    before = model.E.copy()
    model.finish_update(lambda key, weights, gradient: (weights - gradient, gradient * 0))
    assert (before - model.E).sum(axis=1).tolist() == [3 if row == 5 else 0 for row in range(N_ROWS)]
    assert model.store.touched("E").tolist() == []


def test_a_gradient_that_is_set_as_a_whole_is_noted():
    model = table_layer()
    model.inc_grad("E", np.eye(N_ROWS, WIDTH, dtype=np.float32))
    assert {0, 1, 2} <= set(model.store.touched("E").tolist())


def part(rows, seed):
    return TableRows(np.array(rows), np.random.default_rng(seed).normal(size=(len(rows), WIDTH)).astype(np.float32))


def halves(parts):
    if len(parts) == 1:
        return parts[0]
    split = 1 << (len(parts) - 1).bit_length() - 1
    return halves(parts[:split]) + halves(parts[split:])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 8])
def test_rows_of_micro_batches_are_added_along_the_tree(n):
    parts = [part(sorted({seed % 5, (seed * 3) % 7, 9}), seed) for seed in range(n)]
    total, wholes = RowSum(), []
    for each in parts:
        total.add(each)
        wholes.append(np.zeros((N_ROWS, WIDTH), np.float32))
        wholes[-1][each.rows] = each.values
    rows, values = total.finish()
    assert rows.tolist() == sorted({row for each in parts for row in each.rows.tolist()})
    assert values.tobytes() == halves(wholes)[rows].tobytes()


def test_micro_batches_give_the_gradient_of_their_sum():
    model, total = table_layer(), GradientSum()
    gradients = []
    for rows in ([1, 2], [2, 2], [7]):
        dY = np.full((len(rows), WIDTH), len(rows), np.float32)
        model.begin_update(np.array(rows))[1](dY)
        gradients.append(model.store.gradients.copy())
        total.add(model.store)
        assert not model.store.gradients.any()
    total.finish(model.store)
    np.testing.assert_array_equal(model.store.gradients, halves(gradients))
    assert model.store.touched("E").tolist() == [1, 2, 7]


@pytest.mark.parametrize("keep", ["arrays", "bytes"])
def test_an_optimizer_that_is_kept_goes_on_with_the_same_bits(keep):
    model, optimizer = table_layer(), Optimizer(0.05)
    for step in range(9):
        update(model, optimizer, [step % 5, 11], step)
    twin, other = table_layer(), Optimizer(0.05)
    twin.from_bytes(model.to_bytes())
    if keep == "bytes":
        other.from_bytes(optimizer.to_bytes())
    else:
        other.from_arrays(twin.store, optimizer.to_arrays(model.store), n_updates=9)
    for step in range(9, 20):
        update(model, optimizer, [step % 7], step)
        update(twin, other, [step % 7], step)
    assert model.E.tobytes() == twin.E.tobytes()
    assert optimizer.averages["E"].tobytes() == other.averages["E"].tobytes()


def test_the_comparison_sees_averages_that_forget_when_a_row_was_changed():
    model, optimizer = table_layer(), Optimizer(0.05)
    update(model, optimizer, [1, 2], 0)
    update(model, optimizer, [2], 1)
    twin, other = table_layer(), Optimizer(0.05)
    arrays = optimizer.to_arrays(model.store)
    other.from_arrays(twin.store, arrays | {"last.E": arrays["last.E"] * 0}, n_updates=2)
    twin.from_bytes(model.to_bytes())
    assert optimizer.averages["E"].tobytes() != other.averages["E"].tobytes()


def test_a_state_without_the_tables_count_is_refused():
    model, optimizer = table_layer(), Optimizer(0.05)
    arrays = {name: array for name, array in optimizer.to_arrays(model.store).items() if name != "last.E"}
    with pytest.raises(ModelFileError, match=r"last\.E: is missing"):
        optimizer.from_arrays(model.store, arrays, n_updates=0)


def test_a_model_keeps_its_gradient_where_it_is_nested():
    inner = table_layer()
    inner.add_rows("E", np.array([4]), np.ones((1, WIDTH), np.float32))
    outer = Model("outer", lambda model, X, is_train: model.layers[0](X, is_train), layers=[inner])
    assert outer.store.touched("table.E").tolist() == [4]
    assert view(outer.store.gradients, outer.store.tables[0])[4].tolist() == [1, 1, 1]


def nested_after_updates():
    """A table of whose rows some had updates, and its average, which moves with it into a larger model."""
    model, optimizer = table_layer(), Optimizer(0.05)
    for step in range(4):
        update(model, optimizer, [step], step)
    outer = Model("outer", lambda model, X, is_train: model.layers[0](X, is_train), layers=[model])
    update(outer, optimizer, [2, 11], 4)
    return model, optimizer


def test_when_rows_were_last_changed_moves_along_where_a_table_is_nested():
    model, optimizer = table_layer(), Optimizer(0.05)
    for step in range(4):
        update(model, optimizer, [step], step)
    update(model, optimizer, [2, 11], 4)
    nested, its = nested_after_updates()
    assert nested.E.tobytes() == model.E.tobytes()
    assert its.averages[nested.id, "E"].tobytes() == optimizer.averages["E"].tobytes()
