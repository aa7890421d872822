"""Verdicts for a terminal: a line for what is proved; else the request, and why each guard missed it."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...analyzer.prove import Proof, Verdict
from ...lang.render import BOLD, DIM, GREEN, RED, YELLOW, paint, safe
from ..common import plural, use_color
from .report import Report
from .story import WIDTH, place, story

if TYPE_CHECKING:
    from ...analyzer.coverage import Coverage

_TINT = {
    Verdict.PROVED: GREEN,
    Verdict.REFUTED: RED,
    Verdict.UNKNOWN: YELLOW,
    Verdict.VACUOUS: YELLOW,
}


def render(report: Report) -> str:
    color = use_color()
    width = max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH
    lines = [line for proof in report.proofs for line in _proof(report, proof, width, color)]
    if any(proof.counterexample is not None for proof in report.proofs):
        note = "each counterexample was reproduced by the evaluator; --save-tests DIR keeps them"
        lines.append(paint(note, DIM, color=color))
    lines.append(totals(report))
    if report.coverage is not None:
        lines += _coverage(report.coverage, color)
    return "\n".join(lines)


def totals(report: Report) -> str:
    """`3 claims: 2 proved, 1 refuted`."""
    counts = Counter(proof.verdict for proof in report.proofs)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{plural(len(report.proofs), 'claim')}{': ' + told if told else ''}"


def noticed(coverage: "Coverage") -> str:
    """`2 of 3 weakening edits are noticed by a claim`."""
    edits = plural(coverage.tried, "weakening edit")
    verb = "is" if coverage.tried == 1 else "are"
    return f"{coverage.noticed_edits} of {edits} {verb} noticed by a claim"


def _proof(report: Report, proof: Proof, width: int, color: bool) -> Iterator[str]:
    verdict = paint(f"{proof.verdict:<8}", BOLD, _TINT[proof.verdict], color=color)
    name = paint(safe(proof.goal.name), BOLD, color=color)
    yield f"{verdict} {name}  {paint(place(proof.goal.span), DIM, color=color)}"
    for line in story(report, proof, width):
        yield paint(line.text, DIM, color=color) if line.is_quiet else line.text
    if proof.counterexample is not None:
        yield ""


def _coverage(coverage: "Coverage", color: bool) -> Iterator[str]:
    yield noticed(coverage)
    for edit in (*coverage.unproved, *coverage.undecided):
        rule = paint(safe(edit.rule), YELLOW, color=color)
        where = paint(place(edit.span), DIM, color=color)
        known = "undecided whether a claim notices" if edit.why else "no claim notices"
        yield f"  {known} {rule} {safe(edit.message)}  {where}"
        if edit.why:
            yield f"    since {safe(edit.why)}"
