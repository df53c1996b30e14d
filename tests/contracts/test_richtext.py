"""What is live on Bluesky: the same places that Bluesky's own app would find, but for what is said here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.richtext import facets
from tests.contracts.generated_texts import texts

# A text, and what is live in it with where it leads; places are checked apart.
LIVE: tuple[tuple[str, dict[str, str]], ...] = (
    ("Dừng đàn áp tại Việt Nam! #StopTheCrackdownVN", {"#StopTheCrackdownVN": "StopTheCrackdownVN"}),
    (
        "Đọc thêm: https://example.org/vi/chien-dich?utm_source=x #NhânQuyền #StopTheCrackdownVN",
        {
            "https://example.org/vi/chien-dich?utm_source=x": "https://example.org/vi/chien-dich?utm_source=x",
            "#NhânQuyền": "NhânQuyền",
            "#StopTheCrackdownVN": "StopTheCrackdownVN",
        },
    ),
    ("🇻🇳 ✊🏽 👨‍👩‍👧‍👦 #TựDo", {"#TựDo": "TựDo"}),
    ("Ký tên tại example.org và gửi tới info@example.org", {"example.org": "https://example.org"}),
    (
        "www.example.com.vn và nhanquyen.vn/bai-viet, http://tự-do.vn/ https://ví-dụ.vn/đường-dẫn",
        {
            "www.example.com.vn": "https://www.example.com.vn",
            "nhanquyen.vn/bai-viet": "https://nhanquyen.vn/bai-viet",
            "http://tự-do.vn/": "http://tự-do.vn/",
            "https://ví-dụ.vn/đường-dẫn": "https://ví-dụ.vn/đường-dẫn",
        },
    ),
    ("hôm nay.Do đó, sáng nay.LA", {}),
    ("xem tại example.org.", {"example.org": "https://example.org"}),
    (
        "Ký: https://example.org/vi, rồi chia sẻ #NhânQuyền!",
        {"https://example.org/vi": "https://example.org/vi", "#NhânQuyền": "NhânQuyền"},
    ),
    ("#2026 # #! #1.2", {}),
    ("#NhânQuyềnViệtNam #TựDo…", {"#NhânQuyềnViệtNam": "NhânQuyềnViệtNam", "#TựDo": "TựDo"}),
    (
        "@amnesty.bsky.social và @Ban.Example.",
        {"@amnesty.bsky.social": "did:amnesty.bsky.social", "@Ban.Example": "did:ban.example"},
    ),
    ("info@ban.example @ban @ban.example@may.chu @ban.1 @-ban.example @.ban.example", {}),
    # The app would take the last bracket for part of the address, and pass by what stands in quotes or brackets.
    ("(https://example.org/a_(b))", {"https://example.org/a_(b)": "https://example.org/a_(b)"}),
    ("“https://example.org/x” (#TựDo)", {"https://example.org/x": "https://example.org/x", "#TựDo": "TựDo"}),
    ("https://example.org/#phần-2 [https://a.vn/b]", {
        "https://example.org/#phần-2": "https://example.org/#phần-2", "https://a.vn/b": "https://a.vn/b",
    }),
    ("https:// http://) https://… xhttps://a.vn", {}),
)  # fmt: skip


def live(text: str) -> list[tuple[str, str]]:
    raw = text.encode()
    found = facets(text, lambda handle: f"did:{handle}")
    return [(raw[slice(*each["index"].values())].decode(), target(each)) for each in found]


def target(facet: dict[str, Any]) -> str:
    (feature,) = facet["features"]
    return str(next(value for name, value in feature.items() if name != "$type"))


@pytest.mark.parametrize(("text", "expected"), LIVE, ids=lambda each: each[:30] if isinstance(each, str) else "")
def test_links_hashtags_and_handles_are_found(text: str, expected: dict[str, str]) -> None:
    assert live(text) == list(expected.items())


def test_a_place_is_counted_in_bytes_and_its_end_is_outside() -> None:
    (facet,) = facets("Tự do! #NhânQuyền.", str)
    assert facet == {
        "index": {"byteStart": 9, "byteEnd": 22},
        "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "NhânQuyền"}],
    }


def test_a_handle_that_leads_nowhere_stays_text() -> None:
    assert facets("Gửi @khong.example", lambda _: "") == []


@pytest.mark.parametrize(("letter", "most"), [("a", 64), ("ế", 64), ("👨‍👩‍👧‍👦", 25)])
def test_a_hashtag_that_bluesky_would_refuse_stays_text(letter: str, most: int) -> None:
    assert live(f"#{letter * most}") == [(f"#{letter * most}", letter * most)]
    assert live(f"#{letter * (most + 1)}") == []


PIECES = st.sampled_from(
    [
        "https://a.vn/ế",
        "example.org",
        "#TựDo",
        "#👨‍👩‍👧‍👦x",
        "@ban.example",
        "Nguyễn ",
        " ",
        "\n",
        "(",
        ")",
        ".",
        "“",
        "🇻🇳",
        "#",
        "@",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join) | st.sampled_from(texts(400, seed=7))


@given(TEXTS)
def test_every_place_is_whole_letters_in_order_and_says_what_it_leads_to(text: str) -> None:
    raw, done = text.encode("utf-8", "surrogatepass"), 0
    for facet in facets(text, lambda handle: f"did:{handle}"):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert done <= start < end <= len(raw)
        said, done = raw[start:end].decode("utf-8", "surrogatepass"), end
        (feature,) = facet["features"]
        match feature["$type"].rpartition("#")[2]:
            case "link":
                assert feature["uri"] in {said, f"https://{said}"}
            case "tag":
                assert said[0] in "#＃"
                assert feature["tag"] == said[1:]
            case kind:
                assert (kind, feature["did"]) == ("mention", f"did:{said[1:].lower()}")
