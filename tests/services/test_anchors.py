import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import verify_audit
from bot.domain.audit import Act
from bot.domain.checkpoint import VerifyKey
from bot.domain.errors import BadInput, Conflict, NotFound, Refused, Tampered
from bot.domain.people import Lack
from bot.services import anchors, audit, erase, proofs, queue, witness
from bot.services.context import Context
from bot.store import audit as records
from bot.store.keystore import Keystore
from bot.store.tables import audit_payloads
from tests.farside import scheduled
from tests.house import Crew, FakeClock, told


def signed(ctx: Context, more: int = 3) -> str:
    with ctx.store.write() as tx:
        for _ in range(more):
            ctx.record(tx, None, Act.CLOCK_DOUBTED, "log:1")
    made = audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    assert made
    return made.note


@pytest.mark.parametrize(
    "letter",
    [
        "{note}",
        "Kính gửi bạn,\r\n\r\n{crlf}\r\nThân mến",
        "> {quoted}\n>\n> Bạn giữ giúp nhé.",
        "  {note}",
        "{note}\n\n--\nchữ ký",
    ],
)
def test_an_anchor_is_found_in_the_letter_it_came_in(ctx: Context, crew: Crew, letter: str) -> None:
    note = signed(ctx)
    text = letter.format(note=note, crlf=note.replace("\n", "\r\n"), quoted=note.replace("\n", "\n> "))
    made = anchors.add(ctx, crew.auditor, text, "hai người giữ giúp")
    assert (made.size, made.kept_by, made.noted_by) == (9, "hai người giữ giúp", crew.auditor.pseudonym)
    assert anchors.listed(ctx) == (made,)


def test_what_is_no_anchor_of_this_log_is_not_noted(ctx: Context, crew: Crew) -> None:
    with pytest.raises(BadInput, match="five lines"):
        anchors.add(ctx, crew.auditor, "Xin chào", "ai đó")
    with pytest.raises(BadInput, match="who keeps it"):
        anchors.add(ctx, crew.auditor, signed(ctx), " \n ")
    note = signed(ctx)
    size = note.split("\n")[1]
    with pytest.raises(Tampered, match="not the one of that anchor"):
        anchors.add(ctx, crew.auditor, note.replace(f"\n{size}\n", f"\n{int(size) - 1}\n", 1), "ai đó")
    with pytest.raises(Refused):
        anchors.add(ctx, crew.reviewer, note, "ai đó")
    assert anchors.listed(ctx) == ()


