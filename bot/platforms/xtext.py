"""Whether a post on X says what was written, after X has shortened its links and escaped its letters."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.text import nfc

_SHORTENED = re.compile(r"https?://t\.co/[A-Za-z0-9]+")
_PROTOCOL = re.compile(r"https?://", re.IGNORECASE)
_PICTURES = re.compile(r"https://(?:x|twitter)\.com/.*/status/[0-9]+/(?:photo|video)/[0-9]+")
_LINK = "\0"


def reads(text: str, post: Mapping[str, Any]) -> bool | None:
    """Whether the post says this. None: its words do, but where its links lead cannot be told."""
    said = _plain(nfc(text))
    # X writes & < > as HTML does, or once did; both readings are tried.
    shown = [nfc(post["text"])]
    shown.append(shown[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    leads = dict(_expanded(post.get("entities")))
    if any(_plain(_SHORTENED.sub(lambda found: leads.get(found[0], found[0]), form)) == said for form in shown):
        return True
    return None if any(_whatever_the_links(form, leads).fullmatch(said) for form in shown) else False


def _plain(text: str) -> str:
    return " ".join(word.rstrip("/") for word in _PROTOCOL.sub("", text).split())


def _whatever_the_links(shown: str, leads: Mapping[str, str]) -> re.Pattern[str]:
    """Where X says of no link where it leads, one at the very end may be that of the pictures."""
    bare = _plain(_SHORTENED.sub(lambda found: _LINK if leads.get(found[0], _LINK) else "", shown))
    end = "" if leads else f" {_LINK}"
    words = r"\S+".join(map(re.escape, bare.removesuffix(end).split(_LINK)))
    return re.compile(words + (r"(?: \S+)?" if end and bare.endswith(end) else ""))


def _expanded(entities: object) -> Iterator[tuple[str, str]]:
    """Where each short link leads; that of the post's own pictures, which X puts at the end, nowhere."""
    urls = entities.get("urls") if isinstance(entities, dict) else None
    for url in urls or []:
        leads = str(url.get("expanded_url") or url.get("url"))
        yield str(url.get("url")), "" if url.get("media_key") or _PICTURES.fullmatch(leads) else leads
