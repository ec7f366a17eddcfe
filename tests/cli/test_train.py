import json
import re
import shlex
import sys

import pytest
from commands import SHORT, call, train
from run_fakes import outcome_of, rows

from trainer_cli import run
from trainer_cli.config.registry import registry


def test_help_and_version():
    assert "Usage: trainer [OPTIONS] COMMAND" in call("--help").stdout
    for command in ("train", "evaluate", "debug-config"):
        assert command in call("-h").stdout
        assert "Usage: " in call(command, "--help").stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", call("--version").stdout)


def test_a_run_prints_a_row_an_evaluation_and_a_last_line(folder):
    result = train()
    title, *table, last = result.stdout.splitlines()
    assert title.split() == ["EPOCH", "STEP", "TRAIN", "LOSS", "DEV", "LOSS", "ACCURACY", "RATE", "BATCH", "SECONDS"]
    assert [line.split()[1] for line in table] == ["7", "14"]
    assert [line.endswith("*") for line in table] == [True, False]
    score = rows(folder / "run")[0]["accuracy"]
    assert last == (
        f"Finished (max_steps) after step 14. Best accuracy {score:.4f} at step 7. Next: trainer evaluate run"
    )
    assert result.stderr == ""
    assert "\r" not in result.output


def test_quiet_shows_the_last_line_alone(folder):
    assert train("--quiet").stdout.startswith("Finished (max_steps) after step 14.")


def test_verbose_says_what_is_trained_and_what_is_saved(folder):
    said = train("--verbose").stderr.splitlines()
    assert said == [
        "23 training rows, 12 dev rows; 37 parameters; numpy, 1 thread",
        "saved step 0",
        "saved step 7",
        "saved step 14",
    ]


def test_a_config_on_standard_input(folder):
    train(output="from-file")
    text = (folder / "run.cfg").read_text()
    call("train", "-", "--output", "from-stdin", *SHORT, input=text)
    assert outcome_of(folder / "from-file") == outcome_of(folder / "from-stdin")


@pytest.mark.parametrize(
    "words",
    [
        ["--system.seed", "3"],
        ["--system.seed=3"],
        ["--system.seed", "1", "--system.seed", "3"],
    ],
)
def test_both_spellings_of_an_override(folder, words):
    train(*words)
    assert json.loads((folder / "run" / "run.json").read_text())["seed"] == 3


def test_a_bare_flag_is_true(folder):
    train("--model.hidden.normalize=false", "--optimizer.L2_is_weight_decay", "--quiet")
    text = (folder / "run" / "config.cfg").read_text()
    assert "normalize = false" in text
    assert "L2_is_weight_decay = true" in text


def test_overrides_of_the_environment_rank_below_the_command_line(folder):
    env = {"TRAINER_CONFIG_OVERRIDES": "--system.seed 5 --optimizer.L2=0.5"}
    train("--system.seed=3", env=env)
    text = (folder / "run" / "config.cfg").read_text()
    assert "seed = 3" in text
    assert "L2 = 0.5" in text


def test_overrides_may_stand_before_the_config(folder):
    call("train", "--training.max_steps", "3", "-o", "run", "run.cfg")
    assert rows(folder / "run")[-1]["step"] == 3


def test_no_color_is_respected(folder):
    assert "\x1b" not in train(env={"NO_COLOR": "1"}).output


OWN = """
from trainer_cli.api import Block, Loss, Model, registry
import numpy as np


@registry.layers("Double.v1")
def Double():
    def forward(model, X, is_train):
        return 2 * X, lambda dY: 2 * dY

    return Model("double", forward)


@registry.schedules("falling.v1")
def falling(start: float):
    while True:
        yield start
        start *= 0.9


@registry.losses("Half.v1")
class Half(Loss):
    def __call__(self, guesses, truths, weights=None):
        error = guesses - np.eye(guesses.shape[1], dtype=guesses.dtype)[truths]
        return error / len(error), float((error**2).sum() / 2 / len(error))

    def mass(self, truths, weights=None):
        return float(len(truths))


@registry.metrics("first.v1")
class First:
    higher_is_better = True

    def __init__(self):
        self.n = 0

    def update(self, probabilities, truths, weights=None):
        self.n += int((probabilities.argmax(axis=1) == truths).sum())

    def merge(self, other):
        self.n += other.n

    def result(self):
        return float(self.n)


@registry.readers("grid.v1")
class Grid:
    def __init__(self, n: int):
        self.n = n

    def columns(self):
        return ("x", "y", "label")

    def blocks(self):
        x = np.linspace(-1, 1, self.n)
        yield Block({"x": x, "y": x[::-1] ** 2, "label": ["yes" if v > 0 else "no" for v in x]})


@registry.loggers("lines.v1")
class Lines:
    def __init__(self, path: str):
        self.path = path

    def log(self, row):
        with open(self.path, "a") as file:
            file.write(f"{row['step']}\\n")

    def close(self):
        with open(self.path, "a") as file:
            file.write("end\\n")
"""

