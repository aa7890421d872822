"""A plan before a policy set: every change and the plan itself decided, and the worst of it is the answer."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..compiler import ir
from ..compiler.decision import Decision, Outcome, Problem, worst
from ..compiler.entities import Entities
from ..compiler.explain import NearMiss, near_misses
from ..compiler.reference import decide, deny
from ..compiler.wire import Misfit, missing_entities, read_entities, read_request
from ..plans import requests
from ..plans.model import Change, Evidence, Plan


@dataclass(frozen=True, slots=True)
class Result:
    """The decision about one change, or about applying the plan where `change` is `None`."""

    change: Change | None
    decision: Decision
    near_misses: tuple[NearMiss, ...] = ()
    """Where nothing permits: the permits that came closest."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a plan: `outcome` is the worst of `results`, the plan's own first."""

    outcome: Outcome
    plan: Plan
    results: tuple[Result, ...]
    policy_digest: str
    decided_at: datetime


def gate(
    policies: ir.PolicySet,
    plan: Plan,
    evidence: Evidence | None = None,
    *,
    frozen: bool = False,
    now: datetime | None = None,
) -> Verdict:
    """Decides a plan. A plan with problems is incomplete, and what is incomplete is denied."""
    moment = now or datetime.now(UTC)
    documents = requests.entities(plan, evidence or Evidence(), frozen=frozen)
    entities = read_entities(policies.schema, documents)
    results = [
        Result(change, *_decide(policies, document, entities))
        for change, document in requests.requests(plan, moment)
    ]
    outcomes = [result.decision.outcome for result in results]
    if plan.problems:
        outcomes.append(Outcome.DENY)
    return Verdict(worst(outcomes), plan, tuple(results), policies.digest, moment)


def decide_document(policies: ir.PolicySet, document: Any, entities: Entities) -> Decision:
    """The decision about a request as JSON; one that does not fit the schema is denied with the reason."""
    return _decide(policies, document, entities)[0]


def _decide(
    policies: ir.PolicySet, document: Any, entities: Entities
) -> tuple[Decision, tuple[NearMiss, ...]]:
    try:
        request = read_request(policies.schema, document)
    except Misfit as misfit:
        return deny(policies, Problem(f"the request does not fit the schema: {misfit}")), ()
    missing = missing_entities(request, entities)
    if missing:
        return deny(policies, *map(Problem, missing), request=request), ()
    decision = decide(policies, request, entities)
    unexplained = (
        decision.outcome is Outcome.DENY and not decision.reasons and not decision.problems
    )
    nearest = near_misses(policies, request, entities)[:3] if unexplained else []
    return decision, tuple(nearest)
