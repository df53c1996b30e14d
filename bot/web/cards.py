"""Share cards: what each says, its descriptions, its picture in three shapes as published, and putting it on a post."""

from collections import OrderedDict
from hashlib import sha256
from secrets import token_hex
from threading import Lock
from weakref import WeakKeyDictionary

from flask import make_response, request

from bot.domain.campaign import Shape
from bot.domain.errors import BadInput
from bot.domain.people import Duty
from bot.i18n import filled
from bot.library.drawing import SIZES
from bot.services import cards, cases
from bot.services.pictures import untrue_on
from bot.store.engine import Store
from bot.web.compose import editable
from bot.web.frame import Answer, Door, Pages, Visit, not_there, page, see_other

pages = Pages("cards")
_MOST_KEPT = 64
_LONGEST_KEY = 300
# Another program may draw another picture, or read other templates.
_THIS_PROGRAM = token_hex(8)
_drawn: WeakKeyDictionary[Store, OrderedDict[str, bytes]] = WeakKeyDictionary()
_drawing = Lock()


@pages.show("/cases/<slug>/cards", may=Door.SIGNED_IN)
def cards_page(visit: Visit, slug: str) -> Answer:
    case, found = cases.get_case(visit.ctx, slug), cards.cards_of(visit.ctx, slug)
    return page("cases/cards.html", case=case, found=found, shapes=[(shape.value, *SIZES[shape]) for shape in Shape])


@pages.show("/cards/<path:key>/<shape>.png", may=Door.SIGNED_IN)
def picture(visit: Visit, key: str, shape: str) -> Answer:
    """Kept by the browser, and asked about each time: a card that is no longer true is not shown."""
    if shape not in set(Shape) or len(key) > _LONGEST_KEY:
        not_there()
    tag = sha256(f"{_THIS_PROGRAM} {cards.edition(visit.ctx)} {key} {shape}".encode()).hexdigest()[:32]
    known = request.if_none_match.contains(tag)
    answer = make_response(b"" if known else _png(visit, key, Shape(shape), tag), 304 if known else 200)
    answer.headers["Content-Type"] = "image/png"
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    if visit.asked("download") and not known:
        name = "".join(letter if letter.isalnum() or letter == "-" else "-" for letter in f"{key}-{shape}")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.png"'
    return answer


def _png(visit: Visit, key: str, shape: Shape, tag: str) -> bytes:
    """One at a time: drawing takes a fifth of a second of a processor."""
    with _drawing:
        kept = _drawn.setdefault(visit.ctx.store, OrderedDict())
        if tag not in kept:
            kept[tag] = cards.drawn_card(visit.ctx, key, shape).image.content
        kept.move_to_end(tag)
        while len(kept) > _MOST_KEPT:
            kept.popitem(last=False)
        return kept[tag]


@pages.show("/posts/<int:post_id>/card", may=Duty.WRITE_POST)
def card(visit: Visit, post_id: int) -> Answer:
    post = editable(visit, post_id)
    found = {one.key: (one, each.day) for slug in post.content.cases for one, each in cards.cards_of(visit.ctx, slug)}
    days = [(one, next(untrue_on(visit.ctx, post.content, day), None)) for one, day in found.values()]
    return page("compose/card.html", post=post, days=days, filled=filled)


@pages.act("/posts/<int:post_id>/card", may=Duty.WRITE_POST, again=card)
def attach(visit: Visit, post_id: int) -> Answer:
    shape = visit.typed("shape")
    if shape not in set(Shape):
        raise BadInput("Choose one of what the page offers.")
    with visit.about("day"):
        cards.attach(visit.ctx, visit.person, post_id, Shape(shape), visit.typed("day"))
    return see_other(f"/posts/{post_id}/edit", "The share card is on the post. Read its description.")
