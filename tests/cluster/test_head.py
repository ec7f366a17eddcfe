"""A head that is gone is noticed, and one that is there is not missed."""

import socket
import threading
import time

import pytest

from trainer_cli.cluster import head
from trainer_cli.cluster.head import MOST_SILENT, Head, takes_connections, tells_nodes, watched
from trainer_cli.errors import ClusterError


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_a_head_is_there_as_long_as_it_takes_connections(server):
    address = f"127.0.0.1:{server.getsockname()[1]}"
    assert takes_connections(address)
    server.close()
    assert not takes_connections(address)


def test_a_head_counts_as_lost_after_a_while_and_as_found_when_it_is_back():
    found = Head(lambda: True)
    found.check()
    found.heard -= MOST_SILENT + 1
    with pytest.raises(ClusterError, match="the head of the cluster could not be reached for 20 s"):
        found.check()
    found.heard = time.monotonic()
    found.check()


def test_an_address_may_be_one_of_the_sixth_version():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as found:
        assert takes_connections(f"[::1]:{found.getsockname()[1]}")


class Client:
    """Ray as a client has it, whose server answers, fails, or keeps it waiting, as `nodes` does."""

    def __init__(self, nodes):
        self.nodes = nodes
        self.util = self.client = self.ray = self

    def is_connected(self):
        return True


def test_the_head_of_a_client_is_there_as_long_as_it_tells_its_nodes():
    def gone():
        raise ConnectionError("Client is shutting down.")

    assert tells_nodes(Client(lambda: [{"Alive": True}]))
    assert not tells_nodes(Client(list))
    assert not tells_nodes(Client(gone))


@pytest.mark.parametrize("waits", [True, False])
def test_a_client_that_is_kept_waiting_has_lost_its_head(monkeypatch, waits):
    monkeypatch.setattr(head, "LOOK", 0.02)
    monkeypatch.setattr(head, "PATIENCE", 0.1)
    end = threading.Event()
    with watched(Client(end.wait if waits else lambda: [1]), lambda: None, 0.5) as check:
        time.sleep(0.8)
        if waits:
            with pytest.raises(ClusterError, match=r"could not be reached for 0\.5 s"):
                check()
        else:
            check()
    end.set()
