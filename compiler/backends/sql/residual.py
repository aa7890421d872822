"""A rule with everything known written in: what is left reads nothing but the resource.

What reads only principal, action and context is decided by the reference evaluator, and a quantifier over a known set
is written out for each element. What is left keeps its value and its failures on every resource.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import NoReturn

from ....lang.source import Span
from ....lang.values import EntityId
from ... import ir
from ...decision import Request
from ...entities import Entities, EntityData
from ...lower import literal
from ...reference import Failed, evaluate
from ...rewrite import parts, rebuild

MAX_WRITTEN_OUT = 500
"""How many elements the quantifiers of one rule may be written out for."""


def residual_condition(rule: ir.Rule, request: Request, entities: Entities) -> ir.Term:
    """Scope and condition of a rule about the types of a request whose resource is any of its type."""
    scope = rule.scope
    terms: list[ir.Term] = []
    for name, part in (("principal", scope.principal), ("resource", scope.resource)):
        variable = ir.Variable(name, span=rule.span)
        if part.entities:
            named = tuple(ir.Entity(entity, span=rule.span) for entity in part.entities)
            terms.append(ir.Member(variable, ir.SetOf(named, span=rule.span), span=rule.span))
        if part.ancestors:
            inside = tuple(
                ir.InHierarchy(variable, ir.Entity(ancestor, span=rule.span), span=rule.span)
                for ancestor in part.ancestors
            )
            terms.append(ir.Or(inside, span=rule.span))
    return residual(ir.And((*terms, rule.condition), span=rule.span), request, entities)


def residual(term: ir.Term, request: Request, entities: Entities) -> ir.Term:
    """What is left of a term once everything but the resource is known; `request.resource` says only its type."""
    store = _Store(entities.known, request.resource.type)
    return _Partial(request, Entities(store, entities.invalid)).term(term)


def always_fails(term: ir.Term) -> bool:
    """Whether this is how a term that fails on every resource is left."""
    return isinstance(term, ir.Attribute) and isinstance(term.base, ir.RecordOf)


class Inexpressible(Exception):
    """Why a term has no equivalent over the columns of one table, and where it stands."""

    def __init__(self, reason: str, span: Span) -> None:
        super().__init__(reason)
        self.reason, self.span = reason, span


def refuse(term: ir.Term, reason: str) -> NoReturn:
    raise Inexpressible(reason, term.span)


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of a set, if `kept` holds."""

    value: ir.Term
    kept: ir.Term


