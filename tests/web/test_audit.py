"""The audit log as people read it, and what strangers need to watch it."""

import io
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from bot.domain.audit import Act
from bot.i18n.words import WORDS
from bot.services import anchors, audit, queue
from bot.services.context import Context
from bot.store import audit as records
from tests.house import Crew, FakeClock, told
from tests.web.conftest import Browser

REASON = "The family asks us to wait."


@pytest.fixture
def written(ctx: Context, clock: FakeClock) -> Context:
    """A hundred and twenty entries, the last ten a day later; all signed but the last three."""
    for count in range(120):
        if count == 110:
            clock.advance(days=1)
        with ctx.store.write() as tx:
            ctx.record(tx, None, Act.CLOCK_DOUBTED, f"clock:{count}")
        if count == 116:
            audit.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    return ctx


def rows(browser: Browser) -> list[int]:
    return [int(str(each["id"])[1:]) for each in browser.page.select("tbody tr")]


def test_it_says_up_to_where_it_is_signed_and_that_nobody_outside_keeps_a_copy(
    written: Context, giang: Browser
) -> None:
    giang.get("/audit")
    with written.store.read() as tx:
        signed = records.latest_checkpoint(tx)
    assert signed
    assert f"Verified ✓ up to entry {signed.size - 1}" in giang.text
    assert "Nobody outside keeps a copy of this seal yet." in giang.text


def test_it_says_who_outside_keeps_a_copy_and_how_old_that_is(
    written: Context, giang: Browser, binh: Browser, crew: Crew, clock: FakeClock
) -> None:
    made = audit.checkpoint(written.store, written.keystore, now=written.now(), force=True)
    assert made
    anchors.add(written, crew.auditor, made.note, "hai người giữ giúp")
    clock.advance(hours=3)
    giang.get("/audit")
    assert f"Last copy kept outside this server: up to entry {made.size - 1}," in giang.text
    assert "3 hours ago" in giang.text
    assert "It is kept by: hai người giữ giúp" in giang.text
    binh.get("/audit")
    assert "Last copy kept outside" in binh.text
    assert "hai người" not in binh.text


def test_entries_are_shown_fifty_at_a_time_and_each_once(written: Context, giang: Browser) -> None:
    giang.get("/audit")
    seen = rows(giang)
    assert len(seen) == audit.PAGE
    while older := giang.page.select(".pager a[rel=next]"):
        giang.get(str(older[0]["href"]))
        seen += rows(giang)
    assert seen == list(range(seen[0], -1, -1))
    assert giang.page.select(".pager a")[0].get_text() == "Newest entries"


def test_they_are_chosen_by_who_what_about_and_day(written: Context, giang: Browser, crew: Crew) -> None:
    queue.halt(written, crew.coordinator, REASON)
    giang.get(f"/audit?who={crew.coordinator.pseudonym}&act=halt.")
    assert [entry.seq for entry in told(written, Act.HALT_STARTED)] == rows(giang)
    assert "binh paused publishing" in giang.page.select("tbody")[0].get_text(" ", strip=True)
    giang.get("/audit?obj=clock:7")
    assert [entry.seq for entry in told(written, Act.CLOCK_DOUBTED, "clock:7")] == rows(giang)
    giang.get("/audit?act=clock.doubted&on=2026-11-22")
    with written.store.read() as tx:
        newest = records.entries(tx, act=Act.CLOCK_DOUBTED, newest_first=True, limit=10)
    assert [entry.seq for entry in newest] == rows(giang)
    giang.get("/audit?who=nobody&act=made.up&obj=%3Cscript%3E&on=9999-99-99&before=x")
    assert len(rows(giang)) == audit.PAGE


def test_where_only_some_were_looked_through_the_page_says_so_and_goes_on(
    written: Context, giang: Browser, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "WINDOW", 30)
    wanted = f"/audit?who={crew.admin.pseudonym}&act=person.added"
    giang.get(wanted)
    assert rows(giang) == []
    assert "Only the newest were looked through so far." in giang.text
    seen: list[int] = []
    while older := giang.page.select(".pager a[rel=next]"):
        giang.get(str(older[0]["href"]))
        seen += rows(giang)
    added = [entry.seq for entry in told(written, Act.PERSON_ADDED) if entry.actor == crew.admin.pseudonym]
    assert seen == added[::-1]


def test_who_does_not_read_the_log_sees_that_it_is_whole_and_no_entry(written: Context, binh: Browser) -> None:
    binh.get("/audit")
    assert "Verified ✓" in binh.text
    assert "You may not read the audit log." in binh.text
    assert rows(binh) == []
    binh.get("/audit/3", status=403)