OWN_CONFIG = """
[system]
ops = "numpy"

[data.train]
@readers = "grid.v1"
n = 20

[data.dev]
@readers = "grid.v1"
n = 10

[target]
@encoders = "labels.v1"
column = "label"

[model]
@layers = "chain.v1"

[model.*.first]
@layers = "Relu.v1"
nO = 4

[model.*.double]
@layers = "Double.v1"

[model.*.output]
@layers = "Linear.v1"

[loss]
@losses = "Half.v1"

[optimizer]
@optimizers = "SGD.v1"

[optimizer.learn_rate]
@schedules = "falling.v1"
start = 0.1

[metrics.right]
@metrics = "first.v1"

[loggers.lines]
@loggers = "lines.v1"
path = "lines.txt"

[training]
max_epochs = 4
batch_size = 6
eval_frequency = 5
"""


@pytest.fixture
def own(folder, monkeypatch):
    """A config that names parts of the user's own, of every kind; they are registered for one test."""
    import catalogue

    for kind in registry.kinds.values():
        kind.names()  # built-in parts are registered for good
    monkeypatch.setattr(catalogue, "REGISTRY", dict(catalogue.REGISTRY))
    (folder / "own.py").write_text(OWN)
    (folder / "own.cfg").write_text(OWN_CONFIG)
    yield folder
    sys.modules.pop("trainer_code_own", None)


def test_parts_of_a_users_own_of_every_kind(own):
    result = call("train", "own.cfg", "-o", "run", "--code", "own.py")
    assert result.stdout.splitlines()[-1].endswith("Next: trainer evaluate run --code own.py")
    assert (own / "lines.txt").read_text().split() == ["5", "10", "15", "16", "end"]
    assert "RIGHT" in result.stdout
    assert call("evaluate", "run", "--code", "own.py", "--json").exit_code == 0
    assert call("debug-config", "own.cfg", "--code", "own.py", "-F", "-V").exit_code == 0


def test_a_file_of_code_that_was_changed_since_training_is_named(own):
    call("train", "own.cfg", "-o", "run", "--code", "own.py", "--quiet")
    # Its reader takes no file to predict on, which is told below.
    commands = {("evaluate", "run", "--json"): 0, ("predict", "run", "any.csv"): 2}
    for command, code in commands.items():
        assert "changed" not in call(*command, "--code", "own.py", code=code).stderr
    (own / "own.py").write_text(OWN + "\n# edited\n")
    for command, code in commands.items():
        told = call(*command, "--code", "own.py", code=code).stderr.splitlines()
        assert told.count("own.py: has changed since the model was trained") == 1
        assert "changed" not in call(*command, "--code", "own.py", "--quiet", code=code).stderr
    # A file that only moved is the same one.
    (own / "moved").mkdir()
    (own / "moved" / "own.py").write_text(OWN)
    assert "changed" not in call("evaluate", "run", "--json", "--code", "moved/own.py").stderr


def test_without_its_code_a_part_is_not_known(own):
    assert "no readers function is called 'grid.v1'" in call("train", "own.cfg", "-o", "run", code=2).stderr


def test_a_logger_that_fails_is_told_of_and_ends_nothing(own):
    result = call("train", "own.cfg", "-o", "run", "--code", "own.py", "--loggers.lines.path", "/nowhere/x")
    said = "[loggers.lines] gets no more rows: FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/x'\n"
    assert result.stderr == said


