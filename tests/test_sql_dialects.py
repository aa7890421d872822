"""MySQL, SQLite, Snowflake, T-SQL and BigQuery: every statement is a change, a read, or opaque."""
# ruff: noqa: E501 - These statements are read and never run.

import pytest
import sqlglot

from interlock.plans.model import Change, Effect, RowBasis, Selector
from interlock.plans.sources import Options
from interlock.plans.sources.sql.dialects.forms import form, match
from interlock.plans.sources.sql.dialects.kept import lost
from interlock.plans.sources.sql.dialects.taxonomy import dialect_named
from interlock.plans.sources.sql.dialects.tokens import tokens
from interlock.plans.sources.sql.source import DIALECTS, read

OTHERS = tuple(dialect for dialect in DIALECTS if dialect != "postgres")


def changes_of(text: str, dialect: str) -> tuple[Change, ...]:
    reading = read("script.sql", text, Options(dialect=dialect))
    assert not reading.problems
    return reading.changes


def shown(change: Change) -> str:
    opaque = "" if change.opaque is None else " opaque"
    action = change.action.removeprefix("sql.")
    reach = f"{change.effect} {change.selector} {change.reversibility}"
    return f"{action} {change.resource.id} {reach}{opaque}"


def check(text: str, *expected: str, dialect: str) -> None:
    """The script makes exactly these changes."""
    assert [shown(change) for change in changes_of(text, dialect)] == list(expected)


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM users", "read users read all reversible"),
        ("DELETE FROM users", "delete users delete_data all irreversible"),
        ("DELETE FROM users WHERE 1 = 1", "delete users delete_data all irreversible"),
        ("DELETE FROM users WHERE id = 5", "delete users delete_data one recoverable"),
        ("UPDATE users SET a = 1", "update users update all irreversible"),
        ("INSERT INTO users VALUES (1), (2)", "insert users create some reversible"),
        ("DROP TABLE users", "drop users delete_data all irreversible"),
        ("CREATE TABLE users (a INT)", "create users create one reversible"),
        ("ALTER TABLE users DROP COLUMN a", "drop users delete_data all irreversible"),
        ("DROP VIEW v", "drop v update one reversible"),
    ],
)
def test_plain_statements_say_the_same_everywhere(
    dialect: str, statement: str, expected: str
) -> None:
    check(statement, expected, dialect=dialect)


# --- how much a WHERE reaches

EVERYWHERE = {
    "1 = 1": "all",
    "id = id": "all",
    "id = 5 OR 1=1": "all",
    "id IN (SELECT id FROM users)": "all",
    "name LIKE '%'": "all",
    "EXISTS (SELECT 1)": "all",
    "id IS NOT NULL": "all",
    "users.id = users.id": "all",
    "1 = 2": "none",
    "id <> id": "none",
    "id = 5 AND 1 = 0": "none",
    "id = 5": "one 1",
    "5 = id": "one 1",
    "user_id = 5": "one 1",
    "id IN (1, 2, 3)": "some 3",
    "id = 1 OR id = 2": "some 2",
    "status = 'closed'": "some",
    "status IN ('a', 'b')": "some",
    "status <> 'closed'": "some",
    "deleted_at IS NULL": "some",
    "email LIKE '%@example.com'": "some",
    "created_at < '2024-01-01'": "some",
    "amount BETWEEN 5 AND 10": "some",
    "NOT (status = 'a')": "some",
    "id IN (SELECT b.user_id FROM banned b)": "some",
    "EXISTS (SELECT 1 FROM banned b WHERE b.user_id = users.id)": "some",
    "id IN (SELECT id FROM users WHERE status = 'closed')": "some",
    "id >= 0": "unknown",
    "id <> 0": "unknown",
    "id + 0 = id": "unknown",
    "amount > 5 OR amount <= 5": "unknown",
    "status = 'a' OR NOT status = 'a'": "unknown",
    "CASE WHEN id > 5 THEN 1 ELSE 1 END = 1": "unknown",
    "id IN (SELECT id FROM banned)": "unknown",
    "EXISTS (SELECT 1 FROM orders)": "unknown",
    "is_obsolete(id) = 1": "unknown",
    "'a' = 'A'": "unknown",
    "name <> ''": "unknown",
}

IN_ONE = [
    # Zero is false, and every text that is no number equals it.
    ("mysql", "1", "all"),
    ("mysql", "0", "none"),
    ("mysql", "7E", "unknown"),
    ("mysql", "id = 7E", "unknown"),
    ("mysql", "id = 7e0", "one 1"),
    ("mysql", "id", "unknown"),
    ("mysql", "NOT name", "unknown"),
    ("mysql", "name = 0", "unknown"),
    ("mysql", "id = 0", "unknown"),
    ("mysql", "name = FALSE", "unknown"),
    ("mysql", "name IN (0, 5)", "unknown"),
    ("mysql", "name = 1 - 1", "unknown"),
    ("mysql", "name = '' = ''", "unknown"),
    ("mysql", "id = 5 || 1 = 1", "all"),
    ("mysql", "id = 5 && name = 'a'", "one 1"),
    ("mysql", "id <=> id", "all"),
    ("mysql", "id <=> 5", "one 1"),
    ("mysql", "name REGEXP '.*'", "unknown"),
    ("mysql", "name REGEXP '^bot-'", "some"),
    ("mysql", "id=1 --1", "unknown"),
    ("mysql", "`id` = 5", "one 1"),
    ("sqlite", "1", "all"),
    ("sqlite", "name", "some"),
    # A quoted name that is no column is a text.
    ("sqlite", "\"nothing\" = 'nothing'", "unknown"),
    ("sqlite", '"nothing" IS NOT NULL', "unknown"),
    ("sqlite", "\"name\" = 'bob'", "some"),
    ("sqlite", "id IS 5", "one 1"),
    ("tsql", "[id] = 5", "one 1"),
    ("tsql", "name LIKE '[^x]%'", "unknown"),
    ("tsql", "id = @id", "one 1"),
    ("tsql", "name = N'bob'", "some"),
    ("snowflake", "TRUE", "all"),
    ("snowflake", "active", "some"),
    ("bigquery", "TRUE", "all"),
    ("bigquery", "RAND() < 0.5", "unknown"),
    ("bigquery", "`id` = 5", "one 1"),
]


