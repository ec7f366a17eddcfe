"""Clusters of a process of their own, of which the head can be killed."""

import subprocess
import sys
from contextlib import contextmanager

from killing import ENVIRONMENT

from trainer_cli.cluster.processes import descendants, end

# The head dies at a line `kill`, all at the next one; a line with the address tells that the cluster is there.
HEAD = """import sys
from ray.cluster_utils import Cluster
found = Cluster(initialize_head=True, head_node_args={'num_cpus': int(sys.argv[1]), 'object_store_memory': 80 << 20})
print(found.address, flush=True)
if input() == 'kill':
    found.head_node.kill_gcs_server()
    input()
found.shutdown()
"""


class Head:
    """A cluster at `address`, which runs in `process`."""

    def __init__(self, process):
        self.process, self.address = process, process.stdout.readline().strip()

    def kill(self):
        self.process.stdin.write("kill\n")
        self.process.stdin.flush()


@contextmanager
def head(n_cpus, **environment):
    """A cluster within the block, which is started with these variables as well."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    line = [sys.executable, "-c", HEAD, str(n_cpus)]
    with subprocess.Popen(line, env={**ENVIRONMENT, **environment}, **pipes) as process:
        try:
            yield Head(process)
        finally:
            family = descendants(process.pid)
            process.communicate("end\n")
            end(family, 5)  # some of Ray's look for their head for a minute more
