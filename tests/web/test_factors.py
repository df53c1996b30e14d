"""Second factors on the pages: codes without JavaScript, passkeys with it, and what happens to whoever has none."""

import json
import re
from collections.abc import Callable

import pyotp
import pytest
from flask import Flask

from bot.domain.audit import Act
from bot.domain.people import DUTIES, GUARDED
from bot.services import factors, people
from bot.services.context import Context
from bot.web import create_app
from bot.web.frame import Door, Site
from tests.house import Crew, FakeClock, told
from tests.web.authenticator import PRESENT, Authenticator
from tests.web.conftest import PASSPHRASE, Browser
from tests.web.matrix import declared
from tests.web.test_access import ALIASES, ROUTES, filled, send
from tests.web.test_sign_in import sign_in


def set_up_codes(browser: Browser, clock: FakeClock) -> tuple[pyotp.TOTP, list[str]]:
    """Through the pages; the app, and the recovery codes that were shown."""
    browser.get("/settings/factors")
    browser.press("Set up codes")
    secret = "".join(browser.page.select("p.hash")[0].get_text().split())
    app = pyotp.TOTP(secret)
    browser.press("Turn on", {"code": app.at(clock.now())})
    codes = [each.get_text() for each in browser.page.select("ol.hash li")]
    clock.advance(seconds=30)
    return app, codes


def test_codes_are_set_up_and_then_asked_for(
    chi: Browser, stranger: Browser, ctx: Context, clock: FakeClock, crew: Crew
) -> None:
    app, codes = set_up_codes(chi, clock)
    assert len(codes) == factors.RECOVERY_CODES
    stranger.get("/queue")
    sign_in(stranger, "chi")
    assert stranger.heading == "One more step"
    stranger.get("/queue")
    assert stranger.heading == "Sign in"
    before = len(told(ctx, Act.PERSON_SIGNED_IN))
    stranger.get("/login/code?next=/queue")
    stranger.press("Go on", {"passphrase_code": "000000"}, status=422)
    assert "Wrong code" in stranger.text
    stranger.press("Go on", {"passphrase_code": app.at(clock.now())})
    assert stranger.path == "/queue"
    assert len(told(ctx, Act.PERSON_SIGNED_IN)) == before + 1
    assert len(told(ctx, Act.PERSON_FACTOR_ADDED)) == 2


def test_the_picture_holds_the_secret_and_is_gone_once_the_codes_are_on(chi: Browser, clock: FakeClock) -> None:
    chi.get("/settings/factors")
    chi.press("Set up codes")
    answer = chi.client.get("/settings/codes/picture")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert answer.headers["Cache-Control"] == "no-store"
    set_up_codes(chi, clock)
    assert chi.client.get("/settings/codes/picture").status_code == 404
    chi.get("/settings/codes")
    assert chi.path == "/settings/factors"


def test_a_screen_left_open_shows_no_secret(chi: Browser, clock: FakeClock) -> None:
    chi.get("/settings/factors")
    chi.press("Set up codes")
    clock.advance(minutes=6)
    assert chi.client.get("/settings/codes/picture").status_code == 404
    chi.get("/settings/codes")
    assert chi.path == "/settings/factors"
    assert "Change these…" in chi.text
    assert not chi.page.select('form[action="/settings/codes"]')
    chi.press("Change these…", status=401)
    chi.press("Go on", {"passphrase_again": PASSPHRASE})
    assert chi.page.select('form[action="/settings/codes"]')


def test_a_recovery_code_lets_in_once(chi: Browser, app: Flask, clock: FakeClock) -> None:
    _app, codes = set_up_codes(chi, clock)
    for status in (200, 422):
        browser = Browser(app.test_client())
        sign_in(browser, "chi")
        browser.press("Go on", {"passphrase_code": codes[0]}, status=status)


def test_the_text_of_an_ended_session_is_kept_through_both_steps(chi: Browser, clock: FakeClock, ctx: Context) -> None:
    app, _codes = set_up_codes(chi, clock)
    chi.get("/pause")
    clock.advance(hours=13)
    chi.press("Pause all publishing", {"reason": "Gia đình nhắn"}, status=401)
    chi.press("Sign in", {"alias": "chi", "passphrase": PASSPHRASE})
    assert chi.heading == "One more step"
    chi.press("Go on", {"passphrase_code": "000000"}, status=422)
    chi.press("Go on", {"passphrase_code": app.at(clock.now())})
    chi.press("Go on")
    assert told(ctx, Act.HALT_STARTED)


