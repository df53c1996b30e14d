"""Who may come in: tokens shown once, the last admin, aliases that cannot be mistaken for each other."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from bot.domain.audit import Act
from bot.domain.errors import BadInput, CampaignError, Conflict, NotFound, Refused, StoreFailed
from bot.domain.people import Role, require_other_eyes
from bot.services import people
from bot.services.context import Context
from bot.store.tables import people as people_table
from tests.house import START, Crew, FakeClock, find_person, payload, told

ADMIN = {Role.ADMIN}
REVIEWER = {Role.REVIEWER}


def test_the_first_person_is_an_admin_whom_nobody_adds(ctx: Context) -> None:
    first, token = people.add_person(ctx, None, "an", {Role.ADMIN, Role.COORDINATOR})
    assert first.roles == {Role.ADMIN, Role.COORDINATOR}
    assert not first.lineage
    assert first.active
    assert people.sign_in(ctx, "an", token) == first


def test_the_first_person_must_be_an_admin(ctx: Context) -> None:
    with pytest.raises(Refused, match="must be an admin"):
        people.add_person(ctx, None, "an", REVIEWER)
    assert people.list_people(ctx) == ()
    assert dict(ctx.keystore.people()) == {}


def test_once_somebody_is_in_only_an_admin_adds_people(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused, match="There are people already"):
        people.add_person(ctx, None, "kim", ADMIN)
    for other in (crew.coordinator, crew.reviewer, crew.auditor):
        with pytest.raises(Refused, match="manage people"):
            people.add_person(ctx, other, "kim", REVIEWER)
    assert "kim" not in ctx.keystore.people().values()


def test_a_token_is_256_random_bits_of_which_the_database_holds_only_the_hash(ctx: Context, crew: Crew) -> None:
    tokens = set(crew.tokens.values())
    assert len(tokens) == 5
    assert all(len(token) == 43 for token in tokens)
    with ctx.store.read() as tx:
        rows = repr(tx.execute(select(people_table)).all())
    assert not any(token in rows for token in tokens)
    assert not any(alias in rows for alias in ("binh", "giang"))


@pytest.mark.parametrize("wrong", ["", "x", "á" * 9_999, "\ud800", "\x00"])
def test_a_wrong_token_an_unknown_alias_and_nonsense_get_the_same_answer(ctx: Context, crew: Crew, wrong: str) -> None:
    answers = set()
    for alias in ("an", "nobody", wrong):
        with pytest.raises(Refused) as refused:
            people.sign_in(ctx, alias, wrong)
        answers.add(str(refused.value))
    assert answers == {"Wrong alias or token."}


def test_signing_in_compares_a_hash_whether_or_not_the_alias_exists(
    ctx: Context, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def compare(given: str, expected: str) -> bool:
        compared.append((len(given), len(expected)))
        return given == expected

    monkeypatch.setattr(people, "compare_digest", compare)
    for alias in ("an", "nobody"):
        with pytest.raises(Refused):
            people.sign_in(ctx, alias, "wrong")
    assert compared == [(64, 64), (64, 64)]


def test_an_alias_is_found_whatever_its_case_tone_marks_or_form(ctx: Context, crew: Crew) -> None:
    token = people.add_person(ctx, crew.admin, "Nhà Báo Đỏ", REVIEWER)[1]
    for written in ("nhà báo đỏ", "NHA BAO DO", unicodedata.normalize("NFD", "Nhà Báo Đỏ")):
        assert people.sign_in(ctx, written, token).roles == REVIEWER


@pytest.mark.parametrize(
    "like", ["BINH", "Bình", "  binh ", "bınh".replace("ı", "ì"), unicodedata.normalize("NFD", "bịnh")]
)
def test_an_alias_that_differs_only_by_case_or_tone_marks_is_taken(ctx: Context, crew: Crew, like: str) -> None:
    with pytest.raises(Conflict, match="taken"):
        people.add_person(ctx, crew.admin, like, REVIEWER)


@pytest.mark.parametrize(
    "alias", ["", " ", "a", "a" * 41, "a\nb", "a\x00b", "a\u200bb", "a\u202eb", "--", "\u0301\u0301", "x" * 100_000]
)
def test_an_alias_that_cannot_be_read_aloud_is_refused(ctx: Context, crew: Crew, alias: str) -> None:
    with pytest.raises(BadInput, match="alias"):
        people.add_person(ctx, crew.admin, alias, REVIEWER)


def test_an_alias_is_kept_in_nfc(ctx: Context, crew: Crew) -> None:
    people.add_person(ctx, crew.admin, unicodedata.normalize("NFD", "Hồng"), REVIEWER)
    assert people.list_people(ctx)[-1].alias == "Hồng"


def test_a_person_without_roles_is_refused(ctx: Context, crew: Crew) -> None:
    with pytest.raises(BadInput, match="at least one role"):
        people.add_person(ctx, crew.admin, "kim", set())
    assert "kim" not in ctx.keystore.people().values()


def test_an_account_that_could_not_be_kept_leaves_no_alias_behind(ctx: Context, crew: Crew) -> None:
    with ctx.store.write() as tx:
        tx.execute(text("ALTER TABLE people RENAME TO gone"))
    with pytest.raises(StoreFailed):
        people.add_person(ctx, crew.admin, "kim", REVIEWER)
    assert "kim" not in ctx.keystore.people().values()


def test_everyone_is_listed_in_order_with_who_made_them(ctx: Context, crew: Crew) -> None:
    rows = people.list_people(ctx)
    assert [row.alias for row in rows] == ["an", "binh", "chi", "dung", "giang"]
    assert [row.made_by for row in rows] == ["", "an", "an", "an", "an"]
    assert {row.made_at for row in rows} == {START}
    assert find_person(ctx, "chi") == rows[2].person
    with pytest.raises(NotFound, match="There is no “nobody”"):
        find_person(ctx, "nobody")


def test_lineage_goes_back_through_everyone_who_made_the_maker(ctx: Context, crew: Crew) -> None:
    second, _ = people.add_person(ctx, crew.admin, "kim", ADMIN)
    third, _ = people.add_person(ctx, second, "lan", ADMIN | REVIEWER)
    assert third.lineage == {crew.admin.id, second.id}
    with pytest.raises(Refused, match="made your account"):
        require_other_eyes(third, {crew.admin.id})


def test_whoever_resets_a_token_becomes_an_elder_of_the_account(ctx: Context, crew: Crew) -> None:
    second, _ = people.add_person(ctx, crew.admin, "kim", ADMIN)
    token = people.reset_token(ctx, second, "chi")
    chi = people.sign_in(ctx, "chi", token)
    assert chi.lineage == {crew.admin.id, second.id}
    with pytest.raises(Refused, match="Wrong alias or token"):
        people.sign_in(ctx, "chi", crew.tokens["chi"])


def test_two_admins_who_reset_each_other_are_elders_of_each_other_and_nothing_hangs(ctx: Context, crew: Crew) -> None:
    second, _ = people.add_person(ctx, crew.admin, "kim", ADMIN)
    people.reset_token(ctx, second, "an")
    assert find_person(ctx, "an").lineage == {second.id}
    assert find_person(ctx, "kim").lineage == {crew.admin.id}


def test_resetting_ones_own_token_makes_nobody_their_own_elder(ctx: Context, crew: Crew) -> None:
    token = people.reset_token(ctx, crew.admin, "an")
    assert people.sign_in(ctx, "an", token).lineage == frozenset()


def test_the_last_active_admin_cannot_be_disabled_or_lose_the_role(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused, match="last active admin"):
        people.disable(ctx, crew.admin, "an")
    with pytest.raises(Refused, match="last active admin"):
        people.set_roles(ctx, crew.admin, "an", REVIEWER)
    second, _ = people.add_person(ctx, crew.admin, "kim", ADMIN)
    assert not people.disable(ctx, second, "an").active
    with pytest.raises(Refused, match="last active admin"):
        people.disable(ctx, second, "kim")


def test_a_disabled_admin_does_not_count_as_one_who_is_left(ctx: Context, crew: Crew) -> None:
    people.add_person(ctx, crew.admin, "kim", ADMIN)
    people.disable(ctx, crew.admin, "kim")
    with pytest.raises(Refused, match="last active admin"):
        people.set_roles(ctx, crew.admin, "an", REVIEWER)


def test_a_disabled_person_cannot_sign_in_and_is_told_so_only_with_the_right_token(ctx: Context, crew: Crew) -> None:
    people.disable(ctx, crew.admin, "binh")
    with pytest.raises(Refused, match="disabled"):
        people.sign_in(ctx, "binh", crew.tokens["binh"])
    with pytest.raises(Refused, match="Wrong alias or token"):
        people.sign_in(ctx, "binh", "wrong")


def test_disabling_twice_is_told_once(ctx: Context, crew: Crew, clock: FakeClock) -> None:
    people.disable(ctx, crew.admin, "binh")
    clock.advance(days=1)
    people.disable(ctx, crew.admin, "binh")
    assert len(told(ctx, Act.PERSON_DISABLED)) == 1
    assert people.list_people(ctx)[1].disabled_at == START


def test_roles_are_given_and_taken(ctx: Context, crew: Crew) -> None:
    changed = people.set_roles(ctx, crew.admin, "binh", {Role.REVIEWER, Role.ADMIN})
    assert changed == replace(crew.binh, roles=frozenset({Role.REVIEWER, Role.ADMIN}))
    assert people.set_roles(ctx, changed, "an", {Role.AUDITOR}).roles == {Role.AUDITOR}


def test_a_renamed_person_stays_the_same_person(ctx: Context, crew: Crew) -> None:
    people.rename(ctx, crew.admin, "binh", "Bình An")
    assert people.sign_in(ctx, "binh an", crew.tokens["binh"]) == crew.binh
    with pytest.raises(Conflict):
        people.rename(ctx, crew.admin, "chi", "BINH AN")
    people.rename(ctx, crew.admin, "Bình An", "bình ân")
    assert people.list_people(ctx)[1].alias == "bình ân"


def test_a_name_that_could_not_be_recorded_is_not_changed(ctx: Context, crew: Crew) -> None:
    with ctx.store.write() as tx:
        tx.execute(text("ALTER TABLE audit_records RENAME TO gone"))
    with pytest.raises(StoreFailed):
        people.rename(ctx, crew.admin, "binh", "kim")
    assert ctx.keystore.alias(crew.binh.pseudonym) == "binh"


@pytest.mark.parametrize("role", ["coordinator", "reviewer", "auditor"])
def test_only_admins_manage_people(ctx: Context, crew: Crew, role: str) -> None:
    actor = getattr(crew, role)
    for act in (
        lambda: people.set_roles(ctx, actor, "an", REVIEWER),
        lambda: people.disable(ctx, actor, "an"),
        lambda: people.reset_token(ctx, actor, "an"),
        lambda: people.rename(ctx, actor, "an", "kim"),
    ):
        with pytest.raises(Refused, match="manage people"):
            act()


def test_every_act_is_told_with_the_alias_sealed_apart(ctx: Context, crew: Crew) -> None:
    people.set_roles(ctx, crew.admin, "binh", {Role.COORDINATOR, Role.AUDITOR})
    people.reset_token(ctx, crew.admin, "binh")
    people.rename(ctx, crew.admin, "binh", "Kim Liên")
    people.disable(ctx, crew.admin, "kim lien")
    obj = f"person:{crew.binh.pseudonym}"
    expected = {
        Act.PERSON_ADDED: {"alias": "binh"},
        Act.PERSON_ROLE_CHANGED: {"alias": "binh"},
        Act.PERSON_TOKEN_RESET: {"alias": "binh"},
        Act.PERSON_RENAMED: {"before": "binh", "after": "Kim Liên"},
        Act.PERSON_DISABLED: {"alias": "Kim Liên"},
    }
    for act, sealed in expected.items():
        (entry,) = told(ctx, act, obj)
        assert entry.actor == crew.admin.pseudonym
        assert payload(ctx, entry) == sealed
        assert b"binh" not in entry.raw
        assert "Kim" not in entry.raw.decode()
    (changed,) = told(ctx, Act.PERSON_ROLE_CHANGED)
    assert changed.data == {"roles": ["auditor", "coordinator"]}


def test_what_is_refused_is_not_told(ctx: Context, crew: Crew) -> None:
    before = len(told(ctx, Act.PERSON_DISABLED))
    with pytest.raises(CampaignError):
        people.disable(ctx, crew.admin, "an")
    assert len(told(ctx, Act.PERSON_DISABLED)) == before


def test_times_are_kept_in_utc(ctx: Context, machine_zone: str) -> None:
    people.add_person(ctx, None, "an", ADMIN)
    assert people.list_people(ctx)[0].made_at == datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
