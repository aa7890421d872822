"""A counterexample with all that the schema asks for: what does not matter gets the plainest value of its type."""

from ...lang.plain import whole_record
from ...lang.schema import Schema
from ...lang.values import EntityId, Record


def whole_entity(schema: Schema, entity: EntityId, attributes: Record) -> Record:
    """The attributes of an entity, and a plain value for each that it must have and nobody reads."""
    return whole_record(schema.entities[entity.type].attributes.values(), attributes)


def whole_context(schema: Schema, action: str, context: Record) -> Record:
    return whole_record(schema.actions[action].context.fields, context)
