import inspect as source
import re

import pytest
from commands import call

from trainer_cli import inspection
from trainer_cli.layers import Relu
from trainer_cli.schedules import compounding

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
        (
            "return np.full_like(dY, 3e38) * 10",
            r"^run\.cfg:\d+: loss: the first batch gives .* not finite$",
        ),
        ("return np.full_like(dY, np.nan)", r"^run\.cfg:\d+: loss: the first batch gives a loss of 0\.69\d* and"),
    ],
)
def test_one_batch_goes_back_as_well(folder, backprop, said):
    """A layer whose way back is wrong alone: its outputs are as they should be."""
    (folder / "odd.py").write_text(LAYER.format(backprop=backprop))
    config_with(folder, "[model.*.output]", '[model.*.odd]\n@layers = "Odd.v1"\n\n[model.*.output]')
    stderr = call("debug-config", "run.cfg", "--code", "odd.py", code=2).stderr
    assert re.search(said, stderr), stderr


METRIC = """
from trainer_cli.api import registry


@registry.metrics("picky.v1")
class Picky:
    higher_is_better = True

    def update(self, probabilities, truths, weights=None):
        if len(truths) == 12:
            raise ValueError("twelve rows")

    def merge(self, other):
        pass

    def result(self):
        return 1.0
"""


def test_dev_rows_go_through_every_metric_as_well(folder):
    (folder / "picky.py").write_text(METRIC)
    config_with(folder, "[training]\n", '[metrics.picky]\n@metrics = "picky.v1"\n\n[training]\n')
    said = call("debug-config", "run.cfg", "--code", "picky.py", code=2).stderr
    assert "picky.py:11: ValueError: twelve rows (run.cfg:54: metrics.picky" in said


def test_a_score_that_no_metric_gives_is_refused(folder):
    said = call("debug-config", "run.cfg", "--training.monitor", "accuracy_macro", code=2).stderr
    assert said.startswith("command line: --training.monitor: no metric gives a score called 'accuracy_macro'")


def test_schedules_are_shown_at_their_first_steps_and_far_ahead(folder):
    shown = call("debug-config", "run.cfg").stdout
    sizes = compounding(3.3, 9.0, 1.03)
    steps = (0, 1, 2, 10, 100, 1000, 10_000)
    assert "  " + ", ".join(f"step {step:,}: {sizes(step):.4g}" for step in steps) in shown


def test_each_function_is_shown_with_the_line_of_its_definition(folder):
    shown = call("debug-config", "run.cfg", "-F").stdout
    lines, first = source.getsourcelines(Relu)
    where = first + next(n for n, line in enumerate(lines) if line.startswith("def "))
    assert re.search(rf"layers/relu\.py:({first}|{where})\b", shown)
    assert re.search(r"features +@encoders +columns\.v1 +\S+/encoders/columns\.py:\d+", shown)


def test_variables_are_shown_with_what_they_stand_for(folder):
    text = (folder / "run.cfg").read_text().replace(f'"{folder}/train.csv"', "${paths.train}")
    (folder / "run.cfg").write_text(f'[paths]\ntrain = "train.csv"\n\n{text}')
    shown = call("debug-config", "run.cfg", "-V").stdout
    assert re.search(r'Variables \(1\)\n(.*\n)+? *paths\.train +"train\.csv"', shown)
    assert re.search(r'features\.@encoders +"columns\.v1" +default', shown)
    assert re.search(r"training\.monitor +null +default", shown)


def test_of_a_large_file_the_first_rows_are_looked_at(folder, monkeypatch):
    monkeypatch.setattr(inspection, "WHOLE_BYTES", 10)
    monkeypatch.setattr(inspection, "FIRST_ROWS", 1)
    assert "Data (at least 23 training rows)" in call("debug-config", "run.cfg").stdout
    (folder / "train.csv").write_text("a,b,label\n1,2,no\n")  # of one class, as far as was looked
    said = call("debug-config", "run.cfg", code=2).stderr
    assert "there is nothing to tell apart" not in said


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            ("--optimizer.learn_rate", "[0.1, -0.1]"),
            r"learn_rate must be a finite number of at least 0, got -0\.1, at step 1",
        ),
        (
            ("--optimizer.learn_rate", '{"@schedules": "slanted_triangular.v1", "max_rate": 0.1, "num_steps": 20}'),
            r"learn_rate must be a finite number of at least 0, got -\S+, at step 2\d of slanted_triangular",
        ),
        (
            ("--model.hidden.dropout", '{"@schedules": "compounding.v1", "start": 0.1, "stop": 2.0, "compound": 2.0}'),
            r"dropout must be at least 0 and below 1, got 1\.6, at step 4",
        ),
        (
            ("--batch_size.stop", "0.25", "--batch_size.compound", "0.9"),
            r"batch_size must be at least 1, got 0\.\d+, at step",
        ),
        (
            ("--training.accumulate_gradient.schedule", "0"),
            r"accumulate_gradient must be at least 1, got 0, at step 31",
        ),
        (("--training.accumulate_gradient", "[1, -3]"), r"accumulate_gradient must be at least 1, got -3, at step 1"),
        (("--training.accumulate_gradient", "2.5"), r"expected a whole number or a Schedule, got 2\.5"),
        (("--training.accumulate_gradient", "0"), r"must be 1 or more, got 0"),
    ],
)
@pytest.mark.parametrize("command", ["debug-config", "train"])
def test_a_schedule_that_leaves_its_range_is_refused_before_the_run(folder, command, override, said):
    more = ("--output", "run") if command == "train" else ()
    stderr = call(command, "run.cfg", *override, *more, code=2).stderr
    assert re.match(rf"^(command line: --|run\.cfg:\d+: )\S+: {said}", stderr), stderr


