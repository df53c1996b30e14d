"""What goes out in the next 30 days, and why something will not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.domain.budget import Budget
from bot.domain.case import Consent
from bot.domain.occasions import Bar
from bot.services import forecast, plan, posts, queue
from bot.services.context import Context
from bot.services.posts import When
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.writing import a_draft, changed, in_review, on_file, scheduled


def amiss(browser: Browser) -> list[str]:
    browser.get("/forecast")
    return [each.get_text(" ", strip=True) for each in browser.page.select("section.notice.warn li")]


def test_what_is_approved_goes_out_and_what_waits_does_not(binh: Browser, ctx: Context, crew: Crew) -> None:
    scheduled(ctx, crew.binh, crew.chi, vi="Một", en="Approved")
    in_review(ctx, crew.binh, vi="Hai", en="In review")
    a_draft(ctx, crew.binh, vi="Ba", en="In two months", when=When(at=ctx.now() + timedelta(days=60)))
    (waiting,) = amiss(binh)
    assert "In review" in waiting
    assert "it is not approved" in waiting
    going = [each.get_text(strip=True) for each in binh.page.select("ol.rows .title")]
    assert going[:2] == ["Approved", "In review"]
    assert "In two months" not in going


def test_what_will_be_drafted_is_foretold_as_it_is_then_drafted(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-30")), a_case(an_event(on="2020-12-18"), slug="tran-thi-b"))
    binh.get("/forecast")
    badges = [each.get_text() for each in binh.page.select("ol.rows .badge")]
    assert badges.count("Not drafted yet") == len(badges) >= 2
    foretold = {each.occasion.key: each.content for each in forecast.look(ctx).coming if each.occasion}
    drafted = plan.plan(ctx, until=ctx.today() + forecast.AHEAD).drafted
    assert {post.occasion: post.content for post in drafted} == foretold
    binh.get("/forecast")
    assert "Not drafted yet" not in binh.text


def test_each_stop_is_named_on_the_post_that_it_keeps(binh: Browser, ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-30")))
    scheduled(ctx, crew.binh, crew.chi, cases=("nguyen-van-a",))
    assert amiss(binh) == []
    queue.hold(ctx, crew.binh, "case", "nguyen-van-a", "The family asks us to wait.")
    assert "it is held" in " ".join(amiss(binh))
    queue.pause_channel(ctx, crew.binh, "rehearsal-x", "Somebody has its key.")
    assert "the account is paused" in " ".join(amiss(binh))
    queue.halt(ctx, crew.binh, "Everything.")
    assert "publishing was stopped" in " ".join(amiss(binh))


def test_a_post_that_goes_out_on_other_accounts_says_where_it_does_not(binh: Browser, ctx: Context, crew: Crew) -> None:
    scheduled(ctx, crew.binh, crew.chi, channels=("rehearsal-x", "rehearsal-facebook"))
    queue.hold(ctx, crew.giang, "channel", "rehearsal-facebook", "Somebody has its key.")
    assert amiss(binh) == []
    assert "Not on rehearsal-facebook" in binh.text


def test_a_change_of_consent_or_status_is_seen_at_once(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-11-30"), consent=Consent.GIVEN))
    assert any(each.occasion and each.occasion.cases for each in forecast.look(ctx).coming)
    changed(ctx, crew.binh, "nguyen-van-a", consent=Consent.LIMITED)
    found = forecast.look(ctx)
    assert not any(each.occasion and each.occasion.cases for each in found.coming)
    assert [each.number for each in found.unspoken if each.why is Bar.CONSENT_LIMITED] == [1]


def test_days_without_a_post_say_why_in_both_languages(browse: Callable[..., Browser], ctx: Context) -> None:
    on_file(ctx, a_case(an_event(on="2020-12-01"), consent=Consent.LIMITED))
    english, vietnamese = browse("binh"), browse("binh", "vi")
    english.get("/forecast")
    assert "Limited consent: a person writes it (1) 1 December 2026 : Nguyễn Văn A , arrest, 6 years" in english.text
    vietnamese.get("/forecast")
    assert vietnamese.heading == "Dự báo"
    assert "Nguyễn Văn A" in vietnamese.text


def test_a_budget_that_will_not_last_is_seen_before_it_ends(binh: Browser, ctx: Context, crew: Crew) -> None:
    known = cast("dict[str, Any]", ctx.channels)
    known["rehearsal-x"] = replace(known["rehearsal-x"], budget=Budget(per_month=3))
    scheduled(ctx, crew.binh, crew.chi)
    binh.get("/forecast")
    assert "Not enough" not in binh.text
    assert "to come: 2 posts" in binh.text
    posts.add_post(ctx, crew.binh, posts.get_post(ctx, 1).content, When(at=ctx.now() + timedelta(hours=16)))
    binh.get("/forecast")
    assert "Not enough" in binh.text


def test_an_empty_month_says_so(giang: Browser, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(ctx.schedules), "observances", lambda *_: ())
    giang.get("/forecast")
    assert "Nothing goes out in the next 30 days." in giang.text
