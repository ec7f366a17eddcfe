"""Runs on several nodes of a cluster, all on this machine; nodes and stores fail. What happened is told in found.json.

A process of its own, since one process is connected to one cluster: nodes.py FOLDER (node | lost | full)
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))

import run_fakes

from trainer_cli.cluster.connection import QUIET
from trainer_cli.cluster.driver import Driver
from trainer_cli.user_code import import_files


class Failing(run_fakes.Silent):
    """Has something fail after update `step`."""

    def __init__(self, step, fail):
        super().__init__()
        self.at, self.fail, self.when = step, fail, None

    def step(self, step, state):
        if step.position.step == self.at:
            self.fail()
            self.when = time.monotonic()


def observed():
    """The nodes and the ways on which workers get their weights, as they are used."""
    nodes, ways = set(), set()
    is_near = Driver.is_near

    def looked(self, member):
        near = is_near(self, member)
        nodes.add(member.where.node)
        ways.add("shared memory" if near else "object store")
        return near

    Driver.is_near = looked
    return nodes, ways


def run(folder, name, progress, *overrides):
    given = ["--training.accumulate_gradient", 5, "--cluster.@clusters", "ray.v1", "--cluster.workers", 3, *overrides]
    config = run_fakes.config_of(folder, *given)
    return run_fakes.train(config, folder / name, progress=progress, resume=True, code=[folder / "parts.py"])


def main(folder, what):
    os.environ |= QUIET
    import ray
    from ray.cluster_utils import Cluster

    import_files([folder / "parts.py"])
    small = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    others = [cluster.add_node(num_cpus=n, object_store_memory=80 << 20) for n in ((1, 1) if what == "node" else (2,))]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    nodes, ways = observed()
    found = {}
    if what == "node":
        progress = Failing(20, lambda: cluster.remove_node(others[1], allow_graceful=False))
        # Two of three nodes are left, with one CPU each: the third worker waits for a place that never comes.
        ending = run(folder, "run", progress, "--cluster.worker_timeout", 15)
        found["warnings"] = progress.warnings
    elif what == "full":
        hoard = [ray.put(bytes(30 << 20)) for _ in range(2)]  # most of the store, and it may not be let go
        ending = run(folder, "run", run_fakes.Silent())
        found["hoard"] = len(ray.get(hoard[0]))
    else:

        def lose():
            cluster.remove_node(others[0], allow_graceful=False)
            cluster.head_node.kill_gcs_server()

        progress = Failing(20, lose)
        ending = run(folder, "run", progress)
        found["seconds"] = time.monotonic() - progress.when
    cause = ending.cause
    found |= {"nodes": len(nodes), "ways": sorted(ways), "cause": cause and str(cause), "saved": str(ending.saved)}
    found["code"] = cause and cause.exit_code
    (folder / "found.json").write_text(json.dumps(found))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
