"""Near-equal texts: on one account within days, on two accounts of one platform, and never between other platforms."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.post import Content, Window
from bot.domain.remarks import likeness, likest, shingles
from bot.library.casefiles import read_cases_toml
from bot.services import cases, plan
from bot.services.content import check_content
from bot.services.context import Channel, Context, Planning
from bot.services.posts import When, add_post
from bot.store import posts
from tests.house import ROOT, Crew, FakeClock
from tests.writing import SOON, a_content

VI = "Hôm nay xin nhắc lại câu chuyện của những người đã lên tiếng ôn hòa và vì thế phải ở tù rất lâu."
EN = "Today please remember the story of those who spoke peacefully and for that were jailed for very long."
ALIKE = EN.replace("very long", "many years by now")
OTHER = "Một lời khác hẳn về một chuyện khác, không giống chút nào với lời kia."


def on(ctx: Context, *names: str, like: str = "x", languages: tuple[str, ...] = ("vi", "en")) -> Context:
    model = ctx.channels["rehearsal-x"]

    def made(name: str) -> Channel:
        return replace(model, profile=replace(model.profile, name=name, like=like, languages=languages))

    return replace(ctx, channels={**ctx.channels, **{name: made(name) for name in names}})


def warned(ctx: Context, content: Content, *, days: float) -> str:
    due = ctx.now() + SOON + timedelta(days=days)
    windows = tuple(Window(name, due, due + timedelta(hours=1)) for name in content.channels)
    return " ".join(str(each) for each in check_content(ctx, replace(content, windows=windows)).warnings)


@pytest.mark.parametrize(("days", "is_told"), [(6, True), (8, False)])
def test_two_accounts_of_one_platform_are_kept_apart_for_a_week(
    ctx: Context, crew: Crew, days: float, *, is_told: bool
) -> None:
    ctx = on(ctx, "second-x")
    post = add_post(ctx, crew.coordinator, a_content(VI, EN), When(at=ctx.now() + SOON))
    said = warned(ctx, a_content(OTHER, ALIKE, channels=("second-x",)), days=days)
    told = f"much like post {post.id} on another account of x, within 7 days of it"
    assert (told in said) is is_told


def test_how_long_is_a_setting(ctx: Context, crew: Crew) -> None:
    ctx = replace(on(ctx, "second-x"), planning=Planning(similar_days=2))
    add_post(ctx, crew.coordinator, a_content(VI, EN), When(at=ctx.now() + SOON))
    assert "another account" not in warned(ctx, a_content(OTHER, ALIKE, channels=("second-x",)), days=3)


def test_another_platform_may_say_the_same(ctx: Context, crew: Crew) -> None:
    add_post(ctx, crew.coordinator, a_content(VI, EN), When(at=ctx.now() + SOON))
    said = warned(ctx, a_content(VI, EN, channels=("rehearsal-facebook",)), days=1)
    assert "like post" not in said
    assert "the same as post" not in said


def test_one_post_on_two_accounts_of_a_platform_is_told(ctx: Context) -> None:
    ctx = on(ctx, "second-x")
    said = warned(ctx, a_content(VI, EN, channels=("rehearsal-x", "second-x")), days=1)
    assert "rehearsal-x and second-x are both on x and would say the same." in said


def test_an_account_a_language_is_what_the_platforms_allow(ctx: Context) -> None:
    ctx = on(on(ctx, "x-vi", languages=("vi",)), "x-en", languages=("en",))
    assert "would say the same" not in warned(ctx, a_content(VI, EN, channels=("x-vi", "x-en")), days=1)


@pytest.mark.slow
def test_a_year_of_the_shipped_cases_is_no_flood_of_warnings(ctx: Context, clock: FakeClock) -> None:
    """Models are shared, people are not: what is drafted for one is never said to be like another's."""
    ctx = replace(ctx, planning=Planning(lead_days=90))
    cases.import_cases(ctx, None, read_cases_toml(ROOT / "schedules" / "cases.toml"), source="shipped")
    for _ in range(5):
        plan.plan(ctx)
        clock.advance(days=80)
    with ctx.store.read() as tx:
        drafted = [post for post in posts.listed(tx, limit=500) if post.occasion and post.due]
    assert len(drafted) > 100
    told = {
        language: [
            (post.due, shingles(text)) for post in drafted if (text := post.content.texts.get((language, ""), ""))
        ]
        for language in ("vi", "en")
    }
    near = [
        likeness(one, other)
        for texts in told.values()
        for (due, one), (later, other) in combinations(texts, 2)
        if due and later and abs(later - due) <= timedelta(days=7)
    ]
    assert near
    assert max(near) < 0.5


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_whole_for_the_same_and_the_same_both_ways(one: str, other: str) -> None:
    assert likeness(shingles(one), shingles(one)) == 1
    assert likeness(shingles(one), shingles(other)) == likeness(shingles(other), shingles(one))


def test_only_texts_of_one_language_are_compared() -> None:
    assert likest({"vi": [shingles(VI)]}, {"en": [shingles(VI)]}) == 0
    assert likest({"vi": [shingles(VI)]}, {"vi": [shingles(OTHER), shingles(VI)]}) == 1
