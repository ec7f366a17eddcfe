"""The sha256 of data, by which a resume knows that it is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.files import opened_raw

# The files that a reader reads and the sha256 of each, in order; of a reader that names none, that of its values under
# an empty name.
Contents = Sequence[tuple[str, str]]


def fingerprint(reader: Reader) -> str:
    """The sha256 of the files' bytes; of a reader that names no files, of the values it gives.

    Of one file it is what `sha256sum` prints; of several, the sha256 of theirs in order; of a reader of a `folder`, in
    which names tell the labels, that of theirs and the names.
    """
    return whole(reader, contents(reader))


def contents(reader: Reader) -> Contents:
    """What a reader reads, file by file."""
    files = getattr(reader, "files", None)
    if files is None:
        return [("", _of_values(reader))]
    found = []
    for path in files():
        with opened_raw(path) as file:
            found.append((str(path), hashlib.file_digest(file, "sha256").hexdigest()))
    return found


def sha256(path: str | Path) -> str:
    """That of one file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def whole(reader: Reader, found: Contents) -> str:
    """The fingerprint of a reader of which the contents are known."""
    digests = [digest for _, digest in found]
    folder = getattr(reader, "folder", None)
    if folder is not None:
        digests += [Path(path).relative_to(folder).as_posix() for path, _ in found]
    return (
        digests[0]
        if len(digests) == 1
        else hashlib.sha256("".join(digests).encode("utf-8", "surrogateescape")).hexdigest()
    )


def _of_values(reader: Reader) -> str:
    digest = hashlib.sha256(repr(reader.columns()).encode())
    for block in reader.blocks():
        for name, values in block.columns.items():
            if isinstance(values, list):
                text = repr((name, values))
                digest.update(text.encode("utf-8", "surrogatepass"))
            else:
                digest.update(repr((name, values.dtype.str, values.shape)).encode())
                digest.update(values.tobytes())
    return digest.hexdigest()
