"""`channel`: what an account says of itself, in both languages."""

import pytest

from tests.cli.conftest import Terminal
from tests.contracts.simulators import mastodon

MASTODON = """
[[channel]]
name = "mastodon"
platform = "mastodon"
api_base = "{base}"
[channel.credentials]
access_token = {{ file = "token.txt" }}
"""


@pytest.mark.parametrize(
    ("language", "wrong", "limits"),
    [
        ("en", "✕ The access token lacks the right “write:media”.", "· 500 characters a post, a link counts 23"),
        ("vi", "✕ Mã truy cập thiếu quyền “write:media”.", "· Mỗi bài 500 ký tự, một liên kết tính là 23"),
    ],
)
def test_what_an_account_lacks_is_said_in_the_language_of_whoever_asks(
    desk: Terminal, language: str, wrong: str, limits: str
) -> None:
    (desk.folder / "token.txt").write_text("a-token")
    with mastodon.Server(token="a-token") as far, desk.config.open("a") as config:
        far.scopes = ["read", "write:statuses"]
        config.write(MASTODON.format(base=far.base))
        config.flush()
        said = desk.type("--lang", language, "channel", "check", "mastodon", code=1).out
    assert wrong in said
    assert limits in said
