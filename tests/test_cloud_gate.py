"""An agent in production: no dangerous call is permitted, every benign sibling is; `-s` shows the table."""

import json
from collections import Counter
from importlib import resources
from pathlib import Path

import aws_cases
import azure_cases
import cloud_cases
import google_cases
import pytest
from cloud_cases import Call

import interlock
from interlock.compiler.decision import Outcome
from interlock.gate.gate import Verdict, gate
from interlock.plans.model import Evidence, Identity, Plan, numbered
from interlock.plans.sources import Options, detect, source_named
from interlock.policies import Policies

AGENT = Identity(type="Agent", id="bot")
CLOUDS = ("aws", "google", "azure")
_MORE = {"aws": aws_cases, "google": google_cases, "azure": azure_cases}
DANGEROUS = {cloud: [*cloud_cases.DANGEROUS[cloud], *_MORE[cloud].DANGEROUS] for cloud in CLOUDS}
BENIGN = {cloud: [*cloud_cases.BENIGN[cloud], *_MORE[cloud].BENIGN] for cloud in CLOUDS}


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """The standard pack, with the clouds' vocabulary where it does not use that yet."""
    text = (resources.files("interlock.stdlib_policies") / "production_guardrails.ilk").read_text()
    missing = [f"use std.{cloud}\n" for cloud in CLOUDS if f"use std.{cloud}\n" not in text]
    pack: Path = tmp_path_factory.mktemp("pack") / "production_guardrails.ilk"
    pack.write_text(text.replace("use std.change\n", "use std.change\n" + "".join(missing), 1))
    return interlock.load(str(pack), cache=False)


def gated(policies: Policies, cloud: str, call: Call) -> Verdict:
    source = source_named(cloud)
    assert source is not None
    reading = source.read("calls.json", json.dumps(call), Options())
    plan = Plan(
        author=AGENT,
        environment="production",
        artifacts=(reading.artifact,),
        changes=numbered(reading.changes),
        problems=reading.problems,
    )
    return gate(policies, plan, Evidence(dry_run=True))


def is_permitted(verdict: Verdict) -> bool:
    """Whether every change passes; what the plan as a whole needs is the same for every source."""
    outcomes = [each.decision.outcome for each in verdict.results if each.change is not None]
    assert outcomes
    return not verdict.plan.problems and all(outcome is Outcome.PERMIT for outcome in outcomes)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_dangerous_call_is_permitted_and_no_benign_one_is_stopped(
    policies: Policies, cloud: str
) -> None:
    missed = [call for call in DANGEROUS[cloud] if is_permitted(gated(policies, cloud, call))]
    alarms = [call for call in BENIGN[cloud] if not is_permitted(gated(policies, cloud, call))]
    effects = Counter(
        str(change.effect)
        for call in DANGEROUS[cloud]
        for change in gated(policies, cloud, call).plan.changes
    )
    print(f"\n{cloud}: {len(DANGEROUS[cloud])} dangerous, {len(missed)} missed; ", end="")
    print(f"{len(BENIGN[cloud])} benign, {len(alarms)} false alarms; {dict(effects)}")
    assert not missed
    assert not alarms


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_call_is_recognised_as_one_of_its_cloud(cloud: str) -> None:
    for call in (*DANGEROUS[cloud], *BENIGN[cloud]):
        found = detect("calls.json", json.dumps(call))
        assert found is not None and found.kind == cloud, call


def test_the_reason_of_a_denial_names_the_operation(policies: Policies) -> None:
    call = {"api": "rds:DeleteDBInstance", "parameters": {"DBInstanceIdentifier": "prod"}}
    (change,) = gated(policies, "aws", call).plan.changes
    assert change.operation == "rds:DeleteDBInstance"
    assert "neither a final snapshot nor its automated backups stay" in change.summary
