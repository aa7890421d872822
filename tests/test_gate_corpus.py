"""Every real plan, migration and manifest gets a decision, by an agent in production; run with `-s` to see the table.

The inputs are counted by others: the plans' own manifest, PostgreSQL's parser, PyYAML.
"""

import csv
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pglast
import pytest
from pglast.parser import ParseError
from test_kubernetes_corpus import ARCHIVES, counted, files

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import Verdict, gate
from interlock.plans.model import Effect, Identity, Plan, numbered
from interlock.plans.sources import Options, source_named
from interlock.policies import Policies

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
MIGRATIONS = ("langfuse", "umami")
OUTCOMES = (Outcome.PERMIT, Outcome.HOLD, Outcome.DENY)

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason=f"no corpora at {CORPORA}")


@dataclass(frozen=True)
class Artifact:
    file: str
    text: str
    inputs: int | None
    """What somebody else counts in it; `None` where they cannot read it."""


def plans() -> Iterator[Artifact]:
    with (CORPORA / "terraform" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            path = CORPORA / "terraform" / f"{row['file']}.json"
            inputs = sum(json.loads(row["actions"]).values())
            yield Artifact(path.name, path.read_text(encoding="utf-8"), inputs)


def migrations(application: str) -> Iterator[Artifact]:
    with tarfile.open(CORPORA / "sql" / f"migrations-{application}.tar.gz") as archive:
        for member in archive:
            if member.name.endswith(".sql") and (file := archive.extractfile(member)):
                text = file.read().decode("utf-8")
                yield Artifact(member.name, text, statements(text))


def statements(text: str) -> int | None:
    try:
        return len(pglast.parse_sql(text))
    except ParseError:
        return None


def manifests(archive: str) -> Iterator[Artifact]:
    for file, text in files(archive):
        yield Artifact(file, text, counted(text))


@dataclass
class Row:
    """One line of the table."""

    name: str
    artifacts: int = 0
    inputs: int = 0
    changes: int = 0
    opaque: int = 0
    unreadable: int = 0
    """Artifacts with a problem."""
    plans: Counter[Outcome] = field(default_factory=Counter)
    decided: Counter[Outcome] = field(default_factory=Counter)
    effects: Counter[tuple[Effect, Outcome]] = field(default_factory=Counter)


@cache
def policies() -> Policies:
    return interlock.load("production_guardrails", cache=False)


def verdict(kind: str, artifact: Artifact) -> Verdict:
    source = source_named(kind)
    assert source is not None
    reading = source.read(artifact.file, artifact.text, Options())
    plan = Plan(
        author=Identity(type="Agent", id="bot"),
        environment="production",
        artifacts=(reading.artifact,),
        changes=numbered(reading.changes),
        problems=reading.problems,
    )
    return gate(policies(), plan)


def row_of(name: str, kind: str, artifacts: Iterator[Artifact]) -> Row:
    """The line of one corpus; asserts for each artifact that nothing is dropped and nothing unread passes."""
    row = Row(name)
    for artifact in artifacts:
        found = verdict(kind, artifact)
        changes = found.plan.changes
        assert len(found.results) == len(changes) + 1, artifact.file
        opaque = sum(change.opaque is not None for change in changes)
        if artifact.inputs is None:
            assert opaque or found.plan.problems, artifact.file
        else:
            assert len(changes) >= artifact.inputs or found.plan.problems, artifact.file
            row.inputs += artifact.inputs
        assert not found.plan.problems or found.outcome is Outcome.DENY, artifact.file
        row.artifacts += 1
        row.changes += len(changes)
        row.opaque += opaque
        row.unreadable += bool(found.plan.problems)
        row.plans[found.outcome] += 1
        for result in found.results:
            if result.change is None:
                continue
            outcome = result.decision.outcome
            row.decided[outcome] += 1
            row.effects[result.change.effect, outcome] += 1
            unread = result.change.opaque or result.change.effect is Effect.UNKNOWN
            assert not (unread and outcome is Outcome.PERMIT), result.change
    return row


@cache
def table() -> tuple[Row, ...]:
    return (
        row_of("terraform", "terraform", plans()),
        *(row_of(f"sql {name}", "sql", migrations(name)) for name in MIGRATIONS),
        *(row_of(f"kubernetes {name}", "kubernetes", manifests(name)) for name in ARCHIVES),
    )


def test_every_artifact_gets_a_decision_and_nothing_is_dropped() -> None:
    rows = table()
    print(
        f"\n{'':<30}{'files':>6}{'inputs':>8}{'changes':>8}{'opaque':>7}{'unread.':>8}"
        f" |{'plans: permit':>14}{'hold':>6}{'deny':>6} |{'changes: permit':>16}{'hold':>6}{'deny':>6}"
    )
    for row in rows:
        plans_said = "".join(
            f"{row.plans[each]:>{width}}" for each, width in zip(OUTCOMES, (14, 6, 6), strict=True)
        )
        said = "".join(
            f"{row.decided[each]:>{width}}"
            for each, width in zip(OUTCOMES, (16, 6, 6), strict=True)
        )
        print(
            f"{row.name:<30}{row.artifacts:>6}{row.inputs:>8}{row.changes:>8}{row.opaque:>7}{row.unreadable:>8}"
            f" |{plans_said} |{said}"
        )
    artifacts = Counter({row.name.split()[0]: 0 for row in rows})
    for row in rows:
        artifacts[row.name.split()[0]] += row.artifacts
    assert artifacts["terraform"] == 308
    assert artifacts["sql"] == 466


def test_every_effect_has_its_outcomes() -> None:
    effects: Counter[tuple[Effect, Outcome]] = Counter()
    for row in table():
        effects += row.effects
    print(f"\n{'effect':<18}" + "".join(f"{outcome:>8}" for outcome in OUTCOMES))
    for effect in Effect:
        counts = [effects[effect, outcome] for outcome in OUTCOMES]
        if any(counts):
            print(f"{effect:<18}" + "".join(f"{count:>8}" for count in counts))
    for harmless in (Effect.READ, Effect.CREATE):
        assert effects[harmless, Outcome.PERMIT] > 0
        assert effects[harmless, Outcome.HOLD] == 0
    for harmful in (Effect.DISARM, Effect.DELETE_RECOVERY, Effect.DELETE_AUDIT, Effect.ESCALATE):
        assert effects[harmful, Outcome.PERMIT] == 0


def test_most_of_what_real_teams_did_passes() -> None:
    """A gate that denies everything has failed."""
    for row in table():
        assert row.decided[Outcome.PERMIT] > row.decided[Outcome.DENY], row.name
