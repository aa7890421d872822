"""Verdicts as JSON: `{"claims": [{"claim", "verdict", "environments", "counterexample", "because", "source"}]}`."""

import json
from typing import TYPE_CHECKING, Any

from ...analyzer import as_json
from ...analyzer.prove import Counterexample, Proof
from ...analyzer.telling import guards, said, situation_lines
from ...analyzer.weaken import How
from ...lang.schema import Schema
from ..common import place_document
from .report import Report

if TYPE_CHECKING:
    from ...analyzer.coverage import Unproved


def render(report: Report) -> str:
    return json.dumps(document(report), indent=2, ensure_ascii=False)


def document(report: Report) -> dict[str, Any]:
    result: dict[str, Any] = {
        "policy_digest": report.policies.digest,
        "claims": [_claim(report, proof) for proof in report.proofs],
    }
    if report.coverage is not None:
        result["coverage"] = {
            "tried": report.coverage.tried,
            "unproved": [_edit(edit) for edit in report.coverage.unproved],
            "undecided": [{**_edit(edit), "why": edit.why} for edit in report.coverage.undecided],
            "noticed": {rule: list(claims) for rule, claims in report.coverage.noticed.items()},
        }
    if report.repairs:
        result["repairs"] = {
            claim: [
                {"edit": item.message, "breaks": list(item.breaks), **place_document(item.span)}
                for item in found
            ]
            for claim, found in report.repairs.items()
            if found
        }
    return result


def _edit(edit: "Unproved") -> dict[str, Any]:
    is_whole = edit.edit is How.DELETED
    without = "" if is_whole else said(edit.span, "")
    return {
        "rule": edit.rule,
        "edit": str(edit.edit),
        "without": without,
        **place_document(edit.span),
    }


def _claim(report: Report, proof: Proof) -> dict[str, Any]:
    found = proof.counterexample
    return {
        "claim": proof.goal.name,
        "verdict": str(proof.verdict),
        "says": proof.goal.sentence,
        "why": proof.why or None,
        "environments": len(proof.goal.environments),
        "counterexample": None if found is None else _counterexample(report, found),
        "because": [
            {
                "rule": item.rule,
                "whole": item.whole,
                "part": "" if item.whole else said(item.span, ""),
                **place_document(item.span),
            }
            for item in proof.because
        ],
        "source": place_document(proof.goal.span),
    }


def _counterexample(report: Report, found: Counterexample) -> dict[str, Any]:
    decision = found.decision
    return {
        **situation_document(report.policies.schema, found),
        "decision": str(decision.outcome),
        "rules": [
            {"rule": reason.rule, "because": reason.because, **place_document(reason.span)}
            for reason in decision.reasons
        ],
        "guards": [
            {
                "rule": guard.rule,
                "does_not_apply_because": guard.message,
                **place_document(guard.span),
            }
            for guard in guards(report.checked, report.policies, found)
        ],
        "text": [f"{role} {text}" for role, text in situation_lines(found)],
    }


def situation_document(schema: Schema, found: Counterexample) -> dict[str, Any]:
    """The request and its entities, as `interlock eval` reads them."""
    return as_json.situation_document(schema, found.request, found.entities, found.parents)
