"""That a claim speaks about some request: one that a solver finds, or one that is kept and that is replayed."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from ..compiler import ir
from ..compiler.entities import Entities, EntityData
from ..compiler.reference import decide
from ..compiler.wire import Misfit, build_entities, decode, read_entities, read_request
from ..lang.syntax import Effect, Outcome
from .as_json import situation_document
from .goals import Goal
from .proof_store import ProofStore
from .solver import Model, Session, Unsatisfiable, search
from .witness import NoWitnessError, Vocabulary, situation

if TYPE_CHECKING:
    from .prove import Question


def spoken_about(
    policies: ir.PolicySet,
    goal: Goal,
    question: "Question",
    session: Session,
    vocabulary: Vocabulary,
    store: ProofStore | None,
    inventory: Entities,
) -> str | None:
    """A request of the claim as JSON, empty where it is not to be kept or cannot be; `None` if there is none."""
    kept = store.read_request(goal.name) if store is not None else None
    if kept is not None and is_spoken_about(policies, goal, kept, inventory):
        return kept
    answer = search(session, question.encoder, (question.assumed,))
    if isinstance(answer, Unsatisfiable):
        return None
    if store is None or not isinstance(answer, Model):
        return ""
    try:
        found = situation(question.encoder, answer, question.posed.numbers, vocabulary)
    except NoWitnessError:
        return ""
    entities = build_entities(policies.schema, found.described)
    document = situation_document(policies.schema, found.request, entities, found.described.parents)
    text = json.dumps(document, ensure_ascii=True)
    return text if is_spoken_about(policies, goal, text, inventory) else ""


def is_spoken_about(policies: ir.PolicySet, goal: Goal, text: str, inventory: Entities) -> bool:
    """Whether the evaluator agrees that the claim speaks about a request, whoever wrote it down.

    It is asked what the claim would permit if its scope and its conditions were a permit.
    """
    try:
        document = decode(text)
        if not isinstance(document, dict):
            return False
        request = read_request(policies.schema, document.get("request"))
        entities = read_entities(policies.schema, document.get("entities"))
    except Misfit:
        return False
    if entities.invalid:
        return False
    permit = replace(goal.claim, effect=Effect.PERMIT, needs=(), because=None, instead=None)
    alone = replace(policies, rules=(permit,))
    return decide(alone, request, _given(entities, inventory)).outcome is Outcome.PERMIT


def _given(entities: Entities, inventory: Entities) -> Entities:
    """A store that agrees with the inventory about all that it knows."""
    known = {**entities.known, **inventory.known}
    return Entities(
        {
            entity: EntityData(
                data.attributes,
                data.ancestors.union(
                    *(known[above].ancestors for above in data.ancestors if above in known)
                ),
            )
            for entity, data in known.items()
        }
    )
