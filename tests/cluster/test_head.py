"""A head that is gone is noticed, and one that is there is not missed."""

import socket
import time

import pytest

from trainer_cli.cluster.head import MOST_SILENT, Head
from trainer_cli.errors import ClusterError


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def head_of(server):
    return Head(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_head_is_there_as_long_as_it_takes_connections(server):
    head = head_of(server)
    assert head.is_there()
    server.close()
    assert not head.is_there()


def test_a_head_counts_as_lost_after_a_while_and_as_found_when_it_is_back(server):
    head = head_of(server)
    head.check()
    head.heard -= MOST_SILENT + 1
    with pytest.raises(ClusterError, match="the head of the cluster could not be reached for 20 s"):
        head.check()
    head.heard = time.monotonic()
    head.check()


def test_an_address_may_be_one_of_the_sixth_version():
    assert Head("[::1]:6379").place == ("::1", 6379)
