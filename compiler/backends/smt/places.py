"""The open values of a request and its store, each a place: what types and tags it may have, and how many elements.

A set has as many slots as the conditions on it can tell apart. Where that would be too many, it may have more elements
than slots, and what a condition says of those is an `Unknown`, which may be either way. Questions whose answers are not
held together in full are listed in `approximations`.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from ....lang import typesystem
from ....lang.schema import Environment, Schema
from ....lang.typesystem import (
    ACTION,
    BOOL,
    STRING,
    EntityType,
    EnumType,
    RecordOf,
    Type,
    entity_type,
)
from ....lang.values import EntityId
from ... import ir
from ...entities import NO_ENTITIES, Entities
from .circuit import FALSE, TRUE, Circuit
from .values import (
    NUMBERS,
    Base,
    Choice,
    Contains,
    Formula,
    Is,
    Number,
    Place,
    Present,
    SetValue,
    Slot,
    Truth,
    Unknown,
    domain_size,
    only,
)

MAX_SLOTS = 16
"""The most elements of one set that are told apart."""
MAX_INNER_SLOTS = (MAX_SLOTS, 4, 2)
"""The same for a set, a set that is an element of a set, and sets further inside."""
FIRST_SLOTS = 2


@dataclass(frozen=True)
class Places:
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
    memberships: dict[int, Contains] = field(default_factory=dict)
    """What formulas over the slots of a set say in one question; for the words of an answer only."""
    approximations: dict[str, None] = field(default_factory=dict)
    _whys: dict[Place, str] = field(default_factory=dict)
    _overflowing: dict[Place, int] = field(default_factory=dict)
    """Sets that may have more elements than slots, with the literal that says so."""
    _made: dict[Hashable, Place] = field(default_factory=dict)
    _sets: dict[Place, SetValue] = field(default_factory=dict)
    _variables: dict[str, Choice] = field(default_factory=dict)

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

    def is_tag(self, place: Place, tag: str) -> int:
        """Whether a place has one of its finitely many tags."""
        tags = self.tags(place)
        if tag not in tags:
            return FALSE
        return TRUE if len(tags) == 1 else self.circuit.atom(Is(place, tag))

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

    def can_be_strictly_in(self, type: str, other: str) -> bool:
        """Whether an entity of one type can be below an entity of the other, at some distance."""
        parents = self.schema.entities[type].parents
        return any(other in self.schema.ancestors[parent] for parent in parents)

    def there(self, place: Place) -> int:
        """Whether the place has a value: nothing on the way to it is absent."""
        parent, own = place.parent, TRUE
        if parent is None:
            return TRUE
        match parent.type:
            case typesystem.SetOf():
                own = self.circuit.atom(Slot(parent, int(place.name[1:-1])))
            case RecordOf():
                field = parent.type.field(place.name)
                if field is not None and field.optional:
                    own = self.circuit.atom(Present(place))
            case EntityType() if place.name != "#id":
                having = self.having(parent, place)
                own = self.is_type(parent, having)
                declared = [self.schema.entities[type].attributes[place.name] for type in having]
                if any(attribute.optional for attribute in declared):
                    own = self.circuit.all_of((own, self.circuit.atom(Present(place))))
        return self.circuit.all_of((self.there(parent), own))

    def having(self, entity: Place, attribute: Place) -> frozenset[str]:
        """The types, of those that the entity may be of, whose attribute of this name the place stands for."""
        assert isinstance(entity.type, EntityType)
        declared = {
            type: self.schema.entities[type].attributes.get(attribute.name)
            for type in entity.type.types
        }
        return frozenset(
            type
            for type, known in declared.items()
            if known is not None and typesystem.is_subtype(known.type, attribute.type)
        )

    def _fresh(self, type: Type) -> Place:
        """A place for a value made on the way."""
        return self.place(None, f"#{len(self.places)}", type)

    def _under(self, guard: int, choice: Choice) -> Choice:
        pairs = ((self.circuit.all_of((guard, inner)), base) for inner, base in choice)
        return tuple(pair for pair in pairs if pair[0] != FALSE)

    # Slots

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
            more = self._overflow(place, len(elements))
            found = SetValue(
                tuple(elements), frozenset({place}), distinct=True, drawn=True, more=more
            )
            self._sets[place] = found
        return found

    def _overflow(self, place: Place, slots: int) -> int:
        assert isinstance(place.type, typesystem.SetOf)
        wanted = self.slots.get(place.path, FIRST_SLOTS)
        if min(wanted, domain_size(place.type.element)) <= slots:
            return FALSE
        found = self._overflowing[place] = self.circuit.atom(Slot(place, slots))
        return found

    @property
    def within_slots(self) -> tuple[int, ...]:
        """That no set has more elements than slots; without them, a proof is for sets of every size."""
        return tuple(-literal for literal in self._overflowing.values())

    @property
    def bounds(self) -> list[str]:
        """What `within_slots` says, in words."""
        found = []
        for place in self._overflowing:
            since = f", since {self._whys[place]}" if place in self._whys else ""
            found.append(f"{place.path} has at most {_most_slots(place)} elements{since}")
        return found

    def slot_count(self, place: Place) -> int:
        assert isinstance(place.type, typesystem.SetOf)
        wanted = self.slots.get(place.path, FIRST_SLOTS)
        return int(min(wanted, _most_slots(place), domain_size(place.type.element)))

    def demand(self, sources: Iterable[Place], key: object, elements: int) -> None:
        """Notes that a condition needs so many elements of a set to be as true as it was."""
        for place in sources:
            known = self.demands.setdefault(place, {})
            known[key] = max(known.get(key, 0), elements)

    def bound(self, sources: Iterable[Place], why: str) -> None:
        """Notes that no number of elements is enough for a condition to be as true as it was."""
        for place in sources:
            self.demand((place,), why, MAX_SLOTS + 1)
            self._whys[place] = why

    def needed_slots(self) -> dict[str, int]:
        """The slots after which more would tell nothing apart (a small-model property).

        Keeping of each set only the elements that the conditions need keeps every condition as it was: one that
        satisfies each `any`, one that breaks each `all`, one for each membership, and one more than the number
        that a count is compared with. One slot more than there can be says that these are not enough.
        """
        totals = {place: sum(keys.values()) for place, keys in self.demands.items()}
        for group in self._groups():
            together = sum(totals.get(place, 0) for place in group)
            for place in group:
                totals[place] = together
        return {place.path: min(total, _most_slots(place) + 1) for place, total in totals.items()}

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

    # What is outside

    def approximate(self, why: str) -> None:
        self.approximations[why] = None

    def made(self, key: Hashable, type: Type) -> Place:
        """The place for a value made on the way that is the same wherever the key is."""
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._fresh(type)
        return found

    def beyond(self, key: Hashable) -> int:
        """What a condition says of the elements of a set that have no slot."""
        return self.circuit.atom(Unknown(key, "elements without a slot"))


def _most_slots(place: Place) -> int:
    depth = 0
    above = place.parent
    while above is not None:
        depth += isinstance(above.type, typesystem.SetOf)
        above = above.parent
    return MAX_INNER_SLOTS[min(depth, len(MAX_INNER_SLOTS) - 1)]
