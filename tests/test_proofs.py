"""A verdict can be trusted: what is proved survives every drawn request, and what is refuted reproduces."""

from dataclasses import replace
from types import ModuleType
from unittest.mock import patch

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from strategies import World, policy_sets, requests, stores, worlds

from interlock.analyzer.claims import CLAIMS, denied_by
from interlock.analyzer.coverage import coverage
from interlock.analyzer.goals import Goal
from interlock.analyzer.prove import Engine, Proof, Verdict, is_broken, prove_goal
from interlock.analyzer.weaken import Weakening, weakenings
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import ir
from interlock.compiler.backends.smt import places
from interlock.compiler.backends.smt.places import MAX_INNER_SLOTS
from interlock.compiler.documents import Misfit
from interlock.compiler.ir import PolicySet
from interlock.compiler.reference import decide
from interlock.compiler.wire import missing_entities, read_entities, read_request
from interlock.lang.schema import Environment, Schema
from interlock.lang.source import NOWHERE
from interlock.lang.syntax import Effect
from interlock.lang.typesystem import EntityType, EnumType, Primitive, RecordOf, SetOf, Type
from interlock.lang.values import EntityId, EnumValue, Record, Value

KINDS = tuple(CLAIMS.values())


def environments_of(schema: Schema, scope: ir.Scope) -> tuple[Environment, ...]:
    return tuple(
        item
        for item in schema.environments()
        if item.action in scope.actions
        and item.principal in scope.principal.types
        and item.resource in scope.resource.types
    )


def goal_from(policies: PolicySet, kind: ModuleType, said: ir.Rule, named: ir.Rule | None) -> Goal:
    """A claim in the scope of a drawn rule, whose condition is what it says or when it speaks."""
    needs = said.needs or (ir.Need(said.condition, ir.Template(())),)
    claim = replace(said, effect=Effect.FORBID, needs=needs[:1])
    rule = named.id if kind is denied_by and named is not None else ""
    return Goal("drawn", claim, kind, rule, environments_of(policies.schema, said.scope), NOWHERE)


@st.composite
def problems(draw: st.DrawFn) -> tuple[World, PolicySet, Goal]:
    world = draw(worlds())
    sample = draw(policy_sets(world, least=2, most=5))
    note(sample.text)
    policies = sample.compile()
    *rules, said = policies.rules
    kinds = [kind for kind in KINDS if kind is not denied_by or rules]
    kind = draw(st.sampled_from(kinds))
    kept = replace(policies, rules=tuple(rules))
    named = draw(st.sampled_from(rules)) if rules else None
    if kind is denied_by and named is not None:
        kept = replace(
            kept, rules=tuple(replace(r, effect=Effect.FORBID) if r is named else r for r in rules)
        )
    note(f"{kind.SENTENCE} {said.id}")
    return world, kept, goal_from(kept, kind, said, named)


def verdict_of(policies: PolicySet, goal: Goal, engine: Engine = Engine.AUTO) -> Proof:
    proof = prove_goal(policies, goal, Vocabulary(), engine)
    assert "please report" not in proof.why
    return proof


def fits(type: Type, value: Value) -> bool:
    """Whether a value is of the type, as far as it is told: a counterexample leaves out what does not matter."""
    match type, value:
        case EntityType(types), EntityId():
            return value.type in types
        case EnumType(name, members, _), EnumValue():
            return value.enum == name and value.name in members
        case SetOf(element), frozenset():
            return all(fits(element, item) for item in value)
        case RecordOf(), Record():
            fields = {name: type.field(name) for name in value}
            return all(
                field is not None and fits(field.type, value[name])
                for name, field in fields.items()
            )
        case Primitive(), _:
            return not isinstance(value, EntityId | EnumValue | frozenset | Record)
        case _:
            return False


def agree(one: Proof, other: Proof) -> None:
    """Whether a counterexample of an approximated claim reproduces may depend on which one a solver finds."""
    verdicts = {one.verdict, other.verdict}
    assert len(verdicts) == 1 or verdicts == {Verdict.UNKNOWN, Verdict.REFUTED}, (one, other)


@pytest.mark.parametrize("slots", [MAX_INNER_SLOTS, (1, 1, 1)], ids=["slots", "one slot"])
@given(problems(), st.data())
def test_what_is_proved_survives_and_what_is_refuted_reproduces(
    slots: tuple[int, ...], problem: tuple[World, PolicySet, Goal], data: st.DataObject
) -> None:
    world, policies, goal = problem
    with patch.object(places, "MAX_INNER_SLOTS", slots):
        proof = verdict_of(policies, goal)
    found = proof.counterexample
    if found is not None:
        assert decide(policies, found.request, found.entities) == found.decision
        assert fits(policies.schema.actions[found.request.action].context, found.request.context)
        for entity, described in found.entities.known.items():
            for name, value in described.attributes.items():
                assert fits(policies.schema.entities[entity.type].attributes[name].type, value)
        assert is_broken(goal, found.request, found.entities, found.decision)
    if proof.verdict not in (Verdict.PROVED, Verdict.VACUOUS):
        return
    entities = read_entities(policies.schema, data.draw(stores(world)))
    for _ in range(5):
        try:
            request = read_request(policies.schema, data.draw(requests(world)))
        except Misfit:
            continue
        if missing_entities(request, entities):
            continue
        decision = decide(policies, request, entities)
        if not decision.problems:
            assert not is_broken(goal, request, entities, decision)


@given(problems())
def test_both_solvers_and_every_order_of_rules_agree(
    problem: tuple[World, PolicySet, Goal],
) -> None:
    _, policies, goal = problem
    proof = verdict_of(policies, goal)
    agree(proof, verdict_of(policies, goal, Engine.Z3))
    backwards = replace(policies, rules=policies.rules[::-1])
    agree(proof, verdict_of(backwards, goal))


@given(problems())
def test_the_second_opinion_agrees(problem: tuple[World, PolicySet, Goal]) -> None:
    pytest.importorskip("cvc5", reason="cvc5 is not installed")
    _, policies, goal = problem
    agree(verdict_of(policies, goal), verdict_of(policies, goal, Engine.CVC5))


@given(problems())
def test_what_coverage_says_of_an_edit_is_what_proving_the_edited_rules_says(
    problem: tuple[World, PolicySet, Goal],
) -> None:
    _, policies, goal = problem
    proof = verdict_of(policies, goal)
    if proof.verdict is not Verdict.PROVED:
        return
    told = coverage(policies, [proof])
    edits = [edit for rule in policies.rules for edit in weakenings(rule)]

    def verdict(edit: Weakening) -> Verdict:
        rules = [edit.edited if rule is edit.rule else rule for rule in policies.rules]
        edited = replace(policies, rules=tuple(rule for rule in rules if rule is not None))
        if goal.rule not in {"", *(rule.id for rule in edited.rules)}:
            return Verdict.REFUTED
        return verdict_of(edited, goal).verdict

    for unproved in told.unproved:
        verdicts = [
            verdict(edit)
            for edit in edits
            if (edit.rule.id, edit.span, edit.how) == (unproved.rule, unproved.span, unproved.edit)
        ]
        assert {Verdict.PROVED, Verdict.VACUOUS}.intersection(verdicts)
    for name in told.noticed:
        verdicts = [verdict(edit) for edit in edits if edit.rule.id == name]
        assert set(verdicts) - {Verdict.PROVED, Verdict.VACUOUS}
