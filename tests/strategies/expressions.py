"""Expressions of a wanted type, well typed by construction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from interlock.lang import syntax
from interlock.lang.facts import Facts, in_either
from interlock.lang.schema import Schema
from interlock.lang.typesystem import (
    ACTION,
    BOOL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    STRING,
    EntityType,
    EnumType,
    Optional,
    Primitive,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    entity_type,
    is_ordered,
    is_subtype,
    present,
)

from .common import (
    DECIMALS,
    DURATIONS,
    IDS,
    INSTANTS,
    INTEGERS,
    PATTERNS,
    PRIMITIVE_TYPES,
    RANGES,
    STRINGS,
)
from .scopes import (
    NO_SCOPE,
    Readable,
    Scope,
    Typed,
    either,
    every,
    fields_of,
    joined,
    negated,
    readables,
)


@st.composite
def expressions(
    draw: st.DrawFn,
    schema: Schema,
    variables: Mapping[str, Type],
    type: Type,
    defines: tuple[syntax.Define, ...] = (),
) -> syntax.Expression:
    """An expression of the type where the place says which type it wants, as after `when` or in a call."""
    writer = Writer(draw, schema, defines)
    return writer.expression(type, Scope(variables), 4, hinted=True).expression


_Forms = tuple[tuple[Type, str, Type], ...]
"""What stands left of an operator, which operators, and what stands right of it."""


@dataclass(slots=True)
class Writer:
    """Writes expressions of a wanted type.

    `hinted` says that the checker knows the wanted type at this place, so that enum members may stand bare and `{}`
    may be a set. The result's type is never wider than the wanted one, and is what the checker infers.
    """

    draw: st.DrawFn
    schema: Schema
    defines: tuple[syntax.Define, ...] = ()
    budget: int = 40
    names: int = 0
    known: dict[tuple[tuple[tuple[str, Type], ...], Facts], list[Readable]] = field(
        default_factory=dict
    )

    def pick(self, *options: Callable[[], Typed]) -> Typed:
        return self.draw(st.sampled_from(options))()

    def coin(self) -> bool:
        return self.draw(st.booleans())

    def readables(self, scope: Scope) -> list[Readable]:
        key = (tuple(scope.variables.items()), scope.facts)
        if key not in self.known:
            self.known[key] = readables(self.schema, scope)
        return self.known[key]

    # One expression

    def expression(self, type: Type, scope: Scope, depth: int, hinted: bool = False) -> Typed:
        self.budget -= 1
        if isinstance(type, Optional):
            return self._maybe_absent(type, scope, depth)
        options: list[Callable[[], Typed]] = [lambda: self.literal(type, scope, depth - 1, hinted)]
        found = [item for item in self.readables(scope) if is_subtype(item.type, type)]
        reads = [item for item in found if not item.optional]
        if reads:
            options += [lambda: self.read(reads)] * 3
        if depth <= 0 or self.budget <= 0 or type == ACTION:
            return self.pick(*options)
        absent = [item for item in found if item.optional]
        if absent:
            options += [lambda: self._fallback(absent, type, scope, depth)] * 2
        options += [
            lambda: self._conditional(type, scope, depth, hinted),
            lambda: self._attribute(type, scope, depth),
        ]
        calls = [item for item in self.defines if is_subtype(present(self._result(item)), type)]
        if calls:
            options += [lambda: self._call(calls, type, scope, depth)] * 2
        options += self._operators(type, scope, depth)
        return self.pick(*options)

    def _operators(self, type: Type, scope: Scope, depth: int) -> list[Callable[[], Typed]]:
        match type:
            case Primitive("Bool"):
                return [
                    lambda: self._logic(scope, depth),
                    lambda: self._logic(scope, depth),
                    lambda: self._comparison(scope, depth),
                    lambda: self._comparison(scope, depth),
                    lambda: self._membership(scope, depth),
                    lambda: self._hierarchy(scope, depth),
                    lambda: self._about_text(scope, depth),
                    lambda: self._about_action(scope, depth),
                    lambda: self._guarded(scope, depth),
                    lambda: self._guarded(scope, depth),
                    lambda: self._quantifier(scope, depth),
                ]
            case Primitive("Int"):
                return [
                    lambda: self._arithmetic(((INT, "+-*", INT),), INT, scope, depth),
                    lambda: self._size(scope, depth),
                    lambda: self._over_set("count", BOOL, INT, scope, depth),
                    lambda: self._over_set("sum", INT, INT, scope, depth),
                    lambda: self._extreme(INT, scope, depth),
                ]
            case Primitive("Decimal" | "Duration"):
                forms: _Forms = ((type, "+-", type), (type, "*", INT), (INT, "*", type))
                if type == DURATION:
                    forms = (*forms, (INSTANT, "-", INSTANT))
                return [
                    lambda: self._arithmetic(forms, type, scope, depth),
                    lambda: self._over_set("sum", type, type, scope, depth),
                    lambda: self._extreme(type, scope, depth),
                ]
            case Primitive("Instant"):
                times = ((INSTANT, "+-", DURATION), (DURATION, "+", INSTANT))
                return [
                    lambda: self._arithmetic(times, INSTANT, scope, depth),
                    lambda: self._extreme(INSTANT, scope, depth),
                ]
            case EnumType() if type.ordered:
                return [lambda: self._extreme(type, scope, depth)]
            case SetOf(element):
                return [
                    lambda: self._set_operator(type, scope, depth),
                    lambda: self._set_operator(type, scope, depth),
                    lambda: self._where(type, scope, depth),
                    lambda: self._distinct(element, scope, depth),
                ]
            case _:
                return []

    # Leaves

    def literal(
        self, type: Type, scope: Scope = NO_SCOPE, depth: int = 0, hinted: bool = False
    ) -> Typed:
        draw = self.draw
        match type:
            case EnumType(name, members):
                member = draw(st.sampled_from(members))
                bare = hinted and self.coin()
                whole = syntax.Access(syntax.Name(name), member)
                return Typed(syntax.Name(member) if bare else whole, type)
            case EntityType(types):
                chosen = draw(st.sampled_from(sorted(types)))
                entity = syntax.EntityReference(chosen, draw(st.sampled_from(IDS)))
                return Typed(entity, entity_type({chosen}))
            case SetOf(element):
                return self._set_literal(type, element, scope, depth, hinted)
            case RecordOf():
                return self._record_literal(type, scope, depth, hinted)
            case _:
                return Typed(self._primitive(type), type)

    def _primitive(self, type: Type) -> syntax.Expression:
        draw = self.draw
        expression: syntax.Expression
        match type:
            case Primitive("Bool"):
                return syntax.Boolean(self.coin())
            case Primitive("String"):
                return syntax.String(draw(st.sampled_from(STRINGS)))
            case Primitive("Instant"):
                return syntax.Call("instant", (syntax.String(draw(st.sampled_from(INSTANTS))),))
            case Primitive("IpRange"):
                return syntax.Call("ip", (syntax.String(draw(st.sampled_from(RANGES))),))
            case Primitive("Int"):
                expression = syntax.Integer(draw(st.sampled_from(INTEGERS)))
            case Primitive("Decimal"):
                expression = syntax.DecimalNumber(draw(st.sampled_from(DECIMALS)))
            case Primitive("Duration"):
                expression = syntax.TimeSpan(draw(st.sampled_from(DURATIONS)))
            case _:
                return syntax.RequestVariable("action")
        negative = draw(st.integers(0, 3)) == 0
        return syntax.Unary("-", expression) if negative else expression

    def _set_literal(
        self, type: SetOf, element: Type, scope: Scope, depth: int, hinted: bool
    ) -> Typed:
        count = self.draw(st.integers(0 if hinted else 1, 3))
        if count == 0:
            return Typed(syntax.RecordLiteral(()), type)
        first = self.expression(element, scope, depth, hinted)
        items, common = [first.expression], first.type
        for _ in range(count - 1):
            if isinstance(element, EnumType) and self.coin():
                member = self.draw(st.sampled_from(element.members))
                items.append(syntax.Name(member))
                continue
            wanted = element if isinstance(element, EntityType) else common
            other = self.expression(wanted, scope, depth, hinted)
            items.append(other.expression)
            common = joined(common, other.type)
        return Typed(syntax.SetLiteral(tuple(items)), SetOf(common))

    def _record_literal(self, type: RecordOf, scope: Scope, depth: int, hinted: bool) -> Typed:
        values, inferred = [], []
        for item in type.fields:
            if item.optional and self.coin():
                continue
            value = self.expression(item.type, scope, depth, hinted)
            values.append(syntax.FieldValue(item.name, value.expression))
            inferred.append(RecordField(item.name, value.type, False))
        order = self.draw(st.permutations(values)) if len(values) > 1 else values
        return Typed(
            syntax.RecordLiteral(tuple(order)), type if hinted else RecordOf(tuple(inferred))
        )

    def read(self, found: list[Readable]) -> Typed:
        chosen = self.draw(st.sampled_from(found))
        return Typed(chosen.expression, chosen.type)

    # Any type

    def _maybe_absent(self, type: Optional, scope: Scope, depth: int) -> Typed:
        """What a parameter of optional type takes."""
        found = [item for item in self.readables(scope) if is_subtype(item.type, type.type)]
        absent = [item for item in found if item.optional and not item.base_optional]
        if absent and self.coin():
            chosen = self.read(absent)
            return Typed(chosen.expression, Optional(chosen.type))
        return self.expression(type.type, scope, depth - 1, hinted=True)

    def _fallback(self, absent: list[Readable], type: Type, scope: Scope, depth: int) -> Typed:
        left = self.read(absent)
        expression, common = left.expression, left.type
        simple = [item for item in absent if not item.base_optional and item.type == common]
        if simple and self.coin():
            # Two more ways in which the left side may be absent: a chain of `??`, and a branch of an `if`.
            other = self.read(simple)
            first = self.read(simple)
            if self.coin():
                expression = syntax.Binary("??", expression, other.expression)
            else:
                test = self.expression(BOOL, scope, depth - 2)
                condition = test.expression
                if test.holds or test.fails:
                    # What it tells could narrow the branches, which are drawn already; of `==` nothing is known.
                    condition = syntax.Binary("==", condition, syntax.Boolean(True))
                expression = syntax.Conditional(condition, first.expression, other.expression)
        wanted = type if isinstance(type, EntityType) else common
        right = self.expression(wanted, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary("??", expression, right.expression), joined(common, right.type))

    def _conditional(self, type: Type, scope: Scope, depth: int, hinted: bool) -> Typed:
        guard = self.guard(scope, depth - 1)
        then = self.expression(type, scope.knowing(guard.holds), depth - 1, hinted)
        wanted = type if isinstance(type, EntityType) else then.type
        otherwise = self.expression(wanted, scope.knowing(guard.fails), depth - 1, hinted)
        return Typed(
            syntax.Conditional(guard.expression, then.expression, otherwise.expression),
            joined(then.type, otherwise.type),
            in_either([guard.holds | then.holds, guard.fails | otherwise.holds]),
            in_either([guard.holds | then.fails, guard.fails | otherwise.fails]),
        )

    def _attribute(self, type: Type, scope: Scope, depth: int) -> Typed:
        """An attribute of what need not be a path, such as `(if a then b else c).name`."""
        candidates = [
            (base.type, item)
            for base in self.readables(scope)
            for item in fields_of(self.schema, base.type)
            if is_subtype(item.type, type)
        ]
        if not candidates:
            return self.literal(type, scope, depth - 1, False)
        owner, chosen = self.draw(st.sampled_from(candidates))
        base = self.expression(owner, scope, depth - 1)
        found = next(
            (item for item in fields_of(self.schema, base.type) if item.name == chosen.name), None
        )
        if found is None:  # A record written without its optional field.
            return self.literal(type, scope, depth - 1, False)
        access = syntax.Access(base.expression, found.name)
        if not self._may_be_absent(base, found, scope):
            return Typed(access, found.type)
        right = self.expression(found.type, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary("??", access, right.expression), joined(found.type, right.type))

    def _may_be_absent(self, base: Typed, found: RecordField, scope: Scope) -> bool:
        access = syntax.Access(base.expression, found.name)
        known = {item.expression: item.optional for item in self.readables(scope)}
        return known.get(access, found.optional)

    def _call(self, calls: list[syntax.Define], type: Type, scope: Scope, depth: int) -> Typed:
        define = self.draw(st.sampled_from(calls))
        arguments = tuple(
            self.expression(
                _type_of(self.schema, parameter.type), scope, depth - 2, hinted=True
            ).expression
            for parameter in define.parameters
        )
        call = syntax.Call(define.name, arguments)
        result = self._result(define)
        if not isinstance(result, Optional):
            return Typed(call, result)
        right = self.expression(result.type, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary("??", call, right.expression), joined(result.type, right.type))

    def _result(self, define: syntax.Define) -> Type:
        return _type_of(self.schema, define.result)

    # Conditions

    def _logic(self, scope: Scope, depth: int) -> Typed:
        kind = self.draw(st.sampled_from(("not", "and", "or")))
        if kind == "not":
            return negated(self.expression(BOOL, scope, depth - 1))
        operands: list[Typed] = []
        for _ in range(self.draw(st.integers(2, 3))):
            operands.append(self.expression(BOOL, scope, depth - 1))
            scope = scope.knowing(operands[-1].holds if kind == "and" else operands[-1].fails)
        return every(operands) if kind == "and" else either(operands)

    def _guarded(self, scope: Scope, depth: int) -> Typed:
        """A guard and what it guards, once with `and` and once with `or`."""
        guard = self.guard(scope, depth - 1)
        if self.coin():
            inside = self.expression(BOOL, scope.knowing(guard.holds), depth - 1)
            return every((guard, inside))
        inside = self.expression(BOOL, scope.knowing(guard.fails), depth - 1)
        return either((guard, inside))

    def guard(self, scope: Scope, depth: int) -> Typed:
        """A condition, one that tells something where there is something to tell."""
        found = self.readables(scope)
        absent = [item for item in found if item.optional and len(item.path) > 1]
        several = [
            item
            for item in found
            if isinstance(item.type, EntityType) and len(item.type.types) > 1 and not item.optional
        ]
        options: list[Callable[[], Typed]] = []
        if absent:
            options += [lambda: self._has(absent, found)] * 2
        if several:
            options.append(lambda: self._is(several))
        if not options or depth <= 0:
            return self.expression(BOOL, scope, depth - 1)
        guard = self.draw(st.sampled_from(options))()
        match self.draw(st.sampled_from(("plain", "plain", "not", "and", "or"))):
            case "not":
                return negated(guard)
            case "and":
                return every((guard, self.expression(BOOL, scope.knowing(guard.holds), depth - 2)))
            case "or":
                return either((guard, self.expression(BOOL, scope.knowing(guard.fails), depth - 2)))
            case _:
                return guard

    def _has(self, absent: list[Readable], found: list[Readable]) -> Typed:
        chosen = self.draw(st.sampled_from(absent))
        present_bases = [
            item
            for item in found
            if not item.optional
            and len(item.path) < len(chosen.path)
            and chosen.path[: len(item.path)] == item.path
        ]
        base = self.draw(st.sampled_from(present_bases))
        steps = chosen.path[len(base.path) :]
        facts = frozenset(((*base.path, *steps[: count + 1]), None) for count in range(len(steps)))
        return Typed(syntax.Has(base.expression, steps), BOOL, facts)

    def _is(self, several: list[Readable]) -> Typed:
        chosen = self.draw(st.sampled_from(several))
        assert isinstance(chosen.type, EntityType)
        types = chosen.type.types
        names = [
            name
            for name, entity in sorted(self.schema.entities.items())
            if entity.concrete & types and not types <= entity.concrete
        ]
        name = self.draw(st.sampled_from(names))
        concrete = self.schema.entities[name].concrete
        return Typed(
            syntax.Is(chosen.expression, name),
            BOOL,
            frozenset({(chosen.path, entity_type(types & concrete))}),
            frozenset({(chosen.path, entity_type(types - concrete))}),
        )

    def some_type(self, scope: Scope) -> Type:
        """A type that something in scope has, or a primitive one."""
        seen = [item.type for item in self.readables(scope) if item.type != ACTION]
        return self.draw(st.sampled_from([*seen, *PRIMITIVE_TYPES]))

    def _comparison(self, scope: Scope, depth: int) -> Typed:
        type = self.some_type(scope)
        operators = ["==", "!="]
        if is_ordered(type):
            operators += ["<", "<=", ">", ">="]
        operator = self.draw(st.sampled_from(operators))
        left = self.expression(type, scope, depth - 1)
        if isinstance(type, EnumType) and self.coin():
            bare = syntax.Name(self.draw(st.sampled_from(type.members)))
            return Typed(syntax.Binary(operator, bare, left.expression), BOOL)
        right = self.expression(left.type, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary(operator, left.expression, right.expression), BOOL)

    def _membership(self, scope: Scope, depth: int) -> Typed:
        """`in` and `contains` of a set, `subset_of`, and `in` of an address range."""
        operator = self.draw(st.sampled_from(("in", "contains", "subset_of", "range")))
        type = self.some_type(scope)
        if operator == "range":
            left = self.expression(IP_RANGE, scope, depth - 1)
            right = self.expression(IP_RANGE, scope, depth - 1)
            return Typed(syntax.Binary("in", left.expression, right.expression), BOOL)
        if operator == "in":
            element = self.expression(
                STRING if isinstance(type, EntityType) else type, scope, depth - 1
            )
            right = self.expression(SetOf(element.type), scope, depth - 1, hinted=True)
            return Typed(syntax.Binary("in", element.expression, right.expression), BOOL)
        left = self.expression(SetOf(type), scope, depth - 1)
        assert isinstance(left.type, SetOf)
        wanted = left.type.element if operator == "contains" else left.type
        right = self.expression(wanted, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary(operator, left.expression, right.expression), BOOL)

    def _hierarchy(self, scope: Scope, depth: int) -> Typed:
        known = [item.type for item in self.readables(scope) if isinstance(item.type, EntityType)]
        concrete = [name for name, item in self.schema.entities.items() if not item.abstract]
        wanted = self.draw(st.sampled_from([*known, *(entity_type({name}) for name in concrete)]))
        left = self.expression(wanted, scope, depth - 1)
        assert isinstance(left.type, EntityType)
        above = sorted({up for name in left.type.types for up in self.schema.ancestors[name]})
        ancestor: Type = entity_type({self.draw(st.sampled_from(above))})
        if self.coin():
            ancestor = SetOf(ancestor)
        right = self.expression(ancestor, scope, depth - 1, hinted=True)
        return Typed(syntax.Binary("in", left.expression, right.expression), BOOL)

    def _about_text(self, scope: Scope, depth: int) -> Typed:
        text = self.expression(STRING, scope, depth - 1).expression
        operator = self.draw(st.sampled_from(("like", "starts_with", "ends_with", "contains")))
        if operator == "like":
            return Typed(syntax.Like(text, self.draw(st.sampled_from(PATTERNS))), BOOL)
        part = syntax.String(self.draw(st.sampled_from(STRINGS)))
        return Typed(syntax.Binary(operator, text, part), BOOL)

    def _about_action(self, scope: Scope, depth: int) -> Typed:
        if "action" not in scope.variables:
            return self._logic(scope, depth)
        action = syntax.RequestVariable("action")
        actions = [syntax.Name(name) for name in self.schema.actions]
        groups = [syntax.Name(name) for name in self.schema.groups]
        operator = self.draw(st.sampled_from(("==", "!=", "in", "in set")))
        if operator == "in":
            return Typed(
                syntax.Binary("in", action, self.draw(st.sampled_from([*actions, *groups]))), BOOL
            )
        if operator == "in set":
            elements = self.draw(
                st.lists(st.sampled_from([*actions, *groups]), min_size=1, max_size=3)
            )
            return Typed(syntax.Binary("in", action, syntax.SetLiteral(tuple(elements))), BOOL)
        name = self.draw(st.sampled_from(actions))
        left, right = (action, name) if self.coin() else (name, action)
        return Typed(syntax.Binary(operator, left, right), BOOL)

    # Sets

    def _some_set(self, scope: Scope, depth: int) -> Typed:
        """A set to quantify over, one that the request has where there is any."""
        seen: list[Type] = [
            item.type for item in self.readables(scope) if isinstance(item.type, SetOf)
        ]
        wanted = self.draw(st.sampled_from([*seen * 2, SetOf(self.some_type(scope))]))
        return self.expression(wanted, scope, depth - 1)

    def _lambda(self, base: Typed, body: Type, scope: Scope, depth: int) -> tuple[str, Typed]:
        assert isinstance(base.type, SetOf)
        self.names += 1
        name = f"x{self.names}"
        return name, self.expression(body, scope.binding(name, base.type.element), depth - 1)

    def _method(self, base: Typed, method: str, name: str, body: Typed) -> syntax.MethodCall:
        function = syntax.Lambda(name, body.expression)
        return syntax.MethodCall(base.expression, method, (function,))

    def _over_set(self, method: str, body: Type, type: Type, scope: Scope, depth: int) -> Typed:
        base = self._some_set(scope, depth)
        name, inside = self._lambda(base, body, scope, depth)
        return Typed(self._method(base, method, name, inside), type)

    def _quantifier(self, scope: Scope, depth: int) -> Typed:
        method = self.draw(st.sampled_from(("any", "all", "none")))
        return self._over_set(method, BOOL, BOOL, scope, depth)

    def _size(self, scope: Scope, depth: int) -> Typed:
        absent = [
            item
            for item in self.readables(scope)
            if isinstance(item.type, SetOf) and item.optional and len(item.path) > 1
        ]
        if absent and self.coin():
            size = syntax.Access(self.read(absent).expression, "size")
            return Typed(syntax.Binary("??", size, self._primitive(INT)), INT)
        return Typed(syntax.Access(self._some_set(scope, depth).expression, "size"), INT)

    def _extreme(self, type: Type, scope: Scope, depth: int) -> Typed:
        method = self.draw(st.sampled_from(("min", "max")))
        found = self._over_set(method, type, type, scope, depth).expression
        right = self.expression(type, scope, depth - 1, hinted=True).expression
        return Typed(syntax.Binary("??", found, right), type)

    def _set_operator(self, type: SetOf, scope: Scope, depth: int) -> Typed:
        operator = self.draw(st.sampled_from(("union", "intersect", "minus")))
        left = self.expression(type, scope, depth - 1)
        right = self.expression(left.type, scope, depth - 1, hinted=True)
        return Typed(
            syntax.Binary(operator, left.expression, right.expression),
            joined(left.type, right.type),
        )

    def _where(self, type: SetOf, scope: Scope, depth: int) -> Typed:
        base = self.expression(type, scope, depth - 1)
        name, body = self._lambda(base, BOOL, scope, depth)
        return Typed(self._method(base, "where", name, body), base.type)

    def _distinct(self, element: Type, scope: Scope, depth: int) -> Typed:
        base = self._some_set(scope, depth)
        name, body = self._lambda(base, element, scope, depth)
        return Typed(self._method(base, "distinct", name, body), SetOf(body.type))

    # Numbers

    def _arithmetic(self, forms: _Forms, type: Type, scope: Scope, depth: int) -> Typed:
        if type != INSTANT and self.draw(st.integers(0, 4)) == 0:
            operand = self.expression(type, scope, depth - 1).expression
            return Typed(syntax.Unary("-", operand), type)
        before, operators, after = self.draw(st.sampled_from(forms))
        left = self.expression(before, scope, depth - 1).expression
        right = self.expression(after, scope, depth - 1).expression
        return Typed(syntax.Binary(self.draw(st.sampled_from(operators)), left, right), type)


def _type_of(schema: Schema, expression: syntax.TypeExpression) -> Type:
    """The type that a type expression of `type_expression` stands for."""
    match expression:
        case syntax.TypeName(name):
            if name in schema.enums:
                return schema.enums[name]
            if name in schema.entities:
                return entity_type(schema.entities[name].concrete, name)
            return next(type for type in PRIMITIVE_TYPES if type.name == name)
        case syntax.UnionType(options):
            return entity_type({option.name for option in options})
        case syntax.SetType(element):
            return SetOf(_type_of(schema, element))
        case syntax.OptionalType(type=inner):
            return Optional(_type_of(schema, inner))
        case syntax.RecordType(fields):
            found = []
            for item in fields:
                type = _type_of(schema, item.type)
                found.append(RecordField(item.name, present(type), isinstance(type, Optional)))
            return RecordOf(tuple(found))
