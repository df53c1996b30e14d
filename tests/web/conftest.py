"""A house with its people, its pages, and a browser for each of them that does what a browser does with forms."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.services import invitations, sessions
from bot.services.context import Context, SigningIn
from bot.store import people
from bot.web import create_app
from bot.web.frame import Site
from tests.house import Crew, FakeClock, bring_in, build_house, open_house

# The cheapest there is: what a guess costs is no business of these tests.
CHEAP = SigningIn(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
PASSPHRASE = "bốn cánh buồm trên sông lạnh"
Typed = Mapping[str, str | Sequence[str]]


@dataclass
class Browser:
    """One person at one browser. `page` is what it shows; forms are filled in from there."""

    client: FlaskClient
    alias: str = ""
    page: BeautifulSoup = field(default_factory=lambda: BeautifulSoup("", "html.parser"))
    answer: TestResponse | None = None
    path: str = "/"

    def __post_init__(self) -> None:
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    def get(self, path: str, status: int = 200) -> BeautifulSoup:
        """Follows redirects, as a browser does."""
        return self._show(self.client.get(path), path, status)

    def post(self, typed: Typed | None = None, *, to: str = "", button: str = "", status: int = 200) -> BeautifulSoup:
        """Fills in a form of the page at hand and sends it: the one whose action is `to`, or that has the `button`.

        Hidden fields and what stands in the others are sent too. A field that is not in the form is an error.
        """
        form, pressed = self._form(to, button)
        sent = self._fields(form)
        if pressed is not None and pressed.get("name"):
            sent[str(pressed["name"])] = [str(pressed.get("value", ""))]
        for name, value in (typed or {}).items():
            assert form.select(f'[name="{name}"]'), f"The form has no field {name!r}."
            sent[name] = [value] if isinstance(value, str) else list(value)
        return self.send(str(form.get("action") or self.path), sent, status)

    def send(self, path: str, sent: Mapping[str, Sequence[str]], status: int = 200) -> BeautifulSoup:
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
        return self._show(self.client.post(path, data=dict(sent), headers=headers), path, status)

    def filled(self, button: str = "", to: str = "") -> dict[str, Any]:
        """What a form of the page at hand would send, as it stands."""
        return dict(self._fields(self._form(to, button)[0]))

    def upload(self, path: str, sent: Mapping[str, Any], status: int = 200) -> BeautifulSoup:
        """A form with files: pairs of a stream and a name."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = self.client.post(path, data=dict(sent), headers=headers, content_type="multipart/form-data")
        return self._show(answer, path, status)

    def press(self, button: str, typed: Typed | None = None, status: int = 200) -> BeautifulSoup:
        """Sends the form in which a button says this."""
        return self.post(typed, button=button, status=status)

    def _form(self, to: str, button: str) -> tuple[Tag, Tag | None]:
        forms = [each for each in self.page.find_all("form") if each.get("method", "get") == "post"]
        for form in forms:
            pressed = [
                each for each in form.find_all("button") if not button or button in each.get_text(" ", strip=True)
            ]
            if (not to or form.get("action") == to) and (pressed or not button):
                assert not pressed or not pressed[0].has_attr("disabled"), f"{button!r} is disabled."
                return form, pressed[0] if pressed and button else None
        known = [(each.get("action"), [b.get_text(" ", strip=True) for b in each.find_all("button")]) for each in forms]
        raise AssertionError(f"No form to {to!r} with a button {button!r}; there are: {known}")

    @staticmethod
    def _fields(form: Tag) -> dict[str, list[str]]:
        sent: dict[str, list[str]] = {}
        for each in form.find_all(["input", "textarea", "select"]):
            name, kind = each.get("name"), each.get("type", "text")
            if not name or each.has_attr("disabled") or kind in {"submit", "file"}:
                continue
            if kind in {"checkbox", "radio"} and not each.has_attr("checked"):
                continue
            if each.name == "textarea":
                value = each.get_text().removeprefix("\n")
            elif each.name == "select":
                chosen = each.find("option", selected=True) or each.find("option")
                value = str(chosen["value"]) if chosen else ""
            else:
                value = str(each.get("value", "on" if kind == "checkbox" else ""))
            sent.setdefault(str(name), []).append(value)
        return sent

    def _show(self, answer: TestResponse, path: str, status: int) -> BeautifulSoup:
        for _ in range(5):
            if answer.status_code not in {301, 302, 303, 307, 308}:
                break
            path = answer.headers["Location"]
            answer = self.client.get(path)
        self.answer, self.path = answer, urlsplit(path).path
        self.page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{self.text[:800]}"
        return self.page

    @property
    def text(self) -> str:
        """What a reader sees of the main part."""
        return (self.page.find("main") or self.page).get_text(" ", strip=True)

    @property
    def title(self) -> str:
        return self.page.title.get_text(" ", strip=True) if self.page.title else ""

    @property
    def heading(self) -> str:
        found = self.page.find("h1")
        return found.get_text(" ", strip=True) if found else ""


