"""General appeals, which name nobody and have no day: drafted by a person, in turn or by the model they pick."""

from bot.domain.errors import BadInput, Refused
from bot.domain.people import Duty, Person, require
from bot.domain.post import Content
from bot.library.messages import Wording, compose_general
from bot.services.byhand import Asked, Drafted, described
from bot.services.context import Context
from bot.services.posts import add_in, campaign_named
from bot.services.sketch import accounts_of, roomiest_first, texts_of
from bot.store import holds, posts


def draft_general(ctx: Context, author: Person, campaign: str, asked: Asked, turn: int | None = None) -> Drafted:
    """The author's own draft; without `turn` the appeal after the last. Raises BadInput, Refused."""
    require(author, Duty.WRITE_POST)
    campaign_named(ctx, campaign)
    names = asked.channels or accounts_of(ctx, campaign)
    with ctx.store.read() as tx:
        turn = posts.appeals(tx, campaign) if turn is None else turn
        if ("campaign", campaign) in holds.open_holds(tx):
            raise Refused("The campaign “{campaign}” is held.", campaign=campaign)
    worded = _worded(ctx, campaign, names, asked, turn)
    if not worded:
        raise BadInput("No general appeal fits, or there is none called {model}.", model=asked.model or "–")
    content = Content(
        campaign,
        texts_of(worded),
        tuple(name for name in names if name in worded),
        pictures=described(ctx, author, asked, {}),
        model=next(iter(worded.values())).model,
    )
    with ctx.store.write() as tx:
        (post,) = add_in(ctx, tx, author, content, asked.when)
    return Drafted(post, tuple(name for name in names if name not in worded))


def _worded(ctx: Context, campaign: str, names: tuple[str, ...], asked: Asked, turn: int) -> dict[str, Wording]:
    profiles = {name: ctx.channel(name).profile for name in names}
    found = {
        name: compose_general(
            ctx.messages,
            campaign_named(ctx, campaign),
            profiles[name].rules,
            turn=turn,
            layout=profiles[name].layout,
            platform=profiles[name].like,
            with_media=asked.picture is not None,
            model=asked.model,
        )
        for name in roomiest_first(ctx, names)
    }
    return {name: words for name, words in found.items() if isinstance(words, Wording)}
