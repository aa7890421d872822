"""The one layout of a policy: for a file, for the declarations of a range, and for the one that was just finished.

A file keeps its line ends: the layout says where lines end, and not with which characters.
"""

import re

from lsprotocol.types import Position, Range, TextEdit

from ...lang import syntax
from ...lang.printer import format_text
from ..view import View, whole

_LINE_END = re.compile(r"\r\n|\r|\n")


def format_document(view: View) -> list[TextEdit]:
    """The edits that lay the file out; none where it cannot be read."""
    text = _laid_out(view, view.source)
    return [] if text is None else _edits(view, 0, view.source, text)


def format_range(view: View, range: Range) -> list[TextEdit]:
    """Lays out the declarations that a range touches, each on its own."""
    start, end = view.span_of(range)
    edits: list[TextEdit] = []
    for part in view.document.parts:
        span = whole(part.fragment)
        begin = part.fragment.offset
        stop = begin + span.end
        if stop < start or begin > end or isinstance(part.declaration, syntax.Broken):
            continue
        old = view.source[begin:stop]
        text = _laid_out(view, old)
        if text is not None:
            edits += _edits(view, begin, old, text.rstrip("\r\n"))
    return edits


def format_on_type(view: View, position: Position) -> list[TextEdit]:
    """Lays out the declaration that the `}` before a position ends."""
    offset = view.offset(position)
    part = view.part_at(max(0, offset - 1))
    if part is None or part.fragment.offset + whole(part.fragment).end != offset:
        return []
    return format_range(view, view.range_between(offset - 1, offset))


def _laid_out(view: View, old: str) -> str | None:
    """Text in its layout, with the line ends of its file; `None` where it cannot be read."""
    text, _ = format_text(view.file, _LINE_END.sub("\n", old))
    first = _LINE_END.search(view.source)
    return text.replace("\n", first[0]) if text is not None and first is not None else text


def _edits(view: View, base: int, old: str, new: str) -> list[TextEdit]:
    """One edit of the lines that differ, so that the cursor and folds elsewhere stay."""
    if old == new:
        return []
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = base + sum(map(len, before[:start]))
    last = base + len(old) - sum(map(len, before[len(before) - end :]))
    return [view.edit_between(first, last, "".join(after[start : len(after) - end]))]
