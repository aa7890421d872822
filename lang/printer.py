"""Syntax to canonical text: one layout for every policy, with its comments. `parse` inverts `print_declarations`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import assert_never

from . import syntax
from .diagnostics import Diagnostic, has_errors
from .parser import comments, grammar, parse
from .source import NOWHERE, Fragment, Span
from .values import quote, quote_template_text

WIDTH = 100
MAX_RUNS = 5
"""A comment inside a head moves out of it in one run and to its line in the next; more than a few are never needed."""
CLAUSE = 10
"""Columns that a clause keyword takes, so that what follows is aligned."""


def format_text(file: str, text: str) -> tuple[str | None, list[Diagnostic]]:
    """A policy file in canonical layout; `None` with the problems when it cannot be read."""
    for _ in range(MAX_RUNS):
        declarations, problems = parse(file, text)
        if has_errors(problems):
            return None, problems
        whole = Fragment(file, text)
        printer = _Printer(text, [(span.start, span.end) for span in comments(whole)])
        before, text = text, printer.file(declarations)
        if text == before:
            break
    return text, []


def print_declarations(declarations: Iterable[syntax.Declaration]) -> str:
    """Declarations that come from no file, such as a test made from a counterexample."""
    return _Printer("", []).file(list(declarations))


def print_expression(expression: syntax.Expression) -> str:
    """An expression on one line."""
    return _flat(expression, 0)


# Expressions


_BINARY_LEVEL = {
    "??": 5, "+": 6, "-": 6, "union": 6, "intersect": 6, "minus": 6, "*": 7,
}  # fmt: skip
"""How tightly an operator binds; comparisons bind at 4."""


def _level(node: syntax.Expression) -> int:
    match node:
        case syntax.Conditional() | syntax.Lambda():
            return 0
        case syntax.Or():
            return 1
        case syntax.And():
            return 2
        case syntax.Unary("not"):
            return 3
        case syntax.Binary(operator):
            return _BINARY_LEVEL.get(operator, 4)
        case syntax.Has() | syntax.Is() | syntax.Like():
            return 4
        case syntax.Unary():
            return 8
        case _:
            return 9


def _flat(node: syntax.Expression, least: int) -> str:
    """The expression on one line, in parentheses if it binds less tightly than its place asks for."""
    text = _one_line(node)
    return f"({text})" if _level(node) < least else text


def _one_line(node: syntax.Expression) -> str:
    match node:
        case syntax.RequestVariable(name) | syntax.Name(name):
            return name
        case syntax.Boolean(value):
            return "true" if value else "false"
        case syntax.Integer(value):
            return f"{value:_}" if value >= 10_000 else str(value)
        case syntax.DecimalNumber(value) | syntax.TimeSpan(value):
            return str(value)
        case syntax.String(value):
            return quote(value)
        case syntax.EntityReference(type, id):
            return f"{type}::{quote(id)}"
        case syntax.Access(base, name):
            return f"{_flat(base, 9)}.{name}"
        case syntax.Has(base, path):
            return f"{_flat(base, 5)} has {'.'.join(path)}"
        case syntax.Is(base, type):
            return f"{_flat(base, 5)} is {type}"
        case syntax.Like(base, pattern):
            return f"{_flat(base, 5)} like {_pattern(pattern)}"
        case syntax.Unary("not", operand):
            return f"not {_flat(operand, 3)}"
        case syntax.Unary(operator, operand):
            return f"{operator}{_flat(operand, 8)}"
        case syntax.Binary(operator, left, right):
            level = _BINARY_LEVEL.get(operator, 4)
            before, after = (6, 6) if level == 4 else (level, level + 1)
            return f"{_flat(left, before)} {operator} {_flat(right, after)}"
        case syntax.And(operands):
            return " and ".join(_flat(operand, 3) for operand in operands)
        case syntax.Or(operands):
            return " or ".join(_flat(operand, 3) for operand in operands)
        case syntax.Conditional(condition, then, otherwise):
            return f"if {_flat(condition, 0)} then {_flat(then, 0)} else {_flat(otherwise, 0)}"
        case syntax.SetLiteral(elements):
            return "{" + ", ".join(_elements(elements)) + "}"
        case syntax.RecordLiteral(fields):
            inside = ", ".join(f"{item.name}: {_flat(item.value, 0)}" for item in fields)
            return f"{{ {inside} }}" if fields else "{}"
        case syntax.Call(function, arguments):
            return f"{function}({', '.join(_flat(argument, 0) for argument in arguments)})"
        case syntax.Lambda(parameter, body):
            return f"{parameter} => {_flat(body, 0)}"
        case syntax.MethodCall(base, method, arguments):
            inside = ", ".join(_flat(argument, 0) for argument in arguments)
            return f"{_flat(base, 9)}.{method}({inside})"
        case _:
            assert_never(node)


def _elements(elements: Sequence[syntax.Expression]) -> Iterator[str]:
    """After the brace a word of the language names a field, or is all of the first element."""
    for number, element in enumerate(elements):
        text = _one_line(element)
        word = re.match(r"\w*", text)
        is_word = word is not None and word[0] != text and word[0] in _words()
        yield f"({text})" if number == 0 and is_word else text


@cache
def _words() -> frozenset[str]:
    """The words of the language, without those that start an expression."""
    spoken = grammar().spoken.values()
    words = frozenset(text for text in spoken if re.fullmatch("[a-z_]+", text))
    return words - syntax.RESERVED - {"if", "not"}


def _pattern(pattern: tuple[str, ...]) -> str:
    pieces = (quote(piece)[1:-1].replace("*", "\\*") for piece in pattern)
    return '"' + "*".join(pieces) + '"'


def _template(template: syntax.Template) -> str:
    parts = (
        quote_template_text(part) if isinstance(part, str) else "{" + _flat(part, 0) + "}"
        for part in template.parts
    )
    return '"' + "".join(parts) + '"'


def _type(expression: syntax.TypeExpression) -> str:
    match expression:
        case syntax.TypeName(name):
            return name
        case syntax.UnionType(options):
            return " | ".join(option.name for option in options)
        case syntax.SetType(element):
            return f"Set<{_type(element)}>"
        case syntax.OptionalType(type=inner):
            return f"{_type(inner)}?"
        case syntax.RecordType(fields):
            inside = ", ".join(f"{item.name}: {_type(item.type)}" for item in fields)
            return f"{{ {inside} }}" if fields else "{}"
        case _:
            assert_never(expression)


def _names(references: Sequence[syntax.Reference], separator: str = ", ") -> str:
    return separator.join(reference.name for reference in references)


def _entities(references: Sequence[syntax.EntityReference], separator: str) -> str:
    return separator.join(_one_line(reference) for reference in references)


# Lines


@dataclass(frozen=True, slots=True)
class _Line:
    """A line to print and the stretch of the file it stands for, so that comments stay beside it."""

    text: str
    start: int
    end: int
    indent: int = 0


def _place(span: Span) -> tuple[int, int]:
    """Offsets in the file, or `(-1, -1)` for what no file says."""
    if span is NOWHERE:
        return -1, -1
    return span.fragment.offset + span.start, span.fragment.offset + span.end


@dataclass(slots=True)
class _Printer:
    """Collects output lines. `comments` are the places of comments that are still to be printed."""

    source: str
    comments: list[tuple[int, int]]
    lines: list[str] = field(default_factory=list)
    last: int = -1
    """Where in the file the last printed thing ends; -1 at the start of a block."""

    # Output

    def file(self, declarations: Sequence[syntax.Declaration]) -> str:
        before: syntax.Declaration | None = None
        for item in declarations:
            start, _ = _place(item.span)
            if before is not None and not self._stay_together(before, item, start):
                self._blank()
            self._comments_before(start, "")
            self._declaration(item)
            before = item
        if self.comments:
            self._comments_before(len(self.source) + 1, "")
        return "\n".join(self.lines).rstrip("\n") + "\n" if self.lines else ""

    def _stay_together(
        self, before: syntax.Declaration, item: syntax.Declaration, start: int
    ) -> bool:
        """Lines of `use`, and one-line declarations that stand together in the file."""
        if isinstance(before, syntax.Use) and isinstance(item, syntax.Use):
            return True
        one_line = (syntax.Entity, syntax.TypeAlias, syntax.Enum, syntax.ActionGroup)
        return (
            isinstance(before, one_line)
            and isinstance(item, one_line)
            and not item.doc
            and start >= 0
            and bool(self.lines)
            and not self.lines[-1].startswith("}")
            and not self._has_blank(start)
        )

    def _blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def _has_blank(self, start: int) -> bool:
        return (
            self.last >= 0
            and start >= 0
            and re.search(r"\n[ \t\r]*\n", self.source[self.last : start]) is not None
        )

    def _emit(self, text: str, start: int, end: int, indent: str) -> None:
        """One output line, after the comments that stand before it and a blank line if there was one."""
        self._comments_before(start, indent)
        if self._has_blank(start):
            self._blank()
        self.lines.append((indent + text).rstrip())
        if end >= 0:
            self.last = end
            self._comments_after(end)

    def _comments_before(self, start: int, indent: str) -> None:
        while self.comments and start >= 0 and self.comments[0][0] < start:
            begin, end = self.comments.pop(0)
            if self._has_blank(begin):
                self._blank()
            self.lines.append(indent + self.source[begin:end].rstrip())
            self.last = end

    def _comments_after(self, end: int) -> None:
        """A comment that ends the line of what was just printed stays there."""
        if self.comments:
            begin, stop = self.comments[0]
            between = self.source[end:begin]
            if begin >= end and "\n" not in between and not between.strip(" \t,{"):
                self.comments.pop(0)
                self.lines[-1] += "  " + self.source[begin:stop].rstrip()
                self.last = stop

    def _commented(self, span: Span) -> bool:
        """Whether a comment stands inside."""
        start, end = _place(span)
        return any(start < begin < end for begin, _ in self.comments)

    def _commented_inside(self, item: syntax.Declaration) -> bool:
        """Whether a comment stands after the name; one before it is printed above the declaration."""
        start, end = _place(item.name_span)[1], _place(item.span)[1]
        return any(start <= begin < end for begin, _ in self.comments)

    def _open(self, text: str, span: Span, head_end: int) -> None:
        self._emit(text, _place(span)[0], head_end, "")
        self.last = -1

    def _close(self, span: Span, text: str = "}") -> None:
        _, end = _place(span)
        self._comments_before(end - 1 if end >= 0 else -1, "  ")
        self.lines.append(text)
        self.last = end
        if end >= 0:
            self._comments_after(end)

    # Declarations

    def _declaration(self, item: syntax.Declaration) -> None:
        _, end = _place(item.span)
        head, head_end = _place(item.name_span)
        self._doc(item.doc, "")
        for annotation in item.annotations:
            self._emit(
                f"@{annotation.name}({quote(annotation.value)})", *_place(annotation.span), ""
            )
        self.last = -1
        match item:
            case syntax.Module(name):
                self._emit(f"module {name}", head, end, "")
            case syntax.Use(module, names):
                listed = f" ({_names(names)})" if names else ""
                self._emit(f"use {module}{listed}", head, end, "")
            case syntax.Enum():
                self._enum(item, head_end)
            case syntax.Entity():
                self._entity(item)
            case syntax.TypeAlias(name, syntax.RecordType(fields)):
                self._fields(f"type {name} =", fields, item)
            case syntax.TypeAlias(name, type):
                self._emit(f"type {name} = {_type(type)}", head, end, "")
            case syntax.ActionGroup(names, groups):
                inside = f" in {_names(groups)}" if groups else ""
                self._wrapped("action group ", names, inside, head, end)
            case syntax.Action():
                self._action(item, head, head_end)
            case syntax.Define():
                self._define(item, head)
            case syntax.Rule(effect, name, clauses):
                self._block(f"{effect} {name}", clauses, item, head_end)
            case syntax.Prove(name, clauses):
                self._block(f"prove {name}", clauses, item, head_end)
            case syntax.Test(name, clauses):
                self._block(f"test {name}", clauses, item, head_end)
            case _:
                raise AssertionError(f"{item!r} cannot be printed")
        self.last = end

    def _doc(self, doc: str, indent: str) -> None:
        for line in doc.split("\n") if doc else ():
            self.lines.append(f"{indent}/// {line}".rstrip())

    def _wrapped(
        self, before: str, names: Sequence[syntax.Reference], after: str, start: int, end: int
    ) -> None:
        """A list of names on as many lines as it needs."""
        lines, current = [], before
        for number, reference in enumerate(names):
            piece = reference.name + ("," if number + 1 < len(names) else after)
            if len(current) + len(piece) > WIDTH and current.strip():
                lines.append(current.rstrip())
                current = "    "
            current += piece + (" " if number + 1 < len(names) else "")
        lines.append(current)
        for number, line in enumerate(lines):
            last = number + 1 == len(lines)
            self._emit(line, start if number == 0 else -1, end if last else -1, "")

    def _broken_in_source(self, span: Span) -> bool:
        """Whether the file has a line break after the `{`."""
        text = span.text if span is not NOWHERE else ""
        return re.search(r"\{[ \t]*(//[^\n]*)?\r?\n", text) is not None

    def _enum(self, item: syntax.Enum, head_end: int) -> None:
        head = f"enum {item.name}{' ordered' if item.ordered else ''} {{"
        names = ", ".join(member.name for member in item.members)
        documented = any(member.doc for member in item.members)
        if not documented and not self._commented_inside(item):
            if len(head) + len(names) + 3 <= WIDTH and not self._broken_in_source(item.span):
                self._emit(
                    f"{head} {names} }}", _place(item.name_span)[0], _place(item.span)[1], ""
                )
                return
            if len(names) + 2 <= WIDTH:
                self._open(head, item.name_span, head_end)
                self.lines.append("  " + names)
                self._close(item.span)
                return
        self._open(head, item.name_span, head_end)
        for member in item.members:
            self._member_line(member.doc, member.name + ",", member.span)
        self._close(item.span)

    def _member_line(self, doc: str, text: str, span: Span) -> None:
        start, end = _place(span)
        self._comments_before(start, "  ")
        if doc and self.last >= 0 and self._has_blank(start):
            self._blank()
        self._doc(doc, "  ")
        if doc:
            self.last = -1
        self._emit(text, start, end, "  ")

    def _entity(self, item: syntax.Entity) -> None:
        head = f"{'abstract ' if item.abstract else ''}entity {item.name}"
        if item.extends is not None:
            head += f" extends {item.extends.name}"
        if item.parents:
            head += f" in {_names(item.parents, ' | ')}"
        if item.fields:
            self._fields(head, item.fields, item)
        else:
            self._emit(head, _place(item.name_span)[0], _place(item.span)[1], "")

    def _fields(self, head: str, fields: Sequence[syntax.Field], item: syntax.Declaration) -> None:
        start, head_end = _place(item.name_span)
        end = _place(item.span)[1]
        inside = ", ".join(f"{one.name}: {_type(one.type)}" for one in fields)
        line = f"{head} {{ {inside} }}" if fields else f"{head} {{}}"
        documented = any(one.doc for one in fields)
        fits = len(line) <= WIDTH and not documented
        if not fields or (
            fits and not self._broken_in_source(item.span) and not self._commented_inside(item)
        ):
            self._emit(line, start, end, "")
            return
        self._open(head + " {", item.name_span, head_end)
        for one in fields:
            self._member_line(one.doc, f"{one.name}: {_type(one.type)}", one.span)
        self._close(item.span)

    def _action(self, item: syntax.Action, start: int, head_end: int) -> None:
        inside = f" in {_names(item.groups)} {{" if item.groups else " {"
        self._wrapped("action ", item.names, inside, start, head_end)
        self.last = -1
        parts = [
            ("principal", _names(item.principals, " | "), item.principals[0].span),
            ("resource", _names(item.resources, " | "), item.resources[0].span),
        ]
        if item.context.fields:
            parts.append(("context", _type(item.context), item.context.span))
        if item.effects:
            effects = ", ".join(
                f"{_flat(one.target, 9)} = {_flat(one.value, 0)}" for one in item.effects
            )
            parts.append(("effects", f"{{ {effects} }}", item.effects[0].span))
        for keyword, text, span in parts:
            self._emit(keyword.ljust(CLAUSE) + text, *_place(span), "  ")
        self._close(item.span)

    def _define(self, item: syntax.Define, start: int) -> None:
        parameters = ", ".join(f"{one.name}: {_type(one.type)}" for one in item.parameters)
        head = f"define {item.name}({parameters}) -> {_type(item.result)} ="
        body_start, body_end = _place(item.body.span)
        stays = "\n" not in self.source[_place(item.result.span)[1] : body_start]
        if not isinstance(item.body, syntax.Table) and stays:
            text = f"{head} {_flat(item.body, 0)}"
            if len(text) <= WIDTH and not self._commented_inside(item):
                self._emit(text, start, body_end, "")
                return
        self._emit(head, start, _place(item.result.span)[1], "")
        self.last = -1
        if isinstance(item.body, syntax.Table):
            values = [_flat(row.value, 0) for row in item.body.rows]
            width = max(len("otherwise"), *map(len, values))
            for row, value in zip(item.body.rows, values, strict=True):
                text = f"{value.ljust(width)} when {_flat(row.condition, 0)},"
                self._emit(text, *_place(row.span), "  ")
            last = f"{'otherwise'.ljust(width)} {_flat(item.body.otherwise, 0)}"
            self._emit(last, *_place(item.body.otherwise.span), "  ")
        else:
            self._expression("", item.body, "  ")

    # Clauses

    def _block(
        self, head: str, clauses: Sequence[syntax.Node], item: syntax.Declaration, head_end: int
    ) -> None:
        if not clauses and not self._commented_inside(item):
            self._emit(head + " {}", _place(item.name_span)[0], _place(item.span)[1], "")
            return
        self._open(head + " {", item.name_span, head_end)
        for clause in clauses:
            self._clause(clause)
        self._close(item.span)

    def _clause(self, clause: syntax.Node) -> None:
        start, end = _place(clause.span)
        match clause:
            case syntax.When(condition):
                self._expression("when", condition, "  ")
            case syntax.Unless(condition):
                self._expression("unless", condition, "  ")
            case syntax.Need(condition, message):
                self._expression("need", condition, "  ")
                if message is not None:
                    text = _template(message)
                    self._emit(text, *_place(message.span), " " * (CLAUSE + 2))
            case syntax.PermittedOnlyIf(condition):
                self._emit(f"permitted only if {_flat(condition, 0)}", start, end, "  ")
            case syntax.HeldUnless(condition):
                self._emit(f"held unless {_flat(condition, 0)}", start, end, "  ")
            case syntax.Given(role, entity, parents, attributes):
                text = _keyword(role) + _one_line(entity)
                if parents:
                    text += " in " + _entities(parents, ", ")
                if attributes is None:
                    self._emit(text, start, end, "  ")
                else:
                    self._record(text + " ", attributes, start, end)
            case syntax.TestContext(value):
                self._record(_keyword("context"), value, start, end)
            case _:
                self._emit(_clause_text(clause), start, end, "  ")

    def _record(self, before: str, record: syntax.RecordLiteral, start: int, end: int) -> None:
        """A record on one line where it fits, else one field on each line."""
        text = before + _one_line(record)
        if len(text) + 2 <= WIDTH and not self._commented(record.span):
            self._emit(text, start, end, "  ")
            return
        self._emit(before + "{", start, _place(record.span)[0] + 1, "  ")
        for item in record.fields:
            self._emit(f"{item.name}: {_flat(item.value, 0)},", *_place(item.span), "    ")
        self._comments_before(end - 1, "    ")
        self._emit("}", -1, end, "  ")

    def _expression(self, keyword: str, node: syntax.Expression, indent: str) -> None:
        before = _keyword(keyword) if keyword else ""
        for number, line in enumerate(self._layout(node, WIDTH - len(indent) - len(before))):
            text = (
                before + line.text if number == 0 else " " * (len(before) + line.indent) + line.text
            )
            self._emit(text, line.start, line.end, indent)

    def _layout(self, node: syntax.Expression, width: int) -> list[_Line]:
        """An expression on one line where it fits and holds no comment, else broken at its outermost operator."""
        start, end = _place(node.span)
        text = _flat(node, 0)
        if len(text) <= width and not self._commented(node.span):
            return [_Line(text, start, end)]
        match node:
            case syntax.And(operands):
                return self._operands("and", operands, 3, width)
            case syntax.Or(operands):
                return self._operands("or", operands, 3, width)
            case syntax.Conditional(condition, then, otherwise):
                return [
                    *self._prefixed("if ", condition, 0, width),
                    *self._prefixed("then ", then, 0, width),
                    *self._prefixed("else ", otherwise, 0, width),
                ]
            case _:
                return [_Line(text, start, end)]

    def _operands(
        self, word: str, operands: Sequence[syntax.Expression], least: int, width: int
    ) -> list[_Line]:
        lines: list[_Line] = []
        for number, operand in enumerate(operands):
            lines += self._prefixed(f"{word} " if number else "", operand, least, width)
        return lines

    def _prefixed(
        self, before: str, node: syntax.Expression, least: int, width: int
    ) -> list[_Line]:
        bracket = "(" if _level(node) < least else ""
        lines = self._layout(node, width - len(before) - 2 * len(bracket))
        first, last = lines[0], lines[-1]
        lines[0] = _Line(before + bracket + first.text, first.start, first.end, first.indent)
        step = len(before) + len(bracket)
        lines[1:] = [_Line(one.text, one.start, one.end, one.indent + step) for one in lines[1:]]
        if bracket:
            last = lines[-1]
            lines[-1] = _Line(last.text + ")", last.start, last.end, last.indent)
        return lines


def _keyword(word: str) -> str:
    return word.ljust(CLAUSE)


def _clause_text(clause: syntax.Node) -> str:
    match clause:
        case syntax.Scope(variable, types, ancestors, entities):
            parts = [_names(types, " | ")] if types else []
            if ancestors:
                parts.append("in " + _entities(ancestors, " | "))
            if entities:
                parts.append(_entities(entities, " | "))
            return _keyword(variable) + " ".join(parts)
        case syntax.ActionScope(names):
            return _keyword("action") + _names(names, " | ")
        case syntax.Because(message):
            return _keyword("because") + _template(message)
        case syntax.Instead(message):
            return _keyword("instead") + _template(message)
        case syntax.NeverPermitted():
            return "never permitted"
        case syntax.NeverFails():
            return "never fails"
        case syntax.AlwaysDenied():
            return "always denied"
        case syntax.AlwaysPermitted():
            return "always permitted"
        case syntax.DeniedBy(rule):
            return f"denied by {rule.name}"
        case syntax.AnySequence():
            return "for any sequence of permitted actions"
        case syntax.AlwaysExists(binder, condition):
            return f"always exists {binder.name}: {_type(binder.type)} where {_flat(condition, 0)}"
        case syntax.TestAction(action):
            return _keyword("action") + action.name
        case syntax.Expect(outcome, rules):
            by = f" by {_names(rules)}" if rules else ""
            return f"{_keyword('expect')}{outcome}{by}"
        case _:
            raise AssertionError(f"{clause!r} is not a clause")
