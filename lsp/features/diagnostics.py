"""What is wrong in a file, as the command line says it, with the help in the text and the places that explain it."""

from functools import cache
from pathlib import Path

from lsprotocol.types import (
    CodeDescription,
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    DiagnosticTag,
)

from ...lang import diagnostics as lang
from ...lang.render import safe
from ..view import View

SOURCE = "interlock"
_PAGES = Path(__file__).resolve().parents[2] / "docs" / "diagnostics"
_SEVERITY = {
    lang.Severity.ERROR: DiagnosticSeverity.Error,
    lang.Severity.WARNING: DiagnosticSeverity.Warning,
}
_UNNECESSARY = frozenset({lang.Code.UNUSED_IMPORT, lang.Code.USELESS_GUARD})


def diagnostics(view: View) -> list[Diagnostic]:
    """Every problem of the file, in order."""
    return [diagnostic(view, problem) for problem in view.analysis.problems.get(view.file, [])]


def diagnostic(view: View, problem: lang.Diagnostic) -> Diagnostic:
    # Some clients show nothing but the message, so the help stands in it.
    message = problem.message + (f"\nhelp: {problem.help}" if problem.help else "")
    return Diagnostic(
        view.range(problem.span),
        safe_lines(message),
        severity=_SEVERITY[problem.severity],
        code=str(problem.code),
        code_description=_page(problem.code),
        source=SOURCE,
        tags=[DiagnosticTag.Unnecessary] if problem.code in _UNNECESSARY else None,
        related_information=[
            DiagnosticRelatedInformation(view.location(note.span), safe_lines(note.message))
            for note in problem.notes
        ]
        or None,
    )


@cache
def _page(code: lang.Code) -> CodeDescription | None:
    """The page that explains a code, where the documentation lies beside the program."""
    page = _PAGES / f"{code}.md"
    return CodeDescription(page.as_uri()) if page.is_file() else None


def safe_lines(text: str) -> str:
    """Text of which only the line ends are not shown as escapes."""
    return "\n".join(safe(line) for line in text.split("\n"))
