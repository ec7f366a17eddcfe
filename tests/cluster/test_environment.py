"""Two clusters one after the other, of which the second knows nothing of the first."""

import os
import subprocess
import sys

import pytest
from heads import head
from killing import ENVIRONMENT

from trainer_cli.cluster import environment
from trainer_cli.cluster.environment import MODE

pytest.importorskip("ray")

# A cluster of its own, then one that was there before.
TWICE = """import os, sys
from trainer_cli.cluster import environment
from trainer_cli.cluster.connection import connected

if sys.argv[2] == "planted":
    environment.forget = lambda: None


class Actor:
    def answer(self):
        return 42


def asked(ray):
    print(ray.get(ray.remote(Actor).options(num_cpus=1).remote().answer.remote(), timeout=60), flush=True)


with connected(None, 1) as ray:
    asked(ray)
    asks = os.environ.get(environment.MODE) == "token"
print("asks for a token" if asks else "asks for none")
with connected(sys.argv[1], 1) as ray:
    asked(ray)
"""


def twice(*words):
    with head(1) as found:
        line = [sys.executable, "-c", TWICE, found.address, *words]
        return subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)


def test_a_cluster_after_one_of_its_own_is_asked_as_it_was_started():
    done = twice("mended")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[::2] == ["42", "42"]


def test_a_token_that_is_not_forgotten_is_seen():
    """Planted: what Ray has kept of the first cluster reaches the second."""
    done = twice("planted")
    if "asks for none" in done.stdout:
        pytest.skip("this version of Ray asks for no token by itself")
    assert done.returncode == 1
    assert "ActorDiedError" in done.stderr


def test_rays_part_of_the_environment_is_as_it_was_and_no_other(monkeypatch):
    n_forgotten = []
    monkeypatch.setattr(environment, "forget", lambda: n_forgotten.append(1))
    monkeypatch.delenv(MODE, raising=False)
    monkeypatch.setenv("RAY_MINE", "1")
    monkeypatch.setenv("MINE", "1")
    before = environment.rays()
    with environment.environment({"RAY_MINE": "2", "RAY_NEW": "3"}):
        assert (os.environ["RAY_MINE"], os.environ["RAY_NEW"]) == ("2", "3")
        os.environ["MINE"] = "4"
    assert n_forgotten == []
    with environment.environment({}):
        os.environ[MODE] = "token"
    assert n_forgotten == [1]
    assert environment.rays() == before
    assert os.environ["MINE"] == "4"


def test_who_asks_for_a_token_by_itself_goes_on_to(monkeypatch):
    monkeypatch.setattr(environment, "forget", lambda: pytest.fail("it is not Ray's to take back"))
    monkeypatch.setenv(MODE, "token")
    with environment.environment({}):
        pass
    assert os.environ[MODE] == "token"