def test_a_session_that_waits_for_its_code_opens_no_page(chi: Browser, stranger: Browser, clock: FakeClock) -> None:
    set_up_codes(chi, clock)
    sign_in(stranger, "chi")
    for route, may in ROUTES.items():
        method, path = filled(route)
        if method == "GET" and may is not Door.ANYONE:
            answer = stranger.client.get(path)
            assert (answer.status_code, answer.headers.get("Location", "")[:6]) == (303, "/login"), route
    clock.advance(minutes=11)
    stranger.get("/login/code")
    assert stranger.heading == "Sign in"


def test_guesses_at_the_code_grow_slower_and_the_owners_device_does_not_wait(
    chi: Browser, app: Flask, clock: FakeClock
) -> None:
    totp, _codes = set_up_codes(chi, clock)
    own = Browser(app.test_client())
    sign_in(own, "chi")
    own.press("Go on", {"passphrase_code": totp.at(clock.now())})
    own.press("Sign out")
    clock.advance(seconds=30)
    thief = Browser(app.test_client())
    sign_in(thief, "chi")
    for _ in range(6):
        thief.press("Go on", {"passphrase_code": "000000"}, status=422)
    thief.press("Go on", {"passphrase_code": totp.at(clock.now())}, status=422)
    assert "Too many tries." in thief.text
    sign_in(thief, "chi")
    thief.press("Go on", {"passphrase_code": totp.at(clock.now())}, status=422)
    assert "Too many tries." in thief.text
    sign_in(own, "chi")
    own.press("Go on", {"passphrase_code": totp.at(clock.now())})
    assert own.heading == "Today"


def asked(browser: Browser, action: str) -> dict[str, object]:
    (form,) = browser.page.select(f'form[data-passkey][action="{action}"]')
    assert form.has_attr("hidden")
    return json.loads(str(form["data-passkey"]))  # type: ignore[no-any-return]


def add_passkey(browser: Browser, key: Authenticator, status: int = 200) -> None:
    browser.get("/settings/factors")
    options = asked(browser, "/settings/passkeys")
    browser.press("Add a passkey", {"passkey": key.create(options), "name": "the blue laptop"}, status=status)


def test_a_passkey_lets_in_by_itself_and_proves_who_it_is(
    chi: Browser, stranger: Browser, clock: FakeClock, ctx: Context
) -> None:
    key = Authenticator()
    add_passkey(chi, key)
    assert chi.heading == "Recovery codes"
    chi.get("/settings/factors")
    assert "the blue laptop" in chi.text
    stranger.get("/login?next=/queue")
    stranger.press("Sign in with a passkey", {"passkey": key.get(asked(stranger, "/login/passkey"))})
    assert stranger.path == "/queue"
    clock.advance(minutes=6)
    stranger.get("/settings/factors")
    stranger.press("Make a token", status=401)
    assert stranger.heading == "Is it you?"
    stranger.press("Use a passkey", {"passkey": key.get(asked(stranger, "/settings/token"))})
    assert "For 15 minutes this token" in stranger.text
    token = stranger.page.select(".notice .hash")[0].get_text()
    assert people.sign_in(ctx, "chi", token).lacks is None


@pytest.mark.parametrize(
    "wrong",
    [
        Authenticator(host="evil.example"),
        Authenticator(origin="http://evil.example"),
        Authenticator(flags=PRESENT),
        Authenticator(flags=0),
    ],
)
def test_a_passkey_of_elsewhere_or_of_an_unknown_finger_is_refused(chi: Browser, wrong: Authenticator) -> None:
    add_passkey(chi, wrong, status=422)
    assert "This passkey did not work here." in chi.text


def test_an_answer_is_good_for_one_question_once(chi: Browser, app: Flask, clock: FakeClock) -> None:
    key = Authenticator()
    add_passkey(chi, key)
    first, second = Browser(app.test_client()), Browser(app.test_client())
    for browser in (first, second):
        browser.get("/login")
    heard = key.get(asked(first, "/login/passkey"))
    sealed = first.page.select('input[name="passkey_asked"]')[0]["value"]
    first.press("Sign in with a passkey", {"passkey": heard})
    assert first.heading == "Today"
    second.press("Sign in with a passkey", {"passkey": heard}, status=422)
    second.press("Sign in with a passkey", {"passkey": heard, "passkey_asked": str(sealed)}, status=422)
    assert "This passkey did not work here." in second.text
    late = key.get(asked(second, "/login/passkey"))
    clock.advance(minutes=16)
    second.press("Sign in with a passkey", {"passkey": late}, status=422)
    assert "took too long" in second.text


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"id": 7}', "x" * 30_000, '{"id":"AAAA","response":{}}'])
def test_what_is_no_answer_of_a_passkey_is_refused_in_the_same_words(stranger: Browser, answer: str) -> None:
    stranger.get("/login")
    stranger.press("Sign in with a passkey", {"passkey": answer}, status=422)
    assert "This passkey did not work here." in stranger.text


