"""From approval to receipt: what goes out is what was approved, once; whatever is doubtful waits for a person."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from bot.domain.audit import Act
from bot.domain.delivery import TRIES, DeliveryState, Reason
from bot.domain.errors import BadInput, Refused
from bot.domain.people import Person
from bot.domain.post import Post, PostState
from bot.ports import ALWAYS, Absent, Failure, Outcome, Parcel, Published, Receipt, Unsure
from bot.services import cases, deliver, posts, queue, review, settle, withdraw
from bot.services.audit import checkpoint
from bot.services.context import Context
from bot.services.errands import Done, answer
from bot.services.gate import Worker
from bot.services.posts import When
from bot.store import tables
from tests.farside import CAMPAIGN, NINE, TEXTS, FarSide, X, deliveries_of, drain, go_to, scheduled, states, worker_of
from tests.house import START, Crew, FakeClock, told
from tests.sample_cases import a_case


def test_nothing_leaves_before_its_time(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    scheduled(house, crew)
    worker = worker_of(house)
    go_to(clock, NINE - timedelta(microseconds=1))
    assert drain(house, worker) == []
    go_to(clock, NINE)
    drain(house, worker)
    assert [parcel.text for parcel in far.accepted] == [TEXTS["vi", ""], TEXTS["en", ""]]


def test_what_goes_out_is_recorded_before_and_after(house: Context, crew: Crew, clock: FakeClock) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    first = deliveries_of(house, post)[0]
    sending, published = (
        told(house, Act.DELIVERY_SENDING, f"delivery:{first.id}"),
        told(house, Act.DELIVERY_PUBLISHED, f"delivery:{first.id}"),
    )
    assert len(sending) == len(published) == 1
    assert sending[0].seq < published[0].seq
    assert published[0].data["digest"] == post.digest
    assert posts.get_post(house, post.id).state is PostState.PUBLISHED


def test_in_a_thread_the_answer_names_what_it_answers(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    first, second = far.accepted
    assert first.parent is None
    assert second.parent is not None
    assert second.parent.remote_id == "r1"
    assert second.root == second.parent


def test_a_channel_begins_one_post_at_a_time(house: Context, crew: Crew, clock: FakeClock) -> None:
    scheduled(house, crew)
    scheduled(house, crew, at=NINE + timedelta(hours=2))
    go_to(clock, NINE + timedelta(hours=2))
    assert len(deliver.wave(house, worker_of(house), (), (X,))) == 1


def spoil(house: Context, table: str, **values: object) -> None:
    with house.store.write() as tx:
        tx.execute(update(tables.metadata.tables[table]).values(**values))


def _edit_part(house: Context, post: Post) -> None:
    delivery = deliveries_of(house, post)[0]
    content = json.loads(delivery.content) | {"text": "Điều chưa ai duyệt."}
    spoil(house, "deliveries", content=json.dumps(content))


def _edit_manifest(house: Context, post: Post) -> None:
    spoil(house, "posts", manifest=post.manifest.replace("hôm nay", "ngày mai"))


def _edit_document(house: Context, post: Post) -> None:
    spoil(house, "posts", document=post.document.replace("hôm nay", "ngày mai"))


def _edit_everything_alike(house: Context, post: Post) -> None:
    _edit_part(house, post)
    _edit_manifest(house, post)
    spoil(house, "deliveries", digest="e" * 64)


def _move_time(house: Context, post: Post) -> None:
    del post
    spoil(house, "deliveries", due_at=NINE - timedelta(hours=1), not_after=NINE + timedelta(days=3))


def _void_approval(house: Context, post: Post) -> None:
    del post
    spoil(house, "approvals", voided_at=START)


def _point_at_another_record(house: Context, post: Post) -> None:
    del post
    spoil(house, "approvals", audit_seq=1)


@pytest.mark.parametrize(
    "change",
    [
        _edit_part,
        _edit_manifest,
        _edit_document,
        _edit_everything_alike,
        _move_time,
        _void_approval,
        _point_at_another_record,
    ],
)
def test_whatever_changed_in_the_database_after_approval_is_not_sent(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, change: Callable[[Context, Post], None]
) -> None:
    post = scheduled(house, crew)
    change(house, post)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    state, reason = states(house, post)[0]
    assert state == "held"
    assert reason in {Reason.CONTENT_CHANGED, Reason.NOT_APPROVED}


def test_an_edit_after_approval_takes_the_deliveries_back(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew)
    changed = replace(post.content, texts=TEXTS | {("en", ""): "Say the name Nguyen Van A, please."})
    posts.edit_post(house, crew.coordinator, post.id, changed, revision=post.revision)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post) == [("cancelled", Reason.POST_CHANGED)] * 2


def test_another_account_than_the_approved_one_is_not_posted_to(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew)
    other = replace(house.channels[X], profile=replace(house.channels[X].profile, account="somebody/else"))
    moved = replace(house, channels={X: other})
    go_to(clock, NINE)
    drain(moved, worker_of(moved))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.ACCOUNT_CHANGED)


def test_an_account_that_is_gone_from_the_configuration_is_held(house: Context, crew: Crew, clock: FakeClock) -> None:
    post = scheduled(house, crew)
    bare = replace(house, channels={})
    go_to(clock, NINE)
    drain(bare, worker_of(bare))
    assert states(house, post)[0] == ("held", Reason.CHANNEL_GONE)


def test_a_halt_holds_what_comes_due_and_one_reviewer_frees_it(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew, grace=timedelta(hours=3))
    queue.halt(house, crew.auditor, "chờ gia đình")
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert states(house, post)[0] == ("held", Reason.HALT)
    queue.ask_unhalt(house, crew.coordinator)
    queue.confirm_unhalt(house, crew.reviewer)
    drain(house, worker)
    assert far.accepted == []
    settle.settle_resend(house, crew.reviewer, deliveries_of(house, post)[0].id)
    drain(house, worker)
    assert len(far.accepted) == 2


@pytest.mark.parametrize("scope", ["campaign", "channel", "language", "post"])
def test_a_hold_stops_what_it_names(house: Context, crew: Crew, clock: FakeClock, far: FarSide, scope: str) -> None:
    post = scheduled(house, crew)
    target = {"campaign": CAMPAIGN, "channel": X, "language": "vi", "post": str(post.id)}[scope]
    queue.hold(house, crew.coordinator, scope, target, "chờ")
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.HOLD)


def test_a_paused_channel_sends_nothing(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    post = scheduled(house, crew)
    queue.pause_channel(house, crew.auditor, X, "khóa lạ")
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.CHANNEL_PAUSED)


def test_consent_refused_after_approval_stops_the_post(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    cases.import_cases(house, crew.coordinator, [a_case()], source="https://example.org")
    post = scheduled(house, crew, cases=("nguyen-van-a",))
    spoil(house, "cases", document=_with_consent(house, "refused"))
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.CONSENT)


def _with_consent(house: Context, consent: str) -> str:
    with house.store.read() as tx:
        document = tx.execute(tables.cases.select()).one().document
    return json.dumps(json.loads(document) | {"consent": consent})


def test_a_fact_revised_behind_the_program_stops_the_post(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    cases.import_cases(house, crew.coordinator, [a_case()], source="https://example.org")
    post = scheduled(house, crew, cases=("nguyen-van-a",))
    with house.store.read() as tx:
        revisions = json.loads(tx.execute(tables.cases.select()).one().revisions)
    spoil(house, "cases", revisions=json.dumps(revisions | {"status": 9}))
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.FACT_CHANGED)


def test_fresh_words_do_not_outlive_the_confirmation(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    cases.import_cases(house, crew.coordinator, [a_case(as_of="2026-06-01")], source="https://example.org")
    far_away = NINE + timedelta(days=60)
    post = scheduled(house, crew, at=far_away, cases=("nguyen-van-a",), tier="fresh", kind="arrest")
    go_to(clock, far_away)
    drain(house, replace(worker_of(house), down_since=None))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.STATUS_AGED)


def test_later_than_its_grace_it_is_missed_and_goes_back_to_a_person(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE + timedelta(minutes=21))
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post) == [("missed", Reason.TOO_LATE), ("missed", Reason.PARENT_MISSING)]
    returned = posts.get_post(house, post.id)
    assert (returned.state, returned.reason) == (PostState.RETURNED, "not_sent")


def test_in_quiet_hours_it_waits_for_their_end(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    """Also when the hours were changed after the approval."""
    late = datetime.fromisoformat("2026-11-22T22:30:00+07:00")
    rhythm = replace(house.channels[X].rhythm, quiet_until=house.channels[X].rhythm.quiet_from)
    awake = replace(house, channels={X: replace(house.channels[X], rhythm=rhythm)})
    post = scheduled(awake, crew, at=late, grace=timedelta(hours=12))
    go_to(clock, late)
    worker = worker_of(house)
    drain(house, worker)
    assert far.accepted == []
    assert states(house, post)[0] == ("scheduled", Reason.QUIET)
    go_to(clock, datetime.fromisoformat("2026-11-23T06:00:00+07:00"))
    drain(house, worker)
    assert len(far.accepted) == 2


def test_beyond_the_days_cap_it_waits_for_the_next_day(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    rhythm = replace(house.channels[X].rhythm, daily_cap=1)
    capped = replace(house, channels={X: replace(house.channels[X], rhythm=rhythm)})
    scheduled(capped, crew)
    second = scheduled(capped, crew, at=NINE + timedelta(hours=2), grace=timedelta(days=2))
    worker = worker_of(capped)
    for hours in (0, 2):
        go_to(clock, NINE + timedelta(hours=hours))
        drain(capped, worker)
    assert len(far.accepted) == 2
    assert states(capped, second)[0] == ("scheduled", Reason.DAILY_CAP)


def test_overdue_posts_that_may_wait_leave_one_by_one(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    worker = worker_of(house)
    for minutes in range(2):
        scheduled(house, crew, at=NINE + timedelta(minutes=minutes), grace=timedelta(hours=9))
    go_to(clock, NINE + timedelta(hours=3))
    drain(house, worker)
    assert len(far.accepted) == 2
    clock.advance(minutes=90)
    drain(house, worker)
    assert len(far.accepted) == 4


def test_times_that_people_chose_close_together_are_kept(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    worker = worker_of(house)
    for minutes in range(2):
        scheduled(house, crew, at=NINE + timedelta(minutes=minutes))
    for minutes in range(2):
        go_to(clock, NINE + timedelta(minutes=minutes))
        drain(house, worker)
    assert len(far.accepted) == 4


def test_by_a_suspect_clock_nothing_is_sent_and_nothing_is_too_late(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE + timedelta(hours=1))
    drain(house, worker_of(house), clock_suspect=True)
    assert far.accepted == []
    assert states(house, post)[0] == ("scheduled", "")


def test_after_a_day_without_a_daemon_a_person_decides(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    worker_of(house)
    post = scheduled(house, crew, grace=timedelta(days=9))
    go_to(clock, NINE + timedelta(days=2))
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.DOWN_TOO_LONG)


def test_catching_up_is_bounded_an_hour(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    slow = replace(house, publishing=replace(house.publishing, catch_up_per_hour=2))
    worker_of(slow)
    for minutes in range(4):
        scheduled(slow, crew, at=NINE + timedelta(minutes=minutes), grace=timedelta(hours=9))
    go_to(clock, NINE + timedelta(hours=1))
    worker = worker_of(slow)
    drain(slow, worker)
    assert len(far.accepted) == 4  # two posts of two parts
    clock.advance(hours=1, minutes=1)
    drain(slow, worker)
    assert len(far.accepted) == 8


def test_an_error_in_the_gate_means_no_send(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = scheduled(house, crew)
    go_to(clock, NINE)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.services.deliver.rule", broken)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert states(house, post)[0] == ("held", Reason.GATE_FAILED)


def absent(failure: Failure, retry_at: datetime | None = None) -> Callable[[Parcel], Outcome]:
    return lambda _: Absent(failure, "as told", retry_at)


def test_a_rejected_post_fails_with_its_answers(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.answers = [absent(Failure.REJECTED)]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert states(house, post) == [("failed", Reason.REJECTED), ("missed", Reason.PARENT_MISSING)]


def test_an_unreachable_platform_is_tried_again_until_it_answers(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers = [absent(Failure.UNREACHABLE)] * 2
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert states(house, post)[0] == ("retry_wait", Reason.UNREACHABLE)
    for _ in range(2):
        clock.advance(minutes=2)
        drain(house, worker)
    assert len(far.accepted) == 2
    assert posts.get_post(house, post.id).state is PostState.PUBLISHED


def test_a_rate_limit_is_waited_out_to_the_moment_the_platform_named(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    until = NINE + timedelta(minutes=10)
    far.answers = [absent(Failure.RATE_LIMITED, until)]
    scheduled(house, crew)
    worker = worker_of(house)
    go_to(clock, NINE)
    drain(house, worker)
    go_to(clock, until - timedelta(seconds=1))
    assert drain(house, worker) == []
    go_to(clock, until)
    drain(house, worker)
    assert len(far.accepted) == 2


def test_a_wait_beyond_its_window_ends_it(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.answers = [absent(Failure.RATE_LIMITED, NINE + timedelta(hours=5))]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert states(house, post)[0] == ("failed", Reason.RATE_LIMITED)


@pytest.mark.parametrize("failure", [Failure.AUTH_BROKEN, Failure.BILLING, Failure.BLOCKED])
def test_what_only_a_person_can_mend_pauses_that_channel_once_and_holds_the_post(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, failure: Failure
) -> None:
    far.answers = [absent(failure)]
    first = scheduled(house, crew, grace=timedelta(hours=5))
    second = scheduled(house, crew, at=NINE + timedelta(hours=2))
    worker = worker_of(house)
    for hours in (0, 2):
        go_to(clock, NINE + timedelta(hours=hours))
        drain(house, worker)
    assert states(house, first)[0] == ("held", Reason(failure.value))
    assert states(house, second)[0] == ("held", Reason.CHANNEL_PAUSED)
    assert len(told(house, Act.CHANNEL_PAUSED)) == 1


def lost(far: FarSide) -> Callable[[Parcel], Outcome]:
    """Applied, and the answer cut."""

    def answer(parcel: Parcel) -> Outcome:
        far.accepted.append(parcel)
        return Unsure("cut")

    return answer


def test_an_unknown_outcome_is_never_sent_again_but_looked_for(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers = [lost(far)]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    assert states(house, post)[0] == ("unknown", Reason.NO_ANSWER)
    clock.advance(seconds=299)
    assert drain(house, worker) == []
    clock.advance(seconds=2)
    drain(house, worker)
    assert [parcel.text for parcel in far.accepted] == [TEXTS["vi", ""], TEXTS["en", ""]]
    assert posts.get_post(house, post.id).state is PostState.PUBLISHED


def test_absence_is_believed_only_when_seen_twice(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.answers = [lambda _: Unsure("cut")]
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(seconds=300)
    drain(house, worker)
    assert states(house, post)[0][0] == "unknown"
    assert far.accepted == []
    clock.advance(seconds=300)
    drain(house, worker)
    assert len(far.accepted) == 2


def test_where_nobody_can_look_a_person_decides(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.answers, far.finds = [lost(far)], [Unsure("shows nothing", Reason.CANNOT_LOOK)]
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(seconds=300)
    drain(house, worker)
    assert states(house, post)[0] == ("held", Reason.CANNOT_LOOK)
    assert len(far.accepted) == 1
    with pytest.raises(Refused, match="out or being sent"):
        review.cancel(house, crew.coordinator, post.id, "thôi")
    with pytest.raises(Refused, match="out or being sent"):
        posts.edit_post(house, crew.coordinator, post.id, post.content, When(), revision=post.revision)
    assert states(house, post)[0] == ("held", Reason.CANNOT_LOOK)


def test_what_may_be_out_on_an_account_that_is_gone_is_said_to_be_in_doubt(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers = [lost(far)]
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(seconds=300)
    assert deliver.wave(replace(house, channels={}), worker, (), ()) == ()
    assert states(house, post)[0] == ("held", Reason.CANNOT_LOOK)


def test_a_look_that_fails_is_tried_again_until_it_tells(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers, far.finds = [lost(far)], [Unsure("503")] * 3
    post = scheduled(house, crew, grace=timedelta(hours=3))
    go_to(clock, NINE)
    worker = worker_of(house)
    for minutes in (0, 5, 8, 20, 60):
        clock.advance(minutes=minutes)
        drain(house, worker)
    assert far.finds == []
    assert [parcel.text for parcel in far.accepted] == [TEXTS["vi", ""], TEXTS["en", ""]]
    assert posts.get_post(house, post.id).state is PostState.PUBLISHED


def test_looks_that_fail_for_hours_are_few_and_end_with_a_person(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers, far.finds = [lost(far)], [Unsure("503")] * 100
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    for _ in range(8 * 60):
        drain(house, worker)
        clock.advance(minutes=1)
    assert states(house, post)[0] == ("held", Reason.LOOKS_FAILED)
    assert 5 < 100 - len(far.finds) < 15
    assert len(far.accepted) == 1


def test_a_failed_look_between_two_counts_for_nothing(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers, far.finds = [lambda _: Unsure("cut")], [None, Unsure("503"), Unsure("503")]
    post = scheduled(house, crew, grace=timedelta(hours=5))
    go_to(clock, NINE)
    worker = worker_of(house)
    for minutes in (0, 5, 5, 15):
        clock.advance(minutes=minutes)
        drain(house, worker)
    assert states(house, post)[0][0] == "unknown"
    assert far.accepted == []
    clock.advance(minutes=60)
    drain(house, worker)
    assert len(far.accepted) == 2


def once_a_key(far: FarSide) -> None:
    """The same key is the same post, and nobody can look."""
    keep = far.publish

    def publish(parcel: Parcel) -> Outcome:
        if any(seen.idem_key == parcel.idem_key for seen in far.accepted) and not far.answers:
            return Published(Receipt("again"))
        return keep(parcel)

    far.publish = publish  # type: ignore[method-assign]
    far.find = lambda parcel, since: Unsure("503")  # type: ignore[method-assign]  # noqa: ARG005


def test_where_the_key_is_known_again_an_unknown_outcome_is_sent_again_under_it(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    once_a_key(far)
    far.repeats, far.answers = ALWAYS, [lost(far), lambda _: Unsure("502")]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    for seconds in (0, 40, 80):
        clock.advance(seconds=seconds)
        drain(house, worker)
    assert [parcel.text for parcel in far.accepted] == [TEXTS["vi", ""], TEXTS["en", ""]]
    first = deliveries_of(house, post)[0]
    assert (first.state, first.attempts, first.fence) == (DeliveryState.PUBLISHED, 3, 3)
    keys = {entry.data["key"] for entry in told(house, Act.DELIVERY_SENDING, f"delivery:{first.id}")}
    assert keys == {first.idem_key}


def test_a_key_is_repeated_only_while_the_platform_keeps_it(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    once_a_key(far)
    far.repeats, far.answers = timedelta(minutes=45), [lost(far)] + [lambda _: Unsure("502")] * 30
    post = scheduled(house, crew, grace=timedelta(hours=5))
    go_to(clock, NINE)
    worker = worker_of(house)
    for _ in range(50):
        drain(house, worker)
        clock.advance(minutes=1)
    repeats = [entry.ts for entry in told(house, Act.DELIVERY_SENDING, f"delivery:{deliveries_of(house, post)[0].id}")]
    assert len(repeats) > 2
    assert max(repeats) <= NINE + timedelta(minutes=45)
    assert min(b - a for a, b in pairwise(repeats)) >= timedelta(seconds=house.publishing.settle_s)
    assert states(house, post)[0][0] == "unknown"


@pytest.mark.parametrize("failure", [Failure.RATE_LIMITED, Failure.REJECTED, Failure.UNREACHABLE, Failure.AUTH_BROKEN])
def test_a_repeat_that_is_refused_says_nothing_of_what_it_repeated(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, failure: Failure
) -> None:
    once_a_key(far)
    far.repeats, far.answers = ALWAYS, [lost(far), lambda _: Absent(failure, "as told")]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    for seconds in (0, 40):
        clock.advance(seconds=seconds)
        drain(house, worker)
    assert states(house, post)[0] == ("unknown", "no_answer")
    assert (X in {pause.channel for pause in queue.pauses(house)}) == (failure is Failure.AUTH_BROKEN)
    far.find = lambda parcel, since: Published(Receipt("1"))  # type: ignore[method-assign]  # noqa: ARG005
    for _ in range(3):
        clock.advance(minutes=7)
        drain(house, worker)
    assert states(house, post)[0][0] == "published"
    assert [parcel.text for parcel in far.accepted].count(TEXTS["vi", ""]) == 1


def _halt(house: Context, crew: Crew, post: Post) -> None:
    del post
    queue.halt(house, crew.auditor, "chờ")


def _hold(house: Context, crew: Crew, post: Post) -> None:
    queue.hold(house, crew.auditor, "post", str(post.id), "chờ")


def _pause(house: Context, crew: Crew, post: Post) -> None:
    del post
    queue.pause_channel(house, crew.auditor, X, "chờ")


def _withdraw(house: Context, crew: Crew, post: Post) -> None:
    withdraw.withdraw_post(house, crew.coordinator, post.id, "gia đình xin")


def _alter(house: Context, crew: Crew, post: Post) -> None:
    del crew
    _edit_part(house, post)


@pytest.mark.parametrize("stop", [_halt, _hold, _pause, _withdraw, _alter])
def test_a_repeat_that_the_gate_refuses_is_only_looked_for(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide, stop: Callable[[Context, Crew, Post], None]
) -> None:
    far.repeats, far.answers = ALWAYS, [lost(far)]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    stop(house, crew, post)
    clock.advance(seconds=60)
    errand = deliver.wave(house, worker, (), (X,))[0]
    assert errand.look_since is not None
    deliver.wave(house, worker, [answer(house, errand)], ())
    assert states(house, post)[0][0] == "published"
    assert len(far.accepted) == 1


def test_after_its_time_nothing_is_repeated(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.repeats, far.answers = ALWAYS, [lost(far)]
    scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(minutes=21)
    (errand,) = deliver.wave(house, worker, (), (X,))
    assert errand.look_since is not None


def test_two_workers_never_repeat_side_by_side(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    """The second is given nothing while the first holds the fence; the first is not believed once it lost it."""
    far.repeats, far.answers = ALWAYS, [lambda _: Unsure("cut")]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    worker, other = worker_of(house), worker_of(house)
    drain(house, worker)
    clock.advance(seconds=60)
    (slow,) = deliver.wave(house, worker, (), (X,))
    assert slow.look_since is None
    assert deliver.wave(house, other, (), (X,)) == ()
    clock.advance(seconds=house.publishing.lease_s + 1)
    deliver.reap(house)
    clock.advance(seconds=house.publishing.settle_s)
    late = answer(house, slow)
    assert late.outcome == Absent(Failure.LATE, "the machine was asleep")
    assert far.accepted == []
    (fresh,) = deliver.wave(house, other, [late], (X,))
    assert fresh.delivery.fence == slow.delivery.fence + 1
    deliver.wave(house, other, [answer(house, fresh)], ())
    assert states(house, post)[0][0] == "published"
    assert len(far.accepted) == 1


def test_what_the_program_still_looks_for_is_not_resent_by_hand(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    far.answers = [lambda _: Unsure("cut")]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    unknown = deliveries_of(house, post)[0].id
    for act in (settle.settle_resend, settle.settle_drop):
        with pytest.raises(Refused, match="It is not known whether delivery"):
            act(house, crew.reviewer, unknown)


def test_absence_after_the_last_try_ends_it(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    far.answers = [lambda _: Unsure("cut")] * TRIES
    post = scheduled(house, crew, grace=timedelta(hours=9))
    go_to(clock, NINE)
    worker = worker_of(house)
    for _ in range(9 * 12):
        drain(house, worker)
        clock.advance(minutes=5)
    assert states(house, post)[0] == ("failed", Reason.TRIES_SPENT)
    assert far.accepted == []


def in_doubt(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> tuple[Post, Worker]:
    far.answers, far.finds = [lambda _: Unsure("cut")], [Unsure("shows nothing", Reason.CANNOT_LOOK)]
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    worker = worker_of(house)
    drain(house, worker)
    clock.advance(seconds=300)
    drain(house, worker)
    return post, worker


def test_resending_what_may_be_out_takes_two_people(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    post, worker = in_doubt(house, crew, clock, far)
    held = deliveries_of(house, post)[0].id
    assert settle.settle_resend(house, crew.coordinator, held).state is DeliveryState.HELD
    with pytest.raises(Refused, match="Someone else"):
        settle.settle_resend(house, crew.coordinator, held)
    assert settle.settle_resend(house, crew.reviewer, held).state is DeliveryState.SCHEDULED
    drain(house, worker)
    assert len(far.accepted) == 2


def test_a_person_says_it_is_live_and_the_thread_goes_on(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post, worker = in_doubt(house, crew, clock, far)
    held = deliveries_of(house, post)[0].id
    with pytest.raises(BadInput, match="address"):
        settle.settle_live(house, crew.coordinator, held, "javascript:alert(1)")
    live = settle.settle_live(house, crew.coordinator, held, "https://example.org/thu/status/77")
    assert (live.state, live.remote_id) == (DeliveryState.PUBLISHED, "77")
    drain(house, worker)
    assert [parcel.text for parcel in far.accepted] == [TEXTS["en", ""]]
    assert far.accepted[0].parent is not None
    assert far.accepted[0].parent.remote_id == "77"


def test_dropping_ends_the_thread_and_says_so(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    post, worker = in_doubt(house, crew, clock, far)
    settle.settle_drop(house, crew.coordinator, deliveries_of(house, post)[0].id)
    drain(house, worker)
    assert states(house, post) == [("cancelled", Reason.SETTLED_DROP), ("missed", Reason.PARENT_MISSING)]
    assert posts.get_post(house, post.id).state is PostState.RETURNED
    assert far.accepted == []


def test_an_auditor_settles_nothing(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    post, _ = in_doubt(house, crew, clock, far)
    held = deliveries_of(house, post)[0].id
    acts: list[Callable[[Person], object]] = [
        lambda person: settle.settle_live(house, person, held, "https://example.org/1"),
        lambda person: settle.settle_resend(house, person, held),
        lambda person: settle.settle_drop(house, person, held),
    ]
    for act in acts:
        with pytest.raises(Refused):
            act(crew.auditor)


def test_a_dead_worker_leaves_doubt_not_a_second_post(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    (errand,) = deliver.wave(house, worker_of(house), (), (X,))
    far.publish(errand.parcel)  # it went out, and then the machine died
    worker = worker_of(house)
    assert drain(house, worker) == []
    assert states(house, post)[0][0] == "sending"
    clock.advance(seconds=house.publishing.lease_s + 1)
    worker = worker_of(house)
    assert states(house, post)[0] == ("unknown", Reason.LEASE_EXPIRED)
    clock.advance(seconds=house.publishing.settle_s)
    drain(house, worker)
    assert [parcel.text for parcel in far.accepted] == [TEXTS["vi", ""], TEXTS["en", ""]]


def test_a_worker_that_lost_its_lease_cannot_write_its_outcome(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    post = scheduled(house, crew, grace=timedelta(hours=1))
    go_to(clock, NINE)
    slow = worker_of(house)
    (errand,) = deliver.wave(house, slow, (), (X,))
    clock.advance(seconds=house.publishing.lease_s + 1)
    deliver.reap(house)
    late = Done(errand, Absent(Failure.UNREACHABLE, "as told"))
    deliver.wave(house, slow, [late], ())
    assert states(house, post)[0] == ("unknown", Reason.LEASE_EXPIRED)
    assert far.accepted == []


def test_a_machine_that_slept_past_half_the_lease_does_not_post(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    scheduled(house, crew)
    go_to(clock, NINE)
    (errand,) = deliver.wave(house, worker_of(house), (), (X,))
    clock.booted += house.publishing.lease_s / 2 + 1
    done = answer(house, errand)
    assert isinstance(done.outcome, Absent)
    assert done.outcome.failure is Failure.LATE
    assert far.accepted == []


def test_a_bug_in_an_adapter_is_doubt_not_absence(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    def crash(_: Parcel) -> Outcome:
        raise KeyError

    far.answers = [crash]
    post = scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert states(house, post)[0] == ("unknown", Reason.NO_ANSWER)


def test_a_repeat_carries_the_same_key(house: Context, crew: Crew, clock: FakeClock, far: FarSide) -> None:
    keys: list[str] = []

    def refuse(parcel: Parcel) -> Outcome:
        keys.append(parcel.idem_key)
        return Absent(Failure.UNREACHABLE, "as told")

    far.answers = [refuse, refuse]
    scheduled(house, crew)
    go_to(clock, NINE)
    worker = worker_of(house)
    for _ in range(2):
        drain(house, worker)
        clock.advance(minutes=2)
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_a_restored_copy_is_halted_before_anything_leaves(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    if not house.store.is_sqlite:
        pytest.skip("on PostgreSQL the program cannot cut its record short, not even for a test")
    scheduled(house, crew)
    with house.store.read() as tx:
        size = tx.execute(tables.audit_records.select()).fetchall().__len__()
    checkpoint(house.store, house.keystore, now=clock.now(), force=True)
    with house.store.write() as tx:
        for trigger in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all():
            tx.exec_driver_sql(f"DROP TRIGGER {trigger}")
        tx.execute(tables.checkpoints.delete())
        tx.execute(tables.audit_payloads.delete().where(tables.audit_payloads.c.seq >= size - 1))
        tx.execute(tables.audit_records.delete().where(tables.audit_records.c.seq >= size - 1))
    go_to(clock, NINE)
    drain(house, worker_of(house))
    assert far.accepted == []
    assert queue.halt_state(house) is not None
    queue.ask_unhalt(house, crew.coordinator)
    queue.confirm_unhalt(house, crew.reviewer)
    worker_of(house)  # the log has grown since, but not into the one that was signed
    assert (stopped := queue.halt_state(house))
    assert stopped.hold.reason == "restored"
