import errno
import math
import os
from contextlib import suppress

import numpy as np
import pytest
from storage_fakes import ERRNOS, Disk, Faulty, Short, equal, is_the_one, make, play

from trainer_cli import checkpoint, json_text, manifest, storage
from trainer_cli.checkpoint import Checkpoint, newest, pack, read, save, step_folder, steps
from trainer_cli.errors import DamagedError, ModelFileError, StorageError
from trainer_cli.lock import Lock


def test_a_checkpoint_comes_back_to_the_bit(tmp_path):
    saved = make(1200, best=1000)
    path = save(tmp_path, saved)
    assert path == tmp_path / "checkpoints" / "step-0000001200"
    assert equal(read(path), saved)
    assert sorted(os.listdir(path)) == ["manifest.json", "model", "optimizer.safetensors", "state.json"]
    assert sorted(os.listdir(path / "model")) == ["config.cfg", "manifest.json", "meta.json", "params.safetensors"]


def test_a_state_keeps_numbers_that_are_not_finite_and_long_integers(tmp_path):
    state = {"loss": math.inf, "rate": 5e-324, "rng": 2**127 + 1, "none": None, "scores": [{"f": -0.0}], "text": "nan"}
    found = read(save(tmp_path, Checkpoint(0, {}, {}, state))).state
    assert found == {**state, "step": 0}
    assert math.copysign(1, found["scores"][0]["f"]) == -1


def test_the_model_folder_stands_alone_with_its_own_manifest(tmp_path):
    saved = make(5)
    path = save(tmp_path, saved)
    found, files = manifest.load(path / "model")
    assert files == saved.model
    assert found.step is None


def test_the_outer_manifest_holds_the_inner_one(tmp_path):
    path = save(tmp_path, make(5))
    assert "model/manifest.json" in manifest.load(path)[0].files


def test_saving_a_step_again_replaces_it_and_leaves_nothing_behind(tmp_path):
    save(tmp_path, make(5, version=1))
    path = save(tmp_path, make(5, version=2))
    assert read(path).state["version"] == 2
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    "bad",
    [
        Checkpoint(1, {"code.py": b""}, {}, {}),
        Checkpoint(1, {"../params.safetensors": b""}, {}, {}),
        Checkpoint(1, {}, {}, {"format": 1}),
        Checkpoint(1, {}, {}, {"step": 2}),
    ],
)
def test_a_checkpoint_that_breaks_the_layout_is_our_own_mistake(tmp_path, bad):
    with pytest.raises(AssertionError):
        save(tmp_path, bad)
    assert steps(tmp_path) == []


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").symlink_to("../elsewhere")
    with pytest.raises(StorageError, match="is a link"):
        save(tmp_path / "run", make(1))
    with pytest.raises(ModelFileError, match="is a link"):
        newest(tmp_path / "run")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_order_comes_from_the_step_never_from_time(tmp_path):
    for step in (300, 100, 200):
        os.utime(save(tmp_path, make(step)), (step % 299, step % 299))
    (tmp_path / "checkpoints" / "step-99999").mkdir()  # not a name of ours
    (tmp_path / "checkpoints" / "step-0000000400.bak").mkdir()
    assert steps(tmp_path) == [300, 200, 100]
    assert newest(tmp_path).checkpoint.step == 300


def test_without_checkpoints_there_is_no_newest(tmp_path):
    assert newest(tmp_path) == checkpoint.Found(None, ())


