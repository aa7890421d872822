"""Terms to Python expressions over raw values, with the type of each, and whether reading it can fail."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from ...lang.schema import Schema
from ...lang.source import Span
from ...lang.typesystem import (
    ACTION,
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    NEVER,
    STRING,
    EntityType,
    EnumType,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    are_comparable,
    entity_type,
)
from ...lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Value
from .. import ir
from ..ir_spec import common_type
from ..shapes import shape_of
from .python_source import python_literal


class Undetermined(Exception):
    """A term whose code would differ between the kinds of request it was asked for at once."""


@dataclass(frozen=True, slots=True)
class Code:
    """Python text that gives a raw value."""

    text: str
    type: Type
    fails: bool = False
    """Whether it may raise `Missing`."""


@dataclass(slots=True)
class Terms:
    """Turns the terms of rules into code. `constant` gives the name under which a value stands in the module."""

    schema: Schema
    variables: dict[str, Type]
    constant: Callable[[object], str]
    sites: Callable[[Span], int]
    shared: dict[ir.Term, str] = field(default_factory=dict)
    """Terms that are computed at most once, by the name of the local that keeps them."""
    names: dict[str, str] = field(default_factory=dict)
    narrowed: dict[ir.Term, frozenset[str]] = field(default_factory=dict)
    """Entities that are known to be of fewer types where the code stands, by the term that gives them."""
    binders: int = 0
    depth: int = 0
    """How many comprehensions the term stands in."""

    def code(self, term: ir.Term) -> Code:
        local = self.shared.get(term) if self.depth == 0 else None
        if local is None:
            return self._code(term)
        found = self._code(term)
        text = f"({local} if {local} is not UNSET else ({local} := {found.text}))"
        return Code(text, found.type, found.fails)

    def assume(self, condition: ir.Term, truth: bool) -> dict[ir.Term, frozenset[str]]:
        """Narrows types to what is known where the condition was found true (or false); gives back what was before."""
        before = self.narrowed
        found = dict(before)
        for entity, types in self._told(condition, truth):
            found[entity] = found.get(entity, types) & types
        self.narrowed = found
        return before

    def _told(self, condition: ir.Term, truth: bool) -> Iterator[tuple[ir.Term, frozenset[str]]]:
        match condition:
            case ir.IsType(entity, types):
                every = frozenset(self.schema.entities)
                yield entity, types if truth else every - types
            case ir.Not(operand):
                yield from self._told(operand, not truth)
            case ir.And(operands) if truth:
                for operand in operands:
                    yield from self._told(operand, True)
            case ir.Or(operands) if not truth:
                for operand in operands:
                    yield from self._told(operand, False)
            case _:
                return

    def _code(self, term: ir.Term) -> Code:
        found = self._plain_code(term)
        types = self.narrowed.get(term)
        if types is None or not isinstance(found.type, EntityType):
            return found
        return replace(found, type=entity_type(found.type.types & types))

    def _plain_code(self, term: ir.Term) -> Code:
        match term:
            case ir.Boolean(value) | ir.Integer(value):
                return Code(python_literal(value), BOOL if isinstance(term, ir.Boolean) else INT)
            case (
                ir.Decimal(value)
                | ir.String(value)
                | ir.Instant(value)
                | ir.Duration(value)
                | ir.IpRange(value)
                | ir.EnumMember(value)
                | ir.Entity(value)
            ):
                return Code(self.constant(raw(value)), self._literal_type(term))
            case ir.Variable(name):
                return Code(_REQUEST.get(name) or self.names[name], self.variables[name])
            case ir.Attribute(base, name):
                return self._attribute(term, base, name)
            case ir.Has(base, name):
                row = self._row(base, term.span)
                return Code(f"({python_literal(name)} in {row.text})", BOOL, row.fails)
            case ir.Not(operand):
                inner = self.code(operand)
                return Code(f"(not {inner.text})", BOOL, inner.fails)
            case ir.And(operands):
                return self._join(" and ", operands, True)
            case ir.Or(operands):
                return self._join(" or ", operands, False)
            case ir.If(condition, then, otherwise):
                test = self.code(condition)
                before = self.assume(condition, True)
                yes = self.code(then)
                self.narrowed = before
                self.assume(condition, False)
                no = self.code(otherwise)
                self.narrowed = before
                text = f"({yes.text} if {test.text} else {no.text})"
                return Code(text, self._common(yes.type, no.type), _fail(test, yes, no))
            case ir.Equal(left, right):
                a, b = self.code(left), self.code(right)
                self._common_or_comparable(a.type, b.type)
                return Code(f"({a.text} == {b.text})", BOOL, _fail(a, b))
            case ir.Less(left, right):
                return self._order("<", left, right)
            case ir.LessOrEqual(left, right):
                return self._order("<=", left, right)
            case ir.Add(left, right):
                return self._arithmetic("+", left, right)
            case ir.Subtract(left, right):
                return self._arithmetic("-", left, right)
            case ir.Multiply(left, right):
                return self._arithmetic("*", left, right)
            case ir.Negate(operand):
                inner = self.code(operand)
                return Code(f"(-{inner.text})", inner.type, inner.fails)
            case ir.InHierarchy(entity, ancestor):
                return self._in_hierarchy(term, entity, ancestor)
            case ir.IsType(entity, types):
                inner = self.code(entity)
                wanted = self.constant(frozenset(types))
                return Code(f"({inner.text}[0] in {wanted})", BOOL, inner.fails)
            case ir.Like(text, pattern):
                return self._like(self.code(text), pattern)
            case ir.InRange(address, range):
                a, b = self.code(address), self.code(range)
                return Code(f"within({a.text}, {b.text})", BOOL, _fail(a, b))
            case ir.Member(element, set):
                return self._member(element, set)
            case ir.SetOf(elements):
                return self._set(elements)
            case ir.RecordOf(fields):
                return self._record(fields)
            case ir.Union(left, right):
                return self._sets("|", left, right)
            case ir.Intersect(left, right):
                return self._sets("&", left, right)
            case ir.Minus(left, right):
                return self._sets("-", left, right)
            case ir.Subset(left, right):
                a, b = self.code(left), self.code(right)
                return Code(f"({a.text} <= {b.text})", BOOL, _fail(a, b))
            case ir.Size(set):
                inner = self.code(set)
                return Code(f"len({inner.text})", INT, inner.fails)
            case (
                ir.Any()
                | ir.All()
                | ir.Count()
                | ir.Sum()
                | ir.Least()
                | ir.Greatest()
                | ir.Where()
                | ir.Distinct()
            ):
                return self._quantifier(term)
            case _:
                assert_never(term)

    # Reading

    def _attribute(self, term: ir.Term, base: ir.Term, name: str) -> Code:
        row = self._row(base, term.span)
        found = self._field(row.type, name)
        return Code(f"{row.text}[{python_literal(name)}]", found.type, row.fails)

    def _row(self, base: ir.Term, span: Span) -> Code:
        """What holds the attributes of a value, typed as the value."""
        inner = self.code(base)
        if not isinstance(inner.type, EntityType):
            return inner
        if isinstance(base, ir.Variable) and base.name in ("principal", "resource"):
            return Code(f"{inner.text}a", inner.type)
        return Code(f"node(get, {inner.text}, {self.sites(span)})[0]", inner.type, True)

    def _field(self, type: Type, name: str) -> RecordField:
        if isinstance(type, RecordOf):
            found = type.field(name)
            assert found is not None, name
            return found
        if not isinstance(type, EntityType) or not type.types:
            # No request reaches this place.
            return RecordField(name, NEVER, False)
        candidates = [item for item in self.schema.attribute(type.types, name) if item is not None]
        if not candidates:
            return RecordField(name, NEVER, False)
        result: Type = candidates[0].type
        for item in candidates[1:]:
            result = self._common(result, item.type)
        return RecordField(name, result, any(item.optional for item in candidates))

    def _in_hierarchy(self, term: ir.Term, entity: ir.Term, ancestor: ir.Term) -> Code:
        below, above = self.code(entity), self.code(ancestor)
        parts = []
        if are_comparable(below.type, above.type):
            parts.append(f"{below.text} == {above.text}")
        if isinstance(entity, ir.Variable) and entity.name in ("principal", "resource"):
            parts.append(f"{above.text} in {below.text}h")
            fails = False
        else:
            parts.append(f"{above.text} in node(get, {below.text}, {self.sites(term.span)})[1]")
            fails = True
        return Code("(" + " or ".join(parts) + ")", BOOL, fails or _fail(below, above))

    # Operators

    def _join(self, word: str, operands: tuple[ir.Term, ...], truth: bool) -> Code:
        before = self.narrowed
        parts = []
        for operand in operands:
            parts.append(self.code(operand))
            self.assume(operand, truth)
        self.narrowed = before
        return Code("(" + word.join(part.text for part in parts) + ")", BOOL, _fail(*parts))

    def _order(self, operator: str, left: ir.Term, right: ir.Term) -> Code:
        a, b = self.code(left), self.code(right)
        type = self._common(a.type, b.type)
        if isinstance(type, EnumType):
            first, second = self._rank(left, a, type), self._rank(right, b, type)
            return Code(f"({first} {operator} {second})", BOOL, _fail(a, b))
        return Code(f"({a.text} {operator} {b.text})", BOOL, _fail(a, b))

    def _rank(self, term: ir.Term, code: Code, type: EnumType) -> str:
        if isinstance(term, ir.EnumMember):
            return str(term.value.rank)
        return f"{self._ranks(type)}[{code.text}]"

    def _ranks(self, type: EnumType) -> str:
        return self.constant({member: rank for rank, member in enumerate(type.members)})

    def _arithmetic(self, operator: str, left: ir.Term, right: ir.Term) -> Code:
        a, b = self.code(left), self.code(right)
        types = {a.type, b.type}
        if operator == "*":
            type = next(iter(types - {INT}), INT)
        elif INSTANT in types:
            type = DURATION if operator == "-" and types == {INSTANT} else INSTANT
        else:
            type = self._common(a.type, b.type)
        return Code(f"({a.text} {operator} {b.text})", type, _fail(a, b))

    def _like(self, text: Code, pattern: tuple[str, ...]) -> Code:
        match pattern:
            case (whole,):
                code = f"({text.text} == {self.constant(whole)})"
            case (start, ""):
                code = f"{text.text}.startswith({self.constant(start)})"
            case ("", end):
                code = f"{text.text}.endswith({self.constant(end)})"
            case ("", middle, ""):
                code = f"({self.constant(middle)} in {text.text})"
            case _:
                code = f"matches({text.text}, {self.constant(pattern)})"
        return Code(code, BOOL, text.fails)

    def _member(self, element: ir.Term, set: ir.Term) -> Code:
        item, elements = self.code(element), self.code(set)
        return Code(f"({item.text} in {elements.text})", BOOL, _fail(item, elements))

    def _set(self, elements: tuple[ir.Term, ...]) -> Code:
        codes = [self.code(element) for element in elements]
        type: Type = NEVER
        for code in codes:
            type = self._common(type, code.type)
        if all(isinstance(element, ir.Literal) for element in elements):
            values = frozenset(raw(element.value) for element in elements)  # type: ignore[union-attr]
            return Code(self.constant(values), SetOf(type))
        inside = ", ".join(code.text for code in codes)
        return Code(f"frozenset(({inside},))", SetOf(type), _fail(*codes))

    def _record(self, fields: tuple[tuple[str, ir.Term], ...]) -> Code:
        codes = {name: self.code(item) for name, item in fields}
        inside = ", ".join(f"{python_literal(name)}: {code.text}" for name, code in codes.items())
        type = RecordOf(tuple(RecordField(name, code.type, False) for name, code in codes.items()))
        return Code(f"Row({{{inside}}})", type, _fail(*codes.values()))

    def _sets(self, operator: str, left: ir.Term, right: ir.Term) -> Code:
        a, b = self.code(left), self.code(right)
        return Code(f"({a.text} {operator} {b.text})", self._common(a.type, b.type), _fail(a, b))

    def _quantifier(self, term: ir.Quantifier) -> Code:
        # What a comprehension runs over cannot assign a shared local either.
        self.depth += 1
        outer = self.code(term.set)
        self.depth -= 1
        element = outer.type.element if isinstance(outer.type, SetOf) else NEVER
        self.binders += 1
        name = f"v{self.binders}"
        saved = self.names, self.variables
        self.names = {**self.names, term.name: name}
        self.variables = {**self.variables, term.name: element}
        self.depth += 1
        body = self.code(term.body)
        self.depth -= 1
        self.names, self.variables = saved
        fails = _fail(outer, body)
        values = f"[{body.text} for {name} in {outer.text}]"
        kept = f"[{name} for {name} in {outer.text} if {body.text}]"
        if body.fails:
            arguments = (
                f"(lambda {name}: {body.text}, {outer.text}, {self.constant(shape_of(element))})"
            )
            values, kept = f"each{arguments}", f"those{arguments}"
        match term:
            case ir.Any():
                return Code(
                    f"(True in {values})" if body.fails else f"any({values[1:-1]})", BOOL, fails
                )
            case ir.All():
                text = f"(False not in {values})" if body.fails else f"all({values[1:-1]})"
                return Code(text, BOOL, fails)
            case ir.Count():
                return Code(f"len({kept})", INT, fails)
            case ir.Sum():
                return Code(f"sum({values})", body.type, fails)
            case ir.Least() | ir.Greatest():
                function = "min" if isinstance(term, ir.Least) else "max"
                key = ""
                if isinstance(body.type, EnumType):
                    key = f", key={self._ranks(body.type)}.__getitem__"
                return Code(f"{function}({values}{key})", body.type, fails)
            case ir.Where():
                return Code(f"frozenset({kept})", outer.type, fails)
            case ir.Distinct():
                return Code(f"frozenset({values})", SetOf(body.type), fails)
            case _:
                assert_never(term)

    # Types

    def _common(self, left: Type, right: Type) -> Type:
        common = common_type(left, right)
        if common is None:
            raise Undetermined
        return common

    def _common_or_comparable(self, left: Type, right: Type) -> None:
        if ACTION not in (left, right):
            self._common(left, right)

    def _literal_type(self, term: ir.Term) -> Type:
        match term:
            case ir.Decimal():
                return DECIMAL
            case ir.String():
                return STRING
            case ir.Instant():
                return INSTANT
            case ir.Duration():
                return DURATION
            case ir.IpRange():
                return IP_RANGE
            case ir.EnumMember(value):
                return self.schema.enums[value.enum]
            case ir.Entity(value):
                return ACTION if value.type == ir.ACTION_TYPE else entity_type({value.type})
            case _:
                raise AssertionError(f"{term!r} is no literal")


_REQUEST = {"principal": "p", "resource": "r", "action": "a", "context": "c"}


def _fail(*codes: Code) -> bool:
    return any(code.fails for code in codes)


def raw(value: Value) -> object:
    """A value as generated code keeps it."""
    match value:
        case Decimal(number) | Instant(number) | Duration(number):
            return number
        case EnumValue(name=name):
            return name
        case EntityId(type, id):
            return (type, id)
        case frozenset():
            return frozenset(map(raw, value))
        case dict():
            raise AssertionError("a record is no constant")
        case _:
            return value
