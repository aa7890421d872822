"""The resource graph: what there is, and edges that say which event goes on along them, and how.

An event is what happens to one resource. An edge is asked with an event and answers what it does to its target
and which event the target passes on. Ways back stand beside the edges: what restores what, and in which time.
"""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Protocol

import networkx
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from .model import Risk, RowBasis

VERSION = 1
MAX_RESOURCES = 1_000_000
MAX_EDGES = 5_000_000
MAX_GRAPH_BYTES = 2 * 1024**3
MAX_TEXT = 1000


class Event(StrEnum):
    """What happens to a resource; `unknown` may be any of them."""

    DELETE = "delete"
    UPDATE = "update"
    INSERT = "insert"
    TRUNCATE = "truncate"
    TRUNCATE_CASCADE = "truncate_cascade"
    DROP = "drop"
    DROP_CASCADE = "drop_cascade"
    DESTROY = "destroy"
    ORPHAN = "orphan"
    """A Kubernetes object goes and leaves its dependents."""
    DISARM = "disarm"
    UNKNOWN = "unknown"


class Does(StrEnum):
    """What an edge does to its target; `refuses` makes the statement fail, `none` stops the harm."""

    DESTROYS = "destroys"
    CHANGES = "changes"
    ORPHANS = "orphans"
    DISABLES = "disables"
    REFUSES = "refuses"
    NONE = "none"


ROW_EVENTS = (Event.DELETE, Event.TRUNCATE, Event.TRUNCATE_CASCADE)
DROPS = (Event.DROP, Event.DROP_CASCADE)
GOING = (*ROW_EVENTS, *DROPS, Event.DESTROY, Event.ORPHAN)
"""Every event after which data or a resource is gone."""

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Key = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Resource:
    """One asset; `type` and `id` are its name in changes and policies, `key` is unique in the graph."""

    __pydantic_config__ = _STRICT

    key: Key
    type: Text
    id: Text
    name: Text
    kind: Text
    source: Text
    stateful: bool = False
    recovery: bool = False
    protected: bool = False
    criticality: Risk = Risk.MEDIUM
    environment: Text | None = None
    """`None` where it is the plan's."""
    container: Key | None = None
    rows: Count | None = None
    row_basis: RowBasis | None = None
    bytes: Count | None = None
    offers: tuple[Text, ...] = ()
    """Stable identifiers, as `scheme:value`, by which other sources speak of the same thing."""
    spared: tuple[Event, ...] = ()
    """Events that go on from here without doing anything here, such as DELETE on a view."""


