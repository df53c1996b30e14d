"""Whether the Vietnamese and the English say the same: people, dates, durations, numbers, links and hashtags."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from bot.domain.links import find
from bot.domain.text import nfc

Language = Literal["vi", "en"]
Kind = Literal["text", "person", "date", "duration", "number", "link", "hashtag"]

_KINDS: Sequence[Kind] = get_args(Kind)
_ONCE = frozenset({"person", "link", "hashtag"})
_ONLY_IN = {"vi": "Only the Vietnamese has “{x}”.", "en": "Only the English has “{x}”."}
_ONE_SIDE = {"vi": "There is no English text.", "en": "There is no Vietnamese text."}


@dataclass(frozen=True, slots=True)
class Difference:
    kind: Kind
    only_in: Language
    shown: str
    template: str

    @property
    def sentence(self) -> str:
        return self.template.format(x=self.shown)


@dataclass(frozen=True, slots=True)
class _Said:
    """One thing a text says: what it means in either language, and how it is written here."""

    kind: Kind
    key: Hashable
    shown: str


def compare(
    vi: str, en: str, *, names: Sequence[tuple[str, str]] = (), own_tags: Collection[str] = ()
) -> tuple[Difference, ...]:
    """What one text says and the other does not. `names` are pairs (Vietnamese, English).

    A person counts once however often named, as do links and hashtags; numbers count each time. `own_tags` are
    hashtags which one language may have alone. A link may differ in its language: /vi and /en are the same page.
    """
    vi, en = nfc(vi), nfc(en)
    if not (vi.strip() and en.strip()):
        sides: tuple[tuple[Language, str], ...] = (("vi", vi), ("en", en))
        return tuple(Difference("text", side, "", _ONE_SIDE[side]) for side, text in sides if text.strip())
    own = frozenset(_tag_key(tag) for tag in own_tags)
    said_vi, said_en = _said(vi, "vi", names, own), _said(en, "en", names, own)
    found = [*_missing(said_vi, said_en, "vi"), *_missing(said_en, said_vi, "en")]
    return tuple(sorted(found, key=lambda difference: _KINDS.index(difference.kind)))


def _missing(here: Sequence[_Said], there: Sequence[_Said], side: Language) -> Iterator[Difference]:
    left = Counter((said.kind, said.key) for said in there)
    for said in here:
        left[said.kind, said.key] -= 1
        if left[said.kind, said.key] < 0:
            yield Difference(said.kind, side, said.shown, _ONLY_IN[side])


def _said(text: str, side: Language, names: Sequence[tuple[str, str]], own: Collection[str]) -> tuple[_Said, ...]:
    """Each reader takes out what it understood, so that the digits of a link or a date are not read as numbers."""
    said = _people(text, side, names)

    def take(kind: Kind, pattern: re.Pattern[str], meaning: Callable[[re.Match[str]], Hashable]) -> None:
        nonlocal text

        def understood(match: re.Match[str]) -> str:
            said.append(_Said(kind, meaning(match), match[0]))
            return " "

        text = pattern.sub(understood, text)

    text, links = _links(text)
    said += links
    take("hashtag", _HASHTAG, lambda match: _tag_key(match[1]))
    for pattern in _DATES[side]:
        take("date", pattern, lambda match: _date(match, side))
    take("duration", _DURATION[side], lambda match: _duration(match, side))
    take("number", _NUMBER[side], lambda match: _value(match[0], side))
    once = {(one.kind, one.key): one for one in said if one.kind in _ONCE and one.key not in own}
    return (*once.values(), *(one for one in said if one.kind not in _ONCE))


_LANGUAGE_IN_LINK = re.compile(r"(?<![^/.?&=_-])(?:vi|vn|en|vie|eng|vi-vn|en-us|en-gb)(?![^/.?&=_-])")


def _links(text: str) -> tuple[str, list[_Said]]:
    said, rest, done = [], "", 0
    for link in find(text):
        address = re.sub(r"^https?://(?:www\.)?", "", link.text.lower()).rstrip("/")
        host, slash, path = address.partition("/")
        first, dot, others = host.partition(".")
        host = (_LANGUAGE_IN_LINK.sub("*", first) if dot else first) + dot + others
        said.append(_Said("link", host + slash + _LANGUAGE_IN_LINK.sub("*", path), link.text))
        rest, done = rest + text[done : link.start] + " ", link.end
    return rest + text[done:], said


_HASHTAG = re.compile(r"(?<![\w&])#(?=\d*+[^\W\d])(\w++)")


def _tag_key(tag: str) -> str:
    return "#" + nfc(tag).lstrip("#").casefold()


_TONES = str.maketrans("\u0300\u0301\u0303\u0309\u0323", "ǀǁǂǃʘ")  # to letters, so that a word stays a word
_TONE = re.compile("[ǀǁǂǃʘ]")
_WORD = re.compile(r"\w+")


def _people(text: str, side: Language, names: Sequence[tuple[str, str]]) -> list[_Said]:
    """Longest names first, so that nobody is found inside another's name."""
    said = []
    spell = _marks_last if side == "vi" else _without_marks
    text = spell(text)
    for pair in sorted(names, key=lambda pair: -len(pair[0])):
        for name in pair if side == "en" else pair[:1]:
            pattern = rf"(?<!\w){re.escape(spell(nfc(name).strip()))}(?!\w)"
            text, times = re.subn(pattern, " ", text, flags=re.IGNORECASE) if name.strip() else (text, 0)
            if times:
                said.append(_Said("person", pair, name if side == "vi" else pair[1]))
    return said