def test_nobody_proves_who_they_are_with_anothers_passkey(chi: Browser, an: Browser, clock: FakeClock) -> None:
    key, other = Authenticator(), Authenticator()
    add_passkey(chi, key)
    add_passkey(an, other)
    clock.advance(minutes=6)
    an.get("/settings/factors")
    an.press("Make a token", status=401)
    an.press("Use a passkey", {"passkey": key.get(asked(an, "/settings/token"))}, status=401)
    assert "This passkey did not work here." in an.text


def test_a_passkey_is_taken_away_only_by_its_owner(chi: Browser, an: Browser, ctx: Context, crew: Crew) -> None:
    add_passkey(chi, Authenticator())
    (own,) = factors.owned(ctx, crew.reviewer).passkeys
    an.get("/settings/factors")
    an.send(f"/settings/factors/{own.id}/drop", {"csrf_token": [csrf(an)]}, status=404)
    assert factors.owned(ctx, crew.reviewer).passkeys
    chi.get("/settings/factors")
    chi.press("Take this passkey away")
    assert not factors.owned(ctx, crew.reviewer).passkeys
    assert told(ctx, Act.PERSON_FACTOR_DROPPED)


def csrf(browser: Browser) -> str:
    return str(browser.page.select("input[name=csrf_token]")[0]["value"])


@pytest.mark.parametrize(
    ("address", "offered"),
    [("https://bot.example", True), ("http://abcdefgh.onion", False), ("http://10.0.0.5:8000", False)],
)
def test_passkeys_are_offered_only_where_browsers_have_them(ctx: Context, address: str, *, offered: bool) -> None:
    browser = Browser(create_app(ctx, Site(address=address)).test_client())
    browser.get("/login")
    assert bool(browser.page.select("form[data-passkey]")) is offered
    assert browser.page.select("#f-passphrase")


def test_whoever_has_no_second_factor_is_told_and_after_a_week_does_nothing_guarded(
    ctx: Context, browse: Callable[..., Browser], app: Flask, clock: FakeClock
) -> None:
    """Each route, for each role, with and without a second factor: the server refuses, whatever a page showed."""
    chi = browse("chi")
    chi.get("/")
    assert "You have no second factor yet." in chi.text
    clock.advance(days=7, seconds=1)
    guarded = {route for route, view in declared(app).items() if view.may in GUARDED}
    for has_factor in (False, True):
        for role, alias in ALIASES.items():
            browser = browse(alias)
            if has_factor:
                set_up_codes(browser, clock)
            for route in sorted(guarded):
                allowed = has_factor and role in DUTIES[declared(app)[route].may]  # type: ignore[index]
                method, path = filled(route)
                nobody = path.replace("/people/1/", "/people/99/")
                assert (send(browser, method, nobody) != 403) is allowed, (route, role, has_factor)
    assert "POST /people" in guarded
    chi = browse("chi")
    chi.get("/")
    assert "You have no second factor yet." not in chi.text


def test_a_button_that_takes_a_second_factor_says_so(
    an: Browser, browse: Callable[..., Browser], clock: FakeClock
) -> None:
    clock.advance(days=8)
    browser = browse("an")
    browser.get("/people")
    assert "first set up a second factor on the page Settings" in browser.text


def test_a_token_for_the_command_line_is_shown_once(chi: Browser, ctx: Context, crew: Crew) -> None:
    chi.get("/settings/factors")
    chi.press("Make a token")
    (shown,) = re.findall(r"[\w-]{43}", chi.text)
    assert people.sign_in(ctx, "chi", shown).id == crew.reviewer.id
    chi.get("/settings/factors")
    assert shown not in chi.text


def test_the_owner_sees_where_a_passphrase_was_typed_without_a_code(
    chi: Browser, stranger: Browser, clock: FakeClock
) -> None:
    set_up_codes(chi, clock)
    sign_in(stranger, "chi")
    chi.get("/settings")
    assert "Passphrase shown, second factor not" in chi.text
    chi.press("Sign out there")
    stranger.get("/login/code")
    assert stranger.heading == "Sign in"
