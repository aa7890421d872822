"""JSON documents to requests and entities, against a schema given as plain data.

What does not fit exactly is a `Misfit` that names the place, never a guess. Imports only `lang/scalars.py` and
`lang/spelling.py`, so that a generated module can carry this file whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..lang.scalars import (
    IpRange,
    quote,
    read_decimal,
    read_duration,
    read_instant,
    read_ip_range,
    write_integer,
)
from ..lang.spelling import did_you_mean

MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 100
MAX_TEXT_CHARACTERS = 1024 * 1024
MAX_ELEMENTS = 100_000
MAX_INTEGER_DIGITS = 1_000

Json = Any
Uid = tuple[str, str]
Shape = tuple[Any, ...]
"""A type as plain data: `(kind, shown)`, and for some kinds a third part.

`Enum`: its members in order · `Entity`: its concrete types · `Set`: the shape of an element ·
`Record`: name → (shape, whether it is optional).
"""


class EntityShape(NamedTuple):
    abstract: bool
    attributes: Shape
    parents: frozenset[str]


class ActionShape(NamedTuple):
    principals: frozenset[str]
    resources: frozenset[str]
    context: Shape


class World(NamedTuple):
    """A schema as plain data."""

    entities: Mapping[str, EntityShape]
    actions: Mapping[str, ActionShape]


class Make(NamedTuple):
    """How the values of each kind are represented."""

    decimal: Callable[[int], Any]
    instant: Callable[[int], Any]
    duration: Callable[[int], Any]
    ip_range: Callable[[IpRange], Any]
    member: Callable[[str, str, int], Any]
    record: Callable[[dict[str, Any]], Any]
    entity: Callable[[str, str], Any]


class Misfit(Exception):
    """Why a document does not fit; the message leads to the place, such as `context.change.rows`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)


class _Fraction(NamedTuple):
    """A JSON number with a fraction or an exponent, as it was written."""

    text: str


# Text


def decode(text: str | bytes) -> Json:
    """A JSON document, or `Misfit` with the line; duplicate keys, `NaN` and excessive size or depth are refused."""
    try:
        return _DECODER.decode(_text(text))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _no_json(error) from None


def decode_items(text: str | bytes) -> Iterator[Json]:
    """The items of a JSON list, one after the other: as `decode`, without room for all of them at once."""
    try:
        yield from _items(_text(text))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _no_json(error) from None


def _text(text: str | bytes) -> str:
    if len(text) > MAX_DOCUMENT_BYTES:
        raise Misfit("", f"the document has more than {MAX_DOCUMENT_BYTES:,} bytes")
    return text.decode("utf-8") if isinstance(text, bytes) else text


def _no_json(error: Exception) -> Misfit:
    match error:
        case UnicodeDecodeError():
            return Misfit("", "this is not UTF-8 text")
        case json.JSONDecodeError():
            place = f"line {error.lineno}, column {error.colno}"
            return Misfit("", f"this is not JSON: {error.msg} ({place})")
        case _:
            return Misfit("", f"this is nested deeper than {MAX_DEPTH} levels")


def _items(text: str) -> Iterator[Json]:
    place = _space(text, 0)
    if text[place : place + 1] != "[":
        raise Misfit("", f"a list is needed here, not {_kind(_DECODER.decode(text))}")
    place = _space(text, place + 1)
    if text[place : place + 1] == "]":
        place += 1
    else:
        separator = ","
        while separator == ",":
            item, place = _DECODER.raw_decode(text, _space(text, place))
            yield item
            place = _space(text, place)
            separator = text[place : place + 1]
            if separator not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            place += 1
    place = _space(text, place)
    if place != len(text):
        raise json.JSONDecodeError("Extra data", text, place)


_SPACE = re.compile(r"[ \t\n\r]*")


