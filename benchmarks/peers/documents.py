"""Entities and requests as plain documents, for the engines that know no entities.

An entity is named `Type::id`. The hierarchy is closed ahead, as Cedar and Interlock do it when a store is built;
the Rego policies of the OOPSLA 2024 paper walk it at every request, and are slower for it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = Any


def name_of(entity: Json) -> str:
    entity = entity.get("__entity", entity)
    return f"{entity['type']}::{entity['id']}"


def is_entity(value: Json) -> bool:
    return isinstance(value, dict) and (set(value) in ({"__entity"}, {"type", "id"}))


def plain(value: Json) -> Json:
    """The same value with every entity as its name."""
    if is_entity(value):
        return name_of(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def ancestors(entities: Sequence[Json]) -> dict[str, list[str]]:
    """Everything each entity is in, at any distance, itself included since `in` is reflexive."""
    parents = {name_of(e["uid"]): [name_of(p) for p in e.get("parents", ())] for e in entities}
    closed: dict[str, list[str]] = {}
    for name in parents:
        seen = {name}
        frontier = [name]
        while frontier:
            for parent in parents.get(frontier.pop(), ()):
                if parent not in seen:
                    seen.add(parent)
                    frontier.append(parent)
        closed[name] = sorted(seen)
    return closed


def rego_data(entities: Sequence[Json]) -> Json:
    """`data.entities[name]` is the attributes, `data.above[name]` an object whose keys are the ancestors."""
    return {
        "entities": {name_of(e["uid"]): plain(e.get("attrs", {})) for e in entities},
        "above": {name: dict.fromkeys(above, True) for name, above in ancestors(entities).items()},
    }


def rego_input(request: Json) -> Json:
    return {
        "principal": name_of(request["principal"]),
        "action": request["action"]["id"],
        "resource": name_of(request["resource"]),
        "context": plain(request.get("context", {})),
    }


class Records:
    """What a caller of an engine without a store keeps: each entity as one record, with the entities it names.

    A record has the attributes, `id`, `type` and `above`, the names of everything the entity is in.
    An attribute that is one entity becomes its record; entities in sets stay names.
    Only what the policies name is kept, as a careful caller would, since these engines convert whole records.
    """

    def __init__(self, entities: Sequence[Json], policies: str) -> None:
        self._words = set(re.findall(r"\w+", policies))
        self._attributes = {name_of(e["uid"]): e.get("attrs", {}) for e in entities}
        self._above = ancestors(entities)
        self.records = {name: self._record(name, 2) for name in self._attributes}

    def _record(self, name: str, depth: int) -> Json:
        record = {
            "id": name,
            "type": name.partition("::")[0],
            "above": self._above.get(name, [name]),
            **self._attributes.get(name, {}),
        }
        return {
            key: self._expanded(value, depth) for key, value in record.items() if key in self._words
        }

    def _expanded(self, value: Json, depth: int) -> Json:
        if is_entity(value) and depth:
            return self._record(name_of(value), depth - 1)
        return plain(value)

    def context(self, value: Json) -> Json:
        """A context with a record for every entity in it, also inside of sets of records."""
        if is_entity(value):
            return self.records[name_of(value)]
        if isinstance(value, dict):
            return {key: self.context(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.context(item) for item in value]
        return value


def lookup(records: Mapping[str, Json], request: Json) -> Json:
    """The variables of a decision: this lookup is part of what such an engine costs."""
    return {
        "principal": records[request["principal"]],
        "action": request["action"],
        "resource": records[request["resource"]],
        "context": request["context"],
    }
