import os
import shutil
from contextlib import suppress

import pytest
from storage_fakes import Faulty, make

from trainer_cli import checkpoint, lookup, pointers, storage
from trainer_cli.checkpoint import save, step_path
from trainer_cli.errors import ModelFileError, StorageError
from trainer_cli.lookup import find


@pytest.fixture
def run(tmp_path):
    """A run of three checkpoints whose second is the best."""
    folder = tmp_path / "run"
    for step, best in ((100, 100), (200, 200), (300, 200)):
        saved = make(step, best)
        save(folder, saved)
        pointers.refresh(folder, {**saved.state, "step": step})
    return folder


def spoil(folder, name="params.safetensors"):
    (folder / "model" / name).write_bytes(b"spoilt")


def is_step(found, step):
    assert (found.step, dict(found.files)) == (step, make(step).model)
    return True


def test_a_run_directory_means_its_best(run):
    found = find(run)
    assert is_step(found, 200)
    assert found.run_dir == run
    assert found.folder == step_path(run, 200) / "model"


def test_a_checkpoint_its_model_folder_and_the_links_mean_themselves(run):
    assert is_step(find(step_path(run, 100)), 100)
    assert is_step(find(step_path(run, 300) / "model"), 300)
    assert is_step(find(run / "model-last"), 300)
    assert is_step(find(run / "model-best"), 200)
    assert find(run / "model-best").run_dir == run


def test_a_model_folder_copied_elsewhere_stands_alone(run, tmp_path):
    shutil.copytree(step_path(run, 100) / "model", tmp_path / "mine")
    found = find(tmp_path / "mine")
    assert found.files == make(100).model
    assert (found.step, found.run_dir) == (None, None)


def test_a_checkpoint_copied_elsewhere_is_still_one(run, tmp_path):
    shutil.copytree(step_path(run, 100), tmp_path / "mine")
    assert is_step(find(tmp_path / "mine"), 100)
    assert find(tmp_path / "mine").run_dir is None


def test_a_run_without_a_best_means_its_newest(tmp_path):
    for step in (100, 200):
        save(tmp_path, make(step))
    assert is_step(find(tmp_path), 200)


def test_a_damaged_one_is_an_error_that_names_the_whole_ones_never_another_model(run):
    spoil(step_path(run, 200))
    for path in (run, run / "model-best", step_path(run, 200), step_path(run, 200) / "model"):
        with pytest.raises(ModelFileError) as caught:
            find(path)
        assert f"These are whole: {step_path(run, 300)}, {step_path(run, 100)}" in str(caught.value)
        assert "params.safetensors" in str(caught.value)
        assert caught.value.exit_code == 2


def test_with_a_damaged_newest_the_best_of_the_run_is_not_known(run):
    spoil(step_path(run, 300))
    with pytest.raises(ModelFileError, match="step-0000000200"):
        find(run)
    assert is_step(find(run / "model-best"), 200)


def test_a_look_up_that_took_the_pointer_instead_would_answer_from_an_older_best(run, monkeypatch):
    save(run, make(400, best=400))  # killed before the pointers were made
    assert is_step(find(run / "model-best"), 200)
    assert is_step(find(run), 400)


def test_looking_up_writes_nothing(run):
    spoil(step_path(run, 300))
    before = sorted(str(path) for path in run.rglob("*"))
    for path in (run, step_path(run, 100), run / "model-best"):
        try:
            find(path)
        except ModelFileError:
            continue
    assert sorted(str(path) for path in run.rglob("*")) == before


def test_what_is_no_model_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "empty" / "checkpoints").mkdir(parents=True)
    for name in ("missing", "loop"):
        with pytest.raises(ModelFileError, match="there is no such model"):
            find(tmp_path / name)
    for name in ("file", "folder"):
        with pytest.raises(ModelFileError, match="is no run directory, checkpoint or model folder"):
            find(tmp_path / name)
    with pytest.raises(ModelFileError, match="has no checkpoint yet"):
        find(tmp_path / "empty")


def test_links_inside_a_folder_are_refused(run, tmp_path):
    model = step_path(run, 100) / "model"
    shutil.copytree(model, tmp_path / "mine")
    (tmp_path / "mine" / "meta.json").unlink()
    (tmp_path / "mine" / "meta.json").symlink_to(model / "meta.json")
    with pytest.raises(ModelFileError, match="is a link"):
        find(tmp_path / "mine")
    model.rename(tmp_path / "moved")
    model.symlink_to(tmp_path / "moved")
    with pytest.raises(ModelFileError):
        find(step_path(run, 100))


def test_a_best_that_is_gone_is_an_error_that_names_the_whole_ones(run):
    shutil.rmtree(step_path(run, 200))
    with pytest.raises(ModelFileError, match=r"step-0000000200(.|\n)*These are whole: .*step-0000000300"):
        find(run)


def test_a_run_that_goes_on_meanwhile_is_asked_again(run, monkeypatch):
    real = checkpoint.read_model

    def pruned_in_between(path):
        monkeypatch.setattr(checkpoint, "read_model", real)
        save(run, make(400, best=400))
        shutil.rmtree(step_path(run, 200))
        return real(path)

    monkeypatch.setattr(checkpoint, "read_model", pruned_in_between)
    assert is_step(find(run), 400)


def test_a_checkpoint_that_is_just_being_replaced_is_found(run, monkeypatch):
    for at in range(1, 60):
        monkeypatch.setattr(storage, "os", Faulty(at, 28, persistent=True))
        with suppress(StorageError):
            save(run, make(300, best=200))
        assert is_step(find(run), 200)
        assert is_step(lookup._best(run), 200)
    assert os.path.lexists(run)