@dataclass(frozen=True, slots=True)
class Edge:
    """When one of `on` happens to `source`, `target` is harmed and passes on `then`."""

    __pydantic_config__ = _STRICT

    source: Key
    target: Key
    on: tuple[Event, ...]
    does: Does
    why: Text
    then: Event | Literal["same"] | None = None
    """`same` passes on what came."""
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The greatest part of the rows of the target that it reaches."""
    certain: bool = True

    def passes(self, event: Event) -> Event | None:
        return event if self.then == "same" else self.then


@dataclass(frozen=True, slots=True)
class WayBack:
    """`recovery` brings back `restores` and all it contains, in `within` seconds where that is known."""

    __pydantic_config__ = _STRICT

    recovery: Key
    restores: Key
    why: Text
    within: Count | None = None
    tested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """`source` lives on whatever offers the identifier."""

    __pydantic_config__ = _STRICT

    source: Key
    identifier: Text
    why: Text


@dataclass(frozen=True, slots=True)
class Origin:
    """What a part of the graph was read from."""

    __pydantic_config__ = _STRICT

    kind: Text
    name: Text


@dataclass(slots=True)
class Fragment:
    """What one builder found; problems are what it could not read."""

    origin: Origin
    resources: list[Resource] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ways_back: list[WayBack] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Document:
    """The file of a graph."""

    __pydantic_config__ = _STRICT

    version: Literal[1]
    built_at: datetime | None
    sources: Annotated[tuple[Origin, ...], Field(max_length=10_000)]
    resources: Annotated[tuple[Resource, ...], Field(max_length=MAX_RESOURCES)]
    edges: Annotated[tuple[Edge, ...], Field(max_length=MAX_EDGES)]
    ways_back: Annotated[tuple[WayBack, ...], Field(max_length=MAX_EDGES)]
    links: Annotated[tuple[Link, ...], Field(max_length=MAX_EDGES)]
    problems: Annotated[tuple[Text, ...], Field(max_length=100_000)] = ()


class Network(Protocol):
    """What a library of graphs is asked for; `benchmarks/blast.py` compares two behind it."""

    def __init__(self, keys: Iterable[str], edges: Sequence[Edge]) -> None: ...

    def edges_from(self, key: str) -> Iterator[Edge]: ...


class Networkx:
    """Edges in a `networkx` multigraph."""

    def __init__(self, keys: Iterable[str], edges: Sequence[Edge]) -> None:
        self._network: Any = networkx.MultiDiGraph()
        self._network.add_nodes_from(keys)
        self._network.add_edges_from(
            (edge.source, edge.target, number, {"edge": edge}) for number, edge in enumerate(edges)
        )

    def edges_from(self, key: str) -> Iterator[Edge]:
        for parallel in self._network.adj[key].values():
            for data in parallel.values():
                yield data["edge"]


class Graph:
    """Resources by key with their edges; made by `build` or `load`, and never changed after."""

    def __init__(self, document: _Document, network: type[Network] = Networkx) -> None:
        self.built_at = document.built_at
        self.sources = document.sources
        self.problems = document.problems
        self.resources: Mapping[str, Resource] = {each.key: each for each in document.resources}
        self.links = document.links
        self._document = document
        self._network = network(self.resources, document.edges)
        self.edges_from = self._network.edges_from
        self._ways_back: dict[str, list[WayBack]] = {}
        for way in document.ways_back:
            self._ways_back.setdefault(way.restores, []).append(way)
        self._named: dict[tuple[str, str], list[str]] = {}
        self._by_id: dict[str, list[str]] = {}
        self._offered: dict[str, list[str]] = {}
        self._content: dict[str, list[str]] = {}
        for each in document.resources:
            self._named.setdefault((each.type, each.id), []).append(each.key)
            self._by_id.setdefault(each.id, []).append(each.key)
            for identifier in each.offers:
                self._offered.setdefault(identifier, []).append(each.key)
            if each.container is not None:
                self._content.setdefault(each.container, []).append(each.key)

    def edges(self) -> tuple[Edge, ...]:
        return self._document.edges

    def ways_back(self, key: str) -> Iterator[WayBack]:
        """What brings a resource back, its own ways first, then those of what contains it."""
        for each in (key, *self.containers(key)):
            yield from self._ways_back.get(each, ())

    def all_ways_back(self) -> tuple[WayBack, ...]:
        return self._document.ways_back

    def containers(self, key: str) -> Iterator[str]:
        """What a resource is in, from the inside out."""
        seen = {key}
        resource = self.resources.get(key)
        while resource is not None and resource.container is not None:
            if resource.container in seen:
                return
            seen.add(resource.container)
            yield resource.container
            resource = self.resources.get(resource.container)

    def content(self, key: str) -> Iterator[str]:
        """Everything in a container, at any depth."""
        seen = {key}
        waiting = [key]
        while waiting:
            for inner in self._content.get(waiting.pop(), ()):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append(inner)
                    yield inner

    def named(self, type: str, id: str) -> tuple[str, ...]:
        """The resources that a change means by a type and an id, or by an id or identifier alone."""
        exact = self._named.get((type, id))
        if exact is None:
            exact = self._by_id.get(id) or self._offered.get(id) or []
        return tuple(exact)

    def of_type(self, type: str) -> tuple[str, ...]:
        return tuple(key for key, each in self.resources.items() if each.type == type)

    def age(self, now: datetime) -> timedelta | None:
        return None if self.built_at is None else now - self.built_at


def build(
    fragments: Iterable[Fragment], built_at: datetime | None, network: type[Network] = Networkx
) -> Graph:
    """One graph of all fragments, joined where they speak of the same thing.

    The rule of joining: a link makes its source part of whatever offers the identifier, and two resources of
    different sources that offer the same identifier are the same, so that what destroys one destroys the other.
    """
    with uncollected():
        return Graph(_joined(list(fragments), built_at), network)


def _joined(parts: Sequence[Fragment], built_at: datetime | None) -> _Document:
    resources: dict[str, Resource] = {}
    problems: list[str] = [problem for part in parts for problem in part.problems]
    for part in parts:
        for each in part.resources:
            known = resources.get(each.key)
            resources[each.key] = each if known is None else _merged(known, each)
    edges = dict.fromkeys(edge for part in parts for edge in part.edges)
    ways = dict.fromkeys(way for part in parts for way in part.ways_back)
    for edge in list(edges):
        if edge.source not in resources or edge.target not in resources:
            missing = edge.source if edge.source not in resources else edge.target
            problems.append(f"an edge names `{missing}`, which no source describes: {edge.why}")
            del edges[edge]
    for way in list(ways):
        if way.recovery not in resources or way.restores not in resources:
            missing = way.recovery if way.recovery not in resources else way.restores
            problems.append(f"a way back names `{missing}`, which no source describes: {way.why}")
            del ways[way]
    offered: dict[str, list[Resource]] = {}
    for each in resources.values():
        for identifier in each.offers:
            offered.setdefault(identifier, []).append(each)
    edges |= dict.fromkeys(_same(offered))
    waiting = []
    for link in dict.fromkeys(link for part in parts for link in part.links):
        holders = [each for each in offered.get(link.identifier, ()) if each.key != link.source]
        if link.source not in resources or not holders:
            waiting.append(link)
            continue
        for holder in holders:
            why = f"{link.why}, by `{link.identifier}`"
            edges[Edge(holder.key, link.source, (Event.DESTROY,), Does.DESTROYS, why, "same")] = (
                None
            )
        inner = resources[link.source]
        if inner.container is None:
            resources[link.source] = replace(inner, container=holders[0].key)
    return _Document(
        version=1,
        built_at=built_at,
        sources=tuple(dict.fromkeys(part.origin for part in parts)),
        resources=tuple(resources.values()),
        edges=tuple(edges),
        ways_back=tuple(ways),
        links=tuple(waiting),
        problems=tuple(_shortened(problem) for problem in problems),
    )


def _merged(known: Resource, other: Resource) -> Resource:
    """Two descriptions of one resource: the worse of each, and what only one of them says."""
    order = list(Risk)
    return replace(
        known,
        stateful=known.stateful or other.stateful,
        recovery=known.recovery or other.recovery,
        protected=known.protected and other.protected,
        criticality=max(known.criticality, other.criticality, key=order.index),
        environment=known.environment or other.environment,
        container=known.container or other.container,
        rows=other.rows if known.rows is None else known.rows,
        row_basis=other.row_basis if known.rows is None else known.row_basis,
        bytes=other.bytes if known.bytes is None else known.bytes,
        offers=tuple(dict.fromkeys((*known.offers, *other.offers))),
        spared=tuple(event for event in known.spared if event in other.spared),
    )


def _same(offered: Mapping[str, list[Resource]]) -> Iterator[Edge]:
    for identifier, holders in offered.items():
        for one in holders:
            for other in holders:
                if one.source != other.source:
                    why = f"is the same as `{one.name}`, by `{identifier}`"
                    on = (Event.DESTROY, Event.ORPHAN)
                    yield Edge(one.key, other.key, on, Does.DESTROYS, _shortened(why), "same")


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


@contextmanager
def uncollected() -> Iterator[None]:
    """Everything made inside stays, so a collector that walks it again and again finds nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


