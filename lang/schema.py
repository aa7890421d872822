"""The world a policy set speaks about: enums, entities with their hierarchy, actions with their groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .source import NOWHERE, Span
from .syntax import Assignment
from .typesystem import EnumType, RecordField, RecordOf


@dataclass(frozen=True, slots=True)
class Attribute(RecordField):
    """An attribute of an entity; the abstract entity it is inherited from may have declared it."""

    doc: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EntityDeclaration:
    """An entity type; everything inherited is already in `attributes` and `parents`."""

    name: str
    abstract: bool
    attributes: Mapping[str, Attribute]
    concrete: frozenset[str]
    """The concrete types it stands for: itself, or every concrete type below an abstract one."""
    parents: frozenset[str]
    """Concrete types an entity of this type may directly be in."""
    doc: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ActionDeclaration:
    """An action: who may ask for it, on what, and what the request must say beside."""

    name: str
    groups: frozenset[str]
    """Every group it is in, directly or through other groups."""
    principals: frozenset[str]
    resources: frozenset[str]
    context: RecordOf
    effects: tuple[Assignment, ...] = ()
    doc: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Environment:
    """One kind of request: a principal type, an action and a resource type that fit together."""

    principal: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.principal} {self.action} {self.resource}"


@dataclass(frozen=True, eq=False)
class Schema:
    """Every declaration of a policy set by name."""

    enums: Mapping[str, EnumType]
    entities: Mapping[str, EntityDeclaration]
    actions: Mapping[str, ActionDeclaration]
    groups: Mapping[str, frozenset[str]]
    """Group → the actions in it, directly or through other groups."""

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """Concrete type → the types its entities can be in, itself included since `in` is reflexive."""
        result = {}
        for name in self.entities:
            seen: set[str] = set()
            frontier = [name]
            while frontier:
                current = frontier.pop()
                if current not in seen:
                    seen.add(current)
                    frontier.extend(self.entities[current].parents)
            result[name] = frozenset(seen)
        return result

    @cached_property
    def concrete(self) -> frozenset[str]:
        """Every type that an entity can have."""
        return frozenset(name for name, entity in self.entities.items() if not entity.abstract)

    @cached_property
    def called(self) -> Mapping[frozenset[str], str]:
        """Concrete types → the entity type that stands for just these."""
        result: dict[frozenset[str], str] = {}
        for name, entity in self.entities.items():
            if entity.abstract or len(entity.concrete) == 1:
                result.setdefault(entity.concrete, name)
        return result

    def environments(self) -> Iterator[Environment]:
        """Every kind of request, in a stable order."""
        for name, action in sorted(self.actions.items()):
            for principal in sorted(action.principals):
                for resource in sorted(action.resources):
                    yield Environment(principal, name, resource)

    def can_be_in(self, types: frozenset[str], others: frozenset[str]) -> bool:
        """Whether an entity of one of `types` can be in an entity of one of `others`."""
        return any(self.ancestors[name] & others for name in types if name in self.entities)

    def attribute(self, types: frozenset[str], name: str) -> list[Attribute | None]:
        """The attribute on each of the types, `None` where a type lacks it."""
        return [self.entities[type].attributes.get(name) for type in sorted(types)]


EMPTY_SCHEMA = Schema({}, {}, {}, {})
