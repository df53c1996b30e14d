"""One thing changed after the yes, by each way in: nothing of the post goes out, and its untouched neighbour does.

Seven kinds of change by four ways: 28 cells of one post each, and of eighteen, 504 in all, in the thorough profile.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import update

from bot.cli import invoke
from bot.cli.frame import Session
from bot.domain.case import Case, PartialDate
from bot.domain.delivery import DeliveryState
from bot.domain.post import Cite, Content, Post
from bot.library.images import image_path
from bot.services import cases, posts, review
from bot.services.context import Context
from bot.services.posts import When
from bot.store import tables
from tests.farside import CAMPAIGN, NINE, FarSide, deliveries_of, drain, go_to, worker_of
from tests.house import Crew, FakeClock
from tests.sample_cases import SOURCE, a_case, an_event
from tests.web.conftest import Browser
from tests.writing import a_png, on_file

WAYS = ("web", "cli", "service", "sql")
KINDS = ("text", "picture", "alt", "account", "language", "window", "fact")
EACH = max(1, hypothesis.settings().max_examples // 27)
X, FACEBOOK = "rehearsal-x", "rehearsal-facebook"
Change = Callable[["Desk", Post, int], object]


@dataclass(frozen=True)
class Desk:
    """Where all four ways in lie side by side; `far` keeps what the world got to see."""

    ctx: Context
    crew: Crew
    browser: Browser
    far: FarSide
    folder: Path

    def type(self, *words: str) -> None:
        with redirect_stdout(StringIO()) as said:
            assert invoke(["--config", str(self.folder / "config.toml"), *words, "--as", "binh"]) == 0, said.getvalue()

    def edit(self, post: Post, **facts: Any) -> None:  # noqa: ANN401
        changed = replace(post.content, **facts)
        posts.edit_post(self.ctx, self.crew.coordinator, post.id, changed, revision=post.revision)

    def fill_in(self, post: Post, typed: Mapping[str, Any]) -> None:
        """The page that people write on; a picture makes it a form with files."""
        self.browser.get(f"/posts/{post.id}/edit")
        if "picture" in typed:
            self.browser.upload(f"/posts/{post.id}/edit", {**self.browser.filled("Save draft"), "do": "save", **typed})
        else:
            self.browser.press("Save draft", typed)

    def spoil(self, table: str, number: int, **values: object) -> None:
        found = tables.metadata.tables[table]
        key = found.c.post_id if table == "deliveries" else found.c.id
        with self.ctx.store.write() as tx:
            assert tx.execute(update(found).where(key == number).values(**values)).rowcount

    def swap(self, post: Post, before: str, after: str, *, where: int) -> None:
        """The same letters in one of the three places that hold them, or in all."""
        row = deliveries_of(self.ctx, post)[0]
        held = {"posts.document": post.document, "posts.manifest": post.manifest, "deliveries.content": row.content}
        # The manifest and the document hold one another as text of text.
        chosen = list(held) if where % 4 == 3 else [list(held)[where % 4]]
        for place in chosen:
            table, _, column = place.partition(".")
            spoilt = held[place].replace(before, after)
            assert spoilt != held[place], (place, before, held[place])
            self.spoil(table, post.id, **{column: spoilt})


@pytest.fixture
def desk(ctx: Context, crew: Crew, binh: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Both accounts are on the far side, which could send everything at once."""
    far = FarSide()
    for name, channel in list(ctx.channels.items()):
        rhythm = replace(channel.rhythm, daily_cap=10_000, spacing_minutes=0)
        ctx.channels[name] = replace(channel, platform=far, rhythm=rhythm)  # type: ignore[index]
    (tmp_path / "config.toml").write_text(
        "".join(
            f'[[channel]]\nname = "{name}"\nplatform = "rehearsal"\nlike = "{name[10:]}"\n' for name in (X, FACEBOOK)
        )
    )
    monkeypatch.setenv("CAMPAIGNBOT_TOKEN", crew.tokens["binh"])
    monkeypatch.setattr(Session, "ctx", property(lambda _session: ctx))
    return Desk(ctx, crew, binh, far, tmp_path)


