"""Each claim decided for every request of the schema: proved, refuted with a request that reproduces, or not decided.

A claim is refuted by a request in its scope, for which its conditions hold, that breaks it. The search is over all
requests and stores at once; finding none is the proof. What is found is replayed on the reference evaluator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from ..compiler import ir
from ..compiler.backends.smt.circuit import TRUE, CircuitTooLargeError
from ..compiler.backends.smt.encoder import Encoder, Outcomes, encode
from ..compiler.decision import Decision, Request
from ..compiler.entities import NO_ENTITIES, Entities
from ..lang.schema import Environment
from ..lang.source import Span
from ..lang.values import EntityId
from .claims import Replayed
from .goals import Goal, breaks, groups_of, slice_of
from .invariant import takes_the_last
from .problem import Posed, pose
from .proof_store import ProofStore, certificate_of, is_proof
from .replay import Replay, holds, minimal, replay
from .solver import Answer, Engine, Model, Session, Undecided, Unsatisfiable, search
from .spoken_about import spoken_about
from .too_large import told, too_large
from .witness import NoWitnessError, Vocabulary, situation


class Verdict(StrEnum):
    """What is known of a claim. Only `PROVED` is success."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"
    VACUOUS = "vacuous"
    """No request is in its scope and fits its conditions, so that it says nothing."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A request that breaks the claim, as small as it could be made, with the decision it gets."""

    request: Request
    entities: Entities
    decision: Decision
    parents: Mapping[EntityId, frozenset[EntityId]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Because:
    """A rule, or one condition of it, without which the proof fails."""

    rule: str
    span: Span
    whole: bool
    path: str = ""
    """Which part of the rule it is (see `parts.py`)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict on one claim, with what a person needs to believe it."""

    goal: Goal
    verdict: Verdict
    counterexample: Counterexample | None = None
    because: tuple[Because, ...] = ()
    why: str = ""
    """Why a claim is undecided or vacuous."""
    certificates: tuple[str | None, ...] = ()
    """For a proved claim, by group of environments: what an independent program can check, if there is such."""
    request: str = ""
    """For a proved claim that is kept: a request that it speaks about, as JSON."""


@dataclass(frozen=True, slots=True)
class Question:
    """One group of environments: the formulas whose joint truth would break a claim."""

    encoder: Encoder
    outcomes: Outcomes
    assumed: int
    """The request is of the schema, in the claim's scope, and its conditions hold."""
    broken: int
    posed: Posed


def prove_goal(
    policies: ir.PolicySet,
    goal: Goal,
    vocabulary: Vocabulary,
    engine: Engine = Engine.AUTO,
    store: ProofStore | None = None,
    inventory: Entities = NO_ENTITIES,
) -> Proof:
    """One goal, over all environments that its scope admits; with a store, what it proves is certified."""
    is_vacuous = True
    doubts: list[str] = []
    certificates: list[str | None] = []
    request: str | None = None
    for number, group in enumerate(groups_of(policies.schema, goal.environments)):
        try:
            question = ask(policies, goal, group, inventory)
        except CircuitTooLargeError as reached:
            rules = (*slice_of(policies, goal, group), goal.claim)
            doubts += told(too_large(policies.schema, group, rules), reached)
            is_vacuous = False
            continue
        session = Session(question.posed.problem, engine)
        asked = (question.assumed, question.broken)
        kept = store.read(goal.name, number) if store is not None else None
        if kept is not None and is_proof(kept, question.posed, asked):
            answer: Answer = Unsatisfiable(asked)
        else:
            kept = None
            answer = search(session, question.encoder, asked)
        match answer:
            case Model():
                answer = _familiar(question, session, answer, vocabulary)
                found = _reproduce(policies, goal, question, answer, vocabulary)
                if isinstance(found, Counterexample):
                    return Proof(goal, Verdict.REFUTED, found)
                doubts.append(found)
                is_vacuous = False
            case Unsatisfiable():
                if is_vacuous:
                    asked_about = (policies, goal, question, session, vocabulary, store, inventory)
                    request = spoken_about(*asked_about)
                    is_vacuous = request is None
                if store is not None:
                    certificates.append(kept or certificate_of(question.posed, asked, session))
            case Undecided(why):
                doubts.append(why)
                is_vacuous = False
    if is_vacuous:
        why = "no request is in its scope and fits its conditions"
        return Proof(goal, Verdict.VACUOUS, why=why)
    if doubts:
        return Proof(goal, Verdict.UNKNOWN, why="; ".join(dict.fromkeys(doubts)))
    return Proof(goal, Verdict.PROVED, certificates=tuple(certificates), request=request or "")


def ask(
    policies: ir.PolicySet,
    goal: Goal,
    group: Sequence[Environment],
    inventory: Entities = NO_ENTITIES,
) -> Question:
    """What would break the goal in one group of environments."""
    rules = slice_of(policies, goal, group)

    def build(encoder: Encoder) -> tuple[Outcomes, int, int]:
        outcomes = encoder.decide(rules)
        return outcomes, *breaks(encoder, outcomes, goal)

    encoder, (outcomes, assumed, broken) = encode(policies.schema, group, build, Encoder, inventory)
    return Question(encoder, outcomes, assumed, broken, pose(encoder, (assumed, broken)))


def _familiar(question: Question, session: Session, model: Model, vocabulary: Vocabulary) -> Model:
    """A model with the kinds of entities that the policies' own tests are about, where there is one."""
    fixed = [question.assumed, question.broken, *question.encoder.within_slots]
    for name in ("principal", "resource"):
        place = question.encoder.root(name)
        for type in vocabulary.ids:
            tag = question.encoder.is_tag(place, type)
            if abs(tag) != TRUE and abs(tag) <= question.posed.problem.variables:
                answer = session.solve((*fixed, tag))
                if isinstance(answer, Model):
                    fixed.append(tag)
                    model = answer
                    break
    return model


def _reproduce(
    policies: ir.PolicySet,
    goal: Goal,
    question: Question,
    model: Model,
    vocabulary: Vocabulary,
) -> Counterexample | str:
    """The counterexample of a model, replayed and made small; or why there is none."""
    try:
        found = situation(question.encoder, model, question.posed.numbers, vocabulary)
    except NoWitnessError as problem:
        return str(problem)
    again = replay(policies, found)

    def breaks(request: Request, entities: Entities, decision: Decision) -> bool:
        return is_broken(goal, request, entities, decision)

    if not breaks(found.request, again.entities, again.decision):
        if question.encoder.approximations:
            return "; ".join(question.encoder.approximations)
        return f"a counterexample was found that the evaluator does not reproduce (please report this): {_shown(again)}"
    smallest = minimal(policies, again, breaks)
    return Counterexample(
        smallest.situation.request,
        smallest.entities,
        smallest.decision,
        dict(smallest.situation.described.parents),
    )


def is_broken(goal: Goal, request: Request, entities: Entities, decision: Decision) -> bool:
    """Whether the reference evaluator finds the claim broken by this request."""
    if not in_scope(goal.claim.scope, request, entities):
        return False
    if holds(goal.claim.condition, request, entities) is not True:
        return False
    says = holds(goal.expression, request, entities)
    if says is None:
        return False
    taken = goal.invariant is not None and takes_the_last(goal.invariant, request, entities)
    return bool(goal.kind.is_broken(Replayed(decision, says, goal.rule, taken)))


def in_scope(scope: ir.Scope, request: Request, entities: Entities) -> bool:
    """Whether a request is in the scope of a rule or a claim."""
    if request.action not in scope.actions:
        return False
    for wanted, entity in (
        (scope.principal, request.principal),
        (scope.resource, request.resource),
    ):
        known = entities.known.get(entity)
        if entity.type not in wanted.types or known is None:
            return False
        if wanted.entities and entity not in wanted.entities:
            return False
        above = known.ancestors | {entity}
        if wanted.ancestors and not above.intersection(wanted.ancestors):
            return False
    return True


def _shown(found: Replay) -> str:
    request = found.situation.request
    return f"{request.principal} {request.action} {request.resource} is {found.decision.outcome}"


__all__ = ["Because", "Counterexample", "Engine", "Proof", "Verdict", "prove_goal"]
