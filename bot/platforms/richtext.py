"""Finds what Bluesky shows as a link, a hashtag or a mention: nothing in a text is live there unless named apart."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

import regex

from bot.domain import links

TAG_GRAPHEMES, TAG_BYTES = 64, 640
_ADDRESS = regex.compile(r"""(?<![\w@#])https?://(?=\w)[^\s<>"“”«»\u200b\u2060]++""", regex.IGNORECASE)
_STOPS = ".,;:!?…'’"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_DOMAIN = regex.compile("[^:/?]+")
_TAG = regex.compile(r"(?<![^\s(])[#＃](?!\ufe0f)([^\s#＃\u00ad\u200a\u200b\u2060\u20e2]++)")
_TAG_END = regex.compile(r"[\p{P}\u200c\u200d]+$")
_SAYS_SOMETHING = regex.compile(r"[^\d\p{P}]")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?+"
_MENTION = regex.compile(rf"(?<![^\s(])@({_LABEL}(?:\.{_LABEL})++)(?![\w@-])", regex.ASCII | regex.IGNORECASE)
_KINDS = {"uri": "link", "tag": "tag", "did": "mention"}
_Found = tuple[int, int, dict[str, str]]


def facets(text: str, resolve: Callable[[str], str]) -> list[dict[str, Any]]:
    """Places are UTF-8 bytes, the end exclusive. `resolve` gives the DID of a handle, "" where there is none."""
    place = list(accumulate((len(c.encode("utf-8", "surrogatepass")) for c in text), initial=0))
    made, done = [], 0
    found = [*_addresses(text), *_bare(text), *_tags(text), *_mentions(text)]
    for start, end, feature in sorted(found, key=lambda each: each[:2]):
        if start < done:
            continue
        if handle := feature.get("did"):
            feature["did"] = resolve(handle)
        for name, value in feature.items():
            if value:
                kind = f"app.bsky.richtext.facet#{_KINDS[name]}"
                index = {"byteStart": place[start], "byteEnd": place[end]}
                made.append({"index": index, "features": [{"$type": kind, name: value}]})
                done = end
    return made


def _addresses(text: str) -> Iterator[_Found]:
    for match in _ADDRESS.finditer(text):
        address = _without_tail(match[0])
        yield match.start(), match.start() + len(address), {"uri": address}


def _without_tail(address: str) -> str:
    """Less the stops of the sentence around it, and brackets that it does not open."""
    while True:
        last = address[-1]
        opens = address.count(_BRACKETS.get(last, last))
        if last not in _STOPS and address.count(last) <= opens:
            return address
        address = address[:-1]


def _bare(text: str) -> Iterator[_Found]:
    """A domain without a protocol stands apart and ends small: in “nay.Do” only a space was forgotten."""
    for link in links.find(text):
        apart = link.start == 0 or text[link.start - 1].isspace() or text[link.start - 1] == "("
        domain = _DOMAIN.match(link.text)
        zone = domain[0].rpartition(".")[2] if domain else ""
        if link.bare and apart and zone == zone.lower():
            yield link.start, link.end, {"uri": f"https://{link.text}"}


def _tags(text: str) -> Iterator[_Found]:
    for match in _TAG.finditer(text):
        tag = _TAG_END.sub("", match[1])
        size = len(tag.encode("utf-8", "surrogatepass"))
        short = size <= TAG_BYTES and len(regex.findall(r"\X", tag)) <= TAG_GRAPHEMES
        if short and _SAYS_SOMETHING.search(tag):
            yield match.start(), match.start(1) + len(tag), {"tag": tag}


def _mentions(text: str) -> Iterator[_Found]:
    for match in _MENTION.finditer(text):
        if match[1].rpartition(".")[2][0].isalpha():
            yield match.start(), match.end(), {"did": match[1].lower()}
