"""A model to a request that a person can read: entities, attributes and names for the answers that a solver chose."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..compiler.backends.smt.encoder import Encoder
from ..compiler.backends.smt.values import (
    NUMBERS,
    AtMost,
    Exactly,
    Glob,
    Inside,
    Is,
    PartOf,
    Place,
    Present,
    Same,
    Slot,
    Truth,
    Within,
)
from ..compiler.decision import Request
from ..compiler.documents import Described
from ..lang import typesystem
from ..lang.scalars import IpRange, read_ip_range, within
from ..lang.schema import Schema
from ..lang.typesystem import (
    ACTION,
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    STRING,
    EntityType,
    EnumType,
    RecordOf,
    Type,
    is_subtype,
)
from ..lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value
from .globs import Witness, realisable
from .solver import Model


@dataclass(frozen=True, slots=True)
class Situation:
    """A request, and the entities that it speaks about."""

    request: Request
    described: Described


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names that readers know already: ids by entity type, and texts by attribute."""

    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    instants: Sequence[Instant] = ()


class NoWitnessError(Exception):
    """The model has no request: a text that the algebra cannot write; the message says which."""


def situation(
    encoder: Encoder, model: Model, numbers: Sequence[Place], vocabulary: Vocabulary
) -> Situation:
    """The request of a model. Raises `NoWitnessError` where a text has no readable instance."""
    return _Reader(encoder, model, numbers, vocabulary).situation()


