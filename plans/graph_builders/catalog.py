"""What a database holds, as facts: the form that live catalogs and DDL files share, and the graph made of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..graph import DROPS, Does, Edge, Event, Fragment, Link, Origin, Resource
from ..model import Risk, RowBasis
from .database_code import Write

STATEFUL_KINDS = frozenset({"table", "partition", "foreign_table", "column", "sequence"})
RELATIONS = {
    "table": "Table",
    "partition": "Table",
    "partitioned_table": "Table",
    "foreign_table": "Table",
    "view": "View",
    "materialized_view": "View",
    "schema": "Schema",
    "routine": "Routine",
}
"""Kind → type of the vocabulary; every other kind is a `DatabaseObject`."""


@dataclass(frozen=True, slots=True)
class Object:
    """`ref` names it inside the catalog; `owner` is the object it is a part of."""

    ref: str
    kind: str
    id: str
    name: str
    schema: str | None = None
    owner: str | None = None
    identity: str | None = None
    """What tells it from others of the same id, such as the arguments of a routine."""
    rows: int | None = None
    row_basis: RowBasis | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """`ref` goes with `on`: always when it is automatic, else only by CASCADE."""

    ref: str
    on: str
    automatic: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Rows of `child` refer to `parent`; actions are as SQL writes them, in lower case."""

    name: str
    child: str
    parent: str
    on_delete: str = "no action"
    on_update: str = "no action"
    share: float = 1.0
    constraint: str | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """Code that runs when `event` happens to `table`: a trigger or a rule, with what it writes."""

    name: str
    table: str
    event: Event
    writes: tuple[Write, ...]
    unread: str | None = None
    """Why the code could not be read."""
    replaces: bool = False
    """The event itself does not happen."""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Inheritance:
    child: str
    parent: str
    is_partition: bool


@dataclass(frozen=True, slots=True)
class Updatable:
    """A view through which rows of `table` are written."""

    view: str
    table: str


@dataclass(slots=True)
class Catalog:
    """One database."""

    name: str
    origin: Origin
    identifiers: tuple[str, ...] = ()
    """Of the server it runs on, such as `host:db.example.com:5432`."""
    objects: list[Object] = field(default_factory=list)
    dependencies: list[Dependency] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    inheritances: list[Inheritance] = field(default_factory=list)
    updatable: list[Updatable] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def fragment(catalog: Catalog) -> Fragment:
    """The part of the graph that a database is."""
    return _Builder(catalog).fragment()