def test_beyond_the_end_of_the_run_a_schedule_may_give_what_it_likes(folder):
    rate = '{"@schedules": "slanted_triangular.v1", "max_rate": 0.1, "num_steps": 20}'
    call("train", "run.cfg", "--output", "run", "--training.max_steps", "20", "--optimizer.learn_rate", rate)


def test_settings_that_would_do_nothing_are_refused(folder):
    said = call("debug-config", "run.cfg", "--training.dropout", "0.5", code=2).stderr
    assert "no layer of the model takes its dropout from here" in said
    both = ("--training.monitor", "loss", "--training.score_weights", '{"accuracy": 1.0}')
    assert "there are score_weights as well: keep one of them" in call("debug-config", "run.cfg", *both, code=2).stderr


@pytest.mark.parametrize(("n_steps", "said"), [(1000, True), (105, False), (100_000, True)])
def test_a_rate_that_is_zero_for_the_most_part_is_told_of(folder, n_steps, said):
    shown = call("debug-config", "run.cfg", "--training.max_steps", n_steps).stdout
    assert (f"It is 0 from step 100 on: the rest of {n_steps:,} steps changes nothing." in shown) is said


def test_a_wrong_target_is_told_once_and_the_split_by_its_classes_is_not_blamed(folder):
    call("init-config", "train.csv", "--output", "own.cfg")
    said = call("debug-config", "own.cfg", "--target.column", "klass", code=2).stderr
    assert said.startswith('command line: --target.column: no column is called "klass"')
    assert len(said.splitlines()) == 1


# What both configs end in.
PARTS = """
[loss]
@losses = "CategoricalCrossentropy.v4"

[optimizer]
@optimizers = "Adam.v1"

[metrics.accuracy]
@metrics = "accuracy.v1"

[training]
max_steps = 2
"""

TEXTS = """
[data.train]
@readers = "auto.v1"
path = "texts.csv"
limit = null

[data.split]
@splits = "random.v1"
dev = 0.5

[features]
@encoders = "text.v1"
column = "text"
weights = "tfidf"

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "text_bow.v1"
"""

TAGS = """
[data.train]
@readers = "conll.v1"
path = "tags.conll"

[data.dev]
@readers = "conll.v1"
path = "tags.conll"

[features]
@encoders = "tokens.v1"
column = "token"

[target]
@encoders = "tags.v1"
column = "tag"

[model]
@layers = "tagger.v1"
rows = [10, 10, 10, 10]
"""


@pytest.fixture
def texts(folder):
    rows = "".join(f"a text of some words that says nothing at all;{'ab'[i % 2]}\n" for i in range(40))
    (folder / "texts.csv").write_text(f"text;label\n{rows}")
    (folder / "texts.cfg").write_text(TEXTS + PARTS)


def data_of(config):
    """The lines about the data."""
    return call("debug-config", config).stdout.partition("\nData (")[2].partition("\nModel (")[0].splitlines()


def test_the_first_input_of_a_text_is_its_first_words_and_how_many_ids_it_has(texts):
    lines = data_of("texts.cfg")
    assert sum("a text of some words ... (10 ids)" in line for line in lines) == 2, lines
    assert max(map(len, lines)) <= 100
    assert 'data.train: the delimiter is ";"' in lines


def test_the_first_row_of_tagged_sentences_is_its_words_and_tags(folder):
    (folder / "tags.conll").write_text("the\tDET\ncat\tNOUN\nsleeps\tVERB\n\na\tDET\ndog\tNOUN\n")
    (folder / "tags.cfg").write_text(TAGS + PARTS)
    lines = data_of("tags.cfg")
    assert any("the cat sleeps (3 words)" in line and "DET NOUN VERB (3 tags)" in line for line in lines), lines
    assert max(map(len, lines)) <= 100


def test_of_a_reader_the_settings_that_nobody_gave_and_are_null_are_not_shown(texts, folder):
    shown = call("debug-config", "texts.cfg").stdout
    section = shown.partition("[data.train]\n")[2].partition("\n\n")[0].splitlines()
    assert section == ['@readers = "auto.v1"', 'path = "texts.csv"', "limit = null"]
    assert "\nnO = null\n" in shown
    (folder / "shown.cfg").write_text(shown.partition("filled in\n")[2].partition("\nData (")[0])
    assert call("debug-config", "shown.cfg").stdout.replace("shown.cfg", "texts.cfg") == shown


def test_a_comma_or_a_delimiter_that_is_given_is_no_news(texts, folder):
    assert "the delimiter is" not in call("debug-config", "run.cfg").stdout
    lines = call("debug-config", "texts.cfg", "--data.train.delimiter=;").stdout.splitlines()
    assert 'delimiter = ";"' in lines
    assert not any("the delimiter is" in line for line in lines)
