"""What is made to do harm: through every form, file and address it is refused in words, or shown as letters."""

import io
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote_from_bytes

import pytest
from bs4 import BeautifulSoup, Tag
from PIL import Image
from werkzeug.test import TestResponse

from bot.logs import configure
from bot.services import people, queue, readings, review
from bot.services.context import Context
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_access import ROUTES
from tests.writing import a_draft, a_png, in_review, on_file, scheduled

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</textarea></title><iframe srcdoc='<script>alert(1)</script>'>",
    "javascript:alert(1)//https://example.org",
    "<a href=javascript:alert(1)>x</a><style>*{display:none}</style>",
    '<!--<math><mtext></p><style><!--</style><img title="--&gt;&lt;img src=x onerror=alert(1)&gt;">',
)
PROGRAMS = (
    "{{ 7373 * 7 }}${7373*7}#{7373*7}<%= 7373*7 %>",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{0.__class__.__mro__}{alias}{why}%(x)s%s%n",
    "'; DROP TABLE posts; --",
    "1' OR '1'='1' UNION SELECT passphrase FROM people --",
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
)
LINES = (
    "x\r\nSet-Cookie: session=evil\r\n\r\n<script>alert(1)</script>",
    'x\n{"event": "forged", "level": "critical"}',
    "\x1b]0;forged\x07\x1b[2J\x1b[31mforged",
    "a\0b",
    "../../../../etc/passwd\0.png",
)
LETTERS = (
    "\u202egnihton syas\u202c \u2066x\u2069",
    "Nguy\u200bễn V\u200dăn\ufeff A",
    unicodedata.normalize("NFD", "Nguyễn Văn Đài bị bắt ở Hà Nội"),
    "Nguуễn Vаn А",
    "ＮＧＵＹỄＮ ﬁ ℌ ①",
    "e" + "\u0301" * 3_000,
    "\ud800",
    "\U0010ffff\ufffe",
    "đ" * 20_000,
)
CORPUS = MARKUP + PROGRAMS + LINES + LETTERS
OURS = {"csrf_token", "once", "revision", "of"}
# Signing off, and what one's own way in hangs on, would end the walk.
LEFT_ALONE = ("/logout", "/settings/passphrase", "/settings/sessions", "/login", "/settings/codes", "/settings/factors")


def pages_of(browser: Browser, more: tuple[str, ...] = ()) -> Iterator[tuple[str, BeautifulSoup]]:
    """Every page that somebody comes to by following links from the first, once for each kind of address."""
    waiting, seen = ["/", *more, *(r[4:] for r in ROUTES if r.startswith("GET ") and "<" not in r)], set[str]()
    while waiting:
        path = waiting.pop(0)
        if path in seen or len(seen) > 120:
            continue
        seen.add(path)
        answer = browser.client.get(path, follow_redirects=True)
        assert answer.status_code < 500, (path, answer.status_code)
        if answer.mimetype != "text/html":
            continue
        soup = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        yield path, soup
        links = [str(each["href"]).partition("#")[0] for each in soup.select("a[href^='/']")]
        waiting += [each for each in links if each not in seen]


def assert_harmless(where: object, soup: BeautifulSoup) -> None:
    inline = [
        each for each in soup.find_all("script") if each.get_text() or not str(each["src"]).startswith("/static/")
    ]
    assert inline == [], where
    assert soup.find_all(["iframe", "style", "math", "object", "embed", "base"]) == [], where
    for each in soup.find_all():
        assert [name for name in each.attrs if name.startswith("on") or name in {"style", "srcdoc"}] == [], (
            where,
            each,
        )
        for name in ("href", "src", "action", "formaction"):
            target = str(each.get(name, "/")).strip().casefold()
            assert not target.startswith(("javascript:", "data:", "vbscript:", "//")), (where, each)
    assert "51611" not in soup.get_text(), where


def fields_of(form: Tag) -> dict[str, str]:
    found = {}
    for each in form.find_all(["input", "textarea", "select"]):
        if each.get("name") and each.get("type") != "file":
            option = each.find("option", selected=True) or each.find("option")
            value = option.get("value", "") if option else each.get("value", "")
            found[str(each["name"])] = str(value)
    return found


def is_free(form: Tag, name: str) -> bool:
    each = form.select_one(f'[name="{name}"]')
    return (
        each is not None
        and each.name != "select"
        and each.get("type") not in {"radio", "checkbox"}
        and name not in OURS
    )


