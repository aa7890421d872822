"""A request and its entities as JSON that `interlock eval` reads; what nobody reads gets the plainest value."""

from collections.abc import Mapping
from typing import Any

from ..compiler.decision import Request
from ..compiler.entities import Entities
from ..lang.plain import whole_record
from ..lang.schema import Schema
from ..lang.values import EntityId, EnumValue, Record, Value


def situation_document(
    schema: Schema,
    request: Request,
    entities: Entities,
    parents: Mapping[EntityId, frozenset[EntityId]],
) -> dict[str, Any]:
    context = whole_record(schema.actions[request.action].context.fields, request.context)
    return {
        "request": {
            "principal": _uid(request.principal),
            "action": {"type": "Action", "id": request.action},
            "resource": _uid(request.resource),
            "context": plain(context),
        },
        "entities": [
            {
                "uid": _uid(entity),
                "attrs": plain(_whole(schema, entity, data.attributes)),
                "parents": [_uid(parent) for parent in sorted(parents.get(entity, ()))],
            }
            for entity, data in entities.known.items()
        ],
    }


def plain(value: Value) -> Any:
    """A value as `interlock eval` reads it."""
    match value:
        case Record():
            return {name: plain(item) for name, item in value.items()}
        case frozenset():
            return sorted((plain(item) for item in value), key=repr)
        case EntityId():
            return _uid(value)
        case EnumValue():
            return value.name
        case bool() | int() | str():
            return value
        case _:
            return str(value)


def _whole(schema: Schema, entity: EntityId, attributes: Record) -> Record:
    return whole_record(schema.entities[entity.type].attributes.values(), attributes)


def _uid(entity: EntityId) -> dict[str, str]:
    return {"type": entity.type, "id": entity.id}
