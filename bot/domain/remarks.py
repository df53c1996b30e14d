"""What a reader of a draft should stop at: what bars it, words to avoid, names not listed, twins."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bot.domain.case import Case, fold
from bot.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Remark:
    """An English sentence with named fields, as an error has, so that a face can translate it."""

    template: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.fields)


def remark(template: str, **fields: Any) -> Remark:  # noqa: ANN401 - whatever the sentence prints
    return Remark(template, fields)


class Blocked(Refused):
    """The first of everything that must be mended before anyone can approve; the rest is in `blocks`."""

    def __init__(self, blocks: Sequence[Remark]) -> None:
        self.blocks = tuple(blocks)
        super().__init__(blocks[0].template, **blocks[0].fields)


_QUOTED = re.compile(r"“[^“”]*”|\"[^\"]*\"|‘[^‘’]*’|«[^«»]*»")
_AVOIDED: Mapping[str, str] = {
    "vi": "phản động|thế lực thù địch|tội phạm|đối tượng|phạm nhân|bị cáo|CSVN|tà quyền|ngụy",
    "en": "criminals?|convicts?|felons?|dissidents?|regime",
}
_FESTIVE = re.compile(r"kỷ niệm[^.!?\n]*\b(?:bị bắt|bắt giữ|bị kết án)\b", re.IGNORECASE)
_TAG = re.compile(r"#\w+")


def words_to_avoid(text: str, language: str) -> tuple[str, ...]:
    """Outside quotations: the words of the prosecution, insults, and an arrest spoken of as a feast."""
    said = _QUOTED.sub(" ", text)
    words = re.findall(rf"\b(?:{_AVOIDED[language]})\b", said, re.IGNORECASE)
    feasts = (match.group()[:60] for match in _FESTIVE.finditer(said))
    return tuple(dict.fromkeys((*words, *feasts)))


def mistyped_tags(text: str, tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Hashtags that differ from the campaign's own only by capitals or tone marks: (written, meant)."""
    meant = {fold(tag): tag for tag in tags}
    for written in dict.fromkeys(_TAG.findall(text)):
        own = meant.get(fold(written))
        if own and own != written:
            yield written, own


def names_in(text: str, cases: Iterable[Case]) -> tuple[str, ...]:
    """The slugs of cases whose full name stands in the text, in either language."""
    return tuple(case.slug for case in cases if _is_named(text, case.name_vi) or _is_named(text, case.name_en))


def _is_named(text: str, name: str) -> bool:
    return bool(name) and name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


_WORDS = re.compile(r"\w+")
_SHINGLE = 3


Shingles = frozenset[int]
"""By their hashes, which hold for one run of the program."""


@lru_cache(maxsize=4_096)
def shingles(text: str) -> Shingles:
    """Its runs of three words, whatever their case and tone marks."""
    words = _WORDS.findall(fold(text))
    return frozenset(hash(tuple(words[n : n + _SHINGLE])) for n in range(max(1, len(words) - _SHINGLE + 1)))


def likeness(one: Shingles, other: Shingles) -> float:
    """From 0 to 1: how much of their shingles two texts share."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def likest(ones: Mapping[str, Collection[Shingles]], others: Mapping[str, Collection[Shingles]]) -> float:
    """How alike the two likest texts of one language are."""
    pairs = ((one, other) for language, own in ones.items() for one in own for other in others.get(language, ()))
    return max((likeness(one, other) for one, other in pairs), default=0.0)
