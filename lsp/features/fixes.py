"""What mends a problem: the edits that its help line describes, each tried before it is offered."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lsprotocol.types import Range, TextEdit

from ...lang import syntax
from ...lang.checker import walk
from ...lang.diagnostics import Code, Diagnostic, Severity
from ...lang.parser import parse_fragment
from ...lang.source import Fragment, Span
from ...lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INT,
    STRING,
    EnumType,
    SetOf,
    Type,
    present,
)
from ..occurrences import declaring
from ..symbols import Kind, Symbol
from ..view import View, whole
from .imports import import_edit, removal_edit

_DID_YOU_MEAN = re.compile(r"did you mean `([^`]+)`\?")
_WRITE = re.compile(r"write `([^`]+)`")
_ADD_USE = re.compile(r"add `use ([^` ]+) \(([^`)]+)\)`")
_WRITTEN_WRONG = ("&&", "||", "&", "|", "!", ";", "=", "[", "]", "#")


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits of one or more files that mend a problem; the preferred one is what a single key applies."""

    title: str
    problem: Diagnostic | None
    edits: dict[str, list[TextEdit]]
    is_preferred: bool = False


def fixes(view: View, range: Range) -> list[Fix]:
    """Every fix of every problem that a range touches."""
    start, end = view.span_of(range)
    found: list[Fix] = []
    for problem in view.analysis.problems.get(view.file, []):
        offset = problem.span.fragment.offset
        if offset + problem.span.start <= end and start <= offset + problem.span.end:
            found += fixes_of(view, problem)
    return found


def fix_all(view: View) -> list[TextEdit]:
    """The edits that change nothing but what is not needed: unused imports, guards of what is always there."""
    edits: list[TextEdit] = []
    for problem in view.analysis.problems.get(view.file, []):
        if problem.code in (Code.UNUSED_IMPORT, Code.USELESS_GUARD):
            for fix in fixes_of(view, problem)[:1]:
                new = fix.edits.get(view.file, [])
                if not any(_overlap(one, other) for one in new for other in edits):
                    edits += new
    return edits


def fixes_of(view: View, problem: Diagnostic) -> list[Fix]:
    found: list[Fix] = []
    for maker in _MAKERS:
        for title, edits in maker(view, problem):
            by_file = edits if isinstance(edits, dict) else {view.file: edits}
            found.append(Fix(title, problem, by_file, is_preferred=not found))
    return found


_Edits = list[TextEdit] | dict[str, list[TextEdit]]
_Maker = Callable[[View, Diagnostic], Iterator[tuple[str, _Edits]]]


def _overlap(one: TextEdit, other: TextEdit) -> bool:
    def key(place: TextEdit) -> tuple[tuple[int, int], tuple[int, int]]:
        start, end = place.range.start, place.range.end
        return (start.line, start.character), (end.line, end.character)

    (start, end), (other_start, other_end) = key(one), key(other)
    return start < other_end and other_start < end


# Names


