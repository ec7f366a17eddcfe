import os
import sys
from pathlib import Path

import pytest

from trainer_cli import user_code

sys.path.insert(0, str(Path(__file__).parent.parent / "run"))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where a user works: data, a config and parts of their own; it is the current folder."""
    from run_fakes import config_of, write_data

    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRAINER_CONFIG_OVERRIDES", raising=False)
    for name in [name for name in sys.modules if name.startswith(user_code.PREFIX)]:
        monkeypatch.delitem(sys.modules, name)  # what another test has imported
    config_of(write_data(tmp_path))
    return tmp_path
