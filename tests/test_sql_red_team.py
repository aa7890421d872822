"""What each dialect's manual offers to destroy production with, and what it offers to everybody. Run with `-s`.

The statements are data: `data/sql_dangerous.txt` and `data/sql_benign.txt`.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import gate
from interlock.plans.model import Identity, Plan, Reading, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.sql.dialects.taxonomy import dialect_named
from interlock.plans.sources.sql.source import DIALECTS, read

DATA = Path(__file__).parent / "data"
AGENT = Identity(type="Agent", id="bot")


def scripts(name: str) -> Iterator[tuple[str, str]]:
    """Each script of a file with its dialect."""
    dialect = ""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and line[1:-1] in DIALECTS:
            dialect = line[1:-1]
        elif not line.startswith("# "):
            yield dialect, line.replace("⏎", "\n")


@cache
def policies() -> interlock.Policies:
    return interlock.load("production_guardrails", cache=False)


def decided(text: str, dialect: str) -> tuple[Reading, Outcome]:
    """The script as an agent's plan for production, under the shipped pack."""
    found = read("script.sql", text, Options(dialect=dialect))
    plan = Plan(
        author=AGENT,
        environment="production",
        artifacts=(found.artifact,),
        changes=numbered(found.changes),
        problems=found.problems,
    )
    return found, gate(policies(), plan).outcome


def test_both_kinds_of_error_are_counted() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    missed: list[tuple[str, str]] = []
    alarms: list[tuple[str, str]] = []
    for dialect, text in scripts("sql_dangerous.txt"):
        found, outcome = decided(text, dialect)
        counts[dialect, "dangerous"] += 1
        counts[dialect, "opaque"] += any(change.opaque is not None for change in found.changes)
        if outcome is Outcome.PERMIT:
            missed.append((dialect, text))
    for dialect, text in scripts("sql_benign.txt"):
        found, outcome = decided(text, dialect)
        counts[dialect, "benign"] += 1
        opaque = any(change.opaque is not None for change in found.changes)
        if outcome is not Outcome.PERMIT or opaque:
            alarms.append((dialect, text))
    print(f"\n{'dialect':<12}{'dangerous':>10}{'opaque':>8}{'missed':>8}{'benign':>8}{'alarms':>8}")
    for dialect in DIALECTS:
        shown = [counts[dialect, one] for one in ("dangerous", "opaque", "benign")]
        wrong = [sum(where == dialect for where, _ in rows) for rows in (missed, alarms)]
        print(f"{dialect:<12}{shown[0]:>10}{shown[1]:>8}{wrong[0]:>8}{shown[2]:>8}{wrong[1]:>8}")
        assert shown[0] > 100
        assert shown[2] > 40
    assert not missed
    assert not alarms


# Statements of T-SQL need nothing between them, so that each of these runs whatever stands before it.
TAILS = (
    "DROP TABLE victim",
    "DELETE victim",
    "EXEC wipe_all",
    "TRUNCATE TABLE victim",
    "UPDATE victim SET a = 1",
    "ALTER TABLE victim DROP COLUMN a",
    "DISABLE TRIGGER x ON victim",
    "SHUTDOWN",
)


@pytest.mark.parametrize("tail", TAILS)
def test_no_statement_of_tsql_swallows_the_next(tail: str) -> None:
    for dialect, text in scripts("sql_benign.txt"):
        if dialect != "tsql" or {"PROCEDURE", "FUNCTION", "VIEW"} & set(text.split()[:4]):
            # These take the rest of their batch, or must be alone in it.
            continue
        script = f"{text.rstrip('; ')}\n{tail}"
        assert decided(script, dialect)[1] is not Outcome.PERMIT, script


def test_every_option_of_bigquery_has_a_row_or_takes_a_protection_off() -> None:
    table = dialect_named("bigquery")
    assert not {name for row in table.options for name in row.names} & table.plain_options
    unknown = decided("ALTER TABLE d.t SET OPTIONS (brand_new_option = 1)", "bigquery")
    assert unknown[1] is not Outcome.PERMIT
