"""What became of a text, word by word: a changed tone mark shows as a changed word, never as a loose mark."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

import regex

from bot.domain.campaign import LANGUAGES
from bot.domain.post import Cite, Content, Window
from bot.domain.text import nfc

Kind: TypeAlias = Literal["same", "del", "ins"]
Piece: TypeAlias = tuple[Kind, str]

# A word with its tag, apostrophe, or figures: “#NgừngNgayĐànÁp”, “1,000”, “16/10/2017” are one each.
_TOKEN = regex.compile(r"\s+|[#@]?[\p{L}\p{M}\p{N}_]+(?:[.,:/’'\-][\p{L}\p{M}\p{N}_]+)*|\X")
_MOST_EXACT = 1_000  # tokens; longer texts are compared by their rarer words, in time that stays short


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a whole post. `texts` are all there were or are, by language and target, and `alts` those
    descriptions of pictures that changed, by language; a window is None where the account joined or left.
    """

    texts: Mapping[tuple[str, str], Sequence[Piece]]
    alts: Sequence[tuple[str, Sequence[Piece]]]
    windows: Mapping[str, tuple[Window | None, Window | None]]
    pictures_gone: int
    pictures_come: int
    cites_come: frozenset[Cite]

    @property
    def is_of_text(self) -> bool:
        return any(kind != "same" for pieces in self.texts.values() for kind, _ in pieces)


def contents(old: Content, new: Content) -> Changed:
    keys = sorted({*old.texts, *new.texts}, key=lambda key: (key[1], LANGUAGES.index(key[0])))
    was, now = ({each.digest: each for each in content.pictures} for content in (old, new))
    alts = (
        (language, words(was[digest].alt.get(language, ""), picture.alt.get(language, "")))
        for digest, picture in now.items()
        if digest in was
        for language in LANGUAGES
    )
    windows = {name: (old.window(name), new.window(name)) for name in dict.fromkeys((*old.channels, *new.channels))}
    return Changed(
        texts={key: words(old.texts.get(key, ""), new.texts.get(key, "")) for key in keys},
        alts=[each for each in alts if any(kind != "same" for kind, _ in each[1])],
        windows={name: pair for name, pair in windows.items() if pair[0] != pair[1]},
        pictures_gone=len(was.keys() - now.keys()),
        pictures_come=len(now.keys() - was.keys()),
        cites_come=frozenset(new.cites) - frozenset(old.cites),
    )


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
