"""Many workers for one run, and the bits of one; importing this package registers the clusters that a config can name.

Ray is imported when a run with workers begins.
"""

from trainer_cli.cluster import ray

__all__ = ["ray"]
