import json
from types import SimpleNamespace

import pytest
from run_fakes import config_of, outcome_of, rows, train

from trainer_cli.config.run_config import RunConfig
from trainer_cli.errors import ConfigError
from trainer_cli.loggers.group import LoggerGroup


class Book:
    """A logger that keeps what it gets, and fails when it is told to."""

    def __init__(self, fail_at=None, fail_to_close=False):
        self.rows, self.n_closed, self.fail_at, self.fail_to_close = [], 0, fail_at, fail_to_close

    def log(self, row):
        if row["step"] == self.fail_at:
            raise OSError("no network")
        self.rows.append(dict(row))
        row.clear()

    def close(self):
        self.n_closed += 1
        if self.fail_to_close:
            raise OSError("no network")


@pytest.fixture
def train_with(data, monkeypatch):
    def run(run_dir, *overrides, overwrite=False, **loggers):
        build = RunConfig.build

        def made(config, name):
            if name != "loggers":
                return build(config, name)
            run.n_made += 1
            return loggers

        run.n_made = 0
        with monkeypatch.context() as patch:
            patch.setattr(RunConfig, "build", made)
            return train(config_of(data, *overrides), run_dir, resume=not overwrite, overwrite=overwrite)

    return run


def test_each_logger_gets_each_row_as_the_log_has_it_and_is_closed(data, train_with):
    first, second = Book(), Book()
    train_with(data / "run", first=first, second=second)
    lines = (data / "run" / "metrics.jsonl").read_text().splitlines()
    assert first.rows == second.rows == [json.loads(line) for line in lines]
    assert (first.n_closed, second.n_closed) == (1, 1)


def test_a_logger_that_fails_gets_no_more_rows_and_changes_nothing(data, train_with):
    train(config_of(data), data / "whole")
    broken, other, last = Book(fail_at=14), Book(), Book(fail_to_close=True)
    assert train_with(data / "run", broken=broken, other=other, last=last).cause is None
    assert [row["step"] for row in broken.rows] == [7]
    assert len(other.rows) == len(last.rows) == len(rows(data / "run"))
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_what_fails_is_told_once_by_its_name():
    told = []
    group = LoggerGroup({"net": Book(fail_at=1), "book": Book(fail_to_close=True)}, told.append)
    group.log({"step": 1})
    group.log({"step": 1})
    group.close()
    assert told == [
        "[loggers.net] gets no more rows: OSError: no network",
        "[loggers.book] gets no more rows: OSError: no network",
    ]


def test_loggers_are_closed_when_a_run_ends_badly(data, train_with, monkeypatch):
    book = Book()
    monkeypatch.setattr("trainer_cli.gradient.math", SimpleNamespace(isfinite=lambda loss: False))
    assert train_with(data / "run", book=book).cause.exit_code == 3
    assert book.n_closed == 1


def test_loggers_of_a_finished_run_are_not_even_made(data, train_with):
    train(config_of(data), data / "run")
    book = Book()
    assert train_with(data / "run", book=book).was_over
    assert (book.rows, book.n_closed, train_with.n_made) == ([], 0, 0)


def test_what_is_no_logger_is_told_before_an_earlier_run_is_touched(data, train_with):
    train(config_of(data), data / "run")
    before = outcome_of(data / "run")
    no_logger = SimpleNamespace(log=print)
    with pytest.raises(ConfigError, match=r"loggers\.net: a logger has the methods log\(row\) and close\(\)"):
        train_with(data / "run", overwrite=True, net=no_logger)
    assert outcome_of(data / "run") == before


def test_the_check_sees_a_logger_that_ends_the_run(data, train_with, monkeypatch):
    monkeypatch.setattr(LoggerGroup, "_each", lambda group, call: [call(each) for each in group._loggers.values()])
    with pytest.raises(OSError, match="no network"):
        test_a_logger_that_fails_gets_no_more_rows_and_changes_nothing(data, train_with)
