"""`audit`: the record of everything that was done, its verification, and its export for others."""

from contextlib import closing
from functools import partial
from pathlib import Path

import click

from bot.cli.anchor import LETTER, anchor, witness, written_note
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
    write_text,
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
    keystore, notes = open_keystore(session.settings), [written_note(path) for path in anchors]
    with closing(open_store(session.settings)) as store, store.read() as tx:
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


@audit.command(
    examples=("audit checkpoint --mail", "audit checkpoint --out note.txt", "audit checkpoint --publish DIR")
)
@option("--out", type=click.Path(path_type=Path), help="Write the note into this file.")
@option("--mail", is_flag=True, help="Print a letter around it, in both languages, for somebody who will keep it.")
@option("--publish", type=click.Path(path_type=Path), help="Write what a witness reads into this folder.")
@click.pass_obj
def checkpoint(session: Session, out: Path | None, publish: Path | None, *, mail: bool) -> None:
    """Sign the log as it stands, and print the note: a copy kept by somebody else is what nobody can forge."""
    from bot.services import audit as log
    from bot.services import proofs

    ctx = session.ctx
    made = log.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    if made is None:
        return
    if publish:
        with ctx.store.read() as tx:
            size = proofs.publish(tx, publish, ctx.keystore)
        say("A witness finds {size} entries in {folder}.", size=size, folder=publish)
    if out:
        write_text(out, made.note)
    elif not publish:
        click.echo(LETTER.format(name=session.settings.bot.name, note=made.note) if mail else made.note, nl=False)


@audit.command(
    examples=("audit export record --as giang", "audit export post-57 --post 57 --payloads --mask --as giang")
)
@click.argument("folder", type=click.Path(path_type=Path))
@option("--post", type=NUMBER, help="Only the entries about this post, each with its proof.")
@option("--payloads", is_flag=True, help="With names, reasons and texts: keep such a copy as safe as the keys.")
@option("--mask", is_flag=True, help="Of these, leave out what is sealed for our own people.")
@acting()
def export(session: Session, actor: Person, folder: Path, post: int | None, *, payloads: bool, mask: bool) -> None:
    """Write the log and its verifier into a new folder, for others to check with Python alone."""
    from bot.domain.audit import Act
    from bot.services import audit as log
    from bot.services import proofs

    require(actor, Duty.EXPORT if post else Duty.EXPORT_LOG)
    ctx = session.ctx
    log.checkpoint(ctx.store, ctx.keystore, now=ctx.now(), force=True)
    write = partial(proofs.export_post, post_id=post) if post else log.export
    with ctx.store.read() as tx:
        size = write(tx, folder, keystore=ctx.keystore, with_payloads=payloads, mask=mask)
    with ctx.store.write() as tx:
        about = {"post": post} if post else {}
        ctx.record(tx, actor, Act.LOG_EXPORTED, "log:1", {"size": size, "payloads": payloads, "mask": mask, **about})
    say(
        "{size} entries are in {folder}. To check them: python3 {folder}/verify_audit.py {folder}",
        size=size,
        folder=folder,
    )


@audit.command("rotate-key", examples=("audit rotate-key --as chi",))
@acting()
def rotate_key(session: Session, actor: Person) -> None:
    """Sign with a new key from now on. What the old one signed stays good.

    Tell the new key, by another way, to whoever checks the log with a key they were given, and to every witness.
    """
    from bot.services import audit as log

    say("From now on this key signs: {key}", key=log.rotate_key(session.ctx, actor))


audit.add_command(anchor)
audit.add_command(witness)
