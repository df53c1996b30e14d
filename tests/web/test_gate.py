"""What stands before every page: other sites, lost sessions, forms sent twice, proof of who is there, errors."""

import gzip
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from bot.domain.audit import Act
from bot.domain.errors import StoreFailed
from bot.services import forms, queue
from bot.services.context import Context
from bot.web import create_app
from bot.web.frame import Site, own_path
from tests.house import Crew, FakeClock, told
from tests.web.conftest import PASSPHRASE, Browser

REASON = "Gia đình xin chờ một ngày; the family asks us to wait a day."


def fields(browser: Browser, to: str) -> dict[str, str]:
    (form,) = browser.page.select(f'form[action="{to}"]')
    return {str(each["name"]): str(each.get("value", "")) for each in form.select("input[type=hidden]")}


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
    ids=str,
)
def test_a_form_sent_from_another_site_does_nothing(binh: Browser, ctx: Context, headers: dict[str, str]) -> None:
    binh.get("/pause")
    answer = binh.client.post("/pause", data={**fields(binh, "/pause"), "reason": "x"}, headers=headers)
    assert answer.status_code == 403
    assert queue.halt_state(ctx) is None


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "http://localhost"}], ids=str)
def test_a_form_of_ours_is_taken_from_any_browser(binh: Browser, ctx: Context, headers: dict[str, str]) -> None:
    binh.get("/pause")
    answer = binh.client.post("/pause", data={**fields(binh, "/pause"), "reason": REASON}, headers=headers)
    assert answer.status_code == 303
    assert queue.halt_state(ctx)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_form_without_its_token_does_nothing_and_keeps_what_was_typed(
    binh: Browser, ctx: Context, token: str
) -> None:
    binh.send("/pause", {"csrf_token": [token], "reason": [REASON]}, 422)
    assert queue.halt_state(ctx) is None
    assert REASON in binh.text
    binh.press("Go on")
    halt = queue.halt_state(ctx)
    assert halt
    assert halt.hold.reason == REASON


def test_the_token_of_another_browser_is_no_good(binh: Browser, chi: Browser, ctx: Context) -> None:
    chi.get("/pause")
    binh.send("/pause", {"csrf_token": [fields(chi, "/pause")["csrf_token"]], "reason": ["x"]}, 422)
    assert queue.halt_state(ctx) is None


def test_what_was_typed_outlives_the_session(binh: Browser, ctx: Context, clock: FakeClock) -> None:
    binh.get("/pause")
    clock.advance(hours=13)
    binh.press("Pause all publishing", {"reason": REASON}, status=401)
    assert "Sign in again. Your text is kept." in binh.text
    assert REASON not in str(binh.page)
    binh.press("Sign in", {"alias": "binh", "passphrase": "not this one at all"}, status=422)
    binh.press("Sign in", {"alias": "binh", "passphrase": PASSPHRASE})
    assert queue.halt_state(ctx) is None
    assert REASON in binh.text
    binh.press("Go on")
    halt = queue.halt_state(ctx)
    assert halt
    assert halt.hold.reason == REASON
    assert binh.path == "/pause"


def test_a_kept_form_that_was_not_made_here_is_not_shown(stranger: Browser) -> None:
    stranger.get("/login")
    sent = {"csrf_token": [fields(stranger, "/login")["csrf_token"]], "kept": ["e30="]}
    stranger.send("/login", {**sent, "alias": ["binh"], "passphrase": [PASSPHRASE]})
    assert stranger.heading == "Today"


def test_a_form_sent_twice_is_done_once(binh: Browser, ctx: Context) -> None:
    binh.get("/pause")
    sent = {name: [value] for name, value in fields(binh, "/pause").items()} | {"reason": [REASON]}
    for _ in range(3):
        binh.send("/pause", sent)
        assert binh.path == "/pause"
    assert len(told(ctx, Act.HALT_STARTED)) == 1


def test_a_form_that_was_refused_may_be_sent_again(binh: Browser, ctx: Context) -> None:
    binh.get("/pause")
    sent = {name: [value] for name, value in fields(binh, "/pause").items()}
    binh.send("/pause", {**sent, "reason": [""]}, 422)
    binh.send("/pause", {**sent, "reason": [REASON]})
    assert queue.halt_state(ctx)


