"""Sweeps on Ray: the trials, rows and bits of a sweep without it, whatever becomes of their keepers."""

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from commands import call
from run_fakes import outcome_of
from sweeps import LONG, RANDOM, RATE, has_trained, line_of, sweep, trials

pytest.importorskip("ray")


def test_the_trials_on_ray_are_those_without(cluster, short_folder):
    words = (RANDOM, "--trials=3", "--workers=2", "--training.max_steps=14")
    said = sweep(*words, "--ray", output="there").stderr
    assert "2 at once, up to" in said
    assert "on a Ray cluster" in said
    sweep(*words, output="here")
    assert trials("there") == trials("here")
    found = [[outcome_of(Path(output, f"trial-000{n}")) for n in (1, 2, 3)] for output in ("there", "here")]
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]  # the check sees a trial with another's values


def test_a_trial_whose_keeper_is_killed_is_a_row_and_goes_on_to_the_same_bits(cluster, short_folder):
    steps = ("--training.max_steps=1400", *LONG[1:], "--checkpoints.max_seconds=0.1")

    def kill():
        while not has_trained(2):
            time.sleep(0.01)
        os.kill(line_of(2)[-1].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    words = (RANDOM, "--trials=2", "--workers=2", *steps, "--ray")
    assert "trial   2 killed" in sweep(*words).stderr
    killer.join()
    first, second = trials()
    assert (first["state"], first["steps"]) == ("finished", 1400)
    assert (second["state"], second["exit_code"]) == ("killed", 4)
    assert re.fullmatch(r"its process of Ray on \S+ is lost: \w+Error: .*", second["reason"])
    sweep(*words, "--resume")
    assert [(row["state"], row["steps"]) for row in trials()] == [("finished", 1400)] * 2
    assert "going on from step" in Path("sweep/trial-0002.log").read_text()
    call("train", "run.cfg", "--output", "alone", *steps, f"--{RATE}={trials()[1]['params'][RATE]}")
    assert outcome_of(Path("alone")) == outcome_of(Path("sweep/trial-0002"))
