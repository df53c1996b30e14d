"""Turns an approved post into its deliveries, one for each part on each account."""

import json

from sqlalchemy import Connection

from bot.domain.errors import Refused
from bot.domain.post import Post, canonical, content_from_plain, part_from_plain, sha256
from bot.services.context import Context
from bot.store import deliveries, home


def enqueue(ctx: Context, tx: Connection, post: Post) -> None:
    """Create the deliveries of an approved post, from its frozen manifest alone."""
    home.settle_in(tx, ctx.store)
    if deliveries.revive(tx, post.id, post.digest):
        return
    content = content_from_plain(json.loads(post.document))
    for rendition in json.loads(post.manifest)["renditions"]:
        channel = rendition["channel"]
        window = content.window(channel)
        if window is None:
            raise Refused("Post {id} has no time for {channel}. Set one.", id=post.id, channel=channel)
        parts = [part_from_plain(part) for part in rendition["parts"]]
        deliveries.add(
            tx,
            [
                deliveries.NewDelivery(
                    post_id=post.id,
                    channel=channel,
                    part=number,
                    digest=post.digest,
                    content=canonical(rendition["parts"][number]),
                    idem_key=sha256(f"{post.id}:{channel}:{number}:{post.digest}"),
                    due_at=window.due,
                    not_after=window.not_after,
                    reply_to=part.reply_to,
                )
                for number, part in enumerate(parts)
            ],
        )
