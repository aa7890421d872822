"""A counterexample with all that the schema asks for: what does not matter gets the plainest value of its type."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import assert_never

from ...lang.schema import Schema
from ...lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    STRING,
    EntityType,
    EnumType,
    Optional,
    Primitive,
    RecordField,
    RecordOf,
    SetOf,
    Type,
)
from ...lang.values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value

ANY = "any"
"""The id of an entity about which nothing matters."""


def whole_entity(schema: Schema, entity: EntityId, attributes: Record) -> Record:
    """The attributes of an entity, and a plain value for each that it must have and nobody reads."""
    return _whole_record(schema.entities[entity.type].attributes.values(), attributes)


def whole_context(schema: Schema, action: str, context: Record) -> Record:
    return _whole_record(schema.actions[action].context.fields, context)


def _whole_record(fields: Iterable[RecordField], record: Record) -> Record:
    found: dict[str, Value] = dict(record)
    for field in fields:
        if field.name in found:
            found[field.name] = _whole(field.type, found[field.name])
        elif not field.optional:
            found[field.name] = _plain(field.type)
    return Record(found)


def _whole(type: Type, value: Value) -> Value:
    match type:
        case RecordOf(fields=fields) if isinstance(value, Record):
            return _whole_record(fields, value)
        case SetOf(element=element) if isinstance(value, frozenset):
            return frozenset(_whole(element, item) for item in value)
        case _:
            return value


def _plain(type: Type) -> Value:
    match type:
        case EntityType(types=types):
            return EntityId(min(types), ANY)
        case EnumType(name=name, members=members):
            return EnumValue(name, members[0], 0)
        case SetOf():
            return frozenset()
        case RecordOf(fields=fields):
            return _whole_record(fields, Record())
        case Optional(type=inner):
            return _plain(inner)
        case Primitive(name=name):
            return _PRIMITIVES[name]
        case _:
            assert_never(type)


_PRIMITIVES: Mapping[str, Value] = {
    BOOL.name: False,
    INT.name: 0,
    DECIMAL.name: Decimal(0),
    STRING.name: "",
    INSTANT.name: Instant(0),
    DURATION.name: Duration(0),
    IP_RANGE.name: IPv4Network("0.0.0.0/32"),
}
