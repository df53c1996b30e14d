"""Finds links as X finds them, with or without a protocol, in time linear in the text.

The rules are those of twitter-text 3.1.0. Like it, they read UTF-16 units: an emoji beside a domain is two.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from bot.domain.tlds import ASCII_TLDS, OTHER_TLDS


@dataclass(frozen=True, slots=True)
class Link:
    """`start` and `end` are offsets of code points in the NFC text; `bare` means without http(s)://."""

    start: int
    end: int
    text: str
    bare: bool


# Letters with accents as JavaScript's ignore-case class reads them: a few Greek and phonetic ones come along.
_ACCENTED = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0260\u0263\u0268\u0269\u026f\u0272\u0275"
    r"\u0280\u0283\u0288-\u028c\u0292\u02bb\u0300-\u036f\u0399\u03b9\u1e00-\u1eff\u1fbe\u2c65\u2c66\u2c7e\u2c7f"
)
_CYRILLIC = r"\u0400-\u04ff\u1c80-\u1c87"
_SPACES = r"\x09-\x0d \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARKERS = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_NO_CHARACTER = r"\ufffe\ufeff\uffff"

_PUNCTUATION = r"!'#%&()*+,\\/:;<=>?@\[\]^{|}~$"  # less the three that may stand inside a domain: . _ -
_RUN = re.compile(rf"[^{_PUNCTUATION}{_SPACES}{_MARKERS}{_NO_CHARACTER}]+")
_MAY_STAND_BEFORE = re.compile(rf"[^A-Za-z0-9@＠$#＃{_NO_CHARACTER}]")
_PROTOCOL = re.compile(r"[hH][tT][tT][pP][sS]?://\Z")
_LONGEST_PROTOCOL = len("https://")

_PLAIN_LABEL = re.compile(rf"[-a-zA-Z0-9{_ACCENTED}]+")
_ASCII_TLD = re.compile(r"[A-Za-z]++(?![0-9@+-])")
_PUNYCODE_TLD = re.compile(r"[xX][nN]--[-0-9a-zA-Z]+")
_AFTER_OTHER_TLD = re.compile(r"(?![0-9A-Za-z@+-])")
_OTHER_TLD_FIRST = frozenset(tld[0] for tld in OTHER_TLDS)
_OTHER_TLD_LENGTHS = sorted({len(tld) for tld in OTHER_TLDS}, reverse=True)
_PRINTABLE = re.compile(r"[ -~]*\Z")
_OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")

_PORT = re.compile(r":[0-9]+")
_NOT_LAST_IN_PATH = "!*';:,.$%[]\u2013~@|&"
_IN_PATH = rf"[a-zA-Z{_CYRILLIC}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTED}]"
_BRACKETED = rf"\((?:{_IN_PATH}++|{_IN_PATH}*+\({_IN_PATH}++\){_IN_PATH}*+)\)"
_BRACKETS = re.compile(_BRACKETED)
_ROW_OF_BRACKETS = re.compile(rf"(?:{_BRACKETED})*+")
_PATH = re.compile(rf"/(?:{_IN_PATH}++|{_BRACKETED})*+")
_NOT_LAST_IN_QUERY = "!?*'@();:+$%[].,~|"
_QUERY = re.compile(r"\?[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]++")
_SHORTENED = re.compile(r"[hH][tT][tT][pP][sS]?://[tT]\.[cC][oO]/([a-zA-Z0-9]+)")

_MAX_URL = 4096
_MAX_LABEL = 63
_MAX_SLUG = 40


def find(normal: str) -> tuple[Link, ...]:
    """The text must be in NFC: X normalises before it looks."""
    found = _found(_utf16(normal))
    if _one_unit_each(normal):
        return tuple(Link(start, start + len(url), url, bare) for start, url, bare in found)
    starts = accumulate((2 if c > "\uffff" else 1 for c in normal), initial=0)
    position = {unit: index for index, unit in enumerate(starts)}
    whole = ((position[start], _code_points(url), bare) for start, url, bare in found)
    return tuple(Link(start, start + len(url), url, bare) for start, url, bare in whole)