def test_a_mistake_in_a_users_part_is_told_with_its_line(own):
    source = OWN.replace("return 2 * X, lambda", "return X / nothing, lambda")
    (own / "own.py").write_text(source)
    line = source.splitlines().index("        return X / nothing, lambda dY: 2 * dY") + 1
    said = call("train", "own.cfg", "-o", "run", "--code", "own.py", code=2).stderr
    assert said.startswith(f"own.py:{line}: NameError: name 'nothing' is not defined. The traceback is in ")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "    higher_is_better = True\n",
            "",
            r"own\.cfg:\d+: metrics\.right: a metric needs higher_is_better, which First",
        ),
        ("float(self.n)", "'x'", r"own\.cfg:\d+: metrics\.right: the metric right must give a number, .* not 'x'"),
        ("yield start", "yield 'x'", r"schedule falling\(\) must give finite numbers, got 'x' at step 0"),
        ("yield Block({", "yield dict({", r"^own\.py:\d+: a reader's blocks\(\) must yield Block objects, not dict$"),
        ("lambda dY: 2 * dY", "None", r"^own\.cfg:\d+: model\.\*\.double: .*not a backprop None \(own\.py:\d+\)$"),
        ("(model, X, is_train)", "(model, X)", r"model\.\*\.double: forward must take .*too many .* \(own\.py:\d+\)$"),
        ("float(self.n)", "1 / 0", r"^own\.py:\d+: ZeroDivisionError: division by zero \(own\.cfg:\d+: metrics\.right"),
        ("return float(self.n)", "raise SystemExit(3)", r"^own\.py:\d+: SystemExit: 3\. The traceback is in "),
        ("** 2", "[:3]", r"the columns of a block must have the same length"),
        (
            "dY: 2 * dY",
            "dY: dY[:1]",
            r"double: the gradient of its input, .*, must have the shape \(16, 4\), got an array",
        ),
        ("dY: 2 * dY", "dY: None", r"double: the gradient of its input, .*, must have the shape \(16, 4\), got None"),
    ],
)
def test_a_part_that_gives_what_it_may_not_is_the_users_mistake(own, old, new, said):
    assert old in OWN
    (own / "own.py").write_text(OWN.replace(old, new))
    result = call("train", "own.cfg", "-o", "run", "--code", "own.py", code=2)
    assert re.search(said, result.stderr)
    assert len(result.stderr.splitlines()) == 1


def test_an_error_that_may_be_the_users_says_so(own, monkeypatch):
    def broken(self):
        raise RuntimeError("we are sorry")

    monkeypatch.setattr(run.Run, "settle", broken)
    said = call("train", "own.cfg", "-o", "run", "--code", "own.py", code=1).stderr
    assert said.startswith("trainer: an error of ours, or of own.py: RuntimeError: we are sorry")


def test_an_error_of_ours_is_one_line_and_a_file(folder, monkeypatch):
    def broken(self):
        raise RuntimeError("we are sorry")

    monkeypatch.setattr(run.Run, "settle", broken)
    result = train(code=1)
    said = re.fullmatch(
        r"trainer: an error of ours: RuntimeError: we are sorry\. The traceback is in (\S+)\n", result.stderr
    )
    with open(said[1]) as file:
        assert "RuntimeError: we are sorry" in file.read()


def edit(folder, old, new):
    text = (folder / "run.cfg").read_text()
    assert old in text
    (folder / "run.cfg").write_text(text.replace(old, new))


