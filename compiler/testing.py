"""The `test` declarations of a policy set, run on the reference evaluator.

A test says only what matters to it. What it does not say is missing, and a decision that depends on something
missing fails the test by name instead of passing by accident.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..lang import syntax
from ..lang.checked import Checked
from ..lang.meanings import Constant
from ..lang.syntax import Outcome
from ..lang.values import EntityId, Record
from . import ir
from .decision import Decision, Request
from .documents import Described
from .entities import NO_ENTITIES, Entities
from .lower import lower_expression
from .reference import decide, evaluate
from .wire import build_entities


@dataclass(frozen=True, slots=True)
class TestResult:
    """What a test got; `failure` says in one sentence why it does not pass."""

    __test__ = False

    test: syntax.Test
    request: Request
    entities: Entities
    decision: Decision
    failure: str | None


def run_tests(checked: Checked, policies: ir.PolicySet) -> list[TestResult]:
    return [_run(checked, policies, test) for test in checked.tests]


def uncovered(policies: ir.PolicySet, results: Iterable[TestResult]) -> list[ir.Rule]:
    """The rules that determined the decision of no test."""
    covered = {rule for result in results for rule in result.decision.rules}
    return [rule for rule in policies.rules if rule.id not in covered]


def _run(checked: Checked, policies: ir.PolicySet, test: syntax.Test) -> TestResult:
    request, entities = request_of(checked, test)
    decision = decide(policies, request, entities)
    expect = next(clause for clause in test.clauses if isinstance(clause, syntax.Expect))
    return TestResult(test, request, entities, decision, _failure(decision, expect))


def request_of(checked: Checked, test: syntax.Test) -> tuple[Request, Entities]:
    """The request and the entities that a checked test describes."""
    attributes: dict[Any, Any] = {}
    parents: dict[Any, frozenset[Any]] = {}
    roles: dict[str, EntityId] = {}
    action = ""
    context = Record({})
    for clause in test.clauses:
        match clause:
            case syntax.Given(role, reference, above, record):
                entity = _entity(checked, reference)
                roles[role] = entity
                ids = [_entity(checked, item) for item in above]
                for item in ids:
                    attributes.setdefault(item, Record({}))
                known = dict(attributes.get(entity, Record({})))
                known.update(_record(checked, record) if record else {})
                attributes[entity] = Record(known)
                parents[entity] = parents.get(entity, frozenset()) | frozenset(ids)
            case syntax.TestAction(reference):
                action = _action(checked, reference.name)
            case syntax.TestContext(record):
                context = _record(checked, record)
            case _:
                pass
    entities = build_entities(checked.schema, Described(attributes, parents, {}))
    return Request(roles["principal"], action, roles["resource"], context), entities


def _entity(checked: Checked, reference: syntax.EntityReference) -> EntityId:
    meaning = checked.tables.meanings[id(reference)]
    assert isinstance(meaning, Constant) and isinstance(meaning.value, EntityId)
    return meaning.value


def _action(checked: Checked, name: str) -> str:
    actions = checked.schema.actions
    return (
        name if name in actions else next(known for known in actions if known.endswith("." + name))
    )


def _record(checked: Checked, record: syntax.RecordLiteral) -> Record:
    value = evaluate(lower_expression(checked.tables, record), None, NO_ENTITIES)
    assert isinstance(value, Record), value
    return value


def _failure(decision: Decision, expect: syntax.Expect) -> str | None:
    named = [reference.name for reference in expect.rules]
    needed = {need.rule for need in decision.needs}
    missing = [name for name in named if name not in decision.rules and name not in needed]
    if decision.outcome is Outcome.DENY and not decision.reasons and decision.problems:
        problem = decision.problems[0]
        place = f"`{problem.rule}` reads it" if problem.rule else "it is read"
        return f"{problem.message}, and {place} at {problem.span}: say it in the test"
    if decision.outcome is not expect.outcome:
        by = f" by {', '.join(decision.rules)}" if decision.rules else ""
        return f"expected {expect.outcome}, got {decision.outcome}{by}"
    if missing:
        by = ", ".join(decision.rules) or "no rule"
        return f"expected {expect.outcome} by {', '.join(missing)}, got it by {by}"
    return None
