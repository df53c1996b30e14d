"""The triggers that let the record only grow, and the look at start-up whether they still stand."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, inspect

from bot.domain.errors import Tampered

# INSERT OR REPLACE deletes what is in its way without firing a DELETE trigger, so an insert looks for itself.
SQLITE_TRIGGERS: tuple[str, ...] = (
    """CREATE TRIGGER audit_records_insert BEFORE INSERT ON audit_records
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM audit_records)
  OR NEW.prev IS NOT coalesce((SELECT leaf FROM audit_records ORDER BY seq DESC LIMIT 1), NEW.prev)
  OR EXISTS (SELECT 1 FROM audit_records WHERE leaf = NEW.leaf OR prev = NEW.prev)
BEGIN SELECT RAISE(ABORT, 'the audit log grows at its tail only'); END""",
    """CREATE TRIGGER audit_records_update BEFORE UPDATE ON audit_records
BEGIN SELECT RAISE(ABORT, 'the audit log is never altered'); END""",
    """CREATE TRIGGER audit_records_delete BEFORE DELETE ON audit_records
BEGIN SELECT RAISE(ABORT, 'the audit log is never altered'); END""",
    """CREATE TRIGGER audit_payloads_insert BEFORE INSERT ON audit_payloads
WHEN EXISTS (SELECT 1 FROM audit_payloads WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit log grows at its tail only'); END""",
    """CREATE TRIGGER audit_payloads_update BEFORE UPDATE ON audit_payloads
BEGIN SELECT RAISE(ABORT, 'the audit log is never altered'); END""",
    """CREATE TRIGGER checkpoints_insert BEFORE INSERT ON checkpoints
WHEN NEW.size <= (SELECT max(size) FROM checkpoints)
BEGIN SELECT RAISE(ABORT, 'the audit log grows at its tail only'); END""",
    """CREATE TRIGGER checkpoints_update BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is never altered'); END""",
    """CREATE TRIGGER checkpoints_delete BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is never altered'); END""",
)

_FUNCTIONS = {
    "audit_never": "BEGIN RAISE EXCEPTION 'the audit log is never altered'; END",
    "audit_at_tail": """BEGIN
IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), -1) + 1 FROM audit_records)
  OR NEW.prev IS DISTINCT FROM coalesce((SELECT leaf FROM audit_records ORDER BY seq DESC LIMIT 1), NEW.prev)
THEN RAISE EXCEPTION 'the audit log grows at its tail only'; END IF;
RETURN NEW; END""",
    "checkpoint_at_tail": """BEGIN
IF NEW.size <= (SELECT max(size) FROM checkpoints)
THEN RAISE EXCEPTION 'the audit log grows at its tail only'; END IF;
RETURN NEW; END""",
}
# (table, what, level, function), as PostgreSQL itself writes a trigger back.
_POSTGRESQL = {
    f"{table}_{name}": f"CREATE TRIGGER {table}_{name} BEFORE {what} ON {table} "
    f"FOR EACH {level} EXECUTE FUNCTION {does}()"
    for table, name, what, level, does in (
        ("audit_records", "insert", "INSERT", "ROW", "audit_at_tail"),
        ("audit_records", "alter", "DELETE OR UPDATE", "ROW", "audit_never"),
        ("audit_records", "truncate", "TRUNCATE", "STATEMENT", "audit_never"),
        ("audit_payloads", "update", "UPDATE", "ROW", "audit_never"),
        ("checkpoints", "insert", "INSERT", "ROW", "checkpoint_at_tail"),
        ("checkpoints", "alter", "DELETE OR UPDATE", "ROW", "audit_never"),
        ("checkpoints", "truncate", "TRUNCATE", "STATEMENT", "audit_never"),
    )
}
POSTGRESQL_TRIGGERS: tuple[str, ...] = (
    *(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n{body}\n$$"
        for name, body in _FUNCTIONS.items()
    ),
    *_POSTGRESQL.values(),
    *(f"ALTER TABLE {name.rpartition('_')[0]} ENABLE ALWAYS TRIGGER {name}" for name in _POSTGRESQL),
)
_GUARDED = ("audit_records", "audit_payloads", "checkpoints")
_UNIQUE = {"audit_records": {("seq",), ("leaf",), ("prev",)}, "audit_payloads": {("seq",)}, "checkpoints": {("size",)}}


def guard(tx: Connection) -> None:
    """Creates the triggers; the tables must be there."""
    for statement in SQLITE_TRIGGERS if tx.dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        tx.exec_driver_sql(statement)


def assert_guarded(tx: Connection) -> None:
    """Raises Tampered unless exactly our triggers, and the unique indexes, stand as they were written."""
    found, written = _sqlite(tx) if tx.dialect.name == "sqlite" else _postgresql(tx)
    amiss = list(found.symmetric_difference(written))
    for table, unique in _UNIQUE.items():
        amiss += [f"{table} {columns} unique" for columns in unique - _unique_columns(tx, table)]
    if amiss:
        raise Tampered("The guard of the audit log is not as written: {what}. Stop, and ask why.", what=amiss[0])


def _one_line(statements: Iterable[str]) -> set[str]:
    return {" ".join(each.split()) for each in statements}


def _sqlite(tx: Connection) -> tuple[set[str], set[str]]:
    query = f"SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN {_GUARDED}"  # noqa: S608 - constants
    return _one_line(tx.exec_driver_sql(query).scalars()), _one_line(SQLITE_TRIGGERS)


def _postgresql(tx: Connection) -> tuple[set[str], set[str]]:
    triggers = tx.exec_driver_sql(
        f"""SELECT tgenabled::text || ' ' || pg_get_triggerdef(t.oid, true) FROM pg_trigger t
        JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND pg_table_is_visible(c.oid) AND relname IN {_GUARDED}"""  # noqa: S608 - constants
    ).scalars()
    functions = tx.exec_driver_sql(
        f"""SELECT proname || ' ' || prosrc FROM pg_proc
        WHERE pg_function_is_visible(oid) AND proname IN {tuple(_FUNCTIONS)}"""  # noqa: S608 - constants
    ).scalars()
    wanted = [*(f"A {text}" for text in _POSTGRESQL.values()), *(f"{name} {body}" for name, body in _FUNCTIONS.items())]
    return _one_line([*triggers, *functions]), _one_line(wanted)


def _unique_columns(tx: Connection, table: str) -> set[tuple[str | None, ...]]:
    look = inspect(tx)
    found: list[Sequence[str | None]] = [look.get_pk_constraint(table)["constrained_columns"]]
    found += [each["column_names"] for each in look.get_unique_constraints(table)]
    found += [each["column_names"] for each in look.get_indexes(table) if each["unique"]]
    return {tuple(columns) for columns in found}
