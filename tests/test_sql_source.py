"""SQL scripts become changes: every statement is read, none is dropped, and nothing raises."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.plans.model import Change, Effect, Reading, RowBasis, Selector
from interlock.plans.sources import MAX_ARTIFACT_BYTES, Options
from interlock.plans.sources.sql.postgres import taxonomy
from interlock.plans.sources.sql.source import ACTIONS, ASSET_TYPES, DIALECTS, read


def reading(text: str, dialect: str = "postgres") -> Reading:
    return read("migration.sql", text, Options(dialect=dialect))


def shown(change: Change) -> str:
    """A change in one line: what is asserted of most of them."""
    opaque = "" if change.opaque is None else " opaque"
    return (
        f"{change.action.removeprefix('sql.')} {change.resource.id}"
        f" {change.effect} {change.selector} {change.reversibility}{opaque}"
    )


def check(text: str, *expected: str, dialect: str = "postgres") -> tuple[Change, ...]:
    """The script makes exactly these changes."""
    changes = reading(text, dialect).changes
    assert [shown(change) for change in changes] == list(expected)
    return changes


def only(text: str) -> Change:
    changes = reading(text).changes
    assert len(changes) == 1, [shown(change) for change in changes]
    return changes[0]


# --- how much a WHERE reaches

WHERES = {
    # No restriction at all.
    "TRUE": "all",
    "1=1": "all",
    "1 = 1 AND 2 > 1": "all",
    "1 + 1 = 2": "all",
    "NOT FALSE": "all",
    "NOT (1 = 2)": "all",
    "'t'::boolean": "all",
    "id = id": "all",
    "users.id = users.id": "all",
    "id >= id": "all",
    "users = users": "all",
    "id = 5 OR 1=1": "all",
    "id = 5 OR TRUE": "all",
    "id IN (SELECT id FROM users)": "all",
    "id IN (SELECT u.id FROM users u)": "all",
    "id = ANY(ARRAY(SELECT id FROM users))": "all",
    "name LIKE '%'": "all",
    "name LIKE '%%'": "all",
    "name ILIKE '%'": "all",
    "id IS NOT NULL": "all",
    "NOT (id IS NULL)": "all",
    "EXISTS (SELECT 1)": "all",
    "EXISTS (SELECT count(*) FROM orders)": "all",
    "5 IN (1, 5)": "all",
    "name IS NOT DISTINCT FROM name": "all",
    # Nothing.
    "FALSE": "none",
    "NULL": "none",
    "1=2": "none",
    "id = 5 AND FALSE": "none",
    "id <> id": "none",
    "id IS NULL": "none",
    "name NOT LIKE '%'": "none",
    "status NOT IN ('a', NULL)": "none",
    "id IN (SELECT id FROM users LIMIT 0)": "none",
    # One row, or a bounded number.
    "id = 5": "one 1",
    "5 = id": "one 1",
    "id = $1": "one 1",
    "users.id = 5": "one 1",
    "id = '6f1c'::uuid": "one 1",
    "user_id = 5": "one 1",
    "id = 5 AND random() < 2": "one 1",
    "id = (SELECT max(id) FROM users)": "one 1",
    "ctid = '(0,1)'": "one 1",
    "id IN (5)": "one 1",
    "id IN (1, 2, 3)": "some 3",
    "id IN (1, 1, 2)": "some 2",
    "id = 1 OR id = 2": "some 2",
    "id = ANY(ARRAY[1, 2])": "some 2",
    "id IN (VALUES (1), (2))": "some 2",
    "(id, name) IN ((1, 'a'), (2, 'b'))": "some 2",
    "id IN (SELECT id FROM users LIMIT 100)": "some 100",
    "id IN (SELECT id FROM users WHERE active ORDER BY id LIMIT 100)": "some 100",
    "ctid = ANY(ARRAY(SELECT ctid FROM users LIMIT 10))": "some 10",
    "id IN (SELECT id FROM users WHERE id = 4)": "one 1",
    # A plain restriction.
    "status = 'closed'": "some",
    "status <> 'closed'": "some",
    "status IN ('a', 'b')": "some",
    "status NOT IN ('a', 'b')": "some",
    "created_at < now() - interval '30 days'": "some",
    "created_at < '2024-01-01'": "some",
    "date_trunc('day', created_at) = '2024-01-01'": "some",
    "created_at BETWEEN '2024-01-01' AND '2024-02-01'": "some",
    "lower(email) = 'a@b.c'": "some",
    "email LIKE '%@example.com'": "some",
    "active": "some",
    "NOT active": "some",
    "active IS TRUE": "some",
    "deleted_at IS NULL": "some",
    "id > 1000": "some",
    "id = ANY($1)": "some",
    "data->>'kind' = 'x'": "some",
    "tags @> '{x}'": "some",
    "deleted_at IS NULL OR deleted_at < now()": "some",
    "amount < 5 OR amount > 10": "some",
    "(amount > 5 AND amount < 7) OR (amount > 10 AND amount < 20)": "some",
    "(status = 'a' AND id > 7) OR (status = 'b' AND id < 9)": "some",
    "random() < 0.5 AND status = 'a'": "some",
    "id IN (SELECT b.user_id FROM banned b)": "some",
    "id IN (SELECT user_id FROM banned)": "some",
    "EXISTS (SELECT 1 FROM banned b WHERE b.user_id = users.id)": "some",
    "NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = users.id)": "some",
    "EXISTS (SELECT 1 FROM users u WHERE u.id > users.id AND u.email = users.email)": "some",
    "id IN (SELECT id FROM users WHERE status = 'closed')": "some",
    # Nobody can tell, or somebody tries to hide that it is everything.
    "random() < 0.5": "unknown",
    "random() >= 0": "unknown",
    "is_obsolete(id)": "unknown",
    "is_obsolete(id) = true": "unknown",
    "id >= 0": "unknown",
    "id > 0": "unknown",
    "id > -1": "unknown",
    "id <> 0": "unknown",
    "NOT (id = 0)": "unknown",
    "id NOT IN (0)": "unknown",
    "id < 99999999999": "unknown",
    "id BETWEEN 0 AND 2147483647": "unknown",
    "id + 0 = id": "unknown",
    "id - id = 0": "unknown",
    "0 * id = 0": "unknown",
    "id * 0 = 0": "unknown",
    "id % 1 = 0": "unknown",
    "coalesce(id, id) = id": "unknown",
    "name <> ''": "unknown",
    "name >= ''": "unknown",
    "name LIKE '_%'": "unknown",
    "name LIKE $1": "unknown",
    "name ~ '.*'": "unknown",
    "name ~ 'a*'": "unknown",
    "name SIMILAR TO '%(a|)%'": "unknown",
    "left(name, 0) = ''": "unknown",
    "length(name) >= 0": "unknown",
    "amount > 5 OR amount <= 5": "unknown",
    "amount < 10 OR amount > 5": "unknown",
    "(amount < 10 AND name = 'a') OR amount >= 10": "unknown",
    "amount = 5 OR amount <> 5": "unknown",
    "status = 'a' OR NOT status = 'a'": "unknown",
    "active OR NOT active": "unknown",
    "(active) IS NOT UNKNOWN": "unknown",
    "email IS NULL OR email IS NOT NULL": "unknown",
    "email IS NOT NULL": "unknown",
    "CASE WHEN id > 5 THEN true ELSE true END": "unknown",
    "id IN (id, 1)": "unknown",
    "id = (SELECT id)": "unknown",
    "id = (SELECT u.id FROM users u WHERE u.id = users.id)": "unknown",
    "EXISTS (SELECT 1 FROM orders)": "unknown",
    "EXISTS (SELECT 1 FROM users u WHERE u.id = users.id)": "unknown",
    "id IN (SELECT id FROM banned)": "unknown",
    "id IN (SELECT id FROM users WHERE id >= 0)": "unknown",
    "id <= (SELECT max(id) FROM users)": "unknown",
    "tableoid = 'users'::regclass": "unknown",
    "'a' = lower('A')": "unknown",
    "$1": "unknown",
    "$1 = 5": "unknown",
    "tags @> '{}'": "unknown",
    "data <> ANY(ARRAY['a', 'b'])": "unknown",
    "created_at > '1970-01-01'": "unknown",
    "created_at < 'infinity'": "unknown",
}


@pytest.mark.parametrize("condition", WHERES)
def test_a_where_reaches_what_it_says(condition: str) -> None:
    for statement in ("DELETE FROM users WHERE ", "UPDATE users SET active = false WHERE "):
        written = [
            change
            for change in reading(statement + condition).changes
            if change.action in ("sql.delete", "sql.update")
        ]
        assert len(written) == 1
        reached = written[0].selector.value
        if written[0].row_basis == RowBasis.UPPER_BOUND:
            reached += f" {written[0].rows}"
        assert reached == WHERES[condition]


def test_no_where_is_everything() -> None:
    check("DELETE FROM users", "delete public.users delete_data all irreversible")
    check("DELETE FROM ONLY users", "delete public.users delete_data all irreversible")
    check("UPDATE users SET a = 1", "update public.users update all irreversible")
    check(
        "DELETE FROM users /* a /* b */ WHERE id=1 */",
        "delete public.users delete_data all irreversible",
    )


@pytest.mark.parametrize(
    ("statement", "selector"),
    [
        ("DELETE FROM u USING o WHERE u.id = o.uid", "some"),
        ("DELETE FROM u USING o WHERE u.id = u.id", "all"),
        ("DELETE FROM u USING o", "all"),
        ("DELETE FROM u USING o WHERE o.id = 5", "unknown"),
        ("DELETE FROM u USING o WHERE total > 5", "unknown"),
        ("DELETE FROM u USING o WHERE u.id = 5", "one"),
        ("DELETE FROM u USING u u2 WHERE u.id = u2.id", "unknown"),
        ("DELETE FROM u a USING u b WHERE a.id < b.id AND a.email = b.email", "some"),
        ("UPDATE u SET x = o.x FROM o WHERE o.uid = u.id", "some"),
        ("UPDATE u SET x = o.x FROM o", "all"),
        (
            "WITH b AS (SELECT id FROM users WHERE gone LIMIT 100)"
            " DELETE FROM users USING b WHERE users.id = b.id",
            "some",
        ),
        (
            "WITH b AS (SELECT id FROM users WHERE gone LIMIT 100)"
            " DELETE FROM users WHERE id IN (SELECT id FROM b)",
            "some",
        ),
        (
            "WITH b AS (SELECT id FROM users) DELETE FROM users WHERE id IN (SELECT id FROM b)",
            "all",
        ),
        ("WITH b AS (SELECT id FROM users) DELETE FROM users USING b WHERE users.id = b.id", "all"),
        ("DELETE FROM users USING (SELECT id FROM users) b WHERE users.id = b.id", "all"),
        ("UPDATE u SET x = b.x FROM (VALUES (1, 2)) AS b (id, x) WHERE u.id = b.id", "one"),
        (
            "WITH b AS (SELECT id FROM users)"
            " DELETE FROM users WHERE id IN (SELECT b.id FROM b JOIN c ON true)",
            "unknown",
        ),
        ("DELETE FROM users WHERE CURRENT OF c", "one"),
        ("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "some"),
        ("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE", "all"),
        (
            "MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "unknown",
        ),
    ],
)
def test_joined_tables_restrict_only_through_the_target(statement: str, selector: str) -> None:
    assert only(statement).selector == selector


def test_a_key_declared_in_the_script_decides() -> None:
    table = "CREATE TABLE IF NOT EXISTS x (a int); ALTER TABLE t ADD PRIMARY KEY (code);"
    assert reading(table + "DELETE FROM t WHERE code = 'x'").changes[-1].selector == Selector.ONE
    composite = "ALTER TABLE t ADD PRIMARY KEY (a, b);"
    assert reading(composite + "DELETE FROM t WHERE a = 1").changes[-1].selector == Selector.SOME
    both = reading(composite + "DELETE FROM t WHERE a = 1 AND b = 2").changes[-1]
    assert both.selector == Selector.ONE
    unique = "CREATE UNIQUE INDEX i ON t (email);"
    assert reading(unique + "DELETE FROM t WHERE email = 'x'").changes[-1].rows == 1


def test_rows_are_counted_where_they_are_written() -> None:
    one = only("INSERT INTO t VALUES (1)")
    assert (one.selector, one.rows, one.row_basis) == (Selector.ONE, 1, RowBasis.EXACT)
    three = only("INSERT INTO t VALUES (1), (2), (3)")
    assert (three.selector, three.rows, three.row_basis) == (Selector.SOME, 3, RowBasis.EXACT)
    ignored = only("INSERT INTO t VALUES (1), (2) ON CONFLICT DO NOTHING")
    assert (ignored.rows, ignored.row_basis) == (2, RowBasis.UPPER_BOUND)
    selected = only("INSERT INTO t SELECT * FROM s")
    assert (selected.selector, selected.rows) == (Selector.SOME, None)


# --- dangerous statements: none of them reads, and none looks harmless

HARMLESS = {Effect.READ, Effect.CREATE}

# Each line: what it must show, and the statement.
DANGEROUS = """
delete_data all      | DELETE FROM users WHERE TRUE
delete_data all      | TRUNCATE users, orders
delete_data all      | TRUNCATE users CASCADE
delete_data all      | DROP DATABASE prod
delete_data all      | DROP DATABASE prod WITH (FORCE)
delete_data all      | DROP TABLE users
delete_data all      | DROP TABLE IF EXISTS users CASCADE
delete_data all      | DROP SCHEMA app CASCADE
delete_data all      | DROP OWNED BY app
delete_data all      | DROP TYPE mood CASCADE
delete_data all      | DROP EXTENSION postgis CASCADE
delete_data all      | ALTER TABLE users DROP COLUMN email CASCADE
delete_data all      | WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d
delete_data all      | EXPLAIN ANALYZE DELETE FROM users
delete_data all      | EXPLAIN (ANALYZE, VERBOSE) DELETE FROM users
delete_data all      | EXPLAIN (ANALYZE true) DELETE FROM users
delete_data all      | COPY (DELETE FROM users RETURNING *) TO STDOUT
delete_data all      | CREATE TABLE x AS WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d
delete_data all      | PREPARE p AS DELETE FROM users; EXECUTE p
delete_data all      | PREPARE p AS DELETE FROM users RETURNING *; CREATE TABLE x AS EXECUTE p
delete_data all      | DO $$ BEGIN DELETE FROM users; END $$ LANGUAGE plpgsql
delete_data all      | DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$
delete_data all      | DO $$ BEGIN IF true THEN NULL; ELSE TRUNCATE users; END IF; END $$
delete_data all      | DO $$ BEGIN NULL; EXCEPTION WHEN OTHERS THEN DELETE FROM users; END $$
delete_data all      | DO $$ DECLARE c CURSOR FOR DELETE FROM users RETURNING *; BEGIN END $$
delete_data all      | SELECT 1; DROP TABLE users
delete_data all      | BEGIN; DELETE FROM users; COMMIT
delete_data all      | SELECT 'a\\'; DROP TABLE users; --'
delete_data all      | SELECT $$;$$; DROP TABLE users
delete_data some     | MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
delete_data one      | SELECT lo_unlink(1)
delete_data unknown  | TRUNCATE users CASCADE
delete_recovery one  | SELECT pg_drop_replication_slot('s')
delete_recovery one  | DROP SUBSCRIPTION sub
delete_recovery all  | ALTER SYSTEM SET archive_mode = off
delete_recovery all  | ALTER SYSTEM SET wal_level = minimal
delete_audit all     | DROP TRIGGER audit_trg ON users
delete_audit all     | DROP EXTENSION pgaudit
delete_audit all     | ALTER SYSTEM SET pgaudit.log = 'none'
delete_audit one     | ALTER TABLE users DISABLE TRIGGER audit_trg
disarm one           | DROP TRIGGER check_balance ON users
disarm one           | DROP POLICY p ON users
disarm one           | DROP PUBLICATION pub
disarm one           | DROP EVENT TRIGGER guard
disarm one           | ALTER EVENT TRIGGER guard DISABLE
disarm one           | ALTER TABLE users DISABLE TRIGGER t
disarm all           | ALTER TABLE users DISABLE TRIGGER ALL
disarm one           | ALTER TABLE users DISABLE ROW LEVEL SECURITY
disarm one           | ALTER TABLE users DROP CONSTRAINT users_org_fkey
disarm one           | ALTER TABLE users SET UNLOGGED
disarm one           | ALTER TABLE users REPLICA IDENTITY NOTHING
disarm one           | ALTER TABLE users SET (autovacuum_enabled = false)
disarm one           | SET session_replication_role = replica
disarm one           | SET LOCAL session_replication_role TO 'replica'
disarm one           | SELECT set_config('session_replication_role', 'replica', false)
disarm one           | ALTER ROLE app SET session_replication_role = replica
disarm one           | ALTER DATABASE prod SET session_replication_role = replica
disarm all           | ALTER SYSTEM SET fsync = off
disarm all           | ALTER SYSTEM RESET ALL
disarm one           | SET TRANSACTION READ WRITE
disarm one           | SELECT pg_promote()
disarm one           | CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING
escalate one         | ALTER ROLE app SUPERUSER
escalate one         | ALTER ROLE app PASSWORD 'x'
escalate one         | CREATE ROLE app SUPERUSER
escalate one         | GRANT ALL PRIVILEGES ON users TO bob
escalate all         | GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob
escalate one         | GRANT admin TO bob
escalate all         | ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob
escalate one         | SET ROLE postgres
escalate one         | RESET ROLE
escalate one         | SET SESSION AUTHORIZATION postgres
escalate one         | ALTER TABLE users OWNER TO bob
escalate one         | ALTER SCHEMA app OWNER TO bob
escalate one         | SECURITY LABEL FOR x ON TABLE t IS NULL
escalate all         | REASSIGN OWNED BY bob TO eve
escalate one         | SELECT pg_read_file('/etc/passwd')
escalate one         | SELECT * FROM pg_catalog.pg_ls_dir('/')
escalate all         | DELETE FROM pg_catalog.pg_class
escalate all         | UPDATE pg_class SET relname = 'x'
escalate one         | CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'
execute unknown      | COPY t FROM PROGRAM 'rm -rf /'
execute unknown      | COPY (SELECT 1) TO PROGRAM 'curl x'
execute all          | COPY t TO '/tmp/x'
execute one          | CREATE EXTENSION plpython3u
execute one          | CREATE LANGUAGE plpython3u
execute one          | LOAD 'evil.so'
execute one          | CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'evil.so', 'f'
execute one          | CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'import os'
execute unknown      | DO $$ import os $$ LANGUAGE plpython3u
execute all          | ALTER SYSTEM SET archive_command = 'rm -rf /'
execute one          | SELECT lo_export(1, '/tmp/x')
execute one          | SELECT dblink_exec('dbname=prod', 'DELETE FROM users')
execute unknown      | \\! rm -rf /
execute unknown      | SELECT 'DROP TABLE users' \\gexec
execute unknown      | \\echo `rm -rf /`
execute unknown      | \\copy t from program 'curl x'
update unknown       | SELECT pg_terminate_backend(pid) FROM pg_stat_activity
update one           | SELECT pg_terminate_backend(5)
update some          | SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'x'
update one           | SELECT setval('users_id_seq', 1)
update one           | SET search_path TO evil, public
disarm one           | ALTER VIEW v SET (security_invoker = off)
disarm one           | ALTER VIEW v RESET (security_barrier)
disarm one           | ALTER TABLE users SET (autovacuum_enabled = off)
update all           | CLUSTER users USING i
update one           | MERGE INTO t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 1
delete_data unknown  | DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY a FETCH FIRST 1 ROW WITH TIES)
update all           | RESET ALL
update all           | ALTER TABLE users ALTER COLUMN id TYPE int USING id::int
update all           | ALTER TABLE m DETACH PARTITION m_2020
update one           | ALTER TABLE users RENAME TO users_old
update all           | DROP ROLE app_user
update one           | DROP TABLESPACE ts1
update one           | DROP SERVER s CASCADE
update one           | DROP INDEX i
update one           | DROP MATERIALIZED VIEW mv
update all           | REINDEX DATABASE prod
update one           | INSERT INTO u(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET gone = true
unknown unknown      | DO $$ BEGIN EXECUTE 'DR' || 'OP TABLE ' || quote_ident('users'); END $$
unknown unknown      | CREATE RULE r AS ON INSERT TO users DO INSTEAD DELETE FROM users
unknown unknown      | EXECUTE p
unknown unknown      | SELECT wipe()
unknown unknown      | VALUES (wipe())
unknown unknown      | SELECT * FROM t WHERE wipe() = 1
unknown unknown      | SELECT evil.lower('x')
unknown unknown      | CALL wipe()
unknown unknown      | SELECT 1 === 2
unknown unknown      | SELECT 1 OPERATOR(evil.=) 2
unknown unknown      | SELECT * FROM t ORDER BY a USING <<<
unknown unknown      | SELECT 'on' AS "SINGLELINE" \\gset
unknown unknown      | CREATE OPERATOR = (FUNCTION = f, LEFTARG = x, RIGHTARG = x); SELECT 1 = 1
unknown unknown      | SET search_path = evil, pg_catalog; SELECT lower('x')
unknown unknown      | CREATE TABLE t (a int DEFAULT wipe()); INSERT INTO t DEFAULT VALUES
unknown unknown      | CREATE VIEW v AS SELECT wipe(); SELECT * FROM v
unknown unknown      | CREATE VIEW v AS SELECT wipe(); CREATE VIEW w AS TABLE v; SELECT * FROM w
unknown unknown      | CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT f(1, 2)
unknown unknown      | /* DROP TABLE users
unknown unknown      | ALTER TABLE o ADD COLUMN z int DEFAULT wipe()
unknown unknown      | EXPLAIN SELECT wipe()
unknown unknown      | SELECT query_to_xml('SELECT wipe()', true, true, '')
unknown unknown      | SELECT database_to_xml(true, true, '')
unknown unknown      | SELECT set_config(a, b, false) FROM t
unknown unknown      | CREATE EXTENSION somebodys_extension
unknown unknown      | COMMIT PREPARED 'x'
unknown unknown      | \\i evil.sql
delete_data all      | \\copy (DELETE FROM users RETURNING *) to 'x.csv'
unknown unknown      | \\connect other
unknown unknown      | SELECT 1 DROP TABLE users
unknown unknown      | SELECT\u00a01; DROP TABLE users
unknown unknown      | SELECT 1\x00; DROP TABLE users
"""


def dangerous() -> list[tuple[str, str]]:
    rows = [line.split("|", 1) for line in DANGEROUS.strip().split("\n")]
    return [(" ".join(left.split()), right.strip(" ")) for left, right in rows]


@pytest.mark.parametrize(("expected", "statement"), dangerous())
def test_a_dangerous_statement_shows_its_effect(expected: str, statement: str) -> None:
    changes = reading(statement.replace("\\\\", "\\")).changes
    assert expected in [f"{change.effect} {change.selector}" for change in changes]
    for change in changes:
        assert change.effect != Effect.UNKNOWN or change.opaque is not None


BENIGN = """
SELECT 1
SELECT * FROM users WHERE id = 5 FOR UPDATE
SELECT count(*), max(created_at), coalesce(name, '') FROM users GROUP BY 3 HAVING count(*) > 1
SELECT lower(name), now(), gen_random_uuid(), nextval('s') FROM users ORDER BY 1 LIMIT 3
SELECT * FROM a JOIN b USING (id) LEFT JOIN LATERAL generate_series(1, a.n) g ON true
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
SELECT xmlelement(name foo), extract(year FROM now()), position('a' in 'b'), current_user
VALUES (1), (2)
TABLE users
EXPLAIN DELETE FROM users
EXPLAIN (ANALYZE false) DELETE FROM users
EXPLAIN ANALYZE SELECT * FROM users
SHOW search_path
BEGIN
COMMIT
SAVEPOINT a
LOCK TABLE users IN ACCESS EXCLUSIVE MODE
LISTEN x
DECLARE c CURSOR FOR SELECT * FROM users
FETCH ALL FROM c
CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x text DEFAULT my_default())
CREATE TABLE IF NOT EXISTS t (id int REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE)
CREATE TABLE x AS SELECT * FROM users
SELECT * INTO newt FROM users
CREATE INDEX CONCURRENTLY i ON users (lower(email))
CREATE UNIQUE INDEX i ON users (email) WHERE deleted_at IS NULL
CREATE VIEW v AS SELECT my_function(id) FROM users
CREATE MATERIALIZED VIEW v AS SELECT * FROM users
CREATE SCHEMA app CREATE TABLE t (a int)
CREATE TYPE mood AS ENUM ('sad', 'ok')
CREATE EXTENSION IF NOT EXISTS pgcrypto
CREATE SEQUENCE s
CREATE TRIGGER tr BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM users; END $$
CREATE ROLE app LOGIN
INSERT INTO users (id, name) VALUES (1, 'DROP TABLE users; DELETE')
INSERT INTO users SELECT * FROM old_users
ALTER TABLE users ADD COLUMN a int NOT NULL DEFAULT 0
ALTER TABLE users ADD CONSTRAINT f FOREIGN KEY (o) REFERENCES orgs (id) ON DELETE CASCADE
ALTER TABLE users ALTER COLUMN a SET NOT NULL, ALTER COLUMN a DROP DEFAULT
ALTER TYPE mood ADD VALUE 'happy'
COMMENT ON TABLE users IS 'x'
VACUUM ANALYZE users
REFRESH MATERIALIZED VIEW mv
SET statement_timeout = 0
SET standard_conforming_strings = on
SELECT pg_catalog.set_config('search_path', '', false)
COPY users TO STDOUT
COPY (SELECT * FROM users) TO STDOUT
DO $$ BEGIN RAISE NOTICE 'DELETE %', 1; PERFORM count(*) FROM users; END $$
DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM users LOOP NULL; END LOOP; END $$
PREPARE p AS SELECT * FROM users WHERE id = $1; EXECUTE p(5); DEALLOCATE p
\\echo hello
\\set ON_ERROR_STOP on
\\timing on
"""


@pytest.mark.parametrize("statement", BENIGN.strip().split("\n"))
def test_a_benign_statement_is_not_opaque_and_takes_nothing_away(statement: str) -> None:
    changes = reading(statement.replace("\\\\", "\\")).changes
    assert changes
    for change in changes:
        assert change.opaque is None, change.opaque
        assert change.effect in {Effect.READ, Effect.CREATE, Effect.UPDATE}


# --- what is made in the script may go in the script


@pytest.mark.parametrize(
    "script",
    [
        "BEGIN; CREATE TABLE t (a int); DROP TABLE t",
        "CREATE TEMP TABLE t (a int); DELETE FROM t; DROP TABLE t",
        "BEGIN; CREATE TABLE t AS SELECT * FROM users; TRUNCATE t",
        "BEGIN; SELECT * INTO t FROM users; DELETE FROM t",
        "BEGIN; CREATE TABLE t (a int, b int); ALTER TABLE t DROP COLUMN b",
        "BEGIN; CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; DROP TABLE u",
        "BEGIN; CREATE TABLE public.t (a int); DROP TABLE t",
        "BEGIN; CREATE TEMP TABLE t (a int) ON COMMIT DROP; DELETE FROM t; COMMIT",
    ],
)
def test_what_the_script_made_is_no_loss(script: str) -> None:
    effects = {change.effect for change in reading(script).changes}
    assert effects <= {Effect.READ, Effect.CREATE, Effect.UPDATE}


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE t (a int); DROP TABLE t",
        "BEGIN; CREATE TABLE t (a int); COMMIT; TRUNCATE t",
        "CREATE TABLE t AS SELECT * FROM users; DELETE FROM t",
    ],
)
def test_outside_a_transaction_a_table_may_be_older_than_the_script(script: str) -> None:
    """When CREATE fails because the table is there, a client that goes on drops what was there."""
    assert Effect.DELETE_DATA in {change.effect for change in reading(script).changes}


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE IF NOT EXISTS t (a int); DROP TABLE t",
        "CREATE TABLE t (a int); DROP TABLE t; DROP TABLE t",
        "DROP TABLE t; CREATE TABLE t (a int)",
        "CREATE TABLE t (a int); DROP TABLE other.t",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; DROP TABLE t",
        "BEGIN; CREATE TABLE t (a int); ROLLBACK; DROP TABLE t",
        "CREATE TEMP TABLE t (a int); DELETE FROM public.t",
        "CREATE TEMP TABLE t (a int) ON COMMIT DROP; DELETE FROM t",
        "CREATE TEMP TABLE t (a int); DISCARD ALL; DELETE FROM t",
        "DO $$ BEGIN IF x THEN CREATE TABLE t (a int); END IF; END $$; DROP TABLE t",
        "CREATE FOREIGN TABLE t (a int) SERVER s; DELETE FROM t",
        "CREATE TABLE t (a int); ALTER TABLE t ATTACH PARTITION old DEFAULT; DROP TABLE t",
        "CREATE TABLE t (a int); ALTER TABLE old INHERIT t; TRUNCATE t",
        "CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO ALSO DELETE FROM u;"
        "DELETE FROM t",
        "CREATE SCHEMA s; CREATE TABLE s.t (a int); ALTER SCHEMA s RENAME TO s2; DROP TABLE s.t",
    ],
)
def test_what_may_be_older_than_the_script_is_a_loss(script: str) -> None:
    assert Effect.DELETE_DATA in {change.effect for change in reading(script).changes}


# --- the tables of knowledge


def test_a_table_with_an_unknown_effect_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "effect": "explode",
        "reversibility": "reversible",
        "why": "",
        "source": "",
        "names": "f",
    }
    empty = {"names": ""}
    broken = {"harmless": empty, "volatile": empty, "operators": empty, "extensions": []}
    monkeypatch.setattr(taxonomy, "_read", lambda name: broken | {"effects": [row]})
    with pytest.raises(ValueError, match="explode"):
        taxonomy.functions.__wrapped__()


def test_every_row_names_its_source() -> None:
    table = taxonomy.postgres()
    sources = [
        *(row.source for row in table.drop.values()),
        *(row.source for row in table.settings.values()),
        *(row.source for row in table.statements.values()),
        *(row.source for row in taxonomy.functions().effects.values()),
    ]
    assert all(source.startswith("https://") for source in sources)


# --- names


def test_a_change_names_its_table_with_its_schema() -> None:
    drop = only('DROP TABLE "Order Items"')
    assert (drop.resource.id, drop.resource.name) == ("public.Order Items", "Order Items")
    assert drop.resource.kind == "postgres.table"
    assert drop.resource.stateful
    assert only("DELETE FROM app.users").resource.id == "app.users"
    assert only('DELETE FROM "a.b"').resource.id == 'public."a.b"'
    # A table is never in another database, so naming it so must not change its id.
    assert only("DELETE FROM prod.public.users").resource.id == "public.users"


@pytest.mark.parametrize(
    ("script", "id", "is_sure"),
    [
        ("SET search_path = app; DELETE FROM t", "app.t", True),
        ("SET search_path TO 'app'; DELETE FROM t", "app.t", True),
        ('SET search_path = "$user", app; DELETE FROM t', "app.t", True),
        ("SELECT set_config('search_path', 'app', false); DELETE FROM t", "app.t", True),
        ("SET search_path = a, b; DELETE FROM t", "a.t", False),
        ("SET search_path = a, b; DELETE FROM c.t", "c.t", True),
        ("SET search_path = a, b; CREATE TABLE t (i int); TRUNCATE t", "a.t", True),
        ("SET search_path = app; RESET search_path; DELETE FROM t", "public.t", True),
        ("BEGIN; SET LOCAL search_path = app; COMMIT; DELETE FROM t", "public.t", True),
        ("BEGIN; SET search_path = app; ROLLBACK; DELETE FROM t", "app.t", False),
        ("SELECT set_config('search_path', x, false) FROM y; DELETE FROM t", "public.t", False),
        ("CREATE TEMP TABLE t (i int); DELETE FROM t", "pg_temp.t", True),
        ("SET search_path = a, pg_temp; CREATE TEMP TABLE t (i int); DROP TABLE t", "a.t", False),
        (
            "SET search_path = pg_temp, a; CREATE TEMP TABLE t (i int); DROP TABLE t",
            "pg_temp.t",
            True,
        ),
    ],
)
def test_the_search_path_decides_or_the_change_is_opaque(
    script: str, id: str, is_sure: bool
) -> None:
    last = reading(script).changes[-1]
    assert last.resource.id == id
    assert (last.opaque is None) == is_sure


def test_each_target_and_each_subcommand_is_a_change() -> None:
    check(
        "TRUNCATE a, app.b",
        "truncate public.a delete_data all irreversible",
        "truncate app.b delete_data all irreversible",
    )
    check(
        "DROP TABLE a, b",
        "drop public.a delete_data all irreversible",
        "drop public.b delete_data all irreversible",
    )
    check(
        "ALTER TABLE t ADD COLUMN a int, DROP COLUMN b",
        "alter public.t update one reversible",
        "drop public.t delete_data all irreversible",
    )
    check(
        "WITH a AS (DELETE FROM x RETURNING *), b AS (UPDATE y SET z = 1) INSERT INTO w TABLE a",
        "insert public.w create some reversible",
        "delete public.x delete_data all irreversible",
        "update public.y update all irreversible",
    )


# --- bodies


def test_calling_a_function_of_the_script_applies_its_body() -> None:
    define = "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM users';"
    check(define, "create public.wipe create one reversible")
    check(
        define + "SELECT wipe()",
        "create public.wipe create one reversible",
        "read current read none reversible",
        "delete public.users delete_data all irreversible",
    )
    atomic = "CREATE PROCEDURE wipe() LANGUAGE sql BEGIN ATOMIC DELETE FROM users; SELECT 1; END;"
    assert shown(reading(atomic + "CALL wipe()").changes[-1]).startswith("delete public.users")
    body = "$$ BEGIN TRUNCATE users; END $$;"
    procedure = "CREATE PROCEDURE wipe() LANGUAGE plpgsql AS " + body
    assert shown(reading(procedure + "CALL wipe()").changes[-1]).startswith("truncate")


def test_a_trigger_of_the_script_runs_its_body() -> None:
    script = (
        "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM users; RETURN NULL; END $$;"
        "CREATE TRIGGER t AFTER INSERT ON x FOR EACH ROW EXECUTE FUNCTION t();"
        "INSERT INTO x VALUES (1)"
    )
    assert shown(reading(script).changes[-1]).startswith("delete public.users delete_data all")


def test_what_a_body_may_have_made_is_not_relied_on() -> None:
    def last(block: str, statement: str) -> Change:
        script = f"DO $$ BEGIN IF false THEN {block}; END IF; END $$; {statement}"
        return reading(script).changes[-1]

    assert last("CREATE TEMP TABLE users (a int)", "DELETE FROM users").opaque is not None
    keyed = last("ALTER TABLE users ADD PRIMARY KEY (a)", "DELETE FROM users WHERE a = 1")
    assert keyed.selector == Selector.SOME
    define = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert last(define, "SELECT f()").opaque is not None


def test_an_argument_is_no_column() -> None:
    define = (
        "CREATE FUNCTION gone(p_id int) RETURNS void LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM users WHERE id = p_id; END $$;"
    )
    assert reading(define + "SELECT gone(5)").changes[-1].selector == Selector.ONE


@pytest.mark.parametrize(
    ("loop", "selector", "rows"),
    [
        ("for r in select id from users loop {} end loop", Selector.ALL, None),
        ("for r in select id from users where age > 5 loop {} end loop", Selector.SOME, None),
        ("for r in select id from users where id in (1, 2) loop {} end loop", Selector.SOME, 2),
        ("for r in select id from users where id = 5 loop {} end loop", Selector.ONE, 1),
        ("for r in select id from users limit 7 loop {} end loop", Selector.SOME, 7),
        ("for r in values (1), (2) loop {} end loop", Selector.SOME, 2),
        ("for r in c loop {} end loop", Selector.SOME, None),
        ("for r in execute 'select 1 as id' loop {} end loop", Selector.UNKNOWN, None),
        ("foreach i in array array[1, 2, 3] loop {} end loop", Selector.SOME, 3),
        ("foreach i in array a loop {} end loop", Selector.SOME, None),
        ("for i in 1..10 loop {} end loop", Selector.SOME, 10),
        ("for i in reverse 10..1 loop for j in 1..2 loop {} end loop; end loop", Selector.SOME, 20),
        ("for i in 1..n loop {} end loop", Selector.UNKNOWN, None),
        ("while n < 5 loop {} end loop", Selector.UNKNOWN, None),
        ("loop fetch c into r; exit when not found; {} end loop", Selector.UNKNOWN, None),
        ("for r in select id from users loop null; end loop; {} null", Selector.ONE, 1),
    ],
)
def test_a_write_in_a_loop_reaches_as_many_rows_as_the_loop_gives(
    loop: str, selector: Selector, rows: int | None
) -> None:
    declared = "r record; i int; n int; a int[]; c cursor for select * from users where age > 5;"
    for key in ("r.id", "i"):
        body = loop.format(f"delete from users where id = {key};")
        (found,) = reading(f"do $$ declare {declared} begin {body}; end $$").changes
        assert (found.selector, found.rows) == (selector, rows)
    fixed = loop.format("delete from users where id = 5;")
    (found,) = reading(f"do $$ declare {declared} begin {fixed}; end $$").changes
    assert (found.selector, found.rows) == (Selector.ONE, 1)


def test_a_limit_bounds_only_one_round() -> None:
    def last(loop: str, inner: str) -> Change:
        write = f"delete from logs where id in (select id from logs {inner} limit 100)"
        return reading(f"do $$ begin {loop} {write}; end loop; end $$").changes[-1]

    assert last("loop", "where age > 5").selector == Selector.SOME
    assert last("loop", "where age > 5").rows is None
    assert last("loop", "").selector == Selector.ALL
    assert last("for i in 1..3 loop", "").rows == 300


def test_a_routine_runs_for_each_row_that_calls_it() -> None:
    define = (
        "create function del(i int) returns void language sql as 'delete from users where id = i';"
    )

    def last(call: str) -> Selector:
        return reading(define + call).changes[-1].selector

    assert last("select del(5)") == Selector.ONE
    assert last("select del(id) from users") == Selector.ALL
    assert last("select del(id) from users where id = 5") == Selector.ONE
    assert last("update orders set x = del(user_id) where state = 'x'") == Selector.SOME
    twice = "do $$ begin perform del(5); loop perform del(n); end loop; end $$"
    assert last(twice) == Selector.UNKNOWN
    recursive = define.replace("id = i", "id = i; select del(i + 1)")
    assert reading(recursive + "select del(1)").changes[-1].selector == Selector.UNKNOWN


def test_a_trigger_shows_what_it_will_do_by_itself() -> None:
    function = "create {} function t() returns trigger language plpgsql as $$ begin {}; return new; end $$;"
    trigger = "create trigger t after insert on x for each row execute function t();"

    def effects(body: str, replaces: str = "", then: str = trigger) -> list[Effect]:
        return [one.effect for one in reading(function.format(replaces, body) + then).changes]

    assert effects("delete from audit", then="") == [Effect.CREATE]
    assert effects("delete from audit")[-1] == Effect.DELETE_DATA
    assert effects("delete from audit", "or replace", "")[-1] == Effect.DELETE_DATA
    assert effects("new.at = now()") == [Effect.CREATE, Effect.CREATE]
    assert effects("execute 'x' || new.a")[-1] == Effect.UNKNOWN
    many = "update y set a = 1 where id = new.id"
    fires = reading(function.format("", many) + trigger + "insert into x select * from z")
    assert [one.selector for one in fires.changes if one.effect == Effect.UPDATE] == [
        Selector.ONE,
        Selector.SOME,
    ]


def test_what_takes_the_name_of_a_renamed_table_stands_in_its_place() -> None:
    def effect(script: str) -> Effect:
        return reading(script).changes[-1].effect

    away = "alter table a rename to b;"
    assert effect(away + "alter table c rename to a") == Effect.DELETE_DATA
    assert effect(away + "create table a (x int)") == Effect.DELETE_DATA
    assert (
        effect(away + "alter table b rename to d; alter table c rename to a") == Effect.DELETE_DATA
    )
    assert effect(away + "alter table b rename to a") == Effect.UPDATE
    assert effect(away + "alter table b rename to a; alter table c rename to b") == Effect.UPDATE
    assert effect(away + "create view a as select 1") == Effect.CREATE
    assert effect(away + "alter table c rename to d") == Effect.UPDATE
    new = "begin; create table n (x int); alter table n rename to m; alter table c rename to n"
    assert effect(new) == Effect.UPDATE


def test_functions_that_call_each_other_end() -> None:
    script = "".join(
        f"CREATE FUNCTION f{n}() RETURNS int LANGUAGE sql AS"
        f" 'SELECT f{(n + 1) % 9}(); SELECT f{(n + 2) % 9}()';"
        for n in range(9)
    )
    assert reading(script + "SELECT f0()").changes


def test_a_change_in_a_block_stands_at_its_own_line() -> None:
    script = "-- 𝄞\nDO $$\nBEGIN\n  PERFORM 1; /* 𝄞 */ DELETE FROM a;\n  TRUNCATE b;\nEND $$;"
    lines = [(c.action, c.source.line, c.source.column) for c in reading(script).changes]
    assert lines == [("sql.delete", 4, 22), ("sql.truncate", 5, 3)]


# --- splitting


def test_a_broken_statement_does_not_swallow_the_rest() -> None:
    changes = reading("SELEC 𝄞;\nDROP TABLE t;\nDELETE FROM;\nDROP TABLE u").changes
    assert [change.action for change in changes] == [
        "sql.unread",
        "sql.drop",
        "sql.unread",
        "sql.drop",
    ]
    assert changes[0].opaque is not None
    assert "syntax error" in changes[0].opaque
    assert [change.source.line for change in changes] == [1, 2, 3, 4]


def test_columns_count_code_points() -> None:
    changes = reading("SELECT '𝄞𝄞'; /* 𝄞 */ DROP TABLE \"𝄞\";  SELECT '𝄞', wipe()").changes
    assert [change.source.column for change in changes] == [1, 22, 39, 51]
    assert changes[1].resource.id == "public.𝄞"
    assert changes[1].source.text == 'DROP TABLE "𝄞"'


def test_copy_data_is_no_statement() -> None:
    script = "COPY t FROM stdin;\n1\tO'Brien; DROP TABLE t;\n\\.\nDROP TABLE u;"
    assert [change.resource.id for change in reading(script).changes] == ["public.t", "public.u"]


@pytest.mark.parametrize(
    "script",
    [
        # Without psql the server reads these lines as statements.
        "COPY t FROM stdin;\nDROP TABLE users;\n",
        "COPY t FROM stdin;\nDROP TABLE users; /*\n\\.\n*/",
    ],
)
def test_statements_cannot_hide_in_copy_data(script: str) -> None:
    effects = {change.effect for change in reading(script).changes}
    assert effects & {Effect.DELETE_DATA, Effect.UNKNOWN}


@pytest.mark.parametrize(
    "script",
    [
        "SELECT E'a\\'; DROP TABLE t; --'",
        "SELECT E'a' \n 'b\\'; DROP TABLE t; --'",
        "SELECT $a$ $b$; DROP TABLE t; $a$",
        'SELECT 1 AS "; DROP TABLE t; "',
        "/* /* */ ; DROP TABLE t; */ SELECT 1",
        "SELECT 1 -- ; DROP TABLE t",
        "SELECT a$$b; SELECT 1 AS x$$",
        "SELECT 'it''s; DROP TABLE t'",
    ],
)
def test_a_quoted_semicolon_ends_nothing(script: str) -> None:
    assert "sql.drop" not in {change.action for change in reading(script).changes}


def test_changed_string_rules_make_backslashes_opaque() -> None:
    script = "SET standard_conforming_strings = off; SELECT '\\''; DROP TABLE t; --'"
    assert reading(script).changes[-1].opaque is not None


def test_sending_a_statement_again_is_opaque() -> None:
    assert reading("DELETE FROM users WHERE id = 5 \\g").changes[-1].opaque is None
    assert reading("DELETE FROM users WHERE id = 5; \\g").changes[-1].opaque is not None


def test_a_psql_command_inside_a_statement_leaves_it_whole() -> None:
    changes = reading("DELETE FROM users\n\\echo hello\nWHERE id = 5;").changes
    assert [c.selector for c in changes if c.action == "sql.delete"] == [Selector.ONE]


# --- limits


def test_an_empty_script_changes_nothing() -> None:
    for text in ("", "  \n", ";;;", "-- nothing\n/* at all */"):
        assert reading(text).changes == ()
        assert reading(text).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000,
        "SELECT 1" + " + 1" * 200_000,
        "SELECT " + "NOT " * 100_000 + "true",
        "SELECT " + "(1+" * 900 + "1" + "+1)" * 900,
        "SELECT 1" + " UNION SELECT 1" * 50_000,
        "SELECT 1" + "::int" * 100_000,
        "DO $$ BEGIN PERFORM 1" + " + 1" * 200_000 + "; END $$",
        "DO $$ " + "BEGIN " * 50_000 + "$$",
        "/*" * 100_000,
        "'" * 100_001,
        "$" * 100_000,
    ],
    ids=lambda text: str(text)[:18],
)
def test_deep_nesting_is_opaque_and_no_crash(text: str) -> None:
    changes = reading(text).changes
    assert all(change.opaque is not None for change in changes)