def _marks_last(text: str) -> str:
    """One spelling for hòa and hoà: the tone goes to the end of its word."""
    return _WORD.sub(lambda word: word[0] if word[0].isascii() else _mark_last(word[0]), text)


def _mark_last(word: str) -> str:
    split = unicodedata.normalize("NFD", word).translate(_TONES)
    return unicodedata.normalize("NFC", _TONE.sub("", split)) + "".join(_TONE.findall(split))


def _without_marks(text: str) -> str:
    split = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in split if not unicodedata.combining(c))


_VI_MONTHS = {
    "giêng": 1, "một": 1, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8,
    "chín": 9, "mười": 10, "mười một": 11, "mười hai": 12, "chạp": 12,
}  # fmt: skip
_EN_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_YEAR = r"(?P<y>(?:19|20)\d\d)(?!\d)"
_DAY = r"(?<![\d.,/])(?P<d>0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?P<m>0?[1-9]|1[0-2])(?!\d)"
_NUMERIC = (
    r"(?<![\d/-])(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])-(?P<d>0[1-9]|[12]\d|3[01])(?!\d)",
    rf"{_DAY}(?P<sign>[/.-]){_MONTH}(?P=sign){_YEAR}",
    rf"(?<![\d/]){_MONTH}/{_YEAR}",
    rf"{_DAY}/{_MONTH}(?![/.,]\d)",
)
# In small letters `năm` is the word for year and `một` the article, so as months they need a capital.
_VI_WORD = r"(?P<w>Năm|Một|(?i:giêng|hai|ba|tư|bốn|sáu|bảy|bẩy|tám|chín|mười(?:\s(?:một|hai))?|chạp))(?!\w)"
_VI_MONTH = rf"[Tt]háng\s+(?:{_MONTH}|{_VI_WORD})"
_EN_MONTH = (
    r"(?P<w>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)(?!\w)\.?"
)
_ORDINAL = r"(?:st|nd|rd|th)?"
_PATTERNS: dict[Language, Sequence[str]] = {
    "vi": (
        rf"{_DAY}\s+{_VI_MONTH}(?:\s*(?:,|/|-|năm)\s*|\s+){_YEAR}",
        rf"{_DAY}\s+{_VI_MONTH}(?!\s+(?:ngày|tuần|giờ))",
        rf"{_VI_MONTH}(?:\s*(?:,|/|-|năm)\s*|\s+){_YEAR}",
        *_NUMERIC,
        rf"(?<!\d\s){_VI_MONTH}(?!\s+(?:ngày|tuần|giờ))",
    ),
    "en": (
        rf"{_DAY}{_ORDINAL}\s+(?:of\s+)?{_EN_MONTH}(?:,?\s+{_YEAR})?",
        rf"{_EN_MONTH}\s+{_DAY}{_ORDINAL}(?!\w)(?:,?\s+{_YEAR})?",
        rf"{_EN_MONTH},?\s+(?:of\s+)?{_YEAR}",
        *_NUMERIC,
        rf"(?:(?<=\b[Ii]n\s)|(?<=\bof\s)|(?<=\bby\s)|(?<=\b[Ss]ince\s)|(?<=\buntil\s)){_EN_MONTH}",
    ),
}
_DATES = {side: tuple(map(re.compile, patterns)) for side, patterns in _PATTERNS.items()}


