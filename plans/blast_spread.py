"""How harm spreads: breadth first along the edges of the graph, keeping the worst that happens to each resource."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from .blast_roots import Root
from .graph import GOING, ROW_EVENTS, Does, Edge, Event, Graph

MAX_STOPPED = 500


class Harm(StrEnum):
    """What happens to an asset, from the worst down."""

    UNKNOWN = "unknown"
    DESTROYED = "destroyed"
    CHANGED = "changed"
    ORPHANED = "orphaned"
    DISABLED = "disabled"


@dataclass(slots=True)
class Step:
    """A resource and what happens to it; `before` leads back to the root."""

    key: str
    event: Event
    partial: bool
    harm: Harm
    root: Root
    edge: Edge | None
    before: "Step | None"
    certain: bool
    share: float
    ends: bool = False
    """Nothing goes on from here."""
    depth: int = 0


@dataclass(slots=True)
class Spread:
    best: dict[str, Step] = field(default_factory=dict)
    edges: list[tuple[Edge, Event]] = field(default_factory=list)
    stopped: list[tuple[Edge, Event]] = field(default_factory=list)
    refused: list[tuple[Edge, Step]] = field(default_factory=list)
    steps: int = 0


def spread_from(graph: Graph, roots: Iterable[Root], limit: int | None = None) -> Spread:
    """Breadth first, what is lost whole before what is lost in part, so that paths are short and the worst stays."""
    spread = Spread()
    seen: set[tuple[str, Event]] = set()
    ordered = sorted(roots, key=lambda root: (root.partial, root.event is not Event.UNKNOWN))
    queued: set[tuple[object, ...]] = set()
    """What would be the same step again, by a path that is no shorter."""
    later: list[Step] = []
    waiting: deque[Step] = deque()
    for root in ordered:
        resource = graph.resources[root.key]
        harm = _root_harm(root)
        certain = root.event is not Event.UNKNOWN
        step = Step(root.key, root.event, root.partial, harm, root, None, None, certain, 1.0)
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
                if step.event is not Event.UNKNOWN:
                    spread.refused.append((edge, step))
            elif edge.does is Does.NONE:
                if len(spread.stopped) < MAX_STOPPED:
                    spread.stopped.append((edge, step.event))
            else:
                spread.edges.append((edge, step.event))
                certain = step.certain and edge.certain
                mark = (edge.target, edge.passes(step.event), edge.does, step.partial, certain)
                if edge.share == 1 and mark in queued:
                    continue
                queued.add(mark)
                after = _after(graph, step, edge)
                (later if after.partial and not step.partial else waiting).append(after)
    return spread


_HARMS = {
    Does.DESTROYS: Harm.DESTROYED,
    Does.CHANGES: Harm.CHANGED,
    Does.ORPHANS: Harm.ORPHANED,
    Does.DISABLES: Harm.DISABLED,
}
_ORDER = {harm: number for number, harm in enumerate(Harm)}


def _root_harm(root: Root) -> Harm:
    if root.event is Event.UNKNOWN:
        return Harm.UNKNOWN
    if root.event is Event.DISARM:
        return Harm.DISABLED
    if root.event in (Event.UPDATE, Event.INSERT) or root.partial:
        return Harm.CHANGED
    return Harm.DESTROYED


def _after(graph: Graph, step: Step, edge: Edge) -> Step:
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
    return Step(
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


def _note(spread: Spread, step: Step) -> None:
    """Keeps the worst that happens to a resource; of equals the first, which has the shortest path."""
    known = spread.best.get(step.key)
    if known is None or _rank(step) < _rank(known):
        spread.best[step.key] = step


def _rank(step: Step) -> tuple[int, bool, bool]:
    # Of two ways to be changed, losing rows is worse than gaining or changing them.
    return (_ORDER[step.harm], step.event not in GOING, not step.certain)


def path_of(step: Step) -> tuple[Edge, ...]:
    edges = []
    while step.before is not None and step.edge is not None:
        edges.append(step.edge)
        step = step.before
    return tuple(reversed(edges))
