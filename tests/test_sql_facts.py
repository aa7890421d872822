"""What a live PostgreSQL knows sharpens a reading: keys, rows, foreign keys, functions, triggers and views."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from postgres import running_server

from interlock.cli import cli
from interlock.cli.database import read_database
from interlock.plans.model import Change
from interlock.plans.sources import Options
from interlock.plans.sources.sql.postgres.facts import KEY, DatabaseFacts
from interlock.plans.sources.sql.source import read

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE NOT NULL, name text);
CREATE TABLE orders (code text PRIMARY KEY, uid int REFERENCES users ON DELETE CASCADE);
CREATE TABLE items (code text REFERENCES orders ON DELETE SET NULL, amount int);
CREATE TABLE notes (uid int REFERENCES users);
CREATE TABLE banned (id int);
CREATE TABLE log (uid int);
CREATE UNIQUE INDEX ON users (name) WHERE email <> '';
INSERT INTO users SELECT n, n || '@x', 'n' || n FROM generate_series(1, 1000) n;
INSERT INTO orders SELECT n::text, n FROM generate_series(1, 500) n;
INSERT INTO log SELECT n FROM generate_series(1, 70) n;
CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN 1; END $$;
CREATE FUNCTION wipe(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION sly() RETURNS int STABLE LANGUAGE sql AS 'SELECT wipe()';
CREATE FUNCTION calm(a int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION wipes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM banned; RETURN OLD; END $$;
CREATE VIEW seen AS SELECT wipe() AS w, id FROM users;
CREATE FUNCTION after_ban() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM log; RETURN NEW; END $$;
CREATE TRIGGER notes_after AFTER DELETE ON orders FOR EACH ROW WHEN (OLD.uid < 0) EXECUTE FUNCTION wipes();
CREATE TRIGGER banned_after AFTER INSERT ON banned FOR EACH ROW EXECUTE FUNCTION after_ban();
"""
EXPLAINED = (
    "DELETE FROM users WHERE id > 900; DELETE FROM users WHERE wipe() = 1; DELETE FROM nothing"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as conninfo:
        if conninfo is None:
            pytest.skip("PostgreSQL is not installed here")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(SCHEMA)
            connection.execute("ANALYZE")
        yield conninfo


@pytest.fixture(scope="module")
def facts(server: str) -> dict[str, object]:
    """The facts as they are after a journey through JSON."""
    with psycopg.connect(server) as connection:
        found = read_database(connection, [EXPLAINED])
    document: dict[str, object] = json.loads(found.model_dump_json())
    return document


def shown(change: Change) -> str:
    rows = "" if change.rows is None else f" {change.rows} {change.row_basis}"
    opaque = "" if change.opaque is None else " opaque"
    action = change.action.removeprefix("sql.")
    return f"{action} {change.resource.id} {change.effect} {change.selector}{rows}{opaque}"


ALL_USERS = "delete public.users delete_data all 1000 estimated"
CLEARED = "delete public.banned delete_data all"
ALONG = [
    CLEARED,
    "delete public.orders delete_data all 500 estimated",
    "delete public.items update all 0 estimated",
]
SOME_ALONG = [CLEARED, "delete public.orders delete_data some", "delete public.items update some"]
WIPED = "delete public.log delete_data all 70 estimated"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM users", [ALL_USERS, *ALONG]),
        ("DELETE FROM users WHERE id IS NOT NULL", [ALL_USERS, *ALONG]),
        ("DELETE FROM users WHERE email IS NOT NULL", [ALL_USERS, *ALONG]),
        (
            "DELETE FROM users WHERE name IS NOT NULL",
            ["delete public.users delete_data some", *SOME_ALONG],
        ),
        (
            "DELETE FROM users WHERE email = 'x'",
            ["delete public.users delete_data one 1 upper_bound", *SOME_ALONG],
        ),
        # An index on a part of the rows is no key, and a column is none by its name alone.
        (
            "DELETE FROM users WHERE name = 'x'",
            ["delete public.users delete_data some", *SOME_ALONG],
        ),
        ("DELETE FROM banned WHERE id = 5", ["delete public.banned delete_data some"]),
        (
            "DELETE FROM users WHERE id > 900",
            ["delete public.users delete_data some 100 estimated", *SOME_ALONG],
        ),
        # `id` is a column of the other table, or it is not.
        (
            "UPDATE users SET name = '' WHERE id IN (SELECT id FROM banned)",
            ["update public.users update some"],
        ),
        (
            "UPDATE users SET name = '' WHERE id IN (SELECT id FROM log)",
            ["update public.users update unknown"],
        ),
        (
            "TRUNCATE users CASCADE",
            [
                "truncate public.users delete_data all 1000 estimated",
                "truncate public.notes delete_data all 0 estimated",
                "truncate public.orders delete_data all 500 estimated",
                "truncate public.items delete_data all 0 estimated",
            ],
        ),
        ("DROP TABLE log", ["drop public.log delete_data all 70 estimated"]),
        ("SELECT calm(1)", ["read current read none"]),
        ("SELECT wipe()", ["read current read none", WIPED]),
        ("SELECT wipe(1)", ["read current read none"]),
        # A function that is not volatile may call one that is.
        ("SELECT sly()", ["read current read none", WIPED]),
        ("SELECT * FROM seen", ["read public.seen read all", WIPED]),
        (
            "INSERT INTO banned VALUES (1)",
            ["insert public.banned create one 1 exact", WIPED],
        ),
    ],
)
def test_the_database_decides_what_a_script_leaves_open(
    facts: dict[str, object], statement: str, expected: list[str]
) -> None:
    reading = read("a.sql", statement, Options(facts={KEY: facts}))
    assert not reading.problems
    assert sorted(map(shown, reading.changes)) == sorted(expected)


