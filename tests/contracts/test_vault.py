"""The accounts' secrets under their key: what opens them, what does not, and what an interruption leaves."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.domain.errors import Misconfigured, StoreFailed
from bot.store.private import write_whole
from bot.store.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return made(tmp_path)


def made(folder: Path) -> Vault:
    vault = Vault(folder / "secrets.json", folder / "secrets.key")
    vault.establish()
    return vault


def seal(vault: Vault, channel: str, **values: str) -> None:
    vault.seal(channel, {field: SecretStr(value) for field, value in values.items()})


def opened(vault: Vault, channel: str, field: str) -> str | None:
    secret = vault.unseal(channel, field)
    return secret.get_secret_value() if secret else None


@given(st.text(min_size=1, max_size=4_000).filter(lambda text: text.isprintable()))
def test_what_was_sealed_comes_back(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    vault = made(tmp_path_factory.mktemp("vault"))
    seal(vault, "x", api_key=value)
    assert opened(vault, "x", "api_key") == value


def test_the_file_alone_tells_nothing_and_only_its_owner_reads_it(vault: Vault) -> None:
    seal(vault, "x", api_key="canary-1", api_secret="canary-2")
    assert b"canary" not in vault.file.read_bytes()
    assert vault.key
    assert {file.stat().st_mode & 0o777 for file in (vault.file, vault.key)} == {0o600}
    assert "canary" not in repr(vault)


def test_a_new_value_takes_the_old_ones_place_and_leaves_the_others(vault: Vault) -> None:
    seal(vault, "x", api_key="a", api_secret="b")
    seal(vault, "m", access_token="c")
    before = vault.stamp()
    seal(vault, "x", api_key="d")
    assert [opened(vault, *each) for each in (("x", "api_key"), ("x", "api_secret"), ("m", "access_token"))] == [
        "d", "b", "c",
    ]  # fmt: skip
    assert vault.stamp() != before
    assert vault.unseal("m", "api_key") is None


def test_a_secret_cannot_be_put_in_the_place_of_another(vault: Vault) -> None:
    seal(vault, "x", api_key="a", api_secret="b")
    seal(vault, "m", api_key="c")
    sealed = json.loads(vault.file.read_text())
    for taken, put in (("x.api_key", "x.api_secret"), ("x.api_key", "m.api_key")):
        vault.file.write_text(json.dumps({**sealed, put: sealed[taken]}))
        with pytest.raises(Misconfigured, match="another key, or altered"):
            vault.unseal(*put.split("."))


def test_every_altered_byte_is_refused(vault: Vault) -> None:
    seal(vault, "x", api_key="a-key")
    sealed = json.loads(vault.file.read_text())["x.api_key"]
    for place in range(len(sealed)):
        other = "A" if sealed[place] != "A" else "B"
        vault.file.write_text(json.dumps({"x.api_key": sealed[:place] + other + sealed[place + 1 :]}))
        with pytest.raises(Misconfigured):
            vault.unseal("x", "api_key")


@pytest.mark.parametrize("content", ["", "[]", '{"x.api_key": 3}', "\xff", "{" * 100_000, '{"x.api_key": "é"}'])
def test_a_damaged_file_says_what_to_do(vault: Vault, content: str) -> None:
    vault.file.write_text(content, "latin-1")
    with pytest.raises(Misconfigured, match=r"Bring back|enter it anew"):
        vault.unseal("x", "api_key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(vault: Vault, mode: int) -> None:
    seal(vault, "x", api_key="a")
    assert vault.key
    vault.key.chmod(mode)
    with pytest.raises(Misconfigured, match=r"chmod go= .*secrets\.key"):
        vault.unseal("x", "api_key")


def test_a_key_of_another_user_is_refused(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4_321)
    with pytest.raises(Misconfigured, match="belongs to another user"):
        seal(vault, "x", api_key="a")


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\n", b64encode(b"a" * 31), b"a b c"])
def test_what_is_no_key_is_told(vault: Vault, content: bytes) -> None:
    assert vault.key
    vault.key.write_bytes(content)
    with pytest.raises(Misconfigured, match="is no key"):
        seal(vault, "x", api_key="a")


def test_a_lost_key_is_never_given_a_successor(vault: Vault) -> None:
    seal(vault, "x", api_key="a")
    assert vault.key
    vault.key.unlink()
    vault.establish()
    for act in (lambda: vault.unseal("x", "api_key"), lambda: seal(vault, "x", api_key="b"), vault.rekey):
        with pytest.raises(Misconfigured, match="Bring it back"):
            act()


def test_a_key_that_systemd_keeps_for_the_daemon_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    apart = Vault(tmp_path / "secrets.json", None, is_handed=True)
    apart.establish()
    assert apart.unseal("x", "api_key") is None
    with pytest.raises(Misconfigured, match="daemon alone"):
        seal(apart, "x", api_key="a")
    assert list(tmp_path.iterdir()) == []


def test_a_new_key_opens_everything_and_the_old_one_nothing(vault: Vault) -> None:
    seal(vault, "x", api_key="a", api_secret="b")
    assert vault.key
    old, sealed = vault.key.read_bytes(), vault.file.read_bytes()
    assert vault.rekey() == 2
    assert (opened(vault, "x", "api_key"), opened(vault, "x", "api_secret")) == ("a", "b")
    assert old not in vault.key.read_bytes()
    vault.file.write_bytes(sealed)
    with pytest.raises(Misconfigured, match="another key"):
        vault.unseal("x", "api_key")


@pytest.mark.parametrize("broken_at", [1, 2, 3])
def test_a_change_of_keys_that_breaks_off_loses_nothing(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, broken_at: int
) -> None:
    seal(vault, "x", api_key="a")
    writes = 0

    def breaking(path: Path, content: bytes, mode: int = 0) -> None:
        nonlocal writes
        writes += 1
        if writes == broken_at:
            raise StoreFailed("the disk is full")
        write_whole(path, content, mode)

    monkeypatch.setattr("bot.store.vault.write_whole", breaking)
    with pytest.raises(StoreFailed):
        vault.rekey()
    assert opened(vault, "x", "api_key") == "a"
    monkeypatch.undo()
    vault.rekey()
    assert vault.key
    assert opened(vault, "x", "api_key") == "a"
    assert len(vault.key.read_bytes().split()) == 1


def test_keys_that_systemd_hands_over_are_changed_by_putting_the_new_one_first(vault: Vault) -> None:
    seal(vault, "x", api_key="a")
    assert vault.key
    both = b64encode(b"n" * 32) + b"\n" + vault.key.read_bytes()
    vault.key.write_bytes(both)
    vault.key.chmod(0o440)
    assert Vault(vault.file, vault.key, is_handed=True).rekey() == 1
    assert vault.key.read_bytes() == both
    vault.key.chmod(0o600)
    vault.key.write_bytes(b64encode(b"n" * 32))
    assert opened(vault, "x", "api_key") == "a"
