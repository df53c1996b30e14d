"""What an account has used up, reckoned from its attempts: there is no count beside them that could differ."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select

from bot.domain.budget import Used
from bot.ports import Failure
from bot.store.tables import attempts

_c = attempts.c
# Whatever is not proven absent may be out, and is counted.
_ON_CHANNEL = (_c.channel == bindparam("channel"), or_(_c.outcome.is_(None), _c.outcome.not_in(list(Failure))))
_USED = select(func.count(), func.coalesce(func.sum(_c.cost), 0)).where(*_ON_CHANNEL, _c.began_at >= bindparam("since"))
_NEWEST = select(_c.began_at).where(*_ON_CHANNEL).order_by(_c.began_at.desc()).limit(1).offset(bindparam("after"))


def used(tx: Connection, channel: str, since: datetime) -> Used:
    posts, cost = tx.execute(_USED, {"channel": channel, "since": since}).one()
    return Used(posts, int(cost))


def newest(tx: Connection, channel: str, after: int) -> datetime | None:
    """When the newest began, passing over so many."""
    moment: datetime | None = tx.execute(_NEWEST, {"channel": channel, "after": after}).scalar()
    return moment
