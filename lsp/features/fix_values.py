"""Values written as another language or another type writes them; each mended text is checked before it is offered."""

import re
from collections.abc import Iterator

from lsprotocol.types import TextEdit

from ...lang import syntax
from ...lang.diagnostics import Code, Diagnostic
from ...lang.lookups import Seen
from ...lang.meanings import Defined
from ...lang.names import resolve_type, silent
from ...lang.scalars import read_ip_range
from ...lang.source import Span
from ...lang.syntax import walk
from ...lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    EntityType,
    EnumType,
    Type,
    is_subtype,
    present,
)
from ...lang.values import Instant, quote
from ..analysis import Entry
from ..symbols import fresh
from ..view import View
from .fix_guards import default_of
from .fix_tries import mends
from .fix_words import Fixes

_NULL = frozenset({"null", "None", "nil", "undefined", "NULL"})
_WRITTEN: dict[Type, str] = {
    INT: r"-?[0-9]+", DECIMAL: r"-?[0-9]+\.[0-9]+", BOOL: "true|false",
    DURATION: "(?:[0-9]+(?:w|d|h|ms|m|s|us|ns))+",
}  # fmt: skip
"""How the values of a type are written, where that is the same as in the text."""


def without_quotes(view: View, problem: Diagnostic) -> Fixes:
    """A text that reads as a value of the type that is needed."""
    entry = _entry(view, problem)
    if problem.code is not Code.TYPE_MISMATCH or entry is None:
        return
    for node, type in _texts(view, entry, problem.span):
        value = _value_of(type, node.value)
        if value is not None:
            yield from _tried(view, problem, f"Write `{value}`", node.span, value)


def _texts(view: View, entry: Entry, span: Span) -> Iterator[tuple[syntax.String, Type]]:
    """The texts in a place, each with the type that is needed there: of the other side, or what is expected."""
    expected: dict[int, Type] = {}

    def watch(seen: Seen) -> None:
        if seen.expected is not None:
            expected.setdefault(id(seen.node), present(seen.expected))

    view.analysis.check_alone(entry.declaration, entry.module, watch)
    for node in walk(entry.declaration):
        if isinstance(node, syntax.Binary) and node.operator not in ("in", "contains", "??"):
            for text, other in ((node.left, node.right), (node.right, node.left)):
                type = entry.tables.types.get(id(other))
                if isinstance(text, syntax.String) and type is not None:
                    expected[id(text)] = present(type)
    for node in walk(entry.declaration):
        if isinstance(node, syntax.String) and _is_inside(node.span, span) and id(node) in expected:
            yield node, expected[id(node)]


def _value_of(type: Type, text: str) -> str | None:
    """A text as the value of a type that says the same."""
    match type:
        case EnumType(members=members):
            return text if text in members else None
        case EntityType(types) if len(types) == 1:
            return f"{next(iter(types))}::{quote(text)}"
    if type == INSTANT and Instant.parse(text) is not None:
        return f"instant({quote(text)})"
    if type == IP_RANGE and read_ip_range(text) is not None:
        return f"ip({quote(text)})"
    return text if re.fullmatch(_WRITTEN.get(type, "(?!)"), text) else None


def without_null(view: View, problem: Diagnostic) -> Fixes:
    """A comparison with what another language calls nothing."""
    entry = _entry(view, problem)
    if problem.code not in (Code.UNKNOWN_NAME, Code.UNGUARDED_OPTIONAL) or entry is None:
        return
    for node in _comparisons(entry, problem.span):
        for null, other in ((node.right, node.left), (node.left, node.right)):
            is_null = isinstance(null, syntax.Name) and null.name in _NULL
            if is_null and isinstance(other, syntax.Access):
                has = f"{other.base.span.text} has {other.name}"
                text = has if node.operator == "!=" else f"not ({has})"
                yield from _tried(view, problem, f"Write `{text}`", node.span, text)


