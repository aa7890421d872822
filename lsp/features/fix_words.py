"""A word for another: what was meant, what its module is, and what another language writes."""

import re
from collections.abc import Iterator

from lsprotocol.types import TextEdit

from ...lang import syntax
from ...lang.diagnostics import Code, Diagnostic
from ...lang.grammar_state import state_after
from ...lang.source import Span
from ...lang.syntax import walk
from ...lang.values import quote
from ..exports import exports, unread
from ..repair import MAX_CHARACTERS
from ..symbols import Kind
from ..view import View, whole
from .fix_tries import mends
from .imports import import_edit, use_edit

Fixes = Iterator[tuple[str, list[TextEdit] | dict[str, list[TextEdit]]]]
"""Titles and edits; edits of other files go by the file."""

_DID_YOU_MEAN = re.compile(r"did you mean `([^`]+)`\?")
_WRITE = re.compile(r"write `([^`]+)`")
_ADD_USE = re.compile(r"add `use ([^` ]+) \(([^`)]+)\)`")
_OPEN_BRACE = re.compile(r"(?<!\\)\{(?![^{}\"]*\})")
_OPEN_BRACE_ALONE = re.compile(r"\{")
_IMPORTED = {
    Code.UNKNOWN_TYPE: frozenset({Kind.ENTITY, Kind.ENUM, Kind.ALIAS}),
    Code.UNKNOWN_FUNCTION: frozenset({Kind.DEFINE}),
    Code.UNKNOWN_NAME: frozenset({Kind.ENUM}),
}
"""What a name that is not known can be."""
_OTHER_QUOTES = re.compile(r"(['`])([^'`\r\n]*)\1")
_PLAIN = ("false", "0", "0.0", '""', "0s")
_WRITTEN_WRONG = ("&&", "||", "&", "|", "!", ";", "=", "[", "]", "#")


def did_you_mean(view: View, problem: Diagnostic) -> Fixes:
    match = _DID_YOU_MEAN.search(problem.help or "")
    if match is not None:
        yield f"Change to `{match[1]}`", [view.edit(problem.span, match[1])]


def name_member(view: View, problem: Diagnostic) -> Fixes:
    """One of the members that an enum has."""
    match = re.match("its members are (.+)", problem.help or "")
    for name in re.findall(r"`([^`]+)`", match[1])[:5] if match is not None else ():
        yield f"Change to `{name}`", [view.edit(problem.span, name)]


def add_use(view: View, problem: Diagnostic) -> Fixes:
    match = _ADD_USE.search(problem.help or "")
    candidates = [(match[1], match[2])] if match is not None else []
    name, kinds = problem.span.text, _IMPORTED.get(problem.code, frozenset())
    for module in view.modules_with(name) if kinds and match is None else ():
        found = (export for export in exports(view, module) if export.name == name)
        # Of what is declared, only an enum begins a value, and only before the dot of a member.
        after = problem.span.fragment.text[problem.span.end :].lstrip()
        if any(export.kind in kinds for export in found) and (
            problem.code is not Code.UNKNOWN_NAME or after.startswith(".")
        ):
            candidates.append((module, name))
    for module, name in candidates:
        edit = import_edit(view, module, name)
        if edit is not None:
            yield f"Add `use {module} ({name})`", [edit]
    if problem.code is Code.UNKNOWN_ACTION:
        lines = {
            export.use: None
            for export in unread(view)
            if not export.is_imported and f".{export.name}".endswith(f".{problem.span.text}")
        }
        for line in lines:
            yield f"Add `{line}`", [use_edit(view, line)]


def write(view: View, problem: Diagnostic) -> Fixes:
    """A text that the help says to write instead."""
    help_line, span = problem.help or "", problem.span
    match = _WRITE.match(help_line)
    if match is not None and problem.code in (
        Code.UNKNOWN_NAME,
        Code.TYPE_MISMATCH,
        Code.AMBIGUOUS_NAME,
    ):
        yield f"Write `{match[1]}`", [view.edit(span, match[1])]
    if problem.code is Code.AMBIGUOUS_NAME and help_line == "write the whole name":
        for name in view.analysis.names.schema.actions:
            if name.endswith(f".{span.text}"):
                yield f"Write `{name}`", [view.edit(span, name)]
    match = re.match(r"name one of its types: (.+)", help_line)
    if match is not None and "::" in span.text:
        for name in re.findall(r"`([^`]+)`", match[1])[:5]:
            yield f"Name a `{name}`", [view.edit(span, f"{name}::{span.text.split('::', 1)[1]}")]
    match = re.match(r"for example (`.+)", help_line)
    if match is not None and problem.code is Code.UNKNOWN_ACTION:
        for name in re.findall(r"`([^`]+)`", match[1]):
            yield f"Name `{name}`", [view.edit(span, name)]


