"""Verdicts for a terminal: a line for what is proved; else the request, and why each guard missed it."""

from collections import Counter
from collections.abc import Iterator

from ...analyzer.prove import Proof, Verdict
from ...analyzer.telling import guards, situation_lines
from ...lang.render import BOLD, DIM, GREEN, RED, YELLOW, paint, safe
from ...lang.source import Span
from ..common import plural, use_color
from .report import Report

_TINT = {
    Verdict.PROVED: GREEN,
    Verdict.REFUTED: RED,
    Verdict.UNKNOWN: YELLOW,
    Verdict.VACUOUS: YELLOW,
}


def render(report: Report) -> str:
    color = use_color()
    lines = [line for proof in report.proofs for line in _proof(report, proof, color)]
    counts = Counter(proof.verdict for proof in report.proofs)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    lines.append(f"{plural(len(report.proofs), 'claim')}{': ' + told if told else ''}")
    if report.coverage is not None:
        unproved = report.coverage.unproved
        noticed = report.coverage.tried - len(unproved)
        lines.append(
            f"{noticed} of {plural(report.coverage.tried, 'weakening edit')} are noticed by a claim"
        )
        for edit in unproved:
            what = (
                "deleted"
                if edit.edit == "deleted"
                else f"widened by leaving out `{_short(edit.span)}`"
            )
            lines.append(
                f"  no claim notices {paint(edit.rule, YELLOW, color=color)} {what}  {_place(edit.span)}"
            )
    return "\n".join(lines)


def _proof(report: Report, proof: Proof, color: bool) -> Iterator[str]:
    verdict = paint(f"{proof.verdict:<8}", BOLD, _TINT[proof.verdict], color=color)
    yield f"{verdict} {proof.goal.name}  {paint(_place(proof.goal.span), DIM, color=color)}"
    if proof.why:
        yield f"  {safe(proof.why)}"
    if proof.because:
        whole = {item.rule: item.span for item in proof.because if item.whole}
        names = dict.fromkeys(item.rule for item in proof.because)
        told = ", ".join(
            f"{name} ({_place(whole[name])})" if name in whole else name for name in names
        )
        yield paint(f"  because of {safe(told)}", DIM, color=color)
    found = proof.counterexample
    if found is None:
        return
    request = found.request
    yield f"  {safe(f'{request.principal} {request.action} {request.resource}')} {proof.goal.kind.REFUTED}:"
    for role, text in situation_lines(found):
        yield f"      {role:<10} {safe(text)}"
    outcome = found.decision.outcome
    by = ", ".join(f"{reason.rule} ({_place(reason.span)})" for reason in found.decision.reasons)
    yield f"  {outcome} by {safe(by)}" if by else f"  {outcome}, since no rule permits it"
    for guard in guards(report.policies, found):
        yield f"  {guard.rule} ({_place(guard.span)}) does not apply because {safe(guard.message)}"
    yield paint("  reproduced by the evaluator; save it with --save-tests DIR", DIM, color=color)


def _place(span: Span) -> str:
    return f"{safe(span.file)}:{span.line}"


def _short(span: Span) -> str:
    text = safe(" ".join(span.text.split()))
    return text if len(text) <= 60 else text[:59] + "…"
