"""What can stand after the dot of a value, and several types of one expression as one."""

from collections.abc import Iterable

from ..lang.schema import Schema
from ..lang.typesystem import (
    EntityType,
    Optional,
    RecordField,
    RecordOf,
    Type,
    entity_type,
    present,
)


def attributes_named(schema: Schema, types: Iterable[Type], name: str) -> list[RecordField]:
    found: list[RecordField] = []
    for type in types:
        match present(type):
            case RecordOf() as record:
                item = record.field(name)
                if item is not None:
                    found.append(item)
            case EntityType(concrete):
                for one in sorted(concrete):
                    entity = schema.entities.get(one)
                    if entity is not None and name in entity.attributes:
                        found.append(entity.attributes[name])
            case _:
                pass
    return found


def attributes_of(schema: Schema, type: Type) -> list[RecordField]:
    """What can stand after the dot on every value of a type."""
    match present(type):
        case RecordOf(fields):
            return list(fields)
        case EntityType(concrete):
            tables = [
                schema.entities[one].attributes
                for one in sorted(concrete)
                if one in schema.entities
            ]
            if not tables:
                return []
            return [
                found for name, found in tables[0].items() if all(name in table for table in tables)
            ]
        case _:
            return []


def joined(types: Iterable[Type]) -> Type | None:
    """Several types of one expression as one, for showing."""
    found = list(dict.fromkeys(types))
    if not found:
        return None
    entities = [present(type) for type in found]
    if len(found) > 1 and all(isinstance(type, EntityType) for type in entities):
        names = frozenset(
            name for type in entities if isinstance(type, EntityType) for name in type.types
        )
        both: Type = entity_type(names)
        return Optional(both) if any(isinstance(type, Optional) for type in found) else both
    return found[0]
