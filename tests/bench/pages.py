"""Every page as somebody who may see all of it gets it, in a house with much of everything: how soon, and how heavy."""

import gc
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from gzip import decompress
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.cli import OBJECTS_A_SEARCH
from bot.domain.case import PartialDate
from bot.services import cases, factors, feed, invitations, readings, sessions
from bot.services.context import Context
from bot.store import people
from bot.web import create_app
from bot.web.frame import View
from tests.bench.bighouse import LIKES, build
from tests.bench.figures import Figure, percentile, say
from tests.bench.history import Size
from tests.house import START, open_house

FULL, QUICK = Size(100_000, 10_000, 1_000_000), Size(10_000, 1_000, 100_000)
ROUNDS, QUICK_ROUNDS, CHANGES, CHANGED = 20, 10, 4, "nguyen van 7"
PAGE_MS, FRAGMENT_MS, SEARCH_MS = 150, 80, 300
PAGE_KB, FRAGMENT_KB, FIRST_KB, REQUESTS = 30, 5, 100, 6
LANGUAGES = ("vi", "en")
# What is looked at beside a page as it opens: its filters, its other pages, its searches.
ALSO: Mapping[str, tuple[str, ...]] = {
    "/queue": ("state=scheduled", "state=lapsed", "account=rehearsal-x", "lang=vi", "before={middle}.50000"),
    "/calendar/<int:year>/<int:month>": ("day=24", "show=days", "show=posts", "status=released"),
    "/cases": ("q=nguyen+van+99", "status=unknown", "only=stale", "missing=address", "start=500"),
    "/confirm": ("status=unknown", "start=500"),
    "/coverage": ("all=yes", "start=500"),
    "/audit": (
        "act=post.approved", "act=delivery.", "act=hold.", "who={who}", "who={who}&act=post.commented", "on=2022-05-05",
        "obj=post:{post_id}", "before=50000",
    ),
    "/posts/new": ("case={slug}", "again={post_id}&account=rehearsal-x", "corrects={post_id}"),
    "/review": ("after={waiting}",),
    "/review/week": ("from={due}",),
    "/standing/new": ("q=nguyen+van+99", "case={slug}"),
    "/calendar.ics": ("key={feed}",),
}  # fmt: skip
SEARCHES = re.compile(r"[?&](q|who|act|obj|on)=")
# Where one value will not do: the post that waits, the one that asks, the event of a case.
INSTEAD: Mapping[str, Mapping[str, str]] = {
    "/hearings/<int:post_id>": {"post_id": "question"},
    "/cases/<slug>/events/<key>": {"key": "event"},
}
ALONE = frozenset({"/calendar.ics"})
TOO_LONG_HERE = {"/consistency.jsonl": 409}
# What rests on all cases, or on all posts, is asked for once more after one of them changed, and after a start.
REST_ON_ALL = (
    "/", "/calendar/2026/11", "/forecast", "/campaigns", "/cases", "/confirm", "/coverage", "/cases/{slug}",
    "/cases/{slug}/cards", "/cards/{key}/wide.png", "/standing/{standing_id}", "/posts/{post_id}",
)  # fmt: skip


@dataclass
class Seen:
    """One address: milliseconds of each time, on the clock and of a processor; bytes as they were sent and unpacked."""

    path: str
    took: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    sent: int = 0
    plain: int = 0

    def timed(self, ask: Callable[[], TestResponse]) -> TestResponse:
        began, busy = time.perf_counter(), time.thread_time()
        answer = ask()
        self.took.append((time.perf_counter() - began) * 1_000)
        self.spent.append((time.thread_time() - busy) * 1_000)
        return answer

    def told(self, when: str, how: str, part: float = 0.95, goal: str = "") -> Figure:
        usual, cpu, most = percentile(self.took, 0.5), percentile(self.spent, 0.5), percentile(self.spent, part)
        said = f"{self.path}{when} (CPU {cpu:.0f} ms)"
        if part > 0.5:
            said = f"{self.path}{when} (p50 {usual:.0f} ms; CPU p50 {cpu:.0f}, p95 {most:.0f} ms): p95"
        return Figure(said, percentile(self.took, part), "ms", how, goal, tuple(round(each, 1) for each in self.took))

    @property
    def goal(self) -> int:
        return SEARCH_MS if SEARCHES.search(self.path) else PAGE_MS

    def figures(self, how: str) -> Iterator[Figure]:
        yield self.told("", how, goal=str(self.goal))
        if self.sent:
            yield Figure(
                f"{self.path} ({self.plain / 1_000:.0f} kB unpacked): sent", self.sent / 1_000, "kB", how, str(PAGE_KB)
            )


