"""One post to every service at once: the far sides hold what two people approved, and nothing else."""

import pytest
from PIL import Image

from tests.system import seen
from tests.system.installation import Installation, wait_for
from tests.system.pds import CHANNEL, Account
from tests.system.test_daemon import NOW, scheduled
from tests.system.test_platforms import CANARY, Services, assert_nowhere, far

__all__ = ["far"]
pytestmark = [pytest.mark.xdist_group("pds"), pytest.mark.slow]

VI = "Một: xin nhớ tên họ. ệ ữ 🇻🇳\n---\nHai: ngày 10/12.\n---\nBa: hết. #StopTheCrackdownVN"
EN = "One: remember their names. ệ ữ 🇻🇳\n---\nTwo: 10/12.\n---\nThree: the end. #StopTheCrackdownVN"


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Account | None:
    """None, after the notice that other tests give, where Bluesky's own server cannot run."""
    try:
        found: Account = request.getfixturevalue("server")
    except pytest.skip.Exception:
        return None
    return found


def waiting(here: Installation, post_id: int) -> set[str]:
    return set(here.delivery_states(post_id)) & {"scheduled", "claimed", "sending", "retry_wait"}


def test_a_bilingual_thread_with_two_pictures_is_everywhere_as_it_was_approved(
    here: Installation, far: Services, real: Account | None
) -> None:
    channels = ["mastodon", "telegram", "bluesky", "on-x", "page"]
    if real:
        channels.append("pds")
        (here.folder / "pds").mkdir()
        (here.folder / "pds" / "token.txt").write_text(real.password)
        with here.config.open("a") as config:
            own = CHANNEL.format(**real._asdict()).replace('name = "bluesky"', 'name = "pds"')
            config.write(own.replace("token.txt", "pds/token.txt"))
    pictures: list[str] = []
    for name, colour in (("a.png", "white"), ("b.jpg", "navy")):
        Image.new("RGB", (64, 32), colour).save(here.folder / name)
        described = ("--alt-vi", f"Ảnh {name}.", "--alt-en", f"Picture {name}.")
        pictures += ["--media", str(here.folder / name), *described]
    before = len(seen.on_pds(real)) if real else 0
    post_id = scheduled(here, VI, EN, NOW, "--channels", ",".join(channels), *pictures)
    with here.running("daemon"):
        wait_for("tried", lambda: not waiting(here, post_id), 180)
    assert here.state_of(post_id) == "published", here.run("delivery", "list", "--post", str(post_id)).stdout
    stands = {
        "mastodon": seen.on_mastodon(far.mastodon),
        "telegram": seen.on_telegram(far.telegram),
        "bluesky": seen.on_bluesky(far.bluesky),
        "on-x": seen.on_x(far.x),
        "page": seen.on_facebook(far.facebook),
    }
    if real:
        stands["pds"] = seen.on_pds(real)[before:]
    assert set(stands) == set(channels)
    assert all(len(posts) in {3, 6} for posts in stands.values())
    seen.assert_as_approved(here, post_id, stands)
    assert_nowhere(CANARY, here)
