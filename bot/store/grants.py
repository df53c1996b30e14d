"""What the role of daily use may do on PostgreSQL: all but alter the record, or the shape of the tables."""

from sqlalchemy import Connection, text

from bot.domain.errors import Tampered
from bot.store.tables import metadata

_USUAL = "SELECT, INSERT, UPDATE, DELETE"
# A payload is personal data and may be erased; what it was committed to stays in its record.
_NARROW = {
    "audit_records": "SELECT, INSERT",
    "audit_payloads": "SELECT, INSERT, DELETE",
    "checkpoints": "SELECT, INSERT",
    "alembic_version": "SELECT",
}
# Membership counts: who may become the owner may do what the owner may.
_OWNS = text(
    "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE relname = 'audit_records' AND pg_table_is_visible(oid)"
)
_MAY = text("SELECT has_table_privilege(:table, :right)")
_MAY_CREATE = text("SELECT has_schema_privilege(current_schema(), 'CREATE')")


def role(tx: Connection) -> str:
    return str(tx.execute(text("SELECT current_user")).scalar_one())


def grant(tx: Connection, to: str) -> None:
    """The owner gives the role what it needs and takes from it, and from everybody, what it does not."""
    who = tx.dialect.identifier_preparer.quote_identifier(to)
    schema = tx.dialect.identifier_preparer.quote_identifier(tx.execute(text("SELECT current_schema()")).scalar_one())
    statements = [f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {who}", f"GRANT USAGE ON SCHEMA {schema} TO {who}"]
    for table in (*metadata.tables, "alembic_version"):
        statements += [
            f"REVOKE ALL ON {table} FROM PUBLIC, {who}",
            f"GRANT {_NARROW.get(table, _USUAL)} ON {table} TO {who}",
        ]
    statements.append(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {who}")
    for statement in statements:
        tx.exec_driver_sql(statement)


def owns(tx: Connection) -> bool:
    """Whether the role may take the guards of the record away: then whoever has its password may."""
    return tx.dialect.name == "postgresql" and bool(tx.execute(_OWNS).scalar())


def assert_least(tx: Connection) -> None:
    """Raises Tampered where a role that does not own the tables may do more than it was granted."""
    if tx.dialect.name != "postgresql" or owns(tx):
        return
    given = {table: {right.strip() for right in rights.split(",")} for table, rights in _NARROW.items()}
    beyond = [
        f"{right} ON {table}"
        for table, rights in given.items()
        for right in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
        if right not in rights and tx.execute(_MAY, {"table": table, "right": right}).scalar()
    ]
    if tx.execute(_MAY_CREATE).scalar():
        beyond.append("CREATE")
    if beyond:
        raise Tampered(
            "The database role {role} may do what nobody granted it here: {what}. Stop, and ask why.",
            role=role(tx),
            what=beyond[0],
        )
