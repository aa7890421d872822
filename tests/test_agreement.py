"""Every back end decides and explains as the reference evaluator does, whatever the policies and the request."""

from typing import Any

import pytest
from backends import program_of
from hypothesis import given, note
from hypothesis import strategies as st
from strategies import (
    broken,
    partial_stores,
    policy_sets,
    requests,
    stores,
    worlds,
)


from interlock.compiler.backends import python
from interlock.compiler.backends.runtime import entities_of
from interlock.compiler.decision import Decision, Outcome
from interlock.compiler.documents import Misfit
from interlock.compiler.ir import PolicySet
from interlock.compiler.wire import read_entities
from interlock.gate.gate import decide_document

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
    limit = python.MAX_INLINE_RULES
    python.MAX_INLINE_RULES = 0
    try:
        fresh = PolicySet(policies.schema, policies.rules, policies.digest + " looked up")
        program_of(fresh)
    finally:
        python.MAX_INLINE_RULES = limit
    documents = data.draw(partial_stores(world))
    for _ in range(5):
        request = data.draw(requests(world))
        try:
            expected = reference_of(policies, documents, request)
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


def reference_of(policies: PolicySet, documents: Json, request: Json) -> Decision:
    return decide_document(policies, request, read_entities(policies.schema, documents))


