"""Clusters that have not room for all workers of a run."""

import time

import pytest
from cluster_runs import trained, workers
from run_fakes import Silent, config_of, import_parts, outcome_of, train, write_data

from trainer_cli.cluster import crew
from trainer_cli.cluster.actor import Actor
from trainer_cli.cluster.room import Room
from trainer_cli.errors import ConfigError

exceptions = pytest.importorskip("ray.exceptions")


@pytest.fixture
def folder(tmp_path):
    import_parts(write_data(tmp_path))
    return tmp_path


class Ray:
    """Of machines with so many CPUs."""

    exceptions = exceptions

    def __init__(self, *cpus):
        self.cpus = cpus

    def nodes(self):
        found = [{"Alive": True, "Resources": {"CPU": float(n)}} for n in self.cpus]
        return [*found, {"Alive": False, "Resources": {"CPU": 64.0}}, {"Alive": True, "Resources": {}}]


@pytest.mark.parametrize(
    ("cpus", "n", "n_threads", "said"),
    [
        ([2], 3, 1, "3 workers of 1 thread need 3 CPUs, and the cluster has 2 CPUs: take --workers 2,"),
        ([3, 3], 3, 2, "3 workers of 2 threads need 6 CPUs, and the cluster has 6 CPUs on 2 machines: take"),
        ([2], 1, 4, "1 worker of 4 threads need 4 CPUs, .*: set system.threads to 2 or less, or begin when"),
    ],
)
def test_more_workers_than_there_are_places_are_refused_with_both_numbers(cpus, n, n_threads, said):
    with pytest.raises(ConfigError, match=f"^{said}"):
        Room(Ray(*cpus), n, n_threads).check(5, lambda: None)


def test_as_many_workers_as_there_are_places_are_not_refused():
    Room(Ray(2, 1), 3, 1).check(5, lambda: None)
    Room(Ray(4, 3), 3, 2).check(5, lambda: None)


def test_a_run_that_is_too_large_for_its_cluster_is_refused_before_it_begins(cluster, folder):
    config = config_of(folder, "--training.accumulate_gradient", 17, *workers(17))
    said = "17 workers of 1 thread need 17 CPUs, and the cluster has 16 CPUs: take"
    with pytest.raises(ConfigError, match=said) as caught:
        train(config, folder / "run", code=[folder / "parts.py"])
    assert caught.value.exit_code == 2
    assert not (folder / "run" / "checkpoints").exists()


def test_workers_without_a_place_are_told_of_once_and_cost_no_restart(cluster, folder, monkeypatch):
    """The first replaces one that was waited for in vain; the bits are the same with those that have a place."""
    monkeypatch.setattr(crew, "MOST_HOMELESS", 2.0)
    alone = trained(folder, 0)
    hoard = cluster.remote(Actor).options(num_cpus=14).remote()
    cluster.get(hoard.arrive.remote())
    progress = Watching()
    config = config_of(folder, "--training.accumulate_gradient", 5, *workers(3, max_restarts=0, worker_timeout=20))
    try:
        ending = train(config, folder / "run", code=[folder / "parts.py"], progress=progress)
    finally:
        cluster.kill(hoard)
    assert ending.cause is None
    assert outcome_of(folder / "run") == outcome_of(alone)
    assert [line for line in progress.warnings if "has not begun" in line] == progress.warnings
    assert len(progress.warnings) == 1
    assert "it needs 1 free CPU, and " in progress.warnings[0]
    assert "of the cluster's 16 are free" in progress.warnings[0]
    assert "2 of 3 workers" in progress.notes
    assert "3 workers" not in progress.notes


class Watching(Silent):
    """Remembers the notes of the bar; the first step takes longer than a worker has for its answer."""

    def __init__(self):
        super().__init__()
        self.notes = set()

    def step(self, step, state):
        self.notes.add(self.note)
        if len(self.notes) == 1 and step.position.step == 1:
            time.sleep(25)
