"""`--database URL` and `--facts FILE`: what a live PostgreSQL says about the tables that scripts name.

It is asked in one read-only transaction with a time limit, and no statement of a script is run: EXPLAIN without
ANALYZE estimates the plain ones.
"""

# ruff: noqa: S608 - The queries are put together from the constants of this file.

import json
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from ..plans.sources import Options
from ..plans.sources.sql.postgres.facts import (
    KEY,
    DatabaseFacts,
    ForeignKey,
    KnownTable,
    OnDelete,
    facts_in,
)
from .common import Exit, read_file, stop

MAX_FACTS_BYTES = 64 * 1024 * 1024
STATEMENT_TIMEOUT_MILLISECONDS = 5_000
MAX_EXPLAINED = 500

database_option = click.option(
    "--database",
    metavar="URL",
    help="A PostgreSQL to ask, read-only, about rows, keys, triggers and foreign keys.",
)
facts_option = click.option(
    "--facts",
    metavar="FILE",
    help="Read what `--database` said from FILE; with `--database`, write it there.",
)


def with_facts(
    options: Options, database: str | None, facts: str | None, files: Iterable[str]
) -> Options:
    """The options with what a database, or a file it was kept in, says about the scripts."""
    if database is None and facts is None:
        return options
    if database is not None and options.dialect != "postgres":
        stop(Exit.USAGE, "--database asks PostgreSQL; the dialect is another one")
    if database is None:
        found = _kept(facts or "")
    else:
        found = _asked(database, _scripts(files))
        if facts is not None:
            Path(facts).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return replace(options, facts={**options.facts, KEY: found})


def _scripts(files: Iterable[str]) -> list[str]:
    """The texts of the SQL files; standard input can be read only once, and is not explained."""
    return [
        Path(file).read_text(encoding="utf-8", errors="replace")
        for file in files
        if file.endswith(".sql") and Path(file).is_file()
    ]


def _kept(file: str) -> DatabaseFacts:
    text = read_file(file, MAX_FACTS_BYTES)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        stop(Exit.INVALID, f"{file}: no JSON")
    found = facts_in({KEY: document})
    if not isinstance(found, DatabaseFacts):
        stop(Exit.INVALID, f"{file}: {found or 'it holds no facts of a database'}")
    return found


def _asked(url: str, scripts: list[str]) -> DatabaseFacts:
    if find_spec("psycopg") is None:
        stop(Exit.USAGE, "--database needs psycopg: pip install 'interlock[database]'")
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=False) as connection:
            return read_database(connection, scripts)
    except psycopg.Error as error:
        # The message of a failed connection may repeat its password.
        first = str(error).split("\n")[0].replace(url, "…")
        stop(Exit.INVALID, f"the database cannot be asked: {first}")


def read_database(connection: Any, scripts: Iterable[str] = ()) -> DatabaseFacts:
    """The facts, in one read-only transaction that is rolled back."""
    from ..plans.sources.sql.postgres.reader import explainable

    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK")
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MILLISECONDS}")
        cursor.execute("SELECT current_setting('server_version'), current_schemas(false)")
        version, path = cursor.fetchone()
        facts = DatabaseFacts(
            server=f"PostgreSQL {version}",
            path=tuple(path) or ("public",),
            tables=_tables(cursor),
            steady_functions=frozenset(row[0] for row in cursor.execute(_STEADY).fetchall()),
            definitions=tuple(_definitions(cursor)),
            estimates=_estimates(cursor, [one for text in scripts for one in explainable(text)]),
        )
        cursor.execute("ROLLBACK")
    return facts


