"""What every page stands on: who visits, who may do what, how a view answers, and how it says what is wrong."""

import json
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn, TypeAlias
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from bot.domain.errors import CampaignError, Refused
from bot.domain.people import ANYWHERE, Duty, Person, Scope, require
from bot.domain.slots import VIETNAM
from bot.i18n import filled, sentence
from bot.services.context import Context
from bot.services.passkeys import Place
from bot.services.sessions import Visitor

UNFIT = 422
_NOTICE = "notice"
# A cookie holds 4,096 bytes, and these are sealed and written in base64.
_LONGEST_NOTICE = 600
_SUBJECT = "program"


class Door(Enum):
    """Who may open a page, where it is not a duty."""

    ANYONE = "anyone, signed in or not"
    SIGNED_IN = "anyone signed in"


May: TypeAlias = Door | Duty
Answer: TypeAlias = str | Response


@dataclass(frozen=True, slots=True)
class Site:
    """This installation as its pages show it. `address` is how people reach it, where a proxy stands before it."""

    name: str = "Campaign bot"
    timezone: str = VIETNAM
    address: str = ""

    @property
    def secure(self) -> bool:
        """Tor Browser holds an onion service to be as good as https."""
        parts = urlsplit(self.address)
        return parts.scheme == "https" or (parts.hostname or "").endswith(".onion")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in the reader's language; `field` is the form field it is about, or ""."""

    field: str
    text: str


