"""The encoding means what the reference evaluator means: on every concrete request its formulas have the same truth."""

import pytest
from hypothesis import Phase, find, given, note, settings
from hypothesis import strategies as st
from smt_valuation import Valuation
from strategies import policy_sets, requests, stores, worlds

from interlock.compiler.backends.smt.encoder import Encoder
from interlock.compiler.backends.smt.theory import axioms
from interlock.compiler.decision import Outcome
from interlock.compiler.documents import Misfit
from interlock.compiler.entities import Entities
from interlock.compiler.ir import PolicySet
from interlock.compiler.reference import decide
from interlock.compiler.wire import missing_entities, read_entities, read_request
from interlock.lang.schema import Environment
from interlock.lang.values import EntityId, Record, Value

MOST_ELEMENTS = 3


class EverySlot(dict[str, int]):
    """As many slots as any set of the tests has elements."""

    def get(self, key: str, default: object = None) -> int:
        return MOST_ELEMENTS


def encoder_for(policies: PolicySet, environment: Environment) -> Encoder:
    """An encoder over all environments that share the context type of one."""
    schema = policies.schema
    context = schema.actions[environment.action].context
    group = [
        item for item in schema.environments() if schema.actions[item.action].context == context
    ]
    return Encoder(schema, tuple(group), EverySlot())


def is_described(value: Value, entities: Entities) -> bool:
    match value:
        case EntityId():
            return value in entities.known
        case Record():
            return all(is_described(item, entities) for item in value.values())
        case frozenset():
            return len(value) <= MOST_ELEMENTS and all(
                is_described(item, entities) for item in value
            )
        case _:
            return True


def everything_is_described(entities: Entities, context: Record) -> bool:
    return is_described(context, entities) and all(
        is_described(data.attributes, entities) for data in entities.known.values()
    )


@given(st.data())
def test_formulas_are_true_where_the_reference_says_so(data: st.DataObject) -> None:
    world = data.draw(worlds())
    sample = data.draw(policy_sets(world, least=1, most=4))
    note(sample.text)
    policies = sample.compile()
    entities = read_entities(policies.schema, data.draw(stores(world)))
    encoders: dict[object, Encoder] = {}
    for _ in range(3):
        document = data.draw(requests(world))
        try:
            request = read_request(policies.schema, document)
        except Misfit:
            continue
        if missing_entities(request, entities):
            continue
        if not everything_is_described(entities, request.context):
            continue
        environment = Environment(request.principal.type, request.action, request.resource.type)
        context = policies.schema.actions[request.action].context
        encoder = encoders.setdefault(context, encoder_for(policies, environment))
        outcomes = encoder.decide(policies.rules)
        valid = encoder.valid()
        valuation = Valuation(encoder, request, entities)
        decision = decide(policies, request, entities)
        expected = {
            Outcome.PERMIT: outcomes.permit,
            Outcome.HOLD: outcomes.hold,
            Outcome.DENY: outcomes.deny,
        }
        found = {outcome for outcome, literal in expected.items() if valuation.holds(literal)}
        theory = axioms(encoder)
        broken = [clause for clause in theory if not any(map(valuation.holds, clause))]
        if valuation.is_total:
            assert valuation.holds(valid)
            assert found == {decision.outcome}
            assert not broken, [
                [(literal, encoder.circuit.meanings.get(abs(literal))) for literal in clause]
                for clause in broken
            ]


@st.composite
def questions(draw: st.DrawFn) -> set[str]:
    """The kinds of questions that the rules of one drawn policy set ask."""
    policies = draw(policy_sets(draw(worlds()), least=1, most=4)).compile()
    asked: set[str] = set()
    for environment in policies.schema.environments():
        encoder = encoder_for(policies, environment)
        encoder.decide(policies.rules)
        asked |= {type(atom).__name__ for atom in encoder.circuit.meanings.values()}
    return asked


@pytest.mark.parametrize("kind", ["Truth", "Present", "Is", "Glob", "AtMost", "Inside", "Slot"])
def test_every_kind_of_question_is_asked_by_some_drawn_policy(kind: str) -> None:
    """The property above is worth as much as the policies that are drawn; for the rare, see test_analyzer.py."""
    found = find(
        questions(),
        lambda asked: kind in asked,
        settings=settings(max_examples=5_000, phases=[Phase.generate], database=None),
    )
    assert kind in found