@pytest.mark.parametrize(
    ("dialect", "condition", "expected"),
    [
        *(
            (dialect, condition, reach)
            for dialect in OTHERS
            for condition, reach in EVERYWHERE.items()
        ),
        *IN_ONE,
    ],
)
def test_a_where_reaches_what_it_says(dialect: str, condition: str, expected: str) -> None:
    for statement in ("DELETE FROM users WHERE ", "UPDATE users SET active = 5 WHERE "):
        written = [
            change
            for change in changes_of(statement + condition, dialect)
            if change.action in ("sql.delete", "sql.update")
        ]
        assert len(written) == 1
        reached = written[0].selector.value
        if written[0].row_basis == RowBasis.UPPER_BOUND:
            reached += f" {written[0].rows}"
        assert reached == expected


@pytest.mark.parametrize(
    ("dialect", "statement", "expected"),
    [
        ("mysql", "DELETE u FROM users u JOIN o ON o.uid = u.id", ["users some"]),
        ("mysql", "DELETE u FROM users u LEFT JOIN o ON o.uid = u.id", ["users all"]),
        (
            "mysql",
            "DELETE FROM u, o USING users u JOIN o ON o.uid = u.id",
            ["users some", "o some"],
        ),
        ("mysql", "DELETE u, o FROM users u, o", ["users all", "o all"]),
        ("mysql", "UPDATE u JOIN o ON o.uid = u.id SET u.x = 1", ["u some"]),
        ("mysql", "UPDATE u, o SET u.x = 1, o.y = 2 WHERE o.uid = u.id", ["u some", "o some"]),
        ("mysql", "DELETE FROM users LIMIT 5", ["users some"]),
        ("mysql", "DELETE FROM users ORDER BY id LIMIT 1", ["users one"]),
        ("tsql", "DELETE u FROM users u JOIN o ON o.uid = u.id", ["users some"]),
        ("tsql", "DELETE users", ["users all"]),
        ("tsql", "DELETE users WHERE id = 5", ["users one"]),
        ("tsql", "UPDATE u SET x = 1 FROM users u JOIN o ON o.uid = u.id", ["users some"]),
        ("tsql", "UPDATE u SET x = 1 FROM users u", ["users all"]),
        ("tsql", "DELETE TOP (10) FROM users", ["users some"]),
        ("tsql", "DELETE TOP (10) PERCENT FROM users", ["users all"]),
        ("tsql", "DELETE FROM users WITH (TABLOCK) WHERE id = 5 OPTION (RECOMPILE)", ["users one"]),
        ("sqlite", "UPDATE u SET x = 1 FROM o WHERE o.uid = u.id", ["u some"]),
        ("sqlite", "UPDATE OR IGNORE users SET x = 1", ["users all"]),
        ("snowflake", "DELETE FROM u USING o WHERE u.id = o.uid", ["u some"]),
        ("snowflake", "DELETE FROM u USING o", ["u all"]),
        ("snowflake", "UPDATE u SET x = 1 FROM o WHERE o.uid = u.id", ["u some"]),
        ("bigquery", "DELETE d.users WHERE TRUE", ["d.users all"]),
        ("bigquery", "DELETE FROM `p.d.users` WHERE id = 5", ["p.d.users one"]),
    ],
)
def test_every_target_is_a_change_and_joins_restrict(
    dialect: str, statement: str, expected: list[str]
) -> None:
    changes = changes_of(statement, dialect)
    assert [f"{change.resource.id} {change.selector}" for change in changes] == expected


# --- what is dangerous: each line holds a dialect, what must be shown, and the statement

