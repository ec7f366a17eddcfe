import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from trainer_cli import storage


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """A disk that does not wait for its platters; tests of faults put their own in its place."""
    from storage_fakes import Disk

    disk = Disk()
    monkeypatch.setattr(storage, "os", disk)
    return disk
