"""Everybody at hand: the days of one person are those that the planner finds among all."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from bot.domain.case import Case, Status
from bot.services import cases, dossier, plan, register
from bot.services.context import Context
from bot.services.register import A_YEAR
from tests.house import Crew
from tests.sample_cases import SOURCE, a_case, some_cases


def bring(ctx: Context, given: Sequence[Case]) -> None:
    """Under new short names, so that the people of each example join those of the ones before."""
    here = len(cases.all_cases(ctx))
    free = [replace(case, slug=f"{case.slug}-{here}", campaigns=(), status=Status.UNKNOWN) for case in given]
    cases.import_cases(ctx, None, free, source="sample.toml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(given=some_cases())
def test_the_days_of_one_person_are_the_planners(ctx: Context, given: tuple[Case, ...]) -> None:
    bring(ctx, given)
    everyone = plan.upcoming(ctx, ctx.today(), ctx.today() + A_YEAR)
    for case in cases.all_cases(ctx):
        with ctx.store.read() as tx:
            found = dossier.days_of(ctx, dossier.desk_of(ctx, tx, case), case.slug)
        assert list(found) == [one for one, _ in everyone if case.slug in one.cases]


def test_a_row_stays_for_as_long_as_its_case_does(ctx: Context, crew: Crew) -> None:
    cases.import_cases(ctx, None, [a_case(), a_case(slug="tran-thi-b")], source="sample.toml")
    with ctx.store.read() as tx:
        before = register.opened(ctx, tx)
        assert register.opened(ctx, tx) is before
    cases.change_case(
        ctx, crew.coordinator, "tran-thi-b", replace(cases.get_case(ctx, "tran-thi-b"), name_en="B"), SOURCE
    )
    with ctx.store.read() as tx:
        after = register.opened(ctx, tx)
    assert after.rows["nguyen-van-a"] is before.rows["nguyen-van-a"]
    assert after.rows["tran-thi-b"].case.name_en == "B"
