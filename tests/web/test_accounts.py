"""How each account fares: whether it works, until when, what it used up, and pausing it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.domain.budget import MILLIONTHS, Budget
from bot.platforms.ondemand import OnDemand
from bot.ports import Account, Platform, Said
from bot.services import channels, queue
from bot.services.context import Context
from tests.house import START, Crew, FakeClock
from tests.web.conftest import Browser

Found = Callable[[Account], None]


@dataclass
class Looked:
    """An account that answers a look with this."""

    account: Account

    def check(self) -> Account:
        return self.account


def put(ctx: Context, **changed: Any) -> None:  # noqa: ANN401
    known = cast("dict[str, Any]", ctx.channels)
    known["rehearsal-x"] = replace(known["rehearsal-x"], **changed)


@pytest.fixture
def answers(ctx: Context) -> Found:
    """What a look at rehearsal-x finds from now on."""
    return lambda account: put(ctx, anew=lambda: cast("Platform", Looked(account)))


def badges(browser: Browser, name: str = "rehearsal-x") -> list[str]:
    browser.get("/accounts")
    row = next(row for row in browser.page.select("tbody tr") if row.select(f"a[href='/accounts/{name}']"))
    return [each.get_text(strip=True) for each in row.select(".badge")]


def test_every_account_is_listed_with_its_network_and_languages(binh: Browser) -> None:
    binh.get("/accounts")
    assert [each.get_text() for each in binh.page.select("tbody th a")] == ["rehearsal-x", "rehearsal-facebook"]
    assert "rehearses like X · Vietnamese, English" in binh.text
    assert badges(binh) == ["Nobody has looked yet"]


def test_a_look_says_that_it_works_and_is_remembered(giang: Browser, answers: Found) -> None:
    answers(Account("1", "@sample"))
    giang.get("/accounts/rehearsal-x")
    giang.press("Check")
    assert "Looked: it works. Nothing was posted." in giang.text
    assert "@sample" in giang.text
    assert badges(giang) == ["Works"]


def test_what_is_missing_is_said_in_the_readers_language(browse: Callable[..., Browser], answers: Found) -> None:
    answers(Account("", "", missing=(Said("The access token lacks the right “{scope}”.", scope="write"),)))
    binh = browse("binh", "vi")
    binh.get("/accounts/rehearsal-x")
    binh.post(to="/accounts/rehearsal-x/check")
    assert binh.page.select(".notice.danger")
    assert "write" in binh.text
    assert "The access token lacks" not in binh.text


@pytest.mark.parametrize(("days", "said"), [(-1, ["Expired"]), (13, ["Ends soon", "Works"]), (15, ["Works"])])
def test_a_permission_is_amber_two_weeks_before_its_end_and_red_after(
    days: int, said: list[str], binh: Browser, ctx: Context, answers: Found
) -> None:
    answers(Account("1", "Page", expires_at=START + timedelta(days=days)))
    channels.check(ctx, "rehearsal-x")
    assert badges(binh) == said
    binh.get("/")
    assert bool(binh.page.select("#needs ~ ul a[href^='/accounts']")) is (days < 14)


def test_pages_without_the_keys_say_so_and_hold_nothing_against_the_account(binh: Browser, ctx: Context) -> None:
    def opening() -> Platform:
        ctx.channel("nobody")  # raises what a missing secret raises: an error of ours
        raise AssertionError

    rules = ctx.channels["rehearsal-x"].platform.rules
    put(ctx, anew=lambda: OnDemand(rules, ctx.data_dir / "none.json", opening))
    binh.get("/accounts/rehearsal-x")
    binh.press("Check")
    assert "These pages run without the keys of the accounts" in binh.text
    assert "whoever looks after the server can at any time" in binh.text
    assert badges(binh) == ["Nobody has looked yet"]
    channels.check(ctx, "rehearsal-x")
    assert badges(binh) == ["Lacks something"]


def test_nobody_looks_twice_within_a_minute(binh: Browser, clock: FakeClock, answers: Found) -> None:
    answers(Account("1", "@sample"))
    binh.get("/accounts/rehearsal-x")
    binh.press("Check")
    binh.press("Check", status=422)
    assert "less than a minute ago" in binh.text
    clock.advance(seconds=61)
    binh.press("Check")
    assert "it works" in binh.text


def test_anyone_pauses_an_account_and_an_admin_lets_it_go_on(
    giang: Browser, an: Browser, ctx: Context, crew: Crew
) -> None:
    giang.get("/accounts/rehearsal-x")
    giang.press("Pause this account", {"reason": " "}, status=422)
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    giang.press("Pause this account", {"reason": "Somebody has its key."})
    assert "Paused by giang" in giang.text
    assert "“Somebody has its key.”" in giang.text
    assert giang.page.select("button[disabled]")
    assert "It takes the role admin" in giang.text
    assert badges(giang)[0] == "Paused"
    an.get("/accounts/rehearsal-x")
    an.press("Let it post again")
    assert queue.pauses(ctx) == ()


def test_what_an_account_uses_up_stands_beside_what_it_may(binh: Browser, ctx: Context) -> None:
    put(ctx, budget=Budget(per_month=100, cost_per_month=5 * MILLIONTHS, per_day=4))
    binh.get("/accounts/rehearsal-x")
    assert "0 of 100 posts, $0.00 of $5.00" in binh.text
    assert "In 24 hours, at most 4 posts" in binh.text
    assert "$0.015; with a link $0.20" in binh.text


def test_how_to_connect_it_again_is_said_in_the_words_of_its_network(
    browse: Callable[..., Browser], ctx: Context
) -> None:
    put(ctx, profile=replace(ctx.channels["rehearsal-x"].profile, platform="x"))
    english, vietnamese = browse("binh"), browse("binh", "vi")
    english.get("/accounts/rehearsal-x")
    assert "At console.x.com make an app" in english.text
    assert "campaignbot channel secret rehearsal-x" in english.text
    vietnamese.get("/accounts/rehearsal-x")
    assert "docs/channels.vi.md" in vietnamese.text


@pytest.mark.parametrize("name", ["nobody", "%3Cb%3E", "a" * 300, "%00"])
def test_an_account_that_is_not_configured_is_not_there(name: str, binh: Browser) -> None:
    binh.get(f"/accounts/{name}", status=404)
