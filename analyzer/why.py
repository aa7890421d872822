"""Why a claim holds: a smallest set of rules and conditions that the proof needs, as places in the text."""

from dataclasses import replace

from ..compiler import ir
from ..compiler.entities import NO_ENTITIES, Entities
from .goals import Goal, groups_of
from .parts import Part, part_of, take_apart
from .proof_store import ProofStore, name_of_proof
from .prove import Because, Proof, Verdict
from .solver import Engine, Session, Unsatisfiable

MAX_TRIALS = 300
"""The most attempts to leave a part out; after them the parts that are left are shown, though some may be needless."""


def explain(
    policies: ir.PolicySet,
    proof: Proof,
    engine: Engine = Engine.AUTO,
    inventory: Entities = NO_ENTITIES,
    store: ProofStore | None = None,
) -> Proof:
    """A proved claim with the parts that it rests on; any other verdict as it is.

    With a store, what it tells of this very proof is not sought again.
    """
    if proof.verdict is not Verdict.PROVED:
        return proof
    kept = _kept(policies, proof, store) if store is not None else None
    if kept is not None:
        return replace(proof, because=kept)
    found = {
        (part.rule.id, part.path): Because(part.rule.id, part.span, part.is_scope, part.path)
        for part in needed_parts(policies, proof.goal, engine, inventory)
    }
    return replace(proof, because=tuple(found.values()))


def _kept(policies: ir.PolicySet, proof: Proof, store: ProofStore) -> tuple[Because, ...] | None:
    name = name_of_proof(policies, proof.goal, proof.certificates)
    told = store.read_because(proof.goal.name, name) if name else None
    if told is None:
        return None
    rules = {rule.id: rule for rule in policies.rules}
    found = []
    for rule, path in told:
        part = part_of(rules[rule], path) if rule in rules else None
        if part is None:
            return None
        found.append(Because(rule, part.span, part is rules[rule], path))
    return tuple(found)


def needed_parts(
    policies: ir.PolicySet,
    goal: Goal,
    engine: Engine = Engine.AUTO,
    inventory: Entities = NO_ENTITIES,
) -> list[Part]:
    """Parts without any of which, left open, the claim would not be proved; over all groups of environments."""
    found: list[Part] = []
    for group in groups_of(policies.schema, goal.environments):
        apart = take_apart(policies, goal, group, inventory)
        session = Session(apart.posed.problem, engine)
        claim = (apart.assumed, apart.broken)
        by_selector = {part.selector: part for part in apart.parts}
        answer = session.solve((*claim, *by_selector))
        if not isinstance(answer, Unsatisfiable):
            continue
        core = [item for item in answer.core if item in by_selector]
        # Conditions go before scopes, so that what stays is told as coarsely as it can be.
        order = sorted(core, key=lambda item: by_selector[item].is_scope)
        for trial, item in enumerate(order):
            if trial >= MAX_TRIALS:
                break
            if item in core:
                fewer = [other for other in core if other != item]
                again = session.solve((*claim, *fewer))
                if isinstance(again, Unsatisfiable):
                    kept = set(again.core)
                    core = [other for other in fewer if other in kept]
        found += [by_selector[item] for item in core]
    return found
