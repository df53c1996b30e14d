"""One browser for each file of tests, one showcase for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.system.browser import chromium
from tests.system.browser.served import Served, serve
from tests.system.browser.showcase import Showcase, fill


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    with chromium.showcase(tmp_path_factory.mktemp("showcase")) as running:
        yield running


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    ctx, made = fill(tmp_path_factory.mktemp("served"))
    with serve(ctx, made) as running:
        yield running
    ctx.store.close()


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    return chromium.axe(Path(request.config.cache.mkdir("axe")))
