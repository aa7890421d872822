"""The terms of the IR as formulas: each gives its value, and whether it can be read at all (`ok`)."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from ....lang import typesystem
from ....lang.typesystem import Type
from ....lang.values import EnumValue
from ... import ir
from .circuit import FALSE, TRUE, CircuitTooLargeError
from .questions import Question, Questions
from .values import (
    Base,
    Choice,
    Formula,
    Number,
    Place,
    Present,
    RecordValue,
    SetValue,
    number,
    only,
)

MAX_ALTERNATIVES = 256
"""The most alternatives of one value; conditions with more are too involved to encode."""


@dataclass(frozen=True)
class Terms(Questions):
    """Terms in; values and formulas out."""

    _conditions: dict[int, tuple[int, int]] = field(default_factory=dict)
    _kept: list[ir.Term] = field(default_factory=list)

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
                return self._test(base, names, lambda item: self._present(item, name))
            case ir.InHierarchy(entity, ancestor):
                return self._compare(entity, ancestor, names, self._inside)
            case ir.IsType(entity, types):
                return self._test(entity, names, lambda item: self.is_type(item, types))
            case ir.Like(text, pattern):
                return self._test(text, names, lambda item: self._matches(item, pattern))
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
                # All elements are so where none is not.
                sign = 1 if isinstance(term, ir.Any) else -1
                found = circuit.any_of(
                    circuit.all_of((guard, sign * value))
                    for (guard, _), value in zip(whole.elements, holds, strict=True)
                )
                self.demand(whole.sources, abs(found), 1)
                key = (sign, whole, body, tuple(names.items()))
                return sign * self.or_beyond(whole.more, found, key), circuit.all_of((ok, read))
            case _:
                choice, ok = self.value(term, names)
                return self.truth(choice), ok

    def _test(
        self, term: ir.Term, names: Mapping[str, Choice], question: Callable[[Base], int]
    ) -> tuple[int, int]:
        """A question about each alternative."""
        choice, ok = self.value(term, names)
        found = (self.circuit.all_of((guard, question(base))) for guard, base in choice)
        return self.circuit.any_of(found), ok

    def _compare(
        self, left: ir.Term, right: ir.Term, names: Mapping[str, Choice], question: Question
    ) -> tuple[int, int]:
        """A question about each pair of alternatives."""
        first, ok = self.value(left, names)
        second, other_ok = self.value(right, names)
        return self._ask(first, second, question), self.circuit.all_of((ok, other_ok))

    def _each(
        self, name: str, whole: SetValue, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[list[int], int]:
        """The body for every element, and whether each that is there can be read."""
        holds, reads = [], []
        for guard, element in whole.elements:
            value, ok = self.condition(body, {**names, name: element})
            holds.append(value)
            reads.append(self.circuit.implies(guard, ok))
        return holds, self._all_read(reads, whole, body, names)

    def _all_read(
        self, reads: list[int], whole: SetValue, body: ir.Term, names: Mapping[str, Choice]
    ) -> int:
        """Whether the body can be read for every element; where it can fail, also for those that have no slot."""
        read = self.circuit.all_of(reads)
        if read == TRUE:
            return TRUE
        key = ("read", whole, body, tuple(names.items()))
        return -self.or_beyond(whole.more, -read, key)

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
                return self._count(whole), ok
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
                    whole.drawn,
                    whole.more,
                )
                read = self.circuit.all_of((ok, inner))
                return only(kept) if isinstance(term, ir.Where) else self._count(kept), read
            case ir.Distinct(name, set, body):
                whole, ok = self.elements(set, names)
                mapped, read = self._map(name, whole, body, names)
                kinds = SetValue(mapped, whole.sources, drawn=whole.drawn, more=whole.more)
                return only(kinds), self.circuit.all_of((ok, read))
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
        sources = frozenset[Place]().union(*(base.sources for _, base in whole))
        more = self.circuit.any_of(self.circuit.all_of((guard, base.more)) for guard, base in whole)
        drawn = all(base.drawn for _, base in whole)
        return SetValue(elements, sources, drawn=drawn, more=more), ok

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

    # Sets, element by element

    def _map(
        self, name: str, whole: SetValue, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[tuple[tuple[int, Choice], ...], int]:
        mapped, reads = [], []
        for guard, element in whole.elements:
            value, ok = self.value(body, {**names, name: element})
            mapped.append((guard, value))
            reads.append(self.circuit.implies(guard, ok))
        return tuple(mapped), self._all_read(reads, whole, body, names)

    def _sum(
        self, name: str, set: ir.Term, body: ir.Term, names: Mapping[str, Choice]
    ) -> tuple[Choice, int]:
        whole, ok = self.elements(set, names)
        whole = SetValue(self._once(whole), whole.sources, distinct=True, more=whole.more)
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
        key = ("sum", whole, body, tuple(names.items()))
        return self._or_any(whole.more, only(total), key), self.circuit.all_of((ok, read))

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
        key = (type(term), whole, body, tuple(names.items()))
        choice = self._or_any(whole.more, self._limited(tuple(found)), key)
        return choice, self.circuit.all_of((ok, read, some))

    def _or_any(self, more: int, choice: Choice, key: Hashable) -> Choice:
        """The value that elements with slots make; with others beside them, any value of its type."""
        if more == FALSE or not choice:
            return choice
        match choice[0][1]:
            case Number():
                type: Type = typesystem.INT
            case EnumValue(enum):
                type = self.schema.enums[enum]
            case Place() as place:
                type = place.type
            case base:
                raise AssertionError(base)
        return (
            *self._under(-more, choice),
            *self._under(more, self.value_of(self.made(key, type))),
        )

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
