"""A plan as policies see it: one request to apply it, one for each change, and the entities they speak about.

The documents are plain JSON in the form that `compiler/wire.py` reads; this room knows no policy.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from .model import (
    Approval,
    Asset,
    Blast,
    Change,
    Credential,
    Evidence,
    Identity,
    Plan,
    Risk,
    risk_of,
)

Json = dict[str, Any]
_RISKS = list(Risk)
NON_PRODUCTION = frozenset(
    {"ci", "dev", "development", "local", "preview", "qa", "sandbox", "stage", "staging", "test", "testing", "uat"}
)  # fmt: skip
"""Names of environments that are not production; every other name counts as production."""


def is_production(environment: str) -> bool:
    """Whether an environment holds what must not be lost; a name nobody knows does."""
    return environment.lower() not in NON_PRODUCTION


def reference(type: str, id: str) -> Json:
    return {"type": type, "id": id}


def plan_reference(plan: Plan) -> Json:
    return reference("Plan", plan.digest)


def requests(plan: Plan, now: datetime) -> Iterator[tuple[Change | None, Json]]:
    """The request to apply the plan (with `None`), then the request of each change."""
    principal = reference(plan.author.type, plan.author.id)
    moment = now.isoformat()
    yield (
        None,
        {
            "principal": principal,
            "action": reference("Action", "apply"),
            "resource": plan_reference(plan),
            "context": {"now": moment},
        },
    )
    for change in plan.changes:
        yield (
            change,
            {
                "principal": principal,
                "action": reference("Action", change.action),
                "resource": reference(change.resource.type, change.resource.id),
                "context": {
                    "plan": plan_reference(plan),
                    "change": change_document(change),
                    "now": moment,
                },
            },
        )


def entities(plan: Plan, evidence: Evidence, *, frozen: bool = False) -> list[Json]:
    """The plan, its author, its environment and every asset it touches."""
    environment = reference("Environment", plan.environment)
    domains = {plan.author.auth_domain}
    documents = [
        _entity(
            environment,
            {"production": is_production(plan.environment), "frozen": frozen},
        ),
        _author(plan.author),
        _entity(plan_reference(plan), _plan_attributes(plan, evidence, environment), [environment]),
    ]
    documents += [_entity(reference("AuthDomain", name), {}) for name in sorted(domains)]
    documents += [
        _entity(reference(asset.type, asset.id), _asset_attributes(asset, evidence), [environment])
        for asset in _assets(plan.changes)
    ]
    return documents


def change_document(change: Change) -> Json:
    """The `Change` of the vocabulary."""
    exclude = {"action", "resource", "source"}
    return change.model_dump(mode="json", exclude=exclude, exclude_none=True)


def _entity(uid: Json, attributes: Json, parents: Iterable[Json] = ()) -> Json:
    return {"uid": uid, "attrs": attributes, "parents": list(parents)}


def _author(author: Identity) -> Json:
    attributes: Json = {"auth_domain": reference("AuthDomain", author.auth_domain)}
    if author.owner is not None:
        attributes["owner"] = reference("Human", author.owner)
    return _entity(reference(author.type, author.id), attributes)


def _plan_attributes(plan: Plan, evidence: Evidence, environment: Json) -> Json:
    attributes: Json = {
        "digest": plan.digest,
        "author": reference(plan.author.type, plan.author.id),
        "environment": environment,
        "risk": risk_of(plan.changes).value,
        "changes": [change_document(change) for change in plan.changes],
        "approvals": [_approval(approval) for approval in evidence.approvals],
        "dry_run": evidence.dry_run,
    }
    if evidence.credential is not None:
        attributes["credential"] = _credential(evidence.credential)
    if evidence.rollback is not None:
        rollback: Json = {"how": evidence.rollback.how}
        if evidence.rollback.tested_at is not None:
            rollback["tested_at"] = evidence.rollback.tested_at.isoformat()
        if evidence.rollback.within is not None:
            rollback["within"] = _duration(evidence.rollback.within)
        attributes["rollback"] = rollback
    if plan.blast is not None:
        attributes["blast"] = _blast(plan.blast)
    return attributes


def _blast(blast: Blast) -> Json:
    document = blast.model_dump(mode="json", exclude_none=True, exclude={"age", "back_within"})
    for name, length in (("age", blast.age), ("back_within", blast.back_within)):
        if length is not None:
            document[name] = _duration(length)
    return document


def _approval(approval: Approval) -> Json:
    return {
        "approver": reference("Human", approval.approver),
        "at": approval.at.isoformat(),
        "plan": approval.plan,
    }


def _credential(credential: Credential) -> Json:
    return {
        "ephemeral": credential.ephemeral,
        "ttl": _duration(credential.ttl),
        "scopes": sorted(credential.scopes),
        "auth_domain": credential.auth_domain,
    }


def _duration(length: timedelta) -> str:
    microseconds = length // timedelta(microseconds=1)
    return f"{microseconds}us"


def _assets(changes: Iterable[Change]) -> list[Asset]:
    """Each asset once; where changes tell different facts about one, the worse of each holds."""
    merged: dict[tuple[str, str], Asset] = {}
    for change in changes:
        asset = change.resource
        known = merged.get((asset.type, asset.id))
        if known is None:
            merged[asset.type, asset.id] = asset
        elif known != asset:
            merged[asset.type, asset.id] = known.model_copy(
                update={
                    "stateful": known.stateful or asset.stateful,
                    "recovery": known.recovery or asset.recovery,
                    "protected": known.protected or asset.protected,
                    "criticality": max(known.criticality, asset.criticality, key=_RISKS.index),
                }
            )
    return list(merged.values())


def _asset_attributes(asset: Asset, evidence: Evidence) -> Json:
    attributes: Json = {
        "name": asset.name,
        "kind": asset.kind,
        "stateful": asset.stateful,
        "recovery": asset.recovery,
        "protected": asset.protected,
        "criticality": asset.criticality.value,
    }
    hold = evidence.legal_holds.get(asset.id)
    if hold is not None:
        attributes["legal_hold"] = hold.model_dump()
    if asset.blast is not None:
        attributes["blast"] = asset.blast.model_dump(mode="json")
    return attributes
