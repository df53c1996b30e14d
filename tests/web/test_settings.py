"""Settings: language, colours, zone, discretion, the passphrase, and sessions elsewhere."""

from collections.abc import Callable

import pytest

from bot.services import invitations, sessions
from bot.services.context import Context
from tests.house import Crew, FakeClock
from tests.web.conftest import PASSPHRASE, Browser
from tests.web.test_factors import set_up_codes

NEW = "năm con thuyền trên biển nóng"
LINK = "made a one-time link for a person"


def test_what_is_chosen_holds_on_every_page_and_every_device(binh: Browser, browse: Callable[..., Browser]) -> None:
    binh.get("/settings")
    binh.press("Save", {"language": "vi", "theme": "dark", "timezone": "Europe/Berlin", "shortcuts": "on"})
    assert "Đã lưu." in binh.text
    elsewhere = browse("binh")
    elsewhere.get("/")
    assert elsewhere.heading == "Hôm nay"
    assert elsewhere.page.html
    assert elsewhere.page.html["data-theme"] == "dark"
    assert "16:30 (Europe/Berlin, UTC+1)" in elsewhere.text
    assert elsewhere.page.body
    assert elsewhere.page.body["data-shortcuts"] == "on"


def test_a_switch_can_be_turned_off_again(binh: Browser) -> None:
    binh.get("/settings")
    binh.press("Save", {"discreet": "yes"})
    assert binh.title == "Notes"
    (box,) = binh.page.select("input[name=discreet]")
    del box["checked"]
    binh.press("Save")
    assert binh.title != "Notes"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "a" * 5_000])
def test_a_zone_there_is_not_is_said_beside_its_field(binh: Browser, zone: str) -> None:
    binh.get("/settings")
    binh.press("Save", {"timezone": zone}, status=422)
    (link,) = binh.page.select("#errors a")
    assert link["href"] == "#f-timezone"
    assert binh.page.select("#f-timezone")[0]["value"] == zone


def test_nothing_else_than_offered_can_be_chosen(binh: Browser) -> None:
    binh.get("/settings")
    binh.press("Save", {"theme": "red-yellow"}, status=422)
    assert "Choose one of what the page offers." in binh.text


def change(browser: Browser, old: str, new: str, twice: str, status: int) -> None:
    browser.get("/settings")
    typed = {"passphrase_old": old, "passphrase_new": new, "passphrase_twice": twice}
    browser.press("Change the passphrase", typed, status=status)


@pytest.mark.parametrize(
    ("old", "new", "twice", "field"),
    [
        ("wrong wrong wrong", NEW, NEW, "passphrase_old"),
        (PASSPHRASE, "too short", "too short", "passphrase_new"),
        (PASSPHRASE, "passwordpassword", "passwordpassword", "passphrase_new"),
        (PASSPHRASE, NEW, NEW + "!", "passphrase_twice"),
    ],
)
def test_a_passphrase_changes_only_to_a_good_one_by_who_knows_the_old(
    binh: Browser, ctx: Context, old: str, new: str, twice: str, field: str
) -> None:
    change(binh, old, new, twice, 422)
    (link,) = binh.page.select("#errors a")
    assert link["href"] == f"#f-{field}"
    assert sessions.sign_in(ctx, "binh", PASSPHRASE, source="").person.active


def test_a_new_passphrase_ends_every_other_session(binh: Browser, browse: Callable[..., Browser], ctx: Context) -> None:
    elsewhere = browse("binh")
    change(binh, PASSPHRASE, NEW, NEW, 200)
    assert "Your passphrase is changed." in binh.text
    elsewhere.get("/")
    assert elsewhere.heading == "Sign in"
    assert sessions.sign_in(ctx, "binh", NEW, source="").person.active


def test_a_session_elsewhere_can_be_ended(binh: Browser, browse: Callable[..., Browser]) -> None:
    elsewhere = browse("binh")
    binh.get("/settings")
    assert len(binh.page.select("#sessions ~ ul > li")) == 2
    binh.press("Sign out there")
    elsewhere.get("/")
    assert elsewhere.heading == "Sign in"


def test_all_sessions_elsewhere_can_be_ended_at_once(binh: Browser, browse: Callable[..., Browser]) -> None:
    others = [browse("binh"), browse("binh")]
    binh.get("/settings")
    binh.press("Sign out everywhere else")
    for other in others:
        other.get("/")
        assert other.heading == "Sign in"
    binh.get("/")
    assert binh.heading == "Today"


def test_nobody_ends_the_session_of_another(binh: Browser, chi: Browser) -> None:
    chi.get("/")
    binh.get("/settings")
    token = str(binh.page.select("input[name=csrf_token]")[0]["value"])
    for number in range(1, 20):
        binh.client.post(f"/settings/sessions/{number}/end", data={"csrf_token": token})
    chi.get("/")
    assert chi.heading == "Today"


def changes(browser: Browser, path: str = "/") -> str:
    browser.get(path)
    return " ".join(each.get_text(" ", strip=True) for each in browser.page.select("section[aria-labelledby=changes]"))


def test_what_was_changed_is_shown_wherever_its_owner_is_and_at_the_next_sign_in(
    binh: Browser, browse: Callable[..., Browser], clock: FakeClock
) -> None:
    clock.advance(hours=1)
    thief = browse("binh")
    assert changes(binh) == changes(thief) == ""
    set_up_codes(thief, clock)
    for browser in (binh, thief):
        said = changes(browser)
        assert said.startswith("How you sign in was changed added a second factor 21 November 2026, 23:30")
        assert "By somebody else" not in said
        assert "tell an admin by another way" in said
    clock.advance(days=20)
    assert "added a second factor" in changes(browse("binh"))
    clock.advance(days=4)
    assert changes(browse("binh")) == ""
    assert "added a second factor" in changes(browse("binh"), "/settings")


def test_what_somebody_else_did_to_an_account_is_said_so(
    binh: Browser, giang: Browser, browse: Callable[..., Browser], ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    clock.advance(days=1)
    invitations.reset(ctx, crew.admin, "binh")
    said = changes(browse("binh"))
    assert f"{LINK} By somebody else" in said
    assert "reset a person’s way in By somebody else" in said
    assert changes(giang) == ""
    binh.get("/")
    assert binh.heading == "Sign in"


def test_settings_list_what_was_done_with_an_account_and_no_other(binh: Browser, giang: Browser) -> None:
    change(binh, PASSPHRASE, NEW, NEW, 200)
    lines = [each.get_text(" ", strip=True) for each in binh.page.select("section[aria-labelledby=changes] .title")]
    assert lines[:4] == ["set a passphrase", "signed in", "set a passphrase", f"{LINK} By somebody else"]
    assert "just now" in changes(binh, "/settings")
    assert changes(giang, "/settings").count("set a passphrase") == 1
