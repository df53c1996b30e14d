"""Tries that grow slower without locking anybody out: counted before they are looked at, forgiven when right."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.errors import CampaignError, Refused
from bot.services.context import Context
from bot.store import sessions


class TooMany(Refused):
    """Nothing was looked at; the same words may be accepted in a while."""


@dataclass(frozen=True, slots=True)
class Slowing:
    """After `free` failures each further one doubles the wait, up to `most`."""

    free: int
    most: timedelta

    def wait(self, failures: int) -> timedelta:
        over = failures - self.free
        return timedelta() if over < 0 else min(timedelta(seconds=2 ** min(over, 20)), self.most)


ACCOUNT = Slowing(free=5, most=timedelta(minutes=15))
# Over Tor, or behind a proxy, many people share one source.
SOURCE = Slowing(free=30, most=timedelta(minutes=1))


def count(ctx: Context, counted: Mapping[str, Slowing]) -> None:
    """A failure until it is forgiven, so that guesses made at the same time count each. Raises TooMany."""
    now, keys = ctx.now(), {keyed(ctx, "tries", what): slowing for what, slowing in counted.items()}
    with ctx.store.write() as tx:
        found = {key: sessions.failed(tx, key) for key in keys}
        until = max((each.next_at for each in found.values() if each), default=now)
        if until > now:
            raise _too_many(until - now)
        for key, slowing in keys.items():
            before = found[key]
            failures = before.failures + 1 if before else 1
            sessions.note_failure(tx, key, failures, now + slowing.wait(failures))


def _too_many(wait: timedelta) -> CampaignError:
    if wait < timedelta(minutes=1):
        return TooMany("Too many tries. Wait {seconds} seconds.", seconds=int(wait.total_seconds()) + 1)
    return TooMany("Too many tries. Wait {minutes} minutes.", minutes=-(-wait // timedelta(minutes=1)))


def forgive(ctx: Context, counted: Mapping[str, Slowing]) -> None:
    with ctx.store.write() as tx:
        for what in counted:
            sessions.forgive(tx, keyed(ctx, "tries", what))


def keyed(ctx: Context, purpose: str, text: str) -> str:
    return hmac.new(ctx.keystore.secret(purpose), text.encode(errors="surrogatepass"), "sha256").hexdigest()
