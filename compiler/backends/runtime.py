"""What generated code stands on: raw values, a store of entities, and the way from a document to a decision.

Raw values are what a checked policy computes with when nobody looks: enum members are texts, decimals, instants and
durations are integers, entities are pairs. The types were checked, so no two kinds ever meet.
Imports only `documents.py` and `lang/scalars.py`, so that a generated module can carry this file whole.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...lang.scalars import (
    quote,
    write_decimal,
    write_duration,
    write_instant,
    write_integer,
)
from ..documents import (
    Described,
    Json,
    Make,
    Misfit,
    Shape,
    Uid,
    World,
    close_hierarchy,
    read_entities,
    read_request,
    why_missing,
    written,
)


class Row(dict[str, Any]):
    """A record as a raw value: it can be an element of a set, and nobody changes it."""

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


def _itself(value: Any) -> Any:
    return value


RAW = Make(
    decimal=_itself,
    instant=_itself,
    duration=_itself,
    ip_range=_itself,
    member=lambda enum, name, rank: name,
    record=Row,
    entity=lambda type, id: (type, id),
)

Node = tuple[Row, frozenset[Uid], frozenset[Uid]]
"""The attributes of an entity, everything it is in at any distance, and what it is directly in."""
Get = Callable[[Uid], Node | None]


class Missing(Exception):
    """Generated code read an entity that nobody described; `site` says where."""

    def __init__(self, uid: Uid, site: int) -> None:
        super().__init__(uid)
        self.uid = uid
        self.site = site


UNSET: Any = object()
"""A shared expression that was not needed yet."""


def node(get: Get, uid: Uid, site: int) -> Node:
    found = get(uid)
    if found is None:
        raise Missing(uid, site)
    return found


def each(body: Callable[[Any], Any], items: frozenset[Any], shape: Shape) -> list[Any]:
    """The body for every element; when it fails for some, the failure is that of the first in written order."""
    try:
        return [body(item) for item in items]
    except Missing:
        return [body(item) for item in sorted(items, key=lambda item: shown(shape, item))]


def those(body: Callable[[Any], bool], items: frozenset[Any], shape: Shape) -> frozenset[Any]:
    """The elements for which the body holds; fails as `each` does."""
    kept = list(items)
    return frozenset(
        item for item, keep in zip(kept, each(body, items, shape), strict=True) if keep
    )


# Entities


class Entities:
    """A store of entities that fit a schema. It never changes; `updated` gives another that shares with it."""

    __slots__ = ("_base", "_held", "_overlay", "get", "world", "wrong")

    def __init__(
        self,
        world: World,
        base: dict[Uid, Node],
        overlay: dict[Uid, Node | None],
        wrong: Mapping[Uid, str],
        held: Mapping[Uid, tuple[Row, frozenset[Uid]]],
    ) -> None:
        self.world = world
        self.wrong = wrong
        """Why an entity that was described cannot be read."""
        self._base = base
        self._overlay = overlay
        """What changed since `base` was made; `None` for what is gone."""
        self._held = held
        """Entities that fit but for what they are in, as they were described."""
        self.get: Get = _overlaid(overlay, base) if overlay else base.get

    def why_missing(self, uid: Uid) -> str:
        """The reason for which an entity cannot be read, in words."""
        return why_missing(uid, self.wrong)

    def __iter__(self) -> Iterator[Uid]:
        """The names of all entities that can be read."""
        for uid in {**self._base, **self._overlay}:
            if self.get(uid) is not None:
                yield uid

    def __len__(self) -> int:
        added = sum(uid not in self._base for uid, new in self._overlay.items() if new is not None)
        gone = sum(uid in self._base for uid, new in self._overlay.items() if new is None)
        return len(self._base) + added - gone

    def updated(self, documents: Json, removed: Iterable[Uid] = ()) -> "Entities":
        """The store with entities described anew, added or removed.

        Costs what changes; when something changes that others are in, these are found by a walk over all.
        """
        described = read_entities(self.world, RAW, documents)
        changed = {*described.attributes, *described.invalid, *removed}
        attributes: dict[Uid, Any] = dict(described.attributes)
        parents: dict[Uid, frozenset[Uid]] = dict(described.parents)
        for uid, (row, above) in (*self._held.items(), *self._below(changed)):
            if uid not in changed:
                attributes[uid], parents[uid] = row, above

        def outside(uid: Uid) -> frozenset[Uid] | None:
            found = None if uid in changed else self.get(uid)
            return None if found is None else found[1]

        region = Described(attributes, parents, described.invalid)
        ancestors, wrong = close_hierarchy(self.world, region, outside)
        overlay = {**self._overlay, **dict.fromkeys(changed), **dict.fromkeys(attributes)}
        for uid, every in ancestors.items():
            overlay[uid] = (attributes[uid], every, parents[uid])
        still = {uid: why for uid, why in self.wrong.items() if uid not in overlay}
        held = {uid: (attributes[uid], parents[uid]) for uid in wrong if uid in attributes}
        base = self._base
        if len(overlay) > 1_000 + len(base) // 8:
            merged: dict[Uid, Node | None] = {**base, **overlay}
            base = {uid: new for uid, new in merged.items() if new is not None}
            overlay = {}
        return Entities(self.world, base, overlay, {**still, **wrong}, held)

    def _below(self, changed: set[Uid]) -> Iterable[tuple[Uid, tuple[Row, frozenset[Uid]]]]:
        """Everything that is in something that changes."""
        hosts = frozenset().union(*(shape.parents for shape in self.world.entities.values()))
        above = {uid for uid in changed if uid[0] in hosts}
        if not above:
            return
        for uid in {**self._base, **self._overlay}:
            found = self.get(uid)
            if found is not None and not above.isdisjoint(found[1]):
                yield uid, (found[0], found[2])


def entities_of(world: World, documents: Json) -> Entities:
    """A store of `[{"uid", "attrs", "parents"}, …]`; one that does not fit is kept out, with the reason."""
    described = read_entities(world, RAW, documents)
    ancestors, wrong = close_hierarchy(world, described)
    attributes, parents = described.attributes, described.parents
    base = {uid: (attributes[uid], every, parents[uid]) for uid, every in ancestors.items()}
    held = {uid: (attributes[uid], parents[uid]) for uid in wrong if uid in attributes}
    return Entities(world, base, {}, wrong, held)


def _overlaid(overlay: dict[Uid, Node | None], base: dict[Uid, Node]) -> Get:
    def get(uid: Uid) -> Node | None:
        return overlay[uid] if uid in overlay else base.get(uid)

    return get


# Decisions


class Answer(NamedTuple):
    """A decision by numbers: rules, needs and sites are places in the tables of the generated module."""

    outcome: str
    rules: tuple[int, ...]
    needs: tuple[int, ...] = ()
    failures: tuple[tuple[int, Missing], ...] = ()


Failures = list[tuple[int, Missing]]


def denied(found: list[int], failed: Failures) -> Answer:
    return Answer("deny", tuple(sorted(found)), (), tuple(sorted(failed, key=_number)))


def held(rules: list[int], unmet: list[int]) -> Answer:
    return Answer("hold", tuple(sorted(set(rules))), tuple(sorted(unmet)))


def permitted(found: list[int]) -> Answer:
    return Answer("permit", tuple(found) if len(found) == 1 else tuple(sorted(found)))


def _number(failure: tuple[int, Missing]) -> int:
    return failure[0]


def apply(
    rules: Iterable[tuple[Callable[..., bool], tuple[Any, ...], int]],
    found: list[int],
    failed: Failures,
    fails_closed: bool,
    *arguments: Any,
) -> None:
    """Adds the rules that apply to `found`, and those that cannot be read to `failed`."""
    for condition, constants, number in rules:
        try:
            if condition(*arguments, constants):
                found.append(number)
        except Missing as missing:
            if fails_closed:
                failed.append((number, missing))


class Asked(NamedTuple):
    """A request that fits the schema, as the functions of generated code take it."""

    principal: Uid
    principal_node: Node
    resource: Uid
    resource_node: Node
    action: Uid
    context: Row
    entities: Entities

    @property
    def digest(self) -> str:
        """SHA-256 of the request in canonical form, in hexadecimal."""
        return request_digest(
            self.entities.world, self.principal, self.action[1], self.resource, self.context
        )

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What every generated function takes, in order."""
        principal, resource = self.principal_node, self.resource_node
        return (
            self.principal, principal[0], principal[1],
            self.resource, resource[0], resource[1],
            self.action, self.context, self.entities.get,
        )  # fmt: skip


