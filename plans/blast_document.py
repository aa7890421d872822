"""A blast radius as JSON: what `interlock blast --format json` prints and the report is made of."""

from typing import Any

from .blast import Radius, Reached
from .blast_plan import of_changes, of_plan, recovery_changes
from .blast_score import Fate
from .blast_spread import Harm
from .graph import Edge, Graph, WayBack, utc
from .model import AssetBlast, Change
from .requests import is_production

VERSION = 1
MAX_PATH_STEPS = 2_000_000
"""Of all paths together; beyond, an asset has only the last edge of its path, in `via`."""


def document(radius: Radius, verdict: dict[str, Any] | None = None) -> dict[str, Any]:
    """The whole radius; `verdict` is what the gate decided about the same plan."""
    plan, graph = radius.plan, radius.graph
    on_paths = {each.via for each in radius.reached if each.via is not None}
    if spelled_out := sum(each.depth for each in radius.reached) <= MAX_PATH_STEPS:
        on_paths.update(edge for each in radius.reached for edge in each.path)
    numbers: dict[Edge, int] = {}
    edges: list[dict[str, Any]] = []
    for edge, event in radius.edges:
        if edge not in numbers:
            numbers[edge] = len(edges)
            edges.append(_edge(edge, str(event), edge in on_paths))
    age = radius.age
    by_change = of_changes(radius)
    return {
        "version": VERSION,
        "computed_at": utc(radius.now),
        "plan": {
            "digest": plan.digest,
            "environment": plan.environment,
            "production": is_production(plan.environment),
            "author": {"type": plan.author.type, "id": plan.author.id},
            "artifacts": [
                each.model_dump(mode="json", include={"kind", "file", "sha256"})
                for each in plan.artifacts
            ],
        },
        "graph": {
            "built_at": None if graph.built_at is None else utc(graph.built_at),
            "age": None if age is None else round(age.total_seconds()),
            "stale": radius.is_stale,
            "max_age": round(radius.max_age.total_seconds()),
            "assets": len(graph.resources),
            "edges": len(graph.edges()),
            "sources": [{"kind": each.kind, "name": each.name} for each in graph.sources],
        },
        "summary": summary(radius),
        "changes": [
            *(_change(radius, change, by_change.get(change.id)) for change in plan.changes),
            *(_derived(change) for change in recovery_changes(radius)),
        ],
        "assets": [_asset(graph, each, numbers, spelled_out) for each in radius.reached],
        "containers": _containers(radius),
        "edges": edges,
        "stopped": [
            {
                "source": edge.source,
                "target": edge.target,
                "target_name": graph.resources[edge.target].name,
                "on": str(event),
                "why": edge.why,
            }
            for edge, event in radius.stopped
        ],
        "refusals": [
            {
                "change": each.change,
                "source": each.edge.source,
                "target": each.edge.target,
                "target_name": graph.resources[each.edge.target].name,
                "why": each.edge.why,
                "certain": each.is_certain,
            }
            for each in radius.refusals
        ],
        "unmapped": [
            {
                "change": each.change.id,
                "type": each.change.resource.type,
                "id": each.change.resource.id,
                "key": each.key,
                "reason": each.reason,
                "container": each.container,
                "may_reach": each.may_reach,
            }
            for each in radius.unmapped
        ],
        "recovery": [
            {
                "change": change,
                "asset": each.resource.key,
                "asset_name": each.resource.name,
                "lost_ways": [
                    {"key": way.recovery, "name": graph.resources[way.recovery].name}
                    for way in each.ways
                ],
            }
            for each in radius.recovery
            for change in each.changes
        ],
        "notes": list(radius.notes),
        "verdict": verdict,
    }


