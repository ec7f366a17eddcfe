import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "run"))
sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """A disk that does not wait for its platters."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a user works: data, a config and parts of their own; it is the current folder."""
    from run_fakes import config_of, write_data

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAINER_CONFIG_OVERRIDES", raising=False)
    config_of(write_data(tmp_path))
    return tmp_path
