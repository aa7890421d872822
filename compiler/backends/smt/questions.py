"""What can be asked of values, as formulas: equality, order, membership, patterns and networks.

A text is asked only whether it matches a glob, a number only whether it is at most a constant, an entity for its type,
its id and what it is in; `theory.py` says which answers go together.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from math import gcd

from ....lang.scalars import IpRange, matches, within
from ....lang.typesystem import ACTION, INT, IP_RANGE, STRING, EntityType, EnumType, RecordOf
from ....lang.values import EntityId, EnumValue
from ... import ir
from .circuit import FALSE, TRUE
from .places import MAX_SLOTS, Places
from .values import (
    AtMost,
    Base,
    Choice,
    Contains,
    Covers,
    Exactly,
    Formula,
    Glob,
    Inside,
    Linear,
    Number,
    PartOf,
    Place,
    RecordValue,
    Same,
    SetValue,
    Within,
    number,
    only,
)

Question = Callable[[Base, Base], int]


@dataclass(frozen=True)
class Questions(Places):
    """Values in, formulas out."""

    _equals: dict[tuple[int, int], int] = field(default_factory=dict)

    def _ask(self, left: Choice, right: Choice, question: Question) -> int:
        return self.circuit.any_of(
            self.circuit.all_of((guard, other, question(base, against)))
            for guard, base in left
            for other, against in right
            if -guard != other
        )

    def truth(self, choice: Choice) -> int:
        return self.circuit.any_of(
            self.circuit.all_of((guard, base.literal))
            for guard, base in choice
            if isinstance(base, Formula)
        )

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

    def asked_equality(self, left: SetValue, right: SetValue) -> int:
        """Whether two sets of places are equal, where some condition asks; nothing told where none does."""
        one, other = (id(left), id(right)), (id(right), id(left))
        return self._equals.get(one, self._equals.get(other, TRUE))

    def _equal_sets(self, left: SetValue, right: SetValue) -> int:
        key = (id(left), id(right))
        found = self._equals.get(key)
        if found is None:
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
                return self.is_tag(place, literal.name)
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
                return self.circuit.all_of((self._within(left, right), self._within(right, left)))
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

    def _within(self, address: Base, range: Base) -> int:
        match address, range:
            case Place(), Place():
                if address is range:
                    return TRUE
                self.approximate("two addresses that are both open are compared")
                return self.circuit.atom(PartOf(address, range))
            case Place(), _ if isinstance(range, IpRange):
                return self.circuit.atom(Within(address, range))
            case _, Place() if isinstance(address, IpRange):
                self.approximate("whether an open network has an address is asked")
                return self.circuit.atom(Covers(range, address))
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

    # Sets

    def member(self, element: Choice, whole: SetValue) -> int:
        result = self._among(element, whole)
        if result not in (TRUE, FALSE):
            self.demand(whole.sources, ("member", element), 1)
        match element, tuple(whole.sources):
            case ((_, (str() | EnumValue() | EntityId() | Number(terms=())) as base),), (place,):
                if whole is self.set_of(place) and not self.circuit.is_atom(abs(result)):
                    self.memberships[result] = Contains(place, base)
        return result

    def _among(self, element: Choice, whole: SetValue) -> int:
        result = self.circuit.any_of(
            self.circuit.all_of((guard, self._ask(element, candidate, self.equal)))
            for guard, candidate in whole.elements
        )
        return self.or_beyond(whole.more, result, ("member", element, whole))

    def _members(self, left: SetValue, right: SetValue) -> list[int]:
        """For each element of the left set, whether the right one has it.

        What is told apart in sets that are compared is the same in both, so that drawn elements demand no more.
        """
        self.related.append(left.sources | right.sources)
        has = self._among if left.drawn else self.member
        return [has(element, right) for _, element in left.elements]

    def or_beyond(self, more: int, result: int, key: Hashable) -> int:
        """Whether something is so of an element that has a slot, or may be of one that has none."""
        if FALSE in (more, -result):
            return result
        return self.circuit.any_of((result, self.circuit.all_of((more, self.beyond(key)))))

    def _subset(self, left: SetValue, right: SetValue) -> int:
        result = self.circuit.all_of(
            self.circuit.implies(guard, has)
            for (guard, _), has in zip(left.elements, self._members(left, right), strict=True)
        )
        self.demand(left.sources, ("subset", abs(result)), 1)
        return -self.or_beyond(left.more, -result, ("subset", left, right))

    def _combine(self, term: ir.Term, left: SetValue, right: SetValue) -> SetValue:
        sources = left.sources | right.sources
        match term:
            case ir.Union():
                more = self.circuit.any_of((left.more, right.more))
                drawn = left.drawn and right.drawn
                elements = (*left.elements, *right.elements)
                return SetValue(elements, sources, drawn=drawn, more=more)
            case ir.Intersect() | ir.Minus():
                sign = 1 if isinstance(term, ir.Intersect) else -1
                kept = tuple(
                    (self.circuit.all_of((guard, sign * has)), element)
                    for (guard, element), has in zip(
                        left.elements, self._members(left, right), strict=True
                    )
                )
                return SetValue(kept, left.sources, left.distinct, left.drawn, left.more)
            case _:
                raise AssertionError(term)

    def _count(self, whole: SetValue) -> Choice:
        """The number of different elements; with some that have no slot, any number that is not smaller."""
        circuit = self.circuit
        guards = [guard for guard, _ in self._once(whole)]
        bits = [(guard, 1) for guard in guards if guard not in (TRUE, FALSE)]
        counted = number(guards.count(TRUE), bits, whole.sources)
        if whole.more == FALSE:
            return only(counted)
        total = self.made(whole, INT)
        is_set = any(whole is self.set_of(place) for place in whole.sources)
        known = [*((guard, 1) for guard in guards), (TRUE, int(is_set))]
        for least in range(len(known) + is_set):
            has_least = -circuit.at_most(known, least - 1)
            fewer = circuit.atom(AtMost(total, least - 1))
            self.constraints.append(circuit.any_of((-whole.more, -has_least, -fewer)))
        return (-whole.more, counted), (whole.more, Number(0, ((total, 1),)))

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


def _ordered(left: Place, right: Place) -> tuple[Place, Place]:
    return (left, right) if (left.path, id(left)) <= (right.path, id(right)) else (right, left)
