"""What stands at each service's far side, in one form, to be laid beside what was approved."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.contracts.simulators import bluesky, facebook, mastodon, telegram, x
from tests.system.installation import Installation
from tests.system.pds import Account


@dataclass(frozen=True)
class Seen:
    """`alts` and `languages` are None where the service has no place for them. `pictures` are digests."""

    id: str
    text: str
    parent: str
    languages: tuple[str, ...] | None
    pictures: tuple[str, ...]
    alts: tuple[str, ...] | None
    nests: bool = True  # a comment answers the part before it, else all of them the first


def digest(pixels: bytes | str) -> str:
    return hashlib.sha256(bytes.fromhex(pixels) if isinstance(pixels, str) else pixels).hexdigest()


def on_mastodon(far: mastodon.Server) -> list[Seen]:
    return [
        Seen(
            each["id"], each["text"], each["in_reply_to_id"] or "", (each["language"],),
            tuple(digest(media["bytes"]) for media in each["media_attachments"]),
            tuple(media["description"] for media in each["media_attachments"]),
        )
        for each in far.statuses.values()
    ]  # fmt: skip


def on_telegram(far: telegram.Server) -> list[Seen]:
    """An album is as many messages as pictures, and its first has the words: here it is one."""
    seen: list[Seen] = []
    for number, each in far.messages.items():
        pictures = (digest(each["picture"]),) if each["picture"] else ()
        if seen and pictures and not each["text"]:
            first = seen.pop()
            seen.append(Seen(first.id, first.text, first.parent, None, first.pictures + pictures, None))
        else:
            seen.append(Seen(str(number), each["text"], str(each["reply_to"] or ""), None, pictures, None))
    return seen


def on_bluesky(far: bluesky.Server) -> list[Seen]:
    place = f"at://{bluesky.DID}"
    records = ((f"{place}/{collection}/{key}", record["value"]) for (collection, key), record in far.records.items())
    return [_on_bluesky(uri, post, far.pixels) for uri, post in records]


def on_pds(account: Account) -> list[Seen]:
    """Of the real server."""
    seen = []
    for record in account.records():
        shown = record["value"].get("embed", {}).get("images", [])
        pixels = {picture["image"]["ref"]["$link"]: account.blob(picture["image"]) for picture in shown}
        seen.append(_on_bluesky(record["uri"], record["value"], pixels))
    return seen


def _on_bluesky(uri: str, post: Mapping[str, Any], pixels: Mapping[str, bytes]) -> Seen:
    shown = post.get("embed", {}).get("images", [])
    pictures = tuple(digest(pixels[picture["image"]["ref"]["$link"]]) for picture in shown)
    parent = post.get("reply", {}).get("parent", {}).get("uri", "")
    return Seen(uri, post["text"], parent, tuple(post["langs"]), pictures, tuple(picture["alt"] for picture in shown))


def on_x(far: x.Server) -> list[Seen]:
    return [
        Seen(
            each["id"], each["written"], each["parent"], None,
            tuple(digest(far.media[media]["bytes"]) for media in each["media"]),
            tuple(far.media[media]["alt"] for media in each["media"]),
        )
        for each in far.posts.values()
    ]  # fmt: skip


def on_facebook(far: facebook.Server) -> list[Seen]:
    return [
        Seen(
            each["id"], each["message"], each["above"], None,
            tuple(digest(photo["bytes"]) for photo in each["photos"]),
            tuple(photo["alt"] for photo in each["photos"]), nests=False,
        )
        for each in far.posts.values()
    ]  # fmt: skip


def assert_as_approved(here: Installation, post_id: int, seen: Mapping[str, Sequence[Seen]]) -> None:
    """Byte for byte, in order, each answering the part it should, and each with its receipt."""
    receipts = here.read("delivery", "list", "--post", str(post_id))
    for channel, posts in seen.items():
        wanted = here.approved(post_id)[channel]
        assert [each.text for each in posts] == [part["text"] for part in wanted], channel
        pictures = [tuple(image["digest"] for image in part["images"]) for part in wanted]
        assert [each.pictures for each in posts] == pictures, channel
        for each, part in zip(posts, wanted, strict=True):
            assert each.alts is None or each.alts == tuple(image["alt"] for image in part["images"]), channel
            assert each.languages is None or each.languages == tuple(part["languages"])[: len(each.languages)], channel
            answered = part["reply_to"]
            above = "" if answered < 0 else posts[answered if each.nests else 0].id
            assert each.parent == above, channel
        mine = [receipt for receipt in receipts if receipt["channel"] == channel]
        assert sorted(receipt["remote_id"] for receipt in mine) == sorted(each.id for each in posts), channel
        assert all(receipt["state"] == "published" and receipt["url"] for receipt in mine), channel