def test_a_complaint_quotes_only_the_beginning() -> None:
    assert len(only("'" + "x" * 100_000).opaque or "") < 300


def test_calling_a_routine_too_often_is_opaque() -> None:
    body = "DELETE FROM t WHERE a = 1; " * 500
    define = f"CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN {body} END $$;"
    assert reading(define + "CALL p();" * 100).changes[-1].opaque is not None


def test_a_long_list_is_not_deep() -> None:
    ids = ", ".join(str(number) for number in range(20_000))
    assert only(f"DELETE FROM t WHERE id IN ({ids})").rows == 20_000
    conditions = " OR ".join(f"id = {number}" for number in range(2_000))
    assert only(f"DELETE FROM t WHERE {conditions}").rows == 2_000


def test_a_script_that_is_too_large_is_a_problem() -> None:
    result = reading(" " * (MAX_ARTIFACT_BYTES + 1))
    assert result.changes == ()
    assert "larger than" in result.problems[0].message


def test_an_unknown_dialect_is_a_problem() -> None:
    result = reading("DROP TABLE t", "sybase")
    assert result.changes == ()
    assert "sybase" in result.problems[0].message


def test_the_artifact_is_known_by_its_hash() -> None:
    artifact = reading("SELECT '𝄞'").artifact
    assert artifact.sha256 == hashlib.sha256("SELECT '𝄞'".encode()).hexdigest()
    assert (artifact.kind, artifact.tool_version) == ("sql", None)


