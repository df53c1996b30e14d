"""What the rules need from the world: a clock, and platforms that publish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

from bot.domain.delivery import Reason, Sighting
from bot.domain.text import TextRules

ALWAYS = timedelta.max


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""

    def boot(self) -> float:
        """Seconds since some fixed moment, counting the time asleep, never set back."""


@dataclass(frozen=True, slots=True)
class Image:
    """A cleaned picture on disk; `digest` is the SHA-256 of exactly these bytes."""

    digest: str
    mime: str
    path: Path
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's answer. `reference` is whatever a reply to this post must name (Bluesky: uri and cid)."""

    remote_id: str
    url: str = ""
    reference: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One part for one channel, frozen: a platform sends these bytes or nothing.

    `deadline` is on the boot clock: a platform checks it just before the first byte leaves, and abandons if late.
    `part` counts from 0. `root` and `parent` are the receipts of the thread's first part and of the part replied to.
    """

    delivery_id: int
    idem_key: str
    due_at: datetime
    text: str
    languages: tuple[str, ...]
    images: tuple[Image, ...]
    deadline: float
    attempt: int = 1
    part: int = 0
    root: Receipt | None = None
    parent: Receipt | None = None


class Failure(StrEnum):
    """Why a post is surely absent; each leads to a different next step."""

    REJECTED = "rejected"
    RATE_LIMITED = "rate_limited"
    AUTH_BROKEN = "auth_broken"
    BILLING = "billing"
    BLOCKED = "blocked"
    UNREACHABLE = "unreachable"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Published:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Absent:
    """Proven not applied. `retry_at` when the platform or the failure allows another try."""

    failure: Failure
    detail: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unsure:
    """Something may have gone out. Never a reason to send again by itself.

    `ask` says why only a person can tell; None where a later look may.
    """

    detail: str
    ask: Reason | None = None


Outcome = Published | Absent | Unsure


class Said(str):
    """An English sentence that remembers its template and fields, so that a face can say it in another language."""

    __slots__ = ("fields", "template")
    template: str
    fields: Mapping[str, object]

    def __new__(cls, template: str, **fields: object) -> Self:
        said = super().__new__(cls, template.format_map(fields) if fields else template)
        said.template, said.fields = template, fields
        return said


@dataclass(frozen=True, slots=True)
class Account:
    """What `channel check` found; `missing` says in plain words what to mend. Lines that are Said are translated.

    `expires_at` is when its permission ends, where the service tells. `opened` is false where nobody was asked,
    because this process has not got what the account signs in with.
    """

    id: str
    name: str
    url: str = ""
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    expires_at: datetime | None = None
    opened: bool = True


class Platform(Protocol):
    """One account on one service. Threads: each channel is called from one thread at a time.

    No method raises for what the network or the service does: that is an Outcome.
    """

    @property
    def rules(self) -> TextRules:
        """The limits of this account, as far as the service has told them."""

    @property
    def repeats(self) -> timedelta | None:
        """How long after the first attempt the same parcel, sent again, is surely the same post; None: never."""

    def publish(self, parcel: Parcel) -> Outcome:
        """One irreversible call. `idem_key` twice is one post where the service allows it."""

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        """Look for the parcel among the account's own posts: None is absent, Unsure is no way to tell now."""

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        """Whether what was published still stands with this text."""

    def withdraw(self, receipt: Receipt) -> Outcome:
        """Take a post down; taking down what is gone is Published. Absent or Unsure say why it may still stand."""

    def check(self) -> Account:
        """Sign in and look, writing nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """What people are told, in one language; `facts` says the same to a program. No names, no words of a post."""

    subject: str
    body: str
    facts: tuple[Mapping[str, object], ...] = ()


Tell = Callable[[Message], str]
"""Hands a message over; empty when it was taken, else what went wrong, without any secret."""
