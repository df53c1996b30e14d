"""Is it alive, and how is it: `/healthz` for whoever restarts it, `/metrics` for Prometheus. No names in either."""

from collections.abc import Iterator

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.domain.delivery import DeliveryState
from bot.domain.errors import CampaignError
from bot.services import anchors, budget, keeping
from bot.services.context import Context
from bot.store import audit, deliveries, heartbeats, holds, pace, posts, turns

SILENT_AFTER_S = 300
QUANTILES = (0.5, 0.9, 0.99, 1.0)


class _Figures(Collector):
    """Read from the database at each scrape, so that daemon and web may be different processes."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._ctx.now()
        with self._ctx.store.read() as tx:
            states = deliveries.counts(tx)
            post_states = posts.counts(tx)
            oldest = turns.next_moment(tx, self._ctx.channels)
            seen = heartbeats.last(tx)
            sealed = audit.latest_checkpoint(tx)
            size = audit.size(tx)
            is_halted = holds.find(tx, *holds.HALT) is not None
            late = pace.lateness(tx, self._ctx.channels)
            used = budget.share(self._ctx, tx)
            exposed = anchors.exposure(tx)
            kept = keeping.kept(self._ctx, tx)
        by_state = GaugeMetricFamily("campaignbot_deliveries", "Deliveries by state", labels=["state"])
        for state in DeliveryState:
            by_state.add_metric([state.value], states.get(state.value, 0))
        yield by_state
        by_post = GaugeMetricFamily("campaignbot_posts", "Posts by state", labels=["state"])
        for name, number in sorted(post_states.items()):
            by_post.add_metric([name], number)
        yield by_post
        overdue = max((now - oldest).total_seconds(), 0) if oldest else 0
        yield GaugeMetricFamily("campaignbot_oldest_due_seconds", "Age of the oldest due delivery", overdue)
        lateness = "From due to published, of the newest 100 of each account"
        by_quantile = GaugeMetricFamily("campaignbot_lateness_seconds", lateness, labels=["quantile"])
        for quantile in QUANTILES if late else ():
            by_quantile.add_metric([str(quantile)], late[min(int(len(late) * quantile), len(late) - 1)])
        yield by_quantile
        yield GaugeMetricFamily("campaignbot_budget_used_ratio", "Of a month's budget, where most of it is used", used)
        yield GaugeMetricFamily("campaignbot_halted", "1 while everything is stopped", int(is_halted))
        yield GaugeMetricFamily("campaignbot_audit_entries", "Entries in the audit log", size)
        if exposed:
            age = (now - exposed.since).total_seconds()
            yield GaugeMetricFamily("campaignbot_anchor_age_seconds", "Age of the newest anchor of the log", age)
            unanchored = exposed.records
            yield GaugeMetricFamily("campaignbot_audit_unanchored", "Entries after the newest anchor", unanchored)
        if kept.at:
            age = (now - kept.at).total_seconds()
            yield GaugeMetricFamily("campaignbot_backup_age_seconds", "Age of the newest backup", age)
        if seen:
            silent = (now - seen).total_seconds()
            yield GaugeMetricFamily("campaignbot_heartbeat_age_seconds", "Since a daemon was last seen", silent)
        if sealed:
            age = (now - sealed.at).total_seconds()
            yield GaugeMetricFamily("campaignbot_checkpoint_age_seconds", "Age of the newest signed checkpoint", age)
            unsigned = size - sealed.size
            yield GaugeMetricFamily("campaignbot_audit_unsigned", "Entries after the newest checkpoint", unsigned)


def pages(ctx: Context) -> Blueprint:
    blueprint = Blueprint("health", __name__)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(ctx))

    @blueprint.get("/healthz")
    def healthz() -> tuple[str, int]:
        """200 while the database answers and a daemon was seen in the last five minutes, else 503."""
        try:
            with ctx.store.read() as tx:
                seen = heartbeats.last(tx)
        except CampaignError:
            return "the database does not answer\n", 503
        if seen is None or (ctx.now() - seen).total_seconds() > SILENT_AFTER_S:
            return "no daemon was seen in the last five minutes\n", 503
        return "ok\n", 200

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")

    return blueprint
