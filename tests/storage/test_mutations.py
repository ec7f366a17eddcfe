"""Checkpoints cut, flipped, mixed and swapped: what loads is what was written, or nothing does."""

import os
import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storage_fakes import equal, make

from trainer_cli import checkpoint, lookup, manifest
from trainer_cli.errors import DamagedError, ModelFileError

STEPS = (100, 200, 300)
FILES = ("optimizer.safetensors", "state.json", "manifest.json", *(f"model/{name}" for name in make(0).model))
KINDS = ("cut", "flip", "delete", "swap", "copy", "append", "zero", "link", "fifo", "folder", "empty", "rename", "twin")
mutation = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(STEPS),
    st.sampled_from(STEPS),
    st.sampled_from(FILES),
    st.integers(0, 2**20),
)


@pytest.fixture(scope="module")
def run():
    """A run of three checkpoints, the first of them the best."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    for step in STEPS:
        checkpoint.save(folder / "run", make(step, best=100))
    yield folder
    shutil.rmtree(folder)


def mutate(run_dir, kind, step, other, name, n):
    """Do one bad thing to a file or folder of a run; where an earlier one has taken it away, nothing."""
    folder, source = checkpoint.step_path(run_dir, step), checkpoint.step_path(run_dir, other)
    path, data = folder / name, b""
    if not folder.is_dir() or not source.is_dir():
        return
    if kind in ("cut", "flip", "append", "zero") and path.is_file() and not path.is_symlink():
        data = path.read_bytes()
        bit = n % max(len(data) * 8, 1)
        flipped = data[: bit // 8] + bytes([data[bit // 8] ^ (1 << bit % 8)]) + data[bit // 8 + 1 :] if data else b""
        new = {"cut": data[: n % max(len(data), 1)], "flip": flipped, "append": data + b"x", "zero": bytes(len(data))}
        path.write_bytes(new[kind])
    elif kind in ("delete", "link", "fifo", "folder") and path.is_file():
        path.unlink()
        if kind != "delete":
            {"link": lambda: path.symlink_to(source / name), "fifo": lambda: os.mkfifo(path), "folder": path.mkdir}[
                kind
            ]()
    elif kind == "swap" and step != other and path.is_file() and (source / name).is_file():
        os.rename(path, folder / "swap")
        os.rename(source / name, path)
        os.rename(folder / "swap", source / name)
    elif kind == "copy" and step != other and (source / name).is_file():
        path.unlink(missing_ok=True) if not path.is_dir() else shutil.rmtree(path)
        shutil.copy(source / name, path)
    elif kind in ("empty", "twin"):
        shutil.rmtree(folder)
        folder.mkdir() if kind == "empty" or step == other else shutil.copytree(source, folder, symlinks=True)
    elif kind == "rename":
        os.rename(folder, checkpoint.step_path(run_dir, 400 + n % 100))


def check(run, mutations):
    """Mutate a copy of the run: only what was written may load, and the newest whole one does."""
    scratch = run / "copy"
    shutil.copytree(run / "run", scratch)
    try:
        for each in mutations:
            with suppress(OSError):
                mutate(scratch, *each)
        whole = [path for path in checkpoint.steps(scratch) if untouched(run / "run", scratch, path)]
        try:
            found = checkpoint.newest(scratch).checkpoint
            assert found is not None
            assert equal(found, make(found.step, best=100))
            assert found.step in STEPS
        except ModelFileError:
            found = None
        assert whole == [] or (found is not None and found.step >= whole[0])
        for place in (scratch, *(checkpoint.step_path(scratch, step) for step in STEPS)):
            try:
                model = lookup.find(place)
            except ModelFileError:
                continue
            assert model.step == (100 if place == scratch else int(place.name[-10:]))
            assert model.files == make(model.step).model
    finally:
        shutil.rmtree(scratch)


def untouched(original, scratch, step):
    ours, theirs = checkpoint.step_path(original, step), checkpoint.step_path(scratch, step)
    return ours.is_dir() and tree(ours) == tree(theirs)


def tree(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() and not path.is_symlink() else path.is_dir()
        for path in folder.rglob("*")
    }


@settings(max_examples=200)
@given(mutations=st.lists(mutation, min_size=1, max_size=3))
def test_damage_of_any_kind_never_loads_wrong_data(run, mutations):
    check(run, mutations)


def some_mutations(n):
    rng = random.Random(0)
    for _ in range(n):
        yield [(rng.choice(KINDS), rng.choice(STEPS), rng.choice(STEPS), rng.choice(FILES), rng.randrange(2**20))]


def count_failures(run, n=80):
    failures = 0
    for mutations in some_mutations(n):
        try:
            check(run, mutations)
        except (AssertionError, ValueError, KeyError):
            failures += 1
    return failures


def test_a_reader_that_does_not_compare_hashes_loads_wrong_data(run, monkeypatch):
    def trusting(folder, prefix, found):
        for name in found.files:
            if name.rpartition("/")[0] == prefix.removesuffix("/"):
                yield name, folder.read(name.removeprefix(prefix), 1 << 20)

    assert count_failures(run) == 0
    monkeypatch.setattr(manifest, "_within", trusting)
    assert count_failures(run) > 0


def test_a_reader_that_does_not_compare_steps_loads_a_twin(run, monkeypatch):
    monkeypatch.setattr(checkpoint, "step_of", lambda name: None if name.startswith("step") else 0)
    twin = checkpoint.step_path(run / "run", 300)
    with pytest.raises(AssertionError):
        assert equal(checkpoint.read(twin.rename(twin.with_name("step-0000000900"))), make(900))
    twin.with_name("step-0000000900").rename(twin)


@pytest.mark.parametrize("name", [*FILES, "model/manifest.json"])
def test_a_file_cut_at_any_place_or_with_any_byte_changed_is_damage(run, name):
    path = checkpoint.step_path(run / "run", 200)
    good = (path / name).read_bytes()
    rng = random.Random(name)
    try:
        for i in range(len(good)):
            for bad in (good[:i], good[:i] + bytes([good[i] ^ (1 << rng.randrange(8))]) + good[i + 1 :]):
                (path / name).write_bytes(bad)
                with pytest.raises(DamagedError):
                    checkpoint.check(path)
    finally:
        (path / name).write_bytes(good)
