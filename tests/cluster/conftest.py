import sys
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


def pytest_collection_modifyitems(items):
    """Ray leaves its files and processes to the collector."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for kind in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))
