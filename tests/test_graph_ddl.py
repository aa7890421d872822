"""A schema offline says the same as the database made from it: what goes, by which path."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from blast_databases import EVERYTHING, SCHEMAS, Server, sample
from graphs import reach
from postgres import running_server
from test_blast_postgres import STATEMENTS, graph_of, needs_samples, radius_of

from interlock.plans.blast_spread import Harm
from interlock.plans.graph import Event, Graph, build
from interlock.plans.graph_builders import ddl
from interlock.plans.sources import Options
from interlock.plans.sources.sql.source import read


def offline(text: str, dialect: str = "postgres") -> Graph:
    return build([ddl.build("x", [("schema.sql", text)], dialect)], None)


def reached(graph: Graph, statement: str) -> dict[str, str]:
    """Table or view → what happens to it."""
    found = radius_of(graph, statement)
    return {
        each.resource.id: str(each.harm)
        for each in found.reached
        if each.resource.type in ("Table", "View") and each.is_certain
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as url:
        if url is None:
            pytest.skip("PostgreSQL is not installed")
        yield Server(url)


def check_same(live: Graph, schema: Graph) -> None:
    tables = [each.id for each in live.resources.values() if each.type == "Table"]
    assert tables
    for table in tables:
        for template in STATEMENTS:
            statement = template.format(table)
            assert reached(schema, statement) == reached(live, statement), statement


@needs_samples
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("pagila", "pagila-schema.sql"),
        ("northwind", "northwind.sql"),
        ("chinook", "Chinook_PostgreSql.sql"),
    ],
)
def test_a_schema_offline_reaches_what_the_database_does(
    name: str, file: str, server: Server, tmp_path: Path
) -> None:
    live = graph_of(sample(server, name, tmp_path))
    check_same(live, offline((SCHEMAS / file).read_text(encoding="utf-8")))


def test_every_kind_of_object_is_the_same_offline(server: Server) -> None:
    url = server.make("everything_offline")
    with psycopg.connect(url) as connection:
        connection.execute(EVERYTHING)
    check_same(graph_of(url), offline(EVERYTHING))


@needs_samples
@pytest.mark.parametrize(
    ("dialect", "file"), [("mysql", "Chinook_MySql.sql"), ("sqlite", "Chinook_Sqlite.sql")]
)
def test_other_dialects_have_the_same_keys(dialect: str, file: str) -> None:
    text = (SCHEMAS / file).read_text(encoding="utf-8")
    # The rows are long to read and define nothing.
    definitions = ";\n".join(
        each for each in text.split(";\n") if not each.lstrip().startswith("INSERT")
    )
    some = offline(definitions, dialect)
    assert some.problems == ()
    keys = {
        (some.resources[edge.source].id, some.resources[edge.target].id)
        for edge in some.edges()
        if Event.TRUNCATE_CASCADE in edge.on
    }
    assert keys == {
        ("Artist", "Album"),
        ("Employee", "Customer"),
        ("Customer", "Invoice"),
        ("Invoice", "InvoiceLine"),
        ("Track", "InvoiceLine"),
        ("Playlist", "PlaylistTrack"),
        ("Track", "PlaylistTrack"),
        ("Album", "Track"),
        ("Genre", "Track"),
        ("MediaType", "Track"),
    }


def test_a_script_of_another_dialect_finds_its_tables() -> None:
    some = offline(
        "CREATE TABLE `a` (id int PRIMARY KEY);"
        "CREATE TABLE b (a_id int, FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE);"
        "CREATE VIEW v AS SELECT * FROM a",
        "mysql",
    )
    reading = read("m.sql", "DELETE FROM a", Options(dialect="mysql"))
    found = reach(some, *reading.changes)
    assert {each.resource.id for each in found.reached} == {"a", "b"}


def test_a_key_to_what_is_not_defined_is_a_problem() -> None:
    (problem,) = offline("SELECT 1;\nCREATE TABLE a (b int REFERENCES gone)").problems
    assert problem == "schema.sql:2: `a_b_fkey` refers to `public.gone`, which is not defined"


def test_what_does_not_parse_is_a_problem_with_its_line() -> None:
    (problem,) = offline("CREATE TABLE a (b int);\nCREATE TABEL c ()").problems
    assert problem.startswith("schema.sql:2: PostgreSQL's parser says")


def test_an_unknown_dialect_is_a_problem() -> None:
    (problem,) = offline("CREATE TABLE a (b int)", "cobol").problems
    assert "`cobol` is no dialect read here" in problem


def test_code_that_could_not_be_read_is_met_as_an_asset() -> None:
    some = offline(
        "CREATE TABLE a (b int);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NULL; END $$;"
        "CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION f();"
    )
    found = radius_of(some, "DELETE FROM a")
    (code,) = (each for each in found.reached if each.resource.type == "Unread")
    assert code.harm is Harm.UNKNOWN
    assert "runs code that could not be read" in code.because
    assert found.at_most == len(set(some.content(code.resource.container or "")))


def test_two_servers_may_have_databases_of_one_name() -> None:
    from interlock.plans.graph_builders import catalog

    parts = []
    for host in ("a", "b"):
        found = ddl.facts("app", [("schema.sql", "CREATE TABLE t (id int)")])
        found.identifiers = (f"host:{host}:5432",)
        parts.append(catalog.fragment(found))
    assert len(build(parts, None).named("Table", "public.t")) == 2