def _did_you_mean(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    match = _DID_YOU_MEAN.search(problem.help or "")
    if match is not None:
        yield f"Change to `{match[1]}`", [view.edit(problem.span, match[1])]


def _add_use(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    match = _ADD_USE.search(problem.help or "")
    candidates = [(match[1], match[2])] if match is not None else []
    if problem.code in (Code.UNKNOWN_TYPE, Code.UNKNOWN_NAME, Code.UNKNOWN_FUNCTION) and not match:
        name = problem.span.text
        candidates = [(module, name) for module in view.modules_with(name)]
    for module, name in candidates:
        edit = import_edit(view, module, name)
        if edit is not None:
            yield f"Add `use {module} ({name})`", [edit]


def _write(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    """A text that the help says to write instead."""
    help_line = problem.help or ""
    span = problem.span
    if problem.code is Code.SYNTAX_ERROR:
        text = span.fragment.text
        wrong = next((one for one in _WRITTEN_WRONG if text.startswith(one, span.start)), None)
        if wrong is None:
            return
        span = Span(span.fragment, span.start, span.start + len(wrong))
        match = re.match(r"write `(and|or|not)`", help_line)
        if match is not None:
            after = " " if match[1] == "not" else ""
            yield f"Write `{match[1]}`", [view.edit(span, match[1] + after)]
        elif help_line.startswith("compare with `==`"):
            yield "Compare with `==`", [view.edit(span, "==")]
        elif wrong == ";":
            yield "Remove the `;`", [view.edit(span, "")]
        return
    match = _WRITE.match(help_line)
    if match is not None and problem.code in (
        Code.UNKNOWN_NAME,
        Code.TYPE_MISMATCH,
        Code.AMBIGUOUS_NAME,
    ):
        yield f"Write `{match[1]}`", [view.edit(span, match[1])]
    match = re.match(r"name one of its types: (.+)", help_line)
    if match is not None and "::" in span.text:
        for name in re.findall(r"`([^`]+)`", match[1])[:5]:
            yield f"Name a `{name}`", [view.edit(span, f"{name}::{span.text.split('::', 1)[1]}")]


def _without_quotes(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    """A member of an enum that is written as a text."""
    entry = view.entry_at(problem.span.fragment.offset + problem.span.start)
    if "written without quotes" not in (problem.help or "") or entry is None:
        return
    enums = view.analysis.names.schema.enums.values()
    members = {member for enum in enums for member in enum.members}
    for node in walk(entry[0].declaration):
        inside = problem.span.start <= node.span.start and node.span.end <= problem.span.end
        if isinstance(node, syntax.String) and inside and node.value in members:
            yield f"Write `{node.value}`", [view.edit(node.span, node.value)]


def _remove(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    match problem.code:
        case Code.UNUSED_IMPORT:
            edit = removal_edit(view, problem.span)
            if edit is not None:
                yield f"Remove `{problem.span.text}`", [edit]
        case Code.HIDDEN_CHARACTER:
            yield "Remove the hidden character", [view.edit(problem.span, "")]
        case Code.REPEATED_CLAUSE:
            yield "Remove this clause", [view.edit(_line_of(problem.span), "")]
        case Code.IMPOSSIBLE_SCOPE:
            edit = _without_alternative(view, problem.span)
            if edit is not None:
                yield f"Remove `{problem.span.text}`", [edit]
        case _:
            pass


def _line_of(span: Span) -> Span:
    """A clause with the space before it, back to the end of the line above."""
    before = span.fragment.text[: span.start]
    return Span(span.fragment, len(before.rstrip()), span.end)


def _without_alternative(view: View, span: Span) -> TextEdit | None:
    text = span.fragment.text
    after = re.compile(r"\s*\|\s*").match(text, span.end)
    if after is not None:
        return view.edit(Span(span.fragment, span.start, after.end()), "")
    before = re.search(r"\s*\|\s*\Z", text[: span.start])
    if before is not None:
        return view.edit(Span(span.fragment, before.start(), span.end), "")
    return None


# Guards


def _guard(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
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
            guard = f"{node.base.span.text} has {node.name} and "
            opened = isinstance(condition, syntax.Or | syntax.Conditional)
            edits = [(condition.span.start, condition.span.start, guard + ("(" if opened else ""))]
            if opened:
                edits.append((condition.span.end, condition.span.end, ")"))
            if _mends(view, problem, edits):
                yield f"Guard with `{guard.removesuffix(' and ')}`", _edits(view, problem, edits)
    type = entry[0].tables.types.get(id(node))
    default = _default(present(type)) if type is not None else None
    if default is not None:
        edits = [(problem.span.start, problem.span.end, f"({text} ?? {default})")]
        if _mends(view, problem, edits):
            yield f"Say what it is when absent: `{text} ?? {default}`", _edits(view, problem, edits)


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


_DEFAULTS: dict[Type, str] = {
    BOOL: "false", INT: "0", DECIMAL: "0.0", STRING: '""', DURATION: "0s",
}  # fmt: skip


def _default(type: Type) -> str | None:
    match type:
        case EnumType(_, members):
            return members[0]
        case SetOf():
            return "{}"
        case _:
            return _DEFAULTS.get(type)


_Change = tuple[int, int, str]


def _edits(view: View, problem: Diagnostic, changes: list[_Change]) -> list[TextEdit]:
    fragment = problem.span.fragment
    return [view.edit(Span(fragment, start, end), text) for start, end, text in changes]


def _mends(view: View, problem: Diagnostic, changes: list[_Change]) -> bool:
    """Whether the declaration has fewer errors once it is changed."""
    fragment = problem.span.fragment
    text = fragment.text
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    entry = view.entry_at(fragment.offset)
    declaration, problems = parse_fragment(Fragment(fragment.file, text))
    if entry is None or isinstance(declaration, syntax.Broken):
        return False
    _, more = view.analysis.check_alone(declaration, entry[0].module)
    before = _errors(entry[0].problems)
    return _errors(problems + more) < before


def _errors(problems: list[Diagnostic]) -> int:
    return sum(problem.severity is Severity.ERROR for problem in problems)


def _useless(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
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


# Clauses and declarations


def _missing(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    """The clause that a declaration lacks, with names that exist."""
    if problem.code is not Code.MISSING_CLAUSE:
        return
    match = re.search(r"`([a-z]+)([^`]*)`", problem.help or "")
    if match is None:
        return
    keyword, rest = match[1], match[2].strip()
    clause = _clause(view, keyword, rest, problem)
    fragment = problem.span.fragment
    text = fragment.text
    end = whole(fragment).end
    close = text.rfind("}", 0, end)
    if close < 0:
        return
    before = text[:close]
    line = before[before.rfind("\n") + 1 :]
    if line.strip():
        new, start = f" {clause} ", len(before.rstrip())
    else:
        new, start = f"\n  {clause}\n", len(before.rstrip())
    yield f"Add `{clause}`", [view.edit(Span(fragment, start, close), new)]


def _clause(view: View, keyword: str, rest: str, problem: Diagnostic) -> str:
    schema = view.analysis.names.schema
    padded = keyword.ljust(10) if keyword != "never" else "never "
    action = next(iter(schema.actions.values()), None)
    found = re.search(r"\baction\s+([\w.]+)", problem.span.fragment.text)
    if found is not None:
        ends = [one for name, one in schema.actions.items() if f".{name}".endswith(f".{found[1]}")]
        action = ends[0] if ends else action
    concrete = sorted(schema.concrete)
    admitted: dict[str, list[str]] = {
        "principal": sorted(action.principals) if action is not None else concrete,
        "resource": sorted(action.resources) if action is not None else concrete,
    }
    type = next(iter(admitted.get(keyword, concrete)), "TYPE")
    name = action.name if action is not None else "NAME"
    filled = rest.replace("TYPE", type).replace("NAME", name)
    filled = filled.replace("OUTCOME", "deny").replace("CONDITION", "false")
    return (padded + filled).rstrip() if keyword != "never" else f"never {filled}"


def _declare(view: View, problem: Diagnostic) -> Iterator[tuple[str, _Edits]]:
    """What a declaration elsewhere must say so that this is possible."""
    match = re.match(r"declare it as `enum ([\w.]+) ordered", problem.help or "")
    if problem.code is Code.UNORDERED_TYPE and match is not None:
        for entry, span in declaring(view.analysis, Symbol(Kind.ENUM, match[1])):
            if view.is_editable(entry.file):
                after = Span(span.fragment, span.end, span.end)
                yield f"Make `{match[1]}` ordered", {entry.file: [view.edit(after, " ordered")]}
    match = re.match(r"declare it with `entity ([\w.]+) in ([\w.]+)`", problem.help or "")
    if problem.code is Code.IMPOSSIBLE_PARENT and match is not None:
        for entry, span in declaring(view.analysis, Symbol(Kind.ENTITY, match[1])):
            item = entry.declaration
            if not view.is_editable(entry.file) or not isinstance(item, syntax.Entity):
                continue
            if item.parents:
                end, text = item.parents[-1].span.end, f" | {match[2]}"
            else:
                end = item.extends.span.end if item.extends is not None else span.end
                text = f" in {match[2]}"
            place = Span(span.fragment, end, end)
            yield f"Declare `{match[1]}` in `{match[2]}`", {entry.file: [view.edit(place, text)]}


_MAKERS: tuple[_Maker, ...] = (
    _did_you_mean, _add_use, _write, _without_quotes, _remove, _guard, _useless, _missing, _declare,
)  # fmt: skip
