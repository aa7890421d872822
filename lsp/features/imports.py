"""Edits of `use` declarations: to make a name of another module visible, and to take away what nobody needs."""

import re

from lsprotocol.types import TextEdit

from ...lang import syntax
from ...lang.source import Span
from ...lang.syntax import walk
from ..documents import Part
from ..view import View


def import_edit(view: View, module: str, *names: str) -> TextEdit | None:
    """The edit that brings names into the file; `None` where their module has no name or is used in whole."""
    name = ", ".join(names)
    if module.startswith("<"):
        return None
    for part in view.document.parts:
        item = part.declaration
        if isinstance(item, syntax.Use) and item.module == module:
            if not item.names:
                return None
            at = item.names[-1].span
            return view.edit(Span(at.fragment, at.end, at.end), f", {name}")
    return use_edit(view, f"use {module} ({name})")


def use_edit(view: View, line: str) -> TextEdit:
    """The edit that puts a `use` after those that are there."""
    last: Part | None = None
    for part in view.document.parts:
        if isinstance(part.declaration, syntax.Use):
            last = part
        elif isinstance(part.declaration, syntax.Module):
            last = last or part
    if last is not None:
        at_end = Span(last.fragment, last.declaration.span.end, last.declaration.span.end)
        before = "\n\n" if isinstance(last.declaration, syntax.Module) else "\n"
        return view.edit(at_end, before + line)
    start = view.document.parts[0].fragment.offset if view.document.parts else 0
    return view.edit_between(start, start, line + "\n\n")


def imports_for(view: View, declaration: syntax.Declaration) -> list[TextEdit] | None:
    """The edits after which the file sees every entity type that a declaration names; `None` if it cannot."""
    scope = view.scope
    if scope is None:
        return None
    wanted: dict[str, dict[str, None]] = {}
    entities = [node for node in walk(declaration) if isinstance(node, syntax.EntityReference)]
    for node in sorted(entities, key=lambda node: node.span.start):
        if node.type not in scope.symbols:
            for module in view.analysis.names.hidden.get(node.type, [])[:1]:
                wanted.setdefault(module, {})[node.type] = None
    edits = [import_edit(view, module, *names) for module, names in wanted.items()]
    return None if None in edits else [edit for edit in edits if edit is not None]


def removal_edit(view: View, unused: Span) -> TextEdit | None:
    """The edit that takes one name out of a `use`, or the whole `use` with its last name."""
    for part in view.document.parts:
        item = part.declaration
        if part.fragment is not unused.fragment or not isinstance(item, syntax.Use):
            continue
        spans = [reference.span for reference in item.names]
        if unused not in spans:
            return None
        if len(spans) == 1:
            text = part.fragment.text
            end = item.span.end
            line_end = re.compile(r"[ \t]*(\r\n|\r|\n)?").match(text, end)
            end = line_end.end() if line_end is not None else end
            return view.edit(Span(part.fragment, item.span.start, end), "")
        index = spans.index(unused)
        if index:
            return view.edit(Span(part.fragment, spans[index - 1].end, unused.end), "")
        return view.edit(Span(part.fragment, unused.start, spans[1].start), "")
    return None