def test_the_exposure_is_what_was_written_since_the_newest_record_under_an_anchor(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    def now() -> anchors.Exposure:
        with ctx.store.read() as tx:
            found = anchors.exposure(tx)
        assert found
        return found

    began = ctx.now()
    assert (now().since, now().anchored) == (began, False)
    clock.advance(days=3)
    older, newer = signed(ctx), signed(ctx)
    anchors.add(ctx, crew.auditor, newer, "ai đó")
    clock.advance(days=40)
    anchors.add(ctx, crew.auditor, older, "người khác")
    assert now() == anchors.Exposure(began + timedelta(days=3), 2, anchored=True)


def test_where_a_limit_is_set_everything_stops_until_somebody_keeps_a_newer_checkpoint(
    ctx: Context, crew: Crew, clock: FakeClock
) -> None:
    strict = replace(ctx, publishing=replace(ctx.publishing, anchor_max_age_days=10))
    clock.advance(days=9)
    assert not anchors.hold_if_old(strict)
    clock.advance(days=2)
    assert not anchors.hold_if_old(ctx)
    assert anchors.hold_if_old(strict)
    stop = queue.halt_state(strict)
    assert stop
    assert stop.hold.reason == "anchor_old"
    assert not anchors.hold_if_old(strict)
    anchors.add(strict, crew.auditor, signed(strict), "ai đó")
    queue.ask_unhalt(strict, crew.coordinator)
    queue.confirm_unhalt(strict, crew.second_reviewer)
    assert not anchors.hold_if_old(strict)
    assert queue.halt_state(strict) is None


def test_who_noted_an_anchor_can_be_erased_and_the_anchor_stays(ctx: Context, crew: Crew) -> None:
    anchors.add(ctx, crew.auditor, signed(ctx), "ai đó")
    erase.erase(ctx, crew.admin, "giang", "họ đề nghị")
    (left,) = anchors.listed(ctx)
    assert left.kept_by == ""


# The witness.


@pytest.fixture
def published(ctx: Context, tmp_path: Path) -> Path:
    signed(ctx)
    return publish(ctx, tmp_path / "published")


def publish(ctx: Context, folder: Path) -> Path:
    with ctx.store.read() as tx:
        proofs.publish(tx, folder, ctx.keystore)
    return folder


def look(folder: Path, seen: witness.Seen | None, *trusted: VerifyKey) -> witness.Sight:
    """The key found there is believed at the first look alone, later only one that is `trusted`."""
    said = {name: (folder / name).read_text() for name in ("checkpoint", "consistency.jsonl", "vkeys")}
    vkeys = map(str, trusted) if seen else said["vkeys"].split()
    return witness.look(seen, note=said["checkpoint"], proofs=said["consistency.jsonl"].split("\n"), vkeys=vkeys)


def test_a_witness_follows_a_log_that_grows(ctx: Context, published: Path) -> None:
    seen = None
    for _ in range(12):
        sight = look(published, seen)
        assert sight.code == 0, str(sight.reason)
        seen = sight.seen
        signed(ctx, more=7)
        publish(ctx, published)
    assert seen
    assert len(seen.notes) == 12
    assert witness.read_seen(seen.write()) == seen


def test_a_witness_that_saw_nothing_new_says_so_and_keeps_nothing_twice(published: Path) -> None:
    seen = look(published, None).seen
    again = look(published, seen)
    assert (again.code, again.seen) == (0, seen)
    assert "Nothing new" in str(again.reason)


@pytest.fixture
def rolled_back(ctx: Context, published: Path, tmp_path: Path) -> Iterator[tuple[Context, witness.Seen]]:
    """The house as it was, whose log was seen to be three entries longer."""
    shutil.copytree(ctx.data_dir, tmp_path / "past")
    signed(ctx)
    seen = look(publish(ctx, published), None).seen
    assert seen
    old = replace(ctx, store=type(ctx.store)(f"sqlite:///{tmp_path / 'past' / 'campaign.sqlite'}"))
    yield replace(old, keystore=Keystore.open(tmp_path / "past" / "keystore"), data_dir=tmp_path / "past"), seen
    old.store.close()


@pytest.mark.parametrize("grown", [1, 3, 30])
def test_a_witness_sees_a_log_that_went_back_though_its_own_key_signed_it_anew(
    rolled_back: tuple[Context, witness.Seen], tmp_path: Path, grown: int
) -> None:
    past, seen = rolled_back
    with past.store.write() as tx:
        past.record(tx, None, Act.CLOCK_CONFIRMED, "log:1")
    signed(past, more=grown - 1)
    sight = look(publish(past, tmp_path / "again"), seen)
    assert (sight.code, sight.seen) == (1, seen)


def test_a_witness_believes_no_other_key_and_no_other_log(
    published: Path, rolled_back: tuple[Context, witness.Seen], tmp_path: Path
) -> None:
    _, seen = rolled_back
    other = Keystore.create(tmp_path / "keys", name="campaignbot/other")
    unknown = witness.Seen((str(other.vkey),), seen.notes)
    assert look(published, unknown).code == 1
    assert look(published, replace(seen, vkeys=(str(other.vkey), *seen.vkeys))).code == 0


def test_a_witness_follows_a_new_key_once_it_was_told(ctx: Context, crew: Crew, published: Path) -> None:
    seen = look(published, None).seen
    new = audit.rotate_key(ctx, crew.admin)
    assert look(publish(ctx, published), seen).code == 0  # that there is a new one, the old one signed
    signed(ctx)
    publish(ctx, published)
    assert look(published, seen).code == 1
    sight = look(published, seen, new)
    assert (sight.code, sight.seen and sight.seen.vkeys) == (0, tuple(map(str, ctx.keystore.vkeys)))
    assert look(published, sight.seen).code == 0


def test_the_key_is_changed_by_an_admin_with_a_fresh_token_alone(ctx: Context, crew: Crew) -> None:
    for actor in (crew.auditor, crew.coordinator, replace(crew.admin, lacks=Lack.FRESH_TOKEN)):
        with pytest.raises(Refused):
            audit.rotate_key(ctx, actor)
    assert len(ctx.keystore.vkeys) == 1
    assert told(ctx, Act.KEY_ADDED) == []


def test_a_log_that_is_not_what_was_signed_gets_no_new_key(ctx: Context, crew: Crew) -> None:
    signed(ctx)
    ctx.keystore.remember("x")
    with pytest.raises(Tampered):
        audit.rotate_key(ctx, crew.admin)
    assert len(ctx.keystore.vkeys) == 1


def test_without_a_proof_a_witness_cannot_tell(ctx: Context, published: Path) -> None:
    seen = look(published, None).seen
    signed(ctx)
    publish(ctx, published)
    size = ctx.keystore.anchor.split("\n")[1]
    for harm in ("", "{}", f'{{"from":{size},"path":5}}', f'{{"from":{size},"path":["zz"]}}'):
        sight = witness.look(seen, note=(published / "checkpoint").read_text(), proofs=[harm], vkeys=())
        assert sight.code == 2
    assert witness.look(seen, note="rubbish", proofs=[], vkeys=()).code == 2
    with pytest.raises(BadInput):
        witness.read_seen("{}")


def test_what_is_published_holds_no_record(ctx: Context, crew: Crew, published: Path) -> None:
    assert {path.name for path in published.iterdir()} == {"checkpoint", "consistency.jsonl", "vkeys"}
    said = b"".join(path.read_bytes() for path in published.iterdir())
    assert crew.admin.pseudonym.encode() not in said


# The export of one post.


@pytest.fixture
def of_a_post(ctx: Context, crew: Crew, tmp_path: Path) -> tuple[Path, int]:
    post, _other = scheduled(ctx, crew), scheduled(ctx, crew)
    queue.hold(ctx, crew.coordinator, "post", str(post.id), "gia đình đề nghị chờ")
    signed(ctx)
    with ctx.store.read() as tx:
        folder = tmp_path / "one"
        return folder, proofs.export_post(tx, folder, post.id, keystore=ctx.keystore, with_payloads=True)


def verdict(folder: Path, **how: object) -> tuple[int, int | None]:
    known: dict[str, object] = {"pinned": [], "anchors": []} | how
    found = verify_audit.verify(folder, **known)  # type: ignore[arg-type]
    return found.code, found.first_bad


def test_the_records_of_one_post_are_proven_without_the_rest(
    ctx: Context, of_a_post: tuple[Path, int], tmp_path: Path
) -> None:
    folder, count = of_a_post
    lines = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    objs = {json.loads(line["record"])["obj"] for line in lines}
    assert len(lines) == count
    assert objs == {"log:1", "post:1"}
    assert verdict(folder) == (0, None)
    assert verdict(folder, pinned=[verify_audit.read_key(str(ctx.keystore.vkey))]) == (0, None)
    stranger = Keystore.create(tmp_path / "stranger")
    assert verdict(folder, pinned=[verify_audit.read_key(str(stranger.vkey))]) == (2, None)
    assert {"README.md", "verify_audit.py", "payloads.jsonl"} <= {path.name for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["entries.jsonl", "checkpoint", "payloads.jsonl"])
def test_every_flipped_byte_of_such_an_export_is_found(of_a_post: tuple[Path, int], name: str) -> None:
    folder, _ = of_a_post
    whole = bytearray((folder / name).read_bytes())
    for at in range(0, len(whole), 1 if len(whole) < 3_000 else 7):
        whole[at] ^= 1
        (folder / name).write_bytes(whole)
        assert verdict(folder)[0] != 0, at
        whole[at] ^= 1
    (folder / name).write_bytes(whole)
    assert verdict(folder) == (0, None)


def test_an_entry_in_anothers_place_or_an_anchor_of_another_log_is_found(
    ctx: Context, of_a_post: tuple[Path, int], tmp_path: Path
) -> None:
    folder, _ = of_a_post
    kept = tmp_path / "kept.txt"
    kept.write_text(f"Thư:\n\n{ctx.keystore.anchor}\n")
    assert verdict(folder, anchors=[kept]) == (0, None)
    lines = (folder / "entries.jsonl").read_text().splitlines(keepends=True)
    one, other = json.loads(lines[1]), json.loads(lines[2])
    one["record"], other["record"] = other["record"], one["record"]
    swapped = [json.dumps(each, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for each in (one, other)]
    (folder / "entries.jsonl").write_text(lines[0] + "\n".join(swapped) + "\n")
    assert verdict(folder) == (1, one["seq"])
    (folder / "entries.jsonl").write_text("".join(reversed(lines)))
    assert verdict(folder)[0] == 1


def test_names_are_left_out_of_an_export_on_request(ctx: Context, crew: Crew, tmp_path: Path) -> None:
    scheduled(ctx, crew)
    signed(ctx)
    with ctx.store.read() as tx:
        audit.export(tx, tmp_path / "masked", keystore=ctx.keystore, with_payloads=True, mask=True)
        audit.export(tx, tmp_path / "open", keystore=ctx.keystore, with_payloads=True)
        with pytest.raises(Conflict):
            audit.export(tx, tmp_path / "open", keystore=ctx.keystore)
        with pytest.raises(NotFound):
            proofs.export_post(tx, tmp_path / "none", 99, keystore=ctx.keystore)
        subjects = {bytes(row[1]).decode() for row in records.raw_rows(tx, audit_payloads)}
    assert '"alias":"giang"' in (tmp_path / "open" / "payloads.jsonl").read_text()
    assert "giang" not in (tmp_path / "masked" / "payloads.jsonl").read_text()
    assert all(name.startswith("p-") for name in subjects)
    assert verdict(tmp_path / "masked") == verdict(tmp_path / "open") == (0, None)
