"""The radius against PostgreSQL itself: every table emptied and dropped for real, and rolled back."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from blast_databases import (
    EVERYTHING,
    ROWS,
    SAMPLES,
    SCHEMAS,
    Server,
    cascading,
    fill,
    random_schema,
    sample,
)
from click.testing import CliRunner
from postgres import running_server

from interlock.cli import cli
from interlock.database import answers
from interlock.plans.blast import Radius, radius
from interlock.plans.blast_spread import Harm
from interlock.plans.graph import Graph, build
from interlock.plans.graph_builders import postgres
from interlock.plans.model import Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.sql.source import read

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
STATEMENTS = ("DELETE FROM {}", "TRUNCATE {} CASCADE", "DROP TABLE {} CASCADE")
RANDOM_SCHEMAS = range(
    {"quick": 4, "default": 10, "long": 200}[os.environ.get("INTERLOCK_TESTS", "default")]
)

needs_samples = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="the corpora are not beside the checkout"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as url:
        if url is None:
            pytest.skip("PostgreSQL is not installed")
        yield Server(url)


def graph_of(url: str) -> Graph:
    rows, identifiers = answers(url, postgres.SETTINGS, postgres.QUERIES)
    graph = build([postgres.build(rows, identifiers)], NOW)
    assert graph.problems == ()
    return graph


def radius_of(graph: Graph, script: str) -> Radius:
    reading = read("script.sql", script, Options())
    plan = Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(reading.artifact,),
        changes=numbered(reading.changes),
    )
    return radius(plan, graph, NOW)


# What PostgreSQL does

REFUSALS = (
    psycopg.IntegrityError,
    psycopg.errors.DependentObjectsStillExist,
    psycopg.errors.FeatureNotSupported,
)

TABLES = """
SELECT c.oid::regclass::text, n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%' ORDER BY 2
"""
OBJECTS = """
SELECT i.type || ' ' || i.identity
FROM (
  SELECT classid, objid FROM pg_depend
  EXCEPT SELECT classid, objid FROM pg_depend WHERE deptype = 'i'
    AND NOT EXISTS (SELECT FROM pg_class WHERE oid = objid AND relkind = 'S')
) o
CROSS JOIN LATERAL pg_identify_object(classid, objid, 0) i
WHERE objid >= 16384 AND i.identity IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a statement really did; `error` when PostgreSQL refused it."""

    changed: dict[str, int]
    """Table → how many rows it has lost; 0 when only their values changed."""
    gone: frozenset[str]
    error: str | None


def really(url: str, statement: str) -> Effect:
    with psycopg.connect(url) as connection:
        is_drop = statement.startswith("DROP")
        before = contents(connection)
        objects = names(connection) if is_drop else frozenset()
        try:
            with connection.transaction():
                connection.execute(statement.encode())
        except REFUSALS as error:
            return Effect({}, frozenset(), str(error))
        after = contents(connection)
        gone = objects - names(connection) if is_drop else frozenset()
        connection.rollback()
    changed = {
        table: count - after.get(table, (0, ""))[0]
        for table, (count, digest) in before.items()
        if after.get(table, (0, "")) != (count, digest)
    }
    return Effect(changed, gone, None)


def contents(connection: Any) -> dict[str, tuple[int, str]]:
    """Table → its number of rows and a digest of them."""
    tables = connection.execute(TABLES).fetchall()
    parts = [
        f"SELECT {quoted(name)}, count(*), coalesce(md5(string_agg(x::text, '|' ORDER BY x::text)), '')"
        f" FROM ONLY {oid_name} x"
        for oid_name, name in tables
    ]
    rows = connection.execute(" UNION ALL ".join(parts)).fetchall()
    return {name: (count, digest) for name, count, digest in rows}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def names(connection: Any) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute(OBJECTS).fetchall())


# What is predicted


def predicted(found: Radius, is_refused: bool) -> dict[str, int | None]:
    """Table → how many of its rows are reached, for the tables that are sure to be."""
    if any(refusal.is_certain for refusal in found.refusals):
        return {}
    if is_refused and found.refusals:
        # In which order triggers of one statement look and cascade is not in the graph.
        return {}
    return {
        each.resource.id: each.rows_lost
        for each in found.reached
        if each.resource.kind.removeprefix("postgres.")
        in ("table", "partition", "materialized_view")
        and each.is_certain
        and each.harm in (Harm.DESTROYED, Harm.CHANGED, Harm.ORPHANED)
        and each.event not in each.resource.spared
    }


def check_rows(url: str, name: str) -> tuple[list[str], int, int]:
    """Every table by every statement; the lines of the table, the rows predicted and the rows lost."""
    graph = graph_of(url)
    lines, expected_rows, lost_rows = [], 0, 0
    with psycopg.connect(url) as connection:
        tables = [table for _, table in connection.execute(TABLES).fetchall()]
        views = {
            row[0]
            for row in connection.execute(
                "SELECT schemaname || '.' || matviewname FROM pg_matviews"
            ).fetchall()
        }
        sizes = {table: count for table, (count, _) in contents(connection).items()}
    for table in tables:
        if table in views:
            continue
        for template in STATEMENTS:
            statement = template.format(".".join(f'"{part}"' for part in table.split(".", 1)))
            found, real = radius_of(graph, statement), really(url, statement)
            expected = predicted(found, real.error is not None)
            possible = {each.resource.id for each in found.reached}
            missed = set(real.changed) - possible
            assert not missed, (name, statement, missed)
            if template.startswith("DROP"):
                check_drop(name, statement, found, real)
                expected = {one: rows for one, rows in expected.items() if is_destroyed(found, one)}
            # An empty table is emptied without a trace, and one that only gains rows loses none.
            traced = {one for one in expected if sizes[one] or one in real.changed}
            assert traced == set(real.changed), (name, statement, real.error)
            for one, rows in real.changed.items():
                assert (expected[one] or 0) >= rows, (name, statement, one)
            sums = (
                sum(rows or 0 for rows in expected.values()),
                sum(max(rows, 0) for rows in real.changed.values()),
            )
            expected_rows += sums[0]
            lost_rows += sums[1]
            outcome = "refused" if real.error else f"{len(real.changed):3} tables"
            lines.append(f"{statement:58} {outcome:>10} {sums[0]:>8} {sums[1]:>8}")
    return lines, expected_rows, lost_rows


def is_destroyed(found: Radius, id: str) -> bool:
    return any(each.resource.id == id and each.harm is Harm.DESTROYED for each in found.reached)


def check_drop(name: str, statement: str, found: Radius, real: Effect) -> None:
    """The objects that are gone are those that were to go, by PostgreSQL's own names for them."""
    expected = {
        (each.resource.kind.removeprefix("postgres."), each.resource.key.rpartition(":")[2])
        for each in found.reached
        if each.harm is Harm.DESTROYED and each.resource.kind != "postgres.column"
    }
    # Rules of views and the types of tables are parts of these.
    gone = {
        one
        for one in real.gone
        if not one.startswith(("type ", "rule ", "index pg_toast", "toast table"))
    }
    labels = {label(kind, key) for kind, key in expected}
    assert {unquoted(one) for one in gone} - labels == set(), (name, statement)
    surplus = {one for one in labels if not one.startswith(("composite", "type ", "rule "))}
    surplus -= {unquoted(one) for one in gone}
    assert surplus == set(), (name, statement)


