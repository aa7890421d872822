"""The smallest edit after which a refuted claim holds: tried, proved again, and run past the policies' tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..compiler import ir
from ..compiler.entities import NO_ENTITIES, Entities
from ..compiler.testing import run_tests
from ..lang.checked import Checked
from ..lang.source import Span
from ..lang.syntax import Effect
from .claims import always_denied, never_permitted, permitted_only_if
from .goals import Goal
from .prove import Counterexample, Proof, Verdict, prove_goal
from .solver import Engine
from .telling import guards, said
from .vocabulary import vocabulary_of

MAX_CANDIDATES = 40


@dataclass(frozen=True, slots=True)
class Repair:
    """An edit that makes the claim hold. `breaks` are tests and claims that it breaks; none is best."""

    message: str
    rule: str
    span: Span
    breaks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    message: str
    rule: str
    span: Span
    rules: tuple[ir.Rule, ...]


def repairs(
    checked: Checked,
    policies: ir.PolicySet,
    proof: Proof,
    others: Sequence[Proof] = (),
    engine: Engine = Engine.AUTO,
    inventory: Entities = NO_ENTITIES,
) -> list[Repair]:
    """Edits that make a refuted claim hold, the least harmful and smallest first; none for claims that ask for more.

    Only edits that make the policies stricter are suggested: a claim that something is always permitted is for its
    author to weigh against the guard that stops it.
    """
    goal, found = proof.goal, proof.counterexample
    if found is None or goal.kind not in (never_permitted, always_denied, permitted_only_if):
        return []
    vocabulary = vocabulary_of(checked, inventory)

    def verdict(edited: ir.PolicySet, goal: Goal) -> Verdict:
        return prove_goal(edited, goal, vocabulary, engine, inventory=inventory).verdict

    failing = {item.test.name for item in run_tests(checked, policies) if item.failure}
    result: list[Repair] = []
    for number, candidate in enumerate(_candidates(checked, policies, goal, found)):
        if number >= MAX_CANDIDATES:
            break
        edited = replace(policies, rules=candidate.rules)
        if verdict(edited, goal) is not Verdict.PROVED:
            continue
        broken = [
            f"test {item.test.name}"
            for item in run_tests(checked, edited)
            if item.failure and item.test.name not in failing
        ]
        for other in others:
            if other.verdict is Verdict.PROVED and verdict(edited, other.goal) is not other.verdict:
                broken.append(f"claim {other.goal.name}")
        result.append(Repair(candidate.message, candidate.rule, candidate.span, tuple(broken)))
    # The candidates come smallest first, and sorting keeps that order.
    return sorted(result, key=lambda repair: len(repair.breaks))


def _candidates(
    checked: Checked, policies: ir.PolicySet, goal: Goal, found: Counterexample
) -> Iterator[_Candidate]:
    by_name = {rule.id: rule for rule in policies.rules}

    def edited(rule: ir.Rule, change: ir.Rule | None) -> tuple[ir.Rule, ...]:
        return tuple(
            item
            for item in (change if known is rule else known for known in policies.rules)
            if item is not None
        )

    request = found.request
    for guard in guards(checked, policies, found):
        rule = by_name[guard.rule]
        if len(guard.misses) != 1:
            continue
        miss = guard.misses[0]
        terms = rule.condition.operands if isinstance(rule.condition, ir.And) else (rule.condition,)
        kept = tuple(term for term in terms if term is not miss.term)
        if len(kept) < len(terms):
            yield _Candidate(
                f"leave {said(miss.span)} out of `{rule.id}`, so that it applies here too",
                rule.id,
                miss.span,
                edited(rule, replace(rule, condition=_all(kept))),
            )
        else:
            scope = replace(
                rule.scope,
                actions=rule.scope.actions | {request.action},
                principal=replace(
                    rule.scope.principal,
                    types=rule.scope.principal.types | {request.principal.type},
                ),
                resource=replace(
                    rule.scope.resource, types=rule.scope.resource.types | {request.resource.type}
                ),
            )
            yield _Candidate(
                f"let `{rule.id}` also speak about {request.principal.type} {request.action} "
                f"{request.resource.type}",
                rule.id,
                miss.span,
                edited(rule, replace(rule, scope=scope)),
            )
    condition = goal.claim.condition
    wanted = goal.expression if goal.kind is permitted_only_if else ir.FALSE
    for reason in found.decision.reasons:
        rule = by_name[reason.rule]
        if rule.effect is not Effect.PERMIT:
            continue
        if goal.kind is permitted_only_if:
            text = " ".join(goal.expression.span.text.split())
            needed = ir.Or((ir.Not(condition), goal.expression)) if condition != ir.TRUE else wanted
            change = replace(rule, condition=_all((rule.condition, needed)))
            where = " where the claim speaks" if condition != ir.TRUE else ""
            message = f"let `{rule.id}` permit only when `{text}`{where}"
            yield _Candidate(message, rule.id, rule.span, edited(rule, change))
        elif condition != ir.TRUE:
            change = replace(rule, condition=_all((rule.condition, ir.Not(condition))))
            message = f"add the conditions of the claim to `{rule.id}` as an `unless`"
            yield _Candidate(message, rule.id, rule.span, edited(rule, change))
    forbid = ir.Rule(
        f"guard_of_{goal.name}",
        Effect.FORBID,
        goal.claim.scope,
        _all((condition, ir.Not(wanted))),
        span=goal.span,
    )
    yield _Candidate(
        f"add a `forbid` with the scope and the conditions of `{goal.name}`",
        "",
        goal.span,
        (*policies.rules, forbid),
    )
    for reason in found.decision.reasons:
        rule = by_name[reason.rule]
        if rule.effect is Effect.PERMIT:
            yield _Candidate(f"delete `{rule.id}`", rule.id, rule.span, edited(rule, None))


def _all(terms: Sequence[ir.Term]) -> ir.Term:
    kept = tuple(term for term in terms if term != ir.TRUE)
    return ir.And(kept) if len(kept) > 1 else (*kept, ir.TRUE)[0]
