"""Attacks on signing in, as figures: how many guesses are looked at, and that the owner comes in meanwhile."""

from dataclasses import replace

import pytest

from bot.domain.errors import Refused
from bot.services import invitations, passphrases, sessions
from bot.services.context import Context
from tests.house import Crew, FakeClock
from tests.web.conftest import CHEAP, PASSPHRASE

GUESSES = 10_000


@pytest.fixture
def ctx(ctx: Context) -> Context:
    return replace(ctx, signing_in=CHEAP)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every guess that cost the work of a hash."""
    seen: list[str] = []
    honest = passphrases.matches

    def count(ctx: Context, kept: str, passphrase: str) -> bool:
        seen.append(passphrase)
        return honest(ctx, kept, passphrase)

    monkeypatch.setattr(passphrases, "matches", count)
    return seen


def test_somebody_unknown_costs_the_same_work(ctx: Context, crew: Crew, looked_at: list[str]) -> None:
    invitations.accept(ctx, invitations.reset(ctx, crew.admin, "chi"), PASSPHRASE)
    for alias in ("chi", "binh", "nobody", ""):
        with pytest.raises(Refused, match="Wrong alias or passphrase"):
            sessions.sign_in(ctx, alias, "not this one", source="here")
    assert len(looked_at) == 4


@pytest.mark.slow
@pytest.mark.parametrize(("sources", "aliases", "most"), [(1, 1, 120), (GUESSES, 1, 120), (1, GUESSES, 1_600)])
def test_ten_thousand_guesses_in_a_day_reach_the_hash_few_times_and_the_owner_comes_in(
    ctx: Context, crew: Crew, clock: FakeClock, looked_at: list[str], sources: int, aliases: int, most: int
) -> None:
    """At one account from one place, from everywhere, and at everybody from one place."""
    invitations.accept(ctx, invitations.reset(ctx, crew.admin, "chi"), PASSPHRASE)
    mark = sessions.sign_in(ctx, "chi", PASSPHRASE, source="home").mark
    looked_at.clear()
    for number in range(GUESSES):
        alias = "chi" if aliases == 1 else f"somebody {number}"
        with pytest.raises(Refused):
            sessions.sign_in(ctx, alias, f"guess {number}", source=f"source {number % sources}")
        clock.advance(seconds=8.64)
    assert len(looked_at) <= most
    assert sessions.sign_in(ctx, "chi", PASSPHRASE, source="home", mark=mark).token
