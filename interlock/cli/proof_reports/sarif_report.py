"""Verdicts as SARIF 2.1.0, for code scanning: a refuted claim is an error at its place, with the rules beside."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...analyzer.coverage import Unproved
from ...analyzer.prove import Proof, Verdict
from ...analyzer.telling import guards, said
from ...lang.loader import bundled
from ...lang.render import safe
from ...lang.source import Fragment, Span
from ...version import __version__
from .report import Report
from .story import broken, story

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BUNDLED = "INTERLOCK_POLICIES"
# A kind other than `fail` has no level, and code scanning shows only what has one.
_RULES: dict[str, tuple[str, str, str, str]] = {
    Verdict.REFUTED: (
        "fail",
        "error",
        "A claim does not hold.",
        "Some request breaks the claim. It was replayed on the evaluator. Mend the rules, or the claim if it says "
        "too much; `interlock prove --save-tests DIR` keeps the request as a test.",
    ),
    Verdict.UNKNOWN: (
        "fail",
        "warning",
        "A claim is not decided.",
        "The proof reached a limit, which the message names. Nothing is known of the claim. A larger `--timeout`, or a "
        "smaller claim, may decide it.",
    ),
    Verdict.VACUOUS: (
        "fail",
        "warning",
        "A claim is about no request.",
        "No request is in the scope of the claim and fits its conditions, so that it protects nothing.",
    ),
    Verdict.PROVED: (
        "pass",
        "none",
        "A claim holds.",
        "No request of the schema breaks the claim.",
    ),
    "unprotected": (
        "fail",
        "note",
        "No claim notices that a rule becomes weaker.",
        "The rule can be deleted, or a part of it left out, and every proved claim still holds. A claim that rests on "
        "it would notice.",
    ),
}
_INDEX = {name: number for number, name in enumerate(_RULES)}


def render(report: Report) -> str:
    return json.dumps(document(report), indent=2, ensure_ascii=False)


def document(report: Report) -> dict[str, Any]:
    results = [_result(report, proof) for proof in report.proofs]
    if report.coverage is not None:
        edits = (*report.coverage.unproved, *report.coverage.undecided)
        results += [_unprotected(report, edit) for edit in edits]
    run = {
        "tool": {
            "driver": {
                "name": "Interlock",
                "semanticVersion": __version__,
                "rules": [_rule(name) for name in _RULES],
            }
        },
        "automationDetails": {
            "id": "interlock/prove/",
            "description": {"text": "What the policies can never permit, for every request."},
        },
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {
            "%SRCROOT%": {"description": {"text": "The folder in which the proofs were run."}},
            _BUNDLED: {"description": {"text": "The policies that come with Interlock."}},
        },
        "columnKind": "utf16CodeUnits",
        "properties": {"policyDigest": report.policies.digest},
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(name: str) -> dict[str, Any]:
    _, level, title, text = _RULES[name]
    return {
        "id": f"claim/{name}",
        "name": f"Claim{name.capitalize()}",
        "shortDescription": {"text": title},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["policy", "security"], "precision": "very-high"},
    }


def _result(report: Report, proof: Proof) -> dict[str, Any]:
    goal, found = proof.goal, proof.counterexample
    lines = [": ".join(filter(None, line.parts)) for line in story(report, proof)]
    title = f"claim `{goal.name}` is {proof.verdict}: {goal.sentence}"
    if found is not None:
        title = f"claim `{goal.name}` is refuted: {broken(proof, found)}"
    return {
        **_kind(proof.verdict, goal.name, goal.sentence),
        "message": _message("\n".join([title, *lines])),
        "locations": [_location(report, goal.span)],
        "relatedLocations": [
            {"id": number, **_location(report, span), "message": _message(text)}
            for number, (text, span) in enumerate(_related(report, proof), start=1)
        ],
        "properties": {
            "claim": goal.name,
            "verdict": str(proof.verdict),
            "environments": len(goal.environments),
        },
    }


def _unprotected(report: Report, edit: Unproved) -> dict[str, Any]:
    known = "it is undecided whether a claim notices" if edit.why else "no claim notices"
    since = f", since {edit.why}" if edit.why else ""
    return {
        **_kind("unprotected", edit.rule, edit.edit, said(edit.span)),
        "message": _message(f"{known} when `{edit.rule}` is {edit.message}{since}"),
        "locations": [_location(report, edit.span)],
    }


def _kind(name: str, *identity: str) -> dict[str, Any]:
    """What kind of result it is, and what makes it the same one when lines move."""
    kind, level, _, _ = _RULES[name]
    digest = hashlib.sha256("\0".join((name, *identity)).encode()).hexdigest()
    return {
        "ruleId": f"claim/{name}",
        "ruleIndex": _INDEX[name],
        "kind": kind,
        "level": level,
        "partialFingerprints": {"interlockClaim/v1": digest},
    }


def _related(report: Report, proof: Proof) -> Iterator[tuple[str, Span]]:
    found = proof.counterexample
    if found is not None:
        for reason in found.decision.reasons:
            yield f"`{reason.rule}` decides: {found.decision.outcome}", reason.span
        for guard in guards(report.checked, report.policies, found):
            yield f"`{guard.rule}` does not apply: {guard.message}", guard.span
    for item in proof.because:
        yield f"the proof needs this of `{item.rule}`", item.span


def _message(text: str) -> dict[str, str]:
    """Plain text in which nothing is a placeholder or a link."""
    text = "\n".join(map(safe, text.split("\n")))
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _location(report: Report, span: Span) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": _artifact(span.file)}
    if span.fragment.text:
        location["region"] = {
            "startLine": span.line,
            "startColumn": span.column + _surplus(report, span.fragment, span.start),
            "endLine": span.end_line,
            "endColumn": span.end_column + _surplus(report, span.fragment, span.end),
        }
    return {"physicalLocation": location}


def _artifact(file: str) -> dict[str, str]:
    inside = file.removeprefix("interlock/")
    if inside != file and inside in bundled().values():
        return {"uri": quote(inside), "uriBaseId": _BUNDLED}
    path = Path(os.path.relpath(file))
    if path.parts[0] == os.pardir:
        return {"uri": Path(os.path.realpath(file)).as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}


def _surplus(report: Report, fragment: Fragment, offset: int) -> int:
    """UTF-16 units beyond code points on the line of an offset before it, also in declarations to its left."""
    starts = [start for start in fragment.line_starts if start <= offset]
    before = fragment.text[starts[-1] : offset]
    if len(starts) == 1 and fragment.column:
        others = {
            item.span.fragment.offset: item.span.fragment
            for module in report.checked.names.modules.values()
            if module.file == fragment.file
            for item in module.declarations
        }
        for other in others.values():
            number = fragment.line - other.line
            if other.offset < fragment.offset and number < len(other.line_starts):
                before += other.text[other.line_starts[number] :]
    return sum(character > "\uffff" for character in before)
