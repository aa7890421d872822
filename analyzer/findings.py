"""What a policy set says about itself without any claim: rules that do nothing, and rules that undo each other.

Each finding holds for every request of the schema. A rule is compared with all others at once, so that a rule that
several cover together is found, and they are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..compiler import ir
from ..compiler.backends.circuit import FALSE, TRUE
from ..compiler.backends.smt import Encoder, Outcomes, RuleFormulas, encode
from ..lang.syntax import Effect
from .goals import groups_of
from .problem import pose
from .solver import Engine, Model, Session, Undecided, Unsatisfiable

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
    """`cover` names the rules that make this one do nothing."""

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
    groups = groups_of(policies.schema, policies.schema.environments())
    found: dict[str, list[Finding | None]] = {}
    for group in groups:
        rules = [
            rule
            for rule in policies.rules
            if any(
                item.action in rule.scope.actions
                and item.principal in rule.scope.principal.types
                and item.resource in rule.scope.resource.types
                for item in group
            )
        ]

        def build(encoder: Encoder, rules: Sequence[ir.Rule] = rules) -> tuple[Outcomes, int]:
            return encoder.decide(rules), encoder.valid()

        encoder, (outcomes, valid) = encode(policies.schema, group, build, Encoder)
        for name, finding in _Group(encoder, outcomes, valid, engine).all().items():
            found.setdefault(name, []).append(finding)
    result = []
    for rule in policies.rules:
        # What a rule does in one group is enough: only a finding in every group is one about the rule.
        every = found.get(rule.id, [])
        kinds = {item.kind if item is not None else None for item in every}
        first = next((item for item in every if item is not None), None)
        if first is None:
            continue
        if kinds <= {Kind.NEVER_APPLIES, first.kind} or first.kind is Kind.FAILS_OPEN:
            strongest = next((i for i in every if i and i.kind is not Kind.NEVER_APPLIES), first)
            result.append(strongest)
    return result


class _Group:
    """One group of environments: every rule asked against the others by three assumptions, whatever their number."""

    def __init__(self, encoder: Encoder, outcomes: Outcomes, valid: int, engine: Engine) -> None:
        self._encoder = encoder
        self._outcomes = outcomes
        self._valid = valid
        circuit = encoder.circuit
        self._forbidden = circuit.any_of(
            rule.applies for rule in outcomes.rules.values() if rule.rule.effect is Effect.FORBID
        )
        self._before: dict[str, int] = {}
        self._after: dict[str, int] = {}
        roots = [valid, self._forbidden]
        for effect in Effect:
            rules = [rule for rule in outcomes.rules.values() if rule.rule.effect is effect]
            self._chain(rules)
            roots += [literal for rule in rules for literal in (self._does(rule), rule.fails)]
            roots += [rule.applies for rule in rules]
            roots += [literal for rule in rules for literal in rule.unmet]
        roots += [*self._before.values(), *self._after.values()]
        self._roots = [literal for literal in roots if literal not in (TRUE, FALSE)]
        self._session = Session(pose(encoder, self._roots).problem, engine)
        self._covers = 0

    def _does(self, rule: RuleFormulas) -> int:
        """When a rule has its effect: a require has it only where a need is open."""
        if rule.rule.effect is Effect.REQUIRE:
            return self._encoder.circuit.any_of(rule.unmet)
        return rule.applies

    def _chain(self, rules: Sequence[RuleFormulas]) -> None:
        """For each rule, whether one before it or one after it has its effect."""
        seen = FALSE
        for rule in rules:
            self._before[rule.rule.id] = seen
            seen = self._encoder.circuit.any_of((seen, self._does(rule)))
        seen = FALSE
        for rule in reversed(rules):
            self._after[rule.rule.id] = seen
            seen = self._encoder.circuit.any_of((seen, self._does(rule)))

    def all(self) -> dict[str, Finding | None]:
        return {name: self._about(rule) for name, rule in self._outcomes.rules.items()}

    def _possible(self, *literals: int) -> bool | Undecided:
        if FALSE in literals:
            return False
        answer = self._session.solve([item for item in (self._valid, *literals) if item != TRUE])
        return answer if isinstance(answer, Undecided) else isinstance(answer, Model)

    def _about(self, rule: RuleFormulas) -> Finding | None:
        item = rule.rule
        if item.on_failure is ir.OnFailure.SKIP and self._possible(rule.fails) is True:
            return Finding(Kind.FAILS_OPEN, item)
        does = self._does(rule)
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
            return Finding(Kind.OVERRIDDEN, item, self._cover(rule, Effect.FORBID))
        if item.effect is Effect.REQUIRE and self._possible(does) is False:
            return None
        return Finding(Kind.SHADOWED, item, self._cover(rule, item.effect))

    def _needs(self, rule: RuleFormulas) -> Finding | None:
        if rule.rule.effect is Effect.REQUIRE:
            met = [-literal for literal in rule.unmet]
            if self._possible(rule.applies, *met) is False:
                return Finding(Kind.UNSATISFIABLE_NEED, rule.rule)
        return None

    def _cover(self, rule: RuleFormulas, effect: Effect) -> tuple[str, ...]:
        """A smallest set of rules of an effect, one of which has it wherever this rule has its own."""
        others = {
            -self._does(other): other.rule.id
            for other in self._outcomes.rules.values()
            if other.rule.effect is effect and other is not rule and self._does(other) != FALSE
        }
        fixed = [self._valid, self._does(rule)]
        if effect is rule.rule.effect and effect is Effect.PERMIT:
            fixed.append(-self._forbidden)
        answer = self._session.solve([*(item for item in fixed if item != TRUE), *others])
        if not isinstance(answer, Unsatisfiable):
            return ()
        core = [item for item in answer.core if item in others]
        self._covers += 1
        if self._covers <= MAX_COVERS:
            for item in list(core):
                fewer = [other for other in core if other != item]
                asked = [other for other in fixed if other != TRUE]
                if isinstance(self._session.solve([*asked, *fewer]), Unsatisfiable):
                    core = fewer
        return tuple(sorted(others[item] for item in core))
