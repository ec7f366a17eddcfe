import numpy as np
import pytest
from commands import call, train

from trainer_cli import lookup, tensors


@pytest.fixture
def run(folder):
    train("--quiet")
    return folder / "run"


def test_the_parameters_of_a_run_are_written_as_one_file(run, folder):
    result = call("export", "run", "--format", "safetensors", "--output", "w.safetensors")
    found = tensors.from_bytes((folder / "w.safetensors").read_bytes())
    saved = tensors.from_bytes(lookup.find(run).files["params.safetensors"])
    assert (
        found.keys()
        == saved.keys()
        == {"hidden.W", "hidden.b", "hidden.norm.G", "hidden.norm.b", "output.W", "output.b"}
    )
    assert all(np.array_equal(found[name], saved[name]) for name in saved)
    n_numbers = sum(array.size for array in saved.values())
    assert result.stderr == f"w.safetensors: 6 tensors, {n_numbers} numbers\n"


def test_the_library_reads_what_was_written(run, folder):
    import safetensors.numpy

    call("export", "run/model-last", "--output", "w.safetensors", "--quiet")
    assert safetensors.numpy.load_file(folder / "w.safetensors")["hidden.W"].shape == (5, 2)


def test_what_was_written_begins_another_run(run, folder):
    call("export", "run", "--output", "w.safetensors", "--quiet")
    train("--quiet", "--training.init_from", "w.safetensors", "--optimizer.learn_rate", "0.0", output="again")
    again = tensors.from_bytes(lookup.find(folder / "again").files["params.safetensors"])
    assert again.keys() == tensors.from_bytes((folder / "w.safetensors").read_bytes()).keys()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "safetensor"], "--format is safetensors, not 'safetensor'. Did you mean safetensors?"),
        (["--output", "absent/w.safetensors"], "the folder absent is not there"),
        (["--output", "run/model-best/params.safetensors"], "the model lies in this folder"),
    ],
)
def test_what_cannot_be_written_is_told(run, words, message):
    assert message in call("export", "run", "--output", "w.safetensors", *words, code=2).stderr


def test_debug_config_looks_at_the_file(run):
    found = call("debug-config", "run.cfg", "--training.init_from", "train.csv", code=2).stderr
    assert found.startswith("--training.init_from train.csv: ") or "train.csv: a header of" in found
