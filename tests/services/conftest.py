"""One house a test, copied from one that was built once; with its people in it where the test asks for them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.services.context import Context
from tests.databases import BOTH, as_role, database, postgresql_original, postgresql_server
from tests.farside import FarSide, X
from tests.house import Crew, FakeClock, bring_in, build_house, open_house

__all__ = ["postgresql_original", "postgresql_server"]
# What must hold whatever keeps the queue: these suites run on both databases.
ON_BOTH = {"test_deliver", "test_keeping", "test_queue", "test_review", "test_withdraw"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ctx" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("kind", BOTH, indirect=True)


@dataclass(frozen=True)
class Original:
    """A built house, whose database on PostgreSQL has the name `database`."""

    folder: Path
    database: str = ""
    crew: Crew | None = None


def built(folder: Path, url: str = "", name: str = "", *, crew: bool) -> Original:
    folder.mkdir()
    build_house(folder, url)
    if not crew:
        return Original(folder, name)
    ctx = open_house(folder, url=url)
    people = bring_in(ctx)
    ctx.store.close()
    return Original(folder, name, people)


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Original]:
    """With people and without."""
    folder = tmp_path_factory.mktemp("houses")
    return {crew: built(folder / f"sqlite-{crew}", crew=crew) for crew in (False, True)}


@pytest.fixture(scope="session")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: str, postgresql_original: str
) -> Iterator[dict[bool, Original]]:
    folder = tmp_path_factory.mktemp("houses")
    with database(postgresql_server, postgresql_original) as empty, database(postgresql_server, empty) as crewed:
        names = {False: empty, True: crewed}
        yield {
            crew: built(folder / f"postgresql-{crew}", as_role(postgresql_server, name), name, crew=crew)
            for crew, name in names.items()
        }


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def original(request: pytest.FixtureRequest, kind: str) -> Original:
    houses: dict[bool, Original] = request.getfixturevalue(f"on_{kind}")
    return houses["crew" in request.fixturenames]


@pytest.fixture
def crew(original: Original) -> Crew:
    """The people in `ctx`, which is empty in a test that does not ask for them."""
    assert original.crew
    return original.crew


@pytest.fixture
def ctx(request: pytest.FixtureRequest, tmp_path: Path, original: Original) -> Iterator[Context]:
    shutil.copytree(original.folder, tmp_path / "house")
    if not original.database:
        opened = open_house(tmp_path / "house")
        yield opened
        opened.store.close()
        return
    server = request.getfixturevalue("postgresql_server")
    with database(server, original.database) as name:
        opened = open_house(tmp_path / "house", url=as_role(server, name))
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
