"""Coming in and going out: `/login`, `/logout`, one-time links, and the language for whoever is not in yet."""

from flask import make_response, request, session
from werkzeug.wrappers import Response

from bot.domain.errors import BadInput, Refused
from bot.i18n import LANGUAGES, use
from bot.services import invitations, passkeys, sessions
from bot.services.sessions import Opened
from bot.web.frame import Answer, Door, Pages, Visit, opened, own_path, page, see_other
from bot.web.gate import ASKED, KEPT, PASSKEY, Browser, Cookie, keep, question

pages = Pages("sign_in")
_DEVICE = "device"
_A_YEAR_S = 31_536_000
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
_BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")


@pages.show("/login", may=Door.ANYONE)
def sign_in_form(visit: Visit) -> Answer:
    return page("sign_in/sign_in.html", next=visit.asked("next", "/"), kept="", expired=False, asked=question(visit))


def sign_in_again(visit: Visit) -> Answer:
    again = {"next": visit.typed("next"), "kept": visit.typed(KEPT)}
    return page("sign_in/sign_in.html", **again, expired=False, asked=question(visit))


@pages.act("/login", may=Door.ANYONE, again=sign_in_again)
def sign_in(visit: Visit) -> Answer:
    found = sessions.sign_in(
        visit.ctx,
        visit.typed("alias"),
        request.form.get("passphrase", ""),
        source=request.remote_addr or "",
        mark=request.cookies.get(_DEVICE, ""),
        device=_device(),
    )
    if not found.full:
        _become(found)
        return code_page(visit)
    return _enter(visit, found)


@pages.act("/login/passkey", may=Door.ANYONE, again=sign_in_again)
def sign_in_by_passkey(visit: Visit) -> Answer:
    if visit.place is None:
        raise Refused("Passkeys work only where the address begins with https.")
    account = passkeys.prove(visit.ctx, visit.place, visit.typed(ASKED), visit.typed(PASSKEY))
    return _enter(visit, sessions.open_session(visit.ctx, account.person, device=_device()))


@pages.show("/login/code", may=Door.ANYONE)
def code_form(visit: Visit) -> Answer:
    return code_page(visit) if sessions.waits(visit.ctx, _value()) else see_other("/login")


def code_page(visit: Visit) -> Answer:
    return page("sign_in/code.html", next=visit.typed("next") or visit.asked("next"), kept=visit.typed(KEPT))


@pages.act("/login/code", may=Door.ANYONE, again=code_page)
def finish(visit: Visit) -> Answer:
    with visit.about("passphrase_code"):
        found = sessions.finish(
            visit.ctx,
            _value(),
            request.form.get("passphrase_code", ""),
            source=request.remote_addr or "",
            mark=request.cookies.get(_DEVICE, ""),
        )
    return _enter(visit, found)


def _enter(visit: Visit, found: Opened) -> Answer:
    """Where they wanted to go; or once more before what they typed, when their session had ended."""
    kept = opened(visit.ctx, visit.typed(KEPT))
    if not kept:
        return _let(found, see_other(own_path(visit.typed("next"))))
    _become(found)
    visit.visitor = sessions.whose(visit.ctx, found.token)
    return _let(found, make_response(page("sign_in/again.html", path=kept["path"], kept=kept["fields"])))


@pages.act("/logout", may=Door.SIGNED_IN)
def sign_out(visit: Visit) -> Answer:
    sessions.sign_out(visit.ctx, visit.signed_in)
    if isinstance(session, Browser):
        session.become()
    return see_other("/login", "You are signed out.")


@pages.act("/language", may=Door.ANYONE)
def choose_language(visit: Visit) -> Answer:
    wanted = visit.typed("language")
    if wanted not in LANGUAGES:
        raise BadInput("The languages are vi and en.")
    if visit.visitor:
        sessions.change_settings(visit.ctx, visit.visitor, {"language": wanted})
    use(wanted)
    response = see_other(own_path(visit.typed("next")))
    _keep(response, "language", wanted)
    return response


@pages.show("/invitation/<token>", may=Door.ANYONE)
def invitation(visit: Visit, token: str) -> Answer:
    return page("sign_in/invitation.html", alias=invitations.invited(visit.ctx, token))


@pages.act("/invitation/<token>", may=Door.ANYONE, again=invitation)
def accept(visit: Visit, token: str) -> Answer:
    passphrase = request.form.get("passphrase", "")
    if passphrase != request.form.get("passphrase_twice", ""):
        with visit.about("passphrase_twice"):
            raise BadInput("The two are not the same. Type them again.")
    with visit.about("passphrase"):
        person = invitations.accept(visit.ctx, token, passphrase, visit.typed("alias"))
    return _let(sessions.open_session(visit.ctx, person, device=_device()), see_other("/"))


def _let(found: Opened, response: Response) -> Response:
    _become(found)
    _keep(response, _DEVICE, found.mark)
    return response


def _value() -> str:
    current = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy is no Browser
    return current.value if isinstance(current, Browser) else ""


def _become(found: Opened) -> None:
    current = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy is no Browser
    if isinstance(current, Browser) and current.value != found.token:
        current.become(found.token)


def _keep(response: Response, name: str, value: str) -> None:
    from flask import current_app  # noqa: PLC0415

    cookie = current_app.session_interface
    keep(response, name, value, _A_YEAR_S, secure=isinstance(cookie, Cookie) and cookie.secure)


def _device() -> str:
    """Enough for its owner to know it again: “Firefox, Android”."""
    said = request.user_agent.string
    found = [next((name for name in names if name in said), "") for names in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)).replace("Edg,", "Edge,")