def as_sent(text: str) -> bytes:
    """A browser cannot send half a letter; somebody else can."""
    return text.encode("utf-8", "surrogatepass")


def post(browser: Browser, path: str, fields: Mapping[str, str]) -> TestResponse:
    body = "&".join(f"{quote_from_bytes(as_sent(k))}={quote_from_bytes(as_sent(v))}" for k, v in fields.items())
    kind = "application/x-www-form-urlencoded"
    return browser.client.post(path, data=body, content_type=kind, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def stock(ctx: Context, crew: Crew) -> None:
    """Something of everything, so that every form is somewhere."""
    on_file(ctx, a_case(an_event()))
    a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    scheduled(ctx, crew.coordinator, crew.reviewer)


def forms_of(browser: Browser) -> dict[str, Tag]:
    """One of each kind."""
    found: dict[str, Tag] = {}
    for path, soup in pages_of(browser):
        for form in soup.find_all("form", method="post"):
            action = str(form.get("action") or path)
            kind = "/".join("0" if part.isdecimal() else part for part in action.split("/"))
            if not action.startswith(LEFT_ALONE):
                form["action"] = action
                found.setdefault(kind, form)
    return found


@pytest.mark.slow
@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("alias", ["dung", "an"])
def test_every_field_of_every_form_takes_it_as_letters_or_refuses_it_in_words(
    browse: Callable[..., Browser], alias: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """First all fields at once, then each alone beside what the page itself would send."""
    configure()
    sent = 0
    browser = browse(alias)
    for form in forms_of(browser).values():
        path, fields = str(form["action"]), fields_of(form)
        free = [name for name in fields if is_free(form, name)]
        for turn, text in enumerate(CORPUS):
            for names in [free, *([[free[turn % len(free)]]] if free else [])]:
                fields.pop("once", None)
                answer = post(browser, path, {**fields, **dict.fromkeys(names, text)})
                assert answer.status_code in {200, 303, 401, 403, 404, 409, 413, 422}, (path, names, text[:40])
                assert "evil" not in str(answer.headers.getlist("Set-Cookie"))
                if answer.mimetype == "text/html":
                    assert_harmless((path, text[:40]), BeautifulSoup(answer.get_data(as_text=True), "html.parser"))
                sent += 1
    for path, soup in pages_of(browser):
        assert_harmless(path, soup)
    assert sent > 500
    logged = capsys.readouterr().err
    assert "forged" not in [line.strip()[:6] for line in logged.splitlines()]
    assert "\x1b]" not in logged


@pytest.mark.slow
@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/posts/new", "vi"),
        ("/posts/check", "en"),
        ("/pause", "reason"),
        ("/review/2/comment", "text"),
        ("/cases/new", "name_vi"),
    ],
)
@pytest.mark.parametrize("letter", ["đ", "e\u0301", "😀", " ", "\n"], ids=ascii)
def test_a_million_letters_are_answered_in_words(dung: Browser, path: str, field: str, letter: str) -> None:
    dung.get("/posts/new")
    fields = {
        **{name: str(value[0]) for name, value in dung.filled("Check lengths").items()},
        field: letter * 1_000_000,
    }
    fields.pop("once", None)
    assert post(dung, path, fields).status_code in {200, 303, 404, 413, 422}


@pytest.mark.parametrize("language", ["en", "vi"])
def test_what_is_kept_is_escaped_on_every_page_that_shows_it(
    ctx: Context, crew: Crew, browse: Callable[..., Browser], language: str
) -> None:
    """Planted where people choose the words: aliases, cases, posts, notes, reasons, comments."""
    for number, text in enumerate([*MARKUP, *PROGRAMS]):
        name = f"{text[:100]} {number}"
        case = a_case(an_event(note=text, court=text), slug=f"case-{number}", name_vi=name, name_en=name, note=text)
        on_file(ctx, case, a_case(slug=f"other-{number}", name_vi=f"B {name}", name_en=f"B {name}", occupation_en=text))
        post = in_review(
            ctx, crew.coordinator, vi=f"Xin đọc {number}: {text}", en=f"Please read {number}: {text}", note=text
        )
        readings.comment(ctx, crew.dung, post.id, text)
        review.return_post(ctx, crew.reviewer, post.id, text)
        queue.hold(ctx, crew.binh, "case", case.slug, text)
    queue.halt(ctx, crew.binh, MARKUP[1])
    for alias, text in zip(("binh", "chi", "giang"), (MARKUP[0], MARKUP[1], PROGRAMS[0]), strict=True):
        people.rename(ctx, crew.an, alias, text[:40])
    crawled = 0
    browser = browse("dung", language)
    for path, soup in pages_of(
        browser, ("/audit", "/people", "/review/1", "/posts/1", "/posts/2/edit", "/cases/case-1")
    ):
        assert_harmless(path, soup)
        crawled += any(text in soup.get_text() for text in (MARKUP[0], MARKUP[1][:20], PROGRAMS[0]))
    assert crawled > 20