def mark(number: int) -> str:
    return f"số{number:04}"


def person(number: int) -> Case:
    """Of nobody; two letters a number, because a name holds no digits."""
    tail = chr(65 + number // 26) + chr(97 + number % 26)
    slug = f"nguyen-van-{tail.lower()}"
    return a_case(an_event(court="Court A"), slug=slug, name_vi=f"Nguyễn Văn {tail}", name_en=f"Nguyen Van {tail}")


def approved(desk: Desk, number: int) -> Post:
    """Written by one, approved by two others, due at nine: a text, a picture and a cited fact, all its own."""
    who = person(number)
    on_file(desk.ctx, who)
    picture = posts.add_picture(
        desk.ctx,
        desk.crew.coordinator,
        a_png(8 + number, 6),
        alt_vi=f"Ảnh {mark(number)}",
        alt_en=f"Photo {mark(number)}",
    )
    content = Content(
        CAMPAIGN,
        {
            ("vi", ""): f"Xin nhắc {who.name_vi}, {mark(number)}.",
            ("en", ""): f"Remember {who.name_en}, {mark(number)}.",
        },
        (FACEBOOK,),
        pictures=(picture,),
        cases=(who.slug,),
        cites=(Cite(who.slug, f"event:{who.events[0].key}", 1),),
    )
    post = posts.add_post(desk.ctx, desk.crew.coordinator, content, When(at=NINE))
    post = review.submit(desk.ctx, desk.crew.coordinator, post.id)
    for reviewer in (desk.crew.reviewer, desk.crew.second_reviewer):
        if not review.approve(desk.ctx, reviewer, post.id, post.digest).missing:
            break
    return posts.get_post(desk.ctx, post.id)


def _text(post: Post) -> tuple[str, str]:
    """Some language, and that text with one letter more."""
    language = ("vi", "en")[post.id % 2]
    return language, post.content.texts[language, ""].replace("số", "số ")


def _sql_text(desk: Desk, post: Post, turn: int) -> None:
    desk.swap(post, "số", "sô", where=turn)


TEXT: Mapping[str, Change] = {
    "web": lambda desk, post, _: desk.fill_in(post, dict([_text(post)])),
    "cli": lambda desk, post, _: desk.type("post", "edit", str(post.id), f"--{_text(post)[0]}", _text(post)[1]),
    "service": lambda desk, post, _: desk.edit(
        post, texts={**post.content.texts, (_text(post)[0], ""): _text(post)[1]}
    ),
    "sql": _sql_text,
}


def _web_picture(desk: Desk, post: Post, turn: int) -> None:
    (old,) = post.content.pictures
    new = {"picture": (BytesIO(a_png(8, 7 + turn)), "a.png"), "alt_vi": old.alt["vi"], "alt_en": old.alt["en"]}
    desk.fill_in(post, {**new, "drop": old.digest})


def _type_picture(desk: Desk, post: Post, turn: int, alt_vi: str = "") -> None:
    (old,) = post.content.pictures
    file = desk.folder / "a.png"
    file.write_bytes(image_path(desk.ctx.data_dir, old.digest, old.mime).read_bytes() if alt_vi else a_png(8, 7 + turn))
    alts = ("--alt-vi", alt_vi or old.alt["vi"], "--alt-en", old.alt["en"])
    desk.type("post", "edit", str(post.id), "--media", str(file), *alts)


def _other_picture(desk: Desk, post: Post, turn: int) -> None:
    alt = {f"alt_{language}": text for language, text in post.content.pictures[0].alt.items()}
    new = posts.add_picture(desk.ctx, desk.crew.coordinator, a_png(8, 7 + turn), **alt)
    desk.edit(post, pictures=(new,))


def _flip(desk: Desk, post: Post, turn: int) -> None:
    """One bit of the very file; or another picture's name, everywhere or in one place."""
    (picture,) = post.content.pictures
    path = image_path(desk.ctx.data_dir, picture.digest, picture.mime)
    if turn % 2:
        desk.swap(post, picture.digest, "0" * 64, where=turn // 2)
        return
    raw = bytearray(path.read_bytes())
    raw[turn * 7 % len(raw)] ^= 1 << turn % 8
    path.chmod(0o600)
    path.write_bytes(raw)


PICTURE: Mapping[str, Change] = {"web": _web_picture, "cli": _type_picture, "service": _other_picture, "sql": _flip}


def _web_alt(desk: Desk, post: Post, turn: int) -> None:
    del turn
    (old,) = post.content.pictures
    desk.fill_in(post, {f"alt_vi:{old.digest}": old.alt["vi"] + " khác"})


ALT: Mapping[str, Change] = {
    "web": _web_alt,
    "cli": lambda desk, post, turn: _type_picture(desk, post, turn, post.content.pictures[0].alt["vi"] + " khác"),
    "service": lambda desk, post, _: desk.edit(
        post, pictures=(replace(post.content.pictures[0], alt={"vi": "Một ảnh khác.", "en": "Another picture."}),)
    ),
    "sql": lambda desk, post, turn: desk.swap(post, f"Ảnh {mark(0)[:2]}", "Tranh số", where=turn),
}


def _sql_account(desk: Desk, post: Post, turn: int) -> None:
    if turn % 3 == 0:
        desk.spoil("deliveries", post.id, channel=X)
    elif turn % 3 == 1:
        desk.spoil("posts", post.id, manifest=post.manifest.replace("rehearsal/facebook", "rehearsal/x"))
    else:
        desk.spoil("posts", post.id, manifest=post.manifest.replace(FACEBOOK, X))
        desk.spoil("deliveries", post.id, channel=X)


ACCOUNT: Mapping[str, Change] = {
    "web": lambda desk, post, turn: desk.fill_in(post, {"channels": [X, FACEBOOK] if turn % 2 else X}),
    "cli": lambda desk, post, _: desk.type("post", "edit", str(post.id), "--channels", X),
    "service": lambda desk, post, turn: desk.edit(post, channels=(X,) if turn % 2 else (FACEBOOK, X)),
    "sql": _sql_account,
}


def _languages(post: Post) -> dict[str, str]:
    """Each text in the other's place."""
    return {"vi": post.content.texts["en", ""], "en": post.content.texts["vi", ""]}


def _sql_language(desk: Desk, post: Post, turn: int) -> None:
    (row, *_) = deliveries_of(desk.ctx, post)
    said = json.dumps(json.loads(row.content)["languages"], separators=(",", ":"))
    if turn % 2:
        desk.spoil("deliveries", post.id, content=row.content.replace(f'"languages":{said}', '"languages":["en"]'))
    else:
        desk.spoil("posts", post.id, manifest=post.manifest.replace(f'"languages":{said}', '"languages":["en"]'))


LANGUAGE: Mapping[str, Change] = {
    "web": lambda desk, post, _: desk.fill_in(post, _languages(post)),
    "cli": lambda desk, post, _: desk.type(
        "post", "edit", str(post.id), "--vi", _languages(post)["vi"], "--en", _languages(post)["en"]
    ),
    "service": lambda desk, post, _: desk.edit(
        post, texts={(language, ""): text for language, text in _languages(post).items()}
    ),
    "sql": _sql_language,
}


def _web_window(desk: Desk, post: Post, turn: int) -> None:
    desk.browser.get(f"/posts/{post.id}")
    typed = {"when": "at", "day": "2026-11-22", "hour": f"08:{30 + turn % 30}", "zone": "Asia/Ho_Chi_Minh"}
    if turn % 2:
        desk.browser.post(typed, to=f"/posts/{post.id}/schedule")
    else:
        desk.fill_in(post, typed)


def _type_window(desk: Desk, post: Post, turn: int) -> None:
    desk.type("post", "schedule", str(post.id), "--at", f"2026-11-22 08:{30 + turn % 30}", "--grace", "2h")


def _sql_window(desk: Desk, post: Post, turn: int) -> None:
    early, late = {"due_at": NINE - timedelta(minutes=20)}, {"not_after": NINE + timedelta(days=3)}
    values = (early, late, early | late)[turn % 3]
    desk.spoil("deliveries", post.id, **values)


WINDOW: Mapping[str, Change] = {
    "web": _web_window,
    "cli": _type_window,
    "service": lambda desk, post, turn: posts.schedule(
        desk.ctx, desk.crew.coordinator, post.id, When(at=NINE - timedelta(minutes=1 + turn), grace=timedelta(hours=2))
    ),
    "sql": _sql_window,
}


def _web_fact(desk: Desk, post: Post, turn: int) -> None:
    slug = post.content.cases[0]
    if turn % 2:
        desk.browser.get(f"/cases/{slug}/edit?fact=identity")
        desk.browser.press("See what it does", {"name_en": "Nguyen Van Z", "source": SOURCE + "/new"})
    else:
        desk.browser.get(f"/cases/{slug}/events/arrest-2020-10-07")
        desk.browser.press("See what it does", {"date": "2020-10-08", "sources": SOURCE + "/new"})
    desk.browser.press("Save this")


def _type_fact(desk: Desk, post: Post, turn: int) -> None:
    slug, new = post.content.cases[0], ("--source", SOURCE + "/new", "--yes")
    if turn % 2:
        desk.type("case", "edit", slug, "--set", "name_en=Nguyen Van Z", *new)
    else:
        desk.type("case", "event", "edit", slug, "arrest-2020-10-07", "--set", "date=2020-10-08", *new)


def _changed_fact(desk: Desk, post: Post, turn: int) -> None:
    case = cases.get_case(desk.ctx, post.content.cases[0])
    moved = (replace(case.events[0], date=PartialDate.parse("2020-10-08")),)
    changed = replace(case, name_en="Nguyen Van Z") if turn % 2 else replace(case, events=moved)
    cases.change_case(desk.ctx, desk.crew.coordinator, case.slug, changed, SOURCE + "/new")


def _sql_fact(desk: Desk, post: Post, turn: int) -> None:
    with desk.ctx.store.read() as tx:
        row = tx.execute(tables.cases.select().where(tables.cases.c.slug == post.content.cases[0])).one()
    one = (
        {"document": row.document.replace('"date":"2020-10-07"', '"date":"2020-10-08"')},
        {"revisions": row.revisions.replace('"identity":1', '"identity":2')},
        {"document": row.document.replace("Nguyen Van", "Nguyen Thi")},
        {"document": row.document.replace('"consent":"unknown"', '"consent":"refused"')},
        {"slug": f"nobody-{turn}"},
    )[turn % 5]
    assert set(one.values()) - {row.document, row.revisions}
    desk.spoil("cases", row.id, **one)


FACT: Mapping[str, Change] = {"web": _web_fact, "cli": _type_fact, "service": _changed_fact, "sql": _sql_fact}
CHANGES = dict(zip(KINDS, (TEXT, PICTURE, ALT, ACCOUNT, LANGUAGE, WINDOW, FACT), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_what_was_changed_after_approval_is_not_published(desk: Desk, clock: FakeClock, way: str, kind: str) -> None:
    changed = [approved(desk, number) for number in range(EACH)]
    untouched = [approved(desk, number) for number in range(EACH, EACH + 1)]
    for turn, post in enumerate(changed):
        CHANGES[kind][way](desk, post, turn)
    go_to(clock, NINE - timedelta(minutes=45))
    worker = worker_of(desk.ctx)
    while clock.now() < NINE + timedelta(hours=3):
        clock.advance(minutes=15)
        drain(desk.ctx, worker, most=100)
    seen = {parcel.text for parcel in desk.far.accepted}
    assert len(desk.far.accepted) == len(untouched)
    assert seen == {json.loads(row.content)["text"] for post in untouched for row in deliveries_of(desk.ctx, post)}
    assert all(mark(EACH) in text for text in seen)
    for post in changed:
        assert {row.state for row in deliveries_of(desk.ctx, post)} <= {
            DeliveryState.HELD, DeliveryState.CANCELLED, DeliveryState.MISSED,
        }  # fmt: skip
