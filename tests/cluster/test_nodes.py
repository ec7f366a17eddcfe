"""Clusters of several nodes, which fail."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cluster_runs import trained
from killing import ENVIRONMENT
from run_fakes import import_parts, outcome_of, write_data

pytest.importorskip("ray")


@pytest.fixture
def folder(tmp_path):
    import_parts(write_data(tmp_path))
    return tmp_path


def nodes(folder, *words):
    script = Path(__file__).with_name("nodes.py")
    done = subprocess.run(
        [sys.executable, "-P", str(script), str(folder), *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "found.json").read_text())


def test_two_nodes_that_go_take_no_bit_with_them(folder):
    """Three nodes with a worker each: those on other nodes get their weights through the object store."""
    alone = trained(folder, 0)
    found = nodes(folder, "node")
    assert found["cause"] is None
    assert found["nodes"] == 3
    assert found["ways"] == ["object store", "shared memory"]
    assert sum("is lost" in line for line in found["warnings"]) >= 2
    assert outcome_of(folder / "run") == outcome_of(alone)


def test_a_store_that_is_full_costs_no_bit(folder):
    alone = trained(folder, 0)
    found = nodes(folder, "full")
    assert (found["cause"], found["nodes"], found["hoard"]) == (None, 2, 90 << 20)
    assert outcome_of(folder / "run") == outcome_of(alone)


@pytest.mark.parametrize("what", ["node", "full"])
def test_a_block_that_is_left_out_and_weights_of_before_are_seen(folder, what):
    """Planted: what a lost node was to compute counts for nothing; a full store keeps the weights that it has."""
    alone = trained(folder, 0, "--training.max_steps", 24)
    assert nodes(folder, what, "planted")["cause"] is None
    planted = outcome_of(folder / "run")
    assert planted["state"]["step"] == outcome_of(alone)["state"]["step"] == 24
    assert planted["optimizer"] != outcome_of(alone)["optimizer"]


def test_a_cluster_that_cannot_be_reached_ends_the_run_saved(folder):
    alone = trained(folder, 0)
    found = nodes(folder, "lost")
    assert found["code"] == 4
    assert found["saved"].endswith("step-0000000020")
    assert found["seconds"] < 60
    trained(folder, 0, name="run")
    assert outcome_of(folder / "run") == outcome_of(alone)