DANGEROUS = r"""
mysql | delete_data all | CREATE TEMPORARY TABLE users (id int); USE other; DELETE FROM users
mysql | delete_data all | CREATE TEMPORARY TABLE t (id int) ENGINE=MERGE UNION=(users); DELETE FROM t
mysql | disarm one | DROP INDEX `PRIMARY` ON t
mysql | disarm one | ALTER TABLE t ENCRYPTION='N'
mysql | disarm all | RESET PERSIST
mysql | update all | KILL USER app
snowflake | delete_data all | CREATE TEMP TABLE t AS SELECT 1 a; USE SCHEMA other; DELETE FROM t
tsql | delete_data unknown | DELETE FROM users WHERE id IN (SELECT TOP 1 WITH TIES id FROM users ORDER BY tenant)
tsql | delete_data unknown | DELETE FROM users WHERE id IN (SELECT TOP 1 PERCENT id FROM users)
tsql | update one | MERGE t USING (VALUES (1)) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = 1;
tsql | escalate one | CREATE PROCEDURE p WITH EXECUTE AS OWNER AS SELECT 1
bigquery | delete_data unknown | DECLARE id INT64 DEFAULT 5; DELETE d.users u WHERE u.id = id
mysql | delete_data all | /*!DROP TABLE users */
mysql | delete_data all | /*M! DROP TABLE users */
mysql | delete_data all | SELECT 1 /*!50000 ; DROP TABLE users */
mysql | delete_data all | DELETE FROM users WHERE id=1 /*!50000 OR 1=1 */
mysql | unknown unknown | DELETE FROM users /*!80000 WHERE id=1 */
mysql | delete_data all | DELETE /*+ NO_MERGE(u) */ FROM users
mysql | delete_data one | REPLACE INTO users (id) VALUES (1)
mysql | delete_data some | REPLACE INTO users SELECT * FROM s
mysql | delete_data some | LOAD DATA INFILE '/data/x' REPLACE INTO TABLE users
mysql | update one | INSERT INTO users (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2
mysql | execute all | SELECT * FROM users INTO OUTFILE '/tmp/x'
mysql | execute all | SELECT '<?php' INTO DUMPFILE '/var/www/x.php'
mysql | escalate one | SELECT LOAD_FILE('/etc/passwd')
mysql | delete_recovery all | PURGE BINARY LOGS TO 'x'
mysql | delete_recovery all | RESET MASTER
mysql | delete_recovery all | SET GLOBAL binlog_expire_logs_seconds = 1
mysql | disarm one | SET sql_log_bin = 0
mysql | disarm one | SET FOREIGN_KEY_CHECKS = 0
mysql | disarm one | SET sql_safe_updates = 0
mysql | disarm one | SET @@session.foreign_key_checks = OFF
mysql | disarm all | SET GLOBAL read_only = OFF
mysql | disarm one | STOP REPLICA
mysql | delete_audit all | SET GLOBAL general_log = 'OFF'
mysql | execute all | SET GLOBAL general_log_file = '/var/www/x.php'
mysql | execute one | INSTALL PLUGIN x SONAME 'evil.so'
mysql | execute one | CREATE FUNCTION sys_exec RETURNS INT SONAME 'evil.so'
mysql | escalate one | GRANT ALL PRIVILEGES ON users TO bob
mysql | escalate all | GRANT ALL ON *.* TO 'x'@'%'
mysql | escalate one | ALTER USER app IDENTIFIED BY 'x'
mysql | escalate one | SET PASSWORD FOR app = 'x'
mysql | escalate all | DELETE FROM mysql.user
mysql | update all | DROP USER 'app'@'%'
mysql | update one | RENAME TABLE users TO users_old
mysql | update one | KILL 5
mysql | update all | FLUSH TABLES WITH READ LOCK
mysql | update all | SHUTDOWN
mysql | delete_data some | ALTER TABLE m DROP PARTITION p2020
mysql | delete_data some | ALTER TABLE m TRUNCATE PARTITION p2020
mysql | delete_data all | ALTER TABLE m EXCHANGE PARTITION p WITH TABLE t
mysql | delete_data all | ALTER TABLE users ADD COLUMN a INT, DROP COLUMN b
mysql | delete_data all | ALTER TABLE users ENGINE = BLACKHOLE
mysql | disarm one | ALTER TABLE users DROP FOREIGN KEY f
mysql | disarm one | DROP TRIGGER guard
mysql | delete_audit all | DROP TRIGGER audit_users
mysql | delete_data all | TRUNCATE users
mysql | delete_data all | DROP DATABASE prod
mysql | delete_data all | CREATE OR REPLACE TABLE users (id INT)
mysql | delete_data all | EXPLAIN ANALYZE DELETE FROM users
mysql | delete_data all | EXPLAIN FORMAT=TREE ANALYZE DELETE FROM users
mysql | delete_data all | SET @s = 'DROP TABLE users'; PREPARE p FROM @s; EXECUTE p
mysql | unknown unknown | SET @s = CONCAT('DROP', x); PREPARE p FROM @s; EXECUTE p
mysql | unknown unknown | EXECUTE p
mysql | unknown unknown | CALL wipe()
mysql | unknown unknown | SELECT wipe()
mysql | delete_data all | CREATE PROCEDURE p() BEGIN DELETE FROM users; END; CALL p()
mysql | delete_data all | CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM users
mysql | delete_data all | CREATE TRIGGER t AFTER INSERT ON o FOR EACH ROW DELETE FROM users; INSERT INTO o VALUES (1)
mysql | unknown unknown | SOURCE other.sql
sqlite | escalate one | PRAGMA writable_schema = 1
sqlite | disarm one | PRAGMA foreign_keys = OFF
sqlite | disarm one | PRAGMA journal_mode(OFF)
sqlite | execute one | ATTACH DATABASE 'x' AS y
sqlite | execute all | VACUUM INTO '/tmp/x'
sqlite | execute one | SELECT load_extension('evil')
sqlite | execute one | SELECT writefile('/tmp/x', 'y')
sqlite | escalate all | DELETE FROM sqlite_master
sqlite | delete_data one | REPLACE INTO users VALUES (1)
sqlite | delete_data one | INSERT OR REPLACE INTO users VALUES (1)
sqlite | update one | INSERT INTO users (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2
sqlite | unknown unknown | UPDATE OR REPLACE users SET id = 1
sqlite | delete_data all | DELETE FROM users RETURNING *
sqlite | delete_data all | CREATE TRIGGER t AFTER INSERT ON o BEGIN DELETE FROM users; END; INSERT INTO o VALUES (1)
sqlite | unknown unknown | .shell rm -rf /
snowflake | delete_data all | CREATE OR REPLACE TABLE users (id INT)
snowflake | delete_data all | CREATE OR REPLACE TABLE users CLONE other
snowflake | delete_data all | CREATE OR REPLACE SCHEMA app
snowflake | delete_data all | CREATE OR REPLACE STAGE s
snowflake | delete_data all | INSERT OVERWRITE INTO users SELECT 1
snowflake | delete_data all | ALTER TABLE users SWAP WITH other
snowflake | delete_recovery all | ALTER TABLE users SET DATA_RETENTION_TIME_IN_DAYS = 0
snowflake | delete_recovery all | ALTER ACCOUNT SET DATA_RETENTION_TIME_IN_DAYS = 0
snowflake | delete_data unknown | REMOVE @stage/path
snowflake | delete_data some | COPY INTO users FROM @stage PURGE = TRUE
snowflake | execute all | COPY INTO @stage FROM users
snowflake | execute all | COPY INTO 's3://bucket/x' FROM users
snowflake | execute one | GET @stage file:///tmp
snowflake | delete_data all | DROP SCHEMA app CASCADE
snowflake | update one | DROP WAREHOUSE wh
snowflake | disarm one | DROP MASKING POLICY p
snowflake | escalate one | USE ROLE accountadmin
snowflake | escalate one | CREATE USER bob
snowflake | escalate all | ALTER ACCOUNT SET x = 1
snowflake | delete_data all | EXECUTE IMMEDIATE $$ BEGIN DROP TABLE users; END; $$
snowflake | delete_data all | EXECUTE IMMEDIATE 'DROP TABLE users'
snowflake | unknown unknown | EXECUTE IMMEDIATE 'DROP TABLE ' || name
snowflake | unknown unknown | CALL wipe_all()
snowflake | delete_data all | CREATE PROCEDURE p() RETURNS INT LANGUAGE SQL AS $$ BEGIN DELETE FROM users; END; $$; CALL p()
snowflake | delete_data all | BEGIN IF (x > 1) THEN TRUNCATE TABLE users; END IF; END;
snowflake | delete_data all | CREATE TASK t SCHEDULE = '1 minute' AS DELETE FROM users
snowflake | delete_data some | MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
tsql | delete_data all | IF 1=1 BEGIN SELECT 1; END~GO~DROP TABLE users
tsql | delete_data all | SET NOCOUNT ON DELETE FROM users
tsql | delete_data all | PRINT 'x' DELETE FROM users
tsql | delete_data all | DECLARE @x int DELETE FROM users
tsql | delete_data all | SELECT 1 DROP TABLE users
tsql | delete_data all | BEGIN DELETE FROM users END
tsql | delete_data all | BEGIN TRY SELECT 1 END TRY BEGIN CATCH TRUNCATE TABLE users END CATCH
tsql | delete_data all | IF EXISTS (SELECT 1 FROM t) DROP TABLE users ELSE SELECT 1
tsql | delete_data all | EXEC('DROP TABLE users')
tsql | delete_data all | EXEC sp_executesql N'DROP TABLE users'
tsql | delete_data all | DECLARE @s nvarchar(max) = N'DROP TABLE users'; EXEC(@s)
tsql | unknown unknown | DECLARE @s nvarchar(max) = N'SELECT 1'; SET @s = @s + N' DROP TABLE users'; EXEC(@s)
tsql | unknown unknown | EXEC('DROP ' + @what)
tsql | unknown unknown | EXEC('DROP TABLE users') AT other
tsql | unknown unknown | EXEC sp_MSforeachtable 'DROP TABLE ?'
tsql | unknown unknown | EXEC dbo.wipe
tsql | execute unknown | EXEC xp_cmdshell 'dir'
tsql | execute unknown | EXEC master..xp_cmdshell 'dir'
tsql | escalate one | EXEC sp_configure 'xp_cmdshell', 1
tsql | escalate one | EXECUTE AS USER = 'dbo'
tsql | execute one | SELECT * FROM OPENROWSET('x', 'y', 'z')
tsql | delete_data all | DELETE FROM users OUTPUT deleted.* INTO archive
tsql | delete_data unknown | MERGE t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE;
tsql | disarm one | DISABLE TRIGGER guard ON users
tsql | disarm one | SELECT 1 DISABLE TRIGGER guard ON users
tsql | disarm all | ALTER TABLE users DISABLE TRIGGER ALL
tsql | disarm one | ALTER TABLE users NOCHECK CONSTRAINT ALL
tsql | delete_data all | ALTER TABLE users DROP COLUMN a, b
tsql | delete_data all | ALTER TABLE a SWITCH PARTITION 1 TO b
tsql | update all | ALTER DATABASE prod SET OFFLINE WITH ROLLBACK IMMEDIATE
tsql | delete_recovery all | ALTER DATABASE prod SET RECOVERY SIMPLE
tsql | delete_data all | RESTORE DATABASE prod FROM DISK = 'x' WITH REPLACE
tsql | delete_recovery all | BACKUP DATABASE prod TO DISK = 'NUL'
tsql | delete_recovery all | BACKUP DATABASE prod TO DISK = 'x.bak' WITH INIT
tsql | execute all | BACKUP DATABASE prod TO DISK = '//host/share/x.bak'
tsql | update all | BACKUP LOG prod TO DISK = 'x.trn' WITH NORECOVERY
tsql | delete_audit all | DROP SERVER AUDIT a
tsql | delete_recovery all | DROP CERTIFICATE c
tsql | update one | DBCC SHRINKDATABASE (prod)
tsql | delete_data unknown | DBCC CHECKDB (prod, REPAIR_ALLOW_DATA_LOSS)
tsql | update all | SHUTDOWN WITH NOWAIT
tsql | execute one | CREATE ASSEMBLY a FROM 'x.dll'
tsql | delete_data all | CREATE PROCEDURE p AS DELETE FROM users~GO~EXEC p
tsql | delete_data all | CREATE TRIGGER t ON o AFTER INSERT AS DELETE FROM users~GO~INSERT INTO o VALUES (1)
tsql | delete_data some | WITH c AS (SELECT TOP 5 * FROM t) DELETE FROM c
tsql | unknown unknown | INSERT INTO t EXEC p
bigquery | delete_data all | CREATE OR REPLACE TABLE d.users AS SELECT 1
bigquery | delete_data all | TRUNCATE TABLE d.users
bigquery | delete_data all | LOAD DATA OVERWRITE d.users FROM FILES (uris = ['x'])
bigquery | delete_recovery all | DROP SNAPSHOT TABLE d.s
bigquery | delete_recovery all | CREATE OR REPLACE SNAPSHOT TABLE d.s CLONE d.users
bigquery | delete_recovery all | ALTER SCHEMA d SET OPTIONS (max_time_travel_hours = 48)
bigquery | delete_data all | ALTER TABLE d.users SET OPTIONS (expiration_timestamp = x)
bigquery | delete_data all | DROP SCHEMA d CASCADE
bigquery | execute all | EXPORT DATA OPTIONS (uri = 'gs://x') AS SELECT * FROM d.users
bigquery | delete_data all | EXECUTE IMMEDIATE "DROP TABLE d.users"
bigquery | unknown unknown | EXECUTE IMMEDIATE CONCAT('DROP', x)
bigquery | unknown unknown | SELECT * FROM EXTERNAL_QUERY('c', 'DELETE FROM x')
bigquery | unknown unknown | CALL d.wipe()
bigquery | unknown unknown | SELECT d.remote(x) FROM d.users
bigquery | delete_data all | IF x > 1 THEN DELETE FROM d.users WHERE TRUE; END IF
bigquery | delete_data all | BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN DROP TABLE d.users; END
bigquery | delete_data all | CREATE PROCEDURE d.p() BEGIN DELETE FROM d.users WHERE TRUE; END; CALL d.p()
bigquery | delete_data some | MERGE d.t t USING d.s s ON t.id = s.id WHEN MATCHED THEN DELETE
bigquery | escalate one | GRANT `roles/bigquery.dataOwner` ON SCHEMA d TO 'user:x'
"""


