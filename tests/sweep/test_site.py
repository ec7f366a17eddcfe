"""Where trials run: how many cores each gets on the machines of a cluster."""

from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainer_cli.cluster import connection, head
from trainer_cli.errors import ClusterError
from trainer_cli.sweep import site
from trainer_cli.sweep.site import cores_each


@pytest.mark.parametrize("machines", [[8, 8, 4], [2], [1, 1, 1], [16, 2, 2, 2]])
def test_all_trials_have_room_at_once_with_as_many_cores_as_they_can(machines):
    for n in range(1, sum(machines) + 1):
        c = cores_each(machines, n)
        assert sum(each // c for each in machines) >= n
        assert all(sum(each // more for each in machines) < n for more in range(c + 1, 20))


def test_of_more_trials_than_cores_each_has_one():
    assert cores_each([2, 2], 5) == 1
    assert cores_each([], 1) == 1


def on_ray(monkeypatch, machines, n_workers, threads="auto", address="auto"):
    """The site that a sweep of so many workers has on such machines, and what the user was told."""
    nodes = [{"Alive": True, "Resources": {"CPU": float(n)}} for n in machines]
    nodes += [{"Alive": False, "Resources": {"CPU": 64.0}}, {"Alive": True, "Resources": {}}]
    asked = []

    @contextmanager
    def connected(address, n_cpus, check):
        asked.append(n_cpus)
        yield SimpleNamespace(nodes=lambda: nodes)

    monkeypatch.setattr(connection, "connected", connected)
    monkeypatch.setattr(head, "watched", lambda ray, check: nullcontext(check))
    ready = SimpleNamespace(
        request=SimpleNamespace(n_workers=n_workers, address=address),
        config=SimpleNamespace(system=SimpleNamespace(threads=threads)),
        n_cores=3,
    )
    lines = []
    with site.on_ray(ready, lambda: None, lines.append) as found:
        assert found.pool(Path("sweep")).n_workers == n_workers
        return found.n_cores, lines, asked[0]


def test_trials_share_the_cores_of_the_machines_that_are_there(monkeypatch):
    assert on_ray(monkeypatch, [8, 8], 4)[:2] == (4, [])
    assert on_ray(monkeypatch, [8, 8], 4, threads=2)[:2] == (2, [])


def test_a_cluster_of_its_own_has_the_cores_that_the_trials_have_without_it(monkeypatch):
    assert on_ray(monkeypatch, [], 4, address=None) == (3, [], 12)
    assert on_ray(monkeypatch, [], 4, threads=5, address=None) == (5, [], 20)


def test_a_cluster_with_less_room_is_told(monkeypatch):
    n_cores, lines, _ = on_ray(monkeypatch, [4, 4], 4, threads=3)
    assert (n_cores, lines) == (3, ["the cluster has room for 2 trials of 3 cores at once, not 4"])


def test_a_cluster_without_a_machine_for_one_trial_is_none(monkeypatch):
    with pytest.raises(ClusterError, match="no machine of the cluster at auto has 8 cores for a trial"):
        on_ray(monkeypatch, [4, 4], 1, threads=8)
