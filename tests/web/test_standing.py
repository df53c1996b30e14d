"""A year of some people's days on one page: proposed by one, approved by two, post by post, and ended."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import process_time

import pytest

from bot.domain.audit import Act
from bot.domain.case import Status
from bot.domain.post import Post, PostState
from bot.services import plan, posts, review, standing
from bot.services.context import Context
from tests.house import Crew, FakeClock, payload, told
from tests.sample_cases import a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.writing import on_file

APPROVE = "Approve exactly the ticked posts"
BOTH = ("nguyen-van-a", "tran-thi-b")


@pytest.fixture
def proposed(ctx: Context, crew: Crew) -> standing.Proposed:
    """Two people, two arrests: two days of the coming year, and one whose case speaks no more."""
    on_file(
        ctx,
        a_case(an_event(on="2020-10-07")),
        a_case(an_event(on="2019-03-26"), slug="tran-thi-b", name_vi="Trần Thị B", name_en="Tran Thi B"),
    )
    return standing.propose_standing(ctx, crew.coordinator, BOTH)


def boxes(browser: Browser, name: str) -> list[str]:
    return [str(each["value"]) for each in browser.page.select(f"input[name={name}]")]


def states(ctx: Context, proposed: standing.Proposed) -> set[PostState]:
    return {posts.get_post(ctx, post.id).state for post in proposed.posts}


def test_a_coordinator_sees_what_it_would_cover_and_then_proposes_it(binh: Browser, ctx: Context) -> None:
    on_file(
        ctx,
        a_case(an_event(on="2020-10-07")),
        a_case(
            an_event(on="2019-03-26"),
            slug="tran-thi-b",
            name_vi="Trần Thị B",
            name_en="Tran Thi B",
            status=Status.RELEASED,
        ),
    )
    binh.get("/standing/new?q=thi b")
    assert boxes(binh, "case") == ["tran-thi-b"]
    binh.get("/standing/new?case=tran-thi-b&case=nguyen-van-a&until=2027-11-01")
    covered, not_covered = (
        binh.page.select(f"[aria-labelledby={name}]")[0].get_text(" ") for name in ("covered", "uncovered")
    )
    assert "Nguyễn Văn A" in covered or "Nguyen Van A" in covered
    assert "Trần Thị B" in not_covered
    assert "No longer held: switched off" in not_covered
    assert standing.list_standings(ctx) == ()
    binh.press("Propose these to two reviewers")
    assert "Proposed. Two reviewers may now read and approve it." in binh.text
    assert len(standing.list_standings(ctx)) == 1


def test_two_reviewers_approve_each_post_by_its_digest(
    chi: Browser, dung: Browser, ctx: Context, proposed: standing.Proposed
) -> None:
    path = f"/standing/{proposed.standing.id}"
    for browser, after in ((chi, PostState.IN_REVIEW), (dung, PostState.SCHEDULED)):
        browser.get(path)
        ticked = boxes(browser, "post")
        assert ticked == [f"{post.id}:{post.digest}" for post in proposed.posts]
        browser.press(APPROVE, {"post": ticked, "seen": boxes(browser, "seen")})
        assert states(ctx, proposed) == {after}
    assert "The first goes out" in dung.text
    assert len(told(ctx, Act.STANDING_APPROVED)) == 2


def test_what_is_not_ticked_waits_on(chi: Browser, ctx: Context, proposed: standing.Proposed) -> None:
    chi.get(f"/standing/{proposed.standing.id}")
    chi.press(APPROVE, {"post": boxes(chi, "post")[:1], "seen": boxes(chi, "seen")})
    assert [entry.obj for entry in told(ctx, Act.POST_APPROVED)] == [f"post:{proposed.posts[0].id}"]


def test_each_fact_of_the_ticked_posts_must_be_ticked(chi: Browser, ctx: Context, proposed: standing.Proposed) -> None:
    chi.get(f"/standing/{proposed.standing.id}")
    ticked, facts = boxes(chi, "post"), boxes(chi, "seen")
    chi.press(APPROVE, {"post": ticked, "seen": facts[1:]}, status=422)
    assert "Tick each fact and each warning" in chi.text
    assert [str(each["value"]) for each in chi.page.select("input[name=post][checked]")] == ticked
    chi.press(APPROVE, {"post": [], "seen": facts}, status=422)
    assert "Tick the posts that you have read." in chi.text
    assert told(ctx, Act.POST_APPROVED) == []


def edit(ctx: Context, crew: Crew, post: Post) -> Post:
    texts = {key: f"{text}\n\n—" for key, text in post.content.texts.items()}
    return posts.edit_post(
        ctx, crew.second_reviewer, post.id, replace(post.content, texts=texts), revision=post.revision
    ).post


def test_a_post_that_was_edited_meanwhile_stops_the_whole_yes_and_is_not_ticked_any_more(
    chi: Browser, ctx: Context, crew: Crew, proposed: standing.Proposed
) -> None:
    chi.get(f"/standing/{proposed.standing.id}")
    read = {"post": boxes(chi, "post"), "seen": boxes(chi, "seen")}
    edit(ctx, crew, proposed.posts[0])
    chi.press(APPROVE, read, status=422)
    assert "Someone edited this while you were reading." in chi.text
    assert [str(each["value"]) for each in chi.page.select("input[name=post][checked]")] == read["post"][1:]
    assert told(ctx, Act.POST_APPROVED) == []


def test_who_edited_one_of_them_is_told_why_they_cannot_approve_it(
    dung: Browser, ctx: Context, crew: Crew, proposed: standing.Proposed
) -> None:
    edit(ctx, crew, proposed.posts[0])
    dung.get(f"/standing/{proposed.standing.id}")
    assert "You wrote this, so someone else must approve it." in dung.text
    assert len(boxes(dung, "post")) == len(proposed.posts) - 1
    hostile = f"{proposed.posts[0].id}:{posts.get_post(ctx, proposed.posts[0].id).digest}"
    form = dung.page.select(f"form[action='/standing/{proposed.standing.id}/approve']")[0]
    hidden = {str(each["name"]): [str(each["value"])] for each in form.select("input[type=hidden]")}
    sent = hidden | {"post": [hostile], "seen": boxes(dung, "seen")}
    dung.send(f"/standing/{proposed.standing.id}/approve", sent, status=422)
    assert told(ctx, Act.POST_APPROVED) == []


def test_a_tick_for_a_post_that_is_not_of_it_is_refused(
    chi: Browser, ctx: Context, crew: Crew, proposed: standing.Proposed
) -> None:
    chi.get(f"/standing/{proposed.standing.id}")
    form = chi.page.select(f"form[action='/standing/{proposed.standing.id}/approve']")[0]
    hidden = {str(each["name"]): [str(each["value"])] for each in form.select("input[type=hidden]")}
    chi.send(f"/standing/{proposed.standing.id}/approve", hidden | {"post": [f"99:{'a' * 64}"]}, status=422)
    assert "Name posts of standing approval" in chi.text


def test_approving_takes_the_passphrase_after_a_while(
    chi: Browser, ctx: Context, proposed: standing.Proposed, clock: FakeClock
) -> None:
    chi.get(f"/standing/{proposed.standing.id}")
    clock.advance(minutes=6)
    chi.press(APPROVE, {"post": boxes(chi, "post"), "seen": boxes(chi, "seen")}, status=401)
    assert told(ctx, Act.POST_APPROVED) == []
    chi.press("Go on", {"passphrase_again": PASSPHRASE})
    assert len(told(ctx, Act.POST_APPROVED)) == len(proposed.posts)


def test_ending_it_takes_a_reason_and_frees_the_days(
    binh: Browser, ctx: Context, crew: Crew, proposed: standing.Proposed
) -> None:
    first = proposed.posts[0]
    for reviewer in (crew.reviewer, crew.second_reviewer):
        review.approve(ctx, reviewer, first.id, first.digest)
    binh.get(f"/standing/{proposed.standing.id}")
    binh.press("End this standing approval", {"reason": ""}, status=422)
    binh.press("End this standing approval", {"reason": "The family asks us to wait."})
    assert "Ended. What is not out yet does not go out by it." in binh.text
    assert states(ctx, proposed) == {PostState.CANCELLED}
    (entry,) = told(ctx, Act.STANDING_VOIDED)
    assert entry.data == {"posts": len(proposed.posts)}
    assert payload(ctx, entry) == {"reason": "The family asks us to wait."}
    assert "End this standing approval" not in binh.text
    assert plan.plan(ctx, until=ctx.today() + timedelta(days=360)).drafted, "the days are drafted anew"


def test_who_only_reads_ends_nothing(giang: Browser, proposed: standing.Proposed) -> None:
    giang.get(f"/standing/{proposed.standing.id}")
    assert "You may not cancel posts." in giang.text
    assert "You may not approve posts." in giang.text


@pytest.mark.parametrize(("language", "words"), [("en", "There is none yet."), ("vi", "Chưa có đợt nào.")])
def test_where_there_is_none_it_says_so(language: str, words: str, browse: Callable[..., Browser]) -> None:
    chi = browse("chi", language)
    chi.get("/standing")
    assert words in chi.text


def test_in_vietnamese_too(browse: Callable[..., Browser], proposed: standing.Proposed) -> None:
    chi = browse("chi", "vi")
    chi.get(f"/standing/{proposed.standing.id}")
    assert "Duyệt đúng những bài đã đánh dấu" in chi.text
    assert "Tôi đã đối chiếu từng thông tin với nguồn" in chi.text


@pytest.mark.parametrize(
    "query", ["until=gestern", "until=9999-12-31", "until=0001-01-01", "case=nobody", "case=", "q=%00", "account=x"]
)
def test_a_hostile_query_is_answered(query: str, binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-10-07")))
    assert binh.client.get(f"/standing/new?case=nguyen-van-a&{query}").status_code in {200, 422}


def test_a_year_of_eight_cases_takes_less_than_a_second_of_the_processor(
    chi: Browser, ctx: Context, crew: Crew
) -> None:
    names = "ABCDEGHK"
    known = [
        a_case(
            an_event(on=f"2015-0{n}-1{n}"), slug=f"nguyen-van-{name.lower()}", name_vi=f"Nguyễn Văn {name}", name_en=""
        )
        for n, name in enumerate(names, 1)
    ]
    on_file(ctx, *(replace(case, name_en=f"Nguyen Van {name}") for case, name in zip(known, names, strict=True)))
    proposed = standing.propose_standing(ctx, crew.coordinator, [case.slug for case in known])
    assert len(proposed.posts) >= len(known)
    path = f"/standing/{proposed.standing.id}"
    chi.get(path)
    start = process_time()
    chi.get(path)
    assert process_time() - start < 1
