"""Whether accounts work is looked at once a day, remembered, and said before a post needs them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.domain.alerts import Topic
from bot.ports import Account, Said
from bot.services import alerts, channels, today
from bot.services.context import Alert, Context
from tests.farside import FarSide
from tests.house import Crew, FakeClock

NAME = "rehearsal-x"


@dataclass
class Gate(FarSide):
    """An account that says what it is told to say, and counts how often it was asked."""

    account: Account = field(default_factory=lambda: Account("", ""))
    asked: int = 0

    def check(self) -> Account:
        self.asked += 1
        return self.account


def with_gate(ctx: Context, account: Account) -> tuple[Context, Gate]:
    gate = Gate(account=account)
    only = replace(ctx.channels[NAME], anew=lambda: gate)
    return replace(ctx, channels={NAME: only}), gate


def test_each_account_is_looked_at_once_a_day(ctx: Context, clock: FakeClock) -> None:
    ctx, gate = with_gate(ctx, Account("1", "@a"))
    channels.check_due(ctx)
    channels.check_due(ctx)
    assert gate.asked == 1
    assert channels.looked(ctx)[NAME].account == "@a"
    clock.advance(hours=25)
    channels.check_due(ctx)
    assert gate.asked == 2


def test_a_daemon_that_stops_looks_no_further(ctx: Context) -> None:
    ctx, gate = with_gate(ctx, Account("1", "@a"))
    channels.check_due(ctx, lambda: True)
    assert gate.asked == 0


def test_what_an_account_lacks_stays_translatable_and_is_shown_today(ctx: Context, crew: Crew) -> None:
    lacks = Said("The access token lacks the right “{scope}”.", scope="write")
    ctx, _gate = with_gate(ctx, Account("1", "@a", missing=(lacks, "as the service says")))
    channels.check(ctx, NAME)
    found = today.look(ctx, crew.binh).ailing[NAME]
    assert found.missing == (str(lacks), "as the service says")
    assert isinstance(found.missing[0], Said)
    assert (found.missing[0].template, found.missing[0].fields) == (lacks.template, {"scope": "write"})


def test_a_permission_that_ends_within_two_weeks_is_told(ctx: Context, clock: FakeClock) -> None:
    ends = clock.now() + timedelta(days=13)
    ctx, _gate = with_gate(ctx, Account("1", "@a", expires_at=ends))
    way = Alert("en", frozenset({Topic.AILING}), lambda _message: "")
    ctx = replace(ctx, alerts={"team": way})
    assert alerts.pending(ctx, "team") is None
    channels.check(ctx, NAME)
    batch = alerts.pending(ctx, "team")
    assert batch is not None
    assert [(each.topic, each.count) for each in batch.notices] == [(Topic.AILING, 1)]


def test_a_permission_that_lasts_is_no_news(ctx: Context) -> None:
    ctx, _gate = with_gate(ctx, Account("1", "@a", expires_at=datetime(2030, 1, 1, tzinfo=UTC)))
    channels.check(ctx, NAME)
    assert channels.ailing(ctx, channels.looked(ctx)) == ()


def test_an_account_that_left_the_configuration_is_forgotten(ctx: Context, crew: Crew) -> None:
    before, _gate = with_gate(ctx, Account("", "", missing=("Cannot sign in.",)))
    channels.check(before, NAME)
    after = replace(ctx, channels={name: one for name, one in ctx.channels.items() if name != NAME})
    assert NAME not in channels.looked(after)
    assert today.look(after, crew.binh).ailing == {}
