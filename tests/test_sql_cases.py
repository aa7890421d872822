"""Both kinds of error, counted for each dialect: a danger that passes, and a read that does not. Run with `-s`."""
# ruff: noqa: E501, SIM905 - These statements are read and never run.

import random
import re
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sql_cases import HARMLESS, cases, queries, quoting

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import gate
from interlock.plans.model import Change, Effect, Identity, Plan, Reading, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.sql.dialects.pieces import pieces
from interlock.plans.sources.sql.source import DIALECTS, read

SCHEMAS = Path(__file__).resolve().parents[2] / "shared" / "corpora" / "sql" / "schemas"
AGENT = Identity(type="Agent", id="bot")


def reading(text: str, dialect: str) -> Reading:
    return read("script.sql", text, Options(dialect=dialect))


def outcome(found: Reading, policies: interlock.Policies) -> Outcome:
    plan = Plan(
        author=AGENT,
        environment="production",
        artifacts=(found.artifact,),
        changes=numbered(found.changes),
        problems=found.problems,
    )
    return gate(policies, plan).outcome


def test_no_dangerous_case_is_permitted_for_an_agent_in_production() -> None:
    policies = interlock.load("production_guardrails", cache=False)
    table: Counter[tuple[str, str]] = Counter()
    passed = []
    for name, dialect, text in cases():
        found = outcome(reading(text, dialect), policies)
        permitted = found is Outcome.PERMIT
        table[dialect, "cases"] += 1
        table[dialect, "dangerous"] += name not in HARMLESS
        table[dialect, str(found)] += 1
        if permitted and name not in HARMLESS:
            passed.append((dialect, name))
    print(
        f"\n{'dialect':<12}{'cases':>8}{'dangerous':>11}{'deny':>8}{'hold':>8}{'permit':>8}{'missed':>8}"
    )
    for dialect in ("postgres", "mysql", "snowflake", "tsql"):
        counts = [table[dialect, one] for one in ("cases", "dangerous", "deny", "hold", "permit")]
        missed = sum(where == dialect for where, _ in passed)
        row = f"{counts[0]:>8}{counts[1]:>11}{counts[2]:>8}{counts[3]:>8}{counts[4]:>8}{missed:>8}"
        print(f"{dialect:<12}{row}")
    assert not passed


