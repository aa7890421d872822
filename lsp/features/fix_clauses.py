"""Clauses and declarations: the one that is missing, and the one that is too much."""

import re

from lsprotocol.types import TextEdit

from ...lang import syntax
from ...lang.diagnostics import Code, Diagnostic
from ...lang.source import Span
from ..occurrences import declaring
from ..symbols import Kind, Symbol
from ..view import View, whole
from .fix_guards import DEFAULTS
from .fix_words import Fixes
from .imports import removal_edit


def missing(view: View, problem: Diagnostic) -> Fixes:
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


def missing_field(view: View, problem: Diagnostic) -> Fixes:
    """A field that a record must have, with the plainest value of its type."""
    match = re.match(r"add `(\w+): …`, an? `([^`]+)`", problem.help or "")
    text = problem.span.text
    if match is None or not text.endswith("}"):
        return
    enum = view.analysis.names.schema.enums.get(match[2])
    value = enum.members[0] if enum is not None else DEFAULTS.get(match[2], "")
    if match[2].startswith("Set<"):
        value = "{}"
    if value:
        inside = text[1:-1].rstrip()
        comma = "," if inside.strip() and not inside.endswith(",") else ""
        start = problem.span.start + 1 + len(inside)
        place = Span(problem.span.fragment, start, problem.span.end - 1)
        after = text[1 + len(inside) : -1] or " "
        yield (
            f"Add `{match[1]}: {value}`",
            [view.edit(place, f"{comma} {match[1]}: {value}{after}")],
        )


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


def declare(view: View, problem: Diagnostic) -> Fixes:
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


def remove(view: View, problem: Diagnostic) -> Fixes:
    match problem.code:
        case Code.UNUSED_IMPORT:
            edit = removal_edit(view, problem.span)
            if edit is not None:
                yield f"Remove `{problem.span.text}`", [edit]
        case Code.HIDDEN_CHARACTER:
            yield "Remove the hidden character", [view.edit(problem.span, "")]
        case Code.REPEATED_CLAUSE if not problem.message.startswith("a second effect"):
            yield "Remove this clause", [view.edit(_line_of(problem.span), "")]
        case Code.MISPLACED_CLAUSE if problem.help == "move it up, or remove it":
            yield f"Remove `{problem.span.text}`", [view.edit(_line_of(problem.span), "")]
        case Code.MISPLACED_CLAUSE if problem.span.text.startswith("need"):
            fragment, start = problem.span.fragment, problem.span.start
            yield "Write `when`", [view.edit(Span(fragment, start, start + 4), "when")]
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
