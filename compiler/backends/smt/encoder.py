"""The policies as constraints: every rule as a Boolean circuit over questions about an open request and store.

Everything is a Boolean except sums that compare several numbers. The encoding has layers, each a file: what is open
(`places.py`), what can be asked of it (`questions.py`), terms (`terms.py`); rules and decisions are here.

Where answers are not held together in full (`approximations`), a proof still holds, and a counterexample has to be
replayed. What conditions say of more elements of a set than are told apart is open like that: a counterexample is
sought `within_slots`, and a proof without, for sets of every size.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ....lang.schema import Environment, Schema
from ....lang.syntax import Effect
from ... import ir
from ...entities import NO_ENTITIES, Entities
from .circuit import FALSE, TRUE
from .places import FIRST_SLOTS
from .terms import Terms

T = TypeVar("T")
AnyEncoder = TypeVar("AnyEncoder", bound="Encoder")


@dataclass(frozen=True, slots=True)
class RuleFormulas:
    """When a rule is in scope and holds, when reading it fails, and which of its needs are open."""

    rule: ir.Rule
    applies: int
    fails: int
    unmet: tuple[int, ...] = ()
    needs_fail: int = FALSE


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a policy set decides, as formulas; exactly one of `permit`, `hold` and `deny` holds."""

    permit: int
    hold: int
    deny: int
    fails: int
    """Reading some rule fails."""
    rules: Mapping[str, RuleFormulas]


@dataclass(frozen=True)
class Encoder(Terms):
    """One circuit over every request of some environments whose contexts have one type."""

    _some_action: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Whether the action is one of several → for each of these, whether it is that."""

    def valid(self) -> int:
        """Whether the request is of one of the environments."""
        principal, resource = self.root("principal"), self.root("resource")
        action = self.root("action")
        found = []
        for name in self.tags(action):
            declared = self.schema.actions[name]
            fits = self.circuit.all_of(
                (
                    self.is_type(principal, declared.principals),
                    self.is_type(resource, declared.resources),
                )
            )
            found.append(self.circuit.implies(self.is_tag(action, name), fits))
        return self.circuit.all_of(found)

    def scope(self, scope: ir.Scope) -> int:
        """Whether the request is in the scope of a rule or a claim."""
        action = self.root("action")
        if scope.actions.issuperset(self.tags(action)):
            parts = [TRUE]
        else:
            tags = tuple(self.is_tag(action, name) for name in sorted(scope.actions))
            parts = [self.circuit.any_of(tags)]
            self._some_action[parts[0]] = tags
        for name, wanted in (("principal", scope.principal), ("resource", scope.resource)):
            place = self.root(name)
            parts.append(self.is_type(place, wanted.types))
            if wanted.entities:
                parts.append(
                    self.circuit.any_of(
                        self.same(place, self.entity_place(item)) for item in wanted.entities
                    )
                )
            if wanted.ancestors:
                parts.append(
                    self.circuit.any_of(
                        self.inside(place, self.entity_place(item)) for item in wanted.ancestors
                    )
                )
        return self.circuit.all_of(parts)

    def part(self, rule: ir.Rule, place: ir.Node, literal: int) -> int:
        """A part of a rule as it counts; here, as it is (see `analyzer/parts.py`)."""
        return literal

    def rule(self, rule: ir.Rule) -> RuleFormulas:
        scope = self.scope(rule.scope)
        if scope == FALSE:
            return RuleFormulas(rule, FALSE, FALSE)
        scope = self.part(rule, rule, scope)
        condition = rule.condition
        _, ok = self.condition(condition)
        operands = condition.operands if isinstance(condition, ir.And) else (condition,)
        holds = [self.part(rule, operand, self.condition(operand)[0]) for operand in operands]
        applies = self.circuit.all_of((scope, ok, *holds))
        unmet, needs_fail = [], []
        for need in rule.needs:
            met, need_ok = self.condition(need.condition)
            met = self.part(rule, need, met)
            unmet.append(self.circuit.all_of((applies, need_ok, -met)))
            needs_fail.append(self.circuit.all_of((applies, -need_ok)))
        return RuleFormulas(
            rule,
            applies,
            self.circuit.all_of((scope, -ok)),
            tuple(unmet),
            self.circuit.any_of(needs_fail),
        )

    def decide(self, rules: Iterable[ir.Rule]) -> Outcomes:
        """The decision as `reference.py` makes it: forbids, then permits, then requires."""
        formulas = {rule.id: self.rule(rule) for rule in rules}
        any_of = self._any_by_action

        def failing(rule: RuleFormulas, literal: int) -> int:
            return literal if rule.rule.on_failure is ir.OnFailure.DENY else FALSE

        by_effect: dict[Effect, list[RuleFormulas]] = {effect: [] for effect in Effect}
        for item in formulas.values():
            by_effect[item.rule.effect].append(item)
        forbids, requires = by_effect[Effect.FORBID], by_effect[Effect.REQUIRE]
        forbidden = any_of(
            literal for item in forbids for literal in (item.applies, failing(item, item.fails))
        )
        permitted = any_of(item.applies for item in by_effect[Effect.PERMIT])
        unreadable = any_of(
            literal
            for item in requires
            for literal in (failing(item, item.fails), failing(item, item.needs_fail))
        )
        unmet = any_of(literal for item in requires for literal in item.unmet)
        passes = self.circuit.all_of((-forbidden, permitted, -unreadable))
        return Outcomes(
            self.circuit.all_of((passes, -unmet)),
            self.circuit.all_of((passes, unmet)),
            -passes,
            any_of(
                literal for item in formulas.values() for literal in (item.fails, item.needs_fail)
            ),
            formulas,
        )

    def _any_by_action(self, literals: Iterable[int]) -> int:
        """Whether some literal holds, asked action by action: sets that say the same of each are one formula."""
        circuit = self.circuit
        bodies: dict[int, list[int]] = {TRUE: []}
        for literal in literals:
            parts = circuit.conjuncts(literal)
            actions = next((part for part in parts if part in self._some_action), None)
            if actions is None:
                bodies[TRUE].append(literal)
            else:
                body = circuit.all_of(part for part in parts if part != actions)
                for tag in self._some_action[actions]:
                    bodies.setdefault(tag, []).append(body)
        return circuit.any_of(
            circuit.all_of((tag, circuit.any_of(found))) for tag, found in bodies.items()
        )


def encode(
    schema: Schema,
    environments: Sequence[Environment],
    build: Callable[[AnyEncoder], T],
    make: Callable[..., AnyEncoder],
    inventory: Entities = NO_ENTITIES,
) -> tuple[AnyEncoder, T]:
    """What `build` gives, and its encoder (by `make`) with as many slots as the encoded conditions tell apart."""
    slots: dict[str, int] = {}
    while True:
        encoder = make(schema, tuple(environments), slots, inventory)
        built = build(encoder)
        encoder.take_inventory()
        needed = encoder.needed_slots()
        if all(slots.get(path, FIRST_SLOTS) >= count for path, count in needed.items()):
            return encoder, built
        slots = {
            path: max(slots.get(path, FIRST_SLOTS), needed.get(path, 0))
            for path in {*slots, *needed}
        }
