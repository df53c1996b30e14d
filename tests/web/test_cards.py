"""Share cards of a case: what they say, in three shapes, kept by the browser only while it is true."""

from io import BytesIO
from urllib.parse import quote

import pytest
from PIL import Image

from bot.domain.campaign import Shape
from bot.domain.case import Consent
from bot.library.drawing import SIZES
from bot.services import cards, cases
from bot.services.context import Context
from tests.house import Crew
from tests.sample_cases import SOURCE, a_case, an_event
from tests.web.conftest import Browser
from tests.web.test_cases import A, bring, shipped


def address(ctx: Context, shape: str = "wide") -> str:
    return f"/cards/{quote(cards.card_days(ctx, A)[0].key)}/{shape}.png"


@pytest.mark.parametrize("shape", list(Shape))
def test_a_card_comes_as_a_picture_in_each_shape(giang: Browser, ctx: Context, shape: Shape) -> None:
    bring(ctx, a_case(an_event()))
    answer = giang.client.get(address(ctx, shape))
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    with Image.open(BytesIO(answer.get_data())) as picture:
        assert picture.size == SIZES[shape]


def test_a_browser_asks_again_and_gets_a_new_one_only_when_something_changed(
    binh: Browser, ctx: Context, crew: Crew
) -> None:
    bring(ctx, a_case(an_event()))
    path = address(ctx)
    tag = binh.client.get(path).headers["ETag"]
    again = binh.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.get_data()) == (304, b"")
    cases.change_case(ctx, crew.coordinator, A, a_case(an_event(), name_vi="Nguyễn Văn Ơ"), SOURCE)
    assert binh.client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_the_page_describes_each_card_in_both_languages_and_loads_them_late(binh: Browser, ctx: Context) -> None:
    shipped(ctx)
    place = "/cases/pham-doan-trang"
    found = cards.cards_of(ctx, "pham-doan-trang")
    binh.get(f"{place}/cards")
    assert {each["loading"] for each in binh.page.select("img.card")} == {"lazy"}
    sections, files = binh.page.select("section.panel"), [""]
    assert len(sections) == len(found) > 1
    for (_, card), section in zip(found, sections, strict=True):
        assert [each.get_text() for each in section.select("dd")] == [card.alt["vi"], card.alt["en"]]
        assert section.select("img")[0]["alt"] == card.alt["en"]
        files = [str(each["href"]) for each in section.select("a[download]")]
        assert [each.rpartition("/")[2] for each in files] == [f"{shape}.png?download=yes" for shape in Shape]
    got = binh.client.get(files[0])
    assert got.headers["Content-Disposition"].startswith("attachment; filename=")
    binh.get(place)
    assert str(binh.page.select("img.card")[0]["src"]).startswith("/cards/")


def test_of_somebody_who_refused_there_is_no_card(binh: Browser, ctx: Context, crew: Crew) -> None:
    bring(ctx, a_case(an_event()))
    path = address(ctx)
    cases.change_case(ctx, crew.coordinator, A, a_case(an_event(), consent=Consent.REFUSED), "")
    assert binh.client.get(path).status_code == 403
    binh.get(f"/cases/{A}/cards")
    assert "There is no day with a card" in binh.text


@pytest.mark.parametrize(
    "path", ["arrest:nobody:x:2027/wide.png", "../../etc/passwd/wide.png", "x/huge.png", f"{'x' * 999}/wide.png"]
)
def test_what_is_no_card_is_not_there(binh: Browser, path: str) -> None:
    assert binh.client.get(f"/cards/{path}").status_code == 404


def test_cards_are_for_those_who_are_signed_in(stranger: Browser, ctx: Context) -> None:
    bring(ctx, a_case(an_event()))
    assert stranger.client.get(address(ctx)).status_code == 303
