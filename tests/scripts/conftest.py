from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable

import pytest


def packed_files(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def packed() -> Callable[[dict[str, bytes]], bytes]:
    """A packed tar archive of these files."""
    return packed_files


@pytest.fixture
def sha256() -> Callable[[bytes], str]:
    return lambda content: hashlib.sha256(content).hexdigest()