WRONG = {
    "unknown section": ("[loss]", "[losss]", r"run\.cfg:\d+: losss: .*Did you mean \[loss\]\?"),
    "unknown key": ("eval_frequency", "eval_frequncy", r"run\.cfg:\d+: training\.eval_frequncy: .*eval_frequency"),
    "unknown function": ("Relu.v1", "Rleu.v1", r"run\.cfg:\d+: model\.\*\.hidden\.@layers: .*Relu\.v1"),
    "unknown argument": ("nO = 5", "n0 = 5", r"run\.cfg:\d+: model\.\*\.hidden\.n0: .*nO"),
    "wrong type": ("nO = 5", 'nO = "five"', r"run\.cfg:\d+: model\.\*\.hidden\.nO: .*five"),
    "not a number": ("L2 = 0.01", "L2 = NaN", r"run\.cfg:\d+: optimizer\.L2: .*NaN"),
    "no limit": ("max_steps = 60", "", r"run\.cfg:\d+: training: needs a limit"),
    "negative": (
        "eval_frequency = 7",
        "eval_frequency = -7",
        r"run\.cfg:\d+: training\.eval_frequency: must be 1 or more",
    ),
    "no such file": ("train.csv", "trian.csv", r"run\.cfg:\d+: data\.train\.path: .*trian\.csv"),
    "no such column": ('"label"', '"lable"', r"run\.cfg:\d+: target\.column: .*label"),
    "no such score": ("patience = 1000", 'monitor = "acuracy"', r"run\.cfg:\d+: training\.monitor: .*accuracy"),
    "loss that does not fit": ("Softmax.v1", "Linear.v1", r"run\.cfg:\d+: loss: takes probabilities"),
    "contradicting size": ("[model.*.output]", "[model.*.output]\nnO = 3", r"run\.cfg:\d+: model.*3.*2"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_config_gives_one_line_and_exit_2(folder, name):
    old, new, said = WRONG[name]
    edit(folder, old, new)
    words = () if name == "no limit" else SHORT
    result = call("train", "run.cfg", "--output", "run", *words, code=2)
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert re.search(said, line)
    assert call("debug-config", "run.cfg", *words, code=2).stderr == result.stderr


DATA = {
    "a text among numbers": (5, "a,0.1,yes", r"train\.csv:5: a: "),
    "too few fields": (7, "0.1,yes", r"train\.csv:7: "),
    "not finite": (3, "nan,0.1,yes", r"train\.csv:3: a: "),
    "no label": (4, "0.1,0.1,", r"train\.csv:4: label: "),
}


@pytest.mark.parametrize("name", DATA)
def test_wrong_data_gives_its_file_and_line_and_exit_2(folder, name):
    line, text, said = DATA[name]
    lines = (folder / "train.csv").read_text().splitlines()
    lines[line - 1] = text
    (folder / "train.csv").write_text("\n".join(lines) + "\n")
    result = train("--features.@encoders=columns.v1", code=2)
    assert result.stdout == ""
    assert re.search(said, result.stderr)
    assert len(result.stderr.splitlines()) == 1


def test_a_label_that_was_never_trained_is_wrong_dev_data(folder):
    with open(folder / "dev.csv", "a") as file:
        file.write("0.5,0.5,maybe\n")
    assert re.search(r"dev\.csv:14: label: .*maybe", train(code=2).stderr)


COMMANDS = {
    "no config": (["train", "nix.cfg", "-o", "run"], "nix.cfg: cannot be read: No such file or directory"),
    "a config misspelt": (
        ["train", "rum.cfg", "-o", "run"],
        "rum.cfg: cannot be read: No such file or directory. Did you mean run.cfg?",
    ),
    "data for a config": (
        ["train", "train.csv", "-o", "run"],
        "train.csv:1: no line is a [section]; is this file a config? For a data file, trainer init-config writes one",
    ),
    "a home that no shell saw": (
        ["debug-config", "run.cfg", "--data.train.path=~/x.csv"],
        "write the whole path in the place of ~",
    ),
    "a folder for a config": (["train", ".", "-o", "run"], "cannot be read: Is a directory"),
    "no output": (["train", "run.cfg"], "Missing option '--output'"),
    "unknown option": (["train", "run.cfg", "-o", "run", "--max_steps", "3"], "No such option: --max_steps"),
    "unknown key": (["train", "run.cfg", "-o", "run", "--training.eval_freq", "3"], "eval_frequency"),
    "unknown section": (["train", "run.cfg", "-o", "run", "--trainig.max_steps", "3"], "training"),
    "wrong value": (["train", "run.cfg", "-o", "run", "--training.max_steps", "many"], "--training.max_steps"),
    "no value": (["train", "run.cfg", "-o", "run", "--training.max_steps"], "--training.max_steps"),
    "both flags": (["train", "run.cfg", "-o", "run", "--resume", "--overwrite"], "give one of them"),
    "no code": (["train", "run.cfg", "-o", "run", "--code", "nix.py"], "nix.py: there is no such file"),
    "code that is text": (["train", "run.cfg", "-o", "run", "--code", "train.csv"], "train.csv: is no Python file"),
    "code with a mistake": (["train", "run.cfg", "-o", "run", "--code", "bad.py"], "bad.py:2: ZeroDivisionError"),
    "code that is no Python": (["train", "run.cfg", "-o", "run", "--code", "syntax.py"], "syntax.py:1: SyntaxError"),
    "unknown kind of change": (["train", "run.cfg", "-o", "run", "--allow-changed", "all"], "takes one of config"),
    "no command": (["tarin"], "No such command 'tarin'"),
    "a key without its section": (
        ["train", "run.cfg", "-o", "run", "--batch-size", "3"],
        "No such option: --batch-size. Did you mean --training.batch_size?",
    ),
    "what others call it": (["train", "run.cfg", "-o", "run", "--lr=0.1"], "Did you mean --optimizer.learn_rate=0.1?"),
    "an option misspelt": (["train", "run.cfg", "-o", "run", "--overwite"], "Did you mean --overwrite?"),
    "neither option nor key": (
        ["debug-config", "run.cfg", "--nonsense"],
        "No such option: --nonsense. A setting of the config is written --section.key VALUE",
    ),
    "a setting without dashes": (
        ["train", "run.cfg", "-o", "run", "training.max_epochs=2"],
        "(training.max_epochs=2). Did you mean --training.max_epochs=2?",
    ),
    "a key that has no dot": (
        ["train", "run.cfg", "-o", "run", "dropout=0.5"],
        "(dropout=0.5). Did you mean --training.dropout=0.5?",
    ),
    "one dash": (
        ["train", "run.cfg", "-o", "run", "-training.max_epochs", "2"],
        "No such option: -t. Did you mean --training.max_epochs?",
    ),
    "a dash that is too long": (
        ["train", "run.cfg", "-o", "run", "\u2014training.max_epochs", "2"],
        "Did you mean --training.max_epochs?",
    ),
    "a setting and its value without dashes": (
        ["train", "run.cfg", "-o", "run", "training.max_epochs", "2"],
        "Did you mean --training.max_epochs?",
    ),
    "a file too many": (["schedule", "run.cfg", "pic.svg"], "Got unexpected extra argument(s) (pic.svg)"),
    "one word too many": (["train", "run.cfg", "-o", "run", "more"], "Got unexpected extra argument(s) (more)"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_command_gives_a_clear_line_and_exit_2(folder, name):
    (folder / "bad.py").write_text("x = 1\nx / 0\n")
    (folder / "syntax.py").write_text("def\n")
    words, said = COMMANDS[name]
    result = call(*words, code=2)
    assert result.stdout == ""
    assert said in result.stderr.splitlines()[-1]
    assert not (folder / "run").exists()


def test_on_windows_training_names_wsl_in_one_line(folder, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    said = train(code=2).stderr
    assert said == "trainer train needs a POSIX system: on Windows run it in WSL (wsl --install)\n"
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--batch_size 32", "--batch_size: no such option. Did you mean --training.batch_size=32?"),
        ("max_steps=3", "max_steps: expected --training.max_steps=3"),
        ("more", "more: expected --section.key VALUE"),
        ("--nonsense 3", "--nonsense: no such option. A setting of the config is written --section.key VALUE"),
    ],
)
def test_the_environment_takes_settings_with_their_section_alone(folder, words, said):
    assert train(env={"TRAINER_CONFIG_OVERRIDES": words}, code=2).stderr == f"TRAINER_CONFIG_OVERRIDES: {said}\n"


def test_a_wrong_override_of_the_environment_is_told(folder):
    said = train(env={"TRAINER_CONFIG_OVERRIDES": "--sytem.seed 3"}, code=2).stderr
    assert "TRAINER_CONFIG_OVERRIDES" in said
    assert "system" in said


def test_an_output_in_the_way_is_exit_5(folder):
    (folder / "file").write_text("precious")
    assert "is no directory; name another --output" in train(output="file", code=5).stderr
    train()
    assert "is not empty; use --resume to go on" in train(code=5).stderr
    assert train("--overwrite").exit_code == 0
    assert (folder / "run" / ".old-1" / "metrics.jsonl").exists()


def test_a_finished_run_says_so_and_how_to_go_on(folder):
    first = train().stdout.splitlines()[-1]
    again = train("--resume").stdout
    assert again == first.replace("Finished", "This run is finished") + "\n"
    more = call("train", "run.cfg", "-o", "run", "--resume", "--training.max_steps=20")
    assert more.stderr == "going on from step 14\n"
    assert more.stdout.splitlines()[-1].startswith("Finished (max_steps) after step 20.")


def test_a_resume_under_other_conditions_names_each_and_the_ways_out(folder):
    train()
    result = train("--resume", "--system.seed", "4", "--optimizer.L2=0.5", code=2)
    path, *lines, remedy = result.stderr.splitlines()
    assert path == f"{folder}/run: this run began under other conditions, which would change its bits."
    assert lines == ["  optimizer.L2: was 0.01, is 0.5", "  system.seed: was 0, is 4"]
    assert remedy == (
        "--overwrite sets that run aside and starts anew; --allow-changed config goes on with it all the same."
    )
    assert train("--resume", "--system.seed=4", "--optimizer.L2=0.5", "--allow-changed", "config").exit_code == 0


def test_a_run_that_diverges_is_exit_3_and_names_rows_and_checkpoint(folder):
    result = train("--optimizer.learn_rate=1e39", "--training.accumulate_gradient=1", code=3)
    what, last = result.stderr.splitlines()
    assert re.match(rf"diverged in update 1: .*\. Its batch: {folder}/train\.csv:\d+, ", what)
    assert last.startswith(
        f"Stopped (diverged): the last good checkpoint is {folder}/run/checkpoints/step-0000000000. Next: "
    )
    typed = last[last.index("trainer train") :]
    words = shlex.split(typed)
    assert words[:3] == ["trainer", "train", "run.cfg"]
    assert words[-1] == "--overwrite"
    words[words.index("--optimizer.learn_rate=1e39")] = "--optimizer.learn_rate=0.01"
    assert call(*words[1:]).exit_code == 0


def test_what_to_type_next_after_a_finished_run_works(folder):
    last = train(output="a run's folder").stdout.splitlines()[-1]
    words = shlex.split(last[last.index("trainer evaluate") :])
    assert words == ["trainer", "evaluate", "a run's folder"]
    assert call(*words[1:]).exit_code == 0


def with_followed_limit(folder):
    """A config whose schedule ends with the run."""
    text = (folder / "run.cfg").read_text()
    assert "total_steps = 100\n" in text
    text = text.replace("total_steps = 100\n", "total_steps = ${training.max_steps}\n")
    (folder / "run.cfg").write_text(text)
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith("total_steps"))


def test_a_longer_run_is_told_what_follows_its_limit_and_the_two_ways_to_go_on(folder):
    line = with_followed_limit(folder)
    train()
    more = ("train", "run.cfg", "-o", "run", "--resume", "--training.max_steps", "20")
    _, what, way, _ = call(*more, code=2).stderr.splitlines()
    follows = f"as it follows training.max_steps (run.cfg:{line})"
    assert what == f"  optimizer.learn_rate.total_steps: was 14, is 20, {follows}"
    assert way == "To change when it stops and nothing else, add --optimizer.learn_rate.total_steps 14"
    typed = way.partition("add ")[2].split()
    assert "Finished (max_steps) after step 20." in call(*more, *typed).stdout


def test_a_run_that_goes_on_without_its_earlier_overrides_is_told_them(folder):
    with_followed_limit(folder)
    train("--optimizer.L2", "0.5", "--training.monitor", "loss")
    before = "Finished (max_steps) after step 14."
    *_, way, other, _ = call("train", "run.cfg", "-o", "run", "--resume", code=2).stderr.splitlines()
    assert way.startswith("To go on as it began, add --training.max_steps 14 ")
    assert other.startswith("To change when it stops and nothing else, add ")
    typed = shlex.split(way.partition("add ")[2])
    assert call("train", "run.cfg", "-o", "run", "--resume", *typed).stdout.startswith(
        before.replace("Finished", "This run is finished")
    )
