"""`audit`: the record of everything that was done, its verification, and its export for others."""

from pathlib import Path

import click

from bot.cli.frame import (
    NUMBER,
    Group,
    Session,
    acting,
    as_json,
    emit,
    option,
    plain,
    say,
    show,
    table,
    text_of,
    zone_name,
)
from bot.domain.errors import Tampered
from bot.domain.people import Duty, Person, require
from bot.i18n import _, filled, sentence


@click.group(cls=Group, help="The audit log: who did what, and the proof that nobody altered it.")
def audit() -> None:
    pass


@audit.command("list", examples=("audit list --act post. --as lan", "audit list --obj post:57 --json --as lan"))
@option("--act", default="", help="Only this act; one that ends in a dot stands for all that begin so.")
@option("--obj", default="", help="Only about this, such as post:57.")
@option("--before", type=NUMBER, help="Only entries before this number.")
@option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
@acting()
def list_(
    session: Session, actor: Person, act: str, obj: str, before: int | None, limit: int, *, as_json: bool
) -> None:
    """Entries of the log, the newest first. Takes the role auditor or admin."""
    from bot.store import audit as log

    require(actor, Duty.READ_AUDIT)
    ctx = session.ctx
    with ctx.store.read() as tx:
        found = log.entries(tx, act=act, obj=obj, before=before, newest_first=True, limit=limit)
        payloads = {each.seq: log.read_payload(tx, each.seq, ctx.keystore) for each in found if each.pc}
    if as_json:
        emit([
            {"seq": each.seq, "at": each.ts, "actor": each.actor, "alias": ctx.keystore.alias(each.actor),
             "act": each.act, "obj": each.obj, "data": dict(each.data), "payload": plain(payloads.get(each.seq)),
             "seal": each.leaf}
            for each in found
        ])  # fmt: skip
        return
    at = _("Time ({zone})").format(zone=zone_name(session.zone, ctx.now()))
    table(
        ["Entry", at, "Who", "What", "About"],
        [(each.seq, show(each.ts, session.zone), ctx.keystore.alias(each.actor), each.act, each.obj) for each in found],
        empty="No such entry.",
    )


@audit.command()
@option("--anchor", "anchors", multiple=True, type=click.Path(path_type=Path), help="A checkpoint kept elsewhere.")
@option("--all-signatures", is_flag=True, help="Check every signature, not only the newest of each key.")
@as_json
@click.pass_obj
def verify(session: Session, *, anchors: tuple[Path, ...], all_signatures: bool, as_json: bool) -> None:
    """Check every entry, root and signature. Exit: 0 good, 1 altered, 2 not provable."""
    from bot.app import open_keystore, open_store
    from bot.services import audit as log
    from bot.store import guards

    # Not through the front door: that stays shut where the guards are gone, and then one wants to know since when.
    store, keystore = open_store(session.settings), open_keystore(session.settings)
    notes = [text_of(f"@{path}") + "\n" for path in anchors]
    with store.read() as tx:
        verdict = log.verify(tx, vkeys=keystore.vkeys, anchors=notes, keystore=keystore, every=all_signatures)
        try:
            guards.assert_guarded(tx)
            unguarded = ""
        except Tampered as error:
            unguarded = sentence(error)
    if as_json:
        emit(plain(verdict) | {"reason": str(verdict.reason), "unguarded": unguarded})
    else:
        if verdict.code == 0:
            say("Verified ✓ up to entry {n}", n=verdict.size - 1)
        elif verdict.first_bad is not None:
            click.echo(_("✕ Does not match from entry {n}.").format(n=verdict.first_bad), err=True)
        click.echo(filled(verdict.reason.template, verdict.reason.fields), err=verdict.code != 0)
        click.echo(unguarded, err=True, nl=bool(unguarded))
    if code := verdict.code or int(bool(unguarded)):
        raise click.exceptions.Exit(code)


@audit.command()
@click.pass_obj
def checkpoint(session: Session) -> None:
    """Sign the log as it stands, and print the note: a copy kept by somebody else is what nobody can forge."""
    from bot.services import audit as log

    ctx = session.ctx
    made = log.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    if made:
        click.echo(made.note, nl=False)


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path))
@option("--payloads", is_flag=True, help="With names, reasons and texts: keep such a copy as safe as the keys.")
@acting()
def export(session: Session, actor: Person, folder: Path, *, payloads: bool) -> None:
    """Write the log and its verifier into a new folder, for others to check with Python alone."""
    from bot.domain.audit import Act
    from bot.services import audit as log

    require(actor, Duty.EXPORT)
    ctx = session.ctx
    with ctx.store.read() as tx:
        size = log.export(tx, folder, keystore=ctx.keystore, with_payloads=payloads)
    with ctx.store.write() as tx:
        ctx.record(tx, actor, Act.LOG_EXPORTED, "log:1", {"size": size, "payloads": payloads})
    say(
        "{size} entries are in {folder}. To check them: python3 {folder}/verify_audit.py {folder}",
        size=size,
        folder=folder,
    )
