"""Installations made by the real commands, and a copy of one for each test."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system import pds
from tests.system.installation import Installation, copy, install

# Tokens serve for fifteen minutes to approve; a slow test may take half of that.
ANEW_AFTER_S = 300


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Installation]:
    """The installation to copy: made once, and anew when its tokens have grown old."""
    made: list[tuple[float, Installation]] = []

    def original() -> Installation:
        if not made or time.monotonic() - made[-1][0] > ANEW_AFTER_S:
            made.append((time.monotonic(), install(tmp_path_factory.mktemp("original") / "here")))
        return made[-1][1]

    return original


@pytest.fixture
def here(originals: Callable[[], Installation], tmp_path: Path) -> Installation:
    return copy(originals(), tmp_path / "here")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[pds.Account]:
    """An account at Bluesky's own server; whoever asks for it belongs to the group that has it."""
    yield from pds.start(Path(request.config.cache.mkdir("bluesky_pds")))
