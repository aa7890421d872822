"""Verdicts as JUnit XML, for CI servers: a claim is a test case, a refuted one a failure, an undecided one an error."""

import xml.etree.ElementTree as ElementTree

from ...analyzer.prove import Proof, Verdict
from ...lang.render import safe
from .report import Report
from .story import broken, place, story


def render(report: Report) -> str:
    counts = {
        "tests": len(report.proofs),
        "failures": sum(proof.verdict is Verdict.REFUTED for proof in report.proofs),
        "errors": sum(_is_undecided(proof) for proof in report.proofs),
    }
    totals = {name: str(count) for name, count in counts.items()}
    root = ElementTree.Element("testsuites", {"name": "interlock prove", **totals})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "claims", **totals, "skipped": "0"})
    for proof in report.proofs:
        _case(report, proof, suite)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def _case(report: Report, proof: Proof, suite: ElementTree.Element) -> None:
    span = proof.goal.span
    names = {"classname": safe(span.file), "name": safe(proof.goal.name)}
    where = {"file": safe(span.file), "line": str(span.line)}
    case = ElementTree.SubElement(suite, "testcase", {**names, **where})
    lines = [f"{proof.goal.name} ({place(span)})"]
    lines += [line.text for line in story(report, proof)]
    found = proof.counterexample
    if found is not None:
        message = {"message": safe(broken(proof, found)), "type": str(proof.verdict)}
        ElementTree.SubElement(case, "failure", message).text = "\n".join(lines)
    elif _is_undecided(proof):
        message = {"message": safe(proof.why), "type": str(proof.verdict)}
        ElementTree.SubElement(case, "error", message).text = "\n".join(lines)


def _is_undecided(proof: Proof) -> bool:
    return proof.verdict in (Verdict.UNKNOWN, Verdict.VACUOUS)