class Unanswered(NamedTuple):
    """A request of the schema whose principal or resource nobody described."""

    digest: str


class Refused(NamedTuple):
    """Why a document is no request that can be decided."""

    problems: tuple[str, ...]
    request: Unanswered | None = None


def request_digest(world: World, principal: Uid, action: str, resource: Uid, context: Row) -> str:
    """SHA-256 of a request in canonical form, in hexadecimal."""
    said = shown(world.actions[action].context, context)
    lines = (written(principal), action, written(resource), said)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def ask(world: World, entities: Entities, document: Json) -> Asked | Refused:
    """The request a document makes over a store; slow and exact, with every problem named."""
    if entities.world is not world and entities.world != world:
        return Refused(("the entities were read for another schema",))
    try:
        principal, action, resource, context = read_request(world, RAW, document)
    except Misfit as misfit:
        return Refused((f"the request does not fit the schema: {misfit}",))
    nodes = [entities.get(principal), entities.get(resource)]
    problems = [
        why_missing(uid, entities.wrong)
        for uid, found in zip((principal, resource), nodes, strict=True)
        if found is None
    ]
    if nodes[0] is None or nodes[1] is None:
        digest = request_digest(world, principal, action, resource, context)
        return Refused(tuple(problems), Unanswered(digest))
    return Asked(
        principal,
        nodes[0],
        resource,
        nodes[1],
        ("Action", action),
        context,
        entities,
    )


# Messages


def shown(shape: Shape, value: Any) -> str:
    """A raw value as the language writes it; texts inside are quoted, sets have a stable order."""
    kind = shape[0]
    if kind == "Bool":
        return "true" if value else "false"
    if kind == "String":
        return quote(value)
    if kind == "Entity":
        return written(value)
    if kind == "Set":
        return "{" + ", ".join(sorted(shown(shape[2], item) for item in value)) + "}"
    if kind == "Record":
        inside = ", ".join(
            f"{name}: {shown(shape[2][name][0], item)}" for name, item in sorted(value.items())
        )
        return "{ " + inside + " }" if value else "{}"
    return _WRITERS[kind](value)


_WRITERS: dict[str, Callable[[Any], str]] = {
    "Int": write_integer,
    "Enum": str,
    "IpRange": str,
    "Decimal": write_decimal,
    "Instant": write_instant,
    "Duration": write_duration,
}


def filled(shape: Shape, value: Any) -> str:
    """A raw value in a hole of a message; texts and actions stand without quotes."""
    if shape[0] == "String":
        return str(value)
    return str(value[1]) if shape[0] == "Action" else shown(shape, value)