KINDS = {"partition": "table", "partitioned_table": "table", "routine": "function"}


def label(kind: str, key: str) -> str:
    return unquoted(f"{KINDS.get(kind, kind.replace('_', ' '))} {key}")


def unquoted(text: str) -> str:
    return text.replace('"', "")


def report(title: str, lines: list[str], expected: int, lost: int) -> None:
    head = f"{'statement':58} {'changed':>10} {'expected':>8} {'lost':>8}"
    print("\n".join(["", title, head, *lines, f"{'rows in all':69} {expected:>8} {lost:>8}"]))


# Claims


@needs_samples
@pytest.mark.parametrize("name", SAMPLES)
def test_the_radius_is_what_postgres_changes(name: str, server: Server, tmp_path: Path) -> None:
    url = sample(server, name, tmp_path)
    report(name, *check_rows(url, name))
    cascading(url)
    report(f"{name}, every key ON DELETE CASCADE", *check_rows(url, name))


def test_every_kind_of_object_goes_as_predicted(server: Server) -> None:
    url = server.make("everything")
    with psycopg.connect(url) as connection:
        connection.execute(EVERYTHING)
    fill(url)
    report("everything", *check_rows(url, "everything"))


@pytest.mark.parametrize("seed", RANDOM_SCHEMAS)
def test_a_random_schema_goes_as_predicted(seed: int, server: Server) -> None:
    url = server.make(f"random_{seed}")
    with psycopg.connect(url) as connection:
        for statement in random_schema(seed):
            connection.execute(statement.encode())
    fill(url)
    check_rows(url, f"seed {seed}")


