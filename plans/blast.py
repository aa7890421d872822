"""The blast radius of a plan: all that its changes reach in the resource graph, by which path, and what comes back.

Nothing is skipped: a change whose asset is not in the graph counts as reached itself, and what may be around it
is counted in `at_most`. The clock is handed in, so the same plan, graph and moment give the same radius.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .blast_score import Fate, Score, score_of
from .graph import GOING, ROW_EVENTS, Does, Edge, Event, Graph, Resource, WayBack
from .model import Asset, Change, Effect, Plan, RowBasis, Selector

MAX_AGE = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=5)
MAX_STOPPED = 500
MAX_STEPS = 2_000_000
"""How many steps the radii of single changes may take; beyond, each counts as the whole plan's."""


class Harm(StrEnum):
    """What happens to an asset, from the worst down."""

    UNKNOWN = "unknown"
    DESTROYED = "destroyed"
    CHANGED = "changed"
    ORPHANED = "orphaned"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Reached:
    """One asset of the radius, with the steps that lead to it from a root."""

    resource: Resource
    event: Event
    harm: Harm
    fate: Fate
    changes: tuple[str, ...]
    """The changes at the root of the path."""
    because: str
    rows: int | None
    """How many rows are reached at most, `None` when that is not known or it has none."""
    rows_lost: int | None
    way_back: WayBack | None
    score: Score
    is_root: bool
    is_certain: bool
    is_unmapped: bool = False
    trail: "_Step | None" = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> tuple[Edge, ...]:
        """The edges from a root to here."""
        return () if self.trail is None else _path(self.trail)

    @property
    def depth(self) -> int:
        return 0 if self.trail is None else self.trail.depth

    @property
    def via(self) -> Edge | None:
        """The last edge of the path."""
        return None if self.trail is None else self.trail.edge

    @property
    def is_without_recovery(self) -> bool:
        return self.resource.stateful and self.fate in (Fate.LOST, Fate.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A change that speaks of what the graph does not know."""

    change: Change
    key: str
    reason: str
    container: str | None
    may_reach: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edge that makes a statement fail as long as it stands."""

    change: str
    edge: Edge
    is_certain: bool


@dataclass(frozen=True, slots=True)
class RecoveryLost:
    """An asset whose every way back goes along with it."""

    changes: tuple[str, ...]
    resource: Resource
    ways: tuple[WayBack, ...]


@dataclass(frozen=True, slots=True)
class OfChange:
    """The radius of one change alone."""

    event: Event | None
    roots: tuple[str, ...]
    reached: frozenset[str]
    at_most: int


@dataclass(frozen=True, slots=True)
class Radius:
    """What a plan reaches; `reached` has the heaviest asset first."""

    plan: Plan
    graph: Graph
    now: datetime
    max_age: timedelta
    reached: tuple[Reached, ...]
    edges: tuple[tuple[Edge, Event], ...]
    """Every edge along which harm goes, with the event that it carries."""
    stopped: tuple[tuple[Edge, Event], ...]
    refusals: tuple[Refusal, ...]
    unmapped: tuple[Unmapped, ...]
    recovery: tuple[RecoveryLost, ...]
    of_change: dict[str, OfChange]
    at_most: int
    notes: tuple[str, ...]
    by_key: dict[str, Reached] = field(default_factory=dict, repr=False)

    @property
    def age(self) -> timedelta | None:
        return self.graph.age(self.now)

    @property
    def is_stale(self) -> bool:
        age = self.age
        return age is None or age > self.max_age or age < -CLOCK_SKEW

    @property
    def score(self) -> int:
        return total(self.reached)

    @property
    def back_within(self) -> timedelta | None:
        """The longest time that something needs to come back, where every time is known."""
        ways = [each.way_back for each in self.reached if each.way_back is not None]
        if not ways or any(way.within is None for way in ways):
            return None
        return timedelta(seconds=max(way.within or 0 for way in ways))

    def count(self, *kinds: Harm | Fate) -> int:
        return sum(each.harm in kinds or each.fate in kinds for each in self.reached)


def total(reached: Iterable[Reached]) -> int:
    """The points of assets together, rounded up."""
    return math.ceil(round(sum(each.score.points for each in reached), 6))


def radius(plan: Plan, graph: Graph, now: datetime, max_age: timedelta = MAX_AGE) -> Radius:
    """Everything the changes of the plan reach."""
    roots, unmapped, events = _roots(plan, graph)
    spread = _spread(graph, roots)
    gone = {
        key
        for key, step in spread.best.items()
        if step.harm in (Harm.DESTROYED, Harm.UNKNOWN)
        or (step.harm is Harm.CHANGED and step.event in GOING)
    }
    reached = [_judged(graph, plan.environment, step, roots, gone) for step in spread.best.values()]
    reached += [_unmapped_asset(plan.environment, each) for each in _by_key(unmapped)]
    unmapped += _unread_code(graph, spread, roots)
    reached.sort(key=lambda each: (-each.score.points, each.depth, each.resource.key))
    by_key = {each.resource.key: each for each in reached}
    around = _around(graph, unmapped, by_key)
    result = Radius(
        plan=plan,
        graph=graph,
        now=now,
        max_age=max_age,
        reached=tuple(reached),
        edges=tuple(spread.edges),
        stopped=tuple(each for each in spread.stopped if each[0].target not in by_key),
        refusals=tuple(_refusals(graph, spread, roots)),
        unmapped=tuple(unmapped),
        recovery=tuple(_recovery_lost(graph, reached, gone)),
        of_change={},
        at_most=around,
        notes=(),
        by_key=by_key,
    )
    notes = list(_notes(result))
    result.of_change.update(_of_changes(result, roots, events, notes))
    object.__setattr__(result, "notes", tuple(notes))
    return result


# What the changes do


_ACTION_EVENTS = {
    "sql.delete": Event.DELETE,
    "sql.merge": Event.DELETE,
    "sql.truncate": Event.TRUNCATE,
    "sql.drop": Event.DROP,
}
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
    if change.effect in _HARMLESS or change.selector is Selector.NONE:
        return None
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
            return Event.ORPHAN if "ORPHAN" in operation else Event.DESTROY


def _is_partial(change: Change) -> bool:
    """Whether only a part of the asset is lost: some rows, one column."""
    if change.action == "sql.drop":
        return (change.operation or "").upper().startswith("ALTER ")
    if change.action in ("sql.delete", "sql.merge"):
        return change.selector in (Selector.ONE, Selector.SOME)
    return change.action == "sql.alter"


@dataclass(frozen=True, slots=True)
class _Root:
    key: str
    event: Event
    partial: bool
    rows: int | None


def _roots(
    plan: Plan, graph: Graph
) -> tuple[dict[_Root, list[Change]], list[Unmapped], dict[str, Event | None]]:
    """Where the harm starts, and what the graph does not know."""
    roots: dict[_Root, list[Change]] = {}
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
        for key in known[name]:
            partial = _is_partial(change)
            basis = None if change.row_basis is RowBasis.ESTIMATED else change.rows
            root = _Root(key, event, partial, basis if partial else None)
            roots.setdefault(root, []).append(change)
        if not known[name]:
            container = _container_of(graph, asset)
            if container not in sizes:
                sizes[container] = sum(1 for _ in graph.content(container or ""))
            unmapped.append(
                Unmapped(
                    change,
                    f"unmapped:{asset.type}:{asset.id}",
                    _reason(change),
                    container,
                    sizes[container],
                )
            )
    return roots, unmapped, events


def _unread_code(
    graph: Graph, spread: "_Spread", roots: dict[_Root, list[Change]]
) -> Iterator[Unmapped]:
    """Code that runs on the way and could not be read: it is in the graph, but what it reaches is not."""
    for step in spread.best.values():
        if step.edge is not None and step.edge.then is Event.UNKNOWN:
            container = graph.resources[step.key].container
            size = sum(1 for _ in graph.content(container or ""))
            yield Unmapped(roots[step.root][0], step.key, step.edge.why, container, size)


def _reason(change: Change) -> str:
    asset = change.resource
    if asset.type == "Unread":
        return f"what could not be read cannot be found in the graph: {change.opaque}"
    return f"no asset of the graph is `{asset.type}::{asset.id}`"


def _mapped(graph: Graph, asset: Asset) -> tuple[str, ...]:
    if asset.type == "Database" and asset.id in ("current", "*"):
        return graph.of_type("Database")
    if asset.type == "Unread" and asset.kind.endswith(".unread"):
        return ()
    return graph.named(asset.type, asset.id)


_IN_A_DATABASE = frozenset({"Table", "View", "Schema", "Routine", "DatabaseObject", "Role"})


def _container_of(graph: Graph, asset: Asset) -> str | None:
    """The smallest known thing that an unknown asset is in, when there is only one."""
    if asset.type not in _IN_A_DATABASE:
        return None
    schemas = graph.named("Schema", asset.id.partition(".")[0])
    if len(schemas) == 1 and "." in asset.id:
        return schemas[0]
    databases = graph.of_type("Database")
    return databases[0] if len(databases) == 1 else None


# How the harm spreads


@dataclass(slots=True)
class _Step:
    """A resource and what happens to it; `before` leads back to the root."""

    key: str
    event: Event
    partial: bool
    harm: Harm
    root: _Root
    edge: Edge | None
    before: "_Step | None"
    certain: bool
    share: float
    ends: bool = False
    """Nothing goes on from here."""
    depth: int = 0


@dataclass(slots=True)
class _Spread:
    best: dict[str, _Step] = field(default_factory=dict)
    edges: list[tuple[Edge, Event]] = field(default_factory=list)
    stopped: list[tuple[Edge, Event]] = field(default_factory=list)
    refused: list[tuple[Edge, _Step]] = field(default_factory=list)
    steps: int = 0


_HARMS = {
    Does.DESTROYS: Harm.DESTROYED,
    Does.CHANGES: Harm.CHANGED,
    Does.ORPHANS: Harm.ORPHANED,
    Does.DISABLES: Harm.DISABLED,
}
_ORDER = {harm: number for number, harm in enumerate(Harm)}


def _spread(graph: Graph, roots: Iterable[_Root], limit: int | None = None) -> _Spread:
    """Breadth first, what is lost whole before what is lost in part, so that paths are short and the worst stays."""
    spread = _Spread()
    seen: set[tuple[str, Event]] = set()
    ordered = sorted(roots, key=lambda root: (root.partial, root.event is not Event.UNKNOWN))
    later: list[_Step] = []
    waiting: deque[_Step] = deque()
    for root in ordered:
        resource = graph.resources[root.key]
        harm = _root_harm(root)
        certain = root.event is not Event.UNKNOWN
        step = _Step(root.key, root.event, root.partial, harm, root, None, None, certain, 1.0)
        if root.event in resource.spared:
            step.harm = Harm.CHANGED
        (later if root.partial else waiting).append(step)
    while waiting or later:
        if not waiting:
            waiting.extend(later)
            later.clear()
        step = waiting.popleft()
        _note(spread, step)
        if step.ends or (step.key, step.event) in seen:
            continue
        seen.add((step.key, step.event))
        for edge in graph.edges_from(step.key):
            if step.event not in edge.on and step.event is not Event.UNKNOWN:
                continue
            spread.steps += 1
            if limit is not None and spread.steps > limit:
                return spread
            if edge.does is Does.REFUSES:
                spread.refused.append((edge, step))
            elif edge.does is Does.NONE:
                if len(spread.stopped) < MAX_STOPPED:
                    spread.stopped.append((edge, step.event))
            else:
                spread.edges.append((edge, step.event))
                after = _after(graph, step, edge)
                (later if after.partial and not step.partial else waiting).append(after)
    return spread


def _root_harm(root: _Root) -> Harm:
    if root.event is Event.UNKNOWN:
        return Harm.UNKNOWN
    if root.event is Event.DISARM:
        return Harm.DISABLED
    if root.event in (Event.UPDATE, Event.INSERT) or root.partial:
        return Harm.CHANGED
    return Harm.DESTROYED


def _after(graph: Graph, step: _Step, edge: Edge) -> _Step:
    target = graph.resources[edge.target]
    event = edge.passes(step.event)
    harm = _HARMS[edge.does]
    by_rows = event in ROW_EVENTS or event in (Event.UPDATE, Event.INSERT)
    partial = (step.partial and target.stateful) or (by_rows and edge.share < 1)
    if step.event is Event.UNKNOWN or event is Event.UNKNOWN:
        harm = Harm.UNKNOWN
    elif partial and harm is Harm.DESTROYED and target.stateful:
        harm = Harm.CHANGED
    if event in target.spared and harm is Harm.DESTROYED:
        harm = Harm.CHANGED
    return _Step(
        edge.target,
        event or step.event,
        partial,
        harm,
        step.root,
        edge,
        step,
        step.certain and edge.certain,
        edge.share if by_rows else 1.0,
        event is None,
        step.depth + 1,
    )


def _note(spread: _Spread, step: _Step) -> None:
    """Keeps the worst that happens to a resource; of equals the first, which has the shortest path."""
    known = spread.best.get(step.key)
    if known is None or _rank(step) < _rank(known):
        spread.best[step.key] = step


def _rank(step: _Step) -> tuple[int, bool]:
    # Of two ways to be changed, losing rows is worse than gaining or changing them.
    return (_ORDER[step.harm], step.event not in GOING)


def _path(step: _Step) -> tuple[Edge, ...]:
    edges = []
    while step.before is not None and step.edge is not None:
        edges.append(step.edge)
        step = step.before
    return tuple(reversed(edges))


# What becomes of it


def _judged(
    graph: Graph,
    environment: str,
    step: _Step,
    roots: dict[_Root, list[Change]],
    gone: set[str],
) -> Reached:
    resource = graph.resources[step.key]
    spared = step.event in resource.spared
    rows = _rows_reached(resource, step)
    loses = step.event in GOING and step.harm in (Harm.DESTROYED, Harm.CHANGED) and not spared
    way = _way_back(graph, resource, gone) if loses else None
    fate = _fate(resource, step, loses, way)
    changes = tuple(change.id for change in roots[step.root])
    because = roots[step.root][0].summary if step.edge is None else step.edge.why
    return Reached(
        resource=resource,
        event=step.event,
        harm=step.harm,
        fate=fate,
        changes=changes,
        because=because,
        rows=rows,
        rows_lost=rows if loses or step.harm is Harm.UNKNOWN else 0,
        way_back=way if fate is Fate.RETURNS else None,
        score=score_of(resource, environment, fate, way, rows),
        is_root=step.edge is None,
        is_certain=step.certain,
        trail=step,
    )


def _rows_reached(resource: Resource, step: _Step) -> int | None:
    if step.event in resource.spared or (step.edge is not None and step.event is Event.INSERT):
        return 0
    if resource.rows is None:
        return step.root.rows if step.edge is None else None
    if step.edge is None and step.root.rows is not None:
        return min(step.root.rows, resource.rows)
    return math.ceil(resource.rows * step.share)


def _fate(resource: Resource, step: _Step, loses: bool, way: WayBack | None) -> Fate:
    if step.harm is Harm.UNKNOWN:
        return Fate.UNDECIDED
    if not loses:
        return Fate.KEPT
    if resource.rows == 0 and resource.row_basis is RowBasis.EXACT:
        return Fate.RECREATED
    if not (resource.stateful or resource.recovery):
        return Fate.RECREATED
    return Fate.LOST if way is None else Fate.RETURNS


def _way_back(graph: Graph, resource: Resource, gone: set[str]) -> WayBack | None:
    """The best way back outside the radius: one with a known time, the shortest, a tested one."""
    ways = [way for way in graph.ways_back(resource.key) if _stays(graph, way, gone)]
    return min(
        ways,
        key=lambda way: (way.within is None, way.within or 0, way.tested_at is None),
        default=None,
    )


def _stays(graph: Graph, way: WayBack, gone: set[str]) -> bool:
    return way.recovery not in gone


def _recovery_lost(
    graph: Graph, reached: Iterable[Reached], gone: set[str]
) -> Iterator[RecoveryLost]:
    """The recovery check: what had a way back in the graph, and keeps none outside the radius."""
    steps = {each.resource.key: each for each in reached}
    for each in reached:
        if not each.resource.stateful or each.is_unmapped or each.fate is not Fate.LOST:
            continue
        ways = tuple({way.recovery: way for way in graph.ways_back(each.resource.key)}.values())
        if ways and not any(_stays(graph, way, gone) for way in ways):
            takers = [steps[way.recovery].changes for way in ways if way.recovery in steps]
            changes = dict.fromkeys(change for taker in takers for change in taker)
            yield RecoveryLost(tuple(changes), each.resource, ways)


def _by_key(unmapped: Iterable[Unmapped]) -> Iterator[list[Unmapped]]:
    groups: dict[str, list[Unmapped]] = {}
    for each in unmapped:
        groups.setdefault(each.key, []).append(each)
    yield from groups.values()


def _unmapped_asset(environment: str, group: list[Unmapped]) -> Reached:
    """What the graph does not know, with the worst assumed of what is not known."""
    first = group[0]
    asset = first.change.resource
    event = event_of(first.change) or Event.UNKNOWN
    events = {event_of(each.change) for each in group}
    resource = Resource(
        key=first.key,
        type=asset.type,
        id=asset.id[:1000],
        name=asset.name[:1000],
        kind=asset.kind[:1000],
        source="plan",
        stateful=asset.stateful or asset.type == "Unread",
        recovery=asset.recovery,
        protected=asset.protected,
        criticality=asset.criticality,
        container=first.container,
    )
    mild = events <= {Event.UPDATE, Event.INSERT, Event.DISARM}
    harm = Harm.UNKNOWN
    if mild:
        harm = Harm.DISABLED if events == {Event.DISARM} else Harm.CHANGED
    elif Event.UNKNOWN not in events:
        is_partial = all(_is_partial(each.change) for each in group)
        harm = Harm.CHANGED if is_partial else Harm.DESTROYED
    fate = Fate.KEPT if mild else Fate.UNDECIDED
    if not mild and not resource.stateful and not resource.recovery and harm is Harm.DESTROYED:
        fate = Fate.RECREATED
    return Reached(
        resource=resource,
        event=event,
        harm=harm,
        fate=fate,
        changes=tuple(each.change.id for each in group),
        because=first.reason,
        rows=None,
        rows_lost=0 if mild else None,
        way_back=None,
        score=score_of(resource, environment, fate, None, None),
        is_root=True,
        is_certain=False,
        is_unmapped=True,
    )


def _around(graph: Graph, unmapped: Iterable[Unmapped], reached: dict[str, Reached]) -> int:
    """How many assets are reached when what is not mapped reaches everything around it."""
    containers = {each.container for each in unmapped}
    keys = set(reached)
    if None in containers:
        keys |= graph.resources.keys()
    else:
        for container in containers:
            keys.update(graph.content(container or ""))
    return len(keys)


def _refusals(graph: Graph, spread: _Spread, roots: dict[_Root, list[Change]]) -> Iterator[Refusal]:
    for edge, step in spread.refused:
        target = graph.resources[edge.target]
        taken = spread.best.get(edge.target)
        by_rows = step.event is Event.DELETE
        is_emptied = taken is not None and _is_emptied(taken, step, roots)
        # What goes by a cascade may go before the database looks, or after.
        is_root = taken is not None and taken.edge is None
        if is_emptied and (not by_rows or edge.target == edge.source or is_root):
            continue
        if by_rows and target.rows == 0 and target.row_basis is RowBasis.EXACT:
            continue
        has_rows = bool(target.rows) and target.row_basis is not None
        certain = edge.certain and step.certain and not step.partial
        if by_rows:
            certain = certain and has_rows and edge.share > 0 and taken is None
        for change in roots[step.root]:
            yield Refusal(change.id, edge, certain)


def _is_emptied(taken: _Step, step: _Step, roots: dict[_Root, list[Change]]) -> bool:
    """Whether what would refuse goes in time: by the same statement, or by one before it."""
    if taken.harm is not Harm.DESTROYED or not taken.certain:
        return False
    if step.event is Event.DELETE:
        return taken.event in GOING
    if step.event is Event.TRUNCATE and taken.event is Event.TRUNCATE:
        ours, theirs = roots[step.root][0].source, roots[taken.root][0].source
        return (ours.file, ours.line, ours.column) == (theirs.file, theirs.line, theirs.column)
    return taken.event in (Event.DROP, Event.DROP_CASCADE, Event.DESTROY)


# Each change alone


def _of_changes(
    result: Radius,
    roots: dict[_Root, list[Change]],
    events: dict[str, Event | None],
    notes: list[str],
) -> dict[str, OfChange]:
    own: dict[str, list[_Root]] = {}
    for root, changes in roots.items():
        for change in changes:
            own.setdefault(change.id, []).append(root)
    lost = {each.change.id: each for each in result.unmapped}
    found: dict[frozenset[_Root], frozenset[str]] = {}
    left = MAX_STEPS
    answers = {}
    for change in result.plan.changes:
        group = frozenset(own.get(change.id, ()))
        if group not in found:
            if len(roots) <= 1 or left <= 0:
                found[group] = frozenset(
                    each.resource.key for each in result.reached if not each.is_unmapped
                )
            else:
                spread = _spread(result.graph, group, left)
                left -= spread.steps
                found[group] = frozenset(spread.best)
        reached = found[group] if group else frozenset()
        at_most = len(reached)
        if (unknown := lost.get(change.id)) is not None:
            reached |= {unknown.key}
            at_most = 1 + unknown.may_reach
        keys = tuple(dict.fromkeys(root.key for root in own.get(change.id, ())))
        answers[change.id] = OfChange(events[change.id], keys, reached, at_most)
    if left <= 0 and len(roots) > 1:
        notes.append("the plan is so large that some changes are counted with its whole radius")
    return answers


def _notes(result: Radius) -> Iterator[str]:
    age = result.age
    if age is None:
        yield "the graph is stale: it does not say when it was built"
    elif result.is_stale:
        hours = age / timedelta(hours=1)
        yield f"the graph is stale: it was built {hours:,.1f} hours before now"
    if result.graph.problems:
        yield f"the graph has {len(result.graph.problems):,} parts that could not be read"
    if any(each.resource.row_basis is RowBasis.ESTIMATED for each in result.reached):
        yield "some numbers of rows are the planner's estimates"
    if result.unmapped:
        yield "what is not in the graph may reach more than is shown"
