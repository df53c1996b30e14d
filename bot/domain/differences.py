"""What became of a text, word by word: a changed tone mark shows as a changed word, never as a loose mark."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

import regex

from bot.domain.text import nfc

Kind: TypeAlias = Literal["same", "del", "ins"]
Piece: TypeAlias = tuple[Kind, str]

# A word with its tag, apostrophe, or figures: “#NgừngNgayĐànÁp”, “1,000”, “16/10/2017” are one each.
_TOKEN = regex.compile(r"\s+|[#@]?[\p{L}\p{M}\p{N}_]+(?:[.,:/’'\-][\p{L}\p{M}\p{N}_]+)*|\X")
_MOST_EXACT = 1_000  # tokens; longer texts are compared by their rarer words, in time that stays short


def words(old: str, new: str) -> list[Piece]:
    """What is the same, deleted and inserted, in reading order; a deletion stands before what replaced it."""
    before, after = (_TOKEN.findall(nfc(text)) for text in (old, new))
    pieces: list[Piece] = []
    gone, come = "", ""
    for kind, was, now in (*_steps(before, after), ("same", "", "")):
        # A single space between two changed words is no anchor for the eye.
        between = kind == "same" and was.isspace() and "\n" not in was and (gone or come)
        if kind != "same" or between:
            gone, come = gone + was, come + now
            continue
        pieces += _changed(gone, come)
        gone, come = "", ""
        pieces += [("same", was)] if was else []
    return _joined(pieces)


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    exact = max(len(before), len(after)) <= _MOST_EXACT
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=not exact).get_opcodes():
        if tag == "equal":
            yield from (("same", token, token) for token in before[i:j])
        else:
            yield "changed", "".join(before[i:j]), "".join(after[k:m])


def _changed(gone: str, come: str) -> list[Piece]:
    """White space that stands at the end of both was no change."""
    if gone == come:
        return [("same", gone)] if gone else []
    tail = ""
    while gone and come and gone[-1] == come[-1] and gone[-1].isspace():
        gone, come, tail = gone[:-1], come[:-1], gone[-1] + tail
    found: list[Piece] = [("del", gone), ("ins", come), ("same", tail)]
    return [each for each in found if each[1]]


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for kind, text in pieces:
        if found and found[-1][0] == kind:
            text = found.pop()[1] + text  # noqa: PLW2901 - it grows
        found.append((kind, text))
    return found
