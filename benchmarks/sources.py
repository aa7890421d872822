"""What reading costs, for each source: microseconds a statement, command, object, call or resource change.

    python benchmarks/sources.py

SQL stands beside sqlglot and pglast, and beside what peers see, in `sql_statements.py`; here it is one row of many.
Corpora are measured where they lie beside the checkout.
"""

import itertools
import json
import re
import sys
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import interlock
from interlock.gate.gate import gate
from interlock.plans.model import Identity, Plan, Reading, numbered
from interlock.plans.sources import Options, source_named
from interlock.policies import Policies

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from cloud_cases import BENIGN as CLOUD_BENIGN
from cloud_cases import DANGEROUS as CLOUD_DANGEROUS
from sql_cases import cases
from test_shell_gate import BENIGN, DANGEROUS

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
ROUNDS = 3
LARGE_PLAN_BYTES = 2_500_000
Texts = list[str]


def main() -> None:
    policies = interlock.load("production_guardrails", cache=False)
    version = sys.version.split()[0]
    print(f"Python {version}; time of the processor, the least of {ROUNDS} rounds")
    print("gated: decided by the shipped pack, for an agent in production\n")
    print(f"{'source':<38}{'inputs':>8}{'KB':>8}{'read ms':>10}{'µs each':>9}{'gated µs':>10}")
    for name, kind, texts in corpora():
        print(row(policies, name, kind, texts))


def row(policies: Policies, name: str, kind: str, texts: Texts) -> str:
    readings, seconds = least(lambda: [read(kind, text) for text in texts])
    plans = [plan_of(reading) for reading in readings]
    _, gated = least(lambda: [gate(policies, plan) for plan in plans], rounds=1)
    changes = sum(len(plan.changes) for plan in plans)
    size = sum(map(len, texts)) / 1000
    return (
        f"{name:<38}{changes:>8}{size:>8.0f}{seconds * 1000:>10.0f}"
        f"{seconds / changes * 1e6:>9.0f}{gated / changes * 1e6:>10.0f}"
    )


def corpora() -> Iterator[tuple[str, str, Texts]]:
    """What is read: its name, its source, and the artifacts."""
    yield (
        "sql: one case each, PostgreSQL",
        "sql",
        [text for _, spoken, text in cases() if spoken == "postgres"],
    )
    yield "shell: one line each", "shell", lines(DANGEROUS + BENIGN)
    yield "shell: the same as one script", "shell", ["\n".join(lines(BENIGN))]
    for cloud in ("aws", "google", "azure"):
        calls = [*CLOUD_DANGEROUS[cloud], *CLOUD_BENIGN[cloud]]
        yield f"{cloud}: one call each", cloud, list(map(json.dumps, calls))
    yield "mcp: one call each", "mcp", tool_calls()
    if not CORPORA.is_dir():
        print(f"no corpora at {CORPORA}; the rest is left out", file=sys.stderr)
        return
    yield (
        "sql: migrations of langfuse",
        "sql",
        members(CORPORA / "sql" / "migrations-langfuse.tar.gz", ".sql"),
    )
    manifests = members(CORPORA / "kubernetes" / "kube-prometheus.tar.gz", ".yaml")
    yield "kubernetes: kube-prometheus", "kubernetes", manifests
    plans = [
        path.read_text(encoding="utf-8") for path in sorted((CORPORA / "terraform").glob("*.json"))
    ]
    yield "terraform: 308 plans", "terraform", plans
    largest = max(plans, key=len)
    yield f"terraform: one plan of {len(largest) / 1e6:.1f} MB", "terraform", [largest]
    grown = enlarged(largest)
    yield f"terraform: one plan of {len(grown) / 1e6:.1f} MB", "terraform", [grown]


def lines(text: str) -> Texts:
    return [line for line in text.splitlines() if line]


def tool_calls() -> Texts:
    """A call of a database's tool and one of a shell's, for each of the commands above."""
    statements = [
        ("mcp__postgres__query", {"sql": text})
        for _, spoken, text in cases()
        if spoken == "postgres"
    ]
    commands = [("mcp__bash__Bash", {"command": line}) for line in lines(BENIGN)]
    return [
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": name, "arguments": arguments},
            }
        )
        for name, arguments in itertools.chain(statements, commands)
    ]


def members(archive: Path, suffix: str) -> Texts:
    with tarfile.open(archive) as opened:
        return [
            file.read().decode("utf-8")
            for member in opened
            if member.name.endswith(suffix) and (file := opened.extractfile(member))
        ]


def enlarged(text: str) -> str:
    """A plan of at least `LARGE_PLAN_BYTES`: the changes of a real one, again and again under new addresses."""
    plan: dict[str, Any] = json.loads(text)
    changes = list(plan["resource_changes"])
    size = len(json.dumps(plan))
    for copy in itertools.count(1):
        if size >= LARGE_PLAN_BYTES:
            break
        for change in changes:
            address = re.sub(r"(\[.*\])?$", rf"_copy{copy}\1", change["address"], count=1)
            again = {**change, "address": address}
            plan["resource_changes"].append(again)
            size += len(json.dumps(again))
    return json.dumps(plan)


def read(kind: str, text: str) -> Reading:
    source = source_named(kind)
    assert source is not None
    return source.read(f"a.{kind}", text, Options())


def plan_of(reading: Reading) -> Plan:
    return Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(reading.artifact,),
        changes=numbered(reading.changes),
        problems=reading.problems,
    )


def least(work: Callable[[], Iterable[Any]], rounds: int = ROUNDS) -> tuple[list[Any], float]:
    """What the work gives, and the least seconds of the processor that it took, whatever else runs."""
    seconds = float("inf")
    found: list[Any] = []
    for _ in range(rounds):
        start = time.process_time()
        found = list(work())
        seconds = min(seconds, time.process_time() - start)
    return found, seconds


if __name__ == "__main__":
    main()
