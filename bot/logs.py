"""Logs on stderr: lines to read on a terminal, JSON elsewhere; only listed fields, so no name slips in."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

# What a line may carry. A name, a text, an alias or a token is not among these, and so is never written.
FIELDS = frozenset({
    "event", "level", "timestamp", "act", "attempt", "channel", "count", "delivery", "detail", "drafted",
    "error", "host", "job", "kind", "lateness_ms", "left_out", "number", "outcome", "pid", "port", "post", "published",
    "reason", "ref", "seconds", "seq", "size", "state", "thread", "version", "where", "worker",
})  # fmt: skip
MAX_VALUE = 500
SHORTEST_SECRET = 6

log: structlog.stdlib.BoundLogger = structlog.get_logger("campaignbot")
_secrets: set[str] = set()


def hide(secret: str) -> None:
    """From now on this value is never written, wherever it turns up."""
    if len(secret) >= SHORTEST_SECRET:
        _secrets.add(secret)


def configure(*, as_json: bool | None = None, to: TextIO | None = None, verbose: bool = False) -> None:
    """Console lines on a terminal, else JSON. Libraries log here too, from warnings up."""
    stream = to or sys.stderr
    shape: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not (not stream.isatty() if as_json is None else as_json):
        shape = structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False)
    chain: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_of_error,
        _only_listed,
    ]
    structlog.configure(
        processors=[*chain, shape],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=[remove, _only_listed, shape])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # It would write the addresses it calls, and an address of Telegram holds the token.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)


def _place_of_error(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Where it broke, as file and line; never what the variables or the message held."""
    del logger, method
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"], event["where"] = type(error).__name__, where(error.__traceback__)
    return event


def where(trace: TracebackType | None) -> str:
    return " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(traceback.extract_tb(trace)[-6:]))


def _only_listed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    del logger, method
    return {key: _plain(value) for key, value in event.items() if key in FIELDS or key.startswith("_")}


def _plain(value: object) -> object:
    """A value stays on its line, whatever is in it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    for secret in _secrets:
        text = text.replace(secret, "•••")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:MAX_VALUE])
