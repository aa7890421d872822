"""JSON from outside to requests and entities. What does not fit the schema exactly is a problem, never a guess."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..lang.diagnostics import did_you_mean
from ..lang.schema import EntityDeclaration, Schema
from ..lang.typesystem import (
    BOOL,
    DECIMAL,
    DURATION,
    INSTANT,
    INT,
    IP_RANGE,
    STRING,
    EntityType,
    EnumType,
    RecordField,
    RecordOf,
    SetOf,
    Type,
)
from ..lang.values import (
    Decimal,
    Duration,
    EntityId,
    EnumValue,
    Instant,
    Record,
    Value,
    parse_ip_range,
)
from .decision import Request
from .entities import Entities, EntityData

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 100
MAX_TEXT_CHARACTERS = 1024 * 1024
MAX_ELEMENTS = 100_000
MAX_INTEGER_DIGITS = 1_000

Json = Any


class Misfit(Exception):
    """Why a document does not fit; `path` leads to the place, such as `context.change.rows`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)


@dataclass(frozen=True, slots=True)
class _Fraction:
    """A JSON number with a fraction or an exponent, as it was written."""

    text: str


def decode(text: str | bytes) -> Json:
    """A JSON document, or `Misfit` with the line. Duplicate keys, `NaN` and excessive size or depth are refused."""
    if len(text) > MAX_DOCUMENT_BYTES:
        raise Misfit("", f"the document has more than {MAX_DOCUMENT_BYTES:,} bytes")
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            decoded,
            object_pairs_hook=_unique,
            parse_float=_Fraction,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        raise Misfit("", "this is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise Misfit("", message) from None
    except RecursionError:
        raise Misfit("", f"this is nested deeper than {MAX_DEPTH} levels") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Misfit("", f"the key `{twice}` stands twice in one object")
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise Misfit("", f"a number has more than {MAX_INTEGER_DIGITS:,} digits")
    return int(text)


def _refuse_constant(text: str) -> Json:
    raise Misfit("", f"`{text}` is not JSON")


# Requests


def read_request(schema: Schema, document: Json) -> Request:
    """`{"principal", "action", "resource", "context"}` as a request of the schema, or `Misfit`."""
    fields = _object(document, "request", {"principal", "action", "resource"}, {"context"})
    principal = read_entity_id(fields["principal"], "principal")
    action = read_entity_id(fields["action"], "action")
    resource = read_entity_id(fields["resource"], "resource")
    if action.type != "Action":
        raise Misfit("action", f"the type of an action is `Action`, not `{action.type}`")
    declaration = schema.actions.get(action.id)
    if declaration is None:
        raise Misfit("action", _unknown("action", action.id, schema.actions))
    for path, entity, admitted in (
        ("principal", principal, declaration.principals),
        ("resource", resource, declaration.resources),
    ):
        if entity.type not in admitted:
            if entity.type not in schema.entities:
                raise Misfit(path, _unknown("entity type", entity.type, schema.entities))
            wanted = " or ".join(f"`{name}`" for name in sorted(admitted))
            raise Misfit(path, f"`{action.id}` takes {wanted} here, not `{entity.type}`")
    context = _record(schema, declaration.context, fields.get("context", {}), "context", 0)
    return Request(principal, action.id, resource, context)


def missing_entities(request: Request, entities: Entities) -> list[str]:
    """Why the principal or the resource of a request cannot be read; empty when both can."""
    return [
        entities.why_missing(entity)
        for entity in (request.principal, request.resource)
        if entity not in entities.known
    ]


def read_entity_id(document: Json, path: str) -> EntityId:
    """`{"type": …, "id": …}`, or the same inside `{"__entity": …}`."""
    if isinstance(document, dict) and set(document) == {"__entity"}:
        document = document["__entity"]
    fields = _object(document, path, {"type", "id"}, set())
    for name in ("type", "id"):
        if not isinstance(fields[name], str):
            raise Misfit(f"{path}.{name}", "a text is needed here")
        _check_text(fields[name], f"{path}.{name}")
    return EntityId(fields["type"], fields["id"])


# Entities


def read_entities(schema: Schema, document: Json) -> Entities:
    """`[{"uid", "attrs", "parents"}, …]` as a store; raises `Misfit` only where no entity can be told apart.

    An entity that does not fit is kept as invalid with the reason, so that whatever reads it denies.
    """
    if not isinstance(document, list):
        raise Misfit("entities", f"a list is needed here, not {_kind(document)}")
    attributes: dict[EntityId, Record] = {}
    parents: dict[EntityId, frozenset[EntityId]] = {}
    invalid: dict[EntityId, str] = {}
    for number, item in enumerate(document):
        path = f"entities[{number}]"
        fields = _object(item, path, {"uid"}, {"attrs", "parents"})
        entity = read_entity_id(fields["uid"], f"{path}.uid")
        if entity in attributes or entity in invalid:
            invalid[entity] = "it is described twice"
            continue
        try:
            declaration = _declaration(schema, entity)
            own = RecordOf(tuple(declaration.attributes.values()))
            attributes[entity] = _record(schema, own, fields.get("attrs", {}), "attrs", 0)
            parents[entity] = _parents(declaration, fields.get("parents", []))
        except Misfit as misfit:
            invalid[entity] = str(misfit)
            attributes.pop(entity, None)
    return build_entities(schema, attributes, parents, invalid)


def build_entities(
    schema: Schema,
    attributes: Mapping[EntityId, Record],
    parents: Mapping[EntityId, frozenset[EntityId]],
    invalid: Mapping[EntityId, str],
) -> Entities:
    """Closes the hierarchy. An entity in a cycle, or below one that cannot be read, is invalid itself."""
    wrong = dict(invalid)
    ancestors: dict[EntityId, frozenset[EntityId]] = {}
    for start in attributes:
        path: list[EntityId] = [start]
        while path:
            entity = path[-1]
            if entity in ancestors or entity in wrong:
                path.pop()
                continue
            above = parents.get(entity, frozenset())
            waiting = [
                item
                for item in above
                if item in attributes and item not in ancestors and item not in wrong
            ]
            cyclic = [item for item in waiting if item in path]
            if cyclic:
                wrong[entity] = f"it is in itself, through {cyclic[0]}"
            elif waiting:
                path.append(waiting[0])
                continue
            else:
                reason = next(
                    (
                        reason
                        for item in sorted(above)
                        if (reason := _unreadable(schema, item, attributes, wrong))
                    ),
                    None,
                )
                if reason:
                    wrong[entity] = reason
                else:
                    ancestors[entity] = above.union(*(ancestors.get(item, ()) for item in above))
            path.pop()
    known = {
        entity: EntityData(record, ancestors[entity])
        for entity, record in attributes.items()
        if entity not in wrong
    }
    return Entities(known, wrong)


def _unreadable(
    schema: Schema,
    parent: EntityId,
    attributes: Mapping[EntityId, Record],
    wrong: Mapping[EntityId, str],
) -> str | None:
    """Why what a parent is in cannot be known; an absent parent of a type that is in nothing hides nothing."""
    if parent in wrong:
        return f"it is in {parent}, and that does not fit the schema: {wrong[parent]}"
    if parent not in attributes and schema.entities[parent.type].parents:
        return f"it is in {parent}, and that is missing"
    return None


def _declaration(schema: Schema, entity: EntityId) -> EntityDeclaration:
    declaration = schema.entities.get(entity.type)
    if declaration is None:
        raise Misfit("uid", _unknown("entity type", entity.type, schema.entities))
    if declaration.abstract:
        raise Misfit("uid", f"`{entity.type}` is abstract")
    return declaration


def _parents(declaration: EntityDeclaration, document: Json) -> frozenset[EntityId]:
    if not isinstance(document, list):
        raise Misfit("parents", f"a list is needed here, not {_kind(document)}")
    found = set()
    for number, item in enumerate(document):
        parent = read_entity_id(item, f"parents[{number}]")
        if parent.type not in declaration.parents:
            message = f"a `{declaration.name}` is never in a `{parent.type}`"
            raise Misfit(f"parents[{number}]", message)
        found.add(parent)
    return frozenset(found)


# Values


def read_value(schema: Schema, type: Type, document: Json, path: str, depth: int = 0) -> Value:
    """A JSON value as a value of exactly this type, or `Misfit`."""
    if depth > MAX_DEPTH:
        raise Misfit(path, f"this is nested deeper than {MAX_DEPTH} levels")
    if document is None:
        raise Misfit(path, "`null` is not a value; leave out what is absent")
    match type:
        case RecordOf():
            return _record(schema, type, document, path, depth)
        case SetOf(element):
            if not isinstance(document, list):
                raise _wrong(type, document, path)
            if len(document) > MAX_ELEMENTS:
                raise Misfit(path, f"the set has more than {MAX_ELEMENTS:,} elements")
            return frozenset(
                read_value(schema, element, item, f"{path}[{number}]", depth + 1)
                for number, item in enumerate(document)
            )
        case EntityType(types):
            entity = read_entity_id(document, path)
            if entity.type not in types:
                raise Misfit(path, f"a `{type}` is needed here, not `{entity.type}`")
            return entity
        case EnumType(name, members):
            if document not in members:
                if not isinstance(document, str):
                    raise _wrong(type, document, path)
                close = did_you_mean(document, members) or f"one of {', '.join(members)}"
                raise Misfit(path, f"`{_shortened(document)}` is not a member of `{name}`; {close}")
            return EnumValue(name, document, members.index(document))
        case _:
            return _primitive(type, document, path)


def _primitive(type: Type, document: Json, path: str) -> Value:
    found: Value | None = None
    if type == BOOL and isinstance(document, bool):
        return document
    if type == INT and isinstance(document, int) and not isinstance(document, bool):
        return document
    if (
        type == DECIMAL
        and isinstance(document, int | _Fraction | str)
        and not isinstance(document, bool)
    ):
        found = Decimal.parse(document.text if isinstance(document, _Fraction) else str(document))
    elif isinstance(document, str):
        _check_text(document, path)
        if type == STRING:
            return document
        if type == INSTANT:
            found = Instant.parse(document)
        elif type == DURATION:
            found = Duration.parse(document)
        elif type == IP_RANGE:
            found = parse_ip_range(document)
    if found is None:
        raise _wrong(type, document, path)
    return found


def _record(schema: Schema, type: RecordOf, document: Json, path: str, depth: int) -> Record:
    if not isinstance(document, dict):
        raise _wrong(type, document, path)
    known: dict[str, RecordField] = {item.name: item for item in type.fields}
    for name in document:
        if name not in known:
            raise Misfit(f"{path}.{_shortened(name)}", _unknown("field", name, known))
    fields = {}
    for name, item in known.items():
        if name in document:
            fields[name] = read_value(
                schema, item.type, document[name], f"{path}.{name}", depth + 1
            )
        elif not item.optional:
            raise Misfit(f"{path}.{name}", f"this is missing; a `{item.type}` is needed")
    return Record(fields)


def _check_text(text: str, path: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise Misfit(path, f"the text has more than {MAX_TEXT_CHARACTERS:,} characters")


def _object(document: Json, path: str, needed: set[str], allowed: set[str]) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise Misfit(path, f"an object is needed here, not {_kind(document)}")
    for name in sorted(needed - set(document)):
        raise Misfit(f"{path}.{name}", "this is missing")
    for name in document:
        if name not in needed | allowed:
            raise Misfit(f"{path}.{_shortened(name)}", _unknown("field", name, needed | allowed))
    return document


def _unknown(what: str, name: str, known: Mapping[str, object] | set[str]) -> str:
    message = f"there is no {what} `{_shortened(name)}`"
    help_line = did_you_mean(name, set(known))
    return f"{message}; {help_line}" if help_line else message


def _wrong(type: Type, document: Json, path: str) -> Misfit:
    return Misfit(path, f"a `{_shortened(str(type))}` is needed here, not {_kind(document)}")


def _kind(document: Json) -> str:
    match document:
        case bool():
            return f"`{str(document).lower()}`"
        case int():
            return f"the number {_shortened(str(document))}"
        case _Fraction(text):
            return f"the number {_shortened(text)}"
        case str():
            return f"the text {_shortened(json.dumps(document))}"
        case Sequence():
            return "a list"
        case None:
            return "`null`"
        case _:
            return "an object"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
