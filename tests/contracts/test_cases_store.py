"""Cases as documents and the revisions of their facts, the same on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text, update

from bot.domain.case import Case, Status
from bot.domain.errors import CampaignError, Conflict, NotFound, Tampered
from bot.domain.facts import Plain, case_from_plain
from bot.domain.people import Role
from bot.domain.revisions import at_first_revision, revised
from bot.store import cases, people
from bot.store.cases import FactRevision
from bot.store.engine import Store
from bot.store.tables import cases as case_table
from tests.sample_cases import a_case, an_event, plain_cases

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def added(store: Store, *given: Case, author: int | None = None) -> tuple[Case, ...]:
    with store.write() as tx:
        return cases.add(tx, [at_first_revision(case) for case in given], "sample.toml", author, NOON)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(plain=plain_cases())
def test_every_case_that_can_be_read_comes_back_to_the_letter(store: Store, plain: Plain) -> None:
    try:
        case = case_from_plain(plain)
    except CampaignError:
        return
    with store.write() as tx:
        tx.execute(text("DELETE FROM fact_revisions"))
        tx.execute(text("DELETE FROM cases"))
    (kept,) = added(store, case)
    with store.read() as tx:
        assert cases.get(tx, case.slug) == kept == replace(at_first_revision(case), id=kept.id)


def test_cases_come_back_by_slug(store: Store) -> None:
    slugs = [f"nguyen-van-{n:04}" for n in range(1_203)]
    kept = added(store, *(a_case(an_event(), slug=slug) for slug in reversed(slugs)))
    assert len({case.id for case in kept}) == len(slugs)
    with store.read() as tx:
        assert [case.slug for case in cases.everyone(tx)] == slugs
        found = cases.by_slug(tx, [*slugs, slugs[0], "nobody"])
    assert found == {case.slug: case for case in kept}


def test_nothing_to_add_is_nothing_added(store: Store) -> None:
    assert added(store) == ()
    with store.read() as tx:
        assert cases.everyone(tx) == ()
        assert cases.by_slug(tx, []) == {}


def test_a_slug_is_taken_once(store: Store) -> None:
    added(store, a_case())
    with pytest.raises(Conflict):
        added(store, a_case())


def test_a_case_that_is_not_there_is_answered_with_one_like_it(store: Store) -> None:
    added(store, a_case())
    with store.read() as tx:
        with pytest.raises(NotFound, match="Did you mean “nguyen-van-a”"):
            cases.get(tx, "nguyen-van-aa")
        with pytest.raises(NotFound, match="There is no case"):
            cases.get(tx, "\x00")


def test_each_change_adds_a_revision_of_the_changed_facts_alone(store: Store) -> None:
    (before,) = added(store, a_case(an_event()))
    with store.write() as tx:
        author = people.add(
            tx, pseudonym="p-1", roles=frozenset({Role.COORDINATOR}), token_hash="", made_by=None, at=NOON
        )
        later = NOON + timedelta(minutes=1)
        after, facts = revised(before, a_case(an_event(charge="Article 117"), status=Status.RELEASED))
        cases.save(tx, after, facts, source="https://example.org/a", author_id=author.id, at=later)
        gone, facts = revised(after, a_case(status=Status.RELEASED))
        cases.save(tx, gone, facts, source="https://example.org/b", author_id=None, at=later + timedelta(minutes=1))
    with store.read() as tx:
        history = cases.history(tx, before.id)
        assert cases.get(tx, "nguyen-van-a") == gone
    event, last = "event:arrest-2020-10-07", later + timedelta(minutes=1)
    assert [each for each in history if each.at > NOON] == [
        FactRevision(event, 2, history[-3].value, "https://example.org/a", "p-1", later),
        FactRevision("status", 2, {"status": "released"}, "https://example.org/a", "p-1", later),
        FactRevision(event, 3, {}, "https://example.org/b", "", last),
    ]
    assert history[-3].value["charge"] == "Article 117"
    assert {each.fact: each.revision for each in history} == gone.revisions


def test_search_looks_for_folded_words_anywhere_and_takes_signs_as_they_are(store: Store) -> None:
    odd = a_case(slug="le-van-c", name_vi="Lê Văn C%_\\x", name_en="Le Van C", status=Status.RELEASED)
    added(store, a_case(name_vi="Nguyễn Văn Đài"), odd)

    def found(*words: str, status: Status | None = None) -> list[str]:
        with store.read() as tx:
            return sorted(case.slug for case in cases.find(tx, words, status))

    assert found() == ["le-van-c", "nguyen-van-a"]
    assert found("dai", "nguy") == ["nguyen-van-a"]
    assert found("c%_\\x") == ["le-van-c"]
    assert found("c_%") == []
    assert found("van", status=Status.RELEASED) == ["le-van-c"]
    assert found("'") == []


def test_a_renamed_person_is_found_by_the_new_name(store: Store) -> None:
    (before,) = added(store, a_case())
    with store.write() as tx:
        after, facts = revised(before, a_case(name_vi="Trần Thị B"))
        cases.save(tx, after, facts, source="x", author_id=None, at=NOON)
        assert [case.id for case in cases.find(tx, ["tran"])] == [before.id]


NO_DATE = '{"slug":"x","name_vi":"x","name_en":"x","status":"unknown","status_as_of":"soon","event":[]}'


@pytest.mark.parametrize(
    "broken", [NO_DATE, "{}", "[]", "not json", '"text"', '{"slug":"x","event":[{}]}', '{"event":1}']
)
def test_a_document_that_somebody_damaged_is_reported(store: Store, broken: str) -> None:
    added(store, a_case(an_event()))
    with store.write() as tx:
        tx.execute(update(case_table).values(document=broken))
    with store.read() as tx, pytest.raises(Tampered, match="Restore a backup"):
        cases.everyone(tx)
