"""Nothing goes out but what others than its authors approved, byte for byte."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.audit import Act
from bot.domain.case import Consent, PartialDate, Status
from bot.domain.delivery import DeliveryState
from bot.domain.errors import BadInput, Conflict, NotFound, Refused
from bot.domain.people import Person, Role
from bot.domain.post import Cite, PostState, sha256
from bot.domain.remarks import Blocked
from bot.services import cases, people, posts, queue, review
from bot.services.context import Context
from bot.services.posts import When
from bot.store import approvals, deliveries
from tests.house import Crew, FakeClock, find_person, payload, told
from tests.sample_cases import a_case, an_event
from tests.writing import SOON, a_content, a_draft, changed, in_review, on_file, scheduled, soon


def states(ctx: Context, post_id: int) -> set[DeliveryState]:
    with ctx.store.read() as tx:
        return {delivery.state for delivery in deliveries.of_post(tx, post_id)}


def yeses(ctx: Context, post_id: int) -> int:
    with ctx.store.read() as tx:
        return len(approvals.of_post(tx, post_id))


def test_submitting_freezes_what_every_account_will_get(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator, channels=("rehearsal-x", "rehearsal-facebook"))
    assert post.state is PostState.IN_REVIEW
    assert post.digest == sha256(post.manifest)
    assert "Xin đọc câu chuyện này." in post.manifest
    assert told(ctx, Act.POST_SUBMITTED)[0].data == {"digest": post.digest, "revision": 1}


def test_a_yes_schedules_the_post_and_its_deliveries_in_one_go(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    approved = review.approve(ctx, crew.reviewer, post.id, post.digest)
    assert (approved.post.state, approved.missing) == (PostState.SCHEDULED, 0)
    assert states(ctx, post.id) == {DeliveryState.SCHEDULED}
    entry = told(ctx, Act.POST_APPROVED)[0]
    assert entry.data == {"digest": post.digest, "post": post.id, "needed": 1}
    assert entry.actor == crew.reviewer.pseudonym
    with ctx.store.read() as tx:
        assert approvals.of_post(tx, post.id)[0].audit_seq == entry.seq


def test_a_post_without_a_time_cannot_be_submitted(ctx: Context, crew: Crew) -> None:
    draft = a_draft(ctx, crew.coordinator, when=None)
    with pytest.raises(Blocked, match="no time"):
        review.submit(ctx, crew.coordinator, draft.id)
    assert posts.get_post(ctx, draft.id).state is PostState.DRAFT


def test_every_block_is_told_at_once(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(consent=Consent.REFUSED))
    draft = a_draft(ctx, crew.coordinator, vi="x" * 600, when=None, cases=("nguyen-van-a",))
    with pytest.raises(Blocked) as barred:
        review.submit(ctx, crew.coordinator, draft.id)
    said = " ".join(map(str, barred.value.blocks))
    assert "600" in said
    assert "no time" in said
    assert "refused" in said


def test_submitting_twice_is_refused(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    with pytest.raises(Refused, match="in_review"):
        review.submit(ctx, crew.coordinator, post.id)


def test_an_author_does_not_approve_their_own_words(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.second_reviewer)
    with pytest.raises(Refused, match="You wrote this"):
        review.approve(ctx, crew.second_reviewer, post.id, post.digest)


def test_nor_does_who_wrote_only_an_earlier_revision(ctx: Context, crew: Crew) -> None:
    draft = a_draft(ctx, crew.second_reviewer)
    posts.edit_post(ctx, crew.coordinator, draft.id, replace(draft.content, note="khác"), revision=1)
    post = review.submit(ctx, crew.coordinator, draft.id)
    with pytest.raises(Refused, match="You wrote this"):
        review.approve(ctx, crew.second_reviewer, post.id, post.digest)
    assert review.approve(ctx, crew.reviewer, post.id, post.digest).missing == 0


def test_nor_does_who_stated_a_fact_that_the_post_rests_on(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), status=Status.RELEASED))
    changed(ctx, crew.second_reviewer, "nguyen-van-a", consent=Consent.GIVEN)
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    with pytest.raises(Refused, match="You wrote this"):
        review.approve(ctx, crew.second_reviewer, post.id, post.digest)


def test_nor_does_an_account_that_the_author_made(ctx: Context, crew: Crew) -> None:
    people.set_roles(ctx, crew.admin, "an", {Role.ADMIN, Role.COORDINATOR})
    author = find_person(ctx, "an")
    post = in_review(ctx, author)
    with pytest.raises(Refused, match="made your account"):
        review.approve(ctx, crew.reviewer, post.id, post.digest)


@pytest.mark.parametrize("role", ["coordinator", "auditor", "admin"])
def test_only_a_reviewer_approves(ctx: Context, crew: Crew, role: str) -> None:
    post = in_review(ctx, crew.second_reviewer)
    with pytest.raises(Refused, match="reviewer"):
        review.approve(ctx, getattr(crew, role), post.id, post.digest)


def test_a_yes_to_what_was_edited_meanwhile_is_a_conflict(ctx: Context, crew: Crew) -> None:
    read = in_review(ctx, crew.coordinator)
    posts.edit_post(ctx, crew.coordinator, read.id, a_content(vi="Một chữ khác."), revision=1)
    with pytest.raises(Conflict, match="while you were reading"):
        review.approve(ctx, crew.reviewer, read.id, read.digest)
    assert posts.get_post(ctx, read.id).state is PostState.IN_REVIEW


def test_a_death_takes_two_reviewers(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), status=Status.DIED))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    assert review.approve(ctx, crew.reviewer, post.id, post.digest).missing == 1
    assert posts.get_post(ctx, post.id).state is PostState.IN_REVIEW
    assert states(ctx, post.id) == set()
    with pytest.raises(Refused, match="approved this already"):
        review.approve(ctx, crew.reviewer, post.id, post.digest)
    assert review.approve(ctx, crew.second_reviewer, post.id, post.digest).post.state is PostState.SCHEDULED


def test_a_case_that_a_person_added_takes_two_until_it_is_public(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), status=Status.RELEASED), by=crew.coordinator)
    first = in_review(ctx, crew.second_reviewer, cases=("nguyen-van-a",))
    assert review.approve(ctx, crew.reviewer, first.id, first.digest).missing == 1


def test_an_edit_after_approval_voids_it_and_asks_anew(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    edited = posts.edit_post(ctx, crew.coordinator, post.id, a_content(vi="Một chữ khác."), revision=1)
    assert (edited.post.state, edited.voided, edited.blocks) == (PostState.IN_REVIEW, 1, ())
    assert edited.post.digest != post.digest
    assert yeses(ctx, post.id) == 0
    assert states(ctx, post.id) == {DeliveryState.CANCELLED}
    assert told(ctx, Act.POST_APPROVAL_VOIDED)[0].data == {"why": "edited", "approvals": 1, "digest": post.digest}
    assert len(told(ctx, Act.DELIVERY_CANCELLED)) == 2, "one for each language on X"


def test_an_edit_that_no_longer_fits_goes_back_to_a_draft_and_says_why(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    edited = posts.edit_post(ctx, crew.coordinator, post.id, a_content(vi="x" * 700), revision=1)
    assert edited.post.state is PostState.DRAFT
    assert edited.post.digest == ""
    assert "limit is 280" in str(edited.blocks[0])


def test_a_new_time_voids_the_approval_and_returns_it_to_review(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    edited = posts.schedule(ctx, crew.coordinator, post.id, When(at=ctx.now() + SOON + timedelta(days=1)))
    assert (edited.post.state, edited.voided) == (PostState.IN_REVIEW, 1)
    assert edited.post.due == ctx.now() + SOON + timedelta(days=1)


def test_approving_the_same_bytes_again_brings_the_deliveries_back(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    other = replace(post.content, texts={**post.content.texts, ("vi", ""): "Khác."})
    posts.edit_post(ctx, crew.coordinator, post.id, other, revision=1)
    again = posts.edit_post(ctx, crew.coordinator, post.id, post.content, revision=2).post
    assert again.digest == post.digest
    review.approve(ctx, crew.reviewer, post.id, again.digest)
    assert states(ctx, post.id) == {DeliveryState.SCHEDULED}


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.PUBLISHED])
def test_a_post_that_is_partly_out_stays_as_it_is(ctx: Context, crew: Crew, state: DeliveryState) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    with ctx.store.write() as tx:
        deliveries.change(tx, deliveries.of_post(tx, post.id)[0], state)
    with pytest.raises(Refused, match="out or being sent"):
        posts.edit_post(ctx, crew.coordinator, post.id, post.content, revision=1)
    with pytest.raises(Refused, match="out or being sent"):
        review.cancel(ctx, crew.coordinator, post.id, "sai")
    assert yeses(ctx, post.id) == 1


def test_a_reviewer_returns_a_post_with_a_reason_that_can_be_erased(ctx: Context, crew: Crew) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    returned = review.return_post(ctx, crew.second_reviewer, post.id, " ngày sai ")
    assert (returned.state, returned.reason) == (PostState.RETURNED, "ngày sai")
    assert yeses(ctx, post.id) == 0
    entry = told(ctx, Act.POST_RETURNED)[0]
    assert entry.data == {}
    assert payload(ctx, entry) == {"reason": "ngày sai"}
    assert review.submit(ctx, crew.coordinator, post.id).state is PostState.IN_REVIEW


def test_returning_and_cancelling_take_a_reason(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    with pytest.raises(Refused, match="Say why"):
        review.return_post(ctx, crew.reviewer, post.id, " ")
    with pytest.raises(Refused, match="Say why"):
        review.cancel(ctx, crew.reviewer, post.id, "")


@pytest.mark.parametrize("role", ["coordinator", "reviewer"])
def test_a_cancelled_post_is_over(ctx: Context, crew: Crew, role: str) -> None:
    post = scheduled(ctx, crew.coordinator, crew.reviewer)
    assert review.cancel(ctx, getattr(crew, role), post.id, "gia đình xin").state is PostState.CANCELLED
    assert states(ctx, post.id) == {DeliveryState.CANCELLED}
    with pytest.raises(Refused, match="cancelled"):
        review.submit(ctx, crew.coordinator, post.id)


def test_an_auditor_cancels_nothing(ctx: Context, crew: Crew) -> None:
    post = in_review(ctx, crew.coordinator)
    with pytest.raises(Refused):
        review.cancel(ctx, crew.auditor, post.id, "sai")


def test_what_is_not_approved_in_time_lapses_and_can_be_given_a_new_time(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    post = in_review(ctx, crew.coordinator)
    later = in_review(ctx, crew.coordinator, vi="Bài khác", when=When(at=ctx.now() + 2 * SOON))
    clock.advance(hours=14, minutes=20)
    assert review.lapse_overdue(ctx) == (post.id,)
    assert posts.get_post(ctx, post.id).state is PostState.LAPSED
    assert posts.get_post(ctx, later.id).state is PostState.IN_REVIEW
    assert told(ctx, Act.POST_LAPSED)[0].actor == "campaignbot"
    with pytest.raises(Blocked, match="passed"):
        review.submit(ctx, crew.coordinator, post.id)
    posts.schedule(ctx, crew.coordinator, post.id, soon(ctx))
    assert review.submit(ctx, crew.coordinator, post.id).state is PostState.IN_REVIEW


def test_a_yes_within_the_grace_still_counts_and_after_it_does_not(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    in_time, late = (in_review(ctx, crew.coordinator, vi=vi) for vi in ("Một bài.", "Hai bài khác."))
    clock.advance(hours=14, minutes=19)
    assert review.approve(ctx, crew.reviewer, in_time.id, in_time.digest).missing == 0
    clock.advance(minutes=1)
    with pytest.raises(Refused, match="has passed"):
        review.approve(ctx, crew.reviewer, late.id, late.digest)


def test_two_people_present_post_now(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    draft = a_draft(ctx, crew.coordinator, when=When(at="now"))
    clock.advance(minutes=5)
    post = review.submit(ctx, crew.coordinator, draft.id)
    clock.advance(minutes=50)
    assert review.approve(ctx, crew.reviewer, post.id, post.digest).post.state is PostState.SCHEDULED
    with ctx.store.read() as tx:
        delivery = deliveries.of_post(tx, post.id)[0]
    assert delivery.due_at <= ctx.now() < delivery.not_after


def test_a_changed_fact_takes_back_what_a_person_wrote_and_returns_it(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    post = scheduled(ctx, crew.coordinator, crew.reviewer, cases=("nguyen-van-a",))
    waiting = in_review(ctx, crew.coordinator, vi="Bài khác", cases=("nguyen-van-a",))
    other = in_review(ctx, crew.coordinator, vi="Không nêu ai cả")
    affected = changed(ctx, crew.coordinator, "nguyen-van-a", status=Status.RELEASED)
    assert affected == (post.id, waiting.id)
    for post_id in affected:
        taken_back = posts.get_post(ctx, post_id)
        assert (taken_back.state, taken_back.reason) == (PostState.RETURNED, "fact_changed")
    assert yeses(ctx, post.id) == 0
    assert states(ctx, post.id) == {DeliveryState.CANCELLED}
    assert posts.get_post(ctx, other.id).state is PostState.IN_REVIEW


def test_a_returned_post_must_be_saved_anew_before_it_may_be_submitted(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    changed(ctx, crew.coordinator, "nguyen-van-a", status=Status.RELEASED)
    with pytest.raises(Blocked, match="changed since this was written"):
        review.submit(ctx, crew.coordinator, post.id)
    posts.edit_post(ctx, crew.coordinator, post.id, post.content, revision=1)
    assert review.submit(ctx, crew.coordinator, post.id).state is PostState.IN_REVIEW


def test_confirming_an_unchanged_status_takes_back_only_what_prints_the_date(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), as_of="2026-10-01"))
    plain = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    printing = in_review(
        ctx, crew.coordinator, vi="Có ngày", cases=("nguyen-van-a",), cites=(Cite("nguyen-van-a", "confirmation", 0),)
    )
    change = cases.confirm_status(
        ctx, crew.coordinator, "nguyen-van-a", PartialDate.parse("2026-11-15"), ["https://example.org/newest"]
    )
    assert change.affected == (printing.id,)
    assert posts.get_post(ctx, plain.id).state is PostState.IN_REVIEW


def test_of_a_post_that_is_partly_out_the_rest_is_stopped_by_a_changed_fact(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    post = scheduled(
        ctx, crew.coordinator, crew.reviewer, cases=("nguyen-van-a",), channels=("rehearsal-x", "rehearsal-facebook")
    )
    with ctx.store.write() as tx:
        out = deliveries.of_post(tx, post.id)[0]
        deliveries.change(tx, out, DeliveryState.PUBLISHED, published_at=ctx.now())
    changed(ctx, crew.coordinator, "nguyen-van-a", status=Status.RELEASED)
    assert states(ctx, post.id) == {DeliveryState.PUBLISHED, DeliveryState.CANCELLED}
    assert posts.get_post(ctx, post.id).state is PostState.PARTLY_PUBLISHED


def test_a_held_case_bars_the_way_to_review(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event()))
    queue.hold(ctx, crew.auditor, "case", "nguyen-van-a", "gia đình xin")
    draft = a_draft(ctx, crew.coordinator, cases=("nguyen-van-a",))
    with pytest.raises(Blocked, match="is held"):
        review.submit(ctx, crew.coordinator, draft.id)


def test_a_post_that_is_not_there_is_said_to_be_missing(ctx: Context, crew: Crew) -> None:
    with pytest.raises(NotFound, match="no post 99"):
        review.submit(ctx, crew.coordinator, 99)


def test_a_time_without_a_zone_or_gone_by_is_not_taken(ctx: Context, crew: Crew) -> None:
    for at, said in ((ctx.now().replace(tzinfo=None), "zone"), (ctx.now() - timedelta(seconds=1), "passed")):
        with pytest.raises(BadInput, match=said):
            a_draft(ctx, crew.coordinator, when=When(at=at))


def test_two_reviewers_who_say_yes_at_once_are_both_counted(ctx: Context, crew: Crew) -> None:
    on_file(ctx, a_case(an_event(), status=Status.DIED))
    post = in_review(ctx, crew.coordinator, cases=("nguyen-van-a",))
    results = at_once(ctx, post.id, post.digest, crew.reviewer, crew.second_reviewer)
    assert sorted(results) == [0, 1]
    assert posts.get_post(ctx, post.id).state is PostState.SCHEDULED


def at_once(ctx: Context, post_id: int, digest: str, *reviewers: Person) -> list[int]:

    with ThreadPoolExecutor(len(reviewers)) as pool:
        asked = [pool.submit(review.approve, ctx, person, post_id, digest) for person in reviewers]
        return [each.result().missing for each in asked]