class _Builder:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        # Two servers may have databases of one name.
        server = f"@{catalog.identifiers[0].partition(':')[2]}" if catalog.identifiers else ""
        self.source = f"database:{catalog.name}{server}"
        self.keys = {each.ref: self._key(each) for each in catalog.objects}
        self.by_ref = {each.ref: each for each in catalog.objects}
        self.by_id: dict[str, str] = {}
        self.by_name: dict[str, list[str]] = {}
        for each in catalog.objects:
            if RELATIONS.get(each.kind) in ("Table", "View"):
                self.by_id[each.id] = each.ref
                self.by_name.setdefault(each.name, []).append(each.ref)
        self.database = f"{self.source}:database:{catalog.name}"
        self.replaced = {
            (each.table, each.event) for each in catalog.reactions if each.replaces and each.certain
        }
        self.written_through = {each.view for each in catalog.updatable}
        self.found = Fragment(catalog.origin, problems=list(catalog.problems))

    def _key(self, each: Object) -> str:
        return f"{self.source}:{each.kind}:{each.identity or each.id}"[:1000]

    def fragment(self) -> Fragment:
        found = self.found
        found.resources.append(
            Resource(
                key=self.database,
                type="Database",
                id=self.catalog.name,
                name=self.catalog.name,
                kind="postgres.database",
                source=self.source,
                stateful=True,
                criticality=Risk.HIGH,
                # Its tables hold what it holds, so that nothing is counted twice.
                rows=0,
                row_basis=RowBasis.EXACT,
            )
        )
        for each in self.catalog.objects:
            self._add_resource(each)
        for dependency in self.catalog.dependencies:
            self._add_dependency(dependency)
        for key in self.catalog.foreign_keys:
            self._add_foreign_key(key)
        for inheritance in self.catalog.inheritances:
            self._add_inheritance(inheritance)
        for view in self.catalog.updatable:
            self._add_updatable(view)
        for reaction in self.catalog.reactions:
            self._add_reaction(reaction)
        found.links += [
            Link(self.database, identifier, "the database runs on it")
            for identifier in self.catalog.identifiers
        ]
        return found

    def _add_resource(self, each: Object) -> None:
        key = self.keys[each.ref]
        holder = each.owner or each.schema
        container = self.keys.get(holder, self.database) if holder else self.database
        spared = [event for event in _SPARABLE if (each.ref, event) in self.replaced]
        if each.ref in self.written_through:
            spared = list(_SPARABLE)
        # The partitions hold the rows.
        holds_nothing = each.kind == "partitioned_table"
        self.found.resources.append(
            Resource(
                key=key,
                type=RELATIONS.get(each.kind, "DatabaseObject"),
                id=each.id[:1000],
                name=each.name[:1000],
                kind=f"postgres.{each.kind}",
                source=self.source,
                stateful=each.kind in STATEFUL_KINDS,
                container=container,
                rows=0 if holds_nothing else each.rows,
                row_basis=RowBasis.EXACT if holds_nothing else each.row_basis,
                bytes=each.bytes,
                spared=tuple(spared),
            )
        )
        if each.kind == "schema":
            self._edge(
                self.database, key, (*DROPS, Event.DESTROY), Does.DESTROYS, _IN_IT, Event.DESTROY
            )
        elif each.owner is None:
            self._edge(
                container, key, (Event.DROP_CASCADE, Event.DESTROY), Does.DESTROYS, _IN_IT, "same"
            )
            self._edge(container, key, (Event.DROP,), Does.REFUSES, _NOT_EMPTY, None)
        else:
            self._edge(container, key, (Event.DESTROY,), Does.DESTROYS, _PART_OF_IT, "same")

    def _add_dependency(self, each: Dependency) -> None:
        source, target = self.keys.get(each.on), self.keys.get(each.ref)
        if source is None or target is None or source == target:
            return
        what = self.by_ref[each.ref]
        words = f"{what.kind.replace('_', ' ')} `{what.id}`"
        if each.automatic:
            self._edge(source, target, DROPS, Does.DESTROYS, f"{words} is a part of it", "same")
        else:
            on = (Event.DROP_CASCADE,)
            self._edge(source, target, on, Does.DESTROYS, f"{words} depends on it", "same")
            why = f"{words} depends on it, and DROP without CASCADE stops at dependents"
            self._edge(source, target, (Event.DROP,), Does.REFUSES, why, None)

    def _add_foreign_key(self, each: ForeignKey) -> None:
        parent, child = self.keys.get(each.parent), self.keys.get(each.child)
        if parent is None or child is None:
            self.found.problems.append(f"foreign key `{each.name}` names a table nobody describes")
            return
        name = f"foreign key `{each.name}`"
        why = f"{name} ON DELETE {each.on_delete.upper()}"
        is_own = parent == child
        if (each.parent, Event.DELETE) not in self.replaced:
            match each.on_delete:
                case "cascade" if not is_own:
                    self._edge(parent, child, _DELETE, Does.DESTROYS, why, Event.DELETE, each.share)
                case "set null" | "set default" if not is_own:
                    self._edge(parent, child, _DELETE, Does.ORPHANS, why, Event.UPDATE, each.share)
                case "no action" | "restrict":
                    why = f"{name} refers to it ON DELETE {each.on_delete.upper()}"
                    self._edge(parent, child, _DELETE, Does.REFUSES, why, None, each.share)
                case _:
                    pass
        if (each.parent, Event.UPDATE) not in self.replaced and not is_own:
            why = f"{name} ON UPDATE {each.on_update.upper()}, if the key changes"
            if each.on_update in ("cascade", "set null", "set default"):
                does = Does.CHANGES if each.on_update == "cascade" else Does.ORPHANS
                self._edge(parent, child, _UPDATE, does, why, Event.UPDATE, each.share, False)
        if not is_own:
            why = f"{name}; TRUNCATE … CASCADE ignores its ON DELETE {each.on_delete.upper()}"
            on = (Event.TRUNCATE_CASCADE,)
            self._edge(parent, child, on, Does.DESTROYS, why, Event.TRUNCATE_CASCADE)
            why = f"{name} refers to it, and TRUNCATE without CASCADE takes no table that others refer to"
            self._edge(parent, child, (Event.TRUNCATE,), Does.REFUSES, why, None)
        # The key of a partition is no object of its own here.
        constraint = self.keys.get(each.constraint or "", parent)
        if not is_own:
            why = f"{name} is dropped, so its rows may refer to nothing"
            self._edge(constraint, child, (Event.DROP_CASCADE,), Does.ORPHANS, why, None)

    def _add_inheritance(self, each: Inheritance) -> None:
        parent, child = self.keys.get(each.parent), self.keys.get(each.child)
        if parent is None or child is None:
            return
        word = "a partition of it" if each.is_partition else "a child table, whose rows it shows"
        on = (Event.DELETE, Event.TRUNCATE, Event.TRUNCATE_CASCADE)
        self._edge(parent, child, on, Does.DESTROYS, f"is {word}", "same")
        self._edge(parent, child, _UPDATE, Does.CHANGES, f"is {word}", "same")

    def _add_updatable(self, each: Updatable) -> None:
        view, table = self.keys.get(each.view), self.keys.get(each.table)
        if view is None or table is None:
            return
        why = "the view passes on what is written through it"
        if (each.view, Event.DELETE) not in self.replaced:
            self._edge(view, table, _DELETE, Does.DESTROYS, why, "same")
        if (each.view, Event.UPDATE) not in self.replaced:
            self._edge(view, table, _UPDATE, Does.CHANGES, why, "same")

    def _add_reaction(self, each: Reaction) -> None:
        table = self.keys.get(each.table)
        if table is None:
            return
        for write in each.writes:
            target = self._written(write)
            if target is None:
                reason = f"{each.name} writes `{write.table}`, which is not in the catalog"
                self._unread(each, table, reason)
                continue
            on = (each.event,)
            why = f"{each.name} {_WORDS[write.event]} it"
            does = Does.CHANGES if write.event in (Event.INSERT, Event.UPDATE) else Does.DESTROYS
            certain = each.certain and write.certain
            self._edge(table, target, on, does, why, write.event, certain=certain)
        if each.unread is not None:
            self._unread(
                each, table, f"{each.name} runs code that could not be read: {each.unread}"
            )

    def _written(self, write: Write) -> str | None:
        ref = self.by_id.get(write.table)
        if ref is None:
            # A body names tables by the search path of whoever fires it.
            others = self.by_name.get(write.table.rpartition(".")[2], [])
            ref = others[0] if len(others) == 1 else None
        return None if ref is None else self.keys[ref]

    def _unread(self, each: Reaction, table: str, reason: str) -> None:
        key = f"{self.source}:unread:{self.by_ref[each.table].id}:{each.name}"[:1000]
        self.found.resources.append(
            Resource(
                key=key,
                type="Unread",
                id=key,
                name=each.name[:1000],
                kind="postgres.code",
                source=self.source,
                criticality=Risk.HIGH,
                container=self.database,
            )
        )
        self._edge(table, key, (each.event,), Does.CHANGES, reason, Event.UNKNOWN, certain=False)

    def _edge(
        self,
        source: str,
        target: str,
        on: tuple[Event, ...],
        does: Does,
        why: str,
        then: Event | str | None,
        share: float = 1.0,
        certain: bool = True,
    ) -> None:
        edge = Edge(source, target, on, does, why[:1000], None, share, certain)
        self.found.edges.append(replace(edge, then=then))  # type: ignore[arg-type]


