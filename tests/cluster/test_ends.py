"""A run that starts a cluster of its own leaves no process and no folder behind, however it ends."""

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from heads import head
from killing import SLOW, begin, seconds_to_end, started, token_mode, wait_until, work_of, workers_of
from run_fakes import ADAM, CONFIG, PARTS, outcome_of, steps, write_data

from trainer_cli.cluster.folder import OWNER, temporary_folder
from trainer_cli.cluster.processes import alive, descendants, end

pytest.importorskip("ray")

TEXT = CONFIG.replace("[model.*.hidden]", '[model.*.slow]\n@layers = "slow.v1"\n\n[model.*.hidden]')
WORDS = ("run.cfg", "-o", "run", "--quiet", "--code", "parts.py", "--workers=2", "--training.accumulate_gradient=2")


@pytest.fixture
def folder():
    """Of a short name: it is the temporary folder of the command as well, in which Ray has its sockets."""
    path = Path(tempfile.mkdtemp(prefix="e", dir="/tmp"))
    write_data(path, n_dev=200)
    (path / "parts.py").write_text(PARTS + SLOW)
    (path / "slow").touch()
    (path / "run.cfg").write_text(TEXT.format(folder=path, optimizer=ADAM))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def left(folder):
    return [path.name for path in folder.glob("ray-*")]


def stopped(folder, number, when, *words):
    """Start the command, wait until `when`, send the signal to all of its group as a terminal does; what it said."""
    process = begin(*WORDS, "--training.max_steps=100000", *words, folder=folder, TMPDIR=str(folder))
    wait_until(lambda: when(process), process)
    family = started(process.pid)
    os.killpg(process.pid, number)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number, said
    assert not alive(family)
    assert left(folder) == []
    return said


def test_ctrl_c_while_ray_and_then_while_the_workers_start(folder):
    said = stopped(folder, signal.SIGINT, lambda process: left(folder))
    assert said.startswith("Stopped (SIGINT): nothing is saved yet. Next: trainer train run.cfg -o run")
    said = stopped(folder, signal.SIGTERM, lambda process: workers_of(process.pid))
    assert "\nStopped (SIGTERM): nothing is saved yet." in f"\n{said}"  # Ray may have said something before


def test_ctrl_c_in_an_evaluation(folder):
    """What was counted is not told, and the update before it is kept."""
    (folder / "slow").unlink()
    (folder / "late").touch()

    def when(process):
        return any(work_of(worker) == "in an evaluation" for worker in workers_of(process.pid))

    words = ("--training.eval_frequency=7", "--training.eval_batch_size=1")
    said = stopped(folder, signal.SIGINT, when, *words)
    assert said.startswith("Stopped (SIGINT): the run is saved at step 7. Next: ")
    assert (folder / "run" / "metrics.jsonl").read_bytes() == b""


def test_ctrl_c_in_a_step_and_a_driver_that_is_killed(folder):
    """It listens on this machine alone. What a killed one leaves: no process after ten seconds, and a folder until the
    next run starts."""
    log = folder / "run" / "metrics.jsonl"
    said = stopped(folder, signal.SIGINT, lambda process: log.exists() and log.read_bytes())
    assert said.startswith(f"Stopped (SIGINT): the run is saved at step {steps(folder / 'run')[0]}. Next: ")

    process = begin(*WORDS, "--resume", "--training.max_steps=100000", folder=folder, TMPDIR=str(folder))
    n_rows = log.read_bytes().count(b"\n")
    wait_until(lambda: log.read_bytes().count(b"\n") > n_rows, process)
    family = started(process.pid)
    assert len(workers_of(process.pid)) == 2
    assert listening(family) == {"0100007F"}  # 127.0.0.1
    process.kill()
    process.communicate()
    assert seconds_to_end(family) < 10
    assert len(left(folder)) == 1

    step = steps(folder / "run")[0]
    done = begin(*WORDS, "--resume", f"--training.max_steps={step + 20}", folder=folder, TMPDIR=str(folder))
    said = done.communicate()[1]
    assert done.returncode == 0, said
    assert left(folder) == []