def dangerous() -> list[tuple[str, str, str]]:
    rows = [line.split(" | ", 2) for line in DANGEROUS.strip().split("\n")]
    return [
        (dialect.strip(), expected, text.replace("~", "\n")) for dialect, expected, text in rows
    ]


@pytest.mark.parametrize(("dialect", "expected", "script"), dangerous())
def test_a_dangerous_statement_shows_its_effect(dialect: str, expected: str, script: str) -> None:
    changes = changes_of(script, dialect)
    assert expected in [f"{change.effect} {change.selector}" for change in changes]
    for change in changes:
        assert change.effect != Effect.UNKNOWN or change.opaque is not None


BENIGN = r"""
mysql | SELECT 1
mysql | SELECT u.id, COUNT(*) FROM users u JOIN o ON o.uid = u.id GROUP BY u.id HAVING COUNT(*) > 1 ORDER BY 2 LIMIT 5
mysql | SELECT LCASE(name), NOW(), IFNULL(a, 0), UUID() FROM users WHERE id = 5 FOR UPDATE
mysql | SELECT 'DROP TABLE users'
mysql | SELECT "a; DELETE FROM users"
mysql | EXPLAIN DELETE FROM users
mysql | SHOW TABLES
mysql | START TRANSACTION; COMMIT
mysql | SET NAMES utf8mb4
mysql | SET @x = 5
mysql | DO 1
mysql | CREATE TEMPORARY TABLE t (id INT); INSERT INTO t VALUES (1); DELETE FROM t; DROP TEMPORARY TABLE t
mysql | CREATE VIEW v AS SELECT 1
mysql | ALTER TABLE users ADD COLUMN a INT
mysql | INSERT INTO log (a) VALUES (1)
sqlite | PRAGMA table_info(users)
sqlite | EXPLAIN QUERY PLAN DELETE FROM users
sqlite | BEGIN; CREATE TABLE t (a INT); DROP TABLE t; COMMIT
sqlite | SELECT json_extract(a, '$.x'), strftime('%Y', b) FROM users
snowflake | SELECT * FROM users AT (OFFSET => -60)
snowflake | SELECT t.$1 FROM @stage t
snowflake | CREATE OR REPLACE TEMP TABLE t AS SELECT 1; DROP TABLE t
snowflake | UNDROP TABLE users
snowflake | LIST @stage
snowflake | DECLARE x INT; BEGIN LET y := 5; RETURN y; END;
tsql | SELECT TOP 5 * FROM users WITH (NOLOCK) ORDER BY id
tsql | SELECT * INTO #t FROM users DROP TABLE #t
tsql | DECLARE @x int = 5 SELECT @x PRINT 'DELETE FROM users'
tsql | EXEC sp_help 'users'
tsql | BEGIN TRAN COMMIT
tsql | SET NOCOUNT ON
tsql | SELECT dbo.f(1), NEWID(), GETDATE() FROM users
bigquery | SELECT ARRAY_AGG(x), SAFE_DIVIDE(a, b) FROM `p.d.users`, UNNEST(xs) AS x
bigquery | DECLARE x INT64 DEFAULT 5; SET x = x + 1; SELECT x
bigquery | CREATE SNAPSHOT TABLE d.s CLONE d.users
bigquery | CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t
bigquery | SELECT '''it's; DROP TABLE users''', r'\d'
"""


