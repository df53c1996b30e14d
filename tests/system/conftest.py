"""One installation a session, made by the real commands, and a copy of it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import pds
from tests.system.installation import Installation, copy, install


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("original") / "here")


@pytest.fixture
def here(original: Installation, tmp_path: Path) -> Installation:
    return copy(original, tmp_path / "here")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[pds.Account]:
    """An account at Bluesky's own server; whoever asks for it belongs to the group that has it."""
    yield from pds.start(Path(request.config.cache.mkdir("bluesky_pds")))
