"""Every table in one place. Times are whole microseconds of UTC; documents are canonical JSON text."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 in UTC, so that nothing is rounded."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        del dialect
        return None if value is None else _EPOCH + value * _MICROSECOND


# SQLite counts rows by themselves only for a column declared INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *columns: Any) -> Table:  # noqa: ANN401 - columns, indexes and constraints share no type
    return Table(name, metadata, *columns)


meta = _table("meta", Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

people = _table(
    "people",
    Column("id", Id, primary_key=True),
    Column("pseudonym", String(32), nullable=False, unique=True),
    Column("roles", Text, nullable=False),
    # Which campaigns and accounts a role is for, as JSON by role; every one where nothing is said.
    Column("limits", Text, nullable=False, server_default="{}"),
    Column("token_hash", Text, nullable=False),
    Column("token_at", UtcTime, nullable=False),
    # Who was shown the token that now signs in: the maker, or whoever reset it since, who may be younger.
    Column("token_by", ForeignKey("people.id", deferrable=True, initially="DEFERRED")),
    Column("passphrase", Text),
    # Who was shown the newest one-time link, and could have chosen the passphrase.
    Column("link_by", ForeignKey("people.id", deferrable=True, initially="DEFERRED")),
    Column("settings", Text, nullable=False, server_default="{}"),
    Column("made_by", ForeignKey("people.id")),
    Column("made_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

# Whoever holds the value that hashes to `hash` is this person; `full` once every factor was shown.
sessions = _table(
    "sessions",
    Column("id", Id, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("device", Text, nullable=False),
    Column("full", Boolean, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("proved_at", UtcTime, nullable=False),
    Index("ix_sessions_person", "person_id"),
)

# What somebody proves themselves with beside the passphrase. `handle` finds it: a passkey's id, a recovery code's hash.
# `secret` is sealed, or public; `count` is the last step of a one-time code that was used, or a passkey's counter.
factors = _table(
    "factors",
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("handle", Text, nullable=False),
    Column("secret", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("count", BigInteger, nullable=False, server_default="0"),
    Column("made_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    UniqueConstraint("kind", "handle"),
    Index("ix_factors_person", "person_id"),
)

# Short-lived tokens of the command line, for what must not be done with an old one.
tokens = _table(
    "tokens",
    Column("hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

# One-time links; without a person it makes the first admin.
invitations = _table(
    "invitations",
    Column("hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id")),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

# Failed sign-ins of an account, a device or a source, each under a keyed hash.
tries = _table(
    "tries",
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_at", UtcTime, nullable=False),
)

# Forms that were sent; `result` is where the answer led, empty while it is being worked out.
form_tokens = _table(
    "form_tokens",
    Column("token", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("result", Text, nullable=False, server_default=""),
)

cases = _table(
    "cases",
    Column("id", Id, primary_key=True),
    Column("slug", String(120), nullable=False, unique=True),
    Column("document", Text, nullable=False),
    Column("revisions", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("added_at", UtcTime, nullable=False),
)

fact_revisions = _table(
    "fact_revisions",
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Column("fact", String(120), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("value", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("author_id", ForeignKey("people.id")),
    Column("at", UtcTime, nullable=False),
)

_OPEN = text("ended_at IS NULL")

holds = _table(
    "holds",
    Column("id", Id, primary_key=True),
    Column("scope", String(20), nullable=False),
    Column("target", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", ForeignKey("people.id")),
    Column("placed_at", UtcTime, nullable=False),
    Column("asked_by", ForeignKey("people.id")),
    Column("ended_by", ForeignKey("people.id")),
    Column("ended_at", UtcTime),
    Index("ix_holds_open", "scope", "target", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

standings = _table(
    "standings",
    Column("id", Id, primary_key=True),
    Column("campaign", String(120), nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("proposed_by", ForeignKey("people.id")),
    Column("proposed_at", UtcTime, nullable=False),
)

_STANDING, _CORRECTS = text("standing_id IS NOT NULL"), text("corrects_id IS NOT NULL")

posts = _table(
    "posts",
    Column("id", Id, primary_key=True),
    Column("campaign", String(120), nullable=False),
    Column("occasion", String(200), unique=True),
    Column("standing_id", ForeignKey("standings.id")),
    Column("corrects_id", ForeignKey("posts.id")),
    Column("import_key", String(80), unique=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("manifest", Text),
    Column("digest", String(64)),
    # The names of the document's channels between blanks, so that an index can hold them.
    Column("channels", Text, nullable=False, server_default=" "),
    Column("due_at", UtcTime),
    Column("added_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    # Whole, for whoever pages through a hundred thousand: only the posts that are shown are read.
    Index("ix_posts_state_due", "state", "due_at", "id", "channels"),
    Index("ix_posts_due", "due_at", "id", "state", "channels"),
    Index("ix_posts_standing", "standing_id", "state", sqlite_where=_STANDING, postgresql_where=_STANDING),
    Index("ix_posts_corrects", "corrects_id", sqlite_where=_CORRECTS, postgresql_where=_CORRECTS),
)

post_revisions = _table(
    "post_revisions",
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("author_id", ForeignKey("people.id")),
    Column("at", UtcTime, nullable=False),
)

post_cases = _table(
    "post_cases",
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("case_id", ForeignKey("cases.id"), primary_key=True),
    Index("ix_post_cases_case", "case_id"),
)

approvals = _table(
    "approvals",
    Column("id", Id, primary_key=True),
    Column("post_id", ForeignKey("posts.id"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("audit_seq", BigInteger, nullable=False),
    Column("voided_at", UtcTime),
    Column("voided_why", Text),
    Index("ix_approvals_post", "post_id"),
)

images = _table(
    "images",
    Column("digest", String(64), primary_key=True),
    Column("mime", String(40), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("added_at", UtcTime, nullable=False),
)

# SQLite uses a partial index only where a query says the same in the same words, so queries say these very clauses.
# An unknown delivery has a next time too: when to look for it.
DUE = text("state IN ('scheduled', 'retry_wait', 'unknown')")
UNWANTED = text("withdraw_at IS NOT NULL")
# True of every row: only whoever counts says it, so no query of the wave is drawn to that index.
COUNTED = text("state <> ''")
UNSEEN = text("look_at IS NOT NULL")
IN_FLIGHT = text("state IN ('claimed', 'sending')")
LOST = text("sighting IN ('gone', 'changed')")
# As COUNTED: only whoever asks which times are taken says it.
TAKEN = text("part >= 0")
# Without those that answer nothing: a query for them would be drawn to the index, and read every one there ever was.
_ANSWERS = text("reply_to IS NOT NULL")

deliveries = _table(
    "deliveries",
    Column("id", Id, primary_key=True),
    Column("post_id", ForeignKey("posts.id"), nullable=False),
    Column("channel", String(80), nullable=False),
    Column("part", Integer, nullable=False),
    Column("reply_to", ForeignKey("deliveries.id")),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("digest", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("idem_key", String(64), nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("not_after", UtcTime, nullable=False),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("worker", String(40)),
    Column("lease_until", UtcTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("asked_by", ForeignKey("people.id")),
    Column("remote_id", Text),
    Column("url", Text),
    Column("reference", Text),
    Column("published_at", UtcTime),
    Column("withdraw_at", UtcTime),
    Column("withdraw_note", Text),
    Column("withdrawn_at", UtcTime),
    Column("look_at", UtcTime),
    Column("looked_at", UtcTime),
    Column("sighting", String(20)),
    Column("acknowledged_at", UtcTime),
    UniqueConstraint("post_id", "channel", "part", "digest"),
    CheckConstraint(
        "state IN ('scheduled','claimed','sending','unknown',"
        "'retry_wait','held','published','failed','missed','cancelled')",
        name="state",
    ),
    Index("ix_deliveries_due", "next_at", sqlite_where=DUE, postgresql_where=DUE),
    Index("ix_deliveries_channel_due", "channel", "next_at", sqlite_where=DUE, postgresql_where=DUE),
    Index("ix_deliveries_in_flight", "state", "lease_until", sqlite_where=IN_FLIGHT, postgresql_where=IN_FLIGHT),
    Index("ix_deliveries_look", "channel", "look_at", sqlite_where=UNSEEN, postgresql_where=UNSEEN),
    Index("ix_deliveries_withdraw", "channel", "withdraw_at", sqlite_where=UNWANTED, postgresql_where=UNWANTED),
    Index("ix_deliveries_channel_published", "channel", "published_at"),
    Index("ix_deliveries_reply_to", "reply_to", sqlite_where=_ANSWERS, postgresql_where=_ANSWERS),
    Index("ix_deliveries_taken", "channel", "due_at", sqlite_where=TAKEN, postgresql_where=TAKEN),
    Index("ix_deliveries_lost", "looked_at", sqlite_where=LOST, postgresql_where=LOST),
    Index("ix_deliveries_counted", "state", sqlite_where=COUNTED, postgresql_where=COUNTED),
)

attempts = _table(
    "attempts",
    Column("id", Id, primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("channel", String(80), nullable=False),
    # What it costs if it succeeds, at the price of its day, in millionths of a US dollar.
    Column("cost", BigInteger, nullable=False, server_default="0"),
    Column("began_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", String(20)),
    Column("detail", Text, nullable=False, server_default=""),
    UniqueConstraint("delivery_id", "fence"),
    Index("ix_attempts_channel_began", "channel", "began_at"),
)

channels = _table(
    "channels",
    Column("name", String(80), primary_key=True),
    Column("account", Text, nullable=False, server_default=""),
    Column("paused_at", UtcTime),
    Column("paused_by", ForeignKey("people.id")),
    Column("reason", Text, nullable=False, server_default=""),
    Column("checked_at", UtcTime),
    Column("expires_at", UtcTime),
    # What the last look found missing, as sentences to be translated: [[template, {field: value}], …]
    Column("missing", Text, nullable=False, server_default="[]"),
)

audit_records = _table(
    "audit_records",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("record", LargeBinary, nullable=False),
    Column("leaf", String(64), nullable=False, unique=True),
    Column("prev", String(64), nullable=False, unique=True),
    Column("act", String(40), nullable=False),
    Column("obj", String(80), nullable=False),
    Index("ix_audit_records_obj", "obj", "seq"),
    Index("ix_audit_records_act", "act", "seq"),
)

audit_payloads = _table(
    "audit_payloads",
    Column("seq", ForeignKey("audit_records.seq"), primary_key=True, autoincrement=False),
    Column("subject", String(80), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_audit_payloads_subject", "subject"),
)

checkpoints = _table(
    "checkpoints",
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("frontier", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("key_id", String(8), nullable=False),
    Column("at", UtcTime, nullable=False),
)

heartbeats = _table(
    "heartbeats",
    Column("worker", String(40), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("highest_at", UtcTime, nullable=False),
    Column("suspect", Boolean, nullable=False, server_default=text("false")),
)

# How far each way of telling people has come: every entry of the log before `seen` is told or was not worth it.
alerts = _table(
    "alerts",
    Column("name", String(60), primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("said", Text, nullable=False, server_default="{}"),
    Column("next_at", UtcTime, nullable=False),
    Column("told_at", UtcTime),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
)
