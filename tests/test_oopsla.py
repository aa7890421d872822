"""The applications of the Cedar paper, written in `.ilk`, decide as Cedar recorded it: 24,000 requests."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import interlock
from interlock.compiler import compile_policies, reference
from interlock.compiler.decision import Outcome
from interlock.compiler.ir import PolicySet
from interlock.compiler.wire import read_entities, read_request
from interlock.lang.loader import load

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
APPLICATIONS = BENCHMARKS / "oopsla"
CORPUS = ROOT.parent / "shared" / "corpora" / "oopsla2024"

Json = Any


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*/*.ilk")), ids=lambda path: path.stem)
def test_the_policies_of_the_benchmarks_compile_without_a_remark(path: Path) -> None:
    checked, problems = load([path])
    _, more = compile_policies(checked)
    assert not problems + more


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora are not beside the checkout")
@pytest.mark.parametrize("size", [5, 10, 20, 50])
@pytest.mark.parametrize("application", ["gdrive", "github", "tinytodo"])
def test_every_recorded_decision_is_reproduced(application: str, size: int) -> None:
    policies = policies_of(application)
    stores = recorded(application, size)
    assert [len(store["requests"]) for store in stores] == [500] * 4
    evaluator = interlock.load(APPLICATIONS / f"{application}.ilk", cache=False)
    for store in stores:
        entities = read_entities(policies.schema, complete(store["entities"]))
        assert not entities.invalid
        served = evaluator.entities(complete(store["entities"]))
        for line in store["requests"]:
            document = {key: line[key] for key in ("principal", "action", "resource", "context")}
            decision = reference.decide(policies, read_request(policies.schema, document), entities)
            wanted = Outcome.PERMIT if line["decision"] == "allow" else Outcome.DENY
            assert decision.outcome is wanted, document
            assert not decision.problems
            # Cedar numbers its policies, and the files keep their order.
            rules = [policies.rules[int(policy[len("policy") :])].id for policy in line["reason"]]
            assert sorted(rules) == list(decision.rules), document
            answer = evaluator.decide(document, served)
            assert (answer.outcome, answer.rules) == (wanted, decision.rules), document
            assert answer.id == decision.id
            assert evaluator.allows(document, served) is (wanted is Outcome.PERMIT)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora are not beside the checkout")
def test_a_store_with_parents_that_nobody_describes_fails_closed() -> None:
    policies = policies_of("gdrive")
    entities = read_entities(policies.schema, recorded("gdrive", 50)[0]["entities"])
    assert any("and that is missing" in reason for reason in entities.invalid.values())


def policies_of(application: str) -> PolicySet:
    checked, _ = load([APPLICATIONS / f"{application}.ilk"])
    return compile_policies(checked)[0]


def recorded(application: str, size: int) -> list[Json]:
    """The stores of one size with requests and decisions; without actions, whose groups the policies declare."""
    with gzip.open(CORPUS / application / f"stores-N{size}.json.gz") as file:
        stores: list[Json] = json.load(file)
    for store in stores:
        store["entities"] = [e for e in store["entities"] if uid(e["uid"])[0] != "Action"]
    return stores


def complete(entities: list[Json]) -> list[Json]:
    """The same store, where a parent that nobody describes is an entity that is in nothing, which it is to Cedar.

    The generator of gdrive names parents `View::"User 3"` that it describes as `View::"User user_3"`.
    """
    described = {uid(entity["uid"]) for entity in entities}
    named = {uid(parent) for entity in entities for parent in entity["parents"]}
    added = [{"uid": {"type": type, "id": id}} for type, id in sorted(named - described)]
    return [*entities, *added]


def uid(entity: Json) -> tuple[str, str]:
    entity = entity.get("__entity", entity)
    return entity["type"], entity["id"]
