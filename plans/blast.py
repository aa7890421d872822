"""The blast radius of a plan: all that its changes reach in the resource graph, by which path, and what comes back.

Nothing is skipped: a change whose asset is not in the graph counts as reached itself, and what may be around it
is counted in `at_most`. The clock is handed in, so the same plan, graph and moment give the same radius.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from .blast_roots import Root, Unmapped, event_of, is_partial, roots_of
from .blast_score import Fate, Score, score_of
from .blast_spread import Harm, Spread, Step, path_of, spread_from
from .graph import GOING, Edge, Event, Graph, Resource, WayBack, uncollected
from .model import Change, Plan, RowBasis

MAX_AGE = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=5)
MAX_STEPS = 500_000
"""How many steps the radii of single changes may take; beyond, each counts as the whole plan's."""


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
    trail: Step | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> tuple[Edge, ...]:
        """The edges from a root to here."""
        return () if self.trail is None else path_of(self.trail)

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
    of_change: Mapping[str, OfChange]
    at_most: int
    by_key: Mapping[str, Reached] = field(repr=False)
    is_coarse: bool
    """Whether some changes are counted with the radius of the whole plan, since there are too many."""

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

    @property
    def notes(self) -> tuple[str, ...]:
        """What somebody who reads the numbers should know."""
        return tuple(_notes(self))

    def count(self, *kinds: Harm | Fate) -> int:
        return sum(each.harm in kinds or each.fate in kinds for each in self.reached)


def total(reached: Iterable[Reached]) -> int:
    """The points of assets together, rounded up."""
    return math.ceil(round(sum(each.score.points for each in reached), 6))


def radius(plan: Plan, graph: Graph, now: datetime, max_age: timedelta = MAX_AGE) -> Radius:
    """Everything the changes of the plan reach."""
    with uncollected():
        return _radius(plan, graph, now, max_age)


def _radius(plan: Plan, graph: Graph, now: datetime, max_age: timedelta) -> Radius:
    roots, unmapped, events = roots_of(plan, graph)
    spread = spread_from(graph, roots)
    gone = {key for key, step in spread.best.items() if _is_gone(step)}
    reached = [_judged(graph, plan.environment, step, roots, gone) for step in spread.best.values()]
    missing = [each for each in unmapped if each.key not in spread.best]
    reached += [_unmapped_asset(plan.environment, each) for each in _by_key(missing)]
    unmapped += _unread_code(graph, spread, roots)
    reached.sort(key=lambda each: (-each.score.points, each.depth, each.resource.key))
    by_key = {each.resource.key: each for each in reached}
    of_change, is_coarse = _of_changes(plan, graph, frozenset(spread.best), unmapped, roots, events)
    return Radius(
        plan=plan,
        graph=graph,
        now=now,
        max_age=max_age,
        reached=tuple(reached),
        by_key=by_key,
        edges=tuple(spread.edges),
        stopped=tuple(each for each in spread.stopped if each[0].target not in by_key),
        refusals=tuple(_refusals(graph, spread, roots)),
        unmapped=tuple(unmapped),
        recovery=tuple(_recovery_lost(graph, reached, gone)),
        of_change=of_change,
        at_most=_around(graph, unmapped, by_key),
        is_coarse=is_coarse,
    )


def _is_gone(step: Step) -> bool:
    """Whether a way back that this happens to is none any more: it is lost, or surely of no use."""
    match step.harm:
        case Harm.DESTROYED | Harm.UNKNOWN:
            return True
        case Harm.CHANGED:
            return step.event in GOING
        case Harm.DISABLED:
            return step.certain
        case Harm.ORPHANED:
            return False
        case _:
            assert_never(step.harm)


def _unread_code(
    graph: Graph, spread: Spread, roots: Mapping[Root, list[Change]]
) -> Iterator[Unmapped]:
    """Code that runs on the way and could not be read: it is in the graph, but what it reaches is not."""
    for step in spread.best.values():
        if step.edge is not None and step.edge.then is Event.UNKNOWN:
            container = graph.resources[step.key].container
            size = sum(1 for _ in graph.content(container or ""))
            yield Unmapped(roots[step.root][0], step.key, step.edge.why, container, size)


# What becomes of it


def _judged(
    graph: Graph,
    environment: str,
    step: Step,
    roots: Mapping[Root, list[Change]],
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


def _rows_reached(resource: Resource, step: Step) -> int | None:
    if step.event in resource.spared or (step.edge is not None and step.event is Event.INSERT):
        return 0
    if resource.rows is None:
        return step.root.rows if step.edge is None else None
    if step.edge is None and step.root.rows is not None:
        return min(step.root.rows, resource.rows)
    return math.ceil(resource.rows * step.share)


def _fate(resource: Resource, step: Step, loses: bool, way: WayBack | None) -> Fate:
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
        is_part = all(is_partial(each.change) for each in group)
        harm = Harm.CHANGED if is_part else Harm.DESTROYED
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


def _refusals(
    graph: Graph, spread: Spread, roots: Mapping[Root, list[Change]]
) -> Iterator[Refusal]:
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
        certain = edge.certain and step.certain and not step.partial
        if by_rows:
            certain = certain and bool(target.rows) and edge.share > 0 and taken is None
        for change in roots[step.root]:
            yield Refusal(change.id, edge, certain)


def _is_emptied(taken: Step, step: Step, roots: Mapping[Root, list[Change]]) -> bool:
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
    plan: Plan,
    graph: Graph,
    whole: frozenset[str],
    unmapped: Iterable[Unmapped],
    roots: Mapping[Root, list[Change]],
    events: Mapping[str, Event | None],
) -> tuple[dict[str, OfChange], bool]:
    """The radius of each change, and whether some are counted with the `whole` one, for want of steps."""
    own: dict[str, list[Root]] = {}
    for root, changes in roots.items():
        for change in changes:
            own.setdefault(change.id, []).append(root)
    unknown: dict[str, list[Unmapped]] = {}
    for each in unmapped:
        unknown.setdefault(each.change.id, []).append(each)
    found: dict[frozenset[Root], frozenset[str]] = {frozenset(): frozenset()}
    left, is_coarse = MAX_STEPS, False
    answers = {}
    for change in plan.changes:
        group = frozenset(own.get(change.id, ()))
        if group not in found:
            found[group] = whole
            if len(roots) > 1:
                spread = spread_from(graph, group, left)
                left -= spread.steps
                is_coarse = is_coarse or left < 0
                found[group] = whole if left < 0 else frozenset(spread.best)
        reached = found[group]
        at_most = len(reached)
        for missing in unknown.get(change.id, ()):
            reached |= {missing.key}
            at_most += 1 + missing.may_reach
        keys = tuple(dict.fromkeys(root.key for root in own.get(change.id, ())))
        answers[change.id] = OfChange(events[change.id], keys, reached, at_most)
    return answers, is_coarse


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
    if result.is_coarse:
        yield "the plan is so large that some changes are counted with its whole radius"
    if result.unmapped:
        yield "what is not in the graph may reach more than is shown"
