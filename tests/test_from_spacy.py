"""The tables of docs/from-spacy.md: each row is tried, and says what is said."""

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trainer_cli.cli import app
from trainer_cli.config.foreign import FUNCTIONS, KEYS
from trainer_cli.config.run_config import read_run_config
from trainer_cli.errors import ConfigError

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "from-spacy.md").read_text(encoding="utf-8")
CONFIG = re.sub(r"^#.*\n", "", (ROOT / "configs" / "digits.cfg").read_text(encoding="utf-8"), flags=re.MULTILINE)


def table(title):
    """The rows of the table whose heading begins so."""
    (found,) = re.findall(rf"^\| {re.escape(title)} \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.strip("|\n").split(" | ")) for line in found.splitlines()]


def said_of_key(row):
    """What is said of a config of ours with one key more, or an empty text."""
    section, line = re.fullmatch(r"`\[([\w.]+)\]` `(.*)`", row).groups()
    key = line.partition(" = ")[0]
    text = re.sub(rf"(?m)^{re.escape(key)} = .*\n", "", CONFIG) if section == "training" else CONFIG
    header = f"[{section}]\n"
    text = text.replace(header, f"{header}{line}\n") if header in text else f"{text}\n{header}{line}\n"
    text = text if "max_steps" in text else text.replace("[training]\n", "[training]\nmax_time = 60\n")
    number = text.splitlines().index(f"[{section}]") + 1
    try:
        read_run_config("-", stdin=text)
    except ConfigError as err:
        problem = err.problems[0]
        assert problem.line in (number, number + 1)
        return problem.message
    return ""


def said_of_command(row):
    result = CliRunner().invoke(app, [row.strip("`"), "--help"])
    return "" if result.exit_code == 0 else result.stderr.rpartition("Error: ")[2].strip()


def as_cell(message):
    """A message as it stands in a table."""
    return f"`{message}`" if message else ""


@pytest.mark.parametrize("row", table("in spaCy's config"), ids=lambda row: row[0])
def test_each_key_works_or_is_told_at_its_line(row, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert row[2] == as_cell(said_of_key(row[0]))
    assert (row[2] == "") == row[1].startswith("the same")


# spaCy's [training] with its defaults, behind our own sections.
BLOCK = """
train_corpus = "corpora.train"
dev_corpus = "corpora.dev"
seed = 0
gpu_allocator = null
dropout = 0.1
accumulate_gradient = 1
patience = 1600
max_epochs = 0
max_steps = 20000
eval_frequency = 200
frozen_components = []
annotating_components = []
before_to_disk = null
before_update = null

[training.optimizer]
@optimizers = "Adam.v1"

[training.logger]
@loggers = "spacy.ConsoleLogger.v1"

[training.batcher]
@batchers = "spacy.batch_by_words.v1"
"""


def test_a_whole_block_of_training_is_told_at_once(monkeypatch):
    monkeypatch.chdir(ROOT)
    ours = CONFIG.partition("[training]\n")[0]
    text = ours.replace("dropout = 0.2\n", "") + "[training]" + BLOCK  # so that the model takes its dropout from there
    with pytest.raises(ConfigError) as caught:
        read_run_config("-", stdin=text)
    told = {problem.where: problem.line for problem in caught.value.problems}
    lines = text.splitlines()
    works = ["dropout", "accumulate_gradient", "patience", "max_epochs", "max_steps", "eval_frequency"]
    for key in (line.partition(" = ")[0] for line in BLOCK.partition("\n[training.")[0].split("\n") if line):
        assert (f"training.{key}" in told) == (key not in works)
        if key not in works:
            assert lines[told[f"training.{key}"] - 1].startswith(f"{key} = ")
    assert {"training.optimizer", "training.logger", "training.batcher.@batchers"} <= told.keys()
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)


@pytest.mark.parametrize("row", table("spaCy's"), ids=lambda row: row[0])
def test_each_command_is_there_or_told(row):
    assert row[2] == as_cell(said_of_command(row[0]))
    if row[1] != "absent":
        assert CliRunner().invoke(app, [*row[1].strip("`").split()[1:], "--help"]).exit_code == 0


def test_the_table_has_every_key_that_is_told():
    rows = " ".join(row[0] for row in table("in spaCy's config"))
    for key in KEYS:
        section, _, name = (re.escape(part).replace(r"\*", r"\w+") for part in key.rpartition("."))
        own = rf"\[{section}\.{name}[\].]|\[{name}\]" if section else rf"\[{name}[\].]"
        inner = rf'"{name}": ' if key.startswith("training.batcher.") else rf"\[{section}\]` `{name} = "
        assert re.search(f"{own}|{inner}", rows), key


def test_every_replacement_is_one_of_ours():
    from trainer_cli.registry import registry

    names = {name for kind in registry.kinds.values() for name in kind.names()}
    for sentence in (*FUNCTIONS.values(), *KEYS.values(), PAGE):
        for name in re.findall(r"(?<![\w.])\w+\.v\d", sentence):
            assert name in names, sentence


def test_a_row_that_says_something_else_is_seen(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert as_cell(said_of_key("`[training]` `seed = 0`")) != as_cell(
        said_of_key("`[training]` `before_update = null`")
    )
    assert said_of_command("`apply`") != said_of_command("`init`")


def fill():
    """Write what is said into the tables of the page: `python tests/test_from_spacy.py`."""
    page = PAGE
    for title, said in (("in spaCy's config", said_of_key), ("spaCy's", said_of_command)):
        for row in table(title):
            old = re.escape(f"| {row[0]} | {row[1]} |")
            page = re.sub(rf"^{old}.*$", lambda m, row=row, said=said: filled(row, said), page, flags=re.MULTILINE)
    (ROOT / "docs" / "from-spacy.md").write_text(page, encoding="utf-8")


def filled(row, said):
    cell = as_cell(said(row[0]))
    return f"| {row[0]} | {row[1]} | {cell} |" if cell else f"| {row[0]} | {row[1]} | |"


if __name__ == "__main__":
    sys.exit(fill())