@pytest.mark.parametrize(
    ("dialect", "script"), [line.split(" | ", 1) for line in BENIGN.strip().split("\n")]
)
def test_a_benign_script_is_not_opaque_and_takes_nothing_away(dialect: str, script: str) -> None:
    changes = changes_of(script, dialect)
    assert changes
    for change in changes:
        assert change.opaque is None, change.opaque
        assert change.effect in {Effect.READ, Effect.CREATE, Effect.UPDATE}


# --- where statements end


@pytest.mark.parametrize(
    ("dialect", "script", "count"),
    [
        ("mysql", "DELIMITER //\nSELECT 1; SELECT 2 //\nDELIMITER ;\nSELECT 3;", 3),
        (
            "mysql",
            "DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; END$$\nDELIMITER ;\nSELECT 2",
            2,
        ),
        ("mysql", "SELECT 'a\\'; SELECT 2; -- '; SELECT 3", 2),
        ("mysql", "SELECT 1 # ; SELECT 2\n; SELECT 3", 2),
        ("mysql", "SELECT `a;b` FROM t; SELECT 2", 2),
        ("mysql", "DELIMITER '\nDROP TABLE users'\nDELIMITER ;\nSELECT 1", 2),
        (
            "sqlite",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END; SELECT 3",
            2,
        ),
        ("sqlite", 'SELECT [a;b], "c;d" FROM t; SELECT 2', 2),
        ("snowflake", "SELECT $$ ; DROP TABLE x; $$; SELECT 2 // ; SELECT 3\n", 2),
        ("tsql", "SELECT 1\nGO\nSELECT 2\nGO 5\nSELECT 3", 3),
        ("tsql", "SELECT 'x GO\n' SELECT 2 /* /* ; */ DROP TABLE x */", 2),
        ("tsql", "SELECT 1 AS [a]]; DROP TABLE x]; SELECT 2", 2),
        ("bigquery", "SELECT '''a;\nb'''; SELECT \"\"\"c';d\"\"\"; SELECT 3 # ; x", 3),
    ],
)
def test_a_script_is_cut_where_its_client_cuts_it(dialect: str, script: str, count: int) -> None:
    changes = changes_of(script, dialect)
    assert len(changes) == count
    assert {change.effect for change in changes} <= {
        Effect.READ,
        Effect.CREATE,
        Effect.DELETE_DATA,
    }


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_broken_statement_does_not_swallow_the_rest(dialect: str) -> None:
    changes = changes_of("SELECT FROM FROM;\nDELETE FROM users;\n%%%;\nDROP TABLE t;", dialect)
    assert [change.source.line for change in changes if change.opaque is None] == [2, 4]
    assert {change.source.line for change in changes if change.opaque is not None} == {1, 3}


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize("text", ["SELECT 'a", "DELETE FROM t /* x", "SELECT 1; DROP TABLE 'x"])
def test_what_does_not_end_is_opaque(dialect: str, text: str) -> None:
    assert changes_of(text, dialect)[-1].opaque is not None


