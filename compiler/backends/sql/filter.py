"""A policy set as a `WHERE` clause: the rows of a table that one principal may act on, exactly, or why there is none.

A row is an entity. The filter is true of a row where the reference evaluator gives the wanted outcome and false of
every other row; it is never NULL. What has no exact equivalent in a dialect is refused with its place.
"""

from dataclasses import dataclass, field
from typing import assert_never

from sqlglot import exp

from ....lang.source import Span
from ....lang.syntax import Effect, Outcome
from ....lang.values import EntityId, Record
from ... import ir
from ...decision import Request
from ...entities import Entities
from ...rewrite import parts
from .residual import Inexpressible, always_fails, residual, residual_condition
from .tables import Layout, Table
from .terms import (
    DIALECTS,
    both,
    either,
    found_present,
    negated,
    path_of,
    to_sql,
)

__all__ = ["DIALECTS", "Refused", "Table", "filter_for"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule that has no exact equivalent in SQL, the place in it, and why."""

    rule: str
    span: Span
    reason: str


def filter_for(
    policies: ir.PolicySet,
    principal: EntityId,
    action: str,
    context: Record,
    entities: Entities,
    resource_type: str,
    table: Table,
    dialect: str,
    outcome: Outcome = Outcome.PERMIT,
) -> exp.Expr | list[Refused]:
    """The condition on the rows that get this outcome, or every rule for which there is none.

    `entities` is everything there is beside the rows, and the context fits the schema.
    """
    declared = policies.schema.actions.get(action)
    if (
        declared is None
        or principal.type not in declared.principals
        or resource_type not in declared.resources
        or principal not in entities.known
    ):
        return exp.convert(outcome is Outcome.DENY)
    request = Request(principal, action, EntityId(resource_type, ""), context)
    layout = Layout(policies.schema, resource_type, table)
    found = _Found()
    for rule in policies.rules:
        if _in_scope(rule.scope, request):
            try:
                _add(found, rule, request, entities, layout, dialect)
            except Inexpressible as inexpressible:
                refused = Refused(rule.id, inexpressible.span, inexpressible.reason)
                found.refused.append((rule.effect, refused))
    undenied = both(*layout.fits(), either(*found.permits), *map(negated, found.denies))
    permits_refused = any(effect is Effect.PERMIT for effect, _ in found.refused)
    if found.refused and (undenied != exp.false() or permits_refused):
        return [refused for _, refused in found.refused]
    match outcome:
        case Outcome.PERMIT:
            return both(undenied, *map(negated, found.holds))
        case Outcome.HOLD:
            return both(undenied, either(*found.holds))
        case Outcome.DENY:
            return negated(undenied)
        case _:
            assert_never(outcome)


@dataclass(frozen=True, slots=True)
class _Found:
    """On which rows something permits, denies or holds."""

    permits: list[exp.Expr] = field(default_factory=list)
    denies: list[exp.Expr] = field(default_factory=list)
    holds: list[exp.Expr] = field(default_factory=list)
    refused: list[tuple[Effect, Refused]] = field(default_factory=list)


def _add(
    found: _Found,
    rule: ir.Rule,
    request: Request,
    entities: Entities,
    layout: Layout,
    dialect: str,
) -> None:
    """What one rule says about the rows."""
    condition = residual_condition(rule, request, entities)
    if _decides_nothing(rule, condition, layout):
        return
    holds, fails = to_sql(condition, layout, dialect)
    applies = both(negated(fails), holds)
    denies_by_failing = rule.on_failure is ir.OnFailure.DENY
    match rule.effect:
        case Effect.PERMIT:
            found.permits.append(applies)
        case Effect.FORBID:
            found.denies.append(either(fails, holds) if denies_by_failing else applies)
        case Effect.REQUIRE:
            found.denies.append(fails if denies_by_failing else exp.false())
            present = found_present(condition, True)
            for need in rule.needs:
                term = residual(need.condition, request, entities)
                met, unread = to_sql(term, layout, dialect, present)
                found.denies.append(both(applies, unread) if denies_by_failing else exp.false())
                found.holds.append(both(applies, negated(unread), negated(met)))
        case _:
            assert_never(rule.effect)


def _in_scope(scope: ir.Scope, request: Request) -> bool:
    return (
        request.action in scope.actions
        and request.principal.type in scope.principal.types
        and request.resource.type in scope.resource.types
    )


def _decides_nothing(rule: ir.Rule, condition: ir.Term, layout: Layout) -> bool:
    """Whether a rule decides nothing on any row; then it does not matter that SQL cannot express the rest of it."""
    last = condition.operands[-1] if isinstance(condition, ir.And) else condition
    if rule.effect is Effect.PERMIT or rule.on_failure is ir.OnFailure.SKIP:
        return last == ir.FALSE or always_fails(last)
    return last == ir.FALSE and _reads_only_the_row(condition, layout)


def _reads_only_the_row(term: ir.Term, layout: Layout) -> bool:
    """Whether a term of a checked rule cannot fail, since it reads no entity but the resource."""
    match term:
        case ir.Attribute() | ir.Has():
            path = path_of(term)
            return path is not None and layout.field(path) is not None
        case ir.InHierarchy(entity):
            return entity == ir.Variable("resource")
        case _:
            return all(_reads_only_the_row(part, layout) for part in parts(term))
