"""Who is told what, and when: nothing lost, a storm one message, no name in any of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.daemon import alerts as telling
from bot.domain.alerts import PAGES, Happened, Notice, Topic, gathered
from bot.ports import Absent, Failure, Message
from bot.services import alerts, audit, posts, queue
from bot.services.context import Alert, Context
from bot.store import heartbeats, tables
from tests.farside import NINE, FarSide, X, drain, go_to, scheduled, worker_of
from tests.house import Crew, FakeClock
from tests.writing import in_review

ALL = frozenset(Topic)
MINUTE = timedelta(minutes=1)
REFUSED = Absent(Failure.REJECTED, "no")


@dataclass
class Inbox:
    """Takes every message, unless told what goes wrong."""

    why: str = ""
    got: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> str:
        if not self.why:
            self.got.append(message)
        return self.why

    @property
    def subjects(self) -> list[str]:
        return [message.subject for message in self.got]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def told(house: Context, inbox: Inbox) -> Context:
    """One way of telling, which begins now."""
    return beginning(house, inbox)


def beginning(house: Context, inbox: Inbox, *, language: str = "en", topics: frozenset[Topic] = ALL) -> Context:
    ctx = replace(house, alerts={"team": Alert(language, topics - {Topic.UNSIGNED}, inbox.tell)})
    telling.tell(ctx)
    return ctx


def fail(ctx: Context, crew: Crew, clock: FakeClock, far: FarSide, *, times: int = 1) -> None:
    far.answers = [lambda _: REFUSED] * times
    channel = ctx.channels[X]
    free = replace(ctx, channels={X: replace(channel, rhythm=replace(channel.rhythm, daily_cap=100))})
    for _ in range(times):
        scheduled(free, crew)
    go_to(clock, NINE)
    drain(free, worker_of(free), most=100)


def test_what_happened_before_anybody_was_to_be_told_is_not_told(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    fail(house, crew, clock, far)
    ctx = beginning(house, inbox)
    clock.advance(minutes=2)
    telling.tell(ctx)
    assert inbox.got == []


def test_a_storm_is_one_message_with_a_number(
    told: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    fail(told, crew, clock, far, times=30)
    telling.tell(told)
    assert inbox.got == []
    clock.advance(minutes=1)
    telling.tell(told)
    assert inbox.subjects == ["Campaign bot: 30 deliveries did not go out"]
    telling.tell(told)
    clock.advance(minutes=2)
    telling.tell(told)
    assert len(inbox.got) == 1


def test_no_name_no_slug_and_no_word_of_a_post_is_in_an_alert(
    told: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    fail(told, crew, clock, far)
    queue.halt(told, crew.coordinator, "Nguyễn Văn A asks us to wait")
    clock.advance(minutes=1)
    telling.tell(told)
    (message,) = inbox.got
    said = f"{message}"
    for name in ("Nguyễn", "Nguyen", X, "rehearsal", "binh", "asks", "hôm nay", "Say the name", "stop-the-crackdown"):
        assert name not in said
    assert message.facts[0] == {"topic": "failed", "count": 1, "ids": [1], "page": "/"}
    assert [line.strip() for line in message.body.splitlines()[1::2]] == ["/", "/pause"]


def test_in_vietnamese_it_speaks_vietnamese(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    ctx = beginning(house, inbox, language="vi")
    fail(ctx, crew, clock, far)
    clock.advance(minutes=1)
    telling.tell(ctx)
    assert inbox.subjects == ["Chương trình đăng bài: 1 lượt đăng không thực hiện được"]


def test_what_could_not_be_told_is_told_later_and_ever_more_seldom_tried(
    told: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    fail(told, crew, clock, far)
    clock.advance(minutes=1)
    inbox.why = "no answer in time"
    telling.tell(told)
    row = alerts.progress(told, "team")
    assert row is not None
    assert (row.failures, row.error) == (1, "no answer in time")
    assert row.next_at > clock.now()
    inbox.why = ""
    telling.tell(told)
    assert inbox.got == []
    clock.advance(minutes=2)
    telling.tell(told)
    assert len(inbox.got) == 1
    row = alerts.progress(told, "team")
    assert row is not None
    assert (row.failures, row.error, row.told_at) == (0, "", clock.now())


def test_a_program_killed_before_it_noted_the_telling_tells_again_and_loses_nothing(
    told: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    fail(told, crew, clock, far)
    clock.advance(minutes=1)
    assert alerts.pending(told, "team") is not None  # and then it is killed
    assert alerts.pending(told, "team") is None  # nobody else takes it at once
    clock.advance(minutes=6)
    telling.tell(told)
    assert len(inbox.got) == 1


def test_only_what_was_asked_for_is_told(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    ctx = beginning(house, inbox, topics=frozenset({Topic.HALT}))
    fail(ctx, crew, clock, far)
    clock.advance(minutes=2)
    telling.tell(ctx)
    assert inbox.got == []
    queue.halt(ctx, crew.coordinator, "wait")
    clock.advance(minutes=1)
    telling.tell(ctx)
    assert inbox.subjects == ["Campaign bot: Somebody stopped all publishing"]


def test_a_pause_by_a_person_is_no_news_and_one_by_the_service_is(
    told: Context, crew: Crew, clock: FakeClock, far: FarSide, inbox: Inbox
) -> None:
    queue.pause_channel(told, crew.admin, X, "new password")
    clock.advance(minutes=1)
    telling.tell(told)
    assert inbox.got == []
    queue.resume_channel(told, crew.admin, X)
    far.answers = [lambda _: Absent(Failure.AUTH_BROKEN, "401")]
    scheduled(told, crew)
    go_to(clock, NINE)
    drain(told, worker_of(told))
    clock.advance(minutes=1)
    telling.tell(told)
    assert "1 account is paused: its service does not let it post." in inbox.got[0].body


def test_drafts_that_wait_are_counted_each_morning_once(
    told: Context, crew: Crew, clock: FakeClock, inbox: Inbox
) -> None:
    in_review(told, crew.coordinator, when=posts.When(at=clock.now() + timedelta(days=6, hours=12)))
    telling.tell(told)
    assert inbox.subjects == ["Campaign bot: 1 post waits for approval"]
    clock.advance(hours=1)
    telling.tell(told)
    clock.advance(hours=8)  # half past seven in Viet Nam
    telling.tell(told)
    assert len(inbox.got) == 1
    clock.advance(minutes=30)
    telling.tell(told)
    assert len(inbox.got) == 2


def test_what_is_due_within_two_days_is_told_at_any_hour_and_again_when_there_is_more(
    told: Context, crew: Crew, clock: FakeClock, inbox: Inbox
) -> None:
    clock.advance(hours=3)  # half past one at night
    first = in_review(told, crew.coordinator)
    telling.tell(told)
    assert inbox.got[0].facts == ({"topic": "urgent", "count": 1, "ids": [first.id], "page": "/review"},)
    clock.advance(minutes=2)
    telling.tell(told)
    assert len(inbox.got) == 1
    second = in_review(told, crew.coordinator)
    telling.tell(told)
    assert inbox.got[1].facts[0]["ids"] == [first.id, second.id]


def test_a_daemon_that_falls_silent_is_told_once_a_day_and_anew_when_it_happens_again(
    told: Context, clock: FakeClock, inbox: Inbox
) -> None:
    def beat() -> None:
        with told.store.write() as tx:
            heartbeats.beat(tx, "tester", clock.now())

    beat()
    clock.advance(minutes=6)
    telling.tell(told)
    clock.advance(minutes=6)
    telling.tell(told)
    assert inbox.subjects == ["Campaign bot: No daemon was seen for five minutes: nothing is published"]
    beat()
    telling.tell(told)
    clock.advance(minutes=6)
    telling.tell(told)
    assert len(inbox.got) == 2


def test_entries_without_a_signature_for_two_hours_are_told(house: Context, clock: FakeClock, inbox: Inbox) -> None:
    ctx = replace(house, alerts={"team": Alert("en", frozenset({Topic.UNSIGNED}), inbox.tell)})
    telling.tell(ctx)
    clock.advance(hours=2, minutes=1)
    telling.tell(ctx)
    assert inbox.got[0].facts[0]["topic"] == "unsigned"
    audit.checkpoint(ctx.store, ctx.keystore, now=clock.now(), force=True)
    clock.advance(hours=30)
    telling.tell(ctx)
    assert len(inbox.got) == 1


def test_a_log_that_was_cut_is_read_from_its_new_end(told: Context, inbox: Inbox) -> None:
    with told.store.write() as tx:
        tx.execute(update(tables.alerts).values(seen=10_000))
    telling.tell(told)
    row = alerts.progress(told, "team")
    assert row is not None
    assert row.seen < 10_000
    assert inbox.got == []


def test_the_ping_goes_only_while_a_daemon_lives_and_sends_what_is_due(
    house: Context, crew: Crew, clock: FakeClock
) -> None:
    heard: list[int] = []

    def hear() -> str:
        heard.append(1)
        return ""

    ctx = replace(house, ping=hear)
    telling.ping(ctx)
    assert heard == []
    scheduled(ctx, crew)
    with ctx.store.write() as tx:
        heartbeats.beat(tx, "tester", clock.now())
    telling.ping(ctx)
    assert heard == [1]
    go_to(clock, NINE + timedelta(minutes=6))
    with ctx.store.write() as tx:
        heartbeats.beat(tx, "tester", clock.now())
    telling.ping(ctx)  # something is due and does not go out
    assert heard == [1]
    drain(ctx, worker_of(ctx))
    telling.ping(ctx)
    assert heard == [1, 1]
    with ctx.store.write() as tx:
        heartbeats.beat(tx, "tester", clock.now(), suspect=True)
    telling.ping(ctx)
    assert heard == [1, 1]


def happened(acts: Sequence[str]) -> list[Happened]:
    return [Happened(act, f"delivery:{number}") for number, act in enumerate(acts, 1)]


def test_each_delivery_counts_once_and_twenty_are_named_at_most() -> None:
    many = [*happened(["delivery.failed"] * 25), *happened(["delivery.failed"] * 25)]
    assert gathered(many, ALL) == (Notice(Topic.FAILED, 25, tuple(range(1, 21))),)


def test_an_answer_that_fell_with_its_post_is_not_counted() -> None:
    both = [
        Happened("delivery.missed", "delivery:1", "too_late"),
        Happened("delivery.missed", "delivery:2", "parent_missing"),
    ]
    assert gathered(both, ALL) == (Notice(Topic.FAILED, 1, (1,)),)


def test_an_account_is_counted_and_never_named() -> None:
    assert gathered([Happened("channel.paused", "channel:x1")], ALL) == (Notice(Topic.ACCOUNT, 1),)


def test_every_topic_has_its_words_and_page() -> None:
    assert set(PAGES) == set(Topic)
    for topic in Topic:
        message = telling.worded("vi", [Notice(topic, 2)])
        assert message.subject != telling.worded("en", [Notice(topic, 2)]).subject
