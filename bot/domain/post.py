"""What is to be said, and the exact bytes each channel would get: frozen before review, never rendered after."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.domain.campaign import LANGUAGES
from bot.domain.people import Scope
from bot.domain.text import TextRules, count, fits, split_parts


class PostState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    PARTLY_PUBLISHED = "partly_published"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


EDITABLE = frozenset({PostState.DRAFT, PostState.RETURNED, PostState.IN_REVIEW, PostState.SCHEDULED, PostState.LAPSED})
OPEN = frozenset({PostState.IN_REVIEW, PostState.SCHEDULED})


class Layout(StrEnum):
    """Both languages in one part, one replying to the other, or two separate posts."""

    JOINED = "joined"
    THREAD = "thread"
    SEPARATE = "separate"


DEFAULT_LAYOUT: Mapping[str, Layout] = {
    "x": Layout.THREAD,
    "bluesky": Layout.THREAD,
    "facebook": Layout.JOINED,
    "mastodon": Layout.JOINED,
    "telegram": Layout.JOINED,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What the rules need to know of a channel. `like` names the platform whose limits and habits hold."""

    name: str
    platform: str
    like: str
    rules: TextRules
    layout: Layout
    languages: tuple[str, ...]
    timezone: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A cleaned image by the SHA-256 of its bytes, described in both languages.

    `day` is the only local date on which it is true, as 2026-12-31; "" where it says nothing of its day.
    """

    digest: str
    mime: str
    width: int
    height: int
    alt: Mapping[str, str]
    day: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """When one channel gets it: not before `due`, not after `not_after`; both UTC."""

    channel: str
    due: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Cite:
    """A fact the words rest on, as it stood: its case, its key and its revision."""

    case: str
    fact: str
    revision: int


@dataclass(frozen=True, slots=True)
class Content:
    """A post's whole content. `texts` is keyed by (language, target): target "" is the common text,
    else the name of a channel or a platform; the channel's own wins, then the platform's.

    `tier` is the strongest claim the words make about the cases named, and `on` the local day they speak of.
    """

    campaign: str
    texts: Mapping[tuple[str, str], str]
    channels: tuple[str, ...]
    windows: tuple[Window, ...] = ()
    pictures: tuple[Picture, ...] = ()
    cases: tuple[str, ...] = ()
    cites: tuple[Cite, ...] = ()
    kind: str = "general"
    tier: str = ""
    model: str = ""
    on: str = ""
    note: str = ""

    def text(self, language: str, profile: Profile) -> str:
        for target in (profile.name, profile.like, ""):
            if (language, target) in self.texts:
                return self.texts[language, target]
        return ""

    def window(self, channel: str) -> Window | None:
        return next((window for window in self.windows if window.channel == channel), None)

    @property
    def due(self) -> datetime | None:
        return min((window.due for window in self.windows), default=None)

    @property
    def scope(self) -> Scope:
        return Scope(frozenset({self.campaign}), frozenset(self.channels))

    def scope_on(self, channel: str) -> Scope:
        """What of it goes out there."""
        return Scope(frozenset({self.campaign}), frozenset({channel}))


@dataclass(frozen=True, slots=True)
class Illustration:
    """A picture as one part carries it, with the description in that part's language."""

    digest: str
    mime: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Part:
    """One message as a channel will get it. `reply_to` is the index of the part it answers."""

    text: str
    languages: tuple[str, ...]
    images: tuple[Illustration, ...] = ()
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Rendition:
    """All parts for one channel, in order of sending."""

    channel: str
    platform: str
    account: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A text that cannot be shown on a channel: by how much it is over, in that channel's own unit."""

    channel: str
    language: str
    count: int
    limit: int

    @property
    def overflow(self) -> int:
        return self.count - self.limit


