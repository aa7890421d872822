"""The meaning of a policy set. Short, direct and slow on purpose: every back end is tested against this file.

A rule applies when the request is in its scope and its condition holds. Then, in this order:

1. If a `forbid` applies, the request is denied.
2. If no `permit` applies, it is denied.
3. If a `require` that applies has an unmet need, it is held. 4. Otherwise it is permitted.

Reading a rule can fail only where it reads an entity that is missing. A failing `forbid` or `require` denies where
it would have decided, and a failing `permit` does not permit (`OnFailure.DENY`); or such a rule is ignored
(`OnFailure.SKIP`, for Cedar).
"""

from dataclasses import dataclass
from typing import assert_never

from ..lang.scalars import matches, within
from ..lang.source import Span
from ..lang.syntax import Effect, Outcome
from ..lang.values import (
    Decimal,
    Duration,
    EntityId,
    EnumValue,
    Instant,
    IpRange,
    Record,
    Value,
    show,
)
from . import ir
from .decision import Decision, Problem, Reason, Request, UnmetNeed
from .entities import Entities, EntityData


def decide(policies: ir.PolicySet, request: Request, entities: Entities) -> Decision:
    """The decision about a request that fits the schema."""

    def decision(
        outcome: Outcome,
        reasons: list[Reason],
        needs: list[UnmetNeed] | None = None,
        problems: list[Problem] | None = None,
    ) -> Decision:
        return Decision(
            outcome,
            tuple(sorted(reasons, key=lambda reason: reason.rule)),
            tuple(sorted(needs or [], key=lambda need: (need.rule, need.span.start))),
            tuple(sorted(problems or [], key=lambda problem: problem.rule or "")),
            policies.digest,
            request,
        )

    forbids, problems = _applying(policies, Effect.FORBID, request, entities)
    if forbids or problems:
        return decision(Outcome.DENY, _reasons(forbids, request, entities), problems=problems)
    permits, problems = _applying(policies, Effect.PERMIT, request, entities)
    if not permits:
        return decision(Outcome.DENY, [], problems=problems)
    requires, problems = _applying(policies, Effect.REQUIRE, request, entities)
    holding: list[ir.Rule] = []
    needs: list[UnmetNeed] = []
    for rule in requires:
        for need in rule.needs:
            met = evaluate(need.condition, request, entities)
            if isinstance(met, Failed):
                problems += _problem(rule, met)
            elif met is not True:
                needs.append(UnmetNeed(rule.id, fill(need.message, request, entities), need.span))
                holding += [rule] if rule not in holding else []
    if problems:
        return decision(Outcome.DENY, [], problems=problems)
    if needs:
        return decision(Outcome.HOLD, _reasons(holding, request, entities), needs)
    return decision(Outcome.PERMIT, _reasons(permits, request, entities))


def deny(policies: ir.PolicySet, *problems: Problem, request: Request | None = None) -> Decision:
    """The decision about what is no request of the schema, or speaks about what nobody described."""
    return Decision(Outcome.DENY, (), (), problems, policies.digest, request)


def _applying(
    policies: ir.PolicySet, effect: Effect, request: Request, entities: Entities
) -> tuple[list[ir.Rule], list[Problem]]:
    """The rules of one effect that apply, and the problems of those that cannot be read."""
    rules: list[ir.Rule] = []
    problems: list[Problem] = []
    for rule in policies.rules:
        if rule.effect is effect:
            applies = _applies(rule, request, entities)
            if isinstance(applies, Failed):
                problems += _problem(rule, applies)
            elif applies:
                rules.append(rule)
    return rules, problems


def _problem(rule: ir.Rule, failed: "Failed") -> list[Problem]:
    """What a failure means for the decision: nothing where the rule is to be ignored."""
    if rule.on_failure is ir.OnFailure.SKIP:
        return []
    return [Problem(failed.reason, rule.id, failed.span)]


def _reasons(rules: list[ir.Rule], request: Request, entities: Entities) -> list[Reason]:
    return [
        Reason(
            rule.id,
            rule.effect,
            rule.span,
            fill(rule.because, request, entities) if rule.because else None,
            fill(rule.instead, request, entities) if rule.instead else None,
        )
        for rule in rules
    ]


