"""What every ring shares: an awkward time zone, no network but loopback, and how hard Hypothesis looks."""

import os
import sys
import time
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

# A half-hour daylight-saving shift, south of the equator, hours away from both UTC and Việt Nam: code that
# leans on the machine's own zone fails here and not in somebody's house.
AWKWARD_ZONE = "Australia/Lord_Howe"
ZONES = ("UTC", "Asia/Ho_Chi_Minh", "America/Los_Angeles", "Pacific/Kiritimati", AWKWARD_ZONE)

# `make check` sees the same examples each time, `make test` more of them, `explore` new ones all evening.
hypothesis.settings.register_profile("fast", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.register_profile("thorough", deadline=None, derandomize=True, max_examples=500)
hypothesis.settings.register_profile("explore", deadline=None, print_blob=True, max_examples=20_000)


def pytest_configure() -> None:
    ours = [n for n in os.environ if n.startswith("CAMPAIGNBOT_") and not n.startswith("CAMPAIGNBOT_TEST_")]
    for name in [*ours, *(n for n in os.environ if n.lower().endswith("_proxy"))]:
        del os.environ[name]
    _live_in(AWKWARD_ZONE)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
    sys.addaudithook(_only_loopback)


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A command that ran in this process logs to what was its standard error, which is closed with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(params=ZONES)
def machine_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once in each of several time zones of the machine."""
    _live_in(request.param)
    yield request.param
    _live_in(AWKWARD_ZONE)


def _live_in(zone: str) -> None:
    os.environ["TZ"] = zone
    time.tzset()


def _only_loopback(event: str, args: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = args[1]
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            pytest.fail(f"A test tried to reach {address[0]}: tests talk to this machine only.")
    elif event == "socket.getaddrinfo" and not _is_loopback(args[0]) and not _is_address(args[0]):
        pytest.fail(f"A test asked the network for the address of {args[0]!r}: use 127.0.0.1.")


def _is_loopback(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name in {None, "", "localhost", "::1"} or str(name).startswith("127.")


def _is_address(host: object) -> bool:
    return str(host).replace(".", "").isdecimal() or ":" in str(host)
