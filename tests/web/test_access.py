"""Every route meets every role, in one table; a route that is not in it fails."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from bot.domain.people import DUTIES, Duty, Role
from bot.web.frame import Door, May
from tests.web import matrix
from tests.web.conftest import Browser

ANYONE, SIGNED_IN = Door.ANYONE, Door.SIGNED_IN
# What each route is for. Keep it in the order of the pages' files.
ROUTES: dict[str, May] = {
    "GET /login": ANYONE,
    "POST /login": ANYONE,
    "POST /login/passkey": ANYONE,
    "GET /login/code": ANYONE,
    "POST /login/code": ANYONE,
    "POST /logout": SIGNED_IN,
    "POST /language": ANYONE,
    "GET /invitation/<token>": ANYONE,
    "POST /invitation/<token>": ANYONE,
    "GET /": SIGNED_IN,
    "GET /queue": SIGNED_IN,
    "POST /queue/hold": Duty.HALT,
    "GET /calendar.ics": ANYONE,
    "POST /settings/calendar": SIGNED_IN,
    "POST /settings/calendar/end": SIGNED_IN,
    "GET /calendar": SIGNED_IN,
    "GET /calendar/<int:year>/<int:month>": SIGNED_IN,
    "GET /forecast": SIGNED_IN,
    "GET /campaigns": SIGNED_IN,
    "GET /campaigns/<campaign>": SIGNED_IN,
    "POST /campaigns/<campaign>/hold": Duty.HALT,
    "GET /accounts": SIGNED_IN,
    "GET /accounts/<name>": SIGNED_IN,
    "POST /accounts/<name>/check": SIGNED_IN,
    "POST /accounts/<name>/pause": Duty.HALT,
    "POST /accounts/<name>/resume": Duty.MANAGE_CHANNELS,
    "GET /cases": SIGNED_IN,
    "GET /cases/<slug>": SIGNED_IN,
    "GET /cases/<slug>/history": SIGNED_IN,
    "POST /cases/<slug>/hold": Duty.HALT,
    "POST /cases/<slug>/unhold/ask": Duty.UNHALT,
    "POST /cases/<slug>/unhold/confirm": Duty.UNHALT,
    "GET /cases/<slug>/withdraw": SIGNED_IN,
    "POST /cases/<slug>/withdraw": Duty.WITHDRAW,
    "GET /coverage": SIGNED_IN,
    "GET /cases/<slug>/edit": Duty.EDIT_CASE,
    "POST /cases/<slug>/edit": Duty.EDIT_CASE,
    "GET /cases/<slug>/events/new": Duty.EDIT_CASE,
    "POST /cases/<slug>/events/new": Duty.EDIT_CASE,
    "GET /cases/<slug>/events/<key>": Duty.EDIT_CASE,
    "POST /cases/<slug>/events/<key>": Duty.EDIT_CASE,
    "POST /cases/<slug>/events/<key>/remove": Duty.EDIT_CASE,
    "GET /cases/new": Duty.EDIT_CASE,
    "POST /cases/new": Duty.EDIT_CASE,
    "GET /confirm": SIGNED_IN,
    "POST /cases/<slug>/confirm": Duty.EDIT_CASE,
    "GET /cases/files": SIGNED_IN,
    "POST /cases/import": Duty.EDIT_CASE,
    "POST /cases/export": Duty.EXPORT,
    "GET /cases/<slug>/cards": SIGNED_IN,
    "GET /cards/<path:key>/<shape>.png": SIGNED_IN,
    "GET /posts/new": Duty.WRITE_POST,
    "POST /posts/new": Duty.WRITE_POST,
    "POST /posts/check": Duty.WRITE_POST,
    "GET /posts/<int:post_id>/edit": Duty.WRITE_POST,
    "POST /posts/<int:post_id>/edit": Duty.WRITE_POST,
    "GET /posts/<int:post_id>/card": Duty.WRITE_POST,
    "POST /posts/<int:post_id>/card": Duty.WRITE_POST,
    "GET /posts/<int:post_id>": SIGNED_IN,
    "POST /posts/<int:post_id>/submit": Duty.WRITE_POST,
    "POST /posts/<int:post_id>/schedule": Duty.WRITE_POST,
    "POST /posts/<int:post_id>/cancel": Duty.CANCEL_POST,
    "POST /posts/<int:post_id>/withdraw": Duty.WITHDRAW,
    "POST /deliveries/<int:delivery_id>/live": Duty.SETTLE_DELIVERY,
    "POST /deliveries/<int:delivery_id>/resend": Duty.SETTLE_DELIVERY,
    "POST /deliveries/<int:delivery_id>/drop": Duty.SETTLE_DELIVERY,
    "POST /deliveries/<int:delivery_id>/acknowledge": Duty.SETTLE_DELIVERY,
    "POST /deliveries/<int:delivery_id>/export": Duty.EXPORT,
    "GET /posts/import": SIGNED_IN,
    "POST /posts/import": Duty.WRITE_POST,
    "POST /posts/export": Duty.EXPORT,
    "GET /pictures/<digest>": SIGNED_IN,
    "GET /pictures/<digest>/whole": SIGNED_IN,
    "GET /review": SIGNED_IN,
    "GET /review/week": SIGNED_IN,
    "GET /review/<int:post_id>": SIGNED_IN,
    "POST /review/<int:post_id>/approve": Duty.APPROVE_POST,
    "POST /review/<int:post_id>/return": Duty.RETURN_POST,
    "POST /review/<int:post_id>/comment": Duty.COMMENT,
    "GET /standing": SIGNED_IN,
    "GET /standing/new": Duty.WRITE_POST,
    "POST /standing": Duty.WRITE_POST,
    "GET /standing/<int:standing_id>": SIGNED_IN,
    "POST /standing/<int:standing_id>/approve": Duty.APPROVE_POST,
    "POST /standing/<int:standing_id>/end": Duty.CANCEL_POST,
    "GET /hearings/<int:post_id>": SIGNED_IN,
    "POST /hearings/<int:post_id>/yes": Duty.EDIT_CASE,
    "POST /hearings/<int:post_id>/no": Duty.EDIT_CASE,
    "GET /panic": Duty.PANIC,
    "POST /panic": Duty.PANIC,
    "GET /pause": SIGNED_IN,
    "POST /pause": Duty.HALT,
    "POST /pause/ask": Duty.UNHALT,
    "POST /pause/confirm": Duty.UNHALT,
    "POST /holds/ask": Duty.UNHALT,
    "POST /holds/confirm": Duty.UNHALT,
    "GET /settings": SIGNED_IN,
    "POST /settings": SIGNED_IN,
    "POST /settings/passphrase": SIGNED_IN,
    "POST /settings/sessions/<int:session_id>/end": SIGNED_IN,
    "POST /settings/sessions/end": SIGNED_IN,
    "GET /settings/factors": SIGNED_IN,
    "POST /settings/factors": SIGNED_IN,
    "GET /settings/codes": SIGNED_IN,
    "POST /settings/codes": SIGNED_IN,
    "GET /settings/codes/picture": SIGNED_IN,
    "POST /settings/codes/accept": SIGNED_IN,
    "POST /settings/passkeys": SIGNED_IN,
    "POST /settings/recovery": SIGNED_IN,
    "POST /settings/factors/<int:factor_id>/drop": SIGNED_IN,
    "POST /settings/token": SIGNED_IN,
    "GET /people": SIGNED_IN,
    "GET /people/<int:person_id>": Duty.MANAGE_PEOPLE,
    "POST /people": Duty.MANAGE_PEOPLE,
    "POST /people/<int:person_id>/roles": Duty.MANAGE_PEOPLE,
    "POST /people/<int:person_id>/alias": Duty.MANAGE_PEOPLE,
    "POST /people/<int:person_id>/disable": Duty.MANAGE_PEOPLE,
    "POST /people/<int:person_id>/link": Duty.MANAGE_PEOPLE,
    "GET /audit": SIGNED_IN,
    "GET /audit/<int:seq>": Duty.READ_AUDIT,
    "POST /audit/export": Duty.EXPORT_LOG,
    "GET /checkpoint": ANYONE,
    "GET /vkeys": ANYONE,
    "GET /consistency.jsonl": ANYONE,
    "GET /help": ANYONE,
}
# For whom, by role: (admin, coordinator, reviewer, auditor).
ALIASES = {Role.ADMIN: "an", Role.COORDINATOR: "binh", Role.REVIEWER: "chi", Role.AUDITOR: "giang"}


def test_every_route_is_in_the_table_and_says_the_same(app: Flask) -> None:
    assert {route: view.may for route, view in matrix.declared(app).items()} == ROUTES


def test_the_documentation_shows_this_very_table(app: Flask) -> None:
    written = matrix.DOCUMENT.read_text().partition(matrix.HEADING)[2]
    assert written == matrix.table(matrix.declared(app)), "write it anew: python -m tests.web.matrix"


def test_a_page_changes_nothing_and_a_form_is_always_sent(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        assert methods in ({"GET"}, {"POST"}), rule


def filled(route: str) -> tuple[str, str]:
    """The method, and an address with something in each place."""
    method, _, rule = route.partition(" ")
    return method, re.sub(r"<(int:|path:)?\w+>", lambda place: "1" if place[1] else "some-name", rule)


@pytest.mark.parametrize("role", Role)
def test_the_server_refuses_whoever_may_not(role: Role, browse: Callable[..., Browser]) -> None:
    """Forms are sent with our marks and nothing typed, so that none of them does anything."""
    wrong = []
    for route, may in ROUTES.items():
        status = send(browse(ALIASES[role]), *filled(route))
        allowed = isinstance(may, Door) or role in DUTIES[may]
        if (status == 403) is allowed or status >= 500:
            wrong.append((route, status))
    assert wrong == []


def test_whoever_is_not_signed_in_is_asked_to(stranger: Browser) -> None:
    for route, may in ROUTES.items():
        method, path = filled(route)
        if may is ANYONE:
            continue
        answer = stranger.client.open(path, method=method)
        if method == "GET":
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/login"), route
        else:
            assert answer.status_code == 401, route


def send(browser: Browser, method: str, path: str) -> int:
    """With the marks of a form of ours, and nothing typed."""
    if method == "GET":
        return browser.client.get(path).status_code
    browser.get("/settings")
    token = browser.page.select("input[name=csrf_token]")[0]
    headers = {"Sec-Fetch-Site": "same-origin"}
    return browser.client.post(path, data={"csrf_token": token["value"]}, headers=headers).status_code