def a_passphrase(ctx: Context, crew: Crew, alias: str) -> None:
    """Through a one-time link, as anybody gets one; `an` is the admin and makes their own."""
    invitations.accept(ctx, invitations.reset(ctx, crew.admin, alias), PASSPHRASE)


@pytest.fixture(scope="session")
def web_house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Crew]:
    folder = tmp_path_factory.mktemp("web-house")
    build_house(folder)
    ctx = replace(open_house(folder), signing_in=CHEAP)
    crew = bring_in(ctx)
    for alias in crew.tokens:
        a_passphrase(ctx, crew, alias)
    ctx.store.close()
    return folder, crew


@pytest.fixture
def crew(web_house: tuple[Path, Crew]) -> Crew:
    return web_house[1]


@pytest.fixture
def ctx(web_house: tuple[Path, Crew], tmp_path: Path) -> Iterator[Context]:
    """With its people, each with a passphrase. The clock stands still until told."""
    shutil.copytree(web_house[0], tmp_path / "house")
    opened = replace(open_house(tmp_path / "house"), signing_in=CHEAP)
    yield opened
    opened.store.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Context]:
    """A house with nobody in it."""
    (tmp_path / "empty").mkdir()
    build_house(tmp_path / "empty")
    opened = replace(open_house(tmp_path / "empty"), signing_in=CHEAP)
    yield opened
    opened.store.close()


@pytest.fixture
def clock(ctx: Context) -> FakeClock:
    assert isinstance(ctx.clock, FakeClock)
    return ctx.clock


@pytest.fixture
def app(ctx: Context) -> Flask:
    """As it runs, but that an error of our own is raised and not made into a page."""
    app = create_app(ctx, Site(name="Sample coalition"))
    app.error_handler_spec[None][None].pop(Exception)
    app.testing = True
    return app


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def browse(app: Flask, ctx: Context) -> Callable[..., Browser]:
    """`browse("binh")` is somebody of the crew signed in; `browse("binh", "vi")` in Vietnamese."""

    def signed_in(alias: str, language: str = "en") -> Browser:
        pseudonym = next(key for key, name in ctx.keystore.people().items() if name == alias)
        with ctx.store.read() as tx:
            account = people.by_pseudonym(tx, pseudonym)
        assert account is not None
        client = app.test_client()
        client.set_cookie("session", sessions.open_session(ctx, account.person).token)
        client.set_cookie("language", language)
        return Browser(client, alias)

    return signed_in


@pytest.fixture
def an(browse: Callable[..., Browser]) -> Browser:
    """The admin."""
    return browse("an")


@pytest.fixture
def binh(browse: Callable[..., Browser]) -> Browser:
    """A coordinator."""
    return browse("binh")


@pytest.fixture
def chi(browse: Callable[..., Browser]) -> Browser:
    """A reviewer."""
    return browse("chi")


@pytest.fixture
def dung(browse: Callable[..., Browser]) -> Browser:
    """Coordinator and reviewer."""
    return browse("dung")


@pytest.fixture
def giang(browse: Callable[..., Browser]) -> Browser:
    """An auditor."""
    return browse("giang")
