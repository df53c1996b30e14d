"""Before any view: whose session, from where, the form's token, who may, and whether it was sent already."""

import hmac
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, make_response, request, session
from flask.sessions import SessionInterface, SessionMixin
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response

from bot.domain.errors import CampaignError, Refused
from bot.i18n import LANGUAGES, sentence, use
from bot.services import factors, forms, passkeys, sessions
from bot.services.context import Context
from bot.web.frame import Answer, Door, Problem, Site, View, Visit, own_path, page, sealed, see_other

OPEN = frozenset({"health.healthz", "health.metrics", "static.file"})
ONCE, PROOF, KEPT = "once", "passphrase_again", "kept"
PASSKEY, ASKED = "passkey", "passkey_asked"
# Neither is kept for later nor shown again.
_OURS = frozenset({"csrf_token", ONCE, PROOF, PASSKEY, ASKED})
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_csrf = CSRFProtect()


class Browser(dict[str, Any], SessionMixin):
    """The one secret a browser holds. What belongs to it is in the database, or follows from it."""

    def __init__(self, value: str) -> None:
        super().__init__()
        self.become(value if _SECRET.fullmatch(value) else "")

    def become(self, value: str = "") -> None:
        """Another browser, as far as anybody can tell: forms made for the one before are void."""
        self.is_new = not value or bool(self.get("csrf_token"))
        self.value = value or secrets.token_urlsafe(32)
        self["csrf_token"] = hmac.new(self.value.encode(), b"forms", "sha256").hexdigest()


class Cookie(SessionInterface):
    def __init__(self, ctx: Context, *, secure: bool) -> None:
        self._lasts = ctx.signing_in.longest
        self.secure = secure

    @property
    def name(self) -> str:
        return "__Host-session" if self.secure else "session"

    def open_session(self, app: Flask, request: Request) -> Browser:
        del app
        return Browser(request.cookies.get(self.name, ""))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        del app
        if isinstance(session, Browser) and session.is_new and request.endpoint not in OPEN:
            keep(response, self.name, session.value, int(self._lasts.total_seconds()), secure=self.secure)


def keep(response: Response, name: str, value: str, seconds: int, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax")


def guard(app: Flask, ctx: Context, site: Site) -> None:
    app.secret_key = ctx.keystore.secret("forms")
    app.config |= {"WTF_CSRF_CHECK_DEFAULT": False, "WTF_CSRF_TIME_LIMIT": None, "WTF_CSRF_SSL_STRICT": False}
    app.session_interface = Cookie(ctx, secure=site.secure)
    _csrf.init_app(app)

    @app.before_request
    def look() -> Answer | None:
        if request.endpoint in OPEN:
            return None
        visitor = sessions.whose(ctx, _browser().value) if not _browser().is_new else None
        g.visit = Visit(ctx, site, visitor, "")
        g.visit.language = _language(g.visit)
        use(g.visit.language)
        view = current_app.view_functions.get(request.endpoint or "")
        return _let_in(g.visit, view) if isinstance(view, View) else None

    @app.after_request
    def remember(response: Response) -> Response:
        """Where a form led, for when it is sent again; a form that was refused may be sent again."""
        if token := g.pop("form", ""):
            led = response.headers.get("Location", "") if response.status_code == 303 else ""  # noqa: PLR2004
            forms.end(ctx, token, led)
        return response


def _browser() -> Browser:
    assert isinstance(session._get_current_object(), Browser)  # type: ignore[attr-defined]  # noqa: S101, SLF001
    return session._get_current_object()  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001


def _language(visit: Visit) -> str:
    """Their own choice, else this browser's choice, else what the browser prefers."""
    chosen = visit.setting("language") or request.cookies.get("language", "")
    best = request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    return chosen if chosen in LANGUAGES else best


def _let_in(visit: Visit, view: View) -> Answer | None:
    posted = request.method == "POST"
    if posted and _from_elsewhere(visit.site):
        raise Refused("This form was sent from another site. Nothing was done.")
    if view.may is not Door.ANYONE and visit.visitor is None:
        return _ask_to_sign_in(visit, posted=posted)
    if posted:
        try:
            _csrf.protect()
        except CSRFError:
            return make_response(page("sign_in/again.html", path=request.full_path.rstrip("?"), kept=kept()), 422)
    if refusal := visit.refusal(view.may):
        return make_response(page("error.html", heading="", text=refusal), 403)
    if posted and view.fresh and not sessions.is_proved(visit.ctx, visit.signed_in) and (asked := _ask_proof(visit)):
        return asked
    return _sent_before(visit) if posted else None


def _from_elsewhere(site: Site) -> bool:
    """Browsers that follow our referrer policy send “null” as the origin, so what they say of the site counts first."""
    if said := request.headers.get("Sec-Fetch-Site"):
        return said not in {"same-origin", "none"}
    origin = request.headers.get("Origin", "null")
    return origin != "null" and urlsplit(origin).netloc not in {request.host, urlsplit(site.address).netloc}


def kept() -> list[tuple[str, str]]:
    """What was typed, but for our own marks and any passphrase."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _OURS and not name.startswith("passphrase")
    ]


def _ask_to_sign_in(visit: Visit, *, posted: bool) -> Answer:
    path = request.full_path.rstrip("?")
    if not posted:
        return see_other("/login" if path == "/" else f"/login?next={_quoted(path)}")
    form = sealed(visit.ctx, {"path": path, "fields": kept()})
    return make_response(page("sign_in/sign_in.html", next="/", kept=form, expired=True, asked=question(visit)), 401)


def question(visit: Visit) -> passkeys.Asked | None:
    """For whoever comes in with a passkey."""
    return passkeys.ask(visit.ctx, visit.place) if visit.place else None


def _quoted(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    return quote(path, safe="/")


def _ask_proof(visit: Visit) -> Answer | None:
    """None once the passphrase or a passkey was shown; the form stays as it was typed."""
    given, answer = request.form.get(PROOF, ""), request.form.get(PASSKEY, "")
    if given or answer:
        try:
            if answer and visit.place:
                passkeys.prove(visit.ctx, visit.place, request.form.get(ASKED, ""), answer, visit.person)
                sessions.note_proof(visit.ctx, visit.signed_in)
            else:
                sessions.prove(visit.ctx, visit.signed_in, given)
        except CampaignError as error:
            visit.problems = [Problem(PROOF, sentence(error))]
        else:
            return None
    has_passkey = visit.place and factors.owned(visit.ctx, visit.person).passkeys
    asked = passkeys.ask(visit.ctx, visit.place, visit.person) if visit.place and has_passkey else None
    path = request.full_path.rstrip("?")
    return make_response(page("sign_in/prove.html", path=path, kept=kept(), asked=asked), 401)


def _sent_before(visit: Visit) -> Answer | None:
    token = request.form.get(ONCE, "")
    if not token or visit.visitor is None:
        return None
    if led := forms.begin(visit.ctx, visit.person, token):
        return see_other(own_path(led))
    g.form = token
    return None
