"""Share cards say what is on file, in two equal languages, at a size that can be read."""

import hashlib
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from bot.domain.campaign import Shape
from bot.domain.case import Case, Consent, EventKind, Tier
from bot.domain.errors import BadInput, CampaignError, Refused
from bot.domain.facts import facts_of
from bot.domain.occasions import Occasion, OccasionKind, PlanningRules, occasions
from bot.domain.post import PostState
from bot.domain.remarks import Blocked
from bot.domain.slots import VIETNAM, at_local
from bot.library.cards import Card, Design, card_of
from bot.library.casefiles import read_cases_toml
from bot.library.drawing import SIZES, draw
from bot.library.images import image_path
from bot.library.messages import Messages, load_messages
from bot.library.schedules import Schedules, load_schedules
from bot.services import cards, plan, posts, review
from bot.services.content import check_content
from bot.services.context import Context
from bot.services.posts import When
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.writing import a_draft, on_file

ROOT = Path(__file__).parents[2]
FONTS = ROOT / "bot" / "library" / "fonts"
LETTERS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")


@pytest.fixture(scope="module")
def schedules() -> Schedules:
    return load_schedules(ROOT / "schedules")


@pytest.fixture(scope="module")
def messages() -> Messages:
    return load_messages(ROOT / "messages")


@pytest.fixture(scope="module")
def shipped() -> Mapping[str, Case]:
    return {case.slug: case for case in read_cases_toml(ROOT / "schedules" / "cases.toml")}


@pytest.fixture(scope="module")
def year(schedules: Schedules, shipped: Mapping[str, Case]) -> tuple[Occasion, ...]:
    rules = PlanningRules.of(schedules.campaigns)
    return occasions(tuple(shipped.values()), (), date(2027, 1, 1), date(2027, 12, 31), rules)


def _card(messages: Messages, schedules: Schedules, cases: Mapping[str, Case], occasion: Occasion) -> Card | None:
    campaign = schedules.campaign(occasion.campaign) or schedules.default_campaign
    return card_of(messages, occasion, cases, campaign, schedules.places, source="rsf.org")


@pytest.mark.parametrize("weight", ["Regular", "SemiBold", "Bold"])
def test_the_font_has_every_vietnamese_letter(weight: str) -> None:
    known = TTFont(FONTS / f"BeVietnamPro-{weight}.ttf").getBestCmap()
    toned = {unicodedata.normalize("NFC", letter + tone) for letter in LETTERS for tone in TONES}
    needed = toned | {letter.upper() for letter in toned} | set("bcdđghklmnpqrstvxfjwzBCDĐGHKLMNPQRSTVXFJWZ0123456789")
    assert sorted(letter for letter in needed | set("#·,.()/-“” \N{NO-BREAK SPACE}") if ord(letter) not in known) == []


def test_the_font_comes_with_its_licence() -> None:
    assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text("utf-8")


def test_every_shipped_day_of_a_year_is_worded_or_has_no_card(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...]
) -> None:
    cards = {one.key: card for one in year if (card := _card(messages, schedules, shipped, one))}
    kinds = {one.kind for one in year if one.key in cards}
    assert {OccasionKind.ARREST, OccasionKind.TRIAL, OccasionKind.JOINT_TRIAL} <= kinds
    for one in year:
        if card := cards.get(one.key):
            text = " ".join((*(" ".join(pair) for pair in card.lines), *card.footer, *card.names))
            assert "{" not in text
            assert all(len(alt) <= 1000 for alt in card.alt.values())
            assert {slug for slug, _ in card.cites} == set(one.cases)
            assert all(fact in facts_of(shipped[slug]) for slug, fact in card.cites)


