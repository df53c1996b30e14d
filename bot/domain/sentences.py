"""Where a text may be broken: paragraphs, sentences in two languages, the tail of hashtags and links.

In doubt there is no break: a sentence too many in one post is better than half a name in the next.
"""

import re
from collections.abc import Iterator

_WORD = re.compile(r"\S+")
_OPENING, _CLOSING = "\"'“‘«([", "\"'”’»)]"
_PAIRS = (("“", "”"), ("«", "»"), ("(", ")"))
_STOPS = (".", "!", "?", "…")
_LIST_SIGNS = ("-", "–", "—", "•", "*", "#", "http://", "https://")
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_TAIL_SIGNS = ("#", "http://", "https://")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Followed by a name or a number, never the end.
_BEFORE_A_NAME = _words("""
tp tx tt tnhh ths th.s ts pgs gs gs.ts pgs.ts bs ls ks cn nxb đt sđt đ/c vd mr mrs ms mx messrs dr prof st
rev fr hon gen col lt sgt capt gov sen rep mt vs e.g i.e cf fig art arts nos pp vol
""")
# May end a sentence, so the next word decides.
_MAY_END = _words("v.v etc jr sr inc ltd co corp dept a.m p.m u.s u.n u.k e.u")
_BEFORE_A_NUMBER = _words("no số điều art q p đ h")
# Begins sentences and no name: what follows an initial or an abbreviation is then a new sentence.
_STARTERS = _words("""
Hãy Ngày Hôm Đến Lần Xin Mời Chúng Những Các Khi Từ Theo Nhưng Tại Việc Bản Trả Trong Cùng Vẫn Sau Trước Vì
Tuy The On In At They We It This That These Release Free Quash Today Please Last For From But And After
Before Even Repeal
""")


def paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """Each paragraph with the gap that joins it to the one before; an empty line parts them."""
    lines: list[str] = []
    gap = ""
    for line in [*text.split("\n"), ""]:
        if line.strip():
            lines.append(line)
        elif lines:
            yield gap, "\n".join(lines).strip()
            gap, lines = "\n\n", []


def sentences(paragraph: str) -> Iterator[tuple[str, str]]:
    """Each sentence with the white space that joins it to the one before."""
    words = list(_WORD.finditer(paragraph))
    # Marks that do not pair off are not counted.
    pairs = [(a, b) for a, b in _PAIRS if paragraph.count(a) == paragraph.count(b)]
    begin, gap, depth = 0, "", 0
    for k, word in enumerate(words[:-1]):
        depth += sum(word[0].count(opening) - word[0].count(closing) for opening, closing in pairs)
        following = words[k + 1]
        between = paragraph[word.end() : following.start()]
        before = words[k - 1][0] if k and words[k - 1].start() >= begin else ""
        if depth <= 0 and _breaks(before, word[0], between, following[0]):
            yield gap, paragraph[begin : word.end()]
            begin, gap = following.start(), between
    if words:
        yield gap, paragraph[begin : words[-1].end()]


def without_tail(text: str) -> tuple[str, str, str]:
    """The text without the hashtags and links at its end, the gap, and these."""
    words = list(_WORD.finditer(text))
    first = len(words)
    while first and words[first - 1][0].startswith(_TAIL_SIGNS):
        first -= 1
    if first == len(words):
        return text, "", ""
    tail = words[first].start()
    body_end = words[first - 1].end() if first else 0
    return text[:body_end], text[body_end:tail], text[tail:]


def _breaks(before: str, word: str, gap: str, following: str) -> bool:
    core = word.rstrip(_CLOSING)
    if not core.endswith(_STOPS):
        begins_item = following.startswith(_LIST_SIGNS) or _LIST_NUMBER.match(following)
        return "\n" in gap and bool(core.endswith(":") or begins_item)
    start = following.lstrip(_OPENING)
    if not start or start[0] in ",;:.)" or (start[0].islower() and not start.startswith(_TAIL_SIGNS)):
        return False
    if start[0] in "-–—•*" and "\n" not in gap:
        return False
    return not core.endswith(".") or core.endswith("..") or _full_stop(before, core, start)


def _full_stop(before: str, core: str, following: str) -> bool:
    """Whether the dot ends a sentence, not a title, an initial, an abbreviation or an item's number."""
    stem = core.lstrip(_OPENING)[:-1]
    lower = stem.lower()
    starter = following.rstrip(".,;:!?") in _STARTERS
    if lower in _BEFORE_A_NAME or (lower in _BEFORE_A_NUMBER and following[0].isdigit()):
        return False
    if lower in _MAY_END:
        return starter
    if _INITIALS.fullmatch(stem):
        after_a_name = before[:1].isupper() and before[-1:].isalpha()
        return starter or following.startswith(_TAIL_SIGNS) or (following[0].isdigit() and after_a_name)
    return not (not before and _LIST_NUMBER.fullmatch(core))
