"""A machine is lost, its backup put back on another: the service's own ledger says whether anything came twice."""

import json
import shutil
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.contracts.simulators import mastodon
from tests.system.installation import Installation, free_port, wait_for
from tests.system.test_daemon import NOW, in_seconds, scheduled
from tests.system.test_platforms import ACCOUNT, CANARY

pytestmark = pytest.mark.slow
PHRASE = "năm từ chọn thật ngẫu nhiên"
POSTS = 2


@pytest.mark.parametrize("put_back", ["by restore", "as a folder"])
def test_a_backup_put_back_over_a_campaigns_past_posts_nothing_again_and_lists_it(
    here: Installation, tmp_path: Path, put_back: str
) -> None:
    (here.folder / "token.txt").write_text(CANARY)
    with mastodon.Server(token=CANARY) as ledger:
        ledger.now = datetime.now(UTC)
        with here.config.open("a") as config:
            config.write(ACCOUNT.format(name="mastodon", base=ledger.base) + 'access_token = { file = "token.txt" }\n')
        past = [scheduled(here, f"Tin {n}.", f"News {n}.", NOW, "--channels", "mastodon") for n in range(POSTS)]
        later = scheduled(here, "Mai.", "Tomorrow.", in_seconds(90_000), "--channels", "mastodon")
        shutil.copyfile(here.config, tmp_path / "config.toml")
        if put_back == "by restore":
            here.run("backup", str(tmp_path / "b"), CAMPAIGNBOT_BACKUP_PASSPHRASE=PHRASE)
        else:
            shutil.copytree(here.folder, tmp_path / "copy")
        with here.running("daemon") as daemon:
            wait_for("published", lambda: all(here.state_of(each) == "published" for each in past))
            daemon.send_signal(signal.SIGKILL)
            daemon.wait()
        before = Counter(status["text"] for status in ledger.statuses.values())
        new = Installation(tmp_path / "new", free_port(), dict(here.tokens))
        if put_back == "by restore":
            new.folder.mkdir()
            shutil.copyfile(here.folder / "token.txt", new.folder / "token.txt")
            done = json.loads(
                new.run("restore", str(tmp_path / "b"), "--json", CAMPAIGNBOT_BACKUP_PASSPHRASE=PHRASE).stdout
            )
            assert {row["post"] for row in done["held"]} == set(past)
            assert [row["post"] for row in done["later"]] == [later]
        else:
            shutil.rmtree(here.folder)
            shutil.copytree(tmp_path / "copy", new.folder)
        with new.running("daemon") as daemon:
            wait_for("held", lambda: new.delivery_states().count("held") == POSTS)
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
        assert Counter(status["text"] for status in ledger.statuses.values()) == before
        assert max(before.values()) == 1
        held = new.read("delivery", "list", "--state", "held")
        assert {row["post"] for row in held} == set(past)
        assert new.read("audit", "verify")["code"] == 0
        assert "Publishing is stopped" in new.run("doctor").stdout
        addresses = {status["text"]: status["url"] for status in ledger.statuses.values()}
        for row in held:
            new.run("delivery", "settle", str(row["id"]), "--live", next(iter(addresses.values())), by="chi")
        assert [new.state_of(each) for each in past] == ["published"] * POSTS