def test_a_card_of_somebody_not_freshly_confirmed_does_not_count_days(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...]
) -> None:
    counts = [one for one in year if one.kind is OccasionKind.DAY_COUNT]
    assert counts
    assert all(_card(messages, schedules, shipped, one) is None for one in counts)
    fresh = replace(counts[0], tier=Tier.FRESH, near_term_end=False, bar=None)
    card = _card(messages, schedules, shipped, fresh)
    assert card is not None
    assert card.design is Design.DAYS
    assert card.number.replace("\N{NO-BREAK SPACE}", "") == str(fresh.days)
    assert _card(messages, schedules, shipped, replace(fresh, near_term_end=True)) is None


def test_near_the_end_of_a_term_a_card_does_not_hint_at_prison(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...]
) -> None:
    arrest = next(one for one in year if one.kind is OccasionKind.ARREST and one.tier is Tier.STALE)
    card = _card(messages, schedules, shipped, replace(arrest, near_term_end=True))
    assert card is not None
    assert "prison" not in " ".join(en for _, en in card.lines)
    assert card.claims is Tier.STALE


@pytest.mark.parametrize("shape", Shape)
def test_a_card_is_a_png_of_its_size_and_the_same_each_time(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...], shape: Shape
) -> None:
    designs: dict[Design, Card] = {}
    for one in year:
        if card := _card(messages, schedules, shipped, one):
            designs.setdefault(card.design, card)
    assert set(designs) == {Design.ARREST, Design.TRIAL, Design.JOINT}
    for card in designs.values():
        drawn = draw(card, shape)
        image = Image.open(io.BytesIO(drawn.content))
        assert (image.format, image.size) == ("PNG", SIZES[shape])
        assert len(drawn.content) < 60_000
        assert draw(card, shape) == drawn
        assert draw(replace(card, tags=("#NgừngNgayĐànÁp",)), shape).digest != drawn.digest


def test_words_that_have_no_room_are_never_cut() -> None:
    lines = (("Một " * 400, "Word " * 400),)
    card = Card(Design.ARREST, lines, ("Nguồn · Source",), ("#A",), {}, frozenset(), Tier.STALE, name="Nguyễn Văn A")
    with pytest.raises(Refused, match="no room"):
        draw(card, Shape.WIDE)


def test_the_names_of_a_hearing_stand_on_it_once_each_with_both_terms(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...]
) -> None:
    hearing = max((one for one in year if one.kind is OccasionKind.JOINT_TRIAL), key=lambda one: len(one.cases))
    card = _card(messages, schedules, shipped, hearing)
    assert card is not None
    assert len(card.names) == len(hearing.cases)
    assert all(" · " in name and name.endswith(")") for name in card.names)
    draw(card, Shape.WIDE)


def _with_cards(ctx: Context, shape: Shape | None) -> Context:
    campaigns = tuple(replace(each, cards=shape) for each in ctx.schedules.campaigns)
    return replace(ctx, schedules=replace(ctx.schedules, campaigns=campaigns))


def _arrested() -> Case:
    """Six years before the fourth day from now, on file with a page."""
    return a_case(an_event(EventKind.ARREST, "2020-11-25", sources=("https://www.example.org/arrest",)))


def test_where_the_campaign_says_so_each_day_is_drafted_with_its_card(ctx: Context, crew: Crew) -> None:
    ctx = _with_cards(ctx, Shape.TALL)
    on_file(ctx, _arrested())
    (post,) = plan.plan(ctx).drafted
    (picture,) = post.content.pictures
    assert (picture.width, picture.height) == SIZES[Shape.TALL]
    assert picture.alt["en"].startswith("Share card: Nguyen Van A")
    assert "Source: example.org" in picture.alt["en"]
    path = image_path(ctx.data_dir, picture.digest, picture.mime)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == picture.digest
    assert "confirmation" in {cite.fact for cite in post.content.cites}
    review.approve(ctx, crew.dung, post.id, post.digest or "")
    assert posts.get_post(ctx, post.id).state is PostState.SCHEDULED


def test_without_the_switch_no_card_is_drawn(ctx: Context) -> None:
    on_file(ctx, _arrested())
    (post,) = plan.plan(ctx).drafted
    assert post.content.pictures == ()


