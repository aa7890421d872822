"""The answers that one concrete request and store give to every question of an encoding: the encoding, evaluated."""

from typing import Any

from interlock.compiler.backends.smt.circuit import TRUE
from interlock.compiler.backends.smt.encoder import Encoder
from interlock.compiler.backends.smt.values import (
    AtMost,
    Covers,
    Exactly,
    Glob,
    Inside,
    Is,
    Linear,
    PartOf,
    Place,
    Present,
    Same,
    Slot,
    Truth,
    Unknown,
    Within,
)
from interlock.compiler.decision import Request
from interlock.compiler.entities import Entities
from interlock.lang.plain import plain_value
from interlock.lang.scalars import matches, within
from interlock.lang.typesystem import is_subtype
from interlock.lang.values import EntityId, Record, show


class Valuation:
    """What holds, by literal, for one request. `is_total` is false where a question had to be left open."""

    def __init__(self, encoder: Encoder, request: Request, entities: Entities) -> None:
        self._encoder = encoder
        self._entities = entities
        self._roots = {
            "principal": request.principal,
            "action": EntityId("Action", request.action),
            "resource": request.resource,
            "context": request.context,
        }
        self.is_total = True
        self._known: dict[int, bool] = {}

    def holds(self, literal: int) -> bool:
        variable = abs(literal)
        if variable == TRUE:
            return literal > 0
        if variable not in self._known:
            circuit = self._encoder.circuit
            if circuit.is_atom(variable):
                self._known[variable] = self._question(circuit.meanings[variable])
            else:
                self._known[variable] = all(map(self.holds, circuit.parts(variable)))
        return self._known[variable] == (literal > 0)

    def _question(self, atom: Any) -> bool:
        match atom:
            case Truth(place):
                return self.value(place) is True
            case Present(place):
                assert place.parent is not None
                above = self.value(place.parent)
                if isinstance(above, EntityId):
                    declared = self._encoder.schema.entities[above.type].attributes.get(place.name)
                    if declared is None or not is_subtype(declared.type, place.type):
                        return False
                return place.name in self._fields(above)
            case Is(place, tag):
                value = self.value(place)
                if isinstance(value, EntityId):
                    return tag == (value.id if value.type == "Action" else value.type)
                return bool(value.name == tag)
            case Glob(place, pattern):
                return matches(self.value(place), pattern)
            case Same(left, right):
                return bool(self.value(left) == self.value(right))
            case AtMost(place, limit):
                return self._number(place) <= limit
            case Linear(terms, limit):
                total = 0
                for item, weight in terms:
                    if isinstance(item, Place):
                        total += weight * self._number(item)
                    else:
                        total += weight * self.holds(item)
                return total <= limit
            case Inside(place, ancestor):
                below, above = self.value(place), self.value(ancestor)
                data = self._entities.known.get(below)
                return below == above or (data is not None and above in data.ancestors)
            case Slot(place, index):
                return index < len(self.value(place))
            case Within(place, network):
                return within(self.value(place), network)
            case PartOf(place, whole):
                return within(self.value(place), self.value(whole))
            case Covers(place, network):
                return within(network, self.value(place))
            case Exactly(place, network):
                return bool(self.value(place) == network)
            case Unknown():
                self.is_total = False
                return False
            case _:
                raise AssertionError(atom)

    def value(self, place: Place) -> Any:
        """What the place has, or some value of its type where it has none, about which nothing is asked."""
        if place.entity is not None:
            return place.entity
        if place.parent is None:
            if place.name in self._roots:
                return self._roots[place.name]
            self.is_total = False
            return plain_value(place.type)
        above = self.value(place.parent)
        if place.name == "#id":
            return above.id
        if isinstance(above, frozenset):
            items = sorted(above, key=show)
            index = int(place.name[1:-1])
            return items[index] if index < len(items) else plain_value(place.type)
        fields = self._fields(above)
        if isinstance(above, EntityId):
            declared = self._encoder.schema.entities[above.type].attributes.get(place.name)
            if declared is None or not is_subtype(declared.type, place.type):
                return plain_value(place.type)
        return fields[place.name] if place.name in fields else plain_value(place.type)

    def _number(self, place: Place) -> int:
        value = self.value(place)
        return int(getattr(value, "units", getattr(value, "nanoseconds", value)))

    def _fields(self, value: Any) -> Record:
        if isinstance(value, Record):
            return value
        data = self._entities.known.get(value)
        return data.attributes if data is not None else Record({})
