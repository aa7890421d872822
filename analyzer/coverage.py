"""What no claim protects: the guards that could be deleted, and the permits that could be widened, unnoticed."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..compiler import ir
from ..lang.source import Span
from ..lang.syntax import Effect
from .goals import groups_of
from .parts import take_apart
from .prove import Proof, Verdict
from .solver import Engine, Model, Session


@dataclass(frozen=True, slots=True)
class Unproved:
    """An edit that makes the policies weaker and that every proved claim survives."""

    rule: str
    span: Span
    edit: str
    """`deleted`, or `widened` where a condition of a permit is dropped."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The edits tried, and those that no claim notices; `single` maps a claim to the one rule it rests on."""

    tried: int
    unproved: tuple[Unproved, ...]
    noticed: dict[str, tuple[str, ...]]
    """Rule → the claims that notice its deletion or its widening."""


def coverage(
    policies: ir.PolicySet, proofs: Iterable[Proof], engine: Engine = Engine.AUTO
) -> Coverage:
    """Deletes each `forbid` and `require`, and drops each condition of each `permit`, one at a time."""
    edits: dict[tuple[str, int, int], Unproved] = {}
    for rule in policies.rules:
        if rule.effect is Effect.PERMIT:
            condition = rule.condition
            terms = condition.operands if isinstance(condition, ir.And) else (condition,)
            for term in terms:
                if term != ir.TRUE:
                    key = (rule.id, term.span.start, term.span.end)
                    edits[key] = Unproved(rule.id, term.span, "widened")
        else:
            key = (rule.id, rule.span.start, rule.span.end)
            edits[key] = Unproved(rule.id, rule.span, "deleted")
    noticed: dict[tuple[str, int, int], list[str]] = {key: [] for key in edits}
    for proof in proofs:
        if proof.verdict is not Verdict.PROVED:
            continue
        for group in groups_of(policies.schema, proof.goal.environments):
            apart = take_apart(policies, proof.goal, group)
            session = Session(apart.posed.problem, engine)
            selectors = {part.selector for part in apart.parts}
            for part in apart.parts:
                is_permit = part.rule.effect is Effect.PERMIT
                key = (part.rule.id, part.span.start, part.span.end)
                if key not in edits or part.is_need or part.is_scope is is_permit:
                    continue
                edited = part.counts if is_permit else -part.counts
                others = selectors - {part.selector}
                answer = session.solve((apart.assumed, apart.broken, edited, *sorted(others)))
                if isinstance(answer, Model) and proof.goal.name not in noticed[key]:
                    noticed[key].append(proof.goal.name)
    by_rule: dict[str, list[str]] = {}
    for key, claims in noticed.items():
        by_rule.setdefault(key[0], []).extend(claims)
    return Coverage(
        len(edits),
        tuple(edit for key, edit in edits.items() if not noticed[key]),
        {rule: tuple(dict.fromkeys(claims)) for rule, claims in by_rule.items()},
    )