def outside(normal: str) -> tuple[int, list[str]]:
    """How many links there are, and the pieces of text that X counts letter by letter."""
    s = _utf16(normal)
    number, done, pieces = 0, 0, []
    for start, url, _ in _found(s):
        pieces.append(_code_points(s[done:start]))
        number, done = number + 1, start + len(url)
    return number, [*pieces, _code_points(s[done:])]


def _one_unit_each(text: str) -> bool:
    return text.isascii() or max(text) <= "\uffff"


def _utf16(text: str) -> str:
    if _one_unit_each(text):
        return text
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


def _code_points(units: str) -> str:
    if units.isascii():
        return units
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _found(s: str) -> Iterator[tuple[int, str, bool]]:
    """Start, text and bareness of each link, in order; what one has taken is not read again."""
    done = 0
    for run in _RUN.finditer(s):
        if run.end() <= done or "." not in run[0].strip("."):  # a full stop alone parts no labels
            continue
        for start, domain_start, domain_end in _Domains(s, run.start(), run.end()).candidates():
            if start - 1 >= done or start == done == 0:
                end, has_path = _tail(s, domain_end)
                done = end
                yield from _read(s, start, slice(domain_start, domain_end), end, has_path=has_path)


class _Domains:
    """The domains inside one run of characters that a domain may hold, prepared from right to left."""

    __slots__ = ("begin", "ends", "last_underscore", "s", "starts", "tld_ends", "whole")

    def __init__(self, s: str, begin: int, stop: int) -> None:
        labels = s[begin:stop].split(".")
        self.s, self.begin = s, begin
        self.starts = list(accumulate((len(label) + 1 for label in labels[:-1]), initial=begin))
        self.ends = [start + len(label) for start, label in zip(self.starts, labels, strict=True)]
        self.last_underscore = [
            start + label.rfind("_") if "_" in label else -1 for start, label in zip(self.starts, labels, strict=True)
        ]
        self.tld_ends = [_tld_end(s, start) for start in self.starts[1:]]
        # whole[k]: where the longest domain ends that begins with the whole of label k; 0 means none does.
        self.whole = [0] * (len(labels) + 1)
        for k in range(len(labels) - 2, -1, -1):
            self.whole[k] = self.end_from(self.starts[k], k)

    def end_from(self, at: int, k: int) -> int:
        """Where the longest domain ends that begins at `at`, inside label k; 0 means none does."""
        end = self.ends[k]
        if at >= end or self.s[at] in "_-" or self.s[end - 1] in "_-":
            return 0
        return self.whole[k + 1] or (self.tld_ends[k] if self.last_underscore[k] < at else 0)

    def candidates(self) -> Iterator[tuple[int, int, int]]:
        """Where a link may start, its domain's start and end, in the order in which X tries them."""
        protocol = _PROTOCOL.search(self.s, max(0, self.begin - _LONGEST_PROTOCOL), self.begin)
        if protocol and _may_start(self.s, protocol.start()) and self.whole[0]:
            yield protocol.start(), self.begin, self.whole[0]
        if self.begin == 0 and len(self.s) > 1 and _MAY_STAND_BEFORE.match(self.s):
            # At the very start X prefers to take the first character for what stands before the link.
            yield from self._starting_at(1, bisect_right(self.starts, 1) - 1)
        for k, tld_end in enumerate(self.tld_ends):
            if self.whole[k + 1] or tld_end:
                for at in range(self.starts[k], self.ends[k]):
                    yield from self._starting_at(at, k)

    def _starting_at(self, at: int, k: int) -> Iterator[tuple[int, int, int]]:
        if k < len(self.tld_ends) and _may_start(self.s, at) and (end := self.end_from(at, k)):
            yield at, at, end


def _may_start(s: str, at: int) -> bool:
    return at == 0 or _MAY_STAND_BEFORE.match(s, at - 1) is not None


