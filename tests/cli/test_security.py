"""`doctor --security` on a live installation: each lock, and what to do where it is open."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bot.store import tables
from bot.store.engine import Store
from tests.cli.conftest import Terminal


def found(desk: Terminal, what: str, code: int = 1) -> list[tuple[bool | None, str]]:
    return [(row["ok"], row["text"]) for row in desk.read("doctor", "--security", code=code) if row["what"] == what]


def configure(desk: Terminal, text: str) -> None:
    desk.config.write_text(text + desk.config.read_text())


def test_an_open_folder_is_found_and_the_remedy_shuts_it(desk: Terminal) -> None:
    data = desk.folder / "var"
    desk.folder.chmod(0o755)
    data.chmod(0o755)
    assert (False, f"Others on this machine can open {data}. Run: chmod go= {data}") in found(desk, "files")
    data.chmod(0o700)
    assert not any("can open" in text and not ok for ok, text in found(desk, "files"))


def test_a_configuration_that_others_can_change_is_found(desk: Terminal) -> None:
    desk.config.chmod(0o666)
    assert any("can change" in text for ok, text in found(desk, "files") if ok is False)


@pytest.mark.parametrize(
    ("web", "ok", "said"),
    [
        ("", None, "for this machine alone"),
        ('address = "https://bot.example"', True, "People reach the pages at https://bot.example"),
        (f'address = "http://{"a" * 56}.onion"', True, "onion"),
        ('address = "http://bot.example"', False, "in the clear"),
        ('host = "0.0.0.0"', False, "listen on 0.0.0.0"),
    ],
)
def test_the_way_to_the_pages_is_judged(desk: Terminal, web: str, *, ok: bool | None, said: str) -> None:
    configure(desk, f"[web]\n{web}\n")
    (row,) = [each for each in desk.read("doctor", "--security", code=1) if each["what"] == "web"]
    assert row["ok"] is ok
    assert said in row["text"]


def test_whoever_has_no_second_factor_is_named_when_it_is_time(desk: Terminal) -> None:
    assert {ok for ok, _text in found(desk, "factors", code=1)} == {None}
    store = Store(f"sqlite:///{desk.folder / 'var' / 'campaignbot.db'}")
    with store.write() as tx:
        tx.execute(update(tables.people).values(made_at=datetime.now(UTC) - timedelta(days=8)))
    store.close()
    overdue = [text for ok, text in found(desk, "factors") if ok is False]
    assert len(overdue) == 4
    assert any(text.startswith("minh has no second factor; since") for text in overdue)


def test_admins_are_named_and_one_alone_is_warned(desk: Terminal) -> None:
    assert [ok for ok, _text in found(desk, "admins")] == [True, None]
    assert "chi" in found(desk, "admins")[0][1]


def test_it_speaks_vietnamese(desk: Terminal) -> None:
    said = desk.type("--lang", "vi", "doctor", "--security", code=1).out
    assert "lớp xác nhận thứ hai" in said
    assert "second factor" not in said


def test_an_old_token_does_not_approve_and_a_minted_one_needs_the_passphrase(desk: Terminal) -> None:
    store = Store(f"sqlite:///{desk.folder / 'var' / 'campaignbot.db'}")
    with store.write() as tx:
        tx.execute(update(tables.people).values(token_at=datetime.now(UTC) - timedelta(minutes=16)))
    store.close()
    said = desk.type("user", "add", "mai", "--role", "auditor", by="chi", code=1).err
    assert "use a token made in the last 15 minutes. Next: campaignbot user token --as ALIAS" in said
    desk.type("halt", "--reason", "gia đình xin chờ", by="lan")
    assert "Wrong alias or passphrase." in desk.type("user", "token", "--as", "chi", stdin="x\n\n", code=1).err


def test_a_role_is_limited_and_set_free_again(desk: Terminal) -> None:
    assert (
        "is now: reviewer (facebook)."
        in desk.type("user", "role", "hoa", "--role", "reviewer", "--channels", "facebook", by="chi").out
    )
    (hoa,) = [row for row in desk.read("user", "list") if row["alias"] == "hoa"]
    assert hoa["limits"] == [{"role": "reviewer", "campaigns": [], "channels": ["facebook"]}]
    said = desk.type("user", "role", "hoa", "--role", "auditor", "--channels", "facebook", by="chi")
    assert "auditor" in said.out
    assert "facebook" not in said.out
    desk.type("user", "role", "hoa", "--role", "reviewer", "--channels", "nowhere", by="chi", code=1)
    said = desk.type("user", "role", "hoa", "--role", "reviewer", "--everywhere", by="chi")
    assert "is now: reviewer." in said.out
    assert "The only admin" not in desk.type("user", "reset", "chi", "--link").out


def test_panic_explains_and_does_nothing_without_the_word(desk: Terminal) -> None:
    said = desk.type("panic", by="chi", stdin="no\n", code=1)
    assert "nobody can sign in any more" in said.out
    assert "Nothing was done." in said.err
    assert "Done." in desk.type("panic", by="chi", stdin="FORGET\n").out
    desk.type("user", "list", "--json")
    desk.type("halt", "--reason", "x", by="lan", code=1)
    desk.add_user("mai", "admin", by="")
