"""Stopping in one step by anyone, starting again in two by two people."""

from bot.services import queue
from bot.services.context import Context
from tests.web.conftest import Browser


def test_anyone_stops_everything_with_a_reason(giang: Browser, ctx: Context) -> None:
    giang.get("/pause")
    giang.press("Pause all publishing", {"reason": "The family asks us to wait."})
    assert "Publishing is paused. Nothing was being sent." in giang.text
    halt = queue.halt_state(ctx)
    assert halt
    assert (halt.by, halt.hold.reason) == ("giang", "The family asks us to wait.")


def test_without_a_reason_nothing_stops_and_the_page_says_what_is_missing(giang: Browser, ctx: Context) -> None:
    giang.get("/pause")
    giang.press("Pause all publishing", {"reason": "  "}, status=422)
    assert giang.title.startswith("Error: ")
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    assert queue.halt_state(ctx) is None
