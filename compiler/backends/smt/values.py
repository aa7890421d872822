"""Symbolic values: what a term can be when the request and the store are still open, as guarded alternatives.

A `Place` stands for a value that may be chosen freely; atoms ask Boolean questions about places. A value that is not
a truth is a `Choice`: alternatives under guards of which exactly one holds.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from math import inf

from ....lang import typesystem
from ....lang.scalars import IpRange
from ....lang.typesystem import BOOL, DECIMAL, DURATION, INSTANT, INT, EnumType, Type
from ....lang.values import EntityId, EnumValue
from .circuit import FALSE, TRUE


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A value open to choice: `path` names it in the reader's words; one that stands for a literal has its `entity`."""

    path: str
    type: Type
    parent: "Place | None" = None
    name: str = ""
    entity: EntityId | None = None

    def __repr__(self) -> str:
        return self.path


# The questions


@dataclass(frozen=True, slots=True)
class Truth:
    """The place is true."""

    place: Place


@dataclass(frozen=True, slots=True)
class Present:
    """The optional value is there."""

    place: Place


@dataclass(frozen=True, slots=True)
class Is:
    """The place has this of finitely many tags: a member of its enum, its entity type, its action."""

    place: Place
    tag: str


@dataclass(frozen=True, slots=True)
class Glob:
    """The text matches the pattern; one piece is equality."""

    place: Place
    pattern: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """Two texts are equal."""

    left: Place
    right: Place


@dataclass(frozen=True, slots=True)
class AtMost:
    """The number is at most `limit`, in the smallest units of its type."""

    place: Place
    limit: int


@dataclass(frozen=True, slots=True)
class Linear:
    """The weighted numbers, and weights of literals that hold, add up to at most `limit`."""

    terms: tuple[tuple["Place | int", int], ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Inside:
    """The entity is below the other, or is the other."""

    place: Place
    ancestor: Place


@dataclass(frozen=True, slots=True)
class Slot:
    """The set has an element in its slot of this number; in the one after its last, whether it has more than slots."""

    place: Place
    index: int


@dataclass(frozen=True, slots=True)
class Within:
    """The block of addresses is part of the network."""

    place: Place
    network: IpRange


@dataclass(frozen=True, slots=True)
class Exactly:
    """The block of addresses is the network."""

    place: Place
    network: IpRange


@dataclass(frozen=True, slots=True)
class PartOf:
    """The block of addresses is part of another one, which is open too."""

    place: Place
    whole: Place


@dataclass(frozen=True, slots=True)
class Covers:
    """The block of addresses has a part that is written out."""

    place: Place
    network: IpRange


@dataclass(frozen=True, slots=True)
class Unknown:
    """A condition outside the encoding, which may be either way."""

    key: Hashable
    why: str = field(compare=False)


Atom = (
    Truth | Present | Is | Glob | Same | AtMost | Linear | Inside | Slot | Within | Exactly | PartOf | Covers
    | Unknown
)  # fmt: skip


# Values


@dataclass(frozen=True, slots=True)
class Formula:
    """A truth value."""

    literal: int


@dataclass(frozen=True, slots=True)
class Number:
    """`constant` and weighted places and literals; `counted` are the sets whose elements the literals count."""

    constant: int
    terms: tuple[tuple[Place | int, int], ...] = ()
    counted: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class RecordValue:
    """By field: whether it is there, and its value."""

    fields: tuple[tuple[str, int, "Choice"], ...]


@dataclass(frozen=True, slots=True)
class SetValue:
    """Each value is an element under its guard. `distinct` says that no two that are there can be equal."""

    elements: tuple[tuple[int, "Choice"], ...]
    sources: frozenset[Place] = frozenset()
    """The sets open to choice that the elements come from."""
    distinct: bool = False
    drawn: bool = False
    """Whether each element comes from a source, or is made of one; none is written out."""
    more: int = FALSE
    """Whether there are elements beside these, of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Contains:
    """The set has an element that is written out."""

    place: Place
    element: "str | EnumValue | EntityId | Number"


Base = Formula | Number | RecordValue | SetValue | Place | str | EnumValue | EntityId | IpRange
Choice = tuple[tuple[int, Base], ...]
"""Alternatives under guards; where the value can be read at all, exactly one guard holds."""


def only(base: Base) -> Choice:
    return ((TRUE, base),)


NUMBERS = frozenset({INT, DECIMAL, DURATION, INSTANT})
_UNBOUNDED = inf


def number(
    constant: int,
    terms: Iterable[tuple[Place | int, int]] = (),
    counted: Iterable[Place] = (),
) -> Number:
    """A number with every place once and no weight of zero."""
    weights: dict[Place | int, int] = {}
    for item, weight in terms:
        weights[item] = weights.get(item, 0) + weight
    kept = tuple((item, weight) for item, weight in weights.items() if weight)
    return Number(constant, kept, frozenset(counted))


def domain_size(type: Type) -> float:
    """How many values a type has."""
    match type:
        case typesystem.Primitive():
            return 2 if type == BOOL else _UNBOUNDED
        case EnumType(_, members, _):
            return len(members)
        case typesystem.RecordOf(fields):
            size = 1.0
            for item in fields:
                size *= domain_size(item.type) + item.optional
            return size
        case typesystem.SetOf(element):
            size = domain_size(element)
            return 2.0**size if size < 1000 else _UNBOUNDED
        case _:
            return _UNBOUNDED
