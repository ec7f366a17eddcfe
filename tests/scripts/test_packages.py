import hashlib
from pathlib import Path

import packages
import pytest


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Put a client of this name on the path, alone; it runs the shell lines."""

    def make(name, lines):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("name", "fetch", "file"),
    [
        ("pip", packages.python_source, "thing-1.0.tar.gz"),
        ("npm", packages.node_archive, "thing-1.0.tgz"),
    ],
)
def test_the_client_downloads_into_the_folder(client, name, fetch, file):
    folder = client(name, f'echo "$@" > arguments; touch {file}')
    assert fetch("thing", "1.0", folder) == folder / file
    assert "thing" in (folder / "arguments").read_text()


@pytest.mark.parametrize(("fetch", "name"), [(packages.python_source, "pip"), (packages.node_archive, "npm")])
def test_a_client_that_is_not_there_is_named_with_what_to_do(tmp_path, monkeypatch, fetch, name):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(packages.GetDataError, match=f"{name} is not here to fetch thing; give a folder"):
        fetch("thing", "1.0", tmp_path)


@pytest.mark.parametrize(
    ("name", "fetch", "lines", "told"),
    [
        (
            "pip",
            packages.python_source,
            "echo 'ERROR: no such version' >&2; echo notice >&2; exit 1",
            "no such version",
        ),
        ("npm", packages.node_archive, "echo 'npm error code E404' >&2; echo 'npm error a log' >&2; exit 1", "E404"),
        ("npm", packages.node_archive, "exit 7", "exit code 7"),
    ],
)
def test_a_download_that_fails_says_what_the_client_said(client, name, fetch, lines, told):
    folder = client(name, lines)
    with pytest.raises(packages.GetDataError, match=f"failed: .*{told}; or give a folder"):
        fetch("thing", "1.0", folder)


def test_a_client_that_brings_nothing_is_an_error(client):
    with pytest.raises(packages.GetDataError, match=r"holds 0 files thing-\*\.tgz, and one is needed"):
        packages.node_archive("thing", "1.0", client("npm", "true"))


def test_no_folder_is_one_clear_line(tmp_path):
    with pytest.raises(packages.GetDataError, match="no folder is there"):
        packages.archive_in(tmp_path / "no", "thing", "tgz")


def test_members_are_read_without_being_written(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = packed({"a/one": b"1", "../two": b"2"})
    assert dict(packages.members(content, "it")) == {"a/one": b"1", "../two": b"2"}
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("damage", [lambda content: content[:40], lambda content: b"text"])
def test_a_damaged_archive_is_named(packed, damage):
    with pytest.raises(packages.GetDataError, match=r"it cannot be read as an archive"):
        list(packages.members(damage(packed({"a": b"1" * 1000})), "it"))


def test_only_the_expected_content_passes():
    expected = hashlib.sha256(b"text").hexdigest()
    assert packages.check(b"text", expected, "it") == b"text"
    with pytest.raises(packages.GetDataError, match=f"it is not what it was: sha256 .* {expected} was expected"):
        packages.check(b"Text", expected, "it")
