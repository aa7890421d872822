"""A YAML file of what no tool knows: assets, edges, ways back, and what lives on what; checked, with lines.

A name is the `id` of an asset of the file, or `Type::id` of one that another source describes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from ..graph import GOING, Count, Does, Edge, Event, Fragment, Origin, Resource, Text, WayBack
from ..model import Model, Risk, RowBasis
from ..sources.kubernetes.yaml import Document, documents

MAX_PROBLEMS = 100
_LENGTH = re.compile(r"(\d{1,9})\s*(s|m|h|d|w)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
Word = Annotated[str, Field(min_length=1, max_length=1000)]


def _seconds(value: Any) -> Any:
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) * _SECONDS[match[2]] if match else value


def _moment(value: Any) -> Any:
    """A day alone is its beginning, and a moment without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if isinstance(moment, datetime) and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Length = Annotated[Count, BeforeValidator(_seconds)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Events = Annotated[tuple[Event, ...], BeforeValidator(_listed)]


class AssetEntry(Model):
    id: Word
    type: Word = "Asset"
    name: Text | None = None
    kind: Text = "asset"
    stateful: bool = False
    recovery: bool = False
    protected: bool = False
    criticality: Risk = Risk.MEDIUM
    environment: Text | None = None
    rows: Count | None = None
    bytes: Count | None = None
    offers: Annotated[tuple[Text, ...], BeforeValidator(_listed)] = ()
    inside: Word | None = None
    """What it goes with."""


class EdgeEntry(Model):
    source: Annotated[Word, Field(alias="from")]
    target: Annotated[Word, Field(alias="to")]
    on: Events = GOING
    does: Does
    then: Event | Literal["same"] | None = None
    why: Word


class WayBackEntry(Model):
    recovery: Word
    restores: Word
    within: Length | None = None
    tested_at: Moment | None = None
    why: Word


class JoinEntry(Model):
    asset: Word
    inside: Word


class FactEntry(Model):
    """What the file knows better about an asset of another source."""

    asset: Word
    criticality: Risk | None = None
    environment: Text | None = None
    stateful: bool | None = None
    protected: bool | None = None
    rows: Count | None = None
    bytes: Count | None = None


class AssetsFile(Model):
    version: Literal[1] = 1
    assets: tuple[AssetEntry, ...] = ()
    edges: tuple[EdgeEntry, ...] = ()
    ways_back: tuple[WayBackEntry, ...] = ()
    joins: tuple[JoinEntry, ...] = ()
    facts: tuple[FactEntry, ...] = ()


def build(file: str, text: str, others: Sequence[Fragment] = ()) -> Fragment:
    """The part of the graph that a file tells; what it says about assets of `others` is written into these."""
    found = Fragment(Origin("assets", file))
    read = list(documents(text))
    if len(read) != 1 or read[0].fault is not None:
        place = read[0].place if read else (1, 1)
        reason = (read[0].fault if read else None) or "an assets file is one YAML document"
        found.problems.append(f"{file}:{place[0]}: {reason}")
        return found
    document = read[0]
    try:
        entries = AssetsFile.model_validate(document.value)
    except ValidationError as error:
        found.problems += list(_problems(file, document, error))[:MAX_PROBLEMS]
        return found
    _Builder(file, document, entries, found, others).build()
    return found


def _problems(file: str, document: Document, error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False, include_input=False):
        path = tuple(each["loc"])
        place = document.place_of(path) or document.place
        where = ".".join(map(str, path)) or "the file"
        yield f"{file}:{place[0]}: {where}: {each['msg'].lower()}"


class _Builder:
    def __init__(
        self,
        file: str,
        document: Document,
        entries: AssetsFile,
        found: Fragment,
        others: Sequence[Fragment],
    ) -> None:
        self.file = file
        self.document = document
        self.entries = entries
        self.found = found
        self.others = others
        self.own = {each.id: f"assets:{each.id}"[:1000] for each in entries.assets}
        self.named: dict[str, list[str]] = {}
        for resource in _resources(others):
            self.named.setdefault(f"{resource.type}::{resource.id}", []).append(resource.key)

    def build(self) -> None:
        seen: set[str] = set()
        for number, each in enumerate(self.entries.assets):
            path = ("assets", number)
            if each.id in seen:
                self.complain((*path, "id"), f"the id `{each.id}` stands twice")
                continue
            seen.add(each.id)
            self.found.resources.append(self._resource(each))
            if each.inside is not None:
                for holder in self.keys(each.inside, (*path, "inside")):
                    self._inside(holder, self.own[each.id])
        for number, edge in enumerate(self.entries.edges):
            for source in self.keys(edge.source, ("edges", number, "from")):
                for target in self.keys(edge.target, ("edges", number, "to")):
                    self.found.edges.append(
                        Edge(source, target, edge.on, edge.does, edge.why, edge.then)
                    )
        for number, way in enumerate(self.entries.ways_back):
            for recovery in self.keys(way.recovery, ("ways_back", number, "recovery")):
                for restored in self.keys(way.restores, ("ways_back", number, "restores")):
                    self.found.ways_back.append(
                        WayBack(recovery, restored, way.why, way.within, way.tested_at)
                    )
        for number, join in enumerate(self.entries.joins):
            for inner in self.keys(join.asset, ("joins", number, "asset")):
                for holder in self.keys(join.inside, ("joins", number, "inside")):
                    self._inside(holder, inner)
        for number, fact in enumerate(self.entries.facts):
            self._state(fact, self.keys(fact.asset, ("facts", number, "asset")))

    def _resource(self, each: AssetEntry) -> Resource:
        holders = self.keys(each.inside, None) if each.inside is not None else []
        return Resource(
            key=self.own[each.id],
            type=each.type,
            id=each.id,
            name=each.name or each.id,
            kind=each.kind,
            source=f"assets:{self.file}"[:1000],
            stateful=each.stateful,
            recovery=each.recovery,
            protected=each.protected,
            criticality=each.criticality,
            environment=each.environment,
            container=holders[0] if holders else None,
            rows=each.rows,
            row_basis=None if each.rows is None else RowBasis.ESTIMATED,
            bytes=each.bytes,
            offers=each.offers,
        )

    def keys(self, name: str, path: tuple[str | int, ...] | None) -> list[str]:
        """The assets of a name; a name of nothing is a problem where `path` says where it stands."""
        found = [self.own[name]] if name in self.own else self.named.get(name, [])
        if not found and path is not None:
            self.complain(path, f"there is no asset `{name}`")
        return found

    def complain(self, path: tuple[str | int, ...], message: str) -> None:
        place = self.document.place_of(path) or self.document.place
        if len(self.found.problems) < MAX_PROBLEMS:
            self.found.problems.append(f"{self.file}:{place[0]}: {message}")

    def _inside(self, holder: str, inner: str) -> None:
        why = f"lives there, says {self.file}"
        self.found.edges.append(
            Edge(holder, inner, (Event.DESTROY,), Does.DESTROYS, why, Event.DESTROY)
        )
        self._change([inner], {"container": holder}, only_absent=True)

    def _state(self, fact: FactEntry, keys: Iterable[str]) -> None:
        values = fact.model_dump(exclude={"asset"}, exclude_none=True)
        if "rows" in values:
            values["row_basis"] = RowBasis.ESTIMATED
        self._change(keys, values)

    def _change(
        self, keys: Iterable[str], values: Mapping[str, Any], *, only_absent: bool = False
    ) -> None:
        wanted = set(keys)
        for fragment in (*self.others, self.found):
            for number, resource in enumerate(fragment.resources):
                if resource.key not in wanted:
                    continue
                if only_absent and resource.container is not None:
                    continue
                fragment.resources[number] = replace(resource, **values)


def _resources(fragments: Sequence[Fragment]) -> Iterator[Resource]:
    for fragment in fragments:
        yield from fragment.resources
