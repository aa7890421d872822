"""The shape of a file: what folds, what a growing selection takes next, and which module each `use` leads to."""

import re
from collections.abc import Callable, Iterable

from lsprotocol.types import (
    DocumentLink,
    FoldingRange,
    FoldingRangeKind,
    Position,
    SelectionRange,
)

from ...lang import syntax
from ...lang.syntax import walk
from ..view import View, whole

_COMMENTS = re.compile(r"(?:^[ \t]*//[^\r\n]*(?:\r\n|\r|\n)?){2,}", re.MULTILINE)


def folding_ranges(view: View) -> list[FoldingRange]:
    """Declarations, runs of comment lines, and the `use`s of a file as one."""
    found = []
    text = view.document.text
    uses = []
    for part in view.document.parts:
        span = whole(part.fragment)
        first = part.fragment.line
        offset = part.fragment.offset
        item = part.declaration
        if isinstance(item, syntax.Use):
            uses.append(first)
        keyword = item.name_span if not isinstance(item, syntax.Broken) else span
        start = text.line_of(offset + keyword.start)
        end = text.line_of(
            offset + (item.span.end if not isinstance(item, syntax.Broken) else span.end)
        )
        if end > start:
            found.append(FoldingRange(start, end))
    for match in _COMMENTS.finditer(text.source):
        start, end = text.line_of(match.start()), text.line_of(max(match.start(), match.end() - 1))
        if end > start:
            found.append(FoldingRange(start, end, kind=FoldingRangeKind.Comment))
    if len(uses) > 1:
        found.append(FoldingRange(uses[0], uses[-1], kind=FoldingRangeKind.Imports))
    return found


def selection_ranges(view: View, positions: Iterable[Position]) -> list[SelectionRange]:
    """For each position the nodes around it, from the smallest to the whole file."""
    return [_around(view, view.offset(position)) for position in positions]


def _around(view: View, offset: int) -> SelectionRange:
    bounds = {(0, len(view.source))}
    part = view.part_at(offset)
    if part is not None:
        base = part.fragment.offset
        span = whole(part.fragment)
        bounds.add((base, base + span.end))
        for node in walk(part.declaration):
            if node.span.fragment is part.fragment:
                bounds.add((base + node.span.start, base + node.span.end))
        for match in re.finditer(r"[A-Za-z0-9_]+", part.fragment.text):
            bounds.add((base + match.start(), base + match.end()))
    around = sorted(
        (one for one in bounds if one[0] <= offset <= one[1]), key=lambda one: one[0] - one[1]
    )
    found: SelectionRange | None = None
    last = (0, len(view.source))
    for start, end in around:
        # Only what is inside the one before may come after it.
        if found is None or (last[0] <= start and end <= last[1]):
            found = SelectionRange(view.range_between(start, end), found)
            last = start, end
    assert found is not None
    return found


def document_links(
    view: View, file_of_module: Callable[[str, str], str | None]
) -> list[DocumentLink]:
    found = []
    for part in view.document.parts:
        item = part.declaration
        if isinstance(item, syntax.Use):
            file = file_of_module(item.module, view.file)
            if file is not None:
                target = view.uri_of(file)
                found.append(DocumentLink(view.range(item.name_span), target))
    return found