@dataclass(slots=True)
class _Partial:
    request: Request
    entities: Entities
    written_out: int = 0

    def term(self, term: ir.Term) -> ir.Term:
        if _free(term) <= {"principal", "action", "context"}:
            return self.known(term)
        match term:
            case ir.And(operands):
                return self.chain(term, operands, stop=ir.FALSE)
            case ir.Or(operands):
                return self.chain(term, operands, stop=ir.TRUE)
            case ir.If(condition, then, otherwise):
                condition = self.term(condition)
                if isinstance(condition, ir.Boolean):
                    return self.term(then if condition.value else otherwise)
                if always_fails(condition):
                    return condition
                then, otherwise = self.term(then), self.term(otherwise)
                if always_fails(then) and always_fails(otherwise):
                    return then
                return replace(term, condition=condition, then=then, otherwise=otherwise)
            case (
                ir.Any(_, set)
                | ir.All(_, set)
                | ir.Count(_, set)
                | ir.Sum(_, set)
                | ir.Least(_, set)
                | ir.Greatest(_, set)
                | ir.Where(_, set)
                | ir.Distinct(_, set)
            ):
                set = self.term(set)
                return set if always_fails(set) else self.written(replace(term, set=set))
            case _:
                return self.written(rebuild(term, self.term))

    def written(self, term: ir.Term) -> ir.Term:
        """What is left of a term whose parts are done; one about a set of the resource stays, to be refused if read."""
        try:
            return self.quantifier(term) if isinstance(term, ir.Quantifier) else self.strict(term)
        except _NoColumn:
            return term

    def known(self, term: ir.Term) -> ir.Term:
        """The value of a term that does not read the resource."""
        try:
            value = evaluate(term, self.request, self.entities)
        except _InTheTable as missing:
            for part in parts(term):
                self.known(part)  # Refuses the innermost term, which is the place to show.
            refuse(term, f"this reads {missing}, which may be another row of the table")
        return _failing(term) if isinstance(value, Failed) else literal(value, term.span)

    def chain(
        self, term: ir.And | ir.Or, operands: tuple[ir.Term, ...], stop: ir.Boolean
    ) -> ir.Term:
        """What is left of `and` and `or`: nothing after the operand that decides or fails."""
        left: list[ir.Term] = []
        for operand in operands:
            operand = self.term(operand)
            if operand == ir.Boolean(not stop.value):
                continue
            left += operand.operands if isinstance(operand, type(term)) else (operand,)
            if left[-1] == stop or always_fails(left[-1]):
                break
        if not left:
            return ir.Boolean(not stop.value, span=term.span)
        return left[0] if len(left) == 1 else replace(term, operands=tuple(left))

    def strict(self, term: ir.Term) -> ir.Term:
        """What is left of a term that reads all its parts, which are done."""
        for part in parts(term):
            if always_fails(part):
                return part
        match term:
            case ir.Attribute(ir.If(condition, then, otherwise)) | ir.Has(
                ir.If(condition, then, otherwise)
            ):
                return self.term(
                    ir.If(
                        condition,
                        replace(term, base=then),
                        replace(term, base=otherwise),
                        span=term.span,
                    )
                )
            case ir.Attribute(ir.RecordOf(fields), name):
                return dict(fields).get(name, _failing(term))
            case ir.Has(ir.RecordOf(fields), name):
                return ir.Boolean(name in dict(fields), span=term.span)
            case ir.InHierarchy(ir.Entity(entity), ancestor):
                return self.in_unknown(term, entity, ancestor)
            case ir.IsType(ir.Variable("resource"), types):
                return ir.Boolean(self.request.resource.type in types, span=term.span)
            case ir.Member(element, set) if not isinstance(set, ir.SetOf):
                return self.any_of(
                    term,
                    [
                        _both(ir.Equal(element, item.value, span=term.span), item.kept)
                        for item in self.elements(set)
                    ],
                )
            case ir.Subset(left, right):
                return self.all_of(
                    term,
                    [
                        _unless(item.kept, ir.Member(item.value, right, span=term.span))
                        for item in self.elements(left)
                    ],
                )
            case ir.Size(set):
                one, none = ir.Integer(1), ir.Integer(0)
                return self.sum(
                    term, none, [ir.If(item.kept, one, none) for item in self.distinct(set)]
                )
            case _:
                # What stood in the way of knowing it may be gone, such as the branch that was not taken.
                return term if _free(term) else self.known(term)

    def in_unknown(
        self, term: ir.InHierarchy, entity: EntityId, ancestor: ir.Term
    ) -> ir.Member | ir.If:
        """Whether a known entity is in one that the resource names: it is one of those the entity is in."""
        itself = ir.Entity(entity, span=term.span)
        try:
            data = self.entities.known.get(entity)
        except _InTheTable as missing:
            refuse(term, f"this reads {missing}, which may be another row of the table")
        if data is None:
            equal = ir.Equal(ancestor, itself, span=term.span)
            return ir.If(equal, ir.TRUE, _failing(term), span=term.span)
        above = tuple(ir.Entity(item, span=term.span) for item in sorted(data.ancestors))
        return ir.Member(ancestor, ir.SetOf((itself, *above), span=term.span), span=term.span)

    # Quantifiers: the body is read for every element, as `SetOf` reads every one of its elements

    def quantifier(self, term: ir.Quantifier) -> ir.Term:
        match term:
            case ir.Any(_, set):
                return self.any_of(
                    term,
                    [ir.And((item.kept, self.body(term, item))) for item in self.elements(set)],
                )
            case ir.All(_, set):
                return self.all_of(
                    term, [_unless(item.kept, self.body(term, item)) for item in self.elements(set)]
                )
            case ir.Count(_, set):
                one, none = ir.Integer(1), ir.Integer(0)
                return self.sum(
                    term,
                    none,
                    [
                        ir.If(ir.And((item.kept, self.body(term, item))), one, none)
                        for item in self.distinct(set)
                    ],
                )
            case ir.Sum(_, set, _, zero):
                return self.sum(
                    term,
                    zero,
                    [ir.If(item.kept, self.body(term, item), zero) for item in self.distinct(set)],
                )
            case ir.Least() | ir.Greatest():
                refuse(term, "the least and the greatest of what differs by row is not expressed")
            case ir.Where() | ir.Distinct():
                return term

    def any_of(self, term: ir.Term, bodies: list[ir.Term]) -> ir.Term:
        return self.read_all(term, ir.TRUE, bodies)

    def all_of(self, term: ir.Term, bodies: list[ir.Term]) -> ir.Term:
        return self.term(ir.Not(self.read_all(term, ir.FALSE, bodies), span=term.span))

    def read_all(self, term: ir.Term, wanted: ir.Boolean, bodies: list[ir.Term]) -> ir.Term:
        set = ir.SetOf(tuple(bodies), span=term.span)
        return self.term(ir.Member(wanted, set, span=term.span))

    def sum(self, term: ir.Term, zero: ir.Term, bodies: list[ir.Term]) -> ir.Term:
        addends = [left for body in bodies if (left := self.term(body)) != zero]
        return self.term(reduce(partial(ir.Add, span=term.span), addends or [zero]))

    def body(self, term: ir.Quantifier, item: _Element) -> ir.Term:
        return _substitute(term.body, term.name, item.value)

    def elements(self, set: ir.Term) -> list[_Element]:
        """The elements of a set whose set is done; more than can be written out are refused."""
        found = list(self.each(set))
        self.written_out += len(found)
        if self.written_out > MAX_WRITTEN_OUT:
            refuse(set, f"this is written out for more than {MAX_WRITTEN_OUT:,} elements")
        return found

    def distinct(self, set: ir.Term) -> list[_Element]:
        """The elements of a set, none of them twice on any resource."""
        found = self.elements(set)
        values = {item.value for item in found}
        if len(values) < len(found) or any(_free(value) for value in values):
            refuse(set, "elements that differ by row are not counted")
        return found

    def each(self, set: ir.Term) -> Iterator[_Element]:
        match set:
            case ir.SetOf(elements):
                yield from (_Element(element, ir.TRUE) for element in elements)
            case ir.Where(name, inner, body):
                for item in self.each(inner):
                    kept = ir.And((item.kept, _substitute(body, name, item.value)))
                    yield _Element(item.value, self.term(kept))
            case ir.Distinct(name, inner, body):
                for item in self.each(inner):
                    value = self.term(_substitute(body, name, item.value))
                    yield _Element(value, item.kept)
            case ir.Union(left, right):
                yield from self.each(left)
                yield from self.each(right)
            case ir.Intersect(left, right):
                for item in self.each(left):
                    kept = ir.And((item.kept, ir.Member(item.value, right, span=set.span)))
                    yield _Element(item.value, self.term(kept))
            case ir.Minus(left, right):
                for item in self.each(left):
                    without = ir.Not(ir.Member(item.value, right, span=set.span), span=set.span)
                    yield _Element(item.value, self.term(ir.And((item.kept, without))))
            case ir.If(condition, then, otherwise):
                for item in self.each(then):
                    yield _Element(item.value, ir.And((condition, item.kept)))
                for item in self.each(otherwise):
                    yield _Element(item.value, ir.And((ir.Not(condition), item.kept)))
            case _:
                raise _NoColumn


