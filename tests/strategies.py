"""Random schemas, policies and requests: well typed by construction, small, and rich in edge cases.

`worlds()` draws a schema, `policy_sets(world)` rules that check against it, `requests(world)` and `stores(world)` the
JSON that a gate reads. Policies and data take their constants from the same small pools, so that rules really apply.
Everything is drawn as syntax, printed, and loaded again: `World.schema` and `Sample.compile` go through the front door.

A draw that a back end disagrees on is shrunk by Hypothesis to few, short rules; `note(sample.text)` shows them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from interlock.compiler import compile_policies
from interlock.compiler.ir import PolicySet
from interlock.lang import syntax
from interlock.lang.checked import Checked
from interlock.lang.diagnostics import Code, Diagnostic, Severity
from interlock.lang.facts import NOTHING, Facts, Path, in_either
from interlock.lang.loader import load_texts
from interlock.lang.printer import print_declarations
from interlock.lang.schema import Environment, Schema
from interlock.lang.typesystem import (
    ACTION,
    BOOL,
    DECIMAL,
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
    join,
    present,
)
from interlock.lang.values import Decimal, Duration

Json = Any

# What policies and data have in common

IDS = ("a", "b")
STRINGS = ("", "prod", "prod-1", "backup 𝄞", "a*b", 'say "hi" \\ {now}', "\u00a0\t")
PATTERNS = (("prod",), ("prod", ""), ("", "-1"), ("", ""), ("a*b",), ("", "o", ""), ("p", "", "1"))
INTEGERS = (0, 1, 2, 3, 100, 12_345, 10**30)
DECIMALS = tuple(map(Decimal, (0, 1, 5_000, 10_000, 15_000, 1_000_000)))
DURATIONS = tuple(map(Duration, (0, 1, 1_000_000_000, 3_600_000_000_000, 90_061_000_000_000)))
INSTANTS = ("2026-01-01T00:00:00Z", "2024-02-29T23:59:59.5Z", "2026-01-01T02:00:00+02:00")
RANGES = ("10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::1")
PRIMITIVE_TYPES = (BOOL, INT, DECIMAL, STRING, INSTANT, DURATION, IP_RANGE)


# Worlds


@dataclass(frozen=True)
class World:
    """A schema as it is written and as it was read."""

    declarations: tuple[syntax.Declaration, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    @property
    def text(self) -> str:
        return print_declarations(self.declarations)

    @property
    def schema(self) -> Schema:
        return _schema(self.text)


@lru_cache(64)
def _schema(text: str) -> Schema:
    checked, problems = load_texts({"world.ilk": text})
    assert not errors(problems), (text, list(map(str, problems)))
    return checked.schema


def errors(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors but the one that a policy set without rules gets, which compiles and denies everything."""
    return [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and problem.code is not Code.NO_RULES
    ]


