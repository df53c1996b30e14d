"""A person drafts what the program leaves to people, picks the words, and still needs other eyes."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.audit import Act
from bot.domain.case import Case, Consent, EventKind, PartialDate, Sentence, Status, Term
from bot.domain.errors import BadInput, NotFound, Refused
from bot.domain.occasions import Bar
from bot.domain.people import Role
from bot.domain.post import Post, PostState
from bot.domain.slots import VIETNAM, at_local
from bot.services import people, plan, posts, queue, review
from bot.services.appeals import draft_general
from bot.services.byhand import Asked, Unchosen, draft
from bot.services.choosing import draftable
from bot.services.content import check_content
from bot.services.context import Context
from bot.services.posts import When
from bot.store import approvals
from tests.house import Crew, FakeClock, a_channel, told
from tests.sample_cases import a_case, an_event
from tests.writing import CAMPAIGN, a_png, changed, on_file

# The sample day is 21 November 2026; this was six years before the 25th.
BEFORE = "2020-11-25"
DAY = date(2026, 11, 25)
ARREST_KEY = f"arrest:nguyen-van-a:arrest-{BEFORE}:2026"
DEATH_KEY = f"death:nguyen-van-a:death-{BEFORE}:2026"
RIGHTS_DAY = "observance:human-rights-day:2026-12-10"
KNOWN: dict[str, Any] = {"province": "Ho Chi Minh City", "charge": "Article 117 of the 2015 Penal Code"}


def arrested(slug: str = "nguyen-van-a", **facts: Any) -> Case:  # noqa: ANN401
    letter = slug[-1].upper()
    names: dict[str, Any] = {"name_vi": f"Nguyễn Văn {letter}", "name_en": f"Nguyen Van {letter}"}
    return a_case(an_event(EventKind.ARREST, BEFORE, **KNOWN), slug=slug, **(names | facts))


def died() -> Case:
    trial = an_event(EventKind.TRIAL, "2018-03-02", sentence=Sentence(96), court="People's Court of Hanoi")
    arrest, death = an_event(EventKind.ARREST, "2017-06-01"), an_event(EventKind.DEATH, BEFORE, in_custody=True)
    return a_case(arrest, trial, death, status=Status.DIED)


def sentenced(**facts: Any) -> Case:  # noqa: ANN401
    trial = an_event(EventKind.TRIAL, "2021-03-02", sentence=Sentence(96), court="People's Court of Hanoi", **KNOWN)
    return a_case(an_event(EventKind.ARREST, BEFORE), trial, **facts)


def by_hand(ctx: Context, crew: Crew, key: str, **asked: Any) -> Post:  # noqa: ANN401
    return draft(ctx, crew.coordinator, key, Asked(**asked)).post


def test_of_a_death_a_person_picks_the_words_from_all_that_are_true(ctx: Context, crew: Crew) -> None:
    on_file(ctx, died())
    with pytest.raises(Unchosen, match="picks the words") as shown:
        by_hand(ctx, crew, DEATH_KEY)
    words = {each.model: each.texts for each in shown.value.choices}
    assert set(words) == {"M-1", "M-2", "M-3"}
    assert "Nguyễn Văn A" in words["M-2"]["vi"]
    assert "died on 25 November 2020 while serving a sentence of 8 years" in words["M-2"]["en"]
    assert posts.list_posts(ctx) == ()
    post = by_hand(ctx, crew, DEATH_KEY, model="M-2")
    assert (post.state, post.content.model, post.occasion) == (PostState.DRAFT, "M-2", DEATH_KEY)
    assert post.content.texts["en", ""] == words["M-2"]["en"]


def test_of_a_death_that_no_model_may_tell_nothing_is_drafted(ctx: Context, crew: Crew) -> None:
    elsewhere = an_event(EventKind.DEATH, BEFORE)  # every model says that it was in custody
    on_file(ctx, a_case(elsewhere, status=Status.DIED))
    for model in ("", "M-1"):
        with pytest.raises(Refused, match="No words fit"):
            by_hand(ctx, crew, DEATH_KEY, model=model)


def test_a_death_takes_two_yeses_and_none_of_them_the_authors(ctx: Context, crew: Crew) -> None:
    on_file(ctx, died())
    both = people.set_roles(ctx, crew.admin, "binh", {Role.COORDINATOR, Role.REVIEWER})
    post = review.submit(ctx, both, by_hand(ctx, crew, DEATH_KEY, model="M-3").id)
    with pytest.raises(Refused, match="You wrote this"):
        review.approve(ctx, both, post.id, post.digest)
    assert review.approve(ctx, crew.reviewer, post.id, post.digest).missing == 1
    assert review.approve(ctx, crew.second_reviewer, post.id, post.digest).post.state is PostState.SCHEDULED


def test_the_author_and_the_day_are_on_record_and_no_name_is(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested(consent=Consent.LIMITED))
    post = by_hand(ctx, crew, ARREST_KEY)
    assert posts.post_history(ctx, post.id)[0].author_id == crew.coordinator.id
    (entry,) = told(ctx, Act.POST_DRAFTED)
    assert (entry.actor, entry.data) == (
        crew.coordinator.pseudonym,
        {"kind": "arrest", "on": "2026-11-25", "digest": ""},
    )


@pytest.mark.parametrize(("facts", "yeses"), [({"consent": Consent.LIMITED}, 2), ({"status": Status.RELEASED}, 1)])
def test_what_is_limited_or_past_is_a_persons_to_draft_and_then_not_the_planners(
    ctx: Context, crew: Crew, facts: dict[str, Any], yeses: int
) -> None:
    on_file(ctx, arrested(**facts), arrested("nguyen-van-b"))
    post = by_hand(ctx, crew, ARREST_KEY)
    submitted = review.submit(ctx, crew.coordinator, post.id)
    assert review.approve(ctx, crew.reviewer, post.id, submitted.digest).missing == yeses - 1
    planned = plan.plan(ctx)
    assert [each.content.cases for each in planned.drafted] == [("nguyen-van-b",)]
    assert planned.barred == ()


def test_a_day_that_the_program_would_draft_may_be_drafted_first_and_only_once(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested())
    post = by_hand(ctx, crew, ARREST_KEY)
    assert plan.plan(ctx).drafted == ()
    with pytest.raises(Refused, match=rf"Post {post.id} marks this day"):
        by_hand(ctx, crew, ARREST_KEY)
    review.cancel(ctx, crew.coordinator, post.id, "một câu khác")
    again = by_hand(ctx, crew, ARREST_KEY, model="A-f2")
    assert (again.content.model, again.occasion) == ("A-f2", ARREST_KEY)
    assert posts.get_post(ctx, post.id).occasion == ""
    assert plan.plan(ctx).drafted == ()


def test_on_a_full_day_a_person_may_add_one_and_is_told_that_it_may_not_go_out(ctx: Context, crew: Crew) -> None:
    on_file(ctx, *(arrested(f"nguyen-van-{letter}") for letter in "abcdefg"))
    assert len(plan.plan(ctx).drafted) == 6
    post = by_hand(ctx, crew, f"arrest:nguyen-van-g:arrest-{BEFORE}:2026")
    rhythm = ctx.channels["rehearsal-x"].rhythm
    assert post.due == at_local(DAY, rhythm.post_time, rhythm.timezone)
    warnings = [each.template for each in check_content(ctx, post.content, post_id=post.id).warnings]
    assert any("The day is full" in each for each in warnings)


def stale_day_count(ctx: Context, _crew: Crew) -> str:
    arrest = (DAY - timedelta(days=1000)).isoformat()
    on_file(ctx, a_case(an_event(EventKind.ARREST, arrest), as_of="2025-01"))
    return f"day_count:nguyen-van-a:arrest-{arrest}:1000"


def held_case(ctx: Context, crew: Crew) -> str:
    on_file(ctx, died())
    queue.hold(ctx, crew.auditor, "case", "nguyen-van-a", "gia đình xin")
    return DEATH_KEY


def held_campaign(ctx: Context, crew: Crew) -> str:
    on_file(ctx, arrested())
    queue.hold(ctx, crew.auditor, "campaign", CAMPAIGN, "chờ")
    return ARREST_KEY


def guessed_hearing(ctx: Context, _crew: Crew, **facts: Any) -> str:  # noqa: ANN401
    trial = an_event(EventKind.TRIAL, BEFORE, court="People's Court of Hanoi", sentence=Sentence(96))
    on_file(ctx, *(replace(arrested(slug, **facts), events=(trial,)) for slug in ("nguyen-van-a", "nguyen-van-b")))
    return f"joint_trial:{BEFORE}@people's court of hanoi:2026"


def guessed_hearing_of_the_released(ctx: Context, crew: Crew) -> str:
    return guessed_hearing(ctx, crew, status=Status.RELEASED)


def calendar_day(ctx: Context, _crew: Crew) -> str:
    assert isinstance(ctx.clock, FakeClock)
    ctx.clock.time = datetime(2020, 1, 5, tzinfo=UTC)
    return "observance:dong-tam-raid:2020-01-09"


def refused_consent(ctx: Context, _crew: Crew) -> str:
    on_file(ctx, arrested(consent=Consent.REFUSED))
    return ARREST_KEY


def disputed(ctx: Context, _crew: Crew) -> str:
    arrest = an_event(on=str(ctx.today() - timedelta(days=190)), alt_dates=(PartialDate(2020, 1, 1),))
    on_file(ctx, a_case(arrest, as_of=str(ctx.today())))
    return f"day_count:nguyen-van-a:{arrest.key}:200"


def held_again(ctx: Context, _crew: Crew) -> str:
    on_file(ctx, a_case(an_event(EventKind.RELEASE, BEFORE), an_event(EventKind.ARREST, "2024-01-05")))
    return f"release:nguyen-van-a:release-{BEFORE}:2026"


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (stale_day_count, r"Nguyễn Văn A is not confirmed of late.*case confirm nguyen-van-a"),
        (held_case, "It is held"),
        (held_campaign, "It is held"),
        (guessed_hearing, rf"tried together.*event joint nguyen-van-a:trial-{BEFORE} nguyen-van-b:trial-{BEFORE}"),
        (guessed_hearing_of_the_released, "tried together"),
        (calendar_day, "for the calendar only"),
        (disputed, "Sources differ on when Nguyễn Văn A was arrested"),
        (refused_consent, r"Nguyễn Văn A, or the family, refused"),
        (held_again, "No words fit"),
    ],
)
def test_what_nobody_may_draft_is_refused_with_what_to_do_first(
    ctx: Context, crew: Crew, made: Callable[[Context, Crew], str], sentence: str
) -> None:
    key = made(ctx, crew)
    with pytest.raises(Refused) as error:
        by_hand(ctx, crew, key)
    assert re.search(sentence, f"{error.value} {error.value.fields.get('command', '')}")
    assert posts.list_posts(ctx) == ()
    year = draftable(ctx, ctx.today(), ctx.today() + timedelta(days=366))
    assert key not in {occasion.key for occasion, _ in year}


def test_an_observance_names_whom_a_person_picks(ctx: Context, crew: Crew) -> None:
    on_file(ctx, sentenced())
    post = by_hand(ctx, crew, RIGHTS_DAY, case="nguyen-van-a")
    assert (post.content.model, post.content.cases, post.content.on) == ("O-2", ("nguyen-van-a",), "2026-12-10")
    assert "Nguyen Van A was sentenced to 8 years in prison" in post.content.texts["en", ""]
    assert {cite.fact for cite in post.content.cites} >= {"identity", "status", "consent", "event:trial-2021-03-02"}
    wider = replace(ctx, planning=replace(ctx.planning, lead_days=30))
    assert "observance" not in {each.content.kind for each in plan.plan(wider).drafted}


def test_an_observance_that_is_drafted_already_is_cancelled_before_it_names_anybody(ctx: Context, crew: Crew) -> None:
    on_file(ctx, sentenced())
    (general,) = (each for each in plan.plan(ctx, until=date(2026, 12, 10)).drafted if each.occasion == RIGHTS_DAY)
    listed = dict(draftable(ctx, date(2026, 12, 10), date(2026, 12, 10)))
    assert {occasion.key: post_id for occasion, post_id in listed.items()} == {RIGHTS_DAY: general.id}
    with pytest.raises(Refused, match="cancel it first"):
        by_hand(ctx, crew, RIGHTS_DAY, case="nguyen-van-a")
    review.cancel(ctx, crew.coordinator, general.id, "nêu tên một người")
    assert by_hand(ctx, crew, RIGHTS_DAY, case="nguyen-van-a").occasion == RIGHTS_DAY


@pytest.mark.parametrize(
    ("case", "key", "error", "sentence"),
    [
        (sentenced(consent=Consent.REFUSED), RIGHTS_DAY, Refused, "or the family, refused"),
        (sentenced(status=Status.DIED), RIGHTS_DAY, Unchosen, "picks the words"),
        (arrested(), RIGHTS_DAY, Refused, "not known: charge, sentence"),
        (arrested(), ARREST_KEY, BadInput, "Only an observance"),
        (arrested("nguyen-van-b"), RIGHTS_DAY, NotFound, "no case “nguyen-van-a”"),
    ],
)
def test_a_picked_person_is_under_the_same_rules(
    ctx: Context, crew: Crew, case: Case, key: str, error: type[Exception], sentence: str
) -> None:
    on_file(ctx, case)
    with pytest.raises(error, match=sentence):
        by_hand(ctx, crew, key, case="nguyen-van-a")


def test_a_model_that_would_say_too_much_is_answered_with_those_that_may_be_used(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested(as_of="2025-01"))
    with pytest.raises(Unchosen, match="Model A-f1 may not say it") as shown:
        by_hand(ctx, crew, ARREST_KEY, model="A-f1")
    assert {each.model for each in shown.value.choices} == {"A-s2", "A-s3"}


def test_a_key_that_means_no_day_is_answered_with_where_they_are(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested())
    for key in ("", "arrest", ARREST_KEY.replace("2026", "2030"), "x" * 10_000, "arrest:nguyễn:2026"):
        with pytest.raises(NotFound) as error:
            by_hand(ctx, crew, key)
        assert error.value.fields["command"] == "post draft"
        assert len(str(error.value)) < 300


def test_a_time_of_ones_own_lies_on_the_day_itself(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested())
    noon = at_local(DAY, datetime(2026, 1, 1, 12).time(), VIETNAM)  # noqa: DTZ001 - a time of day
    with pytest.raises(Refused, match="true on 2026-11-25 alone"):
        by_hand(ctx, crew, ARREST_KEY, when=When(at=noon + timedelta(days=1)))
    post = by_hand(ctx, crew, ARREST_KEY, when=When(at=noon))
    assert {window.due for window in post.content.windows} == {noon}


def test_a_slot_is_looked_for_on_the_day_itself(ctx: Context, crew: Crew) -> None:
    thursday = an_event(EventKind.ARREST, "2020-11-26", **KNOWN)
    on_file(ctx, arrested(), replace(arrested("nguyen-van-b"), events=(thursday,)))
    with pytest.raises(Refused, match="true on 2026-11-25 alone"):  # a Wednesday, on which the campaign has no slot
        by_hand(ctx, crew, ARREST_KEY, when=When(slot="next"))
    post = by_hand(ctx, crew, "arrest:nguyen-van-b:arrest-2020-11-26:2026", when=When(slot="next"))
    assert {window.due for window in post.content.windows} == {datetime(2026, 11, 26, 13, tzinfo=UTC)}


def test_a_day_that_is_over_is_not_drafted_but_yesterday_is_where_it_still_lasts(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    on_file(ctx, arrested())
    clock.time = datetime(2026, 11, 25, 18, tzinfo=UTC)
    with pytest.raises(Refused, match="2026-11-25 is over"):
        by_hand(ctx, crew, ARREST_KEY)
    far = a_channel(ctx.data_dir, "rehearsal-far", "bluesky", "America/Los_Angeles")
    abroad = replace(ctx, channels={**ctx.channels, "rehearsal-far": far})
    drafted = draft(abroad, crew.coordinator, ARREST_KEY, Asked())
    assert drafted.post.content.channels == ("rehearsal-far",)
    assert drafted.left_out == ("rehearsal-x", "rehearsal-facebook")


def test_only_who_writes_posts_drafts(ctx: Context, crew: Crew) -> None:
    on_file(ctx, arrested())
    for who in (crew.reviewer, crew.admin, crew.auditor):
        with pytest.raises(Refused, match="You may not write posts"):
            draft(ctx, who, ARREST_KEY, Asked())
        with pytest.raises(Refused, match="You may not write posts"):
            draft_general(ctx, who, CAMPAIGN, Asked())


def test_a_draft_by_hand_goes_back_to_its_author_when_a_fact_changes(ctx: Context, crew: Crew) -> None:
    on_file(ctx, died())
    post = by_hand(ctx, crew, DEATH_KEY, model="M-2")
    assert changed(ctx, crew.coordinator, "nguyen-van-a", name_vi="Nguyễn Văn Á") == (post.id,)
    assert posts.get_post(ctx, post.id).state is PostState.RETURNED
    assert plan.plan(ctx).drafted == ()


def test_a_share_card_is_described_by_what_is_known_unless_a_person_does(ctx: Context, crew: Crew) -> None:
    term = Term(PartialDate(2026, 12, 1), "computed")
    on_file(ctx, arrested(as_of="2026-11-01"), arrested("nguyen-van-b", term=term))
    (picture,) = by_hand(ctx, crew, ARREST_KEY, picture=a_png()).content.pictures
    assert picture.alt["en"] == (
        "Share card: Nguyen Van A. 6 years since the arrest (25 November 2020). Nguyen Van A is still in prison. "
        "As of November 2026. Source: example.org."
    )
    assert "Tròn 6 năm ngày bị bắt (25/11/2020)." in picture.alt["vi"]
    key = ARREST_KEY.replace("nguyen-van-a", "nguyen-van-b")
    own = {"vi": "Một bức tranh", "en": "A painting"}
    near_the_end = by_hand(ctx, crew, key, picture=a_png(colour="red"))
    assert "prison" not in near_the_end.content.pictures[0].alt["en"]
    review.cancel(ctx, crew.coordinator, near_the_end.id, "ảnh khác")
    assert by_hand(ctx, crew, key, picture=a_png(), alt=own).content.pictures[0].alt == own


def test_a_picture_that_nobody_described_or_no_picture_to_describe_is_refused(ctx: Context, crew: Crew) -> None:
    with pytest.raises(BadInput, match="Describe each picture"):
        by_hand(ctx, crew, RIGHTS_DAY, picture=a_png())
    with pytest.raises(BadInput, match="Describe each picture"):
        by_hand(ctx, crew, RIGHTS_DAY, picture=a_png(), alt={"vi": "Một tấm thẻ"})
    with pytest.raises(BadInput, match="no picture to describe"):
        by_hand(ctx, crew, RIGHTS_DAY, alt={"vi": "Một tấm thẻ", "en": "A card"})
    with pytest.raises(BadInput):
        by_hand(ctx, crew, RIGHTS_DAY, picture=b"", alt={"vi": "Một tấm thẻ", "en": "A card"})
    assert posts.list_posts(ctx) == ()


# General appeals


def test_general_appeals_take_turns_and_name_nobody(ctx: Context, crew: Crew) -> None:
    made = [draft_general(ctx, crew.coordinator, CAMPAIGN, Asked()).post for _ in range(3)]
    assert [post.content.model for post in made] == ["G-1", "G-2", "G-1"]
    assert {post.state for post in made} == {PostState.DRAFT}
    assert {(post.content.cases, post.occasion, post.content.kind) for post in made} == {((), "", "general")}
    assert draft_general(ctx, crew.coordinator, CAMPAIGN, Asked(), turn=1).post.content.model == "G-2"
    assert draft_general(ctx, crew.coordinator, CAMPAIGN, Asked(model="G-2")).post.content.model == "G-2"


def test_a_general_appeal_is_timed_and_approved_as_any_post(ctx: Context, crew: Crew) -> None:
    asked = Asked(when=When(slot="next"), channels=("rehearsal-x",))
    post = draft_general(ctx, crew.coordinator, CAMPAIGN, asked).post
    submitted = review.submit(ctx, crew.coordinator, post.id)
    assert submitted.content.channels == ("rehearsal-x",)
    with ctx.store.read() as tx:
        assert approvals.authors(tx, post.id, ()) == {crew.coordinator.id}
    assert review.approve(ctx, crew.reviewer, post.id, submitted.digest).post.state is PostState.SCHEDULED


def test_an_appeal_of_no_campaign_of_a_held_one_or_in_no_words_is_refused(ctx: Context, crew: Crew) -> None:
    with pytest.raises(BadInput, match="no campaign “nowhere”"):
        draft_general(ctx, crew.coordinator, "nowhere", Asked())
    with pytest.raises(BadInput, match="none called G-3"):
        draft_general(ctx, crew.coordinator, CAMPAIGN, Asked(model="G-3"))  # it needs a link
    with pytest.raises(Refused, match="There are: rehearsal-x"):
        draft_general(ctx, crew.coordinator, CAMPAIGN, Asked(channels=("mastodon",)))
    queue.hold(ctx, crew.auditor, "campaign", CAMPAIGN, "chờ")
    with pytest.raises(Refused, match="is held"):
        draft_general(ctx, crew.coordinator, CAMPAIGN, Asked())


def test_what_a_person_may_draft_is_told_with_why_the_program_does_not(ctx: Context, crew: Crew) -> None:
    on_file(
        ctx,
        *(arrested(f"nguyen-van-{letter}") for letter in "bcdefgh"),
        arrested("nguyen-van-i", consent=Consent.LIMITED),
        arrested("nguyen-van-k", status=Status.RELEASED),
        died(),
    )
    told_of = {(one.key.split(":")[1][-1], one.bar) for one, post_id in draftable(ctx, DAY, DAY) if not post_id}
    assert told_of >= {("a", Bar.DEATH_BY_HAND), ("h", Bar.DAILY_CAP), ("i", Bar.CONSENT_LIMITED), ("k", Bar.PAST_OFF)}
    by_hand(ctx, crew, DEATH_KEY, model="M-2")
    assert DEATH_KEY not in {occasion.key for occasion, _ in draftable(ctx, DAY, DAY)}