def test_ids_number_the_changes() -> None:
    ids = [change.id for change in reading("DROP TABLE a, b; DELETE FROM c").changes]
    assert ids == ["1", "2", "3"]


def test_listing_the_sources_loads_no_parser() -> None:
    script = (
        "import sys, interlock.plans.sources, interlock.plans.sources.sql.source;"
        "assert not {'pglast', 'sqlglot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


WORDS = st.sampled_from(
    [
        "SELECT",
        "DELETE",
        "FROM",
        "users",
        "WHERE",
        "id",
        "=",
        "1",
        "(",
        ")",
        ";",
        "'",
        "$$",
        "$a$",
        '"',
        "/*",
        "*/",
        "--",
        "\n",
        "\\",
        "\\.",
        "\\;",
        "COPY",
        "stdin",
        "DROP",
        "TABLE",
        ",",
        "BEGIN",
        "ATOMIC",
        "END",
        "CREATE",
        "FUNCTION",
        "AS",
        "E'",
        "𝄞",
        "\x00",
        "DO",
        "LANGUAGE",
        "sql",
        "OR",
        "NOT",
        "IN",
    ]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=30).map(" ".join)), st.sampled_from(DIALECTS))
def test_any_text_is_read_without_raising(text: str, dialect: str) -> None:
    for change in reading(text, dialect).changes:
        assert change.action in ACTIONS
        assert change.resource.type in ASSET_TYPES
        assert (change.effect != Effect.UNKNOWN) or change.opaque is not None
