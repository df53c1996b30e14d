"""The running daemon against services on loopback: what was approved arrives, once, and no token leaks."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

from tests.contracts.simulators import bluesky, facebook, mastodon, telegram, x
from tests.contracts.simulators.base import Fault
from tests.system.installation import Installation, wait_for
from tests.system.test_daemon import NOW, scheduled

CANARY = "canary-7Zq-token"
VI, EN = "Trả tự do cho mọi người. #StopTheCrackdownVN", "Free them all. #StopTheCrackdownVN"
ACCOUNT = """
[[channel]]
name = "{name}"
platform = "{name}"
api_base = "{base}"
quiet_from = "00:00"
quiet_until = "00:00"
spacing_minutes = 0
daily_cap = 100
[channel.credentials]
"""


class Services(NamedTuple):
    mastodon: mastodon.Server
    telegram: telegram.Server
    bluesky: bluesky.Server
    x: x.Server
    facebook: facebook.Server


@pytest.fixture
def far(here: Installation) -> Iterator[Services]:
    """The services, and the installation told where they are and where its tokens lie."""
    (here.folder / "token.txt").write_text(CANARY + "\n")
    servers = Services(*(service.Server(token=CANARY) for service in (mastodon, telegram, bluesky, x, facebook)))
    with ExitStack() as stack:
        on_mastodon, on_telegram, on_bluesky, on_x, on_facebook = (stack.enter_context(each) for each in servers)
        for server in servers:
            server.now = datetime.now(UTC)
        with here.config.open("a") as config:
            config.write(ACCOUNT.format(name="mastodon", base=on_mastodon.base))
            config.write('access_token = { file = "token.txt" }\n')
            config.write(ACCOUNT.format(name="telegram", base=on_telegram.base))
            config.write('bot_token = { file = "token.txt" }\nchat_id = "@kenh"\n')
            config.write(ACCOUNT.format(name="bluesky", base=on_bluesky.base))
            config.write(f'identifier = "{bluesky.HANDLE}"\napp_password = {{ file = "token.txt" }}\n')
            config.write(ACCOUNT.format(name="x", base=on_x.base).replace('name = "x"', 'name = "on-x"'))
            for name, key in servers.x.keys._asdict().items():
                place = here.folder / name / "token.txt"
                place.parent.mkdir()
                place.write_text(key)
                config.write(f'{name} = {{ file = "{name}/token.txt" }}\n')
            (here.folder / "app").mkdir()
            (here.folder / "app" / "token.txt").write_text(facebook.APP_SECRET)
            config.write(ACCOUNT.format(name="facebook", base=on_facebook.base).replace('= "facebook"', '= "page"', 1))
            config.write(f'page_id = "{facebook.PAGE}"\npage_token = {{ file = "token.txt" }}\n')
            config.write('app_secret = { file = "app/token.txt" }\n')
        yield servers


def deliveries_of(here: Installation, post_id: int) -> dict[str, Any]:
    return {row["channel"]: row for row in here.read("delivery", "list", "--post", str(post_id))}


def approved_texts(here: Installation) -> set[str]:
    with closing(sqlite3.connect(here.database)) as database:
        return {json.loads(row[0])["text"] for row in database.execute("SELECT content FROM deliveries")}


def test_a_post_with_a_picture_reaches_both_services_as_approved(here: Installation, far: Services) -> None:
    Image.new("RGB", (32, 16), "white").save(here.folder / "sign.png")
    picture = ("--media", str(here.folder / "sign.png"), "--alt-vi", "Một tấm bảng trắng.", "--alt-en", "A white sign.")
    post_id = scheduled(here, VI, EN, NOW, "--channels", "mastodon,telegram", *picture)
    with here.running("daemon"):
        wait_for("published", lambda: here.state_of(post_id) == "published")
    (status,), (message,) = far.mastodon.statuses.values(), far.telegram.messages.values()
    assert {status["text"], message["text"]} == approved_texts(here)
    assert VI in status["text"]
    assert EN in status["text"]
    assert status["language"] == "vi"
    (media,) = status["media_attachments"]
    assert "Một tấm bảng trắng." in media["description"]
    assert message["picture"] == media["bytes"]
    rows = deliveries_of(here, post_id)
    assert rows["mastodon"]["url"] == status["url"]
    assert rows["telegram"]["url"] == "https://t.me/kenh/7"
    assert_nowhere(CANARY, here)


def test_an_answer_that_is_lost_is_looked_for_where_that_can_be_done_and_else_asked_of_a_person(
    here: Installation, far: Services
) -> None:
    far.mastodon.faults.append(Fault.CLOSE_AFTER)
    far.telegram.faults.append(Fault.CLOSE_AFTER)
    post_id = scheduled(here, VI, EN, NOW, "--channels", "mastodon,telegram")
    ended = {"published", "held"}
    with here.running("daemon"):
        wait_for("ended", lambda: set(here.delivery_states(post_id)) == ended)
    states = {channel: (row["state"], row["reason"]) for channel, row in deliveries_of(here, post_id).items()}
    assert states["mastodon"][0] == "published"
    assert states["telegram"] == ("held", "cannot_look")
    assert len(far.mastodon.statuses) == len(far.telegram.writes) == 1
    assert len({each.headers["Idempotency-Key"] for each in far.mastodon.writes}) == 1
    assert_nowhere(CANARY, here)


def test_a_thread_on_bluesky_whose_answers_are_lost_is_there_once_and_in_order(
    here: Installation, far: Services
) -> None:
    far.bluesky.faults += [Fault.CLOSE_AFTER, Fault.CLOSE_BEFORE, Fault.ERROR_AFTER]
    post_id = scheduled(here, VI, EN, NOW, "--channels", "bluesky")
    with here.running("daemon"):
        wait_for("published", lambda: here.state_of(post_id) == "published")
    posts = far.bluesky.posts
    assert [(post["text"], post["langs"]) for post in posts] == [(VI, ["vi"]), (EN, ["en"])]
    first, second = (f"at://{bluesky.DID}/{bluesky.POSTS}/{key}" for _, key in far.bluesky.records)
    assert posts[1]["reply"]["parent"]["uri"] == posts[1]["reply"]["root"]["uri"] == first
    assert {row["remote_id"] for row in here.read("delivery", "list", "--post", str(post_id))} == {first, second}
    assert len({post["createdAt"] for post in posts}) == 1
    assert_nowhere("canary", here)


def test_a_thread_with_a_picture_whose_answers_are_lost_is_on_x_once_and_in_order(
    here: Installation, far: Services
) -> None:
    far.x.faults += [Fault.CLOSE_AFTER, Fault.ERROR_AFTER]
    Image.new("RGB", (32, 16), "white").save(here.folder / "sign.png")
    picture = ("--media", str(here.folder / "sign.png"), "--alt-vi", "Một tấm bảng trắng.", "--alt-en", "A white sign.")
    texts = f"{VI} https://example.org/vi", f"{EN} https://example.org/en"
    post_id = scheduled(here, *texts, NOW, "--channels", "on-x", *picture)
    with here.running("daemon"):
        wait_for("published", lambda: here.state_of(post_id) == "published")
    first, second = far.x.posts.values()
    assert (first["written"], second["written"]) == texts
    assert {first["written"], second["written"]} == approved_texts(here)
    assert (first["parent"], second["parent"]) == ("", first["id"])
    assert far.x.media[first["media"][0]]["alt"] == "Một tấm bảng trắng."
    rows = here.read("delivery", "list", "--post", str(post_id))
    assert {row["remote_id"] for row in rows} == {first["id"], second["id"]}
    assert {row["url"] for row in rows} == {f"https://x.com/i/web/status/{each['id']}" for each in (first, second)}
    assert len(far.x.writes) == 2
    assert_nowhere("canary", here)


def test_a_post_with_pictures_whose_answer_is_lost_is_on_the_page_once(here: Installation, far: Services) -> None:
    far.facebook.faults.append(Fault.ERROR_AFTER)
    pictures: list[str] = []
    for name in ("one", "two"):
        Image.new("RGB", (32, 16), "white").save(here.folder / f"{name}.png")
        described = ("--alt-vi", f"Ảnh {name}.", "--alt-en", f"Sign {name}.")
        pictures += ["--media", str(here.folder / f"{name}.png"), *described]
    post_id = scheduled(here, VI, EN, NOW, "--channels", "page", *pictures)
    with here.running("daemon"):
        wait_for("published", lambda: here.state_of(post_id) == "published")
    (post,) = far.facebook.posts.values()
    assert {post["message"]} == approved_texts(here)
    assert VI in post["message"]
    assert EN in post["message"]
    assert [photo["alt"] for photo in post["photos"]] == ["Ảnh one.\n\nSign one.", "Ảnh two.\n\nSign two."]
    assert all(photo["hidden"] for photo in far.facebook.photos.values())
    row = deliveries_of(here, post_id)["page"]
    assert (row["remote_id"], row["url"].rpartition("/")[2]) == (post["id"], post["id"].partition("_")[2])
    assert len(far.facebook.writes) == 1
    assert_nowhere("canary", here)


def test_a_page_that_is_blocked_is_paused_and_its_post_waits_for_a_person(here: Installation, far: Services) -> None:
    far.facebook.replies.append(facebook.refused(368, "reported as abusive", error_subcode=1346003))
    post_id = scheduled(here, VI, EN, NOW, "--channels", "page")
    with here.running("daemon"):
        wait_for("held", lambda: here.delivery_states(post_id) == ["held"])
    assert deliveries_of(here, post_id)["page"]["reason"] == "blocked"
    assert [row["name"] for row in here.read("channel", "list") if row["paused"]] == ["page"]
    assert len(far.facebook.writes) == 1
    assert_nowhere("canary", here)


def test_each_account_says_whether_it_works(here: Installation, far: Services) -> None:
    found = here.read("channel", "check")
    assert found["mastodon"]["name"] == "@org"
    assert found["telegram"]["name"] == "Kênh"
    assert found["bluesky"]["name"] == f"@{bluesky.HANDLE}"
    assert [account["missing"] for account in found.values()] == [[]] * len(found)
    assert found["on-x"]["name"] == "@org"
    assert found["page"]["name"] == "Trang"
    assert [server.writes for server in far] == [[]] * len(far)
    far.mastodon.revoked = True
    said = here.run("channel", "check", "mastodon", code=1).stdout
    assert "Cannot sign in" in said
    assert_nowhere(CANARY, here)


def assert_nowhere(canary: str, here: Installation) -> None:
    """Not in the database, the record, a log, or any file but the one it was put into."""
    files = [file for file in here.folder.rglob("*") if file.is_file() and file.name != "token.txt"]
    assert here.database in files
    assert [file for file in files if canary.encode() in Path(file).read_bytes()] == []


def test_a_doubted_clock_is_settled_by_the_hosts_of_the_accounts(here: Installation, far: Services) -> None:
    """They are asked where there is nothing, without a secret; then what is due goes out."""
    shown = here.read("clock", "show")
    assert len(shown["ahead_s"]) == len(far)
    assert all(abs(seconds) <= 2 for seconds in shown["ahead_s"].values())
    for server in far:
        assert all(CANARY not in str(asked) for asked in server.asked)
        server.asked.clear()
    with closing(sqlite3.connect(here.database)) as database, database:
        database.execute(
            "INSERT INTO heartbeats (worker, at, highest_at, suspect) SELECT 'gone', ?, ?, 1",
            [1_795_132_800_000_000] * 2,
        )
    assert here.read("clock", "show")["in_doubt"]
    assert "clock show" in here.run("doctor", code=1).stdout
    with here.running("daemon"):
        wait_for("the clock is trusted", lambda: not here.read("clock", "show")["in_doubt"])
