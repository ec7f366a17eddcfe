"""Every command and file that the README shows is used here as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language):
    return [body for found, body in BLOCKS if found == language]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the configs, and the files that the README names in their first line."""
    path = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "configs", path / "configs", ignore=shutil.ignore_patterns("fashion-mnist"))
    for _, body in BLOCKS:
        if named := re.match(r"# (\w+\.(?:py|cfg))\n", body):
            (path / named[1]).write_text(body, encoding="utf-8")
    return path


def run(command, folder):
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_every_command_succeeds_in_its_order(folder):
    commands = [line for body in blocks("sh") for line in body.splitlines()]
    assert len(commands) >= 7
    for command in commands:
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def test_explained_config_is_the_digits_config():
    explained = "".join(blocks("ini")[:2])
    without_comments = re.sub(r"^#.*$|(?<=\S)\s+#.*$", "", explained, flags=re.MULTILINE)
    shipped = re.sub(r"^#.*$", "", (ROOT / "configs" / "digits.cfg").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert without_comments.split() == shipped.split()


BUILT_IN = re.compile(r"^### `@(\w+)`\n\n((?:\|.*\|\n)+)", re.MULTILINE)


def names_told(readme):
    """The names in the first column of the table below each kind's heading."""
    return {
        kind: sorted(name for row in table.splitlines() for name in re.findall(r"`(\w+\.v\d+)`", row.split("|")[1]))
        for kind, table in BUILT_IN.findall(readme)
    }


def names_registered():
    from trainer_cli.registry import registry

    kinds = {kind: part for kind, part in registry.kinds.items() if kind != "loggers"}
    return {kind: sorted(name for name in part.names() if part.is_built_in(name)) for kind, part in kinds.items()}


def test_tables_of_parts_are_the_registry():
    assert names_told(README) == names_registered()


@pytest.mark.parametrize("row", ["| `time.v1` | the newest rows |\n", "| `rows.v1` | so many rows |\n"])
def test_the_check_sees_a_row_that_is_missing_or_told_twice(row):
    assert row in README
    assert names_told(README.replace(row, "")) != names_registered()
    assert names_told(README.replace(row, row * 2)) != names_registered()


def test_each_extra_is_told():
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", README.partition("| extra | what it is for |")[2], re.MULTILINE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert told[: len(extras) - 1] == sorted(set(extras) - {"test"})
