"""What Prometheus is told: figures, of everything that may go wrong, and no name."""

from dataclasses import replace
from datetime import timedelta

from flask import Flask

from bot.domain.budget import Budget
from bot.services.context import Context
from bot.web import health
from tests.farside import NINE, FarSide, X, drain, go_to, scheduled, worker_of
from tests.house import Crew, FakeClock


def scraped(ctx: Context) -> dict[str, float]:
    app = Flask(__name__)
    app.register_blueprint(health.pages(ctx))
    lines = app.test_client().get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_lateness_states_and_the_oldest_due_are_told(
    house: Context, crew: Crew, clock: FakeClock, far: FarSide
) -> None:
    assert "campaignbot_lateness_seconds" not in str(scraped(house))
    scheduled(house, crew)
    go_to(clock, NINE + timedelta(seconds=7))
    assert scraped(house)["campaignbot_oldest_due_seconds"] == 7
    drain(house, worker_of(house))
    told = scraped(house)
    assert [told[f'campaignbot_lateness_seconds{{quantile="{each}"}}'] for each in (0.5, 0.99, 1.0)] == [7, 7, 7]
    assert told['campaignbot_deliveries{state="published"}'] == len(far.accepted) == 2
    assert told['campaignbot_deliveries{state="unknown"}'] == 0
    assert told["campaignbot_oldest_due_seconds"] == 0


def test_the_budget_is_told_as_a_share_and_without_a_name(house: Context, crew: Crew, clock: FakeClock) -> None:
    assert scraped(house)["campaignbot_budget_used_ratio"] == 0
    house = replace(house, channels={X: replace(house.channels[X], budget=Budget(per_month=8))})
    scheduled(house, crew)
    go_to(clock, NINE)
    drain(house, worker_of(house))
    told = scraped(house)
    assert told["campaignbot_budget_used_ratio"] == 0.25
    assert X not in str(told)
