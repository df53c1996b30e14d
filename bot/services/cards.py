"""Share cards: drawn for a day, put on what the program drafts, and on a post when a person asks."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from urllib.parse import urlsplit

from bot.domain.campaign import Shape
from bot.domain.case import Case, Tier
from bot.domain.errors import BadInput, Refused
from bot.domain.occasions import Bar, Occasion
from bot.domain.people import Duty, Person, require
from bot.domain.post import Cite, Content, Picture
from bot.library import images as pictures
from bot.library.cards import Card, card_of
from bot.library.drawing import draw
from bot.library.images import Cleaned
from bot.services.choosing import find
from bot.services.context import Context
from bot.services.dossier import days_of, desk_of
from bot.services.pictures import untrue_cards
from bot.services.posts import Edited, edit_post, get_post
from bot.services.sketch import Desk, Sketch, card_shape
from bot.store import audit, cases, images

UNSPEAKABLE = frozenset({Bar.CONSENT_REFUSED, Bar.DEATH_BY_HAND, Bar.NOT_FRESH, Bar.SOURCES_DIFFER, Bar.HELD})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A card, and its pixels as they would be published."""

    card: Card
    image: Cleaned

    @property
    def picture(self) -> Picture:
        one = self.image
        return Picture(one.digest, one.mime, one.width, one.height, self.card.alt, self.card.day)


def worded(ctx: Context, desk: Desk, occasion: Occasion) -> Card | None:
    """None where the day has no card, a word on it is not known, or no page is on file as its source."""
    host = source_host(desk, occasion)
    campaign = ctx.schedules.campaign(occasion.campaign) or ctx.schedules.default_campaign
    return card_of(ctx.messages, occasion, desk.cases, campaign, ctx.schedules.places, source=host) if host else None


def source_host(desk: Desk, occasion: Occasion) -> str:
    """Where the first page that states the event is found; "" where none is on file."""
    events = (desk.cases[slug].event(key) for slug, key in occasion.events)
    page = next((event.sources[0] for event in events if event and event.sources), "")
    return (urlsplit(page).hostname or "").removeprefix("www.")


def with_cards(ctx: Context, desk: Desk, sketches: Sequence[Sketch]) -> list[Sketch]:
    """Each with the card that its campaign wants; what has none, or no room for its words, goes without."""
    return [_illustrated(ctx, desk, each) for each in sketches]


def _illustrated(ctx: Context, desk: Desk, sketch: Sketch) -> Sketch:
    shape = card_shape(ctx, sketch.occasion)
    if shape is None or not (card := worded(ctx, desk, sketch.occasion)):
        return sketch
    try:
        drawn = Drawn(card, draw(card, shape))
    except Refused:
        return sketch
    pictures.keep(ctx.data_dir, drawn.image)
    return replace(sketch, content=_carrying(sketch.content, drawn, desk.cases))


def _carrying(content: Content, drawn: Drawn, cases: Mapping[str, Case]) -> Content:
    """With the card, and resting on what it prints."""
    cites = {Cite(slug, fact, cases[slug].revisions[fact]) for slug, fact in drawn.card.cites}
    return replace(
        content,
        pictures=(*content.pictures, drawn.picture),
        cites=tuple(sorted({*content.cites, *cites}, key=astuple)),
        tier=Tier.FRESH.value if drawn.card.claims is Tier.FRESH else content.tier,
    )


def card_days(ctx: Context, slug: str) -> tuple[Occasion, ...]:
    """The days of a case in the coming year that a card can be drawn for, the next one first. Raises NotFound."""
    return tuple(occasion for occasion, _ in cards_of(ctx, slug))


def cards_of(ctx: Context, slug: str) -> tuple[tuple[Occasion, Card], ...]:
    """Each of these days with all that its card says; nothing is drawn. Raises NotFound."""
    with ctx.store.read() as tx:
        desk = desk_of(ctx, tx, cases.get(tx, slug))
    theirs = [one for one in days_of(ctx, desk, slug) if one.bar not in UNSPEAKABLE]
    return tuple((one, card) for one in theirs if (card := worded(ctx, desk, one)))


def edition(ctx: Context) -> str:
    """While it stays, no card has changed: it tells of the cases, the campaigns and the day."""
    with ctx.store.read() as tx:
        return f"{ctx.today()}.{audit.newest_of(tx, 'case', 'campaign')}"


def drawn_card(ctx: Context, key: str, shape: Shape) -> Drawn:
    """The card of a day, as it would be published. Raises NotFound; Refused where it may not or cannot be drawn."""
    return _drawn(ctx, key, shape)[0]


def _drawn(ctx: Context, key: str, shape: Shape) -> tuple[Drawn, Mapping[str, Case]]:
    """And the cases as they stood when it was worded: what cites them must cite those revisions."""
    occasion, desk = find(ctx, key)
    card = worded(ctx, desk, occasion)
    if card is None:
        raise Refused("There is no share card for this day, or a word on it is not on file with a source.")
    return Drawn(card, draw(card, shape)), desk.cases


def attach(ctx: Context, actor: Person, post_id: int, shape: Shape, key: str = "") -> Edited:
    """Put the card of the post's own day, or of the day that `key` names, on a post: a new revision of it.

    Raises BadInput, NotFound, Refused, Conflict.
    """
    require(actor, Duty.WRITE_POST)
    post = get_post(ctx, post_id)
    if not (key := key or post.occasion or ""):
        command = f"post card {post_id} --day KEY"
        raise BadInput(
            "This post is about no day of its own. Choose the day whose card it shall carry.", command=command
        )
    drawn, known = _drawn(ctx, key, shape)
    if any(picture.digest == drawn.picture.digest for picture in post.content.pictures):
        raise Refused("Post {id} carries this card already.", id=post_id)
    pictures.keep(ctx.data_dir, drawn.image)
    with ctx.store.write() as tx:
        images.add(tx, drawn.picture, len(drawn.image.content), ctx.now())
    content = _carrying(post.content, drawn, known)
    for untrue in untrue_cards(ctx, content):
        raise Refused(untrue.template, **untrue.fields)
    everyone = tuple(dict.fromkeys((*content.cases, *sorted(slug for slug, _ in drawn.card.cites))))
    return edit_post(ctx, actor, post_id, replace(content, cases=everyone), revision=post.revision)
