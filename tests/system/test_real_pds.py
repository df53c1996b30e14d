"""The running daemon against Bluesky's own server: what was approved is there, byte for byte, and once."""

import pytest
from PIL import Image

from tests.system.installation import Installation, wait_for
from tests.system.pds import CHANNEL, Account
from tests.system.seen import assert_as_approved, on_pds
from tests.system.test_daemon import NOW, scheduled

# One worker installs the server, and keeps it.
pytestmark = [pytest.mark.xdist_group("pds"), pytest.mark.slow]

VI = "Một: hãy nhớ tên họ. #StopTheCrackdownVN\n---\nHai: ngày mai, và ngày kia.\n---\nBa: https://example.org/vi"
EN = "One: remember their names. #StopTheCrackdownVN\n---\nTwo: tomorrow too.\n---\nThree: https://example.org/en"


@pytest.fixture
def there(here: Installation, server: Account) -> Installation:
    (here.folder / "token.txt").write_text(server.password)
    with here.config.open("a") as config:
        config.write(CHANNEL.format(**server._asdict()))
    return here


def test_the_account_is_in_order(there: Installation, server: Account) -> None:
    found = there.read("channel", "check", "bluesky")["bluesky"]
    assert (found["id"], found["name"], found["missing"]) == (server.did, f"@{server.handle}", [])


def test_a_bilingual_thread_with_pictures_is_there_as_it_was_approved(there: Installation, server: Account) -> None:
    for name, colour in (("a.png", "white"), ("b.jpg", "navy")):
        Image.new("RGB", (64, 32), colour).save(there.folder / name)
    first = ("--media", str(there.folder / "a.png"), "--alt-vi", "Tấm bảng trắng.", "--alt-en", "A white sign.")
    second = ("--media", str(there.folder / "b.jpg"), "--alt-vi", "Bầu trời đêm.", "--alt-en", "The sky at night.")
    post_id = scheduled(there, VI, EN, NOW, "--channels", "bluesky", *first, *second)
    before = len(server.records())
    with there.running("daemon"):
        wait_for("published", lambda: there.state_of(post_id) == "published")
    seen = on_pds(server)[before:]
    assert [len(each.pictures) for each in seen] == [2, 0, 0, 2, 0, 0]
    assert_as_approved(there, post_id, {"bluesky": seen})
    facets = server.records()[before + 2]["value"]["facets"]
    assert facets[0]["features"][0]["uri"] == "https://example.org/vi"


def test_what_is_taken_down_is_gone_there(there: Installation, server: Account) -> None:
    post_id = scheduled(there, "Xin đọc.", "Please read.", NOW, "--channels", "bluesky")
    before = len(server.records())
    with there.running("daemon"):
        wait_for("published", lambda: there.state_of(post_id) == "published")
        assert len(server.records()) == before + 2
        there.run("post", "withdraw", str(post_id), "--reason", "sửa lại", by="binh")
        wait_for("gone", lambda: len(server.records()) == before)
