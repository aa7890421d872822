"""Why nothing permitted a request: the permits that came closest, and which of their conditions did not hold."""

from dataclasses import dataclass

from ..lang.source import Span
from ..lang.syntax import Effect
from . import ir
from .decision import Decision, Request
from .entities import Entities
from .reference import Failed, evaluate


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A permit whose scope fits the request, with the places of the conditions that do not hold."""

    rule: str
    span: Span
    unmet: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and where nothing permits, the permits that came closest."""

    decision: Decision
    near_misses: tuple[NearMiss, ...]


def near_misses(policies: ir.PolicySet, request: Request, entities: Entities) -> list[NearMiss]:
    """The permits in whose scope the request is, fewest unmet conditions first."""
    found = []
    for rule in policies.rules:
        if rule.effect is Effect.PERMIT and _in_scope(rule.scope, request):
            unmet = _unmet(rule.condition, request, entities)
            if unmet:
                found.append(NearMiss(rule.id, rule.span, tuple(unmet)))
    return sorted(found, key=lambda miss: (len(miss.unmet), miss.rule))


def _in_scope(scope: ir.Scope, request: Request) -> bool:
    return (
        request.action in scope.actions
        and request.principal.type in scope.principal.types
        and request.resource.type in scope.resource.types
    )


def _unmet(condition: ir.Term, request: Request, entities: Entities) -> list[Span]:
    """The spans of the parts of a conjunction that do not hold, up to the first that cannot be read."""
    spans = []
    for operand in condition.operands if isinstance(condition, ir.And) else (condition,):
        value = evaluate(operand, request, entities)
        if value is not True:
            spans.append(operand.span)
        if isinstance(value, Failed):
            break
    return spans
