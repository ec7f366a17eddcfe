"""Files in another encoding than they are read by."""

import subprocess

import pytest
from commands import call, finish, start, train


@pytest.fixture
def run(folder):
    """A model of data in cp1252."""
    for name in ("train", "dev"):
        text = (folder / f"{name}.csv").read_text().replace("yes", "für")
        (folder / f"{name}.csv").write_text(text, "cp1252")
    text = (folder / "run.cfg").read_text().replace('"csv.v1"', '"csv.v1"\ntext_encoding = "cp1252"')
    (folder / "run.cfg").write_text(text)
    train("--quiet")
    (folder / "new.csv").write_text((folder / "dev.csv").read_text("cp1252"), "utf-8")
    return folder


DOUBT = 'it is read as cp1252 and looks like UTF-8: if letters come out garbled, set text_encoding = "utf-8"'


def test_utf_8_that_is_read_otherwise_is_told_once(run):
    said = f"new.csv: {DOUBT}, as --read text_encoding=utf-8 does\n"
    assert call("predict", "run", "new.csv").stderr == said
    assert call("predict", "run", "new.csv", "--quiet").stderr == ""
    assert call("predict", "run", "dev.csv").stderr == ""
    assert call("predict", "run", "new.csv", "--read", "text_encoding=utf-8").stderr == ""
    with open(run / "new.csv", "rb") as file:
        process = start("predict", "run", "-", stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        code, out, err = finish(process)
    assert (code, err.decode().startswith(f"-: {DOUBT}")) == (0, True)
    assert out.decode() == call("predict", "run", "new.csv").stdout
    assert call("evaluate", "run", "new.csv", code=2).stderr.startswith(said)
    assert f"new.csv: {DOUBT}\n" in call("describe", "new.csv", "--read", "text_encoding=cp1252").stdout


def test_utf_8_that_is_trained_on_otherwise_is_told_in_training_and_by_debug_config(run):
    told = f"dev.csv: {DOUBT}\n"
    assert DOUBT not in train("--overwrite").stdout + call("debug-config", "run.cfg").stdout
    (run / "dev.csv").write_text((run / "dev.csv").read_text("cp1252"), "utf-8")
    wrong = ("--target.unknown", "miss")
    result = train("--overwrite", *wrong)
    assert (result.stdout + result.stderr).count(told) == 1
    assert told in call("debug-config", "run.cfg", *wrong).stdout
    quiet = train("--overwrite", "--quiet", *wrong)
    assert DOUBT not in quiet.stdout + quiet.stderr


@pytest.mark.parametrize(
    ("encoding", "guess"), [("cp1252", "cp1252"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")]
)
def test_the_likely_encoding_is_named_with_what_to_type(run, encoding, guess):
    (run / "other.csv").write_bytes((run / "new.csv").read_text("utf-8").encode(encoding))
    said = call("describe", "other.csv", code=2).stderr
    assert f'set text_encoding = "{guess}"' in said
    assert said.endswith(f"On the command line: --read text_encoding={guess}\n")
    assert call("describe", "other.csv", "--read", f"text_encoding={guess}").stderr == ""


def test_lines_above_the_header_and_columns_without_a_name_are_told(run):
    (run / "title.csv").write_text("# exported\n" + (run / "new.csv").read_text("utf-8"))
    said = call("init-config", "title.csv", code=2).stderr
    assert said.startswith("title.csv:1: this line has one value, the rows after it have 3: if it is a title")
    assert said.endswith("On the command line: --read skip=1\n")
    call("init-config", "title.csv", "--read", "skip=1")
    assert "skip = 1" in (run / "title.cfg").read_text()
    table = "".join(f"{i - 1 if i else ''},{'label' if not i else 'ab'[i % 2]},{i or 'x'}\n" for i in range(40))
    (run / "index.csv").write_text(table)
    said = call("describe", "index.csv").stdout
    assert 'The header has no name for "column1": so it is called here, by its place\n' in said