def test_two_taps_at_once_do_it_once(app: Flask, binh: Browser, ctx: Context) -> None:
    binh.get("/pause")
    sent = {**fields(binh, "/pause"), "reason": REASON}
    cookie = binh.client.get_cookie("session")
    assert cookie is not None
    answers: list[int] = []

    def tap() -> None:
        client = app.test_client()
        client.set_cookie("session", cookie.value)
        answers.append(client.post("/pause", data=sent, headers={"Sec-Fetch-Site": "same-origin"}).status_code)

    threads = [threading.Thread(target=tap) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 4
    assert len(told(ctx, Act.HALT_STARTED)) == 1


def test_what_was_begun_and_never_ended_may_be_begun_again(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    assert forms.begin(ctx, crew.coordinator, "a") == ""
    clock.advance(minutes=3)
    assert forms.begin(ctx, crew.coordinator, "a") == ""


@pytest.fixture
def halted(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, REASON)
    queue.ask_unhalt(ctx, crew.coordinator)


@pytest.mark.usefixtures("halted")
def test_five_minutes_later_the_passphrase_is_asked_for_again(chi: Browser, ctx: Context, clock: FakeClock) -> None:
    clock.advance(minutes=6)
    chi.get("/pause")
    chi.press("Confirm", status=401)
    assert chi.heading == "Is it you?"
    chi.press("Go on", {"passphrase_again": "not this one at all"}, status=401)
    assert "Wrong passphrase." in chi.text
    assert queue.halt_state(ctx)
    chi.press("Go on", {"passphrase_again": PASSPHRASE})
    assert queue.halt_state(ctx) is None


@pytest.mark.usefixtures("halted")
def test_within_five_minutes_it_is_not(chi: Browser, ctx: Context, clock: FakeClock) -> None:
    clock.advance(minutes=4)
    chi.get("/pause")
    chi.press("Confirm")
    assert queue.halt_state(ctx) is None


@pytest.mark.usefixtures("halted")
def test_guesses_at_the_passphrase_of_an_open_session_grow_slower(chi: Browser, clock: FakeClock) -> None:
    clock.advance(minutes=6)
    chi.get("/pause")
    chi.press("Confirm", status=401)
    for _ in range(6):
        chi.press("Go on", {"passphrase_again": "not this one at all"}, status=401)
    assert "Too many tries." in chi.text


def test_an_address_that_leads_elsewhere_is_not_ours() -> None:
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "", "javascript:1", "/a\nb"):
        assert own_path(path) == "/"
    assert own_path("/queue?state=held") == "/queue?state=held"


def test_a_page_that_is_not_there_says_so_in_both_languages(browse: Callable[..., Browser]) -> None:
    browse("binh").get("/nowhere", 404)
    vi = browse("binh", "vi")
    vi.get("/nowhere", 404)
    assert "Không có trang này." in vi.text


def test_an_error_of_ours_shows_a_reference_and_nothing_else(ctx: Context, capsys: pytest.CaptureFixture[str]) -> None:
    from bot.logs import configure  # noqa: PLC0415

    configure()

    def breaks() -> None:
        raise ZeroDivisionError("secret words")

    app = create_app(ctx, Site())
    app.jinja_env.globals["csrf_token"] = breaks
    answer = app.test_client().get("/login", headers={"Accept-Language": "en"})
    assert answer.status_code == 500
    text = answer.get_data(as_text=True)
    reference = text.split("Reference ")[1].partition(".")[0]
    assert "secret words" not in text
    assert "Traceback" not in text
    logged = capsys.readouterr().err
    assert reference in logged
    assert "secret words" not in logged


def test_a_database_that_does_not_answer_is_said_plainly(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(ctx, Site())

    def fails() -> None:
        raise StoreFailed("The database is busy with another program. Nothing was changed; try again.")

    client = app.test_client()
    client.get("/login")
    monkeypatch.setattr(type(ctx.store), "read", lambda _self: fails())
    answer = client.get("/", headers={"Accept-Language": "vi"})
    assert answer.status_code == 503
    assert BeautifulSoup(answer.get_data(as_text=True), "html.parser").find("h1")


def test_something_too_large_is_refused_in_words(binh: Browser) -> None:
    app = binh.client.application
    app.config["MAX_CONTENT_LENGTH"] = 1_000
    binh.get("/pause")
    binh.send("/pause", {"reason": ["x" * 2_000]}, 413)
    assert "too large" in binh.text


def test_pages_are_packed_and_never_stored(binh: Browser) -> None:
    answer = binh.client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"<h1>" in gzip.decompress(answer.get_data())


def test_files_of_the_pages_are_kept_for_a_year_under_the_name_of_their_content(binh: Browser) -> None:
    binh.get("/")
    found = [str(each.get("href") or each.get("src")) for each in binh.page.select("link[href], script[src]")]
    assert len(found) == 4
    total = 0
    for address in found:
        answer = binh.client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        total += len(answer.get_data())
        assert "immutable" not in binh.client.get(address.partition("?")[0]).headers["Cache-Control"]
    assert total < 40_000
    assert binh.client.get("/static/../frame.py").status_code == 404


def test_health_asks_for_no_session(ctx: Context) -> None:
    answer = create_app(ctx).test_client().get("/healthz")
    assert answer.status_code in {200, 503}
    assert "Set-Cookie" not in answer.headers


def test_a_discreet_person_sees_no_name_of_the_campaign_in_the_title(binh: Browser) -> None:
    binh.get("/settings")
    binh.press("Save", {"discreet": "on"})
    assert binh.title == "Notes"
    binh.press("Tiếng Việt")
    assert binh.title == "Ghi chú"


def test_two_installations_do_not_take_each_others_kept_forms(ctx: Context, empty: Context) -> None:
    assert ctx.keystore.secret("forms") != empty.keystore.secret("forms")
    assert ctx.keystore.secret("forms") == replace(ctx).keystore.secret("forms")
    assert ctx.keystore.secret("forms") != ctx.keystore.secret("tries")
