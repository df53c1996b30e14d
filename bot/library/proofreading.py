"""What the two texts of a model may not say, and how they must agree: every slip is a finding."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from bot.domain.case import Tier
from bot.domain.errors import Finding
from bot.domain.fields import KIND_FIELDS
from bot.domain.text import links
from bot.library.models import SHARED, TIERS, Reading, Section, Shelf

_TODAY = re.compile(r"ngày này|hôm nay tròn|đến hôm nay|^hôm nay|ago today|as of today|^today", re.IGNORECASE)
_LAST = re.compile(r"Lần cuối được xác nhận đang bị giam|Last confirmed in prison")
_LASTING = re.compile(
    r"\b(vẫn|đang|còn|(?<!thực )hiện|đến nay|still|remains?|now)\b"
    r"|hãy trả tự do cho \{\{ name|release \{\{ name|\{\{ days",
    re.IGNORECASE,
)
_BANNED = re.compile(
    r"\b(phản động|thế lực thù địch|đối tượng|tội phạm|phạm nhân|bị cáo|lưu manh|CSVN|tà quyền|ngụy|mất tích|bắt cóc"
    r"|tra tấn|bị bỏ tù oan|trục xuất|kỷ niệm|song sắt|số phận|ngọn lửa|mật vụ|giỗ|(?:vì|kết án) tội"
    r"|criminals?|convicts?|felons?|dissidents?|regime|communists?|disappeared|innocent|hero(?:es)?|hell|blood|grief"
    r"|behind bars|house arrest|jailed for(?! (?:speaking|peaceful))|Mr|Ms|Mrs|he|she|his|her|him"
    r"|toà|hoà|hoá|thuý)\b|[!Ð]|(?<!“)\btuyên truyền\b|\bđă\b|ṭa|ḷng",
    re.IGNORECASE,
)
_MOST_NAMES = 2


def proofread(reading: Reading) -> Iterator[Finding]:
    for kind, vi, en in reading.pairs():
        yield from _check_pair(vi, en, kind, reading.shelves["", "shared"])


def _check_pair(vi: Section, en: Section, kind: str, shared: Mapping[str, Shelf]) -> Iterator[Finding]:
    if vi.words != en.words:
        yield en.found(
            f"is headed “{' '.join(en.words)}”, in Vietnamese “{' '.join(vi.words)}”.", "Make them the same."
        )
    alone = (vi.fields ^ en.fields) - {"name", "ref", "all"}
    if alone:
        yield en.found(f"only one language prints {', '.join(sorted(alone))}.", "Both must say the same.")
    for section, language in ((vi, "vi"), (en, "en")):
        if kind != "days":  # the day is called what it is called
            yield from _check_words(section)
        if kind in KIND_FIELDS:
            yield from _check_model(section, language, shared[language])


def _plain(source: str) -> str:
    return re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "5", source))


def _check_words(section: Section) -> Iterator[Finding]:
    for match in _BANNED.finditer(_plain(section.source)):
        yield section.found(f"“{match[0]}” is not ours to say.", "See docs/writing-messages.md, “What is not said”.")
    for link in links(re.sub(r"\{\{.*?\}\}", "Trang", re.sub(r"\{%.*?%\}", "", section.source))):
        remedy = "Put a space behind the full stop; the campaign's link comes by itself."
        yield section.found(f"“{link.text}” would become a link.", remedy)
    if any(unicodedata.combining(letter) for letter in section.source):
        yield section.found("holds a loose accent.", "Type the letter anew.")


def _check_model(section: Section, language: str, shared: Shelf) -> Iterator[Finding]:
    tier = next((word for word in section.words if word in TIERS), "")
    if not tier:
        yield section.found("does not say its tier.", f"Write one of {', '.join(TIERS)} in the heading.")
    if "dated" in section.words and (not section.fields & {"date", "observance"} or _TODAY.search(section.source)):
        yield section.found("is headed “dated”.", "Such a model prints {{ date }} and does not say “today”.")
    if language == "vi" and "round" in section.words and "tròn" not in section.source.lower():
        yield section.found("is headed “round” without “tròn”.", "Take the word out of the heading.")
    if language == "vi" and len(re.findall(r"\{\{ *[Nn]ame *\}\}", section.source)) > _MOST_NAMES:
        yield section.found("names the person more than twice.", "Use {{ Ref }} or {{ ref }}.")
    if tier in {Tier.STALE, Tier.PAST}:
        for name in SHARED.findall(section.raw):
            if name in shared and Tier.FRESH in shared[name].words:
                yield section.found(f"[{name}] says that somebody is in prison now.", f"A {tier} model may not.")
    if tier == Tier.STALE and (match := _LASTING.search(_LAST.sub("", section.source))):
        yield section.found(f"“{match[0]}” claims what may have changed.", "A stale model says only what stays true.")
