"""The plainest value of each type, for what a schema asks for and nobody reads."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import assert_never

from .typesystem import (
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
from .values import Decimal, Duration, EntityId, EnumValue, Instant, Record, Value

ANY = "any"
"""The id of an entity about which nothing matters."""


def plain_value(type: Type) -> Value:
    """Zero, nothing, the first of several; an entity is any of its type."""
    match type:
        case EntityType(types=types):
            return EntityId(min(types), ANY)
        case EnumType(name=name, members=members):
            return EnumValue(name, members[0], 0)
        case SetOf():
            return frozenset()
        case RecordOf(fields=fields):
            return whole_record(fields, Record())
        case Optional(type=inner):
            return plain_value(inner)
        case Primitive(name=name):
            return _PRIMITIVES[name]
        case _:
            assert_never(type)


def whole_record(fields: Iterable[RecordField], record: Record) -> Record:
    """The record, also inside, with a plain value for each field that it must have and lacks."""
    found: dict[str, Value] = dict(record)
    for field in fields:
        if field.name in found:
            found[field.name] = _whole(field.type, found[field.name])
        elif not field.optional:
            found[field.name] = plain_value(field.type)
    return Record(found)


def _whole(type: Type, value: Value) -> Value:
    match type:
        case RecordOf(fields=fields) if isinstance(value, Record):
            return whole_record(fields, value)
        case SetOf(element=element) if isinstance(value, frozenset):
            return frozenset(_whole(element, item) for item in value)
        case _:
            return value


_PRIMITIVES: Mapping[str, Value] = {
    BOOL.name: False,
    INT.name: 0,
    DECIMAL.name: Decimal(0),
    STRING.name: "",
    INSTANT.name: Instant(0),
    DURATION.name: Duration(0),
    IP_RANGE.name: IPv4Network("127.0.0.1/32"),
}
