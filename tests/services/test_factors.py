"""One-time codes, recovery codes, short-lived tokens: each proves something once, and old ones do not do."""

from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from bot.domain.audit import Act
from bot.domain.errors import Refused
from bot.domain.people import DUTIES, GUARDED, Duty, Lack, require
from bot.services import factors, invitations, people, sessions
from bot.services.context import Context
from bot.services.tries import TooMany
from bot.store import people as accounts
from bot.store import tables
from tests.house import Crew, FakeClock, find_person, told
from tests.web.conftest import CHEAP, PASSPHRASE

STEP = timedelta(seconds=30)


@pytest.fixture
def ctx(ctx: Context) -> Context:
    return replace(ctx, signing_in=CHEAP)


def with_codes(ctx: Context, crew: Crew, alias: str = "chi") -> pyotp.TOTP:
    """Their passphrase is set, and their codes are on; the code that turned them on is used."""
    invitations.accept(ctx, invitations.reset(ctx, crew.admin, alias), PASSPHRASE)
    person = find_person(ctx, alias)
    factors.offer_codes(ctx, person)
    app = pyotp.TOTP(factors.offered(ctx, person))
    factors.accept_codes(ctx, person, app.at(ctx.now()))
    return app


def spent(ctx: Context, alias: str, code: str) -> bool:
    with ctx.store.write() as tx:
        return factors.spend(ctx, tx, find_person(ctx, alias), code)


