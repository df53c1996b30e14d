"""Every form of every page wants our marks: its token, and word that it was sent from here; else nothing is done."""

from collections.abc import Callable

import pytest
from flask import Flask

from bot.services.context import Context
from bot.store import tables
from bot.web.answers import CSP
from tests.house import Crew
from tests.web.conftest import Browser
from tests.web.test_access import ROUTES, filled
from tests.writing import scheduled

POSTS = [filled(route)[1] for route in ROUTES if route.startswith("POST ")]
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "https://localhost:1"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
)
# Of no consequence: which sessions there are, and when each was last seen.
PASSING = {"sessions", "tries", "form_tokens"}
HEADERS = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def everything(ctx: Context) -> dict[str, list[str]]:
    with ctx.store.read() as tx:
        found = {name: table for name, table in tables.metadata.tables.items() if name not in PASSING}
        return {name: sorted(map(repr, tx.execute(table.select()))) for name, table in found.items()}


@pytest.fixture
def token(an: Browser) -> str:
    an.get("/settings")
    return str(an.page.select("input[name=csrf_token]")[0]["value"])


@pytest.fixture
def posted(ctx: Context, crew: Crew) -> None:
    """Something that a form could do harm to: post 1, and its deliveries."""
    scheduled(ctx, crew.coordinator, crew.reviewer)


TYPED = {"reason": "x", "alias": "eve", "roles": "admin", "passphrase": "y", "url": "https://example.org/1"}


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("alias", ["an", "binh", "dung"])
def test_a_form_without_its_token_does_nothing(ctx: Context, browse: Callable[..., Browser], alias: str) -> None:
    browser = browse(alias)
    before = everything(ctx)
    for path in POSTS:
        for wrong in ({}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": "é"}):
            answer = browser.client.post(path, data=TYPED | wrong, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code in {401, 422}, (path, answer.status_code)
    assert everything(ctx) == before


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_form_from_elsewhere_does_nothing_even_with_its_token(
    ctx: Context, an: Browser, token: str, headers: dict[str, str]
) -> None:
    before = everything(ctx)
    for path in POSTS:
        answer = an.client.post(path, data=TYPED | {"csrf_token": token}, headers=headers)
        assert answer.status_code == 403, (path, answer.status_code)
        assert "another site" in answer.get_data(as_text=True)
    assert everything(ctx) == before


def test_the_token_of_one_session_is_worth_nothing_in_another(an: Browser, binh: Browser, token: str) -> None:
    del an
    answer = binh.client.post("/pause", data={"csrf_token": token, "reason": "x"})
    assert answer.status_code == 422


def test_whatever_is_answered_carries_the_same_headers(app: Flask, an: Browser, stranger: Browser) -> None:
    """Pages, files, errors, redirects, what is not there and what is not understood; for all, and for strangers."""
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    for browser in (an, stranger):
        paths = [*(filled(route) for route in ROUTES), ("GET", "/nowhere"), ("GET", "/healthz"), ("GET", "/metrics")]
        paths += [
            ("GET", "/static/style.css"),
            ("GET", "/static/nothing"),
            ("PUT", "/"),
            ("TRACE", "/"),
            ("GET", "/%00"),
        ]
        for method, path in paths:
            answer = browser.client.open(path, method=method)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, (method, path)
            assert answer.headers["Cache-Control"]
            assert "Server" not in answer.headers
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.status_code < 500 or path == "/healthz", (method, path)
        large = browser.client.post("/pause", data={"reason": "x" * 20_000})
        assert (large.status_code, large.headers["X-Content-Type-Options"]) == (413, "nosniff")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=203.0.113.9;host=evil.example"},
    ],
    ids=str,
)
def test_what_a_stranger_says_of_the_way_here_is_shown_on_no_page(stranger: Browser, headers: dict[str, str]) -> None:
    answer = stranger.client.get("/login", headers=headers)
    assert answer.status_code == 200
    assert "evil.example" not in answer.get_data(as_text=True) + str(answer.headers)
