"""Claims as diagnostics, inlay hints and text: the same state as the lens shows, in every place."""

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    InlayHint,
    TextEdit,
)

from ...lang import syntax
from ..claims import Claims, ClaimState, Status, Tests
from ..view import View
from .diagnostics import SOURCE, safe_lines
from .fixes import Fix

_SEVERITY = {
    Status.REFUTED: DiagnosticSeverity.Error,
    Status.UNKNOWN: DiagnosticSeverity.Warning,
    Status.VACUOUS: DiagnosticSeverity.Warning,
}
_MARK = {
    Status.PROVED: "✓ proved",
    Status.REFUTED: "✗ refuted",
    Status.UNKNOWN: "? unknown",
    Status.VACUOUS: "∅ vacuous",
    Status.RUNNING: "… proving",
    Status.STALE: "~ stale",
}


def claim_diagnostics(view: View, claims: Claims) -> list[Diagnostic]:
    """Claims that are not proved; a counterexample stands in the text, since some clients show nothing else."""
    found = []
    for item, state in _claims(view, claims):
        severity = _SEVERITY.get(state.status)
        if severity is None:
            continue
        message = f"`{item.name}` is {state.status}: {state.message}"
        if state.counterexample:
            message += f"\n{state.counterexample}"
        message += "".join(f"\n{note} ({span})" for note, span in state.notes)
        found.append(
            Diagnostic(
                view.range(item.name_span),
                safe_lines(message),
                severity=severity,
                code=f"claim-{state.status}",
                source=SOURCE,
                related_information=[
                    DiagnosticRelatedInformation(view.location(span), safe_lines(note))
                    for note, span in state.notes
                ]
                or None,
            )
        )
    return found


def test_diagnostics(view: View, tests: Tests) -> list[Diagnostic]:
    """Tests that were run and failed."""
    found = []
    for part in view.document.parts:
        item = part.declaration
        state = tests.get(item.name) if isinstance(item, syntax.Test) else None
        if state is not None and state.failure is not None:
            message = safe_lines(f"the test fails: {state.failure}")
            found.append(
                Diagnostic(
                    view.range(item.name_span),
                    message,
                    severity=DiagnosticSeverity.Error,
                    code="test-failed",
                    source=SOURCE,
                )
            )
    return found


def claim_hints(view: View, claims: Claims) -> list[InlayHint]:
    return [
        InlayHint(view.range(item.name_span).end, f" {_MARK[state.status]}", tooltip=state.message)
        for item, state in _claims(view, claims)
    ]


def claim_text(state: ClaimState) -> str:
    """The state of a claim as a paragraph for a hover."""
    lines = [f"{_MARK[state.status]}{': ' + state.message if state.message else ''}"]
    lines += state.counterexample.splitlines()
    lines += [f"{note} ({span})" for note, span in state.notes]
    return "\n".join(lines)


def save_as_test(view: View, claims: Claims, offset: int) -> list[Fix]:
    """The counterexample of the claim at an offset, written down as a test at the end of the file."""
    part = view.part_at(offset)
    if part is None or not isinstance(part.declaration, syntax.Prove):
        return []
    state = claims.get(part.declaration.name)
    if state is None or not state.test:
        return []
    end = len(view.source.rstrip())
    text = f"\n\n{state.test.strip()}\n"
    edit: TextEdit = view.edit_between(end, len(view.source), text)
    title = f"Save the counterexample of `{state.name}` as a test"
    return [Fix(title, None, {view.file: [edit]})]


def _claims(view: View, claims: Claims) -> list[tuple[syntax.Prove, ClaimState]]:
    found = []
    for part in view.document.parts:
        item = part.declaration
        if isinstance(item, syntax.Prove) and item.name in claims:
            found.append((item, claims[item.name]))
    return found
