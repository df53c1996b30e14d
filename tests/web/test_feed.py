"""A calendar that other programs read: only by its private address, and no more in it than its owner wants."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from bot.services import people
from bot.services.context import Context
from tests.house import Crew, FakeClock
from tests.sample_cases import a_case, an_event
from tests.web.conftest import PASSPHRASE, Browser
from tests.writing import a_draft, in_review, on_file, scheduled


def an_address(browser: Browser, *, names: bool) -> str:
    browser.get("/settings")
    browser.post({"names": ["yes"] if names else []}, to="/settings/calendar")
    return shown(browser)


def shown(browser: Browser) -> str:
    found = browser.page.select_one("section[aria-labelledby=calendar] .hash")
    assert found
    parts = urlsplit(found.get_text())
    return f"{parts.path}?{parts.query}"


def read(browser: Browser, address: str) -> Calendar:
    answer = browser.client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    made = Calendar.from_ical(answer.get_data())
    assert isinstance(made, Calendar)
    return made


def summaries(made: Calendar) -> list[str]:
    return [str(event["SUMMARY"]) for event in made.walk("VEVENT")]


@pytest.fixture
def busy(ctx: Context, crew: Crew) -> None:
    """A post that goes out, one in review, a draft, and an anniversary."""
    on_file(ctx, a_case(an_event(on="2020-11-23")))
    scheduled(ctx, crew.binh, crew.chi, vi="Đã duyệt; hai, ba", en="Approved; two, three")
    in_review(ctx, crew.binh, vi="Chờ", en="Waiting")
    a_draft(ctx, crew.binh, vi="Nháp", en="A draft")


@pytest.mark.usefixtures("busy")
def test_it_holds_what_is_to_go_out_and_the_anniversaries(binh: Browser, stranger: Browser) -> None:
    made = read(stranger, an_address(binh, names=True))
    assert summaries(made) == [
        "Approved; two, three (scheduled)",
        "Waiting (needs approval)",
        "Nguyễn Văn A: arrest, 6 years",
    ]
    first, second, day = made.walk("VEVENT")
    assert str(first.decoded("DTSTART")) == "2026-11-22 05:30:00+00:00"
    assert (str(first["STATUS"]), str(second["STATUS"])) == ("CONFIRMED", "TENTATIVE")
    assert str(day.decoded("DTSTART")) == "2026-11-23"
    assert len({str(event["UID"]) for event in made.walk("VEVENT")}) == 3


@pytest.mark.usefixtures("busy")
def test_without_names_it_tells_no_name_no_words_and_no_campaign(binh: Browser, stranger: Browser) -> None:
    address = an_address(binh, names=False)
    assert summaries(read(stranger, address)) == ["Post 1 (scheduled)", "Post 2 (needs approval)", "Anniversary"]
    text = stranger.client.get(address).get_data(as_text=True)
    assert [word for word in ("Nguy", "nguyen", "Approved", "coalition", "arrest") if word in text] == []


@pytest.mark.usefixtures("busy")
def test_it_speaks_the_language_that_its_owner_chose(browse: Callable[..., Browser], stranger: Browser) -> None:
    address = an_address(browse("binh", "vi"), names=True)
    assert summaries(read(stranger, address))[1:] == ["Chờ (chờ duyệt)", "Nguyễn Văn A: bắt giữ, 6 năm"]


def test_nobody_has_an_address_until_they_make_one_and_others_have_another(
    binh: Browser, chi: Browser, stranger: Browser
) -> None:
    binh.get("/settings")
    assert not binh.page.select("section[aria-labelledby=calendar] .hash")
    assert an_address(binh, names=False) != an_address(chi, names=False)
    for key in ("", "1", "0" * 64, "%00", "é", "x" * 5000):
        stranger.get(f"/calendar.ics?key={key}", status=404)


def test_an_address_is_void_once_there_is_another_or_none(binh: Browser, stranger: Browser) -> None:
    first = an_address(binh, names=False)
    second = an_address(binh, names=False)
    assert stranger.client.get(first).status_code == 404
    assert stranger.client.get(second).status_code == 200
    binh.press("Take the address back")
    assert stranger.client.get(second).status_code == 404
    assert "Make an address" in binh.text


def test_whoever_is_disabled_has_no_calendar(binh: Browser, stranger: Browser, ctx: Context, crew: Crew) -> None:
    address = an_address(binh, names=True)
    people.disable(ctx, crew.an, "binh")
    assert stranger.client.get(address).status_code == 404


@pytest.mark.usefixtures("busy")
def test_what_did_not_change_is_not_sent_again(binh: Browser, stranger: Browser, ctx: Context, crew: Crew) -> None:
    address = an_address(binh, names=True)
    answer = stranger.client.get(address)
    mark = answer.headers["ETag"]
    assert "no-cache" in answer.headers["Cache-Control"]
    again = stranger.client.get(address, headers={"If-None-Match": mark})
    assert (again.status_code, again.get_data()) == (304, b"")
    in_review(ctx, crew.binh, vi="Thêm", en="One more")
    assert stranger.client.get(address, headers={"If-None-Match": mark}).status_code == 200


def test_a_new_address_takes_the_passphrase_of_whoever_sits_there(binh: Browser, clock: FakeClock) -> None:
    clock.advance(minutes=6)
    binh.get("/settings")
    binh.post({"names": []}, to="/settings/calendar", status=401)
    assert binh.heading == "Is it you?"
    binh.press("Go on", {"passphrase_again": PASSPHRASE})
    assert shown(binh)
