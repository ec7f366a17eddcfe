import doctest
import io
import threading
from array import array
from itertools import count, islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tqdm import tqdm

from trainer_cli import batches
from trainer_cli import prefetch as prefetch_module
from trainer_cli.arrays import Ragged
from trainer_cli.batches import RowPasses, SizedGenerator, StreamPasses
from trainer_cli.errors import ArgumentError, ShapeError
from trainer_cli.ops import Ops, numpy_ops
from trainer_cli.randomness import generator
from trainer_cli.schedules import compounding

SIZES = st.one_of(
    st.integers(1, 40),
    st.floats(1, 40),
    st.lists(st.floats(1, 30), min_size=1, max_size=8),
    st.lists(st.integers(1, 30), min_size=1, max_size=8).map(iter),
    st.tuples(st.floats(1, 5), st.floats(5, 60), st.floats(1.001, 1.5)).map(lambda a: compounding(*a)),
)


def check_passes(size, n, shuffle, buffer):
    """Three passes use every row once each, in batches of at least one row, as many as `len` says before and within."""
    found = Ops(seed=3).multibatch(size, np.arange(n), list(range(n)), shuffle=shuffle, buffer=buffer)
    for _ in range(3):
        expected, seen = len(found), []
        for index, (rows, same) in enumerate(found):
            assert len(rows) >= 1
            assert rows.tolist() == same
            assert len(found) == expected
            assert index < expected
            seen.append(same)
        assert len(seen) == expected, "len is the number of batches"
        used = [row for part in seen for row in part]
        assert sorted(used) == list(range(n)), "every row is used once a pass"


@given(size=SIZES, n=st.integers(0, 300), shuffle=st.booleans(), buffer=st.sampled_from([1, 1, 1, 2, 7]))
@settings(max_examples=150)
def test_every_row_is_used_once_a_pass_and_len_is_right(size, n, shuffle, buffer):
    check_passes(size, n, shuffle, buffer)


def test_row_once_check_sees_a_dropped_fraction(monkeypatch):
    """The reference adds up fractional sizes and cuts by their whole part."""

    def cut(self, sizes):
        start = taken = 0
        while taken < self.n_rows:
            wanted = self.schedule(self.schedule.position)
            yield [part[start : start + int(wanted)] for part in self.sequences], 0.0
            start, taken = start + int(wanted), taken + wanted

    monkeypatch.setattr(RowPasses, "cut", cut)
    with pytest.raises(AssertionError, match="every row is used once"):
        check_passes(2.5, 10, False, 1)