def named(name, processes):
    """The first of some processes that has this name, of up to 15 letters (proc_pid_comm(5))."""
    return next(each for each in processes if Path(f"/proc/{each.pid}/comm").read_text() == f"{name}\n")


def without(name, folder, *words, among=started):
    """What a run says of whose cluster the process of this name is killed: it is saved, and nothing of it is left."""
    log = folder / "run" / "metrics.jsonl"
    process = begin(*WORDS, "--training.max_steps=100000", *words, folder=folder, TMPDIR=str(folder))
    wait_until(lambda: log.exists() and log.read_bytes(), process)
    family = started(process.pid)
    os.kill(named(name, among(process.pid)).pid, signal.SIGKILL)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 4, said
    assert f"Stopped (workers lost): the run is saved at step {steps(folder / 'run')[0]}. Next: " in said
    assert not alive(family)
    assert left(folder) == []
    return said


def test_a_run_whose_own_head_dies_is_saved(folder):
    said = without("gcs_server", folder, "--cluster.worker_timeout=5")
    assert "the head of the cluster could not be reached for 5 s" in said


RAYLET_IS_GONE = "Ray's server on this machine (raylet) has ended, and nothing goes on without it"


@pytest.mark.parametrize("name", ["raylet", "ray::DashboardA"])
def test_a_run_whose_own_raylet_dies_is_saved_and_goes_on_to_the_same_bits(folder, name):
    """Alone it leaves its workers behind for a while; with its agent, without which it ends itself, all go at once."""
    said = without(name, folder)
    assert said.splitlines()[0] == RAYLET_IS_GONE
    assert len(said.splitlines()) == 2
    (folder / "slow").unlink()
    rest = ("--resume", f"--training.max_steps={steps(folder / 'run')[0] + 20}")
    alone = ("run.cfg", "-o", "alone", "--quiet", "--code", "parts.py", "--training.accumulate_gradient=2")
    for words in (WORDS, alone):
        done = begin(*words, *rest, folder=folder, TMPDIR=str(folder))
        said = done.communicate()[1]
        assert done.returncode == 0, said
    assert outcome_of(folder / "run") == outcome_of(folder / "alone")


def test_a_run_on_a_cluster_whose_raylet_here_dies_is_saved(folder):
    with head(2, **token_mode()) as there:
        said = without("raylet", folder, f"--address={there.address}", among=lambda _: descendants(there.process.pid))
    assert said.splitlines()[0] == RAYLET_IS_GONE


def test_a_folder_whose_owner_lives_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder))
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    (folder / "ray-other").mkdir()  # without a file that says so it is none of ours
    (folder / "ray-dead").mkdir()
    (folder / "ray-dead" / OWNER).touch()
    with temporary_folder() as first:
        assert not (folder / "ray-dead").exists()
        with temporary_folder() as second:
            assert Path(first).is_dir()
            assert Path(second) != Path(first)
    assert os.listdir(folder) == ["ray-other"]
    shutil.rmtree(folder)


def test_processes_end_or_are_killed():
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(100)
        os._exit(0)
    found = [process for process in descendants(os.getpid()) if process.pid == pid]
    assert alive(found) == set(found)
    end(found, 0.05)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert alive(found) == set()
    end([], 10)


def listening(processes):
    """The addresses on which they listen, as /proc/net has them: a socket that listens is in the state 0A."""
    inodes = {link.removeprefix("socket:[").rstrip("]") for link in links_of(processes)}
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {fields[1].rpartition(":")[0][-8:] for fields in lines if fields[3] == "0A" and fields[9] in inodes}


def links_of(processes):
    for process in processes:
        for path in Path(f"/proc/{process.pid}/fd").glob("*"):
            with suppress(OSError):
                yield os.readlink(path)