def test_a_code_works_once(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    assert not spent(ctx, "chi", app.at(ctx.now()))
    clock.advance(seconds=30)
    assert spent(ctx, "chi", app.at(ctx.now()))
    assert not spent(ctx, "chi", app.at(ctx.now()))


def test_a_code_of_the_half_minute_before_or_after_does(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    works = []
    for steps in (-2, -1, 0, 1, 2):
        clock.advance(minutes=5)
        works += [steps] if spent(ctx, "chi", app.at(ctx.now() + steps * STEP)) else []
    assert works == [-1, 0, 1]


def test_after_a_later_code_an_earlier_one_does_not_do(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    clock.advance(minutes=5)
    assert spent(ctx, "chi", app.at(ctx.now() + STEP))
    assert not spent(ctx, "chi", app.at(ctx.now()))


@pytest.mark.parametrize("typed", ["", "000000 ", "１２３４５６", "١٢٣٤٥٦", "12345", "x" * 10_000, "\ud800", "-1"])
def test_what_is_no_code_does_nothing(ctx: Context, crew: Crew, typed: str) -> None:
    with_codes(ctx, crew)
    assert not spent(ctx, "chi", typed)


def test_a_code_is_typed_with_blanks_too(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    clock.advance(minutes=5)
    code = app.at(ctx.now())
    assert spent(ctx, "chi", f" {code[:3]} {code[3:]} ")


def test_nobodys_code_does_for_another(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    with_codes(ctx, crew, "dung")
    clock.advance(minutes=5)
    assert not spent(ctx, "dung", app.at(ctx.now()))


def test_an_offered_secret_counts_for_nothing_until_a_code_was_typed_in_time(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    factors.offer_codes(ctx, crew.reviewer)
    app = pyotp.TOTP(factors.offered(ctx, crew.reviewer))
    assert not spent(ctx, "chi", app.at(ctx.now()))
    with pytest.raises(Refused, match="Wrong code"):
        factors.accept_codes(ctx, crew.reviewer, "000000")
    clock.advance(minutes=16)
    assert factors.offered(ctx, crew.reviewer) == ""
    with pytest.raises(Refused, match="Wrong code"):
        factors.accept_codes(ctx, crew.reviewer, app.at(ctx.now()))


def test_each_recovery_code_works_once_and_new_ones_void_the_old(ctx: Context, crew: Crew) -> None:
    with_codes(ctx, crew)
    codes = factors.new_recovery_codes(ctx, crew.reviewer)
    assert len(set(codes)) == factors.RECOVERY_CODES
    assert spent(ctx, "chi", codes[0].upper().replace("-", " "))
    assert not spent(ctx, "chi", codes[0])
    assert factors.owned(ctx, crew.reviewer).recovery_left == factors.RECOVERY_CODES - 1
    assert not spent(ctx, "dung", codes[1])
    factors.new_recovery_codes(ctx, crew.reviewer)
    assert not spent(ctx, "chi", codes[1])


def test_recovery_codes_go_with_the_last_factor_they_stand_in_for(ctx: Context, crew: Crew) -> None:
    with_codes(ctx, crew)
    factors.new_recovery_codes(ctx, crew.reviewer)
    (code,) = factors.owned(ctx, crew.reviewer).codes
    factors.drop(ctx, crew.reviewer, code.id)
    assert factors.owned(ctx, crew.reviewer).recovery_left == 0


def test_the_database_holds_no_secret_of_a_factor(ctx: Context, crew: Crew) -> None:
    app = with_codes(ctx, crew)
    codes = factors.new_recovery_codes(ctx, crew.reviewer)
    token = sessions.mint_for(ctx, crew.reviewer)
    with ctx.store.read() as tx:
        rows = repr([tx.execute(select(each)).all() for each in tables.metadata.tables.values()])
    for secret in (app.secret, token, *codes, codes[0].replace("-", "")):
        assert secret not in rows


def test_a_key_that_was_forgotten_makes_every_code_wrong(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    person = find_person(ctx, "chi")
    clock.advance(minutes=5)
    ctx.keystore.forget(person.pseudonym)
    with ctx.store.write() as tx:
        assert not factors.spend(ctx, tx, person, app.at(ctx.now()))


def test_a_given_token_is_fresh_for_a_quarter_of_an_hour(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    assert people.sign_in(ctx, "chi", crew.tokens["chi"]).lacks is None
    clock.advance(minutes=15)
    assert people.sign_in(ctx, "chi", crew.tokens["chi"]).lacks is None
    clock.advance(seconds=1)
    assert people.sign_in(ctx, "chi", crew.tokens["chi"]).lacks is Lack.FRESH_TOKEN


def test_a_minted_token_is_fresh_and_then_nothing(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    with_codes(ctx, crew)
    clock.advance(hours=1)
    token = sessions.mint_for(ctx, crew.reviewer)
    assert people.sign_in(ctx, "chi", token).lacks is None
    with pytest.raises(Refused, match="Wrong alias or token"):
        people.sign_in(ctx, "dung", token)
    clock.advance(minutes=15, seconds=1)
    with pytest.raises(Refused, match="Wrong alias or token"):
        people.sign_in(ctx, "chi", token)


def test_minting_takes_passphrase_and_code(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    app = with_codes(ctx, crew)
    clock.advance(minutes=5)
    for passphrase, code in (("not this one", app.at(ctx.now())), (PASSPHRASE, ""), (PASSPHRASE, "000000")):
        with pytest.raises(Refused):
            sessions.mint(ctx, "chi", passphrase, code)
    token = sessions.mint(ctx, "chi", PASSPHRASE, app.at(ctx.now()))
    assert people.sign_in(ctx, "chi", token).id == crew.reviewer.id
    with pytest.raises(Refused, match="used already"):
        sessions.mint(ctx, "chi", PASSPHRASE, app.at(ctx.now()))
    assert len(told(ctx, Act.PERSON_TOKEN_MINTED)) == 1


@pytest.mark.parametrize("lack", Lack)
@pytest.mark.parametrize("duty", Duty)
def test_every_guarded_duty_takes_what_is_lacking_and_no_other_does(duty: Duty, lack: Lack, crew: Crew) -> None:
    role = next(iter(DUTIES[duty]))
    person = replace(crew.admin, roles=frozenset({role}), lacks=lack)
    if duty in GUARDED:
        with pytest.raises(Refused, match=duty.value):
            require(person, duty)
    else:
        require(person, duty)
    require(replace(person, lacks=None), duty)


def test_after_a_week_a_second_factor_is_asked_of_who_has_none(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    clock.advance(days=7)
    assert people.sign_in(ctx, "chi", sessions.mint_for(ctx, crew.reviewer)).lacks is None
    clock.advance(seconds=1)
    assert people.sign_in(ctx, "chi", sessions.mint_for(ctx, crew.reviewer)).lacks is Lack.SECOND_FACTOR
    with_codes(ctx, crew)
    assert people.sign_in(ctx, "chi", sessions.mint_for(ctx, crew.reviewer)).lacks is None


def test_a_reset_drops_factors_sessions_and_short_tokens_and_is_on_record(ctx: Context, crew: Crew) -> None:
    with_codes(ctx, crew)
    factors.new_recovery_codes(ctx, crew.reviewer)
    session, token = sessions.open_session(ctx, crew.reviewer).token, sessions.mint_for(ctx, crew.reviewer)
    before = len(told(ctx, Act.PERSON_RESET))
    invitations.reset(ctx, crew.admin, "chi")
    owned = factors.owned(ctx, crew.reviewer)
    assert (owned.codes, owned.passkeys, owned.recovery_left) == ((), (), 0)
    assert sessions.whose(ctx, session) is None
    with pytest.raises(Refused):
        people.sign_in(ctx, "chi", token)
    assert len(told(ctx, Act.PERSON_RESET)) == before + 1


def test_a_new_token_ends_what_was_opened_with_the_old(ctx: Context, crew: Crew) -> None:
    session, short = sessions.open_session(ctx, crew.reviewer).token, sessions.mint_for(ctx, crew.reviewer)
    people.reset_token(ctx, crew.admin, "chi")
    assert sessions.whose(ctx, session) is None
    with pytest.raises(Refused):
        people.sign_in(ctx, "chi", short)


def test_the_only_admin_is_helped_on_the_server_and_nobody_else(ctx: Context, crew: Crew) -> None:
    for of in ("chi", "binh"):
        with pytest.raises(Refused, match="add --as ADMIN"):
            invitations.reset(ctx, None, of)
    invitations.accept(ctx, invitations.reset(ctx, None, "an"), PASSPHRASE)
    assert told(ctx, Act.PERSON_RESET)[-1].actor == "campaignbot"
    people.set_roles(ctx, crew.admin, "chi", {*crew.reviewer.roles, *crew.admin.roles})
    for reset in (invitations.reset, people.reset_token):
        with pytest.raises(Refused, match="add --as ADMIN"):
            reset(ctx, None, "an")


def test_a_code_that_was_offered_is_no_second_factor(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    clock.advance(days=8)
    factors.offer_codes(ctx, crew.reviewer)
    assert people.sign_in(ctx, "chi", sessions.mint_for(ctx, crew.reviewer)).lacks is Lack.SECOND_FACTOR


@pytest.mark.slow
def test_ten_thousand_guesses_at_a_code_in_a_day_are_looked_at_a_hundred_times(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    """By somebody who knows the passphrase, from as many places: one in 3,000 finds a code so."""
    with_codes(ctx, crew)
    with ctx.store.read() as tx:
        account = accounts.by_pseudonym(tx, crew.reviewer.pseudonym)
    assert account
    looked_at = 0
    for number in range(10_000):
        try:
            sessions.spend_code(ctx, account, "", source=f"source {number}")
        except TooMany:
            pass
        except Refused:
            looked_at += 1
        clock.advance(seconds=8.64)
    assert 90 <= looked_at <= 110
