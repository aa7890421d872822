"""A claim made ready for proof: lowered, with the environments that its scope admits and the rules that bear on it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from ..compiler import ir
from ..compiler.backends.smt.circuit import FALSE
from ..compiler.backends.smt.encoder import Encoder, Outcomes
from ..compiler.ir_text import digest_of
from ..compiler.lower import lower_claim, lower_effects, lower_invariant
from ..compiler.passes import run_passes
from ..lang import syntax
from ..lang.checked import Checked, CheckedProve
from ..lang.diagnostics import Diagnostic
from ..lang.names import resolve_type
from ..lang.schema import Environment, Schema
from ..lang.source import Span
from ..lang.typesystem import EntityType
from .claims import CLAIMS, Broken
from .invariant import Invariant, loses


@dataclass(frozen=True, slots=True)
class Goal:
    """`claim.condition` and scope say which requests it speaks about, `expression` what it says beside the decision."""

    name: str
    claim: ir.Rule
    kind: ModuleType
    rule: str
    """The rule that the claim names, or nothing."""
    environments: tuple[Environment, ...]
    span: Span
    invariant: Invariant | None = None
    """What must always exist, for a claim about sequences."""

    @property
    def expression(self) -> ir.Term:
        return self.claim.needs[0].condition if self.claim.needs else ir.TRUE

    @property
    def sentence(self) -> str:
        """What is claimed, in the words of the language."""
        if self.invariant is not None:
            where = " ".join(self.invariant.condition.span.text.split())
            return (
                f"{self.kind.SENTENCE} {self.invariant.name}: {self.invariant.type} where {where}"
            )
        told = "".join(
            part
            for need in self.claim.needs
            for part in need.message.parts
            if isinstance(part, str)
        )
        return " ".join(filter(None, (self.kind.SENTENCE, self.rule, told)))


def goals_of(checked: Checked, names: Iterable[str] = ()) -> tuple[list[Goal], list[Diagnostic]]:
    """The claims, all of them or those of these names; and those too large to prove."""
    wanted = set(names)
    goals: list[Goal] = []
    problems: list[Diagnostic] = []
    for item in checked.proves:
        if wanted and item.prove.name not in wanted:
            continue
        found = _claim_of(item)
        rule, more = lower_claim(checked.tables, item)
        problems += more
        if not more:
            goals.append(
                Goal(
                    item.prove.name,
                    run_passes(rule),
                    CLAIMS[type(found)],
                    found.rule.name if isinstance(found, syntax.DeniedBy) else "",
                    item.environments,
                    item.prove.span,
                    _invariant(checked, item),
                )
            )
    return goals, problems


def _invariant(checked: Checked, item: CheckedProve) -> Invariant | None:
    found = _claim_of(item)
    lowered = lower_invariant(checked.tables, item)
    if not isinstance(found, syntax.AlwaysExists) or lowered is None:
        return None
    scope = next(
        checked.names.scopes[module.name]
        for module in checked.names.modules.values()
        if item.prove in module.declarations
    )
    type = resolve_type(checked.names, scope, found.binder.type, lambda _: None)
    assert isinstance(type, EntityType)
    effects = {
        name: tuple(lower_effects(checked.tables, action))
        for name, action in checked.schema.actions.items()
    }
    return Invariant(lowered[0], type, lowered[1], effects)


def _claim_of(item: CheckedProve) -> syntax.Claim:
    return next(clause for clause in item.prove.clauses if isinstance(clause, syntax.Claim))


def groups_of(schema: Schema, environments: Iterable[Environment]) -> list[tuple[Environment, ...]]:
    """The environments whose contexts have one type, together; one encoding serves each group."""
    groups: dict[object, list[Environment]] = defaultdict(list)
    for environment in environments:
        groups[schema.actions[environment.action].context].append(environment)
    return [tuple(group) for group in groups.values()]


def slice_of(policies: ir.PolicySet, goal: Goal, group: Iterable[Environment]) -> list[ir.Rule]:
    """The rules whose scope some environment of the group fits, and the one that the claim names."""
    fitting = {rule.id for rule in rules_for(policies.rules, group)}
    return [rule for rule in policies.rules if rule.id == goal.rule or rule.id in fitting]


def rules_for(rules: Iterable[ir.Rule], group: Iterable[Environment]) -> list[ir.Rule]:
    """The rules whose scope some environment of the group fits, as far as types and actions tell."""
    environments = list(group)
    actions = {item.action for item in environments}
    principals = {item.principal for item in environments}
    resources = {item.resource for item in environments}
    return [
        rule
        for rule in rules
        if not actions.isdisjoint(rule.scope.actions)
        and not principals.isdisjoint(rule.scope.principal.types)
        and not resources.isdisjoint(rule.scope.resource.types)
    ]


def digest_of_goal(policies: ir.PolicySet, goal: Goal) -> str:
    """SHA-256 over the claim, the rules that bear on it and the schema: equal digests have equal verdicts."""
    rules = (goal.claim, *slice_of(policies, goal, goal.environments))
    text = f"{goal.sentence}\n{goal.rule}\n{digest_of(policies.schema, rules)}"
    return hashlib.sha256(text.encode()).hexdigest()


def breaks(encoder: Encoder, outcomes: Outcomes, goal: Goal) -> tuple[int, int]:
    """Whether a request is one that the claim speaks about, and whether it breaks what the claim says."""
    fits, readable = encoder.condition(goal.claim.condition)
    expression, can_be_read = encoder.condition(goal.expression)
    scope = encoder.scope(goal.claim.scope)
    assumed = encoder.circuit.all_of((encoder.valid(), scope, fits, readable))
    says = encoder.circuit.all_of((expression, can_be_read))
    return assumed, goal.kind.broken(broken_claim(encoder, outcomes, says, goal))


def broken_claim(encoder: Encoder, outcomes: Outcomes, says: int, goal: Goal) -> Broken:
    """What the formula of a claim may use, encoded."""
    lost = FALSE if goal.invariant is None else loses(encoder, goal.invariant)
    return Broken(encoder.circuit, outcomes, says, goal.rule, lost)
