"""Real processes, really killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_fakes import config_of, outcome_of, rows, steps, train

HERE = Path(__file__).parent
N_RUNS = os.environ.get("KILLED_RUNS", "6")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parents[1]}"}


def driver(*args):
    command = [sys.executable, "-P", str(HERE / "killed_training.py"), *map(str, args)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_runs_killed_at_random_steps_and_inside_of_saves_come_to_the_same_bits(data):
    train(config_of(data), data / "whole")
    expected = outcome_of(data / "whole")
    found = driver(data, "kills", N_RUNS)
    n_kills = 0
    for seed, codes in found.items():
        assert set(codes) <= {0, -signal.SIGKILL}
        n_kills += len(codes) - 1
        assert outcome_of(data / seed) == expected, f"run {seed}, killed {len(codes) - 1} times"
    assert n_kills > 3 * int(N_RUNS)


CODES = {"SIGTERM": 143, "SIGINT": 130, "SIGHUP": 129}
# Where each phase's signal finds the run, and so what is saved. An evaluation that is left is made again.
SAVED = {
    "in_a_step": 17,
    "in_an_evaluation": 14,
    "in_the_last_evaluation": 60,
    "while_reading": None,
    "in_the_first_save": 0,
}


def test_the_check_sees_a_handler_that_forgets_to_save(data):
    config_of(data)
    driver(data, "signals", "unsaved")
    assert steps(data / "in_a_step SIGTERM 1")[0] < SAVED["in_a_step"]


def test_a_signal_in_any_phase_saves_the_step_and_tells_what_to_type(data):
    found = driver(data, "signals")
    config = config_of(data)
    train(config, data / "whole")
    expected = outcome_of(data / "whole")
    assert len(found) == 24
    for name, code in found.items():
        phase, signal_name, times = name.split()
        assert code == CODES[signal_name], name
        run_dir, said = data / name, (data / f"{name}.txt").read_text()
        if times == "1":
            saved = (steps(run_dir) or [None])[0]
            assert saved == SAVED.get(phase, saved), name
            where = "nothing is saved yet" if saved is None else f"the run is saved at step {saved}"
            command = f"trainer train {data}/run.cfg -o '{run_dir}' --quiet --checkpoints.max_seconds=1e-9 --resume"
            assert said == f"Stopped ({signal_name}): {where}. Next: {command}\n"
        else:
            assert said == ""
        assert train(config, run_dir, resume=True).cause is None
        assert outcome_of(run_dir) == expected, name


@pytest.fixture
def begin():
    """Start the installed command, and wait until it has evaluated once; it never outlives the test."""
    processes = []

    def begin_run(data, run_dir, ignored=()):
        command = [sys.executable, "-m", "trainer_cli", "train", str(data / "run.cfg"), "--output", str(run_dir)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Whoever runs the tests in the background may ignore signals, and a child inherits that.
        handlers = {number: signal.SIG_IGN if number in ignored else signal.SIG_DFL for number in STOPPING}
        set_handlers = lambda: [signal.signal(*pair) for pair in handlers.items()]  # noqa: E731
        process = subprocess.Popen([*command, *LONG], text=True, env=ENVIRONMENT, preexec_fn=set_handlers, **pipes)
        processes.append(process)
        log = run_dir / "metrics.jsonl"
        for _ in range(3000):
            if log.exists() and log.read_bytes():
                return process
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        raise AssertionError("the run did not begin")

    yield begin_run
    for process in processes:
        process.kill()
        process.communicate()


STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LONG = ("--training.max_steps=1000000", "--training.patience=0")


@pytest.mark.parametrize("number", STOPPING)
def test_the_command_stops_for_a_signal_and_goes_on_to_the_same_bits(data, begin, number):
    config_of(data)
    process = begin(data, data / "run")
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    stopped = steps(data / "run")[0]
    assert f"Stopped ({number.name}): the run is saved at step {stopped}." in said.splitlines()[-1]
    config = config_of(data, "--training.max_steps", stopped + 5)
    train(config, data / "run", resume=True)
    train(config, data / "whole")
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_the_command_killed_in_the_middle_goes_on_to_the_same_bits(data, begin):
    config_of(data)
    process = begin(data, data / "run")
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    config = config_of(data, "--training.max_steps", rows(data / "run")[-1]["step"] + 5)
    train(config, data / "run", resume=True)
    train(config, data / "whole")
    assert outcome_of(data / "run") == outcome_of(data / "whole")


def test_a_signal_that_was_ignored_at_the_start_stays_ignored(data, begin):
    """As `nohup` has it."""
    config_of(data)
    process = begin(data, data / "run", ignored=[signal.SIGHUP])
    process.send_signal(signal.SIGHUP)
    n_rows = len(rows(data / "run"))
    while len(rows(data / "run")) < n_rows + 20:
        assert process.poll() is None
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_two_commands_in_one_folder_exit_5(data, begin):
    config_of(data)
    process = begin(data, data / "run")
    for options in (["--resume"], ["--overwrite"]):
        command = [
            sys.executable,
            "-m",
            "trainer_cli",
            "train",
            str(data / "run.cfg"),
            "-o",
            str(data / "run"),
            *options,
        ]
        second = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        assert second.returncode == 5
        assert "another run is using this directory: process" in second.stderr
    process.terminate()
    process.communicate(timeout=60)
