"""Share cards at the terminal: which days have one, drawn into a folder, and put on a post."""

from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from tests.cli.conftest import Terminal

AGO = f"{datetime.now(UTC).year - 2}-01-15"
SOURCE = ("--source", "https://example.org/arrest")


def on_file(desk: Terminal) -> None:
    desk.type(
        "case", "add", "nguyen-van-a", "--name-vi", "Nguyễn Văn A", "--name-en", "Nguyen Van A",
        "--status", "awaiting_trial", "--as-of", AGO, *SOURCE, by="lan",
    )  # fmt: skip
    desk.type("case", "event", "add", "nguyen-van-a", "--kind", "arrest", "--date", AGO, *SOURCE, by="lan")


def test_the_cards_of_a_case_are_listed_and_drawn_with_their_words(desk: Terminal, tmp_path: Path) -> None:
    on_file(desk)
    (day,) = desk.read("case", "cards", "nguyen-van-a")
    assert day["kind"] == "arrest"
    assert day["key"] in desk.type("case", "cards", "nguyen-van-a").out
    folder = tmp_path / "cards"
    desk.type("case", "cards", "nguyen-van-a", "--to", str(folder), "--shape", "square")
    (picture,) = folder.glob("*.png")
    with Image.open(picture) as image:
        assert image.size == (1080, 1080)
    words = picture.with_suffix(".txt").read_text("utf-8")
    assert words.startswith("Ảnh chia sẻ: Nguyễn Văn A.")
    assert "Share card: Nguyen Van A." in words


def test_a_card_is_put_on_a_post_with_its_description(desk: Terminal) -> None:
    on_file(desk)
    (day,) = desk.read("case", "cards", "nguyen-van-a")
    words = ("--vi", "Trả tự do cho họ.", "--en", "Set them free.", "--campaign", "stop-the-crackdown-vn")
    added = desk.type("post", "add", *words, by="lan").out
    number = next(word.strip(",") for word in added.split() if word.strip(",").isdigit())
    assert "no day of its own" in desk.type("post", "card", number, by="lan", code=2).err
    said = desk.type("post", "card", number, "--day", day["key"], by="lan").out
    assert "Share card: Nguyen Van A." in said
    assert "Share card: Nguyen Van A." in str(desk.read("post", "show", number))


def test_a_case_without_a_card_says_so(desk: Terminal) -> None:
    desk.type(
        "case", "add", "nguyen-van-b", "--name-vi", "Nguyễn Văn B", "--name-en", "Nguyen Van B",
        "--status", "awaiting_trial", "--as-of", AGO, *SOURCE, by="lan",
    )  # fmt: skip
    assert "No day of the coming year has a card" in desk.type("case", "cards", "nguyen-van-b").out
