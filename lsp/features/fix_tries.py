"""A fix is tried before it is offered: the declaration is read and checked as it would be."""

from ...lang import syntax
from ...lang.diagnostics import Diagnostic, Severity
from ...lang.parser import parse_fragment
from ...lang.source import Fragment
from ..view import View

Change = tuple[int, int, str]
"""From where to where in a fragment, and what is put there."""


def mends(view: View, problem: Diagnostic, changes: list[Change]) -> bool:
    """Whether the declaration has fewer errors once it is changed; one that cannot be read has nothing but errors."""
    fragment = problem.span.fragment
    text = fragment.text
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    entry = view.entry_at(fragment.offset)
    declaration, problems = parse_fragment(Fragment(fragment.file, text))
    if entry is None or isinstance(declaration, syntax.Broken):
        return False
    _, more = view.analysis.check_alone(declaration, entry[0].module)
    after = _errors(problems + more)
    return after == 0 or (not entry[0].is_broken and after < _errors(entry[0].problems))


def _errors(problems: list[Diagnostic]) -> int:
    return sum(problem.severity is Severity.ERROR for problem in problems)
