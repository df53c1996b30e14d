"""Everybody is kept at hand, and what is at hand is what is on file."""

from bot.domain.case import Consent
from bot.services import calendar, cases, queue
from bot.services.context import Context
from tests.house import Crew
from tests.sample_cases import a_case, an_event
from tests.writing import changed, on_file


def at_hand(ctx: Context) -> calendar.Known:
    with ctx.store.read() as tx:
        return calendar.everybody(ctx, tx)


def test_a_case_that_changes_is_read_anew_and_the_others_stay_as_they_are(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()), a_case(slug="tran-thi-b"))
    before = at_hand(ctx).cases
    changed(ctx, crew.binh, "tran-thi-b", consent=Consent.LIMITED)
    on_file(ctx, a_case(slug="le-van-c"), by=crew.binh)
    after = at_hand(ctx).cases
    assert list(after) == ["le-van-c", "nguyen-van-a", "tran-thi-b"]
    assert after["nguyen-van-a"] is before["nguyen-van-a"]
    assert tuple(after.values()) == cases.all_cases(ctx)


def test_nothing_is_read_anew_for_a_hold_or_an_export(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    before = at_hand(ctx)
    queue.hold(ctx, crew.binh, "campaign", ctx.schedules.default_campaign.slug, "They meet first.")
    cases.export_cases(ctx, crew.binh)
    after = at_hand(ctx)
    assert after is not before
    assert after.cases is before.cases


def test_many_changes_at_once_are_read_as_a_whole(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(slug="nguyen-van-a"))
    at_hand(ctx)
    many = [a_case(slug=f"tran-thi-{number}") for number in range(calendar.MOST_RENEWED + 1)]
    on_file(ctx, *many, by=crew.binh)
    assert len(at_hand(ctx).cases) == len(many) + 1
