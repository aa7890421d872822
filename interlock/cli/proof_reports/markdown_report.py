"""Verdicts as Markdown for a comment on a pull request; text of policies stands there only as code."""

from ...analyzer.prove import Proof, Verdict
from ...analyzer.telling import said
from ..common import plural
from ..markdown import MAX_LETTERS, code, code_block
from .report import Report
from .story import place, short, story
from .text_report import noticed, totals

_ORDER = (Verdict.REFUTED, Verdict.UNKNOWN, Verdict.VACUOUS, Verdict.PROVED)


def render(report: Report) -> str:
    """A table of the claims, those that are not proved first; then the story of each of these, as far as it fits."""
    proofs = sorted(report.proofs, key=lambda proof: _ORDER.index(proof.verdict))
    lines = [f"**{totals(report)}** · policies `{report.policies.digest[:12]}`", ""]
    if proofs:
        lines += ["| verdict | claim | says | where |", "|---|---|---|---|"]
    room = MAX_LETTERS // 2
    for count, proof in enumerate(proofs):
        row = _row(proof)
        room -= len(row) + 1
        if room < 0:
            lines += ["", f"and {plural(len(proofs) - count, 'more claim')}, which do not fit here"]
            break
        lines.append(row)
    lines.append("")
    lines += _coverage(report)
    room = MAX_LETTERS - sum(len(line) + 1 for line in lines)
    told = [proof for proof in proofs if proof.verdict is not Verdict.PROVED]
    for count, proof in enumerate(told):
        folded = _folded(report, proof)
        room -= len(folded) + 1
        if room < 200:
            lines.append(f"and {plural(len(told) - count, 'more story', 'more stories')}, "
                         "which do not fit here")  # fmt: skip
            break
        lines.append(folded)
    return "\n".join(lines).rstrip("\n")


def _row(proof: Proof) -> str:
    cells = (
        f"**{proof.verdict}**" if proof.verdict is not Verdict.PROVED else str(proof.verdict),
        code(proof.goal.name),
        code(short(proof.goal.sentence, 200)),
        code(place(proof.goal.span)),
    )
    return f"| {' | '.join(cells)} |"


def _folded(report: Report, proof: Proof) -> str:
    lines = [line.text for line in story(report, proof)]
    return (
        f"<details>\n<summary>{code(proof.goal.name)} is {proof.verdict}</summary>\n\n"
        f"{code_block(lines)}\n\n</details>\n"
    )


def _coverage(report: Report) -> list[str]:
    if report.coverage is None:
        return []
    edits = (*report.coverage.unproved, *report.coverage.undecided)
    lines = [f"{noticed(report.coverage)}.", ""]
    for edit in edits[:50]:
        known = "undecided whether a claim notices" if edit.why else "no claim notices"
        without = "" if edit.edit == "deleted" else f" by leaving out {code(said(edit.span, ''))}"
        since = f", since {code(edit.why)}" if edit.why else ""
        lines.append(f"- {known} {code(edit.rule)} {edit.edit}{without}{since}")
    if len(edits) > 50:
        lines.append(f"- and {len(edits) - 50:,} more")
    return [*lines, ""] if edits else lines
