"""What no claim protects: the guards that could be deleted, and the permits that could be widened, unnoticed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..compiler import ir
from ..lang.source import Span
from ..lang.syntax import Effect
from .diff import compare
from .goals import groups_of
from .parts import take_apart
from .prove import Proof, Verdict
from .solver import Engine, Model, Session
from .witness import Vocabulary


@dataclass(frozen=True, slots=True)
class Unproved:
    """An edit that makes the policies weaker and that every proved claim survives."""

    rule: str
    span: Span
    edit: str
    """`deleted`, or `widened` where a condition of a permit is dropped."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The edits that change some decision, and those of them that no claim notices."""

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
    unproved = [
        edit
        for key, edit in edits.items()
        if not noticed[key] and _changes_decisions(policies, edit, engine)
    ]
    return Coverage(
        len(unproved) + sum(bool(claims) for claims in noticed.values()),
        tuple(unproved),
        {rule: tuple(dict.fromkeys(claims)) for rule, claims in by_rule.items()},
    )


def _changes_decisions(policies: ir.PolicySet, edit: Unproved, engine: Engine) -> bool:
    """Whether the edit is more than a change of words: other rules may decide the same without it."""
    edited = replace(policies, rules=tuple(_edited(policies.rules, edit)))
    return not compare(policies, edited, Vocabulary(), engine, most=1).is_equivalent


def _edited(rules: Iterable[ir.Rule], edit: Unproved) -> Iterator[ir.Rule]:
    for rule in rules:
        if rule.id != edit.rule:
            yield rule
        elif edit.edit == "widened":
            terms = (
                rule.condition.operands if isinstance(rule.condition, ir.And) else (rule.condition,)
            )
            kept = tuple(term for term in terms if term.span != edit.span)
            yield replace(rule, condition=ir.And(kept) if len(kept) > 1 else (*kept, ir.TRUE)[0])