def _space(text: str, place: int) -> int:
    """Where the white space at a place ends."""
    found = _SPACE.match(text, place)
    return found.end() if found is not None else place


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Misfit("", f"the key `{shortened(twice)}` stands twice in one object")
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise Misfit("", f"a number has more than {MAX_INTEGER_DIGITS:,} digits")
    return int(text)


def _refuse_constant(text: str) -> Json:
    raise Misfit("", f"`{text}` is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_Fraction,
    parse_int=_integer,
    parse_constant=_refuse_constant,
)


# Requests and entities


def read_request(world: World, make: Make, document: Json) -> tuple[Any, str, Any, Any]:
    """Principal, action, resource and context of a request of the schema, or `Misfit`."""
    fields = _object(document, "request", {"principal", "action", "resource"}, {"context"})
    principal = read_uid(fields["principal"], "principal")
    action = read_uid(fields["action"], "action")
    resource = read_uid(fields["resource"], "resource")
    if action[0] != "Action":
        raise Misfit("action", f"the type of an action is `Action`, not `{shortened(action[0])}`")
    declared = world.actions.get(action[1])
    if declared is None:
        raise Misfit("action", _unknown("action", action[1], world.actions))
    for path, uid, admitted in (
        ("principal", principal, declared.principals),
        ("resource", resource, declared.resources),
    ):
        if uid[0] not in admitted:
            if uid[0] not in world.entities:
                raise Misfit(path, _unknown("entity type", uid[0], world.entities))
            wanted = " or ".join(f"`{name}`" for name in sorted(admitted))
            raise Misfit(path, f"`{action[1]}` takes {wanted} here, not `{uid[0]}`")
    context = read_value(make, declared.context, fields.get("context", {}), "context")
    return make.entity(*principal), action[1], make.entity(*resource), context


def read_uid(document: Json, path: str) -> Uid:
    """`{"type": …, "id": …}`, or the same inside `{"__entity": …}`."""
    if isinstance(document, dict) and set(document) == {"__entity"}:
        document = document["__entity"]
    fields = _object(document, path, {"type", "id"}, set())
    for name in ("type", "id"):
        if not isinstance(fields[name], str):
            raise Misfit(f"{path}.{name}", "a text is needed here")
        _check_text(fields[name], f"{path}.{name}")
    return fields["type"], fields["id"]


class Described(NamedTuple):
    """Entities as documents describe them; what does not fit is in `invalid`, with the reason."""

    attributes: dict[Any, Any]
    parents: dict[Any, frozenset[Any]]
    invalid: dict[Any, str]


def read_entities(world: World, make: Make, documents: Json) -> Described:
    """`[{"uid", "attrs", "parents"}, …]`; `Misfit` only where entities cannot be told apart."""
    if not isinstance(documents, list | Iterator):
        raise Misfit("entities", f"a list is needed here, not {_kind(documents)}")
    described = Described({}, {}, {})
    together: dict[frozenset[Any], frozenset[Any]] = {}
    for number, document in enumerate(documents):
        path = f"entities[{number}]"
        fields = _object(document, path, {"uid"}, {"attrs", "parents"})
        uid = make.entity(*read_uid(fields["uid"], f"{path}.uid"))
        if uid in described.attributes or uid in described.invalid:
            described.attributes.pop(uid, None)
            described.invalid[uid] = "it is described twice"
            continue
        try:
            shape = _entity_shape(world, uid[0])
            record = read_value(make, shape.attributes, fields.get("attrs", {}), "attrs")
            parents = _parents(make, uid[0], shape, fields.get("parents", []))
            described.parents[uid] = together.setdefault(parents, parents)
            described.attributes[uid] = record
        except Misfit as misfit:
            described.invalid[uid] = str(misfit)
    return described


def _nothing(uid: Any) -> None:
    return None


