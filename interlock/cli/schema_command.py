"""`interlock schema`: the JSON Schemas of what the other commands read and print."""

from typing import Any

import click

from .common import print_json

_TEXT = {"type": "string"}
_OPTIONAL_TEXT = {"type": ["string", "null"]}
_OUTCOME = {"enum": ["permit", "hold", "deny"]}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_COUNT = {"type": "integer", "minimum": 1}
_PLACE = _object({"file": _TEXT, "line": _COUNT, "column": _COUNT})
_REFERENCE = _object({"type": _TEXT, "id": _TEXT})
_REASONS = {
    "decision": _OUTCOME,
    "rules": _list(_TEXT),
    "reasons": _list(
        _object(
            {
                "rule": _TEXT,
                "effect": {"enum": ["permit", "forbid", "require"]},
                "because": _OPTIONAL_TEXT,
                "instead": _OPTIONAL_TEXT,
                "source": _PLACE,
            }
        )
    ),
    "needs": _list(_object({"rule": _TEXT, "message": _TEXT, "source": _PLACE})),
    "problems": _list(
        _object(
            {
                "message": _TEXT,
                "rule": _OPTIONAL_TEXT,
                "source": {"anyOf": [_PLACE, {"type": "null"}]},
            }
        )
    ),
    "request_digest": _TEXT,
    "id": _TEXT,
}


def request_schema() -> dict[str, Any]:
    return _object(
        {"principal": _REFERENCE, "action": _REFERENCE, "resource": _REFERENCE},
        {"context": {"type": "object"}},
    )


def entities_schema() -> dict[str, Any]:
    return _list(
        _object({"uid": _REFERENCE}, {"attrs": {"type": "object"}, "parents": _list(_REFERENCE)})
    )


def decision_schema() -> dict[str, Any]:
    return _object({**_REASONS, "policy_digest": _TEXT})


def diagnostics_schema() -> dict[str, Any]:
    note = _object({"message": _TEXT, "file": _TEXT, "line": _COUNT, "column": _COUNT})
    diagnostic = _object(
        {
            "severity": {"enum": ["error", "warning"]},
            "code": _TEXT,
            "message": _TEXT,
            "help": _OPTIONAL_TEXT,
            "file": _TEXT,
            "line": _COUNT,
            "column": _COUNT,
            "end_line": _COUNT,
            "end_column": _COUNT,
            "notes": _list(note),
        }
    )
    return _object({"policy_digest": _TEXT, "diagnostics": _list(diagnostic)})


def plan_schema() -> dict[str, Any]:
    from ..plans.model import plan_schema as model_schema

    return model_schema()


def evidence_schema() -> dict[str, Any]:
    from ..plans.model import Evidence

    return Evidence.model_json_schema()


def gate_schema() -> dict[str, Any]:
    plan = plan_schema()
    definitions = plan.pop("$defs")
    result = _object(
        {
            "change": _OPTIONAL_TEXT,
            "action": _TEXT,
            "resource": _OPTIONAL_TEXT,
            **_REASONS,
            "source": _PLACE,
        }
    )
    document = _object(
        {
            "decision": _OUTCOME,
            "plan": plan,
            "results": _list(result),
            "problems": _list({"$ref": "#/$defs/Problem"}),
            "policy_digest": _TEXT,
            "decided_at": {"type": "string", "format": "date-time"},
        }
    )
    return {**document, "$defs": definitions}


_NATURAL = {"type": "integer", "minimum": 0}
_PLACED = {"file": _TEXT, "line": _COUNT, "column": _COUNT}


def _situation() -> dict[str, Any]:
    """A request and its entities, as `interlock eval` reads them."""
    return {"request": request_schema(), "entities": entities_schema()}


_DECIDING_RULES = _list(_object({"rule": _TEXT, "because": _OPTIONAL_TEXT, **_PLACED}))


def prove_schema() -> dict[str, Any]:
    guard = _object({"rule": _TEXT, "does_not_apply_because": _TEXT, **_PLACED})
    counterexample = _object(
        {
            **_situation(),
            "decision": _OUTCOME,
            "rules": _DECIDING_RULES,
            "guards": _list(guard),
            "text": _list(_TEXT),
        }
    )
    because = {"rule": _TEXT, "whole": {"type": "boolean"}, "part": _TEXT, **_PLACED}
    claim = _object(
        {
            "claim": _TEXT,
            "verdict": {"enum": ["proved", "refuted", "unknown", "vacuous"]},
            "says": _TEXT,
            "why": _OPTIONAL_TEXT,
            "environments": _NATURAL,
            "counterexample": {"anyOf": [counterexample, {"type": "null"}]},
            "because": _list(_object(because)),
            "source": _PLACE,
        }
    )
    kinds = {"enum": ["deleted", "widened", "narrowed", "eased"]}
    edit = {"rule": _TEXT, "edit": kinds, "without": _TEXT, **_PLACED}
    coverage = _object(
        {
            "tried": _NATURAL,
            "unproved": _list(_object(edit)),
            "undecided": _list(_object({**edit, "why": _TEXT})),
            "noticed": {"type": "object", "additionalProperties": _list(_TEXT)},
        }
    )
    repair = _object({"edit": _TEXT, "breaks": _list(_TEXT), **_PLACED})
    return _object(
        {"policy_digest": _TEXT, "claims": _list(claim)},
        {
            "coverage": coverage,
            "repairs": {"type": "object", "additionalProperties": _list(repair)},
        },
    )


def diff_schema() -> dict[str, Any]:
    side = _object({"name": _TEXT, "policy_digest": _TEXT})
    kinds = _list(_object({"principal": _TEXT, "action": _TEXT, "resource": _TEXT}))
    decision = _object({"decision": _OUTCOME, "rules": _DECIDING_RULES})
    cause = {"rule": _TEXT, "edit": {"enum": ["added", "deleted", "changed"]}, **_PLACED}
    region = _object(
        {
            "change": {"enum": ["gained", "lost"]},
            "causes": _list(_object(cause)),
            "where": _object({"conditions": _list(_TEXT), "exact": {"type": "boolean"}}),
            "before": decision,
            "after": decision,
            "environments": kinds,
            "counted": {"type": "boolean"},
            "example": _object(_situation()),
        }
    )
    return _object(
        {
            "before": side,
            "after": side,
            "kinds_of_request": _NATURAL,
            "regions": _list(region),
            "only_before": kinds,
            "only_after": kinds,
            "newly_permitted": {"anyOf": [_object(_situation()), {"type": "null"}]},
            "gained": {"type": "boolean"},
            "changed": {"type": "boolean"},
            "doubts": _list(_TEXT),
        }
    )


SCHEMAS = {
    "decision": decision_schema,
    "diagnostics": diagnostics_schema,
    "diff": diff_schema,
    "entities": entities_schema,
    "evidence": evidence_schema,
    "gate": gate_schema,
    "plan": plan_schema,
    "prove": prove_schema,
    "request": request_schema,
}


@click.command()
@click.argument("name", type=click.Choice(sorted(SCHEMAS)))
def command(name: str) -> None:
    """Print the JSON Schema of an output.

    NAME is what `eval`, `check`, `plan`, `gate`, `prove` or `diff` prints with --format json, or what they read.
    """
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    print_json({**draft, **SCHEMAS[name]()})
