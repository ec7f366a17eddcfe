"""Mistakes of different kinds in one config come in one go, each at its line."""

import pytest
from commands import call
from run_fakes import ADAM, CONFIG

PLAIN = CONFIG.replace("{folder}/", "").format(optimizer=ADAM)


def said(folder, *changes, code=2, command="debug-config"):
    """The lines on stderr after `changes` to the config, each an old and a new text."""
    text = PLAIN
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "run.cfg").write_text(text)
    more = ("--output", "run") if command == "train" else ()
    return call(command, "run.cfg", *more, code=code).stderr.splitlines()


@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_a_wrong_value_does_not_hide_missing_files(folder, command):
    wrong = (("L2 = 0.01", "L2 = much"), ('"train.csv"', '"nowhere.csv"'), ('"dev.csv"', '"nix.csv"'))
    assert said(folder, *wrong, command=command) == [
        "run.cfg:7: data.train.path: no file is there: nowhere.csv",
        "run.cfg:11: data.dev.path: no file is there: nix.csv",
        'run.cfg:35: optimizer.L2: expected a number or a Schedule, got the text "much"',
    ]


@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_columns_kinds_and_a_loss_that_does_not_fit_are_told_together(folder, command):
    features = '[features]\n@encoders = "columns.v1"\ncolumns = ["a", "c"]\n\n[target]'
    wrong = (
        ("[target]", features),
        ('column = "label"', 'column = "lable"'),
        ('"Softmax.v1"', '"Relu.v1"'),
        ('"accuracy.v1"', '"accuracy.v1"\n\n[metrics.mean]\n@metrics = "accuracy.v1"'),
        ('"labels.v1"', '"numbers.v1"'),
    )
    lines = said(folder, *wrong, command=command)
    assert [line.split(": ")[:2] for line in lines] == [
        ["run.cfg:15", "features.columns"],
        ["run.cfg:19", "target.column"],
        ["run.cfg:33", "loss"],
        ["run.cfg:33", "loss"],
        ["run.cfg:55", "metrics.accuracy"],
        ["run.cfg:58", "metrics.mean"],
    ]


def test_a_section_of_test_data_is_none_that_is_read(folder):
    (line,) = said(folder, ("[target]", '[data.test]\n@readers = "csv.v1"\npath = "dev.csv"\n\n[target]'))
    assert line == (
        "run.cfg:13: data.test: [data] has no test. It can have train, dev or split (trainer evaluate takes other data)"
    )


@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_what_several_constructors_refuse_comes_in_one_go(folder, command):
    wrong = (
        ('"train.csv"', '"nowhere.csv"'),
        ("dropout = 0.2", "dropout = 1.5"),
        ('"Softmax.v1"', '"Softmax.v1"\nnO = 0'),
        ('"CategoricalCrossentropy.v4"', '"CategoricalCrossentropy.v4"\nlabel_smoothing = 1.5'),
        ("L2 = 0.01", "beta1 = 2.0"),
        ("compound = 1.03", "compound = -1"),
    )
    lines = said(folder, *wrong, command=command)
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "data.train.path",
        "model.*.hidden.dropout",
        "model.*.output.nO",
        "loss.label_smoothing",
        "optimizer.beta1",
        "batch_size.compound",
    ]


def test_what_a_constructor_of_ones_own_raises_has_the_line_of_the_code(folder):
    lines = [
        "from trainer_cli.api import registry",
        "",
        '@registry.metrics("own.v1")',
        "def own():",
        "    return 1 / 0",
    ]
    (folder / "own.py").write_text("\n".join(lines))
    (folder / "run.cfg").write_text(PLAIN.replace('"accuracy.v1"', '"own.v1"'))
    said = call("debug-config", "run.cfg", "--code", "own.py", code=2).stderr
    assert said.startswith("own.py:5: ZeroDivisionError: division by zero (run.cfg:51: metrics.accuracy)")
