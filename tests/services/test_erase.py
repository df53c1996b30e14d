from pathlib import Path

import pytest

from bot.domain.audit import Act
from bot.domain.errors import NotFound, Refused
from bot.domain.people import Role
from bot.services import audit, erase, people, posts, queue, review
from bot.services.context import Context
from bot.store import audit as records
from bot.store.tables import audit_payloads
from tests.house import Crew, find_person, told
from tests.writing import in_review, scheduled

ALIAS = "hoa sen trắng"
WORDS = "vì em Hoa ở quận Ba nhờ"


def everything(ctx: Context) -> bytes:
    """Every byte of the folder: the database, what lies beside it, and the keys."""
    return b"".join(path.read_bytes() for path in Path(ctx.data_dir).rglob("*") if path.is_file())


def test_nothing_of_an_erased_person_is_left_and_the_log_still_verifies(ctx: Context, crew: Crew) -> None:
    hoa, _ = people.add_person(ctx, crew.admin, ALIAS, {Role.REVIEWER})
    post = scheduled(ctx, crew.coordinator, hoa)
    review.return_post(ctx, hoa, in_review(ctx, crew.coordinator).id, "chưa ổn")
    queue.pause_channel(ctx, hoa, "rehearsal-x", WORDS)
    queue.halt(ctx, hoa, WORDS)
    audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    with ctx.store.read() as tx:
        sealed = [row for row in records.raw_rows(tx, audit_payloads) if row[1] == hoa.pseudonym.encode()]
    assert len(sealed) == 4
    assert all(row[3] in everything(ctx) for row in sealed)
    assert WORDS.encode() in everything(ctx)

    done = erase.erase(ctx, crew.admin, ALIAS, "họ đề nghị")

    left = everything(ctx)
    assert done.swept
    assert done.payloads == 4
    assert not [row for row in sealed if row[3] in left or row[2] in left]
    assert ALIAS.encode() not in left
    assert WORDS.encode() not in left
    assert not ctx.keystore.knows(hoa.pseudonym)
    assert ctx.keystore.alias(hoa.pseudonym) == hoa.pseudonym
    assert queue.halt_state(ctx)
    assert posts.get_post(ctx, post.id).state.value == "scheduled"
    with ctx.store.read() as tx:
        assert audit.verify(tx, vkeys=ctx.keystore.vkeys, keystore=ctx.keystore).code == 0
    (entry,) = told(ctx, Act.PERSON_ERASED)
    assert entry.obj == f"person:{hoa.pseudonym}"
    with pytest.raises(NotFound):
        find_person(ctx, ALIAS)
    assert people.add_person(ctx, crew.admin, ALIAS, {Role.REVIEWER})[0].pseudonym != hoa.pseudonym


def test_who_is_erased_can_sign_in_no_more(ctx: Context, crew: Crew) -> None:
    _, token = people.add_person(ctx, crew.admin, ALIAS, {Role.REVIEWER})
    erase.erase(ctx, crew.admin, ALIAS, "họ đề nghị")
    with pytest.raises(Refused, match="Wrong alias or token"):
        people.sign_in(ctx, ALIAS, token)


def test_an_erasure_that_was_cut_off_is_finished_by_asking_again(
    ctx: Context, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_subject: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ctx.keystore, "forget", die)
    with pytest.raises(KeyboardInterrupt):
        erase.erase(ctx, crew.admin, "chi", "họ đề nghị")
    monkeypatch.undo()
    erase.erase(ctx, crew.admin, "chi", "họ đề nghị")
    assert not ctx.keystore.knows(crew.reviewer.pseudonym)


def test_only_an_admin_erases_and_never_the_last_one_nor_themselves(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused, match="You may not"):
        erase.erase(ctx, crew.coordinator, "chi", "r")
    with pytest.raises(Refused, match="Someone else"):
        erase.erase(ctx, crew.admin, "an", "r")
    with pytest.raises(NotFound):
        erase.erase(ctx, crew.admin, "nobody", "r")
