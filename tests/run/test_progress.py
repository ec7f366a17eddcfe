import io
import time

import numpy as np
import pytest

from trainer_cli import streams
from trainer_cli.arrays import Batch
from trainer_cli.epochs import Position
from trainer_cli.loop import Step
from trainer_cli.progress import Progress, fitted
from trainer_cli.state import Limits, RunState

ROW = {
    "step": 7,
    "epoch": 2,
    "train_loss": 0.5,
    "loss": None,
    "accuracy": 0.75,
    "learn_rate": 0.001,
    "batch_size": 32,
    "seconds": 1.25,
}


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def shown(capsys):
    """What went to stdout and to stderr."""
    return lambda: tuple(capsys.readouterr())


def test_results_go_to_stdout_and_the_rest_to_stderr(shown):
    progress = Progress(verbose=True)
    progress.row(ROW, ["accuracy"], is_best=True)
    progress.tell("the result")
    progress.say("said")
    progress.detail("in detail")
    progress.warn("a warning")
    out, err = shown()
    assert out == (
        "EPOCH    STEP TRAIN LOSS DEV LOSS ACCURACY     RATE  BATCH  SECONDS\n"
        "    2       7     0.5000        -   0.7500    0.001     32      1.2 *\n"
        "the result\n"
    )
    assert err == "said\nin detail\na warning\n"


def test_quiet_leaves_results_and_warnings(shown):
    progress = Progress(quiet=True, verbose=True)
    progress.row(ROW, ["accuracy"], is_best=True)
    progress.say("said")
    progress.detail("in detail")
    progress.warn("a warning")
    progress.tell("the result")
    assert shown() == ("the result\n", "a warning\n")


def test_details_are_for_those_who_asked(shown):
    Progress().detail("in detail")
    assert shown() == ("", "")


def test_what_looks_like_markup_is_shown_as_it_is(shown):
    Progress().tell("a [bold]folder[/bold] :smile: " + "x" * 300)
    assert shown()[0] == "a [bold]folder[/bold] :smile: " + "x" * 300 + "\n"


@pytest.mark.parametrize(
    ("limits", "state", "done"),
    [
        (Limits(max_steps=10), RunState(Position(step=3)), 0.3),
        (Limits(max_epochs=4), RunState(Position(samples=30)), 0.3),
        (Limits(max_time=20.0), RunState(seconds=5.0), 0.25),
        (Limits(max_steps=10, max_epochs=4, max_time=20.0), RunState(Position(step=3, samples=50), seconds=5.0), 0.5),
        (Limits(max_steps=10), RunState(Position(step=12)), 1.0),
        (Limits(patience=5), RunState(Position(step=12)), 0.0),
    ],
)
def test_the_bar_shows_the_part_of_the_nearest_limit(monkeypatch, limits, state, done):
    monkeypatch.setattr("sys.stderr", Terminal())
    progress = Progress()
    progress.start(RunState(), limits, rows_per_epoch=25)
    monkeypatch.setattr(progress, "_is_due", lambda: True)
    progress.step(Step(state.position, 0.5, 0.01, 4), state)
    assert progress._bar.n == pytest.approx(done)
    progress.close()


def test_the_bar_says_what_is_going_on(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()
    progress.start(RunState(), Limits(max_steps=10), rows_per_epoch=25)
    monkeypatch.setattr(progress, "_is_due", lambda: True)
    progress.step(Step(Position(5, 1, 3, 40), 0.123456, 0.01, 8), RunState(Position(5, 1, 3, 40), seconds=2.0))
    assert list(progress.evaluating("abcd", 4)) == list("abcd")
    progress.close()
    text = terminal.getvalue()
    assert "step 5, loss 0.1235, epoch 2, rate 0.01, 20 samples/s  50%|" in text
    assert "evaluating 75%  50%|" in text


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (120, "step 123456, loss 0.1235, epoch 99, rate 0.000123, 84,500 samples/s"),
        (80, "step 123456, loss 0.123, rate 0.00012, 84k/s, epoch 99"),
        (60, "step 123456, loss 0.123, rate 0.00012"),
        (30, "step 123456"),
    ],
)
def test_a_terminal_of_80_columns_has_room_for_all_that_counts(monkeypatch, columns, text):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    progress = Progress()
    progress.start(RunState(), Limits(max_steps=1_000_000), rows_per_epoch=25)
    monkeypatch.setattr(progress, "_is_due", lambda: True)
    at = Position(123_456, 98, 3, 845_000)
    progress.step(Step(at, 0.123456, 0.000123, 8), RunState(at, seconds=10.0))
    assert any(line.startswith(text + "  12%|") for line in terminal.getvalue().split("\r"))


def test_samples_count_from_where_a_run_went_on(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress()
    progress.start(RunState(Position(5, 1, 3, 1000), seconds=50.0), Limits(max_steps=10), rows_per_epoch=25)
    monkeypatch.setattr(progress, "_is_due", lambda: True)
    progress.step(Step(Position(6, 1, 3, 1040), 0.5, 0.01, 8), RunState(Position(6, 1, 3, 1040), seconds=52.0))
    assert ", 20 samples/s" in terminal.getvalue()


def test_the_rows_of_an_evaluation_are_counted_in_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    batches = [Batch(np.zeros((n, 1)), np.zeros(n), None, np.arange(n)) for n in (300, 45)]
    seen = []
    for batch in Progress().reading(batches):
        time.sleep(0.11)  # a bar is drawn ten times a second
        seen.append(len(batch.rows))
    assert seen == [300, 45]
    assert "300 rows" in terminal.getvalue()


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError

    def flush(self):
        raise OSError(28, "No space left on device")


def test_a_stream_that_fails_is_silent_from_then_on():
    stream = streams.QuietStream(Broken())
    assert stream.write("lost") == 4
    stream.flush()
    assert stream.write("lost too") == 8
    assert not stream.isatty()
    assert stream.encoding == "ascii"


def test_a_stream_that_was_closed_before_is_silent():
    closed = io.StringIO()
    closed.close()
    for stream in (streams.QuietStream(None), streams.QuietStream(closed)):
        assert stream.write("lost") == 4
        stream.flush()
        assert not stream.isatty()


def test_letters_that_a_stream_cannot_write_are_replaced():
    raw = io.BytesIO()
    stream = streams.QuietStream(io.TextIOWrapper(raw, encoding="ascii"))
    stream.write("naïve\n")
    stream.flush()
    assert raw.getvalue() == b"na?ve\n"


def test_all_else_is_asked_of_the_stream():
    inner = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    stream = streams.QuietStream(inner)
    assert (stream.encoding, stream.buffer, stream.errors) == ("latin-1", inner.buffer, "strict")


def test_the_check_sees_a_stream_that_complains(monkeypatch):
    monkeypatch.setattr(streams.QuietStream, "write", lambda self, text: self._stream.write(text))
    with pytest.raises(BrokenPipeError):
        test_a_stream_that_fails_is_silent_from_then_on()


def test_the_bar_says_what_there_is_room_for():
    parts = ["step 12", "loss 0.5", "epoch 3"]
    assert fitted(parts, 100) == "step 12, loss 0.5, epoch 3"
    assert fitted(parts, 25) == "step 12, loss 0.5"
    assert fitted(parts, 3) == "step 12"
