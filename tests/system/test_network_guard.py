"""The guard of tests/conftest.py must bite, or every other test could post to the world."""

import socket
import threading
import time
from datetime import UTC, datetime

import pytest

REFUSED = pytest.fail.Exception


def test_a_test_cannot_reach_another_machine() -> None:
    with socket.socket() as door, pytest.raises(REFUSED, match="this machine only"):
        door.connect(("192.0.2.1", 9))


def test_a_test_cannot_send_a_datagram_to_another_machine() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as door, pytest.raises(REFUSED, match="this machine only"):
        door.sendto(b"", ("192.0.2.1", 9))


def test_a_test_cannot_ask_the_network_for_a_name() -> None:
    with pytest.raises(REFUSED, match="asked the network"):
        socket.getaddrinfo("vietnam.example", 443)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        caller = threading.Thread(target=lambda: socket.create_connection(server.getsockname()).close())
        caller.start()
        server.accept()[0].close()
        caller.join()


def test_the_machine_lives_in_the_zone_that_is_asked_for(machine_zone: str) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
    offsets = {
        "UTC": 0,
        "Asia/Ho_Chi_Minh": 7,
        "America/Los_Angeles": -7,
        "Pacific/Kiritimati": 14,
        "Australia/Lord_Howe": 10.5,
    }
    assert time.localtime(noon).tm_gmtoff == offsets[machine_zone] * 3600