def _applies(rule: ir.Rule, request: Request, entities: Entities) -> "bool | Failed":
    if request.action not in rule.scope.actions:
        return False
    for scope, entity in (
        (rule.scope.principal, request.principal),
        (rule.scope.resource, request.resource),
    ):
        if entity.type not in scope.types or (scope.entities and entity not in scope.entities):
            return False
        if scope.ancestors:
            terms = tuple(
                ir.InHierarchy(ir.Entity(entity), ir.Entity(ancestor), span=rule.span)
                for ancestor in scope.ancestors
            )
            inside = evaluate(ir.Or(terms), request, entities)
            if inside is not True:
                return inside if isinstance(inside, Failed) else False
    holds = evaluate(rule.condition, request, entities)
    return holds if isinstance(holds, Failed) else holds is True


def fill(template: ir.Template, request: Request, entities: Entities) -> str:
    """A message with its holes filled; texts and actions stand without quotes."""
    parts = []
    for part in template.parts:
        value = part if isinstance(part, str) else evaluate(part, request, entities)
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, EntityId) and value.type == ir.ACTION_TYPE:
            parts.append(value.id)
        else:
            parts.append("?" if isinstance(value, Failed) else show(value))
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Failed:
    """What a term gives instead of a value when it cannot be read."""

    reason: str
    span: Span


class _Failure(Exception):
    def __init__(self, reason: str, span: Span) -> None:
        super().__init__(reason)
        self.failed = Failed(reason, span)


def evaluate(term: ir.Term, request: Request | None, entities: Entities) -> Value | Failed:
    """The value of a term; `Failed` if reading it fails. Without a request, only a closed term has a value."""
    variables: dict[str, Value] = {}
    if request is not None:
        variables = {
            "principal": request.principal,
            "action": EntityId(ir.ACTION_TYPE, request.action),
            "resource": request.resource,
            "context": request.context,
        }
    try:
        return _value(term, variables, entities)
    except _Failure as failure:
        return failure.failed


def _value(term: ir.Term, variables: dict[str, Value], entities: Entities) -> Value:
    def value(inner: ir.Term) -> Value:
        return _value(inner, variables, entities)

    def condition(inner: ir.Term) -> bool:
        return _boolean(value(inner), inner)

    def elements(inner: ir.Term) -> frozenset[Value]:
        return _set(value(inner), inner)

    def each(name: str, set: ir.Term, body: ir.Term) -> list[Value]:
        # In written order, so that the first of several failures is always the same one.
        items = sorted(elements(set), key=show)
        return [_value(body, {**variables, name: item}, entities) for item in items]

    match term:
        case (
            ir.Boolean(literal)
            | ir.Integer(literal)
            | ir.Decimal(literal)
            | ir.String(literal)
            | ir.Instant(literal)
            | ir.Duration(literal)
            | ir.IpRange(literal)
            | ir.EnumMember(literal)
            | ir.Entity(literal)
        ):
            return literal
        case ir.Variable(name):
            if name not in variables:
                raise _Failure(f"`{name}` is not known", term.span)
            return variables[name]
        case ir.Attribute(base, name):
            record = _attributes(value(base), entities, term)
            if name not in record:
                raise _Failure(f"`{name}` is missing", term.span)
            return record[name]
        case ir.Has(base, name):
            return name in _attributes(value(base), entities, term)
        case ir.Not(operand):
            return not condition(operand)
        case ir.And(operands):
            return all(condition(operand) for operand in operands)
        case ir.Or(operands):
            return any(condition(operand) for operand in operands)
        case ir.If(test, then, otherwise):
            return value(then) if condition(test) else value(otherwise)
        case ir.Equal(left, right):
            return _equal(value(left), value(right))
        case ir.Less(left, right):
            return _less(value(left), value(right), term)
        case ir.LessOrEqual(left, right):
            return not _less(value(right), value(left), term)
        case ir.Add(left, right):
            return _add(value(left), value(right), term)
        case ir.Subtract(left, right):
            return _subtract(value(left), value(right), term)
        case ir.Multiply(left, right):
            return _multiply(value(left), value(right), term)
        case ir.Negate(operand):
            return _multiply(value(operand), -1, term)
        case ir.InHierarchy(entity, ancestor):
            below, above = value(entity), value(ancestor)
            return below == above or above in _data(below, entities, term).ancestors
        case ir.IsType(entity, types):
            found = value(entity)
            return isinstance(found, EntityId) and found.type in types
        case ir.Like(text, pattern):
            found = value(text)
            if not isinstance(found, str):
                raise _Failure("this is not a text", text.span)
            return matches(found, pattern)
        case ir.InRange(address, range):
            inner, outer = value(address), value(range)
            if not isinstance(inner, IpRange) or not isinstance(outer, IpRange):
                raise _Failure("this is not an address", term.span)
            return within(inner, outer)
        case ir.Member(element, set):
            return value(element) in elements(set)
        case ir.SetOf(items):
            return frozenset(value(item) for item in items)
        case ir.RecordOf(fields):
            return Record({name: value(item) for name, item in fields})
        case ir.Union(left, right):
            return elements(left) | elements(right)
        case ir.Intersect(left, right):
            return elements(left) & elements(right)
        case ir.Minus(left, right):
            return elements(left) - elements(right)
        case ir.Subset(left, right):
            return elements(left) <= elements(right)
        case ir.Size(set):
            return len(elements(set))
        case ir.Any(name, set, body):
            return True in [_boolean(item, body) for item in each(name, set, body)]
        case ir.All(name, set, body):
            return False not in [_boolean(item, body) for item in each(name, set, body)]
        case ir.Count(name, set, body):
            return sum([_boolean(item, body) for item in each(name, set, body)])
        case ir.Sum(name, set, body, zero):
            total = value(zero)
            for item in each(name, set, body):
                total = _add(total, item, term)
            return total
        case ir.Least(name, set, body) | ir.Greatest(name, set, body):
            values = each(name, set, body)
            if not values:
                raise _Failure("the set is empty", term.span)
            best = values[0]
            for item in values[1:]:
                smaller = _less(item, best, term)
                if smaller if isinstance(term, ir.Least) else _less(best, item, term):
                    best = item
            return best
        case ir.Where(name, set, body):
            keep = each(name, set, body)
            candidates = sorted(elements(set), key=show)
            return frozenset(
                item for item, kept in zip(candidates, keep, strict=True) if _boolean(kept, body)
            )
        case ir.Distinct(name, set, body):
            return frozenset(each(name, set, body))
        case _:
            assert_never(term)


