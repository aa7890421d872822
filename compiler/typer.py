"""The type of a term: the one place where types of the intermediate representation are inferred.

Who walks over terms anyway asks `composed_type` with the types of the parts; everyone else asks a `Typer`.
Both expect the terms of a checked rule; what is wrong with others is for `ir_spec.py` to say.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from ..lang.functions import Bindings, Form, bind, function_named, resolve
from ..lang.schema import Environment, Schema
from ..lang.typesystem import (
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
    RecordField,
    RecordOf,
    SetOf,
    Type,
    entity_type,
)
from . import ir
from .rewrite import parts

Narrowing = Mapping[ir.Term, frozenset[str]]
"""Entities that are known to be of few types at some place, by the term that gives them."""


class Disagreement(Exception):
    """Values that stand together have types that do not go together."""


@dataclass(frozen=True, slots=True)
class Typer:
    """Infers types where these variables are bound; `narrowed` is what conditions on the way there have told."""

    schema: Schema
    variables: Mapping[str, Type]
    narrowed: Narrowing = field(default_factory=dict)

    def type_of(self, term: ir.Term) -> Type:
        """The type of a term, `NEVER` where no request gets; raises `Disagreement`.

        An attribute that may be absent has the type of its value: what reads it stands behind `Has`.
        """
        if isinstance(term, ir.Variable):
            return self.refined(term, self.variables[term.name])
        return self.refined(term, composed_type(self.schema, term, self._types_inside(term)))

    def _types_inside(self, term: ir.Term) -> list[Type]:
        match term:
            case ir.And(operands) | ir.Or(operands):
                types, typer = [], self
                for operand in operands:
                    types.append(typer.type_of(operand))
                    typer = typer.assuming(operand, isinstance(term, ir.And))
                return types
            case ir.If(condition, then, otherwise):
                return [
                    self.type_of(condition),
                    self.assuming(condition, True).type_of(then),
                    self.assuming(condition, False).type_of(otherwise),
                ]
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
                set = self.type_of(term.set)
                body = self.binding(term.name, element_type(set)).type_of(term.body)
                return [set, body, *([self.type_of(term.zero)] if isinstance(term, ir.Sum) else [])]
            case _:
                return [self.type_of(part) for part in parts(term)]

    def refined(self, term: ir.Term, type: Type) -> Type:
        """The type of a term with what is known of it here."""
        types = self.narrowed.get(term) if self.narrowed else None
        if types is None or not isinstance(type, EntityType):
            return type
        return entity_type(type.types & types)

    def assuming(self, condition: ir.Term, truth: bool) -> "Typer":
        """The typer of a place that is reached only where a condition was found true (or false)."""
        found = dict(self.narrowed)
        for entity, types in _told(self.schema, condition, truth):
            found[entity] = found.get(entity, types) & types
        return self if found == self.narrowed else Typer(self.schema, self.variables, found)

    def binding(self, name: str, type: Type) -> "Typer":
        """The typer of the body of a quantifier."""
        # What was known of a name says nothing about another value of the same name.
        known = {term: types for term, types in self.narrowed.items() if not _names(term, name)}
        return Typer(self.schema, {**self.variables, name: type}, known)


def typer_for(schema: Schema, environments: Iterable[Environment]) -> Typer:
    """A typer of terms of rules, about requests of these kinds; their actions have one type of context."""
    found = list(environments)
    return Typer(
        schema,
        {
            "principal": entity_type({one.principal for one in found}),
            "resource": entity_type({one.resource for one in found}),
            "action": ACTION,
            "context": schema.actions[found[0].action].context,
        },
    )


def composed_type(schema: Schema, term: ir.Term, types: Sequence[Type]) -> Type:
    """The type of a term from the types of its direct parts, in order; raises `Disagreement`."""
    match term:
        case ir.Boolean():
            return BOOL
        case ir.Integer():
            return INT
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
            return schema.enums[value.enum]
        case ir.Entity(value):
            return ACTION if value.type == ir.ACTION_TYPE else entity_type({value.type})
        case ir.Variable():
            raise AssertionError("a variable has the type it is bound with")
        case ir.Attribute(_, name):
            (base,) = types
            return common_type(field.type for field in attributes(schema, base, name) if field)
        case ir.Equal() | ir.Less() | ir.LessOrEqual() | ir.Subset():
            common_type(types)
            return BOOL
        case ir.Member():
            element, set = types
            common_type((element, element_type(set)))
            return BOOL
        case (
            ir.Has()
            | ir.Not()
            | ir.And()
            | ir.Or()
            | ir.InHierarchy()
            | ir.IsType()
            | ir.Like()
            | ir.InRange()
            | ir.Any()
            | ir.All()
        ):
            return BOOL
        case ir.Size() | ir.Count():
            return INT
        case ir.If():
            return common_type(types[1:])
        case ir.Add():
            return _result("+", Form.INFIX, types)
        case ir.Subtract():
            return _result("-", Form.INFIX, types)
        case ir.Multiply():
            return _result("*", Form.INFIX, types)
        case ir.Negate():
            return _result("-", Form.PREFIX, types)
        case ir.SetOf():
            return SetOf(common_type(types))
        case ir.RecordOf(fields):
            named = zip(fields, types, strict=True)
            return RecordOf(tuple(RecordField(name, type, False) for (name, _), type in named))
        case ir.Union() | ir.Intersect() | ir.Minus():
            return common_type(types)
        case ir.Where():
            return types[0]
        case ir.Distinct():
            return SetOf(types[1])
        case ir.Least() | ir.Greatest():
            return types[1]
        case ir.Sum():
            return types[2]
        case _:
            assert_never(term)


def attributes(schema: Schema, base: Type, name: str) -> list[RecordField | None]:
    """The attribute on each type that a value may have; `None` where a type lacks it."""
    match base:
        case RecordOf():
            return [base.field(name)]
        case EntityType(types):
            return [*schema.attribute(types, name)]
        case _:
            return []


def element_type(set: Type) -> Type:
    return set.element if isinstance(set, SetOf) else NEVER


def common_type(types: Iterable[Type]) -> Type:
    """A type for values of any of these; wider than in the language, since equality here takes any two entities."""
    result: Type = NEVER
    for type in types:
        result = _common(result, type)
    return result


def _common(left: Type, right: Type) -> Type:
    if left == right or right == NEVER:
        return left
    if left == NEVER:
        return right
    match left, right:
        case EntityType(types), EntityType(others):
            return entity_type(types | others)
        case SetOf(element), SetOf(other):
            return SetOf(_common(element, other))
        case RecordOf(), RecordOf():
            return RecordOf(tuple(_common_fields(left, right)))
        case _:
            raise Disagreement(f"`{left}` and `{right}` do not go together")


def _common_fields(left: RecordOf, right: RecordOf) -> Iterator[RecordField]:
    for name in dict.fromkeys(item.name for item in (*left.fields, *right.fields)):
        one, other = left.field(name), right.field(name)
        common = _common(one.type if one else NEVER, other.type if other else NEVER)
        optional = one is None or other is None or one.optional or other.optional
        yield RecordField(name, common, optional)


def _result(name: str, form: Form, types: Sequence[Type]) -> Type:
    """What an operator of the language gives for operands of these types."""
    if NEVER in types:
        return NEVER
    function = function_named(name, form)
    assert function is not None
    for signature in function.signatures:
        bindings: Bindings = {}
        if all(
            bind(place, type, bindings)
            for place, type in zip(signature.parameters, types, strict=True)
        ):
            return resolve(signature.result, bindings)
    found = " and ".join(f"`{type}`" for type in types)
    raise Disagreement(f"`{name}` does not take {found}")


def _told(
    schema: Schema, condition: ir.Term, truth: bool
) -> Iterator[tuple[ir.Term, frozenset[str]]]:
    """What a condition that was found true (or false) tells about the types of entities."""
    match condition:
        case ir.IsType(entity, types):
            yield entity, types if truth else frozenset(schema.entities) - types
        case ir.Not(operand):
            yield from _told(schema, operand, not truth)
        case ir.And(operands) if truth:
            for operand in operands:
                yield from _told(schema, operand, True)
        case ir.Or(operands) if not truth:
            for operand in operands:
                yield from _told(schema, operand, False)
        case _:
            return


def _names(term: ir.Term, name: str) -> bool:
    return term == ir.Variable(name) or any(_names(part, name) for part in parts(term))
