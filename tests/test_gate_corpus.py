"""Every real plan and migration gets a decision, by an agent in production; run with `-s` to see the table."""

import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import Verdict, gate
from interlock.plans.model import Effect, Identity, Plan, numbered
from interlock.plans.sources import Options, source_named

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
AGENT = Identity(type="Agent", id="bot")

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason=f"no corpora at {CORPORA}")


def plans() -> Iterator[tuple[str, str]]:
    for path in sorted((CORPORA / "terraform").glob("*.json")):
        yield "terraform", path.read_text(encoding="utf-8")


def migrations() -> Iterator[tuple[str, str]]:
    for path in sorted((CORPORA / "sql").glob("migrations-*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".sql") and (file := archive.extractfile(member)):
                    yield "sql", file.read().decode("utf-8")


def verdicts(artifacts: Iterator[tuple[str, str]]) -> Iterator[Verdict]:
    policies = interlock.load("production_guardrails", cache=False)
    for kind, text in artifacts:
        source = source_named(kind)
        assert source is not None
        reading = source.read(f"a.{kind}", text, Options())
        plan = Plan(
            author=AGENT,
            environment="production",
            artifacts=(reading.artifact,),
            changes=numbered(reading.changes),
            problems=reading.problems,
        )
        yield gate(policies, plan)


@pytest.mark.parametrize(("kind", "least"), [("terraform", 308), ("sql", 466)])
def test_every_artifact_gets_a_decision(kind: str, least: int) -> None:
    found = list(verdicts(plans() if kind == "terraform" else migrations()))
    assert len(found) >= least
    outcomes = Counter(str(verdict.outcome) for verdict in found)
    changes: Counter[tuple[str, str]] = Counter()
    for verdict in found:
        assert len(verdict.results) == len(verdict.plan.changes) + 1
        for result in verdict.results:
            if result.change is not None:
                outcome = result.decision.outcome
                changes[str(result.change.effect), str(outcome)] += 1
                unread = result.change.opaque or result.change.effect is Effect.UNKNOWN
                assert not (unread and outcome is Outcome.PERMIT), result.change
    print(f"\n{kind}: {len(found)} artifacts, {dict(outcomes)}")
    print(f"{'effect':<18}{'permit':>8}{'hold':>8}{'deny':>8}")
    for effect in Effect:
        counts = [
            changes[str(effect), str(outcome)]
            for outcome in (Outcome.PERMIT, Outcome.HOLD, Outcome.DENY)
        ]
        if any(counts):
            print(f"{effect:<18}" + "".join(f"{count:>8}" for count in counts))
