"""The first shape of the database, with the guards of the audit log."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)

from bot.store.guards import guard

revision = "0001"
down_revision = None

# Constraints and indexes are named by the convention in bot.store.tables.
ID = BigInteger().with_variant(Integer(), "sqlite")
TIME = BigInteger()
WAITS = "state IN ('scheduled', 'retry_wait', 'unknown')"
TABLES = (
    "meta", "people", "sessions", "factors", "tokens", "invitations", "tries", "form_tokens", "cases",
    "fact_revisions", "holds", "standings", "posts", "post_revisions", "post_cases", "approvals", "images",
    "deliveries", "attempts", "channels", "audit_records", "audit_payloads", "checkpoints", "heartbeats",
    "alerts",
)  # fmt: skip


def create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=text(where), postgresql_where=text(where))


def upgrade() -> None:
    op.create_table("meta", Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))
    op.create_table(
        "people",
        Column("id", ID, primary_key=True),
        Column("pseudonym", String(32), nullable=False, unique=True),
        Column("roles", Text, nullable=False),
        Column("limits", Text, nullable=False, server_default="{}"),
        Column("token_hash", Text, nullable=False),
        Column("token_at", TIME, nullable=False),
        Column("token_by", ID, ForeignKey("people.id", deferrable=True, initially="DEFERRED")),
        Column("passphrase", Text),
        Column("link_by", ID, ForeignKey("people.id", deferrable=True, initially="DEFERRED")),
        Column("settings", Text, nullable=False, server_default="{}"),
        Column("made_by", ID, ForeignKey("people.id")),
        Column("made_at", TIME, nullable=False),
        Column("disabled_at", TIME),
    )
    op.create_table(
        "sessions",
        Column("id", ID, primary_key=True),
        Column("hash", String(64), nullable=False, unique=True),
        Column("person_id", ID, ForeignKey("people.id"), nullable=False),
        Column("device", Text, nullable=False),
        Column("full", Boolean, nullable=False),
        Column("made_at", TIME, nullable=False),
        Column("seen_at", TIME, nullable=False),
        Column("proved_at", TIME, nullable=False),
    )
    op.create_index("ix_sessions_person", "sessions", ["person_id"])
    op.create_table(
        "factors",
        Column("id", ID, primary_key=True),
        Column("person_id", ID, ForeignKey("people.id"), nullable=False),
        Column("kind", String(10), nullable=False),
        Column("handle", Text, nullable=False),
        Column("secret", Text, nullable=False, server_default=""),
        Column("name", Text, nullable=False, server_default=""),
        Column("count", BigInteger, nullable=False, server_default="0"),
        Column("made_at", TIME, nullable=False),
        Column("used_at", TIME),
        UniqueConstraint("kind", "handle"),
    )
    op.create_index("ix_factors_person", "factors", ["person_id"])
    op.create_table(
        "tokens",
        Column("hash", String(64), primary_key=True),
        Column("person_id", ID, ForeignKey("people.id"), nullable=False),
        Column("expires_at", TIME, nullable=False),
    )
    op.create_table(
        "invitations",
        Column("hash", String(64), primary_key=True),
        Column("person_id", ID, ForeignKey("people.id")),
        Column("made_at", TIME, nullable=False),
        Column("expires_at", TIME, nullable=False),
    )
    op.create_table(
        "tries",
        Column("key", String(64), primary_key=True),
        Column("failures", Integer, nullable=False),
        Column("next_at", TIME, nullable=False),
    )
    op.create_table(
        "form_tokens",
        Column("token", String(64), primary_key=True),
        Column("person_id", ID, ForeignKey("people.id"), nullable=False),
        Column("made_at", TIME, nullable=False),
        Column("result", Text, nullable=False, server_default=""),
    )
    op.create_table(
        "cases",
        Column("id", ID, primary_key=True),
        Column("slug", String(120), nullable=False, unique=True),
        Column("document", Text, nullable=False),
        Column("revisions", Text, nullable=False),
        Column("folded", Text, nullable=False),
        Column("status", String(20), nullable=False),
        Column("added_at", TIME, nullable=False),
    )
    op.create_table(
        "fact_revisions",
        Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
        Column("fact", String(120), primary_key=True),
        Column("revision", Integer, primary_key=True),
        Column("value", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("author_id", ID, ForeignKey("people.id")),
        Column("at", TIME, nullable=False),
    )
    op.create_table(
        "holds",
        Column("id", ID, primary_key=True),
        Column("scope", String(20), nullable=False),
        Column("target", String(120), nullable=False),
        Column("reason", Text, nullable=False),
        Column("placed_by", ID, ForeignKey("people.id")),
        Column("placed_at", TIME, nullable=False),
        Column("asked_by", ID, ForeignKey("people.id")),
        Column("ended_by", ID, ForeignKey("people.id")),
        Column("ended_at", TIME),
    )
    create_partial_index("ix_holds_open", "holds", ["scope", "target"], "ended_at IS NULL")
    op.create_table(
        "standings",
        Column("id", ID, primary_key=True),
        Column("campaign", String(120), nullable=False),
        Column("until", TIME, nullable=False),
        Column("proposed_by", ID, ForeignKey("people.id")),
        Column("proposed_at", TIME, nullable=False),
    )
    op.create_table(
        "posts",
        Column("id", ID, primary_key=True),
        Column("campaign", String(120), nullable=False),
        Column("occasion", String(200), unique=True),
        Column("standing_id", ID, ForeignKey("standings.id")),
        Column("corrects_id", ID, ForeignKey("posts.id")),
        Column("import_key", String(80), unique=True),
        Column("state", String(20), nullable=False),
        Column("reason", Text, nullable=False, server_default=""),
        Column("revision", Integer, nullable=False),
        Column("document", Text, nullable=False),
        Column("manifest", Text),
        Column("digest", String(64)),
        Column("channels", Text, nullable=False, server_default=" "),
        Column("due_at", TIME),
        Column("added_at", TIME, nullable=False),
        Column("changed_at", TIME, nullable=False),
    )
    op.create_index("ix_posts_due", "posts", ["due_at", "id", "state", "channels"])
    op.create_index("ix_posts_state_due", "posts", ["state", "due_at", "id", "channels"])
    create_partial_index("ix_posts_standing", "posts", ["standing_id", "state"], "standing_id IS NOT NULL")
    create_partial_index("ix_posts_corrects", "posts", ["corrects_id"], "corrects_id IS NOT NULL")
    op.create_table(
        "post_revisions",
        Column("post_id", ID, ForeignKey("posts.id"), primary_key=True),
        Column("revision", Integer, primary_key=True),
        Column("document", Text, nullable=False),
        Column("author_id", ID, ForeignKey("people.id")),
        Column("at", TIME, nullable=False),
    )
    op.create_table(
        "post_cases",
        Column("post_id", ID, ForeignKey("posts.id"), primary_key=True),
        Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    )
    op.create_index("ix_post_cases_case", "post_cases", ["case_id"])
    op.create_table(
        "approvals",
        Column("id", ID, primary_key=True),
        Column("post_id", ID, ForeignKey("posts.id"), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("person_id", ID, ForeignKey("people.id"), nullable=False),
        Column("at", TIME, nullable=False),
        Column("audit_seq", BigInteger, nullable=False),
        Column("voided_at", TIME),
        Column("voided_why", Text),
    )
    op.create_index("ix_approvals_post", "approvals", ["post_id"])
    op.create_table(
        "images",
        Column("digest", String(64), primary_key=True),
        Column("mime", String(40), nullable=False),
        Column("width", Integer, nullable=False),
        Column("height", Integer, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("day", String(10), nullable=False),
        Column("added_at", TIME, nullable=False),
    )
    op.create_table(
        "deliveries",
        Column("id", ID, primary_key=True),
        Column("post_id", ID, ForeignKey("posts.id"), nullable=False),
        Column("channel", String(80), nullable=False),
        Column("part", Integer, nullable=False),
        Column("reply_to", ID, ForeignKey("deliveries.id")),
        Column("state", String(20), nullable=False),
        Column("reason", Text, nullable=False, server_default=""),
        Column("digest", String(64), nullable=False),
        Column("content", Text, nullable=False),
        Column("idem_key", String(64), nullable=False),
        Column("due_at", TIME, nullable=False),
        Column("next_at", TIME, nullable=False),
        Column("not_after", TIME, nullable=False),
        Column("fence", Integer, nullable=False, server_default="0"),
        Column("worker", String(40)),
        Column("lease_until", TIME),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("looks", Integer, nullable=False, server_default="0"),
        Column("asked_by", ID, ForeignKey("people.id")),
        Column("remote_id", Text),
        Column("url", Text),
        Column("reference", Text),
        Column("published_at", TIME),
        Column("withdraw_at", TIME),
        Column("withdraw_note", Text),
        Column("withdrawn_at", TIME),
        Column("look_at", TIME),
        Column("looked_at", TIME),
        Column("sighting", String(20)),
        Column("acknowledged_at", TIME),
        UniqueConstraint("post_id", "channel", "part", "digest"),
        CheckConstraint(
            "state IN ('scheduled','claimed','sending',"
            "'unknown','retry_wait','held','published','failed','missed','cancelled')",
            name="state",
        ),
    )
    create_partial_index("ix_deliveries_channel_due", "deliveries", ["channel", "next_at"], WAITS)
    op.create_index("ix_deliveries_channel_published", "deliveries", ["channel", "published_at"])
    create_partial_index("ix_deliveries_due", "deliveries", ["next_at"], WAITS)
    create_partial_index(
        "ix_deliveries_in_flight", "deliveries", ["state", "lease_until"], "state IN ('claimed', 'sending')"
    )
    create_partial_index("ix_deliveries_look", "deliveries", ["channel", "look_at"], "look_at IS NOT NULL")
    create_partial_index("ix_deliveries_withdraw", "deliveries", ["channel", "withdraw_at"], "withdraw_at IS NOT NULL")
    create_partial_index("ix_deliveries_reply_to", "deliveries", ["reply_to"], "reply_to IS NOT NULL")
    create_partial_index("ix_deliveries_taken", "deliveries", ["channel", "due_at"], "part >= 0")
    create_partial_index("ix_deliveries_lost", "deliveries", ["looked_at"], "sighting IN ('gone', 'changed')")
    create_partial_index("ix_deliveries_counted", "deliveries", ["state"], "state <> ''")
    op.create_table(
        "attempts",
        Column("id", ID, primary_key=True),
        Column("delivery_id", ID, ForeignKey("deliveries.id"), nullable=False),
        Column("fence", Integer, nullable=False),
        Column("channel", String(80), nullable=False),
        Column("cost", BigInteger, nullable=False, server_default="0"),
        Column("began_at", TIME, nullable=False),
        Column("ended_at", TIME),
        Column("outcome", String(20)),
        Column("detail", Text, nullable=False, server_default=""),
        UniqueConstraint("delivery_id", "fence"),
    )
    op.create_index("ix_attempts_channel_began", "attempts", ["channel", "began_at"])
    op.create_table(
        "channels",
        Column("name", String(80), primary_key=True),
        Column("account", Text, nullable=False, server_default=""),
        Column("paused_at", TIME),
        Column("paused_by", ID, ForeignKey("people.id")),
        Column("reason", Text, nullable=False, server_default=""),
        Column("checked_at", TIME),
        Column("expires_at", TIME),
        Column("missing", Text, nullable=False, server_default="[]"),
    )
    op.create_table(
        "audit_records",
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("record", LargeBinary, nullable=False),
        Column("leaf", String(64), nullable=False, unique=True),
        Column("prev", String(64), nullable=False, unique=True),
        Column("act", String(40), nullable=False),
        Column("obj", String(80), nullable=False),
    )
    op.create_index("ix_audit_records_act", "audit_records", ["act", "seq"])
    op.create_index("ix_audit_records_obj", "audit_records", ["obj", "seq"])
    op.create_table(
        "audit_payloads",
        Column("seq", BigInteger, ForeignKey("audit_records.seq"), primary_key=True, autoincrement=False),
        Column("subject", String(80), nullable=False),
        Column("salt", LargeBinary, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
    )
    op.create_index("ix_audit_payloads_subject", "audit_payloads", ["subject"])
    op.create_table(
        "checkpoints",
        Column("size", BigInteger, primary_key=True, autoincrement=False),
        Column("root", String(64), nullable=False),
        Column("frontier", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("key_id", String(8), nullable=False),
        Column("at", TIME, nullable=False),
    )
    op.create_table(
        "heartbeats",
        Column("worker", String(40), primary_key=True),
        Column("at", TIME, nullable=False),
        Column("highest_at", TIME, nullable=False),
        Column("suspect", Boolean, nullable=False, server_default=text("false")),
    )
    op.create_table(
        "alerts",
        Column("name", String(60), primary_key=True),
        Column("seen", BigInteger, nullable=False),
        Column("said", Text, nullable=False, server_default="{}"),
        Column("next_at", TIME, nullable=False),
        Column("told_at", TIME),
        Column("failures", Integer, nullable=False, server_default="0"),
        Column("error", Text, nullable=False, server_default=""),
    )
    guard(op.get_bind())


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_never, audit_at_tail, checkpoint_at_tail")
