"""The private address of one person's calendar: signed, read without a session, void as soon as they say so."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.case import Case
from bot.domain.errors import NotFound
from bot.domain.occasions import Occasion
from bot.domain.people import Person
from bot.domain.post import Post, PostState
from bot.services.context import Context
from bot.services.known import everybody, occasions_between
from bot.services.sessions import Visitor, change_settings
from bot.store import people, posts
from bot.store.people import Account

MARK, NAMES = "calendar", "calendar_names"
BEHIND, AHEAD = timedelta(days=7), timedelta(days=60)
MOST = 500
_SHOWN = frozenset({PostState.IN_REVIEW, PostState.SCHEDULED, PostState.PUBLISHED, PostState.PARTLY_PUBLISHED})


@dataclass(frozen=True, slots=True)
class Feed:
    """What the calendar holds, and how its owner wants it said. `salt` makes names nobody can guess back."""

    salt: str
    language: str
    with_names: bool
    posts: tuple[Post, ...]
    days: tuple[Occasion, ...]
    cases: Mapping[str, Case]


def key_of(ctx: Context, visitor: Visitor) -> str:
    """Empty until they ask for one."""
    mark = visitor.settings.get(MARK, "")
    return _key(ctx, visitor.person, mark) if mark else ""


def renew(ctx: Context, visitor: Visitor, *, language: str, with_names: bool) -> None:
    """Another address; the one before leads nowhere from now on."""
    chosen = {MARK: secrets.token_hex(8), NAMES: "on" if with_names else ""}
    change_settings(ctx, visitor, {"language": visitor.settings.get("language") or language} | chosen)


def end(ctx: Context, visitor: Visitor) -> None:
    change_settings(ctx, visitor, {MARK: ""})


def read(ctx: Context, key: str) -> Feed:
    """Raises NotFound for any key that is not in force, whatever is wrong with it."""
    with ctx.store.read() as tx:
        owner = _owner(ctx, tx, key)
        now, today = ctx.now(), ctx.today()
        due = [row[0] for row in posts.due_between(tx, now - BEHIND, now + AHEAD) if row[2] in _SHOWN]
        return Feed(
            salt=ctx.keystore.secret("calendar names").hex(),
            language=owner.settings.get("language", ""),
            with_names=owner.settings.get(NAMES) == "on",
            posts=posts.by_ids(tx, due[:MOST]),
            days=occasions_between(ctx, tx, today - BEHIND, today + AHEAD)[:MOST],
            cases=everybody(ctx, tx).cases,
        )


def _owner(ctx: Context, tx: Connection, key: str) -> Account:
    for each in people.everyone(tx):
        mark = each.settings.get(MARK, "")
        if mark and each.person.active and hmac.compare_digest(_key(ctx, each.person, mark).encode(), key.encode()):
            return each
    raise NotFound("There is no such calendar. Its owner may have taken the address back: look in Settings.")


def _key(ctx: Context, person: Person, mark: str) -> str:
    return hmac.new(ctx.keystore.secret("calendar"), f"{person.pseudonym} {mark}".encode(), "sha256").hexdigest()
