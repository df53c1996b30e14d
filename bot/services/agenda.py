"""What is queued, a page at a time, and what became of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.delivery import DeliveryState
from bot.domain.post import Post, PostState
from bot.services.context import Context
from bot.services.people import aliases
from bot.store import deliveries, holds, posts
from bot.store.deliveries import Progress
from bot.store.posts import Cursor

A_PAGE = 50
MOST_LATE = 30
RECENT = timedelta(days=3)
_TROUBLED = (DeliveryState.HELD, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.MISSED)
_UNSENT = (PostState.DRAFT, PostState.RETURNED, PostState.IN_REVIEW, PostState.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts: in one state, on one account, on accounts that speak one language. Empty is all."""

    state: PostState | None = None
    account: str = ""
    language: str = ""

    def __bool__(self) -> bool:
        return bool(self.state or self.account or self.language)


@dataclass(frozen=True, slots=True)
class Queued:
    """`writer` is "" for the program; `sent` of so many `parts` are out; `troubles` need a person."""

    post: Post
    writer: str
    sent: int
    parts: int
    troubles: tuple[Progress, ...]
    held: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`late` are the posts that are not out though their time has passed. Before `first` and after `last` there may
    be more.
    """

    rows: tuple[Queued, ...]
    late: tuple[Queued, ...]
    earlier: bool
    later: bool
    first: Cursor
    last: Cursor


def turn(ctx: Context, at: Cursor, wanted: Wanted, *, backwards: bool = False, with_late: bool = False) -> Page:
    """The page that begins after `at`, or ends before it; the late posts come on the first one only."""
    with ctx.store.read() as tx:
        found = _paged(ctx, tx, at, wanted, backwards=backwards, limit=A_PAGE + 1)
        shown = found[-A_PAGE:] if backwards else found[:A_PAGE]
        first, last = ((shown[0].due, shown[0].id), (shown[-1].due, shown[-1].id)) if shown else (at, at)
        late = _late(ctx, tx, wanted) if with_late else ()
        told = {each.id for each in late}
        return Page(
            rows=_told(ctx, tx, [post for post in shown if post.id not in told]),
            late=_told(ctx, tx, late),
            earlier=bool(_paged(ctx, tx, first, wanted, backwards=True, limit=1)),
            later=bool(_paged(ctx, tx, last, wanted, limit=1)),
            first=first,
            last=last,
        )


def _paged(
    ctx: Context, tx: Connection, at: Cursor, wanted: Wanted, *, backwards: bool = False, limit: int
) -> tuple[Post, ...]:
    states = (wanted.state,) if wanted.state else ()
    return posts.paged(tx, at, backwards=backwards, states=states, channels=_channels(ctx, wanted), limit=limit)


def _channels(ctx: Context, wanted: Wanted) -> Collection[str] | None:
    """An account that is no longer configured speaks no language."""
    if not wanted.language:
        return (wanted.account,) if wanted.account else None
    spoken = {name for name, each in ctx.channels.items() if wanted.language in each.profile.languages}
    return spoken & {wanted.account} if wanted.account else spoken


def _late(ctx: Context, tx: Connection, wanted: Wanted) -> tuple[Post, ...]:
    """The newest of what is not out though its time has passed; what lapsed for three days."""
    now = ctx.now()
    found: list[Post] = []
    for state in (*_UNSENT, PostState.LAPSED):
        if wanted.state in {None, state}:
            of_state = Wanted(state, wanted.account, wanted.language)
            found += _paged(ctx, tx, (now, 0), of_state, backwards=True, limit=MOST_LATE)
    return tuple(
        sorted(
            (post for post in found if post.due and (post.state is not PostState.LAPSED or post.due > now - RECENT)),
            key=lambda post: (post.due, post.id),
        )[-MOST_LATE:]
    )


def _told(ctx: Context, tx: Connection, found: Iterable[Post]) -> tuple[Queued, ...]:
    shown = list(found)
    ids = [post.id for post in shown]
    parts, writers, names = deliveries.progress(tx, ids), posts.writers(tx, ids), aliases(ctx, tx)
    held = {hold.target for hold in holds.current(tx) if hold.scope == "post"}
    return tuple(
        Queued(
            post=post,
            writer=names.get(writers.get(post.id), ""),
            sent=sum(each.state is DeliveryState.PUBLISHED for each in parts.get(post.id, ())),
            parts=len(parts.get(post.id, ())),
            troubles=tuple(each for each in parts.get(post.id, ()) if each.state in _TROUBLED),
            held=str(post.id) in held,
        )
        for post in shown
    )