@pytest.mark.parametrize("text", CORPUS, ids=lambda text: ascii(text[:30]))
def test_addresses_made_to_do_harm_are_answered_in_words(binh: Browser, text: str) -> None:
    text = text[:2_000]
    said = quote_from_bytes(as_sent(text), safe="")
    paths = [f"/cases/{said}", f"/cases?q={said}", f"/queue?state={said}&channel={said}", f"/campaigns/{said}",
             f"/accounts/{said}", f"/pictures/{said}", f"/login?next={said}", f"/invitation/{said}",
             f"/cards/{said}/square.png", f"/audit?act={said}&actor={said}&object={said}", f"/static/{said}",
             f"/calendar.ics?key={said}", f"/posts/new?case={said}&on={said}", f"/review/week?from={said}"]  # fmt: skip
    for path in paths:
        answer = binh.client.get(path)
        assert answer.status_code in {200, 301, 303, 308, 400, 403, 404, 422}, path
        assert not answer.headers.get("Location", "/").startswith(("//", "http://evil", "javascript"))
        if answer.mimetype == "text/html":
            assert_harmless(path, BeautifulSoup(answer.get_data(as_text=True), "html.parser"))


def bomb() -> bytes:
    """A PNG of 50,000 × 50,000 points in a few kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    lines = zlib.compress(b"\0" * 2_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
REFUSED = {
    "svg": SVG,
    "svg-as-xml": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + SVG,
    "html": b"<html><script>alert(1)</script>",
    "html-after-the-mark": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
    "bomb": bomb(),
    "cut": a_png(200, 200)[:60],
    "nothing": b"\0" * 64,
    "zip": b"PK\x03\x04" + b"\0" * 60,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "strip": a_png(4_000, 2),
}


def animated() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def photo() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "CANARY-CAMERA"
    exif[0x8825] = {1: "N", 2: (21.0, 1.0, 42.0), 3: "E", 4: (105.0, 50.0, 15.0)}
    Image.new("RGB", (40, 30), "teal").save(out, "JPEG", exif=exif, comment=b"CANARY-COMMENT")
    return out.getvalue()


PAINTED = {"polyglot": a_png() + b"<script>alert('CANARY')</script>" + SVG, "animated": animated(), "photo": photo()}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(
    "name", ["a.png", "../../evil.svg", "x\x1b[2J;\u202e.svg", "a" * 900 + ".png"], ids=lambda n: ascii(n[:12])
)
def test_a_file_that_is_no_picture_is_refused_in_words(binh: Browser, ctx: Context, kind: str, name: str) -> None:
    binh.get("/posts/new")
    sent = binh.filled("Check lengths") | {
        "vi": "Xin đọc.",
        "en": "Read.",
        "picture": (io.BytesIO(REFUSED[kind]), name),
    }
    binh.upload("/posts/new", sent, 422)
    assert [each["href"] for each in binh.page.select("#errors a")] == ["#f-picture"]
    assert not list((ctx.data_dir / "media").glob("*"))
    assert not list(ctx.data_dir.parent.rglob("*evil*"))


@pytest.mark.parametrize("kind", PAINTED)
def test_a_picture_with_more_in_it_is_painted_anew(binh: Browser, ctx: Context, kind: str) -> None:
    binh.get("/posts/new")
    alt = {"alt_vi": "Một ảnh.", "alt_en": "A picture."}
    sent = {"vi": "Xin đọc.", "en": "Read.", "picture": (io.BytesIO(PAINTED[kind]), "a.png"), "do": "check", **alt}
    binh.upload("/posts/new", binh.filled("Check lengths") | sent)
    (file,) = (ctx.data_dir / "media").iterdir()
    kept = file.read_bytes()
    assert b"CANARY" not in kept
    assert b"script" not in kept
    with Image.open(file) as picture:
        assert not picture.getexif()
        assert getattr(picture, "n_frames", 1) == 1
    answer = binh.client.get(f"/pictures/{file.stem}/whole")
    assert answer.mimetype in {"image/png", "image/jpeg"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