def test_row_once_check_sees_a_length_from_the_first_size(monkeypatch):
    monkeypatch.setattr(RowPasses, "length", lambda self: -(-self.n_rows // int(self.schedule(0))))
    with pytest.raises(AssertionError):
        check_passes([4, 8], 40, False, 1)


def test_the_page_s_example_loses_no_row():
    """With compounding(1, 16, 1.001) the reference uses 694 of 1000 rows."""
    found = Ops().multibatch(compounding(1.0, 16.0, 1.001), np.arange(1000), np.arange(1000), shuffle=True)
    assert sum(len(X) for X, _ in found) == 1000


def test_fractions_carry_over_so_that_the_mean_size_is_right():
    found = Ops().minibatch(2.3, np.arange(10_000))
    assert [len(batch) for batch in islice(found, 9)] == [2, 2, 2, 3, 2, 2, 3, 2, 2]
    assert len(list(Ops().minibatch(2.25, np.arange(22_500)))) == 10_000


def test_sizes_go_on_from_pass_to_pass():
    found = Ops().minibatch([4, 4, 4, 5, 6], list(range(10)))
    assert [[len(batch) for batch in found] for _ in range(3)] == [[4, 4, 2], [5, 5], [6, 4]]
    assert len(found) == 2


def test_a_schedule_is_shared_by_the_batches_made_with_it():
    """A new call in every epoch, as in the page's first option, does not start the schedule anew."""
    size = compounding(1.0, 8.0, 2.0)
    assert [[len(batch) for batch in Ops().minibatch(size, list(range(7)))] for _ in range(2)] == [[1, 2, 4], [7]]
    assert size.position == 4


@pytest.mark.parametrize("buffer", [1, 5])
def test_len_and_a_pass_left_early_draw_no_more_than_was_used(buffer):
    size = compounding(1.0, 8.0, 2.0)
    found = Ops().minibatch(size, list(range(100)), buffer=buffer)
    assert len(found) == 3 + 12
    assert size.position == 0
    for batch, n_rows in zip(islice(found, 2), (1, 2), strict=True):
        assert (len(batch), len(found)) == (n_rows, 15)
    assert size.position == 2
    assert [len(batch) for batch in islice(found, 2)] == [4, 8]


def test_an_iterator_holds_its_last_size_when_it_ends():
    found = Ops().minibatch((size for size in (3, 2, 1)), [1, 2, 3, 4, 5, 6])
    assert list(found) == [[1, 2, 3], [4, 5], [6]]
    assert list(found) == [[1], [2], [3], [4], [5], [6]]


def test_orders_come_from_the_seed_the_number_and_the_pass():
    ops = Ops(seed=7)
    first, other = (ops.minibatch(20, np.arange(20), shuffle=True) for _ in range(2))
    for number, found in enumerate((first, other)):
        for n_pass in range(2):
            expected = generator(7, "shuffle", number, n_pass).permutation(20)
            assert next(iter(found)).tolist() == expected.tolist()
    assert Ops(seed=7).minibatch(20, np.arange(20)).length() == 1


def test_both_options_of_the_page_shuffle_anew_and_can_be_repeated():
    ops = Ops()

    def run():
        ops.seed = 5
        data = np.arange(30)
        kept = ops.minibatch(10, data, shuffle=True)
        for _ in range(3):
            yield np.concatenate(list(ops.minibatch(10, data, shuffle=True))).tolist()
            list(ops.minibatch(7, data))  # evaluation in between shifts nothing
            yield np.concatenate(list(kept)).tolist()

    orders = list(run())
    assert len({tuple(order) for order in orders}) == 6
    assert orders == list(run())


def test_tqdm_shows_the_right_total():
    found = Ops().multibatch([3, 5], np.arange(20), np.arange(20), shuffle=True)
    with tqdm(found, file=io.StringIO()) as bar:
        assert bar.total == 5
        assert sum(1 for _ in bar) == 5


@pytest.mark.parametrize("n_axes", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shuffle", [False, True])
def test_arrays_give_arrays_of_their_own(n_axes, shuffle):
    data = np.arange(6 * 2 ** (n_axes - 1), dtype=np.float32).reshape(6, *[2] * (n_axes - 1))
    for batch, rows in Ops().multibatch(4, data, np.arange(6), shuffle=shuffle):
        assert batch.flags.c_contiguous
        assert batch.dtype == np.float32
        assert np.array_equal(batch, data[rows])
        batch[...] = -1
    assert data.min() == 0


def test_an_array_that_is_not_contiguous_gives_what_its_copy_gives():
    data = np.arange(48.0).reshape(6, 8).T
    for found, expected in Ops().multibatch(3, data, data.copy()):
        assert found.flags.c_contiguous
        assert np.array_equal(found, expected)


def test_lists_give_lists_and_tuples_tuples():
    ragged = [np.zeros((n, 2)) for n in (3, 1, 2)]
    (first, second) = Ops().multibatch(2, ragged, ("a", "b", "c"))
    assert [part.shape for part in first[0]] == [(3, 2), (1, 2)]
    assert first[1] == ("a", "b")
    assert [part.shape for part in second[0]] == [(2, 2)]
    assert second[1] == ("c",)


@pytest.mark.parametrize("sequence", [range(5), array("i", range(5))], ids=["range", "array.array"])
def test_other_sequences_give_lists(sequence):
    assert list(Ops().minibatch(2, sequence)) == [[0, 1], [2, 3], [4]]


def test_ragged_rows_and_dicts_of_inputs_are_cut_by_rows():
    ragged = Ragged(np.arange(6)[:, None], np.array([1, 3, 2]))
    first, _ = Ops().multibatch(2, ragged, {"a": np.arange(3), "b": ["x", "y", "z"]})
    assert first[0].data.tolist() == [[0], [1], [2], [3]]
    assert first[1]["a"].tolist() == [0, 1]
    assert first[1]["b"] == ["x", "y"]


def test_no_rows_make_no_batches():
    found = Ops().multibatch(3, [], np.zeros((0, 2)), shuffle=True)
    assert (len(found), list(found)) == (0, [])


# Streams


def test_a_stream_is_drawn_from_as_its_batches_are():
    drawn = []

    def rows():
        for row in count():
            drawn.append(row)
            yield row

    assert list(islice(Ops().minibatch(2.5, rows()), 3)) == [[0, 1], [2, 3, 4], [5, 6]]
    assert len(drawn) == 7


def test_a_stream_has_no_len():
    found = Ops().multibatch(2, (n for n in range(3)), (str(n) for n in range(3)))
    with pytest.raises(TypeError, match="batches of a stream have no len"):
        len(found)
    assert tqdm(found, disable=True).total is None
    assert list(found) == [[[0, 1], ["0", "1"]], [[2], ["2"]]]


def test_a_stream_that_can_start_again_does_and_one_that_cannot_says_so():
    class Lines:
        def __iter__(self):
            return iter("abc")

    found = Ops().minibatch(2, Lines())
    assert [list(found), list(found)] == [[["a", "b"], ["c"]]] * 2
    found = Ops().minibatch(2, (letter for letter in "abc"))
    assert list(found) == [["a", "b"], ["c"]]
    with pytest.raises(ArgumentError, match="used up by an earlier pass: give a list"):
        list(found)


def test_a_pass_over_a_stream_that_was_left_early_goes_on():
    found = Ops().minibatch(2, iter(range(6)))
    assert next(iter(found)) == [0, 1]
    assert list(found) == [[2, 3], [4, 5]]


@pytest.mark.parametrize("buffer", [2, 3, 100])
def test_rows_of_a_stream_that_were_cut_ahead_are_not_lost(buffer):
    found = Ops().multibatch(2, iter(range(20)), (str(n) for n in range(20)), buffer=buffer)
    rows = []
    for n_batches in (1, 1, 2, 100):
        for numbers, texts in islice(found, n_batches):
            assert [str(number) for number in numbers] == texts
            rows += numbers
    assert rows == list(range(20))


def test_a_stream_that_forgets_what_was_cut_ahead_is_seen(monkeypatch):
    monkeypatch.setattr(StreamPasses, "leave", lambda self, rest: rest())
    with pytest.raises(AssertionError):
        test_rows_of_a_stream_that_were_cut_ahead_are_not_lost(3)


def test_sizes_that_are_still_drawn_can_be_asked_for_at_the_same_time():
    inside, counted = threading.Event(), threading.Event()

    def sizes():
        yield 2
        inside.set()
        counted.wait(10)
        while True:
            yield 2

    found = Ops().minibatch(sizes(), list(range(40)), buffer=5)
    batches = iter(found)
    assert next(batches) == [0, 1]
    assert inside.wait(10)  # the thread is in the middle of drawing a size
    asking = threading.Thread(target=lambda: lengths.append(len(found)))
    lengths = []
    asking.start()
    counted.set()
    asking.join(10)
    assert lengths == [20]
    assert sum(len(batch) for batch in batches) == 38


def test_the_fraction_of_a_row_goes_on_from_pass_to_pass():
    found = Ops().minibatch(1.5, list(range(3)))
    assert [[len(batch) for batch in found] for _ in range(2)] == [[1, 2], [1, 2]]
    found = Ops().minibatch(2.5, list(range(2)))
    assert [[len(batch) for batch in found] for _ in range(2)] == [[2], [2]]
    assert [len(batch) for batch in Ops().minibatch(2.5, list(range(5)))] == [2, 3]
    halves = Ops().minibatch(2.5, list(range(7)))
    assert [[len(batch) for batch in halves] for _ in range(2)] == [[2, 3, 2], [3, 2, 2]]


def test_two_passes_at_once_leave_each_other_their_length():
    found = Ops().minibatch(compounding(1.0, 8.0, 2.0), list(range(15)))
    first, second = iter(found), iter(found)
    assert len(next(first)) == 1
    assert len(next(second)) == 2
    first.close()
    assert len(found) == 4  # of the pass that is still under way, which began with 2 rows
    assert [len(batch) for batch in second] == [4, 8, 1]


def test_an_empty_stream_is_no_mistake_in_its_first_pass():
    assert list(Ops().minibatch(2, iter([]))) == []


def test_streams_of_unequal_length():
    found = Ops().multibatch(3, iter(range(7)), iter(range(20)))
    with pytest.raises(ShapeError, match="one ended after 7 rows, another went on to 9"):
        list(found)


# Wrong input


@pytest.mark.parametrize("size", [0, -3, 0.5, [0.9], iter([0.2]), compounding(0.1, 2.0, 1.5)])
def test_a_size_below_one_is_refused_at_once(size):
    with pytest.raises(ArgumentError, match=r"a batch has at least one row, got a size of"):
        Ops().minibatch(size, [1, 2])


def test_a_size_that_falls_below_one_is_told_with_its_step():
    found = Ops().minibatch([2, 0.5], list(range(9)))
    with pytest.raises(ArgumentError, match=r"got a size of 0.5 at step 1"):
        list(found)


@pytest.mark.parametrize("size", ["3", None, [], [2, "x"], float("nan"), True])
def test_a_size_that_is_no_number_is_refused(size):
    with pytest.raises(ArgumentError):
        Ops().minibatch(size, [1, 2])


@pytest.mark.parametrize("sequence", [True, 5, None, "text", b"bytes", {1, 2}, np.float32(3), np.zeros(())], ids=repr)
def test_what_has_no_rows_is_refused(sequence):
    with pytest.raises(ArgumentError, match="batches are cut from a list, an array or another sequence of rows, got"):
        Ops().minibatch(2, sequence)


def test_unequal_lengths_are_told():
    with pytest.raises(ShapeError, match="must have as many rows each, got 100 and 99"):
        Ops().multibatch(8, np.zeros((100, 2)), np.zeros(99))
    with pytest.raises(ShapeError, match="got 3 and 2"):
        Ops().minibatch(8, {"a": np.zeros(3), "b": np.zeros(2)})


def test_a_stream_beside_a_sequence_and_a_shuffled_stream_are_refused():
    with pytest.raises(ArgumentError, match="a stream has no length"):
        Ops().multibatch(8, [1, 2], iter([1, 2]))
    with pytest.raises(ArgumentError, match="a stream cannot be shuffled"):
        Ops().minibatch(8, iter([1, 2]), shuffle=True)


@pytest.mark.parametrize("buffer", [0, -1, 1.5, "2", True])
def test_a_buffer_is_a_number_of_batches(buffer):
    with pytest.raises(ArgumentError, match="buffer is a number of batches, at least 1, got"):
        Ops().minibatch(2, [1, 2], buffer=buffer)


@pytest.mark.parametrize("module", [batches, numpy_ops])
def test_examples_give_what_they_show(module):
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


def test_a_sized_generator_takes_any_function_and_length():
    found = SizedGenerator(lambda: iter([1, 2]), 2)
    assert (len(found), list(found), list(found)) == (2, [1, 2], [1, 2])


def test_an_error_that_came_after_those_who_left_is_told_to_the_next():
    def failing():
        yield from range(5)
        raise OSError("disk")

    found = Ops().minibatch(2, failing(), buffer=50)
    assert next(iter(found)) == [0, 1]
    batches = iter(found)
    assert next(batches) == [2, 3]
    with pytest.raises(OSError, match="disk"):
        next(batches)


def test_streams_of_unequal_length_are_told_to_the_next_as_well():
    found = Ops().multibatch(2, iter(range(10)), iter(range(9)), buffer=50)
    next(iter(found))
    with pytest.raises(ShapeError, match="one ended after 9 rows, another went on to 10"):
        list(found)


def test_a_stream_that_begins_anew_does_not_wait_for_the_pass_that_was_left(monkeypatch):
    monkeypatch.setattr(prefetch_module, "PATIENCE_SECONDS", 0.01)
    goes_on, passes = threading.Event(), []

    class Source:
        def __iter__(self):
            passes.append(len(passes))
            yield from range(2)
            if passes == [0]:
                goes_on.wait(60)
            yield 2

    found = Ops().minibatch(1, Source(), buffer=4)
    next(iter(found))
    assert list(found) == [[0], [1], [2]]
    goes_on.set()


def test_a_size_generator_that_asks_for_its_own_batches_fails_at_once():
    def sizes():
        yield 1
        yield len(found)

    found = Ops().minibatch(sizes(), list(range(5)))
    with pytest.raises(ArgumentError, match="generator already executing"):
        list(found)
