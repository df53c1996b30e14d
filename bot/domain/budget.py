"""What an account may use up: posts an hour, a day and a month, and money, at prices that have a date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.domain.post import Part
from bot.domain.text import links

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MILLIONTHS = 1_000_000
NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class Price:
    """What a service takes for a post, in millionths of a US dollar, from the day `since` on.

    `seen_on` is when somebody last read it at `source`.
    """

    id: str
    platform: str
    since: date
    per_post: int
    per_link_post: int
    seen_on: date
    source: str

    def of(self, text: str) -> int:
        return self.per_link_post if links(text) else self.per_post


@dataclass(frozen=True, slots=True)
class Budget:
    """None is without limit. An hour and a day slide, a month is that of the calendar in UTC; `cost` in millionths."""

    per_hour: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    cost_per_month: int | None = None

    @property
    def is_set(self) -> bool:
        return self != Budget()

    @property
    def sliding(self) -> tuple[tuple[int, timedelta], ...]:
        return tuple((most, span) for most, span in ((self.per_hour, HOUR), (self.per_day, DAY)) if most is not None)


@dataclass(frozen=True, slots=True)
class Used:
    """Since the month began: what went out, or may have; `cost` in millionths of a US dollar."""

    posts: int = 0
    cost: int = 0

    def share(self, budget: Budget) -> float:
        """Of what the month may use up; 1 where there is nothing to use."""
        pairs = ((self.posts, budget.per_month), (self.cost, budget.cost_per_month))
        return max((used / most if most else 1.0 for used, most in pairs if most is not None), default=0.0)

    def nearly(self, budget: Budget) -> bool:
        return self.share(budget) >= NEARLY


def price_on(prices: Iterable[Price], platform: str, on: date) -> Price | None:
    known = (price for price in prices if price.platform == platform and price.since <= on)
    return max(known, key=lambda price: price.since, default=None)


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Its first moment, and that of the next one."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + 31 * DAY).replace(day=1)


def begun_with(parts: Sequence[Part], number: int) -> tuple[Part, ...]:
    """What a part commits to: itself, and if it opens a thread, everything that answers it."""
    if parts[number].reply_to is not None:
        return (parts[number],)
    end = next((n for n in range(number + 1, len(parts)) if parts[n].reply_to is None), len(parts))
    return tuple(parts[number:end])


def dollars(cost: int) -> str:
    """At least to the cent, and no digit lost."""
    whole, rest = divmod(cost, MILLIONTHS)
    return f"${whole}.{f'{rest:06}'.rstrip('0'):0<2}"
