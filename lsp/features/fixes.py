"""What mends a problem: the edits that its help line describes, each tried before it is offered."""

from collections.abc import Callable
from dataclasses import dataclass

from lsprotocol.types import Range, TextEdit

from ...lang.diagnostics import Code, Diagnostic
from ..view import View
from .fix_clauses import declare, missing, missing_field, remove
from .fix_guards import ask_for_type, guard, useless
from .fix_values import another_name, arguments, ask_with_is, without_null, without_quotes
from .fix_words import (
    Fixes,
    add_use,
    ask_with_in,
    close,
    complete,
    did_you_mean,
    double_quotes,
    name_member,
    write,
    write_marks,
    write_other_words,
)


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
    for maker in MAKERS:
        for title, edits in maker(view, problem):
            by_file = edits if isinstance(edits, dict) else {view.file: edits}
            is_preferred = not found and maker not in CHOICES
            found.append(Fix(title, problem, by_file, is_preferred))
    return found


def _overlap(one: TextEdit, other: TextEdit) -> bool:
    def key(place: TextEdit) -> tuple[tuple[int, int], tuple[int, int]]:
        start, end = place.range.start, place.range.end
        return (start.line, start.character), (end.line, end.character)

    (start, end), (other_start, other_end) = key(one), key(other)
    return start < other_end and other_start < end


MAKERS: tuple[Callable[[View, Diagnostic], Fixes], ...] = (
    did_you_mean, add_use, write, write_other_words, double_quotes, write_marks, without_null, without_quotes, close,
    complete, ask_with_in, ask_with_is, remove, guard, ask_for_type, useless, missing, missing_field, declare,
    arguments, name_member, another_name,
)  # fmt: skip
CHOICES = frozenset({name_member, another_name})
"""What gives several answers, or one that nobody can know to be meant; none of them is applied by a single key."""
