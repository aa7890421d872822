"""What an expression can read at a place, and what the conditions before it tell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from interlock.lang import syntax
from interlock.lang.facts import NOTHING, Facts, Path, in_either
from interlock.lang.schema import Schema
from interlock.lang.typesystem import (
    BOOL,
    EntityType,
    Optional,
    RecordField,
    RecordOf,
    Type,
    entity_type,
    join,
    present,
)


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression with the type that the checker gives it; a condition with what it tells."""

    expression: syntax.Expression
    type: Type
    holds: Facts = NOTHING
    """What is known where it holds."""
    fails: Facts = NOTHING
    """What is known where it does not."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A variable or an attribute of one."""

    expression: syntax.Expression
    type: Type
    path: Path
    optional: bool
    """Whether something on the way may be absent here."""
    base_optional: bool
    """Whether something before the last step may be, so that only `??` can read it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is in sight at a place, and what the guards before it tell."""

    variables: Mapping[str, Type]
    facts: Facts = NOTHING

    def knowing(self, facts: Facts) -> "Scope":
        return Scope(self.variables, self.facts | facts)

    def binding(self, name: str, type: Type) -> "Scope":
        return Scope({**self.variables, name: type}, self.facts)


NO_SCOPE = Scope({})


def fields_of(schema: Schema, type: Type) -> Iterator[RecordField]:
    """The attributes that every value of a type may be asked for."""
    if isinstance(type, RecordOf):
        yield from type.fields
    elif isinstance(type, EntityType) and type.types:
        declared = [schema.entities[name].attributes for name in sorted(type.types)]
        for name in declared[0]:
            common: Type | None = declared[0][name].type
            for other in declared[1:]:
                found = other.get(name)
                common = join(common, found.type) if common is not None and found else None
            if common is not None:
                yield RecordField(name, common, any(item[name].optional for item in declared))


def readables(schema: Schema, scope: Scope, depth: int = 3) -> list[Readable]:
    """Every variable in scope and what it leads to, up to a length."""
    found: list[Readable] = []

    def add(
        expression: syntax.Expression,
        type: Type,
        path: Path,
        optional: bool,
        base_optional: bool,
        depth: int,
    ) -> None:
        if isinstance(type, EntityType):
            for known, narrower in scope.facts:
                if known == path and narrower is not None:
                    type = entity_type(type.types & narrower.types)
        found.append(Readable(expression, type, path, optional, base_optional))
        if depth == 0 or (optional and len(path) == 1):
            return
        for item in fields_of(schema, type):
            inner = (*path, item.name)
            absent = item.optional and (inner, None) not in scope.facts
            access = syntax.Access(expression, item.name)
            add(access, item.type, inner, optional or absent, optional, depth - 1)

    for name, type in scope.variables.items():
        variable = _variable(name)
        add(variable, present(type), (name,), isinstance(type, Optional), False, depth - 1)
    return found


def _variable(name: str) -> syntax.Expression:
    if name in ("principal", "action", "resource", "context"):
        return syntax.RequestVariable(name)
    return syntax.Name(name)


def negated(operand: Typed) -> Typed:
    return Typed(syntax.Unary("not", operand.expression), BOOL, operand.fails, operand.holds)


def every(operands: Sequence[Typed]) -> Typed:
    holds = NOTHING.union(*(item.holds for item in operands))
    fails = in_either([item.fails for item in operands])
    return Typed(syntax.And(tuple(item.expression for item in operands)), BOOL, holds, fails)


def either(operands: Sequence[Typed]) -> Typed:
    holds = in_either([item.holds for item in operands])
    fails = NOTHING.union(*(item.fails for item in operands))
    return Typed(syntax.Or(tuple(item.expression for item in operands)), BOOL, holds, fails)


def joined(left: Type, right: Type) -> Type:
    common = join(left, right)
    assert common is not None, (left, right)
    return common