def ask_with_is(view: View, problem: Diagnostic) -> Fixes:
    """A type where a value is needed."""
    entry = _entry(view, problem)
    if problem.code is not Code.UNKNOWN_NAME or entry is None:
        return
    for node in _comparisons(entry, problem.span):
        if (node.right.span.start, node.right.span.end) == (problem.span.start, problem.span.end):
            asked = f"{node.left.span.text} is {problem.span.text}"
            text = f"not ({asked})" if node.operator == "!=" else asked
            yield from _tried(view, problem, f"Write `{text}`", node.span, text)


def _comparisons(entry: Entry, span: Span) -> Iterator[syntax.Binary]:
    """The comparisons of which a place is a side."""
    for node in walk(entry.declaration):
        if isinstance(node, syntax.Binary) and node.operator in ("==", "!=", "in"):
            sides = (node.left.span, node.right.span)
            if any((one.start, one.end) == (span.start, span.end) for one in sides):
                yield node


def arguments(view: View, problem: Diagnostic) -> Fixes:
    """A call with too many arguments without the last, one with too few with what fits."""
    entry = _entry(view, problem)
    if problem.code is not Code.WRONG_ARGUMENTS or entry is None:
        return
    variables: dict[str, Type] = {}

    def watch(seen: Seen) -> None:
        variables.update(seen.variables)

    view.analysis.check_alone(entry.declaration, entry.module, watch)
    for node in walk(entry.declaration):
        meaning = entry.tables.meanings.get(id(node))
        if not isinstance(node, syntax.Call) or not isinstance(meaning, Defined):
            continue
        if (node.span.start, node.span.end) != (problem.span.start, problem.span.end):
            continue
        define = view.analysis.entry_of(meaning.declaration)
        parameters = meaning.declaration.parameters
        given: list[str | None] = [one.span.text for one in node.arguments[: len(parameters)]]
        names = view.analysis.names
        for parameter in parameters[len(given) :] if define is not None else ():
            scope = names.scopes[define.module] if define is not None else None
            assert scope is not None
            given.append(_fitting(resolve_type(names, scope, parameter.type, silent), variables))
        if None not in given:
            text = f"{node.function}({', '.join(filter(None, given))})"
            yield from _tried(view, problem, f"Write `{text}`", node.span, text)


def _fitting(type: Type, variables: dict[str, Type]) -> str | None:
    """A name in sight that has the type, or the plainest value of it."""
    found = (name for name, known in variables.items() if is_subtype(known, type))
    return next(found, None) or default_of(present(type))


def another_name(view: View, problem: Diagnostic) -> Fixes:
    """A second rule, test, claim, member or field of one name."""
    entry = _entry(view, problem)
    if problem.code is not Code.DUPLICATE_NAME or entry is None:
        return
    name = problem.span.text
    match entry.declaration:
        case syntax.Rule() | syntax.Test() | syntax.Prove() as item if (
            item.name_span == problem.span
        ):
            entries = view.analysis.entries.values()
            taken = {getattr(one.declaration, "name", "") for one in entries}
        case syntax.Enum(members=members) if problem.message.startswith("a second"):
            taken = {member.name for member in members}
        case item if problem.message.startswith("a second field"):
            taken = {one.name for one in walk(item) if isinstance(one, syntax.Field)}
        case _:
            return
    new = fresh(name, taken)
    yield f"Rename to `{new}`", [view.edit(problem.span, new)]


def _tried(view: View, problem: Diagnostic, title: str, span: Span, text: str) -> Fixes:
    if mends(view, problem, [(span.start, span.end, text)]):
        edits: list[TextEdit] = [view.edit(span, text)]
        yield title, edits


def _entry(view: View, problem: Diagnostic) -> Entry | None:
    found = view.entry_at(problem.span.fragment.offset + problem.span.start)
    return found[0] if found is not None else None


def _is_inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
