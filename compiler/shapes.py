"""A schema as the plain data that `documents.py` reads documents against."""

from typing import assert_never
from weakref import WeakKeyDictionary

from ..lang.schema import Schema
from ..lang.typesystem import (
    EntityType,
    EnumType,
    Optional,
    Primitive,
    RecordOf,
    SetOf,
    Type,
)
from .documents import ActionShape, EntityShape, Shape, World


def world_of(schema: Schema) -> World:
    """Everything of a schema that documents must fit; made once for each schema object."""
    found = _WORLDS.get(schema)
    if found is None:
        found = _WORLDS[schema] = _world(schema)
    return found


_WORLDS: WeakKeyDictionary[Schema, World] = WeakKeyDictionary()


def _world(schema: Schema) -> World:
    return World(
        {
            name: EntityShape(
                entity.abstract,
                shape_of(RecordOf(tuple(entity.attributes.values()))),
                entity.parents,
            )
            for name, entity in schema.entities.items()
        },
        {
            name: ActionShape(action.principals, action.resources, shape_of(action.context))
            for name, action in schema.actions.items()
        },
    )


def shape_of(type: Type) -> Shape:
    """A type as plain data."""
    match type:
        case Primitive(name):
            return (name, name)
        case EnumType(name, members):
            return ("Enum", name, members)
        case EntityType(types):
            return ("Entity", str(type), types)
        case SetOf(element):
            return ("Set", str(type), shape_of(element))
        case RecordOf(fields):
            return (
                "Record",
                str(type),
                {field.name: (shape_of(field.type), field.optional) for field in fields},
            )
        case Optional(inner):
            return shape_of(inner)
        case _:
            assert_never(type)