def summary(radius: Radius) -> dict[str, Any]:
    """The radius in numbers."""
    blast = of_plan(radius)
    within = radius.back_within
    return {
        "assets": len(radius.reached),
        "at_most": radius.at_most,
        **{harm.value: radius.count(harm) for harm in Harm},
        "lost_for_good": radius.count(Fate.LOST),
        "returning": radius.count(Fate.RETURNS),
        "recreated": radius.count(Fate.RECREATED),
        "kept": radius.count(Fate.KEPT),
        "undecided": radius.count(Fate.UNDECIDED),
        "without_recovery": blast.without_recovery,
        "unmapped": len(radius.unmapped),
        "refusals": len(radius.refusals),
        "rows": blast.rows,
        "rows_unknown": sum(
            each.rows_lost is None and each.resource.stateful for each in radius.reached
        ),
        "bytes": sum(
            each.resource.bytes or 0 for each in radius.reached if each.harm is Harm.DESTROYED
        ),
        "back_within": None if within is None else round(within.total_seconds()),
        "score": radius.score,
    }


def _edge(edge: Edge, on: str, on_path: bool) -> dict[str, Any]:
    return {
        "source": edge.source,
        "target": edge.target,
        "on": on,
        "does": str(edge.does),
        "then": on if edge.then == "same" else edge.then and str(edge.then),
        "why": edge.why,
        "certain": edge.certain,
        "on_path": on_path,
    }


def _change(radius: Radius, change: Change, blast: AssetBlast | None) -> dict[str, Any]:
    own = radius.of_change[change.id]
    return {
        **_said(change),
        "event": None if own.event is None else str(own.event),
        "roots": list(own.roots),
        "assets": 0 if blast is None else blast.assets,
        "score": 0 if blast is None else blast.score,
        "derived": False,
    }


def _derived(change: Change) -> dict[str, Any]:
    """A change that the recovery check adds; what it reaches is counted with the one it is of."""
    return {
        **_said(change),
        "event": None,
        "roots": [],
        "assets": 0,
        "score": 0,
        "derived": True,
    }


def _said(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "action": change.action,
        "effect": str(change.effect),
        "selector": str(change.selector),
        "reversibility": str(change.reversibility),
        "summary": change.summary,
        "opaque": change.opaque,
        "file": change.source.file,
        "line": change.source.line,
        "column": change.source.column,
        "text": change.source.text,
    }


def _asset(
    graph: Graph, each: Reached, numbers: dict[Edge, int], spelled_out: bool
) -> dict[str, Any]:
    resource = each.resource
    score = each.score
    return {
        "key": resource.key,
        "type": resource.type,
        "id": resource.id,
        "name": resource.name,
        "kind": resource.kind,
        "source": resource.source,
        "environment": resource.environment,
        "criticality": str(resource.criticality),
        "stateful": resource.stateful,
        "recovery": resource.recovery,
        "protected": resource.protected,
        "container": resource.container,
        "rows": resource.rows,
        "row_basis": None if resource.row_basis is None else str(resource.row_basis),
        "rows_reached": each.rows,
        "rows_lost": each.rows_lost,
        "bytes": resource.bytes,
        "harm": str(each.harm),
        "fate": str(each.fate),
        "way_back": None if each.way_back is None else _way_back(graph, each.way_back),
        "root": each.is_root,
        "unmapped": each.is_unmapped,
        "certain": each.is_certain,
        "changes": list(each.changes),
        "event": str(each.event),
        "via": None if each.via is None else numbers[each.via],
        "path": [numbers[edge] for edge in each.path] if spelled_out else [],
        "because": each.because,
        "score": {
            "data": round(score.data, 3),
            "criticality": score.criticality,
            "environment": score.environment,
            "irreversibility": score.irreversibility,
            "points": round(score.points, 3),
        },
    }


def _way_back(graph: Graph, way: WayBack) -> dict[str, Any]:
    return {
        "key": way.recovery,
        "name": graph.resources[way.recovery].name,
        "within": way.within,
        "tested_at": None if way.tested_at is None else utc(way.tested_at),
        "why": way.why,
    }


def _containers(radius: Radius) -> dict[str, Any]:
    """What the assets of the radius are in, where it is not reached itself."""
    graph = radius.graph
    found: dict[str, Any] = {}
    for each in radius.reached:
        key = each.resource.container
        while key is not None and key not in found:
            container = graph.resources.get(key)
            if container is None:
                break
            if key not in radius.by_key:
                found[key] = {
                    "name": container.name,
                    "kind": container.kind,
                    "container": container.container,
                }
            elif key in radius.by_key and key != each.resource.container:
                break
            key = container.container
    return found
