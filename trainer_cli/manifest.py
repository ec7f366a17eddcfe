"""The manifest of a folder: size and sha256 of every file, and of itself on its last line; it is written last.

It proves that a folder is complete and unchanged. It does not prove who wrote it: whoever can change a file can also
write a manifest that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from trainer_cli import json_text
from trainer_cli.errors import ModelFileError, Problem
from trainer_cli.folder import Folder, damaged

NAME = "manifest.json"
FORMAT = 1
MAX_SIZE = 1 << 20
FILE_NAME = re.compile(r"([a-z0-9_-][a-z0-9_.-]{0,63}/)?[a-z0-9_-][a-z0-9_.-]{0,63}")
SEAL = re.compile(rb'  "self": "([0-9a-f]{64})"\n\}\n')


@dataclass(frozen=True)
class Entry:
    """What a file must be."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`files` by relative name with forward slashes; `step` is None in a model folder; `seal` is the self-hash."""

    step: int | None
    files: Mapping[str, Entry]
    seal: str


def make(files: Mapping[str, bytes], step: int | None = None) -> bytes:
    """The content of manifest.json for `files`."""
    table = {name: {"sha256": sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()}
    assert all(FILE_NAME.fullmatch(name) for name in table), f"names a manifest cannot hold: {sorted(table)}"
    body: dict[str, Any] = {"format": FORMAT, "files": table} | ({} if step is None else {"step": step})
    head = json_text.dumps(body).removesuffix(b"\n}\n") + b",\n"
    return head + b'  "self": "' + sha256(head).hexdigest().encode() + b'"\n}\n'


def load(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the files it lists, by name: the very bytes that were checked."""
    with Folder(folder) as opened:
        manifest = read(opened)
        return manifest, dict(contents(opened, manifest))


def read(folder: Folder) -> Manifest:
    """The manifest of an open folder; its own hash is checked, the files are not yet."""
    path = folder.path / NAME
    data = folder.read(NAME, MAX_SIZE)
    head, seal = data[: data.rfind(b"\n", 0, -3) + 1], SEAL.fullmatch(data[data.rfind(b"\n", 0, -3) + 1 :])
    if seal is None or sha256(head).hexdigest().encode() != seal[1]:
        raise damaged(path, "its own hash, on the last line, is missing or does not fit")
    try:
        body = json_text.loads(data)
    except ValueError as err:
        raise damaged(path, str(err)) from err
    check_format(body, path)
    return Manifest(_step(body, path), _entries(body, path), seal[1].decode())


def contents(folder: Folder, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Each file of the manifest and its bytes, checked; at most one folder deep."""
    yield from _within(folder, "", manifest)
    for sub in sorted({name.partition("/")[0] for name in manifest.files if "/" in name}):
        with folder.folder(sub) as inner:
            yield from _within(inner, f"{sub}/", manifest)


def _within(folder: Folder, prefix: str, manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    folder.names()  # refuses links and the like, also beside the files that are listed
    for name, entry in manifest.files.items():
        if name.rpartition("/")[0] != prefix.removesuffix("/"):
            continue
        data = folder.read(name.removeprefix(prefix), entry.size)
        if len(data) != entry.size or sha256(data).hexdigest() != entry.sha256:
            raise damaged(folder.path / name.removeprefix(prefix), "is not what the manifest says (size, sha256)")
        yield name, data


def check_format(body: Any, path: Path) -> None:
    """Refuse what a later version wrote, which is no damage: an update reads it."""
    found = body.get("format") if isinstance(body, dict) else None
    if type(found) is not int or found < 1:
        raise damaged(path, "has no format number")
    if found > FORMAT:
        message = f"has format {found}; this version reads up to {FORMAT}. Update trainer-cli to read it."
        raise ModelFileError(problems=[Problem(message, path=str(path))])


def _step(body: dict[str, Any], path: Path) -> int | None:
    step = body.get("step")
    if step is not None and (type(step) is not int or step < 0):
        raise damaged(path, "the step is not a count")
    return step


def _entries(body: dict[str, Any], path: Path) -> dict[str, Entry]:
    files = body.get("files")
    if not isinstance(files, dict):
        raise damaged(path, "lists no files")
    entries = {}
    for name, entry in files.items():
        if not FILE_NAME.fullmatch(name) or name == NAME:
            raise damaged(path, f"lists {name[:80]!r}, which is no name of a file here")
        size, digest = (entry.get("size"), entry.get("sha256")) if isinstance(entry, dict) else (None, None)
        if type(size) is not int or size < 0 or not isinstance(digest, str):
            raise damaged(path, "a file needs a size and a sha256", name)
        entries[name] = Entry(size, digest)
    return entries
