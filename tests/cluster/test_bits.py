"""The same bits without a cluster and with any number of workers."""

import pytest
from cluster_runs import trained
from run_fakes import import_parts, outcome_of, write_data

pytest.importorskip("ray")


@pytest.fixture
def folder(tmp_path):
    import_parts(write_data(tmp_path))
    return tmp_path


@pytest.mark.parametrize("n_workers", [1, 2, 3, 4])
def test_workers_have_the_bits_of_one_process(cluster, folder, n_workers):
    """Dropout, averages, a ragged last batch, batches that grow, dev data in several parts."""
    alone = trained(folder, 0)
    assert outcome_of(trained(folder, n_workers)) == outcome_of(alone)
