"""Grammar rules to syntax nodes: what the parser calls as it reduces each rule. Knows no parser.

A child is a node, a list of results (`_Items`), or a token: a `str` that carries its type and place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from . import syntax
from .diagnostics import Code, Diagnostic
from .limits import MAX_NESTING, MAX_NUMBER_DIGITS, MAX_SET_ELEMENTS, MAX_STRING_CHARACTERS
from .source import Fragment, Span
from .values import Decimal, Duration


class Unreadable(Exception):
    """Ends the reading of a fragment with a diagnostic; `parser.py` catches it."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class _Items(list[Any]):
    """Several results of one rule, with the stretch of text they came from."""

    __slots__ = ("end", "start")

    def __init__(self, items: list[Any], start: int, end: int) -> None:
        super().__init__(items)
        self.start, self.end = start, end


class ToSyntax:
    """One method per grammar rule, in grammar order; runs inside the parser."""

    def __init__(self) -> None:
        self.parse_hole: Callable[[str], Any] = lambda text: None
        """How the text of a hole is parsed; `None` if it is not an expression. The parser sets it."""
        self.fragment = Fragment("", "")
        self.base = 0
        self.problems: list[Diagnostic] = []

    def begin(self, fragment: Fragment) -> None:
        self.fragment, self.base, self.problems = fragment, 0, []

    # Places

    def _bounds(self, child: Any) -> tuple[int, int]:
        if not isinstance(child, _Items | syntax.Node):
            return self.base + (child.start_pos or 0), self.base + (child.end_pos or 0)
        if isinstance(child, _Items):
            return child.start, child.end
        return child.span.start, child.span.end

    def _span(self, children: list[Any]) -> Span:
        if not children:
            return Span(self.fragment, self.base, self.base)
        start, end = self._bounds(children[0])[0], self._bounds(children[-1])[1]
        return Span(self.fragment, start, end)

    def _items(self, children: list[Any], items: list[Any]) -> _Items:
        span = self._span(children)
        return _Items(items, span.start, span.end)

    def _nodes(self, children: list[Any]) -> list[Any]:
        return [child for child in children if not isinstance(child, str)]

    def _problem(self, code: Code, message: str, span: Span, help_line: str | None = None) -> None:
        self.problems.append(Diagnostic(code, message, span, help_line))

    # Declarations

    def file(self, children: list[Any]) -> list[syntax.Declaration]:
        return children

    def declaration(self, children: list[Any]) -> syntax.Declaration:
        item: syntax.Declaration = children[-1]
        docs = [child for child in children[:-1] if isinstance(child, str)]
        annotations = tuple(self._nodes(children[:-1]))
        if not docs and not annotations:
            return item
        fields = {name: getattr(item, name) for name in item.__dataclass_fields__}
        fields |= {"doc": _doc(docs), "annotations": annotations, "span": self._span(children)}
        return type(item)(**fields)

    def annotation(self, children: list[Any]) -> syntax.Annotation:
        _, name, _, value, _ = children
        return syntax.Annotation(str(name), self._text(value), span=self._span(children))

    def module(self, children: list[Any]) -> syntax.Module:
        path = self.reference(children[1:2])
        return syntax.Module(path.name, span=self._span(children), name_span=path.span)

    def use(self, children: list[Any]) -> syntax.Use:
        path = self.reference(children[1:2])
        names = tuple(children[3]) if len(children) > 2 else ()
        return syntax.Use(path.name, names, span=self._span(children), name_span=path.span)

    def enum(self, children: list[Any]) -> syntax.Enum:
        name = children[1]
        ordered = children[2] == "ordered"
        members = tuple(next(child for child in children if isinstance(child, _Items)))
        return syntax.Enum(
            str(name), ordered, members, span=self._span(children), name_span=self._span([name])
        )

    def members(self, children: list[Any]) -> _Items:
        return self._items(children, self._nodes(children))

    def member(self, children: list[Any]) -> syntax.EnumMember:
        return syntax.EnumMember(
            str(children[-1]), _doc(children[:-1]), span=self._span(children[-1:])
        )

    def entity(self, children: list[Any]) -> syntax.Entity:
        words = [str(child) if isinstance(child, str) else "" for child in children]
        path = self.reference([children[words.index("entity") + 1]])
        extends = children[words.index("extends") + 1] if "extends" in words else None
        parents = tuple(children[words.index("in") + 1]) if "in" in words else ()
        record = children[-1] if isinstance(children[-1], syntax.RecordType) else None
        return syntax.Entity(
            path.name,
            words[0] == "abstract",
            extends,
            parents,
            record.fields if record else (),
            span=self._span(children),
            name_span=path.span,
        )

    def alias(self, children: list[Any]) -> syntax.TypeAlias:
        name, value = children[1], children[3]
        return syntax.TypeAlias(
            str(name), value, span=self._span(children), name_span=self._span([name])
        )

    def group(self, children: list[Any]) -> syntax.ActionGroup:
        names, *groups = (child for child in children if isinstance(child, _Items))
        return syntax.ActionGroup(
            tuple(names),
            tuple(groups[0]) if groups else (),
            span=self._span(children),
            name_span=names[0].span,
        )

    def action(self, children: list[Any]) -> syntax.Action:
        names = children[1]
        groups = tuple(children[3]) if children[2] == "in" else ()
        parts: dict[str, Any] = {}
        for child in children[2:]:
            if isinstance(child, _Signature):
                if child.kind in parts:
                    self._repeated(child.kind, child.span)
                parts[child.kind] = child.value
        for kind in ("principal", "resource"):
            if kind not in parts:
                message = f"the action does not say its {kind}"
                self._problem(
                    Code.MISSING_CLAUSE, message, names[0].span, f"add `{kind} TYPE` to its block"
                )
        return syntax.Action(
            tuple(names),
            groups,
            tuple(parts.get("principal", ())),
            tuple(parts.get("resource", ())),
            parts.get("context") or syntax.RecordType((), span=names[0].span),
            tuple(parts.get("effects", ())),
            span=self._span(children),
            name_span=names[0].span,
        )

    def principals(self, children: list[Any]) -> "_Signature":
        return _Signature("principal", children[1], span=self._span(children))

    def resources(self, children: list[Any]) -> "_Signature":
        return _Signature("resource", children[1], span=self._span(children))

    def context_type(self, children: list[Any]) -> "_Signature":
        return _Signature("context", children[1], span=self._span(children))

    def effects(self, children: list[Any]) -> "_Signature":
        return _Signature("effects", self._nodes(children), span=self._span(children))

    def assignment(self, children: list[Any]) -> syntax.Assignment:
        return syntax.Assignment(children[0], children[2], span=self._span(children))

    def define(self, children: list[Any]) -> syntax.Define:
        name = children[1]
        parameters = tuple(children[3]) if isinstance(children[3], _Items) else ()
        result, body = children[-3], children[-1]
        return syntax.Define(
            str(name),
            parameters,
            result,
            body,
            span=self._span(children),
            name_span=self._span([name]),
        )

    def parameters(self, children: list[Any]) -> _Items:
        return self._items(children, self._nodes(children))

    def parameter(self, children: list[Any]) -> syntax.Parameter:
        name, _, type = children
        return syntax.Parameter(
            str(name), type, span=self._span(children), name_span=self._span([name])
        )

    def table(self, children: list[Any]) -> syntax.Table:
        return syntax.Table(tuple(children[:-2]), children[-1], span=self._span(children))

    def row(self, children: list[Any]) -> syntax.Row:
        return syntax.Row(children[0], children[2], span=self._span(children[:3]))

    # Rules

    def rule(self, children: list[Any]) -> syntax.Rule:
        effect, name = syntax.Effect(str(children[0])), children[1]
        clauses = self._nodes(children)
        name_span = self._span([name])
        self._once(clauses, (syntax.ActionScope, syntax.Because, syntax.Instead))
        self._once_by_variable(clauses)
        if effect is syntax.Effect.REQUIRE and not _any(clauses, syntax.Need):
            message = f"`require {name}` has no `need`, so it requires nothing"
            self._problem(Code.MISSING_CLAUSE, message, name_span, "add `need CONDITION`")
        for clause in clauses:
            if isinstance(clause, syntax.Need) and effect is not syntax.Effect.REQUIRE:
                message = f"`need` has no meaning in a `{effect}`"
                help_line = "use `when` or `unless`, or make the rule a `require`"
                self._problem(Code.MISPLACED_CLAUSE, message, clause.span, help_line)
        return syntax.Rule(
            effect, str(name), tuple(clauses), span=self._span(children), name_span=name_span
        )

    def when(self, children: list[Any]) -> syntax.When:
        return syntax.When(children[1], span=self._span(children))

    def unless(self, children: list[Any]) -> syntax.Unless:
        return syntax.Unless(children[1], span=self._span(children))

    def need(self, children: list[Any]) -> syntax.Need:
        message = self._template(children[2]) if len(children) == 3 else None
        return syntax.Need(children[1], message, span=self._span(children))

    def because(self, children: list[Any]) -> syntax.Because:
        return syntax.Because(self._template(children[1]), span=self._span(children))

    def instead(self, children: list[Any]) -> syntax.Instead:
        return syntax.Instead(self._template(children[1]), span=self._span(children))

    def scope(self, children: list[Any]) -> syntax.Scope:
        variable, target = children
        types, ancestors, entities = target
        return syntax.Scope(
            str(variable),
            tuple(types),
            tuple(ancestors),
            tuple(entities),
            span=self._span(children),
        )

    def scope_types(self, children: list[Any]) -> _Items:
        ancestors = children[2] if len(children) == 3 else ()
        return self._items(children, [children[0], ancestors, ()])

    def scope_ancestors(self, children: list[Any]) -> _Items:
        return self._items(children, [(), children[1], ()])

    def scope_entities(self, children: list[Any]) -> _Items:
        return self._items(children, [(), (), children[0]])

    def action_scope(self, children: list[Any]) -> syntax.ActionScope:
        return syntax.ActionScope(tuple(children[1]), span=self._span(children))

    def entities(self, children: list[Any]) -> _Items:
        names = [child for child in children if child.type == "ENTITY"]
        return self._items(children, [self._entity(name) for name in names])

    # Claims

    def prove(self, children: list[Any]) -> syntax.Prove:
        name = children[1]
        clauses = self._nodes(children)
        name_span = self._span([name])
        self._once(clauses, (syntax.ActionScope, syntax.AnySequence))
        self._once_by_variable(clauses)
        claims = [clause for clause in clauses if isinstance(clause, syntax.Claim)]
        if not claims:
            message = f"`prove {name}` claims nothing"
            help_line = "add a claim such as `never permitted`"
            self._problem(Code.MISSING_CLAUSE, message, name_span, help_line)
        for claim in claims[1:]:
            self._repeated("claim", claim.span)
        sequence = _any(clauses, syntax.AnySequence)
        if sequence != _any(clauses, syntax.AlwaysExists) and len(claims) == 1:
            message = "`always exists` and `for any sequence of permitted actions` go together"
            self._problem(Code.MISPLACED_CLAUSE, message, claims[0].span, "state both or neither")
        return syntax.Prove(
            str(name), tuple(clauses), span=self._span(children), name_span=name_span
        )

    def never_permitted(self, children: list[Any]) -> syntax.NeverPermitted:
        return syntax.NeverPermitted(span=self._span(children))

    def never_fails(self, children: list[Any]) -> syntax.NeverFails:
        return syntax.NeverFails(span=self._span(children))

    def always_denied(self, children: list[Any]) -> syntax.AlwaysDenied:
        return syntax.AlwaysDenied(span=self._span(children))

    def always_permitted(self, children: list[Any]) -> syntax.AlwaysPermitted:
        return syntax.AlwaysPermitted(span=self._span(children))

    def permitted_only_if(self, children: list[Any]) -> syntax.PermittedOnlyIf:
        return syntax.PermittedOnlyIf(children[-1], span=self._span(children))

    def held_unless(self, children: list[Any]) -> syntax.HeldUnless:
        return syntax.HeldUnless(children[-1], span=self._span(children))

    def denied_by(self, children: list[Any]) -> syntax.DeniedBy:
        return syntax.DeniedBy(children[-1], span=self._span(children))

    def any_sequence(self, children: list[Any]) -> syntax.AnySequence:
        return syntax.AnySequence(span=self._span(children))

    def always_exists(self, children: list[Any]) -> syntax.AlwaysExists:
        return syntax.AlwaysExists(children[2], children[-1], span=self._span(children))

    # Tests

    def test(self, children: list[Any]) -> syntax.Test:
        name = children[1]
        clauses = self._nodes(children)
        name_span = self._span([name])
        self._once(clauses, (syntax.TestAction, syntax.TestContext, syntax.Expect))
        roles = [clause.role for clause in clauses if isinstance(clause, syntax.Given)]
        for role in ("principal", "resource"):
            if role not in roles:
                self._missing(str(name), f'{role} TYPE::"id"', name_span)
            for clause in [
                clause
                for clause in clauses
                if isinstance(clause, syntax.Given) and clause.role == role
            ][1:]:
                self._repeated(role, clause.span)
        for kind, written in _TEST_CLAUSES:
            if not _any(clauses, kind):
                self._missing(str(name), written, name_span)
        return syntax.Test(
            str(name), tuple(clauses), span=self._span(children), name_span=name_span
        )

    def given(self, children: list[Any]) -> syntax.Given:
        record = children[-1] if isinstance(children[-1], syntax.RecordLiteral) else None
        parents = next((tuple(child) for child in children if isinstance(child, _Items)), ())
        return syntax.Given(
            str(children[0]), self._entity(children[1]), parents, record, span=self._span(children)
        )

    def parents(self, children: list[Any]) -> _Items:
        names = [child for child in children if child.type == "ENTITY"]
        return self._items(children, [self._entity(name) for name in names])

    def test_action(self, children: list[Any]) -> syntax.TestAction:
        return syntax.TestAction(children[1], span=self._span(children))

    def test_context(self, children: list[Any]) -> syntax.TestContext:
        return syntax.TestContext(children[1], span=self._span(children))

    def expect(self, children: list[Any]) -> syntax.Expect:
        rules = tuple(children[3]) if len(children) > 2 else ()
        return syntax.Expect(syntax.Outcome(str(children[1])), rules, span=self._span(children))

    # Types

    def optional_type(self, children: list[Any]) -> syntax.OptionalType:
        return syntax.OptionalType(children[0], span=self._span(children))

    def named_type(self, children: list[Any]) -> syntax.TypeName | syntax.UnionType:
        names = [syntax.TypeName(item.name, span=item.span) for item in children[0]]
        return (
            names[0]
            if len(names) == 1
            else syntax.UnionType(tuple(names), span=self._span(children))
        )

    def set_type(self, children: list[Any]) -> syntax.SetType:
        return syntax.SetType(children[2], span=self._span(children))

    def record_type(self, children: list[Any]) -> syntax.RecordType:
        return syntax.RecordType(tuple(self._nodes(children)), span=self._span(children))

    def field(self, children: list[Any]) -> syntax.Field:
        docs, name = children[:-3], children[-3]
        return syntax.Field(
            str(name),
            children[-1],
            _doc(docs),
            span=self._span(children[-3:]),
            name_span=self._span([name]),
        )

    def alternatives(self, children: list[Any]) -> _Items:
        return self._items(children, self._nodes(children))

    # Expressions

    def conditional(self, children: list[Any]) -> syntax.Conditional:
        _, condition, _, then, _, otherwise = children
        return syntax.Conditional(condition, then, otherwise, span=self._span(children))

    def disjunction(self, children: list[Any]) -> syntax.Or:
        return syntax.Or(tuple(self._nodes(children)), span=self._span(children))

    def conjunction(self, children: list[Any]) -> syntax.And:
        return syntax.And(tuple(self._nodes(children)), span=self._span(children))

    def unary(self, children: list[Any]) -> syntax.Unary:
        return syntax.Unary(str(children[0]), children[1], span=self._span(children))

    def binary(self, children: list[Any]) -> syntax.Binary:
        left, operator, right = children
        return syntax.Binary(str(operator), left, right, span=self._span(children))

    def like(self, children: list[Any]) -> syntax.Like:
        token = children[2]
        span, text = self._span([token]), str(token)[1:-1]
        self._check_length(text, span)
        pieces = [""]
        for match in _GLOB_PART.finditer(text):
            if match[0] == "*":
                pieces.append("")
            else:
                pieces[-1] += "*" if match[0] == "\\*" else self._unquote(match[0], span)
        return syntax.Like(children[0], tuple(pieces), span=self._span(children))

    def is_type(self, children: list[Any]) -> syntax.Is:
        base, _, type = children
        return syntax.Is(base, type.name, span=self._span(children), name_span=type.span)

    def has(self, children: list[Any]) -> syntax.Has:
        base, _, steps = children
        return syntax.Has(
            base,
            tuple(map(str, steps)),
            span=self._span(children),
            step_spans=tuple(self._span([step]) for step in steps),
        )

    def access(self, children: list[Any]) -> syntax.Access:
        base, _, name = children
        return syntax.Access(
            base, str(name), span=self._span(children), name_span=self._span([name])
        )

    def method_call(self, children: list[Any]) -> syntax.MethodCall:
        base, name = children[0], children[2]
        arguments = tuple(children[4]) if isinstance(children[4], _Items) else ()
        return syntax.MethodCall(
            base, str(name), arguments, span=self._span(children), name_span=self._span([name])
        )

    def call(self, children: list[Any]) -> syntax.Call:
        name = children[0]
        arguments = tuple(children[2]) if isinstance(children[2], _Items) else ()
        return syntax.Call(
            str(name), arguments, span=self._span(children), name_span=self._span([name])
        )

    def arguments(self, children: list[Any]) -> _Items:
        return self._items(children, self._nodes(children))

    def lambda_(self, children: list[Any]) -> syntax.Lambda:
        name, _, body = children
        return syntax.Lambda(
            str(name), body, span=self._span(children), name_span=self._span([name])
        )

    def name(self, children: list[Any]) -> syntax.Name:
        return syntax.Name(str(children[0]), span=self._span(children))

    def request_variable(self, children: list[Any]) -> syntax.RequestVariable:
        return syntax.RequestVariable(str(children[0]), span=self._span(children))

    def boolean(self, children: list[Any]) -> syntax.Boolean:
        return syntax.Boolean(str(children[0]) == "true", span=self._span(children))

    def integer(self, children: list[Any]) -> syntax.Integer:
        digits, span = self._digits(children)
        return syntax.Integer(int(digits), span=span)

    def decimal(self, children: list[Any]) -> syntax.DecimalNumber:
        digits, span = self._digits(children)
        value = Decimal.parse(digits)
        if value is None:
            message = "a decimal number has at most four places"
            self._problem(Code.BAD_LITERAL, message, span)
        return syntax.DecimalNumber(value or Decimal(0), span=span)

    def duration(self, children: list[Any]) -> syntax.TimeSpan:
        text, span = self._digits(children)
        value = Duration.parse(text)
        if value is None:
            message = "each unit of a duration stands once, from long to short"
            self._problem(Code.BAD_LITERAL, message, span, "for example `1d12h` or `90m`")
        return syntax.TimeSpan(value or Duration(0), span=span)

    def string(self, children: list[Any]) -> syntax.String:
        return syntax.String(self._text(children[0]), span=self._span(children))

    def entity_reference(self, children: list[Any]) -> syntax.EntityReference:
        return self._entity(children[0])

    def group_expression(self, children: list[Any]) -> Any:
        return replace(children[1], span=self._span(children))

    def set_literal(self, children: list[Any]) -> syntax.SetLiteral:
        elements = tuple(self._nodes(children))
        span = self._span(children)
        if len(elements) > MAX_SET_ELEMENTS:
            message = (
                f"the set has {len(elements):,} elements, and the limit is {MAX_SET_ELEMENTS:,}"
            )
            self._problem(Code.SET_TOO_LARGE, message, span, "put them into a group of entities")
        return syntax.SetLiteral(elements, span=span)

    def record(self, children: list[Any]) -> syntax.RecordLiteral:
        return syntax.RecordLiteral(tuple(self._nodes(children)), span=self._span(children))

    def pair(self, children: list[Any]) -> syntax.FieldValue:
        name, _, value = children
        return syntax.FieldValue(
            str(name), value, span=self._span(children), name_span=self._span([name])
        )

    # Names

    def path(self, children: list[Any]) -> _Items:
        steps = [child for child in children if child != "."]
        if len(steps) > MAX_NESTING:
            message = f"the name has more than {MAX_NESTING} parts"
            raise Unreadable(
                Diagnostic(Code.NESTING_TOO_DEEP, message, self._span(children), "shorten it")
            )
        return self._items(children, steps)

    def references(self, children: list[Any]) -> _Items:
        return self._items(children, self._nodes(children))

    def reference(self, children: list[Any]) -> syntax.Reference:
        (steps,) = children
        return syntax.Reference(".".join(steps), span=self._span(children))

    # Literals and clauses in detail

    def _entity(self, token: Any) -> syntax.EntityReference:
        span = self._span([token])
        kind, _, quoted = str(token).partition("::")
        name_span = Span(self.fragment, span.start, span.start + len(kind))
        return syntax.EntityReference(
            kind, self._unquote(quoted[1:-1], span), span=span, name_span=name_span
        )

    def _text(self, token: Any) -> str:
        return self._unquote(str(token)[1:-1], self._span([token]))

    def _digits(self, children: list[Any]) -> tuple[str, Span]:
        span = self._span(children)
        digits = str(children[0]).replace("_", "")
        if len(digits) > MAX_NUMBER_DIGITS:
            message = (
                f"the number has {len(digits):,} digits, and the limit is {MAX_NUMBER_DIGITS:,}"
            )
            raise Unreadable(Diagnostic(Code.NUMBER_TOO_LONG, message, span))
        return digits, span

    def _check_length(self, text: str, span: Span) -> None:
        if len(text) > MAX_STRING_CHARACTERS:
            message = f"the string has {len(text):,} characters, and the limit is {MAX_STRING_CHARACTERS:,}"
            self._problem(Code.STRING_TOO_LONG, message, span)

    def _unquote(self, text: str, span: Span) -> str:
        self._check_length(text, span)
        return _ESCAPE.sub(lambda match: self._unescape(match, span), text)

    def _unescape(self, match: re.Match[str], span: Span) -> str:
        if match["code"] is not None:
            number = int(match["code"], 16)
            if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF:
                return chr(number)
        elif match["simple"] in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[match["simple"]]
        message = f"`{match[0]}` is not an escape"
        help_line = r"the escapes are `\"`, `\\`, `\n`, `\t`, `\{` and `\u{1F512}`"
        self._problem(Code.BAD_LITERAL, message, span, help_line)
        return ""

    def _template(self, token: Any) -> syntax.Template:
        """A message cut at its holes; the text of each hole is parsed where it stands."""
        span = self._span([token])
        text = str(token)[1:-1]
        self._check_length(text, span)
        parts: list[str | syntax.Expression] = []
        done = 0
        for match in _HOLE.finditer(text):
            if match["hole"] is None:
                continue
            self._add_text(parts, text[done : match.start()], span)
            parts.append(self._hole(match["hole"], span.start + 1 + match.start("hole"), span))
            done = match.end()
        self._add_text(parts, text[done:], span)
        return syntax.Template(tuple(parts), span=span)

    def _add_text(self, parts: list[Any], text: str, span: Span) -> None:
        if "{" in _ESCAPED.sub("", text):
            message, help_line = "a `{` is not closed", "write `\\{` for the character itself"
            if _QUOTED_HOLE.search(text):
                message, help_line = "a hole has no quotes", "name what it says with a `define`"
            self._problem(Code.BAD_LITERAL, message, span, help_line)
        elif text:
            parts.append(self._unquote(text, span))

    def _hole(self, text: str, start: int, span: Span) -> Any:
        saved, self.base = self.base, start
        try:
            expression = self.parse_hole(text)
        finally:
            self.base = saved
        if expression is None:
            message = f"`{{{text}}}` is not an expression"
            hole = Span(self.fragment, start - 1, start + len(text) + 1)
            help_line = "write `\\{` for the character itself"
            raise Unreadable(Diagnostic(Code.SYNTAX_ERROR, message, hole, help_line))
        return expression

    def _repeated(self, what: str, span: Span) -> None:
        message = f"a second `{what}` in one declaration"
        self._problem(Code.REPEATED_CLAUSE, message, span, "keep one of them")

    def _missing(self, test: str, written: str, span: Span) -> None:
        message = f"`test {test}` does not say `{written}`"
        self._problem(Code.MISSING_CLAUSE, message, span, f"add `{written}`")

    def _once(self, clauses: list[Any], kinds: tuple[type[syntax.Node], ...]) -> None:
        for kind in kinds:
            for clause in [clause for clause in clauses if isinstance(clause, kind)][1:]:
                self._repeated(clause.span.text.split()[0], clause.span)

    def _once_by_variable(self, clauses: list[Any]) -> None:
        seen = set()
        for clause in clauses:
            if isinstance(clause, syntax.Scope):
                if clause.variable in seen:
                    self._repeated(clause.variable, clause.span)
                seen.add(clause.variable)


@dataclass(frozen=True, slots=True)
class _Signature(syntax.Node):
    """A clause of an action declaration on its way into the node."""

    kind: str
    value: Any


_TEST_CLAUSES: tuple[tuple[type, str], ...] = (
    (syntax.TestAction, "action NAME"),
    (syntax.Expect, "expect OUTCOME"),
)
_ESCAPE = re.compile(r"\\(?:u\{(?P<code>[0-9A-Fa-f]{1,6})\}|(?P<simple>.))")
_SIMPLE_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "{": "{"}
_GLOB_PART = re.compile(r"\\u\{[^}]*\}|\\.|.", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u\{[^{}]*\}|.)")
_QUOTED_HOLE = re.compile(r"(?<!\\)\{[^{}]*\\[^{}]*\}")
_HOLE = re.compile(r"\\(?:u\{[^{}]*\}|.)|\{(?P<hole>[^{}\\]*)\}")


def _doc(tokens: list[Any]) -> str:
    """Documentation lines without their slashes."""
    return "\n".join(str(token).removeprefix("///").strip() for token in tokens)


def _any(clauses: list[Any], kind: type) -> bool:
    return any(isinstance(clause, kind) for clause in clauses)