_SPARABLE = (Event.DELETE, Event.UPDATE, Event.INSERT)
_DELETE = (Event.DELETE,)
_UPDATE = (Event.UPDATE,)
_IN_IT = "is in it"
_PART_OF_IT = "is a part of it"
_NOT_EMPTY = "is in it, and DROP without CASCADE stops at what is not empty"
_WORDS = {
    Event.INSERT: "adds rows to",
    Event.UPDATE: "changes rows of",
    Event.DELETE: "deletes rows of",
    Event.TRUNCATE: "empties",
    Event.TRUNCATE_CASCADE: "empties",
    Event.DROP: "drops",
    Event.DROP_CASCADE: "drops",
}


def with_partitions(
    keys: Iterable[ForeignKey], inheritances: Iterable[Inheritance]
) -> Iterator[ForeignKey]:
    """Every key, and for each partition of a table it refers to the key again, as PostgreSQL keeps it."""
    partitions: dict[str, list[str]] = {}
    for each in inheritances:
        if each.is_partition:
            partitions.setdefault(each.parent, []).append(each.child)

    def below(table: str, depth: int = 0) -> Iterator[str]:
        for child in partitions.get(table, ()) if depth < 100 else ():
            yield child
            yield from below(child, depth + 1)

    for key in keys:
        yield key
        for child in below(key.parent):
            yield replace(key, parent=child, constraint=None)