def test_quotes_are_not_trusted_after_a_setting_moved_them() -> None:
    script = "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT 'a\\'; DROP TABLE users; -- '"
    assert any(change.opaque for change in changes_of(script, "mysql"))
    assert any(change.opaque for change in changes_of("SET NAMES gbk; SELECT 'a\\'", "mysql"))


def test_a_variable_is_a_known_text_only_while_nothing_else_may_give_it_another() -> None:
    run = "PREPARE p FROM @s; EXECUTE p"
    known = changes_of(f"SET @s = 'SELECT 1'; {run}", "mysql")
    assert not any(change.opaque for change in known)
    for other in (
        "SELECT 'DROP TABLE t' INTO @s",
        "SET @a = 1, @s = CONCAT('x', y)",
        "FETCH c INTO @s",
    ):
        assert any(
            change.opaque for change in changes_of(f"SET @s = 'SELECT 1'; {other}; {run}", "mysql")
        )
    loop = "DECLARE @s varchar(9) = 'SELECT 1' WHILE 1=1 BEGIN EXEC(@s) SET @s = 'DROP TABLE t' END"
    assert any(change.opaque for change in changes_of(loop, "tsql"))


def test_a_name_is_qualified_by_use() -> None:
    check("USE shop; DELETE FROM users", "set database read one reversible",
          "delete shop.users delete_data all irreversible", dialect="mysql")  # fmt: skip


@pytest.mark.parametrize("dialect", ["mysql", "snowflake"])
def test_a_temporary_table_stays_in_its_database(dialect: str) -> None:
    made = "USE shop; CREATE TEMPORARY TABLE t (i int); "
    gone = changes_of(f"{made}USE other; DELETE FROM t", dialect)[-1]
    assert (gone.resource.id, gone.effect) == ("other.t", Effect.DELETE_DATA)
    kept = changes_of(f"{made}DELETE FROM t", dialect)[-1]
    assert kept.effect == Effect.UPDATE


def test_a_table_of_another_server_is_read() -> None:
    check("SELECT * FROM srv.prod.dbo.users", "read srv.prod.dbo.users read all reversible",
          dialect="tsql")  # fmt: skip


def test_what_snowflake_creates_is_in_use() -> None:
    for new in ("DATABASE other CLONE prod", "SCHEMA other CLONE app"):
        script = f"CREATE TEMP TABLE t (i int); CREATE {new}; DELETE FROM t"
        assert changes_of(script, "snowflake")[-1].effect == Effect.DELETE_DATA


def test_a_key_declared_in_the_script_decides() -> None:
    table = "CREATE TABLE t (code VARCHAR(9) PRIMARY KEY, id INT);"
    for dialect in ("mysql", "sqlite", "tsql"):
        by_key = changes_of(f"{table} DELETE FROM t WHERE code = 'x'", dialect)[-1]
        assert (by_key.selector.value, by_key.rows) == ("one", 1)
        by_name = changes_of(f"{table} DELETE FROM t WHERE id = 5", dialect)[-1]
        assert by_name.selector.value == "some"


