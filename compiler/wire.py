"""JSON from outside to requests and entities with exact values, for the reference evaluator."""

from ..lang.schema import Schema
from ..lang.typesystem import Type
from ..lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value
from . import documents
from .decision import Request
from .documents import (
    MAX_DOCUMENT_BYTES,
    Described,
    Json,
    Make,
    Misfit,
    close_hierarchy,
    decode,
)
from .entities import Entities, EntityData
from .shapes import shape_of, world_of

__all__ = ["MAX_DOCUMENT_BYTES", "Misfit", "decode"]

VALUES = Make(Decimal, Instant, Duration, lambda found: found, EnumValue, Record, EntityId)


def read_request(schema: Schema, document: Json) -> Request:
    """`{"principal", "action", "resource", "context"}` as a request of the schema, or `Misfit`."""
    return Request(*documents.read_request(world_of(schema), VALUES, document))


def missing_entities(request: Request, entities: Entities) -> list[str]:
    """Why the principal or the resource of a request cannot be read; empty when both can."""
    return [
        entities.why_missing(entity)
        for entity in (request.principal, request.resource)
        if entity not in entities.known
    ]


def read_entities(schema: Schema, document: Json) -> Entities:
    """`[{"uid", "attrs", "parents"}, …]` as a store; raises `Misfit` only where no entity can be told apart.

    An entity that does not fit is kept as invalid with the reason, so that whatever reads it denies.
    """
    return build_entities(schema, documents.read_entities(world_of(schema), VALUES, document))


def build_entities(schema: Schema, described: Described) -> Entities:
    """Closes the hierarchy over entities that were described."""
    ancestors, wrong = close_hierarchy(world_of(schema), described)
    known = {
        entity: EntityData(described.attributes[entity], ancestors[entity])
        for entity in described.attributes
        if entity not in wrong
    }
    return Entities(known, wrong)


def read_value(schema: Schema, type: Type, document: Json, path: str) -> Value:
    """A JSON value as a value of exactly this type, or `Misfit`."""
    value: Value = documents.read_value(VALUES, shape_of(type), document, path)
    return value
