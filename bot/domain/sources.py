"""What counts as a source: a page that others can open, or a document that others can ask for by name and date."""

import re
from urllib.parse import urlsplit

from bot.domain.errors import BadInput

FEWEST_WORDS = 3
_WORD = re.compile(r"[^\W\d_]{2,}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)", re.ASCII)
_SHOWN = 60


def is_source(text: str) -> bool:
    """One line. What only looks like an address is neither a page nor a document."""
    if page_in(text):
        return True
    return "://" not in text and len(_WORD.findall(text)) >= FEWEST_WORDS and bool(_YEAR.search(text))


def page_in(text: str) -> str | None:
    """The first address of a page in it."""
    return next((part for part in text.split() if _is_page(part)), None)


def _is_page(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "@" not in parts.netloc and "." in host.strip(".")


def checkable(line: str) -> str:
    """The line as it is. Raises BadInput."""
    if not is_source(line):
        raise BadInput(
            "“{text}” is no source that others can check. Give the address of a page (https://…), or name the document "
            "in a few words and with its date: “Letter of the family, 3 November 2026”.",
            text=line[:_SHOWN],
        )
    return line


def require_checkable(source: str) -> None:
    """Every line of it. Raises BadInput."""
    for line in source.splitlines():
        if line.strip():
            checkable(line.strip())
