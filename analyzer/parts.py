"""Rules taken apart: an encoding in which each scope, condition and need can be kept, dropped or left open.

Every part gets a literal of its own that a selector ties to the truth. Without its selector a part may be either way,
so that a proof that does not need the selector does not depend on the part.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..compiler import ir
from ..compiler.backends.smt.circuit import TRUE
from ..compiler.backends.smt.encoder import Encoder, encode
from ..compiler.entities import NO_ENTITIES, Entities
from ..lang.schema import Environment
from ..lang.source import Span
from .goals import Goal, breaks, slice_of
from .problem import Posed, pose


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule; `is_scope` is the whole rule, since without its scope it never applies.

    `path` names the part in its rule, also where another part is written in the same place.
    """

    rule: ir.Rule
    path: str
    node: ir.Node
    selector: int
    counts: int
    """Whether the part holds, as far as the rule is concerned."""

    @property
    def is_scope(self) -> bool:
        return self.node is self.rule

    @property
    def span(self) -> Span:
        return self.node.span


@dataclass(frozen=True)
class PartEncoder(Encoder):
    """Encodes rules with all their parts apart."""

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)

    def part(self, rule: ir.Rule, place: ir.Node, literal: int) -> int:
        if literal == TRUE and place is not rule:
            return literal
        key = (rule.id, _path(rule, place))
        found = self.parts.get(key)
        if found is None:
            selector = self.circuit.atom(("selector", key))
            counts = self.circuit.atom(("part", key))
            self.constraints.append(
                self.circuit.implies(selector, self.circuit.equal(counts, literal))
            )
            found = self.parts[key] = Part(rule, key[1], place, selector, counts)
        return found.counts


def part_of(rule: ir.Rule, path: str) -> ir.Node | None:
    """The part of a rule that a path names, if there is one."""
    return next((node for node in _nodes(rule) if _path(rule, node) == path), None)


def _nodes(rule: ir.Rule) -> Iterator[ir.Node]:
    yield rule
    condition = rule.condition
    yield from condition.operands if isinstance(condition, ir.And) else (condition,)
    yield from rule.needs


def _path(rule: ir.Rule, part: ir.Node) -> str:
    """Empty for the rule itself, else the number of the condition or the need."""
    number = next(number for number, node in enumerate(_nodes(rule)) if node is part)
    return str(number) if number else ""


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
        return breaks(encoder, encoder.decide(rules), goal)

    encoder, (assumed, broken) = encode(policies.schema, group, build, PartEncoder, inventory)
    parts = tuple(encoder.parts.values())
    selectors = [part.selector for part in parts]
    posed = pose(encoder, (assumed, broken, *selectors))
    return Apart(encoder, assumed, broken, parts, posed)
