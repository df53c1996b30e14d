import json
import stat
import threading
from pathlib import Path
from unicodedata import normalize

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.domain.checkpoint import VerifyKey
from bot.domain.errors import BadInput, CampaignError, Conflict, Misconfigured, NotFound
from bot.store.keystore import Keystore


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore.create(tmp_path / "keys")


def test_only_the_owner_can_open_the_folder(keystore: Keystore) -> None:
    keystore.seal("case:1", b"x")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in keystore.folder.iterdir()}
    assert (stat.S_IMODE(keystore.folder.stat().st_mode), modes) == (0o700, {0o600})


def test_an_opened_keystore_holds_what_was_put_in(keystore: Keystore) -> None:
    person = keystore.add_person("lan")
    sealed = keystore.seal(person, b"secret")
    again = Keystore.open(keystore.folder)
    assert (again.alias(person), again.unseal(person, sealed)) == ("lan", b"secret")
    assert (again.vkeys, again.name) == (keystore.vkeys, keystore.vkey.name)


def test_two_who_have_it_open_see_each_others_changes(keystore: Keystore) -> None:
    other = Keystore.open(keystore.folder)
    person = keystore.add_person("lan")
    assert other.alias(person) == "lan"
    other.rename_person(person, "mai")
    assert keystore.alias(person) == "mai"


def test_keys_are_never_overwritten(keystore: Keystore) -> None:
    with pytest.raises(Conflict):
        Keystore.create(keystore.folder)


@pytest.mark.parametrize("alias", ["Lan", "LAN", " lan ", normalize("NFD", "làn").replace("\u0300", "")])
def test_an_alias_is_taken_however_it_is_written(alias: str, keystore: Keystore) -> None:
    person = keystore.add_person("lan")
    assert keystore.pseudonym(alias) == person
    with pytest.raises(Conflict):
        keystore.add_person(alias)


def test_composed_and_decomposed_aliases_are_one(keystore: Keystore) -> None:
    person = keystore.add_person(normalize("NFD", "Hồng"))
    assert keystore.pseudonym(normalize("NFC", "hồng")) == person
    assert keystore.alias(person) == normalize("NFC", "Hồng")


def test_one_may_change_the_case_of_ones_own_alias(keystore: Keystore) -> None:
    person = keystore.add_person("lan")
    keystore.rename_person(person, "Lan")
    assert keystore.alias(person) == "Lan"


@pytest.mark.parametrize("alias", ["", "   ", "two\nlines", "a\x00b", "x" * 61, "a\u202eb"])
def test_an_alias_no_one_could_read_is_refused(alias: str, keystore: Keystore) -> None:
    with pytest.raises(BadInput):
        keystore.add_person(alias)


def test_nobody_unknown_is_renamed(keystore: Keystore) -> None:
    with pytest.raises(NotFound):
        keystore.rename_person("p-none", "lan")


def test_a_forgotten_person_is_a_pseudonym_and_their_data_noise(keystore: Keystore) -> None:
    person, other = keystore.add_person("lan"), keystore.add_person("mai")
    sealed, kept = keystore.seal(person, b"secret"), keystore.seal(other, b"kept")
    keystore.forget(person)
    assert (keystore.alias(person), keystore.pseudonym("lan")) == (person, None)
    assert (keystore.unseal(person, sealed), keystore.unseal(other, kept)) == (None, b"kept")
    assert not any(b"lan" in path.read_bytes() for path in keystore.folder.iterdir())
    keystore.seal(person, b"a new key")
    assert keystore.unseal(person, sealed) is None


def test_what_is_sealed_for_one_opens_for_no_other(keystore: Keystore) -> None:
    sealed = keystore.seal("case:1", b"secret")
    keystore.seal("case:2", b"other")
    assert keystore.unseal("case:2", sealed) is None
    assert keystore.unseal("case:1", sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert keystore.unseal("case:1", b"") is None


def test_signatures_hold_under_the_public_key(keystore: Keystore) -> None:
    Ed25519PublicKey.from_public_bytes(keystore.vkey.public).verify(keystore.sign(b"body"), b"body")


def test_a_new_key_signs_and_the_old_one_still_verifies(keystore: Keystore) -> None:
    old = keystore.vkey
    told: list[VerifyKey] = []
    new = keystore.rotate(told.append)
    assert told == [new]
    assert (keystore.vkeys, keystore.vkey, keystore.name) == ((old, new), new, old.name)
    Ed25519PublicKey.from_public_bytes(new.public).verify(keystore.sign(b"body"), b"body")
    assert Keystore.open(keystore.folder).vkeys == (old, new)


def test_a_key_that_could_not_be_announced_is_not_taken(keystore: Keystore) -> None:
    def refuse(key: VerifyKey) -> None:
        raise Conflict(str(key))

    before = keystore.vkeys
    with pytest.raises(Conflict):
        keystore.rotate(refuse)
    assert keystore.vkeys == before


def test_no_secret_is_shown(keystore: Keystore) -> None:
    keystore.seal("case:1", b"x")
    secrets = [
        value
        for file in ("signing.key", "subjects.json")
        for value in json.loads((keystore.folder / file).read_bytes()).values()
    ]
    assert len(secrets) == 2
    assert not any(secret in repr(keystore) + str(keystore) for secret in secrets)


def test_the_anchor_is_remembered(keystore: Keystore) -> None:
    assert keystore.anchor == ""
    keystore.remember("note\n")
    assert Keystore.open(keystore.folder).anchor == "note\n"


def test_people_added_at_once_are_all_there(keystore: Keystore) -> None:
    names = [f"person {number}" for number in range(20)]
    threads = [threading.Thread(target=Keystore.open(keystore.folder).add_person, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keystore.people().values()) == sorted(names)


FILES = ("people.json", "subjects.json", "signing.key", "anchor.json")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[1]", b'{"a": 1}', b"[" * 100_000, b"{"])
def test_a_damaged_file_is_one_clear_line(file: str, content: bytes | None, keystore: Keystore) -> None:
    if content is None:
        (keystore.folder / file).unlink()
    else:
        (keystore.folder / file).write_bytes(content)
    with pytest.raises(Misconfigured, match="backup") as caught:
        Keystore.open(keystore.folder)
    assert "\n" not in str(caught.value)
    assert file in str(caught.value)


@pytest.mark.parametrize("content", ["{}", '{"x": "y"}', '{"%s": "AAAA"}', '{"%s": "' + "A" * 43 + '="}'])
def test_a_signing_key_that_is_not_the_vkeys_is_refused(content: str, keystore: Keystore) -> None:
    path = keystore.folder / "signing.key"
    path.write_text(content.replace("%s", str(keystore.vkey)))
    with pytest.raises(Misconfigured, match=r"signing\.key"):
        Keystore.open(keystore.folder)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no key folder"):
        Keystore.open(tmp_path / "none")


@pytest.mark.parametrize("name", ["", *FILES])
def test_a_folder_open_to_others_is_refused_with_the_remedy(name: str, keystore: Keystore) -> None:
    path = keystore.folder / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(Misconfigured, match="chmod go= "):
        Keystore.open(keystore.folder)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CampaignError, match="cannot be written"):
        Keystore.create(tmp_path / "file" / "keys")
