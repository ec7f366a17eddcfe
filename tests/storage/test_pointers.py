import json
import math
import os

import pytest
from storage_fakes import Recorder, make

from trainer_cli import manifest, storage
from trainer_cli.checkpoint import Checkpoint, read, save, step_path
from trainer_cli.pointers import refresh


def best_of(folder):
    return json.loads((folder / "best.json").read_bytes())


def test_the_pointers_say_what_the_state_says(tmp_path):
    for step in (100, 200):
        save(tmp_path, make(step, best=100))
    refresh(tmp_path, read(step_path(tmp_path, 200)).state)
    seal = manifest.load(step_path(tmp_path, 100))[0].seal
    assert best_of(tmp_path) == {"step": 100, "score": 0.1, "manifest_sha256": seal}
    assert os.readlink(tmp_path / "model-best") == "checkpoints/step-0000000100/model"
    assert os.readlink(tmp_path / "model-last") == "checkpoints/step-0000000200/model"
    assert (tmp_path / "model-best" / "meta.json").is_file()


def test_without_a_best_there_is_only_the_last(tmp_path):
    save(tmp_path, make(100))
    refresh(tmp_path, {"step": 100, "best": None})
    assert sorted(os.listdir(tmp_path)) == ["checkpoints", "model-last"]


@pytest.mark.parametrize("wrong", [b"", b'{"step": 300}', b"\xff", None])
def test_a_wrong_or_missing_best_json_is_made_anew(tmp_path, wrong):
    state = read(save(tmp_path, make(100, best=100))).state
    refresh(tmp_path, state)
    good = (tmp_path / "best.json").read_bytes()
    (tmp_path / "best.json").unlink() if wrong is None else (tmp_path / "best.json").write_bytes(wrong)
    refresh(tmp_path, state)
    assert (tmp_path / "best.json").read_bytes() == good


def test_what_is_right_already_is_not_written_again(tmp_path, monkeypatch):
    state = read(save(tmp_path, make(100, best=100))).state
    refresh(tmp_path, state)
    disk = Recorder()
    monkeypatch.setattr(storage, "os", disk)
    refresh(tmp_path, state)
    assert disk.log == []


def test_a_best_json_that_is_a_link_is_replaced_not_followed(tmp_path):
    state = read(save(tmp_path, make(100, best=100))).state
    (tmp_path / "outside").write_bytes(b"precious")
    (tmp_path / "best.json").symlink_to("outside")
    refresh(tmp_path, state)
    assert (tmp_path / "outside").read_bytes() == b"precious"
    assert best_of(tmp_path)["step"] == 100


def test_a_best_whose_checkpoint_is_gone_keeps_its_score(tmp_path):
    save(tmp_path, make(200, best=100))
    refresh(tmp_path, read(step_path(tmp_path, 200)).state)
    assert best_of(tmp_path) == {"step": 100, "score": 0.1, "manifest_sha256": None}


def test_an_infinite_score_is_a_text_since_json_has_no_number_for_it(tmp_path):
    save(tmp_path, Checkpoint(1, {}, {}, {"best": {"step": 1, "score": -math.inf}}))
    refresh(tmp_path, {"step": 1, "best": {"step": 1, "score": -math.inf}})
    assert best_of(tmp_path)["score"] == "-inf"
