import shutil
import sys
import tempfile
from pathlib import Path

import pytest

for folder in ("run", "engines", "cli"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def cluster():
    """A cluster of Ray for all runs of these tests: starting one takes longer than most of them."""
    pytest.importorskip("ray")
    from cluster_runs import cluster_for_all

    with cluster_for_all() as ray:
        yield ray


@pytest.fixture
def short_folder(monkeypatch):
    """The current folder, with a config, of a short name: a sweep's cluster has its sockets in it."""
    from run_fakes import config_of, write_data

    path = Path(tempfile.mkdtemp(prefix="e", dir="/tmp")).resolve()
    monkeypatch.chdir(path)
    config_of(write_data(path))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def pytest_collection_modifyitems(items):
    """Ray leaves its files and processes to the collector."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for kind in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))
