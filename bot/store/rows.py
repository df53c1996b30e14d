"""Rows as frozen values, and lists cut to what one statement may name: what every file of the store shares."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

BATCH = 500

Value = TypeVar("Value")
Item = TypeVar("Item")


def value(kind: Callable[..., Value], row: Row[Any], /, **read: object) -> Value:
    """Each field is what `read` gives for it, else the column of its name; a null leaves it at its default."""
    found = row._asdict() | read
    return kind(
        **{name: found[name] for name, optional in _fields(kind).items() if not (optional and found[name] is None)}
    )


@cache
def _fields(kind: Any) -> Mapping[str, bool]:  # noqa: ANN401 - a dataclass
    """The names, and whether each may be left out."""
    return {field.name: field.default is not MISSING for field in fields(kind)}


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """In order, each once; SQLite and PostgreSQL bound how many values a statement may name."""
    ordered = list(dict.fromkeys(items))
    return (ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH))


def upsert(tx: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can say what to do on a conflict, in the words of this database."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)
