"""Posts and approvals are kept the same way on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from bot.domain.errors import Conflict, NotFound
from bot.domain.facts import FACTS
from bot.domain.people import Role
from bot.domain.post import Cite, Content, Picture, Post, PostState, Window
from bot.domain.review import Void
from bot.store import approvals, cases, images, people, posts
from bot.store.engine import Store
from bot.store.posts import NewPost
from tests.sample_cases import a_case

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def tx(store: Store) -> Iterator[Connection]:
    with store.write() as tx:
        yield tx


def a_content(text: str = "Xin chào “bạn”", at: datetime | None = None, **facts: object) -> Content:
    windows = (Window("x", at, at + HOUR),) if at else ()
    known: dict[str, object] = {"channels": ("x",), "windows": windows} | facts
    return Content("c", {("vi", ""): text, ("en", ""): "Hello"}, **known)  # type: ignore[arg-type]


def add(tx: Connection, *new: NewPost, author: int | None = None) -> tuple[Post, ...]:
    return posts.add(tx, new, author, NOW)


def somebody(tx: Connection, name: str) -> int:
    return people.add(tx, pseudonym=name, roles=frozenset({Role.REVIEWER}), token_hash="x", made_by=None, at=NOW).id


def a_known_case(tx: Connection, slug: str = "nguyen-van-a", author: int | None = None) -> int:
    case = a_case(slug=slug, revisions=dict.fromkeys(FACTS, 1))
    return cases.add(tx, [case], "https://example.org", author, NOW)[0].id


def test_posts_come_back_as_they_were_added_in_their_order(tx: Connection) -> None:
    new = [
        NewPost(a_content("một", NOW), occasion="trial:a"),
        NewPost(a_content("hai")),
        NewPost(a_content("ba"), import_key="k"),
        NewPost(a_content("bốn")),
    ]
    added = add(tx, *new)
    assert [post.content for post in added] == [each.content for each in new]
    assert [posts.get(tx, post.id) for post in added] == list(added)


def test_a_taken_occasion_or_import_key_is_left_out_and_the_others_stay(tx: Connection) -> None:
    add(tx, NewPost(a_content(), occasion="trial:a"), NewPost(a_content(), import_key="k"))
    again = add(
        tx,
        NewPost(a_content("một"), occasion="trial:a"),
        NewPost(a_content("hai"), occasion="trial:b"),
        NewPost(a_content("ba"), import_key="k"),
        NewPost(a_content("bốn"), import_key="k2"),
        NewPost(a_content("năm"), import_key="k2"),
    )
    assert [post.content.texts["vi", ""] for post in again] == ["hai", "bốn"]
    assert posts.counts(tx) == {"draft": 4}


def test_a_thousand_occasions_are_added_in_one_go(tx: Connection) -> None:
    added = add(tx, *(NewPost(a_content(), occasion=f"arrest:{number}") for number in range(1_001)))
    assert [post.occasion for post in added] == [f"arrest:{number}" for number in range(1_001)]
    keys = [f"arrest:{number}" for number in range(1_200)]
    assert len(posts.occasions_taken(tx, keys)) == 1_001


def test_a_freed_occasion_may_be_drafted_anew(tx: Connection) -> None:
    (post,) = add(tx, NewPost(a_content(), occasion="trial:a"))
    posts.free_occasion(tx, post.id)
    assert len(add(tx, NewPost(a_content(), occasion="trial:a"))) == 1


def test_a_revision_replaces_what_was_read_and_thaws_it(tx: Connection) -> None:
    author = somebody(tx, "p-a")
    (post,) = add(tx, NewPost(a_content("cũ")))
    posts.freeze(tx, [(post.id, "{}", "d" * 64)], NOW)
    frozen = posts.get(tx, post.id)
    assert (frozen.state, frozen.manifest, frozen.digest) == (PostState.IN_REVIEW, "{}", "d" * 64)
    revised = posts.revise(tx, frozen, a_content("mới", NOW), author, NOW + HOUR)
    assert (revised.revision, revised.manifest, revised.digest, revised.due) == (2, "", "", NOW)
    assert [(each.author_id, each.content.texts["vi", ""]) for each in posts.revisions(tx, post.id)] == [
        (None, "cũ"),
        (author, "mới"),
    ]
    with pytest.raises(Conflict):
        posts.revise(tx, frozen, a_content("zu spät"), author, NOW)


def test_a_post_names_its_cases_and_only_real_ones(tx: Connection) -> None:
    first, second = a_known_case(tx), a_known_case(tx, "nguyen-van-b")
    (post,) = add(tx, NewPost(a_content(cases=("nguyen-van-a", "nguyen-van-a"))))
    assert [each.id for each in posts.naming(tx, first, {PostState.DRAFT})] == [post.id]
    posts.revise(tx, post, a_content(cases=("nguyen-van-b",)), None, NOW)
    assert posts.naming(tx, first, {PostState.DRAFT}) == ()
    assert [each.id for each in posts.naming(tx, second, {PostState.DRAFT})] == [post.id]
    with pytest.raises(NotFound):
        add(tx, NewPost(a_content(cases=("nobody",))))


def test_likely_names_in_a_folded_text_are_found(tx: Connection) -> None:
    a_known_case(tx)
    assert posts.slugs_in(tx, "hom nay nguyen van a ra toa") == ("nguyen-van-a",)
    assert posts.slugs_in(tx, "nguyen van") == ()


def test_lists_go_by_time_and_page_through_posts_of_one_moment(tx: Connection) -> None:
    added = add(tx, *(NewPost(a_content(at=NOW)) for _ in range(3)), NewPost(a_content()), NewPost(a_content()))
    assert [post.id for post in posts.listed(tx, limit=2, after=(NOW, added[0].id))] == [added[1].id, added[2].id]
    assert [post.id for post in posts.listed(tx, limit=2, after=(NOW, added[2].id))] == [added[3].id, added[4].id]
    assert [post.id for post in posts.listed(tx, after=(None, added[3].id))] == [added[4].id]
    assert posts.listed(tx, start=NOW + HOUR) == ()
    assert [post.id for post in posts.due_before(tx, PostState.DRAFT, NOW)] == [post.id for post in added[:3]]


def test_an_account_is_found_by_its_whole_name_even_with_wildcards_in_it(tx: Connection) -> None:
    (post,) = add(tx, NewPost(a_content(channels=("a%b",))))
    add(tx, NewPost(a_content(channels=("axb",))), NewPost(a_content('viết "a%b" trong bài')))
    assert [each.id for each in posts.listed(tx, channel="a%b")] == [post.id]


def test_times_meant_by_drafts_count_and_those_of_ended_posts_do_not(tx: Connection) -> None:
    draft, gone = add(tx, NewPost(a_content(at=NOW)), NewPost(a_content(at=NOW + HOUR)))
    posts.set_state(tx, gone.id, PostState.CANCELLED, "", NOW)
    assert posts.taken(tx, NOW, NOW + 2 * HOUR) == {"x": (NOW,)}
    assert posts.taken(tx, NOW, NOW + 2 * HOUR, but=draft.id) == {}


def test_voided_yeses_are_kept_and_not_counted(tx: Connection) -> None:
    reviewer = somebody(tx, "p-r")
    (post,) = add(tx, NewPost(a_content()))
    approvals.add(tx, post.id, "d" * 64, reviewer, NOW, 7)
    (given,) = approvals.of_post(tx, post.id)
    assert (given.person_id, given.digest, given.audit_seq, given.voided_at) == (reviewer, "d" * 64, 7, None)
    assert approvals.void(tx, post.id, NOW, Void.EDITED) == 1
    assert approvals.void(tx, post.id, NOW, Void.EDITED) == 0
    assert approvals.of_post(tx, post.id) == ()
    (voided,) = approvals.of_post(tx, post.id, voided=True)
    assert (voided.voided_at, voided.voided_why) == (NOW, "edited")


def test_authors_are_those_of_every_revision_and_of_every_cited_fact(tx: Connection) -> None:
    writer, editor, source, stranger = (somebody(tx, name) for name in ("p-w", "p-e", "p-s", "p-x"))
    a_known_case(tx, author=source)
    a_known_case(tx, "nguyen-van-b", author=stranger)
    (post,) = add(tx, NewPost(a_content()), author=writer)
    posts.revise(tx, post, a_content("mới"), editor, NOW)
    assert approvals.authors(tx, post.id, ()) == {writer, editor}
    cited = (Cite("nguyen-van-a", "status", 1), Cite("nguyen-van-b", "gone", 1))
    assert approvals.authors(tx, post.id, cited) == {writer, editor, source}


def test_a_case_is_first_made_public_only_if_a_person_brought_it_and_nothing_named_it(tx: Connection) -> None:
    shipped, brought = "nguyen-van-a", "nguyen-van-b"
    a_known_case(tx, shipped)
    a_known_case(tx, brought, author=somebody(tx, "p-a"))
    assert not approvals.first_public(tx, [shipped])
    assert not approvals.first_public(tx, [])
    assert approvals.first_public(tx, [shipped, brought])
    (post,) = add(tx, NewPost(a_content(cases=(brought,))))
    assert approvals.first_public(tx, [brought])
    posts.set_state(tx, post.id, PostState.PUBLISHED, "", NOW)
    assert not approvals.first_public(tx, [brought])


def test_a_standing_binds_its_posts(tx: Connection) -> None:
    (post,) = add(tx, NewPost(a_content()))
    made = approvals.propose(tx, "c", NOW + HOUR, somebody(tx, "p-a"), NOW)
    posts.bind(tx, [post.id], made.id)
    assert approvals.standing(tx, made.id) == made
    assert [each.id for each in posts.of_standing(tx, made.id)] == [post.id]
    with pytest.raises(NotFound):
        approvals.standing(tx, made.id + 1)


def test_a_picture_is_on_record_once(tx: Connection) -> None:
    picture = Picture("e" * 64, "image/png", 8, 6, {})
    for _ in range(2):
        images.add(tx, picture, 100, NOW)
    assert images.get(tx, "e" * 64) == picture
    assert images.missing(tx, ["e" * 64, "f" * 64]) == {"f" * 64}
    with pytest.raises(NotFound):
        images.get(tx, "f" * 64)


def test_a_post_that_is_not_there_is_told(tx: Connection) -> None:
    with pytest.raises(NotFound, match="no post 3"):
        posts.get(tx, 3)


def test_the_queue_turns_its_pages_in_both_directions_and_ends_with_what_has_no_time(tx: Connection) -> None:
    times = [NOW, NOW, NOW + HOUR, None, NOW - HOUR, None]
    ids = [post.id for post in add(tx, *(NewPost(a_content(str(n), at)) for n, at in enumerate(times)))]
    ordered = [ids[n] for n in (4, 0, 1, 2, 3, 5)]
    forward, backward = _turned(tx, backwards=False), _turned(tx, backwards=True)
    assert (forward, backward) == (ordered, ordered)


def _turned(tx: Connection, *, backwards: bool) -> list[int]:
    """Two a page, from one end to the other."""
    seen: list[int] = []
    at: posts.Cursor = (None, 10**9) if backwards else (NOW - 9 * HOUR, 0)
    while page := posts.paged(tx, at, backwards=backwards, limit=2):
        ids = [post.id for post in page]
        seen = ids + seen if backwards else seen + ids
        edge = page[0] if backwards else page[-1]
        at = (edge.due, edge.id)
    return seen


def test_the_queue_of_an_account_and_of_a_state_holds_those_alone(tx: Connection) -> None:
    both, on_x, on_xx = add(
        tx,
        NewPost(a_content(at=NOW, channels=("x", "facebook"))),
        NewPost(a_content()),
        NewPost(a_content(channels=("xx",))),
    )
    posts.set_state(tx, on_x.id, PostState.CANCELLED, "", NOW)
    start = (NOW - HOUR, 0)

    def found(**wanted: object) -> list[int]:
        return [post.id for post in posts.paged(tx, start, **wanted)]  # type: ignore[arg-type]

    assert found(channels=["x"]) == [both.id, on_x.id]
    assert found(channels=["xx", "facebook"]) == [both.id, on_xx.id]
    assert found(channels=[]) == []
    assert found(channels=["x"], states=(PostState.CANCELLED,)) == [on_x.id]
    revised = posts.revise(tx, both, a_content(channels=("xx",)), None, NOW)
    assert found(channels=["facebook"]) == []
    assert revised.id in found(channels=["xx"])


def test_the_program_is_the_writer_of_what_nobody_wrote(tx: Connection) -> None:
    author = somebody(tx, "p-author")
    (own,), (drafted,) = add(tx, NewPost(a_content()), author=author), add(tx, NewPost(a_content("hai")))
    posts.revise(tx, drafted, a_content("ba"), author, NOW)
    assert posts.writers(tx, [own.id, drafted.id]) == {own.id: author, drafted.id: None}
