import os
import shutil
import sys
import tempfile
from pathlib import Path

import catalogue
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trainer_cli.registry import registry


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """A disk that does not wait for its platters."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def tmp_path():
    """A folder in memory where there is one: thousands of small files are written here."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None)).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data(tmp_path):
    from run_fakes import write_data

    return write_data(tmp_path)


@pytest.fixture
def own_parts(data, monkeypatch):
    """The user's parts are registered, for one test."""
    from run_fakes import import_parts

    for kind in registry.kinds.values():
        kind.names()  # built-in parts are registered for good
    monkeypatch.setattr(catalogue, "REGISTRY", dict(catalogue.REGISTRY))
    import_parts(data)
    yield data
    del sys.modules["trainer_code_parts"]
