"""Who must say yes, who may, what makes it void, and what a reader of a draft should stop at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.case import Case, Consent, Status
from bot.domain.errors import Conflict, Refused
from bot.domain.people import Person, Role
from bot.domain.post import Cite, Content, Post, PostState, Window
from bot.domain.remarks import likeness, mistyped_tags, names_in, shingles, words_to_avoid
from bot.domain.review import (
    Approval,
    after_fact_change,
    counting,
    has_lapsed,
    is_past,
    needed_approvals,
    require_may_approve,
    require_reason,
    require_state,
    stale_cites,
)
from tests.sample_cases import a_case

NOON = datetime(2026, 12, 10, 5, tzinfo=UTC)
DIGEST = "d" * 64
REVIEWER = Person(7, "p-7", frozenset({Role.REVIEWER}))


def a_post(state: PostState = PostState.IN_REVIEW, *, occasion: str = "", **facts: object) -> Post:
    content = replace(Content("c", {}, ("x",)), **facts)  # type: ignore[arg-type]
    return Post(1, state, content, 1, NOON, NOON, occasion=occasion, digest=DIGEST)


def needed(*named: Case, kind: str = "general", campaign: int = 1, first: bool = False, standing: bool = False) -> int:
    content = Content("c", {}, (), kind=kind)
    return needed_approvals(content, named, campaign=campaign, first_public=first, standing=standing)


def test_one_yes_is_enough_for_an_ordinary_post() -> None:
    assert needed(a_case()) == 1


@pytest.mark.parametrize(
    "count",
    [
        needed(a_case(status=Status.DIED)),
        needed(kind="death"),
        needed(a_case(), a_case(consent=Consent.LIMITED)),
        needed(a_case(), first=True),
        needed(standing=True),
        needed(campaign=2),
    ],
)
def test_a_death_limited_consent_a_new_name_or_a_year_ahead_takes_two(count: int) -> None:
    assert count == 2


def test_a_campaign_may_ask_for_more_but_never_for_fewer() -> None:
    assert needed(a_case(status=Status.DIED), campaign=3) == 3
    assert needed(a_case(status=Status.DIED), campaign=1) == 2


def test_only_yeses_to_the_same_bytes_that_stand_are_counted_once_a_person() -> None:
    given_ = [
        Approval(1, 1, DIGEST, 7, NOON, 10),
        Approval(2, 1, DIGEST, 7, NOON, 11),
        Approval(3, 1, "other", 8, NOON, 12),
        Approval(4, 1, DIGEST, 9, NOON, 13, voided_at=NOON),
    ]
    assert counting(given_, DIGEST) == {7}


def test_a_reviewer_who_wrote_nothing_may_approve_what_they_read() -> None:
    require_may_approve(REVIEWER, a_post(), DIGEST, authors={3}, approved={4})


@pytest.mark.parametrize(
    ("reviewer", "post", "digest", "error"),
    [
        (replace(REVIEWER, roles=frozenset({Role.COORDINATOR})), a_post(), DIGEST, Refused),
        (replace(REVIEWER, active=False), a_post(), DIGEST, Refused),
        (replace(REVIEWER, id=3), a_post(), DIGEST, Refused),
        (replace(REVIEWER, lineage=frozenset({3})), a_post(), DIGEST, Refused),
        (replace(REVIEWER, id=4), a_post(), DIGEST, Refused),
        (REVIEWER, a_post(PostState.SCHEDULED), DIGEST, Refused),
        (REVIEWER, a_post(), "e" * 64, Conflict),
    ],
    ids=["no reviewer", "disabled", "author", "made by the author", "twice", "not in review", "other bytes"],
)
def test_a_yes_that_cannot_count_is_refused(reviewer: Person, post: Post, digest: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        require_may_approve(reviewer, post, digest, authors={3}, approved={4})


def test_a_post_in_another_state_is_left_alone_and_says_which() -> None:
    require_state(a_post(PostState.DRAFT), {PostState.DRAFT}, "edit")
    with pytest.raises(Refused, match="published: you cannot edit"):
        require_state(a_post(PostState.PUBLISHED), {PostState.DRAFT}, "edit")


def test_a_reason_is_one_line_and_not_empty() -> None:
    assert require_reason("  sai\n ngày ") == "sai ngày"
    with pytest.raises(Refused, match="Say why"):
        require_reason(" \n")
    with pytest.raises(Refused, match="too long"):
        require_reason("x" * 501)


@given(st.integers(-300, 300), st.integers(1, 300))
def test_a_time_is_past_when_it_closed_or_began_without_an_hour_to_go(begin: int, minutes: int) -> None:
    window = Window("x", NOON + timedelta(minutes=begin), NOON + timedelta(minutes=begin + minutes))
    closed = begin + minutes <= 0
    assert is_past(window, NOON) == (closed or (begin < 0 and minutes < 60))


def test_a_post_lapses_when_the_first_of_its_accounts_can_no_longer_get_it() -> None:
    first = Window("x", NOON, NOON + timedelta(minutes=20))
    second = Window("y", NOON + timedelta(hours=9), NOON + timedelta(hours=10))
    post = a_post(windows=(first, second))
    assert not has_lapsed(post, first.due)
    assert has_lapsed(post, first.not_after)
    assert not has_lapsed(replace(post, state=PostState.SCHEDULED), second.not_after)


CITES = (Cite("nguyen-van-a", "status", 1), Cite("nguyen-van-a", "identity", 2), Cite("nguyen-van-b", "status", 1))


def test_a_cite_is_stale_when_its_fact_was_revised_or_is_gone() -> None:
    assert stale_cites(CITES, a_case(revisions={"status": 1, "identity": 2})) == ()
    assert stale_cites(CITES, a_case(revisions={"status": 2, "identity": 2})) == CITES[:1]
    assert stale_cites(CITES, a_case(revisions={"status": 1})) == CITES[1:2]


@pytest.mark.parametrize(
    ("post", "facts", "voided"),
    [
        (a_post(PostState.IN_REVIEW, cites=CITES), {"status"}, True),
        (a_post(PostState.SCHEDULED, cites=CITES), {"status"}, True),
        (a_post(PostState.SCHEDULED, cites=CITES), {"confirmation"}, False),
        (a_post(PostState.DRAFT, cites=CITES), {"status"}, False),
        (a_post(PostState.DRAFT, occasion="trial:a", cites=CITES), {"status"}, True),
    ],
    ids=["in review", "scheduled", "other fact", "a person's draft", "a proposal"],
)
def test_a_changed_fact_takes_back_what_waits_on_it(post: Post, facts: set[str], *, voided: bool) -> None:
    case = a_case(revisions={"status": 2, "identity": 2, "confirmation": 2})
    assert bool(after_fact_change(post, facts, case)) == voided


def test_words_of_the_prosecution_are_named_outside_quotations_only() -> None:
    assert words_to_avoid("Báo gọi là “thế lực thù địch”.", "vi") == ()
    assert words_to_avoid("Họ không phải đối tượng hay tội phạm.", "vi") == ("đối tượng", "tội phạm")
    assert words_to_avoid("The regime jailed a dissident.", "en") == ("regime", "dissident")
    assert words_to_avoid("Convictions stand.", "en") == ()


def test_an_arrest_is_no_feast() -> None:
    assert words_to_avoid("Kỷ niệm 5 năm ngày bà bị bắt.", "vi") == ("Kỷ niệm 5 năm ngày bà bị bắt",)
    assert words_to_avoid("Kỷ niệm ngày Nhân quyền. Bà bị bắt năm 2020.", "vi") == ()


def test_a_hashtag_that_differs_by_capitals_or_marks_is_named_with_the_campaigns_own() -> None:
    tags = ("#NgừngNgayĐànÁp", "#StopTheCrackdownVN")
    found = list(mistyped_tags("#NgungNgayDanAp #stopthecrackdownvn #StopTheCrackdownVN #khac", tags))
    assert found == [("#NgungNgayDanAp", tags[0]), ("#stopthecrackdownvn", tags[1])]


def test_a_full_name_is_found_in_either_language_and_not_inside_a_longer_word() -> None:
    case = a_case()
    assert names_in("Hôm nay, Nguyễn Văn A ra tòa.", [case]) == ("nguyen-van-a",)
    assert names_in("Nguyen Van A is held.", [case]) == ("nguyen-van-a",)
    assert names_in("Nguyễn Văn An, Nguyễn Văn", [case]) == ()


@given(st.text(max_size=80), st.text(max_size=80))
def test_likeness_is_the_same_both_ways_and_whole_only_with_the_same_words(one: str, other: str) -> None:
    left, right = shingles(one), shingles(other)
    assert 0 <= likeness(left, right) == likeness(right, left) <= 1
    assert likeness(left, left) == 1


def test_one_changed_word_in_a_long_text_leaves_it_nearly_equal() -> None:
    words = [f"chữ{number}" for number in range(60)]
    other = [*words[:30], "khác", *words[31:]]
    assert likeness(shingles(" ".join(words)), shingles(" ".join(other))) > 0.85
    assert likeness(shingles("một hai ba bốn năm"), shingles("sáu bảy tám chín mười")) == 0
