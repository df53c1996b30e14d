"""An account that opens when it is first needed keeps the contract, and says in words why it cannot open."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.domain.delivery import Sighting
from bot.domain.errors import Misconfigured
from bot.domain.text import RULES, TextRules
from bot.platforms.ondemand import OnDemand
from bot.ports import Absent, Account, Failure, Outcome, Parcel, Platform, Published, Receipt, Unsure
from tests.contracts.platform_contract import DUE, parcel
from tests.contracts.test_rehearsal import RehearsalContract, a_folder

USUAL = RULES["mastodon"]
ROOMY = replace(USUAL, limit=5_000)


class TestOnDemand(RehearsalContract):
    like = "mastodon"

    def open(self) -> Platform:
        rehearsal = a_folder(self.folder / "out", self.like)
        return OnDemand(rehearsal.rules, self.folder / "limits.json", lambda: rehearsal)


@dataclass
class Server:
    """Names its limits only once it has been asked."""

    rules: TextRules = USUAL
    opened: list[None] = field(default_factory=list)
    repeats: None = None
    answer: Outcome = Published(Receipt("1"))  # noqa: RUF009 - frozen

    def __call__(self) -> Platform:
        self.opened.append(None)
        return self

    def publish(self, parcel: Parcel) -> Outcome:
        del parcel
        self.rules = ROOMY
        return self.answer

    def find(self, parcel: Parcel, since: object) -> None:
        del parcel, since

    def look(self, receipt: Receipt, text: str) -> Sighting:
        del receipt, text
        return Sighting.THERE

    def withdraw(self, receipt: Receipt) -> Outcome:
        return Published(receipt)

    def check(self) -> Account:
        self.rules = ROOMY
        return Account("1", "@org")


def locked() -> Platform:
    raise Misconfigured("There is no secret in {place}. Put it there, or name another.", place="$T")


def test_what_cannot_be_opened_is_absent_or_unsure_in_words(tmp_path: Path) -> None:
    account = OnDemand(USUAL, tmp_path / "limits.json", locked)
    outcome = account.publish(parcel())
    assert isinstance(outcome, Absent)
    assert outcome.failure is Failure.AUTH_BROKEN
    assert "$T" in outcome.detail
    for nothing_told in (account.find(parcel(), DUE), account.look(Receipt("1"), "")):
        assert isinstance(nothing_told, Unsure)
        assert nothing_told.ask is None
    assert account.repeats is None
    assert isinstance(account.withdraw(Receipt("1")), Absent)
    assert "$T" in account.check().missing[0]


def test_it_opens_once_and_not_before_it_must(tmp_path: Path) -> None:
    server = Server()
    account = OnDemand(USUAL, tmp_path / "limits.json", server)
    assert account.rules == USUAL
    assert server.opened == []
    account.check()
    for _ in range(3):
        account.publish(parcel())
    assert len(server.opened) == 1


def test_a_key_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    server = Server(answer=Absent(Failure.AUTH_BROKEN, "401"))
    account = OnDemand(USUAL, tmp_path / "limits.json", server)
    for _ in range(2):
        account.publish(parcel())
    assert len(server.opened) == 2


def test_after_the_secrets_were_changed_it_opens_anew(tmp_path: Path) -> None:
    server, stamps = Server(), [1, 1, 2, 2]
    account = OnDemand(USUAL, tmp_path / "limits.json", server, stamp=lambda: stamps.pop(0))
    for _ in range(3):
        account.publish(parcel())
    assert len(server.opened) == 2


def test_what_the_server_said_of_its_limits_is_known_to_the_next_process(tmp_path: Path) -> None:
    memory = tmp_path / "accounts" / "m.json"
    account = OnDemand(USUAL, memory, Server())
    account.publish(parcel())
    assert account.rules == ROOMY
    assert OnDemand(USUAL, memory, locked).rules == ROOMY


def test_a_memory_that_cannot_be_written_puts_nothing_in_doubt(tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("a file where the folder should be")
    assert isinstance(OnDemand(USUAL, tmp_path / "accounts" / "m.json", Server()).publish(parcel()), Published)


@pytest.mark.parametrize(
    "kept", ["", "[]", "{", "{}", '{"counting": "runes", "limit": 1}', '{"counting": "x", "more": 2}']
)
def test_a_memory_that_cannot_be_read_is_as_none(tmp_path: Path, kept: str) -> None:
    (tmp_path / "limits.json").write_text(kept)
    assert OnDemand(USUAL, tmp_path / "limits.json", locked).rules == USUAL