def test_what_postgres_refuses_without_cascade_is_foretold(server: Server) -> None:
    url = server.make("refusals")
    with psycopg.connect(url) as connection:
        connection.execute(EVERYTHING)
    fill(url)
    graph = graph_of(url)
    with psycopg.connect(url) as connection:
        tables = [table for table, _ in connection.execute(TABLES).fetchall()]
    refused = 0
    for table in set(tables) - {"order_counts"}:
        for template in ("TRUNCATE {}", "DROP TABLE {}"):
            statement = template.format(table)
            foretold = any(each.is_certain for each in radius_of(graph, statement).refusals)
            real = really(url, statement)
            assert foretold is (real.error is not None), (statement, real.error)
            refused += foretold
    assert refused > 10


def test_a_database_knows_better_than_the_file_of_a_graph(server: Server, tmp_path: Path) -> None:
    url = server.make("newer")
    assets, graph, script = (tmp_path / name for name in ("a.yaml", "g.json", "m.sql"))
    assets.write_text(
        "assets: [{id: vault, recovery: true}]\n"
        "ways_back: [{recovery: vault, restores: 'Database::newer', why: nightly}]\n"
    )
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE gone (id int)")
    known = ["--database", url, "--assets", str(assets), "--output", str(graph)]
    assert CliRunner().invoke(cli, ["graph", "build", *known]).exit_code == 0
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE gone")
        connection.execute("CREATE TABLE b (a int REFERENCES a ON DELETE CASCADE)")
    script.write_text("DELETE FROM a;")
    arguments = ["blast", str(script), "--graph", str(graph), "--format", "json"]
    old = json.loads(CliRunner().invoke(cli, arguments).stdout)
    new = json.loads(CliRunner().invoke(cli, [*arguments, "--database", url]).stdout)
    assert [each["id"] for each in old["assets"]] == ["public.a"]
    assert [each["id"] for each in new["assets"]] == ["public.a", "public.b"]
    assert {each["fate"] for each in new["assets"]} == {"returns"}
    assert new["graph"]["assets"] == old["graph"]["assets"] + 1


def test_a_database_is_asked_from_the_shell(server: Server, tmp_path: Path) -> None:
    url = server.make("shell")
    with psycopg.connect(url) as connection:
        connection.execute(EVERYTHING)
    fill(url)
    script = tmp_path / "m.sql"
    script.write_text("DELETE FROM orders; INSERT INTO quiet_log VALUES (1);")
    arguments = ["blast", str(script), "--database", url, "--format", "json"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    document = json.loads(result.stdout)
    reached = {each["id"]: each for each in document["assets"]}
    assert reached["public.order_line"]["rows_lost"] == ROWS
    assert reached["public.note"]["harm"] == "orphaned"
    assert reached["public.audit"]["because"] == "trigger `noted` adds rows to it"
    # What is asked for is only read.
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (ROWS,)


def test_a_database_that_cannot_be_reached_is_said() -> None:
    url = "postgresql://nobody:secret@/none?host=/nowhere"
    result = CliRunner().invoke(cli, ["graph", "build", "--database", url])
    assert result.exit_code == 2
    assert "the database cannot be read" in result.output and "secret" not in result.output
