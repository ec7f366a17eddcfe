"""Starts of Ray that fail: those that have taken long are tried again."""

import os

import pytest

from trainer_cli.cluster import connection
from trainer_cli.cluster.connection import N_STARTS, connected, own
from trainer_cli.errors import ClusterError, Stopped


class Ray:
    """Starts at the `n`-th time."""

    def __init__(self, n):
        self.n, self.n_starts, self.n_stops = n, 0, 0

    def init(self, **how):
        self.n_starts += 1
        if self.n_starts < self.n:
            raise Exception("The current node timed out during startup.")

    def shutdown(self):
        self.n_stops += 1


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(connection, "SLOW", -1.0)


def test_a_slow_start_is_tried_again_after_what_was_started_has_ended(slow):
    ray = Ray(3)
    with own(ray, 1):
        assert (ray.n_starts, ray.n_stops) == (3, 2)
    assert ray.n_stops == 3


def test_a_start_that_is_slow_every_time_is_told_with_what_to_do(slow):
    ray = Ray(100)
    with (
        pytest.raises(ClusterError, match=r"startup\. It was tried 4 times\. .* or run `ray start --head` and"),
        own(ray, 1),
    ):
        pass
    assert (ray.n_starts, ray.n_stops) == (N_STARTS, N_STARTS)


def test_a_start_that_fails_at_once_would_fail_again():
    ray = Ray(100)
    with pytest.raises(ClusterError, match=r"at local: The current node timed out during startup\.$"), own(ray, 1):
        pass
    assert (ray.n_starts, ray.n_stops) == (1, 1)


def test_a_signal_ends_a_slow_start(slow):
    ray = Ray(100)

    def check():
        raise Stopped("SIGINT", 130)

    with pytest.raises(Stopped), own(ray, 1, check=check):
        pass
    assert ray.n_starts == 1


def test_within_a_connection_the_environment_is_left_alone(cluster):
    """Ray's threads read it, and a process in which that is changed meanwhile may end with a segmentation fault."""
    before = dict(os.environ)
    with connected(None, 1) as ray:
        assert ray is cluster
        assert dict(os.environ) == before
