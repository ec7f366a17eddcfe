"""A server on this machine that ends is noticed at once, and one that is there is not missed."""

import os
import socket
import subprocess
import sys

import pytest
from killing import ENVIRONMENT

from trainer_cli.cluster.connection import INLINE_BYTES
from trainer_cli.cluster.driver import given
from trainer_cli.cluster.raylet import Raylet, joined
from trainer_cli.errors import ClusterError

# Takes connections until it is killed.
SERVER = """
import socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.bind(sys.argv[1])
    server.listen()
    print("there", flush=True)
    line = server.accept()
    input()
"""

# Where a worker of a cluster of our own has arrays of so many numbers that it is given.
PLACES = """
import sys
import numpy as np
from trainer_cli.cluster.connection import connected

class Actor:
    def place(self, array):
        for line in open("/proc/self/maps"):
            start, end = (int(word, 16) for word in line.split()[0].split("-"))
            if start <= array.ctypes.data < end:
                return "the store" if "/plasma" in line else "its own memory"

with connected(None, 1) as ray:
    actor = ray.remote(Actor).options(num_cpus=1).remote()
    print(*(ray.get(actor.place.remote(np.ones(int(word)))) for word in sys.argv[1:]), sep=", ")
"""

# Leaves the connection of a cluster of its own whose raylet is gone, as a process whose parent is gone.
ORPHAN = """
import os, signal, time
from pathlib import Path
from trainer_cli.cluster.connection import connected
from trainer_cli.cluster.processes import descendants

parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    time.sleep(0.01)
with connected(None, 1):
    for each in descendants(os.getpid()):
        if Path(f"/proc/{each.pid}/comm").read_text() == "raylet\\n":
            os.kill(each.pid, signal.SIGKILL)
            print("killed")
print("and left")
"""


class Ray:
    """Ray as a process has it that is connected to the node `here`."""

    def __init__(self, nodes, is_client=False):
        self.listed, self.is_client = nodes, is_client
        self.util = self.client = self.ray = self.cloudpickle = self

    def is_connected(self):
        return self.is_client

    def get_runtime_context(self):
        return self

    def get_node_id(self):
        return "here"

    def nodes(self):
        assert not self.is_client
        return self.listed

    def dumps(self, value):
        return bytes(value)

    def put(self, value):
        return "reference", value


def node(name, path):
    return {"NodeID": name, "RayletSocketName": str(path)}


def test_a_raylet_is_there_until_its_process_has_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a path of a socket is short
    line = [sys.executable, "-c", SERVER, "socket"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with joined(Ray([node("there", "other"), node("here", "socket")])) as check:
            check()
            check()
            process.kill()
            process.wait()
            for _ in range(2):
                with pytest.raises(ClusterError, match=r"Ray's server on this machine \(raylet\) has ended"):
                    check()


def test_a_raylet_that_never_took_the_line_is_missed_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen()
        raylet = Raylet("socket")
        assert raylet.is_there()
    assert not raylet.is_there()
    raylet.line.close()


def test_none_is_looked_for_by_a_client_or_where_none_can_be_reached(tmp_path):
    n_files = len(os.listdir("/proc/self/fd"))
    for ray in (Ray([], is_client=True), Ray([]), Ray([node("here", tmp_path / "none")])):
        with joined(ray) as check:
            check()
    assert len(os.listdir("/proc/self/fd")) == n_files


def test_an_order_goes_along_with_the_call_unless_it_is_large():
    ray = Ray([])
    assert given(ray, 99, 100) == 99
    assert given(ray, 100, 100) == ("reference", 100)


def test_what_goes_along_with_a_call_on_a_cluster_of_our_own_is_not_in_its_store():
    """Where Ray would have put it by itself, from 100 kB on; what is larger still is there, which this would see."""
    pytest.importorskip("ray")
    numbers = [str(n_bytes // 8) for n_bytes in (INLINE_BYTES // 2, INLINE_BYTES + 8)]
    line = [sys.executable, "-c", PLACES, *numbers]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "its own memory, the store\n", done.stderr


def test_a_process_without_a_parent_outlives_its_connection_to_a_raylet_that_is_gone():
    """Ray would end it there: it takes its parent for the raylet, where it is told of no other."""
    pytest.importorskip("ray")
    done = subprocess.run([sys.executable, "-c", ORPHAN], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "killed\nand left\n", done.stderr