def _tld_end(s: str, at: int) -> int:
    """Where the top-level domain at `at` ends, 0 if there is none. Accented letters may follow: `nay.Doế`."""
    ascii_tld = _ASCII_TLD.match(s, at)
    if ascii_tld and ascii_tld[0].lower() in ASCII_TLDS:
        return ascii_tld.end()
    if s[at : at + 1].lower() in _OTHER_TLD_FIRST:
        for length in _OTHER_TLD_LENGTHS:
            if s[at : at + length].lower() in OTHER_TLDS and _AFTER_OTHER_TLD.match(s, at + length):
                return at + length
    punycode = _PUNYCODE_TLD.match(s, at)
    return punycode.end() if punycode else 0


def _tail(s: str, at: int) -> tuple[int, bool]:
    """Where port, path and query after a domain end, and whether there is a path."""
    port = _PORT.match(s, at)
    at = port.end() if port else at
    path = _PATH.match(s, at)
    if path:
        at += 1 + _path_length(path[0][1:])
    return _query_end(s, at), path is not None


def _path_length(path: str) -> int:
    """To the last sign that may end it outside brackets, and the brackets that follow at once."""
    masked = _BRACKETS.sub(lambda bracket: "." * len(bracket[0]), path)
    end = len(masked.rstrip(_NOT_LAST_IN_PATH))
    brackets = _ROW_OF_BRACKETS.match(path, end)
    return brackets.end() if brackets else end


def _query_end(s: str, at: int) -> int:
    query = _QUERY.match(s, at)
    return at + len(query[0].rstrip(_NOT_LAST_IN_QUERY)) if query else at


def _read(s: str, start: int, place: slice, end: int, *, has_path: bool) -> Iterator[tuple[int, str, bool]]:
    """What X makes of a match: one link, none, or each part of a bare domain that is of plain letters."""
    domain, url = s[place], s[start:end]
    bare = start == place.start
    plain = _plain_domains(domain)
    protocol_length = _LONGEST_PROTOCOL if bare else place.start - start
    if protocol_length + len(url) > _MAX_URL or not _encodable(domain, plain):
        return
    if not bare:
        short = _SHORTENED.match(url)
        if short is None:
            yield start, url, False
        elif len(short[1]) <= _MAX_SLUG:
            yield start, url[: _query_end(url, short.end())], False
    elif start == 0 or s[start - 1] not in "-_./":
        for offset, text in plain[:-1]:
            yield start + offset, text, True
        for offset, text in plain[-1:]:
            yield start + offset, text + (s[place.stop : end] if has_path else ""), True


def _plain_domains(domain: str) -> list[tuple[int, str]]:
    """The parts of a domain made of Latin letters, digits and hyphens, with their offsets."""
    labels = [label.span() for label in _PLAIN_LABEL.finditer(domain)]
    longest = [0] * (len(labels) + 1)
    for k in range(len(labels) - 1, -1, -1):
        after = labels[k][1] + 1
        if domain[after - 1 : after] == ".":
            joined = k + 1 < len(labels) and labels[k + 1][0] == after
            longest[k] = (longest[k + 1] if joined else 0) or _tld_end(domain, after)
    found: list[tuple[int, str]] = []
    done = 0
    for (begin, _), end in zip(labels, longest, strict=False):
        if end and begin >= done:
            found.append((begin, domain[begin:end]))
            done = end
    return found


def _encodable(domain: str, plain: list[tuple[int, str]]) -> bool:
    if domain.startswith("xn--") and not plain:
        return False
    return all(0 < _encoded_length(_code_points(label)) <= _MAX_LABEL for label in domain.split("."))


def _encoded_length(label: str) -> int:
    """Of a label in punycode; one already too long is not encoded, for that takes quadratic time."""
    if len(label) > _MAX_LABEL:
        return len(label)
    parts = _OTHER_DOTS.split(label)
    return len(
        ".".join(part if _PRINTABLE.match(part) else f"xn--{part.encode('punycode').decode()}" for part in parts)
    )