def _date(match: re.Match[str], side: Language) -> tuple[int, int, int]:
    """Year, month and day; 0 for what is not said."""
    part = match.groupdict(default="0")
    word = " ".join(part.get("w", "0").lower().split())
    named = 0 if word == "0" else _VI_MONTHS[word] if side == "vi" else 1 + _EN_MONTHS.index(word[:3])
    return int(part.get("y", 0)), int(part.get("m", 0)) or named, int(part.get("d", 0))


_GROUPS = "\u00a0\u2009\u202f"
_FIGURES: dict[Language, str] = {
    "vi": rf"(?<!\d)(?:\d{{1,3}}(?:[.{_GROUPS}]\d{{3}})++(?!\d)|\d++)(?:,\d++)?",
    "en": rf"(?<!\d)(?:\d{{1,3}}(?:[,{_GROUPS}]\d{{3}})++(?!\d)|\d++)(?:\.\d++)?",
}
_NUMBER = {side: re.compile(pattern) for side, pattern in _FIGURES.items()}
_UNITS = {"năm": 12, "tuổi": 12, "tháng": 1, "year": 12, "month": 1, "tuần": 7, "ngày": 1, "week": 7, "day": 1}
_IN_DAYS = frozenset(("tuần", "ngày", "week", "day"))
_DURATION: dict[Language, re.Pattern[str]] = {
    "vi": re.compile(
        rf"(?P<n>{_FIGURES['vi']})\s*(?P<unit>năm|tháng|tuần|ngày|tuổi)(?!\w)"
        rf"(?:(?<=năm),?\s+(?:và\s+)?(?P<months>\d+)\s+tháng(?!\w))?"
    ),
    "en": re.compile(
        rf"(?P<n>{_FIGURES['en']})(?:[\s-]+(?P<unit>year|month|week|day)s?(?!\w)"
        rf"(?:(?<=years|.year),?\s+(?:and\s+)?(?P<months>\d+)[\s-]+months?(?!\w))?"
        rf"|(?:st|nd|rd|th)\s+(?:anniversary|birthday))"
        rf"|(?<=\baged\s)(?P<age>\d+)"
    ),
}


def _duration(match: re.Match[str], side: Language) -> tuple[str, Decimal]:
    """Years and months are compared as months, weeks as days."""
    part = match.groupdict()
    unit = part["unit"] or "year"
    amount = _value(part["n"] or part["age"], side) * _UNITS[unit] + int(part["months"] or 0)
    return "days" if unit in _IN_DAYS else "months", amount


def _value(number: str, side: Language) -> Decimal:
    group, point = (".", ",") if side == "vi" else (",", ".")
    plain = re.sub(rf"[{group}{_GROUPS}]", "", number)
    return Decimal(plain.replace(point, "."))