class Amiss(CampaignError):
    """Several fields of a form at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("{problems}", problems=" ".join(problem.text for problem in problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Visit:
    """One request: who asks, in which language, and what was found wrong with it.

    `here` is what the page is about: a role that is limited counts on it only within its limits.
    """

    ctx: Context
    site: Site
    visitor: Visitor | None
    language: str
    problems: list[Problem] = field(default_factory=list)
    here: Scope = ANYWHERE
    _ids: int = 0

    @property
    def person(self) -> Person:
        return self.signed_in.person

    @property
    def signed_in(self) -> Visitor:
        if self.visitor is None:
            raise Refused("Sign in first.")
        return self.visitor

    @property
    def place(self) -> Place | None:
        """Where passkeys work: behind https, or on the reader's own machine. Tor Browser has none."""
        parts = urlsplit(self.site.address or request.host_url)
        works = parts.scheme == "https" or parts.hostname == "localhost"
        return Place(str(parts.hostname), f"{parts.scheme}://{parts.netloc}") if works else None

    def setting(self, name: str, otherwise: str = "") -> str:
        return self.visitor.settings.get(name, otherwise) if self.visitor else otherwise

    @property
    def zone(self) -> str:
        return self.setting("timezone", self.site.timezone)

    def typed(self, name: str, otherwise: str = "") -> str:
        """A field as sent, in NFC and with one kind of line end."""
        given = request.form.get(name, otherwise)
        return unicodedata.normalize("NFC", given).replace("\r\n", "\n").strip()

    def ticked(self, name: str) -> tuple[str, ...]:
        return tuple(unicodedata.normalize("NFC", each) for each in request.form.getlist(name))

    def file(self, name: str) -> FileStorage | None:
        found = request.files.get(name)
        return found if found and found.filename else None

    def asked(self, name: str, otherwise: str = "") -> str:
        """What the address asks for, after the “?”."""
        return unicodedata.normalize("NFC", request.args.get(name, otherwise)).strip()

    def may(self, what: May, where: Scope | None = None) -> bool:
        return not self.refusal(what, where)

    def refusal(self, what: May, where: Scope | None = None) -> str:
        """Why this person may not (there, else here), in words; "" where they may."""
        if isinstance(what, Door):
            return "" if self.visitor or what is Door.ANYONE else filled("Sign in first.", {})
        try:
            require(self.person, what, where or self.here)
        except Refused as error:
            return sentence(error)
        return ""

    @contextmanager
    def about(self, name: str) -> Iterator[None]:
        """What goes wrong inside is said beside this field."""
        try:
            yield
        except CampaignError as error:
            raise Amiss([Problem(name, sentence(error))]) from error

    def problem_of(self, name: str) -> str:
        return " ".join(each.text for each in self.problems if each.field == name)

    def new_id(self) -> str:
        """Unlike any other on the page, also on the one that htmx puts this part into."""
        self._ids += 1
        return f"{request.headers.get('HX-Target', 'id')}-{self._ids}"

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asks, for a part of the page only."""
        return "HX-Request" in request.headers

    def notice(self) -> dict[str, str]:
        """What the page before this one wanted said; it is said once."""
        return g.setdefault("said", opened(self.ctx, request.cookies.get(_NOTICE, "")))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class View:
    """A view with who may use it. `again` shows the form once more when a rule said no; `fresh` asks for the
    passphrase first, unless that was shown in the last five minutes.
    """

    does: Callable[..., Answer]
    may: May
    again: Callable[..., Answer] | None = None
    fresh: bool = False

    def __call__(self, **given: Any) -> Answer:  # noqa: ANN401 - whatever stands in the address
        visit: Visit = g.visit
        if self.again is None:
            return self.does(visit, **given)
        try:
            return self.does(visit, **given)
        except CampaignError as error:
            visit.problems = problems_of(error)
            return make_response(self.again(visit, **given), UNFIT)


def problems_of(error: CampaignError) -> list[Problem]:
    """Each with its field; a line for each where it names none."""
    if isinstance(error, Amiss):
        return list(error.problems)
    return [Problem("", line) for line in sentence(error).splitlines()]


class Pages(Blueprint):
    """The pages of one noun. Every view says who may use it, takes the visit first, and answers."""

    def __init__(self, noun: str) -> None:
        super().__init__(noun, __name__)

    def show(self, *rules: str, may: May) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """A page: it changes nothing."""
        return self._route(rules, "GET", lambda does: View(does, may))

    def act(
        self, rule: str, *, may: May, again: Callable[..., Answer] | None = None, fresh: bool = False
    ) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """What a form does. It ends in `see_other`; `again` gets the same arguments and shows the form once more."""
        return self._route((rule,), "POST", lambda does: View(does, may, again, fresh))

    def _route(
        self, rules: Sequence[str], method: str, view: Callable[[Callable[..., Answer]], View]
    ) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        def declare(does: Callable[..., Answer]) -> Callable[..., Answer]:
            shown = view(does)
            for number, rule in enumerate(rules):
                endpoint = does.__name__ + (f"_{number}" if number else "")
                self.add_url_rule(rule, endpoint, shown, methods=[method])
            return does

        return declare


def page(template: str, /, **given: Any) -> str:  # noqa: ANN401 - whatever the page shows
    return render_template(template, **given)


def see_other(path: str, said: str = "", *, kind: str = "ok", link: str = "", **fields: object) -> Response:
    """303, so that going back or reloading repeats nothing. `said` stands on top of the next page, and under it
    a `link` to be passed on.
    """
    response = redirect(path, 303)
    if said:
        kept = sealed(g.visit.ctx, {"kind": kind, "text": filled(said, fields)[:_LONGEST_NOTICE], "link": link})
        response.set_cookie(_NOTICE, kept, secure=g.visit.site.secure, httponly=True, samesite="Lax")
    return response


def forget_notice(response: Response) -> None:
    if g.get("said"):
        response.delete_cookie(_NOTICE, httponly=True, samesite="Lax")


def own_path(path: str, otherwise: str = "/") -> str:
    """A path of these pages; an address that leads elsewhere is not followed."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else otherwise


def not_there() -> NoReturn:
    from werkzeug.exceptions import NotFound  # noqa: PLC0415 - beside our own error of that name

    raise NotFound


def sealed(ctx: Context, content: Any) -> str:  # noqa: ANN401 - JSON
    return urlsafe_b64encode(ctx.keystore.seal(_SUBJECT, json.dumps(content).encode())).decode()


def opened(ctx: Context, text: str) -> Any:  # noqa: ANN401 - JSON
    """{} for what was not sealed here."""
    try:
        found = ctx.keystore.unseal(_SUBJECT, urlsafe_b64decode(text.encode()))
    except ValueError:
        found = None
    return json.loads(found) if found else {}
