"""A role for one campaign or account is no role elsewhere: each use-case, within its limits and beyond."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.errors import BadInput, Refused
from bot.domain.people import ANYWHERE, DUTIES, EVERYTHING, Duty, Limit, Person, Role, Scope, require
from bot.domain.post import Content, Post
from bot.services import people, posts, queue, review
from bot.services.context import Context
from tests.house import Crew, find_person
from tests.writing import a_content, a_draft, in_review, scheduled, soon

HERE, THERE = "stop-the-crackdown-vn", "now-campaign"
X, FACEBOOK = "rehearsal-x", "rehearsal-facebook"


def limited(ctx: Context, crew: Crew, alias: str, campaigns: set[str], channels: set[str]) -> Person:
    roles = find_person(ctx, alias).roles
    limits = [Limit(role, frozenset(campaigns), frozenset(channels)) for role in roles]
    return people.set_roles(ctx, crew.admin, alias, roles, limits)


@pytest.mark.parametrize(
    ("campaigns", "channels", "covered"),
    [
        (set(), set(), True),
        ({HERE}, set(), True),
        ({THERE}, set(), False),
        ({HERE, THERE}, {X, FACEBOOK}, True),
        (set(), {X}, True),
        ({HERE}, {FACEBOOK}, False),
    ],
)
def test_a_post_is_written_and_approved_only_within_the_limits(
    ctx: Context, crew: Crew, campaigns: set[str], channels: set[str], *, covered: bool
) -> None:
    """The post is of the default campaign and goes to X alone."""
    waiting = in_review(ctx, crew.second_reviewer)
    writer, reviewer = (limited(ctx, crew, alias, campaigns, channels) for alias in ("binh", "chi"))
    acts: list[Callable[[], object]] = [
        lambda: posts.add_post(ctx, writer, a_content(), soon(ctx)),
        lambda: review.approve(ctx, reviewer, waiting.id, waiting.digest),
    ]
    for act in acts:
        if covered:
            act()
        else:
            with pytest.raises(Refused, match="your role is only for"):
                act()


def beyond(ctx: Context, crew: Crew) -> dict[str, Callable[[], object]]:
    """What somebody limited to the other campaign tries with a post of this one."""
    binh, chi = (limited(ctx, crew, alias, {THERE}, set()) for alias in ("binh", "chi"))
    draft, waiting = a_draft(ctx, crew.second_reviewer), in_review(ctx, crew.second_reviewer, en="Please read on.")
    queue.hold(ctx, binh, "campaign", HERE, "chờ")
    queue.hold(ctx, binh, "language", "vi", "chờ")
    moved: Content = replace(draft.content, campaign=THERE)
    return {
        "edit": lambda: posts.edit_post(ctx, binh, draft.id, a_content(en="Other."), revision=draft.revision),
        "move it over": lambda: posts.edit_post(ctx, binh, draft.id, moved, revision=draft.revision),
        "schedule": lambda: posts.schedule(ctx, binh, draft.id, soon(ctx)),
        "submit": lambda: review.submit(ctx, binh, draft.id),
        "cancel": lambda: review.cancel(ctx, binh, draft.id, "thôi"),
        "return": lambda: review.return_post(ctx, chi, waiting.id, "sửa lại"),
        "unhold": lambda: queue.ask_unhold(ctx, binh, "campaign", HERE),
        "unhold a language": lambda: queue.ask_unhold(ctx, binh, "language", "vi"),
    }


@pytest.mark.parametrize(
    "act", ["edit", "move it over", "schedule", "submit", "cancel", "return", "unhold", "unhold a language"]
)
def test_nothing_is_done_beyond_the_limits(ctx: Context, crew: Crew, act: str) -> None:
    with pytest.raises(Refused, match=f"your role is only for {THERE}"):
        beyond(ctx, crew)[act]()


def test_anybody_may_stop_everything_whatever_their_limits(ctx: Context, crew: Crew) -> None:
    binh = limited(ctx, crew, "binh", {THERE}, {X})
    queue.hold(ctx, binh, "campaign", HERE, "chờ")
    queue.pause_channel(ctx, binh, FACEBOOK, "chờ")
    queue.halt(ctx, binh, "chờ")
    with pytest.raises(Refused, match="your role is only for"):
        queue.ask_unhalt(ctx, binh)


def test_a_limit_on_one_role_leaves_the_other_alone(ctx: Context, crew: Crew) -> None:
    dung = people.set_roles(
        ctx, crew.admin, "dung", crew.second_reviewer.roles, [Limit(Role.REVIEWER, frozenset({THERE}))]
    )
    written: Post = a_draft(ctx, dung)
    waiting = in_review(ctx, crew.coordinator, en="Please read on.")
    with pytest.raises(Refused, match="your role is only for"):
        review.approve(ctx, dung, waiting.id, waiting.digest)
    assert written.id


def test_limits_stay_with_a_role_that_stays_and_go_with_one_that_goes(ctx: Context, crew: Crew) -> None:
    limited(ctx, crew, "dung", {THERE}, set())
    changed = people.set_roles(ctx, crew.admin, "dung", {Role.REVIEWER})
    assert {limit.role for limit in changed.limits} == {Role.REVIEWER}
    assert people.set_roles(ctx, crew.admin, "dung", {Role.COORDINATOR}).limits == frozenset()
    assert people.set_roles(ctx, crew.admin, "dung", {Role.REVIEWER}).limits == frozenset()


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        (Limit(Role.ADMIN, frozenset({HERE})), BadInput),
        (Limit(Role.AUDITOR, frozenset({HERE})), BadInput),
        (Limit(Role.COORDINATOR, frozenset({HERE})), BadInput),
        (Limit(Role.REVIEWER, frozenset({"nowhere"})), BadInput),
        (Limit(Role.REVIEWER, channels=frozenset({"nowhere"})), Refused),
    ],
)
def test_a_limit_names_what_there_is_and_a_role_that_can_have_one(
    ctx: Context, crew: Crew, limit: Limit, error: type[Exception]
) -> None:
    with pytest.raises(error):
        people.set_roles(ctx, crew.admin, "chi", {Role.REVIEWER, Role.ADMIN, Role.AUDITOR}, [limit])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("duty", Duty)
def test_the_one_table_of_roles_and_duties_holds_with_and_without_limits(crew: Crew, role: Role, duty: Duty) -> None:
    free = replace(crew.admin, roles=frozenset({role}))
    bound = replace(free, limits=frozenset({Limit(role, frozenset({HERE}), frozenset({X}))}))
    inside, outside = Scope(frozenset({HERE}), frozenset({X})), Scope(frozenset({THERE}), frozenset({X}))

    def may(person: Person, scope: Scope) -> bool:
        try:
            require(person, duty, scope)
        except Refused:
            return False
        return True

    has = role in DUTIES[duty]
    assert [may(free, scope) for scope in (ANYWHERE, inside, outside, EVERYTHING)] == [has] * 4
    near = has and duty is not Duty.EXPORT
    assert [may(bound, scope) for scope in (ANYWHERE, inside, outside, EVERYTHING)] == [near, near, False, False]


def test_what_is_out_is_taken_back_only_within_the_limits(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    dung = limited(ctx, crew, "dung", {THERE}, set())
    with pytest.raises(Refused, match="your role is only for"):
        review.cancel(ctx, dung, post.id, "thôi")
