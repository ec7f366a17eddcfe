"""What is seen of a sweep: plain lines in a pipe, lines that change in a terminal, and nothing wider than that."""

import io
import re
import signal
from pathlib import Path

import pytest

from trainer_cli.progress import console
from trainer_cli.streams import QuietStream
from trainer_cli.sweep.closing import closing, exit_code
from trainer_cli.sweep.display import Display, short, table
from trainer_cli.sweep.executor import Moved
from trainer_cli.sweep.record import Plan, Record
from trainer_cli.sweep.space import Choice, Range
from trainer_cli.sweep.trial import Trial

SPACE = [Range("optimizer.learn_rate", 0.0, 1.0), Choice("model.a_layer_with_a_long_name.nO", (64, 128))]
PARAMS = {"optimizer.learn_rate": 0.00123456, "model.a_layer_with_a_long_name.nO": 64}


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """A display, and what it has written; `columns` makes it a terminal."""

    def make(columns=None, **more):
        stream = io.StringIO() if columns is None else Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns or 80))
        return Display(SPACE, **more), stream

    return make


def record(*trials, **values):
    return Record(Path("out"), Plan((), "random"), metric="accuracy", trials={t.trial: t for t in trials}, **values)


DONE = Trial(1, PARAMS, "finished", "max_steps", score=0.9867, score_step=7, folder="trial-0001")
FAILED = Trial(2, PARAMS, "failed", "dev.csv:2: no number\nmore", exit_code=2, folder="trial-0002")


def test_in_a_pipe_each_trial_is_a_plain_line(shown):
    display, out = shown()
    display.ended(DONE, is_best=True)
    display.ended(FAILED, is_best=False)
    assert out.getvalue().splitlines() == [
        "trial   1 finished   0.9867 * learn_rate=0.001235 nO=64",
        "trial   2 failed          -   learn_rate=0.001235 nO=64",
        "          dev.csv:2: no number",
    ]


def test_quiet_shows_what_goes_wrong(shown):
    display, out = shown(quiet=True)
    display.ended(DONE, is_best=True)
    display.say("begins")
    display.look(record(DONE), 1.0, [])
    assert out.getvalue() == ""
    display.ended(FAILED, is_best=False)
    assert "dev.csv:2" in out.getvalue()


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_a_terminal_is_never_too_narrow(shown, columns):
    display, out = shown(columns)
    running = [Trial(n, PARAMS) for n in (2, 3)]
    display.moved(Moved(2, 0.42, 10, 0.5), 0.5)
    display.look(record(DONE, *running, n_trials=20, budget=600.0), 65.0, running)
    display.ended(DONE, is_best=True)
    display.close()
    apart = re.sub(r"\r|\x1b\[1A|\x1b\[2K", "\n", out.getvalue())  # where the cursor goes back
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", apart).splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("1 of 20 trials, 1 min 5 s of 10 min"[:columns]) for line in lines)
    assert any(re.match(r"trial   2 ████░░░░░░  42%   0\.5000", line) for line in lines)


def test_the_check_sees_a_line_that_is_too_wide(shown, monkeypatch):
    display, out = shown(40)
    monkeypatch.setattr(type(display.err), "width", property(lambda self: 200))
    display.ended(DONE, is_best=True)
    display.close()
    assert max(map(len, out.getvalue().splitlines())) > 40


@pytest.mark.parametrize("columns", [40, 60])
def test_the_table_fits_and_has_the_best_first(shown, columns):
    display, _ = shown(columns)
    out = Terminal()
    better = Trial(3, PARAMS, "stopped", score=0.99)
    console(QuietStream(out)).print(table(record(DONE, FAILED, better), display, is_short=True))
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue()).splitlines()
    assert max(map(len, lines)) <= columns
    numbers = [int(found[1]) for line in lines if (found := re.match(r" +(\d) ", line))]
    assert numbers == [3, 1, 2]


def test_a_long_table_is_cut_in_a_terminal_alone(shown):
    display, _ = shown()
    many = record(*(Trial(n, PARAMS, "finished", score=1.0) for n in range(1, 31)))
    assert table(many, display, is_short=True).row_count == 20
    assert table(many, display, is_short=True).caption == "and 10 more: out/trials.jsonl"
    assert table(many, display, is_short=False).row_count == 30


def test_short_names_tell_keys_apart():
    names = ["a.x.nO", "b.x.nO", "loss.@losses", "c.d"]
    assert list(short(names).values()) == ["a.x.nO", "b.x.nO", "loss.@losses", "d"]


WORDS = ["sweep", "run.cfg", "--output", "out", "a.b=1,2", "--overwrite"]


def test_the_last_line_of_a_stopped_sweep_says_how_to_go_on():
    stopped = record(DONE, Trial(2, PARAMS, "stopped", "SIGINT"), seconds=75.0)
    line = closing(stopped, Path("out"), WORDS, signal.SIGINT, [])
    assert line == (
        "Stopped (SIGINT): 2 trials: 1 finished, 1 stopped in 1 min 15 s. Best accuracy 0.9867: trial 1, out/best.cfg. "
        "Next: trainer sweep run.cfg --output out a.b=1,2 --resume"
    )


def test_the_next_command_names_the_code():
    line = closing(record(DONE), Path("out"), WORDS, None, [Path("my parts.py")])
    assert "trainer evaluate out/trial-0001 --code 'my parts.py'" in line


def test_a_budget_without_a_score_asks_for_more():
    line = closing(record(Trial(1, PARAMS, "stopped", "budget")), Path("out"), WORDS, None, [])
    assert "No trial has a score yet: give a larger --budget" in line


@pytest.mark.parametrize(
    ("trials", "received", "code"),
    [
        ([DONE, FAILED], None, 0),
        ([FAILED], None, 2),
        ([Trial(1, {}, "diverged", exit_code=3), FAILED], None, 3),
        ([Trial(1, {}, "killed", exit_code=137), FAILED], None, 2),
        ([Trial(1, {}, "killed", exit_code=137)], None, 137),
        ([], None, 2),
        ([DONE], signal.SIGTERM, 143),
    ],
)
def test_the_exit_code_tells_whether_there_is_a_best(trials, received, code):
    assert exit_code(record(*trials), received) == code
