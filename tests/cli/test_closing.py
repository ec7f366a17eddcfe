from pathlib import Path

import pytest

from trainer_cli.cli.closing import closing
from trainer_cli.epochs import Position
from trainer_cli.errors import DivergedError, Stopped, StorageError
from trainer_cli.session import Ending
from trainer_cli.state import REASONS, RunState
from trainer_cli.wrappers.engine import ModuleError

WORDS = ["train", "my run.cfg", "-o", "out", "--training.max_steps", "9", "--overwrite"]
SAVED = Path("/runs/out/checkpoints/step-0000000007")
AGAIN = "trainer train 'my run.cfg' -o out --training.max_steps 9"

FIRST = ", which no update has changed yet"


def last_line(ending, code=()):
    return closing(ending, WORDS, Path("out"), code).splitlines()[-1]


def over(reason, **more):
    return Ending(RunState(Position(step=12), reason=reason), **more)


@pytest.mark.parametrize("reason", REASONS)
def test_a_run_that_reached_a_limit(reason):
    line = f"Finished ({reason}) after step 12. Best accuracy 0.9867 at step 7. Next: trainer evaluate out"
    assert last_line(over(reason, best="accuracy 0.9867 at step 7", has_dev=True)) == line


def test_a_run_without_a_best_and_one_that_was_over():
    assert last_line(over("max_steps")) == "Finished (max_steps) after step 12. Next: trainer evaluate out DATA"
    line = "This run is finished (max_steps) after step 12. Next: trainer evaluate out DATA"
    assert last_line(over("max_steps", was_over=True)) == line


def test_parts_of_a_users_own_are_needed_to_evaluate():
    line = last_line(over("max_steps"), [Path("a b.py"), Path("c.py")])
    assert line.endswith("trainer evaluate out DATA --code 'a b.py' --code c.py")


def test_a_run_that_was_stopped():
    stopped = Ending(RunState(), cause=Stopped("SIGTERM", 143), saved=SAVED)
    assert last_line(stopped) == f"Stopped (SIGTERM): the run is saved at step 7. Next: {AGAIN} --resume"
    early = Ending(RunState(), cause=Stopped("SIGINT", 130))
    assert last_line(early) == f"Stopped (SIGINT): nothing is saved yet. Next: {AGAIN} --overwrite"
    text = closing(early, WORDS[:-1], Path("out"), [])
    assert text == f"Stopped (SIGINT): nothing is saved yet. Next: {AGAIN} --resume"


def test_a_run_that_diverged():
    text = closing(Ending(RunState(), cause=DivergedError("the loss is nan"), saved=SAVED), WORDS, Path("out"), [])
    what, last = text.splitlines()
    assert what == "the loss is nan"
    assert last == (
        f"Stopped (diverged): the last good checkpoint is {SAVED}. "
        f"Next: lower the learning rate, then {AGAIN} --overwrite"
    )


@pytest.mark.parametrize(
    ("saved", "after"),
    [(SAVED, ", or lower the learning rate"), (SAVED.with_name("step-0000000000"), FIRST), (None, FIRST)],
)
def test_a_run_in_which_a_module_gave_what_is_not_finite(saved, after):
    cause = DivergedError("diverged in update 1: jax: JAX module net returned NaN")
    cause.__cause__ = ModuleError("jax: JAX module net returned NaN", where="jax", module="JAX module net")
    last = last_line(Ending(RunState(), cause=cause, saved=saved))
    assert last.endswith(
        f"Next: look at what the JAX module net computes of these rows{after}, then {AGAIN} --overwrite"
    )


def test_a_run_whose_disk_failed():
    text = closing(Ending(RunState(), cause=StorageError("full"), saved=SAVED), WORDS, Path("out"), [])
    line = f"Stopped (storage failed): the run is saved at step 7. Next: make room, then {AGAIN} --resume"
    assert text.splitlines() == ["full", line]
