"""What posts cost and what accounts have used up, as it is said on the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bot.cli.frame import Session
from bot.domain.budget import Budget, Used, dollars, price_on
from bot.domain.text import RULES, split_parts
from bot.i18n import _

if TYPE_CHECKING:
    from bot.services.context import Context


def of_text(session: Session, text: str) -> dict[str, str]:
    """By platform, by the prices beside the configuration, else those shipped; a long text as the thread it becomes."""
    from datetime import UTC, datetime

    from bot.cli.setup import shipped
    from bot.library.schedules import load_prices

    own = session.config.absolute().parent / "schedules"
    prices = load_prices(own if own.is_dir() else shipped() / "schedules")
    today = datetime.now(UTC).date()
    found = {name: price_on(prices, name, today) for name in RULES}
    return {
        name: dollars(sum(price.of(part) for part in split_parts(text, RULES[name]) or [text]))
        for name, price in found.items()
        if price
    }


def sums(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of what `rehearse` says would go out, by account."""
    costs: dict[str, int] = {}
    for channel in (channel for row in rows for channel in row["channels"]):
        costs[channel["channel"]] = costs.get(channel["channel"], 0) + sum(part["cost"] for part in channel["parts"])
    return {name: dollars(cost) for name, cost in costs.items() if cost}


def plain(ctx: "Context", name: str) -> dict[str, Any]:
    used, budget = _state(ctx, name)
    most = None if budget.cost_per_month is None else dollars(budget.cost_per_month).removeprefix("$")
    return {
        "used_this_month": {"posts": used.posts, "usd": dollars(used.cost).removeprefix("$")},
        "budget": {
            "per_hour": budget.per_hour,
            "per_day": budget.per_day,
            "per_month": budget.per_month,
            "per_month_usd": most,
        },
    }


def lines(ctx: "Context", name: str) -> Iterator[str]:
    """One line where the account has a budget or has cost anything this month."""
    used, budget = _state(ctx, name)
    if budget.is_set or used.cost:
        posts = f"{used.posts}/{budget.per_month}" if budget.per_month is not None else str(used.posts)
        most = budget.cost_per_month
        cost = dollars(used.cost) + (f"/{dollars(most)}" if most is not None else "")
        yield _("Used this month: {posts} posts, {cost}.").format(posts=posts, cost=cost)


def _state(ctx: "Context", name: str) -> tuple[Used, Budget]:
    from bot.services import budget

    with ctx.store.read() as tx:
        return budget.used(ctx, tx, name), ctx.channels[name].budget
