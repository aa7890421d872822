"""Each rule of each shipped pack, weakened in every simple way: a claim of the pack notices, or it is listed here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interlock.analyzer.diff import compare
from interlock.analyzer.goals import Goal, goals_of
from interlock.analyzer.prove import Verdict, prove_goal
from interlock.analyzer.witness import Vocabulary
from interlock.compiler import compile_policies, ir
from interlock.lang.diagnostics import has_errors
from interlock.lang.loader import load
from interlock.lang.syntax import Effect

PACKS = sorted((Path(__file__).parent.parent / "stdlib_policies").glob("*.ilk"))

UNNOTICED: dict[str, frozenset[str]] = {}
"""Pack → the weakenings that change some decision and that no claim notices."""


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    policies: ir.PolicySet


def mutants(policies: ir.PolicySet) -> Iterator[Mutant]:
    """Policy sets that are one edit weaker, so that a request may get a more permissive decision."""
    for place, rule in enumerate(policies.rules):
        before, after = policies.rules[:place], policies.rules[place + 1 :]
        for edit, weaker in _weaker(policies, rule):
            kept = (weaker,) if weaker is not None else ()
            edited = replace(policies, rules=(*before, *kept, *after))
            yield Mutant(f"{rule.id}: {edit}", edited)


def _weaker(policies: ir.PolicySet, rule: ir.Rule) -> Iterator[tuple[str, ir.Rule | None]]:
    operands = rule.condition.operands if isinstance(rule.condition, ir.And) else (rule.condition,)
    if rule.effect is Effect.PERMIT:
        for place, operand in enumerate(operands):
            if operand != ir.TRUE:
                rest = (*operands[:place], *operands[place + 1 :])
                yield f"without condition {place + 1}", replace(rule, condition=_all_of(rest))
        yield from _wider(policies, rule)
        return
    yield "deleted", None
    for place, operand in enumerate(operands):
        if isinstance(operand, ir.Not) and isinstance(operand.operand, ir.And):
            inner = replace(operand, operand=ir.Or(operand.operand.operands))
            edited = (*operands[:place], inner, *operands[place + 1 :])
            yield f"`or` in exception {place + 1}", replace(rule, condition=_all_of(edited))
    if len(rule.needs) > 1:
        for place in range(len(rule.needs)):
            needs = (*rule.needs[:place], *rule.needs[place + 1 :])
            yield f"without need {place + 1}", replace(rule, needs=needs)
    if len(rule.scope.principal.types) > 1:
        for type in sorted(rule.scope.principal.types):
            types = rule.scope.principal.types - {type}
            principal = replace(rule.scope.principal, types=types)
            yield f"not for {type}", replace(rule, scope=replace(rule.scope, principal=principal))


def _wider(policies: ir.PolicySet, rule: ir.Rule) -> Iterator[tuple[str, ir.Rule]]:
    """A permit for every principal, and one for every action, that the schema has."""
    environments = list(policies.schema.environments())
    principals = frozenset(item.principal for item in environments)
    actions = frozenset(item.action for item in environments)
    if rule.scope.principal.types != principals:
        everyone = ir.VariableScope(principals)
        yield "for every principal", replace(rule, scope=replace(rule.scope, principal=everyone))
    if rule.scope.actions != actions:
        yield "for every action", replace(rule, scope=replace(rule.scope, actions=actions))


def _all_of(terms: tuple[ir.Term, ...]) -> ir.Term:
    return ir.And(terms) if len(terms) > 1 else (*terms, ir.TRUE)[0]


def noticing(policies: ir.PolicySet, goals: Iterable[Goal]) -> Iterator[str]:
    """The claims that these policies do not keep, or that name a rule which is gone."""
    names = {rule.id for rule in policies.rules}
    for goal in goals:
        if (goal.rule and goal.rule not in names) or (
            prove_goal(policies, goal, Vocabulary()).verdict is not Verdict.PROVED
        ):
            yield goal.name


def unnoticed(policies: ir.PolicySet, goals: Sequence[Goal]) -> Iterator[str]:
    """The weakenings that change some decision while every claim still holds."""
    for mutant in mutants(policies):
        if not any(noticing(mutant.policies, goals)):
            found = compare(policies, mutant.policies, Vocabulary(), most=1)
            if not found.is_equivalent:
                yield mutant.name


def read(pack: Path) -> tuple[ir.PolicySet, list[Goal]]:
    checked, problems = load([pack])
    policies, more = compile_policies(checked)
    goals, even_more = goals_of(checked)
    assert not has_errors([*problems, *more, *even_more])
    assert policies.rules
    return policies, goals


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.stem)
def test_claims_notice_every_weakening(pack: Path) -> None:
    policies, goals = read(pack)
    assert not list(noticing(policies, goals))
    assert set(unnoticed(policies, goals)) == UNNOTICED.get(pack.stem, frozenset())


def test_without_claims_nothing_is_noticed() -> None:
    """The test above would fail for a pack that proves too little."""
    policies, _ = read(PACKS[0])
    assert any(unnoticed(policies, []))


def test_the_list_is_about_packs_that_exist() -> None:
    assert UNNOTICED.keys() <= {pack.stem for pack in PACKS}


def main() -> None:
    """Which claims notice each weakening, as a table."""
    for pack in PACKS:
        policies, goals = read(pack)
        print(f"\n{pack.stem}: {len(policies.rules)} rules, {len(goals)} claims\n")
        print("| weakening | noticed by |\n|---|---|")
        for mutant in mutants(policies):
            claims = ", ".join(noticing(mutant.policies, goals))
            if not claims:
                found = compare(policies, mutant.policies, Vocabulary(), most=1)
                claims = "no decision changes" if found.is_equivalent else "**nothing**"
            print(f"| {mutant.name} | {claims} |", flush=True)


if __name__ == "__main__":
    main()
