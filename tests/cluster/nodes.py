"""Runs on several nodes of a cluster, all on this machine; nodes and stores fail. What happened is told in found.json.

A process of its own, since one process is connected to one cluster: nodes.py FOLDER (node | lost | full) [planted]

`planted` has a mistake made, and ends the run soon after it.
"""

import json
import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))

import run_fakes

from trainer_cli.cluster.connection import QUIET
from trainer_cli.cluster.crew import Crew
from trainer_cli.cluster.driver import Driver
from trainer_cli.user_code import import_files


class Failing(run_fakes.Silent):
    """Has something fail after some updates."""

    def __init__(self, failures):
        super().__init__()
        self.failures, self.when = failures, None

    def step(self, step, state):
        if step.position.step in self.failures:
            self.failures.pop(step.position.step)()
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


def leave_out():
    """Planted: where a worker was lost, a block that is computed again counts for nothing."""
    lost, lose, own = [], Crew.lose, Driver.own

    def losing(self, call, *given):
        lost.extend([] if call.job is None else [call.job])
        lose(self, call, *given)

    def owning(self, *given):
        answer = own(self, *given)
        if lost:
            lost.clear()
            answer.sums.dense[...] = 0
        return answer

    Crew.lose, Driver.own = losing, owning


def keep_first(ray):
    """Planted: what has no room in the store is not put there, and those on other nodes get the weights of before."""
    put, kept = ray.put, []

    def putting(value):
        if not isinstance(value, np.ndarray):
            return put(value)
        kept.append(put(value) if not kept else kept[0])
        return kept[0]

    ray.put = putting


def run(folder, name, progress, *overrides):
    given = ["--training.accumulate_gradient", 5, "--cluster.@clusters", "ray.v1", "--cluster.workers", 3, *overrides]
    config = run_fakes.config_of(folder, *given)
    return run_fakes.train(config, folder / name, progress=progress, resume=True, code=[folder / "parts.py"])


def main(folder, what, planted=""):
    os.environ |= QUIET
    import ray
    from ray.cluster_utils import Cluster

    import_files([folder / "parts.py"])
    small = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    others = [cluster.add_node(num_cpus=n, object_store_memory=80 << 20) for n in ((1, 1) if what == "node" else (2,))]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    nodes, ways = observed()
    found, short = {}, ("--training.max_steps", 24) if planted else ()
    if what == "node":
        # One of three nodes is left, with one CPU: the other workers wait for a place that never comes.
        if planted:
            leave_out()
        gone = [partial(cluster.remove_node, node, allow_graceful=False) for node in others]
        progress = Failing({20: gone[0], 40: gone[1]})
        ending = run(folder, "run", progress, "--cluster.worker_timeout", 15, *short)
        found["warnings"] = progress.warnings
    elif what == "full":
        # More than the store has room for. What somebody looks at may not go from memory to the disk.
        hoard = [ray.get(ray.put(np.ones(9 << 20, np.uint8))) for _ in range(10)]
        if planted:
            keep_first(ray)
        ending = run(folder, "run", run_fakes.Silent(), *short)
        found["hoard"] = sum(int(each.sum()) for each in hoard)
    else:

        def lose():
            cluster.remove_node(others[0], allow_graceful=False)
            cluster.head_node.kill_gcs_server()

        progress = Failing({20: lose})
        ending = run(folder, "run", progress)
        found["seconds"] = time.monotonic() - progress.when
    cause = ending.cause
    found |= {"nodes": len(nodes), "ways": sorted(ways), "cause": cause and str(cause), "saved": str(ending.saved)}
    found["code"] = cause and cause.exit_code
    (folder / "found.json").write_text(json.dumps(found))
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