ENUMS = {"Level": ("low", "middle", "high"), "Color": ("red", "green", "low")}
ABSTRACT = {"Actor": ("User", "Bot"), "Asset": ("File", "Disk")}
CONCRETE = ("User", "Bot", "File", "Disk", "Folder")
INHERITED_FIELDS = ("owner", "when")
OWN_FIELDS = ("a", "b", "c", "tags")
CONTEXT_FIELDS = ("now", "n", "items")
GROUPS = ("risky", "edit")
ACTIONS = ("read", "write", "drop")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Enums, entities with a hierarchy and abstract ones, an alias, and actions in groups with contexts."""
    items: list[syntax.Declaration] = []
    for name, members in ENUMS.items():
        count = draw(st.integers(1, len(members)))
        chosen = tuple(syntax.EnumMember(member) for member in members[:count])
        items.append(syntax.Enum(name, name == "Level" or draw(st.booleans()), chosen))
    above: dict[str, str] = {}
    for name, below in ABSTRACT.items():
        if draw(st.booleans()):
            above[below[0]] = name
            if draw(st.booleans()):
                above[below[1]] = name
    types = (*sorted(set(above.values())), *CONCRETE)
    alias = syntax.TypeAlias("Item", _record(draw, OWN_FIELDS[:2], _leaf_types(types), 1))
    items.append(alias)
    known = _field_types(types)
    for name in types:
        abstract = name in ABSTRACT
        fields = _record(draw, INHERITED_FIELDS if abstract else OWN_FIELDS, known, 0).fields
        parents = draw(_some(types, 0, 2))
        extends = syntax.Reference(above[name]) if name in above else None
        items.append(
            syntax.Entity(name, abstract, extends, tuple(map(syntax.Reference, parents)), fields)
        )
    items.append(syntax.ActionGroup((syntax.Reference("risky"),), ()))
    inside = (syntax.Reference("risky"),) if draw(st.booleans()) else ()
    items.append(syntax.ActionGroup((syntax.Reference("edit"),), inside))
    for names in draw(st.sampled_from(((ACTIONS,), (ACTIONS[:1], ACTIONS[1:])))):
        items.append(
            syntax.Action(
                tuple(map(syntax.Reference, names)),
                tuple(map(syntax.Reference, draw(_some(GROUPS, 0, 1)))),
                tuple(map(syntax.Reference, draw(_some(types, 1, 2)))),
                tuple(map(syntax.Reference, draw(_some(types, 1, 3)))),
                _record(draw, CONTEXT_FIELDS, known, 1),
            )
        )
    return World(tuple(items))


def _some(names: Sequence[str], least: int, most: int) -> st.SearchStrategy[list[str]]:
    return _some_of(tuple(names), least, most)


@lru_cache(256)
def _some_of(names: tuple[str, ...], least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=least, max_size=most, unique=True)


def _record(
    draw: st.DrawFn,
    names: Sequence[str],
    types: st.SearchStrategy[syntax.TypeExpression],
    least: int,
) -> syntax.RecordType:
    fields = []
    for name in draw(_some(names, least, len(names))):
        type = draw(types)
        fields.append(
            syntax.Field(name, syntax.OptionalType(type) if draw(st.booleans()) else type)
        )
    return syntax.RecordType(tuple(fields))


@lru_cache(256)
def _leaf_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    primitives = [syntax.TypeName(type.name) for type in PRIMITIVE_TYPES]
    names = [syntax.TypeName(name) for name in (*ENUMS, *types)]
    union = syntax.UnionType((syntax.TypeName("User"), syntax.TypeName("Folder")))
    return st.sampled_from([*primitives, *names, union])


@lru_cache(256)
def _field_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    return st.one_of(_leaf_types(types), _nested_types(types))


@lru_cache(256)
def _nested_types(types: tuple[str, ...]) -> st.SearchStrategy[syntax.TypeExpression]:
    leaf = _leaf_types(types)
    item = st.just(syntax.TypeName("Item"))
    record = st.builds(
        lambda a, b: syntax.RecordType(
            (syntax.Field("a", a), syntax.Field("b", syntax.OptionalType(b)))
        ),
        leaf,
        leaf,
    )
    sets = st.builds(syntax.SetType, st.one_of(leaf, item, record))
    return st.one_of(item, record, sets, sets, st.builds(syntax.SetType, sets))


def type_expression(type: Type) -> syntax.TypeExpression:
    """A type as a policy writes it."""
    match type:
        case Primitive(name) | EnumType(name):
            return syntax.TypeName(name)
        case EntityType(types):
            names = tuple(map(syntax.TypeName, sorted(types)))
            return names[0] if len(names) == 1 else syntax.UnionType(names)
        case SetOf(element):
            return syntax.SetType(type_expression(element))
        case Optional(inner):
            return syntax.OptionalType(type_expression(inner))
        case RecordOf(fields):
            return syntax.RecordType(
                tuple(
                    syntax.Field(
                        item.name,
                        type_expression(Optional(item.type) if item.optional else item.type),
                    )
                    for item in fields
                )
            )


# What an expression can read


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


# Expressions


@st.composite
def expressions(
    draw: st.DrawFn,
    schema: Schema,
    variables: Mapping[str, Type],
    type: Type,
    defines: tuple[syntax.Define, ...] = (),
) -> syntax.Expression:
    """An expression of the type where the place says which type it wants, as after `when` or in a call."""
    writer = _Writer(draw, schema, defines)
    return writer.expression(type, Scope(variables), 4, hinted=True).expression


_Forms = tuple[tuple[Type, str, Type], ...]
"""What stands left of an operator, which operators, and what stands right of it."""


@dataclass(slots=True)
class _Writer:
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
            options += [lambda: self._read(reads)] * 3
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
            common = _joined(common, other.type)
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

    def _read(self, found: list[Readable]) -> Typed:
        chosen = self.draw(st.sampled_from(found))
        return Typed(chosen.expression, chosen.type)

    # Any type

    def _maybe_absent(self, type: Optional, scope: Scope, depth: int) -> Typed:
        """What a parameter of optional type takes."""
        found = [item for item in self.readables(scope) if is_subtype(item.type, type.type)]
        absent = [item for item in found if item.optional and not item.base_optional]
        if absent and self.coin():
            chosen = self._read(absent)
            return Typed(chosen.expression, Optional(chosen.type))
        return self.expression(type.type, scope, depth - 1, hinted=True)

    def _fallback(self, absent: list[Readable], type: Type, scope: Scope, depth: int) -> Typed:
        left = self._read(absent)
        expression, common = left.expression, left.type
        simple = [item for item in absent if not item.base_optional and item.type == common]
        if simple and self.coin():
            # Two more ways in which the left side may be absent: a chain of `??`, and a branch of an `if`.
            other = self._read(simple)
            first = self._read(simple)
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
        return Typed(syntax.Binary("??", expression, right.expression), _joined(common, right.type))

    def _conditional(self, type: Type, scope: Scope, depth: int, hinted: bool) -> Typed:
        guard = self.guard(scope, depth - 1)
        then = self.expression(type, scope.knowing(guard.holds), depth - 1, hinted)
        wanted = type if isinstance(type, EntityType) else then.type
        otherwise = self.expression(wanted, scope.knowing(guard.fails), depth - 1, hinted)
        return Typed(
            syntax.Conditional(guard.expression, then.expression, otherwise.expression),
            _joined(then.type, otherwise.type),
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
        return Typed(syntax.Binary("??", access, right.expression), _joined(found.type, right.type))

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
        return Typed(syntax.Binary("??", call, right.expression), _joined(result.type, right.type))

    def _result(self, define: syntax.Define) -> Type:
        return _type_of(self.schema, define.result)

    # Conditions

    def _logic(self, scope: Scope, depth: int) -> Typed:
        kind = self.draw(st.sampled_from(("not", "and", "or")))
        if kind == "not":
            return _not(self.expression(BOOL, scope, depth - 1))
        operands: list[Typed] = []
        for _ in range(self.draw(st.integers(2, 3))):
            operands.append(self.expression(BOOL, scope, depth - 1))
            scope = scope.knowing(operands[-1].holds if kind == "and" else operands[-1].fails)
        return _every(operands) if kind == "and" else _either(operands)

    def _guarded(self, scope: Scope, depth: int) -> Typed:
        """A guard and what it guards, once with `and` and once with `or`."""
        guard = self.guard(scope, depth - 1)
        if self.coin():
            inside = self.expression(BOOL, scope.knowing(guard.holds), depth - 1)
            return _every((guard, inside))
        inside = self.expression(BOOL, scope.knowing(guard.fails), depth - 1)
        return _either((guard, inside))

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
                return _not(guard)
            case "and":
                return _every((guard, self.expression(BOOL, scope.knowing(guard.holds), depth - 2)))
            case "or":
                return _either(
                    (guard, self.expression(BOOL, scope.knowing(guard.fails), depth - 2))
                )
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
            size = syntax.Access(self._read(absent).expression, "size")
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
            _joined(left.type, right.type),
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


def _not(operand: Typed) -> Typed:
    return Typed(syntax.Unary("not", operand.expression), BOOL, operand.fails, operand.holds)


def _every(operands: Sequence[Typed]) -> Typed:
    holds = NOTHING.union(*(item.holds for item in operands))
    fails = in_either([item.fails for item in operands])
    return Typed(syntax.And(tuple(item.expression for item in operands)), BOOL, holds, fails)


def _either(operands: Sequence[Typed]) -> Typed:
    holds = in_either([item.holds for item in operands])
    fails = NOTHING.union(*(item.fails for item in operands))
    return Typed(syntax.Or(tuple(item.expression for item in operands)), BOOL, holds, fails)


def _joined(left: Type, right: Type) -> Type:
    common = join(left, right)
    assert common is not None, (left, right)
    return common


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


# Policies


@dataclass(frozen=True)
class Sample:
    """A policy set that checks, with the schema it is written against."""

    world: World
    declarations: tuple[syntax.Declaration, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text)

    @property
    def text(self) -> str:
        return print_declarations((*self.world.declarations, *self.declarations))

    @property
    def rules(self) -> tuple[syntax.Rule, ...]:
        return tuple(item for item in self.declarations if isinstance(item, syntax.Rule))

    def with_rules(self, *rules: syntax.Rule) -> "Sample":
        """The same definitions with other rules."""
        kept = (item for item in self.declarations if not isinstance(item, syntax.Rule))
        return Sample(self.world, (*kept, *rules))

    def compile(self) -> PolicySet:
        return compile_text(self.text)


def check_text(text: str) -> Checked:
    """A text that has no errors, as the checker leaves it."""
    checked, problems = load_texts({"sample.ilk": text})
    assert not errors(problems), "\n".join([text, *map(str, problems)])
    return checked


def compile_text(text: str) -> PolicySet:
    policies, problems = compile_policies(check_text(text))
    assert not errors(problems), "\n".join([text, *map(str, problems)])
    return policies


@st.composite
def policy_sets(draw: st.DrawFn, world: World, least: int = 0, most: int = 4) -> Sample:
    """Up to two definitions and some rules; `rule_0`, `rule_1` … name them."""
    defines: list[syntax.Define] = []
    for number in range(draw(st.integers(0, 2))):
        defines.append(draw(definitions(world.schema, f"define_{number}", tuple(defines))))
    count = draw(st.sampled_from(range(most, least - 1, -1)))
    items: list[syntax.Declaration] = [*defines]
    for number in range(count):
        items.append(draw(rules(world.schema, f"rule_{number}", tuple(defines))))
    return Sample(world, tuple(items))


@st.composite
def definitions(
    draw: st.DrawFn, schema: Schema, name: str, defines: tuple[syntax.Define, ...] = ()
) -> syntax.Define:
    """A function of values such as requests have; sometimes a table, sometimes of optional type."""
    environments = list(schema.environments())
    world = Scope(_request_variables(schema, environments)) if environments else Scope({})
    writer = _Writer(draw, schema, defines, budget=15)
    parameters: dict[str, Type] = {}
    for number in range(draw(st.integers(0, 2))):
        type = writer.some_type(world)
        parameters[f"p{number}"] = Optional(type) if draw(st.booleans()) else type
    scope = Scope(parameters)
    result = (
        draw(st.sampled_from((BOOL, BOOL, INT))) if draw(st.booleans()) else writer.some_type(world)
    )
    wanted: Type = Optional(result) if draw(st.booleans()) else result
    body: syntax.Expression | syntax.Table
    if draw(st.booleans()):
        body = writer.expression(wanted, scope, 3, hinted=True).expression
    else:
        rows = []
        for _ in range(draw(st.integers(1, 2))):
            guard = writer.guard(scope, 2)
            value = writer.expression(wanted, scope.knowing(guard.holds), 2, hinted=True).expression
            rows.append(syntax.Row(value, guard.expression))
            scope = scope.knowing(guard.fails)
        body = syntax.Table(
            tuple(rows), writer.expression(wanted, scope, 2, hinted=True).expression
        )
    return syntax.Define(
        name,
        tuple(syntax.Parameter(item, type_expression(type)) for item, type in parameters.items()),
        type_expression(wanted),
        body,
    )


_CONDITIONS: tuple[tuple[type[syntax.When] | type[syntax.Unless], ...], ...] = (
    (),
    (syntax.When,),
    (syntax.Unless,),
    (syntax.When, syntax.When),
    (syntax.When, syntax.Unless),
)
"""The checker reads every `when` before any `unless`, whatever their order, and so does who writes them here."""


@st.composite
def rules(
    draw: st.DrawFn,
    schema: Schema,
    name: str,
    defines: tuple[syntax.Define, ...] = (),
    effect: syntax.Effect | None = None,
) -> syntax.Rule:
    """A rule whose scope some kind of request fits, unless the schema admits none."""
    effect = effect or draw(
        st.sampled_from((syntax.Effect.PERMIT, syntax.Effect.FORBID, syntax.Effect.REQUIRE))
    )
    clauses, environments = _scope_clauses(draw, schema)
    writer = _Writer(draw, schema, defines)
    scope = Scope(_request_variables(schema, environments))
    kinds = draw(st.sampled_from(_CONDITIONS)) if environments else ()
    for kind in kinds:
        guard = writer.guard(scope, 4)
        clauses.append(kind(guard.expression))
        scope = scope.knowing(guard.holds if kind is syntax.When else guard.fails)
    if effect is syntax.Effect.REQUIRE:
        for _ in range(draw(st.integers(1, 2))):
            need = writer.expression(BOOL, scope, 3) if environments else writer.literal(BOOL)
            message = _template(writer, scope) if draw(st.booleans()) else None
            clauses.append(syntax.Need(need.expression, message))
    if draw(st.booleans()):
        clauses.append(syntax.Because(_template(writer, scope)))
    if draw(st.integers(0, 3)) == 0:
        clauses.append(syntax.Instead(_template(writer, scope)))
    return syntax.Rule(effect, name, tuple(clauses))


def _template(writer: _Writer, scope: Scope) -> syntax.Template:
    """A message; its holes hold only what a hole can say, which is no text and no braces."""
    parts: list[str | syntax.Expression] = [writer.draw(st.sampled_from(("why ", "{", "𝄞 \\ ")))]
    reads = [item for item in writer.readables(scope) if not item.optional]
    if reads and writer.coin():
        parts.append(writer._read(reads).expression)
        parts.append("}")
    return syntax.Template(tuple(parts))


def _request_variables(schema: Schema, environments: Sequence[Environment]) -> dict[str, Type]:
    """The variables as a rule sees them that is about all of these kinds of request."""
    if not environments:
        return {}
    return {
        "principal": entity_type({item.principal for item in environments}),
        "action": ACTION,
        "resource": entity_type({item.resource for item in environments}),
        "context": schema.actions[environments[0].action].context,
    }


def _scope_clauses(
    draw: st.DrawFn, schema: Schema
) -> tuple[list[syntax.RuleClause], list[Environment]]:
    """Scope clauses around one kind of request, and every kind that they admit."""
    every = list(schema.environments())
    if not every:
        return [], []
    center = draw(st.sampled_from(every))
    context = schema.actions[center.action].context
    alike = {name for name, action in schema.actions.items() if action.context == context}
    principal, principals = _variable_clause(draw, schema, "principal", center.principal)
    resource, resources = _variable_clause(draw, schema, "resource", center.resource)
    names = {name: {name} for name in alike} | {
        name: set(inside) for name, inside in schema.groups.items() if inside and inside <= alike
    }
    around = sorted(name for name, inside in names.items() if center.action in inside)
    clauses: list[syntax.RuleClause] = [*principal, *resource]
    actions = set(schema.actions)
    if alike != actions or draw(st.booleans()):
        chosen = {draw(st.sampled_from(around)), *draw(_some(sorted(names), 0, 1))}
        actions = set().union(*(names[name] for name in chosen))
        clauses.append(syntax.ActionScope(tuple(map(syntax.Reference, sorted(chosen)))))
    environments = [
        item
        for item in every
        if item.principal in principals and item.resource in resources and item.action in actions
    ]
    return clauses, environments


def _variable_clause(
    draw: st.DrawFn, schema: Schema, variable: str, type: str
) -> tuple[list[syntax.RuleClause], set[str]]:
    """A clause about `principal` or `resource` that admits a type, and every type that it admits."""
    concrete = {name for name, item in schema.entities.items() if not item.abstract}
    kind = draw(st.sampled_from(("any", "any", "types", "types in", "in", "entities")))
    identifier = draw(st.sampled_from(IDS))
    above = sorted(schema.ancestors[type])
    ancestor = draw(st.sampled_from(above))
    ancestors = (syntax.EntityReference(ancestor, identifier),)
    below = {name for name in concrete if ancestor in schema.ancestors[name]}
    if kind == "any":
        return [], concrete
    if kind == "in":
        return [syntax.Scope(variable, (), ancestors, ())], below
    if kind == "entities":
        entities = {type, *draw(_some(sorted(concrete), 0, 1))}
        references = tuple(syntax.EntityReference(name, identifier) for name in sorted(entities))
        return [syntax.Scope(variable, (), (), references)], entities
    names = [name for name, item in sorted(schema.entities.items()) if type in item.concrete]
    chosen = draw(st.sampled_from(names))
    types = set(schema.entities[chosen].concrete)
    reference = (syntax.Reference(chosen),)
    if kind == "types in":
        return [syntax.Scope(variable, reference, ancestors, ())], types & below
    return [syntax.Scope(variable, reference, (), ())], types


# Requests and entities, as JSON


@st.composite
def requests(draw: st.DrawFn, world: World) -> Json:
    """A request that fits the schema; `reject`s where the schema admits none."""
    environments = list(world.schema.environments())
    environment = draw(st.sampled_from(environments)) if environments else None
    if environment is None:
        return {}
    context = world.schema.actions[environment.action].context
    return {
        "principal": {"type": environment.principal, "id": draw(st.sampled_from(IDS))},
        "action": {"type": "Action", "id": environment.action},
        "resource": {"type": environment.resource, "id": draw(st.sampled_from(IDS))},
        "context": draw(json_values(context)),
    }


@st.composite
def stores(draw: st.DrawFn, world: World) -> list[Json]:
    """Every entity that a policy or a request can name, each as the schema wants it."""
    schema = world.schema
    names = [name for name, item in schema.entities.items() if not item.abstract]
    entities = [(name, identifier) for identifier in IDS for name in names]
    found = []
    for number, (name, identifier) in enumerate(entities):
        declaration = schema.entities[name]
        # An entity is only in one further down the list, so that none is in itself.
        above = [item for item in entities[number + 1 :] if item[0] in declaration.parents]
        parents = draw(st.lists(st.sampled_from(above), max_size=2, unique=True)) if above else []
        attributes = RecordOf(tuple(declaration.attributes.values()))
        found.append(
            {
                "uid": {"type": name, "id": identifier},
                "attrs": draw(json_values(attributes)),
                "parents": [{"type": type, "id": id} for type, id in parents],
            }
        )
    return found


@st.composite
def partial_stores(draw: st.DrawFn, world: World) -> list[Json]:
    """Like `stores`, with entities missing, and others that do not fit the schema."""
    found = []
    for item in draw(stores(world)):
        fate = draw(st.sampled_from(("whole", "whole", "missing", "broken")))
        if fate != "missing":
            parts = {"attrs": item["attrs"], "parents": item["parents"]}
            found.append(
                item if fate == "whole" else {"uid": item["uid"], **draw(_broken_parts(parts))}
            )
    return found


def _broken_parts(parts: Json) -> st.SearchStrategy[Json]:
    return broken(parts).filter(lambda found: isinstance(found, dict) and set(found) <= set(parts))


JUNK: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    "",
    "𝄞",
    "\ud800",
    [],
    [[]],
    {},
    {"a": None},
    1.5,
)


@st.composite
def broken(draw: st.DrawFn, document: Json) -> Json:
    """The document with one thing wrong or gone somewhere; it may fit all the same."""
    if isinstance(document, dict) and document and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(document)))
        match draw(st.sampled_from(("inside", "inside", "remove", "unknown"))):
            case "inside":
                return {**document, name: draw(broken(document[name]))}
            case "remove":
                return {key: value for key, value in document.items() if key != name}
            case _:
                return {**document, name + "s": document[name]}
    if isinstance(document, list) and document and draw(st.integers(0, 3)):
        number = draw(st.integers(0, len(document) - 1))
        return [*document[:number], draw(broken(document[number])), *document[number + 1 :]]
    return draw(st.sampled_from(JUNK))


@lru_cache(256)
def json_values(type: Type) -> st.SearchStrategy[Json]:
    """A JSON value of exactly this type."""
    match type:
        case EnumType(members=members):
            return st.sampled_from(members)
        case EntityType(types):
            names = st.sampled_from(sorted(types)) if types else st.nothing()
            return st.builds(lambda name, id: {"type": name, "id": id}, names, st.sampled_from(IDS))
        case SetOf(element):
            return st.lists(json_values(element), max_size=3)
        case RecordOf(fields):
            needed = {item.name: json_values(item.type) for item in fields if not item.optional}
            others = {item.name: json_values(item.type) for item in fields if item.optional}
            return st.fixed_dictionaries(needed, optional=others)
        case Optional(inner):
            return json_values(inner)
        case Primitive():
            return _PRIMITIVES[type]


_PRIMITIVES: dict[Primitive, st.SearchStrategy[Json]] = {
    BOOL: st.booleans(),
    INT: st.sampled_from((*INTEGERS, -1, -100)),
    DECIMAL: st.sampled_from(tuple(map(str, (*DECIMALS, Decimal(-5_000))))),
    STRING: st.sampled_from(STRINGS),
    INSTANT: st.sampled_from(INSTANTS),
    DURATION: st.sampled_from(tuple(map(str, (*DURATIONS, Duration(-1))))),
    IP_RANGE: st.sampled_from(RANGES),
}
"""How each primitive type is written in JSON, from the constants that policies use too."""
