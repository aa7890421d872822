"""A counterexample on the reference evaluator: does it break the claim, and what of it can be left out?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..compiler import ir
from ..compiler.decision import Decision, Request
from ..compiler.documents import Described
from ..compiler.entities import Entities
from ..compiler.reference import decide, evaluate
from ..compiler.wire import build_entities
from ..lang.values import Record, Value
from .witness import Situation

MAX_TRIALS = 400


@dataclass(frozen=True, slots=True)
class Replay:
    """What the reference evaluator makes of a situation."""

    situation: Situation
    entities: Entities
    decision: Decision


Breaks = Callable[[Request, Entities, Decision], bool]


def replay(policies: ir.PolicySet, situation: Situation) -> Replay:
    entities = build_entities(policies.schema, situation.described)
    return Replay(situation, entities, decide(policies, situation.request, entities))


def holds(term: ir.Term, request: Request, entities: Entities) -> bool | None:
    """Whether a condition holds; `None` where it cannot be read."""
    value = evaluate(term, request, entities)
    return value if isinstance(value, bool) else None


def minimal(policies: ir.PolicySet, found: Replay, breaks: Breaks) -> Replay:
    """The situation without what can be left out, so that the claim is still broken and nothing missing is read."""
    trials = 0
    changed = True
    while changed:
        changed = False
        for smaller in _smaller(found.situation):
            trials += 1
            if trials > MAX_TRIALS:
                return found
            again = replay(policies, smaller)
            if not again.decision.problems and breaks(
                smaller.request, again.entities, again.decision
            ):
                found, changed = again, True
                break
    return found


def _smaller(situation: Situation) -> Iterator[Situation]:
    """The situations with one thing less, largest parts first."""
    request, described = situation.request, situation.described
    needed = {request.principal, request.resource}
    for entity in described.attributes:
        if entity not in needed:
            attributes = {key: item for key, item in described.attributes.items() if key != entity}
            parents = {
                key: above - {entity} for key, above in described.parents.items() if key != entity
            }
            yield Situation(request, Described(attributes, parents, {}))
    for entity, above in described.parents.items():
        for ancestor in sorted(above):
            parents = {**described.parents, entity: above - {ancestor}}
            yield Situation(request, Described(described.attributes, parents, {}))
    for entity, record in described.attributes.items():
        for smaller in _smaller_records(record):
            attributes = {**described.attributes, entity: smaller}
            yield Situation(request, Described(attributes, described.parents, {}))
    for smaller in _smaller_records(request.context):
        changed = Request(request.principal, request.action, request.resource, smaller)
        yield Situation(changed, described)


def _smaller_records(record: Record) -> Iterator[Record]:
    for name, value in record.items():
        yield Record({key: item for key, item in record.items() if key != name})
        for smaller in _smaller_values(value):
            yield Record({**record, name: smaller})


def _smaller_values(value: Value) -> Iterator[Value]:
    if isinstance(value, Record):
        yield from _smaller_records(value)
    elif isinstance(value, frozenset):
        for item in value:
            yield value - {item}
        for item in value:
            for smaller in _smaller_values(item):
                if smaller not in value:
                    yield (value - {item}) | {smaller}
