"""A type for every expression, or a diagnostic.

Every expression is checked with what is known to be present at its place, so an optional value is read only where
a guard stands before it. The rules for operators and functions are the rows of `functions.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import syntax
from .diagnostics import Code, Diagnostic, Note, did_you_mean
from .expression_errors import (
    conversion,
    listed,
    name_is_taken,
    no_element_type,
    no_order,
    no_signature,
    not_closed,
    unguarded,
)
from .facts import IMPOSSIBLE, NOTHING, Facts, in_either, path_of
from .functions import (
    ORDERED_U,
    Bindings,
    Form,
    Function,
    Signature,
    bind,
    function_named,
    names_of,
    resolve,
)
from .lookups import Lookups, Seen, starts_with_name
from .meanings import Actions, Constant, Defined, EmptySet, EntityTypes, Reading
from .names import Kind, find_entity, find_symbol, resolve_type, silent, suggestion
from .scalars import read_ip_range
from .source import Span
from .spelling import plural, with_article
from .typesystem import (
    ACTION,
    BOOL,
    DECIMAL,
    DURATION,
    INT,
    NEVER,
    STRING,
    UNKNOWN,
    EntityType,
    Optional,
    RecordField,
    RecordOf,
    SetOf,
    Type,
    entity_type,
    is_subtype,
    join,
    present,
)
from .values import Instant


@dataclass(slots=True)
class Expressions(Lookups):
    """Infers types in one environment."""

    # The question

    def infer(self, node: syntax.Expression, facts: Facts, expected: Type | None = None) -> Type:
        """The type of an expression; it may be optional."""
        if self.skips and IMPOSSIBLE in facts:
            self.tables.unread[id(node)] = node
            return NEVER
        type = self._infer(node, facts, expected)
        self.tables.types[id(node)] = type
        if self.watch is not None:
            self.watch(Seen(node, type, facts, expected, dict(self.variables)))
        return type

    def value(self, node: syntax.Expression, facts: Facts, expected: Type | None = None) -> Type:
        """The type of an expression that must be there."""
        type = self.infer(node, facts, expected)
        if isinstance(type, Optional):
            self.report(unguarded(node))
            return type.type
        return type

    def check(self, node: syntax.Expression, facts: Facts, expected: Type) -> None:
        """Reports unless the expression has the type that its place asks for."""
        if isinstance(expected, Optional):
            type = self.infer(node, facts, expected.type)
        else:
            type = self.value(node, facts, expected)
        if not is_subtype(type, expected):
            message = f"expected `{expected}`, found `{type}`"
            self.report(
                Diagnostic(Code.TYPE_MISMATCH, message, node.span, conversion(node, type, expected))
            )

    def condition(self, node: syntax.Expression, facts: Facts) -> Facts:
        """Checks a condition; gives what is known where it holds."""
        self.check(node, facts, BOOL)
        return facts | self.facts(node, True)

    # What a condition tells

    def facts(self, node: syntax.Expression, truth: bool) -> Facts:
        """What is known where the condition has been found true (or false)."""
        match node:
            case syntax.Has(base, steps) if truth:
                path = path_of(base)
                if path is None:
                    return NOTHING
                return frozenset(
                    ((*path, *steps[: count + 1]), None) for count in range(len(steps))
                )
            case syntax.Is(base):
                path = path_of(base)
                before = self.tables.types.get(id(base))
                meaning = self.tables.meanings.get(id(node))
                if path is None or not isinstance(before, EntityType):
                    return NOTHING
                types = meaning.types if isinstance(meaning, EntityTypes) else frozenset()
                narrowed = before.types & types if truth else before.types - types
                if not narrowed:
                    return frozenset({IMPOSSIBLE}) if self.skips else NOTHING
                return frozenset({(path, entity_type(narrowed))})
            case syntax.Unary("not", operand):
                return self.facts(operand, not truth)
            case syntax.And(operands):
                return self._combine(operands, truth, truth)
            case syntax.Or(operands):
                return self._combine(operands, truth, not truth)
            case syntax.Conditional(condition, then, otherwise):
                return in_either(
                    [
                        self.facts(condition, True) | self.facts(then, truth),
                        self.facts(condition, False) | self.facts(otherwise, truth),
                    ]
                )
            case _:
                return NOTHING

    def _combine(self, operands: Sequence[syntax.Expression], truth: bool, every: bool) -> Facts:
        found = [self.facts(operand, truth) for operand in operands]
        return NOTHING.union(*found) if every else in_either(found)

    # The answers, node by node

    def _infer(self, node: syntax.Expression, facts: Facts, expected: Type | None) -> Type:
        match node:
            case syntax.RequestVariable(name):
                return self._request_variable(node, name, facts)
            case syntax.Name():
                return self._name(node, facts, expected)
            case syntax.Boolean():
                return BOOL
            case syntax.Integer():
                return INT
            case syntax.DecimalNumber():
                return DECIMAL
            case syntax.String():
                return STRING
            case syntax.TimeSpan():
                return DURATION
            case syntax.EntityReference():
                return self._entity_reference(node)
            case syntax.Access():
                return self._access(node, facts, expected)
            case syntax.Has():
                return self._has(node, facts)
            case syntax.Is():
                return self._is(node, facts)
            case syntax.Like(base):
                self.check(base, facts, STRING)
                return BOOL
            case syntax.Unary():
                return self._unary(node, facts)
            case syntax.Binary("??"):
                return self._fallback(node, facts, expected)
            case syntax.Binary():
                return self._binary(node, facts)
            case syntax.And(operands):
                return self._chain(operands, facts, True)
            case syntax.Or(operands):
                return self._chain(operands, facts, False)
            case syntax.Conditional(condition, then, otherwise):
                with_facts = self.condition(condition, facts)
                without = facts | self.facts(condition, False)
                return self._join_branches(
                    [(then, with_facts), (otherwise, without)], expected, node.span
                )
            case syntax.SetLiteral():
                return self._set(node, facts, expected)
            case syntax.RecordLiteral():
                return self._record(node, facts, expected)
            case syntax.Call():
                return self._call(node, facts)
            case syntax.MethodCall():
                return self._method(node, facts)
            case syntax.Lambda():
                message = "a function with `=>` stands only in a method such as `any`"
                self.report(Diagnostic(Code.WRONG_ARGUMENTS, message, node.span))
                return UNKNOWN

    def _access(self, node: syntax.Access, facts: Facts, expected: Type | None) -> Type:
        dotted = path_of(node)
        if dotted is not None and dotted[0] not in self.variables and starts_with_name(node):
            if expected == ACTION:
                return self._action(node, ".".join(dotted), node.span)
            enum = self._enum_before(node)
            if enum is not None:
                return self._member(node, enum, node.name, node.name_span)
        base = self.value(node.base, facts)
        if node.name == "size" and _is_empty(node.base, base):
            self.report(no_element_type(node.base))
            return INT
        return self._attribute(node, base, node.name, node.name_span, facts)

    def _has(self, node: syntax.Has, facts: Facts) -> Type:
        base = self.value(node.base, facts)
        path = path_of(node.base)
        optional = False
        spans = node.step_spans or (node.span,) * len(node.path)
        for step, span in zip(node.path, spans, strict=True):
            if base == UNKNOWN:
                return BOOL
            if self.closed and isinstance(base, EntityType):
                self.report(not_closed(node))
                return BOOL
            found = self.lookup(base, step, span)
            if found is None:
                return BOOL
            path = (*path, step) if path else None
            optional = optional or (found.optional and (path, None) not in facts)
            base = self.narrowed(path, found.type, facts)
        if not optional:
            message = f"`{'.'.join(node.path)}` is always there"
            self.report(Diagnostic(Code.USELESS_GUARD, message, node.span, "remove the `has`"))
        return BOOL

    def _is(self, node: syntax.Is, facts: Facts) -> Type:
        base = self.value(node.base, facts)
        reference = syntax.Reference(node.type, span=node.name_span)
        type = find_entity(self.names, self.scope, reference, self.report)
        if type is None or base == UNKNOWN:
            return BOOL
        if not isinstance(base, EntityType):
            message = f"`is` asks about an entity, and this is {with_article(base)}"
            self.report(Diagnostic(Code.TYPE_MISMATCH, message, node.base.span))
            return BOOL
        self.tables.meanings[id(node)] = EntityTypes(type.types)
        if not base.types & type.types:
            message = f"{with_article(base)} is never {with_article(type)}"
            self.report(Diagnostic(Code.USELESS_GUARD, message, node.span))
        elif base.types <= type.types:
            message = f"{with_article(base)} is always {with_article(type)}"
            self.report(Diagnostic(Code.USELESS_GUARD, message, node.span, "remove the `is`"))
        return BOOL

    def _unary(self, node: syntax.Unary, facts: Facts) -> Type:
        function = function_named(node.operator, Form.PREFIX)
        assert function is not None
        if node.operator == "not":
            self.check(node.operand, facts, BOOL)
            return BOOL
        operand = self.value(node.operand, facts)
        return self._apply(function, [operand], node.span)[0]

    def _fallback(self, node: syntax.Binary, facts: Facts, expected: Type | None) -> Type:
        left = self._optional_chain(node.left, facts)
        if left == UNKNOWN:
            self.infer(node.right, facts, expected)
            return expected or UNKNOWN
        if not isinstance(left, Optional):
            message = "the value before `??` is always there"
            self.report(Diagnostic(Code.USELESS_GUARD, message, node.span, "remove the `??`"))
        right = self.infer(node.right, facts, present(left))
        common = join(present(left), right)
        if common is None:
            message = f"the two sides of `??` are `{present(left)}` and `{right}`"
            self.report(Diagnostic(Code.TYPE_MISMATCH, message, node.span))
            return UNKNOWN
        return common

    def _optional_chain(self, node: syntax.Expression, facts: Facts) -> Type:
        """The type before `??`, where an absent value may also stand further to the left."""
        if isinstance(node, syntax.Access) and isinstance(node.base, syntax.Access):
            base = self._optional_chain(node.base, facts)
            if isinstance(base, Optional):
                type = self._attribute(node, base.type, node.name, node.name_span, facts)
                type = type if type == UNKNOWN else Optional(present(type))
                self.tables.types[id(node)] = type
                return type
        return self.infer(node, facts)

    def _chain(self, operands: Sequence[syntax.Expression], facts: Facts, truth: bool) -> Type:
        for operand in operands:
            self.check(operand, facts, BOOL)
            facts |= self.facts(operand, truth)
        return BOOL

    def _is_open(self, node: syntax.Expression) -> bool:
        """Whether the type of an expression depends on what its place expects."""
        match node:
            case syntax.Name(name):
                return name not in self.variables
            case syntax.Access():
                path = path_of(node)
                return (
                    path is not None
                    and path[0] not in self.variables
                    and starts_with_name(node)
                    and self._enum_before(node) is None
                )
            case syntax.RecordLiteral(fields):
                return not fields or any(self._is_open(item.value) for item in fields)
            case syntax.SetLiteral(elements):
                return all(self._is_open(element) for element in elements)
            case syntax.Conditional(_, then, otherwise):
                return self._is_open(then) and self._is_open(otherwise)
            case _:
                return False

    def _binary(self, node: syntax.Binary, facts: Facts) -> Type:
        function = function_named(node.operator, Form.INFIX)
        assert function is not None
        if self._is_open(node.left) and not self._is_open(node.right):
            right = self.value(node.right, facts)
            left = self.value(node.left, facts, _expected_left(node.operator, right))
        else:
            left = self.value(node.left, facts)
            right = self.value(node.right, facts, _expected_right(node.operator, left))
        if ACTION in (left, right, element_of(right)):
            return self._action_operator(node, left, right)
        for place, (operand, type) in enumerate([(node.left, left), (node.right, right)]):
            wants_set = all(signature.parameters[place].in_set for signature in function.signatures)
            if wants_set and _is_empty(operand, type):
                self.report(no_element_type(operand))
                return UNKNOWN
        result, signature = self._apply(function, [left, right], node.span)
        if signature is None:
            return result
        self.tables.meanings[id(node)] = Reading(signature.reading)
        if signature.reading in ("hierarchy", "hierarchy_any"):
            if self.closed:
                self.report(not_closed(node))
            self._check_hierarchy(left, right, node.span)
        texts = node.operator in ("starts_with", "ends_with") or signature.reading == "text"
        if texts and not isinstance(node.right, syntax.String):
            message = f"the text after `{node.operator}` must be written out"
            self.report(
                Diagnostic(Code.WRONG_ARGUMENTS, message, node.right.span, 'for example "prod-"')
            )
        return result

    def _action_operator(self, node: syntax.Binary, left: Type, right: Type) -> Type:
        """`action == drop`, `action in destroy`, `action in {drop, truncate}`."""
        self.tables.meanings[id(node)] = Reading("action")
        fits = left == ACTION and (
            right == ACTION
            if node.operator in ("==", "!=")
            else node.operator == "in" and ACTION in (right, element_of(right))
        )
        if not fits:
            message = f"`{node.operator}` does not compare `{left}` with `{right}`"
            help_line = "actions are compared with `==`, `!=` and `in`"
            self.report(Diagnostic(Code.TYPE_MISMATCH, message, node.span, help_line))
            return BOOL
        sides = [node.left, node.right]
        if node.operator == "in" and isinstance(node.right, syntax.SetLiteral):
            sides = [node.left, *node.right.elements]
        for side in sides:
            meaning = self.tables.meanings.get(id(side))
            by_name = isinstance(side, syntax.RequestVariable | syntax.Name | syntax.Access)
            if not by_name:
                message = "an action is compared with actions and groups by their names"
                help_line = "for example `action in {read, write}`"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, side.span, help_line))
            elif (
                isinstance(meaning, Actions)
                and len(meaning.names) != 1
                and (node.operator != "in" or side is node.left)
            ):
                message = f"`{side.span.text}` is a group of actions"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, side.span, "ask with `in`"))
        return BOOL

    def _check_hierarchy(self, left: Type, right: Type, span: Span) -> None:
        right = right.element if isinstance(right, SetOf) else right
        if (
            isinstance(left, EntityType)
            and isinstance(right, EntityType)
            and not self.names.schema.can_be_in(left.types, right.types)
        ):
            message = f"{with_article(left)} is never in {with_article(right)}"
            self.report(Diagnostic(Code.IMPOSSIBLE_PARENT, message, span))

    def _apply(
        self, function: Function, arguments: list[Type], span: Span
    ) -> tuple[Type, Signature | None]:
        """The result of the first signature that fits, or a diagnostic that names the types."""
        if UNKNOWN in arguments or SetOf(UNKNOWN) in arguments:
            types = {signature.result.type for signature in function.signatures}
            only = types.pop() if len(types) == 1 else None
            return only or UNKNOWN, None
        for signature in function.signatures:
            bindings: Bindings = {}
            if all(
                bind(parameter, argument, bindings)
                for parameter, argument in zip(signature.parameters, arguments, strict=True)
            ):
                return resolve(signature.result, bindings), signature
        self.report(no_signature(function, arguments, span))
        types = {signature.result.type for signature in function.signatures}
        return (types.pop() or UNKNOWN if len(types) == 1 else UNKNOWN), None

    def _join_branches(
        self,
        branches: Iterable[tuple[syntax.Expression, Facts]],
        expected: Type | None,
        span: Span,
    ) -> Type:
        result: Type | None = None
        for node, facts in branches:
            type = self.infer(node, facts, expected)
            if result is None:
                result = type
                continue
            common = join(result, type)
            if common is None:
                message = f"the values are of different types: `{result}` and `{type}`"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, span))
                return UNKNOWN
            result = common
        return result or UNKNOWN

    def _set(self, node: syntax.SetLiteral, facts: Facts, expected: Type | None) -> Type:
        wanted = element_of(present(expected)) if expected is not None else None
        if expected == ACTION:
            wanted = ACTION
        closed = [element for element in node.elements if not self._is_open(element)]
        if wanted is None and closed and len(closed) < len(node.elements):
            wanted = present(self.infer(closed[0], facts))
        result: Type = NEVER
        for element in node.elements:
            type = self.value(element, facts, wanted)
            common = join(result, type)
            if common is None:
                message = f"the elements are of different types: `{result}` and `{type}`"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, element.span))
                return SetOf(UNKNOWN)
            result = common
        return SetOf(result)

    def _record(self, node: syntax.RecordLiteral, facts: Facts, expected: Type | None) -> Type:
        wanted = present(expected) if expected is not None else None
        if not node.fields and isinstance(wanted, SetOf):
            self.tables.meanings[id(node)] = EmptySet()
            return wanted
        if not isinstance(wanted, RecordOf):
            self._check_repeated(node)
            return RecordOf(
                tuple(
                    RecordField(item.name, self.value(item.value, facts), False)
                    for item in node.fields
                )
            )
        self.fields(node, wanted, facts)
        given = {item.name for item in node.fields}
        for missing in wanted.fields:
            if missing.name not in given and not missing.optional:
                message = f"the record has no `{missing.name}`"
                help_line = f"add `{missing.name}: …`, a `{missing.type}`"
                self.report(Diagnostic(Code.TYPE_MISMATCH, message, node.span, help_line))
        return wanted

    def fields(self, node: syntax.RecordLiteral, wanted: RecordOf, facts: Facts) -> None:
        """Checks the fields that a record literal gives; which must be given is asked elsewhere."""
        self._check_repeated(node)
        for item in node.fields:
            found = self.lookup(wanted, item.name, item.name_span)
            if found is not None:
                self.check(item.value, facts, found.type)

    def _check_repeated(self, node: syntax.RecordLiteral) -> None:
        seen: set[str] = set()
        for item in node.fields:
            if item.name in seen:
                message = f"a second field `{item.name}`"
                self.report(Diagnostic(Code.DUPLICATE_NAME, message, item.name_span))
            seen.add(item.name)

    def _call(self, node: syntax.Call, facts: Facts) -> Type:
        function = function_named(node.function, Form.FUNCTION)
        if function is not None:
            return self._literal_call(node, function)
        symbol = find_symbol(self.names, self.scope, node.function, node.name_span, self.report)
        if symbol is None or not isinstance(symbol.declaration, syntax.Define):
            for argument in node.arguments:
                if not self._is_open(argument) and not isinstance(argument, syntax.Lambda):
                    self.infer(argument, facts)
            if symbol is not None or not (
                self.scope.incomplete or node.function in self.scope.broken
            ):
                self.report(self._unknown_function(node))
            return UNKNOWN
        if self.closed:
            self.report(not_closed(node))
            return UNKNOWN
        define = symbol.declaration
        other = self.names.scopes[symbol.module]
        self.tables.meanings[id(node)] = Defined(define, define.name)
        if len(node.arguments) != len(define.parameters):
            takes = plural(len(define.parameters), "argument")
            message = f"`{define.name}` takes {takes}, not {len(node.arguments)}"
            note = Note("declared here", define.name_span)
            self.report(Diagnostic(Code.WRONG_ARGUMENTS, message, node.span, None, (note,)))
        for argument, parameter in zip(node.arguments, define.parameters, strict=False):
            self.check(argument, facts, resolve_type(self.names, other, parameter.type, silent))
        return resolve_type(self.names, other, define.result, silent)

    def _unknown_function(self, node: syntax.Call) -> Diagnostic:
        functions = names_of(Form.FUNCTION)
        help_line = suggestion(self.names, self.scope, node.function, Kind.FUNCTION, functions)
        message = f"there is no function `{node.function}` here"
        return Diagnostic(Code.UNKNOWN_FUNCTION, message, node.name_span, help_line)

    def _literal_call(self, node: syntax.Call, function: Function) -> Type:
        result = function.signatures[0].result.type
        assert result is not None
        argument = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(argument, syntax.String):
            message = f"`{node.function}` takes one text that is written out"
            self.report(
                Diagnostic(
                    Code.WRONG_ARGUMENTS, message, node.span, f"for example `{function.example}`"
                )
            )
            return result
        value = (
            Instant.parse(argument.value)
            if node.function == "instant"
            else read_ip_range(argument.value)
        )
        if value is None:
            what = "a moment" if node.function == "instant" else "an address or a CIDR block"
            message = f"`{argument.value}` is not {what}"
            self.report(
                Diagnostic(
                    Code.BAD_LITERAL, message, argument.span, f"for example `{function.example}`"
                )
            )
            return result
        self.tables.meanings[id(node)] = Constant(value)
        return result

    def _method(self, node: syntax.MethodCall, facts: Facts) -> Type:
        base = self.value(node.base, facts)
        function = function_named(node.method, Form.METHOD)
        if function is None:
            known = names_of(Form.METHOD)
            message = f"there is no method `{node.method}`"
            help_line = did_you_mean(node.method, known) or listed(set(known))
            if function_named(node.method, Form.PROPERTY):
                help_line = f"write `.{node.method}` without parentheses"
            self.report(Diagnostic(Code.UNKNOWN_FUNCTION, message, node.name_span, help_line))
            return UNKNOWN
        if base == UNKNOWN:
            return UNKNOWN
        if _is_empty(node.base, base):
            self.report(no_element_type(node.base))
            return UNKNOWN
        if not isinstance(base, SetOf):
            message = f"`{node.method}` is a method of sets, and this is {with_article(base)}"
            self.report(Diagnostic(Code.TYPE_MISMATCH, message, node.base.span))
            return UNKNOWN
        argument = node.arguments[0] if len(node.arguments) == 1 else None
        if not isinstance(argument, syntax.Lambda):
            message = f"`{node.method}` takes one function"
            help_line = f"for example `{function.example}`"
            self.report(Diagnostic(Code.WRONG_ARGUMENTS, message, node.span, help_line))
            return UNKNOWN
        body = self._lambda(argument, base.element, function, facts)
        for signature in function.signatures:
            bindings: Bindings = {}
            bind(signature.parameters[0], base, bindings)
            if body == UNKNOWN or (
                signature.body is not None and bind(signature.body, body, bindings)
            ):
                if body == UNKNOWN and signature.result.variable:
                    return UNKNOWN
                if signature.reading:
                    self.tables.meanings[id(node)] = Reading(signature.reading)
                return resolve(signature.result, bindings)
        if function.signatures[0].body == ORDERED_U:
            self.report(no_order(body, argument.body.span))
            return UNKNOWN
        wanted = " or ".join(f"`{signature.body}`" for signature in function.signatures)
        message = f"the function of `{node.method}` must give {wanted}, and gives `{body}`"
        self.report(Diagnostic(Code.TYPE_MISMATCH, message, argument.body.span))
        return UNKNOWN

    def _lambda(self, node: syntax.Lambda, element: Type, function: Function, facts: Facts) -> Type:
        if node.parameter in self.variables or node.parameter in syntax.RESERVED:
            self.report(name_is_taken(node.parameter, node.name_span))
            return UNKNOWN
        wanted = function.signatures[0].body
        expected = wanted.type if wanted and len(function.signatures) == 1 else None
        self.variables[node.parameter] = element
        try:
            return self.value(node.body, facts, expected)
        finally:
            del self.variables[node.parameter]

    def template(self, template: syntax.Template, facts: Facts) -> None:
        """Checks the holes of a message."""
        for part in template.parts:
            if not isinstance(part, str):
                self.value(part, facts)


def _is_empty(node: syntax.Expression, type: Type) -> bool:
    """Whether this is `{}`, read as a record since nothing there asks for a set."""
    return isinstance(node, syntax.RecordLiteral) and type == RecordOf(())


def element_of(type: Type | None) -> Type | None:
    return type.element if isinstance(type, SetOf) else None


def _expected_right(operator: str, left: Type) -> Type | None:
    if operator == "in":
        return left if left == ACTION else SetOf(left)
    if operator == "contains":
        return element_of(left)
    return left


def _expected_left(operator: str, right: Type) -> Type | None:
    if operator == "in":
        return element_of(right)
    if operator == "contains":
        return SetOf(right)
    return right
