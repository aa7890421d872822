"""A plan before a policy set: every change and the plan itself decided, and the worst of it is the answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from ..compiler.backends.python.runtime import Entities
from ..compiler.decision import Decision, Outcome, worst
from ..compiler.explain import Explanation, NearMiss
from ..plans import requests
from ..plans.blast import MAX_AGE, Radius, radius
from ..plans.blast_plan import with_radius
from ..plans.graph import Graph
from ..plans.model import Change, Evidence, Plan


class Evaluator(Protocol):
    """What decides: `interlock.load(…)` gives one."""

    @property
    def digest(self) -> str: ...

    def entities(self, described: Iterable[Any]) -> Entities: ...

    def explain(self, request: Any, entities: Entities) -> Explanation: ...


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
    """With its blast radius where a graph was given, and with the changes that the recovery check adds."""
    results: tuple[Result, ...]
    policy_digest: str
    decided_at: datetime
    radius: Radius | None = None


def gate(
    policies: Evaluator,
    plan: Plan,
    evidence: Evidence | None = None,
    *,
    frozen: bool = False,
    graph: Graph | None = None,
    max_age: timedelta = MAX_AGE,
    now: datetime | None = None,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> Verdict:
    """Decides a plan. A plan with problems is incomplete, and what is incomplete is denied."""
    moment = now or datetime.now(UTC)
    reach = None if graph is None else radius(plan, graph, moment, max_age)
    if reach is not None:
        plan = with_radius(reach)
    documents = requests.entities(plan, evidence or Evidence(), frozen=frozen)
    entities = policies.entities(documents)
    results = []
    for change, document in progress(requests.requests(plan, moment)):
        explanation = policies.explain(document, entities)
        results.append(Result(change, explanation.decision, explanation.near_misses[:3]))
    outcomes = [result.decision.outcome for result in results]
    if plan.problems:
        outcomes.append(Outcome.DENY)
    return Verdict(worst(outcomes), plan, tuple(results), policies.digest, moment, reach)
