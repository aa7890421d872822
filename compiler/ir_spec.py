"""The grammar of the intermediate representation, executable: what lowering and every pass promise to whoever reads it.

A rule is well formed if, for every kind of request in its scope, each term has a type, each name is bound, and each
partial term is guarded: an optional attribute by `Has`, the least of a set by its size. Only what is certainly wrong is
reported, so a place that no request reaches, and a guard too involved to follow, pass.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import assert_never

from ..lang import typesystem
from ..lang.schema import Environment, Schema
from ..lang.syntax import Effect
from ..lang.typesystem import (
    ACTION,
    BOOL,
    IP_RANGE,
    NEVER,
    STRING,
    EntityType,
    RecordField,
    Type,
    entity_type,
    is_ordered,
)
from ..lang.values import Decimal, Duration, EnumValue
from . import ir
from .ir_text import text_of
from .rewrite import rebuild
from .typer import Disagreement, attributes, common_type, composed_type

MAX_SPLITS = 6
"""How many conditions one question about a guard may try both ways."""


def verify(policies: ir.PolicySet) -> list[str]:
    """Every violation in words; empty if the policy set is well formed."""
    found: list[str] = []
    names = [rule.id for rule in policies.rules]
    found += [
        f"two rules are named `{name}`" for name in sorted(set(names)) if names.count(name) > 1
    ]
    for rule in policies.rules:
        found += [f"`{rule.id}`: {problem}" for problem in verify_rule(policies.schema, rule)]
    return found


def verify_rule(schema: Schema, rule: ir.Rule) -> list[str]:
    """Every violation in one rule."""
    found = [*_scope_problems(schema, rule.scope)]
    if rule.needs and rule.effect is not Effect.REQUIRE:
        found.append(f"a `{rule.effect}` has a need")
    for environment in _different(schema, rule.scope):
        problems = _verify_terms(schema, rule, environment)
        found += [f"for `{environment}`, {problem}" for problem in problems]
    return found


def _different(schema: Schema, scope: ir.Scope) -> Iterator[Environment]:
    """The kinds of request in a scope, one for all actions whose contexts are of one type."""
    seen: set[tuple[str, Type, str]] = set()
    for item in schema.environments():
        key = (item.principal, schema.actions[item.action].context, item.resource)
        if (
            key not in seen
            and item.principal in scope.principal.types
            and item.action in scope.actions
            and item.resource in scope.resource.types
        ):
            seen.add(key)
            yield item


def _scope_problems(schema: Schema, scope: ir.Scope) -> Iterator[str]:
    for name in sorted(scope.actions - set(schema.actions)):
        yield f"the scope names the action `{name}`, which does not exist"
    for part in (scope.principal, scope.resource):
        for name in sorted(part.types):
            if not _is_concrete(schema, name):
                yield f"the scope names `{name}`, which is no concrete entity type"
        for entity in (*part.ancestors, *part.entities):
            if not _is_concrete(schema, entity.type):
                yield f"the scope names {entity}, which is no entity of the schema"


def _is_concrete(schema: Schema, name: str) -> bool:
    return name in schema.entities and not schema.entities[name].abstract


def _verify_terms(schema: Schema, rule: ir.Rule, environment: Environment) -> list[str]:
    check = _Check(
        schema,
        {
            "principal": entity_type({environment.principal}),
            "action": ACTION,
            "resource": entity_type({environment.resource}),
            "context": schema.actions[environment.action].context,
        },
    )
    check.boolean(rule.condition)
    with check.assuming((rule.condition, True)):
        for need in rule.needs:
            check.boolean(need.condition)
            check.template(need.message)
        for message in (rule.because, rule.instead):
            if message is not None:
                check.template(message)
    return list(dict.fromkeys(check.problems))


Assumption = tuple[ir.Term, bool]
"""A condition on the way to a place, and what it was found to be."""


@dataclass(slots=True)
class _Check:
    """Checks each term of a rule in one environment, knowing what stands before it."""

    schema: Schema
    variables: dict[str, Type]
    problems: list[str] = field(default_factory=list)
    assumptions: tuple[Assumption, ...] = ()
    types: dict[ir.Term, Type] = field(default_factory=dict)

    @contextmanager
    def assuming(self, *assumptions: Assumption) -> Iterator[None]:
        saved = self.assumptions
        self.assumptions = (*saved, *((canonical(term), truth) for term, truth in assumptions))
        try:
            yield
        finally:
            self.assumptions = saved

    def report(self, term: ir.Term, message: str) -> Type:
        """Reports what is wrong with a term, unless no request gets there."""
        if not self.contradictory(self.assumptions, self.types):
            text = text_of(term)
            self.problems.append(f"{message}: {text if len(text) <= 200 else text[:199] + '…'}")
        return NEVER

    def template(self, template: ir.Template) -> None:
        for part in template.parts:
            if not isinstance(part, str):
                self.infer(part)

    # Types

    def infer(self, term: ir.Term) -> Type:
        """The type of a term; `NEVER` for what is reported or not reached."""
        found = self._infer(term)
        key = canonical(term)
        if isinstance(found, EntityType) and len(found.types) > 1 and self.assumptions:
            possible = {
                name
                for name in found.types
                if not self.contradictory(
                    self.assumptions, {**self.types, key: entity_type({name})}
                )
            }
            found = entity_type(possible) if possible else NEVER
        self.types[key] = found
        return found

    def wanted(self, term: ir.Term, type: Type) -> None:
        found = self.infer(term)
        if found not in (type, NEVER):
            self.report(term, f"a `{type}` is needed, and this is a `{found}`")

    def boolean(self, term: ir.Term) -> None:
        self.wanted(term, BOOL)

    def set(self, term: ir.Term) -> typesystem.SetOf:
        found = self.infer(term)
        if isinstance(found, typesystem.SetOf):
            return found
        if found != NEVER:
            self.report(term, f"a set is needed, and this is a `{found}`")
        return typesystem.SetOf(NEVER)

    def entity(self, term: ir.Term) -> None:
        found = self.infer(term)
        if found != NEVER and not isinstance(found, EntityType):
            self.report(term, f"an entity is needed, and this is a `{found}`")

    def _infer(self, term: ir.Term) -> Type:
        match term:
            case ir.Variable(name):
                if name not in self.variables:
                    return self.report(term, "the name is not bound here")
                return self.variables[name]
            case ir.EnumMember(value):
                if value.enum not in self.schema.enums:
                    return self.report(term, f"there is no enum `{value.enum}`")
                self._enum_member(term, value)
                return self._composed(term)
            case ir.Entity(value):
                if value.type != ir.ACTION_TYPE and not _is_concrete(self.schema, value.type):
                    return self.report(term, f"`{value.type}` is no concrete entity type")
                if value.type == ir.ACTION_TYPE and value.id not in self.schema.actions:
                    self.report(term, "there is no such action")
                return self._composed(term)
            case (
                ir.Boolean()
                | ir.Integer()
                | ir.Decimal()
                | ir.String()
                | ir.Instant()
                | ir.Duration()
                | ir.IpRange()
            ):
                return self._composed(term)
            case ir.Attribute(base, name):
                return self._attribute(term, base, name)
            case ir.Has(base, name):
                self._has(term, base, name)
                return self._composed(term)
            case ir.Not(operand):
                self.boolean(operand)
                return self._composed(term, BOOL)
            case ir.And(operands):
                self._chain(operands, True)
                return self._composed(term)
            case ir.Or(operands):
                self._chain(operands, False)
                return self._composed(term)
            case ir.If(condition, then, otherwise):
                self.boolean(condition)
                with self.assuming((condition, True)):
                    first = self.infer(then)
                with self.assuming((condition, False)):
                    second = self.infer(otherwise)
                return self._composed(term, BOOL, first, second)
            case ir.Less(left, right) | ir.LessOrEqual(left, right):
                first, second = self.infer(left), self.infer(right)
                type = self._composed(term, first, second)
                if type != NEVER:
                    self._ordered(term, common_type((first, second)))
                return type
            case (
                ir.Equal(left, right)
                | ir.Add(left, right)
                | ir.Subtract(left, right)
                | ir.Multiply(left, right)
            ):
                return self._composed(term, self.infer(left), self.infer(right))
            case ir.Negate(operand):
                return self._composed(term, self.infer(operand))
            case ir.InHierarchy(entity, ancestor):
                self.entity(entity)
                self.entity(ancestor)
                return self._composed(term)
            case ir.IsType(entity, types):
                self.entity(entity)
                unknown = sorted(name for name in types if not _is_concrete(self.schema, name))
                if unknown:
                    self.report(term, f"`{unknown[0]}` is no concrete entity type")
                return self._composed(term)
            case ir.Like(text, pattern):
                self.wanted(text, STRING)
                if not pattern:
                    self.report(term, "the pattern has no piece")
                return self._composed(term)
            case ir.InRange(address, range):
                self.wanted(address, IP_RANGE)
                self.wanted(range, IP_RANGE)
                return self._composed(term)
            case ir.Member(element, set):
                return self._composed(term, self.infer(element), self.set(set))
            case ir.SetOf(elements):
                return self._composed(term, *map(self.infer, elements))
            case ir.RecordOf(fields):
                self._field_names(term, [name for name, _ in fields])
                return self._composed(term, *(self.infer(value) for _, value in fields))
            case (
                ir.Union(left, right)
                | ir.Intersect(left, right)
                | ir.Minus(left, right)
                | ir.Subset(left, right)
            ):
                return self._composed(term, self.set(left), self.set(right))
            case ir.Size(set):
                return self._composed(term, self.set(set))
            case ir.Any() | ir.All() | ir.Count() | ir.Where():
                return self._composed(term, *self._wanted_body(term, BOOL))
            case ir.Distinct():
                return self._composed(term, *self._body(term))
            case ir.Sum(zero=zero):
                type = self.infer(zero)
                if zero not in _ZEROS:
                    self.report(zero, "a sum starts at zero")
                return self._composed(term, *self._wanted_body(term, type), type)
            case ir.Least(_, set, _) | ir.Greatest(_, set, _):
                found = self._body(term)
                self._ordered(term, found[1])
                self._not_empty(term, set)
                return self._composed(term, *found)
            case _:
                assert_never(term)

    def _composed(self, term: ir.Term, *types: Type) -> Type:
        """The type of a term given those of its parts that matter to it, or a report that they do not go together."""
        try:
            return composed_type(self.schema, term, types)
        except Disagreement as disagreement:
            return self.report(term, str(disagreement))

    def _enum_member(self, term: ir.Term, value: EnumValue) -> None:
        enum = self.schema.enums[value.enum]
        if value.name not in enum.members or enum.members.index(value.name) != value.rank:
            self.report(term, f"`{value.name}` is not member number {value.rank} of `{enum}`")

    def _field_names(self, term: ir.Term, names: list[str]) -> None:
        if names != sorted(set(names)):
            self.report(term, "the fields of a record are sorted, and none stands twice")

    def _chain(self, operands: tuple[ir.Term, ...], truth: bool) -> None:
        before: list[Assumption] = []
        for operand in operands:
            with self.assuming(*before):
                self.boolean(operand)
            before.append((operand, truth))

    def _ordered(self, term: ir.Term, type: Type) -> None:
        if type != NEVER and not is_ordered(type):
            self.report(term, f"values of type `{type}` have no order")

    # Attributes

    def _fields(self, term: ir.Term, base: ir.Term, name: str) -> list[RecordField | None]:
        """The attribute on each type the base may have; `None` where a type lacks it."""
        type = self.infer(base)
        if type != NEVER and not isinstance(type, typesystem.RecordOf | EntityType):
            self.report(term, f"a value of type `{type}` has no attributes")
        return attributes(self.schema, type, name)

    def _attribute(self, term: ir.Term, base: ir.Term, name: str) -> Type:
        found = self._fields(term, base, name)
        if None in found:
            return self.report(term, f"`{name}` does not exist")
        if any(item is not None and item.optional for item in found):
            guard = canonical(ir.Has(base, name))
            if not self.contradictory((*self.assumptions, (guard, False)), self.types):
                self.report(term, f"`{name}` may be absent, and no `has` stands before it")
        return self._composed(term, self.types[canonical(base)])

    def _has(self, term: ir.Term, base: ir.Term, name: str) -> None:
        found = self._fields(term, base, name)
        # A record written in place of a parameter may leave out what its type has as optional.
        written = isinstance(self.types[canonical(base)], typesystem.RecordOf)
        if None in found and not (written and _writes_record(base)):
            self.report(term, f"`{name}` does not exist")

    # Quantifiers

    def _body(self, term: ir.Quantifier) -> tuple[Type, Type]:
        """The types of the set and of the body."""
        set = self.set(term.set)
        if term.name in self.variables:
            self.report(term, f"`{term.name}` is bound inside itself")
        saved, self.variables = self.variables, {**self.variables, term.name: set.element}
        try:
            return set, self.infer(term.body)
        finally:
            self.variables = saved

    def _wanted_body(self, term: ir.Quantifier, type: Type) -> tuple[Type, Type]:
        set, found = self._body(term)
        if found not in (type, NEVER):
            self.report(term, f"the body must be a `{type}`, and is a `{found}`")
        return set, found

    def _not_empty(self, term: ir.Term, set: ir.Term) -> None:
        written = isinstance(set, ir.SetOf) and set.elements
        empty = canonical(ir.Equal(ir.Size(set), ir.Integer(0)))
        if not written and not self.contradictory((*self.assumptions, (empty, True)), self.types):
            self.report(term, "the set may be empty, and nothing asks before")

    # Guards

    def contradictory(
        self, assumptions: tuple[Assumption, ...], types: Mapping[ir.Term, Type]
    ) -> bool:
        """Whether no request meets all assumptions."""
        return _Search(self.schema, types).contradictory(list(assumptions), {}, MAX_SPLITS)


def canonical(term: ir.Term, names: Mapping[str, str] | None = None) -> ir.Term:
    """The term with bound names by their depth, so that a guard is equal to what it guards wherever both stand."""
    known = names or {}
    if isinstance(term, ir.Variable):
        return replace(term, name=known.get(term.name, term.name))
    if isinstance(term, ir.Quantifier):
        name = f"#{len(known)}"
        body = canonical(term.body, {**known, term.name: name})
        return replace(term, name=name, set=canonical(term.set, known), body=body)
    return rebuild(term, lambda part: canonical(part, known))


_ZEROS = (ir.Integer(0), ir.Decimal(Decimal(0)), ir.Duration(Duration(0)))


def _writes_record(term: ir.Term) -> bool:
    match term:
        case ir.RecordOf():
            return True
        case ir.If(_, then, otherwise):
            return _writes_record(then) or _writes_record(otherwise)
        case ir.Attribute(base):
            return _writes_record(base)
        case ir.Variable():
            return True
        case _:
            return False


@dataclass(slots=True)
class _Search:
    """A small decision procedure over conditions: propagate what is certain, then try one condition both ways."""

    schema: Schema
    types: Mapping[ir.Term, Type]

    def contradictory(
        self, pending: list[Assumption], known: dict[ir.Term, bool], splits: int
    ) -> bool:
        before = -1
        while before != len(known):
            before = len(known)
            for term, truth in pending:
                if not self._assume(term, truth, known):
                    return True
        open_atom = next(
            (
                atom
                for term, _ in pending
                if self._value(term, known) is None
                for atom in _atoms(term)
                if self._value(atom, known) is None
            ),
            None,
        )
        if open_atom is None:
            return False
        if splits == 0:
            return True  # Too involved to follow: assume the best.
        return all(
            self.contradictory([*pending, (open_atom, truth)], dict(known), splits - 1)
            for truth in (True, False)
        )

    def _assume(self, term: ir.Term, truth: bool, known: dict[ir.Term, bool]) -> bool:
        """Notes what follows from a condition; false if it cannot be."""
        value = self._value(term, known)
        if value is not None:
            return value == truth
        match term:
            case ir.Not(operand):
                return self._assume(operand, not truth, known)
            case ir.And(operands) | ir.Or(operands):
                each = isinstance(term, ir.And)
                if truth == each:
                    return all(self._assume(operand, truth, known) for operand in operands)
                open_operands = [item for item in operands if self._value(item, known) is None]
                if len(open_operands) == 1:
                    return self._assume(open_operands[0], truth, known)
            case ir.If(condition, then, otherwise):
                if self._value(then, known) not in (None, truth):
                    return self._assume(condition, False, known) and self._assume(
                        otherwise, truth, known
                    )
                if self._value(otherwise, known) not in (None, truth):
                    return self._assume(condition, True, known) and self._assume(then, truth, known)
            case _:
                known[term] = truth
        return True

    def _value(self, term: ir.Term, known: Mapping[ir.Term, bool]) -> bool | None:
        """What a condition is as far as it is known."""
        match term:
            case ir.Boolean(value):
                return value
            case ir.Not(operand):
                inside = self._value(operand, known)
                return None if inside is None else not inside
            case ir.And(operands):
                values = [self._value(operand, known) for operand in operands]
                return False if False in values else None if None in values else True
            case ir.Or(operands):
                values = [self._value(operand, known) for operand in operands]
                return True if True in values else None if None in values else False
            case ir.If(condition, then, otherwise):
                test = self._value(condition, known)
                if test is not None:
                    return self._value(then if test else otherwise, known)
                first, second = self._value(then, known), self._value(otherwise, known)
                return first if first == second else None
            case ir.Has(base, name):
                return known.get(term, self._has(base, name))
            case ir.IsType(entity, types):
                type = self.types.get(entity)
                if isinstance(type, EntityType) and type.types:
                    if type.types <= types:
                        return True
                    if not type.types & types:
                        return False
                return known.get(term)
            case _:
                return known.get(term)

    def _has(self, base: ir.Term, name: str) -> bool | None:
        type = self.types.get(base)
        if isinstance(type, typesystem.RecordOf):
            found = [type.field(name)]
        elif isinstance(type, EntityType) and type.types:
            found = [*self.schema.attribute(type.types, name)]
        else:
            return None
        if all(item is not None and not item.optional for item in found):
            return True
        return False if all(item is None for item in found) else None


def _atoms(term: ir.Term) -> Iterator[ir.Term]:
    """The conditions of which a condition is made."""
    match term:
        case ir.Not(operand):
            yield from _atoms(operand)
        case ir.And(operands) | ir.Or(operands):
            for operand in operands:
                yield from _atoms(operand)
        case ir.If(condition, then, otherwise):
            for part in (condition, then, otherwise):
                yield from _atoms(part)
        case ir.Boolean():
            return
        case _:
            yield term
