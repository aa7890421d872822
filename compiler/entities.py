"""The entities a decision reads: attributes and hierarchy, checked against the schema when they come in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..lang.values import EntityId, Record
from .documents import why_missing


@dataclass(frozen=True, slots=True)
class EntityData:
    """What is known of one entity; `ancestors` holds everything it is in, at any distance, without itself."""

    attributes: Record
    ancestors: frozenset[EntityId]


@dataclass(frozen=True, slots=True)
class Entities:
    """A store of entities. One that does not fit the schema is in `invalid` with the reason and is never read."""

    known: Mapping[EntityId, EntityData] = field(default_factory=dict)
    invalid: Mapping[EntityId, str] = field(default_factory=dict)

    def why_missing(self, entity: EntityId) -> str:
        """The reason for which an entity cannot be read, in words."""
        return why_missing(entity, self.invalid)


NO_ENTITIES = Entities()