def _tables(cursor: Any) -> tuple[KnownTable, ...]:
    keys: dict[int, list[frozenset[str]]] = {}
    for table, columns in cursor.execute(_KEYS).fetchall():
        keys.setdefault(table, []).append(frozenset(columns))
    references: dict[int, list[ForeignKey]] = {}
    for table, schema, name, action in cursor.execute(_REFERENCES).fetchall():
        key = ForeignKey(schema_name=schema, table=name, on_delete=_ACTIONS[action])
        references.setdefault(table, []).append(key)
    return tuple(
        KnownTable(
            schema_name=schema,
            name=name,
            is_view=kind in ("v", "m"),
            # A table that was never analyzed has the estimate -1.
            rows=None if rows is None or rows < 0 else int(rows),
            columns=tuple(columns or ()),
            not_null=frozenset(not_null or ()),
            keys=tuple(keys.get(table, ())),
            referenced_by=tuple(references.get(table, ())),
        )
        for table, schema, name, kind, rows, columns, not_null in cursor.execute(_TABLES).fetchall()
    )


_ACTIONS = {
    "a": OnDelete.NO_ACTION,
    "r": OnDelete.RESTRICT,
    "c": OnDelete.CASCADE,
    "n": OnDelete.SET_NULL,
    "d": OnDelete.SET_DEFAULT,
}


def _definitions(cursor: Any) -> Iterable[str]:
    for (definition,) in cursor.execute(_FUNCTIONS).fetchall():
        # A second routine of the same name must not take the place of the first.
        yield definition.replace("CREATE OR REPLACE", "CREATE", 1)
    for query in (_VIEWS, _TRIGGERS, _RULES):
        for (definition,) in cursor.execute(query).fetchall():
            yield definition


def _estimates(cursor: Any, statements: list[str]) -> dict[str, int]:
    import psycopg

    found: dict[str, int] = {}
    for statement in statements[:MAX_EXPLAINED]:
        cursor.execute("SAVEPOINT explained")
        try:
            cursor.execute("EXPLAIN (FORMAT JSON) " + statement.encode().decode())
            plan = cursor.fetchone()[0][0]["Plan"]
            found[statement] = int(_rows_of(plan))
        except psycopg.Error:
            # A statement that the database cannot plan has no estimate; its change stays as it was read.
            found.pop(statement, None)
        cursor.execute("ROLLBACK TO explained")
    return found


def _rows_of(plan: dict[str, Any]) -> float:
    """The rows that reach a ModifyTable node, which itself returns none."""
    inner = plan.get("Plans") or ()
    if plan.get("Node Type") == "ModifyTable" and inner:
        return max(float(one.get("Plan Rows", 0)) for one in inner)
    return float(plan.get("Plan Rows", 0))


_OWN = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"

_TABLES = f"""
  SELECT c.oid, n.nspname, c.relname, c.relkind,
         CASE WHEN c.relkind = 'p' THEN (
           SELECT sum(greatest(leaf.reltuples, 0)) FROM pg_partition_tree(c.oid) tree
           JOIN pg_class leaf ON leaf.oid = tree.relid WHERE tree.isleaf
         ) ELSE c.reltuples END,
         (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
         (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attnotnull)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OWN}
  ORDER BY 2, 3
"""
# A unique index on expressions, or on a part of the rows, tells no row from all others.
_KEYS = """
  SELECT i.indrelid, array_agg(a.attname::text)
  FROM pg_index i JOIN pg_attribute a
    ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
  WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  GROUP BY i.indexrelid, i.indrelid ORDER BY i.indexrelid
"""
_REFERENCES = """
  SELECT k.confrelid, n.nspname, c.relname, k.confdeltype
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid
"""
# A routine in SQL or PL/pgSQL is opened instead: one that is not volatile may call one that is.
_STEADY = f"""
  SELECT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  WHERE {_OWN} GROUP BY p.proname
  HAVING bool_and(p.provolatile IN ('i', 's') AND l.lanname IN ('c', 'internal')) ORDER BY 1
"""
_FUNCTIONS = f"""
  SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  WHERE {_OWN} AND p.prokind IN ('f', 'p') AND l.lanname IN ('sql', 'plpgsql')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  ORDER BY p.oid
"""
_VIEWS = f"""
  SELECT format('CREATE VIEW %I.%I AS %s', n.nspname, c.relname, pg_get_viewdef(c.oid))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm') AND {_OWN} ORDER BY c.oid
"""
_TRIGGERS = """
  SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
  WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY t.oid
"""
_RULES = f"""
  SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.rulename <> '_RETURN' AND {_OWN} ORDER BY r.oid
"""
