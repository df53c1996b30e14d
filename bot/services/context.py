"""What every use-case is given: the opened house, told apart from the faces that use it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy import Connection

from bot.domain.alerts import Topic
from bot.domain.audit import Act
from bot.domain.budget import Budget
from bot.domain.errors import Refused
from bot.domain.people import Duty, Person, require
from bot.domain.post import Profile
from bot.domain.slots import Rhythm
from bot.library.messages import Messages
from bot.library.schedules import Schedules
from bot.ports import Account, Clock, Platform, Tell
from bot.store import audit
from bot.store.engine import Store
from bot.store.keystore import Keystore

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
PROGRAM = "campaignbot"


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured account: what the rules know of it, when it may post, the way out, and what it may use up.

    `platform` is the dispatcher's, called from one thread at a time; whoever else looks opens the account `anew`.
    """

    profile: Profile
    rhythm: Rhythm
    platform: Platform
    budget: Budget = field(default_factory=Budget)
    anew: Callable[[], Platform] | None = None

    def check(self) -> Account:
        """Signs in and looks, writing nothing, on a connection of its own."""
        return (self.anew() if self.anew else self.platform).check()


@dataclass(frozen=True, slots=True)
class Alert:
    """One way of telling people: in which language, of what, and the way itself."""

    language: str
    topics: frozenset[Topic]
    tell: Tell


@dataclass(frozen=True, slots=True)
class Planning:
    lead_days: int = 14
    status_max_age_days: int = 180
    leap_day: str = "28 February"
    similar_days: int = 7


@dataclass(frozen=True, slots=True)
class Publishing:
    """Seconds unless the name says otherwise."""

    poll_s: float = 1.0
    lease_s: float = 180.0
    request_timeout_s: float = 30.0
    settle_s: float = 300.0
    grace_minutes: int = 20
    catch_up_per_hour: int = 6
    down_hours: int = 24
    anchor_max_age_days: int = 0


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where backups are made by themselves, under what, how often, how many stay, and none longer than `longest`."""

    folder: Path
    config: Path
    passphrase: Callable[[], str]
    every: timedelta = timedelta(hours=24)
    most: int = 14
    longest: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SigningIn:
    """How long a session lasts, how long a new account may do without a second factor, and what a guess costs."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=7)
    grace: timedelta = timedelta(days=7)
    hasher: PasswordHasher = field(default_factory=partial(PasswordHasher, parallelism=1))


@dataclass(frozen=True, slots=True)
class Together:
    """Entries that are appended in one go, after the log's `tail`."""

    tail: audit.Tail
    entries: list[audit.NewEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    keystore: Keystore
    clock: Clock
    schedules: Schedules
    messages: Messages
    channels: Mapping[str, Channel]
    data_dir: Path
    planning: Planning = Planning()
    publishing: Publishing = Publishing()
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    ping_s: int = 60
    ping: Callable[[], str] | None = None
    """Says to a service elsewhere that a daemon is well; empty when it was heard, else what went wrong."""
    signing_in: SigningIn = field(default_factory=SigningIn)
    clocks_there: Callable[[], Mapping[str, timedelta]] = dict
    """How far the clock of each accounts' host is ahead of this machine's, of those that answer."""
    together: Together | None = None
    keeping: Keeping | None = None
    load_platforms: Callable[[], object] = object
    """Loads what the first post of each platform would wait for."""
    forget_secrets: Callable[[], str] = str
    """Deletes what accounts sign in with and what opens backups; says what of it could not be deleted from here."""

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> date:
        """The local date in Viet Nam, on which texts that say “today” are true."""
        return self.clock.now().astimezone(VIETNAM).date()

    def channel(self, name: str) -> Channel:
        try:
            return self.channels[name]
        except KeyError:
            known = ", ".join(self.channels) or "none"
            raise Refused("No account “{name}” in config.toml. There are: {known}.", name=name, known=known) from None

    @contextmanager
    def acting(self, actor: Person | None, duty: Duty) -> Iterator[Connection]:
        """One writing transaction in the name of whoever may do this; nobody else writes until it ends.

        No actor means the program itself, which may. Raises Refused.
        """
        if actor:
            require(actor, duty)
        with self.store.write() as tx:
            yield tx

    @contextmanager
    def wave(self) -> Iterator[tuple["Context", Connection]]:
        """One writing transaction with a context of its own, what `record` is told there is appended at its end."""
        with self.store.write() as tx:
            together = Together(audit.tail(tx))
            yield replace(self, together=together), tx
            said, log = together.entries, self.keystore.name
            audit.append_many(tx, said, keystore=self.keystore, log=log, after=together.tail)

    def record(
        self,
        tx: Connection,
        actor: Person | None,
        act: Act,
        obj: str,
        data: Mapping[str, Any] | None = None,
        payload: audit.Payload | None = None,
    ) -> int:
        """Append to the audit log inside `tx`; returns the entry's seq. No actor means the program itself.

        `data` holds nothing personal; names, reasons and texts go into `payload`, which can be erased.
        """
        name = actor.pseudonym if actor else PROGRAM
        new = audit.NewEntry(self.now(), name, act, obj, data or {}, payload)
        if self.together:
            self.together.entries.append(new)
            return self.together.tail.size + len(self.together.entries) - 1
        return audit.append(tx, new, keystore=self.keystore, log=self.keystore.name).seq
