"""Panic: what stops, who is out, what can never be read again, and how people come back."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.domain.audit import Act
from bot.domain.errors import Misconfigured, Refused
from bot.domain.people import Lack, Role
from bot.services import factors, invitations, people, queue, sessions
from bot.services.context import Context
from bot.services.panic import WORD, panic
from bot.store import audit, tables
from bot.store.keystore import Keystore
from bot.store.vault import Vault
from tests.house import Crew, payload, told


def test_nothing_is_done_without_the_word_nor_by_who_may_not(ctx: Context, crew: Crew) -> None:
    for actor, word in ((crew.admin, "yes"), (crew.admin, ""), (crew.reviewer, WORD)):
        with pytest.raises(Refused):
            panic(ctx, actor, word)
    assert queue.halt_state(ctx) is None
    assert ctx.keystore.people()


def test_an_old_token_and_no_second_factor_are_enough(ctx: Context, crew: Crew) -> None:
    """Whoever must be quick has no time for codes; what a thief could do with it is to lock the house."""
    panic(ctx, replace(crew.admin, lacks=Lack.FRESH_TOKEN), WORD.lower())
    assert queue.halt_state(ctx)


def test_everything_stops_and_everybody_is_out(ctx: Context, crew: Crew) -> None:
    session, token = sessions.open_session(ctx, crew.reviewer).token, sessions.mint_for(ctx, crew.reviewer)
    link = invitations.invite(ctx, crew.admin, "lan", {Role.AUDITOR})
    factors.offer_codes(ctx, crew.reviewer)
    done = panic(ctx, crew.admin, WORD)
    assert (done.people, done.kept) == (len(crew.tokens) + 1, "")
    assert queue.halt_state(ctx)
    assert sessions.whose(ctx, session) is None
    for alias, given in [*crew.tokens.items(), ("chi", token)]:
        with pytest.raises(Refused, match="Wrong alias or token"):
            people.sign_in(ctx, alias, given)
    with pytest.raises(Exception, match="used already, or is too old"):
        invitations.invited(ctx, link)
    with ctx.store.read() as tx:
        for table in (tables.sessions, tables.tokens, tables.factors, tables.invitations):
            assert tx.execute(select(func.count()).select_from(table)).scalar() == 0, table


def test_the_log_stands_and_says_when_and_names_nobody(ctx: Context, crew: Crew) -> None:
    queue.hold(ctx, crew.coordinator, "channel", "rehearsal-x", "gia đình nhắn")
    assert payload(ctx, told(ctx, Act.CHANNEL_HELD)[0]) == {"reason": "gia đình nhắn"}
    panic(ctx, crew.admin, WORD)
    assert payload(ctx, told(ctx, Act.CHANNEL_HELD)[0]) == {}
    assert len(told(ctx, Act.PANICKED)) == 1
    assert ctx.keystore.people() == {}
    again = Keystore.open(ctx.keystore.folder)
    with ctx.store.read() as tx:
        sealed = audit.latest_checkpoint(tx)
        assert sealed
        assert sealed.size == audit.size(tx)
    assert again.vkey == ctx.keystore.vkey


def test_a_first_admin_comes_back_on_the_server(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused, match="There are people already"):
        people.add_person(ctx, None, "mai", {Role.ADMIN})
    panic(ctx, crew.admin, WORD)
    mai, token = people.add_person(ctx, None, "an", {Role.ADMIN})
    assert people.sign_in(ctx, "an", token).id == mai.id != crew.admin.id
    lan, _token = people.add_person(ctx, mai, "lan", {Role.COORDINATOR})
    queue.ask_unhalt(ctx, lan)
    queue.confirm_unhalt(ctx, mai)
    assert queue.halt_state(ctx) is None


@pytest.mark.parametrize("is_handed", [False, True])
def test_what_the_accounts_sign_in_with_is_gone_and_can_be_entered_anew(tmp_path: Path, *, is_handed: bool) -> None:
    file, key = tmp_path / "secrets.json", tmp_path / "key"
    vault = Vault(file, key)
    vault.establish()
    vault.seal("x", {"api_key": SecretStr("canary")})
    assert Vault(file, key, is_handed=is_handed).forget() == ""
    assert not file.exists()
    assert key.exists() is is_handed
    if not is_handed:
        with pytest.raises(Misconfigured):
            vault.seal("x", {"api_key": SecretStr("new")})
        vault.establish()
    vault.seal("x", {"api_key": SecretStr("new")})
    assert vault.unseal("x", "api_key") == SecretStr("new")


def test_what_cannot_be_deleted_from_here_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, key = tmp_path / "secrets.json", tmp_path / "key"

    def refuse(self: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert Vault(file, key).forget() == str(key)
