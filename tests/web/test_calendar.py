"""A month of posts and days: every day in its place, from Monday on, in both languages."""

from collections.abc import Callable
from datetime import date

import pytest
from bs4 import Tag

from bot.domain.case import Consent, EventKind, Status
from bot.services import calendar, queue
from bot.services.context import Context
from bot.services.plan import plan
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.writing import a_draft, on_file


def on(browser: Browser, day: int) -> str:
    return cell(browser, day).get_text(" ", strip=True)


def cell(browser: Browser, day: int) -> Tag:
    found = browser.page.select("ol.month > li:not(.pad)")[day - 1]
    assert found.select(f"time[datetime$='-{day:02}']")
    return found


def test_a_month_begins_on_monday_and_has_all_of_its_days(binh: Browser) -> None:
    for path, days, before in (("2026/11", 30, "span6"), ("2026/06", 30, ""), ("2024/2", 29, "span3")):
        binh.get(f"/calendar/{path}")
        assert len(binh.page.select("ol.month > li:not(.pad)")) == days
        first = str(binh.page.select("ol.month > li")[0].get("class"))
        assert ("pad" in first, before in first) == (bool(before), True)
    assert [each.get_text() for each in binh.page.select(".dow span")][0::6] == ["Monday", "Sunday"]


def test_the_calendar_opens_on_the_month_that_it_is_for_the_reader(binh: Browser) -> None:
    binh.get("/calendar")
    assert (binh.path, binh.heading) == ("/calendar/2026/11", "November 2026")
    today = binh.page.select("li[aria-current=date]")
    assert [each.get_text(" ", strip=True) for each in today] == ["Saturday 21 November 2026 21 · Today"]


def test_posts_and_anniversaries_stand_on_their_days(browse: Callable[..., Browser], ctx: Context, crew: Crew) -> None:
    freed = a_case(
        an_event(on="2019-11-24"), slug="tran-thi-b", name_vi="Trần Thị B", status=Status.RELEASED, as_of="2026-10"
    )
    on_file(ctx, a_case(an_event(on="2020-11-23")), freed)
    post = a_draft(ctx, crew.binh, vi="Bài của chúng tôi", en="Our post")
    english, vietnamese = browse("binh"), browse("binh", "vi")
    english.get("/calendar/2026/11")
    assert "Our post 12:30 Draft" in on(english, 22)
    assert cell(english, 22).select(f"a[href='/posts/{post.id}']")
    assert "Nguyễn Văn A Arrest, 6 years Imprisoned" in on(english, 23)
    assert "Trần Thị B Arrest, 7 years Released" in on(english, 24)
    vietnamese.get("/calendar/2026/11")
    assert vietnamese.heading == "Tháng 11 năm 2026"
    assert "Bài của chúng tôi 12:30 Bản nháp" in on(vietnamese, 22)
    assert "Đang bị cầm tù" in on(vietnamese, 23)


def test_an_anniversary_leads_to_the_post_that_was_drafted_for_it(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-23")))
    plan(ctx)
    binh.get("/calendar/2026/11")
    post = cell(binh, 23).select_one(".ev.post a")
    assert post
    assert cell(binh, 23).select(f".ev.anniv a[href='{post['href']}']")


def test_whoever_refused_is_nowhere_in_the_calendar(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-23"), consent=Consent.REFUSED))
    binh.get("/calendar/2026/11")
    assert on(binh, 23).startswith("Monday 23 November 2026 23")
    assert "Nguyễn Văn A" not in binh.text


def test_days_of_history_and_lunar_days_are_shown_where_they_fall(binh: Browser) -> None:
    binh.get("/calendar/2027/2")
    assert "Lunar New Year" in on(binh, 6)
    binh.get("/calendar/2020/1")
    assert "Police raid on Đồng Tâm commune" in on(binh, 9)
    binh.get("/calendar/2019/1")
    vague = binh.page.select_one("section[aria-labelledby=vague]")
    assert vague
    assert "third cycle January 2019" in vague.get_text(" ", strip=True)
    binh.get("/calendar/2020/1?show=posts")
    assert "Đồng Tâm" not in binh.text


def test_people_held_without_an_exact_day_are_listed_below(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-11")))
    binh.get("/calendar/2026/11")
    notice = binh.page.select_one("section.notice.warn")
    assert notice
    assert "1 case without a day" in notice.get_text(" ", strip=True)
    assert [each["href"] for each in notice.select("a")] == ["/cases/nguyen-van-a"]


def test_a_full_day_shows_its_first_and_leads_to_all(binh: Browser, ctx: Context) -> None:
    many = [a_case(an_event(on="2020-11-23"), slug=f"nguyen-van-{n}", name_vi=f"Nguyễn Văn {n}") for n in "abcdefghi"]
    on_file(ctx, *many)
    binh.get("/calendar/2026/11?status=imprisoned")
    assert len(cell(binh, 23).select(".ev.anniv")) == calendar.Shown().most
    more = cell(binh, 23).select("a")[-1]
    assert "3 more" in more.get_text()
    binh.get(str(more["href"]))
    assert binh.heading == "Monday 23 November 2026"
    assert len(binh.page.select(".ev.anniv")) == len(many)
    binh.get("/calendar/2026/11?status=released")
    assert binh.page.select(".ev.anniv") == []


def test_people_tried_together_are_one_line(binh: Browser, ctx: Context) -> None:
    together = [
        a_case(an_event(EventKind.TRIAL, "2020-11-23", joint="hearing-a"), slug=f"nguyen-van-{n}", name_vi=f"Người {n}")
        for n in "abcd"
    ]
    on_file(ctx, *together)
    binh.get("/calendar/2026/11")
    assert len(cell(binh, 23).select(".ev.anniv")) == 1
    assert "and 2 more" in on(binh, 23)
    assert "Joint trial, 6 years" in on(binh, 23)


def test_a_change_of_a_case_is_seen_at_once(binh: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-23")))
    binh.get("/calendar/2026/11?day=23")
    assert "No automatic post" not in binh.text
    queue.hold(ctx, crew.binh, "case", "nguyen-van-a", "The family asks us to wait.")
    binh.get("/calendar/2026/11?day=23")
    assert "No automatic post: it is held." in binh.text
    on_file(ctx, a_case(an_event(on="2020-11-23"), slug="tran-thi-b", name_vi="Trần Thị B"), by=crew.binh)
    binh.get("/calendar/2026/11?day=23")
    assert "Trần Thị B" in binh.text


@pytest.mark.parametrize("path", ["1999/12", "2100/1", "2026/0", "2026/13", "99999999999/1", "2026/-1"])
def test_months_out_of_our_time_are_not_there(path: str, binh: Browser) -> None:
    binh.get(f"/calendar/{path}", status=404)


@pytest.mark.parametrize("asked", ["day=31", "day=0", "day=x", "day=1e1", "show=<b>&status=%00", "status=burnt"])
def test_what_is_asked_in_no_known_words_shows_the_month(asked: str, binh: Browser) -> None:
    binh.get(f"/calendar/2026/11?{asked}")
    assert binh.heading == "November 2026"


def test_the_edges_of_the_calendar_lead_no_further(binh: Browser) -> None:
    binh.get("/calendar/2000/1")
    assert [each["rel"] for each in binh.page.select("a[rel]")] == [["next"]]
    binh.get("/calendar/2099/12")
    assert [each["rel"] for each in binh.page.select("a[rel]")] == [["prev"]]
    assert date(2099, 12, 1).weekday() == 1
