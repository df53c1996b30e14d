"""Stopping takes one person and a reason; starting again takes two."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.audit import Act
from bot.domain.delivery import DeliveryState
from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused
from bot.domain.people import Person, Role
from bot.domain.post import Content
from bot.services import cases, people, queue
from bot.services.context import Context
from bot.store import deliveries, holds, posts
from bot.store.engine import Store
from tests.house import START, Crew, FakeClock, find_person, payload, told
from tests.sample_cases import a_case

WHY = "gia đình muốn chờ thêm"
HALT = ("all", "")


def open_holds(ctx: Context) -> frozenset[tuple[str, str]]:
    with ctx.store.write() as tx:
        return holds.open_holds(tx)


def a_post(ctx: Context, *states: DeliveryState) -> int:
    """With one delivery in each of the states."""
    content = Content("stop-the-crackdown-vn", {("vi", ""): "Xin chào", ("en", ""): "Hello"}, ("rehearsal-x",))
    with ctx.store.write() as tx:
        post = posts.add(tx, [posts.NewPost(content)], None, START)[0]
        new = [
            deliveries.NewDelivery(post.id, "rehearsal-x", part, "d" * 64, "{}", "k", START, START + timedelta(hours=1))
            for part, _ in enumerate(states)
        ]
        deliveries.add(tx, new)
        for delivery, state in zip(deliveries.of_post(tx, post.id), states, strict=True):
            deliveries.change(tx, delivery, state)
    return post.id


@pytest.mark.parametrize("role", ["admin", "coordinator", "reviewer", "auditor"])
def test_anyone_signed_in_halts_with_a_reason(ctx: Context, crew: Crew, role: str) -> None:
    queue.halt(ctx, getattr(crew, role), WHY)
    assert open_holds(ctx) == {HALT}
    state = queue.halt_state(ctx)
    assert state is not None
    assert (state.hold.reason, state.asked_by) == (WHY, "")
    assert find_person(ctx, state.by) == getattr(crew, role)


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_a_halt_without_a_reason_is_refused(ctx: Context, crew: Crew, reason: str) -> None:
    with pytest.raises(Refused, match="Say why"):
        queue.halt(ctx, crew.auditor, reason)
    assert queue.halt_state(ctx) is None


def test_a_disabled_person_stops_nothing(ctx: Context, crew: Crew) -> None:
    disabled = people.disable(ctx, crew.admin, "binh")
    with pytest.raises(Refused, match="disabled"):
        queue.halt(ctx, disabled, WHY)
    assert open_holds(ctx) == frozenset()


def test_a_halt_lists_what_may_still_appear(ctx: Context, crew: Crew) -> None:
    a_post(ctx, DeliveryState.SCHEDULED, DeliveryState.SENDING, DeliveryState.PUBLISHED, DeliveryState.HELD)
    assert [(flying.part, flying.state) for flying in queue.halt(ctx, crew.auditor, WHY)] == [
        (1, DeliveryState.SENDING)
    ]


def test_a_halt_waits_for_whoever_is_about_to_send_and_lists_it(ctx: Context, crew: Crew) -> None:
    post_id = a_post(ctx, DeliveryState.SCHEDULED)
    listed: list[str] = []
    halting = threading.Thread(target=lambda: listed.extend(d.channel for d in queue.halt(ctx, crew.auditor, WHY)))
    with ctx.store.write() as tx:
        assert holds.open_holds(tx) == frozenset()
        halting.start()
        halting.join(0.2)
        assert halting.is_alive()
        deliveries.change(tx, deliveries.of_post(tx, post_id)[0], DeliveryState.SENDING)
    halting.join(20)
    assert listed == ["rehearsal-x"]


def test_halting_again_keeps_one_halt_with_the_newer_reason(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    clock.advance(minutes=5)
    queue.halt(ctx, crew.reviewer, "một tin mới")
    (stopped,) = queue.holds(ctx)
    assert (stopped.by, stopped.hold.reason, stopped.hold.placed_at) == ("chi", "một tin mới", clock.now())
    assert len(told(ctx, Act.HALT_STARTED)) == 2


def test_one_asks_and_another_confirms_the_end_of_a_halt(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    state = queue.halt_state(ctx)
    assert state is not None
    assert state.asked_by == "binh"
    assert open_holds(ctx) == {HALT}
    queue.confirm_unhalt(ctx, crew.reviewer)
    assert open_holds(ctx) == frozenset()
    assert queue.halt_state(ctx) is None


def test_nobody_confirms_what_they_asked(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    with pytest.raises(Refused, match="You asked for this"):
        queue.confirm_unhalt(ctx, crew.coordinator)
    assert open_holds(ctx) == {HALT}


def test_an_account_that_the_asker_made_cannot_confirm(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.admin)
    with pytest.raises(Refused, match="made your account"):
        queue.confirm_unhalt(ctx, crew.reviewer)
    assert open_holds(ctx) == {HALT}


def test_an_auditor_stops_but_does_not_start_again(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    with pytest.raises(Refused, match="end a halt or a hold"):
        queue.ask_unhalt(ctx, crew.auditor)
    queue.ask_unhalt(ctx, crew.coordinator)
    with pytest.raises(Refused, match="end a halt or a hold"):
        queue.confirm_unhalt(ctx, crew.auditor)


def test_confirming_what_nobody_asked_is_refused(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    with pytest.raises(Refused, match="Nobody has asked"):
        queue.confirm_unhalt(ctx, crew.reviewer)


def test_asking_twice_is_refused(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    with pytest.raises(Refused, match="asked already"):
        queue.ask_unhalt(ctx, crew.reviewer)


def test_a_new_halt_takes_back_the_wish_to_end_the_old_one(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    queue.halt(ctx, crew.auditor, "chưa được")
    with pytest.raises(Refused, match="Nobody has asked"):
        queue.confirm_unhalt(ctx, crew.reviewer)


def test_the_wish_of_an_account_disabled_since_does_not_count(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    people.disable(ctx, crew.admin, "binh")
    with pytest.raises(Conflict, match="disabled"):
        queue.confirm_unhalt(ctx, crew.reviewer)
    state = queue.halt_state(ctx)
    assert state is not None
    assert state.asked_by == ""
    queue.ask_unhalt(ctx, crew.reviewer)
    queue.confirm_unhalt(ctx, crew.second_reviewer)
    assert open_holds(ctx) == frozenset()


def test_ending_what_is_not_stopped_is_refused(ctx: Context, crew: Crew) -> None:
    with pytest.raises(NotFound):
        queue.ask_unhalt(ctx, crew.coordinator)
    with pytest.raises(NotFound):
        queue.confirm_unhold(ctx, crew.coordinator, "language", "vi")


def test_the_program_halts_too_and_two_people_end_it(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, None, "restored")
    (entry,) = told(ctx, Act.HALT_STARTED)
    assert (entry.actor, entry.data["reason"]) == ("campaignbot", "restored")
    state = queue.halt_state(ctx)
    assert state is not None
    assert state.by == ""
    queue.ask_unhalt(ctx, crew.coordinator)
    queue.confirm_unhalt(ctx, crew.reviewer)
    assert queue.halt_state(ctx) is None


def targets(ctx: Context) -> dict[str, str]:
    cases.import_cases(ctx, None, [a_case()], source="sample.toml")
    return {
        "case": "nguyen-van-a",
        "campaign": "stop-the-crackdown-vn",
        "language": "en",
        "channel": "rehearsal-x",
        "post": str(a_post(ctx)),
    }


@pytest.mark.parametrize("scope", queue.SCOPES)
def test_a_hold_stops_its_target_until_two_people_end_it(ctx: Context, crew: Crew, scope: str) -> None:
    target = targets(ctx)[scope]
    held = queue.hold(ctx, crew.auditor, scope, target, WHY)
    assert (held.scope, held.target, held.reason, held.placed_by) == (scope, target, WHY, crew.auditor.id)
    assert open_holds(ctx) == {(scope, target)}
    queue.hold(ctx, crew.reviewer, scope, target, WHY)
    assert len(queue.holds(ctx)) == 1
    queue.ask_unhold(ctx, crew.coordinator, scope, target)
    with pytest.raises(Refused):
        queue.confirm_unhold(ctx, crew.coordinator, scope, target)
    queue.confirm_unhold(ctx, crew.reviewer, scope, target)
    assert open_holds(ctx) == frozenset()
    queue.hold(ctx, crew.auditor, scope, target, WHY)
    assert open_holds(ctx) == {(scope, target)}


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("case", "nobody"),
        ("case", "\x00"),
        ("case", "nguyen-van-a " * 1_000),
        ("campaign", "nobody"),
        ("language", "fr"),
        ("channel", "nobody"),
        ("post", "999"),
        ("post", "01"),
        ("post", "1 "),
        ("post", "١"),
        ("post", "9" * 5_000),
        ("post", "-1"),
    ],
)
def test_what_does_not_exist_cannot_be_held(ctx: Context, crew: Crew, scope: str, target: str) -> None:
    targets(ctx)
    with pytest.raises((NotFound, Refused)):
        queue.hold(ctx, crew.auditor, scope, target, WHY)
    assert queue.holds(ctx) == ()


@pytest.mark.parametrize("scope", ["all", "", "person", "x" * 500])
def test_only_five_things_can_be_held(ctx: Context, crew: Crew, scope: str) -> None:
    with pytest.raises(BadInput, match="case, campaign, language, channel, post"):
        queue.hold(ctx, crew.auditor, scope, "", WHY)


def test_the_end_of_one_hold_leaves_the_others(ctx: Context, crew: Crew) -> None:
    queue.hold(ctx, crew.auditor, "language", "vi", WHY)
    queue.hold(ctx, crew.auditor, "language", "en", WHY)
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhold(ctx, crew.coordinator, "language", "vi")
    queue.confirm_unhold(ctx, crew.reviewer, "language", "vi")
    assert open_holds(ctx) == {HALT, ("language", "en")}


def test_each_step_is_told_and_the_reason_is_sealed_apart(ctx: Context, crew: Crew) -> None:
    cases.import_cases(ctx, None, [a_case()], source="sample.toml")
    queue.hold(ctx, crew.auditor, "case", "nguyen-van-a", WHY)
    queue.ask_unhold(ctx, crew.coordinator, "case", "nguyen-van-a")
    queue.confirm_unhold(ctx, crew.reviewer, "case", "nguyen-van-a")
    steps = [(Act.CASE_HELD, crew.auditor), (Act.HOLD_END_ASKED, crew.coordinator), (Act.CASE_UNHELD, crew.reviewer)]
    case_id = cases.get_case(ctx, "nguyen-van-a").id
    for act, actor in steps:
        (entry,) = told(ctx, act)
        assert (entry.actor, entry.obj) == (actor.pseudonym, f"case:{case_id}")
        assert b"nguyen" not in entry.raw
        assert WHY not in entry.raw.decode()
    assert payload(ctx, told(ctx, Act.CASE_HELD)[0]) == {"reason": WHY}


def test_a_halt_is_told_from_its_start_to_its_end(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.coordinator)
    queue.confirm_unhalt(ctx, crew.reviewer)
    steps = [(Act.HALT_STARTED, crew.auditor), (Act.HALT_END_ASKED, crew.coordinator), (Act.HALT_ENDED, crew.reviewer)]
    assert [[entry.actor for entry in told(ctx, act)] for act, _ in steps] == [[who.pseudonym] for _, who in steps]


def test_anyone_pauses_a_channel_and_an_admin_resumes_it(ctx: Context, crew: Crew) -> None:
    queue.pause_channel(ctx, crew.auditor, "rehearsal-x", WHY)
    (pause,) = queue.pauses(ctx)
    assert (pause.channel, pause.reason, pause.paused_by, pause.paused_at) == (
        "rehearsal-x",
        WHY,
        crew.auditor.id,
        START,
    )
    for other in (crew.coordinator, crew.reviewer, crew.auditor):
        with pytest.raises(Refused, match="manage channels"):
            queue.resume_channel(ctx, other, "rehearsal-x")
    queue.resume_channel(ctx, crew.admin, "rehearsal-x")
    assert queue.pauses(ctx) == ()
    assert [entry.obj for act in (Act.CHANNEL_PAUSED, Act.CHANNEL_RESUMED) for entry in told(ctx, act)] == [
        "channel:rehearsal-x"
    ] * 2


def test_pausing_twice_keeps_the_first_reason(ctx: Context, crew: Crew) -> None:
    queue.pause_channel(ctx, crew.auditor, "rehearsal-x", WHY)
    queue.pause_channel(ctx, crew.reviewer, "rehearsal-x", "khác")
    assert [pause.reason for pause in queue.pauses(ctx)] == [WHY]
    assert len(told(ctx, Act.CHANNEL_PAUSED)) == 1


def test_a_channel_is_paused_again_after_it_was_resumed(ctx: Context, crew: Crew) -> None:
    queue.pause_channel(ctx, crew.auditor, "rehearsal-x", WHY)
    queue.resume_channel(ctx, crew.admin, "rehearsal-x")
    queue.pause_channel(ctx, crew.auditor, "rehearsal-x", "lại")
    assert [pause.reason for pause in queue.pauses(ctx)] == ["lại"]


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx, admin: queue.pause_channel(ctx, admin, "nobody", WHY),
        lambda ctx, admin: queue.resume_channel(ctx, admin, "nobody"),
        lambda ctx, admin: queue.resume_channel(ctx, admin, "rehearsal-x"),
        lambda ctx, admin: queue.pause_channel(ctx, admin, "rehearsal-x", " "),
    ],
    ids=["pause unknown", "resume unknown", "resume what runs", "pause without a reason"],
)
def test_a_channel_is_not_paused_or_resumed_by_mistake(
    ctx: Context, crew: Crew, act: Callable[[Context, Person], None]
) -> None:
    with pytest.raises(CampaignError):
        act(ctx, crew.admin)
    assert queue.pauses(ctx) == ()


def test_a_halt_outlives_the_process(ctx: Context, crew: Crew) -> None:
    queue.halt(ctx, crew.auditor, WHY)
    ctx.store.close()
    reopened = Store(ctx.store.url.render_as_string(hide_password=False))
    with reopened.write() as tx:
        assert holds.open_holds(tx) == {HALT}
    reopened.close()


def test_a_second_account_of_the_asker_does_not_help_even_one_removed(ctx: Context, crew: Crew) -> None:
    child, _ = people.add_person(ctx, crew.admin, "kim", {Role.ADMIN})
    grandchild, _ = people.add_person(ctx, child, "lan", {Role.REVIEWER})
    queue.halt(ctx, crew.auditor, WHY)
    queue.ask_unhalt(ctx, crew.admin)
    with pytest.raises(Refused, match="made your account"):
        queue.confirm_unhalt(ctx, grandchild)
