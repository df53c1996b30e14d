"""What must be put right about a post's pictures: their number, their descriptions, and the day a card is true on."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from bot.domain.campaign import LANGUAGES
from bot.domain.post import Content
from bot.domain.remarks import Remark, remark
from bot.domain.slots import VIETNAM, local_date
from bot.services.context import Context
from bot.store import images

MAX_PICTURES = 4
MAX_ALT = 1_000
_INSTANT = timedelta(microseconds=1)


def picture_blocks(ctx: Context, tx: Connection, content: Content) -> Iterator[Remark]:
    if len(content.pictures) > MAX_PICTURES:
        yield remark("There are {count} pictures. The most is {most}.", count=len(content.pictures), most=MAX_PICTURES)
    if any(not picture.alt.get(language) for picture in content.pictures for language in LANGUAGES):
        yield remark("A picture has no description. Describe it in both languages, for people who cannot see it.")
    if any(len(alt) > MAX_ALT for picture in content.pictures for alt in picture.alt.values()):
        yield remark("A picture's description is longer than {most} characters.", most=MAX_ALT)
    if images.missing(tx, [picture.digest for picture in content.pictures]):
        yield remark("A picture is not here any more. Add it again.")
    yield from untrue_cards(ctx, content)


def untrue_cards(ctx: Context, content: Content) -> Iterator[Remark]:
    """A card that counts years or days, on a post that may go out on another day."""
    for picture in content.pictures:
        yield from untrue_on(ctx, content, picture.day)


def untrue_on(ctx: Context, content: Content, day: str) -> Iterator[Remark]:
    """Each account where it may be another day both in Viet Nam and there; none for what is true on any day."""
    for window in content.windows if day else ():
        channel = ctx.channels.get(window.channel)
        zones = (VIETNAM, channel.rhythm.timezone) if channel else (VIETNAM,)
        moments = (window.due, window.not_after - _INSTANT)
        if not all(day in {local_date(moment, zone).isoformat() for zone in zones} for moment in moments):
            yield remark(
                "The share card is true on {day} alone, and {channel} may post it on another. Take it off, or "
                "choose a time well within that day.",
                day=day, channel=window.channel,
            )  # fmt: skip
