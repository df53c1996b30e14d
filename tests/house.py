"""A small house to test use-cases in: its own database, keys and clock, and what people edit as shipped."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bot.domain.audit import Act, Entry
from bot.domain.people import Person, Role
from bot.domain.post import DEFAULT_LAYOUT, Profile
from bot.domain.slots import VIETNAM, Rhythm
from bot.domain.text import RULES
from bot.library.messages import Messages, load_messages
from bot.library.schedules import Schedules, load_schedules
from bot.platforms.rehearsal import Rehearsal
from bot.services import people
from bot.services.context import PROGRAM, Channel, Context
from bot.store import audit, schema
from bot.store.engine import Store
from bot.store.keystore import Keystore

ROOT = Path(__file__).resolve().parents[1]
# A Saturday, late in the evening in Viet Nam while it is still the afternoon in UTC.
START = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


@dataclass
class FakeClock:
    """Stands still until told."""

    time: datetime = START
    booted: float = 1_000.0

    def now(self) -> datetime:
        return self.time

    def boot(self) -> float:
        return self.booted

    def advance(self, **by: float) -> None:
        """`by` as of timedelta."""
        self.time += timedelta(**by)
        self.booted += timedelta(**by).total_seconds()


@dataclass(frozen=True)
class Crew:
    """Everybody by role; `an` made the others, so that two of them can approve what a third wrote."""

    an: Person
    binh: Person
    chi: Person
    dung: Person
    giang: Person
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def admin(self) -> Person:
        return self.an

    @property
    def coordinator(self) -> Person:
        return self.binh

    @property
    def reviewer(self) -> Person:
        return self.chi

    @property
    def second_reviewer(self) -> Person:
        return self.dung

    @property
    def auditor(self) -> Person:
        return self.giang


ROLES = {
    "an": {Role.ADMIN},
    "binh": {Role.COORDINATOR},
    "chi": {Role.REVIEWER},
    "dung": {Role.REVIEWER, Role.COORDINATOR},
    "giang": {Role.AUDITOR},
}


@cache
def library() -> tuple[Schedules, Messages]:
    return load_schedules(ROOT / "schedules"), load_messages(ROOT / "messages")


def a_channel(folder: Path, name: str = "rehearsal-x", like: str = "x", timezone: str = VIETNAM) -> Channel:
    profile = Profile(
        name=name,
        platform="rehearsal",
        like=like,
        rules=RULES[like],
        layout=DEFAULT_LAYOUT[like],
        languages=("vi", "en"),
        timezone=timezone,
        account=f"rehearsal/{like}",
    )
    return Channel(profile, Rhythm(timezone=timezone), Rehearsal(folder / "rehearsal", profile))


def build_house(folder: Path, url: str = "") -> None:
    """A new database, or the migrated one at `url`, and its keys, with nobody in it."""
    store = Store(url or f"sqlite:///{folder / 'campaign.sqlite'}")
    schema.upgrade(store)
    keystore = Keystore.create(folder / "keystore")
    with store.write() as tx:
        audit.open_log(tx, keystore=keystore, ts=START, actor=PROGRAM)
    store.close()


def open_house(folder: Path, *, likes: tuple[str, ...] = ("x", "facebook"), url: str = "") -> Context:
    """One rehearsal channel like each platform named. The caller closes the store."""
    schedules, messages = library()
    channels = (a_channel(folder, f"rehearsal-{like}", like) for like in likes)
    return Context(
        store=Store(url or f"sqlite:///{folder / 'campaign.sqlite'}"),
        keystore=Keystore.open(folder / "keystore"),
        clock=FakeClock(),
        schedules=schedules,
        messages=messages,
        channels={channel.profile.name: channel for channel in channels},
        data_dir=folder,
    )


def bring_in(ctx: Context) -> Crew:
    an, token = people.add_person(ctx, None, "an", ROLES["an"])
    tokens, made = {"an": token}, {"an": an}
    for alias, roles in ROLES.items():
        if alias != "an":
            made[alias], tokens[alias] = people.add_person(ctx, an, alias, roles)
    return Crew(**made, tokens=tokens)


def find_person(ctx: Context, alias: str) -> Person:
    with ctx.store.read() as tx:
        return people.account_of(ctx, tx, alias).person


def told(ctx: Context, act: Act, obj: str = "") -> list[Entry]:
    """The audit entries of one act, oldest first."""
    with ctx.store.read() as tx:
        return list(audit.entries(tx, act=act, obj=obj))


def payload(ctx: Context, entry: Entry) -> dict[str, object]:
    with ctx.store.read() as tx:
        return dict(audit.read_payload(tx, entry.seq, ctx.keystore) or {})
