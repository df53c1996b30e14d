"""Draws a share card: calm, in two equal languages, no letter too small to read on a phone."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from bot.domain.campaign import Shape
from bot.domain.errors import Refused
from bot.library.cards import Card, Design
from bot.library.images import Cleaned

SIZES: Mapping[Shape, tuple[int, int]] = {Shape.WIDE: (1200, 675), Shape.TALL: (1080, 1350), Shape.SQUARE: (1080, 1080)}
"""Pixels, width before height."""

SMALLEST = 22
_COLOURS = 64
_LEADING = 1.32  # Ế, Ỗ and Ậ collide below
_LARGEST, _STEP = 1.4, 0.05


class Ground(NamedTuple):
    """Colours: the words on it have at least 6.2:1."""

    paper: str
    ink: str
    dim: str
    box: str
    line: str
    accent: str


DARK = Ground("#15191D", "#F4F1EA", "#B9B5AC", "#23292F", "#3C444B", "#8FBFC9")
BONE = Ground("#F4F1EA", "#1B2126", "#55595C", "#E2DED4", "#BDB8AC", "#0F4C5C")
_GROUND = {Design.ARREST: DARK, Design.DAYS: DARK, Design.TRIAL: BONE, Design.JOINT: BONE}


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of text as wide as the column at most: it is wrapped, never cut."""

    text: str
    size: int
    weight: str = "SemiBold"
    is_dim: bool = False
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """The short stroke between the two languages."""

    gap: int = 34


Piece = Line | Rule


def draw(card: Card, shape: Shape) -> Cleaned:
    """A PNG of exactly these words. Raises Refused where they have no room at a size one can read."""
    width, height = SIZES[shape]
    ground = _GROUND[card.design]
    image = Image.new("RGB", (width, height), ground.paper)
    pen = _Pen(ImageDraw.Draw(image), ground)
    wide = shape is Shape.WIDE
    margin = 64 if wide else 80
    if ground is BONE:
        pen.box((0, 0, width, 14), DARK.paper)
    foot = pen.footer(card, margin, width - margin, height - (155 if wide else 190))
    words, names = _pieces(card), [Line(name, 30, gap=8) for name in card.names]
    right, bottom = width - margin, foot - 36
    if card.name and wide:
        _person_beside(pen, card, margin, foot)
        pen.fill(words, (492, 64, right, bottom))
    elif card.name:
        pen.fill(words, (margin, _person_above(pen, card, margin, right), right, bottom))
    elif wide:
        pen.fill(words, (margin, margin, 600, bottom))
        pen.fill(names, (660, margin, right, bottom))
    else:
        pen.fill([*words, Rule(), *names], (margin, margin, right, bottom))
    out = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    content = out.getvalue()
    return Cleaned(hashlib.sha256(content).hexdigest(), "image/png", width, height, content)


def _pieces(card: Card) -> list[Piece]:
    """Each language once, the same sizes in both, with a stroke between them."""
    found: list[Piece] = []
    if card.number:
        found.append(Line(card.number, 300, "Bold"))
    head = 54 if card.number else 76
    for language in (0, 1):
        if language:
            found.append(Rule())
        texts = [pair[language] for pair in card.lines if pair[language]]
        found += [Line(text, head if not place else 34, "Bold" if not place else "SemiBold", place > 1, 6)
                  for place, text in enumerate(texts)]  # fmt: skip
    return found


def _person_beside(pen: "_Pen", card: Card, left: int, foot: int) -> None:
    pen.initials(card, (left, 56, left + 192, 296))
    pen.box((440, 56, 442, foot - 76), pen.ground.line)
    pen.fill(_about(card, 38, 24), (left, 316, 420, foot - 20))


def _person_above(pen: "_Pen", card: Card, left: int, right: int) -> int:
    pen.initials(card, (left, 80, left + 176, 300))
    pen.fill(_about(card, 58, 28), (left + 216, 92, right, 300))
    return 340


def _about(card: Card, name: int, role: int) -> list[Piece]:
    return [
        Line(card.name, name, "Bold"),
        *(Line(text, role, "Regular", is_dim=True, gap=6) for text in card.role if text),
    ]


class _Pen:
    def __init__(self, on: ImageDraw.ImageDraw, ground: Ground) -> None:
        self._draw, self.ground = on, ground

    def box(self, corners: tuple[int, int, int, int], colour: str) -> None:
        left, top, right, bottom = corners
        self._draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def initials(self, card: Card, corners: tuple[int, int, int, int]) -> None:
        """In place of a portrait, until one is there with permission."""
        self.box(corners, self.ground.box)
        middle = ((corners[0] + corners[2]) // 2, (corners[1] + corners[3]) // 2)
        self._draw.text(middle, card.initials, self.ground.dim, _font("SemiBold", 62), anchor="mm")

    def footer(self, card: Card, left: int, right: int, top: int) -> int:
        """The campaign's tags on the left, as of when and from where on the right; answers where it begins."""
        self.box((left, top, right, top + 2), self.ground.line)
        for column, anchor, lines, size, weight, colour in (
            (left, "ls", card.tags, 28, "SemiBold", self.ground.ink),
            (right, "rs", card.footer, 23, "Regular", self.ground.dim),
        ):
            for place, text in enumerate(lines):
                fitting = _fitting(text, size, weight, (right - left) * (0.42 if anchor == "ls" else 0.56))
                self._draw.text((column, top + 56 + 42 * place), text, colour, fitting, anchor=anchor)
        return top

    def fill(self, pieces: Sequence[Piece], corners: tuple[int, int, int, int]) -> None:
        """From the top down, at the largest scale that has room."""
        left, top, right, bottom = corners
        scale = _LARGEST
        while (laid := _laid(pieces, scale, right - left)) is None or laid[-1].bottom > bottom - top:
            scale -= _STEP
            if scale <= _STEP:
                raise Refused("The card has no room for all of its words.")
        for each in laid:
            if isinstance(each.piece, Rule):
                self.box((left, top + each.top, left + 64, top + each.top + 4), self.ground.accent)
                continue
            colour = self.ground.dim if each.piece.is_dim else self.ground.ink
            self._draw.text((left, top + each.top), each.text, colour, _font(each.piece.weight, each.size), anchor="la")


class _Laid(NamedTuple):
    piece: Piece
    text: str
    size: int
    top: int
    bottom: int


def _laid(pieces: Sequence[Piece], scale: float, width: int) -> list[_Laid] | None:
    """Where each line stands; None where a single word is wider than the column."""
    found: list[_Laid] = []
    y = 0
    for piece in pieces:
        y += round(piece.gap * scale) if found else 0
        if isinstance(piece, Rule):
            found.append(_Laid(piece, "", 4, y, y + 4))
            y += round(piece.gap * scale)
            continue
        size = max(SMALLEST, round(piece.size * scale))
        font = _font(piece.weight, size)
        for text in _wrapped(piece.text, font, width):
            if font.getlength(text) > width:
                return None
            bottom = y + round(size * _LEADING)
            found.append(_Laid(piece, text, size, y, bottom))
            y = bottom
    return found


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: float) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            line = word
        else:
            line = longer
    yield line


def _fitting(text: str, size: int, weight: str, width: float) -> ImageFont.FreeTypeFont:
    while size > SMALLEST and _font(weight, size).getlength(text) > width:
        size -= 1
    return _font(weight, size)


@cache
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    """Be Vietnam Pro, which has every Vietnamese letter; it lies beside this file with its licence."""
    with as_file(files("bot.library") / "fonts" / f"BeVietnamPro-{weight}.ttf") as path:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
