"""What does not belong in a text: hidden characters, look-alike letters, links and hashtags nobody meant."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import regex

from bot.domain.links import Link, find
from bot.domain.text import MAX_TEXT, nfc

__all__ = ["Problem", "Severity", "clean", "nfc", "problems"]


class Severity(StrEnum):
    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Problem:
    """`where` is an offset in `nfc(text)`; `shown` names or quotes what is wrong, and is safe to print."""

    kind: str
    severity: Severity
    where: int
    shown: str
    template: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return self.template.format(**self.params)


def clean(text: str) -> str:
    """NFC, line feeds as the only line ends, no white space before one or at the end; nothing else changes."""
    lines = nfc(text).replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip(" \t") for line in lines).rstrip("\n")


def problems(text: str, *, posted: bool = True) -> tuple[Problem, ...]:
    """Everything worth saying, in the order of the text. A text that is too long is not read any further.

    What is not `posted` only describes a picture: no platform makes links or hashtags of it.
    """
    normal = nfc(text)
    if (length := len(normal)) > MAX_TEXT:
        template = "The text has {n} characters. No post may have more than {limit}."
        params = {"n": length, "limit": MAX_TEXT}
        return (Problem("too_long", Severity.REFUSE, MAX_TEXT, str(length), template, params),)
    found = [*_hidden(normal), *_look_alikes(normal)]
    if posted:
        links = find(normal)
        found += [*_bare_links(links), *_hashtags(normal, links)]
    return tuple(sorted(found, key=lambda problem: problem.where))


# Inside an emoji the joiners, variation selectors and tags have their place.
_EMOJI = regex.compile(
    r"[#*0-9]\ufe0f?\u20e3"
    r"|\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    r"|\U000e0077\U000e006c\U000e0073))\U000e007f"
    r"|\p{Extended_Pictographic}[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?"
    r"(?:\u200d\p{Extended_Pictographic}[\ufe0f\U0001f3fb-\U0001f3ff]?)*+"
)
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN: Mapping[str, tuple[Severity, str, str]] = {
    "bidi": (
        Severity.REFUSE,
        f"[{_BIDI}]",
        "{shown} turns the reading direction: readers may see another text than the approved one. Delete it.",
    ),
    "invisible": (Severity.REFUSE, f"[{_INVISIBLE}]", "{shown} cannot be seen. Delete it, or type the passage again."),
    "mark": (
        Severity.REFUSE,
        r"[\p{M}&&\p{Script=Inherited}]",
        "{shown} does not combine with the letter before it. Type the letter again.",
    ),
    "control": (Severity.REFUSE, r"[\p{Cc}--\n]", "{shown} is a control character. Delete it."),
    "damaged": (
        Severity.REFUSE,
        r"[\ufffd\p{Cs}\p{Co}\p{Noncharacter_Code_Point}]",
        "{shown} is no letter: the text was damaged on its way here. Type the passage again.",
    ),
    "space": (Severity.WARN, r"[\p{Zs}-- ]", "{shown} looks like a space and is another character. Type a space."),
}
_ANY_HIDDEN = regex.compile("(?V1)" + "|".join(f"(?P<{kind}>{rule[1]})" for kind, rule in _HIDDEN.items()))


def _hidden(normal: str) -> Iterator[Problem]:
    for match in _ANY_HIDDEN.finditer(_EMOJI.sub(lambda emoji: " " * len(emoji[0]), normal)):
        kind = str(match.lastgroup)
        severity, _, template = _HIDDEN[kind]
        shown = _named(match[0])
        yield Problem(kind, severity, match.start(), shown, template, {"shown": shown})


def _named(char: str) -> str:
    name = unicodedata.name(char, "").capitalize()
    return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X}"


_WORD = regex.compile(r"[\p{L}\p{M}]++")
_FOREIGN = regex.compile(r"(?V1)[\p{L}--\p{Script=Latin}--\p{Script=Common}--\p{Script=Inherited}]")
_LATIN = regex.compile(r"\p{Script=Latin}")
# Letters that are not Vietnamese and stand where these should: another D, and what conversions from old fonts left.
_MEANT = {
    **dict.fromkeys("ÐƉ", "Đ"), **dict.fromkeys("ðɖ", "đ"), "Ǎ": "Ă", "ǎ": "ă", "ı": "i", "ɑ": "a", "ɡ": "g",
    "Ṭ": "Tò", "ṭ": "tò", "Ḷ": "Lò", "ḷ": "lò", "Ṛ": "Rò", "ṛ": "rò", "Ḥ": "Hò", "ḥ": "hò", "Ḍ": "Dò", "ḍ": "dò",
    "Ṇ": "Nò", "ṇ": "nò", "Ṃ": "Mò", "ṃ": "mò",
}  # fmt: skip
_MISTAKEN = re.compile(f"[{''.join(_MEANT)}\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]")
# In Vietnamese ă is always followed by one of these, but not by nh or ch; names of other peoples (Byă) have capitals.
_MISPLACED_BREVE = re.compile(r"ă(?![cmnptk])|ă(?=nh|ch)|\AĐă\Z|\AXă\Z")


def _look_alikes(normal: str) -> Iterator[Problem]:
    for match in _WORD.finditer(normal):
        word = match[0]
        if word.isascii():
            continue
        if _LATIN.search(word) and (foreign := _FOREIGN.search(word)):
            template = "“{word}” mixes alphabets: {shown} is not a Latin letter. Type the word again."
            yield _look_alike(match.start(), word, foreign[0], template)
        if mistaken := _MISTAKEN.search(word):
            meant = _MEANT.get(mistaken[0]) or unicodedata.normalize("NFKC", mistaken[0])
            template = "“{word}” has {shown}. Was {meant} meant? Type the word again."
            yield _look_alike(match.start(), word, mistaken[0], template, meant=meant)
        breve = _MISPLACED_BREVE.search(word)
        if breve and (breve[0] != "ă" or word[0].islower()):
            template = "“{word}” has {shown} where Vietnamese has ã. Type the word again."
            yield _look_alike(match.start(), word, "ă", template)


def _look_alike(where: int, word: str, letter: str, template: str, **more: str) -> Problem:
    shown = f"{letter} ({_named(letter)})"
    params = {"word": word, "shown": shown, **more}
    return Problem("look_alike", Severity.WARN, where, word, template, params)


_SITE = re.compile(r"www\.|[^.]+\.[^.]+[./]", re.IGNORECASE)


def _bare_links(links: Iterable[Link]) -> Iterator[Problem]:
    for link in links:
        if link.bare:
            if _SITE.match(link.text) or "/" in link.text:
                template = "X makes a link of “{link}”. Write it with https://, or take it out."
            else:
                template = "X makes a link of “{link}”. Is a space missing after the full stop?"
            yield Problem("bare_link", Severity.WARN, link.start, link.text, template, {"link": link.text})


_HASHTAG = re.compile(r"(?<!&)#(\w++)(?:[-.'’/·](?=\w))?")


def _hashtags(normal: str, links: Sequence[Link]) -> Iterator[Problem]:
    for match in _HASHTAG.finditer(normal):
        at, tag, sign = match.start(), "#" + match[1], match[0][1 + len(match[1]) :]
        if any(link.start <= at < link.end for link in links):
            continue
        if match[1].isdecimal():
            yield _hashtag(at, tag, sign, "“{tag}” is no hashtag: it needs a letter.")
        if sign:
            template = "The hashtag ends at “{tag}”: what follows “{sign}” does not belong to it."
            yield _hashtag(at, tag, sign, template)
        if at and re.match(r"\w", normal[at - 1]):
            yield _hashtag(at, tag, sign, "“{tag}” is no hashtag: a space is missing before it.")


def _hashtag(where: int, tag: str, sign: str, template: str) -> Problem:
    return Problem("hashtag", Severity.WARN, where, tag, template, {"tag": tag, "sign": sign})
