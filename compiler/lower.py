"""Checked syntax to the intermediate representation: definitions written out, sugar gone, presence made explicit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from typing import assert_never

from ..lang import syntax
from ..lang.checked import Checked, CheckedProve, CheckedRule, RequestScope
from ..lang.diagnostics import Code, Diagnostic
from ..lang.limits import MAX_EXPANDED_NESTING, MAX_EXPANDED_TERMS
from ..lang.meanings import (
    Actions,
    Constant,
    Defined,
    EmptySet,
    EntityTypes,
    ReadAttribute,
    Reading,
    Tables,
)
from ..lang.schema import ActionDeclaration
from ..lang.source import Span
from ..lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value
from . import ir


def lower(checked: Checked) -> tuple[list[ir.Rule], list[Diagnostic]]:
    """Every rule of a checked policy set; a rule that grows too large when written out is a diagnostic."""
    rules, problems = [], []
    for rule in checked.rules:
        try:
            rules.append(_rule(checked.tables, rule))
        except _TooLarge as too_large:
            problems.append(_too_large(rule.rule.name, rule.rule.name_span, too_large))
    return rules, problems


def lower_expression(tables: Tables, expression: syntax.Expression) -> ir.Term:
    """A checked expression without definitions, which is as large as it is written."""
    return _Lowering(tables, is_limited=False).value(expression)


def lower_claim(tables: Tables, checked: CheckedProve) -> tuple[ir.Rule, list[Diagnostic]]:
    """A claim as a rule that never decides: its scope and conditions, and what it claims to hold as its need."""
    prove = checked.prove
    needs: list[ir.Need] = []
    condition: ir.Term = ir.FALSE
    problems: list[Diagnostic] = []
    lowering = _Lowering(tables)
    try:
        # A claim that no kind of request fits has no checked parts.
        for clause in prove.clauses if checked.environments else ():
            if isinstance(clause, syntax.PermittedOnlyIf | syntax.HeldUnless):
                value = lowering.value(clause.condition)
                needs.append(ir.Need(value, _said(clause.condition), span=clause.condition.span))
        condition = lowering.conditions(prove.clauses) if checked.environments else ir.FALSE
    except _TooLarge as too_large:
        problems.append(_too_large(prove.name, prove.name_span, too_large))
    scope = _lower_scope(checked)
    return (
        ir.Rule(prove.name, syntax.Effect.FORBID, scope, condition, tuple(needs), span=prove.span),
        problems,
    )


def lower_scope(scope: RequestScope) -> ir.Scope:
    principal, resource = scope.principal, scope.resource
    return ir.Scope(
        ir.VariableScope(principal.types, principal.ancestors, principal.entities),
        scope.actions,
        ir.VariableScope(resource.types, resource.ancestors, resource.entities),
    )


class _TooLarge(Exception):
    """A rule outgrew the limit; never leaves this module."""


def lower_invariant(tables: Tables, checked: CheckedProve) -> tuple[str, ir.Term] | None:
    """The name and the condition of `always exists`; `None` for any other claim."""
    for clause in checked.prove.clauses:
        if isinstance(clause, syntax.AlwaysExists):
            name = clause.binder.name
            bound = _Argument(_Written(ir.Variable(name, span=clause.binder.span), 1, 1))
            lowering = _Lowering(tables, {name: bound}, is_limited=False)
            return name, lowering.value(clause.condition)
    return None


def lower_effects(tables: Tables, action: ActionDeclaration) -> list[tuple[ir.Attribute, ir.Term]]:
    """What an action that is carried out changes: attributes, and their values after it."""
    effects = []
    for assignment in action.effects:
        target = lower_expression(tables, assignment.target)
        if isinstance(target, ir.Attribute):
            effects.append((target, lower_expression(tables, assignment.value)))
    return effects


def _too_large(name: str, span: Span, too_large: _TooLarge) -> Diagnostic:
    message = f"`{name}` {too_large} once its definitions are written out"
    return Diagnostic(Code.EXPANSION_TOO_LARGE, message, span, "use fewer nested definitions")


def _rule(tables: Tables, checked: CheckedRule) -> ir.Rule:
    rule = checked.rule
    lowering = _Lowering(tables)
    condition = lowering.conditions(rule.clauses) if checked.environments else ir.FALSE
    needs: list[ir.Need] = []
    messages: dict[type, ir.Template] = {}
    # A rule that no kind of request fits has no checked parts.
    for clause in rule.clauses if checked.environments else ():
        match clause:
            case syntax.Need(need, message):
                text = lowering.template(message) if message else _said(need)
                needs.append(ir.Need(lowering.value(need), text, span=clause.span))
            case syntax.Because(message) | syntax.Instead(message):
                messages[type(clause)] = lowering.template(message)
            case _:
                pass
    return ir.Rule(
        rule.name,
        rule.effect,
        _lower_scope(checked),
        condition,
        tuple(needs),
        messages.get(syntax.Because),
        messages.get(syntax.Instead),
        annotations=tuple((item.name, item.value) for item in rule.annotations),
        span=rule.span,
    )


def _lower_scope(checked: CheckedRule | CheckedProve) -> ir.Scope:
    """The scope of a rule or a claim, with only the types that some kind of request has."""
    scope = lower_scope(checked.scope)
    return ir.Scope(
        replace(scope.principal, types=frozenset(item.principal for item in checked.environments)),
        frozenset(item.action for item in checked.environments),
        replace(scope.resource, types=frozenset(item.resource for item in checked.environments)),
    )


def _said(expression: syntax.Expression) -> ir.Template:
    """A need without a message is told in its own words."""
    return ir.Template((" ".join(expression.span.text.split()),), span=expression.span)


@dataclass(frozen=True, slots=True)
class _Written:
    """A term with its number of terms and its depth; it counts again wherever it is used."""

    term: ir.Term
    size: int
    height: int


@dataclass(slots=True)
class _Argument:
    """What a parameter stands for where its definition is written out, or a bound name for an element."""

    value: _Written
    expression: syntax.Expression | None = None
    names: "_Names" = field(default_factory=dict)
    """The names that the expression may use."""
    call: Span | None = None
    """The call in whose definition the expression stands."""
    present: _Written | None = None
    """Whether the value is there, once something has asked."""


_Names = dict[str, _Argument]


@dataclass(slots=True)
class _Lowering:
    """Lowers the expressions of one rule. `names` maps parameters and bound names to what they stand for."""

    tables: Tables
    names: _Names = field(default_factory=dict)
    call: Span | None = None
    """The call whose definition is being written out."""
    arguments: dict[tuple[int, int], tuple[_Names, _Names]] = field(default_factory=dict)
    """The names inside each call by the call and the names around it, which must stay alive."""
    size: int = 0
    height: int = 0
    deepest: int = 0
    binders: int = 0
    is_limited: bool = True

    def conditions(self, clauses: Iterable[syntax.Node]) -> ir.Term:
        whens = [self.value(item.condition) for item in clauses if isinstance(item, syntax.When)]
        unlesses = [
            ir.Not(self.value(item.condition), span=item.span)
            for item in clauses
            if isinstance(item, syntax.Unless)
        ]
        return _and([*whens, *unlesses])

    def _place(self, span: Span) -> Span:
        return span if self.call is None else Span(span.fragment, span.start, span.end, self.call)

    def template(self, template: syntax.Template) -> ir.Template:
        parts = tuple(
            part if isinstance(part, str) else self.value(part) for part in template.parts
        )
        return ir.Template(parts, span=template.span)

    # Size

    def _count(self, size: int, height: int) -> None:
        """Adds terms that reach `height` levels below this place."""
        self.size += size
        self.deepest = max(self.deepest, self.height + height)
        if not self.is_limited:
            return
        if self.size > MAX_EXPANDED_TERMS:
            raise _TooLarge(f"has more than {MAX_EXPANDED_TERMS:,} terms")
        if self.deepest > MAX_EXPANDED_NESTING:
            raise _TooLarge(f"is nested deeper than {MAX_EXPANDED_NESTING} levels")

    def _write(
        self, lower: "_Lower", node: syntax.Expression, names: _Names, call: Span | None
    ) -> _Written:
        """Lowers an expression under other names, and measures what comes of it."""
        outer, size, deepest = (self.names, self.call), self.size, self.deepest
        self.names, self.call, self.deepest = names, call, self.height
        try:
            term = lower(node)
            written = _Written(term, self.size - size, self.deepest - self.height)
        finally:
            (self.names, self.call), self.size, self.deepest = outer, size, deepest
        return written

    def _use(self, written: _Written) -> ir.Term:
        self._count(written.size, written.height)
        return written.term

    # Presence

    def present(self, node: syntax.Expression) -> ir.Term:
        """Whether the value of an expression of optional type is there."""
        self._count(0, 1)
        self.height += 1
        try:
            return self._present(node)
        finally:
            self.height -= 1

    def _present(self, node: syntax.Expression) -> ir.Term:
        match node:
            case syntax.Name(name) if name in self.names:
                argument = self.names[name]
                if argument.present is None and argument.expression is not None:
                    argument.present = self._write(
                        self.present, argument.expression, argument.names, argument.call
                    )
                return ir.TRUE if argument.present is None else self._use(argument.present)
            case syntax.Access(base, name):
                meaning = self.tables.meanings.get(id(node))
                before = self.present(base)
                if isinstance(meaning, ReadAttribute) and meaning.optional:
                    has = ir.Has(self.value(base), name, span=self._place(node.span))
                    return _and([before, has])
                return before
            case syntax.Binary("??", left, right):
                return _or([self.present(left), self.present(right)])
            case syntax.Conditional(condition, then, otherwise):
                return _if(self.value(condition), self.present(then), self.present(otherwise))
            case syntax.MethodCall(base, "min" | "max"):
                empty = ir.Equal(ir.Size(self.value(base)), ir.Integer(0))
                return ir.Not(empty, span=self._place(node.span))
            case syntax.Call() if isinstance(self.tables.meanings.get(id(node)), Defined):
                return self._call(node, self.present)
            case _:
                return ir.TRUE

    # Values

    def value(self, node: syntax.Expression) -> ir.Term:
        if isinstance(node, syntax.Name) and node.name in self.names:
            return self._use(self.names[node.name].value)
        self._count(0 if isinstance(node, syntax.Call) else 1, 1)
        self.height += 1
        try:
            return self._value(node)
        finally:
            self.height -= 1

    def _value(self, node: syntax.Expression) -> ir.Term:
        meaning = self.tables.meanings.get(id(node))
        if isinstance(meaning, Constant):
            return literal(meaning.value, self._place(node.span))
        span = self._place(node.span)
        match node:
            case syntax.RequestVariable(name):
                return ir.Variable(name, span=span)
            case syntax.Name(name):
                assert isinstance(meaning, Actions), name
                return self._actions(meaning, span)
            case syntax.Boolean(value):
                return ir.Boolean(value, span=span)
            case syntax.Integer(value):
                return ir.Integer(value, span=span)
            case syntax.DecimalNumber(value):
                return ir.Decimal(value, span=span)
            case syntax.String(value):
                return ir.String(value, span=span)
            case syntax.TimeSpan(value):
                return ir.Duration(value, span=span)
            case syntax.Access(base, name):
                if isinstance(meaning, Actions):
                    return self._actions(meaning, span)
                if isinstance(meaning, Reading):
                    return ir.Size(self.value(base), span=span)
                return ir.Attribute(self.value(base), name, span=span)
            case syntax.Has(base, path):
                return self._has(base, path, span)
            case syntax.Is(base):
                assert isinstance(meaning, EntityTypes)
                return ir.IsType(self.value(base), meaning.types, span=span)
            case syntax.Like(base, pattern):
                return ir.Like(self.value(base), pattern, span=span)
            case syntax.Unary(operator, operand):
                kind = ir.Not if operator == "not" else ir.Negate
                return kind(self.value(operand), span=span)
            case syntax.Binary("??", left, right):
                return _if(self.present(left), self.value(left), self.value(right), span)
            case syntax.Binary():
                return self._binary(node, meaning)
            case syntax.And(operands):
                return _and([self.value(operand) for operand in operands], span)
            case syntax.Or(operands):
                return _or([self.value(operand) for operand in operands], span)
            case syntax.Conditional(condition, then, otherwise):
                return _if(self.value(condition), self.value(then), self.value(otherwise), span)
            case syntax.SetLiteral(elements):
                return ir.SetOf(tuple(self.value(element) for element in elements), span=span)
            case syntax.RecordLiteral(fields):
                if isinstance(meaning, EmptySet):
                    return ir.SetOf((), span=span)
                lowered = [(item.name, self.value(item.value)) for item in fields]
                lowered.sort(key=lambda field: field[0])
                return ir.RecordOf(tuple(lowered), span=span)
            case syntax.Call():
                return self._call(node, self.value)
            case syntax.MethodCall():
                return self._method(node)
            case syntax.EntityReference() | syntax.Lambda():
                raise AssertionError(f"{node!r} is a constant, or lowered with its method")
            case _:
                assert_never(node)

    def _actions(self, meaning: Actions, span: Span) -> ir.Term:
        entities = tuple(
            ir.Entity(EntityId(ir.ACTION_TYPE, name), span=span) for name in sorted(meaning.names)
        )
        return entities[0] if len(entities) == 1 else ir.SetOf(entities, span=span)

    def _has(self, base: syntax.Expression, path: tuple[str, ...], span: Span) -> ir.Term:
        steps: list[ir.Term] = []
        current = self.value(base)
        for step in path:
            steps.append(ir.Has(current, step, span=span))
            current = ir.Attribute(current, step, span=span)
        return _and(steps, span)

    def _binary(self, node: syntax.Binary, meaning: object) -> ir.Term:
        reading = meaning.name if isinstance(meaning, Reading) else ""
        left, right = self.value(node.left), self.value(node.right)
        return BINARY[node.operator, reading](left, right, self._place(node.span))

    def _call(self, node: syntax.Call, lower: "_Lower") -> ir.Term:
        """The body of a definition with its arguments in place of its parameters."""
        meaning = self.tables.meanings.get(id(node))
        assert isinstance(meaning, Defined)
        define = meaning.declaration
        key = id(node), id(self.names)
        if key not in self.arguments:
            inner = {
                parameter.name: self._argument(argument)
                for parameter, argument in zip(define.parameters, node.arguments, strict=True)
            }
            self.arguments[key] = self.names, inner
        call = self._place(node.span)
        outer = self.names, self.call
        self.names, self.call = self.arguments[key][1], call
        try:
            if not isinstance(define.body, syntax.Table):
                result = lower(define.body)
            else:
                result = lower(define.body.otherwise)
                for row in reversed(define.body.rows):
                    place = self._place(row.span)
                    result = _if(self.value(row.condition), lower(row.value), result, place)
        finally:
            self.names, self.call = outer
        # What is told of a condition is then told in the words of the rule.
        return replace(result, span=call) if isinstance(result, _CONDITIONS) else result

    def _argument(self, node: syntax.Expression) -> _Argument:
        if isinstance(node, syntax.Name) and node.name in self.names:
            return self.names[node.name]
        value = self._write(self.value, node, self.names, self.call)
        return _Argument(value, node, self.names, self.call)

    def _method(self, node: syntax.MethodCall) -> ir.Term:
        function = node.arguments[0]
        assert isinstance(function, syntax.Lambda)
        base = self.value(node.base)
        self.binders += 1
        name = f"{function.parameter}#{self.binders}"
        element = _Written(ir.Variable(name, span=self._place(function.span)), 1, 0)
        saved = self.names
        self.names = {**saved, function.parameter: _Argument(element)}
        body = self.value(function.body)
        self.names = saved
        meaning = self.tables.meanings.get(id(node))
        reading = meaning.name if isinstance(meaning, Reading) else ""
        return METHODS[node.method](name, base, body, reading, self._place(node.span))


_CONDITIONS = (
    *(ir.Not, ir.And, ir.Or, ir.Equal, ir.Less, ir.LessOrEqual, ir.Has, ir.InHierarchy, ir.IsType),
    *(ir.Like, ir.InRange, ir.Member, ir.Subset, ir.Any, ir.All, ir.If),
)
"""Terms that no reading fails at, so that their span is for telling only."""

_Lower = Callable[[syntax.Expression], ir.Term]
Build = Callable[[ir.Term, ir.Term, Span], ir.Term]


def _node(kind: Callable[..., ir.Term]) -> Build:
    return lambda left, right, span: kind(left, right, span=span)


def _swapped(kind: Callable[..., ir.Term]) -> Build:
    return lambda left, right, span: kind(right, left, span=span)


def _not_equal(left: ir.Term, right: ir.Term, span: Span) -> ir.Term:
    return ir.Not(ir.Equal(left, right, span=span), span=span)


def _action_in(left: ir.Term, right: ir.Term, span: Span) -> ir.Term:
    elements: list[ir.Term] = []
    for item in right.elements if isinstance(right, ir.SetOf) else (right,):
        elements += item.elements if isinstance(item, ir.SetOf) else (item,)
    return ir.Member(left, ir.SetOf(tuple(elements), span=span), span=span)


def _in_any(left: ir.Term, right: ir.Term, span: Span) -> ir.Term:
    name = "ancestor#"
    return ir.Any(name, right, ir.InHierarchy(left, ir.Variable(name), span=span), span=span)


def _glob(before: str, after: str) -> Build:
    def build(left: ir.Term, right: ir.Term, span: Span) -> ir.Term:
        assert isinstance(right, ir.String)
        pieces = [""] if before else []
        pieces += [right.value]
        pieces += [""] if after else []
        return ir.Like(left, tuple(pieces), span=span)

    return build


BINARY: dict[tuple[str, str], Build] = {
    ("==", ""): _node(ir.Equal),
    ("==", "action"): _node(ir.Equal),
    ("!=", ""): _not_equal,
    ("!=", "action"): _not_equal,
    ("<", ""): _node(ir.Less),
    ("<=", ""): _node(ir.LessOrEqual),
    (">", ""): _swapped(ir.Less),
    (">=", ""): _swapped(ir.LessOrEqual),
    ("+", ""): _node(ir.Add),
    ("-", ""): _node(ir.Subtract),
    ("*", ""): _node(ir.Multiply),
    ("in", "hierarchy"): _node(ir.InHierarchy),
    ("in", "hierarchy_any"): _in_any,
    ("in", "member"): _node(ir.Member),
    ("in", "ip_range"): _node(ir.InRange),
    ("in", "action"): _action_in,
    ("contains", "text"): _glob("*", "*"),
    ("contains", "member"): _swapped(ir.Member),
    ("starts_with", ""): _glob("", "*"),
    ("ends_with", ""): _glob("*", ""),
    ("subset_of", ""): _node(ir.Subset),
    ("union", ""): _node(ir.Union),
    ("intersect", ""): _node(ir.Intersect),
    ("minus", ""): _node(ir.Minus),
}
"""`(operator, reading)` → how it is built; a test holds this table against `lang/functions.py`."""


def _quantifier(kind: Callable[..., ir.Term]) -> "Method":
    return lambda name, base, body, reading, span: kind(name, base, body, span=span)


def _none(name: str, base: ir.Term, body: ir.Term, reading: str, span: Span) -> ir.Term:
    return ir.Not(ir.Any(name, base, body, span=span), span=span)


def _sum(name: str, base: ir.Term, body: ir.Term, reading: str, span: Span) -> ir.Term:
    return ir.Sum(name, base, body, ZEROS[reading], span=span)


ZEROS: dict[str, ir.Literal] = {
    "Int": ir.Integer(0),
    "Decimal": ir.Decimal(Decimal(0)),
    "Duration": ir.Duration(Duration(0)),
}
"""What the sum over no elements is, by the reading of `sum`."""

Method = Callable[[str, ir.Term, ir.Term, str, Span], ir.Term]
METHODS: dict[str, Method] = {
    "any": _quantifier(ir.Any),
    "all": _quantifier(ir.All),
    "none": _none,
    "count": _quantifier(ir.Count),
    "sum": _sum,
    "min": _quantifier(ir.Least),
    "max": _quantifier(ir.Greatest),
    "where": _quantifier(ir.Where),
    "distinct": _quantifier(ir.Distinct),
}


def literal(value: Value, span: Span) -> ir.Term:
    """A value as a term."""
    match value:
        case bool():
            return ir.Boolean(value, span=span)
        case int():
            return ir.Integer(value, span=span)
        case Decimal():
            return ir.Decimal(value, span=span)
        case str():
            return ir.String(value, span=span)
        case Instant():
            return ir.Instant(value, span=span)
        case Duration():
            return ir.Duration(value, span=span)
        case EnumValue():
            return ir.EnumMember(value, span=span)
        case EntityId():
            return ir.Entity(value, span=span)
        case frozenset():
            return ir.SetOf(
                tuple(literal(item, span) for item in sorted(value, key=str)), span=span
            )
        case IPv4Network() | IPv6Network():
            return ir.IpRange(value, span=span)
        case Record():
            fields = tuple((name, literal(item, span)) for name, item in sorted(value.items()))
            return ir.RecordOf(fields, span=span)
        case _:
            assert_never(value)


def _and(operands: list[ir.Term], span: Span | None = None) -> ir.Term:
    needed = [operand for operand in operands if operand != ir.TRUE]
    if not needed:
        return ir.TRUE
    return needed[0] if len(needed) == 1 else ir.And(tuple(needed), span=span or needed[0].span)


def _or(operands: list[ir.Term], span: Span | None = None) -> ir.Term:
    if ir.TRUE in operands[:1]:
        return ir.TRUE
    return ir.Or(tuple(operands), span=span or operands[0].span)


def _if(condition: ir.Term, then: ir.Term, otherwise: ir.Term, span: Span | None = None) -> ir.Term:
    if condition == ir.TRUE or then == otherwise == ir.TRUE:
        return then
    return ir.If(condition, then, otherwise, span=span or condition.span)