@dataclass(frozen=True)
class Reader:
    """Somebody with every role at a browser, straight at the application: no socket, no proxy."""

    ctx: Context
    client: FlaskClient
    names: Mapping[str, str]

    def get(self, path: str, language: str = "vi") -> TestResponse:
        self.client.set_cookie("language", language)
        answer = self.client.get(path, headers={"Accept-Encoding": "gzip"})
        if answer.status_code not in {200, 303, TOO_LONG_HERE.get(path)}:
            raise RuntimeError((path, answer.status_code))
        return answer

    def look(self, seen: Seen, language: str) -> None:
        answer = seen.timed(lambda: self.get(seen.path, language))
        content = answer.get_data()
        if answer.mimetype == "text/html" and answer.status_code == 200:
            seen.sent, seen.plain = max(seen.sent, len(content)), max(seen.plain, len(unpacked(answer)))


def unpacked(answer: TestResponse) -> bytes:
    content = answer.get_data()
    return decompress(content) if answer.headers.get("Content-Encoding") == "gzip" else content


def pages(folder: Path, *, quick: bool) -> Iterator[Figure]:
    size, rounds = (QUICK, QUICK_ROUNDS) if quick else (FULL, ROUNDS)
    named = build(folder / "house", size)
    yield from measured(folder / "house", named, size, rounds)


def measured(folder: Path, named: Mapping[str, str], size: Size, rounds: int) -> Iterator[Figure]:
    gc.set_threshold(OBJECTS_A_SEARCH)  # as the program itself does when it starts
    house = f"{size.posts:,} posts, {size.cases:,} cases, {size.entries:,} entries, SQLite"
    yield from after_a_start(folder, named, house)
    reader = sit_down(folder, named)
    app = reader.client.application
    found = [Seen(path) for path in addresses(app, reader.names)]
    for number in range(rounds + 1):
        say(f"pages: {len(found)} addresses, round {number} of {rounds}")
        for seen in found:
            reader.look(seen, LANGUAGES[number % 2])
    for seen in found:
        del seen.took[0], seen.spent[0]
        yield from seen.figures(f"{house}; {rounds} times in turn, in Vietnamese and English, after once")
    yield from fragments(reader, rounds, house)
    yield from after_changes(reader, house)
    yield from loads(reader, house)
    reader.ctx.store.close()


def sit_down(folder: Path, named: Mapping[str, str]) -> Reader:
    ctx = open_house(folder, likes=LIKES)
    app = create_app(ctx)
    an = next(key for key, alias in ctx.keystore.people().items() if alias == "an")
    with ctx.store.read() as tx:
        account = people.by_pseudonym(tx, an)
    if account is None:
        raise RuntimeError(an)
    client = app.test_client()
    token = sessions.open_session(ctx, account.person).token
    client.set_cookie("session", token)
    visitor = sessions.whose(ctx, token)
    if visitor is None:
        raise RuntimeError(token)
    feed.renew(ctx, visitor, language="vi", with_names=True)
    factors.offer_codes(ctx, account.person)
    own = sessions.whose(ctx, token)
    return Reader(ctx, client, {
        **named, "name": "rehearsal-x", "campaign": "stop-the-crackdown-vn", "year": "2026", "month": "11",
        "shape": "wide", "who": an, "middle": str(int((START.timestamp() - 4 * 365 * 86_400) * 1_000_000)),
        "seq": "5000", "token": invitations.reset(ctx, account.person, "dung"),
        "feed": feed.key_of(ctx, own) if own else "",
    })  # fmt: skip


def addresses(app: Flask, names: Mapping[str, str]) -> list[str]:
    """Of every page there is, so that a new one is measured too; one whose place has no name here raises KeyError."""
    found = []
    views = {
        str(rule): app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    for rule in sorted(rule for rule, view in views.items() if isinstance(view, View)):
        own = {**names, **{key: names[value] for key, value in INSTEAD.get(rule, {}).items()}}
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule).format(**own)
        found += [] if rule in ALONE else [path]
        found += [f"{path}?{query.format(**own)}" for query in ALSO.get(rule, ())]
    return found


