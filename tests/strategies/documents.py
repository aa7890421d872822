"""Requests and entities as JSON, right ones and damaged ones."""

from functools import lru_cache

from hypothesis import strategies as st

from interlock.lang.typesystem import (
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
    RecordOf,
    SetOf,
    Type,
)
from interlock.lang.values import Decimal, Duration

from .common import DECIMALS, DURATIONS, IDS, INSTANTS, INTEGERS, RANGES, STRINGS, Json
from .worlds import World


@st.composite
def requests(draw: st.DrawFn, world: World) -> Json:
    """A request that fits the schema; `reject`s where the schema admits none."""
    environments = list(world.schema.environments())
    environment = draw(st.sampled_from(environments)) if environments else None
    if environment is None:
        return {}
    context = world.schema.actions[environment.action].context
    return {
        "principal": {"type": environment.principal, "id": draw(st.sampled_from(IDS))},
        "action": {"type": "Action", "id": environment.action},
        "resource": {"type": environment.resource, "id": draw(st.sampled_from(IDS))},
        "context": draw(json_values(context)),
    }


@st.composite
def stores(draw: st.DrawFn, world: World) -> list[Json]:
    """Every entity that a policy or a request can name, each as the schema wants it."""
    schema = world.schema
    names = [name for name, item in schema.entities.items() if not item.abstract]
    entities = [(name, identifier) for identifier in IDS for name in names]
    found = []
    for number, (name, identifier) in enumerate(entities):
        declaration = schema.entities[name]
        # An entity is only in one further down the list, so that none is in itself.
        above = [item for item in entities[number + 1 :] if item[0] in declaration.parents]
        parents = draw(st.lists(st.sampled_from(above), max_size=2, unique=True)) if above else []
        attributes = RecordOf(tuple(declaration.attributes.values()))
        found.append(
            {
                "uid": {"type": name, "id": identifier},
                "attrs": draw(json_values(attributes)),
                "parents": [{"type": type, "id": id} for type, id in parents],
            }
        )
    return found


@st.composite
def partial_stores(draw: st.DrawFn, world: World) -> list[Json]:
    """Like `stores`, with entities missing, and others that do not fit the schema."""
    found = []
    for item in draw(stores(world)):
        fate = draw(st.sampled_from(("whole", "whole", "missing", "broken")))
        if fate != "missing":
            parts = {"attrs": item["attrs"], "parents": item["parents"]}
            found.append(
                item if fate == "whole" else {"uid": item["uid"], **draw(_broken_parts(parts))}
            )
    return found


def _broken_parts(parts: Json) -> st.SearchStrategy[Json]:
    return broken(parts).filter(lambda found: isinstance(found, dict) and set(found) <= set(parts))


JUNK: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    "",
    "𝄞",
    "\ud800",
    [],
    [[]],
    {},
    {"a": None},
    1.5,
)


@st.composite
def broken(draw: st.DrawFn, document: Json) -> Json:
    """The document with one thing wrong or gone somewhere; it may fit all the same."""
    if isinstance(document, dict) and document and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(document)))
        match draw(st.sampled_from(("inside", "inside", "remove", "unknown"))):
            case "inside":
                return {**document, name: draw(broken(document[name]))}
            case "remove":
                return {key: value for key, value in document.items() if key != name}
            case _:
                return {**document, name + "s": document[name]}
    if isinstance(document, list) and document and draw(st.integers(0, 3)):
        number = draw(st.integers(0, len(document) - 1))
        return [*document[:number], draw(broken(document[number])), *document[number + 1 :]]
    return draw(st.sampled_from(JUNK))


@lru_cache(256)
def json_values(type: Type) -> st.SearchStrategy[Json]:
    """A JSON value of exactly this type."""
    match type:
        case EnumType(members=members):
            return st.sampled_from(members)
        case EntityType(types):
            names = st.sampled_from(sorted(types)) if types else st.nothing()
            return st.builds(lambda name, id: {"type": name, "id": id}, names, st.sampled_from(IDS))
        case SetOf(element):
            return st.lists(json_values(element), max_size=3)
        case RecordOf(fields):
            needed = {item.name: json_values(item.type) for item in fields if not item.optional}
            others = {item.name: json_values(item.type) for item in fields if item.optional}
            return st.fixed_dictionaries(needed, optional=others)
        case Optional(inner):
            return json_values(inner)
        case Primitive():
            return _PRIMITIVES[type]


_PRIMITIVES: dict[Primitive, st.SearchStrategy[Json]] = {
    BOOL: st.booleans(),
    INT: st.sampled_from((*INTEGERS, -1, -100)),
    DECIMAL: st.sampled_from(tuple(map(str, (*DECIMALS, Decimal(-5_000))))),
    STRING: st.sampled_from(STRINGS),
    INSTANT: st.sampled_from(INSTANTS),
    DURATION: st.sampled_from(tuple(map(str, (*DURATIONS, Duration(-1))))),
    IP_RANGE: st.sampled_from(RANGES),
}
"""How each primitive type is written in JSON, from the constants that policies use too."""
