"""Claims as diagnostics, inlay hints and text: the same state as the lens shows, in every place."""

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    InlayHint,
    Range,
    TextEdit,
)

from ...lang import syntax
from ...lang.parser import parse_fragment
from ...lang.source import Fragment
from ..claims import Claims, ClaimState, Status, Tests
from ..symbols import fresh
from ..view import View
from .diagnostics import SOURCE, safe_lines
from .fixes import Fix
from .imports import imports_for

_SEVERITY = {
    Status.REFUTED: DiagnosticSeverity.Error,
    Status.UNKNOWN: DiagnosticSeverity.Warning,
    Status.VACUOUS: DiagnosticSeverity.Warning,
    Status.PROVED: DiagnosticSeverity.Hint,
    Status.STALE: DiagnosticSeverity.Hint,
}
MAX_HINT = 100
_MARK = {
    Status.PROVED: "✓ proved",
    Status.REFUTED: "✗ refuted",
    Status.UNKNOWN: "? unknown",
    Status.VACUOUS: "∅ vacuous",
    Status.RUNNING: "… proving",
    Status.STALE: "~ stale",
}


def claim_diagnostics(view: View, claims: Claims) -> list[Diagnostic]:
    """Every claim that is decided; a counterexample stands in the text, since some clients show nothing else."""
    found = []
    for item, state in _claims(view, claims):
        # A counterexample that still stands is as grave as before.
        severity = _SEVERITY.get(state.was or state.status)
        if severity is None:
            continue
        message = "\n".join(
            [f"`{item.name}` is {state.status}: {state.message}", *_because(view, state)]
        )
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


def claim_hints(view: View, claims: Claims, range: Range) -> list[InlayHint]:
    """The state of each claim after its name, and at each guard why it did not stop a counterexample."""
    found = []
    for item, state in _claims(view, claims):
        place, mark = view.range(item.name_span).end, f" {_MARK[state.status]}"
        found.append(InlayHint(place, mark, tooltip=safe_lines(state.message)))
    for state in claims.values():
        for note, span in state.notes if state.counterexample else ():
            if span.file == view.file:
                text = safe_lines(f" {note} (`{state.name}`)")
                short = text if len(text) <= MAX_HINT else text[: MAX_HINT - 1] + "…"
                found.append(InlayHint(view.range(span).end, short, tooltip=text.strip()))
    start, end = view.span_of(range)
    return [hint for hint in found if start <= view.offset(hint.position) <= end]


def claim_text(view: View, state: ClaimState) -> str:
    """The state of a claim as a paragraph for a hover."""
    first = f"{_MARK[state.status]}{': ' + state.message if state.message else ''}"
    return "\n".join([first, *_because(view, state)])


def _because(view: View, state: ClaimState) -> list[str]:
    """The counterexample and what explains it, or what a proof rests on, line by line."""
    notes = [f"{note} ({view.shown(span)})" for note, span in state.notes]
    return [*state.counterexample.splitlines(), *notes]


def save_as_test(view: View, claims: Claims, offset: int) -> list[Fix]:
    """The counterexample of the claim at an offset, written down as a test at the end of the file.

    Not offered where the test would name a type of a file without a `module`, which no other file can.
    """
    part = view.part_at(offset)
    if part is None or not isinstance(part.declaration, syntax.Prove):
        return []
    state = claims.get(part.declaration.name)
    if state is None or not state.test:
        return []
    test, _ = parse_fragment(Fragment(view.file, state.test))
    imports = imports_for(view, test)
    if imports is None or not isinstance(test, syntax.Test):
        return []
    written, place = state.test, test.name_span
    name = fresh(
        test.name,
        {
            entry.declaration.name
            for entry in view.entries()
            if isinstance(entry.declaration, syntax.Test)
        },
    )
    written = f"{written[: place.start]}{name}{written[place.end :]}"
    end = len(view.source.rstrip())
    text = f"\n\n{written.strip()}\n"
    edit: TextEdit = view.edit_between(end, len(view.source), text)
    title = f"Save the counterexample of `{state.name}` as a test"
    return [Fix(title, None, {view.file: [*imports, edit]})]


def _claims(view: View, claims: Claims) -> list[tuple[syntax.Prove, ClaimState]]:
    found = []
    for part in view.document.parts:
        item = part.declaration
        if isinstance(item, syntax.Prove) and item.name in claims:
            found.append((item, claims[item.name]))
    return found