def test_one_entry_shows_what_lies_beside_it_until_that_is_erased(ctx: Context, giang: Browser, crew: Crew) -> None:
    queue.halt(ctx, crew.coordinator, REASON)
    (entry,) = told(ctx, Act.HALT_STARTED)
    giang.get(f"/audit/{entry.seq}")
    assert REASON in giang.text
    assert entry.leaf in giang.text
    assert entry.raw.decode() in giang.page.select("pre")[0].get_text()
    with ctx.store.write() as tx:
        records.erase_payloads(tx, crew.coordinator.pseudonym)
    giang.get(f"/audit/{entry.seq}")
    assert REASON not in giang.text
    assert "It was erased." in giang.text
    giang.get("/audit/999999999999999999", status=404)


def download(browser: Browser, *more: str) -> ZipFile:
    form = browser.get("/audit").select("form[action='/audit/export']")[0]
    sent = {"csrf_token": str(form.select("input[name=csrf_token]")[0]["value"]), "with": list(more)}
    answer = browser.client.post("/audit/export", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.mimetype == "application/zip"
    return ZipFile(io.BytesIO(answer.get_data()))


def test_the_export_checks_itself_with_python_alone(
    written: Context, giang: Browser, crew: Crew, tmp_path: Path
) -> None:
    queue.halt(written, crew.coordinator, REASON)
    with download(giang, "content", "people") as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out" / "log"
    done = subprocess.run([sys.executable, folder / "verify_audit.py", folder], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert REASON in (folder / "payloads.jsonl").read_text()
    (entry,) = told(written, Act.LOG_EXPORTED)
    assert (entry.actor, entry.data["payloads"]) == (crew.auditor.pseudonym, True)
    assert [each.name for each in written.data_dir.iterdir() if each.name.startswith("export-")] == []


def test_the_export_holds_no_content_unless_asked_and_is_not_for_everyone(
    written: Context, giang: Browser, binh: Browser
) -> None:
    assert "log/payloads.jsonl" not in download(giang).namelist()
    binh.get("/audit")
    assert binh.page.select('form[action="/audit/export"] button[disabled]')


def test_a_stranger_can_watch_that_the_log_is_not_rewritten(written: Context, stranger: Browser) -> None:
    note = stranger.client.get("/checkpoint")
    assert note.mimetype == "text/plain"
    with written.store.read() as tx:
        signed = records.latest_checkpoint(tx)
    assert signed
    assert note.get_data(as_text=True) == signed.note
    assert stranger.client.get("/vkeys").get_data(as_text=True).split() == [str(key) for key in written.keystore.vkeys]
    audit.checkpoint(written.store, written.keystore, now=written.now(), force=True)
    (proof,) = stranger.client.get("/consistency.jsonl").get_data(as_text=True).splitlines()
    assert json.loads(proof)["from"] == signed.size


def test_a_log_that_does_not_match_stops_everything_and_the_page_says_what_to_do(
    written: Context, giang: Browser, clock: FakeClock
) -> None:
    with written.store.write() as tx:
        records.append(tx, records.NewEntry(written.now(), "x", Act.CLOCK_DOUBTED, "log:1"), keystore=written.keystore)
    audit.checkpoint(written.store, written.keystore, now=written.now(), force=True)
    assert not anchors.hold_if_altered(written)
    tamper(written)
    assert anchors.hold_if_altered(written)
    giang.get("/audit")
    assert "✕ Does not match from entry" in giang.text
    assert "Do not delete anything" in giang.text
    assert "Verified ✓" not in giang.text
    assert "the audit log is not what was signed" in giang.page.select(".running.paused")[0].get_text(" ")
    clock.advance(days=1)
    anchors.hold_if_altered(written)
    assert len(told(written, Act.LOG_ALTERED)) == 1


def tamper(ctx: Context) -> None:
    """As somebody with the file and without the keys: the newest checkpoint is gone.

    Through the store's own driver: a second SQLite library in one process would drop the locks of the first.
    """
    with ctx.store.write() as tx:
        for name in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            tx.execute(text(f"DROP TRIGGER {name}"))
        tx.execute(
            text("UPDATE audit_records SET record = replace(record, 'clock:3', 'clock:4') WHERE obj = 'clock:3'")
        )
        tx.execute(text("DELETE FROM checkpoints"))


def test_help_is_there_for_everyone(stranger: Browser, an: Browser) -> None:
    for browser in (stranger, an):
        browser.get("/help")
        assert "What to do when…" in browser.text


def test_a_day_is_the_readers_own(written: Context, giang: Browser) -> None:
    """In Hà Nội the 21st ends at 17:00 UTC, after all that was written on the first day."""
    giang.get("/audit?on=2026-11-21")
    first = rows(giang)
    assert len(first) == audit.PAGE
    giang.get("/audit?on=2026-11-22")
    assert min(rows(giang)) == max(first) + 1


def test_every_act_and_every_noun_has_words() -> None:
    assert {*Act, *(f"{act.partition('.')[0]}." for act in Act)} - set(WORDS["act"]) == set()
