"""Entities as rows of a real database, and the entities that a filter finds there."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import duckdb
import psycopg
from sqlglot import exp

from interlock.compiler.backends.sql.filter import Refused, Table, filter_for
from interlock.compiler.backends.sql.tables import Layout
from interlock.compiler.decision import Request
from interlock.compiler.entities import Entities, EntityData
from interlock.compiler.ir import PolicySet
from interlock.lang.schema import Schema
from interlock.lang.syntax import Outcome
from interlock.lang.typesystem import EntityType, EnumType, Type
from interlock.lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value

TABLE = Table(ancestors="resource_ancestors")
COLUMN_TYPES = {
    "Bool": "BOOLEAN",
    "Int": "BIGINT",
    "Decimal": "DECIMAL(18, 4)",
    "String": "TEXT",
    "Instant": "TIMESTAMPTZ",
    "Duration": "BIGINT",
    "IpRange": "CIDR",
}
SQLITE_TYPES = {**COLUMN_TYPES, "Instant": "INTEGER", "Decimal": "TEXT", "IpRange": "TEXT"}
DUCKDB_TYPES = {**COLUMN_TYPES, "IpRange": "TEXT"}
TYPES = {"sqlite": SQLITE_TYPES, "duckdb": DUCKDB_TYPES, "postgres": COLUMN_TYPES}


class Cursor(Protocol):
    def fetchall(self) -> Sequence[Sequence[Any]]: ...


class Connection(Protocol):
    def execute(self, query: str, parameters: Any = (), /) -> Cursor: ...


@contextmanager
def connected(dialect: str, server: str = "") -> Iterator[Connection]:
    connection: Any
    if dialect == "sqlite":
        connection = sqlite3.connect(":memory:")
    elif dialect == "duckdb":
        connection = duckdb.connect(":memory:")
    else:
        connection = psycopg.connect(server, autocommit=True, cursor_factory=psycopg.ClientCursor)
    try:
        yield connection
    finally:
        connection.close()


def create(
    connection: Connection,
    schema: Schema,
    resource_type: str,
    rows: Mapping[EntityId, EntityData],
    dialect: str,
) -> None:
    """A new table `resources` of the rows, beside one of what they are in."""
    leaves = Layout(schema, resource_type, TABLE).leaves()
    columns = ['"id" TEXT'] + [
        f'"{"_".join(path)}" {_column_type(field.type, dialect)}' for path, field in leaves
    ]
    ancestors = "type", "id", "ancestor_type", "ancestor_id"
    connection.execute("DROP TABLE IF EXISTS resources")
    connection.execute("DROP TABLE IF EXISTS resource_ancestors")
    connection.execute(f"CREATE TABLE resources ({', '.join(columns)})")
    texts = ", ".join(f'"{name}" TEXT' for name in ancestors)
    connection.execute(f"CREATE TABLE resource_ancestors ({texts})")
    for entity, data in rows.items():
        values = [_at(data.attributes, path) for path, _ in leaves]
        row = [entity.id, *(_stored(value, dialect) for value in values)]
        _insert(connection, "resources", row, dialect)
        for ancestor in data.ancestors:
            _insert(connection, "resource_ancestors", [*entity, *ancestor], dialect)


def ids(connection: Connection, condition: exp.Expr, dialect: str) -> set[str]:
    """The ids of the rows for which a condition holds."""
    where = condition.sql(dialect=dialect)
    return {id for (id,) in connection.execute(f'SELECT "id" FROM resources WHERE {where}').fetchall()}  # fmt: skip


def decide_in_sqlite(
    policies: PolicySet, request: Request, entities: Entities
) -> Outcome | list[Refused]:
    """The outcome of one request, found by the three filters of an SQLite database with one row."""
    resource = entities.known[request.resource]
    others = {name: data for name, data in entities.known.items() if name != request.resource}
    if request.principal == request.resource:
        others[request.principal] = resource
    with connected("sqlite") as connection:
        rows = {request.resource: resource}
        create(connection, policies.schema, request.resource.type, rows, "sqlite")
        found = []
        for outcome in Outcome:
            condition = filter_for(
                policies,
                request.principal,
                request.action,
                request.context,
                replace(entities, known=others),
                request.resource.type,
                TABLE,
                "sqlite",
                outcome,
            )
            if isinstance(condition, list):
                return condition
            found += [outcome] * len(ids(connection, condition, "sqlite"))
    (outcome,) = found
    return outcome


def _column_type(type: Type, dialect: str) -> str:
    return "TEXT" if isinstance(type, EntityType | EnumType) else TYPES[dialect][str(type)]


def _at(attributes: Record, path: Iterable[str]) -> Value | None:
    value: Value | None = attributes
    for name in path:
        value = value.get(name) if isinstance(value, Record) else None
    return value


def _stored(value: Value | None, dialect: str) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case EntityId():
            return value.id
        case EnumValue():
            return value.name
        case Duration():
            return value.nanoseconds
        case Instant() if dialect == "sqlite":
            return value.nanoseconds
        case Instant():
            microseconds = timedelta(microseconds=value.nanoseconds // 1_000)
            return (datetime(1970, 1, 1, tzinfo=UTC) + microseconds).isoformat()
        case Decimal():
            return str(value)
        case _:
            return str(value)


def _insert(connection: Connection, table: str, row: list[object], dialect: str) -> None:
    marks = ", ".join(["%s" if dialect == "postgres" else "?"] * len(row))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)
