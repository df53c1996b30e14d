"""One house a test, copied from one that was built once; with its people in it where the test asks for them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.services.context import Context
from tests.farside import FarSide, X
from tests.house import Crew, FakeClock, bring_in, build_house, open_house


@pytest.fixture(scope="session")
def empty_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty-house")
    build_house(folder)
    return folder


@pytest.fixture(scope="session")
def house_with_crew(tmp_path_factory: pytest.TempPathFactory, empty_house: Path) -> tuple[Path, Crew]:
    folder = tmp_path_factory.mktemp("houses") / "with-crew"
    shutil.copytree(empty_house, folder)
    ctx = open_house(folder)
    crew = bring_in(ctx)
    ctx.store.close()
    return folder, crew


@pytest.fixture
def crew(house_with_crew: tuple[Path, Crew]) -> Crew:
    """The people in `ctx`, which is empty in a test that does not ask for them."""
    return house_with_crew[1]


@pytest.fixture
def ctx(request: pytest.FixtureRequest, tmp_path: Path, empty_house: Path) -> Iterator[Context]:
    with_crew = "crew" in request.fixturenames
    original = request.getfixturevalue("house_with_crew")[0] if with_crew else empty_house
    shutil.copytree(original, tmp_path / "house")
    opened = open_house(tmp_path / "house")
    yield opened
    opened.store.close()


@pytest.fixture
def clock(ctx: Context) -> FakeClock:
    assert isinstance(ctx.clock, FakeClock)
    return ctx.clock


@pytest.fixture
def far() -> FarSide:
    return FarSide()


@pytest.fixture
def house(ctx: Context, crew: Crew, far: FarSide) -> Context:
    """One account, on the far side."""
    del crew
    return replace(ctx, channels={X: replace(ctx.channels[X], platform=far)})
