"""The showcase in this very process: the test has its clock, its people and its database in hand."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyotp
from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from bot.domain.people import Person, Role
from bot.services import factors, invitations, people, sessions
from bot.services.context import Context
from bot.store import people as accounts
from bot.web import create_app
from bot.web.frame import Site
from tests.house import FakeClock
from tests.system.browser.chromium import Screen, visitor
from tests.system.browser.showcase import PASSPHRASE, Showcase

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

A_CODE_S = 30


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - as werkzeug names it
        """Says nothing."""


@dataclass
class Line:
    """The way to the program, which can drop once: `before` or `after` the program has done what it was asked.

    In the middle of the answer, as Chromium asks again by itself where none has begun.
    """

    app: "WSGIApplication"
    drops: str = ""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        drops = self.drops if environ["REQUEST_METHOD"] == "POST" else ""
        if not drops:
            return self.app(environ, start_response)
        self.drops = ""
        if drops == "after":
            b"".join(self.app(environ, lambda *_head: lambda _body: None))
        start_response("200 OK", [("Content-Length", "100")])(b"<")
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError


@dataclass(frozen=True)
class Served:
    """At an address where browsers have passkeys."""

    ctx: Context
    made: Showcase
    line: Line

    @property
    def clock(self) -> FakeClock:
        assert isinstance(self.ctx.clock, FakeClock)
        return self.ctx.clock

    def person(self, alias: str) -> Person:
        pseudonym = next(key for key, name in self.ctx.keystore.people().items() if name == alias)
        with self.ctx.store.read() as tx:
            account = accounts.by_pseudonym(tx, pseudonym)
        assert account
        return account.person

    def newcomer(self, alias: str, *roles: Role) -> Person:
        """With a passphrase, and no second factor yet."""
        made, _token = people.add_person(self.ctx, self.person("an"), alias, set(roles))
        invitations.accept(self.ctx, invitations.reset(self.ctx, self.person("an"), alias), PASSPHRASE)
        return made

    def with_codes(self, person: Person) -> pyotp.TOTP:
        """Each code works once: let time go on before each."""
        factors.offer_codes(self.ctx, person)
        app = pyotp.TOTP(factors.offered(self.ctx, person))
        factors.accept_codes(self.ctx, person, app.at(self.ctx.now()))
        return app

    def next_code(self, app: pyotp.TOTP) -> str:
        self.clock.advance(seconds=A_CODE_S)
        return app.at(self.ctx.now())

    @contextmanager
    def at(self, browser: Browser, screen: Screen, alias: str = "", language: str = "en") -> Iterator[Page]:
        """Somebody who has just signed in, or nobody yet."""
        if alias:
            self.made.cookies[alias] = sessions.open_session(self.ctx, self.person(alias)).token
        with visitor(
            browser, self.made, alias, language=language, width=screen.width, java_script_enabled=screen.scripts
        ) as (_context, page):
            yield page


def sign_in(page: Page, alias: str, passphrase: str = PASSPHRASE) -> None:
    page.get_by_label("Alias").fill(alias)
    page.get_by_label("Passphrase").fill(passphrase)
    page.get_by_role("button", name="Sign in", exact=True).click()


@contextmanager
def serve(ctx: Context, made: Showcase) -> Iterator[Served]:
    line = Line(create_app(ctx, Site()))
    server = make_server("127.0.0.1", 0, line, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://localhost:{server.port}"
    try:
        yield Served(ctx, made, line)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