def test_a_card_is_put_on_a_post_and_voids_what_was_approved(ctx: Context, crew: Crew) -> None:
    on_file(ctx, _arrested())
    (post,) = plan.plan(ctx).drafted
    review.approve(ctx, crew.dung, post.id, post.digest or "")
    edited = cards.attach(ctx, crew.binh, post.id, Shape.WIDE)
    assert edited.voided == 1
    assert [(one.width, one.height) for one in edited.post.content.pictures] == [SIZES[Shape.WIDE]]
    assert edited.post.content.texts == post.content.texts
    assert "example.org" in edited.post.content.pictures[0].alt["en"]
    assert check_content(ctx, edited.post.content).problems == ()
    with pytest.raises(Refused, match="carries this card already"):
        cards.attach(ctx, crew.binh, post.id, Shape.WIDE)


def test_a_card_on_a_post_in_own_words_rests_on_what_it_prints(ctx: Context, crew: Crew) -> None:
    on_file(ctx, _arrested())
    (day, *_) = cards.card_days(ctx, "nguyen-van-a")
    post = a_draft(ctx, crew.binh, when=When(at=at_local(day.on, time(12), VIETNAM)))
    with pytest.raises(BadInput, match="no day of its own"):
        cards.attach(ctx, crew.binh, post.id, Shape.SQUARE)
    edited = cards.attach(ctx, crew.binh, post.id, Shape.SQUARE, day.key)
    assert edited.post.content.cases == ("nguyen-van-a",)
    assert {"identity", "event:arrest-2020-11-25"} <= {cite.fact for cite in edited.post.content.cites}


@pytest.mark.parametrize(("days", "at"), [(-1, time(12)), (1, time(12)), (365, time(12)), (0, time(23, 50))])
def test_a_card_of_one_day_goes_out_on_no_other(ctx: Context, crew: Crew, days: int, at: time) -> None:
    on_file(ctx, _arrested())
    (day, *_) = cards.card_days(ctx, "nguyen-van-a")
    noon, other = at_local(day.on, time(12), VIETNAM), at_local(day.on + timedelta(days=days), at, VIETNAM)
    elsewhere = a_draft(ctx, crew.binh, when=When(at=other))
    with pytest.raises(Refused, match="true on 2026-11-25 alone, and rehearsal-x may post it on another"):
        cards.attach(ctx, crew.binh, elsewhere.id, Shape.WIDE, day.key)
    there = a_draft(ctx, crew.binh, when=When(at=noon))
    cards.attach(ctx, crew.binh, there.id, Shape.WIDE, day.key)
    posts.schedule(ctx, crew.binh, there.id, When(at=other))
    with pytest.raises(Blocked, match="true on 2026-11-25 alone"):
        review.submit(ctx, crew.binh, there.id)
    posts.schedule(ctx, crew.binh, there.id, When(at=noon))
    assert review.submit(ctx, crew.binh, there.id).state is PostState.IN_REVIEW
    moved = posts.schedule(ctx, crew.binh, there.id, When(at=other))
    assert (moved.post.state, len(moved.blocks)) == (PostState.DRAFT, 1)


def test_a_card_that_counts_no_years_is_true_on_any_day(
    messages: Messages, schedules: Schedules, shipped: Mapping[str, Case], year: tuple[Occasion, ...]
) -> None:
    for one in year:
        if card := _card(messages, schedules, shipped, one):
            assert card.day == ("" if one.kind is OccasionKind.JOINT_TRIAL else one.on.isoformat())


def test_nobody_draws_a_card_of_a_person_who_refused(ctx: Context) -> None:
    on_file(ctx, replace(_arrested(), consent=Consent.REFUSED))
    assert cards.card_days(ctx, "nguyen-van-a") == ()
    with pytest.raises(CampaignError):
        cards.drawn_card(ctx, "arrest:nguyen-van-a:arrest-2020-11-25:2026", Shape.WIDE)