class _Reader:
    def __init__(
        self, encoder: Encoder, model: Model, numbers: Sequence[Place], vocabulary: Vocabulary
    ) -> None:
        self._encoder = encoder
        self._schema = encoder.schema
        self._model = model
        self._vocabulary = vocabulary
        self._numbers = dict(zip(numbers, model.numbers, strict=True))
        self._limits: dict[Place, list[tuple[int, bool]]] = defaultdict(list)
        self._tags: dict[Place, str] = {}
        self._networks: dict[Place, list[tuple[type, IpRange, bool]]] = defaultdict(list)
        self._parts: list[tuple[PartOf, bool]] = []
        self._blocks: dict[Place, IpRange] = {}
        self._open: set[Place] = set()
        """Places of which the block is chosen, or is just being chosen."""
        self._inside: list[Inside] = []
        self._globs: dict[Place, list[tuple[tuple[str, ...], bool]]] = defaultdict(list)
        self._same: list[Same] = []
        self._apart: list[Same] = []
        for variable, atom in encoder.circuit.meanings.items():
            holds = model.holds(variable)
            match atom:
                case AtMost(place, limit):
                    self._limits[place].append((limit, holds))
                case Is(place, tag):
                    if holds:
                        self._tags[place] = tag
                case Glob(place, pattern):
                    self._globs[place].append((pattern, holds))
                case Within(place, network) | Exactly(place, network):
                    self._networks[place].append((type(atom), network, holds))
                case PartOf():
                    self._parts.append((atom, holds))
                case Inside() if holds:
                    self._inside.append(atom)
                case Same():
                    (self._same if holds else self._apart).append(atom)
                case _:
                    pass
        self._texts = self._name_texts()

    def _holds(self, atom: object) -> bool:
        literal = self._encoder.circuit.known(atom)
        return literal is not None and self._model.holds(literal)

    def situation(self) -> Situation:
        encoder = self._encoder
        principal = self._entity(encoder.root("principal"))
        resource = self._entity(encoder.root("resource"))
        action = self._tag(encoder.root("action"))
        context = self._record(encoder.root("context"))
        attributes: dict[Any, dict[str, Value]] = {principal: {}, resource: {}}
        for place in list(encoder.places.values()):
            if isinstance(place.type, EntityType) and self._is_there(place):
                known = attributes.setdefault(self._entity(place), {})
                known.update(self._fields(place))
        parents: dict[Any, set[EntityId]] = defaultdict(set)
        for atom in self._inside:
            if self._is_there(atom.place) and self._is_there(atom.ancestor):
                self._put(
                    self._entity(atom.place), self._entity(atom.ancestor), attributes, parents
                )
        records = {entity: Record(known) for entity, known in attributes.items()}
        above = {entity: frozenset(known) for entity, known in parents.items()}
        request = Request(principal, action, resource, context)
        return Situation(request, Described(records, above, {}))

    def _put(
        self,
        entity: EntityId,
        ancestor: EntityId,
        attributes: dict[Any, dict[str, Value]],
        parents: dict[Any, set[EntityId]],
    ) -> None:
        """Puts one entity below another, through others of the types that the schema wants between."""
        if entity == ancestor:
            return
        attributes.setdefault(ancestor, {})
        below = entity
        attributes.setdefault(entity, {})
        for type in _chain(self._schema, entity.type, ancestor.type):
            between = EntityId(type, f"{ancestor.id}-{type.rpartition('.')[2].lower()}")
            attributes.setdefault(between, {})
            parents[below].add(between)
            below = between
        parents[below].add(ancestor)

    # Values

    def _is_there(self, place: Place) -> bool:
        """Whether nothing above the place, nor the place itself, is absent."""
        while place.parent is not None:
            present = self._encoder.circuit.known(Present(place))
            if present is not None and not self._model.holds(present):
                return False
            if isinstance(place.parent.type, typesystem.SetOf):
                index = int(place.name[1:-1])
                if not self._holds(Slot(place.parent, index)):
                    return False
            if isinstance(place.parent.type, EntityType) and place.name != "#id":
                declared = self._schema.entities[self._tag(place.parent)].attributes
                attribute = declared.get(place.name)
                if attribute is None or not is_subtype(attribute.type, place.type):
                    return False
            place = place.parent
        return True

    def _value(self, place: Place) -> Value:
        match place.type:
            case EntityType():
                return self._entity(place)
            case EnumType(name, members, _):
                tag = self._tag(place)
                return EnumValue(name, tag, members.index(tag))
            case RecordOf():
                return self._record(place)
            case typesystem.SetOf(element):
                return self._set(place, element)
            case _ if place.type == BOOL:
                return self._holds(Truth(place))
            case _ if place.type == STRING:
                return self._text(place)
            case _ if place.type in NUMBERS:
                return _number(place.type, self._number(place))
            case _:
                return self._network(place)

    def _tag(self, place: Place) -> str:
        if place.entity is not None:
            return place.entity.type
        return self._tags.get(place) or self._encoder.tags(place)[0]

    def _entity(self, place: Place) -> EntityId:
        if place.entity is not None:
            return place.entity
        if place.type == ACTION:
            return EntityId("Action", self._tag(place))
        return EntityId(self._tag(place), self._text(self._encoder.identifier(place)))

    def _fields(self, place: Place) -> dict[str, Value]:
        return {
            child.name: self._value(child)
            for child in self._encoder.children.get(place, ())
            if child.name != "#id" and self._is_there(child)
        }

    def _record(self, place: Place) -> Record:
        return Record(self._fields(place))

    def _set(self, place: Place, element: Type) -> frozenset[Value]:
        found: list[Value] = []
        for child in self._encoder.children.get(place, ()):
            if self._is_there(child):
                value = self._value(child)
                if value in found and isinstance(value, Record) and isinstance(element, RecordOf):
                    value = _told_apart(value, element, len(found))
                found.append(value)
        return frozenset(found)

    def _number(self, place: Place) -> int:
        if place in self._numbers:
            return self._numbers[place]
        lowest: int | None = None
        highest: int | None = None
        for limit, holds in self._limits[place]:
            if holds:
                highest = limit if highest is None else min(highest, limit)
            else:
                lowest = limit + 1 if lowest is None else max(lowest, limit + 1)
        if place.type == INSTANT:
            for known in self._vocabulary.instants:
                moment = known.nanoseconds
                if (lowest is None or lowest <= moment) and (highest is None or moment <= highest):
                    return moment
        if (lowest is None or lowest <= 0) and (highest is None or highest >= 0):
            return 0
        chosen = lowest if lowest is not None and lowest > 0 else highest
        assert chosen is not None
        return chosen

    def _network(self, place: Place) -> IpRange:
        found = self._blocks.get(place)
        if found is None:
            self._open.add(place)
            found = self._blocks[place] = self._block(place)
        return found

    def _block(self, place: Place) -> IpRange:
        """The smallest network that the block is part of, or one that is part of none."""
        known = self._networks[place]
        for kind, network, holds in known:
            if kind is Exactly and holds:
                return network
        inside = [network for kind, network, holds in known if kind is Within and holds]
        inside += [
            self._network(part.whole)
            for part, holds in self._parts
            if holds and part.place is place and part.whole not in self._open
        ]
        if inside:
            return max(inside, key=lambda network: network.prefixlen)
        refused = [network for kind, network, holds in known if kind is Within and not holds]
        apart = [part for part, holds in self._parts if not holds]
        refused += [
            self._blocks[part.whole]
            for part in apart
            if part.place is place and part.whole in self._blocks
        ]
        outside = [
            self._blocks[part.place]
            for part in apart
            if part.whole is place and part.place in self._blocks
        ]
        for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "0.0.0.0/0", "::/0"):
            candidate = read_ip_range(text)
            assert candidate is not None
            if not any(within(candidate, network) for network in refused) and not any(
                within(network, candidate) for network in outside
            ):
                return candidate
        raise NoWitnessError(f"no address fits {place.path}")

    # Texts

    def _text(self, place: Place) -> str:
        found = self._texts.get(place)
        if found is None:
            found = self._texts[place] = self._choose([place], set())
        return found

    def _name_texts(self) -> dict[Place, str]:
        """One text for all places that are equal, and different ones for all others of a kind."""
        leader: dict[Place, Place] = {}

        def find(place: Place) -> Place:
            while leader.get(place, place) is not place:
                place = leader[place]
            return place

        for atom in self._same:
            leader[find(atom.left)] = find(atom.right)
        groups: dict[Place, list[Place]] = defaultdict(list)
        places = dict.fromkeys(
            place
            for places in self._encoder.places.values()
            for place in (places,)
            if place.type == STRING and self._is_there(place)
        )
        for place in places:
            groups[find(place)].append(place)
        neighbours: dict[Place, set[Place]] = defaultdict(set)
        for atom in self._apart:
            neighbours[find(atom.left)].add(find(atom.right))
            neighbours[find(atom.right)].add(find(atom.left))
        used: dict[str, set[str]] = defaultdict(set)
        texts: dict[Place, str] = {}

        def is_named(group: list[Place]) -> bool:
            return any(
                holds and len(pattern) == 1
                for place in group
                for pattern, holds in self._globs[place]
            )

        # Those whose text is given come first, so that no other takes it.
        for group in sorted(groups.values(), key=lambda group: not is_named(group)):
            kind = used[self._kind(group[0])]
            apart = {texts[place] for place in neighbours[find(group[0])] if place in texts}
            text = self._choose(group, kind | apart)
            kind.add(text)
            for place in group:
                texts[place] = text
        return texts

    def _kind(self, place: Place) -> str:
        parent = place.parent
        if place.name == "#id" and parent is not None:
            return f"id of {self._tag(parent)}"
        if parent is not None and isinstance(parent.type, typesystem.SetOf):
            return f"element of {parent.path}"
        return place.name

    def _choose(self, group: Sequence[Place], used: Iterable[str]) -> str:
        positive = {pattern for place in group for pattern, holds in self._globs[place] if holds}
        negative = {
            pattern for place in group for pattern, holds in self._globs[place] if not holds
        }
        given = any(len(pattern) == 1 for pattern in positive)
        refused = negative if given else negative | {(text,) for text in used}
        found = realisable(positive, refused, candidates=self._candidates(group[0]))
        if not isinstance(found, Witness):
            raise NoWitnessError(f"no text fits {group[0].path}")
        return found.text

    def _candidates(self, place: Place) -> list[str]:
        parent = place.parent
        if place.name == "#id" and parent is not None:
            type = self._tag(parent)
            short = type.rpartition(".")[2].lower()
            return [*self._vocabulary.ids.get(type, ()), *(f"{short}-{n}" for n in range(1, 10))]
        name = place.name if not place.name.startswith("[") else "text"
        return [*self._vocabulary.texts.get(name, ()), name, *(f"{name}-{n}" for n in range(2, 10))]


