"""Where harm starts: what each change does to which resource of the graph, and what the graph does not know."""

from dataclasses import dataclass

from .graph import Event, Graph
from .model import Asset, Change, Effect, Plan, RowBasis, Selector


@dataclass(frozen=True, slots=True)
class Root:
    """What happens to a resource because a change says so; `partial` when only a part of it is lost."""

    key: str
    event: Event
    partial: bool
    rows: int | None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A change that speaks of what the graph does not know."""

    change: Change
    key: str
    reason: str
    container: str | None
    may_reach: int


def roots_of(
    plan: Plan, graph: Graph
) -> tuple[dict[Root, list[Change]], list[Unmapped], dict[str, Event | None]]:
    """Where the harm starts, and what the graph does not know."""
    roots: dict[Root, list[Change]] = {}
    unmapped: list[Unmapped] = []
    events: dict[str, Event | None] = {}
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    sizes: dict[str | None, int] = {None: len(graph.resources)}
    for change in plan.changes:
        event = events[change.id] = event_of(change)
        if event is None:
            continue
        asset = change.resource
        name = (asset.type, asset.id)
        if name not in known:
            known[name] = _mapped(graph, asset)
        keys = known[name]
        if event is Event.INSERT and change.effect is Effect.CREATE:
            # New rows matter where they set something off.
            keys = tuple(key for key in keys if _reacts(graph, key, event))
            if not keys:
                events[change.id] = None
                continue
        for key in keys:
            partial = is_partial(change)
            counted = partial or event in (Event.UPDATE, Event.INSERT)
            basis = None if change.row_basis is RowBasis.ESTIMATED else change.rows
            root = Root(key, event, partial, basis if counted else None)
            roots.setdefault(root, []).append(change)
        is_open = event is Event.UNKNOWN and change.action.startswith("sql.")
        if keys and not is_open:
            continue
        # Code that could not be read may reach all of its database, wherever it is kept.
        container = _container_of(graph, change)
        if container not in sizes:
            sizes[container] = sum(1 for _ in graph.content(container or ""))
        key = keys[0] if keys else f"unmapped:{asset.type}:{asset.id}"
        unmapped.append(Unmapped(change, key, _reason(change, keys), container, sizes[container]))
    return roots, unmapped, events


_ACTION_EVENTS = {
    "sql.delete": Event.DELETE,
    "sql.merge": Event.DELETE,
    "sql.truncate": Event.TRUNCATE,
    "sql.drop": Event.DROP,
}
_INSERTS = ("sql.insert", "sql.copy_in")
_REMOVALS = frozenset(
    {
        "terraform.delete",
        "terraform.delete_then_create",
        "terraform.create_then_delete",
        "kubernetes.delete",
        "kubernetes.delete_collection",
        "kubernetes.replace",
        "kubernetes.finalize",
    }
)
"""Actions after which the resource is gone, whatever its loss is called."""
_HARMLESS = (Effect.READ, Effect.CREATE, Effect.ESCALATE)


def event_of(change: Change) -> Event | None:
    """What happens to the asset of a change; `None` when nothing can be lost through it."""
    operation = (change.operation or "").upper()
    event = _ACTION_EVENTS.get(change.action)
    if event is Event.TRUNCATE and change.resource.type == "Unread" and "CASCADE" in operation:
        # What refers to the emptied tables is reached from these, which are changes of their own.
        return None
    if change.opaque is not None or change.effect in (Effect.UNKNOWN, Effect.EXECUTE):
        return Event.UNKNOWN
    if change.action in _INSERTS and change.effect is Effect.CREATE:
        return Event.INSERT
    if change.effect in _HARMLESS or change.selector is Selector.NONE:
        return None
    if change.action in _REMOVALS:
        return Event.ORPHAN if operation.endswith("(ORPHAN)") else Event.DESTROY
    if event is not None and change.effect is Effect.UPDATE and change.resource.stateful:
        # What the plan itself made, or what is known to be empty.
        return None
    if event is not None and change.action == "sql.drop" and operation.startswith("ALTER "):
        # What depends on a column or a constraint goes as it goes with the whole.
        return Event.DROP_CASCADE if "CASCADE" in operation else Event.UPDATE
    if event in (Event.TRUNCATE, Event.DROP) and "CASCADE" in operation:
        return Event.TRUNCATE_CASCADE if event is Event.TRUNCATE else Event.DROP_CASCADE
    if event is not None and change.effect is not Effect.DISARM:
        return event
    match change.effect:
        case Effect.DISARM:
            return event or Event.DISARM
        case Effect.UPDATE:
            return Event.UPDATE
        case _ if change.action.startswith("sql."):
            return Event.UPDATE if change.action == "sql.alter" else Event.DELETE
        case _:
            return Event.DESTROY


def is_partial(change: Change) -> bool:
    """Whether only a part of the asset is lost: some rows, one column."""
    if change.action == "sql.drop":
        return (change.operation or "").upper().startswith("ALTER ")
    if change.action in ("sql.delete", "sql.merge"):
        return change.selector in (Selector.ONE, Selector.SOME)
    return change.action == "sql.alter"


def _reacts(graph: Graph, key: str, event: Event) -> bool:
    return any(event in edge.on for edge in graph.edges_from(key))


def _reason(change: Change, keys: tuple[str, ...]) -> str:
    asset = change.resource
    if keys or asset.type == "Unread":
        return f"what it reaches could not be read: {change.opaque or change.summary}"
    return f"no asset of the graph is `{asset.type}::{asset.id}`"


def _mapped(graph: Graph, asset: Asset) -> tuple[str, ...]:
    if asset.type == "Database" and asset.id in ("current", "*"):
        return graph.of_type("Database")
    if asset.type == "Unread" and asset.kind.endswith(".unread"):
        return ()
    return graph.named(asset.type, asset.id)


_IN_A_DATABASE = frozenset({"Table", "View", "Schema", "Routine", "DatabaseObject", "Role"})


def _container_of(graph: Graph, change: Change) -> str | None:
    """The smallest known thing that an unknown asset is in, when there is only one."""
    asset = change.resource
    if asset.type == "KubernetesResource" and "/" in asset.id:
        spaces = graph.named(asset.type, f"Namespace/{asset.id.split('/')[1]}")
        return spaces[0] if len(spaces) == 1 else None
    if not change.action.startswith("sql.") and asset.type not in _IN_A_DATABASE:
        return None
    schemas = graph.named("Schema", asset.id.partition(".")[0])
    if len(schemas) == 1 and "." in asset.id and change.opaque is None:
        return schemas[0]
    databases = graph.of_type("Database")
    return databases[0] if len(databases) == 1 else None
