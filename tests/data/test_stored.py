"""Rows in files are the rows that were written, however they are asked for."""

import tracemalloc

import numpy as np
import pytest

from trainer_cli import json_text
from trainer_cli.arrays import Ragged, n_rows, slice_rows, take
from trainer_cli.data.gather import Gather
from trainer_cli.data.stored import FileGather, StoredRagged, n_bytes, opened
from trainer_cli.errors import DataError, ShapeError

N = 37


def rows_of(kind, n=N, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 4, n)
    return {
        "numbers": lambda: rng.normal(size=(n, 3)).astype(np.float32),
        "classes": lambda: rng.integers(0, 9, n),
        "images": lambda: rng.normal(size=(n, 2, 2, 1)).astype(np.float32),
        "no columns": lambda: np.zeros((n, 0), np.float32),
        "ragged": lambda: Ragged(rng.integers(0, 99, lengths.sum()), lengths),
        "ragged rows": lambda: Ragged(rng.normal(size=(lengths.sum(), 2)), lengths),
        "tuple": lambda: (rng.normal(size=(n, 2)), Ragged(rng.integers(0, 99, lengths.sum()), lengths)),
        "dict": lambda: {"z": rng.normal(size=n), "a b": rng.normal(size=(n, 2)), "$": {"c": rng.integers(0, 9, n)}},
    }[kind]()  # fmt: skip


KINDS = ["numbers", "classes", "images", "no columns", "ragged", "ragged rows", "tuple", "dict"]


def stored(folder, rows, step=5):
    """`rows` written in blocks of `step` and opened again."""
    gather = FileGather(folder, "X")
    for start in range(0, n_rows(rows), step):
        gather.add(slice_rows(rows, start, min(start + step, n_rows(rows))))
    gather.finish()
    return opened(folder, "X", json_text.loads(json_text.dumps(gather.facts())))


def flat(rows):
    """All arrays in rows, as bytes with their types and shapes."""
    if isinstance(rows, Ragged):
        return [*flat(rows.data), *flat(rows.lengths)]
    if isinstance(rows, dict):
        return [(name, part) for name in rows for part in flat(rows[name])]
    if isinstance(rows, tuple):
        return [part for each in rows for part in flat(each)]
    return [(rows.dtype.str, rows.shape, rows.tobytes())]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_files_are_taken_and_cut_as_those_in_memory(tmp_path, kind):
    rows = rows_of(kind)
    found = stored(tmp_path, rows)
    assert n_rows(found) == N
    for indexes in (np.array([3, 3, 36, 0]), np.random.default_rng(1).permutation(N), np.zeros(0, np.int64)):
        assert flat(take(found, indexes)) == flat(take(rows, indexes))
    for start, stop in ((0, N), (5, 9), (30, 99), (7, 7)):
        assert flat(slice_rows(found, start, stop)) == flat(slice_rows(rows, start, stop))


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_in_memory_is_that_of_all_arrays(kind):
    rows = rows_of(kind)
    gather = Gather()
    gather.add(rows)
    assert n_bytes(rows) == n_bytes(gather.result())
    assert n_bytes(rows) == sum(len(part[-1] if len(part) == 3 else part[1][-1]) for part in map(innermost, flat(rows)))


def innermost(part):
    while len(part) == 2 and isinstance(part[1], tuple):
        part = part[1]
    return part


def test_the_lengths_of_ragged_rows_are_at_hand(tmp_path):
    rows = rows_of("ragged")
    found = stored(tmp_path, rows)
    assert isinstance(found, StoredRagged)
    assert found.lengths.tolist() == rows.lengths.tolist()


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b"", lambda data: data[:-9] + bytes(9)]
)
def test_a_file_with_other_bytes_is_refused_by_name(tmp_path, change):
    gather = FileGather(tmp_path, "X")
    gather.add(rows_of("numbers"))
    gather.finish()
    path = tmp_path / "X.bin"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=r"X\.bin: is not what was written there"):
        opened(tmp_path, "X", gather.facts())


def test_a_file_that_is_cut_while_it_is_read_is_told(tmp_path):
    found = stored(tmp_path, rows_of("numbers"))
    (tmp_path / "X.bin").write_bytes(b"")
    with pytest.raises(DataError, match=r"X\.bin"):
        take(found, np.array([0]))


def test_reading_takes_the_memory_of_the_batch(tmp_path):
    found = stored(tmp_path, np.zeros((20_000, 50)), step=1000)
    tracemalloc.start()
    for indexes in np.random.default_rng(0).permutation(20_000).reshape(-1, 100):
        take(found, indexes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # a permutation is 160,000 bytes, a batch 40,000, the rows are 8,000,000


def test_rows_of_another_kind_are_a_mistake_of_the_encoder(tmp_path):
    gather = FileGather(tmp_path, "X")
    gather.add(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"one kind and size, got float64 \(4,\) after float64 \(3,\)"):
        gather.add(np.zeros((2, 4)))