def write_other_words(view: View, problem: Diagnostic) -> Fixes:
    """What people write who have another language in their fingers."""
    if problem.code is not Code.SYNTAX_ERROR:
        return
    help_line, span = problem.help or "", problem.span
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
    elif wrong == "#":
        marks = re.compile("#+").match(text, span.start)
        end = marks.end() if marks is not None else span.end
        yield "Write `//`", [view.edit(Span(span.fragment, span.start, end), "//")]
    elif help_line.startswith("sets are written"):
        closed = text.find("]", span.start)
        if closed >= 0:
            closing = Span(span.fragment, closed, closed + 1)
            yield "Write `{…}`", [view.edit(span, "{"), view.edit(closing, "}")]


def double_quotes(view: View, problem: Diagnostic) -> Fixes:
    """A text in other quotes than the language has."""
    span = problem.span
    if not (problem.help or "").startswith("strings stand in double quotes"):
        return
    match = _OTHER_QUOTES.search(span.fragment.text, span.start)
    if match is not None:
        text = quote(match[2])
        place = Span(span.fragment, match.start(), match.end())
        yield f"Write `{text}`", [view.edit(place, text)]


def complete(view: View, problem: Diagnostic) -> Fixes:
    """What is missing before a word that comes too early: a bracket, or the other value of an `if`."""
    fragment, start = problem.span.fragment, problem.span.start
    if problem.code is not Code.SYNTAX_ERROR or len(fragment.text) > MAX_CHARACTERS:
        return
    before = len(fragment.text[:start].rstrip())
    state = state_after(fragment.text[:before])
    closed = state.after("RPAR", "")
    tries = {
        ")": state.takes("RPAR"),
        "}": state.takes("RBRACE"),
        "))": closed is not None and closed.takes("RPAR"),
        **dict.fromkeys((f" else {value}" for value in _PLAIN), state.takes("ELSE")),
    }
    at_end = start >= len(whole(fragment).text)
    for missing, fits in tries.items():
        # What is open at the end is closed at once by another fix.
        if not fits or (at_end and "else" not in missing):
            continue
        if mends(view, problem, [(before, before, missing)]):
            yield f"Add `{missing.strip()}`", [view.edit(Span(fragment, before, before), missing)]
            return


def write_marks(view: View, problem: Diagnostic) -> Fixes:
    """A mark too many or one too few."""
    help_line, span = problem.help or "", problem.span
    fragment = span.fragment
    if help_line.startswith("write `\\{`"):
        opened = _OPEN_BRACE.search(fragment.text, span.start, span.end) or _OPEN_BRACE_ALONE.match(
            fragment.text, span.start
        )
        if opened is not None:
            place = Span(fragment, opened.start(), opened.start())
            yield "Write `\\{`", [view.edit(place, "\\")]
    match = re.match(r"write `(\.\w+)` without parentheses", help_line)
    parentheses = re.compile(r"\s*\(\s*\)").match(fragment.text, span.end)
    if match is not None and parentheses is not None:
        yield f"Write `{match[1]}`", [view.edit(Span(fragment, span.end, parentheses.end()), "")]
    if help_line == "remove the `?`":
        yield "Remove the `?`", [view.edit(Span(fragment, span.end - 1, span.end), "")]
    if problem.message == "this documentation is of nothing":
        marks = re.compile("///").finditer(fragment.text, span.start, span.end)
        edits = [view.edit(Span(fragment, one.start(), one.end()), "//") for one in marks]
        yield "Make it a comment", edits


def close(view: View, problem: Diagnostic) -> Fixes:
    """The brackets that a declaration leaves open at its end."""
    fragment = problem.span.fragment
    text = whole(fragment).text
    if problem.code is not Code.SYNTAX_ERROR or problem.span.start < len(text):
        return
    state = state_after(text)
    rest = "".join((state.completion("") or "").split()) if state.text == text else ""
    if rest and not rest.strip(")}"):
        closing = f"\n{rest}" if "\n" in text and rest == "}" else rest
        yield f"Add `{rest}`", [view.edit(Span(fragment, len(text), len(text)), closing)]


def ask_with_in(view: View, problem: Diagnostic) -> Fixes:
    """A group is not one action, so that it is asked whether an action is in it."""
    entry = view.entry_at(problem.span.fragment.offset + problem.span.start)
    if problem.help != "ask with `in`" or entry is None:
        return
    for node in walk(entry[0].declaration):
        if isinstance(node, syntax.Binary) and node.operator == "==":
            left, right = node.left.span, node.right.span
            if problem.span in (left, right):
                text = node.span.fragment.text
                start = text.index("==", left.end, right.start)
                yield "Ask with `in`", [view.edit(Span(left.fragment, start, start + 2), "in")]
