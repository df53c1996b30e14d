"""The days that speak are drafted ahead, once, in both languages, and wait for people."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.domain.audit import Act
from bot.domain.case import Case, Consent, EventKind, PartialDate, Sentence, Status
from bot.domain.delivery import DeliveryState
from bot.domain.errors import BadInput, Conflict, NotFound, Refused
from bot.domain.occasions import Bar
from bot.domain.post import PostState, sha256
from bot.domain.remarks import Blocked
from bot.domain.slots import VIETNAM, at_local
from bot.domain.text import fits
from bot.library.casefiles import read_cases_toml
from bot.services import hearings, plan, posts, queue, review, sketch, standing
from bot.services.context import Context
from bot.services.posts import When
from bot.store import deliveries
from bot.store import posts as kept
from tests.house import ROOT, Crew, FakeClock, a_channel, told
from tests.sample_cases import a_case, an_event
from tests.writing import a_draft, changed, on_file, scheduled

# The sample day is 21 November 2026; this arrest was six years before the 25th.
ARREST = "2020-11-25"
DAY = date(2026, 11, 25)
PAGE = "https://example.org/one-hearing"
FIELDS: dict[str, Any] = {"province": "Ho Chi Minh City", "charge": "Article 117 of the 2015 Penal Code"}


def held(slug: str = "nguyen-van-a", on: str = ARREST, **facts: Any) -> Case:  # noqa: ANN401
    letter = slug[-1].upper()
    names: dict[str, Any] = {"name_vi": f"Nguyễn Văn {letter}", "name_en": f"Nguyen Van {letter}"}
    return a_case(an_event(EventKind.ARREST, on, **FIELDS), slug=slug, **(names | facts))


def test_an_anniversary_is_drafted_ahead_and_put_before_reviewers(ctx: Context) -> None:
    on_file(ctx, held())
    (post,) = plan.plan(ctx).drafted
    assert (post.state, post.content.kind, post.content.on) == (PostState.IN_REVIEW, "arrest", DAY.isoformat())
    assert post.digest == sha256(post.manifest)
    assert post == replace(posts.get_post(ctx, post.id), changed_at=post.changed_at)
    assert "Nguyễn Văn A" in post.content.texts["vi", ""]
    assert "Nguyen Van A" in post.content.texts["en", ""]
    assert {cite.fact for cite in post.content.cites} >= {"identity", "status", "consent", f"event:arrest-{ARREST}"}
    assert posts.post_history(ctx, post.id)[0].author_id is None
    (entry,) = told(ctx, Act.POST_DRAFTED)
    assert entry.data == {"kind": "arrest", "on": "2026-11-25", "digest": post.digest}
    assert entry.actor == "campaignbot"


def test_it_goes_out_at_each_accounts_own_morning_until_the_end_of_its_day(ctx: Context, tmp_path: Path) -> None:
    far = a_channel(tmp_path, "rehearsal-far", "bluesky", "America/Los_Angeles")
    ctx = replace(ctx, channels={**ctx.channels, "rehearsal-far": far})
    on_file(ctx, held())
    (post,) = plan.plan(ctx).drafted
    windows = {window.channel: (window.due, window.not_after) for window in post.content.windows}
    instant = timedelta(microseconds=1)
    assert windows["rehearsal-x"] == (
        datetime(2026, 11, 25, 2, tzinfo=UTC),
        datetime(2026, 11, 25, 17, tzinfo=UTC) - instant,
    )
    assert windows["rehearsal-far"] == (
        datetime(2026, 11, 25, 17, tzinfo=UTC),
        datetime(2026, 11, 26, 8, tzinfo=UTC) - instant,
    )


def test_where_it_is_tomorrow_in_viet_nam_already_the_words_do_not_say_today(ctx: Context, tmp_path: Path) -> None:
    far = a_channel(tmp_path, "rehearsal-far", "bluesky", "America/Los_Angeles")
    ctx = replace(ctx, channels={"rehearsal-x": ctx.channels["rehearsal-x"], "rehearsal-far": far})
    on_file(ctx, held(on="2021-11-25"))
    (post,) = plan.plan(ctx).drafted
    there = post.content.text("en", far.profile)
    assert "today" not in there
    assert "25 November 2021" in there


def test_planning_twice_is_planning_once(ctx: Context) -> None:
    on_file(ctx, held())
    plan.plan(ctx)
    again = plan.plan(ctx)
    assert again.drafted == ()
    assert len(posts.list_posts(ctx)) == 1


def test_two_planners_at_once_draft_each_occasion_once(ctx: Context) -> None:
    on_file(
        ctx,
        *(held(f"nguyen-van-{letter}", on=f"2020-11-{day}") for letter, day in zip("abcd", range(24, 28), strict=True)),
    )
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(plan.plan, ctx) for _ in range(2)]
        drafted = [post.occasion for each in both for post in each.result().drafted]
    assert sorted(drafted) == sorted(set(drafted))
    assert len(drafted) == len(posts.list_posts(ctx)) == 4


def test_it_looks_as_many_days_ahead_as_configured_or_told(ctx: Context) -> None:
    on_file(ctx, held(), held("nguyen-van-b", on="2020-12-20"))
    assert len(plan.plan(ctx).drafted) == 1
    wider = replace(ctx, planning=replace(ctx.planning, lead_days=30))
    assert {post.content.cases for post in plan.plan(wider).drafted} >= {("nguyen-van-b",)}


@pytest.mark.parametrize(
    ("facts", "bar"),
    [
        ({"consent": Consent.LIMITED}, Bar.CONSENT_LIMITED),
        ({"status": Status.RELEASED}, Bar.PAST_OFF),
        ({"status": Status.DIED}, Bar.DEATH_BY_HAND),
    ],
)
def test_what_may_not_speak_by_itself_is_told_with_its_reason(ctx: Context, facts: dict[str, Any], bar: Bar) -> None:
    on_file(ctx, held(**facts))
    planned = plan.plan(ctx)
    assert planned.drafted == ()
    assert [occasion.bar for occasion in planned.barred] == [bar]


def test_who_refused_is_not_spoken_of_at_all(ctx: Context) -> None:
    on_file(ctx, held(consent=Consent.REFUSED))
    planned = plan.plan(ctx)
    assert (planned.drafted, planned.barred) == ((), ())


def test_a_held_case_waits_and_is_drafted_once_it_is_free(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    queue.hold(ctx, crew.auditor, "case", "nguyen-van-a", "gia đình xin")
    assert [occasion.bar for occasion in plan.plan(ctx).barred] == [Bar.HELD]
    queue.ask_unhold(ctx, crew.coordinator, "case", "nguyen-van-a")
    queue.confirm_unhold(ctx, crew.reviewer, "case", "nguyen-van-a")
    assert len(plan.plan(ctx).drafted) == 1


def test_of_a_crowded_day_the_first_in_written_order_speak_and_the_rest_is_told(ctx: Context) -> None:
    on_file(ctx, *(held(f"nguyen-van-{letter}") for letter in "abcdefghi"))
    planned = plan.plan(ctx)
    assert [post.content.cases[0][-1] for post in planned.drafted] == list("abcdef")
    dues = sorted(post.due for post in planned.drafted if post.due)
    assert {later - sooner for sooner, later in pairwise(dues)} == {timedelta(minutes=90)}
    assert [(occasion.cases[0][-1], occasion.bar) for occasion in planned.barred] == [
        (letter, Bar.DAILY_CAP) for letter in "ghi"
    ]


def test_posts_that_people_wrote_take_their_place_in_the_day(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    morning = at_local(DAY, ctx.channels["rehearsal-x"].rhythm.post_time, VIETNAM)
    a_draft(ctx, crew.coordinator, when=When(at=morning))
    scheduled(ctx, crew.coordinator, crew.reviewer, vi="Khác", when=When(at=morning + timedelta(minutes=90)))
    (post,) = plan.plan(ctx).drafted
    assert post.content.windows[0].due == morning + timedelta(minutes=180)


def test_people_of_one_day_and_court_are_proposed_as_one_draft_until_a_person_answers(ctx: Context, crew: Crew) -> None:
    trial = an_event(EventKind.TRIAL, ARREST, court="People's Court of Hanoi", sentence=Sentence(96))
    slugs = ("nguyen-van-a", "nguyen-van-b")
    on_file(ctx, *(replace(held(slug), events=(trial,)) for slug in slugs))
    planned = plan.plan(ctx)
    (proposal,) = planned.drafted
    assert (proposal.state, proposal.content.kind) == (PostState.DRAFT, "joint_trial")
    assert [occasion.bar for occasion in planned.barred] == [Bar.SAME_HEARING]
    with pytest.raises(Blocked, match="tried together"):
        review.submit(ctx, crew.coordinator, proposal.id)
    answered = [(slug, trial.key) for slug in slugs]
    change = hearings.answer_same_hearing(ctx, crew.coordinator, answered, same=True, defendants=2, sources=[PAGE])
    assert change.affected == (proposal.id,)
    assert posts.get_post(ctx, proposal.id).state is PostState.CANCELLED
    (post,) = plan.plan(ctx).drafted
    assert (post.state, post.content.kind, post.content.cases) == (PostState.IN_REVIEW, "joint_trial", slugs)
    review.approve(ctx, crew.reviewer, post.id, post.digest)
    assert posts.get_post(ctx, post.id).state is PostState.SCHEDULED


def test_people_who_were_heard_apart_get_a_post_each_once_a_person_says_so(ctx: Context, crew: Crew) -> None:
    trial = an_event(EventKind.TRIAL, ARREST, court="People's Court of Hanoi", sentence=Sentence(96))
    slugs = ("nguyen-van-a", "nguyen-van-b")
    on_file(ctx, *(replace(held(slug), events=(trial,)) for slug in slugs))
    (proposal,) = plan.plan(ctx).drafted
    answered = [(slug, trial.key) for slug in slugs]
    change = hearings.answer_same_hearing(ctx, crew.coordinator, answered, same=False)
    assert change.affected == (proposal.id,)
    assert posts.get_post(ctx, proposal.id).state is PostState.CANCELLED
    apart = plan.plan(ctx).drafted
    assert {(post.state, post.content.kind) for post in apart} == {(PostState.IN_REVIEW, "trial")}
    assert [post.content.cases for post in apart] == [(slug,) for slug in slugs]
    assert plan.plan(ctx).drafted == ()


def test_a_post_about_a_day_on_which_sources_differ_names_the_date_and_not_today(ctx: Context) -> None:
    (arrest,) = held().events
    on_file(ctx, replace(held(), events=(replace(arrest, alt_dates=(PartialDate(2020, 11, 24),)),)))
    (post,) = plan.plan(ctx).drafted
    for (language, _), text in post.content.texts.items():
        assert ("25/11/2020" if language == "vi" else "25 November 2020") in text
        assert not re.search(r"\b(today|hôm nay|ngày này)\b", text, re.IGNORECASE)


def test_a_changed_fact_cancels_the_draft_and_the_next_plan_words_it_anew(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held(as_of="2026-11-01"))
    (before,) = plan.plan(ctx).drafted
    review.approve(ctx, crew.reviewer, before.id, before.digest)
    changed(ctx, crew.coordinator, "nguyen-van-a", name_vi="Nguyễn Văn Á")
    stopped = posts.get_post(ctx, before.id)
    assert (stopped.state, stopped.reason, stopped.occasion) == (PostState.CANCELLED, "fact_changed", "")
    with ctx.store.read() as tx:
        assert {each.state for each in deliveries.of_post(tx, before.id)} == {DeliveryState.CANCELLED}
    (after,) = plan.plan(ctx).drafted
    assert "Nguyễn Văn Á" in after.content.texts["vi", ""]


def test_what_a_person_cancelled_is_not_drafted_again(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    (post,) = plan.plan(ctx).drafted
    review.cancel(ctx, crew.reviewer, post.id, "gia đình xin")
    assert plan.plan(ctx).drafted == ()


def test_a_draft_that_a_person_edited_is_returned_to_them_when_a_fact_changes(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    (post,) = plan.plan(ctx).drafted
    edited = posts.edit_post(ctx, crew.coordinator, post.id, replace(post.content, note="đã sửa"), revision=1).post
    assert (edited.state, edited.content.kind, edited.content.tier) == (PostState.IN_REVIEW, "arrest", "fresh")
    changed(ctx, crew.coordinator, "nguyen-van-a", status=Status.RELEASED)
    assert posts.get_post(ctx, post.id).state is PostState.RETURNED
    assert plan.plan(ctx).drafted == ()


def test_a_fact_that_changes_while_the_planner_words_it_is_left_for_the_next_run(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    with ctx.store.read() as tx:
        desk = sketch.open_desk(ctx, tx, DAY, DAY)
    sketches, _ = sketch.sketch(ctx, desk, sketch.find_occasions(ctx, desk, DAY, DAY))
    changed(ctx, crew.coordinator, "nguyen-van-a", status=Status.RELEASED)
    with ctx.store.write() as tx:
        assert plan.draft(ctx, tx, None, sketches) == []
    assert posts.list_posts(ctx) == ()


def test_a_day_that_passed_unapproved_lapses_at_its_end(ctx: Context, clock: FakeClock) -> None:
    on_file(ctx, held())
    (post,) = plan.plan(ctx).drafted
    clock.time = datetime(2026, 11, 25, 16, 59, tzinfo=UTC)
    assert review.lapse_overdue(ctx) == ()
    clock.advance(minutes=1)
    assert review.lapse_overdue(ctx) == (post.id,)
    assert "arrest" not in {each.content.kind for each in plan.plan(ctx).drafted}


def test_upcoming_days_are_shown_with_their_posts(ctx: Context) -> None:
    on_file(ctx, held(), held("nguyen-van-b", status=Status.RELEASED))
    (post,) = plan.plan(ctx).drafted
    shown = plan.upcoming(ctx, DAY, DAY)
    assert [(occasion.cases, occasion.bar, post_id) for occasion, post_id in shown] == [
        (("nguyen-van-a",), None, post.id),
        (("nguyen-van-b",), Bar.PAST_OFF, 0),
    ]


def test_a_year_of_the_shipped_cases_is_bilingual_fits_and_claims_nothing_stale(ctx: Context) -> None:
    on_file(ctx, *read_cases_toml(ROOT / "schedules" / "cases.toml"))
    planned = plan.plan(ctx, until=date(2027, 11, 20))
    assert len(planned.drafted) > 100
    for post in planned.drafted:
        assert post.content.tier != "fresh", "none of the shipped statuses is fresh"
        for name in post.content.channels:
            profile = ctx.channels[name].profile
            for language in ("vi", "en"):
                parts = post.content.text(language, profile).split("\n---\n")
                assert all(part and fits(part, profile.rules) for part in parts)
    keys = [post.occasion for post in planned.drafted]
    assert len(keys) == len(set(keys))


# Standing approvals


def proposed(ctx: Context, crew: Crew) -> standing.Proposed:
    on_file(ctx, held())
    return standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a"])


def test_a_year_of_a_case_is_worded_now_and_needs_two_reviewers_each(ctx: Context, crew: Crew) -> None:
    found = proposed(ctx, crew)
    assert {post.state for post in found.posts} == {PostState.IN_REVIEW}
    assert {post.standing_id for post in found.posts} == {found.standing.id}
    digests = {post.id: post.digest for post in found.posts}
    first = standing.approve_standing(ctx, crew.reviewer, found.standing.id, digests)
    assert {each.missing for each in first} == {1}
    second = standing.approve_standing(ctx, crew.second_reviewer, found.standing.id, digests)
    assert {each.post.state for each in second} == {PostState.SCHEDULED}
    assert len(told(ctx, Act.POST_APPROVED)) == 2 * len(digests)
    assert [entry.data for entry in told(ctx, Act.STANDING_APPROVED)] == [{"posts": len(digests)}] * 2
    assert plan.plan(ctx).drafted == ()


def test_a_day_already_in_review_joins_and_an_approved_one_stays(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held(), held("nguyen-van-b"))
    waiting, approved = plan.plan(ctx).drafted
    review.approve(ctx, crew.reviewer, approved.id, approved.digest)
    found = standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a", "nguyen-van-b"])
    assert waiting.id in {post.id for post in found.posts}
    assert approved.id not in {post.id for post in found.posts}
    assert review.approve(ctx, crew.reviewer, waiting.id, waiting.digest).missing == 1


def test_one_outdated_digest_refuses_the_whole_page(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held(), held("nguyen-van-b"))
    found = standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a", "nguyen-van-b"])
    digests = {post.id: post.digest for post in found.posts} | {found.posts[-1].id: "0" * 64}
    with pytest.raises(Conflict):
        standing.approve_standing(ctx, crew.reviewer, found.standing.id, digests)
    assert told(ctx, Act.POST_APPROVED) == []


def test_a_page_names_only_its_own_posts(ctx: Context, crew: Crew) -> None:
    found = proposed(ctx, crew)
    for digests in ({}, {999: "0" * 64}):
        with pytest.raises(BadInput):
            standing.approve_standing(ctx, crew.reviewer, found.standing.id, digests)
    with pytest.raises(NotFound):
        standing.approve_standing(ctx, crew.reviewer, 99, {1: "x"})


def test_the_accounts_of_a_standing_approval_can_be_chosen(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held())
    found = standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a"], ["rehearsal-facebook"])
    assert {post.content.channels for post in found.posts} == {("rehearsal-facebook",)}
    assert standing.get_standing(ctx, found.standing.id).posts == found.posts


def test_a_case_with_nothing_to_say_or_a_day_too_far_is_refused(ctx: Context, crew: Crew) -> None:
    on_file(ctx, held(status=Status.RELEASED))
    with pytest.raises(Refused, match="no day until"):
        standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a"])
    with pytest.raises(BadInput, match="at most a year"):
        standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-a"], until=date(2028, 1, 1))
    with pytest.raises(NotFound):
        standing.propose_standing(ctx, crew.coordinator, ["nguyen-van-z"])
    with pytest.raises(Refused):
        standing.propose_standing(ctx, crew.reviewer, ["nguyen-van-a"])
    with ctx.store.read() as tx:
        assert kept.counts(tx) == {}