@pytest.mark.parametrize(
    ("said", "kept", "missing"),
    [
        ("DELETE FROM t WHERE a = 1 AND b = 2", "DELETE FROM t WHERE a = 1", "b"),
        ("DELETE FROM t WHERE a = 1", "DELETE FROM t", "WHERE"),
        ("SELECT a FROM t WHERE a = 'x'", "SELECT a FROM t WHERE a = 'y'", "x"),
        ("UPDATE t SET a = 1; DELETE FROM t", "UPDATE t SET a = 1", "DELETE"),
        (
            "SELECT LCASE(a), NOW() AS b FROM t",
            "SELECT LOWER(a), CURRENT_TIMESTAMP() AS b FROM t",
            None,
        ),
    ],
)
def test_what_the_parser_does_not_keep_is_named(said: str, kept: str, missing: str | None) -> None:
    tree = sqlglot.parse_one(kept, read="mysql")
    found = lost(tree, said, "mysql")
    assert found is None if missing is None else found is not None
    if missing is not None and "WHERE a = 1 AND" not in said:
        assert found == missing


# --- the tables


@pytest.mark.parametrize("dialect", OTHERS)
def test_every_row_of_a_taxonomy_is_sound_and_names_its_source(dialect: str) -> None:
    table = dialect_named(dialect)
    shapes = [shape for group in table.statements.values() for shape in group]
    assert len(shapes) >= 10
    for shape in (*shapes, *table.alter_table):
        assert shape.source.startswith("https://"), shape.text
        assert (shape.effect == Effect.UNKNOWN) <= (shape.opaque is not None)
    for thing in (*table.drop.values(), *table.create.values()):
        assert thing.source.startswith("https://")
    rows = (*table.effects.values(), *table.routines.values())
    assert all(row.source.startswith("https://") for row in rows)
    assert all(row.source.startswith("https://") for row in table.settings.values())
    assert not table.harmless & table.effects.keys()


@pytest.mark.parametrize(
    ("dialect", "selector", "script"),
    [
        ("mysql", Selector.UNKNOWN, "WHILE i < 9 DO {}; END WHILE"),
        ("mysql", Selector.UNKNOWN, "l: LOOP FETCH c INTO i; {}; END LOOP l"),
        ("mysql", Selector.UNKNOWN, "REPEAT {}; UNTIL i > 9 END REPEAT"),
        ("mysql", Selector.ONE, "WHILE i < 9 DO SET i = i + 1; END WHILE; {}"),
        ("mysql", Selector.ONE, "REPEAT SET i = i + 1; UNTIL i > 9 END REPEAT; {}"),
        ("mysql", Selector.ONE, "IF i > 9 THEN {}; END IF"),
        ("snowflake", Selector.ALL, "FOR r IN (SELECT id FROM users) DO {}; END FOR"),
        ("snowflake", Selector.SOME, "FOR i IN 1 TO 10 DO {}; END FOR"),
        ("snowflake", Selector.UNKNOWN, "WHILE (i < 9) DO {}; END WHILE"),
        ("bigquery", Selector.ALL, "FOR r IN (SELECT id FROM users) DO {}; END FOR"),
        ("bigquery", Selector.UNKNOWN, "LOOP {}; END LOOP"),
        ("bigquery", Selector.ONE, "LOOP SELECT 1; END LOOP; {}"),
        ("tsql", Selector.UNKNOWN, "WHILE @i < 9 {}"),
        ("tsql", Selector.UNKNOWN, "WHILE @i < 9 BEGIN BEGIN SELECT 1 END {} END"),
        ("tsql", Selector.UNKNOWN, "WHILE @i < 9 IF @i > 5 SELECT 1 ELSE {}"),
        ("tsql", Selector.UNKNOWN, "again: {} IF @i < 9 GOTO again"),
        ("tsql", Selector.UNKNOWN, "{}\nGO 5\n"),
        ("tsql", Selector.ONE, "WHILE @i < 9 SELECT 1 {}"),
        ("tsql", Selector.ONE, "WHILE @i < 9 BEGIN SELECT 1 END {}"),
        ("tsql", Selector.ONE, "WHILE @i < 9 SELECT 1\nGO\n{}"),
    ],
)
def test_a_write_in_a_loop_reaches_as_many_rows_as_the_loop_gives(
    dialect: str, selector: Selector, script: str
) -> None:
    variable = {"mysql": "@i", "tsql": "@i", "snowflake": ":i", "bigquery": "@i"}[dialect]

    def last(key: str) -> Change:
        text = script.format(f"DELETE FROM users WHERE id = {key}")
        if dialect == "mysql":
            text = f"CREATE PROCEDURE p() BEGIN {text}; END; CALL p()"
        found = read("script.sql", text, Options(dialect=dialect)).changes
        (change,) = [one for one in found if one.action == "sql.delete"]
        return change

    if "GO 5" in script:
        assert last(variable).rows == 5
    else:
        assert last(variable).selector == selector
    assert last("5").selector == Selector.ONE


@pytest.mark.parametrize(
    ("dialect", "effect", "script"),
    [
        (
            "mysql",
            Effect.DELETE_DATA,
            "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW DELETE FROM b",
        ),
        ("mysql", Effect.CREATE, "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1"),
        (
            "sqlite",
            Effect.DELETE_DATA,
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END",
        ),
        ("tsql", Effect.DELETE_DATA, "CREATE TRIGGER t ON a AFTER INSERT AS DELETE FROM b"),
        (
            "tsql",
            Effect.UNKNOWN,
            "CREATE TRIGGER t ON a WITH EXECUTE AS OWNER FOR INSERT AS EXEC p",
        ),
        (
            "tsql",
            Effect.CREATE,
            "CREATE TRIGGER t ON a FOR UPDATE AS IF UPDATE(x) AND 1 = 1 SELECT 1",
        ),
    ],
)
def test_a_trigger_shows_what_it_will_do_by_itself(
    dialect: str, effect: Effect, script: str
) -> None:
    assert read("script.sql", script, Options(dialect=dialect)).changes[-1].effect == effect


