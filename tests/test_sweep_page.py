"""Every command of docs/sweep.md is used as it stands there, and its tables name what there is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from trainer_cli.cli.sweep import Prune, Searches
from trainer_cli.sweep.grammar import read_space
from trainer_cli.sweep.trial import STATES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "sweep.md").read_text(encoding="utf-8")
COMMANDS = [line for body in re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE) for line in body.splitlines()]


def first_column(heading):
    """The names in the first column of the table with this heading."""
    (found,) = re.findall(rf"(?m)^\| {re.escape(heading)} \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE)
    return [re.findall(r"`([^`]+)`", line.split("|")[1]) for line in found.splitlines()]


def test_every_command_succeeds_in_its_order(tmp_path):
    pytest.importorskip("optuna")
    shutil.copytree(ROOT / "configs", tmp_path / "configs", ignore=shutil.ignore_patterns("fashion-mnist", "brown"))
    assert len(COMMANDS) == 6
    for command in COMMANDS:
        words = [sys.executable, "-m", "trainer_cli", *command.split()[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    files = {path.name for path in (tmp_path / "out" / "sweep").iterdir()}
    assert {"trials.jsonl", "best.cfg", "trial-0001", "trial-0001.log", "sweep.json", "sweep.cfg"} <= files
    assert (tmp_path / "out" / "asha.svg").read_text().startswith("<?xml")


def test_tables_name_each_state_and_each_search():
    assert sorted(name for (name,) in first_column("state")) == sorted(STATES)
    searches = [name for (name,) in first_column("`--search`")]
    assert searches == list(get_args(get_args(get_args(Searches)[0])[0]))
    assert all(f"--prune {name}" in PAGE for name in get_args(get_args(get_args(Prune)[0])[0]))


def test_each_form_of_a_space_is_one():
    forms = [name for (name, *_) in first_column("written")]
    assert len(read_space([f"a.k{number}={form}" for number, form in enumerate(forms)])) == len(forms) == 5
