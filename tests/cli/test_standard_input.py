"""Data from a pipe are scored as data in a file are."""

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
from contextlib import nullcontext

import pytest
import zstandard
from commands import call, finish, start, train
from test_tagging import CONFIG, SENTENCES, conll

from trainer_cli.data.readers import standard_input


def scores(*words, **more):
    """All that is said of data, but for the time that it took."""
    found = json.loads(call("evaluate", "run", *words, "--json", **more).stdout)
    return {name: value for name, value in found.items() if name != "seconds"}


@pytest.fixture
def run(folder):
    """A model of numbers, and its dev data in other formats."""
    (folder / "run.cfg").write_text((folder / "run.cfg").read_text().replace("csv.v1", "auto.v1"))
    rows = list(csv.DictReader(io.StringIO((folder / "dev.csv").read_text())))
    (folder / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "dev.json").write_text(json.dumps(rows))
    (folder / "semi.csv").write_text((folder / "dev.csv").read_text().replace(",", ";"))
    train("--quiet")
    return folder


@pytest.fixture
def tagger(folder):
    (folder / "train.conll").write_text(conll(SENTENCES * 3))
    (folder / "dev.conll").write_text(conll(SENTENCES))
    (folder / "run.cfg").write_text(CONFIG)
    call("train", "run.cfg", "--output", "run", "--quiet")
    return folder


@pytest.mark.parametrize("name", ["dev.csv", "semi.csv", "dev.jsonl", "dev.json"])
@pytest.mark.parametrize("more", [(), ("--errors", "3"), ("--importance",)])
def test_a_pipe_is_scored_as_the_file_is(run, name, more):
    words = (*more, "--read", f"format={name.rpartition('.')[2]}")
    theirs = scores(name, *words)
    ours = scores("-", *words, input=(run / name).read_bytes())
    assert ours == json.loads(json.dumps(theirs).replace(json.dumps(str(name)), '"-"'))
    assert ours["n"] == 12


def test_a_pipe_of_sentences_is_scored_as_the_file_is(tagger):
    data = (tagger / "dev.conll").read_bytes()
    assert scores("-", "--errors=3", input=data) == scores("dev.conll", "--errors=3")
    assert scores("-", input=data)["n"] == len(SENTENCES)


def test_the_check_sees_a_start_that_is_lost(tagger, monkeypatch):
    monkeypatch.setattr(standard_input, "kept", nullcontext)
    said = scores("-", input=(tagger / "dev.conll").read_bytes())
    assert said["n"] == len(SENTENCES) - 1


def test_a_pipe_of_another_process(run):
    process = start("evaluate", "run", "-", "--json", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write((run / "dev.csv").read_bytes())
    code, out, _ = finish(process)
    assert code == 0
    assert json.loads(out)["accuracy"] == scores("dev.csv")["accuracy"]


def test_mistakes_in_a_pipe_have_their_lines_and_nothing_is_left_behind(run, monkeypatch, tmp_path):
    (tmp_path / "kept").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "kept"))
    monkeypatch.setattr("tempfile.tempdir", None)
    said = call("evaluate", "run", "-", input=b"a,b,label\n1,2,no\n1,x,no\n", code=2).stderr
    assert said == '-:3: b: expected a number, got "x"\n'
    assert os.listdir(tmp_path / "kept") == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    said = call("evaluate", "run", "-", input=b"a,b,label\n1,2,0\n", code=4).stderr
    assert said.startswith(f"{tmp_path / 'gone'}: standard input cannot be kept: No such file or directory; set TMPDIR")


def test_a_reader_that_goes_back_and_forth_says_that_it_takes_no_pipe(run):
    said = call("evaluate", "run", "-", "--read", "format=npz", input=b"", code=2).stderr
    assert said.startswith("this reader takes a file, not standard input")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: zstandard.compress(data)])
def test_a_packed_pipe_is_unpacked(run, pack):
    data = pack((run / "dev.csv").read_bytes())
    assert scores("-", input=data) == scores("dev.csv")
    (run / "packed").write_bytes(data)
    with open(run / "packed", "rb") as file:
        process = start("predict", "run", "-", "--read", "text_encoding=cp1252", stdin=file, stdout=subprocess.PIPE)
        code, out, _ = finish(process)
    assert (code, out.decode()) == (0, call("predict", "run", "dev.csv").stdout)
    described = [call("describe", name, "--json", input=data).stdout for name in ("dev.csv", "-")]
    assert described[0].replace("dev.csv", "-") == described[1]
