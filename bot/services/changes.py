"""What changed in how somebody signs in: nobody can be written to, so it is shown to them, from the log."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.audit import Act
from bot.services.context import Context
from bot.services.sessions import Visitor
from bot.store import audit

CHANGES = (
    Act.PERSON_PASSPHRASE_SET, Act.PERSON_FACTOR_ADDED, Act.PERSON_FACTOR_DROPPED, Act.PERSON_RESET,
    Act.PERSON_TOKEN_RESET, Act.PERSON_INVITED, Act.PERSON_RENAMED, Act.PERSON_DISABLED, Act.PERSON_ENABLED,
)  # fmt: skip
USES = (Act.PERSON_SIGNED_IN, Act.PERSON_SIGNED_OUT, Act.PERSON_TOKEN_MINTED)
SHOWN = 15
RECENT = timedelta(days=3)
_AN_INSTANT = timedelta(milliseconds=1)
_SIGN_INS = 50


@dataclass(frozen=True, slots=True)
class Change:
    """`own`: in their own name, which whoever has their passphrase can do too."""

    act: str
    at: datetime
    own: bool


def listed(ctx: Context, visitor: Visitor) -> tuple[Change, ...]:
    """The newest, with each coming and going."""
    return _read(ctx, visitor, (*CHANGES, *USES))


def to_notice(ctx: Context, visitor: Visitor) -> tuple[Change, ...]:
    """Since they signed in before this time, and of the last days in any case; not what made them an account."""
    who = _obj(visitor)
    with ctx.store.read() as tx:
        first = audit.entries(tx, act=Act.PERSON_SIGNED_IN, obj=who, limit=1)
        signed = audit.entries(tx, act=Act.PERSON_SIGNED_IN, obj=who, newest_first=True, limit=_SIGN_INS)
    before = (each.ts for each in signed if each.ts < visitor.session.made_at - _AN_INSTANT)
    since = min(next(before, ctx.now()), ctx.now() - RECENT)
    found = _read(ctx, visitor, CHANGES, after=first[0].seq) if first else ()
    return tuple(each for each in found if each.at >= since)


def _read(ctx: Context, visitor: Visitor, acts: tuple[Act, ...], after: int = -1) -> tuple[Change, ...]:
    with ctx.store.read() as tx:
        found = audit.entries(tx, after=after, act=acts, obj=_obj(visitor), newest_first=True, limit=SHOWN)
    return tuple(Change(each.act, each.ts, each.actor == visitor.person.pseudonym) for each in found)


def _obj(visitor: Visitor) -> str:
    return f"person:{visitor.person.pseudonym}"
