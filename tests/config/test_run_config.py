"""The config of a run: its settings, its parts on demand, and its rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from trainer_cli.config import Checkpoints, RunConfig, System, Training, read_run_config
from trainer_cli.config.plan import Planner
from trainer_cli.errors import ArgumentError, DataError
from trainer_cli.schedules.schedule import Schedule

from .conftest import TEXT, Reader

Run = Callable[..., RunConfig]
Mistakes = Callable[..., list[str]]

RATE = '\n[{}]\n@schedules = "test_user.v1"\nvalues = [1, 2]\n'


def test_settings_that_are_not_given_have_their_defaults(run_of: Run) -> None:
    run = run_of()
    assert run.training == Training(max_epochs=20, patience=1600)
    assert run.system == System(seed=0, threads="auto", ops="auto")
    assert run.checkpoints == Checkpoints(keep=2, max_seconds=300)


def test_a_file_and_standard_input_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "run.cfg"
    path.write_text(TEXT)
    run = read_run_config(path)
    assert run.config == read_run_config("-", stdin=TEXT).config == read_run_config("-", stdin=TEXT.encode()).config
    assert run.path == str(path)
    assert run.text == TEXT
    assert run.place("training.patience") == (str(path), 44)


def test_parts_are_made_on_demand_and_anew_each_time(run_of: Run) -> None:
    run = run_of()
    assert run.build("data.train") == Reader(Path("data/train.csv"))
    assert [layer.name for layer in run.build("model").layers] == ["hidden", "output"]
    assert run.build("metrics")["accuracy"].given == {"kind": "top"}
    assert run.build("optimizer") is not run.build("optimizer")
    assert run.build("batch_size") is None
    assert not run.has("data.test")
    assert run.has("data.dev")


def test_nothing_but_schedules_of_training_is_called_before_it_is_asked_for(run_of: Run) -> None:
    run = run_of(TEXT.replace("data/train.csv", "gone.csv"))
    with pytest.raises(DataError, match=r"^stdin:8: data.train.path: no file is there: gone.csv$"):
        run.build("data.train")


def test_what_all_constructors_refuse_comes_together(run_of: Run) -> None:
    run = run_of(TEXT.replace("data/train.csv", "gone.csv").replace("0.8", "1.5"))
    with pytest.raises(ValueError) as err:
        run.build_all()
    assert str(err.value).split("\n") == [
        "stdin:8: data.train.path: no file is there: gone.csv",
        "stdin:31: optimizer.beta1: beta1 must be below 1, got 1.5",
    ]
    with pytest.raises(ArgumentError):
        run.build("optimizer")


@pytest.mark.parametrize("section", ["training.accumulate_gradient", "training.dropout"])
def test_settings_may_be_schedules(run_of: Run, section: str) -> None:
    run = run_of(TEXT + RATE.format(section))
    found = getattr(run.training, section.rpartition(".")[2])
    assert isinstance(found, Schedule)
    assert [found(step) for step in range(3)] == [1.0, 2.0, 1.0]


def test_a_batch_size_section_gives_a_schedule_whatever_its_function_returns(run_of: Run) -> None:
    sizes = run_of(TEXT + RATE.format("batch_size")).build("batch_size")
    assert isinstance(sizes, Schedule)


def test_dropout_of_training_is_that_of_layers_which_set_none(run_of: Run) -> None:
    layers = run_of(TEXT + "dropout = 0.25\n").build("model").layers
    assert [layer.dropout for layer in layers] == [0.25, 0.0]


def test_a_schedule_of_dropout_is_made_for_each_layer(run_of: Run) -> None:
    text = TEXT.replace("dropout = 0.0\n", "") + RATE.format("training.dropout")
    first, second = (layer.dropout for layer in run_of(text).build("model").layers)
    assert first is not second
    assert first(1) == second(1) == 2.0


def test_dropout_that_no_layer_takes_is_refused(mistakes_of: Mistakes) -> None:
    start, end = TEXT.index("[model]"), TEXT.index("[loss]")
    text = TEXT[:start] + '[model]\n@layers = "test_chain.v1"\n\n' + TEXT[end:]
    assert mistakes_of(text) == []
    wrong = ["37: training.dropout: no layer of the model takes its dropout from here: take the setting away"]
    assert mistakes_of(text + "dropout = 0.1\n") == wrong
    assert mistakes_of(text + "dropout = 0\n") == mistakes_of(text + "dropout = null\n") == []


def test_a_dropout_that_is_ignored_would_be_noticed(run_of: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planner, "defaults_for", lambda *args: {})
    with pytest.raises(ValueError, match="no layer of the model takes its dropout"):
        test_dropout_of_training_is_that_of_layers_which_set_none(run_of)


def test_features_and_target_are_one_encoder_each(run_of: Run, mistakes_of: Mistakes) -> None:
    block = '@encoders = "test_everything.v1"\n'
    assert run_of(f"{TEXT}\n[features]\n{block}").build("features").given["whole"] == 1
    for name in ("features", "target"):
        assert mistakes_of(f"{TEXT}\n[{name}.a]\n{block}") == [
            f'46: {name}: expected a line @encoders = "...", got a section without one'
        ]


def test_a_section_that_a_variable_reads_is_no_mistake(mistakes_of: Mistakes) -> None:
    text = TEXT.replace("= 0.8", "= ${numbers.beta}")
    assert mistakes_of(f"{text}\n[numbers]\nbeta = 0.5\n") == []
    assert mistakes_of(f"{TEXT}\n[numbers]\nbeta = 0.5\n") == [
        "46: numbers: nothing reads the section [numbers]. A run reads paths, system, training, checkpoints, data, "
        "features, target, model, loss, optimizer, batch_size, metrics, loggers, cluster"
    ]


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        ("monitor = accuracy", True),
        ("monitor = loss", True),
        ("monitor = accuracy_macro", True),
        ('monitor = "dev.accuracy"', True),
        ("monitor = acc", False),
        ('score_weights = {"accuracy": 1, "loss": 0.5}', True),
        ('score_weights = {"accuracy": 1, "los": 0.5}', False),
        ("score_weights = {}", True),
        ("monitor = null", True),
        ("max_time = 0.5", True),
        ("dropout = null", True),
        ("accumulate_gradient = 0", False),
        ("eval_batch_size = 0", False),
        ("batch_size = 16.0", True),
        ("batch_size = 16.5", False),
    ],
)
def test_settings_of_training_are_checked(mistakes_of: Mistakes, line: str, accepted: bool) -> None:
    assert (mistakes_of(f"{TEXT}{line}\n") == []) is accepted


def test_where_a_value_came_from_is_known(run_of: Run) -> None:
    run = run_of(TEXT, "--optimizer.beta1", "0.5", environment="--system.seed 1")
    origins = {
        name: run.origin(name)
        for name in ("optimizer.beta1", "system.seed", "paths.dev", "system.ops", "loss.smoothing")
    }
    assert list(origins.values()) == ["command line", "environment", "file", "default", "default"]
    assert run.variables == {"paths.train": "data/train.csv", "paths.dev": "data/dev.csv"}


def test_a_problem_found_later_gets_its_place(run_of: Run) -> None:
    assert str(run_of().problem("data.train.path", "has no rows")) == "stdin:8: data.train.path: has no rows"
    overridden = run_of(TEXT, "--data.train.path", "x")
    assert str(overridden.problem("data.train.path", "has no rows")) == "command line: --data.train.path: has no rows"
