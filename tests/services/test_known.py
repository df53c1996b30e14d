"""Everybody is kept at hand, and what is at hand is what is on file."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from bot.domain.case import Consent, EventKind
from bot.domain.occasions import Occasion
from bot.services import cases, hearings, known, queue
from bot.services.context import Context
from bot.store.engine import Store
from tests.house import START, Crew
from tests.sample_cases import SOURCE, a_case, an_event
from tests.writing import changed, on_file


def at_hand(ctx: Context) -> known.Known:
    with ctx.store.read() as tx:
        return known.everybody(ctx, tx)


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
    many = [a_case(slug=f"tran-thi-{number}") for number in range(known.MOST_RENEWED + 1)]
    on_file(ctx, *many, by=crew.binh)
    assert len(at_hand(ctx).cases) == len(many) + 1


DAYS = (START.date(), START.date() + timedelta(days=60))


def days_at_hand(ctx: Context) -> tuple[Occasion, ...]:
    with ctx.store.read() as tx:
        return known.occasions_between(ctx, tx, *DAYS)


def test_after_every_change_the_days_at_hand_are_those_that_would_be_found_afresh(ctx: Context, crew: Crew) -> None:
    """Above all of those who may have been tried together: one's change is a change of the other's day."""
    trial = an_event(EventKind.TRIAL, "2019-12-05", court="Court A")
    names = ("nguyen-van-a", "tran-thi-b", "le-van-c")
    on_file(ctx, *(a_case(trial, an_event(), slug=slug, name_vi=slug) for slug in names), by=crew.binh)
    elsewhere = replace(trial, court="Court B")
    changes: list[Callable[[], object]] = [
        lambda: changed(ctx, crew.binh, "tran-thi-b", events=(elsewhere, an_event())),
        lambda: changed(ctx, crew.binh, "tran-thi-b", events=(trial, an_event(on="2020-12-01"))),
        lambda: changed(ctx, crew.binh, "le-van-c", consent=Consent.LIMITED),
        lambda: hearings.answer_same_hearing(
            ctx, crew.binh, [("nguyen-van-a", trial.key), ("tran-thi-b", trial.key)], same=True, sources=[SOURCE]
        ),
        lambda: changed(ctx, crew.binh, "nguyen-van-a", consent=Consent.REFUSED),
        lambda: queue.hold(ctx, crew.binh, "case", "tran-thi-b", "They meet first."),
        lambda: on_file(ctx, a_case(trial, slug="pham-van-d"), by=crew.binh),
        lambda: queue.hold(ctx, crew.binh, "campaign", ctx.schedules.default_campaign.slug, "They meet first."),
    ]
    seen = [days_at_hand(ctx)]
    for change in changes:
        change()
        seen.append(days_at_hand(ctx))
        with closing(Store(str(ctx.store.url))) as store:
            assert days_at_hand(replace(ctx, store=store)) == seen[-1]
    assert all(before != after for before, after in pairwise(seen))


def test_a_change_of_one_case_leaves_the_days_of_the_others_as_they_are(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(on="2020-12-01")), a_case(an_event(on="2020-12-02"), slug="tran-thi-b"), by=crew.binh)
    before = days_at_hand(ctx)
    changed(ctx, crew.binh, "tran-thi-b", consent=Consent.REFUSED)
    after = days_at_hand(ctx)
    assert [one.cases for one in after] == [("nguyen-van-a",)] * len(after)
    assert all(one is other for one, other in zip(after, [one for one in before if one in after], strict=True))