def render(content: Content, profile: Profile) -> Rendition | Misfit:
    """The exact parts for one channel, or the first text that does not fit it.

    A joined text that is too long for one part becomes a thread, the second language answering the first; its
    pictures stay on the first part, described in both, for a comment on Facebook takes one picture.
    """
    texts = {language: content.text(language, profile) for language in profile.languages}
    if profile.layout is Layout.JOINED and len(texts) > 1:
        joined = "\n\n".join(texts.values())
        if "\n---\n" not in joined and fits(joined, profile.rules, with_media=bool(content.pictures)):
            part = Part(joined, tuple(texts), _illustrations(content.pictures, tuple(texts)))
            return Rendition(profile.name, profile.platform, profile.account, (part,))
    parts: list[Part] = []
    for language, text in texts.items():
        pieces = split_parts(text, profile.rules, with_media=bool(content.pictures))
        if pieces is None:
            return Misfit(profile.name, language, count(text, profile.rules), profile.rules.limit)
        for number, piece in enumerate(pieces):
            starts_alone = not parts or (number == 0 and profile.layout is Layout.SEPARATE)
            described_in = tuple(texts) if profile.layout is Layout.JOINED else (language,)
            has_pictures = not parts if profile.layout is Layout.JOINED else number == 0
            images = _illustrations(content.pictures, described_in) if has_pictures else ()
            parts.append(Part(piece, (language,), images, None if starts_alone else len(parts) - 1))
    return Rendition(profile.name, profile.platform, profile.account, tuple(parts))


def _illustrations(pictures: Sequence[Picture], languages: Sequence[str]) -> tuple[Illustration, ...]:
    def described(picture: Picture) -> str:
        return "\n\n".join(picture.alt[language] for language in languages if picture.alt.get(language))

    return tuple(Illustration(p.digest, p.mime, p.width, p.height, described(p)) for p in pictures)


def canonical(value: object) -> str:
    """One spelling for one value: sorted keys, no spaces, letters as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def moment_text(moment: datetime) -> str:
    """UTC with microseconds, always the same length."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(text: str) -> datetime:
    """Raises ValueError for whatever `moment_text` did not write."""
    moment = datetime.fromisoformat(text)
    if moment_text(moment) != text:
        raise ValueError(text)
    return moment


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Window | Picture | Cite | Illustration | Part | Content | Rendition):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return moment_text(value) if isinstance(value, datetime) else value


def content_to_plain(content: Content) -> dict[str, Any]:
    texts = sorted(content.texts.items())
    rows = [{"language": language, "target": target, "text": text} for (language, target), text in texts]
    return {**_plain(content), "texts": rows}


def content_from_plain(plain: Mapping[str, Any]) -> Content:
    read = {
        "texts": {(row["language"], row["target"]): row["text"] for row in plain["texts"]},
        "channels": tuple(plain["channels"]),
        "windows": tuple(
            Window(w["channel"], read_moment(w["due"]), read_moment(w["not_after"])) for w in plain["windows"]
        ),
        "pictures": tuple(Picture(**picture) for picture in plain["pictures"]),
        "cases": tuple(plain["cases"]),
        "cites": tuple(Cite(**cite) for cite in plain["cites"]),
    }
    return Content(**{**plain, **read})


def part_to_plain(part: Part) -> dict[str, Any]:
    return {**_plain(part), "reply_to": -1 if part.reply_to is None else part.reply_to}


def part_from_plain(plain: Mapping[str, Any]) -> Part:
    images = tuple(Illustration(**image) for image in plain["images"])
    reply_to = None if plain["reply_to"] < 0 else plain["reply_to"]
    return Part(plain["text"], tuple(plain["languages"]), images, reply_to)


def manifest(post_id: int, document: str, renditions: Sequence[Rendition]) -> str:
    """The canonical text whose SHA-256 is what a reviewer approves.

    It holds every byte that goes out, to which account and when, and the digest of the post's document,
    which names the facts cited; so any change of any of them gives another digest.
    """
    rendered = [{**_plain(one), "parts": [part_to_plain(part) for part in one.parts]} for one in renditions]
    return canonical({"post": post_id, "document": sha256(document), "renditions": rendered})


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it stands. `digest` is set while its renditions are frozen for review or sending."""

    id: int
    state: PostState
    content: Content
    revision: int
    added_at: datetime
    changed_at: datetime
    reason: str = ""
    occasion: str = ""
    standing_id: int | None = None
    corrects_id: int | None = None
    document: str = field(default="", repr=False)
    manifest: str = field(default="", repr=False)
    digest: str = ""

    @property
    def due(self) -> datetime | None:
        return self.content.due


def missing_languages(content: Content) -> tuple[str, ...]:
    return tuple(language for language in LANGUAGES if not content.texts.get((language, ""), "").strip())
