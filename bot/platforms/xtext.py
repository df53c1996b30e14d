"""Whether a post on X says what was written, after X has shortened its links and escaped its letters."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.text import links, nfc

_SHORTENED = re.compile(r"https?://t\.co/[A-Za-z0-9]+")
_PROTOCOL = re.compile(r"https?://", re.IGNORECASE)
_PICTURES = re.compile(r"https://(?:x|twitter)\.com/.*/status/[0-9]+/(?:photo|video)/[0-9]+")
_LINK = "\0"


def reads(text: str, post: Mapping[str, Any]) -> bool | None:
    """Whether the post says this. None: its words do, but where its links lead cannot be told."""
    said = nfc(text)
    # X writes & < > as HTML does, or once did; both readings are tried.
    shown = [nfc(post["text"])]
    shown.append(shown[0].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    leads = dict(_expanded(post.get("entities")))
    for form in shown:
        if _words(_SHORTENED.sub(lambda found: leads.get(found[0], found[0]), form)) == _words(said):
            return True
    bare = _words(_cut(said))
    return None if any(_words(_SHORTENED.sub(_LINK, form)) in (bare, [*bare, _LINK]) for form in shown) else False


def _words(text: str) -> list[str]:
    return [word.rstrip("/") for word in _PROTOCOL.sub("", text).split()]


def _cut(said: str) -> str:
    """Each link becomes a mark."""
    for link in reversed(links(said)):
        said = said[: link.start] + _LINK + said[link.end :]
    return said


def _expanded(entities: object) -> Iterator[tuple[str, str]]:
    """Where each short link leads; that of the post's own pictures, which X puts at the end, nowhere."""
    urls = entities.get("urls") if isinstance(entities, dict) else None
    for url in urls or []:
        leads = str(url.get("expanded_url") or url.get("url"))
        yield str(url.get("url")), "" if url.get("media_key") or _PICTURES.fullmatch(leads) else leads
