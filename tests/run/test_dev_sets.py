"""Several dev sets by name: each is scored, any score decides, and a resume knows them all."""

import json
import re

import pytest
from run_fakes import CONFIG, config_of, outcome_of, rows, train, train_until

from trainer_cli import provenance
from trainer_cli.assembly import assemble
from trainer_cli.errors import ConfigError
from trainer_cli.inspection import inspect
from trainer_cli.signals import StopFlag

DEV = CONFIG[CONFIG.index("[data.dev]") : CONFIG.index("[target]")]
EASY, HARD = (DEV.replace("[data.dev]", f"[data.dev.{name}]") for name in ("easy", "hard"))
TEXT = CONFIG.replace(DEV, EASY + HARD.replace("dev.csv", "hard.csv"))


@pytest.fixture
def sets(data):
    lines = (data / "dev.csv").read_text().splitlines()
    (data / "hard.csv").write_text("\n".join(lines[:6]) + "\n")
    return data


def test_every_set_is_scored_under_its_name(sets):
    train(config_of(sets, text=TEXT), sets / "both")
    train(config_of(sets), sets / "one")
    for both, one in zip(rows(sets / "both"), rows(sets / "one"), strict=True):
        assert both.keys() == one.keys() - {"loss", "accuracy"} | {
            f"{name}.{score}" for name in ("easy", "hard") for score in ("loss", "accuracy")
        }
        assert (both["easy.loss"], both["easy.accuracy"]) == (one["loss"], one["accuracy"])
        assert (both["hard.accuracy"] * 5) % 1 == pytest.approx(0)


def test_one_set_with_a_name_is_scored_as_one_without(sets):
    train(config_of(sets, text=CONFIG.replace(DEV, EASY)), sets / "named")
    train(config_of(sets), sets / "plain")
    assert rows(sets / "named") == rows(sets / "plain")
    assert list(provenance.dev_readers(sets / "named")) == ["easy"]


@pytest.mark.parametrize("name", ["hard.accuracy", "dev.hard.accuracy"])
def test_the_score_of_any_set_may_decide(sets, name):
    job = assemble(config_of(sets, "--training.monitor", name, text=TEXT), StopFlag())
    assert job.monitor.weights == {"hard.accuracy": 1.0}
    assert job.monitor.score({"easy.accuracy": 0.1, "hard.accuracy": 0.7, "easy.loss": 3.0}) == 0.7


@pytest.mark.parametrize("name", ["accuracy", "dev.accuracy", "easy.accuracy", "dev.easy.accuracy"])
def test_with_one_set_its_name_may_be_said_or_left_out(sets, name):
    text = CONFIG.replace(DEV, EASY)
    job = assemble(config_of(sets, "--training.monitor", name, text=text), StopFlag())
    assert job.monitor.weights == {"accuracy": 1.0}


def test_scores_of_several_sets_may_be_weighed(sets):
    weights = '{"dev.easy.accuracy": 0.5, "hard.accuracy": 1.0, "hard.loss": 0.25}'
    job = assemble(config_of(sets, "--training.score_weights", weights, text=TEXT), StopFlag())
    found = {"easy.accuracy": 0.8, "hard.accuracy": 0.5, "easy.loss": 9.0, "hard.loss": 2.0}
    assert job.monitor.score(found) == pytest.approx(0.4 + 0.5 - 0.5)


def test_by_default_the_first_metric_of_the_first_set_decides(sets):
    job = assemble(config_of(sets, text=TEXT), StopFlag())
    assert job.monitor.weights == {"easy.accuracy": 1.0}
    assert job.monitor.names == ("easy.accuracy", "easy.loss", "hard.accuracy", "hard.loss")


def test_a_run_that_is_stopped_comes_to_the_same_bits(sets):
    config = config_of(sets, "--training.monitor", "dev.hard.loss", text=TEXT)
    train(config, sets / "whole")
    for step in (1, 7, 8, 30, 55):
        train_until(step, config, sets / "stopped")
    train(config, sets / "stopped", resume=True)
    assert outcome_of(sets / "stopped") == outcome_of(sets / "whole")


def test_a_resume_compares_every_set_and_not_where_it_lies(sets):
    train_until(8, config_of(sets, text=TEXT), sets / "run")
    (sets / "moved.csv").write_text((sets / "hard.csv").read_text())
    moved = config_of(sets, "--data.dev.hard.path", sets / "moved.csv", text=TEXT)
    train_until(12, moved, sets / "run")
    (sets / "moved.csv").write_text((sets / "dev.csv").read_text())
    with pytest.raises(ConfigError, match=r"data\.dev\.hard: its content has changed"):
        train(moved, sets / "run", resume=True)


def test_debug_config_shows_every_set(sets):
    assert [sample.name for sample in inspect(config_of(sets, text=TEXT)).samples] == ["train", "dev.easy", "dev.hard"]


def test_mistakes_in_a_set_name_it(sets):
    (sets / "hard.csv").write_text("a,label\n1,no\n")
    with pytest.raises(ConfigError, match=r'data\.dev\.hard: the dev data have no column "b"'):
        assemble(config_of(sets, text=TEXT), StopFlag())


@pytest.mark.parametrize("name", ["accuracy", "head.accuracy", "dev.hard.acuracy"])
def test_a_score_that_no_set_has_is_refused(sets, name):
    with pytest.raises(ConfigError, match=r"training\.monitor: (no metric|score)"):
        assemble(config_of(sets, "--training.monitor", name, text=TEXT), StopFlag())


def test_what_is_evaluated_again_is_what_the_log_says(sets, capsys):
    from typer.testing import CliRunner

    from trainer_cli.cli import app

    train(config_of(sets, "--training.max_steps", 7, text=TEXT), sets / "run")
    done = CliRunner().invoke(app, ["evaluate", str(sets / "run"), "--json"])
    scores, row = json.loads(re.sub(r"(?s)^[^{]*", "", done.stdout)), rows(sets / "run")[-1]
    assert scores["easy.accuracy"] == row["easy.accuracy"]
    assert scores["hard.loss"] == pytest.approx(row["hard.loss"])
    assert (scores["easy.n"], scores["hard.n"]) == (12, 5)