TEMPORARY = {
    "postgres": "CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); DELETE FROM t; DROP TABLE t",
    "mysql": "CREATE TEMPORARY TABLE t (a INT); INSERT INTO t VALUES (1); DELETE FROM t; DROP TABLE t",
    "sqlite": "CREATE TEMP TABLE t (a INT); INSERT INTO t VALUES (1); DELETE FROM t; DROP TABLE t",
    "snowflake": "CREATE TEMP TABLE t (a INT); INSERT INTO t VALUES (1); TRUNCATE TABLE t; DROP TABLE t",
    "tsql": "CREATE TABLE #t (a INT) INSERT INTO #t VALUES (1) DELETE FROM #t DROP TABLE #t",
    "bigquery": "CREATE TEMP TABLE t (a INT64); INSERT INTO t VALUES (1); TRUNCATE TABLE t; DROP TABLE t",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_temporary_table_may_come_and_go(dialect: str) -> None:
    policies = interlock.load("production_guardrails", cache=False)
    made = reading(TEMPORARY[dialect], dialect)
    lost = reading(TEMPORARY[dialect].partition("t ")[2].partition("DROP")[1] + " TABLE t", dialect)
    assert outcome(lost, policies) is not Outcome.PERMIT
    changes = [change for change in made.changes if change.effect not in (Effect.READ,)]
    assert {change.effect for change in changes} <= {Effect.CREATE, Effect.UPDATE}
    assert all(change.selector != "all" for change in changes), [shown(one) for one in changes]


def in_dialect(query: str, dialect: str) -> str:
    return sqlglot.transpile(query, read="postgres", write=dialect)[0]


def test_every_read_is_a_read() -> None:
    assert len(queries()) == 22
    wrong: list[tuple[str, str, list[str | None]]] = []
    print(f"\n{'dialect':<12}{'queries':>8}{'explain':>8}{'quoting':>8}{'taken for more':>16}")
    for dialect in DIALECTS:
        explain = "EXPLAIN " if dialect not in ("tsql", "bigquery") else ""
        groups = {
            "queries": [in_dialect(query, dialect) for query in queries()],
            "explain": [f"{explain}{one}" for one in ("DELETE FROM users", "DROP TABLE users")]
            if explain
            else [],
            "quoting": [in_dialect(query, dialect) for query in quoting()[:3]] + quoting()[3:],
        }
        groups["explain"] = groups["explain"][:1]
        before = len(wrong)
        for group in groups.values():
            for text in group:
                changes = reading(text, dialect).changes
                if not changes or any(
                    change.effect != Effect.READ or change.opaque is not None for change in changes
                ):
                    wrong.append((dialect, text, [change.opaque for change in changes]))
        counts = "".join(f"{len(group):>8}" for group in groups.values())
        print(f"{dialect:<12}{counts}{len(wrong) - before:>16}")
    assert not wrong


# --- damaged scripts

STATEMENTS = {
    "mysql": "DELETE FROM users WHERE id = 5;\nDROP TABLE a;\n/*!50000 TRUNCATE b */;\nINSERT INTO c VALUES ('x;y');\n"
    "UPDATE d SET e = \"f\" WHERE g = 1;\nALTER TABLE h DROP COLUMN i, ENGINE=MEMORY;\nPURGE BINARY LOGS TO 'x';\n",
    "sqlite": "DELETE FROM users WHERE id = 5;\nDROP TABLE a;\nPRAGMA foreign_keys = OFF;\nATTACH 'x' AS y;\n"
    "CREATE TRIGGER t AFTER INSERT ON o BEGIN DELETE FROM u; END;\nINSERT INTO o VALUES (1);\nREPLACE INTO [p] VALUES (2);\n",
    "snowflake": "CREATE OR REPLACE TABLE a (b INT);\nREMOVE @c;\nEXECUTE IMMEDIATE $$ DROP TABLE d; $$;\n"
    "ALTER TABLE e SET DATA_RETENTION_TIME_IN_DAYS = 0;\nDELETE FROM f USING g WHERE f.h = g.h;\nTRUNCATE TABLE i;\n",
    "tsql": "DELETE FROM users WHERE id = 5;\nIF EXISTS (SELECT 1 FROM a) DROP TABLE a;\nEXEC('TRUNCATE TABLE b');\n"
    "UPDATE c SET d = 1 FROM e c JOIN f ON f.g = c.g;\nALTER DATABASE h SET RECOVERY SIMPLE;\nDELETE [i] OUTPUT deleted.* INTO j;\n",
    "bigquery": "DELETE FROM `a.b.c` WHERE true;\nCREATE OR REPLACE TABLE d.e AS SELECT 1;\nDROP SNAPSHOT TABLE f.g;\n"
    "EXECUTE IMMEDIATE \"DROP TABLE h.i\";\nUPDATE j.k SET l = '''m;n''' WHERE o = 1;\nDROP SCHEMA p CASCADE;\n",
    "postgres": "DELETE FROM users WHERE id = 5;\nDROP TABLE a CASCADE;\nDO $$ BEGIN DELETE FROM b; END $$;\n"
    "UPDATE c SET d = E'\\'x' WHERE e = 1;\nTRUNCATE f, g;\nALTER TABLE h DROP COLUMN i;\nSELECT lo_unlink(1);\n",
}


def shown(change: Change) -> str:
    return f"{change.action} {change.resource.id} {change.effect} {change.selector}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_cut_script_shows_its_healthy_beginning_and_no_less(dialect: str) -> None:
    """Every prefix shows what its whole statements do; what is cut is shown, or opaque, or a problem."""
    text = STATEMENTS[dialect]
    whole = reading(text, dialect)
    ends = [match.end() for match in re.finditer(";\n", text)]
    lines = [text.count("\n", 0, end) for end in ends]
    for cut in range(len(text)):
        found = reading(text[:cut], dialect)
        complete = max(
            (line for end, line in zip(ends, lines, strict=True) if end <= cut + 1), default=0
        )
        expected = [shown(change) for change in whole.changes if change.source.line <= complete]
        got = [shown(change) for change in found.changes]
        assert got[: len(expected)] == expected, text[:cut]
        rest = text[:cut].rpartition(";\n")[2].strip(" ;\n")
        if rest and text[cut - 1 : cut + 1] != ";\n":
            assert len(got) > len(expected) or found.problems, text[:cut]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_flipped_script_shows_the_others_or_says_that_it_cannot(dialect: str) -> None:
    text = STATEMENTS[dialect]
    whole = reading(text, dialect)
    chance = random.Random(7)  # noqa: S311 - The damage is to be the same every time.
    opaque = same = 0
    for _ in range(300):
        at = chance.randrange(len(text))
        flipped = text[:at] + chr(ord(text[at]) ^ (1 << chance.randrange(7))) + text[at + 1 :]
        found = reading(flipped, dialect)
        line = text.count("\n", 0, at) + 1
        others = Counter(shown(change) for change in whole.changes if change.source.line < line)
        got = Counter(shown(change) for change in found.changes)
        assert not others - got, flipped
        if found.problems or any(change.opaque for change in found.changes):
            opaque += 1
            continue
        same += 1
        later = Counter(shown(change) for change in whole.changes if change.source.line > line + 1)
        assert not later - got, (at, flipped)
    print(f"\n{dialect}: 300 flipped bytes, {opaque} opaque or a problem, {same} read whole")


# --- real schemas


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas at {SCHEMAS}")
@pytest.mark.parametrize(
    ("file", "dialect"),
    [
        ("Chinook_MySql.sql", "mysql"),
        ("Chinook_Sqlite.sql", "sqlite"),
        ("Chinook_PostgreSql.sql", "postgres"),
        ("northwind.sql", "postgres"),
        ("pagila-schema.sql", "postgres"),
    ],
)
def test_every_statement_of_a_real_schema_is_counted(file: str, dialect: str) -> None:
    text = (SCHEMAS / file).read_text(encoding="utf-8-sig")
    found = reading(text, dialect)
    assert not found.problems
    effects = Counter(
        "opaque" if change.opaque is not None else str(change.effect) for change in found.changes
    )
    if dialect == "postgres":
        counted = len({(change.source.line, change.source.column) for change in found.changes})
    else:
        expected = _statements_of(text, dialect)
        counted = len(list(pieces(text, dialect)))
        assert counted == expected
        assert len({(c.source.line, c.source.column) for c in found.changes}) == expected
        assert not effects["opaque"]
    print(f"\n{file}: {counted} statements, {dict(effects.most_common())}")
    assert len(found.changes) >= counted > 40


def _statements_of(text: str, dialect: str) -> int:
    """A count by another scanner: SQLite's own, or sqlglot's."""
    if dialect == "sqlite":
        count, pending = 0, ""
        for line in text.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                # A statement of comments only is none.
                count += bool(re.sub(r"/\*.*?\*/|--[^\n]*|;", "", pending, flags=re.DOTALL).strip())
                pending = ""
        return count
    kinds = [token.token_type.name for token in sqlglot.tokenize(text, read=dialect)]
    return sum(
        kind == "SEMICOLON" and before != "SEMICOLON"
        for before, kind in zip(["SEMICOLON", *kinds], kinds, strict=False)
    )


# --- any text

FRAGMENTS = st.sampled_from(
    "SELECT DELETE FROM WHERE UPDATE SET INSERT INTO VALUES DROP TABLE CREATE OR REPLACE PROCEDURE BEGIN END IF THEN ELSE "
    "WHILE DO LOOP CASE WHEN EXEC EXECUTE IMMEDIATE CALL DECLARE @x @@y DELIMITER GO ; // $$ ' \" ` [ ] ( ) , . = := :: "
    "/* */ /*!50000 /*M! -- # \n \\ 1 0x 'a' users id * NOT NULL IN EXISTS LIKE MERGE USING ON MATCHED TRUNCATE ALTER "
    "COLUMN PARTITION TRIGGER FOR EACH ROW AS OUTPUT TOP WITH COPY PRAGMA GRANT TO r' ''' \x00 \ud800".split(
        " "
    )
)


@given(
    st.one_of(
        st.text(),
        st.lists(FRAGMENTS, max_size=40).map(" ".join),
        st.lists(FRAGMENTS, max_size=40).map("".join),
    ),
    st.sampled_from(DIALECTS),
)
def test_any_text_is_read_without_raising(text: str, dialect: str) -> None:
    found = reading(text, dialect)
    for change in found.changes:
        assert change.effect != Effect.UNKNOWN or change.opaque is not None
    if dialect != "postgres":
        for piece in pieces(text, dialect):
            line = text.count("\n", 0, piece.start) + 1
            assert any(change.source.line >= line for change in found.changes)


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one != "postgres"])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT 1" + " + 1" * 5_000,
        "DELETE FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(3_000)),
        "DELETE FROM t WHERE " + "NOT " * 3_000 + "a = 1",
        "SELECT CASE " * 2_000,
        "BEGIN " * 5_000,
        "GRANT " + "a, " * 20_000,
        "/*" * 20_000,
        "'" * 20_001,
        "EXEC('" * 500,
        "CREATE PROCEDURE p AS " * 500,
        "IF 1=1 " * 2_000 + "DROP TABLE t",
        ";" * 50_000,
    ],
    ids=lambda text: text[:24].strip(),
)
def test_deep_and_long_scripts_end(dialect: str, text: str) -> None:
    found = reading(text, dialect)
    assert all(change.opaque is None or change.opaque for change in found.changes)
