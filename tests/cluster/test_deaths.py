"""Workers and drivers that die or hang: the bits are the same, or the run is saved."""

import os
import random
import signal

import pytest
from cluster_runs import trained, workers
from killing import SLOW, WorkerKiller, begin, run_with_kills, seconds_to_end, workers_of
from run_fakes import CONFIG, PARTS, Silent, config_of, import_parts, outcome_of, steps, train, write_data

from trainer_cli import storage
from trainer_cli.errors import ClusterError

pytest.importorskip("ray")

TEXT = CONFIG.replace("[model.*.hidden]", '[model.*.slow]\n@layers = "slow.v1"\n\n[model.*.hidden]')
SHARED = ("--training.accumulate_gradient", 5, *workers(3))
N_DRIVERS, N_WORKERS = 5, 20


@pytest.fixture
def folder(tmp_path):
    """A run in which a step may take its time."""
    write_data(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS + SLOW)
    import_parts(tmp_path)
    return tmp_path


def train_on(folder, name, *overrides, progress=None):
    config = config_of(folder, *SHARED, *overrides, text=TEXT)
    return train(config, folder / name, resume=True, progress=progress, code=[folder / "parts.py"])


def test_twenty_workers_and_five_drivers_are_killed_in_one_run(cluster, folder):
    """At random moments: while they start, in a step, between two. What a driver leaves ends within ten seconds."""
    alone = trained(folder, 0, text=TEXT)
    (folder / "slow").write_text("0.25")  # the run is not to be over before they are killed
    config_of(folder, text=TEXT)
    address = cluster.get_runtime_context().gcs_address
    kills = run_with_kills(folder, address, random.Random(3), N_DRIVERS, N_WORKERS)
    assert (kills.drivers, kills.workers.total()) == (N_DRIVERS, N_WORKERS)
    assert kills.seconds < 10
    assert outcome_of(folder / "run") == outcome_of(alone)


# Ends the driver after the first file of a checkpoint, where there is a whole one already.
DYING = """

import signal
from trainer_cli import storage

write = storage._write_new


def dying(path, data):
    write(path, data)
    here = Path(__file__).parent
    if (here / "die").exists() and any(path.parent.parent.glob("step-*")):
        os.kill(os.getpid(), signal.SIGKILL)


storage._write_new = dying
"""

# Has that checkpoint written where it is to be, before it is whole.
IN_PLACE = """
temporary = storage.temporary


def in_place(path, *word):
    here = Path(__file__).parent
    is_next = path.name.startswith("step-") and any(path.parent.glob("step-*"))
    return path if is_next and (here / "die").exists() else temporary(path, *word)


storage.temporary = in_place
"""


def killed_within_a_checkpoint(cluster, folder, code):
    """Of a run whose driver this code ends: what is there that is no checkpoint yet."""
    with (folder / "parts.py").open("a") as file:
        file.write(code)
    config_of(folder, text=TEXT)
    (folder / "die").touch()
    words = ["run.cfg", "-o", "run", "--resume", "--quiet", "--code", "parts.py", *SHARED]
    words.append(f"--address={cluster.get_runtime_context().gcs_address}")
    driver = begin(*words, folder=folder)
    assert driver.wait() == -signal.SIGKILL
    driver.stderr.close()
    assert seconds_to_end(workers_of(os.getpid())) < 10
    (folder / "die").unlink()
    return [path.name for path in (folder / "run" / "checkpoints").iterdir() if not path.name.startswith("step-")]


@pytest.fixture
def kept_storage(monkeypatch):
    """This process imports the code of the one that is killed as well."""
    for name in ("_write_new", "temporary"):
        monkeypatch.setattr(storage, name, getattr(storage, name))


@pytest.mark.usefixtures("kept_storage")
def test_a_driver_that_is_killed_within_a_checkpoint_goes_on_to_the_same_bits(cluster, folder):
    alone = trained(folder, 0, text=TEXT)
    assert killed_within_a_checkpoint(cluster, folder, DYING)
    assert train_on(folder, "run").cause is None
    assert outcome_of(folder / "run") == outcome_of(alone)


@pytest.mark.usefixtures("kept_storage")
def test_a_checkpoint_that_is_written_in_place_is_seen(cluster, folder):
    """Planted: what was written by half has the name of a whole one."""
    assert not killed_within_a_checkpoint(cluster, folder, DYING + IN_PLACE)
    assert len(steps(folder / "run")) == 2


def test_a_worker_that_hangs_or_is_stopped_is_replaced(cluster, folder):
    alone = trained(folder, 0, text=TEXT)
    stopper = Stopper(folder)
    ending = train_on(folder, "run", "--cluster.worker_timeout", 8, progress=stopper)
    assert ending.cause is None
    assert (folder / "hangs").exists()
    assert outcome_of(folder / "run") == outcome_of(alone)
    assert sum("has not answered for 8 s: another one is started" in line for line in stopper.warnings) >= 2
    assert seconds_to_end([stopper.stopped]) < 10


class Stopper(Silent):
    """Lets one worker hang, and stops another, which is there but does nothing from then on."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.stopped = folder, None

    def step(self, step, state):
        if step.position.step == 10:
            (self.folder / "hang").touch()
        if step.position.step == 20:
            self.stopped = workers_of(os.getpid())[0]
            os.kill(self.stopped.pid, signal.SIGSTOP)


class Interrupter(Silent):
    """Sends SIGINT to all workers, as a terminal does at Ctrl-C."""

    def step(self, step, state):
        if step.position.step == 10:
            for worker in workers_of(os.getpid()):
                os.kill(worker.pid, signal.SIGINT)


def test_a_ctrl_c_costs_no_worker_before_the_driver_has_heard_of_it(cluster, folder):
    """Those of Ray's processes that are asked to stop by it would be replaced in the meantime."""
    progress = Interrupter()
    assert train_on(folder, "run", progress=progress).cause is None
    assert progress.warnings == []


def test_a_run_that_loses_too_many_workers_is_saved_and_goes_on_to_the_same_bits(cluster, folder):
    alone = trained(folder, 0, text=TEXT)
    (folder / "slow").touch()
    ending = train_on(folder, "run", "--cluster.max_restarts", 1, progress=WorkerKiller(100))
    assert isinstance(ending.cause, ClusterError)
    assert ending.cause.exit_code == 4
    assert "1 were replaced before it, as max_restarts says" in str(ending.cause)
    assert ending.saved is not None
    assert 0 < steps(folder / "run")[0] < 60
    assert train_on(folder, "run").cause is None
    assert outcome_of(folder / "run") == outcome_of(alone)
