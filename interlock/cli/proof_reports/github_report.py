"""Workflow commands of GitHub Actions: an annotation at each claim that is not proved and at each problem."""

from collections.abc import Iterator

from ...analyzer.prove import Proof, Verdict
from ...lang.diagnostics import Diagnostic
from ...lang.render import safe
from .report import Report
from .story import broken, short, story
from .text_report import totals

Properties = dict[str, str | int]


def render(report: Report) -> str:
    return "\n".join([*_commands(report), totals(report)])


def _commands(report: Report) -> Iterator[str]:
    for proof in report.proofs:
        if proof.verdict is not Verdict.PROVED:
            yield _annotation(report, proof)
    if report.coverage is not None:
        for edit in report.coverage.unproved:
            is_whole = edit.edit == "deleted"
            what = "deleted" if is_whole else f"widened by leaving out `{short(edit.span.text)}`"
            message = f"no claim notices when `{edit.rule}` is {what}"
            place: Properties = {
                "file": edit.span.file,
                "line": edit.span.line,
                "col": edit.span.column,
            }
            yield command("notice", {**place, "title": "unprotected rule"}, message)


def _annotation(report: Report, proof: Proof) -> str:
    span, found = proof.goal.span, proof.counterexample
    place: Properties = {
        "file": span.file,
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
    }
    title = f"{proof.verdict}: {proof.goal.name}"
    told = broken(proof, found) if found is not None else proof.why
    lines = [told, *(line.text for line in story(report, proof))]
    level = "error" if proof.verdict is Verdict.REFUTED else "warning"
    return command(level, {**place, "title": title}, "\n".join(lines))


def annotation(problem: Diagnostic) -> str:
    """A problem of the policies at its place, with what to do about it."""
    span = problem.span
    place: Properties = {"file": span.file, "line": span.line, "endLine": span.end_line}
    told = [problem.message, f"help: {problem.help}" if problem.help else ""]
    told += [f"{note.message} ({note.span.file}:{note.span.line})" for note in problem.notes]
    title = f"{problem.severity}[{problem.code}]"
    return command(
        str(problem.severity),
        {**place, "col": span.column, "title": title},
        "\n".join(filter(None, told)),
    )


def command(name: str, properties: Properties, message: str) -> str:
    """One command on one line; text of a policy can neither end it nor begin another."""
    told = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    lines = (safe(line) for line in message.split("\n"))
    text = _data("\n".join(lines))
    return f"::{name} {told}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")