def _both(left: ir.Term, right: ir.Term) -> ir.Term:
    """Both hold, and both are read."""
    return left if right == ir.TRUE else ir.Not(ir.Member(ir.FALSE, ir.SetOf((left, right))))


def _unless(kept: ir.Term, body: ir.Term) -> ir.Term:
    return ir.Or((ir.Not(kept), body))


def _failing(term: ir.Term) -> ir.Term:
    """A field that its record does not have: the term that always fails."""
    return ir.Attribute(ir.RecordOf(()), "missing", span=term.span)


def _free(term: ir.Term) -> frozenset[str]:
    """The variables a term reads that it does not bind."""
    match term:
        case ir.Variable(name):
            return frozenset({name})
        case (
            ir.Any(name, set, body)
            | ir.All(name, set, body)
            | ir.Count(name, set, body)
            | ir.Sum(name, set, body)
            | ir.Least(name, set, body)
            | ir.Greatest(name, set, body)
            | ir.Where(name, set, body)
            | ir.Distinct(name, set, body)
        ):
            return _free(set) | (_free(body) - {name})
        case _:
            return frozenset[str]().union(*map(_free, parts(term)))


def _substitute(term: ir.Term, name: str, value: ir.Term) -> ir.Term:
    """The term with a value in place of a bound name; a binder of the same name hides it."""
    if term == ir.Variable(name):
        return value
    if isinstance(term, ir.Quantifier) and term.name == name:
        return replace(term, set=_substitute(term.set, name, value))
    return rebuild(term, lambda part: _substitute(part, name, value))


class _NoColumn(Exception):
    """A set is one of the resource, so that its elements cannot be written out."""


class _InTheTable(Exception):
    """The entity that was read is of the type of the rows, and nobody described it."""


@dataclass(frozen=True, slots=True)
class _Store(Mapping[EntityId, EntityData]):
    """The entities that are known; one of the type of the rows that is not may be a row, so it is not missing."""

    known: Mapping[EntityId, EntityData]
    row_type: str

    def __getitem__(self, entity: EntityId) -> EntityData:
        if entity not in self.known and entity.type == self.row_type:
            raise _InTheTable(str(entity))
        return self.known[entity]

    def __iter__(self) -> Iterator[EntityId]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)