def close_hierarchy(
    world: World,
    described: Described,
    outside: Callable[[Any], frozenset[Any] | None] = _nothing,
) -> tuple[dict[Any, frozenset[Any]], dict[Any, str]]:
    """Everything each entity is in, at any distance, without itself; and why an entity cannot be read.

    An entity in a cycle, or below one that cannot be read, cannot be read itself. `outside` tells what an entity
    that is not described here is in, and `None` for one that nobody knows.
    """
    attributes, parents, wrong = described.attributes, described.parents, dict(described.invalid)
    ancestors: dict[Any, frozenset[Any]] = {}
    shared: dict[frozenset[Any], frozenset[Any]] = {}
    for start in attributes:
        path = [start]
        on_path = {start}
        while path:
            uid = path[-1]
            above = parents.get(uid, frozenset())
            waiting = next(
                (
                    item
                    for item in sorted(above)
                    if item in attributes and item not in ancestors and item not in wrong
                ),
                None,
            )
            if uid in ancestors or uid in wrong:
                pass
            elif waiting is not None and waiting in on_path:
                wrong[uid] = f"it is in itself, through {written(waiting)}"
            elif waiting is not None:
                path.append(waiting)
                on_path.add(waiting)
                continue
            else:
                known = {
                    item: ancestors[item] if item in ancestors else outside(item) for item in above
                }
                reason = _unreadable(world, known, wrong)
                if reason is not None:
                    wrong[uid] = reason
                else:
                    every = above.union(*(found for found in known.values() if found))
                    ancestors[uid] = shared.setdefault(every, every)
            on_path.discard(path.pop())
    return ancestors, wrong


def _unreadable(
    world: World, above: Mapping[Any, frozenset[Any] | None], wrong: Mapping[Any, str]
) -> str | None:
    """Why what an entity is in cannot be known; an absent parent of a type that is in nothing hides nothing."""
    for parent in sorted(above):
        if parent in wrong:
            return f"it is in {written(parent)}, and that does not fit the schema: {wrong[parent]}"
        if above[parent] is None and world.entities[parent[0]].parents:
            return f"it is in {written(parent)}, and that is missing"
    return None


def why_missing(uid: Any, wrong: Mapping[Any, str]) -> str:
    """The reason for which an entity cannot be read, in words."""
    if uid in wrong:
        return f"{written(uid)} does not fit the schema: {wrong[uid]}"
    return f"{written(uid)} is missing"


def written(uid: Any) -> str:
    return f"{uid[0]}::{quote(uid[1])}"


def _entity_shape(world: World, type: str) -> EntityShape:
    shape = world.entities.get(type)
    if shape is None:
        raise Misfit("uid", _unknown("entity type", type, world.entities))
    if shape.abstract:
        raise Misfit("uid", f"`{type}` is abstract")
    return shape


def _parents(make: Make, type: str, shape: EntityShape, document: Json) -> frozenset[Any]:
    if not isinstance(document, list):
        raise Misfit("parents", f"a list is needed here, not {_kind(document)}")
    found = set()
    for number, item in enumerate(document):
        parent = read_uid(item, f"parents[{number}]")
        if parent[0] not in shape.parents:
            message = f"a `{type}` is never in a `{shortened(parent[0])}`"
            raise Misfit(f"parents[{number}]", message)
        found.add(make.entity(*parent))
    return frozenset(found)


# Values


def read_value(make: Make, shape: Shape, document: Json, path: str, depth: int = 0) -> Any:
    """A JSON value as a value of exactly this shape, or `Misfit`."""
    if depth > MAX_DEPTH:
        raise Misfit(path, f"this is nested deeper than {MAX_DEPTH} levels")
    if document is None:
        raise Misfit(path, "`null` is not a value; leave out what is absent")
    kind = shape[0]
    if kind == "Record":
        return _record(make, shape, document, path, depth)
    if kind == "Set":
        if not isinstance(document, list):
            raise _wrong(shape, document, path)
        if len(document) > MAX_ELEMENTS:
            raise Misfit(path, f"the set has more than {MAX_ELEMENTS:,} elements")
        return frozenset(
            read_value(make, shape[2], item, f"{path}[{number}]", depth + 1)
            for number, item in enumerate(document)
        )
    if kind == "Entity":
        uid = read_uid(document, path)
        if uid[0] not in shape[2]:
            raise Misfit(path, f"a `{shape[1]}` is needed here, not `{shortened(uid[0])}`")
        return make.entity(*uid)
    if kind == "Enum":
        return _member(make, shape, document, path)
    return _primitive(make, shape, document, path)


