"""Rules taken apart: an encoding in which each scope, condition and need can be kept, dropped or left open.

Every part gets a literal of its own that a selector ties to the truth. Without its selector a part may be either way,
so that a proof that does not need the selector does not depend on the part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..compiler import ir
from ..compiler.backends.circuit import TRUE
from ..compiler.backends.smt import Encoder, encode
from ..compiler.entities import NO_ENTITIES, Entities
from ..lang.schema import Environment
from ..lang.source import Span
from .goals import Goal, broken_claim, slice_of
from .problem import Posed, pose


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule; `is_scope` is the whole rule, since without its scope it never applies."""

    rule: ir.Rule
    node: ir.Node
    selector: int
    counts: int
    """Whether the part holds, as far as the rule is concerned."""

    @property
    def is_scope(self) -> bool:
        return self.node is self.rule

    @property
    def is_need(self) -> bool:
        return isinstance(self.node, ir.Need)

    @property
    def span(self) -> Span:
        return self.node.span


@dataclass(frozen=True)
class PartEncoder(Encoder):
    """Encodes rules with all their parts apart."""

    parts: dict[tuple[int, int], Part] = field(default_factory=dict)

    def part(self, rule: ir.Rule, place: ir.Node, literal: int) -> int:
        if literal == TRUE and place is not rule:
            return literal
        key = (id(rule), id(place))
        found = self.parts.get(key)
        if found is None:
            selector = self.circuit.atom(("selector", key))
            counts = self.circuit.atom(("part", key))
            self.constraints.append(
                self.circuit.implies(selector, self.circuit.equal(counts, literal))
            )
            found = self.parts[key] = Part(rule, place, selector, counts)
        return found.counts


@dataclass(frozen=True, slots=True)
class Apart:
    """What would break a goal in one group of environments, by part."""

    encoder: PartEncoder
    assumed: int
    broken: int
    parts: tuple[Part, ...]
    posed: Posed


def take_apart(
    policies: ir.PolicySet,
    goal: Goal,
    group: Sequence[Environment],
    inventory: Entities = NO_ENTITIES,
) -> Apart:
    rules = slice_of(policies, goal, group)

    def build(encoder: PartEncoder) -> tuple[int, int]:
        outcomes = encoder.decide(rules)
        fits, readable = encoder.condition(goal.claim.condition)
        expression, can_be_read = encoder.condition(goal.expression)
        scope = encoder.scope(goal.claim.scope)
        assumed = encoder.circuit.all_of((encoder.valid(), scope, fits, readable))
        says = encoder.circuit.all_of((expression, can_be_read))
        return assumed, goal.kind.broken(broken_claim(encoder, outcomes, says, goal))

    encoder, (assumed, broken) = encode(policies.schema, group, build, PartEncoder, inventory)
    parts = tuple(encoder.parts.values())
    selectors = [part.selector for part in parts]
    posed = pose(encoder, (assumed, broken, *selectors))
    return Apart(encoder, assumed, broken, parts, posed)
