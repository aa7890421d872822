"""Every back end decides and explains as the reference evaluator does, whatever the policies and the request."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agreement import run_round
from backends import program_of, vendored_module
from hypothesis import given, note
from hypothesis import strategies as st
from sql_rows import decide_in_sqlite
from strategies import (
    broken,
    compile_text,
    partial_stores,
    policy_sets,
    requests,
    stores,
    worlds,
)

from interlock.cli.decisions import decision_document
from interlock.compiler.backends.python import program as generator
from interlock.compiler.backends.python.program import generate
from interlock.compiler.backends.python.runtime import entities_of
from interlock.compiler.backends.python.vendor import vendor
from interlock.compiler.decision import Decision, Outcome
from interlock.compiler.documents import Misfit
from interlock.compiler.ir import PolicySet
from interlock.compiler.judge import decide_document
from interlock.compiler.reference import decide
from interlock.compiler.wire import missing_entities, read_entities, read_request

Json = Any


def by_reference(policies: PolicySet, documents: Json, request: Json) -> Decision:
    return decide_document(policies, request, read_entities(policies.schema, documents))


def by_python(policies: PolicySet, documents: Json, request: Json) -> Decision:
    program = program_of(policies)
    store = entities_of(program.world, documents)
    decision = program.decide(request, store)
    assert program.allows(request, store) == (decision.outcome is Outcome.PERMIT)
    return decision


def compare(policies: PolicySet, documents: Json, request: Json) -> None:
    try:
        expected = by_reference(policies, documents, request)
    except Misfit:
        with pytest.raises(Misfit):
            by_python(policies, documents, request)
        return
    found = by_python(policies, documents, request)
    assert found.outcome == expected.outcome
    assert found == expected
    assert found.id == expected.id


@given(st.data())
def test_python_agrees_with_reference(data: st.DataObject) -> None:
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=1, most=6))
    note(sample.text)
    policies = sample.compile()
    documents = data.draw(stores(world))
    for _ in range(5):
        compare(policies, documents, data.draw(requests(world)))


@given(st.data())
def test_python_agrees_where_things_are_missing_or_wrong(data: st.DataObject) -> None:
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=1, most=4))
    note(sample.text)
    policies = sample.compile()
    documents = data.draw(partial_stores(world))
    for _ in range(3):
        compare(policies, documents, data.draw(requests(world)))
        compare(policies, documents, data.draw(broken(data.draw(requests(world)))))


@given(st.data())
def test_looking_rules_up_agrees_with_reading_them_all(data: st.DataObject) -> None:
    """The decision index never passes over a rule that would have applied or failed."""
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=2, most=6))
    note(sample.text)
    policies = sample.compile()
    limit = generator.MAX_INLINE_RULES
    generator.MAX_INLINE_RULES = 0
    try:
        fresh = PolicySet(policies.schema, policies.rules, policies.digest + " looked up")
        program_of(fresh)
    finally:
        generator.MAX_INLINE_RULES = limit
    documents = data.draw(partial_stores(world))
    for _ in range(5):
        request = data.draw(requests(world))
        try:
            expected = by_reference(policies, documents, request)
        except Misfit:
            continue
        program = program_of(fresh)
        found = program.decide(request, entities_of(program.world, documents))
        assert (found.outcome, found.reasons, found.needs, found.problems) == (
            expected.outcome,
            expected.reasons,
            expected.needs,
            expected.problems,
        )


@given(st.data())
def test_a_filter_of_a_database_agrees_with_reference(data: st.DataObject) -> None:
    """What a filter finds is the outcome of the row, or each rule that has none is refused with its place."""
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=1, most=4))
    note(sample.text)
    policies = sample.compile()
    entities = read_entities(policies.schema, data.draw(stores(world)))
    for _ in range(3):
        try:
            request = read_request(policies.schema, data.draw(requests(world)))
        except Misfit:
            continue
        if not missing_entities(request, entities):
            try:
                outcome = decide_in_sqlite(policies, request, entities)
            except OverflowError:
                continue  # No column holds a number of more than 64 bits, so that no row has it.
            if isinstance(outcome, list):
                assert all(refused.span.text and refused.reason for refused in outcome)
            else:
                assert outcome == decide(policies, request, entities).outcome


def test_a_round_of_the_long_run_agrees() -> None:
    """`make agreement` is this, for as long as it takes."""
    counts, problem = run_round(0, sets=5)
    assert not problem, problem
    assert counts["requests"] > 50
    assert counts["decided by SQL"] > 25


@given(st.data())
def test_the_vendored_file_agrees_with_reference(data: st.DataObject) -> None:
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=1, most=4))
    note(sample.text)
    policies = sample.compile()
    module = vendored_module(policies)
    documents = data.draw(partial_stores(world))
    for _ in range(3):
        request = data.draw(requests(world))
        try:
            expected = decision_document(by_reference(policies, documents, request))
        except Misfit:
            continue
        assert module["decide"](request, module["read_store"](documents)) == expected


def test_the_vendored_file_needs_nothing_but_python(tmp_path: Path) -> None:
    """Run apart from everything that is installed, it prints what `interlock eval` prints."""
    text = "entity A { n: Int }\naction go { principal A  resource A }\npermit p { when principal.n > 1 }"
    policies = compile_text(text)
    file = tmp_path / "gate.py"
    file.write_text(vendor(policies, generate(policies)))
    (tmp_path / "entities.json").write_text(
        json.dumps([{"uid": {"type": "A", "id": "a"}, "attrs": {"n": 2}}])
    )
    uid = {"type": "A", "id": "a"}
    request = {"principal": uid, "action": {"type": "Action", "id": "go"}, "resource": uid}
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(file), str(tmp_path / "entities.json")],
        input=json.dumps(request),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["rules"] == ["p"]