def test_the_row_of_a_trigger_is_one_row() -> None:
    def selector(write: str) -> Selector:
        script = f"CREATE TRIGGER t ON Orders AFTER UPDATE AS {write}"
        return read("script.sql", script, Options(dialect="tsql")).changes[-1].selector

    update = "UPDATE o SET A = 1 FROM Orders o JOIN inserted i ON "
    assert selector(update + "o.Id = i.Id") == Selector.ONE
    assert selector(update + "o.State = i.State") == Selector.SOME
    assert selector(update + "1 = 1") in (Selector.ALL, Selector.UNKNOWN)
    delete = "DELETE FROM Drafts WHERE "
    assert selector(delete + "Id IN (SELECT Id FROM deleted)") == Selector.ONE
    assert selector(delete + "Id = (SELECT Id FROM deleted)") == Selector.ONE
    assert selector(delete + "Id <> (SELECT Id FROM deleted)") == Selector.UNKNOWN
    assert selector(delete + "Id IN (SELECT Id FROM dbo.deleted)") == Selector.UNKNOWN


def test_a_form_may_repeat_a_part_with_commas() -> None:
    several = form("SET < A|B [= {value}] > END")
    assert match(several, list(tokens("SET A, B = 1, A END", "tsql"))) is not None
    assert match(several, list(tokens("SET A, C END", "tsql"))) is None
    assert match(several, list(tokens("SET END", "tsql"))) is None
    assert match(several, list(tokens("SET A, END", "tsql"))) is None


def test_a_form_fits_only_the_whole_statement() -> None:
    kill = form("KILL [QUERY|CONNECTION] {value}")
    assert match(kill, list(tokens("KILL QUERY 5", "mysql"))) is not None
    assert match(kill, list(tokens("kill 5", "mysql"))) is not None
    assert match(kill, list(tokens("KILL 5 DROP TABLE t", "mysql"))) is None
    names = match(form("ANALYZE TABLE {names}"), list(tokens("ANALYZE TABLE a, `b c`.d", "mysql")))
    assert names is not None
    assert [name.parts for name in names["names"]] == [("a",), ("b c", "d")]


@pytest.mark.parametrize("text", ["[KILL", "KILL {nothing}", "KILL ]"])
def test_a_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|slot|bracket"):
        form(text)


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize("text", ["X := '", "NULL 'DELETE", "NULL /* DELETE", "SET @x = '"])
def test_where_the_scanner_stops_nothing_that_follows_is_lost(dialect: str, text: str) -> None:
    changes = changes_of(f"{text};\nDROP TABLE canary;", dialect)
    assert any(change.opaque or change.effect == Effect.DELETE_DATA for change in changes)


@pytest.mark.parametrize("dialect", OTHERS)
def test_no_statement_hides_behind_a_word_that_does_nothing(dialect: str) -> None:
    changes = changes_of("NULL DELETE FROM users", dialect)
    assert any(change.opaque or change.effect == Effect.DELETE_DATA for change in changes)


def test_targets_that_are_no_tables_are_opaque() -> None:
    (change, *_) = changes_of("DELETE F USING ROM users WHERE id = 1 /*!50000 OR 1 = 1 */", "mysql")
    assert change.opaque


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect != "postgres"])
@pytest.mark.parametrize("levels", [100, 330, 500, 1_000, 3_000])
def test_signs_before_a_value_do_not_nest_too_deeply(dialect: str, levels: int) -> None:
    signs = "- " * levels
    for text in (f"SELECT {signs}s", f"SELECT 1; DROP TABLE use {signs}s WHERE a = {signs}1;"):
        found = read("a.sql", text, Options(dialect)).changes
        assert found and (levels < 300 or any(change.opaque for change in found))


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("mysql", "CREATE TEMPORARY TABLE a AS SELECT 7E id FROM b WHERE c = 7E; {}"),
        ("tsql", "SELECT 1\nGO ²\n{}"),
        ("snowflake", f"BEGIN FOR i IN 1 TO {'9' * 5_000} DO {{}}; END FOR; END"),
        ("mysql", "DELETE FROM a WHERE id = 1 LIMIT ²; {}"),
    ],
)
def test_a_number_that_is_none_ends_nothing(dialect: str, text: str) -> None:
    changes = changes_of(text.format("DROP TABLE canary"), dialect)
    assert any(change.opaque or change.action == "sql.drop" for change in changes)


@pytest.mark.parametrize("dialect", OTHERS)
@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ("SELECT * FROM a " + "JOIN b ON a.x = b.x " * 30, True),
        ("SELECT * FROM a " + "CROSS JOIN b " * 30, True),
        ("SELECT * FROM a " + "JOIN b " * 15 + "ON 1 = 1 " * 15, True),
        ("SELECT " + "(SELECT 1 FROM a JOIN b JOIN c), " * 8 + "1", True),
        ("SELECT * FROM a " + "JOIN b " * 20, False),
        ("SELECT * FROM a " + "JOIN b " * 20 + "WHERE x = 1", False),
        ("SELECT * FROM a " + "JOIN (SELECT 1 FROM a JOIN b " * 12 + ")" * 12, False),
        ("SELECT * FROM a " + "JOIN (SELECT 1 FROM a JOIN b " * 12, False),
    ],
)
def test_joins_without_a_condition_take_no_longer_than_others(
    dialect: str, query: str, is_read: bool
) -> None:
    """One that is read takes milliseconds; twenty open joins would take minutes."""
    (change,) = changes_of(query, dialect)
    assert (change.effect is Effect.READ) is is_read and bool(change.opaque) is not is_read
