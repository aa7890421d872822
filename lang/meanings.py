"""What a node means beyond its syntax: side tables that the checker fills and everything after it reads."""

from dataclasses import dataclass, field

from . import syntax
from .typesystem import Type
from .values import Value


@dataclass(frozen=True, slots=True)
class Bound:
    """A name that stands for a parameter or for an element of a set."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A node that stands for a value: an enum member, a literal of a function, an entity."""

    value: Value


@dataclass(frozen=True, slots=True)
class Actions:
    """A name of an action or of a group, as the actions it stands for."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReadAttribute:
    optional: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """Which of its meanings an operator or `sum` has, by the `reading` of its signature; `size` for a property."""

    name: str


@dataclass(frozen=True, slots=True)
class EmptySet:
    pass


@dataclass(frozen=True, slots=True)
class Defined:
    """A call of a `define`."""

    declaration: syntax.Define = field(compare=False)
    name: str


@dataclass(frozen=True, slots=True)
class EntityTypes:
    """The concrete types that the type named after `is` stands for."""

    types: frozenset[str]


Meaning = Bound | Constant | Actions | ReadAttribute | Reading | EmptySet | Defined | EntityTypes


@dataclass(slots=True)
class Tables:
    """Facts about nodes by the identity of the node; the syntax tree must stay alive with them."""

    types: dict[int, Type] = field(default_factory=dict)
    meanings: dict[int, Meaning] = field(default_factory=dict)
    unread: dict[int, syntax.Expression] = field(default_factory=dict)
    """What no request reaches, since the guards before it contradict each other; it has no type."""
