"""Which answers about open values go together: the clauses that make the atoms of an encoding mean what they say.

What the solver adds on demand is left out: the exact algebra of globs (`analyzer/globs.py`), and that equality of
texts is transitive.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations, pairwise

from ....lang import typesystem
from ....lang.scalars import IpRange, within
from ....lang.typesystem import (
    BOOL,
    IP_RANGE,
    STRING,
    EntityType,
    EnumType,
    Optional,
    RecordOf,
    Type,
    is_subtype,
    present,
)
from .circuit import FALSE, TRUE, CircuitTooLargeError, Clause
from .encoder import Encoder
from .values import (
    NUMBERS,
    AtMost,
    Covers,
    Exactly,
    Glob,
    Inside,
    Is,
    Linear,
    Number,
    PartOf,
    Place,
    Present,
    Same,
    Slot,
    Truth,
    Within,
    domain_size,
)

MAX_CLAUSES = 2_000_000


def axioms(encoder: Encoder) -> list[Clause]:
    """Clauses that hold for every request and store; atoms that they need are added to the circuit."""
    theory = _Theory(encoder)
    size = -1
    while size != len(encoder.circuit):
        # An axiom can ask something new, about which there are axioms.
        size = len(encoder.circuit)
        theory.clauses = {}
        for part in (
            theory.definitions,
            theory.inventory,
            theory.tags,
            theory.presence,
            theory.kinds,
            theory.entities,
            theory.hierarchy,
            theory.texts,
            theory.numbers,
            theory.addresses,
            theory.blocks,
            theory.sets,
        ):
            part()
    return list(theory.clauses)


class _Theory:
    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.circuit = encoder.circuit
        self.clauses: dict[Clause, None] = {}

    def add(self, *literals: int) -> None:
        """One of the literals holds."""
        if TRUE not in literals:
            kept = tuple(literal for literal in dict.fromkeys(literals) if literal != FALSE)
            if not any(-literal in kept for literal in kept):
                self.clauses[kept] = None
                if len(self.clauses) > MAX_CLAUSES:
                    raise CircuitTooLargeError(f"more than {MAX_CLAUSES:,} axioms")

    def equate(self, guard: int, left: int, right: int) -> None:
        if left != right:
            self.add(-guard, -left, right)
            self.add(-guard, left, -right)

    def _atoms(self, kind: type) -> list[tuple[int, object]]:
        return [item for item in self.circuit.meanings.items() if isinstance(item[1], kind)]

    def definitions(self) -> None:
        for formula in self.encoder.constraints:
            self.add(formula)

    def inventory(self) -> None:
        """What named entities are in, as the inventory says; what it says of their attributes, the encoder defines."""
        known = self.encoder.inventory.known
        if not known:
            return
        named = {
            atom.ancestor.entity: atom.ancestor  # type: ignore[attr-defined]
            for _, atom in self._atoms(Inside)
            if atom.ancestor.entity in known  # type: ignore[attr-defined]
        }
        for entity, place in named.items():
            for above in sorted(known[entity].ancestors & named.keys()):
                self.add(self.circuit.atom(Inside(place, named[above])))
        for literal, atom in self._atoms(Inside):
            below, above = atom.place.entity, atom.ancestor.entity  # type: ignore[attr-defined]
            if below in known and above is not None:
                self.add(literal if above in known[below].ancestors | {below} else -literal)

    def tags(self) -> None:
        """Every place has exactly one of its tags."""
        places = dict.fromkeys(atom.place for _, atom in self._atoms(Is))  # type: ignore[attr-defined]
        for place in places:
            literals = [self.encoder.is_tag(place, tag) for tag in self.encoder.tags(place)]
            self.add(*literals)
            for one, other in combinations(literals, 2):
                self.add(-one, -other)

    def presence(self) -> None:
        """A type of entity says which attributes, and which fields of them, are there; a union has them by type."""
        for literal, atom in self._atoms(Present):
            for is_of_type, declared in self._declared(atom.place):  # type: ignore[attr-defined]
                if declared is None:
                    self.add(-is_of_type, -literal)
                elif not isinstance(declared, Optional):
                    self.add(-is_of_type, literal)

    def kinds(self) -> None:
        """What one type of a union declares more narrowly than the others, an entity of that type has so."""
        places = dict.fromkeys(atom.place for _, atom in self._atoms(Is))  # type: ignore[attr-defined]
        for place in places:
            for is_of_type, declared in self._declared(place):
                if declared is not None and isinstance(found := present(declared), EntityType):
                    self.add(-is_of_type, self.encoder.is_type(place, found.types))

    def _declared(self, place: Place) -> Iterator[tuple[int, Type | None]]:
        """For each type of the entity in which a place lies: whether it is of that type, and what is declared there.

        Nothing is, where a type has no such attribute, or one that has nothing in common with the place.
        """
        names = [place.name]
        entity = place.parent
        while entity is not None and isinstance(entity.type, RecordOf | typesystem.SetOf):
            names.append(entity.name)
            entity = entity.parent
        if entity is not None and isinstance(entity.type, EntityType):
            for type in sorted(entity.type.types):
                declared = self._declared_in(type, names[::-1])
                fits = declared is not None and is_subtype(present(declared), place.type)
                yield self.encoder.is_tag(entity, type), declared if fits else None

    def _declared_in(self, type: str, names: Sequence[str]) -> Type | None:
        """What the type declares at the end of a path of attributes, fields and elements."""
        attributes = self.encoder.schema.entities[type].attributes
        declared: Type = RecordOf(tuple(attributes.values()))
        for name in names:
            match present(declared):
                case RecordOf() as record:
                    field = record.field(name)
                    if field is None:
                        return None
                    declared = Optional(field.type) if field.optional else field.type
                case typesystem.SetOf(element):
                    declared = element
                case _:
                    return None
        return declared

    # Entities

    def entities(self) -> None:
        """Equal entities have equal attributes."""
        encoder = self.encoder
        described = [
            (place, [child for child in children if child.name != "#id"])
            for place, children in list(encoder.children.items())
            if isinstance(place.type, EntityType)
        ]
        for (left, attributes), (right, others) in combinations(described, 2):
            shared = [
                (one, other) for one in attributes for other in others if one.name == other.name
            ]
            if shared and _may_be_equal(left, right):
                same = encoder.same(left, right)
                for one, other in shared:
                    # A union of types has an attribute as several places where its types have nothing in common.
                    types = encoder.having(left, one) & encoder.having(right, other)
                    of_type = encoder.is_type(left, types)
                    self.equate_places(self.circuit.all_of((same, of_type)), one, other)

    def equate_places(self, guard: int, left: Place, right: Place) -> None:
        """Under the guard, everything that is asked about one place has the same answer for the other."""
        if guard == FALSE:
            return
        circuit, encoder = self.circuit, self.encoder
        if circuit.known(Present(left)) or circuit.known(Present(right)):
            self.equate(guard, self._presence(left), self._presence(right))
        match left.type:
            case typesystem.SetOf(element) if isinstance(right.type, typesystem.SetOf):
                counts = encoder.slot_count(left), encoder.slot_count(right)
                sets = encoder.set_of(left), encoder.set_of(right)
                self.add(-guard, encoder.asked_equality(*sets))
                if counts[0] == counts[1]:
                    more = sets[0].more, sets[1].more
                    if FALSE not in more:
                        self.equate(guard, *more)
                for index in range(min(counts)):
                    slots = Slot(left, index), Slot(right, index)
                    self.equate(guard, *map(circuit.atom, slots))
                    first = encoder.place(left, f"[{index}]", element)
                    second = encoder.place(right, f"[{index}]", right.type.element)
                    self.equate_places(guard, first, second)
            case RecordOf() if isinstance(right.type, RecordOf):
                # What is asked of one is there in both, so that a counterexample can show it.
                asked = [
                    child.name for side in (left, right) for child in encoder.children.get(side, ())
                ]
                for name in dict.fromkeys(asked):
                    one, other = left.type.field(name), right.type.field(name)
                    if one is not None and other is not None:
                        self.equate_places(
                            guard,
                            encoder.place(left, name, one.type),
                            encoder.place(right, name, other.type),
                        )
            case EntityType() | EnumType():
                self.add(-guard, encoder.same(left, right))
            case _ if left.type != right.type:
                pass
            case _ if left.type == BOOL:
                self.equate(guard, circuit.atom(Truth(left)), circuit.atom(Truth(right)))
            case _ if left.type == STRING:
                self.add(-guard, encoder.same(left, right))
            case _ if left.type in NUMBERS:
                self._equate_numbers(guard, left, right)
            case _ if left.type == IP_RANGE:
                for kind in (Within, Exactly):
                    for network in sorted(
                        self._networks(left, kind) | self._networks(right, kind), key=str
                    ):
                        atoms = kind(left, network), kind(right, network)
                        self.equate(guard, *map(circuit.atom, atoms))
            case _:
                pass

    def _presence(self, place: Place) -> int:
        parent = place.parent
        if parent is not None and isinstance(parent.type, RecordOf):
            field = parent.type.field(place.name)
            if field is not None and not field.optional:
                return TRUE
        return self.circuit.atom(Present(place))

    def _equate_numbers(self, guard: int, left: Place, right: Place) -> None:
        limits = {
            atom.limit  # type: ignore[attr-defined]
            for _, atom in self._atoms(AtMost)
            if atom.place in (left, right)  # type: ignore[attr-defined]
        }
        for limit in sorted(limits):
            atoms = AtMost(left, limit), AtMost(right, limit)
            self.equate(guard, *map(self.circuit.atom, atoms))
        in_sums = {
            item
            for _, atom in self._atoms(Linear)
            for item, _ in atom.terms  # type: ignore[attr-defined]
        }
        if left in in_sums or right in in_sums:
            equal = self.encoder.equal(Number(0, ((left, 1),)), Number(0, ((right, 1),)))
            self.add(-guard, equal)

    def hierarchy(self) -> None:
        """`in` is reflexive, transitive and without cycles, and goes only where the schema allows."""
        encoder, circuit = self.encoder, self.circuit
        atoms: list[tuple[int, Inside]] = self._atoms(Inside)  # type: ignore[assignment]
        by_literal: dict[object, list[tuple[int, Inside]]] = defaultdict(list)
        open_ancestors: list[tuple[int, Inside]] = []
        below: dict[Place, list[tuple[int, Inside]]] = defaultdict(list)
        for literal, atom in atoms:
            below[atom.place].append((literal, atom))
            if atom.ancestor.entity is not None:
                by_literal[atom.ancestor].append((literal, atom))
            else:
                open_ancestors.append((literal, atom))
        for literal, atom in atoms:
            place, ancestor = atom.place, atom.ancestor
            same = encoder.same(place, ancestor)
            self.add(-same, literal)
            self._fitting_types(literal, place, ancestor, same)
            back = circuit.known(Inside(ancestor, place))
            if back is not None:
                self.add(-literal, -back, same)
            for middle, atoms_above in list(below.items()):
                if middle is place or not _may_be_equal(ancestor, middle):
                    continue
                equal = encoder.same(ancestor, middle)
                if equal == FALSE:
                    continue
                for above, atom_above in atoms_above:
                    self.add(-equal, -literal, -above, encoder.inside(place, atom_above.ancestor))
            alike = open_ancestors
            if ancestor.entity is not None:
                alike = [*alike, *by_literal[ancestor]]
            else:
                alike = [item for item in atoms if item[1] is not atom]
            for other, other_atom in alike:
                if other != literal:
                    equal = circuit.all_of(
                        (
                            encoder.same(place, other_atom.place)
                            if _may_be_equal(place, other_atom.place)
                            else FALSE,
                            encoder.same(ancestor, other_atom.ancestor)
                            if _may_be_equal(ancestor, other_atom.ancestor)
                            else FALSE,
                        )
                    )
                    self.add(-equal, -literal, other)

    def _fitting_types(self, literal: int, place: Place, ancestor: Place, same: int) -> None:
        assert isinstance(place.type, EntityType) and isinstance(ancestor.type, EntityType)
        for type in sorted(place.type.types):
            above = [
                self.encoder.is_tag(ancestor, other)
                for other in sorted(ancestor.type.types)
                if self.encoder.can_be_strictly_in(type, other)
            ]
            self.add(-literal, -self.encoder.is_tag(place, type), same, *above)

    # Texts and numbers

    def texts(self) -> None:
        """Equal texts match the same globs; that equality is transitive is added by the solver, on demand."""
        edges: list[tuple[int, Same]] = self._atoms(Same)  # type: ignore[assignment]
        if not edges:
            return
        neighbours: dict[Place, set[Place]] = defaultdict(set)
        for _, atom in edges:
            neighbours[atom.left].add(atom.right)
            neighbours[atom.right].add(atom.left)
        globs: dict[Place, dict[tuple[str, ...], None]] = defaultdict(dict)
        for _, glob in self._atoms(Glob):
            globs[glob.place][glob.pattern] = None  # type: ignore[attr-defined]
        for group in _components(neighbours):
            together = {pattern: None for place in group for pattern in globs[place]}
            for place in group:
                globs[place] = together
        for literal, atom in edges:
            for pattern in globs[atom.left]:
                one = self.circuit.atom(Glob(atom.left, pattern))
                other = self.circuit.atom(Glob(atom.right, pattern))
                self.equate(literal, one, other)
                if len(pattern) == 1:
                    self.add(-one, -other, literal)

    def numbers(self) -> None:
        """What is at most a number is at most every greater one."""
        limits: dict[Place, list[tuple[int, int]]] = defaultdict(list)
        for literal, atom in self._atoms(AtMost):
            limits[atom.place].append((atom.limit, literal))  # type: ignore[attr-defined]
        for known in limits.values():
            for (_, smaller), (_, greater) in pairwise(sorted(known)):
                self.add(-smaller, greater)

    # Addresses

    def _networks(self, place: Place, kind: type) -> set[IpRange]:
        return {
            atom.network  # type: ignore[attr-defined]
            for _, atom in self._atoms(kind)
            if atom.place is place  # type: ignore[attr-defined]
        }

    def addresses(self) -> None:
        """A block is part of a network, of every network around it, and of none beside it.

        Networks are nested or apart, and a block that is open can be a network itself. So what holds for every pair
        is complete, once each network that a block may equal has its two halves, and one of the two versions of IP
        is left over.
        """
        places = dict.fromkeys(
            atom.place  # type: ignore[attr-defined]
            for kind in (Within, Exactly)
            for _, atom in self._atoms(kind)
        )
        for place in places:
            inside = {item: self.circuit.atom(Within(place, item)) for item in self._nets(place)}
            whole = [inside[network] for network in inside if network.prefixlen == 0]
            if len(whole) == 2:
                self.add(*whole)
            for network in sorted(self._networks(place, Exactly), key=str):
                exactly = self.circuit.atom(Exactly(place, network))
                self.add(-exactly, inside[network])
                self.add(exactly, -inside[network], *(inside[half] for half in _halves(network)))
                for half in _halves(network):
                    self.add(-exactly, -inside[half])
            for (one, first), (other, second) in combinations(inside.items(), 2):
                if within(one, other):
                    self.add(-first, second)
                elif within(other, one):
                    self.add(-second, first)
                else:
                    self.add(-first, -second)

    def blocks(self) -> None:
        """What is part of a block is part of every network around it, and a block has the parts of its parts.

        Not all that follows is said, so that a counterexample about two open blocks has to be replayed.
        """
        parts: list[tuple[int, PartOf]] = self._atoms(PartOf)  # type: ignore[assignment]
        covers: list[tuple[int, Covers]] = self._atoms(Covers)  # type: ignore[assignment]
        within_: dict[Place, dict[IpRange, int]] = defaultdict(dict)
        exactly: dict[Place, dict[IpRange, int]] = defaultdict(dict)
        for known, kind in ((within_, Within), (exactly, Exactly)):
            for literal, atom in self._atoms(kind):
                known[atom.place][atom.network] = literal  # type: ignore[attr-defined]
        for literal, part in parts:
            block, whole = part.place, part.whole
            for network in {**within_[block], **within_[whole]}:
                around = self.circuit.atom(Within(whole, network))
                self.add(-literal, -around, self.circuit.atom(Within(block, network)))
            for network, is_whole in exactly[whole].items():
                self.add(-is_whole, -self.circuit.atom(Within(block, network)), literal)
            for other, atom in parts:
                together = self.circuit.known(PartOf(block, atom.whole))
                if atom.place is whole and together is not None:
                    self.add(-literal, -other, together)
            for other, cover in covers:
                if cover.place is block:
                    covered = self.circuit.atom(Covers(whole, cover.network))
                    self.add(-literal, -other, covered)
        for literal, cover in covers:
            for network, around in within_[cover.place].items():
                if not within(cover.network, network):
                    self.add(-literal, -around)
            for network, is_block in exactly[cover.place].items():
                has = literal if within(cover.network, network) else -literal
                self.add(-is_block, has)
            for other, smaller in covers:
                if smaller.place is cover.place and within(smaller.network, cover.network):
                    self.add(-literal, other)

    def _nets(self, place: Place) -> Sequence[IpRange]:
        exact = self._networks(place, Exactly)
        halves = {half for network in exact for half in _halves(network)}
        return sorted(
            self._networks(place, Within) | exact | halves,
            key=lambda network: (network.version, int(network.network_address), network.prefixlen),
        )

    # Sets

    def sets(self) -> None:
        """The elements of a set are pairwise different, and its slots are filled in order."""
        counts: dict[Place, int] = defaultdict(int)
        for _, atom in self._atoms(Slot):
            counts[atom.place] = max(counts[atom.place], atom.index + 1)  # type: ignore[attr-defined]
        for place, count in counts.items():
            guards = [self.circuit.atom(Slot(place, index)) for index in range(count)]
            for earlier, later in pairwise(guards):
                self.add(-later, earlier)
            assert isinstance(place.type, typesystem.SetOf)
            elements = [
                self.encoder.place(place, f"[{index}]", place.type.element)
                for index in range(count)
            ]
            for (one, first), (other, second) in combinations(
                zip(guards, elements, strict=True), 2
            ):
                self.add(-one, -other, self.differ(first, second))

    def differ(self, left: Place, right: Place) -> int:
        """Whether two elements can be told apart, by what is asked about them or by what nobody asks about."""
        encoder = self.encoder
        if isinstance(left.type, RecordOf):
            asked = {
                child.name for side in (left, right) for child in encoder.children.get(side, ())
            }
            if any(
                domain_size(item.type) == float("inf")
                for item in left.type.fields
                if item.name not in asked
            ):
                return TRUE
        if left.type == BOOL:
            return -self.circuit.equal(
                self.circuit.atom(Truth(left)), self.circuit.atom(Truth(right))
            )
        if left.type in NUMBERS:
            return -encoder.equal(Number(0, ((left, 1),)), Number(0, ((right, 1),)))
        return -encoder.same(left, right)


def _may_be_equal(left: Place, right: Place) -> bool:
    if left is right:
        return True
    if left.entity is not None and right.entity is not None:
        return left.entity == right.entity
    if isinstance(left.type, EntityType) and isinstance(right.type, EntityType):
        return bool(left.type.types & right.type.types)
    return left.type == right.type


def _components(neighbours: Mapping[Place, set[Place]]) -> Iterator[list[Place]]:
    seen: set[Place] = set()
    for start in neighbours:
        if start not in seen:
            group, stack = [], [start]
            while stack:
                place = stack.pop()
                if place not in seen:
                    seen.add(place)
                    group.append(place)
                    stack.extend(neighbours[place])
            yield sorted(group, key=lambda place: place.path)


def _halves(network: IPv4Network | IPv6Network) -> list[IpRange]:
    if network.prefixlen == network.max_prefixlen:
        return []
    return list(network.subnets())