def _member(make: Make, shape: Shape, document: Json, path: str) -> Any:
    _, name, members = shape
    if not isinstance(document, str):
        raise _wrong(shape, document, path)
    if document not in members:
        close = did_you_mean(document, members) or f"one of {', '.join(members)}"
        raise Misfit(path, f"`{shortened(document)}` is not a member of `{name}`; {close}")
    return make.member(name, document, members.index(document))


def _primitive(make: Make, shape: Shape, document: Json, path: str) -> Any:
    kind = shape[0]
    if isinstance(document, bool):
        if kind == "Bool":
            return document
    elif isinstance(document, int):
        if document.bit_length() > 4 * MAX_INTEGER_DIGITS:
            raise Misfit(path, f"the number has more than {MAX_INTEGER_DIGITS:,} digits")
        if kind == "Int":
            return document
        if kind == "Decimal":
            return make.decimal(document * 10_000)
    elif isinstance(document, _Fraction | float):
        text = document.text if isinstance(document, _Fraction) else repr(document)
        units = read_decimal(text) if kind == "Decimal" else None
        if units is not None:
            return make.decimal(units)
    elif isinstance(document, str):
        _check_text(document, path)
        if kind == "String":
            return document
        read = _READERS.get(kind)
        found = read(document) if read is not None else None
        if found is not None:
            build: Callable[[Any], Any] = getattr(make, _MAKERS[kind])
            return build(found)
    raise _wrong(shape, document, path)


_READERS: dict[str, Callable[[str], Any]] = {
    "Decimal": read_decimal,
    "Instant": read_instant,
    "Duration": read_duration,
    "IpRange": read_ip_range,
}
_MAKERS = {
    "Decimal": "decimal",
    "Instant": "instant",
    "Duration": "duration",
    "IpRange": "ip_range",
}


def _record(make: Make, shape: Shape, document: Json, path: str, depth: int) -> Any:
    if not isinstance(document, dict):
        raise _wrong(shape, document, path)
    known: Mapping[str, tuple[Shape, bool]] = shape[2]
    for name in document:
        if name not in known:
            raise Misfit(f"{path}.{shortened(str(name))}", _unknown("field", str(name), known))
    fields = {}
    for name, (inner, optional) in known.items():
        if name in document:
            fields[name] = read_value(make, inner, document[name], f"{path}.{name}", depth + 1)
        elif not optional:
            raise Misfit(f"{path}.{name}", f"this is missing; a `{inner[1]}` is needed")
    return make.record(fields)


# Words


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
            message = _unknown("field", str(name), needed | allowed)
            raise Misfit(f"{path}.{shortened(str(name))}", message)
    return document


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    message = f"there is no {what} `{shortened(name)}`"
    help_line = did_you_mean(name, known)
    return f"{message}; {help_line}" if help_line else message


def _wrong(shape: Shape, document: Json, path: str) -> Misfit:
    return Misfit(path, f"a `{shortened(shape[1])}` is needed here, not {_kind(document)}")


def _kind(document: Json) -> str:
    match document:
        case bool():
            return f"`{str(document).lower()}`"
        case int():
            return f"the number {shortened(write_integer(document))}"
        case _Fraction(text):
            return f"the number {shortened(text)}"
        case float():
            return f"the number {document!r}"
        case str():
            return f"the text {shortened(json.dumps(document))}"
        case list():
            return "a list"
        case None:
            return "`null`"
        case _:
            return "an object"


def shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
