"""The cache of encoded data: whole or not there, shared, and never in the way."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

from trainer_cli.arrays import Ragged, n_rows, slice_rows
from trainer_cli.data import cache
from trainer_cli.data.cache import Cache, key_of
from trainer_cli.data.encoders.labels import Labels
from trainer_cli.data.encoders.numbers import Numbers
from trainer_cli.errors import DataError, StorageError

KEY = "0123456789abcdef" * 4
N = 30


def blocks(n=N, step=7):
    X = {
        "numbers": np.arange(n * 2, dtype=np.float32).reshape(n, 2),
        "text": Ragged(np.arange(n), np.ones(n, np.int64)),
    }
    Y = np.arange(n) % 3
    for start in range(0, n, step):
        stop = min(start + step, n)
        yield {"X": slice_rows(X, start, stop), "Y": Y[start:stop]}


def whole(parts):
    """All rows of a data set, as lists."""
    X, Y = (slice_rows(parts[name], 0, n_rows(parts[name])) for name in ("X", "Y"))
    return [X["numbers"].tolist(), X["text"].data.tolist(), X["text"].lengths.tolist(), Y.tolist()]


def expected():
    return whole(next(blocks(step=N)))


def refuse():
    raise AssertionError("encoded again")
    yield


def test_data_are_encoded_once(tmp_path):
    assert whole(Cache(tmp_path / "cache").load(KEY, blocks())) == expected()
    assert whole(Cache(tmp_path / "cache").load(KEY, refuse())) == expected()
    assert os.listdir(tmp_path / "cache") == [KEY]


def test_the_check_sees_data_that_are_encoded_again(tmp_path):
    Cache(tmp_path).load(KEY, blocks())
    with pytest.raises(AssertionError, match="encoded again"):
        Cache(tmp_path).load("f" * 64, refuse())


@pytest.mark.parametrize("damage", ["cut", "gone", "meta", "empty", "zeros"])
def test_a_damaged_data_set_is_made_anew(tmp_path, damage):
    Cache(tmp_path).load(KEY, blocks())
    file = tmp_path / KEY / ("meta.json" if damage in ("meta", "empty") else "Y.bin")
    file.unlink() if damage == "gone" else file.write_bytes(
        {"cut": b"1", "meta": b'{"format": 1}', "empty": b"", "zeros": bytes(8 * N)}[damage]
    )
    assert whole(Cache(tmp_path).load(KEY, blocks())) == expected()


def test_a_mistake_in_the_data_leaves_nothing_behind(tmp_path):
    def wrong():
        yield next(blocks())
        raise DataError("file.csv:9: a: wrong")

    with pytest.raises(DataError, match=r"file\.csv:9"):
        Cache(tmp_path).load(KEY, wrong())
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_deleted_and_what_is_being_written_stays(tmp_path):
    dead, alive = tmp_path / f".writing-{KEY}-1", tmp_path / f".writing-{KEY}-2"
    dead.mkdir()
    alive.mkdir()
    (dead / "X.bin").write_bytes(b"half")
    with cache.locked(alive):
        Cache(tmp_path).load(KEY, blocks())
        assert sorted(os.listdir(tmp_path)) == [alive.name, KEY]
        assert Cache(tmp_path).clean() > 0
        assert os.listdir(tmp_path) == [alive.name]


def load_in_a_process(folder, queue):
    queue.put(whole(Cache(folder).load(KEY, blocks())) == expected())


def test_runs_that_start_at_once_read_the_same(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=load_in_a_process, args=(tmp_path, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert found == [True] * 4
    assert os.listdir(tmp_path) == [KEY]


def test_runs_that_write_different_data_leave_each_other_alone(tmp_path):
    def load(number):
        for i in range(25):
            assert whole(Cache(tmp_path).load(f"{number * 25 + i:064x}", blocks())) == expected()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, range(4)))
    assert len(os.listdir(tmp_path)) == 100


def test_a_slower_run_takes_the_files_of_the_faster_one(tmp_path):
    def overtaken():
        Cache(tmp_path).load(KEY, blocks())
        yield from blocks()

    assert whole(Cache(tmp_path).load(KEY, overtaken())) == expected()
    assert os.listdir(tmp_path) == [KEY]


def two_at_once(folder, monkeypatch, *, wait_for_each_other=True):
    """Two runs find a damaged data set. The second one begins when the first has looked again, before it puts its
    own files there, and goes on until it is done or waits for the lock of the folder. What both read."""
    Cache(folder).load(KEY, blocks())
    (folder / KEY / "Y.bin").write_bytes(b"1")
    read_whole, delete, lock, stands = cache.read_whole, cache.deleted, cache.locked, threading.Event()
    looks = iter(["at first", "again"])

    def second():
        try:
            return whole(Cache(folder).load(KEY, blocks()))
        finally:
            stands.set()

    def looking(path):
        found = read_whole(path)
        if threading.current_thread() is threading.main_thread() and next(looks, "") == "again":
            other.append(pool.submit(second))
            assert stands.wait(60)
        return found

    def locking(path, *, wait=False):
        if path == folder and not wait_for_each_other:
            return nullcontext()
        if path == folder and threading.current_thread() is not threading.main_thread():
            stands.set()
        return lock(path, wait=wait)

    def deleting(path, **more):
        assert path.name != KEY or read_whole(path) is None, "what another run had written was deleted"
        return delete(path, **more)

    for name, function in {"read_whole": looking, "locked": locking, "deleted": deleting}.items():
        monkeypatch.setattr(cache, name, function)
    other = []
    with ThreadPoolExecutor(1) as pool:
        first = whole(Cache(folder).load(KEY, blocks()))
    return first, other[0].result()


def test_runs_that_find_a_damaged_data_set_at_once_both_read_it(tmp_path, monkeypatch):
    assert two_at_once(tmp_path, monkeypatch) == (expected(), expected())
    assert os.listdir(tmp_path) == [KEY]


def test_runs_that_do_not_wait_for_each_other_would_be_noticed(tmp_path, monkeypatch):
    with pytest.raises(AssertionError, match="what another run had written was deleted"):
        two_at_once(tmp_path, monkeypatch, wait_for_each_other=False)


def test_cleaning_tells_how_much_there_was_and_leaves_other_files(tmp_path):
    Cache(tmp_path).load(KEY, blocks())
    (tmp_path / "notes").mkdir()
    (tmp_path / "mine.bin").write_bytes(b"x" * 10)
    size = sum(file.stat().st_size for file in (tmp_path / KEY).iterdir())
    assert Cache(tmp_path).clean() == size
    assert sorted(os.listdir(tmp_path)) == ["mine.bin", "notes"]
    assert Cache(tmp_path / "nowhere").clean() == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not be written"):
        Cache(tmp_path / "file" / "cache").load(KEY, blocks())


def fitted(*names, mean=0.0):
    scaled = Numbers.from_state({"column": "b"}, {"mean": np.array([mean]), "scale": np.ones(1)})
    labels = Labels.from_state({"column": "a", "names": list(names)}, {})
    return {"target": ("labels.v1", labels), "features": ("numbers.v1", scaled)}


def test_the_key_depends_on_all_that_the_rows_depend_on():
    base = ("data", {"delimiter": ","}, fitted("a", "b"), ["code"])
    keys = [key_of(*base), key_of("other", *base[1:]), key_of("data", {"delimiter": ";"}, *base[2:])]
    keys += [key_of(*base[:2], fitted("a", "c"), ["code"]), key_of(*base[:3], [])]
    keys.append(key_of(*base[:2], fitted("a", "b", mean=0.5), ["code"]))  # statistics alone, which are arrays
    assert len(set(keys)) == 6
    assert key_of(*base) == keys[0]
    assert len(keys[0]) == 64
