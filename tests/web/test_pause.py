"""Stopping in one step by anyone, starting again in two by two people."""

from collections.abc import Callable

import pytest

from bot.services import queue
from bot.services.context import Context
from tests.house import Crew
from tests.web.conftest import Browser

REASON = "The family asks us to wait."


@pytest.mark.parametrize("alias", ["an", "binh", "chi", "giang"])
def test_anyone_stops_everything_with_a_reason(alias: str, browse: Callable[..., Browser], ctx: Context) -> None:
    browser = browse(alias)
    browser.get("/pause")
    browser.press("Pause all publishing", {"reason": REASON})
    assert "Publishing is paused. Nothing was being sent." in browser.text
    halt = queue.halt_state(ctx)
    assert halt
    assert (halt.by, halt.hold.reason) == (alias, REASON)


def test_it_can_be_done_from_the_first_page_too(binh: Browser, ctx: Context) -> None:
    binh.get("/")
    binh.press("Pause all publishing", {"reason": REASON})
    assert queue.halt_state(ctx)
    binh.get("/")
    assert f"binh: “{REASON}”" in binh.page.select(".running.paused")[0].get_text(" ")


def test_without_a_reason_nothing_stops_and_the_page_says_what_is_missing(giang: Browser, ctx: Context) -> None:
    giang.get("/pause")
    giang.press("Pause all publishing", {"reason": "  "}, status=422)
    assert giang.title.startswith("Error: ")
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    assert giang.page.select("#f-reason")[0]["aria-invalid"] == "true"
    assert queue.halt_state(ctx) is None


def test_one_asks_to_resume_and_another_confirms(binh: Browser, chi: Browser, ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, REASON)
    binh.get("/pause")
    binh.press("Ask to resume")
    assert "binh asks to resume." in binh.text
    assert "You asked for this, so someone else must confirm it." in binh.text
    assert binh.page.select("button[disabled]")
    chi.get("/pause")
    chi.press("Confirm: resume")
    assert "Publishing is on." in chi.text
    assert queue.halt_state(ctx) is None


def test_who_only_reads_is_told_why_they_cannot_resume(giang: Browser, ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, REASON)
    giang.get("/pause")
    assert "You may not end a halt or a hold. It takes the role admin, coordinator, reviewer." in giang.text


def test_pausing_again_takes_back_the_wish_to_resume(binh: Browser, ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, REASON)
    queue.ask_unhalt(ctx, crew.reviewer)
    binh.get("/pause")
    binh.press("Pause all publishing", {"reason": "Not yet."})
    halt = queue.halt_state(ctx)
    assert halt
    assert (halt.hold.reason, halt.asked_by) == ("Not yet.", "")


def test_what_is_held_apart_is_freed_by_two_people_too(binh: Browser, chi: Browser, ctx: Context, crew: Crew) -> None:
    queue.hold(ctx, crew.coordinator, "language", "vi", "A wrong word in every post.")
    binh.get("/pause")
    assert "A wrong word in every post." in binh.text
    binh.post(to="/holds/ask")
    chi.get("/pause")
    chi.post(to="/holds/confirm")
    assert queue.holds(ctx) == ()


def test_the_program_itself_is_named_where_it_stopped(binh: Browser, ctx: Context) -> None:
    queue.halt(ctx, None, "The record does not match.")
    binh.get("/pause")
    assert "Paused by The program" in binh.text