# Files


@cache
def _adapter() -> TypeAdapter[_Document]:
    return TypeAdapter(_Document)


def load(text: str | bytes) -> Graph | str:
    """The graph of a file, or why it is none."""
    with uncollected():
        return _load(text)


def _load(text: str | bytes) -> Graph | str:
    try:
        document = _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        return f"{place}: {first['msg'].lower()}"
    keys = {each.key for each in document.resources}
    if len(keys) != len(document.resources):
        return "resources: a key stands twice"
    for number, edge in enumerate(document.edges):
        if edge.source not in keys or edge.target not in keys:
            return f"edges.{number}: names a resource that is not in the graph"
    for number, way in enumerate(document.ways_back):
        if way.recovery not in keys or way.restores not in keys:
            return f"ways_back.{number}: names a resource that is not in the graph"
    if document.built_at is not None and document.built_at.tzinfo is None:
        return "built_at: has no time zone"
    return Graph(document)


def dump(graph: Graph) -> str:
    """The file of a graph: one resource or edge a line, in a fixed order."""
    document = _adapter().dump_python(graph._document, mode="json", exclude_defaults=True)
    document = {"version": VERSION, "problems": [], **document}
    document["resources"].sort(key=lambda each: each["key"])
    for name in ("edges", "ways_back", "links"):
        document[name].sort(key=lambda each: json.dumps(each, sort_keys=True))
    lines = []
    for name, value in document.items():
        if isinstance(value, list) and value:
            items = ",\n".join("  " + json.dumps(each, ensure_ascii=False) for each in value)
            lines.append(f"{json.dumps(name)}: [\n{items}\n]")
        else:
            lines.append(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


# Differences


@dataclass(frozen=True, slots=True)
class Difference:
    """What one graph has that another has not; row counts and sizes are not compared."""

    added: tuple[Resource, ...]
    removed: tuple[Resource, ...]
    changed: tuple[tuple[Resource, Resource], ...]
    added_edges: tuple[Edge, ...]
    removed_edges: tuple[Edge, ...]
    added_ways: tuple[WayBack, ...]
    removed_ways: tuple[WayBack, ...]

    def __bool__(self) -> bool:
        return any(
            (
                self.added,
                self.removed,
                self.changed,
                self.added_edges,
                self.removed_edges,
                self.added_ways,
                self.removed_ways,
            )
        )


def difference(old: Graph, new: Graph) -> Difference:
    def uncounted(resource: Resource) -> Resource:
        return replace(resource, rows=None, row_basis=None, bytes=None)

    def uncounted_edge(edge: Edge) -> Edge:
        return replace(edge, share=1.0)

    was, now = old.resources, new.resources
    old_edges = dict.fromkeys(map(uncounted_edge, old.edges()))
    new_edges = dict.fromkeys(map(uncounted_edge, new.edges()))
    old_ways, new_ways = dict.fromkeys(old.all_ways_back()), dict.fromkeys(new.all_ways_back())
    return Difference(
        added=tuple(each for key, each in now.items() if key not in was),
        removed=tuple(each for key, each in was.items() if key not in now),
        changed=tuple(
            (was[key], each)
            for key, each in now.items()
            if key in was and uncounted(was[key]) != uncounted(each)
        ),
        added_edges=tuple(edge for edge in new_edges if edge not in old_edges),
        removed_edges=tuple(edge for edge in old_edges if edge not in new_edges),
        added_ways=tuple(way for way in new_ways if way not in old_ways),
        removed_ways=tuple(way for way in old_ways if way not in new_ways),
    )


def document_of(graph: Graph) -> dict[str, Any]:
    """The graph as plain JSON data."""
    document: dict[str, Any] = json.loads(dump(graph))
    return document


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
