"""The command line in this process and in one of its own."""

import os
import subprocess
import sys

from typer.testing import CliRunner

from trainer_cli.cli import app

SHORT = ("--training.max_steps=14",)


def call(*words, code=0, **more):
    """The result of `trainer ...`, which must exit with `code` and print no traceback."""
    result = CliRunner().invoke(app, [str(word) for word in words], **more)
    assert "Traceback" not in result.output
    assert result.exit_code == code, result.output
    return result


def train(*words, output="run", **more):
    return call("train", "run.cfg", "--output", output, *SHORT, *words, **more)


def start(*words, **more):
    """The installed command as a process."""
    # Whoever runs the tests may have told how wide its own terminal is.
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment = {**inherited, "OPENBLAS_NUM_THREADS": "1", **more.pop("env", {})}
    return subprocess.Popen([sys.executable, "-m", "trainer_cli", *map(str, words)], env=environment, **more)


def finish(process):
    """Its exit code, stdout and stderr."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
