"""Every answer leaves with the same headers, and every error as a page: what is wrong and what to do next."""

import gzip
import secrets
from hashlib import sha256
from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, abort, g, has_request_context, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused, StoreFailed, Tampered
from bot.i18n import _, choose, sentence, use
from bot.logs import log
from bot.web.frame import UNFIT, forget_notice

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_A_YEAR = 31_536_000
_WORTH_PACKING = 500
_TYPES = {"css": "text/css", "js": "text/javascript", "txt": "text/plain", "png": "image/png", "svg": "image/svg+xml"}
_STATUS: dict[type[CampaignError], int] = {
    Refused: 403, NotFound: 404, Conflict: 409, BadInput: UNFIT, StoreFailed: 503, Tampered: 503,
}  # fmt: skip


class Static:
    """The few files that go with the pages, kept in memory, packed, and known by their content."""

    def __init__(self) -> None:
        found = (each for each in files("bot.web").joinpath("static").iterdir() if each.is_file())
        self._files = {each.name: each.read_bytes() for each in found}
        self._packed = {name: gzip.compress(content, 9, mtime=0) for name, content in self._files.items()}

    def address(self, name: str) -> str:
        return f"/static/{name}?v={self._version(name)}"

    def _version(self, name: str) -> str:
        return sha256(self._files[name]).hexdigest()[:12]

    def answer(self, name: str) -> Response:
        if name not in self._files:
            abort(404)
        is_packed = request.accept_encodings["gzip"] > 0
        response = make_response(self._packed[name] if is_packed else self._files[name])
        response.mimetype = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        if is_packed:
            response.headers["Content-Encoding"] = "gzip"
        lasts = _A_YEAR if request.args.get("v") == self._version(name) else 0
        response.headers["Cache-Control"] = f"public, max-age={lasts}{', immutable' if lasts else ''}"
        response.headers["Vary"] = "Accept-Encoding"
        return response


def pages(static: Static) -> Blueprint:
    blueprint = Blueprint("static", __name__)
    blueprint.add_url_rule("/static/<name>", "file", static.answer)
    return blueprint


def answer_well(app: Flask) -> None:
    app.after_request(_finish)
    app.register_error_handler(CampaignError, _refuse)
    app.register_error_handler(HTTPException, _say_status)
    app.register_error_handler(Exception, _own_fault)


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = CSP
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    forget_notice(response)
    return _pack(response)


def _pack(response: Response) -> Response:
    """What the page says back stands beside its secrets, but SameSite keeps other sites from asking for it."""
    wanted = request.accept_encodings["gzip"] > 0 and "Content-Encoding" not in response.headers
    if not wanted or response.direct_passthrough or not (response.mimetype or "").startswith("text/"):
        return response
    content = response.get_data()
    if len(content) >= _WORTH_PACKING:
        response.set_data(gzip.compress(content, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
    return response


def _refuse(error: CampaignError) -> Any:  # noqa: ANN401 - Flask's own
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return _error_page(sentence(error), status)


def _say_status(error: HTTPException) -> Any:  # noqa: ANN401 - Flask's own
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirect is no error
        return error
    said = {
        404: _("There is no such page. It may have moved, or the address has a typing mistake."),
        405: _("This page is for reading only; go back and use its form."),
        413: _("That is too large. Send a smaller file."),
    }
    return _error_page(said.get(error.code, _("This request cannot be understood. Go back and try again.")), error.code)


def _own_fault(error: Exception) -> Any:  # noqa: ANN401 - Flask's own
    """A reference for the person, the place for whoever mends it; what the program held is written nowhere."""
    reference = secrets.token_hex(4)
    log.error("crashed", ref=reference, exc_info=error)
    return _error_page(_("Something went wrong on our side. Reference {ref}.").format(ref=reference), 500)


def _error_page(text: str, status: int) -> Any:  # noqa: ANN401 - Flask's own
    """Plain where the program does not even know who asks, or where the frame of the pages is what broke."""
    assert has_request_context()  # noqa: S101
    if "visit" not in g:
        use(choose(request.accept_languages.best_match(("vi", "en"))))
        return make_response(render_template("plain.html", text=text), status)
    try:
        return make_response(render_template("error.html", text=text), status)
    except Exception:  # noqa: BLE001 - the last page there is
        return make_response(render_template("plain.html", text=text), status)
