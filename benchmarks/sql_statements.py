"""What reading SQL costs beside the bare parsers, and what peers see of the same dangerous statements.

    python benchmarks/sql_statements.py [--squawk PATH] [--pgrubic PATH]

squawk and pgrubic are programs of their own (`pip install squawk-cli pgrubic` in another environment); without a
path they are looked for, and left out where they are not. pgrubic needs Python 3.12: `pgrubic_prefix.py` gets one.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pglast
import sqlglot

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import gate
from interlock.plans.model import Identity, Plan, numbered
from interlock.plans.sources import Options
from interlock.plans.sources.sql.source import DIALECTS, read

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sql_cases import HARMLESS, cases, queries, quoting

STATEMENTS = {
    "short DELETE": "DELETE FROM users WHERE id = 5",
    "wide DELETE": "DELETE FROM users WHERE status = 'x' OR (a > 5 AND b IN (1, 2, 3))",
    "DELETE by a sub-select": "DELETE FROM users WHERE id IN (SELECT u.id FROM users u WHERE u.gone = 'y')",
    "medium SELECT": "SELECT u.id, count(*) AS n FROM users u JOIN orders o ON o.uid = u.id WHERE o.total > 5 "
    "GROUP BY u.id HAVING count(*) > 3 ORDER BY n DESC LIMIT 10",
    "CREATE TABLE": "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10) NOT NULL, b INT, UNIQUE (a, b))",
    "ALTER TABLE": "ALTER TABLE users ADD COLUMN a INT",
    "DROP TABLE": "DROP TABLE users",
}
ROUNDS = 5
# Advice on how to write and run a statement, given for nearly every one.
STYLE = re.compile(r"prefer-|require-|syntax-error|NM|QY|SM|TP|GN0(?!02|12|15|19|22|23)")
# What a program paints its words with.
PAINT = re.compile(r"\x1b(?:\[[0-9;]*m|\]8;;)")


def microseconds(work: Callable[[], object], times: int = 200) -> float:
    """The least time for one call, over a few rounds."""
    least = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            work()
        least = min(least, (time.perf_counter() - start) / times)
    return least * 1e6


def costs() -> None:
    print("microseconds a statement (least of five rounds)")
    print(f"{'statement':<24}{'dialect':<11}{'interlock':>10}{'sqlglot':>9}{'pglast':>8}")
    for label, text in STATEMENTS.items():
        for dialect in DIALECTS:
            options = Options(dialect=dialect)
            ours = microseconds(lambda: read("a.sql", text, options))  # noqa: B023 - It is called at once.
            theirs = microseconds(lambda: sqlglot.parse(text, read=dialect))  # noqa: B023
            bare = microseconds(lambda: pglast.parse_sql(text)) if dialect == "postgres" else None  # noqa: B023
            shown = "-" if bare is None else f"{bare:.0f}"
            print(f"{label:<24}{dialect:<11}{ours:>10.0f}{theirs:>9.0f}{shown:>8}")


def flagged_by_interlock(texts: list[str]) -> list[bool]:
    policies = interlock.load("production_guardrails", cache=False)
    found = []
    for text in texts:
        reading = read("a.sql", text, Options())
        plan = Plan(
            author=Identity(type="Agent", id="bot"),
            environment="production",
            artifacts=(reading.artifact,),
            changes=numbered(reading.changes),
            problems=reading.problems,
        )
        found.append(gate(policies, plan).outcome is not Outcome.PERMIT)
    return found


def flagged_by(command: list[str], texts: list[str], rules: re.Pattern[str]) -> list[bool]:
    """Whether a peer names a rule, other than one of style, for each text; it reads them all at once."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            file = Path(folder) / f"{number}.sql"
            file.write_text(text.replace("\x00", "") + ";\n", encoding="utf-8")
        files = [f"{number}.sql" for number in range(len(texts))]
        run = subprocess.run(
            [*command, *files], capture_output=True, text=True, check=False, cwd=folder
        )
    said = PAINT.sub(" ", run.stdout + run.stderr)
    named = re.findall(rf"\b(\d+)\.sql\b.*?{rules.pattern}", said)
    flagged = {int(number) for number, name in named if STYLE.match(name) is None}
    return [number in flagged for number in range(len(texts))]


def comparison(squawk: str | None, pgrubic: str | None) -> None:
    postgres = [(name, text) for name, dialect, text in cases() if dialect == "postgres"]
    dangerous = [text for name, text in postgres if name not in HARMLESS]
    benign = [text for name, text in postgres if name in HARMLESS] + queries() + quoting()
    print(f"\n{len(dangerous)} dangerous statements of PostgreSQL and {len(benign)} that are not")
    print(f"{'':<22}{'caught':>8}{'missed':>8}{'false alarms':>14}")
    row = _row("interlock gate", flagged_by_interlock(dangerous), flagged_by_interlock(benign))
    print(row)
    peers = [
        ("squawk", squawk, ["--reporter", "Json"], re.compile(r'"rule_name":"([\w-]+)"')),
        ("pgrubic", pgrubic, ["lint"], re.compile(r"\b([A-Z]{2}\d{3})\b")),
    ]
    for name, path, options, rules in peers:
        if path is None:
            print(f"{name:<22}is not installed here")
            continue
        command = [path, *options]
        flagged = flagged_by(command, dangerous, rules), flagged_by(command, benign, rules)
        print(_row(f"{name} {_version(path)}", *flagged))


def _row(name: str, dangerous: list[bool], benign: list[bool]) -> str:
    caught = sum(dangerous)
    return f"{name:<22}{caught:>8}{len(dangerous) - caught:>8}{sum(benign):>14}"


def _version(path: str) -> str:
    run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return run.stdout.split()[-1] if run.stdout.split() else "?"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--squawk", default=shutil.which("squawk"))
    parser.add_argument("--pgrubic", default=shutil.which("pgrubic"))
    parser.add_argument("--only", choices=["costs", "peers"])
    given = parser.parse_args()
    if given.only != "peers":
        costs()
    if given.only != "costs":
        comparison(given.squawk, given.pgrubic)


if __name__ == "__main__":
    main()