def _number(type: Type, number: int) -> Value:
    if type == DECIMAL:
        return Decimal(number)
    if type == DURATION:
        return Duration(number)
    if type == INSTANT:
        return Instant(number)
    return number


def _told_apart(value: Record, type: RecordOf, number: int) -> Record:
    """The record with a field that nobody asks about, so that it differs from equal ones."""
    for item in type.fields:
        if item.name not in value:
            match item.type:
                case _ if item.type == STRING:
                    return Record({**value, item.name: f"{item.name}-{number + 1}"})
                case _ if item.type in NUMBERS:
                    return Record({**value, item.name: _number(item.type, number)})
                case EntityType(types):
                    kind = min(types)
                    name = f"{kind.rpartition('.')[2].lower()}-{number + 101}"
                    return Record({**value, item.name: EntityId(kind, name)})
                case _:
                    continue
    return value


def _chain(schema: Schema, type: str, ancestor: str) -> list[str]:
    """The types between an entity and its ancestor, shortest first; empty where it can be directly in it."""
    frontier: list[tuple[str, list[str]]] = [(type, [])]
    seen = {type}
    for current, path in frontier:
        parents = schema.entities[current].parents
        if ancestor in parents:
            return path
        for parent in sorted(parents):
            if parent not in seen:
                seen.add(parent)
                frontier.append((parent, [*path, parent]))
    raise NoWitnessError(f"nothing of type {type} is in a {ancestor}")
