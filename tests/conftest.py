import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent / "reference"))
sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

# The same examples in every run, and no opinion on how long one takes: a busy machine is no mistake.
settings.register_profile(
    "repeatable", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True, scope="session")
def traces(tmp_path_factory):
    """What a command keeps of an error, and all else without a place, goes where pytest cleans up."""
    folder = tmp_path_factory.mktemp("traces")
    kept, tempfile.tempdir = os.environ.get("TMPDIR"), str(folder)
    os.environ["TMPDIR"] = str(folder)
    yield
    tempfile.tempdir = None
    if kept is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = kept