def _attributes(value: Value, entities: Entities, term: ir.Term) -> Record:
    return value if isinstance(value, Record) else _data(value, entities, term).attributes


def _data(value: Value, entities: Entities, term: ir.Term) -> EntityData:
    if not isinstance(value, EntityId):
        raise _Failure("this is not an entity", term.span)
    data = entities.known.get(value)
    if data is None:
        raise _Failure(entities.why_missing(value), term.span)
    return data


def _boolean(value: Value, term: ir.Term) -> bool:
    if not isinstance(value, bool):
        raise _Failure("this is not true or false", term.span)
    return value


def _set(value: Value, term: ir.Term) -> frozenset[Value]:
    if not isinstance(value, frozenset):
        raise _Failure("this is not a set", term.span)
    return value


def _equal(left: Value, right: Value) -> bool:
    return type(left) is type(right) and left == right


def _less(left: Value, right: Value, term: ir.Term) -> bool:
    match left, right:
        case EnumValue(), EnumValue() if left.enum == right.enum:
            return left.rank < right.rank
        case (bool(), _) | (_, bool()):
            raise _Failure("these have no order", term.span)
        case (int(), int()):
            return left < right
        case (Decimal(), Decimal()) | (Instant(), Instant()) | (Duration(), Duration()):
            return left < right  # type: ignore[operator]  # both are of one class here
        case _:
            raise _Failure("these have no order", term.span)


def _add(left: Value, right: Value, term: ir.Term) -> Value:
    match left, right:
        case (bool(), _) | (_, bool()):
            raise _Failure("these cannot be added", term.span)
        case int(), int():
            return left + right
        case Decimal(a), Decimal(b):
            return Decimal(a + b)
        case Duration(a), Duration(b):
            return Duration(a + b)
        case (Instant(a), Duration(b)) | (Duration(a), Instant(b)):
            return Instant(a + b)
        case _:
            raise _Failure("these cannot be added", term.span)


def _subtract(left: Value, right: Value, term: ir.Term) -> Value:
    match left, right:
        case Instant(a), Instant(b):
            return Duration(a - b)
        case _:
            return _add(left, _multiply(right, -1, term), term)


def _multiply(left: Value, right: Value, term: ir.Term) -> Value:
    match left, right:
        case (bool(), _) | (_, bool()):
            raise _Failure("these cannot be multiplied", term.span)
        case int(), int():
            return left * right
        case (Decimal(units), int(factor)) | (int(factor), Decimal(units)):
            return Decimal(units * factor)
        case (Duration(length), int(factor)) | (int(factor), Duration(length)):
            return Duration(length * factor)
        case _:
            raise _Failure("these cannot be multiplied", term.span)
