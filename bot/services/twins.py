"""Texts that are nearly the same: twice on an account within days, or on two accounts of one platform."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy import Connection

from bot.domain.post import Content, PostState
from bot.domain.remarks import Remark, Shingles, likest, remark, shingles
from bot.services.context import Context
from bot.store import posts

SIMILAR_WITHIN = timedelta(days=3)
EQUAL_WITHIN = timedelta(days=30)
MOST_NEAR = 500
# The drafts of the shipped cases, a year of them, are at most 0.49 alike: each speaks of other people.
SIMILAR, NEARLY_EQUAL = 0.5, 0.9
_ALIVE = (PostState.DRAFT, PostState.IN_REVIEW, PostState.SCHEDULED, PostState.PUBLISHED, PostState.PARTLY_PUBLISHED)

Accounts = Mapping[str, Mapping[str, Mapping[str, Collection[Shingles]]]]
"""By platform, account and language, the shingles of what is said there."""


def twins(ctx: Context, tx: Connection, content: Content, due: datetime, post_id: int) -> Iterator[Remark]:
    """Platforms hide what is said twice, and forbid it of two accounts of theirs, but for one a language."""
    near = posts.said_between(tx, _ALIVE, due - EQUAL_WITHIN, due + EQUAL_WITHIN, MOST_NEAR)
    elsewhere, accounts = timedelta(days=ctx.planning.similar_days), _by_platform(ctx, content)
    for platform, own in accounts.items():
        for one, another in combinations(sorted(own), 2):
            if likest(own[one], own[another]) >= SIMILAR:
                yield remark(
                    "{one} and {another} are both on {platform} and would say the same. Platforms forbid that.",
                    one=one, another=another, platform=platform,
                )  # fmt: skip
    for other_id, moment, other in near:
        if other_id != post_id:
            yield from _twin(accounts, _by_platform(ctx, other), other_id, abs(moment - due), elsewhere)


def _twin(accounts: Accounts, others: Accounts, other_id: int, apart: timedelta, far: timedelta) -> Iterator[Remark]:
    here = max(_alike(accounts, others, same=True), default=(0.0, ""))
    there = max(_alike(accounts, others, same=False), default=(0.0, ""))
    if max(here, there)[0] >= NEARLY_EQUAL:
        yield remark("It is nearly the same as post {id}. Platforms refuse or hide that.", id=other_id)
    elif here[0] >= SIMILAR and apart <= SIMILAR_WITHIN:
        yield remark("It is much like post {id}, which goes out within 3 days of it.", id=other_id)
    elif there[0] >= SIMILAR and apart <= far:
        yield remark(
            "It is much like post {id} on another account of {platform}, within {days} days of it.",
            id=other_id, platform=there[1], days=far.days,
        )  # fmt: skip


def _by_platform(ctx: Context, content: Content) -> Accounts:
    found: dict[str, dict[str, dict[str, list[Shingles]]]] = {}
    for profile in (ctx.channels[name].profile for name in content.channels if name in ctx.channels):
        texts = {language: [shingles(content.text(language, profile))] for language in profile.languages}
        found.setdefault(profile.like, {})[profile.name] = texts
    return found


def _alike(accounts: Accounts, others: Accounts, *, same: bool) -> Iterator[tuple[float, str]]:
    """Of each two accounts of one platform, which are one and the same or are not."""
    for platform, own in accounts.items():
        for name, texts in own.items():
            for other, said in others.get(platform, {}).items():
                if (name == other) is same:
                    yield likest(texts, said), platform
