"""Verdicts as JSON: `{"claims": [{"claim", "verdict", "environments", "counterexample", "because", "source"}]}`."""

import json
from typing import Any

from ...analyzer.prove import Counterexample, Proof
from ...analyzer.telling import guards, situation_lines
from ...lang.schema import Schema
from ...lang.values import EntityId, EnumValue, Record, Value
from ..common import place_document
from .report import Report
from .whole import whole_context, whole_entity


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
            "unproved": [
                {"rule": edit.rule, "edit": edit.edit, **place_document(edit.span)}
                for edit in report.coverage.unproved
            ],
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
            {"rule": item.rule, "whole": item.whole, **place_document(item.span)}
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
    request = found.request
    return {
        "request": {
            "principal": _uid(request.principal),
            "action": {"type": "Action", "id": request.action},
            "resource": _uid(request.resource),
            "context": plain(whole_context(schema, request.action, request.context)),
        },
        "entities": [
            {
                "uid": _uid(entity),
                "attrs": plain(whole_entity(schema, entity, data.attributes)),
                "parents": [_uid(parent) for parent in sorted(found.parents.get(entity, ()))],
            }
            for entity, data in found.entities.known.items()
        ],
    }


def plain(value: Value) -> Any:
    """A value as `interlock eval` reads it."""
    match value:
        case Record():
            return {name: plain(item) for name, item in value.items()}
        case frozenset():
            return sorted((plain(item) for item in value), key=repr)
        case EntityId():
            return _uid(value)
        case EnumValue():
            return value.name
        case bool() | int() | str():
            return value
        case _:
            return str(value)


def _uid(entity: EntityId) -> dict[str, str]:
    return {"type": entity.type, "id": entity.id}
