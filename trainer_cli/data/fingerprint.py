"""The sha256 of data, by which a resume knows that it is the same."""

from __future__ import annotations

import hashlib

from trainer_cli.data.reader import Reader
from trainer_cli.data.readers.files import opened_raw


def fingerprint(reader: Reader) -> str:
    """The sha256 of the files' bytes; of a reader that names no files, of the values it gives.

    Of one file it is what `sha256sum` prints; of several, the sha256 of theirs in order; of a reader of a `folder`, in
    which names tell the labels, that of theirs and the names.
    """
    files = getattr(reader, "files", None)
    if files is None:
        return _of_values(reader)
    digests = []
    for path in files():
        with opened_raw(path) as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    folder = getattr(reader, "folder", None)
    if folder is not None:
        digests += [path.relative_to(folder).as_posix() for path in files()]
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