def after_a_start(folder: Path, named: Mapping[str, str], house: str) -> Iterator[Figure]:
    """Each in a program that has answered nothing yet."""
    how = f"{house}; the first request to a program that has just started, once"
    for each in REST_ON_ALL:
        reader = sit_down(folder, named)
        path = each.format(**reader.names)
        say(f"pages: {path} after a start")
        seen = Seen(path)
        reader.look(seen, LANGUAGES[0])
        yield seen.told(", first after a start", how, 0.5)
        reader.ctx.store.close()


def after_changes(reader: Reader, house: str) -> Iterator[Figure]:
    """What was kept of the cases, or of the posts, no longer holds."""
    ctx, paths = reader.ctx, [path.format(**reader.names) for path in REST_ON_ALL]
    with ctx.store.read() as tx:
        writer, reviewer = (
            account.person
            for alias in ("binh", "chi")
            for key, name in ctx.keystore.people().items()
            if name == alias and (account := people.by_pseudonym(tx, key))
        )
    changing = iter(cases.find_cases(ctx, CHANGED, limit=CHANGES * len(paths)))
    kinds: Mapping[str, Callable[[], object]] = {
        "a case changed": lambda: cases.confirm_status(
            ctx, writer, next(changing).slug, PartialDate(2026, 11, 20), ["https://example.org/news"]
        ),
        "a comment on a post": lambda: readings.comment(ctx, reviewer, int(reader.names["waiting"]), "Xin xem lại."),
    }
    for kind, change in kinds.items():
        say(f"pages: after {kind}")
        for path in paths:
            seen = Seen(path)
            for number in range(CHANGES):
                change()
                reader.look(seen, LANGUAGES[number % 2])
            how = f"{house}; the next request after each of {CHANGES} such changes"
            yield seen.told(f", after {kind}", how, 0.5, str(PAGE_MS))


def fragments(reader: Reader, rounds: int, house: str) -> Iterator[Figure]:
    """What htmx asks for: the check while somebody types, and a post of the week's review."""
    how = f"{house}; {rounds} times in turn, in Vietnamese and English"
    page = unpacked(reader.get(f"/posts/new?case={reader.names['slug']}")).decode()
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    typed = {
        "csrf_token": token, "campaign": reader.names["campaign"], "cases": reader.names["slug"], "when": "slot",
        "slot": "next", "channels": [f"rehearsal-{like}" for like in LIKES],
        "vi": "Xin đừng quên những người ở tù. " * 5, "en": "Do not forget the people in prison. " * 5,
    }  # fmt: skip
    waiting, headers = f"/review/{reader.names['waiting']}", {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    headers["Accept-Encoding"] = "gzip"
    asks: Mapping[str, Callable[[], TestResponse]] = {
        "/posts/check": lambda: reader.client.post("/posts/check", data=typed, headers=headers),
        waiting: lambda: reader.client.get(waiting, headers=headers),
    }
    for path, ask in asks.items():
        seen, sent = Seen(path), 0
        for number in range(rounds):
            reader.client.set_cookie("language", LANGUAGES[number % 2])
            answer = seen.timed(ask)
            if answer.status_code != 200:
                raise RuntimeError((path, answer.status_code))
            sent = max(sent, len(answer.get_data()))
        yield seen.told(", as a fragment", how, goal=str(FRAGMENT_MS))
        yield Figure(f"{path}, as a fragment: sent", sent / 1_000, "kB", how, str(FRAGMENT_KB))


def loads(reader: Reader, house: str) -> Iterator[Figure]:
    """A browser's first page with all it draws on, and the next ones, for which it keeps what never changes."""
    how = f"{house}; gzip, heads of the answers not counted; the letters are the reader's own, no font is sent"
    for path in (each.format(**reader.names) for each in ("/login", "/", "/review/{post_id}", "/cases/{slug}")):
        page = unpacked(reader.get(path)).decode()
        drawn = dict.fromkeys(re.findall(r'<(?:link[^>]*href|script[^>]*src|img[^>]*src)="([^"]+)"', page))
        weighs = {each: len(reader.get(each).get_data()) for each in drawn}
        html = len(reader.get(path).get_data())
        yield Figure(f"{path}: first load", (html + sum(weighs.values())) / 1_000, "kB", how, str(FIRST_KB))
        kept = sum(size for each, size in weighs.items() if urlsplit(each).path.startswith("/static/"))
        later = html + sum(weighs.values()) - kept
        yield Figure(f"{path}: later load", later / 1_000, "kB", how, str(PAGE_KB))
        yield Figure(f"{path}: requests of the first load", 1 + len(drawn), "", how, str(REQUESTS))
