"""What each campaign says and where, and stopping one of them."""

from collections.abc import Callable

import pytest

from bot.services import queue
from bot.services.context import Context
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.writing import CAMPAIGN, on_file

HERE = f"/campaigns/{CAMPAIGN}"


def test_campaigns_stand_with_their_accounts_and_for_how_many_they_speak(binh: Browser, ctx: Context) -> None:
    on_file(ctx, a_case(an_event()), a_case(slug="tran-thi-b", name_vi="Trần Thị B", campaigns=("now-campaign",)))
    binh.get("/campaigns")
    assert [each.get_text() for each in binh.page.select("main .title a")] == ["#StopTheCrackdownVN", "NOW! Campaign"]
    assert binh.text.count("1 case · 1 approval needed · rehearsal-x · rehearsal-facebook") == 2


def test_a_campaign_tells_how_it_speaks(browse: Callable[..., Browser]) -> None:
    english, vietnamese = browse("binh"), browse("binh", "vi")
    english.get(HERE)
    assert english.heading == "#StopTheCrackdownVN"
    assert "no post by itself; a person writes" in english.text
    assert "only where a person puts one" in english.text
    assert english.page.select("#slots ~ .rows li")
    vietnamese.get(HERE)
    assert vietnamese.heading == "Ngừng Ngay Đàn Áp"
    assert "Thứ" in vietnamese.text


def test_anyone_holds_a_campaign_and_two_people_let_it_go_on(
    giang: Browser, binh: Browser, chi: Browser, ctx: Context, crew: Crew
) -> None:
    giang.get(HERE)
    giang.press("Hold this campaign", {"reason": ""}, status=422)
    assert [each["href"] for each in giang.page.select("#errors a")] == ["#f-reason"]
    giang.press("Hold this campaign", {"reason": "The coalition meets first."})
    assert "“The coalition meets first.”" in giang.text
    assert "You may not" in giang.text
    binh.get(HERE)
    binh.press("Ask to resume")
    binh.get(HERE)
    assert "You asked for this, so someone else must confirm it." in binh.text
    chi.get(HERE)
    chi.press("Confirm: resume")
    assert queue.holds(ctx) == ()


@pytest.mark.parametrize("slug", ["nobody", "%3Cb%3E", "a" * 300])
def test_a_campaign_that_is_not_written_is_not_there(slug: str, binh: Browser) -> None:
    binh.get(f"/campaigns/{slug}", status=404)
