"""Tells people, in their language, what the log and the clock give cause for; apart from all publishing."""

from collections.abc import Callable, Mapping, Sequence
from threading import Thread
from time import sleep

from bot.domain.alerts import PAGES, Notice, Topic
from bot.i18n import _, language, many, use
from bot.logs import log
from bot.ports import Message
from bot.services import alerts
from bot.services.context import Context

EVERY_S = 15
_LINES: Mapping[Topic, Callable[[int], str]] = {
    Topic.FAILED: lambda n: many("{number} delivery did not go out.", "{number} deliveries did not go out.", n),
    Topic.UNKNOWN: lambda n: many(
        "Of {number} delivery it is not known whether it was sent.",
        "Of {number} deliveries it is not known whether they were sent.",
        n,
    ),
    Topic.HELD: lambda n: many("{number} delivery waits for a person.", "{number} deliveries wait for a person.", n),
    Topic.GONE: lambda n: many(
        "{number} post that was out is gone or changed.", "{number} posts that were out are gone or changed.", n
    ),
    Topic.STANDS: lambda n: many(
        "{number} post could not be taken down yet.", "{number} posts could not be taken down yet.", n
    ),
    Topic.LAPSED: lambda n: many(
        "{number} post was not approved in time.", "{number} posts were not approved in time.", n
    ),
    Topic.ACCOUNT: lambda n: many(
        "{number} account is paused: its service does not let it post.",
        "{number} accounts are paused: their services do not let them post.",
        n,
    ),
    Topic.AILING: lambda n: many(
        "{number} account lacks something, or its permission ends soon.",
        "{number} accounts lack something, or their permission ends soon.",
        n,
    ),
    Topic.HALT: lambda _n: _("Somebody stopped all publishing."),
    Topic.UNHALT_ASKED: lambda _n: _("Somebody asks to start publishing again; another person must confirm."),
    Topic.UNHALTED: lambda _n: _("Publishing goes on."),
    Topic.CLOCK: lambda _n: _("The clock jumped: nothing is sent until it is confirmed."),
    Topic.LOG: lambda _n: _("The audit log does not match what was signed."),
    Topic.UNSIGNED: lambda n: many(
        "{number} entry of the audit log has been waiting for its signature for over two hours.",
        "{number} entries of the audit log have been waiting for their signature for over two hours.",
        n,
    ),
    Topic.UNANCHORED: lambda n: many(
        "{number} entry of the audit log is kept by nobody outside: give two people a checkpoint.",
        "{number} entries of the audit log are kept by nobody outside: give two people a checkpoint.",
        n,
    ),
    Topic.SILENT: lambda _n: _("No daemon was seen for five minutes: nothing is published."),
    Topic.BACKUP: lambda _n: _("The backups fail, or the newest is too old."),
    Topic.APPROVALS: lambda n: many("{number} post waits for approval.", "{number} posts wait for approval.", n),
    Topic.URGENT: lambda n: many(
        "{number} post is due within two days and waits for approval.",
        "{number} posts are due within two days and wait for approval.",
        n,
    ),
}


def tell(ctx: Context, stopping: Callable[[], bool] = lambda: False) -> None:
    """Whatever each way has not been told yet. One that fails is tried again later, and delays no other for long."""
    for name, alert in ctx.alerts.items():
        batch = None if stopping() else alerts.pending(ctx, name)
        if batch is None:
            continue
        why = alert.tell(worded(alert.language, batch.notices))
        alerts.conclude(ctx, batch, why)
        if why:
            log.error("alert_failed", kind=name, detail=why)
        else:
            log.info("alerted", kind=name, count=len(batch.notices))


def tell_beside(ctx: Context) -> None:
    """From a thread of its own, for a program that does not publish: it also sees when the one that does is gone."""

    def keep_telling() -> None:
        while True:
            try:
                tell(ctx)
            except Exception:  # noqa: BLE001 - whatever it was, the next turn may do better
                log.exception("job_failed", job="alerts")
            sleep(EVERY_S)

    if ctx.alerts:
        Thread(target=keep_telling, name="alerts", daemon=True).start()


def ping(ctx: Context) -> None:
    """Only while all is well: the far side calls people when it hears nothing."""
    if ctx.ping is None or not alerts.is_well(ctx):
        return
    if why := ctx.ping():
        log.error("ping_failed", detail=why)


def worded(spoken: str, notices: Sequence[Notice]) -> Message:
    """Numbers, and the path of a page: no name, no word of a post."""
    before = language()
    use(spoken)
    try:
        lines = [_LINES[notice.topic](notice.count) for notice in notices]
        body = "\n".join(
            f"{line}{_numbers(notice)}\n  {PAGES[notice.topic]}" for line, notice in zip(lines, notices, strict=True)
        )
        more = f" (+{len(lines) - 1})" if len(lines) > 1 else ""
        subject = _("Campaign bot: {line}").format(line=lines[0].rstrip(".")) + more
    finally:
        use(before)
    facts = [
        {"topic": each.topic.value, "count": each.count, "ids": list(each.ids), "page": PAGES[each.topic]}
        for each in notices
    ]
    return Message(subject, body + "\n", tuple(facts))


def _numbers(notice: Notice) -> str:
    more = "…" if notice.count > len(notice.ids) else ""
    return f" ({', '.join(map(str, notice.ids))}{more})" if notice.ids else ""


def a_test(spoken: str) -> Message:
    before = language()
    use(spoken)
    try:
        return Message(_("Campaign bot: a test"), _("This is a test. Alerts reach you here.") + "\n", ())
    finally:
        use(before)
