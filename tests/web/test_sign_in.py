"""Coming in: the same answer to every wrong guess, growing slower, and never locked out of one's own device."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from bot.domain.audit import Act
from bot.domain.people import Role
from bot.services import invitations, people, sessions
from bot.services.context import Context
from bot.store import tables
from bot.web import create_app
from bot.web.frame import Site
from tests.house import Crew, FakeClock, find_person, told
from tests.web.conftest import PASSPHRASE, Browser

WRONG = "not this one at all"


def sign_in(browser: Browser, alias: str, passphrase: str = PASSPHRASE, status: int = 200) -> None:
    if not browser.page.select('form[action="/login"]'):
        browser.get("/login")
    browser.press("Sign in", {"alias": alias, "passphrase": passphrase}, status=status)


def test_whoever_knows_the_passphrase_comes_in_and_lands_where_they_wanted(stranger: Browser, ctx: Context) -> None:
    stranger.get("/pause")
    assert stranger.heading == "Sign in"
    sign_in(stranger, "BINH")
    assert stranger.path == "/pause"
    assert len(told(ctx, Act.PERSON_SIGNED_IN)) == 1


def test_nfd_letters_are_the_same_passphrase(stranger: Browser) -> None:
    sign_in(stranger, "binh", unicodedata.normalize("NFD", PASSPHRASE))
    assert stranger.path == "/"


@pytest.mark.parametrize(
    ("alias", "passphrase"), [("binh", WRONG), ("nobody", PASSPHRASE), ("", ""), ("\x00", "\ud7ff")]
)
def test_every_wrong_guess_gets_the_same_answer(stranger: Browser, alias: str, passphrase: str) -> None:
    sign_in(stranger, alias, passphrase, status=422)
    assert [each.get_text() for each in stranger.page.select("#errors li")] == ["Wrong alias or passphrase."]
    assert stranger.title.startswith("Error: ")
    assert stranger.page.select("#f-alias")[0]["value"] == alias
    assert stranger.page.select("#f-passphrase")[0]["value"] == ""


def test_an_address_elsewhere_is_not_followed(stranger: Browser) -> None:
    for place in ("//evil.example", "https://evil.example/", "/\\evil.example"):
        stranger.get(f"/login?next={place}")
        sign_in(stranger, "binh")
        assert stranger.path == "/"
        stranger.press("Sign out")


def test_a_disabled_person_is_told_so_only_with_the_right_passphrase(
    stranger: Browser, ctx: Context, crew: Crew
) -> None:
    people.disable(ctx, crew.admin, "chi")
    sign_in(stranger, "chi", WRONG, status=422)
    assert "Wrong alias" in stranger.text
    sign_in(stranger, "chi", status=422)
    assert "This account is disabled. Ask an admin." in stranger.text


def guess(browser: Browser, times: int, alias: str = "binh") -> None:
    for _ in range(times):
        sign_in(browser, alias, WRONG, status=422)


def test_guesses_grow_slower_and_the_right_passphrase_waits_too(stranger: Browser, clock: FakeClock) -> None:
    guess(stranger, 5)
    sign_in(stranger, "binh", status=422)
    assert "Too many tries. Wait 2 seconds." in stranger.text
    clock.advance(seconds=2)
    guess(stranger, 1)
    clock.advance(seconds=1)
    sign_in(stranger, "binh", status=422)
    assert "Too many tries. Wait 2 seconds." in stranger.text
    clock.advance(seconds=2)
    sign_in(stranger, "binh")
    assert stranger.path == "/"


def test_the_wait_never_grows_beyond_a_quarter_of_an_hour(stranger: Browser, clock: FakeClock) -> None:
    for _ in range(16):
        guess(stranger, 1)
        clock.advance(minutes=16)
    guess(stranger, 1)
    sign_in(stranger, "binh", status=422)
    assert "Too many tries. Wait 15 minutes." in stranger.text


def test_an_alias_nobody_has_grows_slower_like_any_other(stranger: Browser) -> None:
    guess(stranger, 6, "nobody")
    assert "Too many tries." in stranger.text


def test_others_guesses_do_not_keep_anybody_from_a_device_they_know(app: Flask, stranger: Browser) -> None:
    own = Browser(app.test_client())
    sign_in(own, "binh")
    own.press("Sign out")
    guess(stranger, 6)
    assert "Too many tries." in stranger.text
    sign_in(own, "binh")
    assert own.path == "/"


def test_the_mark_of_a_device_is_no_good_for_another_person_nor_after_a_new_link(
    app: Flask, stranger: Browser, ctx: Context, crew: Crew
) -> None:
    own = Browser(app.test_client())
    sign_in(own, "binh")
    own.press("Sign out")
    guess(stranger, 6)
    guess(stranger, 6, "chi")
    sign_in(own, "chi", status=422)
    assert "Too many tries." in own.text
    invitations.accept(ctx, invitations.reset(ctx, crew.admin, "binh"), PASSPHRASE)
    sign_in(own, "binh", status=422)
    assert "Too many tries." in own.text


def test_the_database_holds_neither_what_lets_in_nor_what_is_typed(stranger: Browser, ctx: Context) -> None:
    sign_in(stranger, "binh")
    cookie = stranger.client.get_cookie("session")
    assert cookie is not None
    with ctx.store.read() as tx:
        rows = repr([tx.execute(select(each)).all() for each in tables.metadata.tables.values()])
    assert cookie.value not in rows
    assert PASSPHRASE not in rows
    assert "argon2id" in rows


def test_signing_in_changes_the_cookie_and_signing_out_ends_the_session(stranger: Browser) -> None:
    stranger.get("/login")
    before = stranger.client.get_cookie("session")
    sign_in(stranger, "binh")
    inside = stranger.client.get_cookie("session")
    assert before is not None
    assert inside is not None
    assert before.value != inside.value
    stranger.press("Sign out")
    assert stranger.heading == "Sign in"
    stranger.client.set_cookie("session", inside.value)
    stranger.get("/")
    assert stranger.heading == "Sign in"


def test_whoever_does_nothing_for_twelve_hours_signs_in_again(binh: Browser, clock: FakeClock) -> None:
    for _ in range(3):
        clock.advance(hours=11, minutes=59)
        assert binh.get("/").h1
        assert binh.heading == "Today"
    clock.advance(hours=12, minutes=1)
    binh.get("/")
    assert binh.heading == "Sign in"


def test_everyone_signs_in_again_after_a_week(binh: Browser, clock: FakeClock) -> None:
    for _ in range(15):
        clock.advance(hours=11)
        binh.get("/")
    clock.advance(hours=4)
    binh.get("/")
    assert binh.heading == "Sign in"


def test_whoever_is_disabled_is_out_at_once(chi: Browser, ctx: Context, crew: Crew) -> None:
    chi.get("/")
    people.disable(ctx, crew.admin, "chi")
    chi.get("/")
    assert chi.heading == "Sign in"


def test_the_cookie_is_bound_to_the_host_where_the_address_is_https_or_an_onion(ctx: Context) -> None:
    for address in ("https://bot.example.org", f"http://{'a' * 56}.onion"):
        client = create_app(ctx, Site(address=address)).test_client()
        (cookie,) = [each for each in client.get("/login").headers.getlist("Set-Cookie") if "session" in each]
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_on_this_machine_alone_the_cookie_needs_no_https(stranger: Browser) -> None:
    (cookie,) = [each for each in stranger.client.get("/login").headers.getlist("Set-Cookie") if "session" in each]
    assert cookie.startswith("session=")
    assert "Secure" not in cookie
    assert "HttpOnly" in cookie


def test_the_first_admin_comes_in_by_a_link_that_works_once(stranger: Browser, empty: Context) -> None:
    app = create_app(empty)
    token = invitations.first(empty)
    browser = Browser(app.test_client())
    browser.get(f"/invitation/{token}")
    assert "you will be the first admin" in browser.text
    browser.press("Come in", {"alias": "lan", "passphrase": "ngắn", "passphrase_twice": "ngắn"}, status=422)
    assert "at least 12" in browser.text
    browser.press("Come in", {"alias": "lan", "passphrase": PASSPHRASE, "passphrase_twice": WRONG}, status=422)
    assert "The two are not the same." in browser.text
    browser.press("Come in", {"alias": "lan", "passphrase": PASSPHRASE, "passphrase_twice": PASSPHRASE})
    assert browser.heading == "Today"
    (row,) = people.list_people(empty)
    assert (row.alias, row.person.roles, row.made_by) == ("lan", frozenset({Role.ADMIN}), "")
    assert invitations.first(empty) == ""
    browser.get(f"/invitation/{token}", status=404)


def test_a_newer_link_voids_the_older_and_none_works_after_three_days(empty: Context) -> None:
    older, newer = invitations.first(empty), invitations.first(empty)
    client = create_app(empty).test_client()
    assert client.get(f"/invitation/{older}").status_code == 404
    assert client.get(f"/invitation/{newer}").status_code == 200
    assert isinstance(empty.clock, FakeClock)
    empty.clock.advance(hours=73)
    assert client.get(f"/invitation/{newer}").status_code == 404


@pytest.mark.parametrize("easy", ["passwordpassword", "qwertyuiop1234", "binhbinhbinh", "123456789012"])
def test_what_stands_on_every_attackers_list_is_refused(easy: str, ctx: Context, crew: Crew, stranger: Browser) -> None:
    stranger.get(f"/invitation/{invitations.reset(ctx, crew.admin, 'binh')}")
    stranger.press("Come in", {"passphrase": easy, "passphrase_twice": easy}, status=422)
    assert "easy to guess" in stranger.text


def test_a_new_link_ends_the_old_passphrase_and_every_session(
    binh: Browser, stranger: Browser, ctx: Context, crew: Crew
) -> None:
    invitations.reset(ctx, crew.admin, "binh")
    binh.get("/")
    assert binh.heading == "Sign in"
    sign_in(stranger, "binh", status=422)


def test_whoever_was_shown_the_link_stands_behind_the_account(ctx: Context, crew: Crew) -> None:
    made, _token = people.add_person(ctx, crew.admin, "kim", {Role.ADMIN})
    invitations.reset(ctx, made, "chi")
    assert made.id in find_person(ctx, "chi").lineage


def test_the_token_of_the_command_line_goes_on_working(ctx: Context, crew: Crew) -> None:
    invitations.reset(ctx, crew.admin, "binh")
    assert people.sign_in(ctx, "binh", crew.tokens["binh"]).id == crew.coordinator.id


def test_the_language_of_a_stranger_is_kept_and_later_that_of_the_person(stranger: Browser) -> None:
    stranger.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de, vi;q=0.5"
    stranger.get("/login")
    assert stranger.heading == "Đăng nhập"
    stranger.press("English")
    assert stranger.heading == "Sign in"
    sign_in(stranger, "binh")
    stranger.press("Tiếng Việt")
    stranger.client.delete_cookie("language")
    stranger.get("/")
    assert stranger.heading == "Hôm nay"


def test_a_session_is_recognised_by_its_browser(app: Flask, ctx: Context, crew: Crew) -> None:
    agent = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"
    browser = Browser(app.test_client())
    browser.client.environ_base["HTTP_USER_AGENT"] = agent
    sign_in(browser, "binh")
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    visitor = sessions.whose(ctx, cookie.value)
    assert visitor is not None
    assert visitor.session.device == "Firefox, Android"


def test_other_limits_of_a_session_hold_where_they_are_set(ctx: Context, browse: Callable[..., Browser]) -> None:
    short = replace(ctx, signing_in=replace(ctx.signing_in, idle=timedelta(hours=1)))
    opened = sessions.open_session(short, sessions.sign_in(short, "binh", PASSPHRASE, source="").person)
    assert isinstance(ctx.clock, FakeClock)
    ctx.clock.advance(minutes=61)
    assert sessions.whose(short, opened.token) is None
    assert sessions.whose(ctx, opened.token) is not None
