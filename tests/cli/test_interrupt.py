"""Ctrl-C where there is nothing to save: exit code 130, and nobody is shown a traceback."""

import signal
import subprocess
import time

import pytest
from commands import call, finish, start

from trainer_cli import user_code

WAITING = "import time\nopen('waits', 'w').close()\ntime.sleep(100)\n"


def interrupted(folder, *words, **more):
    """How a command ends that gets a Ctrl-C once the file `waits` is there."""
    process = start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    while not (folder / "waits").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    return finish(process)


@pytest.mark.parametrize("command", ["debug-config", "schedule"])
def test_an_interrupted_command_ends_at_once(folder, command):
    (folder / "slow.py").write_text(WAITING)
    assert interrupted(folder, command, "run.cfg", "--code", "slow.py") == (130, b"", b"")


def test_an_interrupt_while_the_command_is_still_imported(folder):
    (folder / "first").mkdir()
    (folder / "first" / "typer.py").write_text(WAITING)
    assert interrupted(folder, "--help", env={"PYTHONPATH": str(folder / "first")}) == (130, b"", b"")


@pytest.mark.parametrize("words", [("debug-config", "run.cfg"), ("evaluate", "run"), ("schedule", "run.cfg")])
def test_within_a_process_an_interrupt_is_the_same_exit_code(folder, monkeypatch, words):
    def interrupted(files):
        raise KeyboardInterrupt

    monkeypatch.setattr(user_code, "import_files", interrupted)
    assert call(*words, code=130).output == ""
