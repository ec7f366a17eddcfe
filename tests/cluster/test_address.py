"""Addresses of clusters that a user types: nobody is there, or Ray has something to say."""

import os
import socket
import subprocess
import time

import pytest
from killing import SLOW, begin, kill, wait_until, workers_of
from run_fakes import ADAM, CONFIG, PARTS, write_data

from trainer_cli.cluster.address import check_address
from trainer_cli.cluster.connection import connected
from trainer_cli.errors import ClusterError, Stopped

ray = pytest.importorskip("ray")

TEXT = CONFIG.replace("[model.*.hidden]", '[model.*.slow]\n@layers = "slow.v1"\n\n[model.*.hidden]')


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS + SLOW)
    (tmp_path / "run.cfg").write_text(TEXT.format(folder=tmp_path, optimizer=ADAM))
    return tmp_path


@pytest.fixture
def port():
    """One that is bound and at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def nothing():
    pass


@pytest.mark.parametrize(
    ("address", "option"),
    [
        ("127.0.0.1:{}", "port"),
        ("localhost:{}", "port"),
        ("ray://127.0.0.1:{}", "ray-client-server-port"),
    ],
)
def test_an_address_where_nobody_is_is_told_as_it_was_typed_with_what_to_do(port, address, option):
    typed = address.format(port)
    pattern = rf"^there is no Ray cluster at {typed}( \(for Ray [\d.]+:{port}\))?: Connection refused\. "
    with pytest.raises(ClusterError, match=rf"{pattern}Start one there with `ray start --head --{option} {port}`, or"):
        check_address(ray, typed, 5, nothing)


def test_a_name_that_nobody_has_is_told_at_once():
    with pytest.raises(ClusterError, match=r"^there is no Ray cluster at no-such-host\.invalid:6379: "):
        check_address(ray, "no-such-host.invalid:6379", 20, nothing)


def test_an_address_that_does_not_answer_is_waited_for_so_long_and_a_signal_ends_that(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda place, seconds: time.sleep(30))
    with pytest.raises(ClusterError, match=r"192\.0\.2\.77:6379: no answer in 0\.5 s"):
        check_address(ray, "192.0.2.77:6379", 0.5, nothing)

    def check():
        raise Stopped("SIGINT", 130)

    start = time.monotonic()
    with pytest.raises(Stopped):
        check_address(ray, "192.0.2.77:6379", 20, check)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("address", ["auto", "local", "anyscale://cluster"])
def test_what_ray_looks_up_itself_is_left_to_it(address, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", None)
    check_address(ray, address, 1, nothing)


def test_one_that_listens_is_found():
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_address(ray, f"ray://127.0.0.1:{server.getsockname()[1]}", 5, nothing)


def test_runs_and_sweeps_look_before_ray_does(port, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", None)
    with pytest.raises(ClusterError, match="there is no Ray cluster"), connected(f"127.0.0.1:{port}", 1):
        pass


def test_a_run_at_an_address_where_nobody_is_ends_without_a_word_of_rays(folder, port):
    words = ("run.cfg", "-o", "run", "--code", "parts.py", f"--address=127.0.0.1:{port}", "--workers=2")
    process = begin(*words, "--training.accumulate_gradient=2", "--quiet", folder=folder)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 4, said
    assert f"there is no Ray cluster at 127.0.0.1:{port}" in said
    assert "gcs" not in said.lower()


def test_of_a_worker_that_is_killed_ray_says_nothing_where_the_result_goes(cluster, folder):
    (folder / "slow").write_text("0.2")
    words = ("run.cfg", "-o", "run", "--code", "parts.py", "--workers=2", "--training.accumulate_gradient=2")
    words += (f"--address={cluster.get_runtime_context().gcs_address}", "--training.max_steps=40")
    process = begin(*words, folder=folder, stdout=subprocess.PIPE)
    log = folder / "run" / "metrics.jsonl"
    wait_until(lambda: log.exists() and log.read_bytes(), process)
    assert kill(workers_of(os.getpid())[0])
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "is lost" in said
    assert "raylet" not in out + said