def test_only_plain_statements_are_explained_and_none_is_run(server: str) -> None:
    with psycopg.connect(server) as connection:
        found = read_database(connection, [EXPLAINED])
        assert set(found.estimates) == {"DELETE FROM users WHERE id > 900"}
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (70,)


def test_the_database_is_asked_read_only(server: str) -> None:
    with psycopg.connect(server) as connection:
        seen: list[str] = []

        class Listening(psycopg.Cursor[Any]):
            def execute(self, query: Any, *rest: Any, **named: Any) -> "Listening":
                seen.append(str(query))
                super().execute(query, *rest, **named)
                return self

        connection.cursor_factory = Listening
        read_database(connection)
    assert "READ ONLY" in seen[1]
    assert "statement_timeout" in seen[2]
    assert seen[-1] == "ROLLBACK"


def test_the_command_asks_keeps_and_reads_again(server: str, tmp_path: Path) -> None:
    script = tmp_path / "a.sql"
    script.write_text("DELETE FROM users WHERE email IS NOT NULL")
    kept = tmp_path / "facts.json"
    run = CliRunner()
    asked = run.invoke(
        cli, ["plan", str(script), "--database", server, "--facts", str(kept), "--format", "json"]
    )
    assert asked.exit_code == 0, asked.output
    again = run.invoke(cli, ["plan", str(script), "--facts", str(kept), "--format", "json"])
    assert again.exit_code == 0, again.output
    assert json.loads(again.output)["changes"] == json.loads(asked.output)["changes"]
    first = json.loads(asked.output)["changes"][0]
    assert (first["selector"], first["rows"], first["row_basis"]) == ("all", 1000, "estimated")
    refused = run.invoke(cli, ["gate", str(script), "--facts", str(kept)])
    assert refused.exit_code != 0


def test_wrong_facts_are_a_problem_and_not_ignored() -> None:
    reading = read("a.sql", "SELECT 1", Options(facts={KEY: {"tables": [{"nome": "x"}]}}))
    assert not reading.changes
    assert "facts of the database" in reading.problems[0].message


def test_an_address_that_does_not_answer_ends_the_run_without_its_password(tmp_path: Path) -> None:
    script = tmp_path / "a.sql"
    script.write_text("SELECT 1")
    url = "postgresql://bob:hunter2@127.0.0.1:1/x"
    found = CliRunner().invoke(cli, ["plan", str(script), "--database", url])
    assert found.exit_code != 0
    assert "hunter2" not in found.output


def test_facts_say_the_same_after_a_journey_through_json() -> None:
    facts = DatabaseFacts(path=("a", "b"), steady_functions=frozenset({"f"}), estimates={"x": 5})
    assert DatabaseFacts.model_validate_json(facts.model_dump_json()) == facts
