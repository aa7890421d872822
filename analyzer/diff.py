"""Two policy sets compared: every way in which a decision can change, with one small request for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ..compiler import ir
from ..compiler.backends.circuit import FALSE, TRUE
from ..compiler.backends.smt import Encoder, Outcomes, encode
from ..compiler.decision import Decision, Request
from ..compiler.entities import Entities
from ..compiler.reference import decide
from ..lang.schema import ActionDeclaration, EntityDeclaration, Environment, Schema
from ..lang.syntax import Effect, Outcome
from ..lang.typesystem import EnumType, RecordField, RecordOf, SetOf, Type, join
from .goals import groups_of
from .problem import pose
from .prove import Counterexample
from .replay import Replay, minimal, replay
from .solver import Engine, Model, Session, Undecided
from .witness import NoWitnessError, Vocabulary, situation

MAX_REGIONS = 50
MAX_ENVIRONMENTS = 1_000
_ORDER = (Outcome.DENY, Outcome.HOLD, Outcome.PERMIT)


@dataclass(frozen=True, slots=True)
class Region:
    """Requests whose decision changes from one outcome to another through the same rules.

    `environments` are the kinds of request in which it happens, of `possible` that both sets know.
    """

    before: Outcome
    after: Outcome
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]
    example: Counterexample
    decision_before: Decision
    environments: tuple[Environment, ...]

    @property
    def is_gain(self) -> bool:
        """Whether the new policies are more permissive here."""
        return _ORDER.index(self.after) > _ORDER.index(self.before)


@dataclass(frozen=True, slots=True)
class Difference:
    """`doubts` says what could not be compared; only without regions and doubts are the sets equivalent."""

    regions: tuple[Region, ...]
    possible: int
    """Kinds of request that both sets know."""
    only_before: tuple[Environment, ...]
    only_after: tuple[Environment, ...]
    doubts: tuple[str, ...]

    @property
    def is_equivalent(self) -> bool:
        return not (self.regions or self.doubts or self.only_before or self.only_after)

    @property
    def is_no_more_permissive(self) -> bool:
        gains = any(region.is_gain for region in self.regions)
        return not (gains or self.doubts or self.only_after)


def compare(
    before: ir.PolicySet,
    after: ir.PolicySet,
    vocabulary: Vocabulary,
    engine: Engine = Engine.AUTO,
    *,
    most: int = MAX_REGIONS,
) -> Difference:
    """The regions of change between two policy sets, gains first; no more than `most`."""
    schema, doubts = _merged(before.schema, after.schema)
    old, new = set(before.schema.environments()), set(after.schema.environments())
    shared = [item for item in schema.environments() if item in old and item in new]
    regions: list[Region] = []
    sides = replace(before, schema=schema), replace(after, schema=schema)
    for group in groups_of(schema, shared):
        comparison = _Comparison(*sides, group, vocabulary, engine)
        regions += islice(comparison.regions(), most - len(regions))
        doubts += comparison.doubts
    if len(regions) >= most > 1:
        doubts.append(f"there are more than {most} regions of change")
    regions.sort(key=lambda region: (not region.is_gain, -_ORDER.index(region.after)))
    return Difference(
        tuple(regions),
        len(shared),
        tuple(sorted(old - new, key=str)),
        tuple(sorted(new - old, key=str)),
        tuple(dict.fromkeys(doubts)),
    )


class _Comparison:
    """Both sets over one group of environments, in one circuit."""

    def __init__(
        self,
        before: ir.PolicySet,
        after: ir.PolicySet,
        group: Sequence[Environment],
        vocabulary: Vocabulary,
        engine: Engine,
    ) -> None:
        self._before, self._after, self._group = before, after, group
        self._vocabulary = vocabulary
        self.doubts: list[str] = []

        def build(encoder: Encoder) -> tuple[Outcomes, Outcomes, int]:
            return encoder.decide(before.rules), encoder.decide(after.rules), encoder.valid()

        self._encoder, (self._old, self._new, self._valid) = encode(
            before.schema, group, build, Encoder
        )
        circuit = self._encoder.circuit
        self._changes = circuit.any_of(
            circuit.all_of((_literal(self._old, one), _literal(self._new, other)))
            for one in Outcome
            for other in Outcome
            if one is not other
        )
        self._is_tag = {
            (name, tag): self._encoder.is_tag(self._encoder.root(name), tag)
            for name in ("principal", "action", "resource")
            for tag in self._encoder.tags(self._encoder.root(name))
        }
        roots = [self._valid, self._changes, *self._is_tag.values()]
        for outcomes in (self._old, self._new):
            roots += [rule.applies for rule in outcomes.rules.values()]
            roots += [literal for rule in outcomes.rules.values() for literal in rule.unmet]
            roots += [outcomes.permit, outcomes.hold, outcomes.deny]
        self._posed = pose(self._encoder, [item for item in roots if item not in (TRUE, FALSE)])
        self._session = Session(self._posed.problem, engine)

    def regions(self) -> Iterator[Region]:
        """One region after another, each by the rules that decide before and after."""
        if self._changes == FALSE:
            return
        while True:
            answer = self._session.solve(self._assumptions(self._valid, self._changes))
            if isinstance(answer, Undecided):
                self.doubts.append(answer.why)
                return
            if not isinstance(answer, Model):
                self.doubts += self._encoder.bounded
                return
            key = self._key(answer)
            found = self._reproduce(answer)
            if found is None:
                self.doubts.append(
                    "; ".join(self._encoder.approximations) or "a change that does not reproduce"
                )
                return
            yield self._region(key, *found)
            self._session.add([tuple(-literal for literal in key)])

    def _assumptions(self, *literals: int) -> list[int]:
        return [literal for literal in literals if literal != TRUE]

    def _key(self, model: Model) -> tuple[int, ...]:
        """The outcomes, and which rules decide them, as literals that hold."""

        def holds(literal: int) -> bool:
            if literal in (TRUE, FALSE):
                return literal == TRUE
            return model.holds(abs(literal)) == (literal > 0)

        key: list[int] = []
        for outcomes in (self._old, self._new):
            outcome = next(item for item in Outcome if holds(_literal(outcomes, item)))
            key.append(_literal(outcomes, outcome))
            effect = {
                Outcome.DENY: Effect.FORBID,
                Outcome.HOLD: Effect.REQUIRE,
                Outcome.PERMIT: Effect.PERMIT,
            }[outcome]
            for rule in outcomes.rules.values():
                if rule.rule.effect is effect:
                    does = (
                        self._encoder.circuit.any_of(rule.unmet)
                        if effect is Effect.REQUIRE
                        else rule.applies
                    )
                    known = does if abs(does) <= self._posed.problem.variables else rule.applies
                    if known not in (TRUE, FALSE) and holds(known):
                        key.append(known)
        return tuple(dict.fromkeys(key))

    def _reproduce(self, model: Model) -> tuple[Replay, Decision] | None:
        try:
            found = situation(self._encoder, model, self._posed.numbers, self._vocabulary)
        except NoWitnessError:
            return None
        again = replay(self._after, found)
        old = decide(self._before, found.request, again.entities)
        if old.outcome is again.decision.outcome:
            return None
        wanted = (old.outcome, old.rules, again.decision.outcome, again.decision.rules)

        def changes(request: Request, entities: Entities, decision: Decision) -> bool:
            other = decide(self._before, request, entities)
            found = (other.outcome, other.rules, decision.outcome, decision.rules)
            return found == wanted and not other.problems

        smallest = minimal(self._after, again, changes)
        return smallest, decide(self._before, smallest.situation.request, smallest.entities)

    def _region(self, key: tuple[int, ...], found: Replay, old: Decision) -> Region:
        example = Counterexample(
            found.situation.request,
            found.entities,
            found.decision,
            dict(found.situation.described.parents),
        )
        return Region(
            old.outcome,
            found.decision.outcome,
            old.rules,
            found.decision.rules,
            example,
            old,
            tuple(self._kinds(key)),
        )

    def _kinds(self, key: tuple[int, ...]) -> Iterator[Environment]:
        """The kinds of request in which the region has one."""
        for item in self._group[:MAX_ENVIRONMENTS]:
            tags = (
                self._is_tag["principal", item.principal],
                self._is_tag["action", item.action],
                self._is_tag["resource", item.resource],
            )
            answer = self._session.solve(self._assumptions(self._valid, *key, *tags))
            if isinstance(answer, Model):
                yield item


def _literal(outcomes: Outcomes, outcome: Outcome) -> int:
    match outcome:
        case Outcome.PERMIT:
            return outcomes.permit
        case Outcome.HOLD:
            return outcomes.hold
        case Outcome.DENY:
            return outcomes.deny


def _merged(before: Schema, after: Schema) -> tuple[Schema, list[str]]:
    """A schema in which both sets can be read, and what differs too much for that."""
    doubts: list[str] = []
    entities: dict[str, EntityDeclaration] = {**before.entities, **after.entities}
    for name in sorted(before.entities.keys() & after.entities.keys()):
        old, new = before.entities[name], after.entities[name]
        attributes = {**old.attributes, **new.attributes}
        for attribute in old.attributes.keys() & new.attributes.keys():
            one, other = old.attributes[attribute], new.attributes[attribute]
            type = _merged_type(one.type, other.type)
            if type is None:
                doubts.append(f"`{name}.{attribute}` has another type than before")
            else:
                optional = one.optional or other.optional
                attributes[attribute] = replace(other, type=type, optional=optional)
        entities[name] = replace(
            new,
            attributes=attributes,
            concrete=old.concrete | new.concrete,
            parents=old.parents | new.parents,
        )
    actions: dict[str, ActionDeclaration] = {**before.actions, **after.actions}
    for name in sorted(before.actions.keys() & after.actions.keys()):
        context = _merged_type(before.actions[name].context, after.actions[name].context)
        if isinstance(context, RecordOf):
            actions[name] = replace(after.actions[name], context=context)
        else:
            doubts.append(f"the context of `{name}` has other types than before")
    groups = {**before.groups, **after.groups}
    return Schema({**before.enums, **after.enums}, entities, actions, groups), doubts


def _merged_type(old: Type, new: Type) -> Type | None:
    """A type for the values of both; records have the fields of both. `None` where they have nothing in common."""
    match old, new:
        case RecordOf(), RecordOf():
            fields = []
            names = dict.fromkeys(item.name for item in (*old.fields, *new.fields))
            for name in names:
                one, other = old.field(name), new.field(name)
                if one is None or other is None:
                    known = one or other
                    assert known is not None
                    fields.append(replace(known, optional=True))
                    continue
                type = _merged_type(one.type, other.type)
                if type is None:
                    return None
                fields.append(RecordField(name, type, one.optional or other.optional))
            return RecordOf(tuple(fields))
        case SetOf(one), SetOf(other):
            element = _merged_type(one, other)
            return None if element is None else SetOf(element)
        case EnumType(), EnumType() if old.name == new.name:
            return new if set(old.members) <= set(new.members) else None
        case _:
            return join(old, new)
