"""What a policy set says about itself without any claim: rules that do nothing, and rules that undo each other.

Each finding holds for every request of the schema. A rule is compared with all others at once, so that a rule that
several cover together is found, and they are named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..compiler import ir
from ..compiler.backends.smt.circuit import FALSE, TRUE, Circuit
from ..compiler.backends.smt.encoder import Encoder, Outcomes, RuleFormulas, encode
from ..lang.schema import Environment
from ..lang.syntax import Effect
from .goals import groups_of
from .problem import pose
from .solver import Engine, Model, Session, Undecided, Unsatisfiable

MAX_TOGETHER = 500
"""The most rules that are compared in all environments at once; more are compared in one environment after another."""
MAX_COVERS = 200
"""The most rules whose cover is made as small as possible; the covers of more are named as the solver found them."""


class Kind(StrEnum):
    """What is wrong with a rule."""

    NEVER_APPLIES = "never-applies"
    """No request is in its scope and fits its conditions."""
    SHADOWED = "shadowed"
    """Whenever it applies, others of its effect apply too: without it, every decision stays the same."""
    OVERRIDDEN = "overridden"
    """A permit that only ever applies where a forbid does."""
    UNSATISFIABLE_NEED = "unsatisfiable-need"
    """A require that holds every request it applies to, since its needs can never be met."""
    FAILS_OPEN = "fails-open"
    """A rule that some request makes fail, and that is ignored then."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """`cover` names the rules that make this one do nothing, wherever it applies one of them."""

    kind: Kind
    rule: ir.Rule
    cover: tuple[str, ...] = ()
    why: str = ""

    @property
    def message(self) -> str:
        by = " and ".join(f"`{name}`" for name in self.cover[:5])
        if len(self.cover) > 5:
            by += f" and {len(self.cover) - 5} more"
        name = self.rule.id
        match self.kind:
            case Kind.NEVER_APPLIES:
                return f"`{name}` can never apply: no request fits its scope and its conditions"
            case Kind.SHADOWED:
                return f"`{name}` changes no decision: wherever it applies, so does {by}"
            case Kind.OVERRIDDEN:
                return f"`{name}` permits nothing: wherever it applies, {by} forbids"
            case Kind.UNSATISFIABLE_NEED:
                return f"`{name}` can never be satisfied: it holds every request it applies to"
            case Kind.FAILS_OPEN:
                return f"`{name}` can fail to be read, and is ignored then"
            case Kind.UNDECIDED:
                return f"`{name}` could not be compared with the others: {self.why}"


def findings(policies: ir.PolicySet, engine: Engine = Engine.AUTO) -> list[Finding]:
    """Every finding, in the order of the rules."""
    found: dict[str, list[tuple[Finding, _Group]]] = {rule.id: [] for rule in policies.rules}
    useful: set[str] = set()
    for group, rules in _groups(policies):

        def build(encoder: Encoder, rules: Sequence[ir.Rule] = rules) -> tuple[Outcomes, int]:
            return encoder.decide(rules), encoder.valid()

        encoder, (outcomes, valid) = encode(policies.schema, group, build, Encoder)
        asked = _Group(encoder, outcomes, valid, engine)
        for name, formulas in outcomes.rules.items():
            if asked.fails_open(formulas):
                found[name].append((Finding(Kind.FAILS_OPEN, formulas.rule), asked))
            if name not in useful:
                finding = asked.about(formulas)
                if finding is None:
                    useful.add(name)
                else:
                    found[name].append((finding, asked))
    result: list[Finding] = []
    for rule in policies.rules:
        finding = _together(found[rule.id], rule.id in useful, small=len(result) < MAX_COVERS)
        if finding is not None:
            result.append(finding)
    return result


def _groups(
    policies: ir.PolicySet,
) -> Iterator[tuple[tuple[Environment, ...], list[ir.Rule]]]:
    """Environments that share an encoding, with the rules for them; one by one where the rules are many."""
    for group in groups_of(policies.schema, policies.schema.environments()):
        rules = _rules_for(group, policies.rules)
        if len(rules) <= MAX_TOGETHER:
            yield group, rules
        else:
            for environment in group:
                yield (environment,), _rules_for((environment,), rules)


def _rules_for(group: Sequence[Environment], rules: Iterable[ir.Rule]) -> list[ir.Rule]:
    return [
        rule
        for rule in rules
        if any(
            item.action in rule.scope.actions
            and item.principal in rule.scope.principal.types
            and item.resource in rule.scope.resource.types
            for item in group
        )
    ]


def _together(
    found: Sequence[tuple[Finding, "_Group"]], is_useful: bool, *, small: bool
) -> Finding | None:
    """What the findings of all groups say about a rule. Where it does something in one of them, it does something."""
    kinds = {finding.kind: finding for finding, _ in found}
    if Kind.FAILS_OPEN in kinds:
        return kinds[Kind.FAILS_OPEN]
    if is_useful or not kinds:
        return None
    if Kind.UNDECIDED in kinds:
        return kinds[Kind.UNDECIDED]
    never = kinds.pop(Kind.NEVER_APPLIES, None)
    if not kinds:
        return never
    if len(kinds) > 1 and kinds.keys() != {Kind.SHADOWED, Kind.OVERRIDDEN}:
        return None
    finding = kinds.get(Kind.SHADOWED) or next(iter(kinds.values()))
    names = {name for part, group in found for name in group.cover(part, small=small)}
    return replace(finding, cover=tuple(sorted(names)))


class _Group:
    """Some environments: every rule asked against the others by three assumptions, whatever their number."""

    def __init__(self, encoder: Encoder, outcomes: Outcomes, valid: int, engine: Engine) -> None:
        circuit = encoder.circuit
        rules = outcomes.rules.values()
        self._valid = valid
        self._within_slots = encoder.within_slots
        self._does = {
            rule.rule.id: circuit.any_of(rule.unmet)
            if rule.rule.effect is Effect.REQUIRE
            else rule.applies
            for rule in rules
        }
        """When a rule has its effect: a require has it only where a need is open."""
        self._others: dict[Effect, dict[int, list[str]]] = {effect: {} for effect in Effect}
        """By effect: that no rule with this formula has it → these rules."""
        for rule in rules:
            does = self._does[rule.rule.id]
            if does != FALSE:
                self._others[rule.rule.effect].setdefault(-does, []).append(rule.rule.id)
        self._forbidden = circuit.any_of(-item for item in self._others[Effect.FORBID])
        self._before: dict[str, int] = {}
        self._after: dict[str, int] = {}
        for effect in Effect:
            names = [rule.rule.id for rule in rules if rule.rule.effect is effect]
            self._chain(circuit, names, self._before)
            self._chain(circuit, names[::-1], self._after)
        roots = [valid, self._forbidden, *self._does.values()]
        roots += [literal for rule in rules for literal in (rule.applies, rule.fails, *rule.unmet)]
        roots += [*self._before.values(), *self._after.values()]
        problem = pose(encoder, [item for item in roots if item not in (TRUE, FALSE)]).problem
        self._session = Session(problem, engine)

    def _chain(self, circuit: Circuit, names: Sequence[str], seen: dict[str, int]) -> None:
        """For each rule, whether one that stands before it has its effect."""
        some = FALSE
        for name in names:
            seen[name] = some
            some = circuit.any_of((some, self._does[name]))

    def fails_open(self, rule: RuleFormulas) -> bool:
        return (
            rule.rule.on_failure is ir.OnFailure.SKIP
            and self._possible(rule.fails, *self._within_slots) is True
        )

    def about(self, rule: RuleFormulas) -> Finding | None:
        """Nothing where the rule decides something that no other decides alike."""
        item = rule.rule
        does = self._does[item.id]
        alone = (-self._before[item.id], -self._after[item.id])
        counts = (-self._forbidden,) if item.effect is Effect.PERMIT else ()
        answer = self._possible(does, *alone, *counts)
        if isinstance(answer, Undecided):
            return Finding(Kind.UNDECIDED, item, why=answer.why)
        if answer:
            return self._needs(rule)
        if self._possible(rule.applies) is False:
            return Finding(Kind.NEVER_APPLIES, item)
        if item.effect is Effect.PERMIT and self._possible(does, *counts) is False:
            return Finding(Kind.OVERRIDDEN, item)
        if item.effect is Effect.REQUIRE and self._possible(does) is False:
            return None
        return Finding(Kind.SHADOWED, item)

    def _needs(self, rule: RuleFormulas) -> Finding | None:
        if rule.rule.effect is Effect.REQUIRE:
            met = [-literal for literal in rule.unmet]
            if self._possible(rule.applies, *met) is False:
                return Finding(Kind.UNSATISFIABLE_NEED, rule.rule)
        return None

    def _possible(self, *literals: int) -> bool | Undecided:
        if FALSE in literals:
            return False
        answer = self._session.solve([item for item in (self._valid, *literals) if item != TRUE])
        return answer if isinstance(answer, Undecided) else isinstance(answer, Model)

    def cover(self, finding: Finding, *, small: bool) -> tuple[str, ...]:
        """Rules one of which applies wherever the rule of this finding does; where `small`, none of them needlessly."""
        match finding.kind:
            case Kind.SHADOWED:
                effect = finding.rule.effect
            case Kind.OVERRIDDEN:
                effect = Effect.FORBID
            case _:
                return ()
        does = self._does[finding.rule.id]
        others = self._others[effect]
        for literal in (-does, FALSE):
            for name in others.get(literal, ())[:2]:
                if name != finding.rule.id:
                    return (name,)
        fixed = [item for item in (self._valid, does) if item != TRUE]
        if effect is finding.rule.effect is Effect.PERMIT and self._forbidden != FALSE:
            fixed.append(-self._forbidden)
        answer = self._session.solve([*fixed, *(item for item in others if item != -does)])
        if not isinstance(answer, Unsatisfiable):
            return ()
        core = [item for item in answer.core if item in others]
        if small:
            for item in list(core):
                fewer = [other for other in core if other != item]
                if isinstance(self._session.solve([*fixed, *fewer]), Unsatisfiable):
                    core = fewer
        return tuple(sorted(others[item][0] for item in core))
