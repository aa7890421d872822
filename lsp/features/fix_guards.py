"""Guards of optional values: the one that is missing, and the one that is not needed."""

import re

from lsprotocol.types import TextEdit

from ...lang import syntax
from ...lang.diagnostics import Code, Diagnostic
from ...lang.source import Span
from ...lang.syntax import walk
from ...lang.typesystem import BOOL, DECIMAL, DURATION, INT, STRING, EnumType, SetOf, Type, present
from ..view import View
from .fix_tries import Change, mends
from .fix_words import Fixes


def guard(view: View, problem: Diagnostic) -> Fixes:
    """`has` before the condition that reads an optional value, or a value for when it is absent."""
    if problem.code is not Code.UNGUARDED_OPTIONAL:
        return
    entry = view.entry_at(problem.span.fragment.offset + problem.span.start)
    if entry is None:
        return
    item = entry[0].declaration
    node = next(
        (
            found
            for found in walk(item)
            if (found.span.start, found.span.end) == (problem.span.start, problem.span.end)
            and isinstance(found, syntax.Access | syntax.Name | syntax.MethodCall)
        ),
        None,
    )
    if node is None:
        return
    text = problem.span.text
    if isinstance(node, syntax.Access):
        condition = _condition_around(item, node, view, entry[0].tables.types)
        if condition is not None:
            text_of_guard = f"{node.base.span.text} has {node.name}"
            edits = _before(condition, text_of_guard)
            if mends(view, problem, edits):
                yield f"Guard with `{text_of_guard}`", _edits(view, problem, edits)
    type = entry[0].tables.types.get(id(node))
    default = default_of(present(type)) if type is not None else None
    if default is not None:
        edits = [(problem.span.start, problem.span.end, f"({text} ?? {default})")]
        if mends(view, problem, edits):
            yield f"Say what it is when absent: `{text} ?? {default}`", _edits(view, problem, edits)


def ask_for_type(view: View, problem: Diagnostic) -> Fixes:
    """`is` before the condition that reads an attribute which only some of the types have."""
    match = re.search(r"ask first whether it is one that has: `is ([\w.]+)`", problem.help or "")
    entry = view.entry_at(problem.span.fragment.offset + problem.span.start)
    if match is None or entry is None:
        return
    item = entry[0].declaration
    for node in walk(item):
        if isinstance(node, syntax.Access) and node.name_span == problem.span:
            condition = _condition_around(item, node, view, entry[0].tables.types)
            if condition is None:
                continue
            edits = _before(condition, f"{node.base.span.text} is {match[1]}")
            if mends(view, problem, edits):
                yield (
                    f"Guard with `{node.base.span.text} is {match[1]}`",
                    _edits(view, problem, edits),
                )


def _before(condition: syntax.Expression, guard: str) -> list[Change]:
    """The changes that put a guard before a condition."""
    opened = isinstance(condition, syntax.Or | syntax.Conditional)
    start, end = condition.span.start, condition.span.end
    changes = [(start, start, f"{guard} and {'(' if opened else ''}")]
    return [*changes, (end, end, ")")] if opened else changes


def _condition_around(
    item: syntax.Declaration, node: syntax.Expression, view: View, types: dict[int, Type]
) -> syntax.Expression | None:
    """The smallest operand of a condition that holds a node."""
    found: syntax.Expression | None = None
    for one in walk(item):
        candidates: tuple[syntax.Expression, ...] = ()
        match one:
            case syntax.And(operands) | syntax.Or(operands):
                candidates = operands
            case syntax.When(condition) | syntax.Unless(condition) | syntax.Need(condition):
                candidates = (condition,)
            case syntax.PermittedOnlyIf(condition) | syntax.HeldUnless(condition):
                candidates = (condition,)
            case syntax.Lambda(body=body) if types.get(id(body)) == BOOL:
                candidates = (body,)
            case syntax.Define(body=body) if not isinstance(body, syntax.Table):
                candidates = (body,) if types.get(id(body)) == BOOL else ()
            case _:
                continue
        for candidate in candidates:
            inside = candidate.span.start <= node.span.start and node.span.end <= candidate.span.end
            if inside and (
                found is None
                or candidate.span.end - candidate.span.start <= found.span.end - found.span.start
            ):
                found = candidate
    return found


DEFAULTS = {str(type): value for type, value in (
    (BOOL, "false"), (INT, "0"), (DECIMAL, "0.0"), (STRING, '""'), (DURATION, "0s"),
)}  # fmt: skip
"""The plainest value of each type that has one, by the name of the type."""


def default_of(type: Type) -> str | None:
    match type:
        case EnumType(_, members):
            return members[0]
        case SetOf():
            return "{}"
        case _:
            return DEFAULTS.get(str(type))


def _edits(view: View, problem: Diagnostic, changes: list[Change]) -> list[TextEdit]:
    fragment = problem.span.fragment
    return [view.edit(Span(fragment, start, end), text) for start, end, text in changes]


def useless(view: View, problem: Diagnostic) -> Fixes:
    """A guard of what is always there."""
    if problem.code is not Code.USELESS_GUARD or not (problem.help or "").startswith("remove"):
        return
    entry = view.entry_at(problem.span.fragment.offset + problem.span.start)
    if entry is None:
        return
    for node in walk(entry[0].declaration):
        bounds = (node.span.start, node.span.end)
        match node:
            case syntax.Binary("??", left) if bounds == (problem.span.start, problem.span.end):
                end = Span(node.span.fragment, left.span.end, node.span.end)
                yield "Remove the `??`", [view.edit(end, "")]
            case syntax.And(operands):
                for index, one in enumerate(operands):
                    if (one.span.start, one.span.end) == (problem.span.start, problem.span.end):
                        first = index == 0
                        start = one.span.start if first else operands[index - 1].span.end
                        stop = operands[1].span.start if first else one.span.end
                        span = Span(node.span.fragment, start, stop)
                        yield "Remove the guard", [view.edit(span, "")]
            case _:
                pass
