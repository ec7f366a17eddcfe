"""Every command and file that the README shows is used here as it stands there."""

import os
import re
import shutil
import subprocess
import sys
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


def test_table_of_parts_is_the_registry():
    from trainer_cli.registry import registry

    rows = dict(re.findall(r"^\| `@(\w+)` \| (.*) \|$", README, re.MULTILINE))
    for kind in rows:
        built_in = {name for name in registry.kinds[kind].names() if registry.kinds[kind].is_built_in(name)}
        assert set(re.findall(r"`(\w+\.v\d+)`", rows[kind])) == built_in
    assert set(rows) == set(registry.kinds) - {"loggers"}
