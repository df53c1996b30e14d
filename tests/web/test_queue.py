"""Every post by its time, a page at a time, and several held at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.services import agenda, queue
from bot.services.context import Context
from bot.services.posts import When
from tests.house import Crew, FakeClock
from tests.web.conftest import Browser
from tests.writing import a_draft, in_review, scheduled


def titles(browser: Browser) -> list[str]:
    return [each.get_text(" ", strip=True) for each in browser.page.select("li.queued .title a")]


def test_posts_stand_by_day_and_time_with_their_accounts_and_writer(binh: Browser, ctx: Context, crew: Crew) -> None:
    later = When(at=ctx.now() + timedelta(days=2))
    a_draft(ctx, crew.binh, vi="Mai sau", en="The later one", when=later)
    scheduled(ctx, crew.binh, crew.chi, vi="Mai", en="The sooner one")
    a_draft(ctx, crew.dung, vi="Chưa có giờ", en="Without a time", when=When())
    binh.get("/queue")
    assert titles(binh) == ["The sooner one", "The later one", "Without a time"]
    assert [each.get_text(" ", strip=True) for each in binh.page.select("section.panel h2")] == [
        "Sunday 22 November 2026",
        "Tuesday 24 November 2026",
        "No time yet",
    ]
    assert "12:30" in binh.text
    assert "rehearsal-x · by binh" in binh.text
    assert [each.get_text() for each in binh.page.select("li.queued .badge")] == ["Scheduled", "Draft", "Draft"]


def test_in_vietnamese_it_says_the_day_as_one_does_there(
    browse: Callable[..., Browser], ctx: Context, crew: Crew
) -> None:
    in_review(ctx, crew.binh, vi="Bài thứ nhất", en="The first post")
    binh = browse("binh", "vi")
    binh.get("/queue")
    assert binh.heading == "Hàng chờ"
    assert titles(binh) == ["Bài thứ nhất"]
    assert "Chủ Nhật, ngày 22 tháng 11 năm 2026" in binh.text
    assert "Chờ duyệt" in binh.text


def test_a_filter_leaves_the_others_out_and_is_kept_on_the_next_page(binh: Browser, ctx: Context, crew: Crew) -> None:
    in_review(ctx, crew.binh, vi="Một", en="In review")
    a_draft(ctx, crew.binh, vi="Hai", en="A draft", channels=("rehearsal-facebook",))
    binh.get("/queue?state=draft")
    assert titles(binh) == ["A draft"]
    binh.get("/queue?account=rehearsal-x&lang=en")
    assert titles(binh) == ["In review"]
    assert [each["value"] for each in binh.page.select("option[selected]")][1:] == ["rehearsal-x", "en"]
    binh.get("/queue?account=rehearsal-x&state=draft")
    assert titles(binh) == []
    assert "No post matches" in binh.text


def test_an_empty_queue_says_what_to_do(giang: Browser) -> None:
    giang.get("/queue")
    assert "The queue is empty. Write a post or open the calendar." in giang.text
    assert giang.page.select("main a[href='/calendar']")
    assert "It takes the role coordinator" in giang.text


def test_what_is_past_its_time_stands_on_top_in_amber(
    browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    a_draft(ctx, crew.binh, vi="Trễ", en="The late one")
    clock.advance(days=1)
    a_draft(ctx, crew.binh, vi="Kịp", en="The other one")
    binh = browse("binh")
    binh.get("/queue")
    late = binh.page.select_one("section.notice.warn")
    assert late
    assert "Past its time" in late.get_text()
    assert [each.get_text() for each in late.select(".title a")] == ["The late one"]
    assert titles(binh) == ["The late one", "The other one"]


@pytest.fixture
def a_short_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "A_PAGE", 2)


@pytest.mark.usefixtures("a_short_page")
def test_pages_turn_later_and_earlier_and_every_post_is_on_one(binh: Browser, ctx: Context, crew: Crew) -> None:
    for number in range(5):
        a_draft(ctx, crew.binh, vi=f"Bài {number}", en=f"Post {number}")
    binh.get("/queue?lang=vi")
    seen = titles(binh)
    while later := binh.page.select_one("a[rel=next]"):
        binh.get(str(later["href"]))
        assert "lang=vi" in str(later["href"])
        seen += titles(binh)
    assert seen == [f"Post {number}" for number in range(5)]
    earlier = binh.page.select_one("a[rel=prev]")
    assert earlier
    binh.get(str(earlier["href"]))
    assert titles(binh) == ["Post 2", "Post 3"]


def test_several_posts_are_held_at_once_with_one_reason(binh: Browser, ctx: Context, crew: Crew) -> None:
    first, second, third = (in_review(ctx, crew.binh, vi=f"Bài {n}", en=f"Post {n}") for n in range(3))
    binh.get("/queue?account=rehearsal-x")
    binh.press("Hold them", {"post": [str(first.id), str(third.id)], "reason": "The family asks us to wait."})
    assert "2 posts are held." in binh.text
    assert {each.hold.target for each in queue.holds(ctx)} == {str(first.id), str(third.id)}
    assert [each.get_text() for each in binh.page.select(".badge.warn")].count("Held") == 2
    assert [each["value"] for each in binh.page.select("input[name=post]")] == [str(second.id)]


def test_holding_without_a_reason_or_a_post_holds_nothing(giang: Browser, ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.binh)
    giang.get("/queue")
    giang.press("Hold them", {"post": [str(post.id)]}, status=422)
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    assert giang.page.select(f"input[name=post][value='{post.id}'][checked]")
    giang.get("/queue")
    giang.press("Hold them", {"reason": "Why not"}, status=422)
    assert "Tick the posts" in giang.text
    giang.send("/queue/hold", {"post": ["999"], "reason": ["x"], "csrf_token": [token(giang)]}, status=422)
    assert queue.holds(ctx) == ()


def token(browser: Browser) -> str:
    return str(browser.page.select("input[name=csrf_token]")[0]["value"])


@pytest.mark.parametrize(
    "asked",
    [
        "state=burnt&account=nobody&lang=xx",
        "after=99999999999999999.1",
        "before=-99999999999999999.1",
        "after=none.1",
        "before=none.999999999999999",
        "after=1.99999999999999999999",
        "after=%00&before=%27%20OR%201=1--",
        "account=%25&lang=%E1%BB%87",
        "after=١.٢",
    ],
)
def test_what_is_asked_in_no_known_words_is_answered_calmly(
    asked: str, binh: Browser, ctx: Context, crew: Crew
) -> None:
    a_draft(ctx, crew.binh)
    binh.get(f"/queue?{asked}")
    assert binh.heading == "Queue"
