"""The policies as constraints: every term as a Boolean circuit over questions about an open request and store.

Everything is a Boolean except sums that compare several numbers. A text is asked only whether it matches a glob, a
number only whether it is at most a constant, an entity for its type, its id and what it is in; `smt_theory.py` says
which answers go together. A set has as many slots as the conditions on it can tell apart.

A term gives its value and whether it could be read at all (`ok`). What is outside the encoding becomes an `Unknown`
that may be either way and is listed in `approximations`: a proof still holds, a counterexample has to be replayed.
A set whose conditions no number of slots satisfies exactly is listed in `bounded`: a proof is then only up to that
number of elements.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import TypeVar

from ...lang import typesystem
from ...lang.scalars import IpRange, matches, within
from ...lang.schema import Environment, Schema
from ...lang.syntax import Effect
from ...lang.typesystem import (
    ACTION,
    BOOL,
    IP_RANGE,
    STRING,
    EntityType,
    EnumType,
    RecordOf,
    Type,
    entity_type,
)
from ...lang.values import EntityId, EnumValue
from .. import ir
from ..entities import NO_ENTITIES, Entities
from .circuit import FALSE, TRUE, Circuit, CircuitTooLargeError
from .smt_values import (
    NUMBERS,
    AtMost,
    Base,
    Choice,
    Exactly,
    Formula,
    Glob,
    Inside,
    Is,
    Linear,
    Number,
    Place,
    Present,
    RecordValue,
    Same,
    SetValue,
    Slot,
    Truth,
    Unknown,
    Within,
    domain_size,
    number,
    only,
)

MAX_SLOTS = 16
"""The most elements of one set that are told apart; conditions that need more are answered up to this bound."""
MAX_INNER_SLOTS = (MAX_SLOTS, 4, 2)
"""The same for a set, a set that is an element of a set, and sets further inside."""
MAX_ALTERNATIVES = 256
"""The most alternatives of one value; conditions with more are too involved to encode."""
FIRST_SLOTS = 2

_Question = Callable[[Base, Base], int]
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
class Encoder:
    """One circuit over every request of some environments whose contexts have one type."""

    schema: Schema
    environments: tuple[Environment, ...]
    slots: Mapping[str, int] = field(default_factory=dict)
    """How many slots each set has, by its path; `needed_slots` says how many it takes."""
    inventory: Entities = NO_ENTITIES
    """What is known of entities that policies name: their attributes and what they are in. All others are open."""
    circuit: Circuit = field(default_factory=Circuit)
    places: dict[tuple[Place | None, str, Type], Place] = field(default_factory=dict)
    children: dict[Place, list[Place]] = field(default_factory=dict)
    demands: dict[Place, dict[object, int]] = field(default_factory=dict)
    related: list[frozenset[Place]] = field(default_factory=list)
    """Sets that are compared as wholes, which share the elements told apart."""
    constraints: list[int] = field(default_factory=list)
    """Formulas that define values made on the way, and hold always."""
    approximations: dict[str, None] = field(default_factory=dict)
    bounded: dict[str, None] = field(default_factory=dict)
    _conditions: dict[int, tuple[int, int]] = field(default_factory=dict)
    _kept: list[ir.Term] = field(default_factory=list)
    _sets: dict[Place, SetValue] = field(default_factory=dict)
    _equals: dict[tuple[int, int], int] = field(default_factory=dict)
    _variables: dict[str, Choice] = field(default_factory=dict)
    _some_action: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Whether the action is one of several → for each of these, whether it is that."""

    def __post_init__(self) -> None:
        principals = entity_type({item.principal for item in self.environments})
        resources = entity_type({item.resource for item in self.environments})
        context = self.schema.actions[self.environments[0].action].context
        roots: dict[str, Type] = {
            "principal": principals,
            "action": ACTION,
            "resource": resources,
            "context": context,
        }
        for name, type in roots.items():
            self._variables[name] = only(self.place(None, name, type))

    # Places

    def place(self, parent: Place | None, name: str, type: Type) -> Place:
        key = (parent, name, type)
        found = self.places.get(key)
        if found is None:
            separator = "" if parent is None or name.startswith("[") else "."
            path = f"{parent.path}{separator}{name}" if parent else name
            found = self.places[key] = Place(path, type, parent, name)
            if parent is not None:
                self.children.setdefault(parent, []).append(found)
        return found

    def root(self, name: str) -> Place:
        """`principal`, `action`, `resource` or `context`."""
        base = self._variables[name][0][1]
        assert isinstance(base, Place)
        return base

    def entity_place(self, entity: EntityId) -> Place:
        """The place of an entity that is written out."""
        type = entity_type({entity.type})
        key = (None, str(entity), type)
        found = self.places.get(key)
        if found is None:
            found = self.places[key] = Place(str(entity), type, entity=entity)
        return found

    def identifier(self, place: Place) -> Place:
        """The id of an entity, as a text."""
        return self.place(place, "#id", STRING)

    def value_of(self, place: Place) -> Choice:
        """What a place is read as."""
        if place.type == BOOL:
            return only(Formula(self.circuit.atom(Truth(place))))
        if place.type in NUMBERS:
            return only(Number(0, ((place, 1),)))
        if isinstance(place.type, typesystem.SetOf):
            return only(self.set_of(place))
        return only(place)

    def read(self, place: Place, name: str) -> tuple[int, Choice]:
        """Whether a field of a record or an attribute of an entity is there, and its value.

        Where the entity may be of several types whose attributes have nothing in common, the value is an alternative
        for each kind of attribute.
        """
        match place.type:
            case RecordOf():
                field = place.type.field(name)
                if field is None:
                    return FALSE, ()
                child = self.place(place, name, field.type)
                present = self.circuit.atom(Present(child)) if field.optional else TRUE
                return present, self.value_of(child)
            case EntityType(types):
                return self._read_attribute(place, name, types)
            case _:
                return FALSE, ()

    def _read_attribute(self, place: Place, name: str, types: frozenset[str]) -> tuple[int, Choice]:
        found: list[tuple[int, int, Choice]] = []
        for type, having in self._kinds_of(types, name):
            child = self.place(place, name, type)
            attributes = [self.schema.entities[item].attributes[name] for item in sorted(having)]
            of_type = self.is_type(place, having)
            present = of_type
            if any(attribute.optional for attribute in attributes):
                present = self.circuit.all_of((of_type, self.circuit.atom(Present(child))))
            found.append((present, of_type, self.value_of(child)))
        present = self.circuit.any_of(item for item, _, _ in found)
        return present, tuple(
            pair for _, of_type, choice in found for pair in self._under(of_type, choice)
        )

    def _kinds_of(self, types: frozenset[str], name: str) -> list[tuple[Type, frozenset[str]]]:
        """The types of an attribute, each as wide as it has to be, with the entity types that have it so."""
        kinds: list[tuple[Type, frozenset[str]]] = []
        for item in sorted(types):
            attribute = self.schema.entities[item].attributes.get(name)
            if attribute is None:
                continue
            for kind, (type, having) in enumerate(kinds):
                common = typesystem.join(type, attribute.type)
                if common is not None:
                    kinds[kind] = (common, having | {item})
                    break
            else:
                kinds.append((attribute.type, frozenset({item})))
        return kinds

    def set_of(self, place: Place) -> SetValue:
        """The elements in the slots of a set that is open to choice; they are pairwise different."""
        assert isinstance(place.type, typesystem.SetOf)
        found = self._sets.get(place)
        if found is None:
            elements = []
            for index in range(self.slot_count(place)):
                element = self.place(place, f"[{index}]", place.type.element)
                guard = self.circuit.atom(Slot(place, index))
                elements.append((guard, self.value_of(element)))
            found = SetValue(tuple(elements), frozenset({place}), distinct=True)
            self._sets[place] = found
        return found

    def slot_count(self, place: Place) -> int:
        assert isinstance(place.type, typesystem.SetOf)
        wanted = self.slots.get(place.path, FIRST_SLOTS)
        return int(min(wanted, _most_slots(place), domain_size(place.type.element)))

    # Slots

    def demand(self, sources: Iterable[Place], key: object, elements: int) -> None:
        """Notes that a condition needs so many elements of a set to be as true as it was."""
        for place in sources:
            known = self.demands.setdefault(place, {})
            known[key] = max(known.get(key, 0), elements)

    def bound(self, sources: Iterable[Place], why: str) -> None:
        for place in sources:
            self.demand((place,), why, MAX_SLOTS)
            self.bounded[f"{place.path} has at most {_most_slots(place)} elements, since {why}"] = (
                None
            )

    def needed_slots(self) -> dict[str, int]:
        """The slots after which more would tell nothing apart (a small-model property).

        Keeping of each set only the elements that the conditions need keeps every condition as it was: one that
        satisfies each `any`, one that breaks each `all`, one for each membership, and one more than the number
        that a count is compared with.
        """
        totals = {place: sum(keys.values()) for place, keys in self.demands.items()}
        for group in self._groups():
            together = sum(totals.get(place, 0) for place in group)
            for place in group:
                totals[place] = together
        for place, total in totals.items():
            size = (
                domain_size(place.type.element) if isinstance(place.type, typesystem.SetOf) else 0
            )
            if min(total, size) > _most_slots(place):
                self.bounded[f"{place.path} has at most {_most_slots(place)} elements"] = None
        return {place.path: min(total, _most_slots(place)) for place, total in totals.items()}

    def _groups(self) -> list[set[Place]]:
        alike: dict[tuple[str, str], set[Place]] = {}
        for place in self.demands:
            # Attributes of entities that may turn out to be one entity are one set.
            if place.parent is not None and isinstance(place.parent.type, EntityType):
                for type in place.parent.type.types:
                    alike.setdefault((type, place.name), set()).add(place)
        groups: list[set[Place]] = []
        for related in (*self.related, *map(frozenset, alike.values())):
            touching = [group for group in groups if group & related]
            merged = set(related).union(*touching)
            groups = [group for group in groups if not group & related] + [merged]
        return groups

    # What is known

    def take_inventory(self) -> None:
        """Gives the attributes of named entities the values that the inventory has for them."""
        for place in list(self.places.values()):
            data = self.inventory.known.get(place.entity) if place.entity else None
            if data is None:
                continue
            for child in list(self.children.get(place, ())):
                if child.name == "#id":
                    continue
                present = self.circuit.known(Present(child))
                value = data.attributes.get(child.name)
                if present is not None:
                    self.constraints.append(-present if value is None else present)
                if value is not None:
                    known, _ = self.value(ir.literal(value), {})
                    self.constraints.append(self._ask(self.value_of(child), known, self.equal))

    # What is outside

    def approximate(self, why: str) -> None:
        self.approximations[why] = None

    def unknown(self, why: str, key: Hashable = None) -> int:
        """A condition that may be either way; the same one for the same key."""
        self.approximate(why)
        return self.circuit.atom(Unknown(key or len(self.circuit), why))

    # Conditions

    def condition(
        self, term: ir.Term, names: Mapping[str, Choice] | None = None
    ) -> tuple[int, int]:
        """A Boolean term as a formula, and whether it can be read."""
        if names:
            return self._condition(term, names)
        found = self._conditions.get(id(term))
        if found is None:
            found = self._conditions[id(term)] = self._condition(term, {})
            self._kept.append(term)  # An id names a term only for as long as it lives.
        return found

    def _condition(self, term: ir.Term, names: Mapping[str, Choice]) -> tuple[int, int]:
        circuit = self.circuit
        match term:
            case ir.Boolean(is_true):
                return (TRUE if is_true else FALSE), TRUE
            case ir.Not(operand):
                value, ok = self.condition(operand, names)
                return -value, ok
            case ir.And(operands) | ir.Or(operands):
                # A later operand is read only where the ones before it do not decide.
                decisive = FALSE if isinstance(term, ir.And) else TRUE
                values: list[int] = []
                reads: list[int] = []
                for operand in operands:
                    value, ok = self.condition(operand, names)
                    decided = [item if decisive == TRUE else -item for item in values]
                    reads.append(circuit.any_of((*decided, ok)))
                    values.append(value)
                combine = circuit.any_of if decisive == TRUE else circuit.all_of
                return combine(values), circuit.all_of(reads)
            case ir.If(test, then, otherwise):
                condition, ok = self.condition(test, names)
                first, first_ok = self.condition(then, names)
                second, second_ok = self.condition(otherwise, names)
                read = circuit.all_of((ok, circuit.choose(condition, first_ok, second_ok)))
                return circuit.choose(condition, first, second), read
            case ir.Equal(left, right):
                return self._compare(left, right, names, self.equal)
            case ir.Less(left, right):
                return self._compare(left, right, names, self._less)
            case ir.LessOrEqual(left, right):
                return self._compare(right, left, names, lambda a, b: -self._less(a, b))
            case ir.Has(base, name):
                choice, ok = self.value(base, names)
                found = [
                    circuit.all_of((guard, self._present(item, name))) for guard, item in choice
                ]
                return circuit.any_of(found), ok
            case ir.InHierarchy(entity, ancestor):
                return self._compare(entity, ancestor, names, self._inside)
            case ir.IsType(entity, types):
                choice, ok = self.value(entity, names)
                found = [
                    circuit.all_of((guard, self.is_type(item, types))) for guard, item in choice
                ]
                return circuit.any_of(found), ok
            case ir.Like(text, pattern):
                choice, ok = self.value(text, names)
                found = [
                    circuit.all_of((guard, self._matches(item, pattern))) for guard, item in choice
                ]
                return circuit.any_of(found), ok
            case ir.InRange(address, range):
                return self._compare(address, range, names, self._within)
            case ir.Member(element, set):
                choice, ok = self.value(element, names)
                whole, set_ok = self.elements(set, names)
                return self.member(choice, whole), circuit.all_of((ok, set_ok))
            case ir.Subset(left, right):
                inner, ok = self.elements(left, names)
                outer, other_ok = self.elements(right, names)
                return self._subset(inner, outer), circuit.all_of((ok, other_ok))
            case ir.Any(name, set, body) | ir.All(name, set, body):
                whole, ok = self.elements(set, names)
                holds, read = self._each(name, whole, body, names)
                if isinstance(term, ir.Any):
                    found_one = [
                        circuit.all_of((guard, value))
                        for (guard, _), value in zip(whole.elements, holds, strict=True)
                    ]
                    result = circuit.any_of(found_one)
                else:
                    result = circuit.all_of(
                        circuit.implies(guard, value)
                        for (guard, _), value in zip(whole.elements, holds, strict=True)
                    )
                self.demand(whole.sources, abs(result), 1)
                return result, circuit.all_of((ok, read))
            case _:
                choice, ok = self.value(term, names)
                return self.truth(choice), ok

    def truth(self, choice: Choice) -> int:
        return self.circuit.any_of(
            self.circuit.all_of((guard, base.literal))
            for guard, base in choice
            if isinstance(base, Formula)
        )

    def _compare(
        self, left: ir.Term, right: ir.Term, names: Mapping[str, Choice], question: _Question
    ) -> tuple[int, int]:
        """A question about each pair of alternatives."""
        first, ok = self.value(left, names)
        second, other_ok = self.value(right, names)
        return self._ask(first, second, question), self.circuit.all_of((ok, other_ok))

    def _ask(self, left: Choice, right: Choice, question: _Question) -> int:
        return self.circuit.any_of(
            self.circuit.all_of((guard, other, question(base, against)))
            for guard, base in left
            for other, against in right
            if -guard != other
        )

    def _each(
        self, name: str, whole: SetValue, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[list[int], int]:
        """The body for every element, and whether each that is there can be read."""
        holds, reads = [], []
        for guard, element in whole.elements:
            value, ok = self.condition(body, {**names, name: element})
            holds.append(value)
            reads.append(self.circuit.implies(guard, ok))
        return holds, self.circuit.all_of(reads)

    # Questions about values

    def equal(self, left: Base, right: Base) -> int:
        circuit = self.circuit
        match left, right:
            case Formula(one), Formula(other):
                return circuit.equal(one, other)
            case Number(), Number():
                return circuit.all_of((self.at_most(left, right), self.at_most(right, left)))
            case SetValue(), SetValue():
                return self._equal_sets(left, right)
            case (RecordValue(), _) | (_, RecordValue()):
                return self._equal_records(left, right)
            case Place(), Place():
                return self.same(left, right)
            case (Place(), _) | (_, Place()):
                place, literal = (left, right) if isinstance(left, Place) else (right, left)
                assert isinstance(place, Place)
                return self._is_literal(place, literal)
            case _:
                return TRUE if type(left) is type(right) and left == right else FALSE

    def _equal_sets(self, left: SetValue, right: SetValue) -> int:
        key = (id(left), id(right))
        found = self._equals.get(key)
        if found is None:
            if left.sources and right.sources:
                self.related.append(left.sources | right.sources)
            found = self.circuit.all_of((self._subset(left, right), self._subset(right, left)))
            if all(item.distinct and len(item.sources) == 1 for item in (left, right)):
                # Only the sets of places live as long as the encoder, so that their ids stay theirs.
                self._equals[key] = found
        return found

    def _is_literal(self, place: Place, literal: Base) -> int:
        match literal:
            case str() if place.type == STRING:
                return self.circuit.atom(Glob(place, (literal,)))
            case EnumValue() if (
                isinstance(place.type, EnumType) and place.type.name == literal.enum
            ):
                return self.circuit.atom(Is(place, literal.name))
            case EntityId() if place.type == ACTION:
                return self.is_tag(place, literal.id)
            case EntityId() if isinstance(place.type, EntityType):
                return self.same(place, self.entity_place(literal))
            case _ if place.type == IP_RANGE and isinstance(literal, IpRange):
                return self.circuit.atom(Exactly(place, literal))
            case _:
                return FALSE

    def same(self, left: Place, right: Place) -> int:
        """Whether two places have equal values."""
        if left is right:
            return TRUE
        match left.type, right.type:
            case EntityType(types), EntityType(others):
                return self._same_entity(left, right, types & others)
            case EnumType(name, members, _), EnumType(other, _, _) if name == other:
                return self.circuit.any_of(
                    self.circuit.all_of((self.is_tag(left, item), self.is_tag(right, item)))
                    for item in members
                )
            case RecordOf(), RecordOf():
                key = (id(left), id(right))
                if key not in self._equals:
                    self._equals[key] = self._equal_records(left, right)
                return self._equals[key]
            case _ if left.type == right.type == STRING:
                return self.circuit.atom(Same(*_ordered(left, right)))
            case _ if left.type == right.type == ACTION:
                return TRUE
            case _ if left.type == right.type == IP_RANGE:
                why = "two addresses that are both open are compared"
                return self.unknown(why, _ordered(left, right))
            case _:
                return FALSE

    def _same_entity(self, left: Place, right: Place, types: frozenset[str]) -> int:
        one, other = left.entity, right.entity
        if one is not None and other is not None:
            return TRUE if one == other else FALSE
        if one is not None or other is not None:
            place, literal = (left, other) if other is not None else (right, one)
            assert literal is not None
            is_of_type = self.is_type(place, frozenset({literal.type}))
            if is_of_type == FALSE:
                return FALSE
            named = self.circuit.atom(Glob(self.identifier(place), (literal.id,)))
            return self.circuit.all_of((is_of_type, named))
        same_type = self.circuit.any_of(
            self.circuit.all_of(
                (self.is_type(left, frozenset({type})), self.is_type(right, frozenset({type})))
            )
            for type in sorted(types)
        )
        if same_type == FALSE:
            return FALSE
        ids = _ordered(self.identifier(left), self.identifier(right))
        return self.circuit.all_of((same_type, self.circuit.atom(Same(*ids))))

    def _equal_records(self, left: Base, right: Base) -> int:
        names: dict[str, None] = {}
        for base in (left, right):
            if isinstance(base, RecordValue):
                names.update((name, None) for name, _, _ in base.fields)
            elif isinstance(base, Place) and isinstance(base.type, RecordOf):
                names.update((item.name, None) for item in base.type.fields)
            else:
                return FALSE
        found = []
        for name in names:
            present, value = self._field(left, name)
            other, against = self._field(right, name)
            found.append(self.circuit.equal(present, other))
            equal = self._ask(value, against, self.equal)
            found.append(self.circuit.implies(present, equal))
        return self.circuit.all_of(found)

    def _field(self, base: Base, name: str) -> tuple[int, Choice]:
        match base:
            case RecordValue(fields):
                for known, present, value in fields:
                    if known == name:
                        return present, value
                return FALSE, ()
            case Place():
                return self.read(base, name)
            case EntityId():
                return self.read(self.entity_place(base), name)
            case _:
                return FALSE, ()

    def _present(self, base: Base, name: str) -> int:
        return self._field(base, name)[0]

    def is_tag(self, place: Place, tag: str) -> int:
        """Whether a place has one of its finitely many tags."""
        tags = self.tags(place)
        if tag not in tags:
            return FALSE
        return TRUE if len(tags) == 1 else self.circuit.atom(Is(place, tag))

    def tags(self, place: Place) -> tuple[str, ...]:
        match place.type:
            case EntityType(types):
                return tuple(sorted(types))
            case EnumType(_, members, _):
                return members
            case _ if place.type == ACTION:
                return tuple(sorted({item.action for item in self.environments}))
            case _:
                return ()

    def is_type(self, base: Base, types: frozenset[str]) -> int:
        match base:
            case EntityId(type, _):
                return TRUE if type in types else FALSE
            case Place(type=EntityType(known)):
                if known <= types:
                    return TRUE
                return self.circuit.any_of(
                    self.is_tag(base, type) for type in sorted(known & types)
                )
            case Place() if base.type == ACTION:
                return TRUE if ir.ACTION_TYPE in types else FALSE
            case _:
                return FALSE

    def _matches(self, base: Base, pattern: tuple[str, ...]) -> int:
        match base:
            case str():
                return TRUE if matches(base, pattern) else FALSE
            case Place() if base.type == STRING:
                if all(piece == "" for piece in pattern) and len(pattern) > 1:
                    return TRUE
                return self.circuit.atom(Glob(base, pattern))
            case _:
                return FALSE

    def _inside(self, entity: Base, ancestor: Base) -> int:
        below = self.entity_place(entity) if isinstance(entity, EntityId) else entity
        above = self.entity_place(ancestor) if isinstance(ancestor, EntityId) else ancestor
        if not isinstance(below, Place) or not isinstance(above, Place):
            return FALSE
        return self.inside(below, above)

    def inside(self, below: Place, above: Place) -> int:
        if below is above:
            return TRUE
        if not isinstance(below.type, EntityType) or not isinstance(above.type, EntityType):
            return FALSE
        if not any(
            self.can_be_strictly_in(type, other)
            for type in below.type.types
            for other in above.type.types
        ):
            return self.same(below, above)
        return self.circuit.atom(Inside(below, above))

    def can_be_strictly_in(self, type: str, other: str) -> bool:
        """Whether an entity of one type can be below an entity of the other, at some distance."""
        parents = self.schema.entities[type].parents
        return any(other in self.schema.ancestors[parent] for parent in parents)

    def _within(self, address: Base, range: Base) -> int:
        match address, range:
            case Place(), Place():
                if address is range:
                    return TRUE
                return self.unknown("two addresses that are both open are compared")
            case Place(), _ if isinstance(range, IpRange):
                return self.circuit.atom(Within(address, range))
            case _, Place() if isinstance(address, IpRange):
                return self.unknown("whether an open network has an address is asked")
            case _ if isinstance(address, IpRange) and isinstance(range, IpRange):
                return TRUE if within(address, range) else FALSE
            case _:
                return FALSE

    # Numbers

    def at_most(self, left: Number, right: Number) -> int:
        """Whether `left` is at most `right`."""
        difference = number(
            left.constant - right.constant,
            (*left.terms, *((item, -weight) for item, weight in right.terms)),
            left.counted | right.counted,
        )
        return self._sum_at_most(difference, -difference.constant)

    def _sum_at_most(self, total: Number, limit: int) -> int:
        terms = total.terms
        if not terms:
            return TRUE if limit >= 0 else FALSE
        bits = [(item, weight) for item, weight in terms if isinstance(item, int)]
        if len(bits) == len(terms):
            return self._count_at_most(total, bits, limit)
        if len(terms) == 1:
            ((item, weight),) = terms
            assert isinstance(item, Place)
            if weight > 0:
                return self.circuit.atom(AtMost(item, limit // weight))
            return -self.circuit.atom(AtMost(item, -(limit // -weight) - 1))
        if bits:
            self.bound(total.counted, "its size is compared with a number that is open")
        divisor = gcd(*(weight for _, weight in terms))
        ordered = sorted(
            ((item, weight // divisor) for item, weight in terms),
            key=lambda pair: (isinstance(pair[0], int), str(pair[0])),
        )
        limit //= divisor
        if ordered[0][1] < 0:
            negated = tuple((item, -weight) for item, weight in ordered)
            return -self.circuit.atom(Linear(negated, -limit - 1))
        return self.circuit.atom(Linear(tuple(ordered), limit))

    def _count_at_most(self, total: Number, bits: Sequence[tuple[int, int]], limit: int) -> int:
        result = self.circuit.at_most(bits, limit)
        signs = {weight > 0 for _, weight in bits}
        if len(signs) > 1:
            self.bound(total.counted, "its size is compared with the size of another")
        else:
            smallest = min(abs(weight) for _, weight in bits)
            elements = max(limit if signs == {True} else -limit - 1, 0) // smallest + 1
            self.demand(total.counted, tuple(bits), min(elements, MAX_SLOTS + 1))
        return result

    def _less(self, left: Base, right: Base) -> int:
        match left, right:
            case Number(), Number():
                return -self.at_most(right, left)
            case ((EnumValue() | Place()), (EnumValue() | Place())):
                return self._less_enum(left, right)
            case _:
                return FALSE

    def _less_enum(self, left: EnumValue | Place, right: EnumValue | Place) -> int:
        def ranks(base: EnumValue | Place) -> list[tuple[int, int]]:
            if isinstance(base, EnumValue):
                return [(TRUE, base.rank)]
            return [(self.is_tag(base, tag), rank) for rank, tag in enumerate(self.tags(base))]

        return self.circuit.any_of(
            self.circuit.all_of((one, other))
            for one, rank in ranks(left)
            for other, above in ranks(right)
            if rank < above
        )

    # Values

    def value(self, term: ir.Term, names: Mapping[str, Choice]) -> tuple[Choice, int]:
        """What a term can be, and whether it can be read."""
        match term:
            case ir.Integer(value):
                return only(Number(value)), TRUE
            case ir.Decimal(value):
                return only(Number(value.units)), TRUE
            case ir.Instant(value) | ir.Duration(value):
                return only(Number(value.nanoseconds)), TRUE
            case ir.String(value) | ir.IpRange(value) | ir.EnumMember(value) | ir.Entity(value):
                return only(value), TRUE
            case ir.Variable(name):
                found = names.get(name) or self._variables.get(name)
                if found is None:
                    return (), FALSE
                return found, TRUE
            case ir.Attribute(base, name):
                return self._attribute(base, name, names)
            case ir.If(test, then, otherwise):
                condition, ok = self.condition(test, names)
                first, first_ok = self.value(then, names)
                second, second_ok = self.value(otherwise, names)
                read = self.circuit.all_of(
                    (ok, self.circuit.choose(condition, first_ok, second_ok))
                )
                under = self._under
                return self._limited((*under(condition, first), *under(-condition, second))), read
            case ir.Add(left, right):
                return self._arithmetic(left, right, names, 1)
            case ir.Subtract(left, right):
                return self._arithmetic(left, right, names, -1)
            case ir.Negate(operand):
                return self._arithmetic(ir.Integer(0), operand, names, -1)
            case ir.Multiply(left, right):
                return self._product(left, right, names)
            case ir.SetOf(items):
                elements, reads = [], []
                for item in items:
                    choice, ok = self.value(item, names)
                    elements += [(guard, only(base)) for guard, base in choice]
                    reads.append(ok)
                return only(SetValue(tuple(elements))), self.circuit.all_of(reads)
            case ir.RecordOf(fields):
                record, reads = [], []
                for name, item in fields:
                    choice, ok = self.value(item, names)
                    record.append((name, TRUE, choice))
                    reads.append(ok)
                return only(RecordValue(tuple(record))), self.circuit.all_of(reads)
            case ir.Union(left, right) | ir.Intersect(left, right) | ir.Minus(left, right):
                one, ok = self.elements(left, names)
                other, other_ok = self.elements(right, names)
                whole = self._combine(term, one, other)
                return only(whole), self.circuit.all_of((ok, other_ok))
            case ir.Size(set):
                whole, ok = self.elements(set, names)
                return only(self._count(whole)), ok
            case ir.Count(name, set, body) | ir.Where(name, set, body):
                whole, ok = self.elements(set, names)
                holds, inner = self._each(name, whole, body, names)
                kept = SetValue(
                    tuple(
                        (self.circuit.all_of((guard, value)), element)
                        for (guard, element), value in zip(whole.elements, holds, strict=True)
                    ),
                    whole.sources,
                    whole.distinct,
                )
                read = self.circuit.all_of((ok, inner))
                return only(kept if isinstance(term, ir.Where) else self._count(kept)), read
            case ir.Distinct(name, set, body):
                whole, ok = self.elements(set, names)
                mapped, read = self._map(name, whole, body, names)
                return only(SetValue(mapped, whole.sources)), self.circuit.all_of((ok, read))
            case ir.Sum(name, set, body, _):
                return self._sum(name, set, body, names)
            case ir.Least(name, set, body) | ir.Greatest(name, set, body):
                return self._extreme(term, name, set, body, names)
            case _:
                literal, ok = self.condition(term, names)
                return only(Formula(literal)), ok

    def elements(self, term: ir.Term, names: Mapping[str, Choice]) -> tuple[SetValue, int]:
        """A set as one list of guarded elements."""
        choice, ok = self.value(term, names)
        whole = [(guard, base) for guard, base in choice if isinstance(base, SetValue)]
        if len(whole) == 1 and whole[0][0] == TRUE:
            return whole[0][1], ok
        elements = tuple(
            (self.circuit.all_of((guard, inner)), element)
            for guard, base in whole
            for inner, element in base.elements
        )
        return SetValue(elements, frozenset().union(*(base.sources for _, base in whole))), ok

    def _attribute(
        self, base: ir.Term, name: str, names: Mapping[str, Choice]
    ) -> tuple[Choice, int]:
        choice, ok = self.value(base, names)
        found: list[tuple[int, Base]] = []
        reads = [ok]
        for guard, item in choice:
            present, value = self._field(item, name)
            reads.append(self.circuit.implies(guard, present))
            found += self._under(guard, value)
        return self._limited(tuple(found)), self.circuit.all_of(reads)

    def _under(self, guard: int, choice: Choice) -> Choice:
        pairs = ((self.circuit.all_of((guard, inner)), base) for inner, base in choice)
        return tuple(pair for pair in pairs if pair[0] != FALSE)

    def _limited(self, choice: Choice) -> Choice:
        if len(choice) <= MAX_ALTERNATIVES:
            return choice
        raise CircuitTooLargeError(f"a value has more than {MAX_ALTERNATIVES} alternatives")

    def _arithmetic(
        self, left: ir.Term, right: ir.Term, names: Mapping[str, Choice], sign: int
    ) -> tuple[Choice, int]:
        first, ok = self.value(left, names)
        second, other_ok = self.value(right, names)
        found: list[tuple[int, Base]] = []
        for guard, one in first:
            for other, two in second:
                both = self.circuit.all_of((guard, other))
                if both != FALSE and isinstance(one, Number) and isinstance(two, Number):
                    total = number(
                        one.constant + sign * two.constant,
                        (*one.terms, *((item, sign * weight) for item, weight in two.terms)),
                        one.counted | two.counted,
                    )
                    found.append((both, total))
        return self._limited(tuple(found)), self.circuit.all_of((ok, other_ok))

    def _product(
        self, left: ir.Term, right: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[Choice, int]:
        first, ok = self.value(left, names)
        second, other_ok = self.value(right, names)
        found: list[tuple[int, Base]] = []
        for guard, one in first:
            for other, two in second:
                both = self.circuit.all_of((guard, other))
                if both == FALSE or not isinstance(one, Number) or not isinstance(two, Number):
                    continue
                factor, scaled = (one, two) if not one.terms else (two, one)
                if factor.terms:
                    self.approximate("two numbers that are both open are multiplied")
                    product = Number(0, ((self._fresh(typesystem.INT), 1),))
                else:
                    product = number(
                        factor.constant * scaled.constant,
                        ((item, factor.constant * weight) for item, weight in scaled.terms),
                        scaled.counted,
                    )
                found.append((both, product))
        return self._limited(tuple(found)), self.circuit.all_of((ok, other_ok))

    def _fresh(self, type: Type) -> Place:
        """A place for a value made on the way."""
        return self.place(None, f"#{len(self.places)}", type)

    # Sets

    def member(self, element: Choice, whole: SetValue) -> int:
        result = self.circuit.any_of(
            self.circuit.all_of((guard, self._ask(element, candidate, self.equal)))
            for guard, candidate in whole.elements
        )
        if result not in (TRUE, FALSE):
            self.demand(whole.sources, ("member", element), 1)
        return result

    def _subset(self, left: SetValue, right: SetValue) -> int:
        result = self.circuit.all_of(
            self.circuit.implies(guard, self.member(element, right))
            for guard, element in left.elements
        )
        self.demand(left.sources, ("subset", abs(result)), 1)
        return result

    def _combine(self, term: ir.Term, left: SetValue, right: SetValue) -> SetValue:
        sources = left.sources | right.sources
        match term:
            case ir.Union():
                return SetValue((*left.elements, *right.elements), sources)
            case ir.Intersect() | ir.Minus():
                sign = 1 if isinstance(term, ir.Intersect) else -1
                kept = tuple(
                    (self.circuit.all_of((guard, sign * self.member(element, right))), element)
                    for guard, element in left.elements
                )
                return SetValue(kept, left.sources, left.distinct)
            case _:
                raise AssertionError(term)

    def _count(self, whole: SetValue) -> Number:
        """The number of different elements."""
        guards = [guard for guard, _ in self._once(whole)]
        bits: list[tuple[Place | int, int]] = [
            (guard, 1) for guard in guards if guard not in (TRUE, FALSE)
        ]
        return number(guards.count(TRUE), bits, whole.sources)

    def _once(self, whole: SetValue) -> tuple[tuple[int, Choice], ...]:
        """The elements, each under a guard that holds for the first only of those that are equal."""
        if whole.distinct:
            return whole.elements
        found = []
        for place, (guard, element) in enumerate(whole.elements):
            repeats = [
                self.circuit.all_of((before, self._ask(element, earlier, self.equal)))
                for before, earlier in whole.elements[:place]
            ]
            found.append((self.circuit.all_of((guard, -self.circuit.any_of(repeats))), element))
        return tuple(found)

    def _map(
        self, name: str, whole: SetValue, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[tuple[tuple[int, Choice], ...], int]:
        mapped, reads = [], []
        for guard, element in whole.elements:
            value, ok = self.value(body, {**names, name: element})
            mapped.append((guard, value))
            reads.append(self.circuit.implies(guard, ok))
        return tuple(mapped), self.circuit.all_of(reads)

    def _sum(
        self, name: str, set: ir.Term, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[Choice, int]:
        whole, ok = self.elements(set, names)
        whole = SetValue(self._once(whole), whole.sources, distinct=True)
        mapped, read = self._map(name, whole, body, names)
        parts: list[tuple[Place | int, int]] = []
        for guard, value in mapped:
            place = self._fresh(typesystem.INT)
            part = Number(0, ((place, 1),))
            parts.append((place, 1))
            self.constraints.append(self.circuit.any_of((guard, self.equal(part, Number(0)))))
            for inner, base in value:
                if isinstance(base, Number):
                    same = self.equal(part, base)
                    self.constraints.append(self.circuit.any_of((-guard, -inner, same)))
        total = number(0, parts)
        self.bound(whole.sources, "its elements are added up")
        return only(total), self.circuit.all_of((ok, read))

    def _extreme(
        self,
        term: ir.Term,
        name: str,
        set: ir.Term,
        body: ir.Term,
        names: Mapping[str, Choice],
    ) -> tuple[Choice, int]:
        """The first element that no other is smaller, or greater, than; reading it fails for an empty set."""
        whole, ok = self.elements(set, names)
        mapped, read = self._map(name, whole, body, names)
        found: list[tuple[int, Base]] = []
        earlier: list[int] = []
        for guard, value in mapped:
            best = [guard]
            for other, against in mapped:
                if isinstance(term, ir.Least):
                    better = self._ask(against, value, self._less)
                else:
                    better = self._ask(value, against, self._less)
                best.append(-self.circuit.all_of((other, better)))
            is_best = self.circuit.all_of(best)
            chosen = self.circuit.all_of((is_best, *(-item for item in earlier)))
            earlier.append(is_best)
            found += self._under(chosen, value)
        self.demand(whole.sources, ("extreme", tuple(mapped)), 1)
        some = self.circuit.any_of(guard for guard, _ in mapped)
        return self._limited(tuple(found)), self.circuit.all_of((ok, read, some))

    # Rules

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


def _most_slots(place: Place) -> int:
    depth = 0
    above = place.parent
    while above is not None:
        depth += isinstance(above.type, typesystem.SetOf)
        above = above.parent
    return MAX_INNER_SLOTS[min(depth, len(MAX_INNER_SLOTS) - 1)]


def _ordered(left: Place, right: Place) -> tuple[Place, Place]:
    return (left, right) if (left.path, id(left)) <= (right.path, id(right)) else (right, left)


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
