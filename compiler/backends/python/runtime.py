"""What generated code stands on: raw values, a store of entities, and the way from a document to a decision.

Raw values are what a checked policy computes with when nobody looks: enum members are texts, decimals, instants and
durations are integers, entities are pairs. The types were checked, so no two kinds ever meet.
Imports only `documents.py` and `lang/scalars.py`, so that a generated module can carry this file whole.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ....lang.scalars import (
    quote,
    write_decimal,
    write_duration,
    write_instant,
    write_integer,
)
from ...documents import (
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

Node = tuple[Row, frozenset[Uid], frozenset[Uid], Uid]
"""The attributes of an entity, everything it is in at any distance, what it is directly in, and its name."""
Nodes = dict[str, dict[str, Node]]
"""Type → id → entity."""


class Missing(Exception):
    """Generated code read an entity that nobody described; `site` says where."""

    def __init__(self, uid: Uid, site: int) -> None:
        super().__init__(uid)
        self.uid = uid
        self.site = site


UNSET: Any = object()
"""A shared expression that was not needed yet."""


def node(nodes: Nodes, uid: Uid, site: int) -> Node:
    try:
        return nodes[uid[0]][uid[1]]
    except KeyError:
        raise Missing(uid, site) from None


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

    __slots__ = ("_base", "_changed", "_held", "nodes", "world", "wrong")

    def __init__(
        self,
        world: World,
        base: Nodes,
        changed: dict[Uid, Node | None],
        wrong: Mapping[Uid, str],
        held: Mapping[Uid, tuple[Row, frozenset[Uid]]],
    ) -> None:
        self.world = world
        self.wrong = wrong
        """Why an entity that was described cannot be read."""
        self._base = base
        self._changed = changed
        """What changed since `base` was made; `None` for what is gone."""
        self._held = held
        """Entities that fit but for what they are in, as they were described."""
        self.nodes: Nodes = _overlaid(base, changed) if changed else base

    def get(self, uid: Uid) -> Node | None:
        """What is known of an entity."""
        try:
            return self.nodes[uid[0]][uid[1]]
        except KeyError:
            return None

    def why_missing(self, uid: Uid) -> str:
        """The reason for which an entity cannot be read, in words."""
        return why_missing(uid, self.wrong)

    def __iter__(self) -> Iterator[Uid]:
        """The names of all entities that can be read."""
        for by_id in self._base.values():
            for *_, uid in by_id.values():
                if uid not in self._changed:
                    yield uid
        for uid, new in self._changed.items():
            if new is not None:
                yield uid

    def __len__(self) -> int:
        return sum(1 for _ in self) if self._changed else sum(map(len, self._base.values()))

    def updated(self, documents: Json, removed: Iterable[Uid] = ()) -> "Entities":
        """The store with entities described anew, added or removed.

        Costs what changes; when something changes that others are in, these are found by a walk over all.
        """
        described = read_entities(self.world, RAW, documents)
        new = {*described.attributes, *described.invalid, *removed}
        attributes: dict[Uid, Any] = dict(described.attributes)
        parents: dict[Uid, frozenset[Uid]] = dict(described.parents)
        for uid, (row, above) in (*self._held.items(), *self._below(new)):
            if uid not in new:
                attributes[uid], parents[uid] = row, above

        def outside(uid: Uid) -> frozenset[Uid] | None:
            found = None if uid in new else self.get(uid)
            return None if found is None else found[1]

        region = Described(attributes, parents, described.invalid)
        ancestors, wrong = close_hierarchy(self.world, region, outside)
        changed = {**self._changed, **dict.fromkeys(new), **dict.fromkeys(attributes)}
        for uid, every in ancestors.items():
            changed[uid] = (attributes[uid], every, parents[uid], uid)
        still = {uid: why for uid, why in self.wrong.items() if uid not in changed}
        held = {uid: (attributes[uid], parents[uid]) for uid in wrong if uid in attributes}
        base = self._base
        if len(changed) > 1_000 + sum(map(len, base.values())) // 8:
            base = _merged(base, changed)
            changed = {}
        return Entities(self.world, base, changed, {**still, **wrong}, held)

    def _below(self, changed: set[Uid]) -> Iterable[tuple[Uid, tuple[Row, frozenset[Uid]]]]:
        """Everything that is in something that changes."""
        hosts = frozenset().union(*(shape.parents for shape in self.world.entities.values()))
        above = {uid for uid in changed if uid[0] in hosts}
        if not above:
            return
        for uid in self:
            found = self.get(uid)
            if found is not None and not above.isdisjoint(found[1]):
                yield uid, (found[0], found[2])


class _Changed(dict[str, Node]):
    """The entities of one type over those of an earlier store."""

    __slots__ = ("_base", "_gone")

    def __init__(self, base: dict[str, Node], new: dict[str, Node], gone: set[str]) -> None:
        super().__init__(new)
        self._base = base
        self._gone = gone

    def __missing__(self, id: str) -> Node:
        if id in self._gone:
            raise KeyError(id)
        return self._base[id]


def _overlaid(base: Nodes, changed: dict[Uid, Node | None]) -> Nodes:
    """A store and what changed in it, without a copy of it."""
    gone: dict[str, set[str]] = {type: set() for type, _ in changed}
    new: dict[str, dict[str, Node]] = {type: {} for type, _ in changed}
    for (type, id), found in changed.items():
        if found is None:
            gone[type].add(id)
        else:
            new[type][id] = found
    return {
        **base,
        **{type: _Changed(base.get(type, {}), new[type], gone[type]) for type in new},
    }


def _merged(base: Nodes, changed: dict[Uid, Node | None]) -> Nodes:
    """A store with what changed in it."""
    merged = {type: dict(by_id) for type, by_id in base.items()}
    for (type, id), found in changed.items():
        if found is None:
            merged.get(type, {}).pop(id, None)
        else:
            merged.setdefault(type, {})[id] = found
    return merged


def entities_of(world: World, documents: Json) -> Entities:
    """A store of `[{"uid", "attrs", "parents"}, …]`; one that does not fit is kept out, with the reason."""
    names: dict[Uid, Uid] = {}
    types = {name: name for name in world.entities}

    def entity(type: str, id: str) -> Uid:
        # A name is one object wherever it stands, which saves memory and comparing.
        uid = (types.get(type, type), id)
        return names.setdefault(uid, uid)

    described = read_entities(world, RAW._replace(entity=entity), documents)
    ancestors, wrong = close_hierarchy(world, described)
    attributes, parents = described.attributes, described.parents
    base: Nodes = {}
    for uid, every in ancestors.items():
        above = parents[uid]
        every = above if every == above else every
        base.setdefault(uid[0], {})[uid[1]] = (attributes[uid], every, above, uid)
    held = {uid: (attributes[uid], parents[uid]) for uid in wrong if uid in attributes}
    return Entities(world, base, {}, wrong, held)


# Decisions


class Answer:
    """A decision by numbers: rules, needs and sites are places in the tables of the generated module."""

    __slots__ = ("failures", "needs", "outcome", "rules", "told")

    def __init__(
        self,
        outcome: str,
        rules: tuple[int, ...],
        needs: tuple[int, ...] = (),
        failures: "Failures" = (),
    ) -> None:
        self.outcome = outcome
        self.rules = rules
        self.needs = needs
        self.failures = failures
        self.told: tuple[Any, ...] | None = None
        """What an evaluator made of an answer that says the same to every request; its to keep."""


Failures = Sequence[tuple[int, Missing]]
MAX_ANSWERS = 1_000
"""How many answers of one kind are kept."""


class Answers(dict[int, Answer]):
    """The answers of one kind that generated code has given, by a number with a bit for each rule or need."""

    def __init__(
        self, outcome: str, rules: tuple[int, ...], needs: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        self._outcome = outcome
        self._rules = rules
        self._needs = needs

    def __missing__(self, found: int) -> Answer:
        chosen = [place for place in range(len(self._rules)) if found >> place & 1]
        rules = {self._rules[place] for place in chosen}
        needs = [self._needs[place] for place in chosen] if self._needs else []
        made = Answer(self._outcome, tuple(sorted(rules)), tuple(sorted(needs)))
        if len(self) < MAX_ANSWERS:
            self[found] = made
        return made


class Found(dict[tuple[int, ...], Answer]):
    """The answers of one kind that generated code has given, by the rules that it looked up."""

    def __init__(self, outcome: str) -> None:
        super().__init__()
        self._outcome = outcome

    def __missing__(self, found: tuple[int, ...]) -> Answer:
        made = Answer(self._outcome, tuple(sorted(set(found))))
        if len(self) < MAX_ANSWERS:
            self[found] = made
        return made


def denied(made: Answer, failed: Failures) -> Answer:
    """A denial, together with the rules that could not be read."""
    if not failed:
        return made
    return Answer("deny", made.rules, (), tuple(sorted(failed, key=_number)))


def held(unmet: list[tuple[int, int]]) -> Answer:
    rules, needs = zip(*unmet, strict=True)
    return Answer("hold", tuple(sorted(set(rules))), tuple(sorted(needs)))


def _number(failure: tuple[int, Missing]) -> int:
    return failure[0]


# Many rules, looked up

Condition = Callable[..., bool]
Entry = tuple[Condition, tuple[Any, ...], int, bool]
"""A condition that several rules share, the constants of one, the number it has, and whether failing denies."""


def with_shapes(shapes: Sequence[Condition], entries: Iterable[Any]) -> tuple[Entry, ...]:
    """Entries whose conditions stand by number."""
    return tuple([(shapes[shape], *rest) for shape, *rest in entries])


def by_key(
    shapes: Sequence[Condition], table: Mapping[Any, Iterable[Any]]
) -> dict[Any, tuple[Entry, ...]]:
    return {key: with_shapes(shapes, entries) for key, entries in table.items()}


def apply(
    rules: Iterable[Entry],
    found: list[int],
    failed: list[tuple[int, Missing]],
    *arguments: Any,
) -> None:
    """Adds the rules that apply to `found`, and those that cannot be read to `failed`."""
    for condition, constants, number, fails_closed in rules:
        try:
            if condition(*arguments, constants):
                found.append(number)
        except Missing as missing:
            if fails_closed:
                failed.append((number, missing))


def demand(
    table: Mapping[int, tuple[Entry, ...]],
    found: list[int],
    failed: list[tuple[int, Missing]],
    *arguments: Any,
) -> list[tuple[int, int]]:
    """The needs of rules that apply which are not met, each with its rule; those that cannot be read go to `failed`."""
    unmet = []
    for number in sorted(set(found)):
        for condition, constants, place, fails_closed in table.get(number, ()):
            try:
                if not condition(*arguments, constants):
                    unmet.append((number, place))
            except Missing as missing:
                if fails_closed:
                    failed.append((number, missing))
    return unmet


# Requests


class Said(NamedTuple):
    """A request that fits the schema, as a decision keeps it."""

    principal: Uid
    action: Uid
    resource: Uid
    context: Row
    world: World

    @property
    def digest(self) -> str:
        """SHA-256 of the request in canonical form, in hexadecimal."""
        shape = self.world.actions[self.action[1]].context
        lines = (
            written(self.principal),
            self.action[1],
            written(self.resource),
            shown(shape, self.context),
        )
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


class Asked(NamedTuple):
    """A request over a store, with what the store holds of principal and resource."""

    said: Said
    principal: Node
    resource: Node
    entities: Entities

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What every generated function takes, in order."""
        said = self.said
        return (self.principal, self.resource, said.action, said.context, self.entities.nodes)


class Refused(NamedTuple):
    """Why a document is no request that can be decided."""

    problems: tuple[str, ...]
    request: Said | None = None


def ask(world: World, entities: Entities, document: Json) -> Asked | Refused:
    """The request a document makes over a store; slow and exact, with every problem named."""
    if entities.world is not world and entities.world != world:
        return Refused(("the entities were read for another schema",))
    try:
        principal, action, resource, context = read_request(world, RAW, document)
    except Misfit as misfit:
        return Refused((f"the request does not fit the schema: {misfit}",))
    said = Said(principal, ("Action", action), resource, context, world)
    first, second = entities.get(principal), entities.get(resource)
    if first is None or second is None:
        missing = [uid for uid in (principal, resource) if entities.get(uid) is None]
        return Refused(tuple(why_missing(uid, entities.wrong) for uid in missing), said)
    return Asked(said, first, second, entities)


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
