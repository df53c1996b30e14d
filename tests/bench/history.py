"""Eight years of posts and three to come, with all that became of them, and the log of it, put there as it ended."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, insert

from bot.domain.audit import Act
from bot.domain.delivery import DeliveryState
from bot.domain.people import Person
from bot.domain.post import Content, Post, PostState, Rendition, Window, canonical, part_to_plain
from bot.services.audit import checkpoint
from bot.services.content import cites_of, freeze, rendered
from bot.services.context import PROGRAM, Context
from bot.store import audit, cases
from bot.store import posts as shelf
from bot.store import tables as t
from bot.store.audit import NewEntry
from bot.store.posts import NewPost
from tests.bench.figures import say
from tests.house import START

CAMPAIGN = "stop-the-crackdown-vn"
BEHIND, AHEAD = timedelta(days=8 * 365), timedelta(days=3 * 365)
BEGAN = START - BEHIND
GRACE, MOMENT, A_BATCH = timedelta(minutes=20), timedelta(seconds=1), 500
# Of a thousand posts, what became of those whose time has passed, and what is still to come.
PAST: Mapping[PostState, int] = {
    PostState.PUBLISHED: 930, PostState.CANCELLED: 12, PostState.LAPSED: 10, PostState.PARTLY_PUBLISHED: 4,
    PostState.WITHDRAWN: 2, PostState.RETURNED: 2,
}  # fmt: skip
COMING: Mapping[PostState, int] = {
    PostState.SCHEDULED: 20,
    PostState.IN_REVIEW: 10,
    PostState.DRAFT: 8,
    PostState.RETURNED: 2,
}
SENT = frozenset({PostState.PUBLISHED, PostState.PARTLY_PUBLISHED, PostState.WITHDRAWN})
AGREED = SENT | {PostState.SCHEDULED}
VI = (
    "{name} đã bị bắt vì những điều mình viết. Phiên tòa chỉ kéo dài một buổi sáng và gia đình không được vào dự. "
    "Câu chuyện số {number} kể lại những gì các tổ chức nhân quyền ghi nhận. Xin đừng quên. #StopTheCrackdownVN"
)
EN = (
    "{name} was arrested for what they wrote. The trial took one morning and the family was kept out. "
    "Story number {number} tells what human rights groups have documented. Do not forget. #StopTheCrackdownVN"
)

Rows: TypeAlias = dict[Table, list[dict[str, Any]]]


@dataclass(frozen=True)
class Size:
    posts: int
    cases: int
    entries: int


@dataclass(frozen=True)
class Crew:
    """`an` has every role, so sees the most; the others write and agree."""

    an: Person
    binh: Person
    chi: Person
    dung: Person


@dataclass(frozen=True)
class Due:
    """One of the posts: its number, its time, what became of it by now."""

    number: int
    at: datetime
    state: PostState

    @property
    def logged_at(self) -> datetime:
        return min(self.at, START - 20 * MOMENT)


class Writer:
    """The posts in the order of their times, and beside each its part of the log, so that both run alike."""

    def __init__(self, ctx: Context, crew: Crew, size: Size) -> None:
        self.ctx, self.crew, self.size = ctx, crew, size
        self.chance = random.Random(2)  # noqa: S311 - the same each time
        self.accounts, self.deliveries = tuple(ctx.channels), 0
        with ctx.store.read() as tx:
            self.cases, self.logged = cases.everyone(tx), audit.size(tx)

    def write(self) -> None:
        past, coming = self.shuffled(PAST), self.shuffled(COMING)
        moments = [(BEGAN + BEHIND / (len(past) + 1) * n, state) for n, state in enumerate(past, 1)]
        moments += [(START + AHEAD / (len(coming) + 1) * n, state) for n, state in enumerate(coming, 1)]
        dues = [Due(number, *each) for number, each in enumerate(moments)]
        each_logs = (self.size.entries - self.logged) / len(dues)
        for first in range(0, len(dues), A_BATCH):
            if first % 10_000 == 0:
                say(f"the big house: {first:,} of {self.size.posts:,} posts, {self.logged:,} entries")
            some = dues[first : first + A_BATCH]
            with self.ctx.store.write() as tx:
                self.write_some(tx, some, each_logs)
            checkpoint(self.ctx.store, self.ctx.keystore, now=some[-1].logged_at, force=True)

    def shuffled(self, shares: Mapping[PostState, int]) -> list[PostState]:
        found = [state for state, share in shares.items() for _ in range(round(share * self.size.posts / 1_000))]
        self.chance.shuffle(found)
        return found

    def write_some(self, tx: Connection, some: Sequence[Due], each_logs: float) -> None:
        added = shelf.add(tx, [NewPost(self.content(due)) for due in some], self.crew.binh.id, BEGAN)
        rows: Rows = {t.approvals: [], t.deliveries: [], t.attempts: []}
        entries: list[NewEntry] = []
        frozen = []
        for post, due in zip(added, some, strict=True):
            renditions = rendered(self.ctx, post.content)[0]
            text, digest = freeze(post.id, post.document, renditions)
            if due.state is not PostState.DRAFT:
                frozen.append((post.id, text, digest))
            told = list(self.log(post, due, digest))
            if due.state in AGREED:
                rows[t.approvals] += self.yeses(post, due, digest, self.logged + len(entries))
                told += self.deliver(rows, post, renditions, digest, due)
            wanted = round((due.number + 1) * each_logs) - round(due.number * each_logs)
            spare = NewEntry(due.logged_at, PROGRAM, Act.DAEMON_STARTED, "daemon:1")
            entries += (*told, *[spare] * wanted)[: max(wanted, 4)]
        shelf.freeze(tx, frozen, BEGAN)
        shelf.set_states(tx, {post.id: (due.state, "") for post, due in zip(added, some, strict=True)}, START)
        for table, each in rows.items():
            if each:
                tx.execute(insert(table), each)
        audit.append_many(tx, entries, keystore=self.ctx.keystore)
        self.logged += len(entries)

    def content(self, due: Due) -> Content:
        case = self.cases[due.number * 7 % len(self.cases)]
        texts = {("vi", ""): VI.format(name=case.name_vi, number=due.number)}
        texts["en", ""] = EN.format(name=case.name_en, number=due.number)
        channels = tuple(sorted(self.chance.sample(self.accounts, 2)))
        timed = due.state is not PostState.DRAFT or due.number % 3
        windows = tuple(Window(name, due.at, due.at + GRACE) for name in channels) if timed else ()
        cites = cites_of({case.slug: case}, ())
        return Content(CAMPAIGN, texts, channels, windows, cases=(case.slug,), cites=cites)

    def log(self, post: Post, due: Due, digest: str) -> Iterator[NewEntry]:
        """What people did; of a post that both agreed to, their yeses are the third and the fourth entry."""
        obj, at, crew = f"post:{post.id}", due.logged_at, self.crew
        yield NewEntry(at, crew.binh.pseudonym, Act.POST_ADDED, obj, {"revision": 1})
        yield NewEntry(at, crew.binh.pseudonym, Act.POST_SUBMITTED, obj, {"digest": digest, "revision": 1})
        for each in (crew.chi, crew.dung) if due.state in AGREED else ():
            yield NewEntry(at, each.pseudonym, Act.POST_APPROVED, obj, {"digest": digest})

    def yeses(self, post: Post, due: Due, digest: str, first: int) -> list[dict[str, Any]]:
        said = {"post_id": post.id, "digest": digest, "at": due.logged_at}
        return [
            {**said, "person_id": person.id, "audit_seq": first + place}
            for place, person in ((2, self.crew.chi), (3, self.crew.dung))
        ]

    def deliver(
        self, rows: Rows, post: Post, renditions: Sequence[Rendition], digest: str, due: Due
    ) -> Iterator[NewEntry]:
        """The first part on each account: out with its address, or waiting for its time."""
        out = due.state in SENT
        for rendition in renditions:
            self.deliveries += 1
            number = self.deliveries
            failed = due.state is PostState.PARTLY_PUBLISHED and rendition is renditions[0]
            state = DeliveryState.FAILED if failed else DeliveryState.PUBLISHED if out else DeliveryState.SCHEDULED
            went = state is DeliveryState.PUBLISHED
            rows[t.deliveries].append({
                "id": number, "post_id": post.id, "channel": rendition.channel, "part": 0, "state": state,
                "digest": digest, "content": canonical(part_to_plain(rendition.parts[0])),
                "idem_key": f"{digest[:24]}-{number}", "due_at": due.at, "next_at": due.at, "not_after": due.at + GRACE,
                "fence": int(out), "attempts": int(out), "published_at": due.at + MOMENT if went else None,
                "remote_id": f"remote-{number}" if went else None,
                "url": f"https://example.org/@coalition/{number}" if went else None,
            })  # fmt: skip
            if out:
                rows[t.attempts].append({
                    "delivery_id": number, "fence": 1, "channel": rendition.channel, "began_at": due.at,
                    "ended_at": due.at + MOMENT, "outcome": "published" if went else "failed",
                })  # fmt: skip
                ended = Act.DELIVERY_PUBLISHED if went else Act.DELIVERY_FAILED
                for act in (Act.DELIVERY_SENDING, ended):
                    yield NewEntry(due.logged_at, PROGRAM, act, f"delivery:{number}", {"attempt": 1})
        if out:
            yield NewEntry(due.logged_at, PROGRAM, Act.POST_PUBLISHED, f"post:{post.id}")
