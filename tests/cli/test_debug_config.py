import re

import pytest
from commands import call

LAYER = """
import numpy as np
from trainer_cli.api import Model, registry


@registry.layers("Odd.v1")
def Odd():
    def forward(model, X, is_train):
        def backprop(dY):
            {backprop}

        return X, backprop

    return Model("odd", forward)
"""


def config_with(folder, old, new):
    text = (folder / "run.cfg").read_text()
    assert old in text
    (folder / "run.cfg").write_text(text.replace(old, new))


def test_everything_a_config_comes_to_is_shown(folder):
    shown = call("debug-config", "run.cfg").stdout
    for part in (
        "eval_batch_size = 1024",
        '@encoders = "columns.v1"',
        "Data (23 training rows)",
        "Model (37 parameters)",
        "hidden.norm",
        "warmup_linear(",
        "compounding(",
        "its loss is 0.6931",
        "run.cfg: the config is valid",
    ):
        assert part in shown, part


def test_functions_and_variables_are_shown_when_asked_for(folder):
    plain = call("debug-config", "run.cfg").stdout
    shown = call(
        "debug-config",
        "run.cfg",
        "-F",
        "-V",
        "--system.seed",
        "3",
        env={"TRAINER_CONFIG_OVERRIDES": "--optimizer.L2 0.5"},
    )
    assert "layers/relu.py:" in shown.stdout
    assert "layers/relu.py:" not in plain
    lines = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if line.strip()}
    assert lines["system.seed"][1:] == ["3", "command", "line"]
    assert lines["optimizer.L2"][1:] == ["0.5", "environment"]
    assert lines["optimizer.eps"][1:] == ["1e-08", "default"]
    line = (folder / "run.cfg").read_text().splitlines().index("patience = 1000") + 1
    assert lines["training.patience"][1:] == ["1000", f"run.cfg:{line}"]


def test_nothing_is_written(folder):
    before = sorted(folder.rglob("*"))
    call("debug-config", "run.cfg", "-F", "-V")
    assert sorted(folder.rglob("*")) == before


def test_it_reads_standard_input_and_overrides(folder):
    text = (folder / "run.cfg").read_text()
    assert "Model (72 parameters)" in call("debug-config", "-", "--model.hidden.nO=10", input=text).stdout
    assert "max_steps" in call("debug-config", "run.cfg", "--training.max_steps=many", code=2).stderr


def test_several_mistakes_are_told_at_once(folder):
    text = (folder / "run.cfg").read_text()
    text = text.replace("nO = 5", "n0 = 5").replace("L2 = 0.01", "L2 = x").replace("eval_frequency = 7", "beat = 7")
    (folder / "run.cfg").write_text(text)
    lines = call("debug-config", "run.cfg", code=2).stderr.splitlines()
    assert len(lines) == 3
    places = [int(line.split(":")[1]) for line in lines]
    written = text.splitlines()
    assert [written[place - 1] for place in places] == ["n0 = 5", "L2 = x", "beat = 7"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a,b,label\n1,2,no\n1,x,no\n", r'dev\.csv:3: b: expected a number, got "x"'),
        ("a,b,label\n1,2,never\n", r'dev\.csv:2: label: the label "never" is not in the training data'),
        ("a,label\n1,no\n", r'run\.cfg:9: data\.dev: the dev data have no column "b"\. Their columns are "a", "label"'),
        ("a,b,label\n", r"dev\.csv:1: the file has a header but no rows"),
        (None, r"run\.cfg:11: data\.dev\.path: no file is there"),
    ],
)
def test_the_first_rows_of_dev_data_must_fit(folder, data, said):
    (folder / "dev.csv").unlink()
    if data is not None:
        (folder / "dev.csv").write_text(data)
    assert re.search(said, call("debug-config", "run.cfg", code=2).stderr)


@pytest.mark.parametrize(
    ("backprop", "said"),
    [
        ("return dY.sum(", r"^odd\.py:\d+: SyntaxError"),
        ("raise ValueError('no way back')", r"^odd\.py:10: ValueError: no way back"),
        ("return dY[:1]", r"^run\.cfg:26: model\.\*\.odd: the gradient of its input, .* must have the shape \(3, 5\)"),
        ("return np.full_like(dY, np.nan)", r"^run\.cfg:\d+: loss: the first batch gives a loss of 0\.69\d* and"),
    ],
)
def test_one_batch_goes_back_as_well(folder, backprop, said):
    """A layer whose way back is wrong alone: its outputs are as they should be."""
    (folder / "odd.py").write_text(LAYER.format(backprop=backprop))
    config_with(folder, "[model.*.output]", '[model.*.odd]\n@layers = "Odd.v1"\n\n[model.*.output]')
    stderr = call("debug-config", "run.cfg", "--code", "odd.py", code=2).stderr
    assert re.search(said, stderr), stderr
