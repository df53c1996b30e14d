"""How long a text is for each platform, in that platform's own unit, and how it becomes a thread.

Where a platform does not say how it counts, the larger number is taken: a text that fits here fits there.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import regex

from bot.domain import emoji
from bot.domain.links import Link, find, outside
from bot.domain.sentences import paragraphs, sentences, without_tail

__all__ = [
    "MAX_TEXT", "RULES", "Counting", "Figures", "Link", "TextRules",
    "count", "figures", "fits", "fitting", "links", "nfc", "overflow", "split_parts", "unbroken",
]  # fmt: skip

MAX_TEXT = 5_000
"""Code points; no post is longer, and nothing longer is worth counting."""


class Counting(StrEnum):
    X = "x"
    BLUESKY = "bluesky"
    MASTODON = "mastodon"
    TELEGRAM = "telegram"
    FACEBOOK = "facebook"


@dataclass(frozen=True, slots=True)
class TextRules:
    """The limits of one channel, in the platform's own unit; `byte_limit` is in UTF-8 bytes."""

    counting: Counting
    limit: int
    byte_limit: int | None = None
    link_weight: int | None = None  # what a link counts, whatever its length
    caption_limit: int | None = None  # the limit of a text that comes with media, where that is another


RULES: Mapping[str, TextRules] = MappingProxyType({
    "x": TextRules(Counting.X, limit=280, link_weight=23),
    "facebook": TextRules(Counting.FACEBOOK, limit=63_206),
    "bluesky": TextRules(Counting.BLUESKY, limit=300, byte_limit=3_000),
    "mastodon": TextRules(Counting.MASTODON, limit=500, link_weight=23),
    "telegram": TextRules(Counting.TELEGRAM, limit=4_096, caption_limit=1_024),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """What the writer sees beside the text. `double`: how many letters outside links count as two on X."""

    count: int
    limit: int
    bytes: int
    links: tuple[Link, ...]
    double: int


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def links(text: str) -> tuple[Link, ...]:
    """The links X would make; offsets are those of `nfc(text)`."""
    return find(nfc(text))


def count(text: str, rules: TextRules) -> int:
    normal = nfc(text)
    match rules.counting:
        case Counting.X:
            return _x_weight(normal, rules.link_weight or 0)
        case Counting.BLUESKY:
            return _graphemes(normal)
        case Counting.MASTODON:
            return _graphemes(_as_mastodon_counts(normal, rules.link_weight))
        case Counting.TELEGRAM | Counting.FACEBOOK:
            # UTF-16 units are never fewer than code points, so both readings of the limit are satisfied.
            return len(normal.encode("utf-16-le", "surrogatepass")) // 2


def overflow(text: str, rules: TextRules, *, with_media: bool = False) -> int:
    """By how much the text is too long, in the platform's unit, or in bytes when only these are too many."""
    limit = rules.caption_limit if with_media and rules.caption_limit else rules.limit
    over = max(0, count(text, rules) - limit)
    if over == 0 and rules.byte_limit is not None:
        return max(0, _utf8_bytes(nfc(text)) - rules.byte_limit)
    return over


def fits(text: str, rules: TextRules, *, with_media: bool = False) -> bool:
    return overflow(text, rules, with_media=with_media) == 0


def fitting(text: str, rules: TextRules, *, with_media: bool = False) -> int:
    """How many code points of `nfc(text)` fit."""
    normal = nfc(text)
    over = range(1, len(normal) + 1)
    return bisect_left(over, 1, key=lambda end: not fits(normal[:end], rules, with_media=with_media))


def figures(text: str, rules: TextRules, *, with_media: bool = False) -> Figures:
    normal = nfc(text)
    pieces = outside(normal)[1] if rules.counting is Counting.X else ()
    return Figures(
        count=count(normal, rules),
        limit=rules.caption_limit if with_media and rules.caption_limit else rules.limit,
        bytes=_utf8_bytes(normal),
        links=find(normal),
        double=sum(len(_DOUBLE_LETTER.findall(piece)) for piece in pieces),
    )


def _utf8_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


# X: configuration v3 of twitter-text; a character outside these ranges counts two.
_SINGLE = r"\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037"
_DOUBLE = re.compile(f"[^{_SINGLE}]")
_DOUBLE_LETTER = regex.compile(rf"(?V1)[\p{{L}}--[{_SINGLE}]]")
_ONE_EMOJI = "\U0001f54a"  # any that counts two


def _x_weight(normal: str, link_weight: int) -> int:
    number, pieces = outside(normal)
    plain = (emoji.as_one(piece, _ONE_EMOJI) for piece in pieces)
    return link_weight * number + sum(len(piece) + len(_DOUBLE.findall(piece)) for piece in plain)


_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_GRAPHEME = regex.compile(r"\X")


def _graphemes(text: str) -> int:
    # A pair of regional letters breaks where a letter breaks; long rows of them would take quadratic time.
    # Not concurrent: the package would let other threads run at each, and wait for its turn again.
    return len(_GRAPHEME.findall(_FLAG.sub("x", text), concurrent=False))


_REMOTE_MENTION = re.compile(r"(?<![=/\w])(@[A-Za-z0-9_]++)@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?+")


def _as_mastodon_counts(normal: str, link_weight: int | None) -> str:
    """Each http(s) link becomes a placeholder, each `@user@domain` its first half; a bare domain stays."""
    found = tuple(link for link in find(normal) if not link.bare) if link_weight is not None else ()
    ends = [0, *(link.end for link in found)]
    pieces = (normal[done : link.start] for done, link in zip(ends, found, strict=False))
    placeholder = "x" * (link_weight or 0)
    return _REMOTE_MENTION.sub(r"\1", "".join(piece + placeholder for piece in pieces) + normal[ends[-1] :])


_BREAK = re.compile(r"^---[ \t]*$", re.MULTILINE)


def unbroken(text: str) -> str:
    """The text where it is one post: each break line becomes an empty line."""
    return "\n\n".join(piece for piece in map(str.strip, _BREAK.split(nfc(text))) if piece)


def split_parts(text: str, rules: TextRules, *, with_media: bool = False) -> tuple[str, ...] | None:
    """The posts of a thread, or None where a sentence alone is too long. Media comes with the first.

    Breaks at the writer's own lines `---`, then between paragraphs, then between sentences; hashtags and links
    at the end stay with what they follow as long as that fits.
    """
    parts: list[str] = []
    for piece in filter(None, map(str.strip, _BREAK.split(nfc(text)))):
        packed = _pack(piece, rules, with_media=with_media and not parts)
        if packed is None:
            return None
        parts += packed
    return tuple(parts)


def _pack(piece: str, rules: TextRules, *, with_media: bool) -> list[str] | None:
    if fits(piece, rules, with_media=with_media):
        return [piece]
    parts: list[str] = []
    for gap, unit in _glued(_units(piece, rules, with_media=with_media), rules):
        if parts and fits(longer := parts[-1] + gap + unit, rules, with_media=with_media and len(parts) == 1):
            parts[-1] = longer
        elif fits(unit, rules, with_media=with_media and not parts):
            parts.append(unit)
        else:
            return None
    return parts


def _units(piece: str, rules: TextRules, *, with_media: bool) -> Iterator[tuple[str, str]]:
    """The paragraphs that fit, the sentences of those that do not, the tail; each with the gap before it."""
    body, tail_gap, tail = without_tail(piece)
    every = list(paragraphs(body))
    for k, (gap, paragraph) in enumerate(every):
        with_tail = paragraph + tail_gap + tail if k == len(every) - 1 else paragraph
        if fits(with_tail, rules, with_media=with_media and k == 0):
            yield gap, paragraph
        else:
            for inner_gap, sentence in sentences(paragraph):
                yield inner_gap or gap, sentence
    if tail:
        yield tail_gap, tail


def _glued(units: Iterable[tuple[str, str]], rules: TextRules) -> list[tuple[str, str]]:
    """The tail joined to the unit before it, where it fits, so that it does not stand alone."""
    *units_before, last = units
    if units_before and without_tail(last[1])[0] == "":
        gap, unit = units_before[-1]
        if fits(whole := unit + "".join(last), rules):
            return [*units_before[:-1], (gap, whole)]
    return [*units_before, last]