def spoil(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_newest_is_skipped_with_the_reason_and_renamed_only_under_the_lock(tmp_path):
    for step in (100, 200, 300):
        save(tmp_path, make(step))
    spoil(step_folder(tmp_path, 300) / "optimizer.safetensors")
    (step_folder(tmp_path, 200) / "state.json").unlink()
    before = sorted(os.listdir(tmp_path / "checkpoints"))
    found = newest(tmp_path)
    assert found.checkpoint.step == 100
    assert sorted(os.listdir(tmp_path / "checkpoints")) == before
    assert "skipped step-0000000300" in found.skipped[0]
    assert "optimizer.safetensors" in found.skipped[0]
    assert "state.json" in found.skipped[1]
    with Lock(tmp_path) as lock:
        assert newest(tmp_path, lock).skipped == found.skipped
    assert sorted(os.listdir(tmp_path / "checkpoints")) == [
        ".bad-step-0000000200-1",
        ".bad-step-0000000300-1",
        "step-0000000100",
    ]
    assert newest(tmp_path).skipped == ()


def test_when_none_is_whole_nothing_is_renamed_and_the_error_says_why(tmp_path):
    spoil(save(tmp_path, make(100)) / "state.json")
    with Lock(tmp_path) as lock, pytest.raises(ModelFileError, match=r"no checkpoint is whole(.|\n)*state\.json"):
        newest(tmp_path, lock)
    assert steps(tmp_path) == [100]


def rewrite(path, name, change):
    """Change a file of a checkpoint and give it a manifest that fits, as somebody would who knows the format."""
    found, files = manifest.load(path)
    files[name] = change(files[name])
    (path / name).write_bytes(files[name])
    (path / "manifest.json").write_bytes(manifest.make(files, found.step))


def test_a_newer_format_stops_the_search_instead_of_falling_back(tmp_path):
    save(tmp_path, make(100))
    rewrite(save(tmp_path, make(200)), "state.json", lambda data: data.replace(b'"format": 1', b'"format": 2'))
    with Lock(tmp_path) as lock, pytest.raises(ModelFileError, match="format 2; this version reads up to 1"):
        newest(tmp_path, lock)
    assert steps(tmp_path) == [200, 100]


def test_no_permission_stops_the_search_instead_of_falling_back(tmp_path, monkeypatch):
    save(tmp_path, make(100))

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(checkpoint, "Folder", lambda path: manifest.Folder(path))
    monkeypatch.setattr("trainer_cli.folder.os.open", refuse)
    with pytest.raises(ModelFileError, match="Permission denied") as caught:
        newest(tmp_path)
    assert not isinstance(caught.value, DamagedError)


@pytest.mark.parametrize(
    "state",
    [
        b"[]",
        b"1",
        b'{"format": 1}',
        b'{"format": 1, "step": "0x1.8p+1"}',
        b'{"format": 1, "step": 101}',
        b'{"format": 1, "step": 100, "step": 100}',
        b'{"format": 1, "step": 100, "best": 3}',
        b'{"format": 1, "step": 100, "best": {"step": "../.."}}',
        b'{"format": 1, "step": 100, "best": {"step": 3}}',
        b'{"format": 1, "step": 100, "x": "0x1.0p+9999"}',
        b'{"format": 1, "step": 100, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"format": 1, "step": 100, "x": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_state_that_makes_no_sense_is_damage_even_under_a_manifest_that_fits(tmp_path, state):
    path = save(tmp_path, make(100))
    rewrite(path, "state.json", lambda _: state)
    for look in (read, checkpoint.check):
        with pytest.raises(DamagedError):
            look(path)


def test_a_folder_of_another_step_is_damage(tmp_path):
    path = save(tmp_path, make(100))
    os.rename(path, step_folder(tmp_path, 900))
    with pytest.raises(DamagedError, match="different steps"):
        read(step_folder(tmp_path, 900))
    os.rename(step_folder(tmp_path, 900), tmp_path / "copy")  # a name that says nothing is fine
    assert read(tmp_path / "copy").step == 100


def test_a_model_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(DamagedError, match="does not list"):
        read(save(tmp_path, make(100)) / "model")


def test_short_writes_do_not_harm_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "os", Short())
    assert equal(read(save(tmp_path, make(100))), make(100))


def test_what_was_written_is_read_back_and_a_liar_is_found_out(tmp_path, monkeypatch):
    save(tmp_path, make(100, version=1))

    class Liar(Disk):
        def call(self, name, *args):
            return len(args[1]) if name == "write" else super().call(name, *args)

    for step in (100, 200):
        monkeypatch.setattr(storage, "os", Liar())
        with pytest.raises(StorageError, match="could not be read back"):
            save(tmp_path, make(step, version=2))
        monkeypatch.setattr(storage, "os", Disk())
        assert newest(tmp_path).checkpoint.state["version"] == 1


def test_without_the_reading_back_the_liar_would_be_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "check", lambda path: {})
    monkeypatch.setattr(storage, "write_all", lambda fd, data: None)
    with pytest.raises(DamagedError):
        read(save(tmp_path, make(100)))


@pytest.mark.parametrize("persistent", [False, True])
def test_whatever_call_fails_the_last_good_checkpoint_loads_and_a_later_try_works(tmp_path, monkeypatch, persistent):
    n_faults = 0
    for i, code in enumerate(ERRNOS):
        for at in range(1 + i, 1000, len(ERRNOS)):
            run_dir = tmp_path / f"{code}-{at}"
            run_dir.mkdir()
            monkeypatch.setattr(storage, "os", Disk())
            done = []
            disk = Faulty(at, code, persistent)
            monkeypatch.setattr(storage, "os", disk)
            with suppress(StorageError):
                play(run_dir, done.append)
            if disk.n_calls < at:
                break
            n_faults += 1
            monkeypatch.setattr(storage, "os", Disk())
            assert_acknowledged(run_dir, done)
            save(run_dir, make(200, version=9))  # in the same process, without any tidying up
            assert newest(run_dir).checkpoint.state["version"] == 9
    assert n_faults > 150


def assert_acknowledged(run_dir, done):
    found = newest(run_dir).checkpoint
    if done:
        assert is_the_one(found)
        assert found.state["version"] >= done[-1]


def test_a_save_that_deletes_first_loses_the_last_good_one(tmp_path, monkeypatch):
    save(tmp_path, make(100))
    path = step_folder(tmp_path, 100)
    monkeypatch.setattr(storage, "os", Faulty(20, errno.ENOSPC))
    storage.remove_folder(path, checkpoint.FILES)
    with pytest.raises(StorageError):
        save(tmp_path, make(200))
    assert newest(tmp_path).checkpoint is None


def test_a_save_of_arrays_does_not_keep_them(tmp_path):
    arrays = {"m": np.zeros(3)}
    path = save(tmp_path, Checkpoint(1, {}, arrays, {}))
    arrays["m"][0] = 1
    assert read(path).optimizer["m"][0] == 0


def test_the_files_of_a_checkpoint_are_all_known_by_name():
    full = Checkpoint(1, dict.fromkeys(checkpoint.MODEL_FILES, b""), {}, {})
    assert set(pack(full)) == set(checkpoint.FILES)
    assert json_text.loads(pack(full)["state.json"]) == {"format": 1, "step": 1}
