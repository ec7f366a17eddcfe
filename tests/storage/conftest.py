import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trainer_cli import storage


@pytest.fixture
def tmp_path():
    """A folder in memory where there is one: thousands of small files are written here."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None)).resolve()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """A disk that does not wait for its platters; tests of faults put their own in its place."""
    from storage_fakes import Disk

    disk = Disk()
    monkeypatch.setattr(storage, "os", disk)
    return disk
